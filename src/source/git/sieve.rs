//! Where a new version of a file must be looked at, and what is known of the rest from the version it is made from.
//!
//! Whether there is anything to decide about at a place depends on nothing farther away than is near. So a place in copied
//! bytes, that far from either end of the copy, has something in both versions or in neither. Elsewhere the new version is
//! scanned. What is decided depends on nothing farther from the anchor than the reach, and the anchor may stand a reach from
//! the value that is reported: where an edit is within both, what was known of a place is worked out again.

use std::ops::Range;

use super::delta::Copied;
use super::reader::Sift;
use crate::model::Clue;

/// Something that may be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) start: u32,
    pub(super) end: u32,
    /// The same in all versions that inherit it.
    pub(super) group: u32,
    /// It is one; else bytes farther away could make it one.
    pub(super) is_found: bool,
}

/// How far decisions look, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// To know whether there is anything to decide about.
    pub near: usize,
    /// To decide about it.
    pub far: usize,
}

/// What to do about a version.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Where anchors may begin that are not known, in ascending order.
    pub(super) scan: Vec<Range<usize>>,
    /// What is known, by place.
    pub(super) known: Vec<Hit>,
}

/// Plans for a version of `length` bytes made from one of `base` bytes with `hits`.
pub(super) fn plan(copies: &[Copied], (base, length): (usize, usize), hits: &[Hit], reach: Reach) -> Plan {
    let mut plan = Plan::default();
    let mut scanned = 0;
    let mut again = Vec::new();
    for copy in copies {
        let (from, to, size) = (copy.from as usize, copy.to as usize, copy.length as usize);
        // Where both files begin or end, nothing is missing on that side.
        let left = if from == 0 && to == 0 { 0 } else { reach.near };
        let right = if from + size == base && to + size == length { 0 } else { reach.near };
        if size > left + right {
            if scanned < to + left {
                plan.scan.push(scanned..to + left);
            }
            scanned = to + size - right;
        }
        let first = hits.partition_point(|hit| (hit.start as usize) < from);
        for hit in hits[first..].iter().take_while(|hit| (hit.start as usize) < from + size) {
            let start = hit.start as usize;
            let moved = (start - from + to) as u32;
            // What clues to others, as a manifest does to its entries, stands up to twice the reach from them.
            let far = if hit.is_found { 2 * reach.far } else { 4 * reach.far };
            let clear = |margin: usize, distance: usize| margin == 0 || distance >= far;
            if clear(left, start - from) && clear(right, from + size - start) && hit.end as usize <= from + size {
                let end = moved + (hit.end - hit.start);
                plan.known.push(Hit { start: moved, end, ..*hit });
            } else {
                again.push((moved as usize).saturating_sub(reach.near)..(moved as usize + reach.near).min(length));
            }
        }
    }
    if scanned < length {
        plan.scan.push(scanned..length);
    }
    if !again.is_empty() {
        plan.scan.append(&mut again);
    }
    plan.scan = merged(std::mem::take(&mut plan.scan), 2 * reach.near);
    plan.known.sort_unstable();
    plan
}

/// What may lead to something in a version, from what does in the one it is made from, in ascending order: what was copied
/// whole, and what is found where copies end.
pub(super) fn clues(base: &[Clue], copies: &[Copied], bytes: &[u8], sift: &dyn Sift, all: &mut Vec<Clue>) {
    let reach = sift.longest_clue().saturating_sub(1);
    let mut found = Vec::new();
    let mut look = |(start, end): (usize, usize)| {
        let before = found.len();
        sift.clues(bytes, start.saturating_sub(reach)..(end + reach).min(bytes.len()), &mut found);
        found[before..].sort_unstable();
    };
    let mut kept = Vec::with_capacity(base.len());
    // Between two copies, and across their ends: what is so near each other is looked at once.
    let (mut cut, mut done) = ((0, 0), 0);
    let (mut first, mut passed) = (0, 0);
    for (from, to, length) in copies.iter().map(|copy| (copy.from, copy.to, copy.length)) {
        let gap = (done, to as usize);
        if gap.0 > cut.1 + 2 * reach {
            look(cut);
            cut = gap;
        }
        cut.1 = gap.1;
        done = (to + length) as usize;
        // Most copies go on behind the last one.
        first = if from < passed { 0 } else { first };
        first += before(&base[first..], |clue| clue.at < from);
        passed = from;
        let inside =
            base[first..].iter().take_while(|clue| clue.at < from + length).filter(|clue| clue.end <= from + length);
        kept.extend(inside.map(|clue| Clue { at: clue.at - from + to, end: clue.end - from + to, ..*clue }));
    }
    if done > cut.1 + 2 * reach {
        look(cut);
        cut.0 = done;
    }
    look((cut.0, bytes.len()));
    merge(&kept, &found, all);
}

/// Adds what is in either of two lists in ascending order, once. Of `found` there is little.
fn merge(mut kept: &[Clue], found: &[Clue], all: &mut Vec<Clue>) {
    all.reserve(kept.len() + found.len());
    for one in found {
        let (smaller, rest) = kept.split_at(before(kept, |clue| clue < one));
        all.extend_from_slice(smaller);
        all.push(*one);
        kept = rest.strip_prefix(&[*one]).unwrap_or(rest);
    }
    all.extend_from_slice(kept);
}

/// How many of `clues`, which are in order, come before something that is likely to be near.
fn before(clues: &[Clue], is_before: impl Fn(&Clue) -> bool) -> usize {
    let (mut low, mut step) = (0, 1);
    while clues.get(low + step - 1).is_some_and(&is_before) {
        low += step;
        step *= 2;
    }
    let high = clues.len().min(low + step - 1);
    low + clues[low..high].partition_point(is_before)
}

/// The clues that begin in `places`.
pub(super) fn within(clues: &[Clue], places: Range<usize>) -> &[Clue] {
    let place = |at: usize| clues.partition_point(|clue| (clue.at as usize) < at);
    &clues[place(places.start)..place(places.end)]
}

/// Joins ranges that are so near each other that their margins meet.
fn merged(mut ranges: Vec<Range<usize>>, gap: usize) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if last.end + gap >= range.start => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// A file that holds one value alone is known by all of it, and is smaller.
const SMALL: usize = 1024;

/// Whether a file must be looked at whole, since windows do not see what it is: UTF-16, or a program, in which texts of two bytes a
/// character stand anywhere, or one so small that it may be a value and nothing else. As git does, whatever has a zero in its
/// first 8000 bytes is taken for a program.
pub(super) fn is_special(bytes: &[u8]) -> bool {
    if bytes.len() <= SMALL {
        return true;
    }
    let head = &bytes[..bytes.len().min(8000)];
    memchr::memchr(0, head).is_some() || head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])
}

#[cfg(test)]
mod tests {
    use super::{Copied, Hit, Reach, plan};

    #[test]
    fn only_what_changed_is_scanned() {
        let hit = |start, group| Hit { start, end: start + 10, group, is_found: true };
        // Ten bytes inserted at 1000 of 2000; reach 100.
        let copies = [Copied { from: 0, to: 0, length: 1000 }, Copied { from: 1000, to: 1010, length: 1000 }];
        let hits = [hit(5, 1), hit(790, 2), hit(850, 3), hit(1250, 4)];
        let plan = plan(&copies, (2000, 2010), &hits, Reach { near: 100, far: 100 });
        assert_eq!(plan.known, [hit(5, 1), hit(790, 2), hit(1260, 4)]);
        // The third may hang on an anchor that stands nearer to the edit.
        assert_eq!(plan.scan, vec![750..1110]);
    }

    #[test]
    fn a_copy_that_ends_elsewhere_is_no_end() {
        let copies = [Copied { from: 500, to: 0, length: 1000 }];
        let plan = plan(&copies, (2000, 1000), &[], Reach { near: 100, far: 100 });
        assert_eq!(plan.scan, [0..100, 900..1000].map(|range| range));
    }
}
