//! One place, one finding: what another finding accounts for is dropped.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::super::REACH;
use super::{Found, Ranked, rank};
use crate::model::Credential;

/// Drops what a better finding accounts for: an entry of a manifest or a password by its name that holds a known key, what
/// a word farther away vouched for, what was decoded from inside another credential (the signer's key id within a
/// presigned URL), and what stands within a larger one of the same rank (the private key of a service account).
pub(super) fn drop_overlapped(all: &mut Vec<Ranked>) {
    let mut known: Vec<Place> = all.iter().enumerate().flat_map(|(of, ranked)| places(of, ranked)).collect();
    known.sort_unstable_by_key(|place| place.span.start);
    let longest = known.iter().map(|place| place.span.end - place.span.start).max().unwrap_or(0).min(2 * REACH as u64);
    let accounted_for = |of: usize, ranked: &Ranked| {
        places(of, ranked).enumerate().filter(|(_, place)| place.own).any(|(part, a)| {
            let first = known.partition_point(|b| b.span.start + longest < a.span.start);
            let mut near = known[first..].iter().take_while(|b| b.span.start < a.span.end);
            near.any(|b| b.of != of && b.span.end > a.span.start && beats((&all[b.of], b), (ranked, &a.span), part == 0))
        })
    };
    let mut drop: Vec<bool> = all.iter().enumerate().map(|(n, ranked)| accounted_for(n, ranked)).collect();
    drop_repeats(all, &mut drop);
    let mut drop = drop.into_iter();
    all.retain(|_| !drop.next().unwrap_or(false));
}

/// A place of something found.
struct Place {
    span: Range<u64>,
    /// Which one.
    of: usize,
    /// Whether it is the identifying part's or a secret's, and not that of a host or an id beside it.
    own: bool,
}

fn places(of: usize, ranked: &Ranked) -> impl Iterator<Item = Place> {
    let places: Vec<Place> = match &ranked.found {
        Found::Credential(credential) => {
            let parts = credential.parts.iter().enumerate();
            parts.map(|(n, part)| Place { span: part.span.clone(), of, own: n == 0 || !part.public }).collect()
        }
        Found::Suppressed { span, .. } => vec![Place { span: span.clone(), of, own: true }],
    };
    places.into_iter()
}

/// Whether what stands at `b` makes what overlaps it at `a` needless.
fn beats((other, place): (&Ranked, &Place), (one, a): (&Ranked, &Range<u64>), identifying: bool) -> bool {
    // The id beside one key may be another's own; but it is nobody's password.
    if !place.own && one.rank > rank::GENERIC {
        return false;
    }
    if is_web_token(one) && other.found.depth() > one.found.depth() {
        return false;
    }
    if other.rank != one.rank {
        return other.rank > one.rank;
    }
    // The same key with fewer of its parts: `drop_repeats` keeps the one that has more.
    if is_fuller(one, other) {
        return false;
    }
    let b = &place.span;
    let holds = |outer: &Range<u64>, inner: &Range<u64>| outer.start <= inner.start && inner.end <= outer.end;
    let (depth, depth_b) = (one.found.depth(), other.found.depth());
    // What is known of one piece of a value says nothing of the value.
    let deeper = depth > depth_b && !is_web_token(other) && (holds(b, a) || !holds(a, b));
    let piece = identifying && depth < depth_b && one.found.detector() == other.found.detector() && holds(b, a) && b != a;
    let larger = b.end - b.start > a.end - a.start || other.found.parts() > one.found.parts();
    deeper || piece || (identifying && depth == depth_b && holds(b, a) && larger)
}

/// A web token speaks for itself, and what its claims carry is another's.
fn is_web_token(ranked: &Ranked) -> bool {
    matches!(&ranked.found, Found::Credential(credential) if credential.facts.contains_key("algorithm"))
}

/// Whether `one` is the same key as `other`, with more parts: its secret was in two pieces, its id was not.
fn is_fuller(one: &Ranked, other: &Ranked) -> bool {
    let (Found::Credential(one), Found::Credential(other)) = (&one.found, &other.found) else { return false };
    let first = |credential: &Credential| credential.parts.first().map(|part| part.span.clone());
    one.detector == other.detector && first(one) == first(other) && one.parts.len() > other.parts.len()
}

/// The same place can be reached by two ways, and one of them may see more parts: that one stays.
fn drop_repeats(all: &[Ranked], drop: &mut [bool]) {
    let mut best: HashMap<(&str, Range<u64>), usize> = HashMap::new();
    for (ranked, _) in all.iter().zip(&*drop).filter(|(_, drop)| !**drop) {
        let Found::Credential(credential) = &ranked.found else { continue };
        let Some(first) = credential.parts.first() else { continue };
        let parts = best.entry((&credential.detector, first.span.clone())).or_default();
        *parts = (*parts).max(credential.parts.len());
    }
    let mut seen: HashSet<(&str, Vec<Range<u64>>)> = HashSet::new();
    for (n, ranked) in all.iter().enumerate() {
        let Found::Credential(credential) = &ranked.found else { continue };
        // What is dropped already must not stand for what stays.
        let Some(first) = credential.parts.first().filter(|_| !drop[n]) else { continue };
        let most = best.get(&(&*credential.detector, first.span.clone())).copied().unwrap_or_default();
        drop[n] |= credential.parts.len() < most || !seen.insert((&credential.detector, ranked.found.spans()));
    }
}
