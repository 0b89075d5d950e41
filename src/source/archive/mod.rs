//! Files in files: archives and compressed streams, known by their first bytes and read as streams; nothing is ever unpacked
//! to disk, so that names, links and devices inside are harmless.
//!
//! Members are pushed into the same [`Visit`] as files are; whoever looks at them may find archives in them and come back here.
//! What is packed and cannot be read is trouble. Databases (SQLite) and compiled modules (.pyc) are here too: their texts stand
//! right behind other bytes, from which no detector could tell them apart.

mod ar;
mod budget;
pub mod compress;
mod cpio;
mod input;
mod members;
mod pdf;
mod pyc;
mod rpm;
mod sevenz;
mod sqlite;
mod stream;
mod tar;
mod zip;

use std::io;

use super::{Entry, Visit};
use members::Members;

pub use budget::{Budget, Limits};
pub use input::Input;

/// One format: a file of this folder, and a line in `FORMATS`.
#[derive(Debug, Clone, Copy)]
pub struct FileFormat {
    /// What it is called.
    pub name: &'static str,
    is: fn(&Head<'_>) -> bool,
    read: fn(Input<'_>, &mut Members<'_>) -> io::Result<()>,
}

/// What is known of a file before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Head<'h> {
    /// Its first bytes.
    pub bytes: &'h [u8],
    /// They are all there are.
    pub is_whole: bool,
}

/// Every format, the most frequent first.
const FORMATS: &[FileFormat] = &[
    zip::FORMAT,
    stream::FORMAT,
    tar::FORMAT,
    pdf::FORMAT,
    pyc::FORMAT,
    sqlite::FORMAT,
    ar::FORMAT,
    sevenz::FORMAT,
    rpm::FORMAT,
    cpio::FORMAT,
];

/// Archives that nobody here can read, by their first bytes: RAR, cabinets, xar (macOS packages), stuffed disk images.
const UNREAD: &[(&[u8], &str)] = &[
    (b"Rar!\x1a\x07", "RAR archive; cannot be opened, read as it stands"),
    (b"MSCF\0\0\0\0", "cabinet; cannot be opened, read as it stands"),
    (b"xar!\0\x1c", "xar archive; cannot be opened, read as it stands"),
    (b"hsqs", "squashfs; cannot be opened, read as it stands"),
];

const ENCRYPTED: &str = "encrypted; not looked at";

/// The format of a file, if it is an archive.
pub fn format_of(head: &Head<'_>) -> Option<&'static FileFormat> {
    FORMATS.iter().find(|format| (format.is)(head))
}

/// Why a file that is an archive cannot be opened here.
pub fn unread(head: &[u8]) -> Option<&'static str> {
    UNREAD.iter().find(|(start, _)| head.starts_with(start)).map(|(_, why)| *why)
}

/// Pushes every member of an archive into `visit`. False when nothing came out of it, so that it is better read as it stands.
pub fn read(format: &FileFormat, input: Input<'_>, outer: &Entry<'_>, budget: &Budget, visit: &mut dyn Visit) -> bool {
    let mut members = Members::new(visit, *outer, budget);
    if let Err(error) = (format.read)(input, &mut members) {
        members.trouble(&format!("{}: {error}", format.name));
    }
    !members.is_empty()
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
