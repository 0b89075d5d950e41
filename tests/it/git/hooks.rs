//! Hooks as people have them: installed, chained with others, uninstalled, and called by git in all its ways of committing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Repo, token};

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn installed() -> Repo {
    let repo = Repo::new();
    let output = repo.staunch(&["hook", "install"]);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    repo
}

/// A commit is stopped, for what stands in `place`.
fn stopped(repo: &Repo, arguments: &[&str], place: &str) {
    let before = repo.try_git(&["rev-parse", "HEAD"]).stdout();
    let output = repo.try_git(arguments);
    let said = format!("{}{}", output.stdout(), output.stderr());
    assert_eq!(output.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains("commit blocked: 1 credential") && said.contains(place), "{arguments:?}: {said}");
    assert_eq!(repo.try_git(&["rev-parse", "HEAD"]).stdout(), before);
}

#[test]
fn every_way_of_committing_is_looked_at_as_git_will_commit_it() {
    let repo = installed();
    repo.stage("a", "x\n");
    stopped_first(&repo);
    repo.stage("b", "y\n");
    repo.commit();
    repo.write("a", format!("x\n{}\n", token(1)));
    repo.git(["commit", "-q", "--allow-empty", "-m", "what is not staged is no concern"]);
    stopped(&repo, &["commit", "-a", "-m", "c"], "a:2");
    stopped(&repo, &["commit", "-m", "c", "a"], "a:2");
    stopped(&repo, &["commit", "-m", "c", "--include", "a"], "a:2");
    repo.git(["reset", "-q"]);
    let patch = repo.program("git", ["commit", "-m", "c", "-p"]).stdin(b"y\n").output();
    assert_eq!(patch.code(), Some(1), "{}", patch.stderr());
    assert!(patch.stderr().contains("a:2"), "{}", patch.stderr());
    repo.git(["reset", "-q"]);
    stopped(&repo, &["commit", "-a", "--amend", "-m", "c"], "a:2");
    // A path given: another file's staged secret is not part of it.
    repo.git(["reset", "-q"]);
    repo.git(["add", "a"]);
    repo.write("b", "z\n");
    repo.git(["commit", "-q", "-m", "c", "b"]);
    stopped(&repo, &["commit", "-m", "c"], "a:2");
    repo.git(["commit", "-q", "--no-verify", "-m", "c"]);
    let sub = repo.root.join("sub");
    fs::create_dir(&sub).unwrap();
    fs::write(sub.join("c"), token(2)).unwrap();
    repo.git(["-C", "sub", "add", "c"]);
    stopped(&repo, &["-C", "sub", "commit", "-m", "c"], "sub/c:1");
    repo.git(["reset", "-q"]);
    repo.git(["worktree", "add", "-q", "../linked"]);
    fs::write(repo.home.work().join("linked/d"), token(3)).unwrap();
    repo.git(["-C", "../linked", "add", "d"]);
    stopped(&repo, &["-C", "../linked", "commit", "-m", "c"], "d:1");
}

fn stopped_first(repo: &Repo) {
    repo.stage("first", token(0));
    let output = repo.try_git(&["commit", "-m", "c"]);
    let said = output.stderr();
    assert_eq!(output.code(), Some(1), "{said}");
    for wanted in ["first:1", "huggingface-user-token", "hf_", "rotate", "staunch:allow", "git commit --no-verify"] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert!(!said.contains(&token(0)), "redacted: {said}");
    repo.git(["rm", "-q", "-f", "first"]);
}

#[test]
fn a_hook_that_is_there_runs_first_and_comes_back() {
    let repo = Repo::new();
    let hook = repo.root.join(".git/hooks/pre-commit");
    let text = "#!/bin/sh\necho \"before: $*\" >>log\n[ ! -e refuse ] || exit 7\n";
    program(&hook, text);
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o754)).unwrap();
    for _ in 0..2 {
        let output = repo.staunch(&["hook", "install"]);
        assert_eq!(output.code(), Some(0), "{}", output.stderr());
        assert!(output.stdout().contains("runs after the hook that was there"), "{}", output.stdout());
    }
    repo.stage("a", "x\n");
    repo.commit();
    assert_eq!(fs::read_to_string(repo.root.join("log")).unwrap(), "before: \n");
    repo.stage("b", token(1));
    stopped(&repo, &["commit", "-m", "c"], "b:1");
    repo.write("refuse", "");
    let refused = repo.try_git(&["commit", "-m", "c"]);
    assert!(!refused.stderr().contains("staunch"), "its word is enough: {}", refused.stderr());
    assert_eq!(repo.program(hook.to_str().unwrap(), ["x"]).output().code(), Some(7));

    let output = repo.staunch(&["hook", "uninstall"]);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    assert_eq!(fs::read_to_string(&hook).unwrap(), text);
    assert_eq!(fs::metadata(&hook).unwrap().permissions().mode() & 0o777, 0o754);
    assert_eq!(
        fs::read_dir(hook.parent().unwrap())
            .unwrap()
            .filter(|entry| { !entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".sample") })
            .count(),
        1
    );
    let again = repo.staunch(&["hook", "uninstall"]);
    assert!(again.stdout().contains("no hook of staunch's"), "{}", again.stdout());
    assert_eq!(fs::read_to_string(&hook).unwrap(), text);
}

#[test]
fn both_hooks_read_what_git_says_of_a_push() {
    let repo = Repo::new();
    let remote = repo.home.work().join("remote.git");
    repo.git(["init", "-q", "--bare", remote.to_str().unwrap()]);
    repo.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    program(&repo.root.join(".git/hooks/pre-push"), "#!/bin/sh\necho \"$1\" >log\ncat >>log\n");
    assert_eq!(repo.staunch(&["hook", "install", "--type", "pre-push,pre-commit"]).code(), Some(0));
    repo.stage("a", "x\n");
    repo.commit();
    repo.git(["push", "-q", "origin", "main"]);
    let head = repo.git(["rev-parse", "HEAD"]);
    let log = || fs::read_to_string(repo.root.join("log")).unwrap();
    assert_eq!(log(), format!("origin\nrefs/heads/main {head} refs/heads/main {}\n", "0".repeat(40)));
    repo.stage("a", token(1));
    repo.git(["commit", "-q", "--no-verify", "-m", "c"]);
    assert_eq!(repo.try_git(&["push", "origin", "main"]).code(), Some(1));
    assert!(log().contains(&head));
    repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(["push", "-q", "origin", "main"]);
    assert_eq!(log(), "origin\n", "nothing to push");
}

#[test]
fn hooks_that_others_keep_are_left_alone() {
    let repo = Repo::new();
    for (path, file) in [(".husky/_", ".husky/pre-commit"), ("githooks", "githooks/pre-commit")] {
        repo.git(["config", "core.hooksPath", path]);
        let output = repo.staunch(&["hook", "install"]);
        assert_eq!(output.code(), Some(2));
        let said = output.stderr();
        assert!(said.contains(&format!("to {file}: staunch hook run --type pre-commit")), "{said}");
    }
    repo.git(["config", "--unset", "core.hooksPath"]);
    fs::remove_dir_all(repo.root.join(".git/hooks")).unwrap();
    fs::create_dir(repo.root.join("shared")).unwrap();
    std::os::unix::fs::symlink("../shared", repo.root.join(".git/hooks")).unwrap();
    assert_eq!(repo.staunch(&["hook", "install"]).code(), Some(2), "a link into the working tree");
    assert_eq!(fs::read_dir(repo.root.join("shared")).unwrap().count(), 0);

    let repo = installed();
    let (hook, kept) = (repo.root.join(".git/hooks/pre-commit"), repo.root.join(".git/hooks/pre-commit.before-staunch"));
    fs::rename(&hook, &kept).unwrap();
    program(&hook, "#!/bin/sh\n# somebody else's\n");
    assert_eq!(repo.staunch(&["hook", "install"]).code(), Some(2), "two hooks and one name");
    let output = repo.staunch(&["hook", "uninstall"]);
    assert!(output.stdout().contains("left alone"), "{}", output.stdout());
    assert!(hook.exists() && kept.exists());
}

#[test]
fn for_every_repository_and_back() {
    let repo = Repo::new();
    let output = repo.staunch(&["hook", "install", "--global"]);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    let path = repo.git(["config", "--global", "core.hooksPath"]);
    assert!(path.ends_with("/home/.local/share/staunch/hooks"), "{path}");
    for name in ["pre-commit", "commit-msg"] {
        program(&repo.root.join(".git/hooks").join(name), &format!("#!/bin/sh\necho {name} >>log\n"));
    }
    repo.stage("a", "x\n");
    repo.commit();
    assert_eq!(fs::read_to_string(repo.root.join("log")).unwrap(), "pre-commit\ncommit-msg\n", "its own still run");
    repo.stage("b", token(1));
    stopped(&repo, &["commit", "-m", "c"], "b:1");
    let local = repo.staunch(&["hook", "install"]);
    assert_eq!(local.code(), Some(0));
    assert!(local.stdout().contains("of all repositories"), "{}", local.stdout());
    assert_eq!(repo.staunch(&["hook", "uninstall", "--global"]).code(), Some(0));
    assert_eq!(repo.try_git(&["config", "--global", "core.hooksPath"]).code(), Some(1));
    assert!(!Path::new(&path).exists());
    repo.git(["config", "--global", "core.hooksPath", "/somewhere"]);
    let refused = repo.staunch(&["hook", "install", "--global"]);
    assert_eq!(refused.code(), Some(2), "{}", refused.stdout());
    assert!(refused.stderr().contains("/somewhere/pre-commit: staunch hook run"), "{}", refused.stderr());
    assert_eq!(repo.git(["config", "--global", "core.hooksPath"]), "/somewhere");
}

#[test]
fn without_the_program_nothing_passes() {
    let repo = installed();
    let hook = repo.root.join(".git/hooks/pre-commit");
    let text = fs::read_to_string(&hook).unwrap();
    let moved = text
        .replace(env!("CARGO_BIN_EXE_staunch"), "/nowhere/staunch")
        .replace("command -v staunch", "command -v staunch-gone");
    assert_ne!(moved, text);
    fs::write(&hook, moved).unwrap();
    repo.stage("a", "x\n");
    let output = repo.try_git(&["commit", "-m", "c"]);
    assert_eq!(output.code(), Some(1));
    assert!(output.stderr().contains("commit blocked: the program is not there"), "{}", output.stderr());
}
