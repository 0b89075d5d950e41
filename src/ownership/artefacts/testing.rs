//! What the tests of the readers share: small trees of files, and findings as `scan` would make them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Artefacts;
use crate::model::{Checked, Confidence, Edge, Finding, Location, Occurrence, Owner, PartInfo, Provenance, Severity, Tier};
use crate::secret::FingerprintKey;

fn key() -> FingerprintKey {
    FingerprintKey::new([42; 32])
}

/// The key that findings here are fingerprinted with.
pub(in crate::ownership) fn shared_key() -> Arc<FingerprintKey> {
    Arc::new(key())
}

/// A value that no detector takes for a live one.
pub(in crate::ownership) const VALUE: &str = "correct-horse-battery-staple";

/// The artefacts of a tree, read in the order given.
pub(in crate::ownership) fn tree(files: &[(&str, &str)]) -> Artefacts {
    let mut artefacts = Artefacts::new(shared_key(), "");
    for (path, text) in files {
        if Artefacts::wants(path) {
            artefacts.read(path, text.as_bytes());
        }
    }
    artefacts
}

/// A finding with one secret part of that value, seen nowhere in particular.
pub(in crate::ownership) fn finding(value: &str) -> Finding {
    let fingerprint = key().fingerprint(value.as_bytes());
    Finding {
        schema: Finding::SCHEMA.to_owned(),
        fingerprint,
        detector: "test".to_owned(),
        provider: "test".to_owned(),
        class: "cloud".to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        redacted: "…".to_owned(),
        parts: vec![PartInfo { name: "key".to_owned(), public: false, value: None, fingerprints: vec![fingerprint] }],
        partial: false,
        facts: BTreeMap::new(),
        liveness: Checked::NOT,
        occurrences: Vec::new(),
        owners: Vec::new(),
        reach: None,
        activity: None,
        playbook: None,
    }
}

/// A finding whose value nobody fingerprinted, seen at those bytes of a file.
pub(in crate::ownership) fn finding_at(path: &str, bytes: Range<usize>) -> Finding {
    let mut finding = finding("a value that is nowhere else");
    finding.occurrences.push(seen(path, 1, bytes));
    finding
}

/// A finding seen where `value` first stands in `text`.
pub(in crate::ownership) fn finding_in(path: &str, text: &str, value: &str) -> Finding {
    let start = text.find(value).expect("the value stands in the text");
    finding_at(path, start..start + value.len())
}

/// One place in the working tree.
pub(in crate::ownership) fn seen(path: &str, line: u64, bytes: Range<usize>) -> Occurrence {
    let (byte_start, byte_end) = (bytes.start as u64, bytes.end as u64);
    let location = Location { line, column: 1, end_line: line, end_column: 2, byte_start, byte_end };
    let (path, provenance) = (path.to_owned(), Provenance::Worktree);
    Occurrence { path, location, utf16: None, provenance, encoding: Vec::new(), parts: Vec::new() }
}

/// Ids and tiers of the consumers.
pub(in crate::ownership) fn consumers(owners: &[Owner]) -> Vec<(&str, Tier)> {
    owners.iter().filter(|owner| owner.edge == Edge::Consumer).map(|owner| (owner.id.as_str(), owner.tier)).collect()
}
