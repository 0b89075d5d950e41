//! tar: the old kind, ustar, pax and GNU's, with its long names and sparse files.
//!
//! Our own reader and not the `tar` crate's: that one takes a long name of any length into memory, fills the holes of sparse
//! files with as many zeros as they claim, and ends at the first empty block, where more may follow. Format: POSIX.1-2024
//! (pax), and GNU tar's manual, "Basic Tar Format".

mod header;

use std::io::{self, Read};

use super::budget::Exactly;
use super::input::{Input, fill};
use super::members::Members;
use super::{FileFormat, Head};
use header::{BLOCK, Header, Kind};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "tar", is, read };

/// Longer names and notes are nobody's: they are passed over.
const NOTES: u64 = 1 << 20;

fn is(head: &Head<'_>) -> bool {
    // Nearly every file is ruled out by the first look.
    let Some(block) = head.bytes.first_chunk::<BLOCK>() else { return false };
    block[0] != 0 && matches!(block[148], b' ' | b'0'..=b'7') && Header::of(block).is_some()
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    stream(&mut *input.stream(), members)
}

/// What was said beforehand of the next member.
#[derive(Default)]
struct Notes {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

fn stream(reader: &mut dyn Read, members: &mut Members<'_>) -> io::Result<()> {
    let mut notes = Notes::default();
    let mut next = None;
    let mut ended = false;
    while !members.is_over() {
        let block = match next.take() {
            Some(block) => block,
            None => match block(reader)? {
                (BLOCK, block) => block,
                // Some writers leave out the empty blocks at the end; behind them less than a block is nothing.
                (got, _) => {
                    if got > 0 && !ended {
                        members.trouble("cut short within a header");
                    }
                    return Ok(());
                }
            },
        };
        // Two empty blocks are the end; but another tar may follow.
        if block.iter().all(|&byte| byte == 0) {
            ended = true;
            continue;
        }
        let Some(header) = Header::of(&block) else {
            damaged(&block, reader, ended, members);
            return Ok(());
        };
        ended = false;
        next = member(reader, &header, &mut notes, members)?;
    }
    Ok(())
}

/// What is no header where one should be: the rest is looked at as it stands, as nothing in a tar is packed.
fn damaged(block: &[u8; BLOCK], reader: &mut dyn Read, ended: bool, members: &mut Members<'_>) {
    if !ended {
        members.trouble("a header is damaged; what follows was only read as it stands");
    }
    members.plain(b"(rest)", &mut block.as_slice().chain(reader));
}

/// One member, or a note on the next. Returns the next block where it had to be read to know where this one ends.
fn member(
    reader: &mut dyn Read,
    header: &Header,
    notes: &mut Notes,
    members: &mut Members<'_>,
) -> io::Result<Option<[u8; BLOCK]>> {
    let size = match header.kind {
        Kind::File | Kind::Sparse | Kind::NoFile => notes.size.take().unwrap_or(header.size),
        Kind::Pax | Kind::LongName | Kind::Other => header.size,
    };
    let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    match header.kind {
        Kind::LongName | Kind::Pax => note(&mut Exactly::new(&mut *reader, size), header.kind, size, notes)?,
        Kind::Other => Exactly::new(&mut *reader, size).drain()?,
        Kind::NoFile => {
            let name = notes.name.take().unwrap_or_else(|| header.name.clone());
            members.skip(&name, "link, folder or device in a tar");
            return unwanted(reader, size);
        }
        Kind::File | Kind::Sparse => {
            let name = notes.name.take().unwrap_or_else(|| header.name.clone());
            if header.kind == Kind::Sparse && header.is_continued {
                extensions(reader)?;
            }
            // Some old ones write a folder as a file without bytes.
            if name.ends_with(b"/") && size == 0 {
                members.folder(&name);
                return Ok(None);
            }
            let mut bytes = Exactly::new(&mut *reader, size);
            members.plain(&name, &mut bytes);
            // Who looked at it has said that it was cut short.
            if bytes.drain().is_err() {
                members.trouble("cut short within a member");
                return Ok(None);
            }
        }
    }
    // Where even the padding is cut off, nothing is missing.
    io::copy(&mut reader.take(padding), &mut io::sink())?;
    Ok(None)
}

/// Bytes of a link or a folder: some writers say the size of what a link leads to, and write nothing.
fn unwanted(reader: &mut dyn Read, size: u64) -> io::Result<Option<[u8; BLOCK]>> {
    if size == 0 {
        return Ok(None);
    }
    let (got, block) = block(reader)?;
    if got < BLOCK || Header::of(&block).is_some() || block.iter().all(|&byte| byte == 0) {
        return Ok((got == BLOCK).then_some(block));
    }
    let blocks = size.div_ceil(BLOCK as u64);
    io::copy(&mut reader.take((blocks - 1).saturating_mul(BLOCK as u64)), &mut io::sink())?;
    Ok(None)
}

/// The rest of a sparse file's map, which is of no use: only what is there is read.
fn extensions(reader: &mut dyn Read) -> io::Result<()> {
    loop {
        let (got, block) = block(reader)?;
        // 21 entries of 24 bytes, then whether there is another.
        if got < BLOCK || block[504] == 0 {
            return Ok(());
        }
    }
}

fn note(bytes: &mut Exactly<&mut dyn Read>, kind: Kind, size: u64, notes: &mut Notes) -> io::Result<()> {
    if size > NOTES {
        return bytes.drain();
    }
    let mut text = Vec::new();
    bytes.read_to_end(&mut text)?;
    if kind == Kind::LongName {
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        text.truncate(end);
        notes.name = Some(text);
        return Ok(());
    }
    header::pax(&text, &mut |key, value| match key {
        b"path" => {
            notes.name.get_or_insert_with(|| value.to_vec());
        }
        b"GNU.sparse.name" => notes.name = Some(value.to_vec()),
        b"size" => notes.size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
        _ => {}
    });
    Ok(())
}

fn block(reader: &mut dyn Read) -> io::Result<(usize, [u8; BLOCK])> {
    let mut block = [0; BLOCK];
    Ok((fill(reader, &mut block)?, block))
}

#[cfg(test)]
mod tests;
