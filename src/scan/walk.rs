//! Runs scanning threads over targets.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::iter::{ParallelBridge, ParallelIterator};

use super::allow::{Allowing, Judged, Place, Tree};
use super::collect::{Gathered, Note, Sighting};
use crate::detect::{DetectorSet, Found, Lines, Scanner};
use crate::model::{Blob, Confidence, Provenance};
use crate::source::{Item, Walk, WalkOptions, Windows, WorkFile};

/// Credentials kept of one file. A file with more is somebody's attempt to fill the memory, or a list to be dealt with as one.
const MOST: usize = 20_000;

/// Something to scan.
pub enum Target {
    /// A file or folder.
    Path(PathBuf),
    /// Standard input, opened by the caller.
    Stdin(Box<dyn Read + Send>),
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
            Target::Stdin(mut reader) => {
                let mut worker = Worker::new(request);
                worker.read(("<stdin>", &Place::nowhere()), &mut *reader, &Provenance::Stdin);
                all.merge(std::mem::take(&mut worker.gathered));
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
            let gathered = std::mem::take(&mut worker.gathered);
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

/// One thread's tools and harvest.
struct Worker<'r> {
    request: &'r Request<'r>,
    scanner: Scanner<'r>,
    windows: Option<Windows>,
    gathered: Gathered,
}

thread_local! {
    /// The read buffer outlives a worker: rayon makes many short-lived ones.
    static BUFFER: std::cell::Cell<Option<Windows>> = const { std::cell::Cell::new(None) };
}

impl<'r> Worker<'r> {
    fn new(request: &'r Request<'r>) -> Self {
        Self { request, scanner: Scanner::new(request.set), windows: BUFFER.take(), gathered: Gathered::default() }
    }

    fn item(mut self, (tree, item): (Option<&Tree>, Item)) -> Self {
        match item {
            Item::Skipped(reason) => self.gathered.coverage.skip(reason),
            Item::Trouble { path, why } => self.gathered.coverage.trouble(path, why),
            Item::File(file) => match tree.map_or(Judged::Stays, |tree| tree.leaves_out(&file.path)) {
                Judged::Allowed(reason) => self.gathered.coverage.skip(&reason),
                Judged::Disregarded(reason) => {
                    self.gathered.coverage.allow(false, &reason);
                    self.file(&file, tree);
                }
                Judged::Stays => self.file(&file, tree),
            },
        }
        self
    }

    /// Reads one file. A panic costs this file, not the scan.
    fn file(&mut self, file: &WorkFile, tree: Option<&Tree>) {
        let mut reader = match std::fs::File::open(&file.path) {
            Ok(reader) => reader,
            Err(error) => return self.gathered.coverage.trouble(&file.shown, error.to_string()),
        };
        let place = Place::file(tree, &file.path);
        let read = || self.read((&file.shown, &place), &mut reader, &Provenance::Worktree);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err() {
            self.scanner = Scanner::new(self.request.set);
            self.gathered.coverage.trouble(&file.shown, "the scanner failed on this file; please report it");
        }
    }

    fn read(&mut self, (shown, place): (&str, &Place<'_>), reader: &mut dyn Read, provenance: &Provenance) {
        let reach = self.request.set.reach();
        let windows = self.windows.get_or_insert_with(|| Windows::new(reach));
        let (scanner, gathered, request) = (&mut self.scanner, &mut self.gathered, self.request);
        let mut stoppable = Stoppable { reader, counters: request.counters };
        let kept = |all: &Gathered| all.sightings.len() + all.allowed.len();
        let before = kept(gathered);
        let (bytes, result) = windows.read(shown, &mut stoppable, &mut |blob| {
            let room = MOST - (kept(gathered) - before);
            if room > 0 {
                blob_found(scanner, blob, From { place, provenance, room }, request, gathered);
            }
        });
        if kept(gathered) - before >= MOST {
            gathered
                .coverage
                .trouble(shown, format!("more than {MOST} credentials in one file; the rest was not looked at"));
        }
        gathered.coverage.files += 1;
        gathered.coverage.bytes += bytes;
        request.counters.files.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = result {
            gathered.coverage.trouble(shown, format!("{error} (after {bytes} bytes)"));
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        BUFFER.set(self.windows.take());
    }
}

/// Counts bytes, and ends a long read when the scan is to stop.
struct Stoppable<'s> {
    reader: &'s mut dyn Read,
    counters: &'s Counters,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.counters.stop.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("interrupted"));
        }
        let got = self.reader.read(into)?;
        self.counters.bytes.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Where a blob comes from, and how many more credentials are taken of it.
#[derive(Clone, Copy)]
struct From<'f> {
    place: &'f Place<'f>,
    provenance: &'f Provenance,
    room: usize,
}

fn blob_found(scanner: &mut Scanner<'_>, blob: &Blob<'_>, from: From<'_>, request: &Request<'_>, all: &mut Gathered) {
    let lines = Lines::of(blob);
    let mut room = from.room;
    scanner.scan(blob, &mut |found| match found {
        Found::Suppressed { detector, reason, span } => {
            all.suppressed(blob.path, lines.locate(&span), &detector, reason);
        }
        Found::Credential(credential) if credential.confidence < request.least => {
            all.coverage.suppress("low confidence");
        }
        Found::Credential(_) if room == 0 => {}
        Found::Credential(credential) => {
            room -= 1;
            request.counters.found.fetch_add(1, Ordering::Relaxed);
            let judged = request.allow.judge(&credential, (blob, request.set.reach()), from.place);
            let sighting =
                Sighting { spot: from.place.spot(), ..Sighting::new(credential, blob.path, &lines, from.provenance) };
            match judged {
                Judged::Stays => all.sightings.push(sighting),
                Judged::Disregarded(reason) => {
                    all.notes.push(Note::new(&sighting, false, reason));
                    all.sightings.push(sighting);
                }
                Judged::Allowed(reason) => {
                    all.notes.push(Note::new(&sighting, true, reason));
                    all.allowed.push(sighting);
                }
            }
        }
    });
}
