//! Azure's Common Annotated Security Keys: 52 random characters, `JQQJ9` and a type, then the year ('A' is 2024) and the
//! month ('A' to 'L') of issue (microsoft/security-utilities and microsoft/cask, docs/PrimaryKey.md). The checksum's seed
//! was not confirmed on samples, so it is not looked at.

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

const SIGNATURE: std::ops::Range<usize> = 52..58;
const YEAR: usize = 58;
const MONTH: usize = 59;

pub(super) fn cask(value: &[u8]) -> Verdict {
    let signed = value.get(SIGNATURE).is_some_and(|text| matches!(text, b"JQQJ99" | b"JQQJ9D" | b"JQQJ9H"));
    let month = value.get(MONTH).copied().filter(|month| (b'A'..=b'L').contains(month));
    let (true, Some(month), Some(&year)) = (signed, month, value.get(YEAR)) else {
        return Verdict::Fails("not an annotated key: signature or date is wrong");
    };
    let mut facts = Facts::new();
    if year.is_ascii_uppercase() {
        let (year, month) = (2024 + u32::from(year - b'A'), month - b'A' + 1);
        facts.insert("issued".into(), format!("{year}-{month:02}"));
    }
    Verdict::Holds(facts, None)
}

pub(super) fn complete_cask(value: &mut [u8], rng: &mut Rng) {
    if value.len() > MONTH {
        value[SIGNATURE].copy_from_slice(b"JQQJ99");
        value[YEAR] = b'A' + (rng.below(3) as u8);
        value[MONTH] = b'A' + (rng.below(12) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, cask};

    #[test]
    fn a_key_says_when_it_was_issued() {
        let key = |middle: &str| format!("{}{middle}{}", "aB3".repeat(17) + "x", "XJ3w3AAABACOGxyz1aB3xyZ");
        let Verdict::Holds(facts, None) = cask(key("JQQJ99BC").as_bytes()) else { panic!("holds") };
        assert_eq!(facts["issued"], "2025-03");
        for wrong in ["JQQJ99BZ", "JQQX99BC", ""] {
            assert!(matches!(cask(key(wrong).as_bytes()), Verdict::Fails(_)), "{wrong}");
        }
    }
}
