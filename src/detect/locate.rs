//! Byte offsets → lines and columns.

use std::cell::OnceCell;
use std::ops::Range;

use crate::model::{Blob, Location};

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
        let at =
            |offset: u64| usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX).min(self.bytes.len());
        let (line, column) = self.position(at(span.start));
        let (end_line, end_column) = self.position(at(span.end.saturating_sub(1).max(span.start)));
        let past = u64::from(span.end > span.start);
        let end_column = end_column + past;
        Location { line, column, end_line, end_column, byte_start: span.start, byte_end: span.end }
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

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::model::{Blob, Location};

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
}
