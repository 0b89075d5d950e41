//! Scans what is staged or pushed: each content whole, for context, and of what is found what stands on new lines.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::allow::{Judged, Place, Tree};
use super::collect::Gathered;
use super::walk::Request;
use super::worker::Worker;
use super::worker::names::NAME;
use crate::source::Entry;
use crate::source::git::incoming::{Change, Changes, Reader};

/// Scans all changes of a repository; `root` is its working tree, whose rules hold. Never fails: what could not be read stands
/// in the coverage.
pub fn run_changes(changes: &Changes, root: &Path, request: &Request<'_>) -> Gathered {
    let mut all = Gathered::default();
    changes.skipped.iter().for_each(|reason| all.coverage.skip(reason));
    changes.troubles.iter().for_each(|(what, why)| all.coverage.trouble(what, why));
    let place = (root, request.allow.tree(root));
    let total = Mutex::new(all);
    let scan = || {
        let hand = || Hand { worker: Worker::new(request), reader: changes.reader(), buffer: Vec::new(), place };
        // One by one: a few files, of which one may be most of the work.
        changes.all.par_iter().with_max_len(1).for_each_init(hand, |hand, change| {
            if request.counters.stop.load(Ordering::Relaxed) {
                return;
            }
            let found = hand.change(change);
            total.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(found);
        });
    };
    match rayon::ThreadPoolBuilder::new().num_threads(request.jobs).build() {
        Ok(pool) => pool.install(scan),
        // No threads to be had: the caller's own will do.
        Err(_) => scan(),
    }
    let mut all = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.coverage.interrupted |= request.counters.stop.load(Ordering::Relaxed);
    super::worker::names::of_troubles(&mut all, request);
    super::repeat::weigh(&mut all, request.set, request.least);
    all.finish();
    all
}

/// One thread's tools.
struct Hand<'r> {
    worker: Worker<'r>,
    reader: Reader<'r>,
    buffer: Vec<u8>,
    place: (&'r Path, Option<&'r Tree>),
}

impl Hand<'_> {
    fn change(&mut self, change: &Change) -> Gathered {
        let mut all = Gathered::default();
        let (root, tree) = self.place;
        let full = change.inside.as_ref().map(|inside| root.join(inside));
        match full.as_deref().zip(tree).map_or(Judged::Stays, |(full, tree)| tree.leaves_out(full)) {
            Judged::Allowed(reason) => {
                all.coverage.skip(&reason);
                return all;
            }
            Judged::Disregarded(reason) => all.coverage.allow(false, &reason),
            Judged::Stays => {}
        }
        if let Err(error) = self.reader.read(change, &mut self.buffer) {
            all.coverage.trouble(&change.shown, error.to_string());
            return all;
        }
        let place = full.as_deref().map_or_else(Place::nowhere, |full| Place::file(tree, full, &change.shown));
        let entry = Entry { path: &change.shown, provenance: &change.provenance };
        self.worker.read(&entry, &place, &mut self.buffer.as_slice());
        let mut found = self.worker.harvest();
        // What it is called is nothing new.
        if change.is_known() {
            found.sightings.retain(|sighting| !sighting.occurrence.path.ends_with(NAME));
        }
        if !(found.sightings.is_empty() && found.allowed.is_empty() && found.asides.is_empty() && found.faint.is_empty()) {
            let added = self.reader.added(change, &self.buffer);
            found.keep_lines(&change.shown, &|lines| added.touches(lines));
        }
        all.merge(found);
        all
    }
}
