//! What was known before: lists read from baselines, applied to what a scan gathered while the secrets are still in memory.
//!
//! Of our own baselines a credential is known when every part that names it or is secret is in the list, by detector, part
//! and value. So a place may move and the finding stays quiet, and a new secret beside an old id is never hidden. The other
//! programs' lists mean what they mean there: gitleaks' a place, detect-secrets' a value in a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::digests::Digests;
use super::tree::few;
use crate::config::{Baseline, Hashes, Known, Lines};
use crate::scan::collect::{Gathered, Note, Sighting};
use crate::secret::{Salt, SlowDigest};

/// A baseline that was read from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The file as the user named it.
    pub file: String,
    /// The folder where it lies, in full and without links: other programs' paths begin there, or at the repository.
    pub folder: PathBuf,
    /// What it says.
    pub baseline: Baseline,
}

/// Why baselines cannot be applied or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselinesError {
    /// No salt, no digests.
    #[error("the system gives no random numbers, without which there is no baseline")]
    Random,
    /// Beyond the bound.
    #[error(
        "{found} different secrets were found; a baseline holds up to {most}: scan parts of the tree into baselines of their own"
    )]
    Many {
        /// Different secrets and ids of the scan.
        found: usize,
        /// What a baseline holds.
        most: usize,
    },
    /// Ctrl-C.
    #[error("interrupted; the baseline was not written")]
    Interrupted,
}

/// Baselines in force.
pub struct Baselines {
    all: Vec<InForce>,
    pub(super) digests: Digests,
    too_many: bool,
}

struct InForce {
    loaded: Loaded,
    reason: Arc<str>,
    used: Used,
}

/// Entries that something was found for.
#[derive(Default)]
struct Used {
    digests: BTreeSet<SlowDigest>,
    lines: BTreeSet<usize>,
    hashes: BTreeSet<(String, Vec<u8>)>,
}

impl Baselines {
    /// Takes what was read. `jobs` threads make digests; 0 for one a core.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(loaded: Vec<Loaded>, jobs: usize) -> Result<Self, BaselinesError> {
        let in_force = |loaded: Loaded| {
            let reason = match loaded.baseline {
                Baseline::Known(_) => "baseline",
                Baseline::Lines(_) => "gitleaks ignore file",
                Baseline::Hashes(_) => "detect-secrets baseline",
            };
            InForce { loaded, reason: reason.into(), used: Used::default() }
        };
        let digests = Digests::new(jobs).ok_or(BaselinesError::Random)?;
        Ok(Self { all: loaded.into_iter().map(in_force).collect(), digests, too_many: false })
    }

    /// Takes from what was gathered what was known, and counts it. `stop` ends it early: what was not compared is reported.
    pub fn apply(&mut self, gathered: &mut Gathered, stop: &AtomicBool) {
        if self.all.is_empty() {
            return;
        }
        let salts: Vec<Salt> = self.all.iter().filter_map(InForce::salt).collect();
        for salt in salts {
            let credentials = || gathered.sightings.iter().map(|sighting| &sighting.credential);
            self.too_many |= self.digests.different(credentials()) > self.digests.most;
            self.digests.make(&salt, credentials(), stop);
        }
        let mut notes = Vec::new();
        for sighting in std::mem::take(&mut gathered.sightings) {
            match self.all.iter_mut().find_map(|list| list.knows(&sighting, &self.digests).then(|| Arc::clone(&list.reason)))
            {
                None => gathered.sightings.push(sighting),
                Some(reason) => {
                    notes.push(Note::new(&sighting, true, reason));
                    gathered.known.push(sighting);
                }
            }
        }
        gathered.count(notes);
        gathered.coverage.interrupted |= stop.load(Ordering::Relaxed);
    }

    /// A baseline of what was found and of what older baselines know of it, under `salt` or a new one.
    ///
    /// # Errors
    /// When there are too many different values, or `stop` came first.
    pub fn of(&mut self, gathered: &Gathered, salt: Option<Salt>, stop: &AtomicBool) -> Result<Known, BaselinesError> {
        let salt = salt.or_else(Salt::random).ok_or(BaselinesError::Random)?;
        let credentials = || gathered.sightings.iter().chain(&gathered.known).map(|sighting| &sighting.credential);
        let different = self.digests.different(credentials());
        if different > self.digests.most {
            return Err(BaselinesError::Many { found: different, most: self.digests.most });
        }
        self.digests.make(&salt, credentials(), stop);
        if stop.load(Ordering::Relaxed) {
            return Err(BaselinesError::Interrupted);
        }
        Ok(Known {
            salt,
            digests: credentials().flat_map(|credential| self.digests.of(&salt, credential)).flatten().collect(),
        })
    }

    /// What the operator should know of it.
    pub fn remarks(&self) -> Vec<String> {
        let commits = self.all.iter().filter_map(|list| match &list.loaded.baseline {
            Baseline::Lines(lines) if lines.of_commits > 0 => Some(format!(
                "{}: {} of its fingerprints name a commit; as in gitleaks they hold for that commit, not for files as they lie",
                list.loaded.file, lines.of_commits
            )),
            _ => None,
        });
        let most = self.digests.most;
        let many =
            format!("more than {most} different secrets were found; those beyond were not compared, and are reported");
        commits.chain(self.too_many.then_some(many)).collect()
    }

    /// Entries that nothing was found for, in words.
    pub fn unused(&self) -> Vec<String> {
        self.all.iter().flat_map(InForce::unused).collect()
    }
}

impl InForce {
    fn salt(&self) -> Option<Salt> {
        match &self.loaded.baseline {
            Baseline::Known(known) => Some(known.salt),
            _ => None,
        }
    }

    fn knows(&mut self, sighting: &Sighting, digests: &Digests) -> bool {
        let used = &mut self.used;
        match &self.loaded.baseline {
            Baseline::Known(known) => known_by_digest(known, sighting, digests, used),
            Baseline::Lines(lines) => known_by_line(lines, sighting, (&self.loaded.folder, used)),
            Baseline::Hashes(hashes) => known_by_hash(hashes, sighting, (&self.loaded.folder, used)),
        }
    }

    fn unused(&self) -> Vec<String> {
        let file = &self.loaded.file;
        let idle = |all: usize, used: usize| {
            let idle = all - used;
            let said = format!("{file}: nothing was found for {idle} of its {all} entries");
            if idle == 0 { Vec::new() } else { vec![said] }
        };
        match &self.loaded.baseline {
            Baseline::Known(known) => idle(known.digests.len(), self.used.digests.len()),
            Baseline::Hashes(hashes) => idle(hashes.entries(), self.used.hashes.len()),
            Baseline::Lines(lines) => {
                let idle = lines.entries().filter(|entry| !self.used.lines.contains(entry)).collect::<BTreeSet<usize>>();
                few(idle.into_iter().map(|entry| format!("{file}:{entry}: nothing was found there")).collect())
            }
        }
    }
}

fn known_by_digest(known: &Known, sighting: &Sighting, digests: &Digests, used: &mut Used) -> bool {
    let made: Option<Vec<SlowDigest>> = digests.of(&known.salt, &sighting.credential).collect();
    let Some(made) = made.filter(|made| made.iter().all(|digest| known.digests.contains(digest))) else { return false };
    let told = !made.is_empty();
    used.digests.extend(made);
    told
}

fn known_by_line(lines: &Lines, sighting: &Sighting, (folder, used): (&Path, &mut Used)) -> bool {
    let place = &sighting.occurrence.location;
    let entry = names(sighting, folder).iter().find_map(|path| lines.entry(path, place.line..=place.end_line));
    used.lines.extend(entry);
    entry.is_some()
}

fn known_by_hash(hashes: &Hashes, sighting: &Sighting, (folder, used): (&Path, &mut Used)) -> bool {
    let names = names(sighting, folder);
    let Some(path) = names.iter().find(|path| hashes.has(path)) else { return false };
    let parts = &sighting.credential.parts;
    // detect-secrets hashes values one by one, and does not know that an id belongs to one.
    let secret = parts.iter().filter(|part| !part.public || parts.iter().all(|part| part.public));
    let sha1 = |part: &crate::model::Part| {
        ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, part.value.expose()).as_ref().to_vec()
    };
    let made: Vec<Vec<u8>> = secret.map(sha1).collect();
    let knows = !made.is_empty() && made.iter().all(|hash| hashes.holds(path, hash));
    if knows {
        used.hashes.extend(made.into_iter().map(|hash| (path.clone(), hash)));
    }
    knows
}

/// What other programs may call the sighting's file: from the baseline's folder, from the repository's root, in full, or as
/// the user named it.
fn names(sighting: &Sighting, folder: &Path) -> Vec<String> {
    let Some(spot) = &sighting.spot else { return Vec::new() };
    let from_folder = spot.full.strip_prefix(folder).ok();
    let paths = [from_folder, spot.inside.as_deref(), Some(&*spot.full), Some(Path::new(&sighting.occurrence.path))];
    let text =
        |path: &Path| path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/").trim_start_matches("./").to_owned();
    paths.into_iter().flatten().map(text).collect()
}
