//! One automaton over every literal of every detector, plain and in its three base64 alignments.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind};

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

impl Prefilter {
    /// Builds it from each detector's literals.
    pub(super) fn new<'d>(literals: impl Iterator<Item = (usize, &'d [String])>) -> Result<Self, aho_corasick::BuildError> {
        let mut table: BTreeMap<Vec<u8>, Vec<Target>> = BTreeMap::new();
        for (detector, texts) in literals {
            for text in texts {
                let plain = Target::Plain { detector, length: text.len() };
                table.entry(text.as_bytes().to_vec()).or_default().push(plain);
                for shift in 0..3 {
                    let targets = table.entry(decode::core(text.as_bytes(), shift)).or_default();
                    targets.push(Target::Base64 { shift });
                }
            }
        }
        // Prefixes sort before what they start, so one pass hands every pattern its prefixes' targets.
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut targets: Vec<Vec<Target>> = Vec::new();
        for (pattern, mut own) in table {
            let longest = patterns.iter().rposition(|shorter| pattern.starts_with(shorter));
            own.extend(longest.map(|index| targets[index].clone()).unwrap_or_default());
            own.sort_unstable();
            own.dedup();
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
    use super::{Prefilter, Target};

    #[test]
    fn no_literal_hides_another() {
        let literals = [vec!["sk-".to_owned()], vec!["sk-ant-".to_owned()], vec!["ant-api".to_owned()]];
        let filter = Prefilter::new(literals.iter().enumerate().map(|(n, l)| (n, l.as_slice()))).expect("builds");
        let text = b"..sk-ant-api..";
        let mut seen = Vec::new();
        let mut from = 0;
        while let Some(hit) = filter.next(text, from) {
            let plain = hit.targets.iter().filter_map(|t| match t {
                Target::Plain { detector, .. } => Some((hit.at, *detector)),
                Target::Base64 { .. } => None,
            });
            seen.extend(plain);
            from = hit.at + 1;
        }
        assert_eq!(seen, [(2, 0), (2, 1), (5, 2)]);
    }
}
