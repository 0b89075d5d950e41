//! Every object of a repository: looked at once without its path, on all threads; and where that finds something, again with it.
//!
//! The first look may say too much and never too little, so what is reported is what a scan of each version's file would report.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::collect::{Gathered, Sighting};
use super::walk::{HistoryPlace, Request, run_paths, threads};
use super::worker::{Worker, names};
use crate::detect::{Found, NEAR, Scanner};
use crate::model::{Blob, Clue, CommitPlace, Coverage, Provenance};
use crate::source::archive::{self, Head};
use crate::source::git::{
    self, Brought, Folders, GitError, GitPlace, History, Kind, Names, Reach, Reader, Sift, Store, TreeReader, Unit,
    WantedHistory,
};
use crate::source::{Entry, Visit, WalkOptions};

/// Scans every object of the repository at or above `path`; and, where all of it is wanted, of those below, each once.
pub(super) fn run(path: &Path, wanted: &WantedHistory, request: &Request<'_>) -> Gathered {
    let mut all = Gathered::default();
    let mut seen = HashSet::new();
    let mut folders = Vec::new();
    let below = if wanted.is_all() { git::below(path) } else { Vec::new() };
    match Store::open(path) {
        Ok(store) => {
            seen.insert(store.place.common_dir().to_owned());
            folders.extend(own_folders(&store.place));
            all.merge(one(&store, (path, path), wanted, request));
        }
        Err(GitError::NoRepository(_)) if !below.is_empty() => {}
        Err(error) => all.coverage.trouble(path.display().to_string(), error.to_string()),
    }
    for inner in below.iter().filter(|inner| *inner != path) {
        if request.counters.stop.load(Ordering::Relaxed) {
            break;
        }
        match GitPlace::whole(inner) {
            Ok(place) => {
                folders.extend(own_folders(&place));
                if seen.insert(place.common_dir().to_owned()) {
                    all.merge(one(&Store::at(place), (path, inner), wanted, request));
                }
            }
            // Left behind by a submodule or a working tree that went away.
            Err(GitError::NoRepository(_)) => all.coverage.skip("git file that leads to no repository"),
            Err(error) => all.coverage.trouble(inner.display().to_string(), error.to_string()),
        }
    }
    if wanted.is_all() {
        // The rules of a working tree are not those of its git folder.
        let walk = WalkOptions { no_ignore: true, git: true };
        all.merge(run_paths(&elsewhere(path, &folders), &Request { walk, ..*request }));
    }
    all
}

/// Where a repository keeps what is no object: logs, messages, settings.
fn own_folders(place: &GitPlace) -> [PathBuf; 2] {
    [place.common_dir().to_owned(), place.git.clone()]
}

/// The folders that the walk of `target` does not come by.
fn elsewhere(target: &Path, folders: &[PathBuf]) -> Vec<PathBuf> {
    let full = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let target = full(target);
    let mut all: Vec<PathBuf> = folders.iter().map(|folder| full(folder)).collect();
    all.sort();
    // What lies in another of them is read with that one.
    all.dedup_by(|b, a| b.starts_with(&*a));
    all.retain(|folder| !folder.starts_with(&target));
    all
}

/// Scans every object of a repository: the target, and the folder in it where the repository was found.
fn one(store: &Store, (target, path): (&Path, &Path), wanted: &WantedHistory, request: &Request<'_>) -> Gathered {
    let mut all = Gathered::default();
    let shown = path.display().to_string();
    for (what, why) in store.troubles() {
        all.coverage.trouble(what.clone(), why.clone());
    }
    // Passed over on purpose, by whoever made the clone.
    let left_out = [
        (store.place.shallow, "history that a shallow clone leaves out"),
        (store.place.partial, "objects that a partial clone leaves out"),
    ];
    left_out.iter().filter(|(is, _)| *is).for_each(|(_, reason)| all.coverage.skip(reason));
    let (reader, coverage) = threads(request, || first_look(store, request));
    all.coverage.merge(coverage);
    let mut history = match History::new(store, reader, wanted) {
        Ok(history) => history,
        Err(error) => {
            all.coverage.trouble(shown, error.to_string());
            return all;
        }
    };
    // Whether all is there is told by the folders as well, and their entries have names.
    let (brought, names, coverage) = threads(request, || explain(store, &mut history, request));
    for (what, why) in &history.troubles {
        all.coverage.trouble(what.clone(), why.clone());
    }
    all.coverage.merge(coverage);
    if wanted.is_all() {
        all.merge(untraced(store, (target, path), (&brought, &names), request));
        all.merge(tables(store, (target, path), request));
    }
    all.merge(threads(request, || second_look(store, (target, path), brought, request)));
    all
}

/// Names that are credentials and that no commit is known to have brought in.
fn untraced(
    store: &Store,
    (target, path): (&Path, &Path),
    (brought, names): (&[Brought], &Names),
    request: &Request<'_>,
) -> Gathered {
    let traced: HashSet<&str> =
        brought.iter().filter_map(|one| one.path.as_deref()).flat_map(|path| path.split('/')).collect();
    let mut worker = Worker::new(request);
    for (name, folder) in names.each(store).filter(|(name, _)| !traced.contains(name.as_str())) {
        let place = CommitPlace { object: folder, ..CommitPlace::default() };
        name_at(store, (target, path), (&name, place), &mut worker);
    }
    worker.harvest()
}

/// What references are called and their logs say, where both are kept in tables; else they are files like others.
fn tables(store: &Store, (target, path): (&Path, &Path), request: &Request<'_>) -> Gathered {
    let mut worker = Worker::new(request);
    let (names, log) = git::tabled(&store.place);
    for (name, object) in names {
        name_at(store, (target, path), (&name, CommitPlace { object, ..CommitPlace::default() }), &mut worker);
    }
    if !log.is_empty() {
        let shown = format!("{} (log)", store.place.git.join("reftable").display());
        worker.file(&Entry { path: &shown, provenance: &Provenance::Worktree }, &mut log.as_slice());
    }
    worker.harvest()
}

/// Looks at a path alone.
fn name_at(
    store: &Store,
    (target, repository): (&Path, &Path),
    (shown, mut place): (&str, CommitPlace),
    worker: &mut Worker<'_>,
) {
    place.repository = Some(repository.display().to_string());
    let full = store.place.root().join(shown);
    worker.called_again(&Entry { path: shown, provenance: &Provenance::Commit(Box::new(place)) }, (target, &full));
}

/// Scans single objects of the repository at or above `path`.
pub(super) fn objects(path: &Path, places: &[HistoryPlace], request: &Request<'_>) -> Gathered {
    let mut worker = Worker::new(request);
    match Store::open(path) {
        Err(error) => worker.lost(&path.display().to_string(), &error.to_string()),
        Ok(store) => {
            for HistoryPlace { object, path: shown } in places {
                let Some(number) = store.called(object) else {
                    worker.lost(shown, &format!("object {object} is not in {} any more", path.display()));
                    continue;
                };
                let place = CommitPlace { object: object.clone(), ..CommitPlace::default() };
                look_at(&store, (path, path), (number, shown, place), &mut worker);
            }
        }
    }
    worker.harvest()
}

/// Looks at all blobs, commits and tags.
fn first_look(store: &Store, request: &Request<'_>) -> (Reader, Coverage) {
    let units = store.units(false);
    let reach = Reach { near: NEAR, far: request.set.reach() };
    let look = |reader: &mut Reader, unit: &Unit, sieve: &mut Sieve<'_>| reader.unit(store, unit, reach, sieve);
    each(&units, request, look, Reader::merge)
}

/// Does all units on all threads; `R` is what they bring home.
fn each<R: Default + Send>(
    units: &[Unit],
    request: &Request<'_>,
    look: impl Fn(&mut R, &Unit, &mut Sieve<'_>) + Sync,
    merge: impl Fn(&mut R, R) + Sync,
) -> (R, Coverage) {
    let done = units.par_iter().fold(
        || (R::default(), Sieve::new(request)),
        |(mut reader, mut sieve), unit| {
            sieve.unit(unit, |sieve| look(&mut reader, unit, sieve));
            (reader, sieve)
        },
    );
    let done = done.map(|(reader, sieve)| (reader, sieve.coverage));
    let nothing = || (R::default(), Coverage::default());
    done.reduce(nothing, |(mut all, mut seen), (reader, coverage)| {
        merge(&mut all, reader);
        seen.merge(coverage);
        (all, seen)
    })
}

/// Reads all folders, and their entries' names; where some are credentials, once more for what is called so.
fn folders(store: &Store, history: &mut History, request: &Request<'_>) -> (Names, Coverage) {
    let units = store.units(true);
    let read = |folders: &Folders| {
        let look = |reader: &mut TreeReader, unit: &Unit, sieve: &mut Sieve<'_>| reader.read(store, folders, unit, sieve);
        each(&units, request, look, TreeReader::merge)
    };
    let mut folders = history.layout(store, &Names::default());
    let (mut reader, mut coverage) = read(&folders);
    let names = Names::of(&mut reader);
    if !names.is_empty() {
        folders = history.layout(store, &names);
        (reader, coverage) = read(&folders);
        history.call(store, &mut reader);
    }
    history.know(store, folders, reader);
    (names, coverage)
}

/// Finds out where everything came from that was found.
fn explain(store: &Store, history: &mut History, request: &Request<'_>) -> (Vec<Brought>, Names, Coverage) {
    let (names, mut coverage) = folders(store, history, request);
    let history = &*history;
    history.missing(store).into_iter().for_each(|(what, why)| coverage.trouble(what, why));
    if history.is_clean() {
        return (Vec::new(), names, coverage);
    }
    let traced: Vec<(Vec<Brought>, bool)> =
        history.batches().into_par_iter().map(|batch| history.trace(store, batch)).collect();
    if traced.iter().any(|(_, complete)| !complete) {
        coverage.trouble("history", "too many folders lead to what was found; not every place is named");
    }
    // Of each object at each path, the earliest commit.
    let mut earliest: BTreeMap<(u32, Option<String>), Brought> = BTreeMap::new();
    for one in traced.into_iter().flat_map(|(all, _)| all) {
        let key = (one.object, one.path.clone());
        if earliest.get(&key).is_none_or(|known| one.rank < known.rank) {
            earliest.insert(key, one);
        }
    }
    let mut all: Vec<Brought> = earliest.into_values().collect();
    history.name_refs(&mut all);
    all.sort_by_key(|one| one.rank);
    (all, names, coverage)
}

/// Scans what was found again, each with its path, and keeps the earliest place of each credential at each path.
fn second_look(store: &Store, places: (&Path, &Path), brought: Vec<Brought>, request: &Request<'_>) -> Gathered {
    let looked: Vec<Gathered> = brought
        .into_par_iter()
        .map(|one| {
            let mut worker = Worker::new(request);
            look_again(store, places, one, &mut worker);
            worker.harvest()
        })
        .collect();
    let mut all = Gathered::default();
    let (hasher, mut seen) = (RandomState::new(), HashSet::new());
    for mut one in looked {
        let mut is_new = |sighting: &Sighting| {
            let values: Vec<&[u8]> = sighting.credential.parts.iter().map(|part| part.value.expose()).collect();
            let key = (&sighting.credential.detector, values, &sighting.occurrence.path);
            seen.insert((hasher.hash_one(&key), hasher.hash_one((&key, 1))))
        };
        one.sightings.retain(&mut is_new);
        one.allowed.retain(&mut is_new);
        one.faint.retain(&mut is_new);
        all.merge(one);
    }
    all
}

fn look_again(store: &Store, places: (&Path, &Path), one: Brought, worker: &mut Worker<'_>) {
    let short = one.place.object.get(..12).unwrap_or(&one.place.object).to_owned();
    let shown = match (&one.path, one.kind) {
        (Some(path), _) => path.clone(),
        (None, Kind::Commit) => format!("commit {short} (message)"),
        (None, Kind::Tag) => format!("tag {short} (message)"),
        (None, _) => format!("object {short}"),
    };
    match one.kind {
        Kind::Tree => name_at(store, places, (&shown, one.place), worker),
        _ => look_at(store, places, (one.object, &shown, one.place), worker),
    }
}

/// Scans an object's text as that of a file.
fn look_at(
    store: &Store,
    (target, repository): (&Path, &Path),
    (object, shown, mut place): (u32, &str, CommitPlace),
    worker: &mut Worker<'_>,
) {
    let full = store.place.root().join(shown);
    let name = place.object.clone();
    place.repository = Some(repository.display().to_string());
    let provenance = Provenance::Commit(Box::new(place));
    let entry = Entry { path: shown, provenance: &provenance };
    match store.large(object) {
        Ok(None) => {}
        Ok(Some(mut reader)) => return worker.again(&entry, (target, &full), &mut *reader),
        Err(error) => return worker.lost(shown, &error.to_string()),
    }
    match store.text(object) {
        Err(error) => worker.lost(shown, &error.to_string()),
        Ok((text, is_named)) => {
            if !is_named {
                worker.lost(shown, &format!("object {name}: its bytes are not those that its name stands for"));
            }
            worker.again(&entry, (target, &full), &mut text.as_slice());
        }
    }
}

/// Looks at objects without their paths.
struct Sieve<'r> {
    request: &'r Request<'r>,
    scanner: Scanner<'r>,
    coverage: Coverage,
}

impl<'r> Sieve<'r> {
    fn new(request: &'r Request<'r>) -> Self {
        Self { request, scanner: Scanner::new(request.set), coverage: Coverage::default() }
    }

    /// Does one unit; a panic costs what is left of it.
    fn unit(&mut self, unit: &Unit, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.scanner = Scanner::new(self.request.set);
            self.coverage.trouble(format!("{unit:?}"), "the scanner failed on these objects; please report it");
        }
    }
}

impl Sift for Sieve<'_> {
    fn sift(&mut self, blob: &Blob<'_>, clues: Option<&[Clue]>, push: &mut dyn FnMut(Range<u64>, bool)) {
        // What is in an archive is looked at when it is read again, with its path.
        let head = Head { bytes: blob.bytes, is_whole: blob.own.end == blob.bytes.len() };
        if blob.offset == 0 && self.request.archive_depth > 0 && archive::format_of(&head).is_some() {
            return push(0..1, true);
        }
        self.scanner.sift(blob, (clues, self.request.least), push);
    }

    fn clues(&self, bytes: &[u8], places: Range<usize>, all: &mut Vec<Clue>) {
        self.scanner.clues(bytes, places, all);
    }

    fn is_secret(&mut self, name: &[u8]) -> bool {
        let mut is_one = false;
        let set = self.request.set;
        self.scanner.scan(&Blob::whole("", name), &mut |found| {
            is_one |= matches!(found, Found::Credential(credential) if names::is_sure(&credential, set));
        });
        is_one
    }

    fn longest_clue(&self) -> usize {
        self.scanner.longest_clue()
    }

    fn read(&mut self, bytes: u64) {
        self.coverage.objects += 1;
        self.coverage.bytes += bytes;
        self.request.counters.files.fetch_add(1, Ordering::Relaxed);
        self.request.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn trouble(&mut self, what: &str, why: &str) {
        self.coverage.trouble(what, why);
    }

    fn is_stopped(&self) -> bool {
        self.request.counters.stop.load(Ordering::Relaxed)
    }
}
