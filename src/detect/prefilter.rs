//! Finds every literal and word of every detector, plain and as base64 and hex, in one pass.
//!
//! Each text is known by four of its bytes, the rarest in what people write (`assw`, not `word`). A bit table over hashes of
//! such windows says where some text may stand; only there texts are compared. An Aho-Corasick automaton does the same in one look-up a byte, but for the several thousand
//! texts of all detectors it takes 50 ms and several megabytes to build, on every start of a commit hook; this takes 2 ms
//! and stays in the second-level cache.

mod table;

use std::ops::Range;

use data_encoding::{HEXLOWER, HEXUPPER};

use super::decode;
use super::rarity::Rarity;
use table::{AHEAD, BLOCK, Beside, Led, Marks, SEGMENT, STEP, Sides, Slot, Windows};

/// What a text speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A literal of this detector's anchor.
    Plain {
        /// Index of the detector.
        detector: usize,
        /// Length of the literal.
        length: usize,
    },
    /// A word that vouches for values of this detector.
    Word {
        /// Index of the detector.
        detector: usize,
        /// Length of the word.
        length: usize,
    },
    /// A literal of some detector, in hex.
    Hex,
    /// A literal of some detector, in base64, this many bytes into a group of three.
    Base64 {
        /// 0, 1 or 2.
        shift: usize,
    },
    /// The same, but of a text so short or so deep inside that only the start of a value counts.
    HexStart,
    /// The same for base64.
    Base64Start,
}

/// The texts, by their rarest four bytes, and what they mean.
pub(super) struct Prefilter {
    marks: Marks,
    sides: Sides,
    windows: Windows,
    /// By window. That of a text of three bytes ends in a zero.
    texts: Vec<Text>,
    /// What tells each text from others of its window.
    probes: Vec<Probe>,
    /// A bit for each hash of three bytes that are a text.
    short: [u64; SHORT],
    /// The bytes of all texts.
    arena: Vec<u8>,
    longest: usize,
}

/// Four bytes of a text, other ones than its window where there are any, and where they stand as seen from that: most texts that
/// share a window differ in them. They lie together, since all of a window's are looked at.
#[derive(Debug, Clone, Copy)]
struct Probe {
    four: u32,
    mask: u32,
    from: isize,
}

impl Probe {
    fn of(text: &Text, arena: &[u8]) -> Self {
        let bytes = &arena[text.start as usize..(text.start + text.length) as usize];
        let at = if text.lead as usize >= WINDOW / 2 { 0 } else { bytes.len().saturating_sub(WINDOW) };
        let mask = if bytes.len() < WINDOW { 0x00ff_ffff } else { u32::MAX };
        Self { four: window(&bytes[at..]), mask, from: at.cast_signed() - (text.lead as usize).cast_signed() }
    }

    /// Whether the text may stand where its window stands at `place`.
    fn holds(&self, bytes: &[u8], place: usize) -> bool {
        let at = place.wrapping_add_signed(self.from);
        let four = bytes.get(at..).and_then(<[u8]>::first_chunk);
        four.is_none_or(|four| u32::from_le_bytes(*four) & self.mask == self.four)
    }
}

#[derive(Debug, Clone, Copy)]
struct Text {
    window: u32,
    /// Where its window stands in it.
    lead: u32,
    start: u32,
    /// Of the bytes that are looked for.
    length: u32,
    /// Of the bytes behind those.
    rest: u32,
    /// A literal of one letter again and again: within a run of it, the first speaks for all.
    run: bool,
    target: Target,
}

/// A text that was found, kept until no earlier one can follow.
struct Hit {
    at: usize,
    text: u32,
}

const SHORT: usize = 64;
const WINDOW: usize = 4;
/// A window stands no farther into its text than this.
const DEEPEST: usize = 8;

/// The bit of three bytes in `short`.
fn short(three: u32) -> (usize, u64) {
    let hash = table::hash(three) >> 52;
    (hash as usize / SHORT, 1 << (hash % 64))
}

/// The window at the start of `bytes`, filled up with zeros.
fn window(bytes: &[u8]) -> u32 {
    if let Some(four) = bytes.first_chunk() {
        return u32::from_le_bytes(*four);
    }
    let mut all = [0; WINDOW];
    all[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(all)
}

/// Base64 and hex of shorter texts stand everywhere.
const SHORTEST_ENCODED: usize = 4;
/// Words are no rarity, so only the encoded forms of longer ones count.
const SHORTEST_WORD: usize = 6;
/// The shortest text there is.
const SHORTEST: usize = 3;
/// Longer texts are looked for by so much of their beginning, and the rest is asked for where that stands: how far an edit
/// reaches hangs on it. With 32 the search in what a delta inserts passes over half as much again.
const LONGEST: usize = 16;

/// What leads to one detector's anchors.
pub(super) struct Leads<'d> {
    pub(super) detector: usize,
    pub(super) literals: &'d [String],
    pub(super) words: &'d [String],
    /// Words of which the encoded forms count as well.
    pub(super) encoded: bool,
    /// Whether anything at all may stand behind a literal of three bytes, or only what keys are made of where it is too.
    pub(super) open: bool,
}

/// What stands behind a literal of three bytes in the built-in detectors: a test of the registry holds them to it.
pub(super) fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=' | b'.' | b'~')
}

impl Prefilter {
    /// Builds it from what leads to each detector's anchors. Texts shorter than three bytes are left out.
    pub(super) fn new<'d>(leads: impl Iterator<Item = Leads<'d>>) -> Self {
        let rarity = Rarity::new();
        let mut all = Self {
            marks: Marks::new(),
            sides: Sides::new(),
            windows: Windows::with_room(0),
            texts: Vec::new(),
            probes: Vec::new(),
            short: [0; SHORT],
            arena: Vec::new(),
            longest: 0,
        };
        for Leads { detector, literals, words, encoded, open } in leads {
            for literal in literals {
                all.add(&rarity, literal.as_bytes(), (Target::Plain { detector, length: literal.len() }, open));
                all.add_encoded(&rarity, literal.as_bytes(), SHORTEST_ENCODED);
            }
            for word in words {
                all.add(&rarity, word.as_bytes(), (Target::Word { detector, length: word.len() }, true));
                if encoded {
                    all.add_encoded(&rarity, word.as_bytes(), SHORTEST_WORD);
                }
            }
        }
        all.texts.sort_unstable_by_key(|text| (text.window, text.length, text.start));
        all.probes = all.texts.iter().map(|text| Probe::of(text, &all.arena)).collect();
        all.windows = Windows::with_room(all.texts.chunk_by(|a, b| a.window == b.window).count());
        let mut start = 0;
        while let Some(&Text { window, .. }) = all.texts.get(start) {
            let run = all.texts[start..].iter().take_while(|text| text.window == window).count();
            let beside = |place: &dyn Fn(&Text) -> Option<usize>| {
                let bit = |text: &Text| {
                    let own = &all.arena[text.start as usize..(text.start + text.length) as usize];
                    place(text).and_then(|at| own.get(at)).map_or(u32::MAX, |byte| 1 << (byte & 31))
                };
                all.texts[start..start + run].iter().map(bit).fold(0, |bits, bit| bits | bit)
            };
            let before = beside(&|text| (text.lead as usize).checked_sub(1));
            let behind = beside(&|text| Some(text.lead as usize + WINDOW));
            let beside = Beside { before, behind };
            all.sides.add(window, beside);
            all.windows.add(window, Slot { start: start as u32, end: (start + run) as u32, beside });
            start += run;
        }
        all
    }

    fn add(&mut self, rarity: &Rarity, bytes: &[u8], (target, open): (Target, bool)) {
        if bytes.len() < SHORTEST {
            return;
        }
        let whole = bytes;
        let bytes = &bytes[..bytes.len().min(LONGEST)];
        let lead = rarity.rarest(&bytes[..bytes.len().min(DEEPEST + WINDOW)]);
        let first = window(&bytes[lead..]);
        if bytes.len() == SHORTEST {
            let (word, bit) = short(first);
            self.short[word] |= bit;
            let open = open || !bytes.iter().all(|&byte| is_key(byte));
            // Zeros stand behind the last byte of all.
            let behind = (0..=255).filter(|&byte| open || byte == 0 || is_key(byte));
            behind.for_each(|byte: u8| self.marks.set(first | u32::from(byte) << 24));
        } else {
            self.marks.set(first);
        }
        self.texts.push(Text {
            window: first,
            lead: lead as u32,
            start: self.arena.len() as u32,
            length: bytes.len() as u32,
            rest: (whole.len() - bytes.len()) as u32,
            run: matches!(target, Target::Plain { .. }) && bytes.iter().all(|byte| *byte == bytes[0]),
            target,
        });
        self.arena.extend_from_slice(whole);
        self.longest = self.longest.max(bytes.len());
    }

    fn add_encoded(&mut self, rarity: &Rarity, text: &[u8], shortest: usize) {
        if text.len() >= SHORTEST && shortest == SHORTEST_ENCODED {
            self.add_starts(rarity, text);
        }
        if text.len() < shortest {
            return;
        }
        for shift in 0..3 {
            self.add(rarity, &decode::core(text, shift), (Target::Base64 { shift }, true));
        }
        for hex in [HEXLOWER.encode(text), HEXUPPER.encode(text)] {
            self.add(rarity, hex.as_bytes(), (Target::Hex, true));
        }
    }

    /// What the text looks like at the very start of a value that was encoded: too short a text in base64 or hex; any text in
    /// base64 twice.
    fn add_starts(&mut self, rarity: &Rarity, text: &[u8]) {
        let once = decode::core(text, 0);
        if text.len() < SHORTEST_ENCODED {
            self.add(rarity, &once, (Target::Base64Start, true));
            self.add(rarity, HEXLOWER.encode(text).as_bytes(), (Target::HexStart, true));
            self.add(rarity, HEXUPPER.encode(text).as_bytes(), (Target::HexStart, true));
        }
        self.add(rarity, &decode::core(&once, 0), (Target::Base64Start, true));
    }

    /// Calls `visit` for every text at every place, places in ascending order.
    pub(super) fn each(&self, bytes: &[u8], visit: &mut dyn FnMut(usize, Target)) {
        self.each_text(bytes, 0..bytes.len(), &mut |at, text| {
            if let Some(target) = self.target(bytes, (at, text)) {
                visit(at, target);
            }
        });
    }

    /// What a text speaks for that begins at a place, if all of it stands there.
    pub(super) fn target(&self, bytes: &[u8], (at, text): (usize, u32)) -> Option<Target> {
        let known = &self.texts[text as usize];
        let behind = (known.start + known.length) as usize;
        let rest = &self.arena[behind..behind + known.rest as usize];
        bytes[at + known.length as usize..].starts_with(rest).then_some(known.target)
    }

    /// Where the bytes end that a text is looked for by and that stand at `at`.
    pub(super) fn end(&self, at: usize, text: u32) -> usize {
        at + self.texts[text as usize].length as usize
    }

    /// The most bytes that a text is looked for by.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Calls `visit` for every text of which the beginning stands within `places`, in ascending order, with its number.
    pub(super) fn each_text(&self, bytes: &[u8], places: Range<usize>, visit: &mut dyn FnMut(usize, u32)) {
        let visit = &mut |at, text| {
            if at >= places.start && self.end(at, text) <= places.end {
                visit(at, text);
            }
        };
        let (mut led, mut pending) = (Led::new(), Vec::new());
        let mut at = places.start;
        while at < places.end {
            let end = places.end.min(at + SEGMENT);
            self.look(bytes, at..end, &mut led);
            led.retain(|n| self.may_stand(bytes, at + n));
            led.drain().for_each(|n| self.compare(bytes, at + n, &mut pending));
            at = end;
            if !pending.is_empty() {
                self.release(&mut pending, at.saturating_sub(DEEPEST), visit);
            }
        }
        self.release(&mut pending, usize::MAX, visit);
    }

    /// Finds the places of a segment that something leads to.
    fn look(&self, bytes: &[u8], places: Range<usize>, led: &mut Led) {
        for (n, at) in places.clone().step_by(BLOCK).enumerate() {
            // What is looked at behind the last place does no harm.
            let steps = (places.end - at).div_ceil(STEP);
            let marks = match bytes[at..].first_chunk() {
                Some(block) if steps >= BLOCK / STEP => self.marks.block(block),
                Some(block) => self.marks.some(block, steps),
                None => self.marks.some(&ahead(&bytes[at..]), steps),
            };
            led.add((n * BLOCK) as u8, marks);
        }
    }

    /// Whether some text may have its window at `place`, by what stands beside it.
    fn may_stand(&self, bytes: &[u8], place: usize) -> bool {
        let Some(ahead) = bytes.get(place..) else { return false };
        let before = place.checked_sub(1).map(|at| &bytes[at]);
        let (four, behind) = (window(ahead), ahead.get(WINDOW));
        self.sides.admit(four, before, behind) | self.sides.admit(four & 0x00ff_ffff, before, behind)
    }

    /// The texts whose window stands at `place`.
    fn compare(&self, bytes: &[u8], place: usize, pending: &mut Vec<Hit>) {
        let four = window(&bytes[place..]);
        let three = four & 0x00ff_ffff;
        let (word, bit) = short(three);
        if self.short[word] & bit != 0 && three != four {
            self.hits(bytes, (place, three), pending);
        }
        self.hits(bytes, (place, four), pending);
    }

    fn hits(&self, bytes: &[u8], (place, window): (usize, u32), pending: &mut Vec<Hit>) {
        let Some(slot) = self.windows.find(window) else { return };
        if !slot.admits(place.checked_sub(1).map(|at| &bytes[at]), bytes.get(place + WINDOW)) {
            return;
        }
        for (text, probe) in (slot.start..).zip(&self.probes[slot.start as usize..slot.end as usize]) {
            if probe.holds(bytes, place)
                && let Some(at) = self.stands(text, bytes, place)
            {
                pending.push(Hit { at, text });
            }
        }
    }

    /// Where a text begins whose window stands at `place`, if the text stands there.
    fn stands(&self, text: u32, bytes: &[u8], place: usize) -> Option<usize> {
        let known = &self.texts[text as usize];
        // Asked first: in a run every place would be compared.
        if known.run && place.checked_sub(1).is_some_and(|before| bytes[before] == bytes[place]) {
            return None;
        }
        let at = place.checked_sub(known.lead as usize)?;
        let (start, end) = (known.start as usize, (known.start + known.length) as usize);
        bytes[at..].starts_with(&self.arena[start..end]).then_some(at)
    }

    /// Hands on what was found before `until`.
    fn release(&self, pending: &mut Vec<Hit>, until: usize, visit: &mut dyn FnMut(usize, u32)) {
        pending.sort_unstable_by_key(|hit| (hit.at, self.texts[hit.text as usize].length, hit.text));
        let ready = pending.partition_point(|hit| hit.at < until);
        pending.drain(..ready).for_each(|hit| visit(hit.at, hit.text));
    }
}

/// The first bytes of what is left, filled up with zeros.
fn ahead(bytes: &[u8]) -> [u8; BLOCK + AHEAD] {
    let mut block = [0; BLOCK + AHEAD];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}

impl std::fmt::Debug for Prefilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefilter").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Leads, Prefilter, Target};

    fn plain(literals: &[&[&str]], text: &str) -> Vec<(usize, usize)> {
        let literals: Vec<Vec<String>> =
            literals.iter().map(|all| all.iter().map(|&one| one.to_owned()).collect()).collect();
        let leads = literals.iter().enumerate();
        let filter = Prefilter::new(leads.map(|(detector, literals)| Leads {
            detector,
            literals,
            words: &[],
            encoded: false,
            open: true,
        }));
        let mut seen = Vec::new();
        filter.each(text.as_bytes(), &mut |at, target| {
            if let Target::Plain { detector, .. } = target {
                seen.push((at, detector));
            }
        });
        seen
    }

    #[test]
    fn no_literal_hides_another() {
        let literals: &[&[&str]] = &[&["sk-"], &["sk-ant-"], &["ant-api"]];
        assert_eq!(plain(literals, "..sk-ant-api.."), [(2, 0), (2, 1), (5, 2)]);
    }

    #[test]
    fn all_of_a_long_text_must_stand() {
        let literals: &[&[&str]] = &[&["a_long_name_of_a_key"], &["a_long_name_of_a_token"], &["a_long_name_of_a"]];
        assert_eq!(plain(literals, "a_long_name_of_a_token, a_long_name_of_a_k"), [(0, 1), (0, 2), (24, 2)]);
    }

    #[test]
    fn texts_at_either_end_are_found_and_nothing_in_less() {
        let literals: &[&[&str]] = &[&["abc"], &["abcd", "xyzabc"]];
        assert_eq!(plain(literals, "abcxyzabcd"), [(0, 0), (3, 1), (6, 0), (6, 1)]);
        assert_eq!(plain(literals, "xabc"), [(1, 0)]);
        for none in ["", "a", "ab", "abx", "bcd"] {
            assert_eq!(plain(literals, none), [], "{none}");
        }
        assert_eq!(plain(&[], "abcd"), []);
    }
}
