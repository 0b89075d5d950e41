//! cpio, as RPM packages and initial ramdisks use it: the portable form in octal and the new form in hexadecimal.
//!
//! Our own reader: the format is a header and a name, and the crates for it hold members in memory.
//! Format: cpio(5) of FreeBSD.

use std::io::{self, Read};

use super::budget::Exactly;
use super::input::{Input, fill};
use super::members::Members;
use super::{FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "cpio", is, read };

/// The name of what stands behind the last member.
const LAST: &[u8] = b"TRAILER!!!";
/// Longer names are nobody's.
const NAME: u64 = 64 << 10;

struct Header {
    mode: u64,
    size: u64,
    name: u64,
    /// What everything is filled up to a multiple of.
    align: u64,
    length: u64,
}

impl Header {
    /// Length of the header by its first six bytes.
    fn length(sign: &[u8]) -> Option<usize> {
        match sign {
            b"070701" | b"070702" => Some(110),
            b"070707" => Some(76),
            _ => None,
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let field = |at: usize, length: usize, radix: u32| {
            let digits = bytes.get(at..at + length)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
        };
        let length = Self::length(bytes.get(..6)?)?;
        let [mode, size, name] = match length {
            110 => [field(14, 8, 16)?, field(54, 8, 16)?, field(94, 8, 16)?],
            _ => [field(18, 6, 8)?, field(65, 11, 8)?, field(59, 6, 8)?],
        };
        Some(Self { mode, size, name, align: if length == 110 { 4 } else { 1 }, length: length as u64 })
    }
}

fn is(head: &Head<'_>) -> bool {
    head.bytes.starts_with(b"0707") && Header::of(head.bytes).is_some()
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let mut reader = input.stream();
    let reader = &mut reader;
    let mut first = [0; 6];
    let mut got = fill(reader, &mut first)?;
    while !members.is_over() {
        let mut bytes = first[..got].to_vec();
        let length = if got == 6 { Header::length(&first) } else { None };
        if let Some(length) = length {
            reader.take(length as u64 - 6).read_to_end(&mut bytes)?;
        }
        let Some(header) = Header::of(&bytes).filter(|header| header.name <= NAME) else {
            members.trouble("a header is damaged or cut short; what follows was only read as it stands");
            members.plain(b"(rest)", &mut bytes.as_slice().chain(reader));
            return Ok(());
        };
        if member(reader, &header, members)? {
            return rest(reader, members);
        }
        got = fill(reader, &mut first)?;
    }
    Ok(())
}

/// One member. Whether it was what stands behind the last.
fn member(reader: &mut dyn Read, header: &Header, members: &mut Members<'_>) -> io::Result<bool> {
    let padding = |bytes: u64| (header.align - bytes % header.align) % header.align;
    let mut name = Vec::new();
    Exactly::new(&mut *reader, header.name).read_to_end(&mut name)?;
    name.pop();
    Exactly::new(&mut *reader, padding(header.length + header.name)).drain()?;
    if name == LAST {
        return Ok(true);
    }
    let mut bytes = Exactly::new(&mut *reader, header.size);
    // A regular file; everything else is a link, a folder, a device.
    if header.mode & 0o170_000 == 0o100_000 {
        members.plain(&name, &mut bytes);
    } else {
        members.skip(&name, "link, folder or device in a cpio");
    }
    bytes.drain()?;
    Exactly::new(&mut *reader, padding(header.size)).drain()?;
    Ok(false)
}

/// Behind the last member: zeros, or another archive, as in an initial ramdisk.
fn rest(reader: &mut dyn Read, members: &mut Members<'_>) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let got = fill(reader, &mut bytes)?;
        if let Some(start) = bytes[..got].iter().position(|&byte| byte != 0) {
            members.plain(b"(rest)", &mut (&bytes[start..got]).chain(reader));
            return Ok(());
        }
        if got < bytes.len() {
            return Ok(());
        }
    }
}
