//! What stands around a place and settles it before anything else is asked.

use std::ops::Range;

use super::super::compiled::Entry;
use super::super::kind::{self, Role};
use super::super::spec::PartRule;
use super::super::{context, names};
use super::view::View;

/// Whether a place is part of a certificate or the like in PEM: a full line of base64 below another.
pub(super) fn is_armour(bytes: &[u8], span: &Range<usize>) -> bool {
    const LINE: std::ops::RangeInclusive<usize> = 60..=76;
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let back = bytes[..span.start].iter().rev().take(*LINE.end()).take_while(|byte| base64(byte)).count();
    let start = span.start - back;
    let on = bytes[start..].iter().take(*LINE.end() + 1).take_while(|byte| base64(byte)).count();
    let full = LINE.contains(&on) && span.end <= start + on && matches!(bytes.get(start + on), Some(b'\n' | b'\r'));
    let above = bytes[..start].strip_suffix(b"\n").map(|head| head.strip_suffix(b"\r").unwrap_or(head));
    let head = |above: &[u8]| {
        let line = above[above.len().saturating_sub(*LINE.end())..].rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        line.ends_with(b"-----") || (line.len() >= *LINE.start() && line.iter().all(base64))
    };
    full && above.is_some_and(head)
}

/// Whether no value that begins soon after `at` can end: a run without blanks and quotes, in which every name would be looked
/// at in vain. `next_end` is remembered, so that each byte is looked at once.
pub(super) fn is_endless(bytes: &[u8], at: usize, next_end: &mut usize) -> bool {
    /// A name's rest, blanks and a value are not longer.
    const MOST: usize = 700;
    if *next_end < at {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>,;\\&)".contains(byte);
        *next_end = bytes[at..].iter().position(ends).map_or(bytes.len(), |length| at + length);
    }
    *next_end - at > MOST
}

/// Whether a kind that tests and documentation make up stands in one of them, or is called so.
pub(super) fn is_made_up(entry: &Entry, view: &View<'_>, at: usize) -> bool {
    let called = || {
        let words = names::words(&view.bytes[context::name(view.bytes, at)]);
        words.iter().any(|word| ["fake", "dummy", "mock"].contains(&word.as_str()))
    };
    entry.checked().quiet_in_tests
        && (matches!(view.kind.role, Role::Test | Role::Generated) || kind::is_said(view.bytes, at, view.kind) || called())
}

/// Where the run of the rule's alphabet around `at` ends.
pub(super) fn run_end(bytes: &[u8], at: usize, rule: &PartRule) -> usize {
    let run = bytes[at..].iter().take_while(|&&byte| rule.alphabet.contains(byte)).count();
    at + run.max(1)
}

/// The first run within `places` of as many bytes as a match has at least, of those that one can be made of. It may go on
/// behind them.
pub(super) fn run(text: &[u8], places: Range<usize>, rule: &PartRule) -> Option<Range<usize>> {
    let fits = |byte: &&u8| rule.bytes.contains(**byte);
    let mut at = places.start;
    while at < places.end {
        let length = text[at..].iter().take_while(fits).count();
        if length >= *rule.length.start() {
            return Some(at..at + length);
        }
        at += length;
        at += text[at..].iter().take_while(|byte| !fits(byte)).count();
    }
    None
}
