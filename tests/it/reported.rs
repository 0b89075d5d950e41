//! Reports of other scanners: what they found is asked and owned as if it had been found here.

use std::fs;

use serde_json::{Value, json};

use crate::harness::program::Home;

/// A key pair and a token, made up here.
fn values() -> (String, String, String) {
    let secret = format!("kVx7Tq2mZp9Lr4Wb8Nd3Hs6Jf1Gc5Yk0Ae{}b", "/Xu+R");
    (format!("AK{}", "IAQYLPMN5HFIQR7XYA"), secret, format!("hf{}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtKA"))
}

fn findings(home: &Home, arguments: &[&str]) -> (Vec<Value>, String) {
    let output = home.staunch([&["scan", "--format", "jsonl"], arguments].concat()).output();
    let lines = output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output.stderr())
}

#[test]
fn what_others_found_is_found_here_at_the_same_place() {
    let home = Home::new();
    let (id, secret, token) = values();
    let gitleaks = json!([
        {"RuleID": "aws-access-token", "File": "deploy/.env", "StartLine": 3, "StartColumn": 20, "Match": id, "Secret": id},
        {"RuleID": "generic-api-key", "File": "deploy/.env", "StartLine": 4, "StartColumn": 1,
         "Match": format!("AWS_SECRET_ACCESS_KEY={secret}"), "Secret": secret},
    ]);
    let trufflehog = json!({
        "SourceMetadata": {"Data": {"Git": {"commit": "0a1b", "file": "a.tf", "email": "E <e@f.example>", "line": 9}}},
        "DetectorName": "AWS", "Raw": id, "RawV2": format!("{id}:{secret}"),
    });
    let kingfisher = json!({"findings": [
        {"rule": {"name": "Hugging Face token", "id": "k.hf.1"}, "finding": {"snippet": token, "line": 5, "column_start": 9, "path": "./b.py"}},
        {"rule": {"name": "Something else", "id": "k.x.1"}, "finding": {"snippet": "what is this", "line": 6, "path": "./b.py"}},
    ]});
    for (name, report) in [("g.json", &gitleaks), ("t.json", &trufflehog), ("k.json", &kingfisher)] {
        fs::write(home.work().join(name), report.to_string()).unwrap();
    }
    let (lines, told) = findings(&home, &["--from", "g.json,t.json,k.json"]);
    let of = |detector: &str| {
        lines.iter().find(|line| line["detector"] == detector).unwrap_or_else(|| panic!("{detector}: {lines:#?}"))
    };
    let pair = of("aws-access-key");
    let places: Vec<String> = pair["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| format!("{}:{}", at["path"].as_str().unwrap(), at["line"]))
        .collect();
    assert_eq!(places, ["a.tf:9", "deploy/.env:4"], "one credential, wherever it was found");
    assert_eq!(pair["partial"], false);
    assert_eq!(of("huggingface-user-token")["occurrences"][0]["column"], 10);
    let coverage = &lines.last().unwrap()["coverage"];
    let troubles = coverage["troubles"].to_string();
    assert!(troubles.contains("b.py:6") && troubles.contains("Something else"), "{coverage} {told}");
    // The lines are known, the bytes are not: nothing is owned by where it would stand.
    let places = pair["occurrences"].as_array().unwrap();
    assert!(places.iter().all(|at| at["provenance"]["kind"] != "worktree"), "{places:?}");
    assert!(![id, secret, token].iter().any(|value| told.contains(value)));
}

#[test]
fn a_report_that_hides_its_values_is_not_clean() {
    let home = Home::new();
    let report =
        json!([{"RuleID": "r", "File": "f", "StartLine": 1, "StartColumn": 1, "Match": "REDACTED", "Secret": "REDACTED"}]);
    fs::write(home.work().join("r.json"), report.to_string()).unwrap();
    let output = home.staunch(["scan", "--from", "r.json"]).output();
    assert_eq!(output.code(), Some(2), "{}", output.stderr());
    let absent = home.staunch(["scan", "--from", "absent.json"]).output();
    assert_eq!(absent.code(), Some(2), "{}", absent.stderr());
}
