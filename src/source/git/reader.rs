//! One thread's way through units of work: each object decoded, looked at where it is new, and what it may hold remembered.

use std::io::Read;
use std::ops::Range;

use gix::hash::oid;

use super::forest::NONE;
use super::sieve::{self, Hit, Plan, Reach, is_special, plan};
use super::store::{Number, Store, Unit};
use super::trees::CommitRow;
use super::walk::{Step, Walk};
use super::written::written;
use super::{GitError, Kind, LARGEST};
use crate::model::{Blob, Clue};
use crate::source::Windows;

/// Hits of one object that are remembered. An object with more is somebody's attempt to fill the memory.
const MOST: usize = 20_000;
/// Leads of one object that are remembered: real texts have one in some three hundred bytes.
const MOST_CLUES: usize = 1 << 20;

/// Looks at bytes.
pub trait Sift {
    /// Pushes the places of everything in `blob` that would be a credential in a file of any name, if its anchor begins in the
    /// blob's own part, and false for what could only be one if bytes farther away than is near were others. May push more,
    /// and the same thing twice.
    ///
    /// `clues` are those in the blob, by places in the object, where they are known.
    fn sift(&mut self, blob: &Blob<'_>, clues: Option<&[Clue]>, push: &mut dyn FnMut(Range<u64>, bool));

    /// Adds what in `places` may lead to a credential.
    fn clues(&self, bytes: &[u8], places: Range<usize>, all: &mut Vec<Clue>);

    /// Whether a name is a credential. Who looks at no names says no.
    fn is_secret(&mut self, _name: &[u8]) -> bool {
        false
    }

    /// Bytes of the longest clue.
    fn longest_clue(&self) -> usize;

    /// An object was read: so many bytes.
    fn read(&mut self, bytes: u64);

    /// Something could not be read.
    fn trouble(&mut self, what: &str, why: &str);

    /// The scan is to end.
    fn is_stopped(&self) -> bool;
}

/// What a thread brings home.
#[derive(Debug, Default)]
pub struct Reader {
    /// What may hold a credential: group of hits, object.
    pub(super) hits: Vec<(u32, Number)>,
    pub(super) commits: Vec<CommitRow>,
    /// Bytes that were looked at.
    pub scanned: u64,
    /// Where hits are: object, start, end.
    #[cfg(test)]
    pub(super) places: Vec<(Number, u32, u32)>,
}

/// What is known of an object while others are made from it.
#[derive(Default)]
struct State {
    hits: Vec<Hit>,
    clues: Vec<Clue>,
    /// What is made from it is looked at whole.
    special: bool,
}

impl Reader {
    /// Reads one unit. `reach` is how far a decision about a match may look, in bytes.
    pub fn unit(&mut self, store: &Store, unit: &Unit, reach: Reach, sift: &mut dyn Sift) {
        match unit {
            Unit::Nodes { pack, nodes } => self.nodes(store, (*pack, nodes.clone()), reach, sift),
            Unit::Loose { folder, objects } => {
                let (loose, first) = &store.loose[*folder];
                for at in objects.clone() {
                    let name = &loose.names[at];
                    // Packed as well, or in a nearer folder.
                    if sift.is_stopped() || store.find(name) != Some(first + at as u32) {
                        continue;
                    }
                    if let Err(error) = self.loose(store, (*folder, at), reach, sift) {
                        sift.trouble(&format!("object {name}"), &error.to_string());
                    }
                }
            }
        }
    }

    fn loose(
        &mut self,
        store: &Store,
        (folder, at): (usize, usize),
        reach: Reach,
        sift: &mut dyn Sift,
    ) -> Result<(), GitError> {
        let (loose, first) = &store.loose[folder];
        let name = &loose.names[at];
        let (kind, size, mut stream) = loose.open(name)?;
        if kind == Kind::Tree {
            return Ok(());
        }
        if size > LARGEST {
            return self.stream(store, (first + at as u32, size), (&mut stream, reach), sift);
        }
        drop(stream);
        let (kind, bytes) = loose.read(name, LARGEST)?;
        if !store.spend(size) {
            return Err(GitError::Corrupt("more bytes than any honest repository holds; it was not read"));
        }
        let mut hits = Vec::new();
        self.whole(store, (kind, &bytes, None), sift, &mut hits);
        self.note(store, (first + at as u32, kind), &bytes, &hits);
        sift.read(size);
        Ok(())
    }

    fn nodes(&mut self, store: &Store, (pack, range): (usize, Range<u32>), reach: Reach, sift: &mut dyn Sift) {
        let grove = &store.groves[pack];
        let nodes = &grove.forest.nodes;
        let foreign = |name: &oid| Some(store.read(name).ok()?.1);
        let mut walk: Walk<'_, State> = Walk::new(&grove.pack, &grove.forest, &foreign);
        let mut at = range.start;
        while at < range.end && !sift.is_stopped() {
            let node = nodes[at as usize];
            let number = store.number(pack, node.entry);
            let copy = number != grove.first + node.entry;
            // Known from another pack, and nothing is made from it.
            if copy && node.end == at + 1 {
                at += 1;
                continue;
            }
            let is_whole = node.base == NONE && node.kind == Kind::Blob;
            if is_whole && grove.pack.header(node.offset).is_ok_and(|header| header.size > LARGEST) {
                self.large(store, (pack, at), reach, sift);
                at += 1;
                continue;
            }
            let mut spent = true;
            let read = walk.seek(at, &mut |step: Step<'_, State>| {
                spent &= store.spend(step.bytes.len() as u64);
                let is_own = step.node == at;
                let state = self.look(store, (&step, node.kind), reach, sift);
                if is_own && !copy {
                    sift.read(step.bytes.len() as u64);
                    self.note(store, (number, node.kind), step.bytes, &state.hits);
                }
                state
            });
            for entry in walk.altered.drain(..) {
                sift.trouble(&format!("object {}", grove.pack.name(entry)), "its bytes are not those that were indexed");
            }
            if !spent {
                sift.trouble(
                    &grove.pack.path().display().to_string(),
                    "more bytes than any honest pack holds; the rest was not read",
                );
                return;
            }
            if let Err((failed, error)) = read {
                let end = nodes[failed as usize].end.min(range.end);
                for lost in at..end {
                    let why = if lost == failed { error.to_string() } else { format!("it is made from another: {error}") };
                    sift.trouble(&format!("object {}", grove.pack.name(nodes[lost as usize].entry)), &why);
                }
                at = end;
            } else {
                at += 1;
            }
        }
    }

    /// Looks at an object: all of it, or what is new.
    fn look(&mut self, store: &Store, (step, kind): (&Step<'_, State>, Kind), reach: Reach, sift: &mut dyn Sift) -> State {
        let mut special = kind != Kind::Blob || is_special(step.bytes);
        let (mut hits, mut clues) = (Vec::new(), Vec::new());
        if !special {
            match step.base {
                Some((base, _, copies)) if !base.special => sieve::clues(&base.clues, copies, step.bytes, sift, &mut clues),
                _ => {
                    sift.clues(step.bytes, 0..step.bytes.len(), &mut clues);
                    clues.sort();
                }
            }
            special = clues.len() > MOST_CLUES;
        }
        match step.base {
            Some((base, old, copies)) if !special && !base.special => {
                let Plan { scan, known } = plan(copies, (old.len(), step.bytes.len()), &base.hits, reach);
                for own in scan {
                    // What is encoded is read on for twice the reach.
                    let bytes = own.start.saturating_sub(reach.far)..(own.end + 2 * reach.far).min(step.bytes.len());
                    self.scanned += own.len() as u64;
                    // Lines are counted when a hit is read again, with its path.
                    let blob = Blob {
                        own: own.start - bytes.start..own.end - bytes.start,
                        offset: bytes.start as u64,
                        ..Blob::whole("", &step.bytes[bytes])
                    };
                    let known = sieve::within(&clues, own.start.saturating_sub(reach.far)..own.end + reach.far);
                    Self::sift(store, (&blob, Some(known)), sift, &mut hits);
                }
                // What is known keeps its group, though it was found again beside an edit.
                hits.extend(known.iter().copied());
                hits.sort_unstable_by_key(|hit| (hit.start, hit.end, !hit.is_found, hit.group));
                hits.dedup_by(|b, a| (a.start, a.end) == (b.start, b.end));
            }
            _ => {
                let known = (!special).then_some(clues.as_slice());
                self.whole(store, (kind, step.bytes, known), sift, &mut hits);
            }
        }
        State { hits, clues, special }
    }

    fn whole(
        &mut self,
        store: &Store,
        (kind, bytes, clues): (Kind, &[u8], Option<&[Clue]>),
        sift: &mut dyn Sift,
        hits: &mut Vec<Hit>,
    ) {
        self.scanned += bytes.len() as u64;
        Self::sift(store, (&Blob::whole("", &written(kind, bytes)), clues), sift, hits);
        hits.sort_unstable_by_key(|hit| (hit.start, hit.end, !hit.is_found, hit.group));
        hits.dedup_by(|b, a| (a.start, a.end) == (b.start, b.end));
    }

    fn sift(store: &Store, (blob, clues): (&Blob<'_>, Option<&[Clue]>), sift: &mut dyn Sift, hits: &mut Vec<Hit>) {
        let before = hits.len();
        sift.sift(blob, clues, &mut |span, is_found| {
            if hits.len() < MOST {
                hits.push(Hit { start: span.start as u32, end: span.end as u32, group: u32::MAX, is_found });
            }
        });
        hits[before..].sort_unstable();
        for hit in &mut hits[before..] {
            if hit.is_found {
                hit.group = store.group();
            }
        }
    }

    /// Remembers what an object may hold, and a commit's place in the history.
    fn note(&mut self, store: &Store, (number, kind): (Number, Kind), bytes: &[u8], hits: &[Hit]) {
        let found = || hits.iter().filter(|hit| hit.is_found);
        self.hits.extend(found().map(|hit| (hit.group, number)));
        #[cfg(test)]
        self.places.extend(found().map(|hit| (number, hit.start, hit.end)));
        if kind == Kind::Commit {
            self.commits.extend(CommitRow::read(store, number, bytes));
        }
    }

    /// A file that is too large for the memory, in windows.
    fn large(&mut self, store: &Store, (pack, node): (usize, u32), reach: Reach, sift: &mut dyn Sift) {
        let grove = &store.groves[pack];
        let node = grove.forest.nodes[node as usize];
        let Ok(header) = grove.pack.header(node.offset) else { return };
        // No more than it says, and only as much as any honest repository holds.
        let mut reader = grove.pack.inflated(header.stream).take(header.size.saturating_add(1));
        let number = store.number(pack, node.entry);
        if let Err(error) = self.stream(store, (number, header.size), (&mut reader, reach), sift) {
            sift.trouble(&format!("object {}", grove.pack.name(node.entry)), &error.to_string());
        }
    }

    fn stream(
        &mut self,
        store: &Store,
        (number, size): (Number, u64),
        (reader, reach): (&mut dyn Read, Reach),
        sift: &mut dyn Sift,
    ) -> Result<(), GitError> {
        let mut found = Vec::new();
        let (bytes, result) = Windows::new(reach.far).read("", reader, &mut |blob| {
            sift.sift(blob, None, &mut |span, is_found| found.extend((is_found && found.len() < MOST).then_some(span)));
        });
        self.scanned += bytes;
        sift.read(bytes);
        self.hits.extend((!found.is_empty()).then(|| (store.group(), number)));
        result.map_err(|error| GitError::Io("a large object".to_owned(), error))?;
        if bytes == size { Ok(()) } else { Err(GitError::Corrupt("an object has another size than its header says")) }
    }

    /// Adds what another thread brought home.
    pub fn merge(&mut self, other: Self) {
        self.hits.extend(other.hits);
        self.commits.extend(other.commits);
        self.scanned += other.scanned;
    }
}
