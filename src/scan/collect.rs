//! What scanning threads bring home.

use crate::detect::Lines;
use crate::model::{Coverage, Credential, Location, Occurrence, OccurrencePart, Provenance};

/// Put-aside matches that are kept with their place for `-v`; the rest are counted.
const KEPT: usize = 1000;

/// One credential at one place.
#[derive(Debug)]
pub struct Sighting {
    /// The credential.
    pub credential: Credential,
    /// The place.
    pub occurrence: Occurrence,
}

impl Sighting {
    pub(super) fn new(credential: Credential, path: &str, lines: &Lines<'_>, provenance: &Provenance) -> Self {
        let pointed = credential.pointed_at().map_or(0..0, |part| part.span.clone());
        let part =
            |part: &crate::model::Part| OccurrencePart { name: part.name.to_string(), location: lines.locate(&part.span) };
        let occurrence = Occurrence {
            path: path.to_owned(),
            location: lines.locate(&pointed),
            utf16: lines.utf16(&pointed),
            provenance: provenance.clone(),
            encoding: credential.encoding.clone(),
            parts: credential.parts.iter().map(part).collect(),
        };
        Self { credential, occurrence }
    }
}

/// A match that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aside {
    /// Where.
    pub path: String,
    /// First line.
    pub line: u64,
    /// Which detector.
    pub detector: String,
    /// Why.
    pub reason: &'static str,
}

/// Everything a scan found and how far it looked. Holds secrets.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What was found, by path and place once the scan is done.
    pub sightings: Vec<Sighting>,
    /// What was put aside, the first thousand.
    pub asides: Vec<Aside>,
    /// How far it looked.
    pub coverage: Coverage,
}

impl Gathered {
    pub(super) fn suppressed(&mut self, path: &str, location: Location, detector: &str, reason: &'static str) {
        self.coverage.suppress(reason);
        if self.asides.len() < KEPT {
            self.asides.push(Aside { path: path.to_owned(), line: location.line, detector: detector.to_owned(), reason });
        }
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.sightings.append(&mut other.sightings);
        self.asides.append(&mut other.asides);
        self.coverage.merge(std::mem::take(&mut other.coverage));
    }

    /// Threads finish in any order; reports do not.
    pub(super) fn finish(&mut self) {
        self.sightings.sort_by(|a, b| a.occurrence.cmp(&b.occurrence));
        self.asides.sort();
        self.asides.truncate(KEPT);
        self.coverage.troubles.sort();
    }
}
