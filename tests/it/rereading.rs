//! A leaked value that stands on no disk as it is, but in a history, an archive or a layer of an image, is read again from there: by
//! plans, by runs from another folder, and by `respond watch`.

use std::fs;

use serde_json::Value;

use crate::harness::canary::Canaries;
use crate::harness::program::Output;
use crate::history::Repo;
use crate::images::fixtures::{GZIP, Layout, gzip, saved, tar};
use crate::responding::{ADMIN, OWNED, Scene, leaked};

/// As somebody who stands in another folder than whoever scanned.
fn elsewhere(scene: &Scene, arguments: &[&str]) -> Output {
    let admin = std::str::from_utf8(ADMIN).unwrap();
    scene.staunch(arguments).current_dir(&scene.home.root().join("home")).env("ADMIN_KEY", admin).output()
}

/// Triage of a target; gives the one finding's name.
fn triaged(scene: &Scene, arguments: &[&str]) -> String {
    let output = scene.staunch(&[&["triage", "--format", "jsonl"], arguments].concat()).output();
    assert_eq!(output.code(), Some(1), "{arguments:?}: {}", output.stderr());
    let lines: Vec<Value> = output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[0]["liveness"]["state"].as_str()), (2, Some("live")), "{arguments:?}: {lines:?}");
    lines[0]["fingerprint"].as_str().unwrap().to_owned()
}

/// Plans and applies by the finding's name alone. What finds the key at Anthropic, and what proves that it is refused, need its value.
fn contained(scene: &Scene, print: &str, what: &str) {
    let plan = elsewhere(scene, &["respond", "plan", print, "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.stdout()).unwrap_or_else(|_| panic!("{what}: {}", plan.stderr()));
    assert_eq!(plan["plan"]["steps"][0]["observed"]["object"], "/v1/organizations/api_keys/apikey_1", "{what}: {plan}");
    let run = elsewhere(scene, &["respond", "apply", plan["digest"].as_str().unwrap(), "--format", "json"]);
    assert_eq!(run.code(), Some(0), "{what}: {} {}", run.stdout(), run.stderr());
    assert!(!*scene.active.lock().unwrap(), "{what}");
    let value = leaked();
    assert_eq!(Canaries::new(&[("leaked", value.as_bytes())]).in_tree(&scene.home.state()), [], "{what}");
}

/// A scene whose key was committed and taken out again.
fn in_history(settings: &str) -> Scene {
    let scene = Scene::new(settings);
    let repo = Repo::new(&scene.home, "app", &[]);
    repo.commit("first");
    fs::remove_file(repo.path.join(".env")).unwrap();
    repo.write("README", "nothing here\n");
    repo.commit("it is gone");
    scene
}

#[test]
fn a_key_that_stands_in_history_alone_is_read_again_and_stopped() {
    let scene = in_history(OWNED);
    let print = triaged(&scene, &["app", "--history"]);
    contained(&scene, &print, "a loose object");
    let scene = in_history(OWNED);
    let repo = scene.home.work().join("app");
    let print = triaged(&scene, &["app", "--history"]);
    let packed = std::process::Command::new("git").args(["gc", "-q"]).current_dir(&repo).output().unwrap();
    assert!(packed.status.success());
    contained(&scene, &print, "a pack");
}

#[test]
fn a_key_in_a_commits_message_is_read_again_and_what_is_gone_is_said_to_be() {
    let scene = Scene::new(OWNED);
    let repo = Repo::new(&scene.home, "app", &[]);
    fs::remove_file(repo.path.join(".env")).unwrap();
    repo.commit(&format!("ANTHROPIC_API_KEY={}", leaked()));
    let print = triaged(&scene, &["app", "--history"]);
    fs::rename(&repo.path, scene.home.work().join("moved")).unwrap();
    let verify = elsewhere(&scene, &["verify", &print]);
    assert_eq!(verify.code(), Some(2));
    assert!(verify.stderr().contains("no longer readable where it was found"), "{}", verify.stderr());
    fs::rename(scene.home.work().join("moved"), &repo.path).unwrap();
    contained(&scene, &print, "a message");
    // What came by standard input lies nowhere: nobody is told that it is gone from where it was.
    let scene = Scene::new(OWNED);
    let text = format!("ANTHROPIC_API_KEY={}\n", leaked());
    let output = scene.staunch(&["triage", "-", "--format", "jsonl"]).stdin(text.as_bytes()).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    let verify = elsewhere(&scene, &["verify", finding["fingerprint"].as_str().unwrap()]);
    assert!(verify.stderr().contains("found in standard input, which is not read again"), "{}", verify.stderr());
}

#[test]
fn a_key_in_an_archive_or_a_layer_is_read_again_from_another_folder() {
    let file = format!("ANTHROPIC_API_KEY={}\n", leaked());
    let files: &[(&str, &[u8])] = &[("srv/.env", file.as_bytes())];
    let config = serde_json::json!({"architecture": "amd64", "os": "linux", "config": {"Env": ["A=b"]}});
    let mut layout = Layout::default();
    let whiteout: &[(&str, &[u8])] = &[("srv/.wh..env", b"")];
    layout.image(("linux", "amd64"), &config, &[(GZIP, gzip(&tar(files))), (GZIP, gzip(&tar(whiteout)))]);
    let inner = tar(files);
    let nested: &[(&str, &[u8])] = &[("deploy/inner.tar", &inner)];
    let variable = serde_json::json!({"architecture": "amd64", "os": "linux", "config": {"Env": [file.trim()]}});
    let targets: [(&str, &str, Vec<u8>); 5] = [
        ("app.tar.gz", "app.tar.gz", gzip(&inner)),
        ("outer.tar", "outer.tar", tar(nested)),
        ("image.tar", "oci-archive:image.tar", layout.archive(&[])),
        ("saved.tar", "docker-archive:saved.tar", saved(&config, &[tar(files), tar(whiteout)])),
        ("config.tar", "docker-archive:config.tar", saved(&variable, &[tar(whiteout)])),
    ];
    for (name, target, bytes) in targets {
        let scene = Scene::new(OWNED);
        fs::remove_file(scene.home.work().join("app/.env")).unwrap();
        fs::write(scene.home.work().join(name), bytes).unwrap();
        let print = triaged(&scene, &[target]);
        contained(&scene, &print, target);
    }
}

#[test]
fn the_watcher_reads_it_from_history_too() {
    let allow = "[watch]\n[[watch.allow]]\nplaybook = \"anthropic-contain\"\naccounts = [\"org-1\"]\n";
    let scene = in_history(&format!("{OWNED}{allow}"));
    triaged(&scene, &["app", "--history"]);
    let watched = elsewhere(&scene, &["respond", "watch", "--once", "--format", "json"]);
    assert_eq!(watched.code(), Some(0), "{} {}", watched.stdout(), watched.stderr());
    assert!(!*scene.active.lock().unwrap());
}
