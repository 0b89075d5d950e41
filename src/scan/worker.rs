//! A scanning thread's tools and harvest: whatever a source hands it is read through one buffer, scanned, judged and kept.

mod archives;
pub(super) mod names;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::allow::{Judged, Place, Tree};
use super::collect::{Gathered, Note, Sighting};
use super::walk::{Counters, Request};
use crate::detect::{Found, Lines, Scanner};
use crate::model::{Blob, Provenance};
use crate::source::archive::{self, Head, Input};
use crate::source::git;
use crate::source::{Entry, Item, Visit, Windows, WorkFile};
use archives::Depth;

/// Credentials kept of one file, with all that is in it where it is an archive. A file with more is somebody's attempt to
/// fill the memory, or a list to be dealt with as one.
const MOST: usize = 20_000;
/// And of those with less confidence than is asked for, which matter only where others have the same value.
const MOST_FAINT: usize = 1000;

/// One thread's tools and harvest.
pub(super) struct Worker<'r> {
    request: &'r Request<'r>,
    scanner: Scanner<'r>,
    /// Read buffers: one, and one more for each archive that another is in.
    windows: Vec<Windows>,
    gathered: Gathered,
    called: names::Called,
}

thread_local! {
    /// The read buffers outlive a worker: rayon makes many short-lived ones.
    static BUFFERS: std::cell::Cell<Vec<Windows>> = const { std::cell::Cell::new(Vec::new()) };
}

/// A file's bytes, and the file itself where it lies on disk.
struct Bytes<'b> {
    reader: &'b mut dyn Read,
    file: Option<&'b File>,
}

impl<'r> Worker<'r> {
    pub(super) fn new(request: &'r Request<'r>) -> Self {
        let (scanner, called) = (Scanner::new(request.set), names::Called::default());
        Self { request, scanner, windows: BUFFERS.take(), gathered: Gathered::default(), called }
    }

    /// What it found and how far it looked; the worker starts afresh.
    pub(super) fn harvest(&mut self) -> Gathered {
        std::mem::take(&mut self.gathered)
    }

    /// Grows with whatever is worth a second look: found, allowed or not, put aside, or not read.
    pub(super) fn noted(&self) -> u64 {
        let Gathered { sightings, allowed, faint, coverage, .. } = &self.gathered;
        let aside: u64 = coverage.suppressed.values().sum();
        (sightings.len() + allowed.len() + faint.len() + coverage.troubles.len()) as u64 + coverage.more_troubles + aside
    }

    pub(super) fn item(mut self, (tree, item): (Option<&Tree>, Item)) -> Self {
        match item {
            Item::Skipped(reason) => self.gathered.coverage.skip(reason),
            Item::Trouble { path, why } => self.gathered.coverage.trouble(path, why),
            Item::Named(path) => self.names(&path, &Provenance::Worktree, &Place::nowhere()),
            Item::File(file) => match tree.map_or(Judged::Stays, |tree| tree.leaves_out(&file.path)) {
                Judged::Allowed(reason) => self.gathered.coverage.skip(&reason),
                Judged::Disregarded(reason) => {
                    self.gathered.coverage.allow(false, &reason);
                    self.on_disk(&file, tree);
                }
                Judged::Stays => self.on_disk(&file, tree),
            },
        }
        self
    }

    fn on_disk(&mut self, file: &WorkFile, tree: Option<&Tree>) {
        let opened = match File::open(&file.path) {
            Ok(opened) => opened,
            Err(error) => return self.gathered.coverage.trouble(&file.shown, error.to_string()),
        };
        let entry = Entry { path: &file.shown, provenance: &Provenance::Worktree };
        let place = Place::file(tree, &file.path, &file.shown).of_repository(file.above);
        if file.is_git && git::is_list(&file.shown) {
            return self.guarded(&entry, &place, Bytes { reader: &mut git::Listed::new(&opened), file: None }, None);
        }
        self.guarded(&entry, &place, Bytes { reader: &mut &opened, file: Some(&opened) }, None);
    }

    /// Reads something of a git repository that was looked at before, and is counted.
    pub(super) fn again(&mut self, entry: &Entry<'_>, (target, full): (&Path, &Path), text: &mut dyn Read) {
        let tree = self.request.allow.tree(target);
        match tree.map_or(Judged::Stays, |tree| tree.leaves_out(full)) {
            Judged::Allowed(reason) => return self.gathered.coverage.skip(&reason),
            Judged::Disregarded(reason) => self.gathered.coverage.allow(false, &reason),
            Judged::Stays => {}
        }
        self.read(entry, &Place::file(tree, full, entry.path), text);
        let coverage = &mut self.gathered.coverage;
        (coverage.files, coverage.bytes) = (0, 0);
        // What was put aside elsewhere is not counted either.
        coverage.suppressed.clear();
    }

    /// Looks at what something in a repository is called.
    pub(super) fn called_again(&mut self, entry: &Entry<'_>, (target, full): (&Path, &Path)) {
        let tree = self.request.allow.tree(target);
        if !matches!(tree.map_or(Judged::Stays, |tree| tree.leaves_out(full)), Judged::Allowed(_)) {
            self.names(entry.path, entry.provenance, &Place::file(tree, full, entry.path));
        }
    }

    /// It could not be read again.
    pub(super) fn lost(&mut self, what: &str, why: &str) {
        self.gathered.coverage.trouble(what, why);
    }

    /// Reads one file. A panic costs this file, not the scan.
    pub(super) fn read(&mut self, entry: &Entry<'_>, place: &Place<'_>, reader: &mut dyn Read) {
        self.guarded(entry, place, Bytes { reader, file: None }, None);
    }

    fn guarded(&mut self, entry: &Entry<'_>, place: &Place<'_>, bytes: Bytes<'_>, depth: Option<Depth>) {
        let read = || self.one(entry, place, bytes, depth);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err() {
            self.scanner = Scanner::new(self.request.set);
            self.gathered.coverage.trouble(entry.path, "the scanner failed on this file; please report it");
        }
    }

    /// Reads a file as what it is.
    fn one(&mut self, entry: &Entry<'_>, place: &Place<'_>, bytes: Bytes<'_>, depth: Option<Depth>) {
        self.names(entry.path, entry.provenance, place);
        let reach = self.request.set.reach();
        let mut windows = self.windows.pop().unwrap_or_else(|| Windows::new(reach));
        let Bytes { reader, file } = bytes;
        let mut reader = Stoppable { reader, counters: self.request.counters };
        windows.begin(&mut reader);
        let head = Head { bytes: windows.head(), is_whole: windows.is_whole() };
        let kept = depth.as_ref().map_or(self.kept(), |depth| depth.kept);
        let mut is_read = false;
        if let Some(format) = archive::format_of(&head) {
            let mut input = Input { head: head.bytes, rest: &mut reader, is_whole: head.is_whole, file };
            is_read = self.archive((entry, place), format, &mut input, depth);
            // What nothing came out of may be something else: it is read as it stands, where it can be read again.
            let again = !is_read && !windows.is_whole() && file.is_some_and(|mut file| file.rewind().is_ok());
            if again {
                windows.begin(&mut reader);
            }
        } else if let Some(why) = archive::unread(head.bytes) {
            self.gathered.coverage.skip(why);
        }
        if is_read {
            self.gathered.coverage.files += 1;
            self.request.counters.files.fetch_add(1, Ordering::Relaxed);
        } else {
            self.windows(&mut windows, (entry, place), &mut reader, kept);
        }
        windows.forget();
        self.windows.push(windows);
    }

    fn kept(&self) -> usize {
        self.gathered.sightings.len() + self.gathered.allowed.len()
    }

    /// Scans a file as it stands.
    fn windows(
        &mut self,
        windows: &mut Windows,
        (entry, place): (&Entry<'_>, &Place<'_>),
        reader: &mut Stoppable<'_>,
        before: usize,
    ) {
        let Entry { path: shown, provenance } = *entry;
        let (scanner, gathered, request) = (&mut self.scanner, &mut self.gathered, self.request);
        let kept = |all: &Gathered| all.sightings.len() + all.allowed.len();
        let mut is_over = false;
        let inside = place.inside(shown);
        let (bytes, result) = windows.read(shown, reader, &mut |blob| {
            let room = MOST.saturating_sub(kept(gathered) - before);
            if !is_over {
                let blob = Blob { inside: &inside, ..blob.clone() };
                is_over = blob_found(scanner, &blob, From { place, provenance, room }, request, gathered);
            }
        });
        if is_over {
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

impl Visit for Worker<'_> {
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
        self.read(file, &Place::nowhere(), reader);
    }

    fn named(&mut self, entry: &Entry<'_>) {
        self.names(entry.path, entry.provenance, &Place::nowhere());
    }

    fn skip(&mut self, reason: &str) {
        self.gathered.coverage.skip(reason);
    }

    fn trouble(&mut self, path: &str, why: &str) {
        self.gathered.coverage.trouble(path, why);
    }

    fn is_stopped(&self) -> bool {
        self.request.counters.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        BUFFERS.set(std::mem::take(&mut self.windows));
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

/// Keeps what is found; whether there is more than is kept.
fn blob_found(
    scanner: &mut Scanner<'_>,
    blob: &Blob<'_>,
    from: From<'_>,
    request: &Request<'_>,
    all: &mut Gathered,
) -> bool {
    let lines = Lines::of(blob);
    let mut is_over = false;
    let (mut room, mut faint) = (from.room, MOST_FAINT);
    scanner.scan(blob, &mut |found| match found {
        Found::Suppressed { detector, reason, span } => {
            all.suppressed(blob.path, lines.locate(&span), &detector, reason);
        }
        Found::Credential(credential) if credential.confidence < request.least && faint == 0 => {
            all.coverage.suppress("low confidence");
        }
        Found::Credential(credential) if room == 0 => is_over |= credential.confidence >= request.least,
        Found::Credential(credential) => {
            let is_faint = credential.confidence < request.least;
            let judged = request.allow.judge(&credential, (blob, request.set.reach()), from.place);
            let sighting =
                Sighting { spot: from.place.spot(), ..Sighting::new(credential, blob.path, &lines, from.provenance) };
            if is_faint {
                faint -= 1;
            } else {
                room -= 1;
                request.counters.found.fetch_add(1, Ordering::Relaxed);
            }
            match judged {
                // What would not be reported needs no leave.
                Judged::Allowed(_) if is_faint => all.coverage.suppress("low confidence"),
                _ if is_faint => all.faint.push(sighting),
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
    is_over
}

#[cfg(test)]
mod tests;
