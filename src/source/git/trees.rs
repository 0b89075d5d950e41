//! Which folder holds what, over all versions of all folders, without keeping any of them: what each version adds to the one that
//! it is made from, and what it takes away.
//!
//! Folders are numbered as they stand in the forests of the packs, so that all that is made from one stands behind it. What holds
//! an entry is then a few ranges of numbers, however many versions there are.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use gix::hash::{ObjectId, oid};

use super::forest::NONE;
use super::reader::Sift;
use super::store::{Number, Store, Unit};
use super::walk::Walk;
use super::{Kind, LARGEST};

/// A commit's place in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommitRow {
    pub(super) commit: Number,
    /// `NONE` where it is missing.
    pub(super) tree: Number,
    /// When it was committed, in seconds.
    pub(super) time: i64,
    /// Those that are there.
    pub(super) parents: Box<[Number]>,
}

impl CommitRow {
    /// Reads a commit's head; `None` where it has none.
    pub(super) fn read(store: &Store, commit: Number, bytes: &[u8]) -> Option<Self> {
        let (mut tree, mut parents, mut time) = (None, Vec::new(), 0);
        for line in bytes.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty()) {
            if let Some(hex) = line.strip_prefix(b"tree ") {
                tree.get_or_insert(ObjectId::from_hex(hex).ok()?);
            } else if let Some(hex) = line.strip_prefix(b"parent ") {
                parents.extend(ObjectId::from_hex(hex).ok().and_then(|name| store.find(&name)));
            } else if let Some(who) = line.strip_prefix(b"committer ") {
                let mut words = who.rsplit(|&byte| byte == b' ');
                let seconds = words.nth(1).and_then(|word| std::str::from_utf8(word).ok());
                time = seconds.and_then(|word| word.parse().ok()).unwrap_or(0);
                break;
            }
        }
        let tree = store.find(&tree?).unwrap_or(NONE);
        Some(Self { commit, tree, time, parents: parents.into() })
    }
}

/// An entry that a folder adds or takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    child: Number,
    /// Hash of its name.
    name: u32,
    /// The folder, and in the lowest bit whether it adds the entry.
    at: u32,
}

/// A version of a folder: its bytes, and where its entries end.
type Version<'v> = (&'v [u8], &'v [u32]);

/// Objects whose numbers a thread remembers: 160 KiB.
const RECENT: usize = 4096;

/// What one thread learns of folders.
#[derive(Debug, Default)]
pub struct TreeReader {
    events: Vec<Event>,
    /// Numbers of objects that were asked for lately, by how their names begin: what one version adds the next takes away.
    recent: Vec<Option<(ObjectId, Number)>>,
}

/// How folders are numbered.
pub(super) struct Layout {
    /// For each pack: its first folder among its nodes, the number of that one.
    packs: Vec<(u32, u32)>,
    /// For each folder of loose objects: the number of the first one, as if all were trees.
    loose: Vec<u32>,
    count: u32,
    hasher: RandomState,
}

impl Layout {
    pub(super) fn new(store: &Store) -> Self {
        let mut count = 0;
        let packs = store.groves.iter().map(|grove| {
            let split = grove.forest.nodes.partition_point(|node| node.kind < Kind::Tree) as u32;
            count += grove.forest.nodes.len() as u32 - split;
            (split, count - (grove.forest.nodes.len() as u32 - split))
        });
        let packs = packs.collect();
        let loose = store.loose.iter().map(|(loose, _)| {
            count += loose.names.len() as u32;
            count - loose.names.len() as u32
        });
        let loose = loose.collect();
        Self { packs, loose, count, hasher: RandomState::new() }
    }

    /// A name's hash: nobody knows which names collide.
    pub(super) fn hash(&self, name: &[u8]) -> u32 {
        self.hasher.hash_one(name) as u32
    }

    /// The folder that an object is.
    pub(super) fn folder(&self, store: &Store, number: Number) -> Option<u32> {
        if number == NONE {
            return None;
        }
        match store.packed(number) {
            Ok((pack, entry)) => {
                let (split, first) = self.packs[pack];
                Some(first + store.groves[pack].node(entry)?.checked_sub(split)?)
            }
            Err((folder, at)) => Some(self.loose[folder] + at as u32),
        }
    }

    /// The object that a folder is.
    fn number(&self, store: &Store, folder: u32) -> Number {
        let after = self.loose.partition_point(|&first| first <= folder);
        if let Some(at) = after.checked_sub(1)
            && folder >= self.loose[0]
        {
            let number = store.loose[at].1 + (folder - self.loose[at]);
            return store.find(&store.name(number)).unwrap_or(number);
        }
        let pack = self.packs.partition_point(|(_, first)| *first <= folder) - 1;
        let (split, first) = self.packs[pack];
        store.number(pack, store.groves[pack].forest.nodes[(folder - first + split) as usize].entry)
    }

    /// The folder behind the last one that is made from `folder`.
    fn end(&self, store: &Store, folder: u32) -> u32 {
        if self.loose.first().is_some_and(|&first| folder >= first) {
            return folder + 1;
        }
        let pack = self.packs.partition_point(|(_, first)| *first <= folder) - 1;
        let (split, first) = self.packs[pack];
        store.groves[pack].forest.nodes[(folder - first + split) as usize].end - split + first
    }
}

impl TreeReader {
    /// Reads one unit's folders.
    pub(super) fn unit(&mut self, store: &Store, layout: &Layout, unit: &Unit, sift: &mut dyn Sift) {
        match unit {
            Unit::Nodes { pack, nodes } => self.nodes(store, layout, (*pack, nodes.clone()), sift),
            Unit::Loose { folder, objects } => {
                let (loose, _) = &store.loose[*folder];
                for at in objects.clone() {
                    let name = &loose.names[at];
                    // What cannot be read was said before.
                    let is_tree = loose.open(name).is_ok_and(|(kind, ..)| kind == Kind::Tree);
                    if let Some(Ok((_, bytes))) = is_tree.then(|| loose.read(name, LARGEST)) {
                        let (ends, _) = ends(&bytes, 0, bytes.len(), store.place.hash);
                        self.diff((store, layout), layout.loose[*folder] + at as u32, (&[], &[]), (&bytes, &ends));
                    }
                }
            }
        }
    }

    fn nodes(&mut self, store: &Store, layout: &Layout, (pack, range): (usize, Range<u32>), sift: &mut dyn Sift) {
        let grove = &store.groves[pack];
        let (split, first) = layout.packs[pack];
        let foreign = |name: &oid| Some(store.read(name).ok()?.1);
        let mut walk: Walk<'_, Vec<u32>> = Walk::new(&grove.pack, &grove.forest, &foreign);
        let mut at = range.start;
        while at < range.end && !sift.is_stopped() {
            let read = walk.seek(at, &mut |step| {
                let (old, ends) = match step.base {
                    Some((old_ends, old, _)) => {
                        ((old, old_ends.as_slice()), grown(step.bytes, old, old_ends, store.place.hash))
                    }
                    None => ((&[][..], &[][..]), self::ends(step.bytes, 0, step.bytes.len(), store.place.hash).0),
                };
                if step.node == at {
                    let folder = first + (at - split);
                    self.diff((store, layout), folder, old, (step.bytes, &ends));
                }
                ends
            });
            if let Err((failed, error)) = read {
                let entry = grove.forest.nodes[failed as usize].entry;
                sift.trouble(&format!("object {} (a folder)", grove.pack.name(entry)), &error.to_string());
                at = grove.forest.nodes[failed as usize].end;
            } else {
                at += 1;
            }
        }
    }

    /// Notes what `new` has that `old` has not, and the other way round. Both are in the same order.
    fn diff(&mut self, (store, layout): (&Store, &Layout), folder: u32, old: Version<'_>, new: Version<'_>) {
        let head = common(old.0, new.0);
        let tail = common_end(&old.0[head..], &new.0[head..]);
        let middle = |(bytes, ends): Version<'_>| {
            let from = ends.partition_point(|&end| end as usize <= head);
            let to = ends.partition_point(|&end| (end as usize) < bytes.len() - tail) + 1;
            from..to.min(ends.len()).max(from)
        };
        let entry = |ends: &[u32], n: usize| n.checked_sub(1).map_or(0, |before| ends[before] as usize)..ends[n] as usize;
        let mut olds = middle(old).peekable();
        let mut news = middle(new).peekable();
        loop {
            let a = olds.peek().map(|&n| &old.0[entry(old.1, n)]);
            let b = news.peek().map(|&n| &new.0[entry(new.1, n)]);
            let order = match (a, b) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) if a == b => {
                    olds.next();
                    news.next();
                    continue;
                }
                (Some(a), Some(b)) => key(a).cmp(&key(b)),
            };
            if order.is_le() {
                olds.next();
                self.note(store, layout, a, folder << 1);
            }
            if order.is_ge() {
                news.next();
                self.note(store, layout, b, folder << 1 | 1);
            }
        }
    }

    fn note(&mut self, store: &Store, layout: &Layout, entry: Option<&[u8]>, at: u32) {
        let Some((mode, name, id)) = entry.and_then(split_entry) else { return };
        // A submodule's commit is another repository's.
        if mode.starts_with(b"16") {
            return;
        }
        let Some(child) = self.find(store, id) else { return };
        self.events.push(Event { child, name: layout.hash(name), at });
    }

    fn find(&mut self, store: &Store, id: &oid) -> Option<Number> {
        self.recent.resize(RECENT, None);
        let place = id.as_bytes().first_chunk().map_or(0, |two| usize::from(u16::from_le_bytes(*two))) % RECENT;
        match &self.recent[place] {
            Some((known, number)) if known.as_ref() == id => Some(*number),
            _ => {
                let number = store.find(id)?;
                self.recent[place] = Some((id.to_owned(), number));
                Some(number)
            }
        }
    }

    /// Adds what another thread learnt.
    pub fn merge(&mut self, mut other: Self) {
        self.events.append(&mut other.events);
    }
}

/// Who holds what.
pub(super) struct Holders {
    pub(super) layout: Layout,
    events: Vec<Event>,
    /// The first copy of each folder, where some are stored twice.
    copies: Option<Vec<u32>>,
}

impl Holders {
    pub(super) fn new(store: &Store, layout: Layout, mut reader: TreeReader) -> Self {
        reader.events.sort_unstable();
        let many = store.groves.len() + store.loose.iter().filter(|(loose, _)| !loose.names.is_empty()).count() > 1;
        let first = |folder: u32| layout.folder(store, layout.number(store, folder)).unwrap_or(folder);
        let copies = many.then(|| (0..layout.count).map(first).collect());
        Self { layout, events: reader.events, copies }
    }

    pub(super) fn folders(&self) -> usize {
        self.layout.count as usize
    }

    pub(super) fn number(&self, store: &Store, folder: u32) -> Number {
        self.layout.number(store, folder)
    }

    /// Calls `visit` with each name that `child` has and every range of folders that hold it under that name.
    pub(super) fn of(&self, store: &Store, child: Number, visit: &mut dyn FnMut(u32, Range<u32>)) {
        let first = self.events.partition_point(|event| event.child < child);
        let own = self.events[first..].iter().take_while(|event| event.child == child);
        let mut open: Vec<(u32, bool)> = Vec::new();
        let (mut name, mut at) = (None, 0);
        for event in own {
            let (folder, adds) = (event.at >> 1, event.at & 1 == 1);
            if name != Some(event.name) {
                close(&mut open, &mut at, u32::MAX, &mut |range| visit(name.unwrap_or_default(), range));
                name = Some(event.name);
                at = 0;
            }
            close(&mut open, &mut at, folder, &mut |range| visit(event.name, range));
            if open.last().is_some_and(|(_, held)| *held) && at < folder {
                visit(event.name, at..folder);
            }
            at = folder;
            open.push((self.layout.end(store, folder), adds));
        }
        close(&mut open, &mut at, u32::MAX, &mut |range| visit(name.unwrap_or_default(), range));
    }

    /// The first copy of a folder.
    pub(super) fn first(&self, folder: u32) -> u32 {
        self.copies.as_ref().map_or(folder, |copies| copies[folder as usize])
    }
}

/// Ends what ends at `until` or before.
fn close(open: &mut Vec<(u32, bool)>, at: &mut u32, until: u32, visit: &mut dyn FnMut(Range<u32>)) {
    while let Some(&(end, held)) = open.last().filter(|(end, _)| *end <= until) {
        if held && *at < end {
            visit(*at..end);
        }
        *at = (*at).max(end);
        open.pop();
    }
}

/// Where the entries of a tree end, from one that begins at `start` up to `until`; and where the last one ended.
fn ends(bytes: &[u8], start: usize, until: usize, hash: usize) -> (Vec<u32>, usize) {
    let (mut all, mut at) = (Vec::new(), start);
    while at < until {
        let Some(zero) = memchr::memchr(0, &bytes[at..]) else { break };
        let end = at + zero + 1 + hash;
        if end > bytes.len() {
            break;
        }
        all.push(end as u32);
        at = end;
    }
    (all, at)
}

/// The ends of a tree that was made from another: those of the other, but for the middle.
fn grown(bytes: &[u8], old: &[u8], old_ends: &[u32], hash: usize) -> Vec<u32> {
    let head = common(old, bytes);
    let tail = common_end(&old[head..], &bytes[head..]);
    let kept = old_ends.partition_point(|&end| end as usize <= head);
    let mut all = old_ends[..kept].to_vec();
    let start = all.last().map_or(0, |&end| end as usize);
    // The first entry that begins in the common end.
    let next = old_ends.partition_point(|&end| (end as usize) < old.len() - tail);
    let join = old_ends.get(next).map(|&end| end as usize + bytes.len() - old.len());
    let (middle, reached) = ends(bytes, start, join.unwrap_or(bytes.len()), hash);
    all.extend(middle);
    if Some(reached) == join {
        let moved = |&end: &u32| (end as usize + bytes.len() - old.len()) as u32;
        all.extend(old_ends[next + 1..].iter().map(moved));
    } else if join.is_some() {
        all.extend(ends(bytes, reached, bytes.len(), hash).0);
    }
    all
}

fn common(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let steps = a.chunks_exact(STEP).zip(b.chunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    steps + a[steps..].iter().zip(&b[steps..]).take_while(|(a, b)| a == b).count()
}

fn common_end(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let steps = a.rchunks_exact(STEP).zip(b.rchunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    let (a, b) = (&a[..a.len() - steps], &b[..b.len() - steps]);
    steps + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// An entry's mode, name and object.
pub(super) fn split_entry(entry: &[u8]) -> Option<(&[u8], &[u8], &oid)> {
    let space = memchr::memchr(b' ', entry)?;
    let zero = space + memchr::memchr(0, &entry[space..])?;
    let id = entry.get(zero + 1..)?;
    Some((&entry[..space], &entry[space + 1..zero], oid::try_from_bytes(id).ok()?))
}

/// All entries of a tree.
pub(super) fn entries(bytes: &[u8], hash: usize) -> impl Iterator<Item = (&[u8], &[u8], &oid)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let zero = memchr::memchr(0, bytes.get(at..)?)?;
        let entry = bytes.get(at..at + zero + 1 + hash)?;
        at += entry.len();
        split_entry(entry)
    })
}

/// What git sorts entries by: the name, that of a folder with a slash behind it.
fn key(entry: &[u8]) -> impl Ord + use<> {
    let (mode, name) = split_entry(entry).map_or((&[][..], &[][..]), |(mode, name, _)| (mode, name));
    let mut key = name.to_vec();
    if mode.starts_with(b"4") {
        key.push(b'/');
    }
    key
}
