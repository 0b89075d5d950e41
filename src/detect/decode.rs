//! Base64 around a hit of an encoded literal. The hit fixes the alignment, so nothing is guessed.

use std::ops::Range;

use data_encoding::{BASE64_NOPAD, Encoding as Base, Specification};

use super::REACH;
use crate::model::Encoding;

/// A decoded stretch of a buffer.
pub(super) struct Decoded {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Where its characters stand in the buffer.
    pub(super) at: Range<usize>,
    /// Whether there is more of it.
    pub(super) cut: bool,
}

/// The characters of `literal`'s base64 that do not depend on its neighbours when it starts `shift` bytes into a group.
pub(super) fn core(literal: &[u8], shift: usize) -> Vec<u8> {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(literal);
    let text = BASE64_NOPAD.encode(&padded);
    text.as_bytes()[first_char(shift)..padded.len() * 8 / 6].to_vec()
}

/// How many characters of the group come before the core.
fn first_char(shift: usize) -> usize {
    (shift * 8).div_ceil(6)
}

/// Which of the four ways to cut a text into groups a hit belongs to.
pub(super) fn alignment(hit: usize, shift: usize) -> usize {
    (hit + 4 - first_char(shift)) % 4
}

/// Both alphabets read as one; no padding; odd trailing bits are somebody else's.
fn lenient() -> Option<Base> {
    let mut spec = Specification::new();
    spec.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    spec.translate.from.push_str("-_");
    spec.translate.to.push_str("+/");
    spec.check_trailing_bits = false;
    spec.encoding().ok()
}

/// Decodes the base64 text around the core of a literal that was hit at `hit`: at most [`REACH`] characters before it and
/// twice as many after, so that later hits within [`REACH`] need no decoding of their own.
pub(super) fn around(bytes: &[u8], hit: usize, shift: usize) -> Option<Decoded> {
    let is_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let group = hit.checked_sub(first_char(shift))?;
    let mut start = group;
    while start >= 4 && group - start < REACH && bytes[start - 4..start].iter().all(|&b| is_char(b)) {
        start -= 4;
    }
    let limit = bytes.len().min(group + 2 * REACH);
    let mut end = group + bytes[group..limit].iter().take_while(|&&b| is_char(b)).count();
    if (end - start) % 4 == 1 {
        end -= 1;
    }
    let decoded = lenient()?.decode(bytes.get(start..end)?).ok()?;
    Some(Decoded { bytes: decoded, at: start..end, cut: end + 1 >= limit && limit < bytes.len() })
}

/// What a value is the base64 or hex of, if that is one printable word.
pub(super) fn printable(value: &[u8]) -> Option<(Vec<u8>, Encoding)> {
    const SHORTEST: usize = 12;
    let bare = &value[..value.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1)];
    if value.len() < SHORTEST {
        return None;
    }
    let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(value).ok().map(|plain| (plain, Encoding::Hex));
    let base64 = || Some((lenient()?.decode(bare).ok()?, Encoding::Base64));
    let word = |(plain, _): &(Vec<u8>, Encoding)| plain.iter().all(u8::is_ascii_graphic);
    hex.filter(word).or_else(|| base64().filter(word))
}

/// Decodes the hex text around a hit of a literal's hex, within the same bounds as [`around`].
pub(super) fn hex_around(bytes: &[u8], hit: usize) -> Option<Decoded> {
    let mut start = hit;
    while start >= 2 && hit - start < 2 * REACH && bytes[start - 2..start].iter().all(u8::is_ascii_hexdigit) {
        start -= 2;
    }
    let limit = bytes.len().min(hit + 4 * REACH);
    let digits = bytes[hit..limit].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let end = hit + digits / 2 * 2;
    let decoded = data_encoding::HEXLOWER_PERMISSIVE.decode(bytes.get(start..end)?).ok()?;
    Some(Decoded { bytes: decoded, at: start..end, cut: end + 2 >= limit && limit < bytes.len() })
}

/// The characters that hold the bytes `span` of a decoded text, counted from its first character.
pub(super) fn chars_of(span: &Range<usize>) -> Range<usize> {
    span.start * 4 / 3..(span.end * 4).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64URL};

    use super::{around, chars_of, core};

    #[test]
    fn the_core_is_found_in_every_alignment_and_decodes() {
        for before in 0..7 {
            let plain = format!("{}LITERAL?>tail", "x".repeat(before));
            for text in [BASE64.encode(plain.as_bytes()), BASE64URL.encode(plain.as_bytes())] {
                let core = core(b"LITERAL", before % 3);
                let text = format!("data: {text}\n");
                let hit = text.find(std::str::from_utf8(&core).expect("ASCII")).expect("the core is in the text");
                let decoded = around(text.as_bytes(), hit, before % 3).expect("decodes");
                assert!(decoded.bytes.ends_with(b"LITERAL?>tail"), "{before}: {:?}", decoded.bytes);
                assert_eq!(decoded.at.start, 6);
            }
        }
    }

    #[test]
    fn characters_of_a_span() {
        assert_eq!(chars_of(&(0..3)), 0..4);
        assert_eq!(chars_of(&(1..2)), 1..3);
        assert_eq!(chars_of(&(3..7)), 4..10);
    }

    #[test]
    fn a_hit_at_the_very_start_of_a_buffer_may_have_lost_its_group() {
        assert!(around(b"AAAA", 0, 1).is_none());
    }
}
