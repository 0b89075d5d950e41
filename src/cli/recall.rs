//! Secrets are never stored. Where a step needs the leaked value, it is read again from where it was found, and handed on
//! only if its fingerprint is the one that was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::ending;
use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::model::{Attestation, Confidence, Finding, Plan, Provenance};
use crate::ownership::attest;
use crate::scan::{Allowing, Counters, Groups, HistoryPlace, Request, Target, WalkOptions, run};
use crate::secret::{Fingerprint, FingerprintKey};
use crate::store::Store;

/// The finding in the store that `text` names, with the owners that people attest by now. One value may be several findings, by
/// several detectors: then `FINGERPRINT:DETECTOR` is one.
pub(super) fn finding(text: &str, settings: &Settings) -> anyhow::Result<Finding> {
    let (print, detector) = text.split_once(':').map_or((text, None), |(print, detector)| (print, Some(detector)));
    let (mut found, attestations) = named(print, settings)?;
    let all: Vec<String> = found.iter().map(|one| format!("{}:{}", one.fingerprint.short(), one.detector)).collect();
    found.retain(|one| detector.is_none_or(|detector| one.detector == detector));
    let Some(mut one) = found.pop().filter(|_| found.is_empty()) else {
        let which = if found.is_empty() { "none of the" } else { "several of the" };
        bail!("{text} names {which} {} findings with that fingerprint; say which: {}", all.len(), all.join(", "));
    };
    attest(&mut one, &attestations, settings.clock.now());
    Ok(one)
}

/// When the store first and last saw a finding.
pub(super) fn seen(finding: &Finding, settings: &Settings) -> anyhow::Result<Option<(Timestamp, Timestamp)>> {
    let Some(state) = &settings.state else { return Ok(None) };
    Ok(Store::open(state)?.seen(finding)?)
}

/// The finding in the store that a plan is about: one value may be several, by several detectors.
pub(super) fn planned(plan: &Plan, settings: &Settings) -> anyhow::Result<Finding> {
    let (found, _) = named(&plan.fingerprint.to_string(), settings)?;
    let one = found.into_iter().find(|finding| finding.detector == plan.detector);
    one.with_context(|| format!("{} is not in the store any more as {}", plan.fingerprint.short(), plan.detector))
}

/// The fingerprint in the store that `text` names. One value may be several findings, by several detectors.
pub(super) fn fingerprint(text: &str, settings: &Settings) -> anyhow::Result<Fingerprint> {
    let (found, _) = named(text, settings)?;
    let prints: BTreeSet<Fingerprint> = found.iter().map(|finding| finding.fingerprint).collect();
    match prints.first() {
        Some(one) if prints.len() == 1 => Ok(*one),
        _ => bail!("{text} names {} credentials; give more of it", prints.len()),
    }
}

/// At least one finding.
fn named(text: &str, settings: &Settings) -> anyhow::Result<(Vec<Finding>, Vec<Attestation>)> {
    let Some(state) = &settings.state else { bail!("there is no state folder; name one with --state") };
    let store = Store::open(state)?;
    let found = store.find(text)?;
    if found.is_empty() {
        bail!("no finding {text} in the store; `staunch triage TARGET` finds and keeps it");
    }
    Ok((found, store.attestations()?))
}

/// Reads a finding's places again: files, archives, objects of histories, layers of images. Empty when the value is no longer there.
pub(super) fn again(finding: &Finding, set: &DetectorSet, key: &FingerprintKey, settings: &Settings) -> Groups {
    let (mut files, mut objects, mut layers) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    for place in &finding.occurrences {
        match &place.provenance {
            Provenance::Worktree | Provenance::Reported => drop(files.insert(place.path.as_str())),
            // The archive itself: what stands before its members' names.
            Provenance::Archive { member } => files.extend(outside(&place.path, member)),
            Provenance::Commit(commit) => {
                let (Some(folder), Some(path)) = (&commit.repository, outside(&place.path, &commit.member)) else {
                    continue;
                };
                if !commit.object.is_empty() {
                    let all: &mut Vec<HistoryPlace> = objects.entry(folder).or_default();
                    let one = HistoryPlace { object: commit.object.clone(), path: path.to_owned() };
                    // A text has one value, wherever it stands.
                    if all.iter().all(|other| other.object != one.object) {
                        all.push(one);
                    }
                }
            }
            Provenance::Layer(layer) => {
                let all: &mut BTreeSet<&String> = layers.entry(&layer.image).or_default();
                all.insert(&layer.layer);
            }
            Provenance::Stdin | Provenance::Environment | Provenance::Staged => {}
        }
    }
    let files = files.into_iter().map(|path| Target::Path(PathBuf::from(path))).collect();
    let found = only(finding, (files, None), (set, key, settings));
    if found.0.iter().any(|group| !group.finding.partial) || ending::was_asked() {
        return found;
    }
    // Dearer to read, so only where no file has it.
    let mut targets: Vec<Target> =
        objects.into_iter().map(|(folder, objects)| Target::Objects(PathBuf::from(folder), objects)).collect();
    for (image, digests) in layers {
        match super::images::again(image, digests.into_iter().cloned().collect(), (settings, set)) {
            Ok(target) => targets.extend(target),
            Err(error) => super::output::say(&crate::report::clean(&format!("staunch: {image}: {error:#}"))),
        }
    }
    if targets.is_empty() {
        return found;
    }
    // A registry is waited for, which a thread that already drives futures cannot do.
    let mut more = std::thread::scope(|scope| {
        scope
            .spawn(|| only(finding, (targets, Some(DEAR)), (set, key, settings)))
            .join()
            .unwrap_or_else(|_| Groups::default())
    });
    // Of where it stands less is seen now than was: no commit, no layer above.
    for group in &mut more.0 {
        group.finding.occurrences.clone_from(&finding.occurrences);
    }
    if more.0.is_empty() { found } else { more }
}

/// The path of what lies outside all archives.
fn outside<'p>(path: &'p str, member: &[String]) -> Option<&'p str> {
    if member.is_empty() { Some(path) } else { path.strip_suffix(&format!("!{}", member.join("!"))) }
}

/// For how long histories and images are read again, while others may wait to be stopped.
const DEAR: Duration = Duration::from_mins(2);

/// How often whoever reads is looked after.
const TICK: Duration = Duration::from_millis(50);

/// Sets a flag once the time is up, or this process is asked to end, unless what goes on until then is over.
fn ends_after(limit: Duration, stop: &AtomicBool, over: &Receiver<()>) {
    let begun = Instant::now();
    while over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        if begun.elapsed() >= limit || ending::was_asked() {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Reads targets, for so long where there is a limit, and keeps what has the finding's fingerprint.
pub(super) fn only(
    finding: &Finding,
    (targets, limit): (Vec<Target>, Option<Duration>),
    (set, key, settings): (&DetectorSet, &FingerprintKey, &Settings),
) -> Groups {
    let counters = Counters::default();
    let walk = WalkOptions { no_ignore: true, git: true };
    // Whoever responds to a finding wants its value, whatever the tree says by now.
    let paths: Vec<PathBuf> = targets
        .iter()
        .filter_map(|target| match target {
            Target::Path(path) | Target::History(path, _) | Target::Objects(path, _) => Some(path.clone()),
            _ => None,
        })
        .collect();
    let allow = Allowing::nothing(&paths);
    let archive_depth = finding.occurrences.iter().map(|place| place.provenance.members().len()).fold(3, usize::max);
    let request = Request { set, allow: &allow, walk, archive_depth, jobs: 1, least: Confidence::Low, counters: &counters };
    let mut gathered = std::thread::scope(|scope| {
        let (going, over) = sync_channel::<()>(0);
        let stop = &counters.stop;
        scope.spawn(move || ends_after(limit.unwrap_or(Duration::MAX), stop, &over));
        let gathered = run(targets, &request);
        drop(going);
        gathered
    });
    if counters.stop.load(Ordering::Relaxed) && !ending::was_asked() {
        super::output::say(&format!("staunch: not all places were read again in {} s", limit.unwrap_or_default().as_secs()));
    }
    let mut groups = Groups::new(&mut gathered, set, key, settings.clock.now());
    groups.0.retain(|group| group.finding.fingerprint == finding.fingerprint && group.finding.detector == finding.detector);
    groups
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use super::{ending, ends_after};

    #[test]
    fn who_reads_again_is_stopped_when_the_process_is_asked_to_end_however_long_it_may_read() {
        let stop = &AtomicBool::new(false);
        let (going, over) = sync_channel::<()>(0);
        std::thread::scope(|scope| {
            scope.spawn(move || ends_after(Duration::MAX, stop, &over));
            ending::set();
            while !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            drop(going);
        });
    }
}
