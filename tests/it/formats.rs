//! Every format of a scan, by the real program: whole, parseable, without a secret, and the same from a saved report.

use std::fs;

use serde_json::Value;

use crate::harness::program::Home;

/// What reports can be written as, but for the two that are read again.
const FORMATS: [&str; 5] = ["sarif", "github", "gitlab", "csv", "html"];

/// A Hugging Face token, made up here.
fn token() -> String {
    format!("hf{}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtKN")
}

fn planted() -> Home {
    let home = Home::new();
    fs::create_dir(home.work().join("a b")).unwrap();
    fs::write(home.work().join("a b/ü.env"), format!("é=1\nschlüssel = {}\n", token())).unwrap();
    home
}

#[test]
fn a_saved_report_becomes_what_the_scan_would_have_written_and_no_secret_is_in_it() {
    let home = planted();
    home.staunch(["scan", ".", "--format", "json", "--output", "../report.json"]).output();
    for format in FORMATS {
        let scanned = home.staunch(["scan", ".", "--format", format]).output();
        assert_eq!(scanned.code(), Some(1), "{format}: {}", scanned.stderr());
        let reported = home.staunch(["report", "../report.json", "--format", format]).output();
        assert_eq!(reported.code(), Some(0), "{format}: {}", reported.stderr());
        for text in [scanned.stdout(), reported.stdout()] {
            assert!(text.contains("huggingface-user-token"), "{format}: {text}");
            assert!(!text.contains(&token()[..12]), "{format}: {text}");
        }
        // Of what differs between two runs: seconds, moments.
        let lines = |text: &str| -> Vec<String> {
            let timely = |line: &&str| !["seconds", "_time", " s; "].iter().any(|word| line.contains(word));
            text.lines().filter(timely).map(str::to_owned).collect()
        };
        if format != "sarif" {
            assert_eq!(lines(&scanned.stdout()), lines(&reported.stdout()), "{format}");
        }
    }
}

#[test]
fn sarif_points_at_the_characters_in_the_file() {
    let home = planted();
    let output = home.staunch(["scan", ".", "--format", "sarif"]).output();
    let log: Value = serde_json::from_str(&output.stdout()).unwrap();
    let result = &log["runs"][0]["results"][0];
    let at = &result["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "a%20b/%C3%BC.env");
    let region = |key: &str| at["region"][key].as_u64().unwrap() as usize;
    let text = fs::read_to_string(home.work().join("a b/ü.env")).unwrap();
    let line: Vec<u16> = text.lines().nth(region("startLine") - 1).unwrap().encode_utf16().collect();
    let pointed = String::from_utf16(&line[region("startColumn") - 1..region("endColumn") - 1]).unwrap();
    assert_eq!(pointed, token(), "columns in the units that the file names");
    assert_eq!(log["runs"][0]["columnKind"], "utf16CodeUnits");
    assert_eq!(&text[region("byteOffset")..region("byteOffset") + region("byteLength")], token());
    assert_eq!(
        log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize]["id"],
        result["ruleId"]
    );
}

#[test]
fn what_could_not_be_read_is_in_every_format_or_said_beside_it() {
    let home = planted();
    for format in FORMATS {
        let output = home.staunch(["scan", ".", "/proc/self/mem", "--quiet", "--format", format]).output();
        assert_eq!(output.code(), Some(2), "{format}");
        let (out, err) = (output.stdout(), output.stderr());
        assert!(out.contains("/proc/self/mem") || err.contains("could not be read"), "{format}: {out} {err}");
    }
}

#[test]
fn a_report_of_a_detector_that_is_not_there_any_more_is_still_a_report() {
    let home = planted();
    let saved = home.staunch(["scan", ".", "--format", "json"]).output().stdout();
    fs::write(home.work().join("old.json"), saved.replace("huggingface-user-token", "long-gone-token")).unwrap();
    for format in FORMATS {
        let output = home.staunch(["report", "old.json", "--format", format]).output();
        assert_eq!(output.code(), Some(0), "{format}: {}", output.stderr());
        assert!(output.stdout().contains("long-gone-token"), "{format}");
    }
}
