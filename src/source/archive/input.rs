//! An archive on its way to its reader: a stream of which the beginning is known, and that can be sought in where that costs
//! nothing.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};

/// Memory for an archive that must be sought in and comes as a stream. A larger one is read from front to back.
const SPOOL: u64 = 16 << 20;

/// An archive's bytes.
pub struct Input<'i> {
    /// The first bytes, and what follows them.
    pub head: &'i [u8],
    /// What follows them.
    pub rest: &'i mut dyn Read,
    /// Nothing follows.
    pub is_whole: bool,
    /// The same file, to be sought in.
    pub file: Option<&'i File>,
}

/// What can be sought in.
pub(super) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// What is there to read from.
pub(super) enum Access<'i> {
    /// Any place.
    Anywhere(Box<dyn ReadSeek + 'i>),
    /// The next byte.
    Onwards(Box<dyn Read + 'i>),
}

impl<'i> Input<'i> {
    /// From front to back.
    pub(super) fn stream(self) -> Box<dyn Read + 'i> {
        Box::new(self.head.chain(self.rest))
    }

    /// To be sought in, where it lies on disk or fits into memory.
    pub(super) fn access(self) -> Access<'i> {
        if self.is_whole {
            return Access::Anywhere(Box::new(Cursor::new(self.head)));
        }
        if let Some(file) = self.file {
            return Access::Anywhere(Box::new(BufReader::new(file)));
        }
        let mut spool = Vec::from(self.head);
        let room = SPOOL.saturating_sub(spool.len() as u64);
        // What was read before an error is all there is: an archive that is cut short.
        let read = self.rest.take(room).read_to_end(&mut spool);
        if read.is_err() || (spool.len() as u64) < SPOOL {
            return Access::Anywhere(Box::new(Cursor::new(spool)));
        }
        Access::Onwards(Box::new(Cursor::new(spool).chain(self.rest)))
    }
}

/// Reads until `into` is full or the end: how much it was.
pub(super) fn fill(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match reader.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A number of `bytes` in little-endian order.
pub(super) fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
