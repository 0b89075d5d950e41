//! What a person reads when a hook stops a commit or a push: what, where, and what to do about it.

use std::io::{self, Write};

use super::human::{Ink, Look};
use super::text::{clean, count};
use crate::model::{Occurrence, Provenance, Report};

/// Places of one finding that are shown without `-v`.
const PLACES: usize = 3;

/// What is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// A commit.
    Commit,
    /// A push, by whoever pushes.
    Push,
    /// A push, by the server.
    Receive,
}

impl Stopped {
    /// What is stopped, in a word.
    pub fn what(self) -> &'static str {
        if self == Self::Commit { "commit" } else { "push" }
    }
}

/// The message of a hook.
pub fn stopped(report: &Report, stopped: Stopped, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (found, seen) = (report.findings.len() as u64, &report.coverage);
    let what = stopped.what();
    if found > 0 {
        let number = count(found, "credential", "credentials");
        writeln!(out, "{}\n", look.paint(Ink::Red, &format!("staunch: {what} blocked: {number} in what it adds")))?;
        findings(report, look, out)?;
        writeln!(out)?;
        advice(stopped, out)?;
    }
    if !seen.is_complete() {
        let why = format!("staunch: {what} blocked: this could not be read, so nothing is known of it");
        writeln!(out, "{}", look.paint(Ink::Yellow, &why))?;
        for trouble in &seen.troubles {
            writeln!(out, "  {}: {}", clean(&trouble.path), clean(&trouble.why))?;
        }
        if seen.more_troubles > 0 {
            writeln!(out, "  and {}", count(seen.more_troubles, "more", "more"))?;
        }
        if seen.interrupted {
            writeln!(out, "  the scan was interrupted before its end")?;
        }
    } else if found == 0 {
        writeln!(out, "staunch: nothing found in {}", super::text::looked_at(report))?;
    }
    Ok(())
}

fn findings(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let shown = if look.verbose { finding.occurrences.len() } else { PLACES };
        for place in finding.occurrences.iter().take(shown) {
            let at = look.paint(Ink::Bold, &clean(&format!("{}:{}", place.path, place.location.line)));
            writeln!(out, "  {at}{}  {}  {}", commit(place), finding.detector, clean(&finding.redacted))?;
        }
        if finding.occurrences.len() > shown {
            let more = (finding.occurrences.len() - shown) as u64;
            writeln!(out, "    and {}", count(more, "more place", "more places"))?;
        }
    }
    Ok(())
}

fn commit(place: &Occurrence) -> String {
    let Provenance::Commit(at) = &place.provenance else { return String::new() };
    let commit = at.commit.as_deref().unwrap_or_default();
    if commit.is_empty() { String::new() } else { format!(" (commit {})", commit.get(..12).unwrap_or(commit)) }
}

fn advice(stopped: Stopped, out: &mut dyn Write) -> io::Result<()> {
    let remove = match stopped {
        Stopped::Commit => "Take it out of the file and stage that. If it ever left this machine, rotate it as well.",
        _ => {
            "Take it out of the commit (git commit --amend, git rebase -i); another commit on top does not.\n\
              If it was ever pushed anywhere, rotate it as well."
        }
    };
    writeln!(out, "{remove}")?;
    if stopped == Stopped::Receive {
        return writeln!(out, "A false alarm? Ask whoever runs this server.");
    }
    let what = stopped.what();
    writeln!(
        out,
        "A false alarm? Write `staunch:allow` and why into its line, or an entry with a reason into .staunch.toml.\n\
         To go on all the same, knowing what you do: git {what} --no-verify"
    )
}
