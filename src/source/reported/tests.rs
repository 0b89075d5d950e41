//! Reports, as each scanner writes them.

use serde_json::json;

use super::{ReportedFile, ReportedFinding, read};
use crate::model::Provenance;

fn files_in(text: &str) -> Vec<ReportedFile> {
    read(text.as_bytes()).files().collect()
}

fn one(report: &serde_json::Value) -> Vec<ReportedFile> {
    files_in(&report.to_string())
}

/// Line and column of `wanted` in the only file.
fn place(reported: &[ReportedFile], wanted: &str) -> (usize, usize) {
    let [file] = reported else { panic!("{reported:?}") };
    let text = std::str::from_utf8(&file.text).expect("text");
    let at = text.find(wanted).unwrap_or_else(|| panic!("{wanted} in {text:?}"));
    let line = text[..at].matches('\n').count() + 1;
    (line, at - text[..at].rfind('\n').map_or(0, |n| n + 1) + 1)
}

#[test]
fn values_stand_where_they_were_found() {
    let gitleaks = json!([{
        "RuleID": "some-key", "File": "./a/b.py", "StartLine": 7, "StartColumn": 3, "Match": "key = 'VALUE'", "Secret": "VALUE",
        "Commit": "0123", "Author": "A", "Email": "a@b.example", "Fingerprint": "x",
    }]);
    let reported = one(&gitleaks);
    assert_eq!(place(&reported, "key = 'VALUE'"), (7, 2));
    let file = &reported[0];
    let found = ReportedFinding { rule: "some-key".to_owned(), lines: 7..=7, span: 14..19 };
    assert_eq!((file.path.as_str(), &file.found), ("a/b.py", &vec![found]));
    let Provenance::Commit(commit) = &file.provenance else { panic!("a commit") };
    assert_eq!((commit.commit.as_deref(), commit.author.as_deref()), (Some("0123"), Some("A <a@b.example>")));

    let kingfisher = json!({"findings": [{
        "rule": {"name": "aws key", "id": "k.aws.1"},
        "finding": {"snippet": "VALUE", "line": 3, "column_start": 18, "path": "./.env", "dependent_captures": {"OTHER": "SECOND"}},
    }], "metadata": {}});
    let reported = one(&kingfisher);
    assert_eq!(place(&reported, "VALUE"), (3, 19));
    assert_eq!(place(&reported, "OTHER = \"SECOND\"").0, 3);
    assert_eq!(reported[0].provenance, Provenance::Reported);

    let trufflehog = json!({
        "SourceMetadata": {"Data": {"Git": {"commit": "ab", "file": "x.tf", "email": "E <e@f>", "line": 4}}},
        "DetectorName": "AWS", "Raw": "VALUE", "RawV2": "VALUE:SECOND", "Verified": true,
    });
    let reported = files_in(&format!("{trufflehog}\n{trufflehog}\n"));
    assert_eq!(place(&reported, "VALUE # AWS AWS_SECRET = \"SECOND\""), (4, 1));
    assert_eq!(reported[0].found.len(), 1, "the same twice is once");

    let part = |value: &str, line: u64| json!({"rule_id": "r", "match": {"full": format!("k={value}"), "value": value}, "location": {"path": "./p", "start_line": line, "start_column": 5}});
    let mut betterleaks = part("VALUE", 2);
    betterleaks["attributes"] = json!({"git.sha": "0a"});
    betterleaks["component_sets"] = json!([{"components": [part("SECOND", 3)]}]);
    let reported = one(&json!({"schema_version": "1", "findings": [betterleaks]}));
    assert_eq!((place(&reported, "k=VALUE"), place(&reported, "k=SECOND")), ((2, 5), (3, 5)));

    let github = json!([{
        "number": 1, "secret_type": "openai_api_key", "secret": "VALUE", "html_url": "https://github.example/1",
        "first_location_detected": {"path": "s.py", "start_line": 2, "start_column": 40, "blob_sha": "bb", "commit_sha": "cc"},
    }]);
    let reported = one(&github);
    assert_eq!(place(&reported, "VALUE"), (2, 40));
    let Provenance::Commit(commit) = &reported[0].provenance else { panic!("a commit") };
    assert_eq!((commit.object.as_str(), commit.commit.as_deref()), ("", Some("cc")));
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_read() {
    let entry = |secret: &str| json!({"RuleID": "r", "File": "f", "StartLine": 1, "StartColumn": 1, "Match": secret, "Secret": secret});
    let text = format!(
        "[{},{},{},{{\"x\":1}}] {{\"level\":\"info\",\"msg\":\"m\"}} {{\"findings\":2}} VALUE",
        entry("VALUE"),
        entry("REDACTED"),
        entry("")
    );
    let reported = read(text.as_bytes());
    let told = format!("{:?}", reported.troubles);
    for part in ["1 entries are of no report", "2 entries hold no value", "line 1", "not JSON"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let files: Vec<ReportedFile> = reported.files().collect();
    assert_eq!(place(&files, "VALUE").0, 1);
    assert!(!told.contains("VALUE") && !format!("{files:?}").contains("VALUE"));
    assert!(files_in("").is_empty() && read(b"[]").troubles.is_empty());
}

#[test]
fn places_without_end_cost_no_memory() {
    let far = json!({"RuleID": "r", "File": "f", "StartLine": u64::MAX, "StartColumn": u64::MAX, "Match": "a\nb", "Secret": "a\nb"});
    let reported = one(&far);
    assert!(reported[0].text.len() < 2 << 20);
    assert_eq!(*reported[0].found[0].lines.end(), (1 << 20) + 1);
}
