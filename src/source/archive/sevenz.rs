//! 7z, by its header at the end: only where it can be sought in.

use std::cell::Cell;
use std::io::{self, Read};

use sevenz_rust2::{Archive, BlockDecoder, Error, Password};

use super::budget::Counted;
use super::input::{Access, Input, ReadSeek};
use super::members::Members;
use super::{FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "7z", is, read };

/// Memory for a header, and for each dictionary of a decoder, in KiB.
const MEMORY: usize = 96 << 10;

fn is(head: &Head<'_>) -> bool {
    head.bytes.starts_with(&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c])
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    match input.access() {
        Access::Anywhere(source) => blocks(source, members),
        Access::Onwards(_) => {
            members.trouble("7z in a stream, and too large to be held: unpack what is around it and scan that");
            Ok(())
        }
    }
}

fn blocks(source: Box<dyn ReadSeek + '_>, members: &mut Members<'_>) -> io::Result<()> {
    let packed = Cell::new(0);
    let mut source = Counted::new(source, &packed);
    let password = Password::empty();
    let archive = Archive::read_with_memory_limit(&mut source, &password, MEMORY).map_err(|error| said(&error))?;
    for block in 0..archive.blocks.len() {
        if members.is_over() {
            return Ok(());
        }
        // One thread, which is the caller's: a decoder of many would read ahead.
        let decoder = BlockDecoder::new_with_memory_limit(1, MEMORY, block, &archive, &password, &mut source);
        let result = decoder.for_each_entries(&mut |entry, reader| {
            if entry.is_directory {
                return Ok(true);
            }
            members.packed(entry.name.as_bytes(), &packed, reader);
            // What nobody wanted of a bomb is not decoded either.
            Ok(!members.is_over() && is_at_end(reader))
        });
        if let Err(error) = result {
            members.trouble(&format!("part {} of {}: {}", block + 1, archive.blocks.len(), said(&error)));
        }
    }
    Ok(())
}

fn is_at_end(reader: &mut dyn Read) -> bool {
    reader.read(&mut [0]).is_ok_and(|got| got == 0)
}

/// In our words, where the crate's are for programmers.
fn said(error: &Error) -> io::Error {
    let why = match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => super::ENCRYPTED.to_owned(),
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => super::ENCRYPTED.to_owned(),
        Error::UnsupportedCompressionMethod(method) => format!("packed by {method}, which cannot be read"),
        Error::MaxMemLimited { .. } => format!("needs more than {} MiB of memory", MEMORY >> 10),
        Error::Io(error, _) => return io::Error::new(error.kind(), error.to_string()),
        Error::Other(why) | Error::Unsupported(why) => format!("damaged, or of a kind that is not known ({why})"),
        other => format!("damaged ({other})"),
    };
    io::Error::other(why)
}
