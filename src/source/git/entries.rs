//! The entries of one version of a folder: where they end, and what of them another version has too.

use std::cmp::Ordering;

use gix::hash::oid;

use super::delta::Copied;

/// A version of a folder: its bytes, and where its entries end.
pub(super) type Version<'v> = (&'v [u8], &'v [u32]);

/// Where the entries of a tree end, from one that begins at `start` up to `until`; and where the last one ended.
pub(super) fn ends(bytes: &[u8], start: usize, until: usize, hash: usize) -> (Vec<u32>, usize) {
    let (mut all, mut at) = (Vec::new(), start);
    while at < until {
        let Some(zero) = memchr::memchr(0, &bytes[at..]) else { break };
        let end = at + zero + 1 + hash;
        if end > bytes.len() {
            break;
        }
        all.push(end as u32);
        at = end;
    }
    (all, at)
}

/// The ends of a tree that was made from another: those of the other, but for the middle between the bytes at either end that are
/// the same.
pub(super) fn grown(bytes: &[u8], (old, old_ends): Version<'_>, (head, tail): (usize, usize), hash: usize) -> Vec<u32> {
    let kept = old_ends.partition_point(|&end| end as usize <= head);
    let mut all = old_ends[..kept].to_vec();
    let start = all.last().map_or(0, |&end| end as usize);
    // The first entry that begins in the common end.
    let next = old_ends.partition_point(|&end| (end as usize) < old.len() - tail);
    let join = old_ends.get(next).map(|&end| end as usize + bytes.len() - old.len());
    let (middle, reached) = ends(bytes, start, join.unwrap_or(bytes.len()), hash);
    all.extend(middle);
    if Some(reached) == join {
        let moved = |&end: &u32| (end as usize + bytes.len() - old.len()) as u32;
        all.extend(old_ends[next + 1..].iter().map(moved));
    } else if join.is_some() {
        all.extend(ends(bytes, reached, bytes.len(), hash).0);
    }
    all
}

/// How many bytes two versions begin with that are the same, and how many of the rest they end with. What was copied is known to
/// be; it need not end where the two begin to differ.
pub(super) fn ends_alike(old: &[u8], new: &[u8], copies: &[Copied]) -> (usize, usize) {
    let first = copies.first().filter(|copy| (copy.from, copy.to) == (0, 0)).map_or(0, |copy| copy.length as usize);
    let head = first + common(&old[first..], &new[first..]);
    let is_last =
        |copy: &&Copied| (copy.from + copy.length) as usize == old.len() && (copy.to + copy.length) as usize == new.len();
    let last = copies.last().filter(is_last).map_or(0, |copy| copy.length as usize);
    let last = last.min(old.len() - head).min(new.len() - head);
    (head, last + common_end(&old[head..old.len() - last], &new[head..new.len() - last]))
}

fn common(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let steps = a.chunks_exact(STEP).zip(b.chunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    steps + a[steps..].iter().zip(&b[steps..]).take_while(|(a, b)| a == b).count()
}

fn common_end(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let steps = a.rchunks_exact(STEP).zip(b.rchunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    let (a, b) = (&a[..a.len() - steps], &b[..b.len() - steps]);
    steps + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// An entry's mode, name and object.
pub(super) fn split_entry(entry: &[u8]) -> Option<(&[u8], &[u8], &oid)> {
    let space = memchr::memchr(b' ', entry)?;
    let zero = space + memchr::memchr(0, &entry[space..])?;
    let id = entry.get(zero + 1..)?;
    Some((&entry[..space], &entry[space + 1..zero], oid::try_from_bytes(id).ok()?))
}

/// All entries of a tree.
pub(super) fn entries(bytes: &[u8], hash: usize) -> impl Iterator<Item = (&[u8], &[u8], &oid)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let zero = memchr::memchr(0, bytes.get(at..)?)?;
        let entry = bytes.get(at..at + zero + 1 + hash)?;
        at += entry.len();
        split_entry(entry)
    })
}

/// Git's order of entries: by the name, that of a folder with a slash behind it.
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    let name = |entry| split_entry(entry).map_or((&[][..], false), |(mode, name, _)| (name, mode.starts_with(b"4")));
    let ((a, a_is_folder), (b, b_is_folder)) = (name(a), name(b));
    let same = a.len().min(b.len());
    let rest = |name: &[u8], is_folder: bool| name.get(same).copied().or(is_folder.then_some(b'/'));
    a[..same].cmp(&b[..same]).then_with(|| rest(a, a_is_folder).cmp(&rest(b, b_is_folder)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop, proptest};

    use super::super::delta::Copied;
    use super::{ends, ends_alike, grown, order};

    /// Entries by the number of their name, each with one of a few objects.
    fn folder() -> impl Strategy<Value = Vec<u8>> {
        let entries = prop::collection::btree_map(0u8..40, 0u8..3, 0..30);
        entries.prop_map(|all| all.into_iter().flat_map(|(name, object)| tree(name, object)).collect())
    }

    fn tree(name: u8, object: u8) -> Vec<u8> {
        [format!("100644 f{name:02}").as_bytes(), &[0], &[object; 20]].concat()
    }

    #[test]
    fn a_folder_stands_where_its_name_with_a_slash_would() {
        let entry = |mode: &str, name: &str| [format!("{mode} {name}").as_bytes(), &[0], &[1; 20]].concat();
        let all = [("100644", "a"), ("100644", "a.c"), ("40000", "a"), ("100644", "a0"), ("40000", "ab"), ("100644", "abc")];
        for (n, (mode, name)) in all.iter().enumerate() {
            for (m, (other_mode, other)) in all.iter().enumerate() {
                assert_eq!(order(&entry(mode, name), &entry(other_mode, other)), n.cmp(&m), "{name} {other}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_version_ends_where_its_entries_do(old in folder(), new in folder(), cut in 0usize..2000, is_end in proptest::bool::ANY) {
            // What a delta says was copied, of one end or the other, however little.
            let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
            let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
            let copy = if is_end {
                let length = cut.min(tail);
                Copied { from: (old.len() - length) as u32, to: (new.len() - length) as u32, length: length as u32 }
            } else {
                Copied { from: 0, to: 0, length: cut.min(same) as u32 }
            };
            let alike = ends_alike(&old, &new, &[copy]);
            proptest::prop_assert_eq!(alike.0, same);
            proptest::prop_assert_eq!(alike.1, tail.min(old.len() - same).min(new.len() - same));
            let (old_ends, _) = ends(&old, 0, old.len(), 20);
            let (all, _) = ends(&new, 0, new.len(), 20);
            proptest::prop_assert_eq!(grown(&new, (&old, &old_ends), alike, 20), all);
        }
    }
}
