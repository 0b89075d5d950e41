//! Workflow commands: annotations on the lines of a pull request, in the log of a GitHub Actions job.
//!
//! What is written is a log line that the runner acts on, so everything that could end one command and begin another is
//! escaped as the runner wants it (GitHub Docs, "Workflow commands"; actions/toolkit, `command.ts`).

use std::io::{self, Write};

use super::level::{Level, advice, headline, summaries};
use super::places::places;
use super::text::{clean, count};
use crate::model::{Columns, DetectorInfo, Report};

/// Annotations of each kind that GitHub shows of one step; the log has all of them.
const SHOWN: usize = 10;

/// Writes a command for each place, the most dangerous first, and for what could not be read.
pub fn github(report: &Report, detectors: &[DetectorInfo], out: &mut dyn Write) -> io::Result<()> {
    let summaries = summaries(detectors);
    let mut counts = [0usize; 3];
    for trouble in &report.coverage.troubles {
        let at = [("file", strip(&trouble.path)), ("title", "staunch: not read".to_owned())];
        command(Level::Error, &at, &format!("{}: {}", trouble.path, trouble.why), out)?;
        counts[Level::Error as usize] += 1;
    }
    for place in places(report) {
        let finding = place.finding;
        let level = Level::of(finding);
        let summary = summaries.get(finding.detector.as_str()).map_or(finding.detector.as_str(), |info| &info.summary);
        let mut at = Vec::new();
        if let Some(occurrence) = place.occurrence {
            let on = &occurrence.location;
            at.push(("file", strip(&occurrence.path)));
            at.push(("line", on.line.to_string()));
            at.push(("endLine", on.end_line.to_string()));
            // The runner takes columns only within one line.
            if on.line == on.end_line {
                let columns = occurrence.utf16.unwrap_or(Columns { column: on.column, end_column: on.end_column });
                at.push(("col", columns.column.to_string()));
                at.push(("endColumn", columns.end_column.to_string()));
            }
        }
        at.push(("title", format!("staunch: {}", finding.detector)));
        let text = [vec![headline(finding, summary)], advice(finding)].concat().join("\n");
        command(level, &at, &text, out)?;
        counts[level as usize] += 1;
    }
    // Plain lines, which the runner only prints.
    if counts.iter().any(|count| *count > SHOWN) {
        writeln!(out, "staunch: GitHub shows {SHOWN} annotations of each kind; this log has all of them")?;
    }
    let found = count(report.findings.len() as u64, "finding", "findings");
    let files = count(report.coverage.files, "file", "files");
    let end = if report.coverage.is_complete() { "complete" } else { "INCOMPLETE" };
    writeln!(out, "staunch: {found} in {files}; {end}")
}

fn strip(path: &str) -> String {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

fn command(level: Level, at: &[(&str, String)], text: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let property = |(name, value): &(&str, String)| format!("{name}={}", value_of(value));
    let properties: Vec<String> = at.iter().map(property).collect();
    // Line by line: a line end is ours to escape, any other control character is the content's to be shown.
    let text: Vec<String> = text.split('\n').map(|line| data(&clean(line))).collect();
    writeln!(out, "::{name} {}::{}", properties.join(","), text.join("%0A"))
}

/// Text after the `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property.
fn value_of(text: &str) -> String {
    // Line ends are escaped as the runner reads them; what else acts on a terminal is shown.
    let text: String = text
        .split_inclusive(['\r', '\n'])
        .map(|line| {
            let (line, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
            clean(line) + end
        })
        .collect();
    data(&text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{detector, finding, place, report};
    use super::github;
    use crate::model::{Columns, Identity, Liveness, Report};

    fn written(report: &Report) -> Vec<String> {
        let mut out = Vec::new();
        github(report, &[detector()], &mut out).expect("written");
        String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_for_each_place_and_what_was_not_read() {
        let mut live = finding("./src/a.py");
        live.liveness.liveness = Liveness::Live(Identity::default());
        live.occurrences[0].utf16 = Some(Columns { column: 6, end_column: 46 });
        let mut dead = finding("b.pem");
        dead.liveness.liveness = Liveness::Dead("revoked".into());
        dead.occurrences[0].location.end_line = 9;
        let mut all = report(vec![live, dead]);
        all.coverage.trouble("locked", "permission denied");
        let lines = written(&all);
        assert_eq!(lines[0], "::error file=locked,title=staunch%3A not read::locked: permission denied");
        let next = "%0ANext: staunch explain acme-key";
        assert_eq!(
            lines[1],
            format!(
                "::error file=src/a.py,line=3,endLine=3,col=6,endColumn=46,title=staunch%3A acme-key::Acme key acme…ab3X (live).{next}"
            )
        );
        assert!(lines[2].starts_with("::notice file=b.pem,line=3,endLine=9,title="), "no columns over lines: {}", lines[2]);
        assert_eq!(lines[3], "staunch: 2 findings in 2 files; INCOMPLETE");
        assert!(written(&report(vec![finding("x")]))[0].starts_with("::warning file=x,"));
    }

    #[test]
    fn names_do_nothing_to_a_terminal() {
        let lines = written(&report(vec![finding("a\u{1b}[31m\u{202e}b")]));
        assert!(lines[0].contains("file=a\\u{1b}[31m\\u{202e}b,line=3"), "{}", lines[0]);
    }

    #[test]
    fn hostile_paths_and_words_end_no_command() {
        let mut found = finding("a,b:c%\r\n::set-output name=x::y");
        found.liveness.liveness = Liveness::Unknown("100%\n::error::gotcha".into());
        let lines = written(&report(vec![found]));
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[0].contains("file=a%2Cb%3Ac%25%0D%0A%3A%3Aset-output name=x%3A%3Ay,line=3"), "{}", lines[0]);
        assert!(lines[0].contains("Why: 100%25%0A::error::gotcha."), "{}", lines[0]);
    }

    #[test]
    fn what_github_does_not_show_is_said() {
        let mut many = finding("a");
        many.occurrences = vec![place("a", 1); 11];
        let lines = written(&report(vec![many]));
        assert_eq!(lines.len(), 13);
        assert!(lines[11].contains("GitHub shows 10 annotations"), "{}", lines[11]);
    }
}
