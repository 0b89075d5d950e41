//! Readers that do not believe what they read: a digest and a size that must fit, a bound on what a few bytes may become.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};

use ring::digest::{Context, SHA256, SHA512};

use super::blobs::Digest;

/// What any stream may unpack to, whatever its size, before its ratio is looked at.
const ANY_SIZE: u64 = 1 << 30;
/// What each packed byte may become beyond that. Deflate reaches 1032, real layers stay below 50.
const RATIO: u64 = 200;
/// What is read beyond the size that was promised.
const SLACK: u64 = 64 << 10;

/// Hashes what passes.
pub(super) struct Hashed<R> {
    reader: R,
    context: Context,
    expected: Digest,
    size: Option<u64>,
    seen: u64,
}

impl<R: Read> Hashed<R> {
    /// `size` is what the stream should have, in bytes, where that is said.
    pub(super) fn new(reader: R, expected: Digest, size: Option<u64>) -> Self {
        let context = Context::new(if expected.algorithm() == "sha512" { &SHA512 } else { &SHA256 });
        Self { reader, context, expected, size, seen: 0 }
    }

    /// Whether the stream, read to its end, was what its digest says; else why not.
    pub(super) fn verdict(self) -> Result<(), String> {
        if let Some(size) = self.size.filter(|size| *size != self.seen) {
            return Err(format!("{size} bytes were promised and {} came", self.seen));
        }
        let hash = data_encoding::HEXLOWER.encode(self.context.finish().as_ref());
        if hash == self.expected.hex() { Ok(()) } else { Err("its content does not match its digest".to_owned()) }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A stream without end must not be read without end; a little more than was promised is worth looking at.
        if self.size.is_some_and(|size| self.seen > size.saturating_add(SLACK)) {
            return Err(io::Error::other("far more bytes came than were promised"));
        }
        let got = self.reader.read(into)?;
        self.context.update(&into[..got]);
        self.seen += got as u64;
        Ok(got)
    }
}

/// Counts what passes.
pub(super) struct Counted<'c, R> {
    reader: R,
    count: &'c Cell<u64>,
}

impl<'c, R: Read> Counted<'c, R> {
    pub(super) fn new(reader: R, count: &'c Cell<u64>) -> Self {
        Self { reader, count }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.read(into)?;
        self.count.set(self.count.get() + got as u64);
        Ok(got)
    }
}

/// Ends a stream that becomes too large for the packed bytes it comes from.
pub(super) struct Bounded<'c, R> {
    reader: R,
    packed: &'c Cell<u64>,
    unpacked: &'c Cell<u64>,
}

impl<'c, R: Read> Bounded<'c, R> {
    /// `packed` counts what was read of the packed stream; `unpacked` is shared by all who unpack it further.
    pub(super) fn new(reader: R, packed: &'c Cell<u64>, unpacked: &'c Cell<u64>) -> Self {
        Self { reader, packed, unpacked }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let limit = ANY_SIZE.saturating_add(self.packed.get().saturating_mul(RATIO));
        if self.unpacked.get() > limit {
            return Err(io::Error::other(format!("it unpacks to more than {RATIO} times its size (and more than 1 GiB)")));
        }
        let got = self.reader.read(into)?;
        self.unpacked.set(self.unpacked.get() + got as u64);
        Ok(got)
    }
}

/// Headers of one tar member together: a pax header with the largest attributes that Linux knows stays below 128 KiB.
pub(super) const HEADERS: u64 = 512 << 10;

/// Lets only so much through while `left` is set: headers must not fill the memory.
pub(super) struct Metered<'c, R> {
    reader: R,
    left: &'c Cell<Option<u64>>,
}

impl<'c, R: Read> Metered<'c, R> {
    pub(super) fn new(reader: R, left: &'c Cell<Option<u64>>) -> Self {
        Self { reader, left }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get() else { return self.reader.read(into) };
        if left == 0 {
            return Err(io::Error::other("a tar header is larger than any real one"));
        }
        let most = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = self.reader.read(&mut into[..most])?;
        self.left.set(Some(left - got as u64));
        Ok(got)
    }
}

impl<R: Seek> Seek for Metered<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}
