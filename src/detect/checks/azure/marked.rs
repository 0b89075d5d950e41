//! Azure's keys with a mark of four characters and a checksum behind it ("identifiable keys"): base64 of random bytes, the
//! mark, and four bytes of Marvin over all before them, with a seed that tells what the key may do
//! (microsoft/security-utilities, IdentifiableMetadata.cs and IdentifiableSecrets.cs).
//!
//! Confirmed on keys in public repositories, each of another owner, on 2026-11-26: storage 4 of 4, functions 4 of 4, search
//! 4 of 4, container registry 5 of 5, Cosmos DB 3 of 3, event hubs 3 of 3, Redis 3 of 3, service bus 2 of 2, IoT hub 1 of 1.
//! For the rest the seed was only read; there a checksum that does not hold says no more than that it is doubtful.

use data_encoding::{BASE64, BASE64_NOPAD};

use super::super::super::sample::Rng;
use super::super::Verdict;
use super::marvin::checksum;
use crate::model::Facts;

/// What is known of the keys with one mark.
struct Mark {
    text: &'static str,
    /// Seeds, and what keys with them are.
    seeds: &'static [(&'static [u8; 8], &'static str)],
    /// Whether two or more samples confirmed it.
    confirmed: bool,
}

const MESSAGING: &[(&[u8; 8], &str)] = &[
    (b"Manage00", "manages, sends and listens"),
    (b"Send0000", "sends"),
    (b"Listen00", "listens"),
    (b"System00", "of the system"),
    (b"Unknown0", "of a policy with other rights"),
];

const MARKS: &[Mark] = &[
    Mark { text: "+ASt", seeds: &[(b"Default0", "account key")], confirmed: true },
    Mark {
        text: "ACDb",
        seeds: &[
            (b"MastRW00", "primary or secondary, reads and writes"),
            (b"MastRO00", "read-only"),
            (b"SysAll00", "of the system"),
            (b"SystRW00", "of the system, reads and writes"),
            (b"SystRO00", "of the system, read-only"),
            (b"Resour00", "seed of resource tokens"),
            (b"Encryp00", "data encryption"),
        ],
        confirmed: true,
    },
    Mark {
        text: "AzFu",
        seeds: &[(b"Functi00", "function or host key"), (b"Master00", "master key"), (b"System00", "system key")],
        confirmed: true,
    },
    Mark { text: "AzSe", seeds: &[(b"PAdmin00", "admin key"), (b"Query000", "query key")], confirmed: true },
    Mark { text: "+ACR", seeds: &[(b"ACRDflt0", "password")], confirmed: true },
    Mark { text: "AzCa", seeds: &[(b"Access00", "access key")], confirmed: true },
    Mark { text: "+ASb", seeds: MESSAGING, confirmed: true },
    Mark { text: "+AEh", seeds: MESSAGING, confirmed: true },
    Mark { text: "+ARm", seeds: MESSAGING, confirmed: false },
    Mark { text: "+ABa", seeds: &[(b"AbAcct00", "account key")], confirmed: false },
    Mark {
        text: "AIoT",
        seeds: &[(b"IoTHub00", "hub policy"), (b"DpsKey00", "device provisioning"), (b"Device00", "device")],
        confirmed: false,
    },
    Mark {
        text: "APIM",
        seeds: &[
            (b"IoTHub00", "subscription"),
            (b"Tenant00", "direct management"),
            (b"Gatewy00", "gateway"),
            (b"GitKey00", "repository"),
        ],
        confirmed: false,
    },
];

/// Characters of the checksum.
const SUM: usize = 6;

pub(super) fn check(value: &[u8]) -> Verdict {
    let text = plain(value);
    let Some((mark, _)) = marked(&text) else {
        // Keys that are older than the marks have none, and are told by what stands around them.
        return Verdict::Holds(Facts::new(), None);
    };
    let Ok(bytes) = BASE64_NOPAD.decode(text.as_bytes()) else { return wrong(mark) };
    let held = mark.seeds.iter().find(|(seed, _)| is_summed(&text, &bytes, u64::from_be_bytes(**seed), mark));
    match held {
        Some((_, words)) => Verdict::Holds(Facts::from([("kind".to_owned(), (*words).to_owned())]), None),
        None => wrong(mark),
    }
}

fn wrong(mark: &Mark) -> Verdict {
    if mark.confirmed { Verdict::Fails("checksum does not hold") } else { Verdict::Doubtful(Facts::new()) }
}

/// Standard base64 without padding, whatever it was.
fn plain(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value).replace("%3D", "=").replace('-', "+").replace('_', "/");
    text.trim_end_matches('=').to_owned()
}

/// The mark, and where the checksum begins.
fn marked(text: &str) -> Option<(&'static Mark, usize)> {
    let at = text.len().checked_sub(SUM)?;
    let found = text.get(at.checked_sub(4)?..at)?;
    MARKS.iter().find(|mark| mark.text == found).map(|mark| (mark, at))
}

fn is_summed(text: &str, bytes: &[u8], seed: u64, mark: &Mark) -> bool {
    let body = &bytes[..bytes.len().saturating_sub(4)];
    let whole = BASE64_NOPAD.encode(&[body, &checksum(body, seed).to_le_bytes()].concat());
    // Redis has no + and / in its keys: others stand for them after the checksum is made.
    let other = |text: &str| if mark.text == "AzCa" { text.replace('+', "P").replace('/', "F") } else { text.to_owned() };
    other(&whole[whole.len() - SUM..]) == text[text.len() - SUM..]
}

/// Gives a made value its checksum; one of letters and digits, since some patterns take no others.
pub(super) fn complete(value: &mut Vec<u8>, rng: &mut Rng) {
    let mut text = plain(value);
    let Some((mark, at)) = marked(&text) else { return };
    let is_url = mark.text == "AzFu";
    for _ in 0..500 {
        // What stands in the checksum's place is overwritten, but it has to decode.
        text.truncate(at);
        text.push_str("AAAAAA");
        let Ok(mut bytes) = BASE64_NOPAD.decode(text.as_bytes()) else { return };
        let body = bytes.len() - 4;
        let sum = checksum(&bytes[..body], u64::from_be_bytes(*mark.seeds[0].0)).to_le_bytes();
        bytes[body..].copy_from_slice(&sum);
        let whole = BASE64.encode(&bytes);
        if whole[at..].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'=') {
            *value = if is_url { whole.replace('+', "-").replace('/', "_") } else { whole }.into_bytes();
            return;
        }
        text.replace_range(..8, &rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 8));
    }
}

#[cfg(test)]
mod tests {
    use super::{MARKS, Verdict, check, complete};
    use crate::detect::sample::Rng;

    /// Bytes of a key with this mark, and the places of its characters before the mark.
    fn made(mark: &str, rng: &mut Rng) -> Vec<u8> {
        let before = match mark {
            "+ASt" | "ACDb" | "+ABa" | "APIM" => 76,
            "AzSe" | "+ACR" => 42,
            "AzFu" => 44,
            _ => 33,
        };
        let body = rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", before);
        let mut value = format!("{body}{mark}AAAAAA").into_bytes();
        complete(&mut value, rng);
        value
    }

    #[test]
    fn a_key_holds_and_its_neighbour_does_not() {
        for (n, mark) in MARKS.iter().enumerate() {
            let mut key = made(mark.text, &mut Rng::new(n as u64 + 1));
            let Verdict::Holds(facts, None) = check(&key) else { panic!("{}", mark.text) };
            assert_eq!(facts["kind"], mark.seeds[0].1);
            key[3] = if key[3] == b'x' { b'y' } else { b'x' };
            match check(&key) {
                Verdict::Fails(why) => assert!(mark.confirmed && why == "checksum does not hold"),
                Verdict::Doubtful(_) => assert!(!mark.confirmed),
                other => panic!("{}: {other:?}", mark.text),
            }
        }
    }

    #[test]
    fn keys_made_by_another_implementation_tell_their_kind() {
        // Made in Python after the text of IdentifiableSecrets.cs, from fixed bytes.
        for (pieces, kind) in KEYS {
            let key = pieces.concat();
            let Verdict::Holds(facts, None) = check(key.as_bytes()) else { panic!("{kind}") };
            assert_eq!(facts["kind"], *kind);
        }
        let escaped = KEYS[2].0.concat().replace("==", "%3D%3D");
        assert!(matches!(check(escaped.as_bytes()), Verdict::Holds(..)));
    }

    const KEYS: &[(&[&str], &str)] = &[
        (
            &["RXx2nznYZEGZwOW9vPvI", "WzfOkcveH8Gw6mtE8TBD", "bdcp/mm9nozrpqB9Hewl", "sbCH7+JsB/8NIdfb+ASt", "4cYQRA=="],
            "account key",
        ),
        (
            &["dNN/8TbqwT9VMiOmOEFG", "DTtqoeaNaCco9hD7HH/Z", "LV+i6BR4AHFS3qhlHz/O", "WXlhaOkzi4f+GhpFACDb", "y/4wQQ=="],
            "read-only",
        ),
        (&["mXNbAyDbLruimns3bJZ8", "aB0ojEexgpwuIZyV6p3M", "Ed5FAzFuOHVv1g=="], "master key"),
        (&["XtLbKHaLDcNX0xHMSB5q", "EupChiMcaTCeS14Rnn7A", "4HAzSeAFf1Lf"], "query key"),
        (&["MFF0ALkY6/iqYRTfsjNc", "AfvunjWrPArGG+ASbMh3", "TuM="], "listens"),
        (&["s94lTYQlQdGvamWaj1oN", "lk233QCWE5KYSAzCaO7c", "PiA="], "access key"),
        (&["uWiAVubY5hAnZ1lPa074", "WppmitEmOlpOxAIoTPkp", "cNc="], "device"),
    ];

    #[test]
    fn keys_without_a_mark_are_left_alone() {
        for old in ["", "=", "abc", &"Q".repeat(43), "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"] {
            assert!(matches!(check(old.as_bytes()), Verdict::Holds(facts, None) if facts.is_empty()), "{old}");
        }
    }
}
