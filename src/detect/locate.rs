//! Byte offsets → lines and columns.

use std::cell::OnceCell;
use std::ops::Range;

use crate::model::{Blob, Columns, Location};

/// Knows where the lines of a buffer begin, as far as it was asked.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    offset: u64,
    before: u64,
    lead: u64,
    /// Where lines end, found once and only when something is to be located.
    ends: OnceCell<Vec<usize>>,
}

impl<'a> Lines<'a> {
    /// The lines of a blob.
    pub fn of(blob: &Blob<'a>) -> Self {
        Self { bytes: blob.bytes, offset: blob.offset, before: blob.lines_before, lead: blob.lead, ends: OnceCell::new() }
    }

    /// Where a span of the original stands. Both ends must lie in the buffer; what does not is counted to its edge.
    pub fn locate(&self, span: &Range<u64>) -> Location {
        let (line, column) = self.position(self.at(span.start));
        let (end_line, end_column) = self.position(self.at(span.end.saturating_sub(1).max(span.start)));
        let past = u64::from(span.end > span.start);
        let end_column = end_column + past;
        Location { line, column, end_line, end_column, byte_start: span.start, byte_end: span.end }
    }

    /// The columns of a span in UTF-16 code units, or `None` where they are those in bytes. Of a line that begins before
    /// the buffer, what is not in it counts as one unit a byte.
    pub fn utf16(&self, span: &Range<u64>) -> Option<Columns> {
        let (start, end) = (self.at(span.start), self.at(span.end).max(self.at(span.start)));
        let fewer = |to: usize| {
            let line = memchr::memrchr(b'\n', &self.bytes[..to]).map_or(0, |newline| newline + 1);
            let text = &self.bytes[line..to];
            if text.is_ascii() { 0 } else { (text.len() - utf16_units(text)) as u64 }
        };
        let location = self.locate(span);
        // The end belongs to the line of the last byte, even where that byte is a line end.
        let last = if end > start { end - 1 } else { start };
        let wide = if self.bytes.get(last) == Some(&b'\n') { last } else { end };
        let (before, within) = (fewer(start), fewer(wide));
        (before > 0 || within > 0)
            .then(|| Columns { column: location.column - before, end_column: location.end_column - within })
    }

    /// Where an offset of the original stands in the buffer.
    fn at(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX).min(self.bytes.len())
    }

    fn position(&self, at: usize) -> (u64, u64) {
        let ends = self.ends.get_or_init(|| memchr::memchr_iter(b'\n', self.bytes).collect());
        let above = ends.partition_point(|&end| end < at);
        let column = match above.checked_sub(1) {
            Some(last) => (at - ends[last]) as u64,
            None => self.lead + at as u64 + 1,
        };
        (1 + self.before + above as u64, column)
    }
}

/// UTF-16 code units of a text. What is not UTF-8 counts one a byte: whoever shows it has to show something for each.
fn utf16_units(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().map(char::len_utf16).sum::<usize>() + chunk.invalid().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::model::{Blob, Columns, Location};

    #[test]
    fn lines_and_columns_start_at_one() {
        let text = b"ab\ncde\nf";
        let location = Lines::of(&Blob::whole("x", text)).locate(&(4..6));
        let expected = Location { line: 2, column: 2, end_line: 2, end_column: 4, byte_start: 4, byte_end: 6 };
        assert_eq!(location, expected);
        let location = Lines::of(&Blob::whole("x", text)).locate(&(1..5));
        assert_eq!((location.line, location.column, location.end_line, location.end_column), (1, 2, 2, 3));
    }

    #[test]
    fn a_window_counts_on() {
        let blob = Blob { offset: 100, lines_before: 7, lead: 2, ..Blob::whole("x", b"cd\ne") };
        let location = Lines::of(&blob).locate(&(100..102));
        assert_eq!((location.line, location.column, location.end_column), (8, 3, 5));
        let location = Lines::of(&blob).locate(&(103..104));
        assert_eq!((location.line, location.column), (9, 1));
    }
    #[test]
    fn columns_in_utf16_are_said_only_where_they_differ() {
        let columns = |text: &str, value: &str| {
            let start = text.find(value).expect("there") as u64;
            Lines::of(&Blob::whole("x", text.as_bytes())).utf16(&(start..start + value.len() as u64))
        };
        assert_eq!(columns("ü = 1\nkey = abc", "abc"), None);
        // Two bytes are one unit; four bytes are two.
        assert_eq!(columns("\nclé = abc # é", "abc"), Some(Columns { column: 7, end_column: 10 }));
        assert_eq!(columns("🔑 abc", "abc"), Some(Columns { column: 4, end_column: 7 }));
        assert_eq!(columns("x ab🔑c", "ab🔑c"), Some(Columns { column: 3, end_column: 8 }));
        let bytes = b"\xff\xfe abc";
        assert_eq!(Lines::of(&Blob::whole("x", bytes)).utf16(&(3..6)), None);
    }

    #[test]
    fn an_end_in_the_next_line_counts_from_that_line() {
        let text = "é ab\nç cd".as_bytes();
        let lines = Lines::of(&Blob::whole("x", text));
        let location = lines.locate(&(3..11));
        assert_eq!((location.line, location.column, location.end_line, location.end_column), (1, 4, 2, 6));
        assert_eq!(lines.utf16(&(3..11)), Some(Columns { column: 3, end_column: 5 }));
    }
}
