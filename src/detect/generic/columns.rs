//! Values that the head of their column names: tables with commas, semicolons or tabs, of Markdown and HTML, and the rows that SQL
//! inserts.

use std::ops::Range;

use super::super::kind::{FileKind, Syntax};

/// So far from the head of a column is a row looked at: less than from a value to what leads to it, where only what is new of a
/// file is scanned.
const BELOW: usize = 640;
/// So many rows are.
const ROWS: usize = 8;
/// A head is no longer, on either side of the name.
const HEAD: usize = 400;
/// One of these in another column says that a row is somebody's, and not a list of words.
const WHOSE: &[&str] =
    &["user", "name", "login", "mail", "account", "host", "url", "uri", "site", "system", "server", "service"];

/// The cells below `name`, if it heads a column.
pub(super) fn below(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Vec<Range<usize>> {
    // Most names head nothing.
    let mut behind = bytes[name.end..].iter().filter(|byte| !matches!(byte, b'"' | b'\'' | b'`' | b'*' | b' '));
    if !behind.next().is_none_or(|byte| b",;\t|<)]\r\n".contains(byte)) {
        return Vec::new();
    }
    let floor = name.start.saturating_sub(HEAD);
    let start = memchr::memrchr(b'\n', &bytes[floor..name.start]).map_or(floor, |end| floor + end + 1);
    let end = bytes.len().min(name.end + HEAD);
    let end = memchr::memchr(b'\n', &bytes[name.end..end]).map_or(end, |length| name.end + length);
    let head = start..end;
    let limit = bytes.len().min(name.end + BELOW);
    if bytes[head.clone()].trim_ascii_start().first() == Some(&b'|') {
        return ruled(bytes, name, &head, limit);
    }
    if kind.syntax == Syntax::Settings && (floor == 0 || head.start > floor) {
        let found = delimited(bytes, name, &head, limit);
        if !found.is_empty() {
            return found;
        }
    }
    inserted(bytes, name, limit).or_else(|| marked_up(bytes, name, limit)).unwrap_or_default()
}

/// Which of the cells `name` is in, if the head is one of a table about somebody's things.
fn column(bytes: &[u8], name: &Range<usize>, cells: &[Range<usize>]) -> Option<usize> {
    let text = |cell: &Range<usize>| String::from_utf8_lossy(&bytes[cell.clone()]).to_ascii_lowercase();
    let own = cells.iter().position(|cell| cell.start <= name.start && cell.end == name.end)?;
    let whose = |(n, cell): (usize, &Range<usize>)| n != own && WHOSE.iter().any(|word| text(cell).contains(word));
    cells.iter().enumerate().any(whose).then_some(own)
}

/// Lines of the text, from `at` on and before `limit`; the last one only if it ends there.
fn lines(bytes: &[u8], at: usize, limit: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = at;
    std::iter::from_fn(move || {
        let length = memchr::memchr(b'\n', bytes.get(start..limit)?);
        let end = length.map(|length| start + length).or((limit == bytes.len() && start < limit).then_some(limit))?;
        let line = start..end;
        start = end + 1;
        Some(line)
    })
}

/// `| User | Password |` above `|---|---|`.
fn ruled(bytes: &[u8], name: &Range<usize>, head: &Range<usize>, limit: usize) -> Vec<Range<usize>> {
    let cells = |line: &Range<usize>| {
        let mut at = line.start;
        let pieces = bytes[line.clone()].split(|byte| *byte == b'|').map(|piece| {
            let first =
                at + piece.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'`' || **byte == b'*').count();
            let inner = piece.trim_ascii().iter().filter(|byte| !matches!(byte, b'`' | b'*')).count();
            at += piece.len() + 1;
            first.min(at - 1)..(first + inner).min(at - 1)
        });
        pieces.collect::<Vec<_>>()
    };
    let Some(own) = column(bytes, name, &cells(head)) else { return Vec::new() };
    let mut rows = lines(bytes, head.end + 1, limit);
    let rule = rows.next().map(|line| &bytes[line]).unwrap_or_default().trim_ascii();
    if rule.len() < 3 || !rule.iter().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' ')) {
        return Vec::new();
    }
    rows.take_while(|line| bytes[line.clone()].trim_ascii_start().first() == Some(&b'|'))
        .take(ROWS)
        .filter_map(|line| cells(&line).get(own).cloned())
        .collect()
}

/// `name,email,password` above rows of as many cells.
fn delimited(bytes: &[u8], name: &Range<usize>, head: &Range<usize>, limit: usize) -> Vec<Range<usize>> {
    let plain = |cell: &Range<usize>| {
        let text = &bytes[cell.clone()];
        !text.is_empty() && text.len() <= 40 && text.iter().all(|byte| byte.is_ascii_alphabetic() || b" _-.".contains(byte))
    };
    for delimiter in [b',', b'\t', b';'] {
        let titles = cells(bytes, head, delimiter);
        if titles.len() < 2 || !titles.iter().all(plain) {
            continue;
        }
        let Some(own) = column(bytes, name, &titles) else { continue };
        let rows = lines(bytes, head.end + 1, limit).take(ROWS).map(|line| cells(bytes, &line, delimiter));
        return rows.filter(|row| row.len() == titles.len()).map(|row| row[own].clone()).collect();
    }
    Vec::new()
}

/// The cells of a line, without their quotes.
fn cells(bytes: &[u8], line: &Range<usize>, delimiter: u8) -> Vec<Range<usize>> {
    let end = line.start + bytes[line.clone()].trim_ascii_end().len();
    let mut cells = Vec::new();
    let mut at = line.start;
    while at <= end {
        let quoted = at < end && matches!(bytes[at], b'"' | b'\'');
        let inside = at + usize::from(quoted);
        let mut close = inside;
        let wanted = if quoted { bytes[at] } else { delimiter };
        while close < end && (bytes[close] != wanted || (quoted && bytes.get(close + 1) == Some(&wanted))) {
            close += if quoted && bytes[close] == wanted { 2 } else { 1 };
        }
        let close = close.min(end);
        cells.push(inside..close);
        at = memchr::memchr(delimiter, &bytes[close..end]).map_or(end, |length| close + length) + 1;
    }
    cells
}

/// `INSERT INTO t (a, password) VALUES (1, '…'), …`: those in quotes.
fn inserted(bytes: &[u8], name: &Range<usize>, limit: usize) -> Option<Vec<Range<usize>>> {
    const TABLE: usize = 96;
    let before = &bytes[name.start.saturating_sub(HEAD)..name.start];
    let open = memchr::memrchr2(b'(', b')', before).filter(|&at| before[at] == b'(')?;
    let into = before[open.saturating_sub(TABLE)..open].to_ascii_lowercase();
    memchr::memmem::rfind(&into, b" into ").filter(|&at| !into[at..].contains(&b';'))?;
    let own = memchr::memchr_iter(b',', &before[open..]).count();
    let rest = &bytes[name.end..limit];
    let close = memchr::memchr2(b')', b'(', rest).filter(|&at| rest[at] == b')')?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" ,_`\"[]\\.\r\n\t".contains(byte);
    rest[..close].iter().all(plain).then_some(())?;
    let mut at = name.end + close + 1;
    at += blanks(&bytes[at..limit]);
    bytes[at..limit].get(..6).filter(|word| word.eq_ignore_ascii_case(b"values"))?;
    at += 6;
    let mut found = Vec::new();
    while found.len() < ROWS {
        at += blanks(&bytes[at..limit]);
        at += usize::from(!found.is_empty() && bytes.get(at) == Some(&b','));
        at += blanks(&bytes[at..limit]);
        let Some((row, end)) = tuple(&bytes[..limit], at) else { break };
        at = end;
        found.push(row.get(own).cloned().flatten().unwrap_or(at..at));
    }
    Some(found)
}

fn blanks(text: &[u8]) -> usize {
    // A program breaks its string there: `VALUES " + \n "(…`.
    text.iter().take(80).take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The cells of `(1, 'a', NOW())`: those that are texts, without quotes; and where it ends.
fn tuple(bytes: &[u8], at: usize) -> Option<(Vec<Option<Range<usize>>>, usize)> {
    (bytes.get(at) == Some(&b'(')).then_some(())?;
    let (mut cells, mut cell, mut depth, mut next) = (Vec::new(), None, 0, at + 1);
    while let Some(&byte) = bytes.get(next) {
        next += 1;
        match byte {
            b'\'' => {
                let close =
                    next + memchr::memchr2(b'\'', b'\n', &bytes[next..]).filter(|&end| bytes[next + end] == b'\'')?;
                cell = (depth == 0).then_some(next..close);
                next = close + 1;
            }
            b'(' => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                cell = None;
            }
            b',' if depth == 0 => cells.push(cell.take()),
            b')' => {
                cells.push(cell);
                return Some((cells, next));
            }
            _ => {}
        }
    }
    None
}

/// `<th>User</th><th>Password</th>` above `<td>`s.
fn marked_up(bytes: &[u8], name: &Range<usize>, limit: usize) -> Option<Vec<Range<usize>>> {
    let before = &bytes[name.start.saturating_sub(HEAD)..name.start];
    let titled = before.last() == Some(&b'>') && bytes[name.end..].starts_with(b"</t");
    let tag = memchr::memrchr(b'<', before).filter(|_| titled)?;
    before[tag..].starts_with(b"<th").then_some(())?;
    let row = memchr::memmem::rfind(before, b"<tr")?;
    let heads = before[row..].to_ascii_lowercase();
    let own = memchr::memmem::find_iter(&heads, b"</th>").count();
    let end = name.end + memchr::memmem::find(&bytes[name.end..limit], b"</tr>")?;
    let all = [heads.as_slice(), &bytes[name.end..end].to_ascii_lowercase()].concat();
    WHOSE.iter().any(|word| memchr::memmem::find(&all, word.as_bytes()).is_some()).then_some(())?;
    let text = &bytes[end..limit];
    let rows: Vec<usize> = memchr::memmem::find_iter(text, b"<tr").take(ROWS).collect();
    let cell = |&row: &usize| {
        let start = row + memchr::memmem::find_iter(&text[row..], b"<td").nth(own)?;
        let start = start + memchr::memchr(b'>', &text[start..])? + 1;
        let start = start + usize::from(text[start..].starts_with(b"<code>")) * b"<code>".len();
        let length = memchr::memchr(b'<', &text[start..])?;
        Some(end + start..end + start + length)
    };
    Some(rows.iter().filter_map(cell).collect())
}
