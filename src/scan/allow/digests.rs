//! Slow digests of credentials' values, on as many threads as there are, each value once.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::model::Credential;
use crate::secret::{Fingerprint, FingerprintKey, Salt, Secret, SlowDigest, Stretcher};

/// Different values that are compared or written: at 12 ms each (measured), a minute of two cores. A tree full of planted keys must
/// not cost hours.
const MOST: usize = 10_000;
/// Threads, each in 7 MiB of its own.
const THREADS: usize = 16;

/// Makes slow digests and remembers them under names that die with this run.
pub(super) struct Digests {
    names: FingerprintKey,
    threads: usize,
    pub(super) most: usize,
    made: HashMap<(Salt, Fingerprint), SlowDigest>,
}

impl Digests {
    /// `None` when the system has no random numbers.
    pub(super) fn new(jobs: usize) -> Option<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = if jobs == 0 { cores } else { jobs }.min(THREADS);
        Some(Self { names: FingerprintKey::random()?, threads, most: MOST, made: HashMap::new() })
    }

    /// How many different values there are.
    pub(super) fn different<'c>(&self, credentials: impl Iterator<Item = &'c Credential>) -> usize {
        let names = credentials.flat_map(values).map(|secret| self.names.fingerprint(secret.expose()));
        names.collect::<HashSet<_>>().len()
    }

    /// Makes what is missing, up to the bound, until `stop` is set.
    pub(super) fn make<'c>(&mut self, salt: &Salt, credentials: impl Iterator<Item = &'c Credential>, stop: &AtomicBool) {
        let mut missing: Vec<(Fingerprint, Secret)> = Vec::new();
        let mut different = HashSet::new();
        for secret in credentials.flat_map(values) {
            let name = self.names.fingerprint(secret.expose());
            if different.insert(name) && different.len() <= self.most && !self.made.contains_key(&(*salt, name)) {
                missing.push((name, secret));
            }
        }
        let digest = |stretcher: &mut Stretcher, (name, secret): (Fingerprint, Secret)| {
            if stop.load(Ordering::Relaxed) { None } else { Some(((*salt, name), stretcher.digest(salt, &secret)?)) }
        };
        let threads = self.threads.min(missing.len());
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) if threads > 1 => {
                let made: Vec<_> =
                    pool.install(|| missing.into_par_iter().map_init(Stretcher::new, digest).flatten_iter().collect());
                self.made.extend(made);
            }
            _ if threads > 0 => {
                let mut stretcher = Stretcher::new();
                self.made.extend(missing.into_iter().filter_map(|one| digest(&mut stretcher, one)));
            }
            _ => {}
        }
    }

    /// The digests that tell a credential, `None` for each that was not made.
    pub(super) fn of(&self, salt: &Salt, credential: &Credential) -> impl Iterator<Item = Option<SlowDigest>> {
        let find = |secret: Secret| self.made.get(&(*salt, self.names.fingerprint(secret.expose()))).copied();
        values(credential).map(find)
    }
}

/// What must be known for a credential to be: the part that names it and all that are secret, each for its detector and
/// purpose alone.
fn values(credential: &Credential) -> impl Iterator<Item = Secret> {
    let telling = credential.parts.iter().enumerate().filter(|(n, part)| *n == 0 || !part.public);
    telling.map(|(_, part)| part.value.labelled(&[&credential.detector, &part.name]))
}
