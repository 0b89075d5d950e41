//! A worker: one per thread, borrowing the shared set.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::assemble::{self, Candidate};
use super::checks::Verdict;
use super::compiled::{DetectorSet, Entry};
use super::entropy::shannon;
use super::prefilter::Target;
use super::spec::Extract;
use super::{decode, kubernetes, suppress};
use crate::model::{Blob, Confidence, Credential, Encoding, Facts, Part};
use crate::secret::Secret;

/// Base64 in base64 in base64 is nobody's configuration.
const DEEPEST: usize = 2;

/// What a scanner pushes.
#[derive(Debug)]
pub enum Found {
    /// A credential. Rivals for one place come as several credentials with the same identifying part.
    Credential(Credential),
    /// Something with the right shape that was put aside.
    Suppressed {
        /// Which detector.
        detector: Arc<str>,
        /// Why.
        reason: &'static str,
        /// Where, in bytes of the original.
        span: Range<u64>,
    },
}

impl Found {
    fn spans(&self) -> Vec<Range<u64>> {
        match self {
            Self::Credential(credential) => credential.parts.iter().map(|part| part.span.clone()).collect(),
            Self::Suppressed { span, .. } => vec![span.clone()],
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Credential(credential) => credential.encoding.len(),
            Self::Suppressed { .. } => 0,
        }
    }
}

/// Finds credentials in blobs. Holds scratch memory; make one per thread.
pub struct Scanner<'s> {
    set: &'s DetectorSet,
    found: Vec<Found>,
    /// Index in `found` of what came from a structure rather than a pattern.
    extracted: HashSet<usize>,
}

/// A buffer under scrutiny: the blob itself or something decoded from it.
struct View<'v> {
    bytes: &'v [u8],
    own: Range<usize>,
    map: Map<'v>,
    encoding: Vec<Encoding>,
}

/// How offsets of a view become offsets of the original.
#[derive(Clone, Copy)]
enum Map<'v> {
    Offset(u64),
    Base64 {
        first: usize,
        outer: &'v Map<'v>,
    },
    /// The entries of a manifest, one a line.
    Entries {
        entries: &'v [Piece],
        outer: &'v Map<'v>,
    },
}

/// An entry's value within the text that was made of a manifest.
struct Piece {
    at: Range<usize>,
    /// Where the value, or its base64, begins in the manifest.
    original: usize,
    encoded: bool,
}

impl Map<'_> {
    fn span(&self, span: &Range<usize>) -> Range<u64> {
        match self {
            Self::Offset(offset) => offset + span.start as u64..offset + span.end as u64,
            Self::Base64 { first, outer } => {
                let chars = decode::chars_of(span);
                outer.span(&(first + chars.start..first + chars.end))
            }
            Self::Entries { entries, outer } => {
                let Some(piece) = entries.iter().find(|piece| piece.at.contains(&span.start)) else { return 0..0 };
                let inside = span.start - piece.at.start..span.end.min(piece.at.end) - piece.at.start;
                let inside = if piece.encoded { decode::chars_of(&inside) } else { inside };
                outer.span(&(piece.original + inside.start..piece.original + inside.end))
            }
        }
    }
}

/// Detector and start of the anchors that were looked at.
type Seen = HashSet<(usize, usize)>;
type Crowds = HashMap<usize, Crowd>;

/// The last anchors of one detector. So many within the reach are a list of ids, not credentials with their parts; to look
/// for parts around each would take a time that grows with the square.
#[derive(Default)]
struct Crowd(VecDeque<usize>);

impl Crowd {
    /// A file of `id,secret` lines has about 66 within the reach; bare ids one after another have 195.
    const MOST: usize = 128;

    fn is_crowded(&mut self, start: usize) -> bool {
        self.0.push_back(start);
        if self.0.len() <= Self::MOST {
            return false;
        }
        self.0.pop_front().is_some_and(|first| start - first < super::REACH)
    }
}

/// What was decided about an anchor.
struct Anchor<'v> {
    span: Range<usize>,
    value: std::borrow::Cow<'v, [u8]>,
    facts: Facts,
    doubtful: bool,
}

impl<'s> Scanner<'s> {
    /// A worker over `set`.
    pub fn new(set: &'s DetectorSet) -> Self {
        Self { set, found: Vec::new(), extracted: HashSet::new() }
    }

    /// Pushes everything found in `blob` whose anchor starts in its own part, in no particular order.
    pub fn scan(&mut self, blob: &Blob<'_>, push: &mut dyn FnMut(Found)) {
        let map = Map::Offset(blob.offset);
        self.view(&View { bytes: blob.bytes, own: blob.own.clone(), map, encoding: Vec::new() });
        self.drop_overlapped();
        self.found.drain(..).for_each(push);
    }

    /// Drops what another finding accounts for: an entry of a manifest that holds a known key, and what was decoded from
    /// inside another credential (the signer's key id within a presigned URL).
    fn drop_overlapped(&mut self) {
        let extracted = std::mem::take(&mut self.extracted);
        let mut known: Vec<(Range<u64>, usize)> = Vec::new();
        for (_, found) in self.found.iter().enumerate().filter(|(n, _)| !extracted.contains(n)) {
            known.extend(found.spans().into_iter().map(|span| (span, found.depth())));
        }
        known.sort_unstable_by_key(|(span, _)| span.start);
        let accounted_for = |n: usize, found: &Found| {
            let from_manifest = extracted.contains(&n);
            (from_manifest || found.depth() > 0)
                && found.spans().iter().any(|a| {
                    // No span is longer than the reach, even in base64, so only neighbours can overlap.
                    let first = known.partition_point(|(b, _)| b.start + 2 * (super::REACH as u64) < a.start);
                    let mut near = known[first..].iter().take_while(|(b, _)| b.start < a.end);
                    near.any(|(b, depth)| a.start < b.end && (from_manifest || *depth < found.depth()))
                })
        };
        let mut drop: Vec<bool> = self.found.iter().enumerate().map(|(n, found)| accounted_for(n, found)).collect();
        self.drop_repeats(&mut drop);
        let mut drop = drop.into_iter();
        self.found.retain(|_| !drop.next().unwrap_or(false));
    }

    /// The same place can be reached by two ways, and one of them may see more parts: that one stays.
    fn drop_repeats(&self, drop: &mut [bool]) {
        let mut best: HashMap<(&str, Range<u64>), usize> = HashMap::new();
        for found in &self.found {
            let Found::Credential(credential) = found else { continue };
            let Some(first) = credential.parts.first() else { continue };
            let parts = best.entry((&credential.detector, first.span.clone())).or_default();
            *parts = (*parts).max(credential.parts.len());
        }
        let mut seen: HashSet<(&str, Vec<Range<u64>>)> = HashSet::new();
        for (n, found) in self.found.iter().enumerate() {
            let Found::Credential(credential) = found else { continue };
            let Some(first) = credential.parts.first() else { continue };
            let most = best.get(&(&*credential.detector, first.span.clone())).copied().unwrap_or_default();
            drop[n] |= credential.parts.len() < most || !seen.insert((&credential.detector, found.spans()));
        }
    }

    fn view(&mut self, view: &View<'_>) {
        let set = self.set;
        // The same anchor can be hit by several literals, and the same base64 text by several cores.
        let mut anchors = Seen::new();
        let mut crowd = Crowds::new();
        // Up to where hits of each alignment were decoded already, by an earlier hit of the same text.
        let mut decoded_until = [0; 4];
        let mut from = 0;
        while let Some(hit) = set.prefilter.next(view.bytes, from) {
            from = hit.at + 1;
            for &target in hit.targets {
                match target {
                    Target::Plain { detector, length } => {
                        self.anchor(view, detector, hit.at..hit.at + length, (&mut anchors, &mut crowd));
                    }
                    Target::Base64 { shift } => {
                        let until = &mut decoded_until[decode::alignment(hit.at, shift)];
                        if view.encoding.len() < DEEPEST && hit.at >= *until {
                            *until = self.decoded(view, hit.at, shift);
                        }
                    }
                }
            }
        }
    }

    /// Scans the base64 text around a hit. Returns up to where that settles later hits of the same alignment.
    fn decoded(&mut self, view: &View<'_>, hit: usize, shift: usize) -> usize {
        // A hit outside the own part is the neighbouring window's, and so is what it would decode.
        if !view.own.contains(&hit) {
            return 0;
        }
        let Some(decoded) = decode::around(view.bytes, hit, shift) else { return 0 };
        let mut encoding = view.encoding.clone();
        encoding.push(Encoding::Base64);
        let map = Map::Base64 { first: decoded.at.start, outer: &view.map };
        self.view(&View { bytes: &decoded.bytes, own: 0..decoded.bytes.len(), map, encoding });
        // Where the text was cut off, what starts farther on than the reach needs its own look.
        if decoded.cut { hit + super::REACH } else { decoded.at.end }
    }

    fn anchor(&mut self, view: &View<'_>, detector: usize, hit: Range<usize>, (seen, crowd): (&mut Seen, &mut Crowds)) {
        let entry = &self.set.entries[detector];
        let Some(span) = matched(entry, view.bytes, &hit) else { return };
        if !assemble::stands_alone(view.bytes, &span, entry.rule(0)) || !seen.insert((detector, span.start)) {
            return;
        }
        // Anchors in the margin count too, so that every window decides alike.
        let crowded = crowd.entry(detector).or_default().is_crowded(span.start);
        if !view.own.contains(&span.start) {
            return;
        }
        match judge(entry, view.bytes, span.clone()) {
            Err(reason) => {
                let detector = Arc::clone(&entry.detector().id);
                self.found.push(Found::Suppressed { detector, reason, span: view.map.span(&span) });
            }
            Ok(_) if entry.checked.extract == Some(Extract::KubernetesSecret) => self.extract(view, entry, &span),
            Ok(anchor) => self.complete(view, entry, &anchor, crowded),
        }
    }

    /// Adds the other parts and pushes the credential, once for each rival of the first companion.
    fn complete(&mut self, view: &View<'_>, entry: &Entry, anchor: &Anchor<'_>, crowded: bool) {
        let parts = &entry.detector().parts;
        let look = |part| if crowded { Vec::new() } else { assemble::candidates(view.bytes, entry, part, &anchor.span) };
        let companions: Vec<Vec<Candidate>> = (1..parts.len()).map(look).collect();
        let rivals = companions.first().map_or(1, |first| first.len().max(1));
        let missing = (1..parts.len()).any(|part| parts[part].required && companions[part - 1].is_empty());
        let mut confidence = entry.detector().confidence;
        if missing || anchor.doubtful {
            confidence = confidence.min(Confidence::Medium);
        }
        for rival in 0..rivals {
            let mut credential = Credential {
                detector: Arc::clone(&entry.detector().id),
                parts: vec![part(entry, 0, Secret::new(&anchor.value), view.map.span(&anchor.span))],
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
            self.found.push(Found::Credential(credential));
        }
    }

    /// Scans the decoded entries of a manifest together, so that an id and its secret meet; then pushes each entry by
    /// itself, to be dropped later where a better detector knows it.
    fn extract(&mut self, view: &View<'_>, entry: &Entry, anchor: &Range<usize>) {
        let manifest = kubernetes::manifest(view.bytes, anchor);
        if manifest.entries.is_empty() {
            return;
        }
        let encoding = |encoded: bool| {
            let mut encoding = view.encoding.clone();
            encoding.extend(encoded.then_some(Encoding::Base64));
            encoding
        };
        if view.encoding.len() < DEEPEST {
            let (text, pieces) = together(&manifest.entries);
            let map = Map::Entries { entries: &pieces, outer: &view.map };
            let encoding = encoding(manifest.entries.iter().any(|found| found.encoded));
            self.view(&View { bytes: &text, own: 0..text.len(), map, encoding });
        }
        for found in manifest.entries {
            let mut facts = Facts::from([("key".to_owned(), found.key)]);
            facts.extend(manifest.name.clone().map(|name| ("secret".to_owned(), name)));
            facts.extend(manifest.namespace.clone().map(|namespace| ("namespace".to_owned(), namespace)));
            self.extracted.insert(self.found.len());
            self.found.push(Found::Credential(Credential {
                detector: Arc::clone(&entry.detector().id),
                parts: vec![part(entry, 0, Secret::from_vec(found.value), view.map.span(&found.span))],
                facts,
                confidence: entry.detector().confidence,
                partial: false,
                encoding: encoding(found.encoded),
            }));
        }
    }
}

/// `key: value` lines of a manifest's decoded entries, and where each value came from.
fn together(entries: &[kubernetes::Entry]) -> (Vec<u8>, Vec<Piece>) {
    let (mut text, mut pieces) = (Vec::new(), Vec::new());
    for entry in entries {
        text.extend_from_slice(entry.key.as_bytes());
        text.extend_from_slice(b": ");
        let start = text.len();
        text.extend_from_slice(&entry.value);
        pieces.push(Piece { at: start..text.len(), original: entry.span.start, encoded: entry.encoded });
        text.push(b'\n');
    }
    (text, pieces)
}

/// The anchor's match that holds the literal at `hit`.
fn matched(entry: &Entry, bytes: &[u8], hit: &Range<usize>) -> Option<Range<usize>> {
    let rule = entry.rule(0);
    let regex = entry.regex(0)?;
    let longest = *rule.length.end();
    if rule.literal_first {
        let end = bytes.len().min(hit.start + longest);
        let head = hit.start + regex.find(&bytes[hit.start..end])?.end();
        let tail = entry.until().map(|until| until.find(&bytes[head..end]).map_or(end, |found| head + found.end()));
        return Some(hit.start..tail.unwrap_or(head));
    }
    let floor = hit.end.saturating_sub(longest);
    let ceiling = bytes.len().min(hit.start + longest);
    let holds = |found: regex::bytes::Match<'_>| {
        let span = floor + found.start()..floor + found.end();
        (span.start <= hit.start && span.end >= hit.end).then_some(span)
    };
    regex.find_iter(&bytes[floor..ceiling]).find_map(holds)
}

/// Whether an anchor that matched is what it looks like.
fn judge<'v>(entry: &Entry, bytes: &'v [u8], span: Range<usize>) -> Result<Anchor<'v>, &'static str> {
    let rule = entry.rule(0);
    let value = &bytes[span.clone()];
    if let Some(reason) = suppress::reason(value) {
        return Err(reason);
    }
    if shannon(value) < rule.min_entropy {
        return Err("not random enough");
    }
    if entry.rejects(0, value) {
        return Err("has the shape of something else");
    }
    let plain = std::borrow::Cow::Borrowed(value);
    match rule.check.map(|check| check.run(value)) {
        None => Ok(Anchor { span, value: plain, facts: Facts::new(), doubtful: false }),
        Some(Verdict::Holds(facts, canonical)) => {
            Ok(Anchor { span, value: canonical.map_or(plain, Into::into), facts, doubtful: false })
        }
        Some(Verdict::Doubtful(facts)) => Ok(Anchor { span, value: plain, facts, doubtful: true }),
        Some(Verdict::Fails(reason)) => Err(reason),
    }
}

fn part(entry: &Entry, number: usize, value: Secret, span: Range<u64>) -> Part {
    let spec = &entry.detector().parts[number];
    Part { name: Arc::clone(&spec.name), value, public: spec.public, redaction: spec.redaction, span }
}
