//! A repository's objects: packs, loose objects, alternates. Each object has one number, whatever it is stored in and however
//! often.

use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use gix::hash::{ObjectId, oid};

use super::forest::{Forest, NONE};
use super::loose::Loose;
use super::named::name_of;
use super::open::GitPlace;
use super::pack::{Pack, What};
use super::walk::Walk;
use super::written::written;
use super::{GitError, Kind, LARGEST};

/// Objects of a pack that one unit of work takes on: at least so many, and no more than so many.
const UNIT: Range<u32> = 256..1024;
/// Loose objects of a unit.
const LOOSE_UNIT: usize = 256;
/// A base in another pack may itself have its base in another.
const DEEPEST: usize = 32;

/// An object's number.
pub(super) type Number = u32;

/// A pack and its forest.
pub(super) struct Grove {
    pub(super) pack: Pack,
    pub(super) forest: Forest,
    /// The number of its first object by name.
    pub(super) first: Number,
    pub(super) nodes: OnceLock<Vec<u32>>,
}

/// All objects.
pub struct Store {
    /// Where they lie.
    pub place: GitPlace,
    pub(super) groves: Vec<Grove>,
    pub(super) loose: Vec<(Loose, Number)>,
    pub(super) troubles: Vec<(String, String)>,
    pub(super) groups: AtomicU32,
    /// Bytes that may still be inflated.
    pub(super) budget: AtomicU64,
}

/// Work for one thread.
#[derive(Debug, Clone)]
pub enum Unit {
    /// Nodes of a pack.
    Nodes {
        /// Which pack.
        pack: usize,
        /// Which nodes.
        nodes: Range<u32>,
    },
    /// Loose objects of a folder.
    Loose {
        /// Which folder.
        folder: usize,
        /// Which objects.
        objects: Range<usize>,
    },
}

impl Store {
    /// What could not be read at all: what, why.
    pub fn troubles(&self) -> &[(String, String)] {
        &self.troubles
    }

    /// Objects, those stored twice counted twice.
    pub fn len(&self) -> u64 {
        let packed: u64 = self.groves.iter().map(|grove| u64::from(grove.pack.len())).sum();
        packed + self.loose.iter().map(|(loose, _)| loose.names.len() as u64).sum::<u64>()
    }

    /// The first number that no object has.
    pub(super) fn end(&self) -> Number {
        let loose = self.loose.last().map(|(loose, first)| first.saturating_add(loose.names.len() as u32));
        loose.unwrap_or_else(|| self.groves.last().map_or(0, |grove| grove.first.saturating_add(grove.pack.len())))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Work that covers all blobs, commits and tags (or all trees), in the order in which they lie.
    pub fn units(&self, trees: bool) -> Vec<Unit> {
        let mut units = Vec::new();
        for (pack, grove) in self.groves.iter().enumerate() {
            let nodes = &grove.forest.nodes;
            let split = nodes.partition_point(|node| node.kind < Kind::Tree) as u32;
            let (mut start, end) = if trees { (split, nodes.len() as u32) } else { (0, split) };
            while start < end {
                let mut stop = (start + UNIT.start).min(end);
                // Best between two chains; within one where it is long.
                while stop < end && stop < start + UNIT.end && nodes[stop as usize].base != NONE {
                    stop += 1;
                }
                units.push(Unit::Nodes { pack, nodes: start..stop });
                start = stop;
            }
        }
        for (folder, (loose, _)) in self.loose.iter().enumerate() {
            let count = loose.names.len();
            let starts = (0..count).step_by(LOOSE_UNIT);
            units.extend(starts.map(|at| Unit::Loose { folder, objects: at..(at + LOOSE_UNIT).min(count) }));
        }
        units
    }

    /// The number of the object of that name.
    pub(super) fn find(&self, name: &oid) -> Option<Number> {
        let packed = self.groves.iter().find_map(|grove| Some(grove.first + grove.pack.find(name)?));
        packed.or_else(|| {
            let found = |(loose, first): &(Loose, Number)| {
                Some(first + loose.names.binary_search_by(|own| own.as_ref().cmp(name)).ok()? as u32)
            };
            self.loose.iter().find_map(found)
        })
    }

    /// The number of the object that is called so in hex digits.
    pub fn called(&self, hex: &str) -> Option<u32> {
        self.find(&ObjectId::from_hex(hex.as_bytes()).ok()?)
    }

    /// The number that an object of a pack has: that of its first copy.
    pub(super) fn number(&self, pack: usize, entry: u32) -> Number {
        let own = self.groves[pack].first + entry;
        if pack == 0 {
            return own;
        }
        let name = self.groves[pack].pack.name(entry);
        self.groves[..pack].iter().find_map(|grove| Some(grove.first + grove.pack.find(name)?)).unwrap_or(own)
    }

    /// The name of the object of that number.
    pub(super) fn name(&self, number: Number) -> ObjectId {
        match self.place_of(number) {
            At::Pack(pack, entry) => self.groves[pack].pack.name(entry).to_owned(),
            At::Loose(folder, at) => self.loose[folder].0.names[at],
        }
    }

    /// The pack and entry of an object, or its folder and place there.
    pub(super) fn packed(&self, number: Number) -> Result<(usize, u32), (usize, usize)> {
        match self.place_of(number) {
            At::Pack(pack, entry) => Ok((pack, entry)),
            At::Loose(folder, at) => Err((folder, at)),
        }
    }

    fn place_of(&self, number: Number) -> At {
        let after = self.loose.partition_point(|(_, first)| *first <= number);
        if let Some(folder) = after.checked_sub(1)
            && number >= self.loose[0].1
        {
            return At::Loose(folder, (number - self.loose[folder].1) as usize);
        }
        let pack = self.groves.partition_point(|grove| grove.first <= number) - 1;
        At::Pack(pack, number - self.groves[pack].first)
    }

    /// The kind of an object that is not in pack `besides`.
    pub(super) fn kind(&self, name: &oid, mut besides: usize) -> Option<Kind> {
        let mut name = name.to_owned();
        for _ in 0..DEEPEST {
            match self.root(&name, besides)? {
                Ok(kind) => return Some(kind),
                Err((base, pack)) => (name, besides) = (base, pack),
            }
        }
        None
    }

    /// The kind of an object that is not in pack `besides`, or the base of it that is not in its pack, and which that is.
    fn root(&self, name: &oid, besides: usize) -> Option<Result<Kind, (ObjectId, usize)>> {
        for (pack, grove) in self.groves.iter().enumerate().filter(|(pack, _)| *pack != besides) {
            let Some(mut entry) = grove.pack.find(name) else { continue };
            for _ in 0..DEEPEST * 128 {
                entry = match grove.pack.header(grove.pack.offset(entry)).ok()?.what {
                    What::Whole(kind) => return Some(Ok(kind)),
                    What::At(from) => grove.pack.entry_at(from)?,
                    What::Named(at) => {
                        let base = grove.pack.base_name(at)?;
                        match grove.pack.find(&base) {
                            Some(entry) => entry,
                            None => return Some(Err((base, pack))),
                        }
                    }
                };
            }
        }
        let loose = self.loose.iter().find_map(|(loose, _)| loose.open(name).ok());
        loose.map(|(kind, ..)| Ok(kind))
    }

    /// The kind of the object of that number, where it can be read.
    pub(super) fn kind_of(&self, number: Number) -> Option<Kind> {
        match self.place_of(number) {
            At::Pack(pack, entry) => {
                let grove = &self.groves[pack];
                Some(grove.forest.nodes[grove.node(entry)? as usize].kind)
            }
            At::Loose(folder, at) => {
                let (loose, _) = &self.loose[folder];
                loose.open(&loose.names[at]).ok().map(|(kind, ..)| kind)
            }
        }
    }

    /// An object's text, for reading it again; and whether its bytes are those that its name stands for. That is asked only here:
    /// of every object it would double what a scan costs (200,000 objects of Redis, 5.8 GB: 19 s of CPU time, with it 37 s).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, number: u32) -> Result<(Vec<u8>, bool), GitError> {
        let name = self.name(number);
        let (kind, bytes) = self.read(&name)?;
        let is_named = name_of(kind, &bytes, self.place.hash) == name;
        Ok((written(kind, &bytes).into_owned(), is_named))
    }

    /// A file that is too large for the memory, as a stream; none where it is not, or is made from another.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn large(&self, number: u32) -> Result<Option<Box<dyn Read + '_>>, GitError> {
        let (kind, size, reader): (Kind, u64, Box<dyn Read + '_>) = match self.place_of(number) {
            At::Loose(folder, at) => {
                let (kind, size, reader) = self.loose[folder].0.open(&self.loose[folder].0.names[at])?;
                (kind, size, Box::new(reader))
            }
            At::Pack(pack, entry) => {
                let pack = &self.groves[pack].pack;
                let header = pack.header(pack.offset(entry))?;
                let What::Whole(kind) = header.what else { return Ok(None) };
                (kind, header.size, Box::new(pack.inflated(header.stream)))
            }
        };
        let is_large = kind == Kind::Blob && size > LARGEST;
        Ok(is_large.then(|| Box::new(reader.take(size)) as Box<dyn Read + '_>))
    }

    /// An object's kind and bytes, by name.
    pub(super) fn read(&self, name: &oid) -> Result<(Kind, Vec<u8>), GitError> {
        self.read_deep(name, DEEPEST)
    }

    fn read_deep(&self, name: &oid, deep: usize) -> Result<(Kind, Vec<u8>), GitError> {
        let number = self.find(name).filter(|_| deep > 0).ok_or(GitError::Corrupt("missing"))?;
        match self.place_of(number) {
            At::Loose(folder, at) => self.loose[folder].0.read(&self.loose[folder].0.names[at], LARGEST),
            At::Pack(pack, entry) => {
                let grove = &self.groves[pack];
                let node = grove.node(entry).ok_or(GitError::Corrupt("it cannot be read"))?;
                let foreign = |name: &oid| Some(self.read_deep(name, deep - 1).ok()?.1);
                let mut walk: Walk<'_, ()> = Walk::new(&grove.pack, &grove.forest, &foreign);
                let mut out = Vec::new();
                walk.seek(node, &mut |step| {
                    if step.node == node {
                        out.extend_from_slice(step.bytes);
                    }
                })
                .map_err(|(_, error)| error)?;
                Ok((grove.forest.nodes[node as usize].kind, out))
            }
        }
    }

    /// A number that no group of hits has yet.
    pub(super) fn group(&self) -> u32 {
        self.groups.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts bytes that were inflated. False once there were more than any honest pack holds.
    pub(super) fn spend(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

enum At {
    Pack(usize, u32),
    Loose(usize, usize),
}

impl Grove {
    /// The node of an entry, where it can be read.
    pub(super) fn node(&self, entry: u32) -> Option<u32> {
        let build = || {
            let mut all = vec![NONE; self.pack.len() as usize];
            self.forest.nodes.iter().enumerate().for_each(|(n, node)| all[node.entry as usize] = n as u32);
            all
        };
        self.nodes.get_or_init(build).get(entry as usize).copied().filter(|&node| node != NONE)
    }
}
