//! A worker: one per thread, borrowing the shared set.

mod alone;
mod anchor;
mod leads;
mod manifest;
mod overlap;
mod sift;
mod surroundings;
mod view;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::compiled::{DetectorSet, Entry};
use super::context::{self, Vouched};
use super::kind::FileKind;
use super::prefilter::Target;
use super::spec::{Extract, Lead, Words};
use super::{assemble, decode, escapes, generic, wide};
use crate::model::{Blob, Clue, Confidence, Credential, Encoding};
use anchor::{How, grouped, matched};
use leads::Leads;
use surroundings::{is_armour, is_endless, is_made_up, run_end};
use view::{Map, Piece, View};

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

    fn detector(&self) -> &str {
        match self {
            Self::Credential(credential) => &credential.detector,
            Self::Suppressed { detector, .. } => detector,
        }
    }

    fn parts(&self) -> usize {
        match self {
            Self::Credential(credential) => credential.parts.len(),
            Self::Suppressed { .. } => 0,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Credential(credential) => credential.encoding.len(),
            Self::Suppressed { .. } => 0,
        }
    }
}

/// Something found, and how well it is known: where two overlap, the better known stays.
struct Ranked {
    found: Found,
    rank: u32,
}

/// What is known how well.
mod rank {
    /// By a text of its own.
    pub(super) const LITERAL: u32 = 5000;
    /// By a word in its name.
    pub(super) const NAMED: u32 = 4000;
    /// By a word near it, less the distance in bytes.
    pub(super) const NEAR: u32 = 3000;
    /// As an entry of a Secret.
    pub(super) const MANIFEST: u32 = 200;
    /// By being called a secret.
    pub(super) const GENERIC: u32 = 100;
    /// Not at all: it is left to any other.
    pub(super) const NOTHING: u32 = 0;
}

/// Finds credentials in blobs. Holds scratch memory; make one per thread.
pub struct Scanner<'s> {
    set: &'s DetectorSet,
    found: Vec<Ranked>,
    /// The file's name is not known: whatever would be something in a file of any name is.
    any_kind: bool,
    /// Where something may be that depends on more than is near, and whether it is found as far as can be told.
    long: Vec<(Range<u64>, bool)>,
    /// What leads to anchors in the next view, where that is known.
    given: Option<Vec<Clue>>,
    /// Kept for its memory.
    spare: Leads,
}

/// What was looked at already in one view: the same anchor can be hit by several literals or words.
#[derive(Default)]
struct Seen {
    /// Detector and start.
    anchors: HashSet<(usize, usize)>,
    crowds: HashMap<usize, Crowd>,
    /// Detector → up to where its words' surroundings were searched.
    searched: HashMap<usize, usize>,
    /// Up to where hits of each base64 alignment, and of hex, were decoded already.
    decoded_until: [usize; 5],
    /// Where the last value by its name was.
    generic_until: usize,
    /// The next byte that could end a value, as far as it was looked for.
    next_end: usize,
}

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
        self.0.pop_front().is_some_and(|first| start.saturating_sub(first) < super::REACH)
    }
}

impl<'s> Scanner<'s> {
    /// A worker over `set`.
    pub fn new(set: &'s DetectorSet) -> Self {
        Self { set, found: Vec::new(), any_kind: false, long: Vec::new(), given: None, spare: Leads::default() }
    }

    /// Pushes everything found in `blob` whose anchor starts in its own part, in no particular order.
    pub fn scan(&mut self, blob: &Blob<'_>, push: &mut dyn FnMut(Found)) {
        self.views(blob);
        if self.found.len() > 1 {
            overlap::drop_overlapped(&mut self.found);
        }
        self.found.drain(..).for_each(|ranked| push(ranked.found));
    }

    fn views(&mut self, blob: &Blob<'_>) {
        let map = Map::Offset(blob.offset);
        let kind = if self.any_kind { FileKind::UNKNOWN } else { FileKind::of(blob.inside) };
        let view = View { bytes: blob.bytes, own: blob.own.clone(), map, encoding: Vec::new(), kind };
        if self.given.is_none() {
            self.wide(blob, &view);
        }
        self.written(&view);
        self.alone(blob, &view);
    }

    /// Scans what stands in two bytes a character.
    fn wide(&mut self, blob: &Blob<'_>, view: &View<'_>) {
        if let Some(text) = wide::utf16(blob) {
            let own = view.own.start / 2..view.own.end.div_ceil(2);
            let map = Map::Pairs { first: 0, outer: &view.map };
            return self.written(&View { bytes: &text, own, map, encoding: vec![Encoding::Utf16], kind: view.kind });
        }
        for run in wide::wide_runs(view.bytes) {
            let text = wide::narrow(&view.bytes[run.clone()]);
            let place = |at: usize| (at.clamp(run.start, run.end) - run.start).div_ceil(2);
            let own = place(view.own.start)..place(view.own.end);
            let map = Map::Pairs { first: run.start, outer: &view.map };
            self.written(&View { bytes: &text, own, map, encoding: vec![Encoding::Utf16], kind: view.kind });
        }
    }

    /// Scans a text as it stands, and what its escapes and joints stand for.
    fn written(&mut self, view: &View<'_>) {
        let leads = self.leads(view);
        self.led(view, &leads.all);
        let mut found = Vec::new();
        for text in escapes::unescaped(view.bytes, &leads.marks) {
            let map = Map::Stretches { stretches: &text.stretches, outer: &view.map };
            let own = self.clipped(view, &text);
            let own = text.place(own.start)..text.place(own.end);
            let mut encoding = view.encoding.clone();
            encoding.push(Encoding::Escaped);
            let plain = View { bytes: &text.bytes, own, map, encoding, kind: view.kind };
            found.clear();
            self.leads_of(&leads, &text, self.around(&plain), &mut found);
            self.led(&plain, &found);
        }
        self.spare = leads;
    }

    fn view(&mut self, view: &View<'_>) {
        let set = self.set;
        let mut seen = Seen::default();
        let around = self.around(view);
        let first = around.start;
        set.prefilter.each(&view.bytes[around], &mut |at, target| self.hit(view, first + at, target, &mut seen));
    }

    /// Follows what leads to anchors in a text's own part.
    fn led(&mut self, view: &View<'_>, leads: &[Clue]) {
        let set = self.set;
        let mut seen = Seen::default();
        let around = self.around(view);
        let place = |at: usize| leads.partition_point(|lead| (lead.at as usize) < at);
        for lead in &leads[place(around.start)..place(around.end)] {
            let at = lead.at as usize;
            if let Some(target) = set.prefilter.target(view.bytes, (at, lead.text)) {
                self.hit(view, at, target, &mut seen);
            }
        }
    }

    /// Some text of the prefilter stands at `at`.
    fn hit(&mut self, view: &View<'_>, at: usize, target: Target, seen: &mut Seen) {
        let set = self.set;
        match target {
            Target::Plain { detector, length } => self.literal(view, detector, at..at + length, seen),
            Target::Word { detector, length } => {
                let entry = &set.entries[detector];
                match &entry.anchor.words {
                    Some(_) if entry.anchor.extract == Some(Extract::Assignment) => {
                        self.assignment(view, entry, at..at + length, seen);
                    }
                    Some(words) => self.word(view, (detector, words), at, seen),
                    None => {}
                }
            }
            Target::Base64 { shift } => {
                let until = &mut seen.decoded_until[decode::alignment(at, shift)];
                if view.encoding.len() < DEEPEST && at >= *until {
                    *until = self.decoded(view, at, shift);
                }
            }
            Target::Hex if view.encoding.len() < DEEPEST && at >= seen.decoded_until[4] => {
                seen.decoded_until[4] = self.unhexed(view, at);
            }
            Target::Hex => {}
            Target::HexStart | Target::Base64Start => self.encoded_start(view, at, target, seen),
        }
    }

    /// What may be the start of an encoded value was hit.
    fn encoded_start(&mut self, view: &View<'_>, at: usize, target: Target, seen: &mut Seen) {
        let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        let starts = at.checked_sub(1).is_none_or(|before| !goes_on(view.bytes[before]));
        let n = if target == Target::HexStart { 4 } else { decode::alignment(at, 0) };
        if starts && view.encoding.len() < DEEPEST && at >= seen.decoded_until[n] {
            seen.decoded_until[n] = if n == 4 { self.unhexed(view, at) } else { self.decoded(view, at, 0) };
        }
    }

    /// Scans the base64 text around a hit. Returns up to where that settles later hits of the same alignment.
    fn decoded(&mut self, view: &View<'_>, hit: usize, shift: usize) -> usize {
        // A hit outside the own part is the neighbouring window's, and so is what it would decode.
        if !view.own.contains(&hit) {
            return 0;
        }
        self.note_encoded(view, hit);
        if let Some(text) = decode::unwrapped(view.bytes, hit) {
            let map = Map::Stretches { stretches: &text.stretches, outer: &view.map };
            let until = self.decoded_in((&text.bytes, map), view, text.hit, shift);
            // As below: what starts farther on than the reach needs its own look.
            let until = if text.cut { until.min(text.hit + super::REACH) } else { until };
            return view::original(&text.stretches, until.saturating_sub(1)) + 1;
        }
        self.decoded_in((view.bytes, view.map), view, hit, shift)
    }

    /// The same in a text that is `view`'s or was made of it.
    fn decoded_in(&mut self, (bytes, outer): (&[u8], Map<'_>), view: &View<'_>, hit: usize, shift: usize) -> usize {
        let Some(decoded) = decode::around(bytes, hit, shift) else { return 0 };
        let mut encoding = view.encoding.clone();
        encoding.push(Encoding::Base64);
        let map = Map::Base64 { first: decoded.at.start, outer: &outer };
        let kind = FileKind::of_decoded(&decoded.bytes);
        self.view(&View { bytes: &decoded.bytes, own: 0..decoded.bytes.len(), map, encoding, kind });
        // Where the text was cut off, what starts farther on than the reach needs its own look.
        if decoded.cut { hit + super::REACH } else { decoded.at.end }
    }

    /// The same for hex.
    fn unhexed(&mut self, view: &View<'_>, hit: usize) -> usize {
        if !view.own.contains(&hit) {
            return 0;
        }
        self.note_encoded(view, hit);
        let Some(decoded) = decode::hex_around(view.bytes, hit) else { return 0 };
        let mut encoding = view.encoding.clone();
        encoding.push(Encoding::Hex);
        let map = Map::Pairs { first: decoded.at.start, outer: &view.map };
        self.view(&View { bytes: &decoded.bytes, own: 0..decoded.bytes.len(), map, encoding, kind: FileKind::SETTINGS });
        if decoded.cut { hit + super::REACH } else { decoded.at.end }
    }

    /// A literal of an anchor was hit.
    fn literal(&mut self, view: &View<'_>, detector: usize, hit: Range<usize>, seen: &mut Seen) {
        let entry = &self.set.entries[detector];
        // Where the literal begins the value, what stands before it is known already: a run of `A`s holds some detector's
        // first letters at every place.
        if matches!(entry.rule(0).lead, Lead::Literals { first: true, .. })
            && assemble::joined_before(view.bytes, hit.start, entry.rule(0))
        {
            return;
        }
        self.note_long(view, entry, hit.clone());
        let Some(matched) = matched(entry, view.bytes, &hit) else { return };
        let before = &view.bytes[..matched.whole.start];
        let digest = [b"sha256=".as_slice(), b"sha256-", b"sha384-", b"sha512-", b"sha1-"];
        if digest.iter().any(|name| before.ends_with(name)) || is_armour(view.bytes, &matched.whole) {
            return;
        }
        if !assemble::stands_alone(view.bytes, &matched.whole, entry.rule(0)) {
            return;
        }
        if !seen.anchors.insert((detector, matched.whole.start)) {
            return;
        }
        // Anchors in the margin count too, so that every window decides alike.
        let crowded = seen.crowds.entry(detector).or_default().is_crowded(matched.whole.start);
        if !view.own.contains(&matched.whole.start) {
            return;
        }
        if entry.anchor.extract == Some(Extract::KubernetesSecret) {
            return self.extract(view, entry, &matched.whole);
        }
        let rank = if entry.checked().generic { rank::GENERIC + 50 } else { rank::LITERAL };
        let made_up = is_made_up(entry, view, matched.whole.start);
        let most = if made_up { Confidence::Low } else { Confidence::High };
        self.complete(view, entry, &matched, How { rank, most, crowded });
    }

    /// A word that vouches for values near it was hit.
    fn word(&mut self, view: &View<'_>, (detector, words): (usize, &Words), hit: usize, seen: &mut Seen) {
        let entry = &self.set.entries[detector];
        let rule = entry.rule(0);
        if !is_endless(view.bytes, hit, &mut seen.next_end) {
            let mut last = None;
            for kind in self.kinds(view.kind) {
                let written = generic::written(view.bytes, hit, kind);
                if let Some((name, value)) = written.as_ref().filter(|_| written != last) {
                    self.unwrapped(view, name, value);
                }
                last = written;
            }
        }
        self.note_long(view, entry, hit..hit + 1);
        let window = context::window(view.bytes, hit, rule.within);
        let longest = *rule.length.end();
        let searched = seen.searched.entry(detector).or_default();
        // Whether a value is vouched for does not depend on which word led to it, so nothing is searched twice.
        let mut from = window.start.max(searched.saturating_sub(longest));
        *searched = (*searched).max(window.end);
        let text = &view.bytes[..view.bytes.len().min(window.end + longest)];
        while let Some(run) = surroundings::run(text, from..window.end, rule) {
            self.values(view, (detector, words), (hit, window.end), (&run, &mut *seen));
            from = run.end;
        }
    }

    /// A run of bytes that values can be made of was found near a word: those that begin in it, before `end`.
    fn values(
        &mut self,
        view: &View<'_>,
        (detector, words): (usize, &Words),
        (hit, end): (usize, usize),
        (run, seen): (&Range<usize>, &mut Seen),
    ) {
        let entry = &self.set.entries[detector];
        let rule = entry.rule(0);
        let Some(regex) = entry.regex(0) else { return };
        // A byte more: an expression may ask what stands behind the value.
        let text = &view.bytes[..view.bytes.len().min(run.end + 1)];
        let mut from = run.start;
        while let Some(found) = regex.find_at(text, from).filter(|found| found.start() < end) {
            let whole = found.range();
            if !assemble::stands_alone(view.bytes, &whole, rule) {
                from = run_end(text, whole.start, rule);
                continue;
            }
            from = whole.end.max(whole.start + 1);
            if !seen.anchors.insert((detector, whole.start)) || !view.own.contains(&whole.start) {
                continue;
            }
            let Some(matched) = grouped(entry, view.bytes, whole) else { continue };
            if is_armour(view.bytes, &matched.value) {
                continue;
            }
            let Some((vouched, rank)) = self.vouched(view.bytes, (detector, words), &matched.value, hit) else { continue };
            if generic::is_type(&view.bytes[matched.value.clone()]) {
                self.put_aside(view, entry, &matched.value, ("a name or words, not a value", rank::NOTHING));
                continue;
            }
            let most = if vouched == Vouched::InName { Confidence::High } else { Confidence::Medium };
            let most = if is_made_up(entry, view, matched.value.start) { Confidence::Low } else { most };
            let crowded = seen.crowds.entry(detector).or_default().is_crowded(matched.value.start);
            self.complete(view, entry, &matched, How { rank, most, crowded });
        }
    }

    /// Whether the value at `span` belongs to a word at `hit`, and how well that is known.
    fn vouched(
        &self,
        bytes: &[u8],
        (detector, words): (usize, &Words),
        span: &Range<usize>,
        hit: usize,
    ) -> Option<(Vouched, u32)> {
        let rule = self.set.entries[detector].rule(0);
        let name = &bytes[context::name(bytes, span.start)];
        let callee = || context::vouched(rule, words, &bytes[context::callee(bytes, span.start)]);
        match context::vouched(rule, words, name).or_else(callee)? {
            Vouched::InName => Some((Vouched::InName, rank::NAMED)),
            // A name that holds another vendor's word is that one's.
            Vouched::Near if self.set.names_another(name, detector) => None,
            Vouched::Near => {
                let distance = u32::try_from(span.start.abs_diff(hit)).unwrap_or(u32::MAX).min(2000);
                Some((Vouched::Near, rank::NEAR - distance))
            }
        }
    }

    /// A word that secrets are called by was hit: the value of the assignment, if it looks like one.
    fn assignment(&mut self, view: &View<'_>, entry: &Entry, hit: Range<usize>, seen: &mut Seen) {
        if is_endless(view.bytes, hit.end, &mut seen.next_end) {
            return;
        }
        if hit.start < seen.generic_until {
            return;
        }
        let Some(name) = generic::name(view.bytes, &hit) else { return };
        if self.any_kind {
            let mut last = Vec::new();
            for (n, kind) in self.kinds(view.kind).enumerate() {
                let all: Vec<_> = generic::assignments(view.bytes, &name, kind).collect();
                for found in all.iter().filter(|found| !last.contains(*found)) {
                    if seen.anchors.insert((usize::MAX - n, found.value.start)) {
                        self.assigned(view, entry, found);
                    }
                }
                last = all;
            }
            return;
        }
        for (n, found) in generic::assignments(view.bytes, &name, view.kind).enumerate() {
            if view.own.contains(&found.value.start) && seen.anchors.insert((usize::MAX, found.value.start)) {
                // Of a list the first alone, so that a window in the middle of it decides as the whole does.
                seen.generic_until = if n == 0 { found.value.start } else { seen.generic_until };
                self.assigned(view, entry, &found);
            }
        }
    }

    /// A value was given a name that says secret.
    fn assigned(&mut self, view: &View<'_>, entry: &Entry, found: &generic::Assignment) {
        if !view.own.contains(&found.value.start) {
            return;
        }
        self.unwrapped(view, &found.name, &found.value);
        match found.verdict {
            Err(reason) => self.put_aside(view, entry, &found.value, (reason, rank::GENERIC)),
            Ok(most) => {
                let Some(matched) = grouped(entry, view.bytes, found.value.clone()) else { return };
                self.complete(view, entry, &matched, How { rank: rank::GENERIC, most, crowded: true });
            }
        }
    }

    /// A value in base64 or hex: what it says, under the name it is given and behind what stands before that.
    fn unwrapped(&mut self, view: &View<'_>, name: &Range<usize>, value: &Range<usize>) {
        /// So much of what stands before the name may say whose it is.
        const BEFORE: usize = 160;
        let plain = decode::printable(&view.bytes[value.clone()]);
        let Some((plain, how)) = plain.filter(|_| view.encoding.len() < DEEPEST) else { return };
        let first = name.start.saturating_sub(BEFORE);
        let head = [&view.bytes[first..name.end], b" = \""].concat();
        let at = head.len()..head.len() + plain.len();
        let text = [head.as_slice(), &plain, b"\"\n"].concat();
        let pieces = [
            Piece { at: 0..at.start, original: first, encoded: None },
            Piece { at: at.clone(), original: value.start, encoded: Some(how) },
        ];
        let map = Map::Entries { entries: &pieces, outer: &view.map };
        let mut encoding = view.encoding.clone();
        encoding.push(how);
        // Some detectors' matches begin with the name.
        let own = name.start - first..at.end;
        self.view(&View { bytes: &text, own, map, encoding, kind: view.kind });
    }
}
