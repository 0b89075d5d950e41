//! Sightings → findings: one for each detector and fingerprint, with every place.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::collect::{Gathered, Sighting};
use crate::detect::DetectorSet;
use crate::model::{Checked, Credential, Finding, Liveness, Occurrence, PartInfo};
use crate::secret::{Fingerprint, FingerprintKey, Scrubber};

/// One finding and the credentials behind it, which only validation and recall may see.
#[derive(Debug)]
pub struct Group {
    /// What is reported.
    pub finding: Finding,
    /// The distinct credentials: several where candidates compete for one part.
    pub variants: Vec<Credential>,
}

/// All findings of a scan.
#[derive(Default)]
pub struct Groups(pub Vec<Group>, pub(super) Scrubber);

impl Groups {
    /// Groups what was seen and is not allowed, and takes it. `now` decides what has expired.
    pub fn new(gathered: &mut Gathered, set: &DetectorSet, key: &FingerprintKey, now: Timestamp) -> Self {
        let sightings = std::mem::take(&mut gathered.sightings);
        let mut groups: BTreeMap<(String, Fingerprint), Vec<Sighting>> = BTreeMap::new();
        for sighting in sightings {
            let Some(identifying) = sighting.credential.identifying() else { continue };
            let fingerprint = key.fingerprint(identifying.value.expose());
            groups.entry((sighting.credential.detector.to_string(), fingerprint)).or_default().push(sighting);
        }
        let build = |((detector, fingerprint), sightings): ((String, Fingerprint), Vec<Sighting>)| {
            group(sightings, &detector, fingerprint, (set, key, now))
        };
        let groups: Vec<Group> = groups.into_iter().filter_map(build).collect();
        let reported = groups.iter().flat_map(|group| &group.variants);
        let allowed = gathered.allowed.iter().chain(&gathered.known).map(|sighting| &sighting.credential);
        let parts = reported.chain(allowed).flat_map(|credential| &credential.parts);
        let scrubber = Scrubber::new(parts.filter(|part| !part.public).map(|part| &part.value));
        let mut all = Self(groups, scrubber);
        all.scrub();
        all.sort();
        all
    }

    /// Most dangerous first: what is usable, then by [`Finding::danger`], confidence, age and place.
    pub fn sort(&mut self) {
        self.0.sort_by_cached_key(|group| rank(&group.finding));
    }

    /// The findings alone.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.iter().map(|group| group.finding.clone()).collect()
    }

    /// Knows every secret that was found.
    pub fn scrubber(&self) -> &Scrubber {
        &self.1
    }

    /// Found values may stand in paths, and in what the parts say of themselves.
    fn scrub(&mut self) {
        let Self(groups, scrubber) = self;
        for group in groups {
            for occurrence in &mut group.finding.occurrences {
                occurrence.path = scrubber.scrub_name(&occurrence.path);
                occurrence.provenance.reword(&|text| scrubber.scrub_name(text));
            }
            for value in group.finding.facts.values_mut() {
                *value = scrubber.scrub(value);
            }
        }
    }
}

fn rank(finding: &Finding) -> impl Ord + use<> {
    use std::cmp::Reverse;
    let place = finding.occurrences.first().map(|place| (place.path.clone(), place.location.byte_start));
    // Of two that are as dangerous, the one that is more likely one, and then the one that lies open longer.
    let since = finding.exposure().since.map_or(i64::MAX, jiff::Timestamp::as_second);
    let danger = finding.danger();
    (Reverse((danger.class, danger.score)), Reverse(finding.confidence), since, place, finding.fingerprint)
}

fn group(
    sightings: Vec<Sighting>,
    detector: &str,
    fingerprint: Fingerprint,
    (set, key, now): (&DetectorSet, &FingerprintKey, Timestamp),
) -> Option<Group> {
    let detector = set.get(detector)?;
    let (credentials, mut occurrences): (Vec<Credential>, Vec<Occurrence>) =
        sightings.into_iter().map(|sighting| (sighting.credential, sighting.occurrence)).unzip();
    // As sure as at the place that tells most.
    let confidence = credentials.iter().map(|credential| credential.confidence).max()?;
    // Rivals share a place; it is one place all the same.
    occurrences.dedup_by(|a, b| a.path == b.path && a.parts.first() == b.parts.first());
    let variants = distinct(credentials, key);
    let shown = variants.first()?;
    let mut facts = shown.facts.clone();
    let until = facts.get("expires").and_then(|text| text.parse::<Timestamp>().ok());
    let expired = until.filter(|until| *until <= now);
    facts.extend(expired.map(|_| ("expired".to_owned(), "true".to_owned())));
    // It says so itself: nobody need be asked.
    let dead = |at: Timestamp| Checked { liveness: Liveness::Dead(format!("expired {at}")), at: None };
    let finding = Finding {
        schema: Finding::SCHEMA.to_owned(),
        fingerprint,
        detector: detector.id.to_string(),
        provider: detector.provider.clone(),
        class: detector.class.clone(),
        severity: detector.severity,
        confidence,
        redacted: shown.pointed_at()?.shown(),
        parts: part_infos(&variants, key),
        partial: shown.partial,
        facts: facts.clone(),
        liveness: expired.map_or(Checked::NOT, dead),
        occurrences,
        owners: Vec::new(),
        reach: None,
        activity: None,
        playbook: None,
    };
    let with_facts = |mut variant: Credential| {
        variant.facts.clone_from(&facts);
        variant
    };
    Some(Group { finding, variants: variants.into_iter().map(with_facts).collect() })
}

/// Credentials that differ in some part; partial ones only where there is no whole one.
fn distinct(credentials: Vec<Credential>, key: &FingerprintKey) -> Vec<Credential> {
    let whole = credentials.iter().any(|credential| !credential.partial);
    let mut seen = std::collections::BTreeSet::new();
    let print = |credential: &Credential| -> Vec<(String, Fingerprint)> {
        credential.parts.iter().map(|part| (part.name.to_string(), key.fingerprint(part.value.expose()))).collect()
    };
    let mut kept = credentials;
    kept.retain(|credential| !(whole && credential.partial) && seen.insert(print(credential)));
    kept
}

fn part_infos(variants: &[Credential], key: &FingerprintKey) -> Vec<PartInfo> {
    let mut infos: Vec<PartInfo> = Vec::new();
    for part in variants.iter().flat_map(|variant| &variant.parts) {
        let fingerprint = key.fingerprint(part.value.expose());
        match infos.iter_mut().find(|info| info.name == *part.name) {
            Some(info) if info.fingerprints.contains(&fingerprint) => {}
            Some(info) => info.fingerprints.push(fingerprint),
            None => infos.push(PartInfo {
                name: part.name.to_string(),
                public: part.public,
                value: part.public.then(|| part.shown()),
                fingerprints: vec![fingerprint],
            }),
        }
    }
    infos
}

#[cfg(test)]
mod tests;
