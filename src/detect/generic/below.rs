//! Values that stand below their name, on the next line: long texts that a formatter has moved down, YAML's blocks, HCL's
//! here-documents; and lists, of which each piece is a value.

use std::ops::Range;

use super::super::kind::{FileKind, Syntax};
use super::{VALUE, skip};

/// Blanks before a value on the next line.
const INDENT: usize = 80;
/// So many pieces of a list are looked at, no farther from its name.
const PIECES: usize = 8;
const LIST: usize = 480;

/// Where a quoted text begins that stands alone on the line below `at`, or in brackets: `=\n  "…";`, `= (\n  "…"\n)`.
/// `colon` says that a colon stands before it, behind a name in quotes or not.
pub(super) fn quoted_below(bytes: &[u8], at: usize, colon: Option<bool>, kind: FileKind) -> Option<usize> {
    // In a shell an empty value ends the line; Python's `if token:` begins a block.
    let wanted = match (kind.syntax, colon) {
        (Syntax::Shell, _) => false,
        (Syntax::Settings, colon) => colon.is_some(),
        (_, Some(named)) => named || !kind.docstrings,
        (_, None) => true,
    };
    let mut start = at;
    let bracket = skip(bytes, &mut start, |byte| byte == b'(', 1) > 0 && colon.is_none();
    skip(bytes, &mut start, |byte| matches!(byte, b' ' | b'\t' | b'\\'), 4);
    skip(bytes, &mut start, |byte| byte == b'\r', 1);
    let below = skip(bytes, &mut start, |byte| byte == b'\n', 1) > 0;
    if !wanted || !(below || bracket) {
        return None;
    }
    skip(bytes, &mut start, |byte| matches!(byte, b' ' | b'\t'), INDENT);
    let text = &bytes[start..bytes.len().min(start + VALUE)];
    let quote = *text.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let close = 1 + memchr::memchr2(quote, b'\n', &text[1..]).filter(|&at| text[1 + at] == quote)?;
    let behind = &text[close + 1..];
    let behind = if bracket { behind.trim_ascii_start() } else { past_blanks(behind) };
    let alone = match behind.first() {
        Some(b')') => bracket,
        Some(b',') | None => true,
        Some(b';' | b'}' | b'\n' | b'\r' | b'#') => !bracket,
        Some(_) => !bracket && behind.starts_with(b"//"),
    };
    alone.then_some(start)
}

fn past_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()..]
}

/// The one line of a block: YAML's `>-` and `|`, HCL's `<<EOT`.
pub(super) fn block(bytes: &[u8], at: usize, kind: FileKind) -> Option<Range<usize>> {
    if kind.syntax != Syntax::Settings {
        return None;
    }
    let mut start = at;
    let text = &bytes[at..bytes.len().min(at + 2 * VALUE)];
    let (head, rest) = text.split_at(memchr::memchr(b'\n', &text[..text.len().min(INDENT)])?);
    let head = head.trim_ascii_end();
    let heredoc = head.strip_prefix(b"<<").map(|word| word.strip_prefix(b"-").or(word.strip_prefix(b"~")).unwrap_or(word));
    let heredoc = heredoc.filter(|word| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric));
    let yaml = matches!(head.split_first(), Some((b'|' | b'>', rest)) if rest.len() < 3
        && rest.iter().all(|byte| matches!(byte, b'-' | b'+') || byte.is_ascii_digit()));
    if !yaml && heredoc.is_none() {
        return None;
    }
    start += text.len() - rest.len() + 1;
    let indent = |line: &[u8]| line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut lines = rest[1..].split(|&byte| byte == b'\n');
    let first = lines.next()?;
    let next = lines.next().unwrap_or_default();
    let only = match heredoc {
        Some(word) => next.trim_ascii() == word,
        None => indent(first) > 0 && (next.trim_ascii().is_empty() || indent(next) < indent(first)),
    };
    let value = first.trim_ascii();
    let plain = !value.is_empty() && value.len() < VALUE && value.iter().all(u8::is_ascii_graphic);
    let from = start + indent(first);
    (only && plain).then(|| from..from + value.len())
}

/// Where a YAML value begins behind its anchor or the tag of a text: `&name`, `!!str`, `!unsafe`.
pub(super) fn behind_tag(bytes: &[u8], at: usize, kind: FileKind) -> usize {
    let text = &bytes[at..bytes.len().min(at + 48)];
    let length = text.iter().position(|&byte| byte == b' ').unwrap_or(0);
    let word = &text[..length];
    let anchor =
        word.len() > 1 && word[0] == b'&' && word[1..].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let tag = kind.syntax == Syntax::Settings && (anchor || word == b"!!str" || word == b"!unsafe");
    if tag { at + length + 1 } else { at }
}

/// The pieces of the list at `at`: `["…", "…"]`, or YAML's below it. Only those that stand alone.
pub(super) fn pieces(bytes: &[u8], at: usize, kind: FileKind) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let limit = bytes.len().min(at + LIST);
    let mut next = at;
    if skip(bytes, &mut next, |byte| byte == b'[', 1) > 0 {
        while pieces.len() < PIECES && next < limit {
            skip(bytes, &mut next, |byte| byte.is_ascii_whitespace(), INDENT);
            let Some(&quote @ (b'"' | b'\'')) = bytes.get(next) else { break };
            let inside = &bytes[next + 1..bytes.len().min(next + 1 + VALUE)];
            let Some(close) = memchr::memchr2(quote, b'\n', inside).filter(|&at| inside[at] == quote) else { break };
            let piece = next + 1..next + 1 + close;
            next = piece.end + 1;
            skip(bytes, &mut next, |byte| byte.is_ascii_whitespace(), INDENT);
            if !matches!(bytes.get(next), Some(b',' | b']')) {
                break;
            }
            pieces.push(piece);
            next += 1;
            if bytes[next - 1] == b']' {
                break;
            }
        }
    } else if kind.syntax == Syntax::Settings {
        while pieces.len() < PIECES && next < limit {
            skip(bytes, &mut next, |byte| byte == b'\r', 1);
            if skip(bytes, &mut next, |byte| byte == b'\n', 1) == 0 && next < bytes.len() {
                break;
            }
            skip(bytes, &mut next, |byte| byte == b' ', INDENT);
            if !bytes[next..].starts_with(b"- ") {
                break;
            }
            next += 2;
            let line = &bytes[next..bytes.len().min(next + VALUE)];
            let Some(end) = memchr::memchr(b'\n', line).or((next + line.len() == bytes.len()).then_some(line.len())) else {
                break;
            };
            let value = line[..end].trim_ascii_end();
            let quoted = value.len() > 2 && matches!(value[0], b'"' | b'\'') && value.last() == value.first();
            let inset = usize::from(quoted);
            let piece = next + inset..next + value.len() - inset;
            next += end;
            if bytes[piece.clone()].iter().all(|&byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'')) {
                pieces.push(piece);
            }
        }
    }
    pieces
}
