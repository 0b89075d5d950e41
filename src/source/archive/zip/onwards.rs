//! A ZIP from front to back, by what stands before each member. For streams, and for what has no directory.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use super::entry::{LOCAL, LOCAL_LENGTH, Member, word};
use super::{ENCRYPTED, decoder, unknown};
use crate::source::archive::budget::{Counted, Exactly};
use crate::source::archive::input::fill;
use crate::source::archive::members::Members;

/// Before a directory, and before the ends of one.
const ENDS: [&[u8; 4]; 3] = [b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"];
/// Before what says how long a member was.
const BEHIND: &[u8; 4] = b"PK\x07\x08";

pub(super) type Stream<'r> = BufReader<Box<dyn Read + 'r>>;

/// Reads every member up to the directory.
pub(super) fn read<'r>(reader: impl Read + 'r, members: &mut Members<'_>) -> io::Result<()> {
    let mut stream: Stream<'r> = BufReader::with_capacity(64 << 10, Box::new(reader));
    while !members.is_over() {
        let Some(sign) = next(&mut stream)? else {
            members.trouble("ends without a directory: cut short");
            return Ok(());
        };
        if &sign != LOCAL {
            return Ok(());
        }
        let mut fixed = [0; LOCAL_LENGTH];
        fixed[..4].copy_from_slice(&sign);
        let mut rest = vec![0; 0];
        let got = fill(&mut stream, &mut fixed[4..])?;
        let length = usize::from(word(&fixed, 26)) + usize::from(word(&fixed, 28));
        stream.by_ref().take(length as u64).read_to_end(&mut rest)?;
        if got < LOCAL_LENGTH - 4 || rest.len() < length {
            members.trouble("cut short within what stands before a member");
            return Ok(());
        }
        let member = Member::local(&fixed, &rest);
        if !one(&mut stream, &member, members)? {
            return Ok(());
        }
    }
    Ok(())
}

/// One member. Whether the next can be found.
pub(super) fn one(stream: &mut Stream<'_>, member: &Member, members: &mut Members<'_>) -> io::Result<bool> {
    let is_open = member.is_described_behind() && member.packed == 0;
    if member.is_folder() && !is_open {
        members.folder(&member.name);
        return skip(stream, member.packed);
    }
    let why = if member.is_encrypted() { Some(ENCRYPTED.to_owned()) } else { None };
    let why = why.or_else(|| (!matches!(member.method, 0 | 8 | 12 | 93 | 95)).then(|| unknown(member.method)));
    match (why, is_open, member.method) {
        (Some(why), false, _) => {
            members.unread(&member.name, &why);
            return skip(stream, member.packed);
        }
        (Some(why), true, _) => members.unread(&member.name, &why),
        (None, false, _) => return sized(stream, member, members),
        (None, true, 8) => {
            let packed = Cell::new(0);
            let mut decoder = flate2::bufread::DeflateDecoder::new(Counted::new(&mut *stream, &packed));
            members.packed(&member.name, &packed, &mut decoder);
            // The next member begins where this one ends; but not for a bomb's sake.
            if io::copy(&mut decoder.take(1 << 20), &mut io::sink()).is_ok_and(|left| left < 1 << 20) {
                behind(stream, member)?;
            }
        }
        // It stands there as it is, but nothing says how far: what follows is looked at as if it belonged to it.
        (None, true, _) => {
            members.unread(&member.name, "its size is not known before its end; what follows was only read as it stands");
            members.plain(&member.name, stream);
            return Ok(false);
        }
    }
    Ok(true)
}

/// A member whose length is known.
fn sized(stream: &mut Stream<'_>, member: &Member, members: &mut Members<'_>) -> io::Result<bool> {
    let packed = Cell::new(0);
    let mut bytes = Exactly::new(stream, member.packed);
    if let Some(mut decoder) = decoder(member.method, Counted::new(&mut bytes, &packed))? {
        members.packed(&member.name, &packed, &mut decoder);
    }
    Ok(bytes.drain().is_ok())
}

fn skip(stream: &mut Stream<'_>, bytes: u64) -> io::Result<bool> {
    Exactly::new(stream, bytes).drain()?;
    Ok(true)
}

/// Passes over what says how long a member was.
fn behind(stream: &mut Stream<'_>, member: &Member) -> io::Result<()> {
    if stream.fill_buf()?.starts_with(BEHIND) {
        stream.consume(4);
    }
    let length = if member.is_large { 20 } else { 12 };
    io::copy(&mut stream.take(length), &mut io::sink()).map(drop)
}

/// The next sign, which should be right here. Some writers leave gaps (Android's signing block, alignment): what stands in
/// them is passed over.
fn next(stream: &mut Stream<'_>) -> io::Result<Option<[u8; 4]>> {
    let mut sign = [0; 4];
    if fill(stream, &mut sign)? < 4 {
        return Ok(None);
    }
    loop {
        if &sign == LOCAL || ENDS.contains(&&sign) {
            return Ok(Some(sign));
        }
        let buffer = stream.fill_buf()?;
        let Some(&byte) = buffer.first() else { return Ok(None) };
        // Far from any sign, to the next letter that may begin one.
        let far = if sign.contains(&b'P') { 0 } else { memchr::memchr(b'P', buffer).unwrap_or(buffer.len() - 1) };
        sign = if far > 0 { [0, 0, 0, buffer[far]] } else { [sign[1], sign[2], sign[3], byte] };
        stream.consume(far + 1);
    }
}
