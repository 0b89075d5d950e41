//! Values made from a detector's own grammar, with a fixed seed: examples that exist at run time only.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A small deterministic generator (xorshift64*). Examples need variety, not unpredictability.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number under `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((self.next() >> 33) as usize) % bound
    }

    pub(super) fn byte(&mut self) -> u8 {
        (self.next() >> 40) as u8
    }

    /// `length` characters out of `alphabet`.
    pub(super) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }
}

/// One text that the expression matches.
pub(super) fn sample(hir: &Hir, rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    fill(hir, rng, &mut out);
    out
}

fn fill(hir: &Hir, rng: &mut Rng, out: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => out.push(pick(class, rng)),
        HirKind::Repetition(repetition) => {
            // Unbounded or huge repetitions are kept near their minimum; all lengths up to 16 more are tried.
            let most = repetition.max.unwrap_or(repetition.min + 16).min(repetition.min + 16);
            let count = repetition.min as usize + rng.below((most - repetition.min) as usize + 1);
            (0..count).for_each(|_| fill(&repetition.sub, rng, out));
        }
        HirKind::Capture(capture) => fill(&capture.sub, rng, out),
        HirKind::Concat(all) => all.iter().for_each(|one| fill(one, rng, out)),
        HirKind::Alternation(all) => fill(&all[rng.below(all.len())], rng, out),
    }
}

fn pick(class: &Class, rng: &mut Rng) -> u8 {
    let ranges: Vec<(u8, u8)> = match class {
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .filter_map(|range| Some((u8::try_from(range.start()).ok()?, u8::try_from(range.end()).unwrap_or(0x7e))))
            .collect(),
    };
    let members: Vec<u8> = ranges.iter().flat_map(|&(from, to)| from..=to).collect();
    let printable: Vec<u8> = members.iter().copied().filter(u8::is_ascii_graphic).collect();
    let from = if printable.is_empty() { &members } else { &printable };
    from.get(rng.below(from.len().max(1))).copied().unwrap_or(b'?')
}
