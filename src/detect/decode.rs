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

/// Lines of one base64 text, put together.
pub(super) struct Unwrapped {
    /// The text without its line breaks.
    pub(super) bytes: Vec<u8>,
    /// Where each line begins in it, and where it stood.
    pub(super) stretches: Vec<(usize, usize)>,
    /// Where the hit is now.
    pub(super) hit: usize,
    /// Whether there are more lines of it.
    pub(super) cut: bool,
}

/// The lines around `hit` where they are pieces of one text, as `base64`, OpenSSL and mails wrap it: all but the last as long, in
/// the middle of a block no more than [`REACH`] before and twice as much behind it. `None` where the line is alone.
pub(super) fn unwrapped(bytes: &[u8], hit: usize) -> Option<Unwrapped> {
    let first = bytes[..hit].iter().rev().take(*WRAPPED.end() + 1).position(|&byte| byte == b'\n').map_or(0, |n| hit - n);
    let mut lines = vec![line(bytes, first)?];
    while let Some(before) = lines[0].start.checked_sub(1) {
        let head = bytes[..before].iter().rev().take(*WRAPPED.end() + 2);
        let above = head.clone().position(|&byte| byte == b'\n').unwrap_or(head.len());
        let Some(above) = line(bytes, before - above).filter(|above| is_full(above) && hit - above.start <= REACH) else {
            break;
        };
        if above.len() < lines[0].len() || (lines.len() > 1 && above.len() != lines[0].len()) {
            break;
        }
        lines.insert(0, above);
    }
    let (full, mut cut) = (lines[0].len(), false);
    while let Some(last) = lines.last().filter(|last| is_full(last) && last.len() == full) {
        let next = last.end + bytes[last.end..].iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let goes_on = |line: &Range<usize>| line.start > last.end && line.len() <= full;
        let Some(next) = line(bytes, next).filter(goes_on) else { break };
        cut = next.end > hit + 2 * REACH;
        if cut {
            break;
        }
        lines.push(next);
    }
    if lines.len() == 1 {
        return None;
    }
    let mut all = Unwrapped { bytes: Vec::new(), stretches: Vec::new(), hit: 0, cut };
    for line in lines {
        if line.contains(&hit) {
            all.hit = all.bytes.len() + hit - line.start;
        }
        all.stretches.push((all.bytes.len(), line.start));
        all.bytes.extend_from_slice(&bytes[line]);
    }
    Some(all)
}

/// Characters in the lines of base64 that is wrapped: 64 (PEM, OpenSSL) and 76 (MIME, coreutils), and what stands between.
const WRAPPED: std::ops::RangeInclusive<usize> = 60..=76;

fn is_full(line: &Range<usize>) -> bool {
    WRAPPED.contains(&line.len()) && line.len().is_multiple_of(4)
}

/// The line that begins at `start`, if base64 is all that it holds: its characters, without padding.
fn line(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let is_char = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let length = bytes[start..].iter().take(*WRAPPED.end() + 1).take_while(|byte| is_char(byte)).count();
    let rest = &bytes[start + length..];
    let padding = rest.iter().take(2).take_while(|&&byte| byte == b'=').count();
    let ended = matches!(rest[padding..], [] | [b'\n', ..] | [b'\r', b'\n', ..]);
    (length > 0 && ended).then_some(start..start + length)
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

    use super::{REACH, around, chars_of, core, unwrapped};

    #[test]
    fn lines_of_one_text_are_put_together_and_others_are_not() {
        let whole = BASE64.encode(&[b"x".repeat(102), b"LITERAL".to_vec(), b"y".repeat(120)].concat());
        for (width, end) in [(64, "\n"), (76, "\r\n")] {
            let lines: Vec<&str> =
                whole.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            let text = format!("Subject: x{end}{end}{}{end}{end}other", lines.join(end));
            let core = core(b"LITERAL", 0);
            let hit = memchr::memmem::find(text.as_bytes(), &core).expect("on one line");
            let all = unwrapped(text.as_bytes(), hit).expect("wrapped");
            assert_eq!(String::from_utf8_lossy(&all.bytes), whole.trim_end_matches('='));
            assert!(all.bytes[all.hit..].starts_with(&core) && !all.cut);
            let decoded = around(&all.bytes, all.hit, 0).expect("decodes");
            assert_eq!(decoded.bytes.len(), 229);
        }
        let long = format!("{}\n", &whole[..76]).repeat(3 * REACH / 76);
        assert!(unwrapped(long.as_bytes(), 100).is_some_and(|all| all.cut), "its end is farther than is looked at");
        let short = format!("{}\n{}\n", &whole[..30], &whole[30..60]);
        for alone in [format!("{}\nb c\n", &whole[..76]), whole, short] {
            assert!(unwrapped(alone.as_bytes(), 5).is_none(), "{alone}");
        }
    }

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
