//! The same files, found alike wherever they are: on disk, in a repository's history, staged, in an image's layer, in an archive;
//! and inside an archive in each of these.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::program::Home;
use crate::history::Repo;
use crate::images::fixtures::{GZIP, Layout, gzip, tar, token};

/// What was found, without where: detector, line, span, confidence, and the path below `root`, or behind the last archive's name.
fn findings(home: &Home, root: &str, arguments: &[&str]) -> BTreeSet<String> {
    let output = home.staunch([&["scan", "--format", "jsonl"], arguments].concat()).output();
    assert_eq!(output.code(), Some(1), "{arguments:?}: {}", output.stderr());
    let mut all = BTreeSet::new();
    for line in output.stdout().lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")) {
        if line["schema"] == "staunch.summary/1" {
            assert_eq!(line["complete"], true, "{arguments:?}: {line}");
            continue;
        }
        for at in line["occurrences"].as_array().expect("occurrences") {
            let path = at["path"].as_str().expect("a path");
            let path = path.strip_prefix(root).unwrap_or(path).trim_start_matches(['/', '!']);
            all.insert(format!(
                "{path}:{} {}-{} {} {} {}",
                at["line"], at["byte_start"], at["byte_end"], line["detector"], line["confidence"], at["encoding"]
            ));
        }
    }
    all
}

/// Files of many kinds, in which path and kind decide; the last is an archive of the others.
fn bundle() -> Vec<(&'static str, Vec<u8>)> {
    let password = ["vR7#kq2L", "w9zT"].concat();
    let wrapped = data_encoding::BASE64.encode(format!("token: {}\n", token(5)).as_bytes());
    let texts = [
        ("app/config.py", format!("import os\n\nAPI = \"{}\"\npassword = '{password}'\n", token(1))),
        ("deploy/.env", format!("DB_PASSWORD={password}\nHF={}\n", token(2))),
        ("README.md", format!("Use `{}`.\n", token(3))),
        ("k8s/secret.yaml", format!("kind: Secret\nmetadata:\n  name: x\ndata:\n  config: {wrapped}\n")),
        ("web/main.js", format!("const k = \"{}\" +\n  \"{}\";\n", &token(4)[..15], &token(4)[15..])),
        ("tests/test_login.py", format!("password = '{password}'\n")),
    ];
    let mut files: Vec<(&str, Vec<u8>)> = texts.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    let inner: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect();
    let inner = gzip(&tar(&inner));
    files.push(("vendor/bundle.tgz", inner));
    files
}

#[test]
fn the_same_is_found_on_disk_in_history_staged_in_a_layer_and_in_an_archive() {
    let home = Home::new();
    let files = bundle();
    let repo = Repo::new(&home, "r", &[]);
    for (path, bytes) in &files {
        let full = repo.path.join(path);
        fs::create_dir_all(full.parent().expect("inside")).expect("a folder");
        fs::write(full, bytes).expect("a file");
    }
    let on_disk = findings(&home, "r/", &["r"]);
    assert!(on_disk.len() >= 12, "{on_disk:#?}");
    assert!(on_disk.iter().any(|one| one.starts_with("vendor/bundle.tgz!app/config.py:3 ")), "{on_disk:#?}");

    repo.git(&["add", "-A"]);
    assert_eq!(findings(&home, "r/", &["--staged", "r"]), on_disk, "staged");
    repo.commit("all");
    repo.git(&["rm", "-rq", "."]);
    repo.commit("none");
    repo.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(findings(&home, "r/", &["--history", "r"]), on_disk, "history");

    let listed: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect();
    let mut layout = Layout::default();
    layout.image(("linux", "amd64"), &json!({"config": {}}), &[(GZIP, gzip(&tar(&listed)))]);
    layout.write(&home.work().join("image"));
    assert_eq!(findings(&home, "oci:image", &["oci:image"]), on_disk, "a layer");

    fs::write(home.work().join("all.tar.gz"), gzip(&tar(&listed))).expect("an archive");
    assert_eq!(findings(&home, "all.tar.gz", &["all.tar.gz"]), on_disk, "an archive");
}

/// Paths and confidences found in a target, `tests/shop` or below it.
fn judged(home: &Home, target: &str) -> Vec<(String, String)> {
    let output = home.staunch(["scan", "--format", "json", target]).output();
    let report: Value = serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()));
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(output.code(), Some(i32::from(!findings.is_empty())), "{report}");
    let places = findings.iter().flat_map(|finding| {
        let places = finding["occurrences"].as_array().expect("places").iter();
        places.map(|at| {
            (at["path"].as_str().expect("a path").to_owned(), finding["confidence"].as_str().expect("text").to_owned())
        })
    });
    places.collect()
}

#[test]
fn folders_above_a_repository_or_a_target_say_nothing_of_its_files() {
    let home = Home::new();
    let password = ["vR7#kq2L", "w9zT"].concat();
    let folder = home.work().join("tests/shop");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("a.yml"), format!("db_password: '{password}'\n")).expect("written");
    let full = folder.canonicalize().expect("a path");
    let full = full.to_str().expect("text");
    let medium = |path: &str| vec![(path.to_owned(), "medium".to_owned())];
    assert_eq!(judged(&home, "tests/shop"), medium("tests/shop/a.yml"));
    assert_eq!(judged(&home, full), medium(&format!("{full}/a.yml")));
    assert_eq!(judged(&home, "tests/shop/a.yml"), medium("tests/shop/a.yml"));
    // From further up it is a test's, and so it is wherever in its repository one looks from.
    assert_eq!(judged(&home, "."), []);
    fs::create_dir(home.work().join(".git")).expect("a folder");
    assert_eq!(judged(&home, "tests/shop"), []);
    fs::create_dir(folder.join(".git")).expect("a folder");
    assert_eq!(judged(&home, "tests/shop"), medium("tests/shop/a.yml"));
    // One below the target is judged as it is from within.
    assert_eq!(judged(&home, "."), medium("tests/shop/a.yml"));
}

#[test]
fn a_finding_is_as_sure_as_its_clearest_place() {
    let home = Home::new();
    let password = ["vR7#kq2L", "w9zT"].concat();
    for path in ["a/tests/test_x.py", "b/x.py"] {
        let full = home.work().join(path);
        fs::create_dir_all(full.parent().expect("a parent")).expect("a folder");
        fs::write(full, format!("password = '{password}'\n")).expect("written");
    }
    let places = [("a/tests/test_x.py", "medium"), ("b/x.py", "medium")];
    assert_eq!(judged(&home, "."), places.map(|(path, sure)| (path.to_owned(), sure.to_owned())));
}

#[test]
fn a_target_named_twice_is_read_once_and_colours_join_nothing() {
    let home = Home::new();
    let log = format!("step 1\nk=\x1b[31m{}\x1b[0m\n", token(5));
    fs::write(home.work().join("ci.log"), log).expect("written");
    let full = home.work().canonicalize().expect("a path");
    let output = home.staunch(["scan", "--format", "json", ".", "./", full.to_str().expect("text")]).output();
    let report: Value = serde_json::from_str(&output.stdout()).expect("a report");
    assert_eq!(report["coverage"]["files"], 1, "{report}");
    let places = report["findings"][0]["occurrences"].as_array().expect("places");
    assert_eq!(places.len(), 1, "{report}");
}
