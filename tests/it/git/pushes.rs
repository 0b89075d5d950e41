//! What a push brings: the commits that the other side does not have, of which each content once.

use std::fs;
use std::path::PathBuf;

use super::{Repo, found, places, token};

/// A repository with a remote of its own, in which its first commit is.
fn with_remote() -> (Repo, PathBuf) {
    let repo = Repo::new();
    let remote = repo.home.work().join("remote.git");
    repo.git(["init", "-q", "--bare", "-b", "main", remote.to_str().unwrap()]);
    repo.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    repo.stage("old", format!("{}\n", token(0)));
    repo.commit();
    repo.git(["push", "-q", "origin", "main"]);
    (repo, remote)
}

/// What the hook reports when git pushes HEAD to a branch of the remote.
fn pushed(repo: &Repo, branch: &str) -> (Vec<String>, Option<i32>) {
    let (head, none) = (repo.git(["rev-parse", "HEAD"]), "0".repeat(40));
    let there = repo.git(["ls-remote", "origin", branch]);
    let there = there.split('\t').next().filter(|id| !id.is_empty()).unwrap_or(&none);
    let line = format!("HEAD {head} refs/heads/{branch} {there}\n");
    let hook = ["hook", "run", "--type", "pre-push", "--format", "jsonl", "--", "origin", "url"];
    places(&repo.home.staunch(hook).current_dir(&repo.root).stdin(line.as_bytes()).output())
}

#[test]
fn only_new_commits_count_and_all_of_them() {
    let (repo, _) = with_remote();
    assert_eq!(pushed(&repo, "main"), found(&[]), "all is there");
    repo.stage("old", format!("{}\nmore\n", token(0)));
    repo.commit();
    assert_eq!(pushed(&repo, "main"), found(&[]), "an old line of a changed file");
    repo.stage("dir/a", token(1));
    repo.commit();
    repo.git(["rm", "-q", "dir/a"]);
    repo.commit();
    assert_eq!(pushed(&repo, "main"), found(&["dir/a:1"]), "added and removed again");
    assert_eq!(pushed(&repo, "another"), found(&["dir/a:1"]), "as a new branch");
    repo.git(["push", "-q", "origin", "HEAD:another"]);
    assert_eq!(pushed(&repo, "third"), found(&[]), "another branch of the remote has it");
    repo.git(["commit", "-q", "--allow-empty", "-m", &format!("use {}", token(2))]);
    let (places, code) = pushed(&repo, "main");
    assert_eq!((places.len(), code), (1, Some(1)));
    assert!(places[0].starts_with("message of commit "), "{places:?}");
}

#[test]
fn what_only_a_merge_holds_is_seen() {
    let (repo, _) = with_remote();
    repo.git(["checkout", "-q", "-b", "side"]);
    repo.stage("s", "s\n");
    repo.commit();
    repo.git(["checkout", "-q", "main"]);
    repo.stage("m", "m\n");
    repo.commit();
    repo.git(["merge", "-q", "--no-commit", "side"]);
    repo.stage("s", format!("s\n{}\n", token(1)));
    repo.commit();
    assert_eq!(pushed(&repo, "main"), found(&["s:2"]));
}

#[test]
fn git_itself_calls_the_hook_and_is_stopped() {
    let (repo, remote) = with_remote();
    assert_eq!(repo.staunch(&["hook", "install", "--type", "pre-push"]).code(), Some(0));
    let up_to_date = repo.try_git(&["push", "origin", "main"]);
    assert_eq!(up_to_date.code(), Some(0), "{}", up_to_date.stderr());
    repo.stage("a", format!("x\n{}\n", token(1)));
    repo.commit();
    let head = repo.git(["rev-parse", "HEAD"]);
    let push = repo.try_git(&["push", "origin", "main"]);
    assert_eq!(push.code(), Some(1));
    let said = format!("{}{}", push.stdout(), push.stderr());
    for wanted in ["push blocked", &format!("a:2 (commit {})", &head[..12]), "git push --no-verify"] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert!(!said.contains(&token(1)), "{said}");
    assert_eq!(repo.try_git(&["push", "origin", "--delete", "main"]).code(), Some(1), "git's own refusal, not ours");
    repo.git(["push", "-q", "origin", "HEAD~1:refs/heads/fine"]);
    repo.git(["tag", "-a", "v1", "-m", &format!("key {}", token(2)), "HEAD~1"]);
    assert_eq!(repo.try_git(&["push", "origin", "v1"]).code(), Some(1), "a tag's message");
    repo.git(["push", "-q", "--no-verify", "origin", "main"]);
    assert!(remote.is_dir());
}

#[test]
fn input_that_did_not_arrive_blocks() {
    let (repo, _) = with_remote();
    let hook = |kind: &str, stdin: &[u8]| {
        let run = repo.home.staunch(["hook", "run", "--type", kind, "--", "origin", "url"]);
        let output = run.current_dir(&repo.root).stdin(stdin).output();
        (output.code(), output.stderr())
    };
    let missing = "1".repeat(40);
    for (kind, stdin) in [
        ("pre-push", String::new()),
        ("pre-receive", String::new()),
        ("pre-push", "nonsense\n".to_owned()),
        ("pre-receive", "a b\n".to_owned()),
        ("pre-push", format!("refs/heads/x {missing} refs/heads/x {}\n", "0".repeat(40))),
    ] {
        let (code, said) = hook(kind, stdin.as_bytes());
        assert_eq!(code, Some(2), "{kind} {stdin:?}: {said}");
        assert!(said.contains("push blocked"), "{said}");
    }
    let gone = format!("(delete) {} refs/heads/x {missing}\n", "0".repeat(40));
    assert_eq!(hook("pre-push", gone.as_bytes()).0, Some(0), "a deletion brings nothing");
}

#[test]
fn a_server_refuses_what_it_receives() {
    let (repo, remote) = with_remote();
    let install = repo.home.staunch(["hook", "install", "--type", "pre-receive"]).current_dir(&remote).output();
    assert_eq!(install.code(), Some(0), "{}", install.stderr());
    repo.stage("a", format!("{} # staunch:allow says the one who pushes\n", token(1)));
    repo.commit();
    let push = repo.try_git(&["push", "origin", "main"]);
    assert_eq!(push.code(), Some(1));
    let said = push.stderr();
    for wanted in ["remote: staunch: push blocked: 1 credential", "a:1 (commit ", "pre-receive hook declined"] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    repo.git(["reset", "-q", "--hard", "HEAD~1"]);
    repo.stage("b", "fine\n");
    repo.commit();
    repo.git(["push", "-q", "origin", "main", "main:refs/heads/more"]);
    assert!(fs::read_dir(remote.join("objects")).unwrap().count() > 2);
    repo.git(["push", "-q", "origin", "--delete", "more"]);
}

#[test]
fn a_file_that_only_moved_is_known_to_the_remote() {
    let (repo, _) = with_remote();
    repo.git(["mv", "old", "new"]);
    repo.commit();
    assert_eq!(pushed(&repo, "main"), found(&[]));
    assert_eq!(pushed(&repo, "another"), found(&[]));
    repo.stage("copy", format!("{}\n", token(1)));
    repo.commit();
    repo.git(["mv", "copy", "moved"]);
    repo.commit();
    assert_eq!(pushed(&repo, "main"), found(&["copy:1"]), "what the remote does not have is new under its first name");
}

#[test]
fn a_hook_may_be_named_without_an_option() {
    let (repo, _) = with_remote();
    repo.stage("a", token(1));
    repo.commit();
    let line = format!("HEAD {} refs/heads/main {}\n", repo.git(["rev-parse", "HEAD"]), "0".repeat(40));
    let run = |given: &[&str]| {
        let arguments = [&["hook", "run", "--format", "jsonl"], given].concat();
        repo.home.staunch(arguments).current_dir(&repo.root).stdin(line.as_bytes()).output()
    };
    assert_eq!(places(&run(&["pre-push", "origin", "url"])), found(&["a:1"]));
    let output = run(&["pre-pull", "origin"]);
    assert_eq!(output.code(), Some(64), "{}", output.stderr());
}

#[test]
fn a_folder_that_stands_everywhere_is_looked_at_once() {
    let (repo, _) = with_remote();
    let blob = repo.program("git", ["hash-object", "-w", "--stdin"]).stdin(token(3).as_bytes()).output().stdout();
    let make = |entries: &str| {
        let tree = repo.program("git", ["mktree"]).stdin(entries.as_bytes()).output().stdout();
        tree.trim().to_owned()
    };
    let mut tree = make(&format!("100644 blob {}\tf\n", blob.trim()));
    for _ in 0..12 {
        let entries: Vec<String> = (0..10).map(|n| format!("040000 tree {tree}\td{n}\n")).collect();
        tree = make(&entries.concat());
    }
    let commit = repo.git(["commit-tree", "-p", "HEAD", "-m", "many", &tree]);
    repo.git(["update-ref", "refs/heads/main", &commit]);
    let (places, code) = pushed(&repo, "main");
    assert_eq!((places.len(), code), (1, Some(1)), "{places:?}");
}
