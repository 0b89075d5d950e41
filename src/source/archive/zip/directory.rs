//! A ZIP by its directory, which stands at the end.

use std::cell::Cell;
use std::io::{self, Read, SeekFrom};

use super::entry::{CENTRAL, CENTRAL_LENGTH, LOCAL, LOCAL_LENGTH, Member, word};
use super::hidden::{self, Taken};
use super::{ENCRYPTED, ReadSeek, decoder, unknown};
use crate::source::archive::budget::{Counted, Exactly};
use crate::source::archive::input::{fill, little};
use crate::source::archive::members::Members;

/// The end of a directory, and the longest comment behind it.
const END: usize = 22;
const TAIL: u64 = END as u64 + 65_535;
/// Lines of the directory that are held at once: each can be 196 KiB.
const CHUNK: usize = 256 << 10;

/// Where a directory lies.
#[derive(Debug)]
pub(super) struct Directory {
    at: u64,
    end: u64,
    /// What stands before the first byte that the directory counts: a program, a header.
    before: u64,
    length: u64,
}

/// Looks for a directory's end from the end. `None` where there is none.
pub(super) fn find(source: &mut dyn ReadSeek, length: u64) -> io::Result<Option<Directory>> {
    let from = length.saturating_sub(TAIL);
    source.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    Read::take(&mut *source, TAIL).read_to_end(&mut tail)?;
    let ends = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06");
    for at in ends.filter(|at| at + END <= tail.len()) {
        // Several may be there: comments can hold anything.
        if at + END + usize::from(word(&tail, at + 20)) > tail.len() {
            continue;
        }
        let (mut size, mut offset) = (little(&tail[at + 12..at + 16]), little(&tail[at + 16..at + 20]));
        let mut end = from + at as u64;
        if (size == u64::from(u32::MAX) || offset == u64::from(u32::MAX) || word(&tail, at + 10) == u16::MAX)
            && let Some((large_size, large_offset, large_end)) = large(source, end)?
        {
            (size, offset, end) = (large_size, large_offset, large_end);
        }
        let Some(start) = end.checked_sub(size) else { continue };
        let Some(before) = start.checked_sub(offset) else { continue };
        source.seek(SeekFrom::Start(start))?;
        let mut sign = [0; 4];
        let is_there = size == 0 || fill(&mut &mut *source, &mut sign)? == 4 && &sign == CENTRAL;
        if is_there {
            return Ok(Some(Directory { at: start, end, before, length }));
        }
    }
    Ok(None)
}

/// The end of a directory with numbers of eight bytes, which stands before the other: size, offset, and where it begins.
fn large(source: &mut dyn ReadSeek, end: u64) -> io::Result<Option<(u64, u64, u64)>> {
    let Some(locator) = end.checked_sub(20) else { return Ok(None) };
    source.seek(SeekFrom::Start(locator))?;
    let mut bytes = [0; 20];
    if fill(&mut &mut *source, &mut bytes)? < 20 || !bytes.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // What it says counts from the first member; without extensible data it stands right before.
    for at in [little(&bytes[8..16]), locator.saturating_sub(56)] {
        source.seek(SeekFrom::Start(at))?;
        let mut record = [0; 56];
        if fill(&mut &mut *source, &mut record)? == 56 && record.starts_with(b"PK\x06\x06") {
            return Ok(Some((little(&record[40..48]), little(&record[48..56]), at)));
        }
    }
    Ok(None)
}

/// Reads every member that the directory names.
pub(super) fn read(source: &mut dyn ReadSeek, directory: &Directory, members: &mut Members<'_>) -> io::Result<()> {
    let mut lines = Lines { at: directory.at, end: directory.end, chunk: Vec::new(), read: 0 };
    let mut packed = 0u64;
    let mut taken = Taken::default();
    while let Some(member) = lines.next(source)? {
        if members.is_over() {
            return Ok(());
        }
        packed = packed.saturating_add(member.packed);
        if packed > directory.length {
            members.trouble("its members overlap: more is in them than in the whole; the rest was not looked at");
            return Ok(());
        }
        if member.is_folder() {
            members.folder(&member.name);
            continue;
        }
        one(source, directory.before, (&member, &mut taken), members)?;
    }
    if lines.at + (lines.read as u64) < directory.end {
        members.trouble("its directory is damaged; what stands behind the damage was not looked at");
    }
    taken.take(directory.at..directory.end);
    hidden::read(source, &taken.gaps(directory.length), members)
}

/// One member. What is wrong with it is said; only a source that cannot be sought in is an error.
fn one(
    source: &mut dyn ReadSeek,
    before: u64,
    (member, taken): (&Member, &mut Taken),
    members: &mut Members<'_>,
) -> io::Result<()> {
    let mut fixed = [0; LOCAL_LENGTH];
    let at = before.saturating_add(member.at);
    source.seek(SeekFrom::Start(at.min(i64::MAX as u64)))?;
    if fill(&mut &mut *source, &mut fixed)? < LOCAL_LENGTH || !fixed.starts_with(LOCAL) {
        members.unread(&member.name, "it is not where the directory says");
        return Ok(());
    }
    let names = u32::from(word(&fixed, 26)) + u32::from(word(&fixed, 28));
    taken.take(at..at.saturating_add(LOCAL_LENGTH as u64 + u64::from(names)).saturating_add(member.packed));
    if member.is_encrypted() {
        members.unread(&member.name, ENCRYPTED);
        return Ok(());
    }
    source.seek(SeekFrom::Current(i64::from(names)))?;
    let packed = Cell::new(0);
    let bytes = Counted::new(Exactly::new(source, member.packed), &packed);
    match decoder(member.method, bytes)? {
        None => members.unread(&member.name, &unknown(member.method)),
        Some(decoder) => {
            let out = Cell::new(0);
            members.packed(&member.name, &packed, &mut Counted::new(decoder, &out));
            // What came out was looked at; less than was said may hide something, more is a lie that did not work.
            if out.get() > member.size {
                members.trouble("a member is larger than the directory says; it was read to its end all the same");
            }
        }
    }
    Ok(())
}

/// The lines of a directory, a chunk at a time.
struct Lines {
    /// Where the chunk begins.
    at: u64,
    end: u64,
    chunk: Vec<u8>,
    /// How much of the chunk was read.
    read: usize,
}

impl Lines {
    /// The next line, or none at the end or at what is no line.
    fn next(&mut self, source: &mut dyn ReadSeek) -> io::Result<Option<Member>> {
        let is_all = self.at + self.chunk.len() as u64 >= self.end;
        if self.chunk.len() - self.read < CENTRAL_LENGTH + 3 * 65_535 && !is_all {
            self.at += self.read as u64;
            self.read = 0;
            source.seek(SeekFrom::Start(self.at))?;
            self.chunk.clear();
            let want = (self.end - self.at).min(CHUNK as u64);
            Read::take(&mut *source, want).read_to_end(&mut self.chunk)?;
        }
        let rest = &self.chunk[self.read..];
        let Some((fixed, rest)) = rest.split_first_chunk::<CENTRAL_LENGTH>() else { return Ok(None) };
        let length = [28, 30, 32].map(|at| usize::from(word(fixed, at))).iter().sum::<usize>();
        if !fixed.starts_with(CENTRAL) || rest.len() < length {
            return Ok(None);
        }
        self.read += CENTRAL_LENGTH + length;
        let comment = usize::from(word(fixed, 32));
        Ok(Some(Member::central(fixed, &rest[..length - comment])))
    }
}
