//! A pack's bytes, read as they are needed. Not mapped into memory: whoever cuts a mapped file short ends every process that looks
//! at it. What is gone is an error here like any other.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{GitError, LARGEST};

/// Bytes of a pack's header: its sign, its version, how many objects.
const HEADER: usize = 12;
/// Bytes that are read where fewer are wanted: what is made from each other lies together.
const AHEAD: usize = 16 << 10;
/// Bytes that a stream reads at once.
const PIECE: usize = 64 << 10;
/// No entry is longer: what a file of the largest size is packed into, and as much again.
const LONGEST: usize = 2 * LARGEST as usize;
/// A longer buffer is given back.
const KEPT: usize = 4 << 20;

/// A pack on disk.
pub(super) struct Bytes {
    file: File,
    path: PathBuf,
    length: u64,
    objects: u32,
    hash: usize,
}

impl Bytes {
    /// Opens a pack whose objects' names have `hash` bytes.
    pub(super) fn open(path: &Path, hash: usize) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let mut pack = Self { file, path: path.to_owned(), length: about.len(), objects: 0, hash };
        let mut header = [0; HEADER];
        if !about.is_file() || pack.length < (HEADER + hash) as u64 || pack.read_at(&mut header, 0)? < HEADER {
            return Ok(None);
        }
        let [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, a, b, c, d] = header else { return Ok(None) };
        pack.objects = u32::from_be_bytes([a, b, c, d]);
        Ok(Some(pack))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Objects that it says it has.
    pub(super) fn num_objects(&self) -> u32 {
        self.objects
    }

    /// How long it was when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where its checksum begins.
    pub(super) fn end(&self) -> u64 {
        self.length - self.hash as u64
    }

    /// Fills `into` from `offset` on, as far as there is something; how far that is.
    pub(super) fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut got = 0;
        while got < into.len() {
            match at(&self.file, &mut into[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }

    /// What stands there, as a stream.
    pub(super) fn stream(&self, range: Range<u64>) -> impl io::BufRead + use<'_> {
        BufReader::with_capacity(PIECE, Stream { pack: self, range })
    }
}

#[cfg(unix)]
fn at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

struct Stream<'p> {
    pack: &'p Bytes,
    range: Range<u64>,
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let want = left.min(into.len());
        let got = self.pack.read_at(&mut into[..want], self.range.start)?;
        self.range.start += got as u64;
        Ok(got)
    }
}

/// What one reader has before it of a pack.
#[derive(Default)]
pub(super) struct Window {
    buffer: Vec<u8>,
    filled: usize,
    start: u64,
}

impl Window {
    /// What stands in `range`: at least so many bytes from its beginning, where there are that many.
    ///
    /// # Errors
    /// When they cannot be read, or are more than any entry is long.
    pub(super) fn look(&mut self, pack: &Bytes, range: Range<u64>, least: usize) -> Result<&[u8], GitError> {
        let there = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let least = least.min(there);
        let held = self.start..self.start + self.filled as u64;
        if range.start < held.start || range.start + least as u64 > held.end {
            if least > LONGEST {
                return Err(GitError::Corrupt("an entry is longer than what it holds; it was not read"));
            }
            let want = least.max(AHEAD).min(there);
            if self.buffer.len() > KEPT && want <= KEPT {
                self.buffer = Vec::new();
            }
            if self.buffer.len() < want {
                self.buffer.resize(want, 0);
            }
            self.filled = 0;
            let got = pack.read_at(&mut self.buffer[..want], range.start);
            self.filled = got.map_err(|error| GitError::read(pack.path().display(), &error))?;
            self.start = range.start;
        }
        let from = ((range.start - self.start) as usize).min(self.filled);
        Ok(&self.buffer[from..self.filled.min(from.saturating_add(there))])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{AHEAD, Bytes, Window};

    #[test]
    fn a_window_shows_what_is_there_and_what_is_gone_is_an_error_or_less() {
        let scratch = tempfile::tempdir().expect("scratch");
        let path = scratch.path().join("a.pack");
        let body: Vec<u8> = (0..100_000u32).map(|n| (n / 7) as u8).collect();
        let all = [&b"PACK\0\0\0\x02\0\0\0\x09"[..], &body, &[0; 20]].concat();
        std::fs::write(&path, &all).expect("a pack");
        let pack = Bytes::open(&path, 20).expect("readable").expect("a pack");
        assert_eq!((pack.num_objects(), pack.length(), pack.end()), (9, all.len() as u64, 100_012));
        let mut window = Window::default();
        for (start, least) in [(12, 1), (13, 5), (20_000, 40_000), (40_000, 2), (99_990, 500), (100_012, 3), (12, AHEAD + 1)]
        {
            let seen = window.look(&pack, start..pack.end(), least).expect("readable");
            let rest = &all[start as usize..100_012];
            assert!(seen.len() >= least.min(rest.len()) && rest.starts_with(seen), "{start} {least}: {}", seen.len());
        }
        let mut whole = Vec::new();
        pack.stream(12..pack.end()).read_to_end(&mut whole).expect("readable");
        assert_eq!(whole, body);
        // Cut short while it is read.
        std::fs::OpenOptions::new().write(true).open(&path).expect("a file").set_len(50).expect("cut");
        assert_eq!(window.look(&pack, 60_000..pack.end(), 10).expect("nothing there").len(), 0);
        assert_eq!(window.look(&pack, 40..pack.end(), 100).expect("less").len(), 10);
        whole.clear();
        pack.stream(12..pack.end()).read_to_end(&mut whole).expect("readable");
        assert_eq!(whole.len(), 38);
        assert!(
            Bytes::open(scratch.path(), 20).is_err() || Bytes::open(scratch.path(), 20).is_ok_and(|pack| pack.is_none())
        );
    }
}
