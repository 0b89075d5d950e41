//! One automaton over every literal of every detector, plain and in its three base64 alignments.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind};

use data_encoding::{HEXLOWER, HEXUPPER};

use super::decode;

/// What a literal speaks for.
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
}

/// The automaton and what its patterns mean.
#[derive(Debug)]
pub(super) struct Prefilter {
    automaton: AhoCorasick,
    /// For each pattern, its own targets and those of every pattern that is a prefix of it: the search reports the longest
    /// pattern at a place only.
    targets: Vec<Vec<Target>>,
}

/// A pattern at a place.
pub(super) struct Hit<'p> {
    pub(super) at: usize,
    pub(super) targets: &'p [Target],
}

/// Base64 and hex of shorter texts stand everywhere.
const SHORTEST_ENCODED: usize = 4;

/// Words are no rarity, so only the encoded forms of longer ones count.
const SHORTEST_WORD: usize = 6;

/// What leads to one detector's anchors.
pub(super) struct Leads<'d> {
    pub(super) detector: usize,
    pub(super) literals: &'d [String],
    pub(super) words: &'d [String],
    /// Words of which the encoded forms count as well.
    pub(super) encoded: bool,
}

impl Prefilter {
    /// Builds it from what leads to each detector's anchors.
    pub(super) fn new<'d>(leads: impl Iterator<Item = Leads<'d>>) -> Result<Self, aho_corasick::BuildError> {
        let mut table: BTreeMap<Vec<u8>, Vec<Target>> = BTreeMap::new();
        let encoded = |table: &mut BTreeMap<Vec<u8>, Vec<Target>>, text: &[u8]| {
            if text.len() < SHORTEST_ENCODED {
                return;
            }
            for shift in 0..3 {
                table.entry(decode::core(text, shift)).or_default().push(Target::Base64 { shift });
            }
            for hex in [HEXLOWER.encode(text), HEXUPPER.encode(text)] {
                table.entry(hex.into_bytes()).or_default().push(Target::Hex);
            }
        };
        for Leads { detector, literals, words, encoded: words_too } in leads {
            for text in literals {
                let plain = Target::Plain { detector, length: text.len() };
                table.entry(text.as_bytes().to_vec()).or_default().push(plain);
                encoded(&mut table, text.as_bytes());
            }
            for word in words {
                let target = Target::Word { detector, length: word.len() };
                table.entry(word.as_bytes().to_vec()).or_default().push(target);
                if words_too && word.len() >= SHORTEST_WORD {
                    encoded(&mut table, word.as_bytes());
                }
            }
        }
        // Prefixes sort before what they start, so one pass hands every pattern its prefixes' targets.
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut targets: Vec<Vec<Target>> = Vec::new();
        let mut prefixes: Vec<usize> = Vec::new();
        for (pattern, mut own) in table {
            while prefixes.last().is_some_and(|&shorter| !pattern.starts_with(&patterns[shorter])) {
                prefixes.pop();
            }
            own.extend(prefixes.last().map(|&index| targets[index].clone()).unwrap_or_default());
            own.sort_unstable();
            own.dedup();
            prefixes.push(patterns.len());
            patterns.push(pattern);
            targets.push(own);
        }
        // A dense automaton: a table look-up a byte. Two hundred literals make a few hundred kilobytes.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)?;
        Ok(Self { automaton, targets })
    }

    /// The first place at or after `from` where a pattern stands. Call again from `at + 1`.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<Hit<'_>> {
        let found = self.automaton.find(Input::new(bytes).span(from..bytes.len()).anchored(Anchored::No))?;
        Some(Hit { at: found.start(), targets: &self.targets[found.pattern().as_usize()] })
    }
}

#[cfg(test)]
mod tests {
    use super::{Leads, Prefilter, Target};

    #[test]
    fn no_literal_hides_another() {
        let literals = [vec!["sk-".to_owned()], vec!["sk-ant-".to_owned()], vec!["ant-api".to_owned()]];
        let leads = literals.iter().enumerate();
        let leads = leads.map(|(detector, literals)| Leads { detector, literals, words: &[], encoded: false });
        let filter = Prefilter::new(leads).expect("builds");
        let text = b"..sk-ant-api..";
        let mut seen = Vec::new();
        let mut from = 0;
        while let Some(hit) = filter.next(text, from) {
            let plain = hit.targets.iter().filter_map(|t| match t {
                Target::Plain { detector, .. } => Some((hit.at, *detector)),
                _ => None,
            });
            seen.extend(plain);
            from = hit.at + 1;
        }
        assert_eq!(seen, [(2, 0), (2, 1), (5, 2)]);
    }
}
