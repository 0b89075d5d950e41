//! `scan --history` on repositories that the real git made: what no branch reaches, what only a merge brought in, messages,
//! every way in which a repository can lie on disk; and hostile ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::harness::program::{Home, Output};

/// Hugging Face tokens, made up here, which differ in the last letter.
pub(crate) fn token(last: char) -> String {
    format!("hf{}{last}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtK")
}

/// A repository under construction. Time goes on by a day with each commit.
pub(crate) struct Repo {
    pub(crate) path: PathBuf,
    day: std::cell::Cell<u32>,
}

impl Repo {
    pub(crate) fn new(home: &Home, name: &str, options: &[&str]) -> Self {
        let repo = Self { path: home.work().join(name), day: std::cell::Cell::new(0) };
        fs::create_dir_all(&repo.path).unwrap();
        repo.git(&[&["init", "-q", "-b", "main"], options].concat());
        repo
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let date = format!("2024-03-{:02}T12:00:00Z", 1 + self.day.get());
        let output = Command::new("git")
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.path)
            .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.com"), ("GIT_AUTHOR_DATE", &date)])
            .envs([("GIT_COMMITTER_NAME", "Bob"), ("GIT_COMMITTER_EMAIL", "bob@example.com"), ("GIT_COMMITTER_DATE", &date)])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let full = self.path.join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }

    /// Commits everything; returns the commit's name.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.day.set(self.day.get() + 1);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Places found, as `path:line commit token`, in order; and the coverage.
pub(crate) fn scan(home: &Home, arguments: &[&str]) -> (Vec<String>, Value, Output) {
    let output = home.staunch([&["scan", "--format", "jsonl"], arguments].concat()).output();
    let mut places = Vec::new();
    let mut coverage = Value::Null;
    for line in output.stdout().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["schema"] == "staunch.summary/1" {
            coverage = line["coverage"].clone();
            continue;
        }
        let last = line["redacted"].as_str().unwrap().chars().last().unwrap();
        for at in line["occurrences"].as_array().unwrap() {
            let provenance = &at["provenance"];
            let commit =
                if provenance["kind"] == "commit" { provenance["commit"].as_str().unwrap_or("none") } else { "disk" };
            places.push(format!("{}:{} {commit} {last}", at["path"].as_str().unwrap(), at["line"]));
        }
    }
    places.sort();
    (places, coverage, output)
}

#[test]
fn nothing_is_invisible() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("src/app.py", "x = 1\n");
    repo.commit("begin");
    // Removed again later.
    repo.write("src/app.py", &format!("x = 1\nkey = \"{}\"\n", token('A')));
    let a = repo.commit("add a key");
    repo.write("src/app.py", "x = 1\n");
    repo.commit("remove it");
    // Only in a merge commit: in neither parent.
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    repo.write("other", "y\n");
    repo.commit("side");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    repo.write("merged/conf.yml", &format!("token: {}\n", token('B')));
    let b = repo.commit("merge");
    // Moved: at both paths, each with its commit.
    repo.git(&["mv", "merged/conf.yml", "conf.yml"]);
    let moved = repo.commit("move");
    // In a message, in a tag's message, in a note.
    let c = repo.commit(&format!("do not use {}", token('C')));
    repo.git(&["tag", "-a", "v1", "-m", &format!("released with {}", token('D'))]);
    // On a commit that no branch reaches, and in a file that no commit holds.
    repo.write("lost.txt", &token('E'));
    let e = repo.commit("lost");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.write("staged.txt", &token('F'));
    repo.git(&["add", "staged.txt"]);
    repo.git(&["rm", "-q", "-f", "staged.txt"]);
    let check = || {
        let (places, coverage, output) = scan(&home, &["--history", "r"]);
        let mut expected = [
            "r/conf.yml:1 disk B".to_owned(),
            format!("src/app.py:2 {a} A"),
            format!("merged/conf.yml:1 {b} B"),
            format!("conf.yml:1 {moved} B"),
            format!("commit {} (message):6 {c} C", &c[..12]),
            format!("lost.txt:1 {e} E"),
            // The logs of references repeat what messages begin with.
            "r/.git/logs/HEAD:9 disk C".to_owned(),
            "r/.git/logs/refs/heads/main:6 disk C".to_owned(),
        ];
        expected.sort();
        let known: Vec<&String> =
            places.iter().filter(|place| !place.starts_with("tag ") && !place.starts_with("object ")).collect();
        assert_eq!(known, expected.iter().collect::<Vec<_>>(), "{}", output.stderr());
        assert!(places.iter().any(|place| place.starts_with("tag ") && place.ends_with(":6 none D")), "{places:?}");
        assert!(places.iter().any(|place| place.starts_with("object ") && place.ends_with(":1 none F")), "{places:?}");
        assert_eq!(output.code(), Some(1), "{coverage}");
        assert!(coverage["objects"].as_u64().unwrap() > 10);
    };
    check();
    // In a pack, the unreachable ones loose; then in two packs.
    repo.git(&["repack", "-q", "-a", "-d", "-f", "--depth=50"]);
    check();
    repo.git(&["repack", "-q", "-a", "-k", "-d"]);
    check();
    // Refs: who reaches it.
    let output = home.staunch(["scan", "--history", "r"]).output().stdout();
    assert!(
        output.contains(&format!("src/app.py:2:8 in commit {} (2024-03-03, Ann <ann@example.com>) main", &a[..12])),
        "{output}"
    );
}

#[test]
fn what_is_new_since_and_what_a_branch_reaches() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", &token('A'));
    let a = repo.commit("a");
    repo.git(&["branch", "old"]);
    repo.write("b", &token('B'));
    let b = repo.commit("b");
    repo.git(&["checkout", "-q", "-b", "side", "old"]);
    repo.write("c", &token('C'));
    let c = repo.commit("c");
    repo.git(&["checkout", "-q", "main"]);
    let (in_a, in_b, in_c) = (format!("a:1 {a} A"), format!("b:1 {b} B"), format!("c:1 {c} C"));
    for (arguments, expected) in [
        (vec!["--since", "old", "r"], vec![&in_b, &in_c]),
        (vec!["--branch", "side", "r"], vec![&in_a, &in_c]),
        (vec!["--since", "old", "--branch", "main", "r"], vec![&in_b]),
        (vec!["--since", &b, "r"], vec![&in_c]),
    ] {
        let (places, _, output) = scan(&home, &arguments);
        assert_eq!(places.iter().collect::<Vec<_>>(), expected, "{arguments:?} {}", output.stderr());
    }
    // A name that is none is not "nothing found".
    let (_, _, output) = scan(&home, &["--since", "nosuch", "r"]);
    assert_eq!(output.code(), Some(2));
    assert!(output.stdout().contains("no such branch, tag or commit: nosuch"), "{}", output.stdout());
}

#[test]
fn every_way_in_which_a_repository_lies_on_disk() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("dir/a", &token('A'));
    let a = repo.commit("a");
    repo.write("dir/a", "gone\n");
    repo.commit("b");
    let work = home.work();
    let clone = |arguments: &[&str]| repo.git(&[&["clone", "-q"], arguments].concat());
    clone(&["--bare", ".", "../bare.git"]);
    clone(&["--shared", ".", "../shared"]);
    repo.git(&["worktree", "add", "-q", "../linked"]);
    let outer = Repo::new(&home, "outer", &[]);
    outer.git(&["submodule", "--quiet", "add", "../r", "sub"]);
    let expected = [format!("dir/a:1 {a} A")];
    for place in ["r", "bare.git", "shared", "linked", "outer/sub", "r/dir"] {
        let (places, _, output) = scan(&home, &["--branch", "HEAD", place]);
        assert_eq!(places, expected, "{place}: {} {}", output.stderr(), output.stdout());
    }
    let newer = Repo::new(&home, "sha256", &["--object-format=sha256"]);
    newer.write("dir/a", &token('A'));
    let a = newer.commit("a");
    newer.git(&["repack", "-q", "-a", "-d"]);
    assert_eq!(a.len(), 64);
    assert_eq!(scan(&home, &["--branch", "main", "sha256"]).0, [format!("dir/a:1 {a} A")]);
    // Shallow: the commit that brought it in is not there; the first that is has it.
    let url = format!("file://{}", work.join("bare.git").display());
    repo.write("dir/kept", &token('B'));
    let kept = repo.commit("kept");
    let top = repo.commit("top");
    assert_ne!(kept, top);
    repo.git(&["push", "-q", "../bare.git", "main"]);
    clone(&["--depth=1", &url, "../shallow"]);
    assert_eq!(scan(&home, &["--branch", "HEAD", "shallow"]).0, [format!("dir/kept:1 {top} B")]);
    repo.git(&["-C", "../bare.git", "config", "uploadpack.allowFilter", "true"]);
    clone(&["--filter=blob:none", "--no-checkout", &url, "../partial"]);
    assert_eq!(scan(&home, &["--branch", "HEAD", "partial"]).2.code(), Some(0));
}

#[test]
fn the_same_in_history_as_on_disk() {
    // What is a secret depends on the file's name; a moved file is judged at each of its paths.
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    let value = ["vR7#kq2L", "w9zTx"].concat();
    for (path, text) in [
        ("tests/conf.py", format!("password = \"{value}\"\n")),
        ("app/conf.py", format!("password = \"{value}1\"\n")),
        (".env", format!("DB_PASSWORD={value}2\n")),
        ("run.sh", format!("export DB_PASSWORD={value}3\n")),
        ("notes.txt", format!("password: {value}4\n")),
        ("Dockerfile", format!("ENV DB_PASSWORD {value}5\n")),
    ] {
        repo.write(path, &text);
    }
    repo.commit("all");
    repo.git(&["mv", "tests/conf.py", "app/moved.py"]);
    repo.commit("moved");
    let strip = |places: Vec<String>| -> Vec<String> {
        let strip = |place: String| place.split(' ').next().unwrap().trim_start_matches("r/").to_owned();
        places.into_iter().map(strip).filter(|place| !place.starts_with(".git/")).collect()
    };
    let mut on_disk = strip(scan(&home, &["r"]).0);
    let in_history = strip(scan(&home, &["--branch", "main", "r"]).0);
    assert!(on_disk.len() >= 5, "{on_disk:?}");
    // A test's password until it was moved; now that it is one, that is a place of it too.
    on_disk.push("tests/conf.py:1".to_owned());
    assert_eq!(in_history, on_disk);
}

#[test]
fn a_broken_repository_is_incomplete_and_what_can_be_read_is() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", &format!("{}\n", token('A')));
    repo.commit("a");
    repo.git(&["repack", "-q", "-a", "-d"]);
    repo.write("b", &format!("{}\n", token('B')));
    let b = repo.commit("b");
    let packs = |ending: &str| -> PathBuf {
        let folder = repo.path.join(".git/objects/pack");
        let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.into_iter().find(|path| path.extension().is_some_and(|found| found == ending)).unwrap()
    };
    let found = |expected: &str| {
        let (places, _, output) = scan(&home, &["--branch", "main", "r"]);
        assert!(places.iter().any(|place| place == expected), "{places:?}");
        assert_eq!(output.code(), Some(2), "{}", output.stdout());
    };
    let expected = format!("b:1 {b} B");
    let pack = packs("pack");
    let bytes = fs::read(&pack).unwrap();
    replace(&pack, &bytes[..bytes.len() / 2]);
    found(&expected);
    replace(&pack, b"nonsense");
    found(&expected);
    replace(&pack, &bytes);
    let index = packs("idx");
    fs::remove_file(&index).unwrap();
    // Nothing is missing then: what the index says can be worked out.
    let (places, _, output) = scan(&home, &["--branch", "main", "r"]);
    assert_eq!((places.len(), output.code()), (2, Some(1)), "{places:?}");
    // A pipe where a loose object should be; nobody waits for it.
    let loose = repo.path.join(".git/objects/ab");
    fs::create_dir_all(&loose).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, loose.join("c".repeat(38)), rustix::fs::Mode::RWXU).unwrap();
    found(&expected);
}

/// What a scan of the history says could not be read; it must not be complete.
fn lost(home: &Home, arguments: &[&str]) -> String {
    let (_, coverage, output) = scan(home, arguments);
    assert_eq!(output.code(), Some(2), "{arguments:?}: {coverage}");
    coverage["troubles"].to_string()
}

#[test]
fn what_is_missing_makes_a_history_incomplete() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("dir/a", "one\n");
    repo.write("b", "same\n");
    repo.commit("1");
    repo.write("dir/a", "two\n");
    repo.commit("2");
    repo.git(&["tag", "-a", "v1", "-m", "v1"]);
    repo.write("dir/a", "three\n");
    repo.commit("3");
    assert_eq!(scan(&home, &["--history", "r"]).2.code(), Some(0));
    for what in ["HEAD", "HEAD~1", "HEAD~2", "v1", "HEAD^{tree}", "HEAD~1:dir", "HEAD~2:dir/a", "HEAD:b"] {
        let id = repo.git(&["rev-parse", what]);
        let path = repo.path.join(".git/objects").join(&id[..2]).join(&id[2..]);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        for arguments in [&["--history", "r"][..], &["--branch", "main", "r"]] {
            if what != "v1" || arguments[0] == "--history" {
                let said = lost(&home, arguments);
                assert!(said.contains(&id), "{what}: {said}");
            }
        }
        fs::write(&path, bytes).unwrap();
    }
    // What only a forgotten commit leads to may be gone.
    repo.git(&["checkout", "-q", "--detach"]);
    repo.write("gone/b", "gone\n");
    repo.commit("gone");
    let id = repo.git(&["rev-parse", "HEAD:gone/b"]);
    repo.git(&["checkout", "-q", "main"]);
    fs::remove_file(repo.path.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    assert_eq!(scan(&home, &["--history", "r"]).2.code(), Some(0));
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["repack", "-q", "-a", "-d"]);
    repo.git(&["prune", "--expire=now"]);
    assert_eq!(scan(&home, &["--history", "r"]).2.code(), Some(0));
    let packs = fs::read_dir(repo.path.join(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let pack = packs.into_iter().find(|path| path.extension().is_some_and(|found| found == "pack")).unwrap();
    replace(&pack, b"");
    assert!(lost(&home, &["--history", "r"]).contains("whose pack is missing"));
    fs::remove_file(&pack).unwrap();
    assert!(lost(&home, &["--history", "r"]).contains("whose pack is missing"));
    fs::remove_file(pack.with_extension("idx")).unwrap();
    assert!(lost(&home, &["--history", "r"]).contains("refs/heads/main"));
}

#[test]
fn a_revision_is_what_git_understands() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", &token('A'));
    let a = repo.commit("1");
    repo.write("b", &token('B'));
    let b = repo.commit("2");
    for since in ["HEAD~1", "main^", "main@{1}", &a[..9]] {
        assert_eq!(scan(&home, &["--since", since, "r"]).0, [format!("b:1 {b} B")], "{since}");
    }
    assert_eq!(scan(&home, &["--branch", "HEAD~1", "r"]).0, [format!("a:1 {a} A")]);
    assert_eq!(scan(&home, &["--since", "HEAD~9", "r"]).2.code(), Some(2));
}

#[test]
fn repositories_below_the_target_have_a_history_too() {
    let home = Home::new();
    let outer = Repo::new(&home, "all/r", &[]);
    outer.write("x", &token('X'));
    let x = outer.commit("x");
    fs::remove_file(outer.path.join("x")).unwrap();
    let made = |name: &str, letter: char| {
        let repo = Repo::new(&home, name, &[]);
        repo.write("f", &token(letter));
        let commit = repo.commit("f");
        repo.write("f", "gone\n");
        repo.commit("gone");
        commit
    };
    let (c, s) = (made("all/r/deep/clone", 'C'), made("sub", 'S'));
    outer.git(&["submodule", "--quiet", "add", &home.work().join("sub").display().to_string(), "module"]);
    let expected = |target: &str| {
        let (places, coverage, output) = scan(&home, &["--history", target]);
        let mut wanted = [format!("x:1 {x} X"), format!("f:1 {c} C"), format!("f:1 {s} S")];
        wanted.sort();
        assert_eq!(places, wanted, "{target}: {coverage}");
        assert_eq!(output.code(), Some(1), "{coverage}");
        assert!(output.stdout().contains("all/r/deep/clone"), "whose it is");
    };
    expected("all/r");
    // A folder that is in no repository itself.
    expected("all");
    // Each once, and of a submodule that is not there the history all the same.
    fs::remove_dir_all(outer.path.join("module")).unwrap();
    expected("all");
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_hundred_thousand_names_and_a_hostile_config() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", &token('A'));
    let a = repo.commit("a");
    let refs: String = (0..100_000).map(|n| format!("{a} refs/heads/b{n}\n")).collect::<Vec<_>>().concat();
    fs::write(repo.path.join(".git/packed-refs"), refs).unwrap();
    let marker = home.work().join("ran");
    let run = format!("touch {}", marker.display());
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {run}\n\tsshCommand = {run}\n[include]\n\tpath = /dev/zero\n[uploadpack]\n\tpackObjectsHook = {run}\n"
    );
    fs::write(repo.path.join(".git/config"), config).unwrap();
    let (places, _, output) = scan(&home, &["--branch", "main", "r"]);
    assert_eq!(places, [format!("a:1 {a} A")], "{}", output.stdout());
    let refs = output.stdout().matches("refs/heads/b").count();
    assert!((1..=64).contains(&refs), "{refs}");
    assert!(!marker.exists());
}

#[test]
fn a_file_and_its_version_are_no_two_files() {
    let home = Home::new();
    let repo = Repo::new(&home, "shop", &[]);
    let typed = ["Falcon", "77ridge"].concat();
    for number in 0..4 {
        repo.write(&format!("f{number}.yml"), &format!("db_password: {typed}\n"));
    }
    repo.commit("settings");
    // What stands in eight files would be an example's.
    let output = home.staunch(["scan", "--format", "json", "--history", "shop"]).output();
    assert_eq!(output.code(), Some(1), "{}", output.stdout());
    let report: Value = serde_json::from_str(&output.stdout()).unwrap();
    assert_eq!(report["findings"][0]["occurrences"].as_array().unwrap().len(), 8, "{report}");
}

#[test]
fn a_file_too_large_for_the_memory_is_found_in_with_its_path() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    // Beyond 128 MiB, at which objects are read as streams.
    let mut large = vec![0; 130 << 20];
    large.extend(format!("\nkey = {}\n", token('A')).bytes());
    fs::write(repo.path.join("large.bin"), &large).unwrap();
    let commit = repo.commit("large");
    fs::remove_file(repo.path.join("large.bin")).unwrap();
    let check = || {
        // Without optimisation it takes its time.
        let run = home.staunch(["scan", "--history", "r"]).limit(Duration::from_mins(10));
        let output = run.output();
        let place = format!("large.bin:2:7 in commit {}", &commit[..12]);
        assert!(output.code() == Some(1) && output.stdout().contains(&place), "{}", output.stdout());
    };
    check();
    repo.git(&["repack", "-q", "-a", "-d"]);
    check();
}

#[test]
fn references_that_are_none_make_a_history_incomplete() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", "1\n");
    repo.commit("begin");
    for (name, text) in
        [("refs/heads/empty", ""), ("refs/heads/garbage", "no name\n"), ("packed-refs", "# pack-refs\nx y\n")]
    {
        let path = repo.path.join(".git").join(name);
        fs::write(&path, text).unwrap();
        let (_, coverage, output) = scan(&home, &["--history", "r"]);
        assert_eq!(output.code(), Some(2), "{name}: {coverage}");
        assert!(coverage["troubles"][0]["why"].as_str().unwrap().contains("names no object"), "{name}: {coverage}");
        fs::remove_file(path).unwrap();
    }
    // What is no name to git either.
    fs::write(repo.path.join(".git/refs/heads/x.lock"), "").unwrap();
    fs::write(repo.path.join(".git/refs/.DS_Store"), "").unwrap();
    assert_eq!(scan(&home, &["--history", "r"]).2.code(), Some(0));
}

#[test]
fn a_commit_says_more_than_its_message() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", "1\n");
    let first = repo.commit("begin");
    let commit = format!(
        "tree {}\nparent {first}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\nHG:extra {}\n\nx\n",
        repo.git(&["rev-parse", "HEAD^{tree}"]),
        token('A')
    );
    fs::write(repo.path.join("../c"), commit).unwrap();
    repo.git(&["hash-object", "-t", "commit", "-w", "../c"]);
    let (places, _, output) = scan(&home, &["--history", "r"]);
    assert!(places.len() == 1 && places[0].contains("(message):5"), "{places:?} {}", output.stderr());
}
