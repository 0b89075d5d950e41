//! Runs scanning threads over targets.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::iter::{ParallelBridge, ParallelIterator};

use super::allow::{Allowing, Place};
use super::collect::Gathered;
use super::image::ImageTarget;
use super::worker::Worker;
use crate::detect::DetectorSet;
use crate::model::{Confidence, Provenance};
use crate::source::{Entry, Walk, WalkOptions};

/// Something to scan.
pub enum Target {
    /// A file or folder.
    Path(PathBuf),
    /// Standard input, opened by the caller.
    Stdin(Box<dyn Read + Send>),
    /// A container image.
    Image(ImageTarget),
}

/// What to scan and how.
pub struct Request<'r> {
    /// The detectors.
    pub set: &'r DetectorSet,
    /// What is found and not reported.
    pub allow: &'r Allowing<'r>,
    /// How to walk folders.
    pub walk: WalkOptions,
    /// Threads; 0 for one a core.
    pub jobs: usize,
    /// Least confidence of what is kept.
    pub least: Confidence,
    /// Updated while the scan runs.
    pub counters: &'r Counters,
}

/// Progress, readable from another thread, and the switch that ends a scan early.
#[derive(Debug, Default)]
pub struct Counters {
    /// Files read.
    pub files: AtomicU64,
    /// Bytes read.
    pub bytes: AtomicU64,
    /// Credentials seen, before grouping.
    pub found: AtomicU64,
    /// Set it to stop.
    pub stop: AtomicBool,
}

/// Scans all targets. Never fails: what could not be read stands in the coverage.
pub fn run(targets: Vec<Target>, request: &Request<'_>) -> Gathered {
    let mut all = Gathered::default();
    let mut paths = Vec::new();
    for target in targets {
        match target {
            Target::Path(path) => paths.push(path),
            Target::Image(target) => all.merge(super::image::run(&target, request)),
            Target::Stdin(mut reader) => {
                let mut worker = Worker::new(request);
                let stdin = Entry { path: "<stdin>", provenance: &Provenance::Stdin };
                worker.read(&stdin, &Place::nowhere(), &mut *reader);
                all.merge(worker.harvest());
            }
        }
    }
    all.merge(run_paths(&paths, request));
    all.coverage.interrupted |= request.counters.stop.load(Ordering::Relaxed);
    all.finish();
    all
}

fn run_paths(paths: &[PathBuf], request: &Request<'_>) -> Gathered {
    let items = paths.iter().flat_map(|path: &PathBuf| {
        let tree = request.allow.tree(path);
        Walk::new(Path::new(path), request.walk).map(move |item| (tree, item))
    });
    let items = items.take_while(|_| !request.counters.stop.load(Ordering::Relaxed));
    let total = Mutex::new(Gathered::default());
    let scan = || {
        items.par_bridge().fold(|| Worker::new(request), Worker::item).for_each(|mut worker| {
            let gathered = worker.harvest();
            total.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(gathered);
        });
    };
    match rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build() {
        Ok(pool) => pool.install(scan),
        // No threads to be had: the caller's own will do.
        Err(_) => scan(),
    }
    total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
