//! Findings → ownership: offers every path to the artefact readers and hands over the bytes they want. Only made when
//! something was found.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Groups;
use crate::model::{Clock, Coverage, Finding};
use crate::ownership::{Artefacts, GitLimits, GitPeople, Trust, attribute as call};
use crate::secret::FingerprintKey;
use crate::source::{Item, Walk, WalkOptions};

/// More of a file than this is not handed over; every reader's own limit is smaller.
const LARGEST: u64 = 128 << 20;
/// History is asked about the worst findings, not about thousands: people come after workloads, and triage must not wait.
const LIMITS: GitLimits = GitLimits { blames: 50, time: Duration::from_secs(3), file_bytes: 1 << 20 };
const NOT_UNDERSTOOD: &str = "artefact that cannot be read (owners may be missing)";

/// What attribution is made with.
#[derive(Clone)]
pub struct Attribution<'a> {
    /// The targets that were scanned.
    pub paths: &'a [PathBuf],
    /// How they were walked.
    pub walk: WalkOptions,
    /// The key under which the findings' fingerprints were made.
    pub key: Arc<FingerprintKey>,
    /// The trust domain that workloads run in, by the operator's word.
    pub trust: Option<Trust>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Fills in whose each finding is, from the provider's own word, the artefacts below the targets, and version control. What
/// cannot be understood is counted as skipped.
pub fn attribute(groups: &mut Groups, with: &Attribution<'_>, coverage: &mut Coverage) {
    if groups.0.is_empty() {
        return;
    }
    let mut findings = groups.findings();
    for path in with.paths {
        target(&mut findings, path, with, coverage);
    }
    if with.paths.is_empty() {
        call(&mut findings, &Artefacts::new(Arc::clone(&with.key), ""), None);
    }
    for (group, finding) in groups.0.iter_mut().zip(findings) {
        group.finding = finding;
    }
    scrub(groups);
}

fn target(findings: &mut [Finding], path: &Path, with: &Attribution<'_>, coverage: &mut Coverage) {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let shown = folder.to_string_lossy();
    let shown = if shown == "." { "" } else { shown.as_ref() };
    let mut artefacts = Artefacts::new(Arc::clone(&with.key), shown);
    if let Some(trust) = &with.trust {
        artefacts.trust(trust.clone());
    }
    offer(path, with.walk, &mut artefacts);
    let troubles = artefacts.coverage().troubles.len() as u64 + artefacts.coverage().more_troubles;
    if troubles > 0 {
        *coverage.skipped.entry(NOT_UNDERSTOOD.to_owned()).or_default() += troubles;
    }
    // Without a repository nobody is known, which is no trouble.
    let mut people = GitPeople::open(folder, shown, LIMITS, Arc::clone(&with.clock)).ok();
    call(findings, &artefacts, people.as_mut());
}

fn offer(path: &Path, walk: WalkOptions, artefacts: &mut Artefacts) {
    let mut buffer = Vec::new();
    for item in Walk::new(path, walk) {
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

/// Found values may stand in names and evidence too.
pub fn scrub(groups: &mut Groups) {
    let Groups(groups, scrubber) = groups;
    // Whoever calls an API chooses the user agent that its log keeps.
    for activity in groups.iter_mut().filter_map(|group| group.finding.activity.as_mut()) {
        activity.reword(&|text| scrubber.scrub(text));
    }
    for owner in groups.iter_mut().flat_map(|group| &mut group.finding.owners) {
        owner.id = scrubber.scrub_name(&owner.id);
        owner.name = scrubber.scrub_name(&owner.name);
        for evidence in &mut owner.evidence {
            evidence.at = scrubber.scrub_name(&evidence.at);
            evidence.value = scrubber.scrub(&evidence.value);
        }
    }
}
