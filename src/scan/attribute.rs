//! Findings → ownership: offers every path to the artefact readers and hands over the bytes they want. Only made when
//! something was found.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use super::{Group, Groups};
use crate::model::{Coverage, Provenance};
use crate::ownership::artefacts::Artefacts;
use crate::ownership::people::GitPeople;
use crate::ownership::{add, from_identity};
use crate::secret::FingerprintKey;
use crate::source::{Item, Walk, WalkOptions};

/// More of a file than this is not handed over.
const LARGEST: u64 = (5 << 20) + 1;
/// Blaming is for the worst findings, not for thousands.
const BLAMES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(5);

/// Fills in whose each finding is, from the provider's own word, the artefacts below `paths`, and version control. What
/// cannot be understood is counted as skipped.
pub fn attribute(
    groups: &mut Groups,
    paths: &[PathBuf],
    options: WalkOptions,
    (key, coverage): (&FingerprintKey, &mut Coverage),
) {
    if groups.0.is_empty() {
        return;
    }
    let mut artefacts = Artefacts::new(key);
    offer(paths, options, &mut artefacts);
    for (reason, count) in &artefacts.passed_over {
        *coverage.skipped.entry((*reason).to_owned()).or_default() += count;
    }
    let mut people = GitPeople::new(BLAMES, PATIENCE);
    for group in &mut groups.0 {
        from_identity(&mut group.finding);
        artefacts.attribute(&mut group.finding);
        blame(group, &mut people);
    }
    scrub(groups);
}

fn offer(paths: &[PathBuf], options: WalkOptions, artefacts: &mut Artefacts<'_>) {
    let mut buffer = Vec::new();
    for item in paths.iter().flat_map(|path| Walk::new(path, options)) {
        let Item::File(file) = item else { continue };
        if !Artefacts::wants(&file.shown) {
            continue;
        }
        buffer.clear();
        // What cannot be read was said by the scan already.
        let read = File::open(&file.path).and_then(|reader| reader.take(LARGEST).read_to_end(&mut buffer));
        if read.is_ok() {
            artefacts.read(&file.shown, &buffer);
        }
    }
}

fn blame(group: &mut Group, people: &mut GitPeople) {
    let on_disk = group.finding.occurrences.iter().filter(|place| place.provenance == Provenance::Worktree);
    let places: Vec<(String, u64)> = on_disk.map(|place| (place.path.clone(), place.location.line)).collect();
    for (path, line) in places {
        if let Some(owner) = people.author(path.as_ref(), line) {
            add(&mut group.finding, owner);
        }
    }
}

/// Found values may stand in names and evidence too.
pub fn scrub(groups: &mut Groups) {
    let Groups(groups, scrubber) = groups;
    for owner in groups.iter_mut().flat_map(|group| &mut group.finding.owners) {
        owner.id = scrubber.scrub(&owner.id);
        owner.name = scrubber.scrub(&owner.name);
        for evidence in &mut owner.evidence {
            evidence.at = scrubber.scrub(&evidence.at);
            evidence.value = scrubber.scrub(&evidence.value);
        }
    }
}
