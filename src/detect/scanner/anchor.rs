//! From a hit of the prefilter to an anchor: the match, what it is worth, and its other parts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::super::assemble::{self, Candidate};
use super::super::checks::{Check, Verdict};
use super::super::compiled::Entry;
use super::super::entropy::shannon;
use super::super::spec::{Lead, PartRule};
use super::super::suppress;
use super::view::View;
use super::{Found, Ranked, Scanner, rank};
use crate::model::{Confidence, Credential, Facts, Part};
use crate::secret::Secret;

/// A match of an anchor's pattern.
pub(super) struct Matched {
    /// All of it.
    pub(super) whole: Range<usize>,
    /// The anchor's value.
    pub(super) value: Range<usize>,
    /// The other parts that are named groups: index of the part, place.
    groups: Vec<(usize, Range<usize>)>,
}

/// What was decided about an anchor.
pub(super) struct Anchor<'v> {
    value: Cow<'v, [u8]>,
    facts: Facts,
    doubtful: bool,
}

/// The anchor's match that holds the literal at `hit`.
pub(super) fn matched(entry: &Entry, bytes: &[u8], hit: &Range<usize>) -> Option<Matched> {
    let rule = entry.rule(0);
    let longest = *rule.length.end();
    if !has_room(rule, bytes, hit) {
        return None;
    }
    let regex = entry.regex(0)?;
    let whole = if matches!(rule.lead, Lead::Literals { first: true, .. }) {
        let end = bytes.len().min(hit.start + longest);
        let head = hit.start + regex.find(&bytes[hit.start..end])?.end();
        let tail = entry.until().map(|until| until.find(&bytes[head..end]).map_or(end, |found| head + found.end()));
        hit.start..tail.unwrap_or(head)
    } else {
        let floor = hit.end.saturating_sub(longest);
        let ceiling = bytes.len().min(hit.start + longest);
        let holds = |found: regex::bytes::Match<'_>| {
            let span = floor + found.start()..floor + found.end();
            (span.start <= hit.start && span.end >= hit.end).then_some(span)
        };
        regex.find_iter(&bytes[floor..ceiling]).find_map(holds)?
    };
    grouped(entry, bytes, whole)
}

/// Whether enough bytes that a match can be made of stand around the literal. An expression need not be compiled, nor run,
/// for a prefix in the middle of a sentence.
fn has_room(rule: &PartRule, bytes: &[u8], hit: &Range<usize>) -> bool {
    let least = *rule.length.start();
    let fits = |byte: &&u8| rule.bytes.contains(**byte);
    let on = bytes[hit.start..].iter().take(least).take_while(fits).count();
    if on >= least || matches!(rule.lead, Lead::Literals { first: true, .. }) {
        return on >= least;
    }
    on + bytes[..hit.start].iter().rev().take(least - on).take_while(fits).count() >= least
}

/// Takes a match apart into its named groups.
pub(super) fn grouped(entry: &Entry, bytes: &[u8], whole: Range<usize>) -> Option<Matched> {
    if !entry.rule(0).groups {
        return Some(Matched { value: whole.clone(), whole, groups: Vec::new() });
    }
    let captures = entry.regex(0)?.captures(&bytes[whole.clone()])?;
    let place = |name: &str| captures.name(name).map(|group| whole.start + group.start()..whole.start + group.end());
    let parts = &entry.detector().parts;
    let groups = parts.iter().enumerate().skip(1).filter(|(n, _)| entry.rule(*n).group);
    let groups = groups.filter_map(|(n, part)| Some((n, place(&part.name)?))).collect();
    Some(Matched { value: place(&parts[0].name).unwrap_or_else(|| whole.clone()), whole, groups })
}

/// Why an anchor that matched is none.
pub(super) enum Aside {
    /// Nobody else need look at the place.
    Settled(&'static str),
    /// Some other detector may know it.
    Open(&'static str),
}

/// Whether an anchor that matched is what it looks like.
pub(super) fn judge<'v>(entry: &Entry, bytes: &'v [u8], span: Range<usize>) -> Result<Anchor<'v>, Aside> {
    let rule = entry.rule(0);
    let value = &bytes[span];
    if let Some(reason) = suppress::reason(value).filter(|_| !rule.check.is_some_and(Check::reads_all)) {
        return Err(Aside::Settled(reason));
    }
    if shannon(value) < rule.min_entropy {
        return Err(Aside::Settled("not random enough"));
    }
    if entry.rejects(0, value) {
        return Err(Aside::Open("has the shape of something else"));
    }
    let plain = Cow::Borrowed(value);
    match rule.check.map(|check| check.run(value)) {
        None => Ok(Anchor { value: plain, facts: Facts::new(), doubtful: false }),
        Some(Verdict::Holds(facts, canonical)) => {
            Ok(Anchor { value: canonical.map_or(plain, Into::into), facts, doubtful: false })
        }
        Some(Verdict::Doubtful(facts)) => Ok(Anchor { value: plain, facts, doubtful: true }),
        Some(Verdict::Fails(reason)) => Err(Aside::Settled(reason)),
        Some(Verdict::Another) => Err(Aside::Open("a credential of another kind")),
    }
}

pub(super) fn part(entry: &Entry, number: usize, value: Secret, span: Range<u64>) -> Part {
    let spec = &entry.detector().parts[number];
    Part { name: Arc::clone(&spec.name), value, public: spec.public, redaction: spec.redaction, span }
}

/// Whether a token names a real issuer and has not expired long ago. Those that are made for tests have neither, or never
/// expire.
fn speaks_for_itself(facts: &Facts) -> bool {
    // When this was written, and what no service grants from then on.
    const SPAN: std::ops::Range<&str> = "2026".."2036";
    let made_up = ["localhost", "example", ".test", ".local", "127.0.0.1"];
    let real = |issuer: &str| issuer.starts_with("https://") && !made_up.iter().any(|word| issuer.contains(word));
    facts.get("expires").is_some_and(|at| SPAN.contains(&at.as_str()))
        && facts.get("issuer").is_some_and(|issuer| real(issuer))
}

/// How an anchor was come by.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) rank: u32,
    /// No surer than this.
    pub(super) most: Confidence,
    /// So many anchors stand around that none gets other parts.
    pub(super) crowded: bool,
}

impl Scanner<'_> {
    /// Judges a match, adds the other parts and pushes the credential, once for each rival of the first companion.
    pub(super) fn complete(&mut self, view: &View<'_>, entry: &Entry, matched: &Matched, how: How) {
        let anchor = match judge(entry, view.bytes, matched.value.clone()) {
            Ok(anchor) => anchor,
            Err(Aside::Settled(reason)) => return self.put_aside(view, entry, &matched.value, (reason, how.rank)),
            Err(Aside::Open(reason)) => return self.put_aside(view, entry, &matched.value, (reason, rank::NOTHING)),
        };
        let parts = &entry.detector().parts;
        let companions: Vec<Vec<Candidate>> =
            (1..parts.len()).map(|n| companion(view.bytes, entry, n, (matched, how.crowded))).collect();
        let rivals = companions.first().map_or(1, |first| first.len().max(1));
        let missing = (1..parts.len()).any(|part| parts[part].required && companions[part - 1].is_empty());
        let most = if speaks_for_itself(&anchor.facts) { Confidence::High } else { how.most };
        let mut confidence = entry.detector().confidence.min(most);
        if missing || anchor.doubtful {
            confidence = confidence.min(Confidence::Medium);
        }
        for rival in 0..rivals {
            let mut credential = Credential {
                detector: Arc::clone(&entry.detector().id),
                parts: vec![part(entry, 0, Secret::new(&anchor.value), view.map.span(&matched.value))],
                facts: anchor.facts.clone(),
                confidence,
                partial: missing,
                encoding: view.encoding.clone(),
            };
            for (n, candidates) in companions.iter().enumerate() {
                let chosen = candidates.get(if n == 0 { rival } else { 0 });
                credential.parts.extend(chosen.map(|chosen| {
                    let value = Secret::new(&view.bytes[chosen.span.clone()]);
                    part(entry, n + 1, value, view.map.span(&chosen.span))
                }));
            }
            self.found.push(Ranked { found: Found::Credential(credential), rank: how.rank });
        }
    }

    pub(super) fn put_aside(
        &mut self,
        view: &View<'_>,
        entry: &Entry,
        span: &Range<usize>,
        (reason, rank): (&'static str, u32),
    ) {
        let detector = Arc::clone(&entry.detector().id);
        let found = Found::Suppressed { detector, reason, span: view.map.span(span) };
        self.found.push(Ranked { found, rank });
    }
}

/// The places that may hold part number `n`.
fn companion(bytes: &[u8], entry: &Entry, n: usize, (matched, crowded): (&Matched, bool)) -> Vec<Candidate> {
    if entry.rule(n).group {
        let own = matched.groups.iter().filter(|(part, place)| *part == n && !place.is_empty());
        return own.map(|(_, place)| Candidate::sure(place.clone())).collect();
    }
    if crowded { Vec::new() } else { assemble::candidates(bytes, entry, n, &matched.value) }
}
