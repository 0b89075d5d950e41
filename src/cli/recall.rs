//! Secrets are never stored. Where a step needs the leaked value, it is read again from where it was found, and handed on
//! only if its fingerprint is the one that was asked for.

use std::path::PathBuf;

use anyhow::bail;

use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::model::{Confidence, Finding, Provenance};
use crate::scan::{Allowing, Counters, Groups, Request, Target, WalkOptions, run};
use crate::secret::FingerprintKey;
use crate::store::Store;

/// The finding in the store that `text` names.
pub(super) fn finding(text: &str, settings: &Settings) -> anyhow::Result<Finding> {
    let Some(state) = &settings.state else { bail!("there is no state folder; name one with --state") };
    let found = Store::open(state)?.find(text)?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("no finding {text} in the store; `staunch triage TARGET` finds and keeps it"),
        more => bail!("{text} names {} findings; give more of it", more.len()),
    }
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
    let allow = Allowing::nothing();
    let request =
        Request { set, allow: &allow, walk, archive_depth: 3, jobs: 1, least: Confidence::Low, counters: &counters };
    let mut gathered = run(targets, &request);
    let mut groups = Groups::new(&mut gathered, set, key, settings.clock.now());
    groups.0.retain(|group| group.finding.fingerprint == finding.fingerprint && group.finding.detector == finding.detector);
    groups
}
