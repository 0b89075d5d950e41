//! The account inside an AWS access key id, and the accounts that are traps.
//!
//! Sources: trufflehog's `aws` detectors and Hacking the Cloud ("Get Account ID from AWS Access Keys"), checked here
//! against the key id that the latter published.

use data_encoding::BASE32_NOPAD;

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

/// Accounts of Thinkst's canary tokens. Source: trufflehog, `pkg/detectors/aws`.
const THINKST: &[&str] = &[
    "052310077262",
    "171436882533",
    "534261010715",
    "595918472158",
    "717712589309",
    "819147034852",
    "992382622183",
    "730335385048",
    "266735846894",
    "893192397702",
];
/// Accounts that behave like canaries without being Thinkst's. Source: as above.
const LOOK_ALIKE: &[&str] = &[
    "044858866125",
    "251535659677",
    "344043088457",
    "351906852752",
    "390477818340",
    "426127672474",
    "427150556519",
    "439872796651",
    "445142720921",
    "465867158099",
    "637958123769",
    "693412236332",
    "732624840810",
    "735421457923",
    "959235150393",
    "982842642351",
];

/// The 12-digit account id in a 20-character key id, or `None` for the older format whose fifth character is I or J, and where the
/// number has more digits, so that nobody has that account.
pub(super) fn account(key_id: &[u8]) -> Option<String> {
    let body = key_id.get(4..20)?;
    if matches!(body[0], b'I' | b'J') {
        return None;
    }
    let bytes = BASE32_NOPAD.decode(body).ok()?;
    let number = bytes[..6].iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let account = (number & 0x7fff_ffff_ff80) >> 7;
    (account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

/// AWS writes ids in base 32; 0, 1, 8 and 9 are in samples that others made up, and in ids of a kind not seen yet.
pub(super) fn key_id(value: &[u8]) -> Verdict {
    let made_up = value.iter().any(|byte| matches!(byte, b'0' | b'1' | b'8' | b'9'));
    if made_up { Verdict::Doubtful(Facts::new()) } else { Verdict::Holds(key_id_facts(value), None) }
}

/// Makes an id that AWS could have made.
pub(super) fn complete(value: &mut [u8], rng: &mut Rng) {
    for byte in value.iter_mut().skip(4).filter(|byte| matches!(byte, b'0' | b'1' | b'8' | b'9')) {
        *byte = b'A' + rng.below(26) as u8;
    }
}

/// What a key id says by itself.
pub(super) fn key_id_facts(key_id: &[u8]) -> Facts {
    let mut facts = Facts::new();
    let Some(account) = account(key_id) else { return facts };
    let canary = |list: &[&str]| list.contains(&account.as_str());
    if canary(THINKST) {
        facts.insert("canary".into(), "Thinkst canary token".into());
    } else if canary(LOOK_ALIKE) {
        facts.insert("canary".into(), "account known for canary keys".into());
    }
    facts.insert("account".into(), account);
    facts
}

#[cfg(test)]
mod tests {
    use super::{Verdict, account, key_id, key_id_facts};

    #[test]
    fn the_published_research_key_decodes() {
        let id = concat!("ASIA", "QNZGKIQY56JQ7WML");
        assert_eq!(account(id.as_bytes()).as_deref(), Some("029608264753"));
    }

    #[test]
    fn older_ids_and_short_ones_say_nothing() {
        assert_eq!(account(b"AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account(b"AKIA"), None);
    }

    #[test]
    fn no_account_has_thirteen_digits() {
        // The largest number of 12 digits, and the next.
        let id = |account: u64| {
            let mut bytes = [0u8; 10];
            bytes[..6].copy_from_slice(&(account << 7 | 1 << 47).to_be_bytes()[2..]);
            format!("AKIA{}", data_encoding::BASE32_NOPAD.encode(&bytes))
        };
        assert_eq!(account(id(999_999_999_999).as_bytes()).as_deref(), Some("999999999999"));
        assert_eq!(account(id(1_000_000_000_000).as_bytes()), None);
    }

    #[test]
    fn digits_that_base_32_lacks_are_a_doubt() {
        assert!(matches!(key_id(concat!("AKIA", "RZPUZDIKAB6VH3GC").as_bytes()), Verdict::Holds(..)));
        assert!(matches!(key_id(concat!("AKIA", "RZPUZDIKAB9VH3GC").as_bytes()), Verdict::Doubtful(_)));
    }

    #[test]
    fn canary_accounts_are_recognised() {
        // Encode 052310077262 the way AWS does: 40 bits of account shifted left by 7, in the first six of ten bytes.
        let number = 52_310_077_262u64 << 7;
        let mut bytes = [0u8; 10];
        bytes[..6].copy_from_slice(&number.to_be_bytes()[2..]);
        bytes[0] |= 0x80;
        let id = format!("AKIA{}", data_encoding::BASE32_NOPAD.encode(&bytes));
        let facts = key_id_facts(id.as_bytes());
        assert_eq!(facts["account"], "052310077262");
        assert_eq!(facts["canary"], "Thinkst canary token");
    }
}
