//! Which folder holds what, over all versions of all folders, without keeping any of them: what each version adds to the one that
//! it is made from, and what it takes away.
//!
//! Folders are numbered as they stand in the forests of the packs, so that all that is made from one stands behind it. What holds
//! an entry is then a few ranges of numbers, however many versions there are.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use gix::hash::{ObjectId, oid};

use super::entries::{Version, ends, ends_alike, grown, order, split_entry};
use super::forest::NONE;
use super::reader::Sift;
use super::store::{Number, Store, Unit};
use super::walk::Walk;
use super::{Kind, LARGEST};
use crate::source::SHORTEST_NAME;

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
    /// All of them are there.
    pub(super) has_parents: bool,
}

impl CommitRow {
    /// Reads a commit's head; `None` where it has none.
    pub(super) fn read(store: &Store, commit: Number, bytes: &[u8]) -> Option<Self> {
        let (mut tree, mut parents, mut time, mut has_parents) = (None, Vec::new(), 0, true);
        for line in bytes.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty()) {
            if let Some(hex) = line.strip_prefix(b"tree ") {
                tree.get_or_insert(ObjectId::from_hex(hex).ok()?);
            } else if let Some(hex) = line.strip_prefix(b"parent ") {
                let parent = ObjectId::from_hex(hex).ok().and_then(|name| store.find(&name));
                has_parents &= parent.is_some();
                parents.extend(parent);
            } else if let Some(who) = line.strip_prefix(b"committer ") {
                let mut words = who.rsplit(|&byte| byte == b' ');
                let seconds = words.nth(1).and_then(|word| std::str::from_utf8(word).ok());
                time = seconds.and_then(|word| word.parse().ok()).unwrap_or(0);
                break;
            }
        }
        let tree = store.find(&tree?).unwrap_or(NONE);
        Some(Self { commit, tree, time, parents: parents.into(), has_parents })
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

/// Objects whose numbers a thread remembers: 160 KiB.
const RECENT: usize = 4096;

/// Entries of one thread that lead nowhere and are remembered; if there are more, that is said.
const MOST_MISSING: usize = 100_000;

/// Names that a thread remembers to have looked at: 16 MiB. Beyond it some are looked at again.
const MOST_NAMES: usize = 1 << 20;

/// Names that are a credential, of one thread, and what they are the names of: more of it is not traced.
pub(super) const MOST_CALLED: usize = 1 << 12;

/// What one thread learns of folders.
#[derive(Debug, Default)]
pub struct TreeReader {
    events: Vec<Event>,
    /// Hashes of names that were looked at.
    seen: HashSet<u64>,
    /// Names that are a credential, and a folder where each stands.
    pub(super) names: Vec<(Vec<u8>, Number)>,
    /// What is called so.
    pub(super) called: Vec<Number>,
    /// Entries whose object is nowhere; their `child` is not known yet.
    missing: Vec<(ObjectId, Event)>,
    /// There were too many of those.
    is_cut: bool,
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
    wanted: Wanted,
    /// Hashes of names: what is called so is to be known as well.
    called: HashSet<u32>,
    /// Nothing may be missing.
    is_whole: bool,
}

/// Files whose folders are to be known: a bit for how each one's name begins. Of others few are taken for one, and nothing hangs
/// on those. Without it half of the time of reading folders goes into looking up files in which nothing was found.
struct Wanted(Vec<u64>);

impl Wanted {
    fn new(store: &Store, files: &[(u32, Number)]) -> Self {
        let mut all = Self(vec![0; (files.len() / 4).next_power_of_two().max(1024)]);
        for (_, number) in files {
            let (word, bit) = all.place(&store.name(*number));
            all.0[word] |= bit;
        }
        all
    }

    fn place(&self, name: &oid) -> (usize, u64) {
        let start = name.as_bytes().first_chunk().map_or(0, |four| u32::from_le_bytes(*four)) as usize;
        (start / 64 % self.0.len(), 1 << (start % 64))
    }

    fn holds(&self, name: &oid) -> bool {
        let (word, bit) = self.place(name);
        self.0[word] & bit != 0
    }
}

impl Layout {
    /// `files` are those whose folders are to be known, and so is whatever has one of these names.
    pub(super) fn new(store: &Store, files: &[(u32, Number)], names: &[(Vec<u8>, Number)]) -> Self {
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
        let is_whole = !store.place.partial;
        let (hasher, called) = (RandomState::new(), HashSet::new());
        let mut layout = Self { packs, loose, count, hasher, wanted: Wanted::new(store, files), called, is_whole };
        layout.called = names.iter().map(|(name, _)| layout.hash(name)).collect();
        layout
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
                    match is_tree.then(|| loose.read(name, LARGEST)) {
                        None => {}
                        Some(Err(error)) => sift.trouble(&format!("object {name} (a folder)"), &error.to_string()),
                        Some(Ok((_, bytes))) => {
                            let (ends, _) = ends(&bytes, 0, bytes.len(), store.place.hash);
                            let folder = layout.loose[*folder] + at as u32;
                            self.diff((store, layout, sift), folder, ((&[], &[]), (&bytes, &ends)), (0, 0));
                        }
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
                let (old, ends, same) = match step.base {
                    Some((old_ends, old, copies)) => {
                        let same = ends_alike(old, step.bytes, copies);
                        ((old, old_ends.as_slice()), grown(step.bytes, (old, old_ends), same, store.place.hash), same)
                    }
                    None => ((&[][..], &[][..]), ends(step.bytes, 0, step.bytes.len(), store.place.hash).0, (0, 0)),
                };
                if step.node == at {
                    let folder = first + (at - split);
                    self.diff((store, layout, sift), folder, (old, (step.bytes, &ends)), same);
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

    /// Notes what `new` has that `old` has not, and the other way round. Both are in the same order, and begin and end with so
    /// many bytes that are the same.
    fn diff(
        &mut self,
        (store, layout, sift): (&Store, &Layout, &mut dyn Sift),
        folder: u32,
        (old, new): (Version<'_>, Version<'_>),
        (head, tail): (usize, usize),
    ) {
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
                (Some(a), Some(b)) => order(a, b),
            };
            if order.is_le() {
                olds.next();
                self.note(store, layout, a, folder << 1);
            }
            if order.is_ge() {
                news.next();
                self.name((store, layout), b, folder, sift);
                self.note(store, layout, b, folder << 1 | 1);
            }
        }
    }

    /// Looks at what an entry is called, where nobody did.
    fn name(&mut self, (store, layout): (&Store, &Layout), entry: Option<&[u8]>, folder: u32, sift: &mut dyn Sift) {
        let Some((_, name, _)) = entry.and_then(split_entry).filter(|(_, name, _)| name.len() >= SHORTEST_NAME) else {
            return;
        };
        // The second time it is known which.
        if !layout.called.is_empty() || !self.seen.insert(layout.hasher.hash_one(name)) {
            return;
        }
        if self.seen.len() >= MOST_NAMES {
            self.seen.clear();
        }
        if self.names.len() < MOST_CALLED && sift.is_secret(name) {
            self.names.push((name.to_vec(), layout.number(store, folder)));
        }
    }

    fn note(&mut self, store: &Store, layout: &Layout, entry: Option<&[u8]>, at: u32) {
        let Some((mode, name, id)) = entry.and_then(split_entry) else { return };
        // A submodule's commit is another repository's.
        let is_file = mode.starts_with(b"10") || mode.starts_with(b"12");
        let is_called = !layout.called.is_empty() && layout.called.contains(&layout.hash(name));
        let is_wanted = !is_file || is_called || layout.wanted.holds(id);
        // What is taken away was there before, where it was asked for.
        let is_asked = is_wanted || (layout.is_whole && at & 1 == 1);
        if mode.starts_with(b"16") || !is_asked {
            return;
        }
        match self.find(store, id) {
            Some(child) if is_wanted => {
                self.events.push(Event { child, name: layout.hash(name), at });
                self.called.extend((is_called && self.called.len() < MOST_CALLED).then_some(child));
            }
            Some(_) => {}
            // git makes up the folder without entries where there is none.
            None if !layout.is_whole || *id == *ObjectId::empty_tree(store.place.kind()) => {}
            None if self.missing.len() >= MOST_MISSING => self.is_cut = true,
            None => self.missing.push((id.to_owned(), Event { child: NONE, name: layout.hash(name), at })),
        }
    }

    /// Whether all that the folders hold is there.
    pub(super) fn is_whole(&self) -> bool {
        self.missing.is_empty()
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
        self.missing.append(&mut other.missing);
        self.names.append(&mut other.names);
        self.called.append(&mut other.called);
        self.is_cut |= other.is_cut;
    }
}

/// Who holds what.
pub(super) struct Holders {
    pub(super) layout: Layout,
    events: Vec<Event>,
    /// The first copy of each folder, where some are stored twice.
    copies: Option<Vec<u32>>,
    /// What folders hold and is nowhere, numbered from `absent` on.
    pub(super) missing: Vec<ObjectId>,
    absent: Number,
    /// There is more of it.
    pub(super) is_cut: bool,
}

impl Holders {
    pub(super) fn new(store: &Store, layout: Layout, mut reader: TreeReader) -> Self {
        let mut missing: Vec<ObjectId> = reader.missing.iter().map(|(name, _)| *name).collect();
        missing.sort_unstable();
        missing.dedup();
        let absent = store.end();
        let number = |name: &ObjectId| absent + missing.binary_search(name).unwrap_or_default() as u32;
        reader.events.extend(reader.missing.iter().map(|(name, event)| Event { child: number(name), ..*event }));
        reader.events.sort_unstable();
        let many = store.groves.len() + store.loose.iter().filter(|(loose, _)| !loose.names.is_empty()).count() > 1;
        let first = |folder: u32| layout.folder(store, layout.number(store, folder)).unwrap_or(folder);
        let copies = many.then(|| (0..layout.count).map(first).collect());
        Self { layout, events: reader.events, copies, missing, absent, is_cut: reader.is_cut }
    }

    /// Marks every folder that leads to what is nowhere: to that at these places of `missing`.
    pub(super) fn above(&self, store: &Store, which: std::ops::Range<usize>) -> Vec<bool> {
        let mut marked = vec![false; self.folders()];
        let mut open: Vec<Number> = which.map(|at| self.absent + at as u32).collect();
        while let Some(child) = open.pop() {
            self.of(store, child, &mut |_, folders| {
                for folder in folders.map(|folder| self.first(folder)) {
                    if !std::mem::replace(&mut marked[folder as usize], true) {
                        open.push(self.number(store, folder));
                    }
                }
            });
        }
        marked
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
