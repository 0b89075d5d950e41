//! RPM packages: a lead, a signature, a header (whose scripts are text) and a packed cpio.
//!
//! Our own reader: of a header only its length matters here. Format: rpm.org, "RPM V4 package format".

use std::io::{self, Read};

use super::budget::Exactly;
use super::input::{Input, fill};
use super::members::Members;
use super::{FileFormat, Head, stream};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "RPM", is, read };

const LEAD: u64 = 96;
/// Before a header: a sign and a version.
const SIGN: [u8; 4] = [0x8e, 0xad, 0xe8, 1];

fn is(head: &Head<'_>) -> bool {
    head.bytes.starts_with(&[0xed, 0xab, 0xee, 0xdb]) && head.bytes.get(96..100) == Some(&SIGN)
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let mut reader = input.stream();
    Exactly::new(&mut reader, LEAD).drain()?;
    let signature = length(&mut reader)?;
    // Filled up to a multiple of eight.
    Exactly::new(&mut reader, signature.next_multiple_of(8)).drain()?;
    let header = length(&mut reader)?;
    let mut bytes = Exactly::new(&mut reader, header);
    members.plain(b"(header)", &mut bytes);
    bytes.drain()?;
    stream::unpack(reader, b"(payload)", members)
}

/// Bytes of a header behind its first sixteen: an index of entries of sixteen bytes each, and what they point to.
fn length(reader: &mut dyn Read) -> io::Result<u64> {
    let mut start = [0; 16];
    if fill(reader, &mut start)? < 16 || start[..4] != SIGN {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a header is damaged or cut short"));
    }
    let number = |at: usize| u64::from(u32::from_be_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]));
    Ok(number(8) * 16 + number(12))
}
