//! Mnemonics of crypto wallets (BIP-39): words of one list that say 128 to 256 bits, and a checksum of those.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

/// The English list (github.com/bitcoin/bips, bip-0039/english.txt), in order.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("bip39/english.txt").lines().collect());

/// Bits that a word says.
const BITS: usize = 11;

/// First words of mnemonics that everybody's test chain or documentation uses and that no repetition gives away: Ganache's with
/// `-d` and Truffle's, BIP-39's own vectors (trezor/python-mnemonic, vectors.json), Ledger's and MetaMask's tests.
const KNOWN: &[&str] = &[
    "myth like bonus",
    "candy maple cake",
    "ozone drill grab",
    "gravity machine north",
    "hamster diagram private",
    "scheme spot photo",
    "horn tenant knee",
    "panda eyebrow bullet",
    "cat swing flag",
    "light rule cinnamon",
    "all hour make",
    "vessel ladder alter",
    "void come effort",
    "jelly better achieve",
    "dignity pass list",
    "renew stay biology",
    "beyond stage sleep",
    "glory vehicle pull",
    "spread raise short",
    "bottom drive obey",
];

/// Words in the order of the bits; the last byte is that of the checksum, which has one bit for 32.
pub(super) fn check(value: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(value);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if !matches!(words.len(), 12 | 15 | 18 | 21 | 24) {
        return Verdict::Fails("no mnemonic has so many words");
    }
    let numbers: Option<Vec<usize>> = words.iter().map(|word| WORDS.binary_search(word).ok()).collect();
    let Some(numbers) = numbers else { return Verdict::Fails("words that are on no list") };
    let bytes = packed(&numbers);
    let entropy = words.len() * 4 / 3;
    let mask = 0xff_u8 << (8 - words.len() / 3);
    if bytes[entropy] & mask != checksum(&bytes[..entropy]) & mask {
        return Verdict::Fails("checksum does not hold");
    }
    // Of 12 random words, 3 are said before once in 10^5; `abandon abandon … about` holds as well.
    let repeated = words.len() - numbers.iter().collect::<BTreeSet<_>>().len();
    if repeated > words.len() / 6 || KNOWN.contains(&words[..3].join(" ").as_str()) {
        return Verdict::Fails("documentation sample");
    }
    Verdict::Holds(Facts::from([("words".to_owned(), words.len().to_string())]), None)
}

fn checksum(entropy: &[u8]) -> u8 {
    ring::digest::digest(&ring::digest::SHA256, entropy).as_ref()[0]
}

/// Eleven bits each, the high one first.
fn packed(numbers: &[usize]) -> Vec<u8> {
    let mut bytes = vec![0_u8; (numbers.len() * BITS).div_ceil(8)];
    for (n, number) in numbers.iter().enumerate() {
        for bit in (0..BITS).filter(|bit| (number >> (BITS - 1 - bit)) & 1 == 1) {
            let at = n * BITS + bit;
            bytes[at / 8] |= 0x80 >> (at % 8);
        }
    }
    bytes
}

/// Twelve words.
pub(super) fn sample(rng: &mut Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..16).map(|_| rng.byte()).collect();
    bytes.push(checksum(&bytes));
    let bit = |at: usize| usize::from((bytes[at / 8] >> (7 - at % 8)) & 1);
    let number = |word: usize| (0..BITS).fold(0, |number, n| (number << 1) | bit(word * BITS + n));
    (0..12).map(|word| WORDS[number(word)]).collect::<Vec<_>>().join(" ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Rng, Verdict, WORDS, check, sample};

    #[test]
    fn the_list_is_whole_and_in_order() {
        assert_eq!(WORDS.len(), 2048);
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_mnemonic_holds_and_its_neighbours_do_not() {
        let made = String::from_utf8(sample(&mut Rng::new(7))).expect("text");
        let Verdict::Holds(facts, None) = check(made.as_bytes()) else { panic!("{made}") };
        assert_eq!(facts["words"], "12");
        let (head, last) = made.rsplit_once(' ').expect("words");
        let good = WORDS.iter().filter(|word| matches!(check(format!("{head} {word}").as_bytes()), Verdict::Holds(..)));
        // Four bits of checksum: of the 2048 last words, one in sixteen.
        assert_eq!(good.count(), 128);
        for bad in [head.to_owned(), format!("{head} {last} {last}"), format!("{head} staunch"), String::new()] {
            assert!(matches!(check(bad.as_bytes()), Verdict::Fails(_)), "{bad}");
        }
    }

    #[test]
    fn every_length_of_the_standard_is_known() {
        // BIP-39's vectors of one bit each, whose checksums are known; they are samples, and told to be.
        for (word, count, last) in
            [("abandon", 12, "about"), ("zoo", 12, "wrong"), ("abandon", 18, "agent"), ("zoo", 24, "vote")]
        {
            let text = format!("{}{last}", format!("{word} ").repeat(count - 1));
            assert_eq!(check(text.as_bytes()), Verdict::Fails("documentation sample"), "{text}");
        }
        let ganache = "myth like bonus scare over problem client lizard pioneer submit female collect";
        assert_eq!(check(ganache.as_bytes()), Verdict::Fails("documentation sample"));
    }
}
