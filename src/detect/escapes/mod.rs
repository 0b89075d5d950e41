//! Texts in which values are written with escapes or in pieces, made plain. Only the surroundings of an escape or
//! joint within something that could be a value are rewritten and looked at again.

mod marks;

use std::ops::Range;

pub(super) use marks::{SPAN, marks, told_by};

/// A credential may begin this far before an escape in it, and as far behind it for what it leads to.
pub(super) const BEFORE: usize = 1200;
pub(super) const AFTER: usize = 200;
/// What decides about it may stand this much farther away.
const MARGIN: usize = 1500;
/// What else is written with escapes in front of a value belongs to it no farther away: its name, and the quotes about both.
const NAME: usize = 300;
/// A line of a key is as long as this; words are not.
const LINE: usize = 24;
/// Between two pieces of one value stands no more than this.
const GAP: usize = 80;

/// A rewritten stretch of a text.
pub(super) struct Rewritten {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Starts of pieces that were copied as they stood, and where they stood.
    pub(super) stretches: Vec<(usize, usize)>,
    /// Where what is found here may begin, in the original.
    pub(super) own: Range<usize>,
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

/// What stands for one byte, or for nothing: an escape, or a joint between two pieces of a value.
#[derive(Debug, Clone, Copy)]
struct Escape {
    at: usize,
    length: usize,
    byte: Option<u8>,
}

fn is_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// The stretches of `bytes` that hold an escape or joint within something that could be a value, rewritten: those of which the
/// escape or joint stands at one of `marks`.
pub(super) fn unescaped(bytes: &[u8], marks: &[usize]) -> Vec<Rewritten> {
    let mut places = Vec::new();
    for &at in marks {
        marks::settle(bytes, at, &mut places);
    }
    places.sort_unstable();
    let mut out: Vec<(Range<usize>, Vec<Range<usize>>)> = Vec::new();
    for at in places {
        let (start, end) = (at.saturating_sub(BEFORE), (at + AFTER).min(bytes.len()));
        let about = about(bytes, at);
        match out.last_mut() {
            Some((own, all)) if own.end + MARGIN >= start => {
                own.end = end;
                match all.last_mut().filter(|last| last.end >= about.start) {
                    Some(last) => last.end = about.end,
                    None => all.push(about),
                }
            }
            _ => out.push((start..end, vec![about])),
        }
    }
    out.into_iter().map(|(own, about)| rewrite(bytes, own, &about)).collect()
}

/// The value that the escape or joint at `at` stands in, with its name before it: what is rewritten. The rest of a stretch is
/// copied as it stands.
fn about(bytes: &[u8], at: usize) -> Range<usize> {
    let first = at.saturating_sub(BEFORE);
    let value = bytes[first..at].iter().rposition(u8::is_ascii_whitespace).map_or(first, |n| first + n);
    value.saturating_sub(NAME)..(at + AFTER).min(bytes.len())
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// What stands between two pieces of one value.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'+' | b'.' | b'&')
}

fn rewrite(bytes: &[u8], own: Range<usize>, about: &[Range<usize>]) -> Rewritten {
    let (first, last) = (own.start.saturating_sub(MARGIN), bytes.len().min(own.end + MARGIN));
    let mut out = Rewritten { bytes: Vec::with_capacity(last - first), stretches: vec![(0, first)], own };
    let mut copied = first;
    for about in about {
        copied = rewrite_about(bytes, (about, last), copied, &mut out);
    }
    out.bytes.extend_from_slice(&bytes[copied..last]);
    out
}

/// Rewrites what begins in `about` and ends before `last`. Returns up to where the original, which was copied up to `copied`,
/// is now.
fn rewrite_about(bytes: &[u8], (about, last): (&Range<usize>, usize), mut copied: usize, out: &mut Rewritten) -> usize {
    let mut at = about.start.max(copied);
    while at < about.end {
        let found = match bytes[at] {
            b'\\' if matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => joint(bytes, at).or_else(|| escape(bytes, at)),
            b'%' | b'\\' | b'&' => escape(bytes, at),
            b'+' | b'.' => joint(bytes, at),
            b'\n' => break_at(bytes, at),
            _ => None,
        };
        let Some(escape) = found.filter(|escape| escape.at >= copied && escape.at + escape.length <= last) else {
            let next =
                bytes[at + 1..about.end].iter().position(|byte| matches!(byte, b'%' | b'\\' | b'&' | b'+' | b'.' | b'\n'));
            at = next.map_or(about.end, |n| at + 1 + n);
            continue;
        };
        out.bytes.extend_from_slice(&bytes[copied..escape.at]);
        if let Some(byte) = escape.byte {
            out.stretches.push((out.bytes.len(), escape.at));
            out.bytes.push(byte);
        }
        copied = escape.at + escape.length;
        out.stretches.push((out.bytes.len(), copied));
        at = copied;
    }
    copied
}

/// The escape that starts at `at`.
fn escape(bytes: &[u8], at: usize) -> Option<Escape> {
    let rest = &bytes[at + 1..];
    let number = |digits: &[u8], radix| {
        let text = std::str::from_utf8(digits).ok()?;
        let value = u8::try_from(u32::from_str_radix(text, radix).ok()?).ok()?;
        (value.is_ascii_graphic() || value == b' ').then_some(value)
    };
    let is = |length, byte| Some(Escape { at, length, byte: Some(byte) });
    match bytes[at] {
        b'%' => is(3, number(rest.get(..2)?, 16)?),
        b'\\' => match rest.first()? {
            b'/' => is(2, b'/'),
            b'u' => is(6, number(rest.get(1..5)?, 16)?),
            b'x' => is(4, number(rest.get(1..3)?, 16)?),
            b'\n' | b'\r' => {
                // A line that goes on: the break and the next line's margin are no part of it.
                let margin = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                Some(Escape { at, length: 1 + margin, byte: None })
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

/// The joint around the plus or line break at `at`: `"…" + "…"`, `"…"\n"…"`, `'…' .\n'…'`. Only where both sides could
/// be one value.
fn joint(bytes: &[u8], at: usize) -> Option<Escape> {
    let between = |byte: &&u8| is_between(**byte);
    let before = bytes[..at].iter().rev().take(GAP).take_while(between).count();
    let open = (at - before).checked_sub(1).filter(|&n| is_quote(bytes[n]))?;
    let after = bytes[at + 1..].iter().take(GAP).take_while(between).count();
    let close = at + 1 + after;
    let same = bytes.get(close) == Some(&bytes[open]);
    let value = |byte: Option<&u8>| byte.is_some_and(|&byte| is_value(byte) || matches!(byte, b'.' | b':' | b'@'));
    let joined = same
        && value(open.checked_sub(1).and_then(|n| bytes.get(n)))
        && value(bytes.get(close + 1))
        && !is_prose(&bytes[open.saturating_sub(LINE + 4)..open], &bytes[close + 1..]);
    joined.then_some(Escape { at: open, length: close + 1 - open, byte: None })
}

/// Whether the piece that ends with `before` ends in a line break of its own (`"…\n"`), as those of messages do, and in no line
/// of a key's.
fn is_prose(before: &[u8], behind: &[u8]) -> bool {
    let Some(line) = before.strip_suffix(b"\\n") else { return false };
    let line = line.strip_suffix(b"\\r").unwrap_or(line);
    let is_blank = line.last().is_none_or(|&byte| is_quote(byte));
    let is_key = line.last_chunk::<LINE>().is_some_and(|line| line.iter().all(|&byte| is_value(byte)));
    !is_blank && !is_key && !line.ends_with(b"-----") && !behind.starts_with(b"-----")
}

/// The line break at `at`, where a value goes on behind it: between two quoted pieces, or in a YAML block of bare lines.
fn break_at(bytes: &[u8], at: usize) -> Option<Escape> {
    // Of several breaks in a row, the first looks over all of them.
    if at.checked_sub(1).is_some_and(|before| bytes[before] == b'\n') {
        return None;
    }
    let last = *bytes[..at].iter().rev().take(GAP).find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(last, b'"' | b'\'' | b'`' | b'+' | b'.' | b'&' | b'\\') {
        return joint(bytes, at);
    }
    is_value(last).then(|| folded(bytes, at)).flatten()
}

/// A line break of a YAML block scalar (`key: >-`) whose lines are bare pieces of one value.
fn folded(bytes: &[u8], at: usize) -> Option<Escape> {
    /// Shorter pieces are words.
    const PIECE: usize = 12;
    let margin = bytes[at + 1..].iter().take(GAP).take_while(|&&byte| byte == b' ').count();
    let piece = |line: &[u8]| line.len() >= PIECE && line.iter().all(|&byte| is_value(byte) || byte == b'.');
    let next = &bytes[at + 1 + margin..];
    let next = &next[..memchr::memchr(b'\n', next).unwrap_or(next.len())];
    let head = at.saturating_sub(super::REACH);
    let mut lines = bytes[head..at].rsplit(|&byte| byte == b'\n');
    let indented = |line: &&[u8]| {
        line.len() > margin && line[..margin].iter().all(|&byte| byte == b' ') && piece(line[margin..].trim_ascii_end())
    };
    if margin == 0
        || next.len() > 4096
        || next.is_empty()
        || !next.trim_ascii_end().iter().all(|&byte| is_value(byte) || byte == b'.')
    {
        return None;
    }
    lines.next().filter(indented)?;
    let above = lines.find(|line| !indented(line))?.trim_ascii_end();
    let block = [b": >-".as_slice(), b": >", b": |-", b": |", b": >+", b": |+"];
    block.iter().any(|mark| above.ends_with(mark)).then_some(Escape { at, length: 1 + margin, byte: None })
}

#[cfg(test)]
mod tests {
    use super::{Rewritten, marks};

    fn unescaped(bytes: &[u8]) -> Vec<Rewritten> {
        let mut all = Vec::new();
        marks(bytes, 0..bytes.len(), &mut |at| all.push(at));
        super::unescaped(bytes, &all)
    }

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
            ("k = 'abc.' \\\n    'def'", "k = 'abc.def'"),
            ("k: \"abc.\\\n    def\"", "k: \"abc.def\""),
            ("k = 'abc.' . 'def';", "k = 'abc.def';"),
            ("k = \"abc\".\"def\";", "k = \"abcdef\";"),
            ("f('abc'\n  'def')", "f('abcdef')"),
            ("$k = 'abc' .\n  'def';", "$k = 'abcdef';"),
            ("\"----KEY-----\\n\"\n\"MIIE\\n\"", "\"----KEY-----\\nMIIE\\n\""),
            ("\"0123456789abcdefghijklmn\\r\\n\"\n\"MIIE\\r\\n\"", "\"0123456789abcdefghijklmn\\r\\nMIIE\\r\\n\""),
            ("k: >-\n  abcdefghijkl\n  mnopqr\nx: 1", "k: >-\n  abcdefghijklmnopqr\nx: 1"),
        ] {
            let all = unescaped(text.as_bytes());
            let [got] = all.as_slice() else { panic!("{text}") };
            assert_eq!(String::from_utf8_lossy(&got.bytes), plain);
            for original in 0..=text.len() {
                let place = got.place(original);
                assert!(place <= got.bytes.len());
            }
            assert_eq!(got.place(text.len()), got.bytes.len());
        }
        let far = ["a%20b\n", &"line of prose\n".repeat(30), "token=&quot;abc%2Bdef&quot;\n"].concat();
        let all = unescaped(far.as_bytes());
        let [got] = all.as_slice() else { panic!("{far}") };
        // The value with what it is called; not what stands far before it.
        assert!(got.bytes.starts_with(b"a%20b\n") && got.bytes.ends_with(b"\ntoken=\"abc+def\"\n"));
        for plain in [
            "a%20b %d",
            "x = a + b",
            "path\\to\n",
            "a & b",
            "\"a\\nb\"",
            "'x' + y",
            "https:\\/\\/example.com\\/a",
            "'a',\n'b'",
            "\"the key is not\\n\"\n\"valid\\n\"",
        ] {
            assert!(unescaped(plain.as_bytes()).is_empty(), "{plain}");
        }
    }
}
