//! Texts in which values are written with escapes, in UTF-16 or in pieces, made plain. A blob is rewritten only where a
//! value could hide: an escape or a joint between letters and digits.

use memchr::{memchr_iter, memchr3_iter};

use crate::model::Blob;

/// A rewritten text.
pub(super) struct Rewritten {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Starts of stretches that were copied as they stood, and where they stood.
    pub(super) stretches: Vec<(usize, usize)>,
}

impl Rewritten {
    /// Where the byte that stood at `original` is now, or the first one after it.
    pub(super) fn place(&self, original: usize) -> usize {
        let next = self.stretches.partition_point(|(_, stood)| *stood <= original);
        let Some((start, stood)) = next.checked_sub(1).map(|n| self.stretches[n]) else { return 0 };
        let end = self.stretches.get(next).map_or(self.bytes.len(), |(start, _)| *start);
        (start + (original - stood)).min(end)
    }
}

/// What an escape, or a joint between two pieces of a string, stands for.
struct Escape {
    length: usize,
    byte: Option<u8>,
}

fn is_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// `bytes` without escapes and joints, where there is one within something that could be a value.
pub(super) fn unescaped(bytes: &[u8]) -> Option<Rewritten> {
    let worth = |&at: &usize| is_worth(bytes, at);
    let escape = memchr3_iter(b'%', b'\\', b'&', bytes).find(worth);
    let first = escape.or_else(|| memchr_iter(b'+', bytes).find(|&at| joint(bytes, at).is_some()))?;
    let _ = first;
    Some(rewrite(bytes))
}

/// Whether the escape at `at` stands within something that could be a value: not the `\n` of a message, not `%20`.
fn is_worth(bytes: &[u8], at: usize) -> bool {
    if at == 0 || !is_value(bytes[at - 1]) {
        return false;
    }
    let Some(escape) = escape(bytes, at) else { return false };
    let follows = bytes.get(at + escape.length).is_some_and(|&byte| is_value(byte) || matches!(byte, b'%' | b'\\' | b'&'));
    match escape.byte {
        // A slash in front of a word is a path; within a value it has digits or capitals about.
        Some(b'/') if bytes[at] == b'\\' => follows && mixed(&bytes[at.saturating_sub(12)..bytes.len().min(at + 12)]),
        Some(byte) => follows && (is_value(byte) || matches!(byte, b'@' | b':')),
        None => follows,
    }
}

fn mixed(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_uppercase)
}

fn rewrite(bytes: &[u8]) -> Rewritten {
    let mut out = Rewritten { bytes: Vec::with_capacity(bytes.len()), stretches: vec![(0, 0)] };
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let found = match bytes[at] {
            b'%' | b'\\' | b'&' => escape(bytes, at).map(|escape| (at, escape)),
            b'+' => joint(bytes, at),
            _ => None,
        };
        match found {
            Some((start, escape)) if start >= copied => {
                out.bytes.extend_from_slice(&bytes[copied..start]);
                if let Some(byte) = escape.byte {
                    out.stretches.push((out.bytes.len(), start));
                    out.bytes.push(byte);
                }
                copied = start + escape.length;
                out.stretches.push((out.bytes.len(), copied));
                at = copied;
            }
            _ => {
                let next = bytes[at + 1..].iter().position(|byte| matches!(byte, b'%' | b'\\' | b'&' | b'+'));
                at = next.map_or(bytes.len(), |n| at + 1 + n);
            }
        }
    }
    out.bytes.extend_from_slice(&bytes[copied..]);
    out
}

/// The escape that starts at `at`.
fn escape(bytes: &[u8], at: usize) -> Option<Escape> {
    let rest = &bytes[at + 1..];
    let number = |digits: &[u8], radix| {
        let text = std::str::from_utf8(digits).ok()?;
        let value = u8::try_from(u32::from_str_radix(text, radix).ok()?).ok()?;
        (value.is_ascii_graphic() || value == b' ').then_some(value)
    };
    let is = |length, byte| Some(Escape { length, byte: Some(byte) });
    match bytes[at] {
        b'%' => is(3, number(rest.get(..2)?, 16)?),
        b'\\' => match rest.first()? {
            b'/' => is(2, b'/'),
            b'u' => is(6, number(rest.get(1..5)?, 16)?),
            b'x' => is(4, number(rest.get(1..3)?, 16)?),
            b'\n' | b'\r' => {
                // A line that goes on: the break and the next line's margin are no part of it.
                let margin = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                Some(Escape { length: 1 + margin, byte: None })
            }
            _ => None,
        },
        _ => {
            let end = rest.iter().take(8).position(|&byte| byte == b';')?;
            let length = end + 2;
            match &rest[..end] {
                b"amp" => is(length, b'&'),
                b"quot" => is(length, b'"'),
                b"apos" => is(length, b'\''),
                b"lt" => is(length, b'<'),
                b"gt" => is(length, b'>'),
                [b'#', b'x' | b'X', digits @ ..] => is(length, number(digits, 16)?),
                [b'#', digits @ ..] => is(length, number(digits, 10)?),
                _ => None,
            }
        }
    }
}

/// The joint around the plus at `at`: `"…" + "…"`, over a line break too. Only where both sides could be one value.
fn joint(bytes: &[u8], at: usize) -> Option<(usize, Escape)> {
    const REACH: usize = 80;
    let quote = |byte: u8| matches!(byte, b'"' | b'\'' | b'`');
    let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b'\\';
    let before = bytes[..at].iter().rev().take(REACH).take_while(blank).count();
    let open = (at - before).checked_sub(1).filter(|&n| quote(bytes[n]))?;
    let after = bytes[at + 1..].iter().take(REACH).take_while(blank).count();
    let close = at + 1 + after;
    let same = bytes.get(close) == Some(&bytes[open]);
    let value = |byte: Option<&u8>| byte.is_some_and(|&byte| is_value(byte));
    let joined = same && value(open.checked_sub(1).and_then(|n| bytes.get(n))) && value(bytes.get(close + 1));
    joined.then_some((open, Escape { length: close + 1 - open, byte: None }))
}

/// A blob in UTF-16 as text of one byte a character: places are halves. What is not ASCII becomes `?`, which no key holds.
pub(super) fn utf16(blob: &Blob<'_>) -> Option<Vec<u8>> {
    let bytes = blob.bytes;
    let marked = blob.offset == 0 && (bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]));
    let head = bytes.get(..bytes.len().min(64) / 2 * 2).filter(|head| head.len() >= 8)?;
    let zeros =
        |odd: usize| head.chunks_exact(2).filter(|pair| pair[odd] == 0 && pair[1 - odd] != 0).count() * 4 >= head.len();
    if !marked && !zeros(0) && !zeros(1) {
        return None;
    }
    let high = usize::from(if marked { bytes[0] == 0xff } else { zeros(1) });
    let plain = |pair: &[u8]| if pair[high] == 0 && pair[1 - high] < 0x80 { pair[1 - high] } else { b'?' };
    Some(bytes.chunks_exact(2).map(plain).collect())
}

#[cfg(test)]
mod tests {
    use super::{unescaped, utf16};
    use crate::model::Blob;

    #[test]
    fn escapes_and_joints_are_seen_through() {
        for (text, plain) in [
            (r#"k = "abc%2Bdef%2F9""#, r#"k = "abc+def/9""#),
            (r#""abC9\/dEf""#, r#""abC9/dEf""#),
            (r#""abc\u002bdef\u003D""#, r#""abc+def=""#),
            ("<a>abc&#43;d&#x2f;e</a>", "<a>abc+d/e</a>"),
            ("k = 'abc' +\n    'def'", "k = 'abcdef'"),
            ("k=\"abc\"+\"def\";", "k=\"abcdef\";"),
            ("KEY=abc\\\n  def", "KEY=abcdef"),
        ] {
            let got = unescaped(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(String::from_utf8_lossy(&got.bytes), plain);
            for original in 0..=text.len() {
                let place = got.place(original);
                assert!(place <= got.bytes.len());
            }
            assert_eq!(got.place(text.len()), got.bytes.len());
        }
        for plain in ["a%20b %d", "x = a + b", "path\\to\n", "a & b", "\"a\\nb\"", "'x' + y", "https:\\/\\/example.com\\/a"]
        {
            assert!(unescaped(plain.as_bytes()).is_none(), "{plain}");
        }
    }

    #[test]
    fn wide_characters_become_narrow_ones() {
        let wide = |text: &str, bom: bool| {
            let units = bom.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        for bom in [true, false] {
            let text = wide("key = abcdef é", bom);
            let got = utf16(&Blob::whole("x", &text)).expect("UTF-16");
            assert!(got.ends_with(b"key = abcdef ?"));
        }
        assert!(utf16(&Blob::whole("x", b"plain text, and enough of it")).is_none());
        assert!(utf16(&Blob::whole("x", &[0; 64])).is_none());
    }
}
