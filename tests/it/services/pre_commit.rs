//! The real pre-commit program, with this repository's own `.pre-commit-hooks.yaml`.
//!
//! It clones the repository that a hook comes from; here, one that holds the file alone. Its cache is in the scratch home.

use std::fs;

use crate::git::{Repo, token};
use crate::harness::services::setting;

/// A repository with the hooks that are declared in this one's file, and one that uses them.
fn configured() -> (Repo, String) {
    let declared = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml")).unwrap();
    let repo = Repo::new();
    let from = repo.home.work().join("hooks");
    fs::create_dir(&from).unwrap();
    fs::write(from.join(".pre-commit-hooks.yaml"), declared).unwrap();
    let from = from.to_str().unwrap().to_owned();
    repo.git(["init", "-q", &from]);
    repo.git(["-C", &from, "add", "."]);
    repo.git(["-C", &from, "commit", "-q", "-m", "c"]);
    let rev = repo.git(["-C", &from, "rev-parse", "HEAD"]);
    let text = format!("repos:\n- repo: {from}\n  rev: {rev}\n  hooks:\n  - id: staunch-system\n");
    repo.stage(".pre-commit-config.yaml", text);
    repo.commit();
    (repo, from)
}

#[test]
fn it_blocks_a_commit_and_a_push() {
    let pre_commit = setting("STAUNCH_TEST_PRE_COMMIT");
    let (repo, from) = configured();
    let run = |arguments: &[&str]| repo.program(&pre_commit, arguments).output();
    let install = run(&["install", "-t", "pre-commit", "-t", "pre-push"]);
    assert_eq!(install.code(), Some(0), "{}", install.stderr());

    repo.stage("fine", "x\n");
    repo.commit();
    repo.stage("app/a.py", format!("x\nkey = '{}'\n", token(1)));
    // What is not staged is put away by pre-commit while the hook runs.
    repo.write("fine", token(2));
    for arguments in [&["commit", "-m", "c"][..], &["commit", "-m", "c", "app/a.py"]] {
        let output = repo.try_git(arguments);
        let said = format!("{}{}", output.stdout(), output.stderr());
        assert_eq!(output.code(), Some(1), "{said}");
        for wanted in ["Failed", "exit code: 1", "app/a.py:2", "commit blocked: 1 credential", "staunch:allow"] {
            assert!(said.contains(wanted), "{wanted} in {said}");
        }
        assert!(!said.contains("fine:1") && !said.contains(&token(1)), "{said}");
    }
    let tried = run(&["try-repo", &from, "staunch-system", "--verbose"]);
    assert_eq!(tried.code(), Some(1), "{}", tried.stderr());
    assert!(tried.stdout().contains("app/a.py:2"), "{}", tried.stdout());

    let remote = repo.home.work().join("remote.git");
    repo.git(["init", "-q", "--bare", remote.to_str().unwrap()]);
    repo.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    repo.git(["push", "-q", "origin", "HEAD:refs/heads/main"]);
    repo.git(["commit", "-q", "--no-verify", "-m", "c"]);
    for branch in ["HEAD:refs/heads/main", "HEAD:refs/heads/new"] {
        let push = repo.try_git(&["push", "origin", branch]);
        let said = format!("{}{}", push.stdout(), push.stderr());
        assert_eq!(push.code(), Some(1), "{said}");
        assert!(said.contains("app/a.py:2 (commit "), "{said}");
    }
    repo.git(["remote", "set-url", "origin", &format!("{}2", remote.display())]);
    repo.git(["init", "-q", "--bare", &format!("{}2", remote.display())]);
    repo.git(["update-ref", "-d", "refs/remotes/origin/main"]);
    let push = repo.try_git(&["push", "origin", "HEAD:refs/heads/main"]);
    assert_eq!(push.code(), Some(1), "to a remote that has nothing: {}{}", push.stdout(), push.stderr());
}
