//! What scanning threads bring home.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::allow::Spot;
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
    /// The file, where it is one on disk.
    pub(super) spot: Option<Arc<Spot>>,
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
        Self { credential, occurrence, spot: None }
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

/// A credential at a place that is allowed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// It is not reported; else it is, because whoever allows it is not believed.
    pub allowed: bool,
    /// Where.
    pub path: String,
    /// Where the credential's first part stands, which rivals share.
    first: (u64, u64),
    /// Which detector.
    pub detector: String,
    /// Why, as the coverage counts it.
    pub reason: Arc<str>,
    /// First line of what would be reported.
    pub line: u64,
}

impl Note {
    pub(super) fn new(sighting: &Sighting, allowed: bool, reason: Arc<str>) -> Self {
        let first = sighting.credential.identifying().map_or((0, 0), |part| (part.span.start, part.span.end));
        Self {
            allowed,
            path: sighting.occurrence.path.clone(),
            first,
            detector: sighting.credential.detector.to_string(),
            reason,
            line: sighting.occurrence.location.line,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let key = |note: &Self| (note.allowed, note.path.clone(), note.first, note.detector.clone());
        key(self) == key(other)
    }
}

/// Everything a scan found and how far it looked. Holds secrets.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What was found, by path and place once the scan is done.
    pub sightings: Vec<Sighting>,
    /// What was found with less confidence than is asked for.
    pub faint: Vec<Sighting>,
    /// What was found and is allowed: it is not reported, and its values are kept out of every text all the same.
    pub allowed: Vec<Sighting>,
    /// The same, allowed because it was known before.
    pub known: Vec<Sighting>,
    /// What is allowed and what would be: at first all of it, once it is counted the first thousand of each kind.
    pub notes: Vec<Note>,
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

    /// Counts what is allowed and what would be, each place once. Notes of one place must come in one call.
    pub(super) fn count(&mut self, mut notes: Vec<Note>) {
        notes.sort_unstable();
        notes.dedup_by(|a, b| a.is_same(b));
        for note in &notes {
            self.coverage.allow(note.allowed, &note.reason);
        }
        for allowed in [true, false] {
            let have = self.notes.iter().filter(|note| note.allowed == allowed).count();
            let kind = notes.iter().filter(|note| note.allowed == allowed);
            self.notes.extend(kind.take(KEPT.saturating_sub(have)).cloned());
        }
    }

    /// Drops what stands in `path` on none of the lines that `keep` wants, in any of its parts: nobody is told of it.
    pub(super) fn keep_lines(&mut self, path: &str, keep: &dyn Fn(RangeInclusive<u64>) -> bool) {
        let on = |location: &Location| keep(location.line..=location.end_line);
        let stays = |sighting: &Sighting| {
            let at = &sighting.occurrence;
            // Not what is inside of an archive: its lines are others.
            at.path != path || on(&at.location) || at.parts.iter().any(|part| on(&part.location))
        };
        let mut dropped = Vec::new();
        for sightings in [&mut self.sightings, &mut self.allowed] {
            for sighting in sightings.extract_if(.., |sighting| !stays(sighting)) {
                dropped.push(Note::new(&sighting, true, "".into()));
            }
        }
        let is_of = |note: &Note, other: &Note| (note.first, &note.detector) == (other.first, &other.detector);
        self.faint.retain(stays);
        self.notes.retain(|note| note.path != path || !dropped.iter().any(|gone| is_of(note, gone)));
        self.asides.retain(|aside| aside.path != path || keep(aside.line..=aside.line));
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        self.sightings.append(&mut other.sightings);
        self.allowed.append(&mut other.allowed);
        self.faint.append(&mut other.faint);
        self.notes.append(&mut other.notes);
        self.asides.append(&mut other.asides);
        self.coverage.merge(std::mem::take(&mut other.coverage));
    }

    /// Threads finish in any order; reports do not.
    pub(super) fn finish(&mut self) {
        self.sightings.sort_by(|a, b| a.occurrence.cmp(&b.occurrence));
        let notes = std::mem::take(&mut self.notes);
        self.count(notes);
        self.asides.sort();
        self.asides.truncate(KEPT);
        self.coverage.troubles.sort();
    }
}
