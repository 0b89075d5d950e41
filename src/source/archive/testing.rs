//! For tests: a visitor that keeps what it is given, and opens what is in what.

use std::io::Read;

use super::{Budget, Head, Input, Limits, format_of, read};
use crate::model::Provenance;
use crate::source::{Entry, Visit};

/// What was pushed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Path, bytes (the first megabyte of them), and the error that ended them.
    pub(super) files: Vec<(String, Vec<u8>, Option<String>)>,
    pub(super) troubles: Vec<(String, String)>,
    pub(super) skips: usize,
    pub(super) bytes: u64,
}

impl Seen {
    /// The members' paths.
    pub(super) fn names(&self) -> Vec<&str> {
        self.files.iter().map(|(path, ..)| path.as_str()).collect()
    }

    /// The text of a member.
    pub(super) fn text(&self, path: &str) -> String {
        let file = self.files.iter().find(|(name, ..)| name == path);
        String::from_utf8_lossy(&file.unwrap_or_else(|| panic!("{path} in {:?}", self.names())).1).into_owned()
    }

    /// Everything that was said of what could not be read.
    pub(super) fn said(&self) -> String {
        let errors = self.files.iter().filter_map(|(path, _, error)| error.as_ref().map(|why| format!("{path}: {why}")));
        self.troubles.iter().map(|(path, why)| format!("{path}: {why}")).chain(errors).collect::<Vec<_>>().join("\n")
    }
}

impl Visit for Seen {
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
        let mut bytes = Vec::new();
        let first = Read::take(&mut *reader, 1 << 20).read_to_end(&mut bytes);
        let result = first.and_then(|_| std::io::copy(reader, &mut std::io::sink()));
        self.bytes += bytes.len() as u64 + *result.as_ref().unwrap_or(&0);
        self.files.push((file.path.to_owned(), bytes, result.err().map(|error| error.to_string())));
    }

    fn skip(&mut self, _reason: &str) {
        self.skips += 1;
    }

    fn trouble(&mut self, path: &str, why: &str) {
        self.troubles.push((path.to_owned(), why.to_owned()));
    }

    fn is_stopped(&self) -> bool {
        false
    }
}

/// Reads one archive that is all there: what came out of it. `None` for what is none.
pub(super) fn open(path: &str, bytes: &[u8]) -> Option<Seen> {
    within(path, bytes, (true, Limits::default()))
}

/// The same as a stream of which a kilobyte is known.
pub(super) fn stream(path: &str, bytes: &[u8]) -> Option<Seen> {
    within(path, bytes, (false, Limits::default()))
}

pub(super) fn within(path: &str, bytes: &[u8], (is_whole, limits): (bool, Limits)) -> Option<Seen> {
    let (head, mut rest) = bytes.split_at(if is_whole { bytes.len() } else { bytes.len().min(1024) });
    let format = format_of(&Head { bytes: head, is_whole })?;
    let budget = Budget::new(limits);
    budget.known(bytes.len() as u64);
    let mut seen = Seen::default();
    let outer = Entry { path, provenance: &Provenance::Worktree };
    read(format, Input { head, rest: &mut rest, is_whole, file: None }, &outer, &budget, &mut seen);
    Some(seen)
}

/// A ZIP made here: name, method (0 or 8), bytes, and whether sizes stand behind the bytes.
#[derive(Default)]
pub(super) struct Zip {
    pub(super) bytes: Vec<u8>,
    pub(super) directory: Vec<u8>,
    pub(super) count: u16,
}

impl Zip {
    pub(super) fn add(&mut self, name: &str, text: &[u8], (method, flags): (u16, u16)) -> &mut Self {
        let packed = if method == 8 { deflate(text) } else { text.to_vec() };
        let at = self.bytes.len() as u32;
        let behind = flags & 8 != 0;
        let sizes = |packed: u32, size: u32| [0u32, packed, size].map(u32::to_le_bytes).concat();
        let (real, none) = (sizes(packed.len() as u32, text.len() as u32), sizes(0, 0));
        let common = [20u16, flags, method, 0, 0].map(u16::to_le_bytes).concat();
        let lengths = [name.len() as u16, 0].map(u16::to_le_bytes).concat();
        self.bytes.extend(
            [&b"PK\x03\x04"[..], &common, if behind { &*none } else { &*real }, &lengths, name.as_bytes(), &packed].concat(),
        );
        if behind {
            self.bytes.extend([b"PK\x07\x08", &*real].concat());
        }
        self.line(name, (method, flags), &real, at)
    }

    /// A line of the directory alone.
    pub(super) fn line(&mut self, name: &str, (method, flags): (u16, u16), sizes: &[u8], at: u32) -> &mut Self {
        let common = [20u16, 20, flags, method, 0, 0].map(u16::to_le_bytes).concat();
        let lengths = [name.len() as u16, 0, 0, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
        self.directory.extend([&b"PK\x01\x02"[..], &common, sizes, &lengths, &at.to_le_bytes(), name.as_bytes()].concat());
        self.count = self.count.wrapping_add(1);
        self
    }

    pub(super) fn done(&self) -> Vec<u8> {
        let counts = [0, 0, self.count, self.count].map(u16::to_le_bytes).concat();
        let places = [self.directory.len() as u32, self.bytes.len() as u32].map(u32::to_le_bytes).concat();
        [&*self.bytes, &self.directory, b"PK\x05\x06", &counts, &places, &[0, 0]].concat()
    }
}

pub(super) fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text).expect("in memory");
    encoder.finish().expect("in memory")
}

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text).expect("in memory");
    encoder.finish().expect("in memory")
}

/// A tar's member: a header whose sum holds, and the bytes filled up to a block.
pub(super) fn tarred(name: &[u8], kind: u8, (text, said): (&[u8], u64)) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{said:011o}\0").as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(text);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}
