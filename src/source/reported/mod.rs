//! What another scanner found, from the report that it wrote: each value where it was found, so that it can be looked at, asked
//! and owned as if this program had found it there. Gitleaks and its kin, TruffleHog, Kingfisher and GitHub's alerts.

mod entry;

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use serde_json::Value;

use crate::model::{CommitPlace, Provenance};
use entry::Entry;

/// A larger report is not read.
pub const LARGEST: u64 = 64 << 20;
/// What stands farther down, or farther to the right, is said to stand here.
const LAST: (u64, usize) = (1 << 20, 1 << 14);

/// What a report says.
#[derive(Default)]
pub struct Reported {
    /// By path and commit. Lines are put together one file after the other: what a report of a few bytes speaks of may be large.
    files: BTreeMap<(String, Option<String>), Vec<Entry>>,
    /// What could not be read: where in the report, and why.
    pub troubles: Vec<(String, String)>,
}

impl Reported {
    /// The files, by path and commit.
    pub fn files(self) -> impl Iterator<Item = ReportedFile> {
        self.files.into_values().map(file)
    }
}

/// A file as far as a report shows it: blank but for what was found. Holds secrets.
pub struct ReportedFile {
    /// As the report has it.
    pub path: String,
    /// [`Provenance::Reported`], or a commit.
    pub provenance: Provenance,
    /// The lines.
    pub text: Vec<u8>,
    /// What was found.
    pub found: Vec<ReportedFinding>,
}

/// What was found in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct ReportedFinding {
    /// What the other scanner calls it.
    pub rule: String,
    /// Its lines.
    pub lines: RangeInclusive<u64>,
    /// The bytes of its value in the text.
    pub span: Range<u64>,
}

impl std::fmt::Debug for ReportedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportedFile").field("path", &self.path).field("found", &self.found).finish_non_exhaustive()
    }
}

/// Reads a report: one JSON value, or several one after the other.
pub fn read(bytes: &[u8]) -> Reported {
    let mut all = Reported::default();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut hidden, mut unknown) = (0, 0);
    let files = &mut all.files;
    let mut take = |value: &Value| match Entry::of(value) {
        Ok(Some(entry)) => files.entry((entry.path.clone(), entry.commit.clone())).or_default().push(entry),
        Ok(None) => {}
        Err(entry::Why::Hidden) => hidden += 1,
        Err(entry::Why::Unknown) => unknown += 1,
    };
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match value {
            Ok(value) => entry::each(&value, &mut take),
            // Its own words might repeat what stands there.
            Err(error) => {
                all.troubles.push((format!("line {}", error.line()), "not JSON; what follows was not read".to_owned()));
                break;
            }
        }
    }
    if hidden > 0 {
        let why = format!("{hidden} entries hold no value; have the report written without hiding values");
        all.troubles.push(("report".to_owned(), why));
    }
    if unknown > 0 {
        let known = "gitleaks, betterleaks, trufflehog, kingfisher and GitHub's alerts are";
        all.troubles.push(("report".to_owned(), format!("{unknown} entries are of no report that is known; {known}")));
    }
    all
}

/// Puts everything where it was found.
fn file(mut entries: Vec<Entry>) -> ReportedFile {
    entries.sort_by(|a, b| (a.line, a.column, &a.text).cmp(&(b.line, b.column, &b.text)));
    entries.dedup_by(|b, a| (a.line, &a.text) == (b.line, &b.text));
    let (mut text, mut found) = (Vec::new(), Vec::new());
    let (mut line, mut begun) = (1, 0);
    for entry in &entries {
        while line < entry.line.min(LAST.0) {
            text.push(b'\n');
            (line, begun) = (line + 1, text.len());
        }
        if text.len() > begun {
            text.push(b' ');
        }
        let column = entry.column.saturating_sub(1).min(LAST.1);
        text.resize(text.len().max(begun + column), b' ');
        let (first, from) = (line, text.len() as u64);
        text.extend_from_slice(entry.text.as_bytes());
        line += memchr::memchr_iter(b'\n', entry.text.as_bytes()).count() as u64;
        begun = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
        // Another value may be found beside it; that is not this one.
        let at = entry.text.find(&entry.value).unwrap_or(0) as u64;
        let span = from + at..from + at + entry.value.len() as u64;
        found.push(ReportedFinding { rule: entry.rule.clone(), lines: first..=line, span });
    }
    text.push(b'\n');
    let Entry { path, commit, author, .. } = entries.swap_remove(0);
    // No object is named: none was looked at.
    let place = |commit| CommitPlace { commit: Some(commit), author, ..CommitPlace::default() };
    let provenance = commit.map_or(Provenance::Reported, |commit| Provenance::Commit(Box::new(place(commit))));
    ReportedFile { path, provenance, text, found }
}

#[cfg(test)]
mod tests;
