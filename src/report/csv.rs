//! A row a place, for spreadsheets (RFC 4180).

use std::io::{self, Write};

use super::Remarks;
use super::places::places;
use super::text::clean;
use crate::model::Report;

/// The columns. New ones are added at the end.
const COLUMNS: [&str; 19] = [
    "fingerprint",
    "detector",
    "provider",
    "class",
    "severity",
    "confidence",
    "liveness",
    "why",
    "redacted",
    "path",
    "line",
    "column",
    "end_line",
    "end_column",
    "owner",
    "playbook",
    "partial",
    "contested",
    "score",
];

/// Writes the rows. A table has no place for what was not read: that is a remark.
pub fn csv(report: &Report, out: &mut dyn Write) -> io::Result<Remarks> {
    row(&COLUMNS.map(str::to_owned), out)?;
    for place in places(report) {
        let finding = place.finding;
        let liveness = &finding.liveness.liveness;
        let at = place.occurrence.map(|occurrence| &occurrence.location);
        let number = |of: fn(&crate::model::Location) -> u64| at.map(|at| of(at).to_string()).unwrap_or_default();
        let cells = [
            finding.fingerprint.to_string(),
            finding.detector.clone(),
            finding.provider.clone(),
            finding.class.clone(),
            finding.severity.word().to_owned(),
            finding.confidence.word().to_owned(),
            liveness.state().to_owned(),
            liveness.why().unwrap_or_default().to_owned(),
            finding.redacted.clone(),
            place.occurrence.map(|occurrence| occurrence.path.clone()).unwrap_or_default(),
            number(|at| at.line),
            number(|at| at.column),
            number(|at| at.end_line),
            number(|at| at.end_column),
            finding.owners.first().map(|owner| owner.id.clone()).unwrap_or_default(),
            finding.playbook.clone().unwrap_or_default(),
            finding.partial.to_string(),
            finding.owners.iter().any(|owner| owner.contested).to_string(),
            place.score.to_string(),
        ];
        row(&cells, out)?;
    }
    let mut remarks = Remarks::default();
    let unread = report.coverage.troubles.len() as u64 + report.coverage.more_troubles;
    if !report.coverage.is_complete() {
        remarks.say(format!("the table is incomplete: {unread} could not be read; --format human or json says what"));
    }
    Ok(remarks)
}

fn row(cells: &[String], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// A cell that is one cell, and that no spreadsheet takes for a formula: what begins like one gets an apostrophe.
fn cell(text: &str) -> String {
    let text = clean(text);
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finding, place, report};
    use super::{COLUMNS, csv};

    fn written(report: &crate::model::Report) -> (Vec<String>, usize) {
        let mut out = Vec::new();
        let remarks = csv(report, &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        (text.split_terminator("\r\n").map(str::to_owned).collect(), remarks.all().len())
    }

    #[test]
    fn a_row_a_place() {
        let mut found = finding("src/a.py");
        found.occurrences.push(place("b.py", 9));
        let print = found.fingerprint;
        let (rows, remarks) = written(&report(vec![found]));
        assert_eq!((rows.len(), remarks), (3, 0));
        assert_eq!(rows[0], COLUMNS.join(","));
        let row =
            format!("{print},acme-key,acme,llm,critical,high,not_checked,,acme…ab3X,src/a.py,3,7,3,47,,,false,false,256");
        assert_eq!(rows[1], row);
        assert!(rows[2].contains(",b.py,9,"));
    }

    #[test]
    fn what_is_contested_is_said() {
        let (rows, _) = written(&report(super::super::testing::triaged()));
        assert!(rows[1].contains(",true,") && rows.last().expect("a row").contains(",false,"), "{rows:?}");
    }

    #[test]
    fn hostile_cells_stay_cells_and_are_no_formulas() {
        let (rows, _) = written(&report(vec![finding("=cmd|'/c calc'!A1,\"x\"\ny")]));
        assert_eq!(rows.len(), 2);
        assert!(rows[1].contains(",\"'=cmd|'/c calc'!A1,\"\"x\"\"\\ny\","), "{}", rows[1]);
        assert!(written(&report(vec![finding("@scope/x")])).0[1].contains(",'@scope/x,"));
    }

    #[test]
    fn an_incomplete_table_is_said_to_be_one() {
        let mut report = report(Vec::new());
        report.coverage.interrupted = true;
        assert_eq!(written(&report), (vec![COLUMNS.join(",")], 1));
    }
}
