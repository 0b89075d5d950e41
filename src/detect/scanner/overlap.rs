//! One place, one finding: what another finding accounts for is dropped.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::super::REACH;
use super::{Found, Ranked};

/// Drops what a better finding accounts for: an entry of a manifest or a password by its name that holds a known key, what
/// a word farther away vouched for, what was decoded from inside another credential (the signer's key id within a
/// presigned URL), and what stands within a larger one of the same rank (the private key of a service account).
pub(super) fn drop_overlapped(all: &mut Vec<Ranked>) {
    let mut known: Vec<(Range<u64>, usize)> =
        all.iter().enumerate().flat_map(|(n, ranked)| ranked.found.spans().into_iter().map(move |span| (span, n))).collect();
    known.sort_unstable_by_key(|(span, _)| span.start);
    let longest = known.iter().map(|(span, _)| span.end - span.start).max().unwrap_or(0).min(2 * REACH as u64);
    let accounted_for = |n: usize, ranked: &Ranked| {
        ranked.found.spans().iter().enumerate().any(|(part, a)| {
            let first = known.partition_point(|(b, _)| b.start + longest < a.start);
            let mut near = known[first..].iter().take_while(|(b, _)| b.start < a.end);
            near.any(|(b, other)| *other != n && b.end > a.start && beats((&all[*other], b), (ranked, a), part == 0))
        })
    };
    let mut drop: Vec<bool> = all.iter().enumerate().map(|(n, ranked)| accounted_for(n, ranked)).collect();
    drop_repeats(all, &mut drop);
    let mut drop = drop.into_iter();
    all.retain(|_| !drop.next().unwrap_or(false));
}

/// Whether what stands at `b` makes what overlaps it at `a` needless.
fn beats((other, b): (&Ranked, &Range<u64>), (one, a): (&Ranked, &Range<u64>), identifying: bool) -> bool {
    if other.rank != one.rank {
        return other.rank > one.rank;
    }
    let deeper = one.found.depth() > other.found.depth();
    let larger = b.end - b.start > a.end - a.start || other.found.parts() > one.found.parts();
    let inside = identifying && b.start <= a.start && a.end <= b.end && larger;
    deeper || (inside && one.found.depth() == other.found.depth())
}

/// The same place can be reached by two ways, and one of them may see more parts: that one stays.
fn drop_repeats(all: &[Ranked], drop: &mut [bool]) {
    let mut best: HashMap<(&str, Range<u64>), usize> = HashMap::new();
    for ranked in all {
        let Found::Credential(credential) = &ranked.found else { continue };
        let Some(first) = credential.parts.first() else { continue };
        let parts = best.entry((&credential.detector, first.span.clone())).or_default();
        *parts = (*parts).max(credential.parts.len());
    }
    let mut seen: HashSet<(&str, Vec<Range<u64>>)> = HashSet::new();
    for (n, ranked) in all.iter().enumerate() {
        let Found::Credential(credential) = &ranked.found else { continue };
        let Some(first) = credential.parts.first() else { continue };
        let most = best.get(&(&*credential.detector, first.span.clone())).copied().unwrap_or_default();
        drop[n] |= credential.parts.len() < most || !seen.insert((&credential.detector, ranked.found.spans()));
    }
}
