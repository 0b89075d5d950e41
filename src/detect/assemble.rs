//! The other parts of a credential, from the lines around its anchor. Candidates are scored; close rivals are all kept.

use std::ops::Range;

use super::REACH;
use super::compiled::Entry;
use super::entropy::shannon;
use super::spec::PartRule;
use super::suppress;

/// Rivals beyond this many are not kept: validation asks a provider about each.
const RIVALS: usize = 4;
/// A rival this far behind the best is not one.
const CLOSE: i32 = 1;
/// How far before a value its name is looked for.
const NAME: usize = 120;

/// A place that may hold a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Where it stands in the buffer.
    pub(super) span: Range<usize>,
    score: i32,
}

impl Candidate {
    /// A place that is known.
    pub(super) fn sure(span: Range<usize>) -> Self {
        Self { span, score: i32::MAX }
    }
}

/// Places that may hold part number `part`, best first; rivals only where they are close. Empty where there is none.
pub(super) fn candidates(bytes: &[u8], entry: &Entry, part: usize, anchor: &Range<usize>) -> Vec<Candidate> {
    let rule = entry.rule(part);
    let Some(regex) = entry.regex(part) else { return Vec::new() };
    let window = window(bytes, anchor, rule.within);
    let mut found: Vec<Candidate> = regex
        .find_iter(&bytes[window.clone()])
        .map(|found| window.start + found.start()..window.start + found.end())
        .filter(|span| stands_alone(bytes, span, rule) && (span.end <= anchor.start || span.start >= anchor.end))
        .filter(|span| acceptable(entry, part, &bytes[span.clone()]))
        .filter_map(|span| score(bytes, entry, part, (anchor, &span, window.start)).map(|score| Candidate { span, score }))
        .collect();
    found.sort_by_key(|candidate| (-candidate.score, candidate.span.start.abs_diff(anchor.start)));
    let best = found.first().map_or(0, |best| best.score);
    found.retain(|candidate| candidate.score >= best - CLOSE);
    let mut values: Vec<&[u8]> = Vec::new();
    found.retain(|candidate| {
        let value = &bytes[candidate.span.clone()];
        let new = !values.contains(&value);
        values.push(value);
        new
    });
    found.truncate(RIVALS);
    found
}

/// Whether the bytes beside a value let it stand for itself.
pub(super) fn stands_alone(bytes: &[u8], span: &Range<usize>, rule: &PartRule) -> bool {
    let after = bytes.get(span.end).is_some_and(|&byte| rule.alphabet.contains(byte));
    !after && !joined_before(bytes, span.start, rule)
}

/// Whether what stands before a value makes it the end of something longer.
pub(super) fn joined_before(bytes: &[u8], start: usize, rule: &PartRule) -> bool {
    // `s3://id:secret@bucket`.
    if bytes[..start].ends_with(b"://") {
        return false;
    }
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    // `\n` and `\t` spelled out in a string join nothing, though their letter would.
    let escape = start >= 2 && bytes[start - 2] == b'\\' && matches!(before, Some(b'n' | b't' | b'r'));
    !escape
        && !ends_percent(&bytes[..start])
        && !ends_colour(&bytes[..start])
        && before.is_some_and(|&byte| rule.alphabet.contains(byte))
}

/// Whether what ends here is a blank, a quote, a colon, an equals sign or a comma as URLs write it, or an equals sign as mails do
/// (RFC 2045): its digits join nothing. Not `%2F`: base64 goes on behind that.
fn ends_percent(before: &[u8]) -> bool {
    const SIGNS: [&[u8]; 8] = [b"%20", b"%22", b"%27", b"%3A", b"%3D", b"%2C", b"%0A", b"=3D"];
    let last = before.len().checked_sub(3).map(|at| before[at..].to_ascii_uppercase());
    last.is_some_and(|last| SIGNS.contains(&last.as_slice()))
}

/// Whether what ends here sets a colour (ECMA-48, SGR): logs of CI are full of that, and its letter joins nothing.
fn ends_colour(before: &[u8]) -> bool {
    const LONGEST: usize = 16;
    let Some(codes) = before.strip_suffix(b"m") else { return false };
    let length = codes.iter().rev().take(LONGEST).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    codes[..codes.len() - length].ends_with(b"\x1b[")
}

fn acceptable(entry: &Entry, part: usize, value: &[u8]) -> bool {
    shannon(value) >= entry.rule(part).min_entropy && !entry.rejects(part, value) && suppress::reason(value).is_none()
}

/// The bytes within `lines` lines of the anchor, and within reach.
fn window(bytes: &[u8], anchor: &Range<usize>, lines: usize) -> Range<usize> {
    let floor = anchor.start.saturating_sub(REACH);
    let ceiling = bytes.len().min(anchor.end + REACH);
    let before = memchr::memrchr_iter(b'\n', &bytes[floor..anchor.start]).nth(lines);
    let after = memchr::memchr_iter(b'\n', &bytes[anchor.end..ceiling]).nth(lines);
    before.map_or(floor, |at| floor + at + 1)..after.map_or(ceiling, |at| anchor.end + at)
}

/// How well a place fits, or `None` when its name says that it is something else or a needed name is missing.
fn score(
    bytes: &[u8],
    entry: &Entry,
    part: usize,
    (anchor, span, floor): (&Range<usize>, &Range<usize>, usize),
) -> Option<i32> {
    let rule = entry.rule(part);
    let name = name_score(bytes, span, &rule.names);
    if rule.needs_name && name == 0 {
        return None;
    }
    let between = if span.start < anchor.start { span.end..anchor.start } else { anchor.end..span.start };
    let lines = memchr::memchr_iter(b'\n', &bytes[between.clone()]).count();
    let near = match lines {
        0 => 3,
        1..=2 => 2,
        3..=5 => 1,
        _ => 0,
    };
    // Another anchor in between means that the place probably belongs to that one.
    let literals = entry.rule(0).literals();
    let holds_anchor = |range: Range<usize>| {
        literals.iter().any(|literal| memchr::memmem::find(&bytes[range.clone()], literal.as_bytes()).is_some())
    };
    let crowded = holds_anchor(between.clone());
    // A shape without a name that speaks for it must stand close by.
    if name == 0 && near == 0 {
        return None;
    }
    // Secrets usually follow their ids.
    let order = i32::from(span.start > anchor.start);
    // What follows another id is probably that one's.
    let taken = span.start < anchor.start && holds_anchor(floor..span.start);
    Some(name * 4 + near * 2 + order - if crowded { 5 } else { 0 } - if taken { 3 } else { 0 })
}

/// 2 when one of `names` stands before the value on its line, 1 when on the line above, else 0.
fn name_score(bytes: &[u8], span: &Range<usize>, names: &[String]) -> i32 {
    let before = &bytes[span.start.saturating_sub(NAME)..span.start];
    let mut lines = before.rsplit(|&b| b == b'\n');
    let mut has_name = || {
        let line = lines.next().unwrap_or_default().to_ascii_lowercase();
        names.iter().any(|name| memchr::memmem::find(&line, name.as_bytes()).is_some())
    };
    if has_name() { 2 } else { i32::from(has_name()) }
}

#[cfg(test)]
mod tests {
    use super::{ends_colour, ends_percent};

    #[test]
    fn the_digits_of_an_escape_are_no_part_of_what_follows() {
        for text in ["token%3D", "%22", "q=%3a", "token=3D"] {
            assert!(ends_percent(text.as_bytes()), "{text}");
        }
        for text in ["", "22", "%2F", "%2", "3D"] {
            assert!(!ends_percent(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_letter_that_ends_a_colour_is_no_part_of_what_follows() {
        for text in ["k=\x1b[m", "k=\x1b[31m", "\x1b[1;38;5;12m"] {
            assert!(ends_colour(text.as_bytes()), "{text:?}");
        }
        for text in ["", "m", "[31m", "\x1b[31", "\x1b[31;m x", "\x1b[3am"] {
            assert!(!ends_colour(text.as_bytes()), "{text:?}");
        }
    }
}
