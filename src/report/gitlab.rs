//! GitLab's secret-detection report, schema 15.0.7: what `artifacts: reports: secret_detection` takes.
//!
//! Source: security-report-schemas, `secret-detection-report-format.json` (versions 15.0.7 and 15.2.1 ask the same of what
//! is written here). GitLab names a place by its commit; a working tree has none, and GitLab's own analyser then writes
//! seven zeros.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::level::{Level, advice, headline, summaries};
use super::places::{Place, places};
use super::text::{clean, count};
use crate::model::{Confidence, DetectorInfo, Report, Severity};

const VERSION: &str = "15.0.7";
const NO_COMMIT: &str = "0000000";
/// GitLab's limit for names, in characters.
const NAME: usize = 255;

/// Writes the report. `finished` is when the scan ended.
pub fn gitlab(report: &Report, detectors: &[DetectorInfo], finished: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let summaries = summaries(detectors);
    let all: Vec<Value> = places(report)
        .iter()
        .map(|place| vulnerability(place, summaries.get(place.finding.detector.as_str()).copied()))
        .collect();
    let whole = json!({
        "version": VERSION,
        "schema": format!(
            "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v{VERSION}/dist/secret-detection-report-format.json"
        ),
        "scan": scan(report, finished),
        "vulnerabilities": all,
    });
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    out.write_all(b"\n")
}

fn scan(report: &Report, finished: Timestamp) -> Value {
    let program = json!({
        "id": report.tool.name,
        "name": "Staunch",
        "version": report.tool.version,
        "vendor": { "name": "Staunch" },
    });
    let started = SignedDuration::try_from_secs_f64(report.seconds.clamp(0.0, 1e9))
        .ok()
        .and_then(|took| finished.checked_sub(took).ok())
        .unwrap_or(finished);
    let coverage = &report.coverage;
    let mut messages: Vec<String> = coverage.troubles.iter().map(|one| format!("{}: {}", one.path, one.why)).collect();
    if coverage.more_troubles > 0 {
        messages.push(format!("{} could not be read", count(coverage.more_troubles, "more thing", "more things")));
    }
    if coverage.interrupted {
        messages.push("the scan was interrupted before its end".to_owned());
    }
    let messages: Vec<Value> = messages.iter().map(|text| json!({ "level": "warn", "value": clean(text) })).collect();
    let moment = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    json!({
        "type": "secret_detection",
        "status": if coverage.is_complete() { "success" } else { "failure" },
        "start_time": moment(started),
        "end_time": moment(finished),
        "analyzer": program,
        "scanner": program,
        "messages": messages,
    })
}

fn vulnerability(place: &Place<'_>, detector: Option<&DetectorInfo>) -> Value {
    let finding = place.finding;
    let summary = detector.map_or(finding.detector.as_str(), |info| &info.summary);
    let severity = match (Level::of(finding), finding.severity) {
        (Level::Note, _) => "Info",
        (_, Severity::Critical) => "Critical",
        (_, Severity::High) => "High",
        (_, Severity::Medium) => "Medium",
        (_, Severity::Low) => "Low",
    };
    let description = [vec![headline(finding, summary)], advice(finding)].concat().join(" ");
    let text = |name: &str, value: &str| json!({ "type": "text", "name": name, "value": clean(value) });
    let mut one = json!({
        "id": uuid(&format!("{}:{}", place.print, place.ordinal)),
        "name": summary.chars().take(NAME).collect::<String>(),
        "description": clean(&description),
        "severity": severity,
        "identifiers": [
            { "type": "staunch_detector", "name": format!("Staunch {}", finding.detector), "value": finding.detector },
            {
                "type": "cwe",
                "name": "CWE-798",
                "value": "798",
                "url": "https://cwe.mitre.org/data/definitions/798.html",
            },
        ],
        "location": location(place),
        "details": {
            "redacted": text("Redacted value", &finding.redacted),
            "liveness": text("Liveness", finding.liveness.liveness.state()),
            "fingerprint": text("Fingerprint", &finding.fingerprint.to_string()),
        },
        "links": detector.iter().flat_map(|info| &info.links).map(|link| json!({ "url": link })).collect::<Vec<_>>(),
    });
    if let Some(console) = detector.and_then(|info| info.console.as_ref()) {
        one["solution"] = json!(format!("Revoke it at {console}; removing it from the file does not stop it."));
    }
    if finding.confidence == Confidence::Low {
        let flag = json!({
            "type": "flagged-as-likely-false-positive",
            "origin": "staunch",
            "description": "low confidence: it may be something else",
        });
        one["flags"] = json!([flag]);
    }
    one
}

fn location(place: &Place<'_>) -> Value {
    let mut location = json!({ "commit": { "sha": NO_COMMIT } });
    if let Some(occurrence) = place.occurrence {
        location["file"] = json!(occurrence.path.strip_prefix("./").unwrap_or(&occurrence.path));
        location["start_line"] = json!(occurrence.location.line);
        location["end_line"] = json!(occurrence.location.end_line);
    }
    location
}

/// A UUID (version 8, of one's own making) out of a name.
fn uuid(name: &str) -> String {
    let mut hex: Vec<char> = super::places::hex_digest(name).chars().take(32).collect();
    hex[12] = '8';
    hex[16] = 'a';
    let group = |from: usize, to: usize| hex[from..to].iter().collect::<String>();
    [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::testing::{detector, finding, place, report};
    use super::gitlab;
    use crate::model::{Confidence, Liveness, Report};

    fn written(report: &Report) -> Value {
        let mut out = Vec::new();
        let finished = "2026-01-02T03:04:05.678Z".parse().expect("a moment");
        gitlab(report, &[detector()], finished, &mut out).expect("written");
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn a_scan_says_when_and_how_far() {
        let mut all = report(vec![finding("a")]);
        all.seconds = 65.0;
        let scan = &written(&all)["scan"];
        assert_eq!((&scan["start_time"], &scan["end_time"]), (&"2026-01-02T03:03:00".into(), &"2026-01-02T03:04:05".into()));
        assert_eq!(scan["status"], "success");
        all.coverage.trouble("x", "permission denied");
        let scan = &written(&all)["scan"];
        assert_eq!((&scan["status"], &scan["messages"][0]["value"]), (&"failure".into(), &"x: permission denied".into()));
        for who in ["analyzer", "scanner"] {
            for key in ["/id", "/name", "/version", "/vendor/name"] {
                assert!(scan[who].pointer(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "{who}{key}");
            }
        }
    }

    #[test]
    fn vulnerabilities_have_what_gitlab_asks_for() {
        let mut dead = finding("./b.py");
        dead.liveness.liveness = Liveness::Dead("revoked".into());
        let mut doubtful = finding("c.py");
        doubtful.confidence = Confidence::Low;
        doubtful.occurrences.push(place("c.py", 9));
        let mut nowhere = finding("d.py");
        nowhere.occurrences.clear();
        let log = written(&report(vec![finding("a.py"), dead, doubtful, nowhere]));
        let all = log["vulnerabilities"].as_array().expect("a list");
        let severities: Vec<&str> = all.iter().map(|one| one["severity"].as_str().expect("text")).collect();
        assert_eq!(severities, ["Critical", "Info", "Info", "Info", "Critical"]);
        let mut ids: Vec<&str> = all.iter().map(|one| one["id"].as_str().expect("text")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 5);
        assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'8'));
        for one in all {
            assert_eq!(one["location"]["commit"]["sha"], "0000000");
            assert_eq!(one["identifiers"][0]["value"], "acme-key");
            assert!(one.get("raw_source_code_extract").is_none(), "the source holds the secret");
        }
        assert_eq!(all[1]["location"]["file"], "b.py");
        assert_eq!(all[2]["flags"][0]["type"], "flagged-as-likely-false-positive");
        assert_eq!(all[0]["name"], "Acme key");
    }
}
