//! SARIF against its schema, and what GitHub needs beyond it.

use serde_json::Value;

use super::super::testing::{detector, finding, place, report};
use super::{MOST_RESULTS, sarif};
use crate::model::{Columns, DetectorInfo, Edge, Encoding, Identity, Liveness, Owner, Provenance, Report, Tier};

const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/schemas/sarif-schema-2.1.0.json"));

/// What is wrong with it by the schema; empty when nothing is.
fn judged(log: &Value) -> String {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("sarif.json", serde_json::from_str(SCHEMA).expect("JSON")).expect("a schema");
    let index = compiler.compile("sarif.json", &mut schemas).expect("a schema");
    schemas.validate(log, index).err().map(|error| error.to_string()).unwrap_or_default()
}

fn written(report: &Report, detectors: &[DetectorInfo]) -> Value {
    let mut out = Vec::new();
    sarif(report, detectors, &mut out).expect("written");
    serde_json::from_slice(&out).expect("JSON")
}

/// A report with everything a report can hold.
fn full() -> Report {
    let mut live = finding("src/ü [1].py");
    live.liveness.liveness = Liveness::Live(Identity([("user".to_owned(), "kim".to_owned())].into()));
    live.occurrences[0].utf16 = Some(Columns { column: 5, end_column: 45 });
    live.occurrences[0].encoding = vec![Encoding::Base64];
    live.occurrences.push(place("/srv/b.txt", 9));
    live.owners = vec![Owner {
        edge: Edge::Consumer,
        id: "k8s:prod/api".to_owned(),
        name: "api".to_owned(),
        spiffe_id: None,
        tier: Tier::Bound,
        confidence: crate::model::Weight(9_000),
        contested: false,
        evidence: Vec::new(),
    }];
    live.playbook = Some("acme-contain".to_owned());
    let mut dead = finding("b.txt");
    dead.liveness.liveness = Liveness::Dead("revoked {0} [here](http://x)".to_owned());
    let mut foreign = finding("c.txt");
    foreign.detector = "older-key".to_owned();
    foreign.occurrences[0].provenance = Provenance::Stdin;
    let mut nowhere = finding("d.txt");
    nowhere.occurrences.clear();
    let mut report = report(vec![live, dead, foreign, nowhere]);
    report.coverage.trouble("locked file", "permission denied");
    report.coverage.more_troubles = 3;
    report.coverage.interrupted = true;
    report.coverage.skip("link");
    report
}

#[test]
fn every_shape_of_report_is_valid_sarif() {
    for (report, detectors) in
        [(full(), vec![detector()]), (report(Vec::new()), vec![detector()]), (report(Vec::new()), Vec::new())]
    {
        assert_eq!(judged(&written(&report, &detectors)), "");
    }
}

#[test]
fn the_schema_refuses_what_is_not_sarif() {
    let good = written(&full(), &[detector()]);
    let breaks: [&dyn Fn(&mut Value); 5] = [
        &|log| log["version"] = "2.0.0".into(),
        &|log| log["runs"][0]["results"][0]["level"] = "fatal".into(),
        &|log| log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0.into(),
        &|log| log["runs"][0]["surprise"] = true.into(),
        &|log| log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b".into(),
    ];
    for (n, spoil) in breaks.iter().enumerate() {
        let mut log = good.clone();
        spoil(&mut log);
        assert_ne!(judged(&log), "", "break {n}");
    }
}

#[test]
fn the_built_in_detectors_are_valid_rules_within_githubs_limits() {
    let set = crate::detect::DetectorSet::builtin().expect("detectors");
    let log = written(&report(Vec::new()), &set.describe_all());
    assert_eq!(judged(&log), "");
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), set.len());
    for rule in rules {
        let id = &rule["id"];
        for text in [&rule["shortDescription"]["text"], &rule["fullDescription"]["text"], &rule["help"]["text"]] {
            assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{id}");
        }
        assert!(rule["fullDescription"]["text"].as_str().expect("text").chars().count() <= 1024, "{id}");
        assert!(rule["properties"]["tags"].as_array().expect("tags").len() <= 10, "{id}");
        let score: f64 = rule["properties"]["security-severity"].as_str().expect("a string").parse().expect("a number");
        assert!(score > 0.0 && score <= 10.0, "{id}");
    }
}

#[test]
fn results_say_where_how_bad_and_what_next() {
    let log = written(&full(), &[detector()]);
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    let levels: Vec<&str> = results.iter().map(|result| result["level"].as_str().expect("text")).collect();
    assert_eq!(levels, ["error", "error", "note", "warning", "warning"]);
    let at = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "src/%C3%BC%20%5B1%5D.py");
    assert_eq!(at["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    let region = &at["region"];
    assert_eq!(
        ["startLine", "startColumn", "endLine", "endColumn", "byteOffset", "byteLength"].map(|key| region[key].as_u64()),
        [3, 5, 3, 45, 61, 40].map(Some)
    );
    assert_eq!(results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "file:///srv/b.txt");
    let text = results[0]["message"]["text"].as_str().expect("text");
    assert!(text.starts_with("Acme key acme…ab3X (live). ") && text.contains("staunch respond plan"), "{text}");
    let text = results[2]["message"]["text"].as_str().expect("text");
    assert!(text.contains(r"revoked {{0}} \[here\](http://x)"), "no placeholder and no link: {text}");
    assert_eq!((&results[3]["ruleId"], &results[3]["ruleIndex"]), (&"older-key".into(), &1.into()));
    assert_eq!(run["tool"]["driver"]["rules"][1]["id"], "older-key");
    assert!(results[4]["locations"].as_array().expect("a list").is_empty());
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().expect("a list").len(), 3);
    assert!(!log.to_string().contains("snippet"));
    assert_eq!(written(&report(Vec::new()), &[])["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn fingerprints_need_no_key_and_survive_a_move_but_tell_places_apart() {
    let prints = |report: &Report| -> Vec<String> {
        let log = written(report, &[detector()]);
        let results = log["runs"][0]["results"].as_array().expect("results").clone();
        let print = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().map(str::to_owned);
        results.iter().filter_map(print).collect()
    };
    let mut first = finding("a.txt");
    first.occurrences.push(place("a.txt", 9));
    first.occurrences[1].location.byte_start = 500;
    let mut second = finding("a.txt");
    second.occurrences[0].location.byte_start = 300;
    second.fingerprint = crate::secret::FingerprintKey::new([8; 32]).fingerprint(b"x");
    let one = prints(&report(vec![first.clone(), second.clone()]));
    assert_eq!(one.iter().map(|print| print.rsplit(':').next().unwrap_or_default()).collect::<Vec<_>>(), ["1", "3", "2"]);
    assert_eq!(prints(&report(vec![second.clone(), first.clone()])), [&one[2], &one[0], &one[1]].map(String::clone));
    let mut moved = first.clone();
    moved.occurrences[0].location.line += 40;
    moved.occurrences[0].location.byte_start += 7;
    moved.fingerprint = second.fingerprint;
    assert_eq!(prints(&report(vec![moved, second.clone()])), one);
    assert_ne!(prints(&report(vec![finding("b.txt")]))[0], one[0]);
    let log = written(&report(vec![first]), &[detector()]);
    let versioned = log["runs"][0]["results"][0]["partialFingerprints"]["detectorPathRedacted/v1"].as_str();
    assert_eq!(
        versioned,
        Some("7f38ed278f9d13ea0a1f81cd5bbe44710e4ab2f7c0ce60907670e6749572e3a1"),
        "a published fingerprint may never change"
    );
}

#[test]
fn what_is_cut_is_said_in_the_file_and_to_the_caller() {
    let mut many = finding("a.txt");
    many.occurrences = vec![place("a.txt", 1); MOST_RESULTS + 2];
    let report = report(vec![many]);
    let mut out = Vec::new();
    let remarks = sarif(&report, &[detector()], &mut out).expect("written");
    assert!(remarks.all()[0].starts_with("2 results were left out"), "{:?}", remarks.all());
    let log: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(log["runs"][0]["results"].as_array().expect("results").len(), MOST_RESULTS);
    let note = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!((&note["descriptor"]["id"], &note["level"]), (&"cut".into(), &"warning".into()));
    let mut out = Vec::new();
    let few = super::super::testing::report(vec![finding("a.txt")]);
    assert!(sarif(&few, &[], &mut out).expect("written").all().is_empty());
}

#[test]
fn what_is_contested_is_said() {
    let written = written(&report(super::super::testing::triaged()), &[]);
    let properties = &written["runs"][0]["results"][0]["properties"];
    let contested: Vec<&str> = properties["owners"]
        .as_array()
        .expect("owners")
        .iter()
        .filter(|owner| owner["contested"] == true)
        .map(|owner| owner["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(contested, ["backstage:group:default/payments", "team:checkout"]);
}
