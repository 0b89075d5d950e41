//! Which lines of a file are new.

use std::ops::RangeInclusive;

use gix::diff::blob::sources::byte_lines;
use gix::diff::blob::{Algorithm, Diff, InternedInput};

/// Larger files are not compared line by line: all of their lines count as new.
const LARGEST: usize = 32 << 20;

/// The lines that a change brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// All: the file is new.
    All,
    /// None: the same content had another name before.
    Nothing,
    /// Those that are `true`, from the first line on.
    Lines(Vec<bool>),
}

impl Added {
    /// The lines of `new` that are not in `old`.
    pub(super) fn between(old: &[u8], new: &[u8]) -> Self {
        if old.len().max(new.len()) > LARGEST {
            return Self::All;
        }
        let input = InternedInput::new(byte_lines(old), byte_lines(new));
        let mut diff = Diff::compute(Algorithm::Histogram, &input);
        // Where a run of equal lines grew, git says which of them are new: so that people see what `git diff` shows.
        diff.postprocess_lines(&input);
        let lines = u32::try_from(input.after.len()).unwrap_or(u32::MAX);
        Self::Lines((0..lines).map(|line| diff.is_added(line)).collect())
    }

    /// Lines that are new to both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::All, other) | (other, Self::All) => other,
            (Self::Lines(mut lines), Self::Lines(others)) => {
                lines.iter_mut().zip(others).for_each(|(line, other)| *line &= other);
                Self::Lines(lines)
            }
        }
    }

    /// Whether any of some lines, counted from 1, is new.
    pub fn touches(&self, lines: RangeInclusive<u64>) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Lines(added) => {
                let at = |line: u64| usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
                let (first, last) = (at(*lines.start()), at(*lines.end()));
                // A place that is on no line is nobody's doing but this change's.
                added.get(first..=last.min(added.len().saturating_sub(1))).is_none_or(|lines| lines.contains(&true))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Added;

    fn lines(old: &str, new: &str) -> Vec<u64> {
        let added = Added::between(old.as_bytes(), new.as_bytes());
        (1..20).filter(|line| *line <= new.lines().count() as u64 && added.touches(*line..=*line)).collect()
    }

    #[test]
    fn only_what_is_new_is_added() {
        assert_eq!(lines("a\nb\nc\n", "a\nb\nc\n"), Vec::<u64>::new());
        assert_eq!(lines("a\nb\nc\n", "a\nx\nc\n"), [2]);
        assert_eq!(lines("a\nb\nc\n", "0\na\nb\nc\nd"), [1, 5]);
        assert_eq!(lines("", "a\nb\n"), [1, 2]);
        assert_eq!(lines("a\nb\nc\n", "b\n"), Vec::<u64>::new());
        assert_eq!(lines("a", "a\n"), [1], "a line end was missing");
    }

    #[test]
    fn a_span_is_new_when_any_of_its_lines_is() {
        let added = Added::between(b"a\nb\nc\nd\n", b"a\nb\nx\nc\nd\n");
        assert!(added.touches(2..=4));
        assert!(!added.touches(1..=2));
        assert!(!added.touches(4..=5));
        assert!(added.touches(9..=9));
        assert!(Added::All.touches(1..=1));
        assert!(!Added::Nothing.touches(1..=1));
    }

    #[test]
    fn of_several_versions_before_each_must_lack_the_line() {
        let new = b"a\nb\nc\n";
        let both = Added::between(b"a\n", new).and(Added::between(b"b\n", new));
        assert_eq!([1, 2, 3].map(|line| both.touches(line..=line)), [false, false, true]);
        assert_eq!(both.clone().and(Added::All), both);
        assert_eq!(both.and(Added::Nothing), Added::Nothing);
    }
}
