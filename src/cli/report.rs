//! `staunch report FILE`: a saved report in another format.

use std::io::Read;

use anyhow::{Context, bail};

use super::args::ReportArgs;
use super::exit::Exit;
use super::scan;
use super::settings::Settings;
use crate::model::{Coverage, Finding, Report, Tool};
use crate::report::clean;

pub(super) fn run(args: &ReportArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let shown = args.file.display().to_string();
    let mut text = String::new();
    if shown == "-" {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {shown}"))?;
    }
    let mut report = read(&text).with_context(|| format!("{shown} is not a report of staunch"))?;
    // Whoever wrote the file: what names a detector is shown as it stands.
    for finding in &mut report.findings {
        finding.detector = clean(&finding.detector);
        finding.provider = clean(&finding.provider);
    }
    scan::write(&report, &settings.detectors()?, settings)?;
    Ok(if report.coverage.is_complete() { Exit::Clean } else { Exit::Error })
}

#[derive(serde::Deserialize)]
struct Schema {
    schema: String,
}

#[derive(serde::Deserialize)]
struct Summary {
    schema: String,
    tool: Tool,
    coverage: Coverage,
    seconds: f64,
}

fn read(text: &str) -> anyhow::Result<Report> {
    match serde_json::from_str::<Report>(text) {
        Ok(report) => return Ok(report),
        // One value, and of the schema: what is wrong in it is told.
        Err(error) if serde_json::from_str::<Schema>(text).is_ok_and(|known| known.schema == "staunch.report/1") => {
            bail!("a value in it is not as it should be (line {}, column {})", error.line(), error.column());
        }
        Err(_) => {}
    }
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let Some(last) = lines.pop() else { bail!("it is empty") };
    let summary: Summary = serde_json::from_str(last).context("its last line is no summary; was it cut off?")?;
    if summary.schema != "staunch.summary/1" {
        bail!("its last line has the schema {:?}, which this version does not read", summary.schema);
    }
    let parse = |(number, line): (usize, &&str)| {
        serde_json::from_str::<Finding>(line).with_context(|| format!("line {} is no finding", number + 1))
    };
    let findings = lines.iter().enumerate().map(parse).collect::<anyhow::Result<_>>()?;
    Ok(Report { tool: summary.tool, findings, coverage: summary.coverage, seconds: summary.seconds })
}
