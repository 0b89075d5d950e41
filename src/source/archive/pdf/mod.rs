//! PDF: what its packed streams hold, text put together from the pieces that it is drawn in, and what stands outside of
//! streams. Text in fonts that number their letters cannot be read without the font; that is the limit of this reader.
//!
//! Format: ISO 32000-1, 7.3.8 (streams), 7.4.4 (FlateDecode), 9.4.3 (showing text).

mod text;

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::ZlibDecoder;

use super::budget::{Bounded, Counted, Exactly};
use super::input::Input;
use super::members::Members;
use super::{FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "PDF", is, read };

const SIGN: &[u8] = b"%PDF-";
/// What stands outside of streams is looked at in pieces of this size.
const OBJECTS: usize = 1 << 20;
/// How far before a stream its dictionary is looked for.
const DICTIONARY: usize = 2048;
/// Larger streams are pictures: they are looked at as they come out, not put together.
const TEXT: u64 = 8 << 20;

fn is(head: &Head<'_>) -> bool {
    head.bytes.starts_with(SIGN)
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 << 10, input.stream());
    // Without its sign, so that it is not taken for a PDF again.
    Exactly::new(&mut reader, SIGN.len() as u64).drain()?;
    let mut outside = Vec::new();
    let (mut number, mut is_encrypted) = (0u64, false);
    while !members.is_over() {
        let more = line(&mut reader, &mut outside)?;
        let start = outside.len().saturating_sub(DICTIONARY);
        if outside.ends_with(b"stream\n") || outside.ends_with(b"stream\r\n") {
            let dictionary = dictionary(&outside[start..]);
            let is_packed = memchr::memmem::find(dictionary, b"FlateDecode")
                .or_else(|| memchr::memmem::find(dictionary, b"/Fl "))
                .is_some();
            // A picture is no text, packed or not.
            let is_picture = memchr::memmem::find(dictionary, b"/Image").is_some();
            if is_packed && !is_picture && is_zlib(reader.fill_buf()?) {
                number += 1;
                packed(&mut reader, number, members);
            }
        }
        is_encrypted |= memchr::memmem::find(&outside[start..], b"/Encrypt").is_some();
        if !more || outside.len() > OBJECTS {
            members.plain(b"(objects)", &mut outside.as_slice());
            outside.clear();
        }
        if !more {
            break;
        }
    }
    if is_encrypted {
        members.trouble(super::ENCRYPTED);
    }
    Ok(())
}

/// Appends a line, or as much of it as there is room for. Whether there is more.
fn line(reader: &mut impl BufRead, into: &mut Vec<u8>) -> io::Result<bool> {
    let got = reader.take(OBJECTS as u64).read_until(b'\n', into)?;
    Ok(got > 0)
}

/// What stands before a stream, back to where its object begins.
fn dictionary(before: &[u8]) -> &[u8] {
    let start = memchr::memmem::rfind(before, b" obj").or_else(|| memchr::memmem::rfind(before, b"endstream")).unwrap_or(0);
    &before[start..]
}

/// The two bytes that every zlib stream begins with (RFC 1950).
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// A packed stream. What is wrong with one is said of it; the next is found all the same.
fn packed(reader: &mut impl BufRead, number: u64, members: &mut Members<'_>) {
    let packed = Cell::new(1 << 12);
    let name = format!("(stream {number})");
    let mut decoder = ZlibDecoder::new(Counted::new(reader, &packed));
    let mut bytes = Vec::new();
    let result = Bounded::new(&mut decoder, &packed, members.budget).take(TEXT).read_to_end(&mut bytes);
    if let Some(text) = text::drawn(&bytes) {
        members.plain(name.as_bytes(), &mut text.as_slice());
    } else if bytes.len() as u64 == TEXT {
        members.packed(name.as_bytes(), &packed, &mut bytes.as_slice().chain(decoder));
    } else {
        members.plain(name.as_bytes(), &mut bytes.as_slice());
    }
    if let Err(error) = result {
        members.unread(name.as_bytes(), &format!("{error} (after {} bytes)", bytes.len()));
    }
}
