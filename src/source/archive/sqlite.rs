//! SQLite databases, page by page as they come, with the columns of each row apart: in the file they stand one behind another
//! with nothing between, `hf_tokenhf_…`. What no row claims (deleted rows, free pages, the rest of long rows) is given as it
//! stands. No SQL is run and no page is looked up, so that nothing in a database can mislead anything. A text that goes on in
//! another page is given in two pieces: that is the limit of this reader.
//!
//! Format: sqlite.org/fileformat2.html, 1.3 (header), 1.6 (b-tree pages), 2.1 (records).

use std::io::{self, Read};
use std::ops::Range;

use super::input::{Input, fill};
use super::members::Members;
use super::{FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "SQLite", is, read };

const SIGN: &[u8; 16] = b"SQLite format 3\0";
/// The database's header, which the first page begins with.
const HEADER: usize = 100;

fn is(head: &Head<'_>) -> bool {
    head.bytes.starts_with(SIGN) && page_size(head.bytes).is_some()
}

fn page_size(header: &[u8]) -> Option<usize> {
    // 65536 does not fit and is written as 1.
    let said = usize::from(u16::from_be_bytes([*header.get(16)?, *header.get(17)?]));
    let size = if said == 1 { 1 << 16 } else { said };
    (size.is_power_of_two() && size >= 512).then_some(size)
}

#[expect(clippy::unnecessary_wraps, reason = "every format's reader has this shape")]
fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let size = page_size(input.head).unwrap_or(512);
    let mut rows = Rows { pages: input.stream(), page: vec![0; size], text: Vec::new(), given: 0, is_first: true };
    members.plain(b"(rows)", &mut rows);
    Ok(())
}

/// The text of all rows: columns apart by tabs, a row a line.
struct Rows<'r> {
    pages: Box<dyn Read + 'r>,
    page: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    is_first: bool,
}

impl Read for Rows<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            let got = fill(&mut self.pages, &mut self.page)?;
            if got == 0 {
                return Ok(0);
            }
            (self.text, self.given) = (Vec::new(), 0);
            page(&self.page[..got], if self.is_first { HEADER } else { 0 }, &mut self.text);
            self.is_first = false;
        }
        let length = into.len().min(self.text.len() - self.given);
        into[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

/// One page's rows, then what none of them claims.
fn page(bytes: &[u8], start: usize, text: &mut Vec<u8>) {
    let mut claimed: Vec<Range<usize>> = Vec::new();
    let number = |at: usize| bytes.get(at..at + 2).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
    // Leaves of tables and of indexes, inner pages of indexes: others hold no records.
    let kind = bytes.get(start).copied().unwrap_or(0);
    let (pointers, before) = match kind {
        13 | 10 => (start + 8, 0),
        2 => (start + 12, 4),
        _ => (bytes.len(), 0),
    };
    if pointers < bytes.len() {
        for cell in (0..number(start + 3)).map(|n| number(pointers + 2 * n)) {
            if let Some(end) = row(bytes, cell + before, kind == 13, text) {
                claimed.push(cell..end);
            }
        }
    }
    claimed.sort_unstable_by_key(|cell| cell.start);
    let mut at = start;
    for cell in claimed.iter().chain([&(bytes.len()..bytes.len())]) {
        if cell.start > at {
            loose(&bytes[at..cell.start], text);
        }
        at = at.max(cell.end);
    }
}

/// One record, and where it ends. `None` for what is none.
fn row(bytes: &[u8], mut at: usize, has_number: bool, text: &mut Vec<u8>) -> Option<usize> {
    let payload = varint(bytes, &mut at)?;
    if has_number {
        varint(bytes, &mut at)?;
    }
    let end = at.checked_add(usize::try_from(payload).ok()?)?.min(bytes.len());
    let first = at;
    let header = first.checked_add(usize::try_from(varint(bytes, &mut at)?).ok()?)?.min(end);
    let mut value = header;
    while at < header {
        let kind = varint(bytes, &mut at)?;
        let length = match kind {
            0 | 8.. if kind < 12 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => (kind - 12) / 2,
        };
        let next = value.checked_add(usize::try_from(length).ok()?)?.min(end);
        if kind >= 12 {
            // In UTF-16 every other byte of a credential is zero.
            text.extend(bytes.get(value..next)?.iter().filter(|&&byte| byte != 0));
        }
        text.push(b'\t');
        value = next;
    }
    text.push(b'\n');
    Some(value)
}

/// What no row claims, without the zeros that most of it is.
fn loose(bytes: &[u8], text: &mut Vec<u8>) {
    for piece in bytes.split(|&byte| byte == 0).filter(|piece| piece.len() > 5) {
        text.extend_from_slice(piece);
        text.push(b'\n');
    }
}

/// A number of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0u64;
    for count in 1..=9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if count == 9 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 127);
        if byte < 128 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::source::archive::testing::{open, stream};

    #[test]
    fn columns_are_apart_and_deleted_rows_are_there() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = dir.path().join("a.db");
        let db = rusqlite::Connection::open(&path).expect("a database");
        db.execute_batch("create table t (name text, n int, value text); create index i on t (value)").expect("tables");
        for n in 0..300 {
            db.execute("insert into t values (?, ?, ?)", (format!("name{n}"), n, format!("value{n}"))).expect("a row");
        }
        db.execute_batch("delete from t where n = 150").expect("deleted");
        drop(db);
        let bytes = std::fs::read(path).expect("a file");
        for seen in [open("a.db", &bytes), stream("a.db", &bytes)] {
            let seen = seen.expect("a database");
            let text = seen.text("a.db!(rows)");
            assert!(text.contains("\nname7\t\tvalue7\t\n") && text.contains("\nname299\t\tvalue299\t\n"), "{text}");
            assert!(text.contains("value150"), "what is deleted is still in the file");
            assert_eq!(seen.said(), "");
        }
    }
}
