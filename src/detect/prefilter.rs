//! Finds every literal and word of every detector, plain and as base64 and hex, in one pass.
//!
//! A bit table over hashed windows of four bytes says where some text may start; only there the texts that start with
//! those bytes are compared. An Aho-Corasick automaton does the same in one look-up a byte, but for the several thousand
//! texts of all detectors it takes 50 ms and several megabytes to build, on every start of a commit hook; this takes 2 ms
//! and stays in the second-level cache.

use data_encoding::{HEXLOWER, HEXUPPER};

use super::decode;

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

/// The texts, by the bytes they start with, and what they mean.
pub(super) struct Prefilter {
    /// A bit for each hash of a window with which some text may start.
    bits: Vec<u64>,
    /// Open addressing: window → its run of `texts`.
    slots: Vec<Slot>,
    /// By window; those of three bytes stand first, under those three.
    texts: Vec<Text>,
    /// How many of them have three bytes.
    short: usize,
    /// The bytes of all texts.
    arena: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    window: u32,
    start: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy)]
struct Text {
    window: u32,
    start: u32,
    length: u32,
    target: Target,
}

/// Bits of the hash: 128 KiB of table, a few of a hundred bits set by some forty thousand texts.
const HASH: u32 = 20;
const WINDOW: usize = 4;

fn hash(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> (32 - HASH)) as usize
}

/// The window at the start of `bytes`, filled up with zeros.
fn window(bytes: &[u8]) -> u32 {
    let mut all = [0; WINDOW];
    let length = bytes.len().min(WINDOW);
    all[..length].copy_from_slice(&bytes[..length]);
    u32::from_le_bytes(all)
}

/// Base64 and hex of shorter texts stand everywhere.
const SHORTEST_ENCODED: usize = 4;
/// Words are no rarity, so only the encoded forms of longer ones count.
const SHORTEST_WORD: usize = 6;
/// The shortest text there is.
const SHORTEST: usize = 3;

/// What leads to one detector's anchors.
pub(super) struct Leads<'d> {
    pub(super) detector: usize,
    pub(super) literals: &'d [String],
    pub(super) words: &'d [String],
    /// Words of which the encoded forms count as well.
    pub(super) encoded: bool,
}

impl Prefilter {
    /// Builds it from what leads to each detector's anchors. Texts shorter than three bytes are left out.
    pub(super) fn new<'d>(leads: impl Iterator<Item = Leads<'d>>) -> Self {
        let mut all =
            Self { bits: vec![0; 1 << (HASH - 6)], slots: Vec::new(), texts: Vec::new(), short: 0, arena: Vec::new() };
        for Leads { detector, literals, words, encoded } in leads {
            for literal in literals {
                all.add(literal.as_bytes(), Target::Plain { detector, length: literal.len() });
                all.add_encoded(literal.as_bytes(), SHORTEST_ENCODED);
            }
            for word in words {
                all.add(word.as_bytes(), Target::Word { detector, length: word.len() });
                if encoded {
                    all.add_encoded(word.as_bytes(), SHORTEST_WORD);
                }
            }
        }
        all.texts.sort_unstable_by_key(|text| (text.length as usize != SHORTEST, text.window, text.length, text.start));
        all.short = all.texts.partition_point(|text| text.length as usize == SHORTEST);
        all.slots = vec![Slot::default(); (2 * all.texts.len()).next_power_of_two().max(WINDOW)];
        let mut start = all.short;
        while let Some(&Text { window, .. }) = all.texts.get(start) {
            let run = all.texts[start..].iter().take_while(|text| text.window == window).count();
            let mut at = hash(window) & (all.slots.len() - 1);
            while all.slots[at].end != 0 {
                at = (at + 1) & (all.slots.len() - 1);
            }
            all.slots[at] = Slot { window, start: start as u32, end: (start + run) as u32 };
            start += run;
        }
        all
    }

    fn add(&mut self, bytes: &[u8], target: Target) {
        let window = window(bytes);
        match bytes.len() {
            0..SHORTEST => return,
            SHORTEST => (0..=255u8).for_each(|last| self.mark(window | u32::from(last) << 24)),
            _ => self.mark(window),
        }
        self.texts.push(Text { window, start: self.arena.len() as u32, length: bytes.len() as u32, target });
        self.arena.extend_from_slice(bytes);
    }

    fn mark(&mut self, window: u32) {
        self.bits[hash(window) >> 6] |= 1 << (hash(window) & 63);
    }

    fn add_encoded(&mut self, text: &[u8], shortest: usize) {
        if text.len() >= SHORTEST && shortest == SHORTEST_ENCODED {
            self.add_starts(text);
        }
        if text.len() < shortest {
            return;
        }
        for shift in 0..3 {
            self.add(&decode::core(text, shift), Target::Base64 { shift });
        }
        for hex in [HEXLOWER.encode(text), HEXUPPER.encode(text)] {
            self.add(hex.as_bytes(), Target::Hex);
        }
    }

    /// What the text looks like at the very start of a value that was encoded: too short a text in base64 or hex; any text in
    /// base64 twice.
    fn add_starts(&mut self, text: &[u8]) {
        let once = decode::core(text, 0);
        if text.len() < SHORTEST_ENCODED {
            self.add(&once, Target::Base64Start);
            self.add(HEXLOWER.encode(text).as_bytes(), Target::HexStart);
            self.add(HEXUPPER.encode(text).as_bytes(), Target::HexStart);
        }
        self.add(&decode::core(&once, 0), Target::Base64Start);
    }

    /// Calls `visit` for every text at every place, places in ascending order.
    pub(super) fn each(&self, bytes: &[u8], visit: &mut dyn FnMut(usize, Target)) {
        let whole = bytes.len().saturating_sub(WINDOW - 1);
        for (at, four) in bytes.windows(WINDOW).enumerate() {
            let window = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            let bit = hash(window);
            if self.bits[bit >> 6] >> (bit & 63) & 1 != 0 {
                self.compare(bytes, at, window, visit);
            }
        }
        for at in whole..bytes.len() {
            self.compare(bytes, at, window(&bytes[at..]), visit);
        }
    }

    #[cold]
    fn compare(&self, bytes: &[u8], at: usize, window: u32, visit: &mut dyn FnMut(usize, Target)) {
        let three = window & 0x00ff_ffff;
        let first = self.texts[..self.short].partition_point(|text| text.window < three);
        let short = self.texts[first..self.short].iter().take_while(|text| text.window == three);
        short.filter(|_| at + SHORTEST <= bytes.len()).for_each(|text| visit(at, text.target));
        let mask = self.slots.len() - 1;
        let mut slot = hash(window) & mask;
        while self.slots[slot].end != 0 {
            let found = self.slots[slot];
            if found.window == window {
                for text in &self.texts[found.start as usize..found.end as usize] {
                    let wanted = &self.arena[text.start as usize..(text.start + text.length) as usize];
                    if bytes[at..].starts_with(wanted) {
                        visit(at, text.target);
                    }
                }
                return;
            }
            slot = (slot + 1) & mask;
        }
    }
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
        let filter =
            Prefilter::new(leads.map(|(detector, literals)| Leads { detector, literals, words: &[], encoded: false }));
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
