//! Drills through the program: the whole chain on the embedded provider, signed evidence and what it is worth, and everything
//! that a drill refuses to touch.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;
use serde_json::Value;
use staunch::attest::Signer;

use crate::harness::canary::Canaries;
use crate::harness::program::{Home, Output};

/// A private key of ed25519 as OpenSSL writes it, around a made-up seed.
pub(crate) fn pem(seed: u8) -> String {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend([seed; 32]);
    let label = "PRIVATE KEY";
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(&der))
}

/// Settings that sign with `own` and trust `trusted`; the key lies beside the file.
pub(crate) fn signing(home: &Home, own: u8, trusted: u8) -> String {
    let key = home.root().join("home/evidence.pem");
    fs::write(&key, pem(own)).unwrap();
    let public = Signer::from_pem(&pem(trusted)).unwrap().public();
    format!("[evidence]\nsign_with = \"file:{}\"\n[[trust_root]]\nname = \"drills\"\nkey = \"{public}\"\n", key.display())
}

fn config(home: &Home, text: &str) -> PathBuf {
    let path = home.root().join("home/config.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Counts who connects, and says nothing.
fn listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, came)
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{} {}", output.stdout(), output.stderr()))
}

fn legs(drill: &Value) -> Vec<(String, String)> {
    let legs = drill["drill"]["legs"].as_array().unwrap().iter();
    legs.map(|leg| (leg["name"].as_str().unwrap().to_owned(), leg["outcome"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_drill_on_the_sandbox_goes_the_whole_way_and_its_evidence_is_worth_what_the_trust_root_is() {
    let home = Home::new();
    let settings = config(&home, &signing(&home, 1, 1));
    let staunch = |arguments: &[&str]| home.staunch(arguments).env("STAUNCH_CONFIG", &settings);
    let output = staunch(&["drill", "--format", "json"]).output();
    assert_eq!(output.code(), Some(0), "{} {}", output.stdout(), output.stderr());
    let drill = json(&output);
    let names = ["plant", "scan", "validate", "attribute", "plan", "contain", "prove", "undo", "clean"];
    let all: Vec<(String, String)> = names.map(|name| (name.to_owned(), "passed".to_owned())).to_vec();
    assert_eq!(legs(&drill), all, "{drill}");
    assert!(drill["proof"].as_str().unwrap().contains("verified against the trust root drills"), "{drill}");
    let file = drill["evidence"].as_str().unwrap().to_owned();

    let checked = staunch(&["respond", "evidence", &file, "--format", "json"]).output();
    assert_eq!(checked.code(), Some(0), "{}", checked.stderr());
    let statement = json(&checked);
    assert_eq!(statement["signed_by"], serde_json::json!(["drills"]));
    assert_eq!(statement["statement"]["predicate"]["staunch"]["legs"][5]["name"], "contain");
    let shown = staunch(&["respond", "evidence", &file]).output();
    assert!(shown.stdout().contains("signed by") && shown.stdout().contains("PASSED"), "{}", shown.stdout());

    // One byte of what is signed, and another's trust.
    let text = fs::read_to_string(&file).unwrap();
    let at = text.find("\"payload\":\"").unwrap() + 40;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    fs::write(&file, format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    let forged = staunch(&["respond", "evidence", &file]).output();
    assert_eq!(forged.code(), Some(2));
    assert!(forged.stderr().contains("no trust root signed it"), "{}", forged.stderr());
    fs::write(&file, &text).unwrap();
    config(&home, &signing(&home, 1, 2));
    let stranger = staunch(&["respond", "evidence", &file]).output();
    assert_eq!(stranger.code(), Some(2), "{}", stranger.stdout());
    assert!(stranger.stderr().contains("it proves nothing"), "{}", stranger.stderr());
    // Nor does a drill pass whose own evidence nobody here trusts.
    let drill = staunch(&["drill", "--format", "json"]).output();
    assert_eq!((drill.code(), json(&drill)["passed"].as_bool()), (Some(2), Some(true)));
    config(&home, "");
    let nobody = staunch(&["respond", "evidence", &file]).output();
    assert!(nobody.stderr().contains("[[trust_root]]"), "{}", nobody.stderr());
}

#[test]
fn a_playbook_that_cannot_be_undone_and_ones_made_of_others_are_drilled_too() {
    let home = Home::new();
    for (playbook, undo) in
        [("openai-project-key-contain", "skipped"), ("llmjacking-openai", "skipped"), ("leaked-in-public-repo", "passed")]
    {
        let output = home.staunch(["drill", "--playbook", playbook, "--format", "json"]).output();
        assert_eq!(output.code(), Some(0), "{playbook}: {} {}", output.stdout(), output.stderr());
        let drill = json(&output);
        let all = legs(&drill);
        assert_eq!((all.len(), all[7].1.as_str()), (9, undo), "{drill}");
        assert!(all.iter().all(|(name, outcome)| name == "undo" || outcome == "passed"), "{drill}");
    }
    let refused = home.staunch(["drill", "--playbook", "openai-project-key-contain", "--on", "aws:123456789012"]).output();
    assert_eq!(refused.code(), Some(2));
}

#[test]
fn a_drill_without_a_name_asks_nobody_outside_and_leaves_nothing() {
    let home = Home::new();
    let (url, came) = listener();
    let settings =
        config(&home, &format!("[network]\nendpoints = {{ aws = {url:?}, aws-iam = {url:?}, aws-sts = {url:?} }}\n"));
    let scratch = home.root().join("tmp");
    fs::create_dir(&scratch).unwrap();
    let drill = home.staunch(["drill"]).env("STAUNCH_CONFIG", &settings).env("AWS_ENDPOINT_URL", &url);
    let drill =
        drill.env("AWS_ACCESS_KEY_ID", "not-to-be-used").env("AWS_SECRET_ACCESS_KEY", "nor-this").env("TMPDIR", &scratch);
    let output = drill.output();
    assert_eq!(output.code(), Some(0), "{} {}", output.stdout(), output.stderr());
    assert!(output.stdout().contains("not signed"), "{}", output.stdout());
    assert_eq!(came.load(Ordering::SeqCst), 0);
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    let canaries = Canaries::new(&[("secret", b"nor-this")]);
    assert_eq!(canaries.in_tree(&home.state()), []);
}

#[test]
fn what_is_real_needs_the_operators_word_twice_and_no_stop_file() {
    let home = Home::new();
    let (url, came) = listener();
    let stop = home.root().join("stop");
    fs::write(&stop, "").unwrap();
    let at = "[[responder.aws]]\naccount = \"123456789012\"\n";
    let endpoints = format!("[network]\nendpoints = {{ aws = {url:?} }}\n");
    let stopped = format!("[responder]\nstop_file = {:?}\n{at}drill = true\n", stop.display().to_string());
    for (settings, arguments, said) in [
        ("", ["--on", "aws:123456789012"], "is not listed as yours"),
        (at, ["--on", "aws:123456789012"], "say `drill = true`"),
        (at, ["--on", "aws:123456789013"], "is not listed as yours"),
        (stopped.as_str(), ["--on", "aws:123456789012"], "the stop file"),
        (at, ["--on", "production"], "a drill takes place on `sandbox`"),
        (at, ["--playbook", "anthropic-contain"], "no sacrificial credential can be made for anthropic-contain; these can"),
        (at, ["--playbook", "nonsense"], "there is no playbook"),
    ] {
        let path = config(&home, &format!("{endpoints}{settings}"));
        let run = home.staunch(["drill"].iter().chain(&arguments)).env("STAUNCH_CONFIG", &path);
        let output = run.env("AWS_ACCESS_KEY_ID", "AKIDNOTREAL").env("AWS_SECRET_ACCESS_KEY", "x").output();
        assert_eq!(output.code(), Some(2), "{arguments:?}: {}", output.stdout());
        assert!(output.stderr().contains(said), "{arguments:?}: {}", output.stderr());
    }
    let path = config(&home, &format!("{endpoints}{at}drill = true\n"));
    let run = home.staunch(["drill", "--on", "aws:123456789012", "--offline"]).env("STAUNCH_CONFIG", &path);
    let output = run.env("AWS_ACCESS_KEY_ID", "AKIDNOTREAL").env("AWS_SECRET_ACCESS_KEY", "x").output();
    assert!(output.code() == Some(2) && output.stderr().contains("--offline"), "{}", output.stderr());
    assert_eq!(came.load(Ordering::SeqCst), 0, "all this was said before anybody was asked");
}
