//! Images as skopeo, umoci and a real registry make them, in every transport and encoding that these know.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::program::{Home, Output};
use crate::harness::services::setting;
use crate::images::fixtures::token;

/// Runs one of the image tools, which must succeed.
fn tool(home: &Home, name: &str, arguments: &[&str]) {
    let program = format!("{}/{name}", setting("STAUNCH_TEST_BIN"));
    let output = home.program(&program, arguments).output();
    assert_eq!(output.code(), Some(0), "{name} {arguments:?}: {}", output.stderr());
}

fn skopeo(home: &Home, from: &str, to: &str, more: &[&str]) {
    let plain: &[&str] = match (from.starts_with("docker://"), to.starts_with("docker://")) {
        (_, true) => &["--dest-tls-verify=false"],
        (true, _) => &["--src-tls-verify=false"],
        _ => &[],
    };
    tool(home, "skopeo", &[&["--insecure-policy", "copy", "-q"], plain, more, &[from, to]].concat());
}

/// Two layers by umoci: the second deletes one file of the first and overwrites another; a secret in the config.
fn image(home: &Home) {
    let umoci = |arguments: &[&str]| tool(home, "umoci", arguments);
    let file = |path: &str, text: &str| {
        let path = home.work().join("bundle/rootfs").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    umoci(&["init", "--layout", "img"]);
    umoci(&["new", "--image", "img:v1"]);
    umoci(&["unpack", "--rootless", "--image", "img:v1", "bundle"]);
    file("app/.env", &format!("HF_TOKEN={}\n", token(1)));
    file("app/over.ini", &format!("key={}\n", token(2)));
    file("app/stays.ini", &format!("key={}\n", token(3)));
    umoci(&["repack", "--refresh-bundle", "--image", "img:v1", "bundle"]);
    fs::remove_file(home.work().join("bundle/rootfs/app/.env")).unwrap();
    file("app/over.ini", "fine\n");
    umoci(&["repack", "--refresh-bundle", "--image", "img:v1", "bundle"]);
    umoci(&["config", "--image", "img:v1", "--config.env", &format!("HF_TOKEN={}", token(4))]);
}

fn found(output: &Output) -> Vec<(String, bool)> {
    let text = output.stdout();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut all = Vec::new();
    for place in lines.iter().filter_map(|line| line["occurrences"].as_array()).flatten() {
        let path = place["path"].as_str().unwrap().rsplit('!').next().unwrap().to_owned();
        all.push((path, place["provenance"]["hidden"] == true));
    }
    // `docker save` of old wrote a second copy of the config into the layer's folder: it is found there as well.
    all.retain(|(path, _)| !path.ends_with("/json"));
    all.sort();
    all
}

#[test]
fn an_image_is_the_same_in_every_transport_and_encoding() {
    let home = Home::new();
    image(&home);
    let registry = setting("STAUNCH_TEST_REGISTRY").replace("http://", "");
    // A repository of this run's own: a registry gives back the blobs that it has, not those that are pushed.
    let repository = |name: &str| format!("docker://{registry}/staunch/{name}-{}:v1", std::process::id());
    let mut targets = vec!["oci:img:v1".to_owned()];
    let zstd: &[&str] = &["--dest-compress", "--dest-compress-format", "zstd"];
    for (to, more) in [
        ("docker-archive:docker.tar:app:v1", &[][..]),
        ("oci-archive:oci.tar:v1", &[]),
        ("oci:zstd:v1", zstd),
        (&repository("oci"), &[]),
        (&repository("docker"), &["--format", "v2s2"]),
    ] {
        skopeo(&home, "oci:img:v1", to, more);
        targets.push(to.trim_end_matches(":app:v1").to_owned());
    }
    skopeo(&home, "oci:zstd:v1", &repository("zstd"), &[]);
    targets.push(repository("zstd"));
    assert!(holds_zstd(&home.work().join("zstd/blobs/sha256")), "skopeo did not compress with zstd");
    let expected = [("app/.env", true), ("app/over.ini", true), ("app/stays.ini", false), ("config", false)];
    let expected = expected.map(|(path, hidden)| (path.to_owned(), hidden)).to_vec();
    for target in targets {
        let output = home.staunch(["scan", "--format", "jsonl", &target]).output();
        assert_eq!(output.code(), Some(1), "{target}: {}\n{}", output.stdout(), output.stderr());
        assert_eq!(found(&output), expected, "{target}");
    }
}

fn holds_zstd(folder: &Path) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
}
