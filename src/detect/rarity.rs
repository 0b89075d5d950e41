//! How rare a few bytes are in what people write: of a text's windows the rarest is looked for.

/// Letters without case, then digits, `_`, white space, and everything else.
const CLASSES: usize = 30;

/// How often one class follows another, `0` to `z`: the logarithm, counted over 12 MB of C, Python and Rust.
const PAIRS: [&[u8; CLASSES]; CLASSES] = [
    b"dknnfhl7l9hqoo7m9qorkigijajjlm",
    b"kchdkcc5ki8kafjb6hgen78ci1lmnl",
    b"ndjeni8ok5lnghrfamhpjdecf2imlm",
    b"nmjkqeibn79kgjnebkkfieddf3jmpp",
    b"nkoplmjdh8donrhlmsqqeminiajors",
    b"lceglkh8n23kekoc6kkgi5f5e1ihon",
    b"e8dboachl34fbiig6jlgja76969kln",
    b"n8depb65l2a9ebkd7gcjhe96f5cjkk",
    b"jknolnl7b7enmspk7kop7k5h3kiihk",
    b"b676i825a2446ce334d4a7542299ad",
    b"f89el9a7g2397cb93igdd9a642dihl",
    b"nddnpld9p2aofcog8blklcd6j6gkmn",
    b"nldhqc99k49ejbmn4clgk7a5e6hlkl",
    b"nemppmocl4ijdjnh7dprmie9h7hmpp",
    b"fknmelj7jbjlnskn2qlmnjmda8djml",
    b"o9jfogafk4clfclj6njmoddai0elim",
    b"95785544622777954876k052338fgj",
    b"ojkksfl9p4hhjmoi6nmnnjc9l3jmpp",
    b"lblgreklo4hfkfllahnsmfg9lbfoqq",
    b"qekkrieqq7ahhfoj7qlmodgkncipsq",
    b"homimij1l34nkncl2ooo764f29mbgf",
    b"m7dboe97k04dc9iea8c884ac23ghei",
    b"kdadj86in47bagjf8ik96ae455ahgj",
    b"gdgfge7af539f7eg879l546871mhjm",
    b"aac9f895c3aefihl7flh679164bkmn",
    b"a23ck422a11473f522a464747a779d",
    b"iiikiia9g8baba9b8dcbi99j89tmns",
    b"mlommmjimahllmkmdmpnkjidbbkicf",
    b"pnqonplkqgjonooqfprrolnhhfpjzw",
    b"mlqnlmkknfhlnomncopnljmmefpgxx",
];

/// How rare each class is by itself, on the same scale.
const ALONE: [i32; CLASSES] =
    [10, 14, 11, 11, 8, 13, 14, 14, 10, 22, 17, 11, 13, 10, 10, 12, 20, 10, 10, 9, 12, 16, 15, 16, 15, 21, 11, 11, 5, 6];

const fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => (byte - b'a') as usize,
        b'A'..=b'Z' => (byte - b'A') as usize,
        b'0'..=b'9' => 26,
        b'_' => 27,
        b' ' | b'\t' | b'\n' => 28,
        _ => 29,
    }
}

/// The class of each byte: this is asked for every byte of every text whenever the program starts.
const CLASS: [u8; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < all.len() {
        all[byte] = class(byte as u8) as u8;
        byte += 1;
    }
    all
};

/// `PAIRS` as numbers.
const PAIR: [[u8; 32]; CLASSES] = {
    let mut all = [[0; 32]; CLASSES];
    let mut at = 0;
    while at < CLASSES * CLASSES {
        let digit = PAIRS[at / CLASSES][at % CLASSES];
        all[at / CLASSES][at % CLASSES] = if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        at += 1;
    }
    all
};

/// How often these four bytes are met, as a logarithm: each pair, given the byte before it.
fn frequency(four: [u8; 4]) -> i32 {
    let class = four.map(|byte| usize::from(CLASS[usize::from(byte)]));
    let pairs: i32 = class.windows(2).map(|two| i32::from(PAIR[two[0]][two[1]])).sum();
    pairs + ALONE[class[1]] + ALONE[class[2]]
}

/// Four bytes that are met often, most first, each ended by `|`: those of the detectors' own texts that 190 MB of C, Python,
/// JavaScript, Go, JSON, YAML and prose hold most of (`benches/common-fours`). Pairs alone take `ject` for rare.
const COMMON: &str = include_str!("rarity/common.txt");

/// Where the ranks of common ones are kept, by their hash: others that share a place are held for common, which does no harm.
const PLACES: usize = 1 << 16;

fn place(four: [u8; 4]) -> usize {
    (u32::from_le_bytes(four).wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// Knows which bytes are rare in what people write.
pub(super) struct Rarity {
    /// By place: 0 for what is not common, else more the more often it is met.
    ranks: Vec<u16>,
}

impl Rarity {
    pub(super) fn new() -> Self {
        let mut ranks = vec![0; PLACES];
        let fours = COMMON.lines().flat_map(|line| line.as_bytes().chunks_exact(5));
        for (n, four) in (1..).zip(fours.filter_map(<[u8]>::first_chunk)) {
            let rank = &mut ranks[place(*four)];
            // The first holders of a place are the commonest.
            *rank = if *rank == 0 { u16::MAX - n } else { *rank };
        }
        Self { ranks }
    }

    /// Where the rarest four bytes of `text` stand; 0 where it has no more than four.
    pub(super) fn rarest(&self, text: &[u8]) -> usize {
        let all = text.windows(4).filter_map(<[u8]>::first_chunk).enumerate();
        all.min_by_key(|(_, four)| (self.ranks[place(**four)], frequency(**four))).map_or(0, |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMON, Rarity};

    #[test]
    fn what_is_rare_is_chosen() {
        let rarity = Rarity::new();
        let texts = [("the_qzxj", "qzxj"), ("abc", "abc"), ("abcd", "abcd"), ("", "")];
        for (text, four) in texts {
            let at = rarity.rarest(text.as_bytes());
            assert_eq!(&text[at..text.len().min(at + 4)], four);
        }
        // Its pairs are rare.
        let at = rarity.rarest(b"objectfal.x");
        assert!(!["obje", "bjec", "ject"].contains(&&"objectfal.x"[at..at + 4]));
    }

    #[test]
    fn the_list_is_one_of_fours() {
        assert!(COMMON.lines().count() > 10);
        for line in COMMON.lines() {
            assert!(line.len().is_multiple_of(5) && line.as_bytes().chunks(5).all(|four| four[4] == b'|'), "{line}");
        }
    }
}
