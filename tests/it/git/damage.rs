//! What cannot be read blocks, and is said: no damage makes a commit pass unseen.

use std::fs;

use super::{Repo, found, token};

/// What a hook says of a repository that was damaged; it must not let anything pass.
fn blocked(repo: &Repo, what: &str) -> String {
    let output = repo.staunch(&["hook", "run", "--type", "pre-commit"]);
    let said = format!("{}{}", output.stdout(), output.stderr());
    assert_eq!(output.code(), Some(2), "{what}: {said}");
    assert!(said.contains("commit blocked"), "{what}: {said}");
    said
}

fn repo() -> Repo {
    let repo = Repo::new();
    repo.stage("dir/a", "x\n");
    repo.stage("b", "x\n");
    repo.commit();
    repo.stage("dir/a", format!("x\n{}\n", token(1)));
    repo
}

#[test]
fn an_index_that_is_cut_off_anywhere_or_changed() {
    let repo = repo();
    let path = repo.root.join(".git/index");
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, 11, 12, 40, whole.len() / 2, whole.len() - 21, whole.len() - 20, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        blocked(&repo, &format!("{length} bytes"));
    }
    for at in [0, 5, 11, 30, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        fs::write(&path, &bytes).unwrap();
        let said = blocked(&repo, &format!("byte {at}"));
        assert!(said.contains("index"), "{said}");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    blocked(&repo, "a folder");
}

#[test]
fn objects_that_are_missing_or_damaged() {
    for what in ["HEAD", "HEAD^{tree}", ":dir/a"] {
        let repo = repo();
        let id = repo.git(["rev-parse", what]);
        let path = repo.root.join(".git/objects").join(&id[..2]).join(&id[2..]);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let said = blocked(&repo, what);
        assert!(said.contains(&id) && said.contains("missing"), "{what}: {said}");
        for bytes in [&whole[..whole.len() / 2], b"", b"nonsense"] {
            fs::write(&path, bytes).unwrap();
            blocked(&repo, what);
        }
    }
    let repo = repo();
    let id = repo.git(["rev-parse", "HEAD:dir/a"]);
    fs::remove_file(repo.root.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    assert_eq!(repo.staged(), found(&["dir/a:2"]), "what went before cannot be read, and excuses nothing");
}

#[test]
fn heads_that_name_nothing() {
    for head in ["", "nonsense", "ref: ../../x", "ref: refs/heads/\u{1}", "0123", "ref:"] {
        let repo = repo();
        fs::write(repo.root.join(".git/HEAD"), head).unwrap();
        blocked(&repo, head);
    }
    let repo = repo();
    fs::write(repo.root.join(".git/refs/heads/main"), "nonsense\n").unwrap();
    blocked(&repo, "a branch");
    fs::write(repo.root.join(".git/refs/heads/main"), format!("{}\n", "1".repeat(40))).unwrap();
    blocked(&repo, "a commit that is not there");
    fs::write(repo.root.join(".git/HEAD"), "ref: refs/heads/other\n").unwrap();
    assert_eq!(repo.staged(), found(&["dir/a:2"]), "a branch without commits");
    fs::remove_file(repo.root.join(".git/HEAD")).unwrap();
    blocked(&repo, "none");
}

#[test]
fn other_places_and_a_lock() {
    let repo = repo();
    fs::write(repo.root.join(".git/index.lock"), "").unwrap();
    assert_eq!(repo.staged(), found(&["dir/a:2"]), "somebody's lock is of the next index");
    fs::write(repo.root.join(".git/config"), "[core\n").unwrap();
    blocked(&repo, "settings");
    let nowhere = Repo::bare_home();
    assert!(blocked(&nowhere, "nowhere").contains("is not in a git repository"));
    let bare = Repo::with(&["--bare"]);
    assert!(blocked(&bare, "bare").contains("bare"));
}
