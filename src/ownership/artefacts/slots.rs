//! Places in files where a value stands, known by the value's fingerprint and by its span, and the two ways to meet them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::{Sheet, dotenv, image_refs, plain};
use crate::model::{Finding, Provenance};
use crate::secret::{Fingerprint, FingerprintKey};

/// Values shorter than this are flags and numbers, not credentials, and need no fingerprint.
const SHORTEST: usize = 8;
/// Longer values are scripts and documents: what stands in them is met by its place.
const WORDY: usize = 512;

/// A value's place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ownership) struct Place {
    pub(in crate::ownership) path: Arc<str>,
    /// From 1.
    pub(in crate::ownership) line: u64,
    /// From the start of the file.
    pub(in crate::ownership) bytes: Range<u64>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// What of a finding can meet an artefact.
pub(in crate::ownership) struct Clues<'f> {
    /// Of the identifying part and of every secret part. Public parts like endpoints are shared by strangers.
    pub(in crate::ownership) prints: Vec<Fingerprint>,
    /// Where those parts stand in files as they lie on disk. The lines of a commit are not the lines of the file.
    pub(in crate::ownership) places: Vec<(&'f str, Range<u64>)>,
    /// The images of registries that it was seen in, spelt out.
    pub(super) images: BTreeSet<String>,
    /// The files that it was seen in, in comments too: somebody must take it out of there.
    pub(in crate::ownership) seen: BTreeSet<&'f str>,
}

impl<'f> Clues<'f> {
    pub(in crate::ownership) fn of(finding: &'f Finding) -> Self {
        let telling = |name: &str| {
            finding.parts.iter().enumerate().any(|(index, part)| part.name == name && (index == 0 || !part.public))
        };
        let mut prints = vec![finding.fingerprint];
        prints.extend(finding.parts.iter().filter(|part| !part.public).flat_map(|part| part.fingerprints.iter().copied()));
        prints.sort_unstable();
        prints.dedup();
        let mut places = Vec::new();
        for seen in finding.occurrences.iter().filter(|seen| matches!(seen.provenance, Provenance::Worktree)) {
            let own = [&seen.location];
            let parts = seen.parts.iter().filter(|part| telling(&part.name)).map(|part| &part.location);
            for location in own.into_iter().chain(parts) {
                places.push((plain(&seen.path), location.byte_start..location.byte_end));
            }
        }
        let seen = places.iter().map(|(path, _)| *path).collect();
        Self { prints, places, images: image_refs::of(finding), seen }
    }

    /// As if what stands in one file stood in another, which is put in its place. What that one says besides is not known.
    pub(super) fn moved<'c>(&self, from: &str, to: &'c str) -> Clues<'c> {
        let places: Vec<_> =
            self.places.iter().filter(|(path, _)| *path == from).map(|(_, bytes)| (to, bytes.clone())).collect();
        Clues { prints: Vec::new(), places, images: BTreeSet::new(), seen: BTreeSet::from([to]) }
    }

    /// As if the whole of a file were meant, and nothing in it.
    pub(super) fn whole(path: &'f str) -> Self {
        let (places, seen) = (vec![(path, u64::MAX..u64::MAX)], BTreeSet::from([path]));
        Self { prints: Vec::new(), places, images: BTreeSet::new(), seen }
    }

    /// The files of those places, each once.
    pub(in crate::ownership) fn paths(&self) -> std::collections::BTreeSet<&'f str> {
        self.places.iter().map(|(path, _)| *path).collect()
    }
}

/// How a finding met a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ownership) enum Join {
    /// The same value, by keyed fingerprint.
    Value,
    /// The credential stands inside this value.
    Place,
}

impl Join {
    /// In words, for evidence.
    pub(in crate::ownership) fn words(self) -> &'static str {
        match self {
            Self::Value => "same value",
            Self::Place => "found inside it",
        }
    }
}

/// Places, each with what is known of it. The values themselves are not kept.
pub(in crate::ownership) struct Slots<T> {
    all: Vec<(Place, T)>,
    prints: HashMap<Fingerprint, Vec<usize>>,
    /// By path and first byte. Values in one file never overlap, though one may be listed twice through an alias.
    starts: HashMap<Arc<str>, BTreeMap<u64, Vec<usize>>>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { all: Vec::new(), prints: HashMap::new(), starts: HashMap::new() }
    }
}

impl<T> Slots<T> {
    /// Remembers a place, what is known of it, and the fingerprints of the value in the spellings that may be found.
    pub(in crate::ownership) fn put(&mut self, place: Place, prints: &[Fingerprint], what: T) {
        let index = self.all.len();
        for print in prints {
            self.prints.entry(*print).or_default().push(index);
        }
        self.starts.entry(Arc::clone(&place.path)).or_default().entry(place.bytes.start).or_default().push(index);
        self.all.push((place, what));
    }

    /// The places that a finding meets, each once, in order of path and position.
    pub(in crate::ownership) fn hits<'s>(&'s self, clues: &Clues<'_>) -> Vec<(&'s Place, &'s T, Join)> {
        let mut hits = BTreeMap::new();
        for (path, bytes) in &clues.places {
            let before = self.starts.get(*path).and_then(|starts| starts.range(..=bytes.start).next_back());
            for &index in before.map_or(&[][..], |(_, indices)| indices) {
                if bytes.end <= self.all[index].0.bytes.end {
                    hits.insert(index, Join::Place);
                }
            }
        }
        for index in clues.prints.iter().filter_map(|print| self.prints.get(print)).flatten() {
            hits.insert(*index, Join::Value);
        }
        let mut hits: Vec<_> =
            hits.into_iter().map(|(index, join)| (&self.all[index].0, &self.all[index].1, join)).collect();
        hits.sort_by(|(a, ..), (b, ..)| (&a.path, a.bytes.start).cmp(&(&b.path, b.bytes.start)));
        hits
    }

    /// The files that anything is known of.
    pub(in crate::ownership) fn paths(&self) -> impl Iterator<Item = &str> {
        self.starts.keys().map(|path| &**path)
    }

    /// Adds what another reader saw.
    pub(in crate::ownership) fn merge(&mut self, other: Self) {
        let base = self.all.len();
        self.all.extend(other.all);
        for (print, indices) in other.prints {
            self.prints.entry(print).or_default().extend(indices.into_iter().map(|index| base + index));
        }
        for (path, starts) in other.starts {
            let own = self.starts.entry(path).or_default();
            for (start, indices) in starts {
                own.entry(start).or_default().extend(indices.into_iter().map(|index| base + index));
            }
        }
    }
}

impl Slots<String> {
    /// Remembers the variables of an env file by their names.
    pub(in crate::ownership) fn put_env(&mut self, sheet: &Sheet<'_>, text: &str) {
        let all = dotenv::variables(text);
        // Of two assignments to one name every reader takes the last.
        let last: HashMap<&str, u64> = all.iter().map(|variable| (variable.name, variable.line)).collect();
        for variable in all.into_iter().filter(|variable| last[variable.name] == variable.line) {
            let place = Place { path: Arc::clone(&sheet.path), line: variable.line, bytes: variable.bytes };
            self.put(place, &prints(sheet.key, variable.value.as_bytes()), variable.name.to_owned());
        }
    }
}

/// As [`prints`], and of the words of a short value: `Bearer KEY` in a header, `--key=KEY` in an argument.
pub(in crate::ownership) fn prints_within(key: &FingerprintKey, value: &str) -> Vec<Fingerprint> {
    let mut all = prints(key, value.as_bytes());
    let words = value.split(|c: char| c.is_whitespace() || c == '=');
    if value.len() <= WORDY {
        all.extend(words.filter(|word| word.len() < value.len()).flat_map(|word| prints(key, word.as_bytes())));
    }
    all
}

/// Fingerprints of a value as it stands and without the white space around it: `echo secret | base64` adds a newline.
pub(in crate::ownership) fn prints(key: &FingerprintKey, value: &[u8]) -> Vec<Fingerprint> {
    let trimmed = value.trim_ascii();
    if trimmed.len() < SHORTEST {
        return Vec::new();
    }
    let mut prints = vec![key.fingerprint(trimmed)];
    if trimmed.len() != value.len() {
        prints.push(key.fingerprint(value));
    }
    prints
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::{Clues, Join, Place, Slots, prints};
    use crate::secret::FingerprintKey;

    fn slots(path: &str, spans: &[(u64, u64)]) -> Slots<u64> {
        let mut slots = Slots::default();
        for &(start, end) in spans {
            let place = Place { path: Arc::from(path), line: 1, bytes: start..end };
            slots.put(place, &[FingerprintKey::new([1; 32]).fingerprint(&start.to_be_bytes())], start);
        }
        slots
    }

    #[test]
    fn a_span_meets_the_value_that_holds_all_of_it() {
        let mut known = slots("a", &[(0, 10), (20, 30), (20, 30)]);
        known.merge(slots("b", &[(0, 100)]));
        let met = |path, start, end| {
            let clues = Clues {
                prints: Vec::new(),
                places: vec![(path, start..end)],
                images: BTreeSet::new(),
                seen: BTreeSet::new(),
            };
            known.hits(&clues).iter().map(|(_, what, _)| **what).collect::<Vec<_>>()
        };
        assert_eq!(met("a", 0, 10), [0]);
        assert_eq!(met("a", 22, 28), [20, 20]);
        assert_eq!(met("a", 5, 25), Vec::<u64>::new());
        assert_eq!(met("a", 12, 13), Vec::<u64>::new());
        assert_eq!(met("b", 50, 60), [0]);
        assert_eq!(met("c", 0, 1), Vec::<u64>::new());
    }

    #[test]
    fn a_value_is_met_by_its_fingerprint_and_only_once() {
        let known = slots("a", &[(7, 9)]);
        let print = FingerprintKey::new([1; 32]).fingerprint(&7_u64.to_be_bytes());
        let clues = Clues { prints: vec![print], places: vec![("a", 7..8)], images: BTreeSet::new(), seen: BTreeSet::new() };
        assert!(matches!(known.hits(&clues)[..], [(_, 7, Join::Value)]));
    }

    #[test]
    fn white_space_around_a_value_does_not_hide_it() {
        let key = FingerprintKey::new([2; 32]);
        assert!(prints(&key, b"hunter2hunter2\n").contains(&key.fingerprint(b"hunter2hunter2")));
        assert!(prints(&key, b"true").is_empty());
    }
}
