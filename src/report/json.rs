//! Schemas `staunch.finding/1`, `staunch.summary/1` and `staunch.report/1`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Coverage, Finding, Report, Tool};

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
    findings: &'r [Finding],
    counts: BTreeMap<&'static str, u64>,
    coverage: &'r Coverage,
    seconds: f64,
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
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, finding)?;
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
        findings: &report.findings,
        counts: counts(&report.findings),
        coverage: &report.coverage,
        seconds: report.seconds,
    };
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    out.write_all(b"\n")
}
