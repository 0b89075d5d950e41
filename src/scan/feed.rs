//! From readers to scanning threads. A layer is one stream that only one thread can unpack; its files are scanned by others.
//! Small files go over in batches, large ones piece by piece, both through bounded channels: memory does not grow with what
//! is read, and readers that wait (for the network, for a slow codec) keep no core from scanning.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::collect::Gathered;
use super::walk::Request;
use super::worker::Worker;
use crate::model::{Coverage, Provenance};
use crate::source::{Entry, SHORTEST_NAME, Visit};

/// Bytes of small files that go over together.
const BATCH: usize = 1 << 20;
/// Files that go over together.
const FILES: usize = 2048;
/// A larger file goes over in pieces of this size.
const PIECE: usize = 256 << 10;
/// Pieces of one file, and jobs, that wait.
const WAITING: usize = 4;

/// Reads units numbered from 0 and scans what they push. `read` reads one, in a thread of its own, and says whether it was
/// read whole; what comes back says of each whether it was and nothing stood in it.
pub(super) fn run(
    units: usize,
    request: &Request<'_>,
    read: &(dyn Fn(usize, &mut dyn Visit) -> bool + Sync),
) -> (Gathered, Vec<bool>) {
    let threads = if request.jobs == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { request.jobs };
    let (sender, receiver) = sync_channel(WAITING * threads);
    let receiver = Mutex::new(receiver);
    let marks: Vec<Arc<Mark>> = (0..units).map(|_| Arc::default()).collect();
    let (next, pool) = (AtomicUsize::new(0), Pool::default());
    let mut all = Gathered::default();
    std::thread::scope(|scope| {
        let scanners: Vec<_> = (0..threads).map(|_| scope.spawn(|| scan(request, &receiver, &pool))).collect();
        let feeders: Vec<_> = (0..threads.min(units))
            .map(|_| {
                let (sender, marks, next, pool) = (sender.clone(), &marks, &next, &pool);
                scope.spawn(move || feed(&sender, (marks, next), (request, pool), read))
            })
            .collect();
        drop(sender);
        let mut lost = 0;
        for feeder in feeders {
            feeder.join().map_or_else(|_| lost += 1, |coverage| all.coverage.merge(coverage));
        }
        for scanner in scanners {
            scanner.join().map_or_else(|_| lost += 1, |gathered| all.merge(gathered));
        }
        for _ in 0..lost {
            all.coverage.trouble("", "a scanning thread failed, and what it had found is lost; please report it");
        }
    });
    let clean = marks.iter().map(|mark| mark.whole.load(Ordering::Relaxed) && !mark.noted.load(Ordering::Relaxed));
    (all, clean.collect())
}

/// What is known of a unit.
#[derive(Default)]
struct Mark {
    whole: AtomicBool,
    noted: AtomicBool,
}

/// Buffers that were scanned and can be filled again.
#[derive(Default)]
struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < 64 {
            pool.push(buffer);
        }
    }
}

struct Job {
    provenance: Arc<Provenance>,
    mark: Arc<Mark>,
    what: What,
}

enum What {
    /// Without a range it is a name alone.
    Files {
        bytes: Vec<u8>,
        files: Vec<(String, Option<Range<usize>>)>,
    },
    Stream {
        path: String,
        pieces: Receiver<io::Result<Vec<u8>>>,
    },
}

fn scan(request: &Request<'_>, jobs: &Mutex<Receiver<Job>>, pool: &Pool) -> Gathered {
    let mut worker = Worker::new(request);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { provenance, mark, what }) = job else { return worker.harvest() };
        let before = worker.noted();
        match what {
            What::Files { bytes, files } => {
                for (path, range) in &files {
                    if worker.is_stopped() {
                        break;
                    }
                    let entry = Entry { path, provenance: &provenance };
                    match range {
                        Some(range) => worker.file(&entry, &mut &bytes[range.clone()]),
                        None => worker.named(&entry),
                    }
                }
                pool.give(bytes);
            }
            What::Stream { path, pieces } => {
                let mut reader = Pieces { pieces, pool, piece: Vec::new(), at: 0 };
                worker.file(&Entry { path: &path, provenance: &provenance }, &mut reader);
            }
        }
        if worker.noted() > before {
            mark.noted.store(true, Ordering::Relaxed);
        }
    }
}

/// Reads units until there are none.
fn feed(
    jobs: &SyncSender<Job>,
    (marks, next): (&[Arc<Mark>], &AtomicUsize),
    (request, pool): (&Request<'_>, &Pool),
    read: &(dyn Fn(usize, &mut dyn Visit) -> bool + Sync),
) -> Coverage {
    let mut coverage = Coverage::default();
    loop {
        let unit = next.fetch_add(1, Ordering::Relaxed);
        let Some(mark) = marks.get(unit).filter(|_| !request.counters.stop.load(Ordering::Relaxed)) else { return coverage };
        let mut feeder = Feeder {
            request,
            jobs,
            pool,
            mark: Arc::clone(mark),
            provenance: Arc::new(Provenance::Worktree),
            bytes: pool.take(),
            files: Vec::new(),
            coverage: Coverage::default(),
        };
        let reading = std::panic::AssertUnwindSafe(|| read(unit, &mut feeder));
        let whole = std::panic::catch_unwind(reading).unwrap_or_else(|_| {
            feeder.trouble(&format!("part {unit}"), "the reader failed on it; please report it");
            false
        });
        feeder.flush();
        pool.give(std::mem::take(&mut feeder.bytes));
        mark.whole.store(whole && feeder.coverage.is_complete(), Ordering::Relaxed);
        coverage.merge(feeder.coverage);
    }
}

struct Feeder<'f> {
    request: &'f Request<'f>,
    jobs: &'f SyncSender<Job>,
    pool: &'f Pool,
    mark: Arc<Mark>,
    provenance: Arc<Provenance>,
    bytes: Vec<u8>,
    files: Vec<(String, Option<Range<usize>>)>,
    coverage: Coverage,
}

impl Feeder<'_> {
    fn send(&self, what: What) {
        let job = Job { provenance: Arc::clone(&self.provenance), mark: Arc::clone(&self.mark), what };
        // Nobody is there any more only when every scanner has panicked, which `run` says.
        let _ = self.jobs.send(job);
    }

    /// What comes next is of this part.
    fn of(&mut self, entry: &Entry<'_>) {
        if *self.provenance != *entry.provenance {
            self.flush();
            self.provenance = Arc::new(entry.provenance.clone());
        }
    }

    fn flush(&mut self) {
        if !self.files.is_empty() {
            let bytes = std::mem::replace(&mut self.bytes, self.pool.take());
            let files = std::mem::take(&mut self.files);
            self.send(What::Files { bytes, files });
        }
    }

    fn stream(&mut self, path: &str, first: Vec<u8>, reader: &mut dyn Read) {
        self.flush();
        let (sender, pieces) = sync_channel(WAITING);
        self.send(What::Stream { path: path.to_owned(), pieces });
        let mut piece = Ok(first);
        loop {
            let end = piece.as_ref().map_or(true, Vec::is_empty);
            // The other side takes no more than it wants.
            if sender.send(piece).is_err() || end {
                return;
            }
            let mut buffer = self.pool.take();
            piece = reader.take(PIECE as u64).read_to_end(&mut buffer).map(|_| buffer);
        }
    }
}

impl Visit for Feeder<'_> {
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
        self.of(file);
        let start = self.bytes.len();
        let read = reader.take(PIECE as u64).read_to_end(&mut self.bytes);
        let end = self.bytes.len();
        if read.is_ok() && end - start == PIECE {
            let first = self.bytes.split_off(start);
            return self.stream(file.path, first, reader);
        }
        self.files.push((file.path.to_owned(), Some(start..end)));
        if let Err(error) = read {
            self.trouble(file.path, &format!("{error} (after {} bytes)", end - start));
        }
        if end >= BATCH || self.files.len() >= FILES {
            self.flush();
        }
    }

    fn named(&mut self, entry: &Entry<'_>) {
        if entry.path.len() >= SHORTEST_NAME {
            self.of(entry);
            self.files.push((entry.path.to_owned(), None));
            if self.files.len() >= FILES {
                self.flush();
            }
        }
    }

    fn skip(&mut self, reason: &str) {
        self.coverage.skip(reason);
    }

    fn trouble(&mut self, path: &str, why: &str) {
        self.coverage.trouble(path, why);
    }

    fn is_stopped(&self) -> bool {
        self.request.counters.stop.load(Ordering::Relaxed)
    }
}

/// A large file as it comes over.
struct Pieces<'p> {
    pieces: Receiver<io::Result<Vec<u8>>>,
    pool: &'p Pool,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            // Without an empty piece at the end the feeder has panicked, which it says.
            let next = self.pieces.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            self.pool.give(std::mem::replace(&mut self.piece, next));
            self.at = 0;
        }
        let got = into.len().min(self.piece.len() - self.at);
        into[..got].copy_from_slice(&self.piece[self.at..self.at + got]);
        self.at += got;
        Ok(got)
    }
}
