//! Secrets are never stored. Where a step needs the leaked value, it is read again from where it was found, and handed on
//! only if its fingerprint is the one that was asked for.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::model::{Attestation, Confidence, Finding, Plan, Provenance};
use crate::ownership::attest;
use crate::scan::{Allowing, Counters, Groups, Request, Target, WalkOptions, run};
use crate::secret::{Fingerprint, FingerprintKey};
use crate::store::Store;

/// The finding in the store that `text` names, with the owners that people attest by now.
pub(super) fn finding(text: &str, settings: &Settings) -> anyhow::Result<Finding> {
    let (mut found, attestations) = named(text, settings)?;
    let Some(mut one) = found.pop().filter(|_| found.is_empty()) else {
        bail!("{text} names {} findings; give more of it", found.len() + 1);
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

/// Reads a finding's places again. Empty when the value is no longer there.
pub(super) fn again(finding: &Finding, set: &DetectorSet, key: &FingerprintKey, settings: &Settings) -> Groups {
    let on_disk = finding.occurrences.iter().filter_map(|place| match &place.provenance {
        Provenance::Worktree | Provenance::Reported => Some(place.path.as_str()),
        // The archive itself: what stands before its members' names.
        Provenance::Archive { member } => place.path.strip_suffix(&format!("!{}", member.join("!"))),
        _ => None,
    });
    let mut paths: Vec<PathBuf> = on_disk.map(PathBuf::from).collect();
    paths.dedup();
    only(finding, paths.into_iter().map(Target::Path).collect(), (set, key, settings))
}

/// Reads targets and keeps what has the finding's fingerprint.
pub(super) fn only(
    finding: &Finding,
    targets: Vec<Target>,
    (set, key, settings): (&DetectorSet, &FingerprintKey, &Settings),
) -> Groups {
    let counters = Counters::default();
    let walk = WalkOptions { no_ignore: true };
    // Whoever responds to a finding wants its value, whatever the tree says by now.
    let paths: Vec<PathBuf> = targets
        .iter()
        .filter_map(|target| match target {
            Target::Path(path) | Target::History(path, _) => Some(path.clone()),
            _ => None,
        })
        .collect();
    let allow = Allowing::nothing(&paths);
    let request =
        Request { set, allow: &allow, walk, archive_depth: 3, jobs: 1, least: Confidence::Low, counters: &counters };
    let mut gathered = run(targets, &request);
    let mut groups = Groups::new(&mut gathered, set, key, settings.clock.now());
    groups.0.retain(|group| group.finding.fingerprint == finding.fingerprint && group.finding.detector == finding.detector);
    groups
}
