//! How much may come out of one archive: a few kilobytes can say that they are petabytes.
//!
//! Bounded are the bytes of each member and of everything within one outermost file, at all depths together, in number and as
//! a multiple of what is packed. A bound that is met is an error of the reader, so that the scan is incomplete and says so.

use std::cell::Cell;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one member.
    pub member: u64,
    /// Bytes of all members of an outermost file.
    pub total: u64,
    /// Bytes for one that is packed: sources and logs reach 20, deflate can do 1032 and xz 7000.
    pub ratio: u64,
    /// So much comes out of anything, whatever the ratio.
    pub free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { member: 4 << 30, total: 16 << 30, ratio: 250, free: 64 << 20 }
    }
}

/// What was spent on one outermost file. One thread's; atomic only because threads' tools must be able to move.
#[derive(Debug, Default)]
pub struct Budget {
    limits: Limits,
    packed: AtomicU64,
    out: AtomicU64,
}

impl Budget {
    /// Nothing spent. What the outermost file holds is added as it becomes known.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// So many more bytes of the outermost file are known to be there.
    pub fn known(&self, bytes: u64) {
        self.packed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether nothing more may come out.
    pub(super) fn is_spent(&self) -> bool {
        let (packed, out) = (self.packed.load(Ordering::Relaxed), self.out.load(Ordering::Relaxed));
        out > self.limits.total || out > self.limits.free.saturating_add(packed.saturating_mul(self.limits.ratio))
    }
}

/// What comes out of a decoder, bounded. `packed` says how much went in so far.
pub(super) struct Bounded<'b, R> {
    inner: R,
    packed: &'b Cell<u64>,
    budget: &'b Budget,
    out: u64,
}

impl<'b, R: Read> Bounded<'b, R> {
    pub(super) fn new(inner: R, packed: &'b Cell<u64>, budget: &'b Budget) -> Self {
        Self { inner, packed, budget, out: 0 }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let limits = self.budget.limits;
        if self.out > limits.member {
            return Err(io::Error::other(format!(
                "more than {} MiB in it; the rest was not looked at",
                limits.member >> 20
            )));
        }
        if self.out > limits.free && self.out / limits.ratio > self.packed.get() {
            let why = format!("expands to more than {} times its size; the rest was not looked at", limits.ratio);
            return Err(io::Error::other(why));
        }
        if self.budget.is_spent() {
            return Err(io::Error::other(SPENT));
        }
        let got = self.inner.read(into)?;
        self.out += got as u64;
        self.budget.out.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Why reading ends where all members together are too much.
pub(super) const SPENT: &str = "its archive expands to more than is ever looked at; the rest was not";

/// Counts what is read.
pub(super) struct Counted<'c, R> {
    inner: R,
    count: &'c Cell<u64>,
}

impl<'c, R: Read> Counted<'c, R> {
    pub(super) fn new(inner: R, count: &'c Cell<u64>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(into)?;
        self.count.set(self.count.get() + got as u64);
        Ok(got)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count.set(self.count.get() + amount as u64);
        self.inner.consume(amount);
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Exactly so many bytes: fewer are an error, not an end.
pub(super) struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Exactly<R> {
    pub(super) fn new(inner: R, bytes: u64) -> Self {
        Self { inner, left: bytes }
    }

    /// Reads what nobody wanted.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if want == 0 {
            return Ok(0);
        }
        let got = self.inner.read(&mut into[..want])?;
        if got == 0 {
            let why = format!("cut short: {} bytes are missing", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.left -= got as u64;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Read;

    use super::{Bounded, Budget, Exactly, Limits};

    /// How many bytes come out of an endless reader that was packed into `packed` bytes.
    fn out(limits: Limits, packed: u64, budget: &Budget) -> (usize, String) {
        assert_eq!(budget.limits.member, limits.member);
        let cell = Cell::new(packed);
        let mut all = Vec::new();
        let error = Bounded::new(std::io::repeat(0), &cell, budget).read_to_end(&mut all).expect_err("endless");
        (all.len(), error.to_string())
    }

    #[test]
    fn each_bound_ends_it_and_says_which() {
        let limits = Limits { member: 1 << 20, total: 3 << 20, ratio: 100, free: 1000 };
        let large = Budget::new(limits);
        large.known(1 << 40);
        let (bytes, why) = out(limits, 1 << 30, &large);
        assert!((1 << 20..=2 << 20).contains(&bytes) && why.starts_with("more than 1 MiB in it"), "{bytes} {why}");
        let (bytes, why) = out(limits, 50, &large);
        assert!((5000..=100_000).contains(&bytes) && why.contains("100 times its size"), "{bytes} {why}");
        let small = Budget::new(limits);
        small.known(1000);
        let (bytes, why) = out(limits, 1 << 30, &small);
        assert!((100_000..=400_000).contains(&bytes) && why.contains("its archive expands"), "{bytes} {why}");
        assert!(small.is_spent() && !large.is_spent());
    }

    #[test]
    fn fewer_bytes_than_said_are_an_error() {
        let mut reader = Exactly::new(&b"abc"[..], 5);
        let mut all = Vec::new();
        assert!(reader.read_to_end(&mut all).expect_err("short").to_string().contains("2 bytes are missing"));
        assert_eq!(all, b"abc");
        let mut rest = &b"abcdef"[..];
        Exactly::new(&mut rest, 5).drain().expect("there");
        assert_eq!(rest, b"f");
    }
}
