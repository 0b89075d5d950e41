//! Credentials that nothing holds but a name: of a file, a folder, a branch, a member of an archive or a layer; and what stands in a
//! git folder beside its objects. All are found, and none is shown.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::harness::program::Home;
use crate::history::Repo;
use crate::images::fixtures::{GZIP, Layout, gzip, header, tar, token};

/// Where each of the tokens was found, and how the scan ended. In every format, no token is shown.
fn places(home: &Home, arguments: &[&str], tokens: u64) -> (BTreeMap<u64, Vec<String>>, Option<i32>) {
    for format in ["human", "jsonl", "sarif", "html", "csv", "github", "gitlab"] {
        let output = home.staunch([&["scan", "-v", "--format", format], arguments].concat()).output();
        let said = format!("{}{}", output.stdout(), output.stderr());
        for n in 0..tokens {
            assert!(!said.contains(&token(n)), "{format} shows token {n}: {said}");
        }
    }
    let output = home.staunch([&["scan", "--format", "jsonl"], arguments].concat()).output();
    let mut all: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for line in output.stdout().lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")) {
        let Some(redacted) = line["redacted"].as_str() else { continue };
        let of = |n: &u64| redacted.ends_with(&token(*n)[token(*n).len() - 4..]);
        let which = (0..tokens).find(of).unwrap_or_else(|| panic!("nobody's: {line}"));
        let places = line["occurrences"].as_array().expect("places").iter();
        all.entry(which)
            .or_default()
            .extend(places.map(|at| format!("{}:{}", at["path"].as_str().unwrap_or("?"), at["line"])));
    }
    (all, output.code())
}

fn list(all: &[(u64, &[&str])]) -> BTreeMap<u64, Vec<String>> {
    all.iter().map(|(n, places)| (*n, places.iter().map(|place| (*place).to_owned()).collect())).collect()
}

#[test]
fn names_on_disk() {
    let home = Home::new();
    let tree = home.work().join("t");
    let folder = tree.join("a").join(token(0));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("x"), "1").unwrap();
    fs::write(folder.join("y"), "2").unwrap();
    fs::write(tree.join(format!("{}.txt", token(1))), "3").unwrap();
    // What cannot be read is said, but not with what it is called.
    std::os::unix::fs::symlink("nowhere", tree.join(format!("link-{}", token(2)))).unwrap();
    fs::write(tree.join(format!("broken {}.zip", token(3))), b"PK\x03\x04 and no more").unwrap();
    let (found, code) = places(&home, &["t"], 4);
    let expected = list(&[
        (0, &["t/a/[secret] (name):1"]),
        (1, &["t/[secret].txt (name):1"]),
        (2, &["t/link-[secret] (name):1"]),
        (3, &["t/broken [secret].zip (name):1"]),
    ]);
    assert_eq!((found, code), (expected, Some(2)));
    let absent = format!("nothing/{}", token(0));
    let (found, code) = places(&home, &[&absent], 1);
    assert_eq!((found, code), (list(&[(0, &["nothing/[secret] (name):1"])]), Some(2)));
}

#[test]
fn names_in_archives_and_layers() {
    let home = Home::new();
    let names: Vec<String> = (0..4).map(|n| format!("d/{}.txt", token(n))).collect();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header(&names[0], tar::EntryType::Regular, 1), &b"x"[..]).unwrap();
    builder.append(&header(&format!("{}/", names[1]), tar::EntryType::Directory, 0), &b""[..]).unwrap();
    let mut link = header(&names[2], tar::EntryType::Symlink, 0);
    link.set_link_name("x").unwrap();
    link.set_cksum();
    builder.append(&link, &b""[..]).unwrap();
    let layer = builder.into_inner().unwrap();
    fs::write(home.work().join("a.tar"), &layer).unwrap();
    let (found, code) = places(&home, &["a.tar"], 4);
    let expected = list(&[
        (0, &["a.tar!d/[secret].txt (name):1"]),
        (1, &["a.tar!d/[secret].txt (name):1"]),
        (2, &["a.tar!d/[secret].txt (name):1"]),
    ]);
    assert_eq!((found, code), (expected, Some(1)));
    let mut layout = Layout::default();
    let over = tar(&[("d/other", b"y")]);
    layout.image(("linux", "amd64"), &json!({}), &[(GZIP, gzip(&layer)), (GZIP, gzip(&over))]);
    layout.write(&home.work().join("image"));
    let (found, code) = places(&home, &["oci:image"], 4);
    let place = "oci:image!d/[secret].txt (name):1";
    assert_eq!((found, code), (list(&[(0, &[place]), (1, &[place]), (2, &[place])]), Some(1)));
}

#[test]
fn names_in_history_and_what_is_staged() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("src/a.txt", "1\n");
    repo.commit("begin");
    repo.write(&format!("src/{}.txt", token(0)), "2\n");
    repo.write(&format!("deep/{}/b/c.txt", token(1)), "3\n");
    let named = repo.commit("names");
    repo.git(&["rm", "-q", "-r", "src", "deep"]);
    repo.write("kept.txt", "4\n");
    repo.commit("gone");
    let check = || {
        let (found, code) = places(&home, &["r", "--history"], 3);
        let expected = list(&[(0, &["src/[secret].txt (name):1"]), (1, &["deep/[secret] (name):1"])]);
        assert_eq!((found, code), (expected, Some(1)));
        let output = home.staunch(["scan", "--history", "r"]).output().stdout();
        assert!(output.contains(&format!("src/[secret].txt (name):1:1 in commit {}", &named[..12])), "{output}");
    };
    check();
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    check();
    // In no commit, and without an object: a submodule's.
    let tree = format!("160000 commit {}\t{}\n", named, token(2));
    fs::write(repo.path.join("list"), tree).unwrap();
    let output = home.program("sh", ["-c", "cd r && git mktree < list && rm list"]).output();
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    let (found, _) = places(&home, &["r", "--history"], 3);
    assert_eq!(found.get(&2), Some(&vec!["[secret] (name):1".to_owned()]));
    repo.write(&format!("new/{}", token(2)), "5\n");
    repo.git(&["add", "-A"]);
    let output = home.program("sh", ["-c", &format!("cd r && {} scan --staged", env!("CARGO_BIN_EXE_staunch"))]).output();
    assert_eq!(output.code(), Some(1), "{}", output.stdout());
    assert!(output.stdout().contains("new/[secret] (name)") && !output.stdout().contains(&token(2)), "{}", output.stdout());
    // One that was there before stops nobody.
    repo.commit("in");
    repo.write(&format!("new/{}", token(2)), "6\n");
    repo.git(&["add", "-A"]);
    let output = home.program("sh", ["-c", &format!("cd r && {} scan --staged", env!("CARGO_BIN_EXE_staunch"))]).output();
    assert_eq!(output.code(), Some(0), "{}", output.stdout());
}

#[test]
fn all_of_a_git_folder() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a.txt", "1\n");
    let first = repo.commit("begin");
    let git = |name: &str| repo.path.join(".git").join(name);
    repo.git(&["branch", &token(0)]);
    repo.git(&["tag", &format!("v1-{}", token(1))]);
    repo.git(&["pack-refs", "--all"]);
    repo.git(&["update-ref", "-m", &format!("set to {}", token(2)), "--create-reflog", "refs/heads/x", &first]);
    fs::write(git("COMMIT_EDITMSG"), format!("wip {}\n", token(3))).unwrap();
    fs::write(git("MERGE_MSG"), format!("merge {}\n", token(4))).unwrap();
    fs::write(git("FETCH_HEAD"), format!("{first}\t\tbranch 'main' of https://u:{}@example.com/x\n", token(5))).unwrap();
    repo.git(&["remote", "add", "origin", &format!("https://u:{}@example.com/x", token(6))]);
    let object = git("lfs/objects/ab/cd/abcd");
    fs::create_dir_all(object.parent().unwrap()).unwrap();
    fs::write(object, gzip(format!("t = {}\n", token(7)).as_bytes())).unwrap();
    fs::create_dir_all(git("hooks")).unwrap();
    fs::write(git("hooks/post-commit"), format!("curl -H 'Authorization: Bearer {}' x\n", token(8))).unwrap();
    // The worktree's rules are not git's.
    fs::write(repo.path.join(".gitignore"), "*\n").unwrap();
    let (found, code) = places(&home, &["r", "--history"], 9);
    let expected = list(&[
        (0, &["r/.git/packed-refs:2"]),
        (1, &["r/.git/packed-refs:4"]),
        (2, &["r/.git/logs/refs/heads/x:1"]),
        (3, &["r/.git/COMMIT_EDITMSG:1"]),
        (4, &["r/.git/MERGE_MSG:1"]),
        (5, &["r/.git/FETCH_HEAD:1"]),
        (6, &["r/.git/config:7"]),
        (7, &["r/.git/lfs/objects/ab/cd/abcd!abcd:1"]),
        (8, &["r/.git/hooks/post-commit:1"]),
    ]);
    for (n, places) in &expected {
        assert!(found.get(n).is_some_and(|found| found.contains(&places[0])), "{n}: {found:#?}");
    }
    assert_eq!(code, Some(1));
    let output = home.staunch(["scan", "--history", "r"]).output().stdout();
    assert!(!output.contains("--history"), "it was read: {output}");
    // From a folder within, and from a linked working tree, whose git folders lie elsewhere.
    repo.git(&["worktree", "add", "-q", "../w"]);
    repo.write("sub/b", "1");
    for target in ["r/sub", "w"] {
        let (inner, _) = places(&home, &[target, "--history"], 9);
        assert_eq!(inner.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>(), "{target}");
    }
}

#[test]
fn a_branch_that_is_a_file_and_a_reference_that_leads_nowhere() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a.txt", "1\n");
    repo.commit("begin");
    repo.git(&["branch", &format!("fix/{}", token(0))]);
    fs::write(repo.path.join(".git/refs/heads").join(token(1)), format!("{}\n", "12".repeat(20))).unwrap();
    let (found, code) = places(&home, &["r", "--history"], 2);
    assert!(found[&0].contains(&"r/.git/refs/heads/fix/[secret] (name):1".to_owned()), "{found:?}");
    assert!(found[&1].contains(&"r/.git/refs/heads/[secret] (name):1".to_owned()), "{found:?}");
    assert_eq!(code, Some(2));
}

#[test]
fn names_and_logs_in_tables() {
    let home = Home::new();
    let mut git = std::process::Command::new("git");
    git.args(["init", "-q", "--ref-format=reftable", "probe"]).current_dir(home.work());
    if !git.output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let repo = Repo::new(&home, "r", &["--ref-format=reftable"]);
    repo.write("a.txt", "1\n");
    let first = repo.commit("begin");
    repo.git(&["branch", &token(0)]);
    repo.git(&["update-ref", "-m", &token(1), "--create-reflog", "refs/heads/x", &first]);
    let check = || {
        let (found, code) = places(&home, &["r", "--history"], 2);
        assert!(found[&0].contains(&"refs/heads/[secret] (name):1".to_owned()), "{found:?}");
        assert!(found[&1].iter().any(|place| place.contains(".git/reftable (log)")), "{found:?}");
        assert_eq!(code, Some(1));
    };
    check();
    repo.git(&["pack-refs", "--all"]);
    check();
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_stay_two() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    fs::create_dir(home.work().join("t")).unwrap();
    for byte in [0xfe, 0xff] {
        let name = [&b"a"[..], &[byte], b".txt"].concat();
        fs::write(home.work().join("t").join(std::ffi::OsStr::from_bytes(&name)), format!("t = {}\n", token(0))).unwrap();
    }
    let (found, _) = places(&home, &["t"], 1);
    assert_eq!(found, list(&[(0, &[r"t/a\xfe.txt:1", r"t/a\xff.txt:1"])]));
}
