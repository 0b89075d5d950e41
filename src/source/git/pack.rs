//! One pack and its index, as they lie on disk. <https://git-scm.com/docs/gitformat-pack>
//!
//! gix checks the index's bounds, which is held in memory; what an entry says is read here, every byte of it suspect. Neither is
//! mapped into memory: see [`super::bytes`].

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gix::hash::{ObjectId, oid};

use super::bytes::{Bytes, Window};
use super::made::Made;
use super::{GitError, Kind};

/// Where the first entry begins.
pub(super) const FIRST: u64 = 12;

/// Bytes of an entry's header, without a base's name.
const HEADER: usize = 20;

/// An index, all of it in memory.
mod index {
    pub(super) type File = gix::odb::pack::index::File<Vec<u8>>;
}

/// A pack with its index.
pub(super) struct Pack {
    data: Bytes,
    index: Index,
    /// Where the last entry ends, or the data do.
    end: u64,
    /// Of an object's name, in bytes.
    hash: usize,
    /// By how names begin: the first that begins so. Made where many are to be found.
    begins: OnceLock<Vec<u32>>,
}

/// What a pack's entries are called.
enum Index {
    /// As the file beside it says.
    File(Box<index::File>),
    /// As was found out from the pack alone.
    Made(Made),
}

/// The beginning of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) what: What,
    /// Bytes that its stream inflates to.
    pub(super) size: u64,
    /// Where its stream begins.
    pub(super) stream: u64,
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// An object as it is.
    Whole(Kind),
    /// Changes to the entry at this offset.
    At(u64),
    /// Changes to the object whose name stands at this offset.
    Named(u64),
}

/// The number that a name begins with.
fn head(name: &oid) -> u64 {
    name.as_bytes().first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight))
}

/// Names are spread evenly, so that where one stands can be guessed from what it begins with: some four looks, where halving takes
/// eighteen of 200,000. Whoever chose the names may have made guessing worthless; then they are halved.
fn lookup(index: &index::File, name: &oid) -> Option<u32> {
    const GUESSES: usize = 6;
    let wanted = head(name);
    let (mut low, mut high) = (0, index.num_objects());
    let (mut floor, mut ceiling) = (0, u64::MAX);
    let mut turn = 0;
    while low < high {
        let part = if turn < GUESSES { (wanted - floor) as f64 / ((ceiling - floor) as f64).max(1.0) } else { 0.5 };
        let at = (low + (f64::from(high - low) * part) as u32).min(high - 1);
        let found = index.oid_at_index(at);
        match found.cmp(name) {
            std::cmp::Ordering::Equal => return Some(at),
            std::cmp::Ordering::Less => (low, floor) = (at + 1, head(found)),
            std::cmp::Ordering::Greater => (high, ceiling) = (at, head(found)),
        }
        turn += 1;
    }
    None
}

/// The same by a table of where names begin so: one look at it and some two at names that lie together.
fn lookup_in(index: &index::File, begins: &[u32], name: &oid) -> Option<u32> {
    const FEW: u32 = 8;
    let wanted = head(name);
    let place = (wanted >> (u64::BITS - (begins.len() - 1).trailing_zeros())) as usize;
    let (mut low, mut high) = (begins[place], begins[place + 1]);
    while high - low > FEW {
        let middle = low + (high - low) / 2;
        match index.oid_at_index(middle).cmp(name) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    (low..high).find(|&at| {
        let found = index.oid_at_index(at);
        head(found) == wanted && found == name
    })
}

impl Pack {
    /// Opens `pack-*.pack` and the `.idx` beside it.
    pub(super) fn open(path: &Path, hash: usize) -> Result<Self, GitError> {
        let beside = path.with_extension("idx");
        if !beside.is_file() {
            return Err(GitError::Corrupt("a pack without an index"));
        }
        let open = || {
            const BROKEN: GitError = GitError::Corrupt("the pack's index is broken");
            let index = std::fs::read(&beside).map_err(|error| GitError::read(beside.display(), &error))?;
            let index = index::File::from_data(index, beside.clone(), kind(hash)).map_err(|_| BROKEN)?;
            let data = data(path, hash)?;
            let end = data.end();
            Ok(Self { data, index: Index::File(Box::new(index)), end, hash, begins: OnceLock::new() })
        };
        // gix promises no more than not to be unsound.
        catch_unwind(AssertUnwindSafe(open)).unwrap_or(Err(GitError::Corrupt("the pack's index is broken")))
    }

    /// Opens a pack whose entries nobody has listed: it may end anywhere.
    pub(super) fn bare(path: &Path, hash: usize) -> Result<Self, GitError> {
        let data = data(path, hash)?;
        let end = data.length();
        Ok(Self { data, index: Index::Made(Made::default()), end, hash, begins: OnceLock::new() })
    }

    /// The same pack, with names for its entries.
    pub(super) fn with(self, made: Made) -> Self {
        Self { index: Index::Made(made), ..self }
    }

    /// What was found out of its entries.
    pub(super) fn into_made(self) -> (Self, Made) {
        match self.index {
            Index::Made(made) => (Self { index: Index::Made(Made::default()), ..self }, made),
            Index::File(_) => (self, Made::default()),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// Objects that the index knows.
    pub(super) fn len(&self) -> u32 {
        match &self.index {
            Index::File(index) => index.num_objects(),
            Index::Made(made) => made.len(),
        }
    }

    /// Objects that the pack says it has.
    pub(super) fn said(&self) -> u32 {
        self.data.num_objects()
    }

    /// Bytes of an object's name.
    pub(super) fn hash(&self) -> usize {
        self.hash
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.data.length()
    }

    pub(super) fn name(&self, entry: u32) -> &oid {
        match &self.index {
            Index::File(index) => index.oid_at_index(entry),
            Index::Made(made) => made.name(entry),
        }
    }

    pub(super) fn find(&self, name: &oid) -> Option<u32> {
        match &self.index {
            Index::File(index) => match self.begins.get() {
                Some(begins) => lookup_in(index, begins, name),
                None => lookup(index, name),
            },
            Index::Made(made) => made.find(name),
        }
    }

    /// Makes ready for finding most of all objects.
    pub(super) fn hasten(&self) {
        /// So few are found as fast without.
        const FEW: u32 = 1 << 10;
        let Index::File(index) = &self.index else { return };
        let bits = index.num_objects().max(1).ilog2();
        if index.num_objects() < FEW {
            return;
        }
        self.begins.get_or_init(|| {
            let mut begins = vec![0; (1 << bits) + 1];
            for at in 0..index.num_objects() {
                begins[(head(index.oid_at_index(at)) >> (u64::BITS - bits)) as usize + 1] = at + 1;
            }
            // Where nothing begins so, what comes next does.
            (1..begins.len()).for_each(|at| begins[at] = begins[at].max(begins[at - 1]));
            begins
        });
    }

    /// Where each object's entry begins, with its number in the index, in the order of the pack.
    pub(super) fn offsets(&self) -> Vec<(u64, u32)> {
        let mut all: Vec<(u64, u32)> = (0..self.len()).map(|n| (self.offset(n), n)).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn offset(&self, entry: u32) -> u64 {
        match &self.index {
            Index::File(index) => index.pack_offset_at_index(entry),
            Index::Made(made) => made.offset(entry),
        }
    }

    /// The object that begins at `offset`: a search through all of them, for the rare case.
    pub(super) fn entry_at(&self, offset: u64) -> Option<u32> {
        (0..self.len()).find(|&entry| self.offset(entry) == offset)
    }

    /// The pack from `offset` on, without its checksum: at least so many bytes, where there are that many.
    pub(super) fn from<'w>(&self, window: &'w mut Window, offset: u64, least: usize) -> Result<&'w [u8], GitError> {
        let start = if offset < FIRST { self.end } else { offset };
        window.look(&self.data, start..self.end, least)
    }

    /// Where the last entry ends, or the data do.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// What the zlib stream at `offset` inflates to, however long.
    pub(super) fn inflated(&self, offset: u64) -> impl Read + use<'_> {
        let stream = self.data.stream(offset.clamp(FIRST, self.end)..self.end);
        sirocco::inflate::Reader::new(sirocco::Format::Zlib, stream)
    }

    /// Whether the entry's bytes are those that were indexed; true where the index does not say.
    pub(super) fn holds(&self, entry: u32, bytes: &[u8]) -> bool {
        let crc = match &self.index {
            Index::File(index) => index.crc32_at_index(entry),
            Index::Made(_) => None,
        };
        crc.is_none_or(|crc| crc == crc32fast::hash(bytes))
    }

    /// The name of the base that a header points at.
    pub(super) fn base_name(&self, at: u64) -> Option<ObjectId> {
        let mut name = [0; 32];
        let name = &mut name[..self.hash];
        let got = self.data.read_at(name, at).ok()?;
        ObjectId::try_from(&*name).ok().filter(|_| got == self.hash && at + got as u64 <= self.end)
    }

    /// Reads the header of the entry at `offset`.
    pub(super) fn header(&self, offset: u64) -> Result<Header, GitError> {
        let mut bytes = [0; HEADER];
        let got = if (FIRST..self.end).contains(&offset) { self.data.read_at(&mut bytes, offset) } else { Ok(0) };
        let got = got.map_err(|error| GitError::read(self.data.path().display(), &error))?;
        self.header_of(&bytes[..got.min(usize::try_from(self.end - offset.min(self.end)).unwrap_or(got))], offset)
    }

    /// The same where what begins there is at hand.
    pub(super) fn header_in(&self, window: &mut Window, offset: u64) -> Result<Header, GitError> {
        let bytes = self.from(window, offset, HEADER)?;
        self.header_of(bytes, offset)
    }

    fn header_of(&self, bytes: &[u8], offset: u64) -> Result<Header, GitError> {
        const CUT: GitError = GitError::Corrupt("an entry's header is cut off");
        if bytes.is_empty() {
            return Err(GitError::Corrupt("its place is outside of the pack"));
        }
        let mut at = 0;
        let mut next = || {
            at += 1;
            bytes.get(at - 1).copied().ok_or(CUT)
        };
        let first = next()?;
        let (mut size, mut shift, mut byte) = (u64::from(first & 15), 4, first);
        while byte & 0x80 != 0 {
            byte = next()?;
            if shift > 57 {
                return Err(GitError::Corrupt("an entry's size is out of bounds"));
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        let what = match first >> 4 & 7 {
            1 => What::Whole(Kind::Commit),
            2 => What::Whole(Kind::Tree),
            3 => What::Whole(Kind::Blob),
            4 => What::Whole(Kind::Tag),
            6 => {
                let mut byte = next()?;
                let mut back = u64::from(byte & 0x7f);
                while byte & 0x80 != 0 {
                    byte = next()?;
                    back = back.checked_add(1).and_then(|back| back.checked_mul(128)).ok_or(CUT)? | u64::from(byte & 0x7f);
                }
                let base = offset.checked_sub(back).filter(|_| back > 0);
                What::At(base.ok_or(GitError::Corrupt("a delta's base lies outside of the pack"))?)
            }
            7 => {
                let name = offset + at as u64;
                at += self.hash;
                What::Named(name)
            }
            _ => return Err(GitError::Corrupt("an entry of no known type")),
        };
        Ok(Header { what, size, stream: offset + at as u64 })
    }
}

fn kind(hash: usize) -> gix::hash::Kind {
    if hash == 32 { gix::hash::Kind::Sha256 } else { gix::hash::Kind::Sha1 }
}

fn data(path: &Path, hash: usize) -> Result<Bytes, GitError> {
    let data = Bytes::open(path, hash).map_err(|error| GitError::read(path.display(), &error))?;
    data.ok_or(GitError::Corrupt("the pack is broken or cut off"))
}

#[cfg(test)]
mod tests {
    use gix::hash::ObjectId;

    use super::super::testing::{Packer, name};
    use super::Pack;

    #[test]
    fn every_name_is_found_with_the_table_and_without() {
        // Whoever chose the names of the second pack did so that no table helps.
        let alike = |n: u32| ObjectId::try_from([&[7; 16][..], &n.to_be_bytes()].concat().as_slice()).expect("20 bytes");
        for chosen in [None, Some(alike)] {
            let mut packer = Packer::new();
            for n in 0..1500u32 {
                let content = n.to_string().into_bytes();
                let name = chosen.map_or_else(|| name("blob", &content), |chosen| chosen(2 * n));
                packer.entry(3, name, (&[], &content), content.len());
            }
            let names: Vec<ObjectId> = packer.entries.iter().map(|(name, ..)| *name).collect();
            let folder = tempfile::tempdir().expect("a folder");
            packer.write(folder.path());
            let pack = Pack::open(&folder.path().join("objects/pack/pack-test.pack"), 20).expect("a pack");
            let absent =
                [ObjectId::null(gix::hash::Kind::Sha1), name("blob", b"none"), alike(1), alike(2999), alike(u32::MAX)];
            for _ in 0..2 {
                for name in &names {
                    assert_eq!(pack.find(name).map(|entry| pack.name(entry)), Some(name.as_ref()));
                }
                assert_eq!(absent.map(|name| pack.find(&name)), [None; 5]);
                pack.hasten();
            }
            assert!(pack.begins.get().is_some());
        }
    }
}
