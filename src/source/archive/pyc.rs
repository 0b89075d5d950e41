//! Compiled Python modules: their texts, a line each. In the file each stands behind its length, and where that is 51, the
//! number is the letter `3`, with which a key then seems to begin.
//!
//! Format: CPython, Python/marshal.c. The tree of objects is not followed; whatever looks like a text with its length is one.

use std::io::{self, Read};

use super::input::{Input, little};
use super::members::Members;
use super::{FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "compiled Python", is, read };

/// Larger modules are nobody's.
const LARGEST: u64 = 16 << 20;

/// A magic number that ends in a line break, and code: behind 16 bytes since Python 3.7, behind 12 before.
fn is(head: &Head<'_>) -> bool {
    let code = |at: usize| matches!(head.bytes.get(at), Some(0xe3 | b'c'));
    head.bytes.get(2..4) == Some(b"\r\n") && (code(16) || code(12))
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.stream().take(LARGEST + 1).read_to_end(&mut bytes)?;
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let found = string(&bytes[at..]);
        match found {
            Some((value, length)) => {
                text.extend_from_slice(value);
                text.push(b'\n');
                at += length;
            }
            None => at += 1,
        }
    }
    members.plain(b"(texts)", &mut text.as_slice());
    if bytes.len() as u64 > LARGEST {
        members.trouble("larger than any module; its end was not looked at");
    }
    Ok(())
}

/// A text that begins here, and how far it reaches.
fn string(bytes: &[u8]) -> Option<(&[u8], usize)> {
    // The upper bit says that it is referred to later.
    let (head, length) = match bytes.first()? & 0x7f {
        b'z' | b'Z' => (2, u64::from(*bytes.get(1)?)),
        b'a' | b'A' | b'u' | b't' | b's' => (5, little(bytes.get(1..5)?)),
        _ => return None,
    };
    let end = head + usize::try_from(length).ok()?;
    let value = bytes.get(head..end).filter(|value| value.len() > 5)?;
    // Byte code has a length too, and is no text.
    let is_text = value.iter().all(|&byte| byte >= b' ' && byte != 0x7f || byte.is_ascii_whitespace());
    is_text.then_some((value, end))
}

#[cfg(test)]
mod tests {
    use crate::source::archive::testing::open;

    #[test]
    fn texts_are_given_without_their_lengths() {
        let long = "x".repeat(300);
        let texts =
            [&b"\xfa\x33"[..], &[b'k'; 51], b"\xda\x06simple", b"s\x03\0\0\0abc", b"\xe1\x2c\x01\0\0", long.as_bytes()];
        let bytes = [&b"\xf3\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0\xe3\0\0"[..], &texts.concat(), b"z\xff cut"].concat();
        let text = open("m.pyc", &bytes).expect("a module").text("m.pyc!(texts)");
        assert_eq!(text, format!("{}\nsimple\n{long}\n", "k".repeat(51)));
    }
}
