//! Marks: where an escape or a joint may stand, as the few bytes around a place tell. Whoever makes a text from another can
//! take its marks over with the bytes; whether there is an escape or joint is asked of those alone.

use std::ops::Range;

use memchr::memchr_iter;

use super::{GAP, break_at, escape, is_between, is_quote, is_value, joint};

/// How many bytes before and behind a place tell whether there is a mark.
const BACK: usize = 10;
const AHEAD: usize = 6;
/// Bytes that tell, the place's own with them.
pub(in super::super) const SPAN: usize = BACK + 1 + AHEAD;
/// Places that are looked at together.
const LANES: usize = 16;

/// The bytes that tell whether there is a mark at `at`.
pub(in super::super) fn told_by(bytes: &[u8], at: usize) -> Range<usize> {
    at.saturating_sub(BACK)..bytes.len().min(at + 1 + AHEAD)
}

/// Calls `visit` with each mark in `places`, in ascending order.
pub(in super::super) fn marks(bytes: &[u8], places: Range<usize>, visit: &mut dyn FnMut(usize)) {
    // Nothing is within a value at the start of a text.
    let mut at = places.start.max(1);
    while at < places.end {
        let Some(window) = bytes[at - 1..].first_chunk() else {
            let behind = bytes.get(at + 1).copied().unwrap_or_default();
            if stands_out(bytes[at - 1], bytes[at], behind) && is_mark(bytes, at) {
                visit(at);
            }
            at += 1;
            continue;
        };
        let all = standing_out(window);
        if all == [0; LANES / 8] {
            at += LANES;
            continue;
        }
        for (first, flags) in (at..).step_by(8).zip(all) {
            let mut left = flags;
            while left != 0 {
                let place = first + left.trailing_zeros() as usize / 8;
                left &= left - 1;
                if place < places.end && is_mark(bytes, place) {
                    visit(place);
                }
            }
        }
        at += LANES;
    }
}

/// A bit for each place that stands out, eight places a number. `window` has a byte more at either end.
fn standing_out(window: &[u8; LANES + 2]) -> [u64; LANES / 8] {
    let mut all = [0; LANES / 8];
    // Three loads, where the compiler would put what stands behind and before together from one.
    let (Some(before), Some(own), Some(behind)) =
        (window.first_chunk::<LANES>(), window[1..].first_chunk::<LANES>(), window.last_chunk::<LANES>())
    else {
        return all;
    };
    let mut flags = [0u8; LANES];
    // Not an iterator: tests run without the optimisation that makes a loop of one.
    let mut n = 0;
    while n < LANES {
        flags[n] = u8::from(stands_out(before[n], own[n], behind[n]));
        n += 1;
    }
    for (all, flags) in all.iter_mut().zip(flags.as_chunks().0) {
        *all = u64::from_le_bytes(*flags);
    }
    all
}

/// The cheapest of all tests, without branches: the compiler makes 16 at once of it.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators would be branches")]
fn stands_out(before: u8, byte: u8, behind: u8) -> bool {
    // Spaces, quotes, `&`, `+`, `-`, `.` and others that do no harm; `\` and `|` among those behind.
    let joins = |byte: u8| (byte < b'0') | (byte == b'>') | (byte == b'\\') | (byte == b'`') | (byte == b'|');
    // What a value is made of, and what it may be cut behind, is none of the spaces and quotes below.
    let escape = ((byte == b'%') | (byte == b'\\') | (byte == b'&')) & (before >= b'+');
    let seam = ((byte == b'.') | (byte == b'+')) & joins(behind);
    // Most lines end with one of these (the second is `(`, `)` or `*`), and none of those is a mark.
    let plain = (before == b',') | (before.wrapping_sub(b'(') < 3) | (before == b'/') | (before == b'\n');
    escape | ((((byte == b'\n') & !plain) | seam) & joins(before))
}

/// Whether an escape or joint may stand at `at`. Only bytes of `told_by` are asked.
fn is_mark(bytes: &[u8], at: usize) -> bool {
    let told = told_by(bytes, at);
    let (before, behind) = (&bytes[told.start..at], &bytes[at + 1..told.end]);
    let (last, next) = (before.last().copied().unwrap_or_default(), behind.first().copied().unwrap_or_default());
    match bytes[at] {
        b'%' => is_value(last) && behind.iter().take(2).all(u8::is_ascii_hexdigit),
        b'&' if is_value(last) => matches!(next, b'#' | b'a' | b'q' | b'l' | b'g'),
        b'\\' => (is_value(last) || is_cut(last)) && matches!(next, b'/' | b'u' | b'x' | b'\n' | b'\r'),
        // On one line; where there are several, the break is a mark.
        b'+' | b'.' => before.iter().chain(behind).any(|&byte| is_quote(byte)) && may_join(before, behind),
        b'\n' if last == b'\n' => false,
        b'\n' => match before.trim_ascii_end().last() {
            None | Some(b'"' | b'\'' | b'`' | b'.' | b'&' | b'\\') => may_join(before, behind),
            Some(b'+') => may_join(before, behind) || begins_block(before),
            Some(&byte) => begins_block(before) || (last.is_ascii_whitespace() && is_value(byte) && next == b' '),
        },
        _ => false,
    }
}

/// Whether a joint may stand between what ends with `before` and what begins with `behind`.
fn may_join(before: &[u8], behind: &[u8]) -> bool {
    let Some(open) = before.iter().rposition(|byte| !is_between(*byte)) else { return true };
    let Some(close) = behind.iter().position(|byte| !is_between(*byte)) else { return is_quote(before[open]) };
    let piece = &before[..open];
    is_quote(before[open])
        && before[open] == behind[close]
        && piece.last().is_none_or(|&byte| is_piece(byte))
        && behind.get(close + 1).is_none_or(|&byte| is_piece(byte) && (byte == b'-' || !ends_in_prose(piece)))
}

/// Whether a piece ends in a line break of its own and certainly not in a line of a key.
fn ends_in_prose(piece: &[u8]) -> bool {
    let Some(line) = piece.strip_suffix(b"\\n") else { return false };
    let line = line.strip_suffix(b"\\r").unwrap_or(line);
    let is_blank = line.last().is_none_or(|&byte| is_quote(byte));
    !is_blank && !line.ends_with(b"-----") && !line.iter().all(|&byte| is_value(byte))
}

/// What a value may be cut behind or before.
fn is_cut(byte: u8) -> bool {
    matches!(byte, b'.' | b':' | b';' | b'@' | b'~')
}

fn is_piece(byte: u8) -> bool {
    is_value(byte) || matches!(byte, b'.' | b':' | b'@')
}

/// Whether a line that ends so begins a YAML block.
fn begins_block(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    [b": >".as_slice(), b": >-", b": >+", b": |", b": |-", b": |+"].iter().any(|mark| line.ends_with(mark))
}

/// Adds where an escape or joint stands of what is at the mark `at`: the place itself, and line breaks of a block below it.
pub(super) fn settle(bytes: &[u8], at: usize, places: &mut Vec<usize>) {
    match bytes[at] {
        b'%' | b'\\' | b'&' => places.extend(is_worth(bytes, at).then_some(at)),
        b'\n' => line_end(bytes, at, places),
        _ => places.extend(joint(bytes, at).map(|_| at)),
    }
}

/// Adds the line break at `at` where a quoted value goes on behind it, or those of the YAML block that begins there.
fn line_end(bytes: &[u8], at: usize, places: &mut Vec<usize>) {
    match at.checked_sub(1).map(|n| bytes[n]) {
        Some(b'"' | b'\'' | b'`' | b'.' | b'&' | b'\\') => places.extend(break_at(bytes, at).map(|_| at)),
        Some(b'>' | b'|' | b'-') => block(bytes, at, places),
        Some(b'+' | b' ' | b'\t' | b'\r') => {
            places.extend(break_at(bytes, at).map(|_| at));
            block(bytes, at, places);
        }
        _ => {}
    }
}

/// Where the line that ends at `at` begins a YAML block: the line breaks in it that join pieces of one value.
fn block(bytes: &[u8], at: usize, places: &mut Vec<usize>) {
    if begins_block(&bytes[at.saturating_sub(GAP)..at]) {
        let breaks = memchr_iter(b'\n', &bytes[at + 1..]).map(|n| at + 1 + n);
        places.extend(breaks.take_while(|&at| break_at(bytes, at).is_some()));
    }
}

/// Whether the escape at `at` stands within something that could be a value: not the `\n` of a message, not `%20`.
fn is_worth(bytes: &[u8], at: usize) -> bool {
    // Where a line goes on, the value may have been cut anywhere.
    let cut = |byte: u8| is_cut(byte) && matches!(bytes.get(at + 1), Some(b'\n' | b'\r'));
    if at == 0 || !(is_value(bytes[at - 1]) || cut(bytes[at - 1])) {
        return false;
    }
    let Some(escape) = escape(bytes, at) else { return false };
    let goes_on = |byte: u8| is_value(byte) || matches!(byte, b'%' | b'\\' | b'&') || cut(byte);
    let follows = bytes.get(at + escape.length).is_some_and(|&byte| goes_on(byte));
    match escape.byte {
        // A slash in front of a word is a path; within a value it has digits or capitals about.
        Some(b'/') if bytes[at] == b'\\' => follows && mixed(&bytes[at.saturating_sub(12)..bytes.len().min(at + 12)]),
        // `\u0026` between the fields of a query. `&amp;` is in every page, and what reads queries reads it too.
        Some(b'&') => follows && bytes[at] == b'\\',
        Some(byte) => follows && (is_value(byte) || matches!(byte, b'@' | b':' | b'.' | b'~')),
        None => follows,
    }
}

fn mixed(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::{SPAN, marks, settle, told_by};
    use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};

    /// Texts of quotes, line breaks and whatever else decides about escapes and joints.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\"".to_owned()),
            Just("\\n\"\n\"".to_owned()),
            Just("-----\\r\\n\"\n  \"".to_owned()),
            Just("' . '".to_owned()),
            Just("\" +\n".to_owned()),
            Just("k: >-\n  ".to_owned()),
            Just("\\u002".to_owned()),
            Just("&amp;".to_owned()),
            Just("%2B".to_owned()),
            "[a-c+/.&\\\\ \n\r\t'\"`:>|-]{1,6}",
            "[a-zA-Z0-9]{1,30}",
        ];
        prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_escape_or_joint_stands_where_there_is_no_mark(text in text()) {
            let bytes = text.as_bytes();
            let (mut marked, mut all) = (Vec::new(), Vec::new());
            marks(bytes, 0..bytes.len(), &mut |at| settle(bytes, at, &mut marked));
            let anywhere = (0..bytes.len()).filter(|&at| matches!(bytes[at], b'%' | b'\\' | b'&' | b'+' | b'.' | b'\n'));
            for at in anywhere {
                // A dot joins on one line alone: elsewhere the line break does.
                let apart = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\'' | b'`' | b' '));
                if bytes[at] != b'.' || (at > 0 && apart(at - 1) && apart(at + 1)) {
                    settle(bytes, at, &mut all);
                }
            }
            all.retain(|at| !marked.contains(at));
            proptest::prop_assert_eq!(all, [0; 0]);
        }

        #[test]
        fn a_mark_is_told_by_the_bytes_around_it(text in text(), before in text(), behind in text()) {
            let (bytes, around) = (text.as_bytes(), [before.as_str(), &text, &behind].concat());
            let found = |bytes: &[u8]| {
                let mut all = Vec::new();
                marks(bytes, 0..bytes.len(), &mut |at| all.push(at));
                all
            };
            let inside = |at: usize| at >= SPAN && at + SPAN <= bytes.len();
            let alone: Vec<usize> = found(bytes).into_iter().filter(|&at| inside(at)).collect();
            let moved = found(around.as_bytes()).into_iter().filter_map(|at| at.checked_sub(before.len()));
            let moved: Vec<usize> = moved.filter(|&at| inside(at)).collect();
            proptest::prop_assert_eq!(alone, moved);
            proptest::prop_assert!(bytes.is_empty() || told_by(bytes, bytes.len() / 2).len() <= SPAN);
        }
    }
}
