//! Schemas `staunch.finding/1`, `staunch.summary/1` and `staunch.report/1`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Coverage, Danger, Finding, Report, Tool};

#[derive(Serialize)]
struct Summary<'r> {
    schema: &'static str,
    tool: &'r Tool,
    complete: bool,
    counts: BTreeMap<&'static str, u64>,
    coverage: &'r Coverage,
    seconds: f64,
}

#[derive(Serialize)]
struct Whole<'r> {
    schema: &'static str,
    tool: &'r Tool,
    complete: bool,
    findings: Vec<Ranked<'r>>,
    counts: BTreeMap<&'static str, u64>,
    coverage: &'r Coverage,
    seconds: f64,
}

/// A finding with its place among the others. The place and its reasons follow from the rest, and are not read back.
#[derive(Serialize)]
struct Ranked<'r> {
    #[serde(flatten)]
    finding: &'r Finding,
    rank: Rank,
}

#[derive(Serialize)]
struct Rank {
    /// From 1, the most dangerous.
    place: usize,
    #[serde(flatten)]
    danger: Danger,
}

fn ranked(findings: &[Finding]) -> impl Iterator<Item = Ranked<'_>> {
    let places = findings.iter().zip(1..);
    places.map(|(finding, place)| Ranked { finding, rank: Rank { place, danger: finding.danger() } })
}

/// Findings by the state of their liveness.
fn counts(findings: &[Finding]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::from([("findings", findings.len() as u64)]);
    for state in ["live", "limited", "dead", "unknown", "not_checked"] {
        counts.insert(state, 0);
    }
    for finding in findings {
        *counts.entry(finding.liveness.liveness.state()).or_default() += 1;
    }
    counts
}

/// One finding a line, then one line of summary.
pub fn jsonl(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in ranked(&report.findings) {
        serde_json::to_writer(&mut *out, &finding)?;
        out.write_all(b"\n")?;
    }
    let summary = Summary {
        schema: "staunch.summary/1",
        tool: &report.tool,
        complete: report.coverage.is_complete(),
        counts: counts(&report.findings),
        coverage: &report.coverage,
        seconds: report.seconds,
    };
    serde_json::to_writer(&mut *out, &summary)?;
    out.write_all(b"\n")
}

/// One object around everything.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let whole = Whole {
        schema: "staunch.report/1",
        tool: &report.tool,
        complete: report.coverage.is_complete(),
        findings: ranked(&report.findings).collect(),
        counts: counts(&report.findings),
        coverage: &report.coverage,
        seconds: report.seconds,
    };
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::testing::{report, triaged};
    use super::{json, jsonl};
    use crate::model::Finding;

    #[test]
    fn a_finding_has_its_place_and_the_reasons_for_it_and_is_read_back_without() {
        let (mut whole, mut lines) = (Vec::new(), Vec::new());
        let all = report(triaged());
        json(&all, &mut whole).expect("written");
        jsonl(&all, &mut lines).expect("written");
        let whole: Value = serde_json::from_slice(&whole).expect("JSON");
        for (number, line) in String::from_utf8(lines).expect("text").lines().take(all.findings.len()).enumerate() {
            let one: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(one, whole["findings"][number]);
            assert_eq!(one["rank"]["place"], number + 1);
            let factors = one["rank"]["factors"].as_array().expect("factors");
            let names: Vec<&str> = factors.iter().filter_map(|factor| factor["name"].as_str()).collect();
            assert_eq!(names, ["liveness", "reach", "exposure", "environment"]);
            let product: u64 = factors.iter().filter_map(|factor| factor["weight"].as_u64()).product();
            assert_eq!(one["rank"]["score"], product);
            assert!(factors.iter().all(|factor| factor["why"].as_str().is_some_and(|why| !why.is_empty())));
            assert_eq!(serde_json::from_value::<Finding>(one).expect("a finding"), all.findings[number]);
        }
    }
}
