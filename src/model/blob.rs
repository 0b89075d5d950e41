//! Borrowed bytes and where they came from.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Bytes to look at, borrowed from a reader's reused buffer. A huge file arrives as several overlapping blobs.
#[derive(Debug, Clone)]
pub struct Blob<'a> {
    /// The bytes, with a margin on either side of `own` where the original has one.
    pub bytes: &'a [u8],
    /// The part of `bytes` whose matches are this blob's to report: those that start in here. Matches that start in a
    /// margin belong to the neighbouring blob.
    pub own: Range<usize>,
    /// Where `bytes[0]` stands in the original, in bytes.
    pub offset: u64,
    /// Line ends in the original before `bytes[0]`.
    pub lines_before: u64,
    /// Bytes of the line that `bytes[0]` continues, which stand before it.
    pub lead: u64,
    /// The path as it is shown: lossy UTF-8, relative to the target as the user wrote it, `/` between the parts.
    pub path: &'a str,
}

impl<'a> Blob<'a> {
    /// A whole file in one blob.
    pub fn whole(path: &'a str, bytes: &'a [u8]) -> Self {
        Self { bytes, own: 0..bytes.len(), offset: 0, lines_before: 0, lead: 0, path }
    }
}

/// Where a span stands in the original file. Lines and columns start at 1; columns count bytes; ends are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// First line.
    pub line: u64,
    /// First byte's column.
    pub column: u64,
    /// Line of the last byte.
    pub end_line: u64,
    /// Column after the last byte.
    pub end_column: u64,
    /// First byte, counted from 0.
    pub byte_start: u64,
    /// Byte after the last.
    pub byte_end: u64,
}

/// Where a blob came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Provenance {
    /// A file as it lies on disk.
    Worktree,
    /// Standard input.
    Stdin,
    /// A process's environment.
    Environment,
}
