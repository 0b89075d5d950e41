//! SARIF 2.1.0 (OASIS), in the subset that GitHub code scanning reads; any other reader gets a valid file too.
//!
//! A result is one place of one finding, because GitHub shows only a result's first location. There are no snippets: the
//! lines around a secret hold the secret.

mod rules;
mod uri;

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Remarks;
use super::level::{Level, advice, headline};
use super::places::{Place, places};
use super::text::{count, grouped};
use crate::model::{Columns, Coverage, DetectorInfo, Finding, Occurrence, Owner, Provenance, Report};
use uri::{BASE, artifact};

/// GitHub rejects a file with more results (docs.github.com, "SARIF support for code scanning", 2025).
const MOST_RESULTS: usize = 25_000;
/// GitHub keeps no more of them.
const KEPT_RESULTS: usize = 5_000;

/// Writes a report with the detectors that looked. Says what was cut.
pub fn sarif(report: &Report, detectors: &[DetectorInfo], out: &mut dyn Write) -> io::Result<Remarks> {
    let rules = rules::Rules::new(detectors, &report.findings);
    let all = places(report);
    let cut = all.len().saturating_sub(MOST_RESULTS);
    let mut remarks = Remarks::default();
    if cut > 0 {
        remarks.say(format!(
            "{} left out of the SARIF file: GitHub rejects one with more than {}; json and jsonl hold all",
            count(cut as u64, "result was", "results were"),
            grouped(MOST_RESULTS as u64)
        ));
    } else if all.len() > KEPT_RESULTS {
        let (has, keeps) = (grouped(all.len() as u64), grouped(KEPT_RESULTS as u64));
        remarks.say(format!("the SARIF file has {has} results; GitHub keeps {keeps} of them, by its own order"));
    }
    let results: Vec<Value> = all.iter().take(MOST_RESULTS).map(|place| result(place, &rules)).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver(report, &rules) },
            "invocations": [invocation(report, &remarks)],
            // The folder's own place is this machine's business; readers map it to their checkout.
            "originalUriBaseIds": { BASE: { "description": { "text": "The folder in which staunch was run." } } },
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    });
    serde_json::to_writer(&mut *out, &log)?;
    out.write_all(b"\n")?;
    Ok(remarks)
}

fn result(place: &Place<'_>, rules: &rules::Rules<'_>) -> Value {
    let finding = place.finding;
    let (index, summary) = rules.of(finding);
    let level = match Level::of(finding) {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut sentences = vec![headline(finding, summary)];
    sentences.extend(advice(finding));
    let locations: Vec<Value> = place.occurrence.map(location).into_iter().collect();
    json!({
        "ruleId": finding.detector,
        "ruleIndex": index,
        "level": level,
        "message": { "text": plain(&sentences.join(" ")) },
        "locations": locations,
        "partialFingerprints": {
            // The only one that GitHub reads; without it the upload action hashes the line, and an edit of the line is a new alert.
            "primaryLocationLineHash": format!("{}:{}", &place.print[..16], place.ordinal),
            "detectorPathRedacted/v1": place.print,
        },
        "properties": properties(finding, place.occurrence),
    })
}

fn properties(finding: &Finding, occurrence: Option<&Occurrence>) -> Value {
    json!({
        "fingerprint": finding.fingerprint.to_string(),
        "provider": finding.provider,
        "class": finding.class,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "redacted": finding.redacted,
        "partial": finding.partial,
        "facts": finding.facts,
        "liveness": finding.liveness,
        "owners": finding.owners.iter().map(whose).collect::<Vec<_>>(),
        "playbook": finding.playbook,
        "provenance": occurrence.map(|occurrence| &occurrence.provenance),
        "encoding": occurrence.map(|occurrence| occurrence.encoding.as_slice()).unwrap_or_default(),
    })
}

fn whose(owner: &Owner) -> Value {
    let mut whose = json!({ "edge": owner.edge, "id": owner.id, "tier": owner.tier });
    if owner.contested {
        whose["contested"] = true.into();
    }
    whose
}

fn location(occurrence: &Occurrence) -> Value {
    let at = &occurrence.location;
    let columns = occurrence.utf16.unwrap_or(Columns { column: at.column, end_column: at.end_column });
    let in_tree = matches!(occurrence.provenance, Provenance::Worktree | Provenance::Reported);
    json!({ "physicalLocation": {
        "artifactLocation": artifact(&occurrence.path, in_tree),
        // A saved report may hold anything; SARIF counts from 1.
        "region": {
            "startLine": at.line.max(1),
            "startColumn": columns.column.max(1),
            "endLine": at.end_line.max(1),
            "endColumn": columns.end_column.max(1),
            "byteOffset": at.byte_start,
            "byteLength": at.byte_end.saturating_sub(at.byte_start),
        },
    } })
}

fn driver(report: &Report, rules: &rules::Rules<'_>) -> Value {
    let note = |id: &str, name: &str, text: &str| {
        let text = json!({ "text": text });
        json!({ "id": id, "name": name, "shortDescription": text, "fullDescription": text, "help": text })
    };
    json!({
        "name": report.tool.name,
        "version": report.tool.version,
        "semanticVersion": report.tool.version,
        "rules": rules.values(),
        "notifications": [
            note("not-read", "NotRead", "Something could not be read, so nothing is known of it."),
            note("interrupted", "Interrupted", "The scan was stopped before its end."),
            note("cut", "Cut", "Something was left out of this file."),
        ],
        "properties": { "detectors": report.tool.detectors },
    })
}

fn invocation(report: &Report, remarks: &Remarks) -> Value {
    let Coverage { troubles, more_troubles, interrupted, .. } = &report.coverage;
    let notification = |id: &str, level: &str, text: &str| json!({ "descriptor": { "id": id }, "level": level, "message": { "text": plain(text) } });
    let mut all: Vec<Value> = Vec::new();
    for trouble in troubles {
        let mut one = notification("not-read", "error", &format!("{}: {}", trouble.path, trouble.why));
        one["locations"] = json!([{ "physicalLocation": { "artifactLocation": artifact(&trouble.path, true) } }]);
        all.push(one);
    }
    if *more_troubles > 0 {
        let what = count(*more_troubles, "more thing", "more things");
        all.push(notification("not-read", "error", &format!("{what} could not be read")));
    }
    if *interrupted {
        all.push(notification("interrupted", "error", "the scan was interrupted before its end"));
    }
    all.extend(remarks.all().iter().map(|remark| notification("cut", "warning", remark)));
    json!({
        "executionSuccessful": report.coverage.is_complete(),
        "toolExecutionNotifications": all,
        "properties": { "coverage": report.coverage, "seconds": report.seconds },
    })
}

/// Text in which nothing is a link or a placeholder (SARIF 2.1.0 §3.11.5 and §3.11.6), and nothing draws.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in super::clean(text).chars() {
        match c {
            '[' | ']' | '\\' => out.extend(['\\', c]),
            '{' | '}' => out.extend([c, c]),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
