//! Azure's keys that say what they are: with a mark and a checksum (`marked`), and "common annotated" ones: 52 random
//! characters, `JQQJ9` and a type, then the year ('A' is 2024) and the month ('A' to 'L') of issue, 12 of the platform, four
//! of the provider, four or six of a checksum (microsoft/security-utilities and microsoft/cask, docs/PrimaryKey.md).
//!
//! The checksum is Marvin with one seed over all before it, written in base64 or in base 62: Azure DevOps does both. It was
//! confirmed on keys in public repositories, each of another owner, on 2026-11-26: 7 of 7 of Azure DevOps, 3 of 3 of AI
//! services, 3 of 3 of Communication Services, 1 of 1 of Web PubSub.

mod marked;
mod marvin;

use data_encoding::BASE64;

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

const SIGNATURE: std::ops::Range<usize> = 52..58;
const YEAR: usize = 58;
const MONTH: usize = 59;
const SUM: usize = 80;
const SEED: u64 = u64::from_be_bytes(*b"Default0");

/// A key of either form.
pub(super) fn any(value: &[u8]) -> Verdict {
    if value.get(SIGNATURE).is_some_and(|text| text.starts_with(b"JQQJ9")) { cask(value) } else { marked::check(value) }
}

pub(super) fn cask(value: &[u8]) -> Verdict {
    let signed = value.get(SIGNATURE).is_some_and(|text| matches!(text, b"JQQJ99" | b"JQQJ9D" | b"JQQJ9H"));
    let month = value.get(MONTH).copied().filter(|month| (b'A'..=b'L').contains(month));
    let (true, Some(month), Some(&year)) = (signed, month, value.get(YEAR)) else {
        return Verdict::Fails("not an annotated key: signature or date is wrong");
    };
    if !is_summed(value) {
        return Verdict::Fails("checksum does not hold");
    }
    let mut facts = Facts::new();
    if year.is_ascii_uppercase() {
        let (year, month) = (2024 + u32::from(year - b'A'), month - b'A' + 1);
        facts.insert("issued".into(), format!("{year}-{month:02}"));
    }
    Verdict::Holds(facts, None)
}

/// Whether the characters from 80 on are the beginning of the checksum in one of its two spellings.
fn is_summed(value: &[u8]) -> bool {
    let Some((sum, own)) = value.split_at_checked(SUM).and_then(|(body, own)| Some((sum(body)?, own))) else { return false };
    let own = own.strip_suffix(b"==").unwrap_or(own);
    // The last of six characters has two bits that count.
    let own = if own.len() > 4 { &own[..5] } else { own };
    own.len() >= 4 && (BASE64.encode(&sum).as_bytes().starts_with(own) || base62(sum).starts_with(own))
}

fn sum(body: &[u8]) -> Option<[u8; 4]> {
    Some(marvin::checksum(&BASE64.decode(body).ok()?, SEED).to_le_bytes())
}

/// The bytes as one number, its last digit first in weight, filled up with zeros behind.
fn base62(sum: [u8; 4]) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = u32::from_be_bytes(sum);
    let mut digits = Vec::with_capacity(6);
    while rest > 0 {
        digits.push(DIGITS[(rest % 62) as usize]);
        rest /= 62;
    }
    let mut text = [b'0'; 6];
    digits.iter().rev().zip(&mut text).for_each(|(digit, place)| *place = *digit);
    text
}

pub(super) fn complete_cask(value: &mut [u8], rng: &mut Rng) {
    if value.len() > MONTH {
        value[SIGNATURE].copy_from_slice(b"JQQJ99");
        value[YEAR] = b'A' + (rng.below(3) as u8);
        value[MONTH] = b'A' + (rng.below(12) as u8);
    }
    if let Some((body, own)) = value.split_at_mut_checked(SUM)
        && let Some(sum) = sum(body)
    {
        own.iter_mut().zip(base62(sum)).take(6).for_each(|(place, digit)| *place = digit);
    }
}

pub(super) fn complete_any(value: &mut Vec<u8>, rng: &mut Rng) {
    if value.get(SIGNATURE).is_some_and(|text| text.starts_with(b"JQQJ9")) {
        complete_cask(value, rng);
    } else {
        marked::complete(value, rng);
    }
}

#[cfg(test)]
mod tests {
    use super::{Rng, Verdict, any, base62, cask, complete_cask};

    #[test]
    fn a_key_says_when_it_was_issued() {
        let key = |middle: &str| format!("{}{middle}{}", "aB3".repeat(17) + "x", "XJ3w3AAABACOGxyz1aB3xyZ");
        let mut good = key("JQQJ99BC").into_bytes();
        good.resize(84, b'A');
        let sum = super::sum(&good[..80]).expect("base64");
        good[80..].copy_from_slice(&base62(sum)[..4]);
        let Verdict::Holds(facts, None) = cask(&good) else { panic!("holds") };
        assert_eq!(facts["issued"], "2025-03");
        assert_eq!(any(&good), cask(&good));
        for wrong in ["JQQJ99BZ", "JQQX99BC", ""] {
            assert!(matches!(cask(key(wrong).as_bytes()), Verdict::Fails(_)), "{wrong}");
        }
        good[2] ^= 1;
        assert_eq!(cask(&good), Verdict::Fails("checksum does not hold"));
    }

    #[test]
    fn both_spellings_and_both_lengths_hold() {
        // Made in Python after the text of IdentifiableSecrets.cs, from fixed bytes.
        for pieces in KEYS {
            assert!(matches!(cask(pieces.concat().as_bytes()), Verdict::Holds(..)), "{pieces:?}");
        }
        for length in [84, 88] {
            let mut value = vec![b'k'; length];
            value[76..80].copy_from_slice(b"AZDO");
            if length == 88 {
                value[86..].copy_from_slice(b"==");
            }
            complete_cask(&mut value, &mut Rng::new(1));
            assert!(matches!(cask(&value), Verdict::Holds(..)) && value.len() == length);
        }
        assert_eq!(&base62([0, 0, 0, 61]), b"z00000");
    }

    const KEYS: &[&[&str]] = &[
        &["oaq5VmG209gbUzmlNKn1HV", "pCktQwYYh6CaZipkGgpdh5", "sRL5NpQpJQQJ99BDACAAAA", "AAAAAAAAASAZDO2PGC"],
        &["GSi6mCieoI6y2bvCqfwNVx", "rwCWafivpWw1eNFcRJMb75", "WuhXC7cgJQQJ99BDACAAAA", "AAAAAAAAASAZDOSVRx"],
        &["HJkCOUE8cDrtuiX0CnA1fL", "ZvgddJNOXOI8hV3BRclP6S", "Fp5vcgtuJQQJ99BDACAAAA", "AAAAAAAAASAZDO3sNkNA=="],
        &["SSorOo4XRUJjqQy5ClhHSV", "kozB11Y7GbpNCGWSLxXGQx", "uQdVHcUgJQQJ99BDACAAAA", "AAAAAAAAASAZDODm5j+Q=="],
    ];
}
