//! Packs made in Rust: sound ones with any deltas one likes, and broken ones.

use std::fs;
use std::path::Path;

use gix::hash::ObjectId;
use ring::digest;

/// A generator of numbers that looks random and always gives the same (xorshift64*).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most.max(1)
    }
}

/// A piece of a delta.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Copy(usize, usize),
    Insert(Vec<u8>),
}

/// A pack in the making.
#[derive(Default)]
pub(super) struct Packer {
    pub(super) bytes: Vec<u8>,
    /// Name, offset, CRC.
    pub(super) entries: Vec<(ObjectId, u64, u32)>,
}

impl Packer {
    pub(super) fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), entries: Vec::new() }
    }

    /// Adds an object as it is; `kind` as packs number them. Returns its number here.
    pub(super) fn whole(&mut self, kind: u8, content: &[u8]) -> usize {
        let word = ["", "commit", "tree", "blob", "tag"][kind as usize];
        self.entry(kind, name(word, content), (&[], content), content.len())
    }

    /// Adds what `ops` make of an object that is there.
    pub(super) fn delta(&mut self, base: usize, base_content: &[u8], ops: &[Op]) -> (usize, Vec<u8>) {
        let content = applied(base_content, ops);
        let delta = encoded(base_content.len(), content.len(), ops);
        let back = self.bytes.len() as u64 - self.entries[base].1;
        let number = self.entry(6, name("blob", &content), (&offset(back), &delta), delta.len());
        (number, content)
    }

    /// Adds anything at all.
    pub(super) fn entry(&mut self, kind: u8, name: ObjectId, (base, content): (&[u8], &[u8]), said: usize) -> usize {
        let at = self.bytes.len();
        let mut size = said;
        let mut byte = kind << 4 | (size & 15) as u8;
        size >>= 4;
        while size > 0 {
            self.bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        self.bytes.push(byte);
        self.bytes.extend_from_slice(base);
        self.bytes.extend(sirocco::compress(sirocco::Format::Zlib, sirocco::deflate::Level::DEFAULT, content));
        self.entries.push((name, at as u64, crc32fast::hash(&self.bytes[at..])));
        self.entries.len() - 1
    }

    /// Writes the pack and its index into a bare repository at `folder`.
    pub(super) fn write(mut self, folder: &Path) {
        let count = (self.entries.len() as u32).to_be_bytes();
        self.bytes[8..12].copy_from_slice(&count);
        let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.bytes);
        self.bytes.extend_from_slice(sum.as_ref());
        repository(folder);
        let pack = folder.join("objects/pack/pack-test.pack");
        fs::write(&pack, &self.bytes).expect("the pack");
        fs::write(pack.with_extension("idx"), self.index()).expect("the index");
    }

    fn index(&mut self) -> Vec<u8> {
        self.entries.sort_unstable();
        let mut out = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255u8 {
            let count = self.entries.iter().filter(|(name, ..)| name.as_bytes()[0] <= first).count() as u32;
            out.extend(count.to_be_bytes());
        }
        self.entries.iter().for_each(|(name, ..)| out.extend_from_slice(name.as_bytes()));
        self.entries.iter().for_each(|(_, _, crc)| out.extend(crc.to_be_bytes()));
        self.entries.iter().for_each(|(_, offset, _)| out.extend((*offset as u32).to_be_bytes()));
        out.extend([0; 40]);
        out
    }
}

/// An empty bare repository.
pub(super) fn repository(folder: &Path) {
    fs::create_dir_all(folder.join("objects/pack")).expect("folders");
    fs::create_dir_all(folder.join("refs/heads")).expect("folders");
    fs::write(folder.join("HEAD"), "ref: refs/heads/main\n").expect("HEAD");
}

/// An object's name.
pub(super) fn name(kind: &str, content: &[u8]) -> ObjectId {
    let whole = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
    let sum = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &whole);
    ObjectId::try_from(sum.as_ref()).expect("20 bytes")
}

/// How far back a base stands.
pub(super) fn offset(mut back: u64) -> Vec<u8> {
    let mut out = vec![(back & 0x7f) as u8];
    back >>= 7;
    while back > 0 {
        back -= 1;
        out.insert(0, (back & 0x7f) as u8 | 0x80);
        back >>= 7;
    }
    out
}

pub(super) fn applied(base: &[u8], ops: &[Op]) -> Vec<u8> {
    let piece = |op: &Op| match op {
        Op::Copy(from, length) => base[*from..from + length].to_vec(),
        Op::Insert(bytes) => bytes.clone(),
    };
    ops.iter().flat_map(piece).collect()
}

pub(super) fn encoded(base: usize, result: usize, ops: &[Op]) -> Vec<u8> {
    let mut out = [varint(base), varint(result)].concat();
    for op in ops {
        match op {
            Op::Insert(bytes) => bytes.chunks(127).for_each(|chunk| {
                out.push(chunk.len() as u8);
                out.extend_from_slice(chunk);
            }),
            Op::Copy(from, length) => {
                for at in (0..*length).step_by(0xffff) {
                    let size = (length - at).min(0xffff);
                    out.push(0xbf);
                    out.extend_from_slice(&(*from as u32 + at as u32).to_le_bytes());
                    out.extend_from_slice(&(size as u16).to_le_bytes());
                }
            }
        }
    }
    out
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while number > 127 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}
