//! Byte offsets → lines and columns.

use std::ops::Range;

use crate::model::Location;

/// Knows where the lines of a buffer begin, as far as it was asked.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    /// Offset of `bytes[0]` in the original.
    offset: u64,
    /// Lines that end before `bytes[0]`.
    before: u64,
    /// Bytes between the last line end before `bytes[0]` and `bytes[0]`.
    lead: u64,
}

impl<'a> Lines<'a> {
    /// For a buffer that is the whole original.
    pub fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, before: 0, lead: 0 }
    }

    /// For a buffer that starts `offset` bytes into its original, after `before` line ends, `lead` bytes into its line.
    pub fn window(bytes: &'a [u8], offset: u64, before: u64, lead: u64) -> Self {
        Self { bytes, offset, before, lead }
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
        let head = &self.bytes[..at];
        let ends = memchr::memchr_iter(b'\n', head).count() as u64;
        let column = match memchr::memrchr(b'\n', head) {
            Some(last) => (at - last) as u64,
            None => self.lead + at as u64 + 1,
        };
        (1 + self.before + ends, column)
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::model::Location;

    #[test]
    fn lines_and_columns_start_at_one() {
        let text = b"ab\ncde\nf";
        let location = Lines::whole(text).locate(&(4..6));
        let expected = Location { line: 2, column: 2, end_line: 2, end_column: 4, byte_start: 4, byte_end: 6 };
        assert_eq!(location, expected);
        let location = Lines::whole(text).locate(&(1..5));
        assert_eq!((location.line, location.column, location.end_line, location.end_column), (1, 2, 2, 3));
    }

    #[test]
    fn a_window_counts_on() {
        let location = Lines::window(b"cd\ne", 100, 7, 2).locate(&(100..102));
        assert_eq!((location.line, location.column, location.end_column), (8, 3, 5));
        let location = Lines::window(b"cd\ne", 100, 7, 2).locate(&(103..104));
        assert_eq!((location.line, location.column), (9, 1));
    }
}
