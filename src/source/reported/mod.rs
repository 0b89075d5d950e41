//! What another scanner found, from the report that it wrote: each value where it was found, so that it can be looked at, asked
//! and owned as if this program had found it there. Gitleaks and its kin, TruffleHog, Kingfisher and GitHub's alerts.

mod entry;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::model::{CommitPlace, Provenance};
use entry::Entry;

/// A larger report is not read.
pub const LARGEST: u64 = 256 << 20;
/// What stands farther down, or farther to the right, is said to stand here.
const LAST: (u64, usize) = (1 << 20, 1 << 14);

/// What a report says.
#[derive(Debug, Default)]
pub struct Reported {
    /// By path and commit.
    pub files: Vec<ReportedFile>,
    /// What could not be read: where in the report, and why.
    pub troubles: Vec<(String, String)>,
}

/// A file as far as a report shows it: blank but for what was found. Holds secrets.
pub struct ReportedFile {
    /// As the report has it.
    pub path: String,
    /// The working tree or a commit.
    pub provenance: Provenance,
    /// The lines.
    pub text: Vec<u8>,
    /// What the other scanner calls each, and its lines.
    pub found: Vec<(String, RangeInclusive<u64>)>,
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
    let mut files: BTreeMap<(String, Option<String>), Vec<Entry>> = BTreeMap::new();
    let (mut count, mut hidden) = (0, 0);
    let mut take = |value: &Value, troubles: &mut Vec<(String, String)>| {
        count += 1;
        match Entry::of(value) {
            Ok(Some(entry)) => files.entry((entry.path.clone(), entry.commit.clone())).or_default().push(entry),
            Ok(None) => {}
            Err(entry::Why::Hidden) => hidden += 1,
            Err(entry::Why::Unknown) => {
                let why =
                    "of no report that is known; gitleaks, betterleaks, trufflehog, kingfisher and GitHub's alerts are";
                troubles.push((format!("entry {count}"), why.to_owned()));
            }
        }
    };
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match value {
            Ok(value) => entry::each(&value, &mut |one| take(one, &mut all.troubles)),
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
    all.files = files.into_values().map(file).collect();
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
        let first = line;
        text.extend_from_slice(entry.text.as_bytes());
        line += memchr::memchr_iter(b'\n', entry.text.as_bytes()).count() as u64;
        begun = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
        found.push((entry.rule.clone(), first..=line));
    }
    text.push(b'\n');
    let Entry { path, commit, author, .. } = entries.swap_remove(0);
    // No object is named: none was looked at.
    let place = |commit| CommitPlace { commit: Some(commit), author, ..CommitPlace::default() };
    let provenance = commit.map_or(Provenance::Worktree, |commit| Provenance::Commit(Box::new(place(commit))));
    ReportedFile { path, provenance, text, found }
}

#[cfg(test)]
mod tests;
