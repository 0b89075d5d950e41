//! Which lines of a file are new.

use std::ops::RangeInclusive;

use gix::diff::blob::sources::byte_lines;
use gix::diff::blob::{Algorithm, Diff, InternedInput, Token};

/// Larger files are not compared line by line: all of their lines count as new.
const LARGEST: usize = 32 << 20;
/// Where more lines than this differ, they are counted and not compared in order: to compare them would take time by the square.
const MOST: usize = 2000;

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
        let (before, after, same) = differing(&input.before, &input.after);
        if before.len().max(after.len()) > MOST {
            let middle = counted(before, after, input.interner.num_tokens());
            let head = std::iter::repeat_n(false, same);
            let tail = std::iter::repeat_n(false, input.after.len() - same - after.len());
            return Self::Lines(head.chain(middle).chain(tail).collect());
        }
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

/// What is left of two files without the lines that both begin and end with, and how many they begin with.
fn differing<'t>(old: &'t [Token], new: &'t [Token]) -> (&'t [Token], &'t [Token], usize) {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    (&old[..old.len() - tail], &new[..new.len() - tail], head)
}

/// Of each new line, whether there are more of its kind up to there than all old ones. A line that only moved is none.
fn counted(old: &[Token], new: &[Token], kinds: u32) -> Vec<bool> {
    let mut left = vec![0u32; kinds as usize];
    for line in old {
        left[line.0 as usize] += 1;
    }
    let mut is_new = |line: &Token| {
        let left = &mut left[line.0 as usize];
        let known = *left > 0;
        *left = left.saturating_sub(1);
        !known
    };
    new.iter().map(&mut is_new).collect()
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
    fn many_changes_are_told_without_comparing_each_with_each() {
        // Every second line is gone: a hundred times a hundred thousand comparisons, were they made one with another.
        let old: Vec<String> = (0..200_000).map(|n| format!("{n}\n")).collect();
        let mut new: Vec<String> = (0..200_000).step_by(2).map(|n| format!("{n}\n")).collect();
        new.insert(77, "x\n".to_owned());
        new.insert(99, "4\n".to_owned());
        new.push("y".to_owned());
        let added = Added::between(old.concat().as_bytes(), new.concat().as_bytes());
        let Added::Lines(lines) = added else { panic!("{added:?}") };
        assert_eq!(lines.len(), 100_003);
        let at: Vec<usize> = lines.iter().enumerate().filter(|(_, is)| **is).map(|(at, _)| at).collect();
        assert_eq!(at, [77, 99, 100_002], "of a line that was there once, the second is new");
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
