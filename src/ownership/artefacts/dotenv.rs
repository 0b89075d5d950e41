//! `.env` files: which variable holds which bytes.

use std::ops::Range;

use crate::model::Finding;

/// Whether a file of that name is one.
pub(super) fn is_one(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.") || name.strip_suffix(".env").is_some()
}

/// Variables with the places of their values.
#[derive(Debug)]
pub(super) struct File {
    variables: Vec<(String, Range<u64>)>,
}

impl File {
    pub(super) fn read(text: &str) -> Self {
        let mut at = 0u64;
        let mut variables = Vec::new();
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len() as u64;
            let body = line.trim_start().trim_start_matches("export ");
            if let Some((name, _)) = body.split_once('=').filter(|(name, _)| !name.starts_with('#')) {
                variables.push((name.trim().to_owned(), start..at));
            }
        }
        Self { variables }
    }

    /// Whether one of the finding's parts stands in the value of that variable.
    pub(super) fn holds(&self, path: &str, variable: &str, finding: &Finding) -> bool {
        let places = finding.occurrences.iter().filter(|place| place.path == path).flat_map(|place| &place.parts);
        let mut spans = self.variables.iter().filter(|(name, _)| name == variable).map(|(_, span)| span);
        spans.any(|span| {
            places.clone().any(|part| span.start <= part.location.byte_start && part.location.byte_end <= span.end)
        })
    }
}
