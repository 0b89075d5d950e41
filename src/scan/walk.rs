//! Runs scanning threads over targets.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rayon::iter::{ParallelBridge, ParallelIterator};

use super::allow::{Allowing, Place};
use super::collect::Gathered;
use super::image::ImageTarget;
use super::worker::Worker;
use crate::detect::DetectorSet;
use crate::model::{Confidence, Provenance};
use crate::source::git::WantedHistory;
use crate::source::{Entry, Walk, WalkOptions, environment};

/// Something to scan.
pub enum Target {
    /// A file or folder.
    Path(PathBuf),
    /// Standard input, opened by the caller.
    Stdin(Box<dyn Read + Send>),
    /// Every object of the repository that a folder is, or lies in.
    History(PathBuf, WantedHistory),
    /// Single objects of the repository that a folder is, or lies in.
    Objects(PathBuf, Vec<HistoryPlace>),
    /// An environment, copied by the caller: `NAME=value`, a line each.
    Environment(Vec<u8>),
    /// The environments of all processes below this folder, which is `/proc`.
    Processes(PathBuf),
    /// A container image.
    Image(ImageTarget),
    /// Another scanner's report.
    Reported(PathBuf),
}

/// An object of a repository, to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPlace {
    /// Its name, hex.
    pub object: String,
    /// The path that it is shown with, without the names inside.
    pub path: String,
}

/// What to scan and how.
pub struct Request<'r> {
    /// The detectors.
    pub set: &'r DetectorSet,
    /// What is found and not reported.
    pub allow: &'r Allowing<'r>,
    /// How to walk folders.
    pub walk: WalkOptions,
    /// Archives in archives that are opened; 0 opens none.
    pub archive_depth: usize,
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
    /// Set it to stop; whoever stops other things as well shares it.
    pub stop: Arc<AtomicBool>,
}

/// Scans all targets. Never fails: what could not be read stands in the coverage.
pub fn run(targets: Vec<Target>, request: &Request<'_>) -> Gathered {
    let mut all = Gathered::default();
    let mut paths = Vec::new();
    for target in targets {
        match target {
            Target::Path(path) => paths.push(path),
            Target::History(path, wanted) => all.merge(super::history::run(&path, &wanted, request)),
            Target::Objects(path, places) => all.merge(super::history::objects(&path, &places, request)),
            Target::Environment(text) => all.merge(by_one(request, |worker| environment::own(&text, worker))),
            Target::Processes(proc) => all.merge(by_one(request, |worker| environment::processes(&proc, worker))),
            Target::Reported(path) => all.merge(super::reported::run(&path, request)),
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
    super::worker::names::of_troubles(&mut all, request);
    super::repeat::weigh(&mut all, request.set, request.least);
    all.finish();
    all
}

/// What the caller's own thread finds.
fn by_one(request: &Request<'_>, read: impl FnOnce(&mut Worker<'_>)) -> Gathered {
    let mut worker = Worker::new(request);
    read(&mut worker);
    worker.harvest()
}

pub(super) fn run_paths(paths: &[PathBuf], request: &Request<'_>) -> Gathered {
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
    threads(request, scan);
    total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs `work` where it finds the threads that were asked for.
pub(super) fn threads<T: Send>(request: &Request<'_>, work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build() {
        Ok(pool) => pool.install(work),
        // No threads to be had: the caller's own will do.
        Err(_) => work(),
    }
}
