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

fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a'),
        b'A'..=b'Z' => usize::from(byte - b'A'),
        b'0'..=b'9' => 26,
        b'_' => 27,
        b' ' | b'\t' | b'\n' => 28,
        _ => 29,
    }
}

/// How often these four bytes are met, as a logarithm: each pair, given the byte before it.
fn frequency(four: &[u8]) -> i32 {
    let pair = |a: u8, b: u8| match PAIRS[class(a)][class(b)] {
        digit @ b'0'..=b'9' => i32::from(digit - b'0'),
        letter => i32::from(letter - b'a') + 10,
    };
    let pairs: i32 = four.windows(2).map(|two| pair(two[0], two[1])).sum();
    pairs + four[1..four.len() - 1].iter().map(|&byte| ALONE[class(byte)]).sum::<i32>()
}

/// Where the rarest four bytes of `text` stand; 0 where it has no more than four.
pub(super) fn rarest(text: &[u8]) -> usize {
    let all = text.windows(4).enumerate();
    all.min_by_key(|(_, four)| frequency(four)).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::rarest;

    #[test]
    fn what_is_rare_is_chosen() {
        for (text, four) in [("password", "assw"), ("the_qzxj", "qzxj"), ("abc", "abc"), ("abcd", "abcd"), ("", "")] {
            let at = rarest(text.as_bytes());
            assert_eq!(&text[at..text.len().min(at + 4)], four);
        }
    }
}
