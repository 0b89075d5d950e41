//! What only many places together tell of a value. One that could have been typed and stands under the names of secrets in
//! many files is an example's or a test's; and where a value is surely one, its less clear places are places of it too.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::collect::{Gathered, Sighting};
use crate::detect::{DetectorSet, is_typed};
use crate::model::{Confidence, Provenance};

/// Files with the same value under the names of secrets. A service's own password stands in a handful of places; `Passw0rd!`
/// of a test laboratory in dozens. Counted by hand on Debian's sources and Ansible's collections (benches/accuracy/REAL.md).
const MANY: usize = 8;
/// Of the files, those that are a test's, a document's or made by a program: with so many it is theirs, if they are most.
const FEW: usize = 3;
const REASON: &str = "the same typed value in many files, as examples have it";

/// Sorts out what was found with less confidence than is asked for, and what is repeated as only examples are.
pub(super) fn weigh(all: &mut Gathered, set: &DetectorSet, least: Confidence) {
    let hasher = RandomState::new();
    let key = |sighting: &Sighting| {
        let value = sighting.credential.identifying().map(|part| part.value.expose());
        hasher.hash_one((&sighting.credential.detector, value))
    };
    let examples = examples(all, set, &key);
    if !examples.is_empty() {
        demote(all, least, |sighting| examples.contains(&key(sighting)));
    }
    let sure: HashSet<u64> = all.sightings.iter().map(&key).collect();
    for sighting in std::mem::take(&mut all.faint) {
        if sure.contains(&key(&sighting)) {
            all.sightings.push(sighting);
        } else if !matches!(sighting.occurrence.provenance, Provenance::Commit(_)) {
            // Of history, what is put aside is not counted: the same stands there in many versions.
            all.coverage.suppress("low confidence");
        }
    }
}

/// Files, and whether each is a version in history.
type Files<'p> = BTreeSet<(bool, &'p str)>;

fn file(sighting: &Sighting) -> (bool, &str) {
    (matches!(sighting.occurrence.provenance, Provenance::Commit(_)), &sighting.occurrence.path)
}

/// The keys of the values that are repeated as only examples are.
fn examples(all: &Gathered, set: &DetectorSet, key: &impl Fn(&Sighting) -> u64) -> HashSet<u64> {
    let is_generic = |sighting: &Sighting| {
        let detector = &sighting.credential.detector;
        set.get(detector).is_some_and(|detector| &*detector.provider == "generic")
    };
    let mut files: HashMap<u64, (Files<'_>, Files<'_>)> = HashMap::new();
    for sighting in all.sightings.iter().filter(|sighting| is_generic(sighting)) {
        let typed = sighting.credential.identifying().is_some_and(|part| is_typed(part.value.expose()));
        if typed && sighting.credential.confidence < Confidence::High {
            files.entry(key(sighting)).or_default().0.insert(file(sighting));
        }
    }
    for sighting in &all.faint {
        if let Some((_, faint)) = files.get_mut(&key(sighting)) {
            faint.insert(file(sighting));
        }
    }
    // A file on disk and its versions have names of their own: they are counted apart.
    let count = |files: &Files<'_>, is_version| files.iter().filter(|file| file.0 == is_version).count();
    let is_example = |clear: &Files<'_>, faint: &Files<'_>| {
        let all: Files<'_> = clear.union(faint).copied().collect();
        [false, true].iter().any(|&is_version| {
            let (clear, faint) = (count(clear, is_version), count(faint, is_version));
            count(&all, is_version) >= MANY || (faint >= FEW && faint > clear)
        })
    };
    files.retain(|_, (clear, faint)| is_example(clear, faint));
    // Sure of it at one place is sure of it.
    let high = all.sightings.iter().filter(|sighting| sighting.credential.confidence == Confidence::High);
    high.for_each(|sighting| {
        files.remove(&key(sighting));
    });
    files.into_keys().collect()
}

/// Puts examples aside, or reports them as doubtful where doubtful ones are asked for.
fn demote(all: &mut Gathered, least: Confidence, is_example: impl Fn(&Sighting) -> bool) {
    if least <= Confidence::Low {
        let examples = all.sightings.iter_mut().filter(|sighting| is_example(sighting));
        return examples.for_each(|sighting| sighting.credential.confidence = Confidence::Low);
    }
    let aside: Vec<Sighting> = all.sightings.extract_if(.., |sighting| is_example(sighting)).collect();
    for Sighting { credential, occurrence, .. } in aside {
        all.suppressed(&occurrence.path, occurrence.location, &credential.detector, REASON);
    }
}

#[cfg(test)]
mod tests;
