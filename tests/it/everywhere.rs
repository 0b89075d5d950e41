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
