//! ZIP and all that is one: jar, war, apk, ipa, docx, xlsx, odt, whl, nupkg, vsix, crx.
//!
//! Our own reader and not the `zip` crate's: that one holds the whole directory in memory, keeps one of several members of the
//! same name, and cannot read what it cannot seek in. A ZIP that can be sought in is read by its directory; one in a stream, or
//! without a directory because it was cut short, from front to back by what stands before each member.
//! Format: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>.

mod directory;
mod entry;
mod hidden;
mod onwards;

use std::io::{self, Read};

use super::input::{Access, Input, ReadSeek};
use super::members::Members;
use super::{ENCRYPTED, FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "ZIP", is, read };

fn is(head: &Head<'_>) -> bool {
    let bytes = head.bytes;
    // A member, or the end of an empty one, or a browser extension's header before either. A program with a ZIP behind it
    // (Python's zipapp) is known by its end.
    bytes.starts_with(b"PK\x03\x04")
        || bytes.starts_with(b"PK\x05\x06")
        || bytes.starts_with(b"Cr24")
        || (head.is_whole && bytes.len() > 22 && bytes[bytes.len() - 22..].starts_with(b"PK\x05\x06"))
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    match input.access() {
        Access::Onwards(reader) => onwards::read(reader, members),
        Access::Anywhere(mut source) => {
            let length = source.seek(io::SeekFrom::End(0))?;
            let Some(directory) = directory::find(&mut *source, length)? else {
                source.rewind()?;
                members.trouble("no directory at its end (cut short?); read without it");
                return onwards::read(source, members);
            };
            directory::read(&mut *source, &directory, members)
        }
    }
}

/// What comes out of a member's bytes. `None` for a method that nobody here knows.
fn decoder<'r>(method: u16, packed: impl Read + 'r) -> io::Result<Option<Box<dyn Read + 'r>>> {
    Ok(Some(match method {
        0 => Box::new(packed),
        8 => Box::new(flate2::read::DeflateDecoder::new(packed)),
        12 => Box::new(bzip2::read::BzDecoder::new(packed)),
        93 => Box::new(zstd::stream::read::Decoder::new(packed)?),
        95 => super::compress::Codec::Xz.decode(Box::new(packed))?,
        _ => return Ok(None),
    }))
}

fn unknown(method: u16) -> String {
    let name = match method {
        9 => "deflate64",
        14 => "LZMA",
        98 => "PPMd",
        99 => "AES encryption",
        _ => return format!("packed by method {method}, which is not known here"),
    };
    format!("packed by {name}, which cannot be read")
}

#[cfg(test)]
mod tests;
