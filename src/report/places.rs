//! One entry a place, for formats that know no findings with several places.

use std::collections::BTreeMap;

use crate::model::{Finding, Occurrence, Report};

/// A place of a finding, and the ordinal that tells it from others with the same fingerprint.
pub(super) struct Place<'r> {
    pub(super) finding: &'r Finding,
    /// How dangerous the finding is. It looks at all places, so each does not ask anew.
    pub(super) score: u32,
    /// `None` for a finding that was seen nowhere.
    pub(super) occurrence: Option<&'r Occurrence>,
    /// SHA-256 of detector, path and redacted form, hex: the same on every machine, and no key is needed.
    pub(super) print: String,
    pub(super) ordinal: usize,
}

/// All places, the most dangerous findings first.
pub(super) fn places(report: &Report) -> Vec<Place<'_>> {
    let mut all = Vec::new();
    for finding in &report.findings {
        let places: Vec<Option<&Occurrence>> = match finding.occurrences.as_slice() {
            [] => vec![None],
            some => some.iter().map(Some).collect(),
        };
        let score = finding.danger().score;
        all.extend(places.into_iter().map(|occurrence| {
            let path = occurrence.map_or("", |occurrence| &occurrence.path);
            let path = path.strip_prefix("./").unwrap_or(path);
            // The parts are separated by what is in none of them.
            let print = hex_digest(&[&finding.detector, path, &finding.redacted].join("\0"));
            Place { finding, score, occurrence, print, ordinal: 0 }
        }));
    }
    // Numbered by where they stand, not by danger: a key that dies must not take another one's number.
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&n| all[n].occurrence.map_or(0, |occurrence| occurrence.location.byte_start));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for n in order {
        let number = seen.entry(all[n].print.clone()).or_default();
        *number += 1;
        all[n].ordinal = *number;
    }
    all
}

/// SHA-256 of a text, hex.
pub(super) fn hex_digest(text: &str) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}
