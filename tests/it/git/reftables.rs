//! Repositories that keep their references as reftables (`git init --ref-format=reftable`, git 2.45 and later).

use super::super::history::{Repo as History, scan};
use super::{Repo, found, places, token};
use crate::harness::program::Home;

/// Whether this git has them.
fn is_there(home: &Home) -> bool {
    let mut git = std::process::Command::new("git");
    git.args(["init", "-q", "--ref-format=reftable", "probe"]).current_dir(home.work());
    git.output().is_ok_and(|output| output.status.success())
}

#[test]
fn history_knows_who_reaches_what() {
    let home = Home::new();
    if !is_there(&home) {
        return;
    }
    for (name, format) in [("one", "--object-format=sha1"), ("two", "--object-format=sha256")] {
        let repo = History::new(&home, name, &["--ref-format=reftable", format]);
        repo.write("a", &format!("{}\n", token(0)));
        let first = repo.commit("first");
        repo.git(&["tag", "-a", "v1", "-m", "a tag"]);
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.write("b", &format!("{}\n", token(1)));
        let second = repo.commit("second");
        repo.git(&["checkout", "-q", "main"]);
        // Enough for blocks, an index, and a table for each of the last ones; some of which are taken away again.
        let many: Vec<String> = (0..300).map(|n| format!("{first}:refs/many/{n:03}")).collect();
        let many: Vec<&str> = ["push", "-q", "."].into_iter().chain(many.iter().map(String::as_str)).collect();
        repo.git(&many);
        repo.git(&["pack-refs", "--all"]);
        repo.git(&["branch", "gone", "side"]);
        repo.git(&["branch", "-q", "-D", "gone"]);
        let refs = |wanted: &[&str]| {
            let (found, coverage, output) = scan(&home, wanted);
            assert_eq!(output.code(), Some(1), "{coverage}");
            let lines = output.stdout();
            (found, lines)
        };
        let (found, lines) = refs(&["--branch", "side", name]);
        assert_eq!(found, [format!("a:1 {first} A"), format!("b:1 {second} B")]);
        assert!(lines.contains("refs/heads/side") && lines.contains("refs/tags/v1"), "{lines}");
        assert!(lines.contains("refs/heads/main") && !lines.contains("refs/heads/gone"), "{lines}");
        assert_eq!(refs(&["--branch", "v1", name]).0, [format!("a:1 {first} A")]);
        assert_eq!(refs(&["--branch", "HEAD", name]).0, [format!("a:1 {first} A")]);
        assert_eq!(refs(&["--branch", "refs/many/299", name]).0, [format!("a:1 {first} A")]);
        // A worktree has a stack of its own.
        repo.git(&["worktree", "add", "-q", "--detach", &format!("../{name}-tree"), "side"]);
        let tree = format!("{name}-tree");
        assert_eq!(refs(&["--branch", "HEAD", &tree]).0.len(), 2);
        let (_, _, output) = scan(&home, &["--branch", "gone", name]);
        assert_eq!(output.code(), Some(2));
        // A table that is broken is said, and everything is found all the same.
        let folder = repo.path.join(".git/reftable");
        let mut tables: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        tables.retain(|path| path.extension().is_some_and(|ending| ending == "ref"));
        let bytes = std::fs::read(&tables[0]).unwrap();
        std::fs::remove_file(&tables[0]).unwrap();
        std::fs::write(&tables[0], &bytes[..bytes.len() - 1]).unwrap();
        let (places, coverage, output) = scan(&home, &["--history", name]);
        assert!(places.iter().any(|place| place.contains(&first)), "{places:?}");
        assert_eq!(output.code(), Some(2), "{coverage}");
        assert!(coverage.to_string().contains("a reftable is broken"), "{coverage}");
    }
}

#[test]
fn hooks_look_at_what_is_staged_and_pushed() {
    if !is_there(&Home::new()) {
        return;
    }
    let repo = Repo::with(&["--ref-format=reftable"]);
    repo.stage("a", format!("{}\n", token(0)));
    assert_eq!(repo.staged(), found(&["a:1"]), "before the first commit");
    repo.commit();
    assert_eq!(repo.staged(), found(&[]));
    repo.stage("a", format!("{}\n{}\n", token(0), token(1)));
    assert_eq!(repo.staged(), found(&["a:2"]));
    repo.commit();
    let pushed = |old: &str, new: &str| {
        let line = format!("refs/heads/x {new} refs/heads/x {old}\n");
        let hook = ["hook", "run", "--type", "pre-push", "--format", "jsonl", "--", "origin", "url"];
        places(&repo.home.staunch(hook).current_dir(&repo.root).stdin(line.as_bytes()).output())
    };
    let (head, none) = (repo.git(["rev-parse", "HEAD"]), "0".repeat(40));
    assert_eq!(pushed(&none, &head).0.len(), 2);
    repo.git(["update-ref", "refs/remotes/origin/main", "HEAD~1"]);
    assert_eq!(pushed(&none, &head), found(&["a:2"]));
    repo.git(["worktree", "add", "-q", "../tree", "-b", "tree", "HEAD~1"]);
    let tree = repo.root.parent().unwrap().join("tree");
    let output = repo.home.staunch(["scan", "--staged", "--format", "jsonl"]).current_dir(&tree).output();
    assert_eq!(places(&output), found(&[]), "{}", output.stderr());
}
