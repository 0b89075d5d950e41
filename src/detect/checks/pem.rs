//! Private keys in PEM armour: one canonical form whatever the line ends, indentation or escapes were, so that the same key
//! has one fingerprint. What is inside is read in `keys`.

mod body;

use data_encoding::BASE64;

use super::super::sample::Rng;
use super::Verdict;
use super::keys::{self, Parsed};
use crate::model::Facts;
use body::Body;

/// Fewer base64 characters than this are a placeholder: the shortest key that is known here, Ed25519 in PKCS#8, has 64.
const LEAST: usize = 64;
/// Formats that are not known here may hold 32 bytes and nothing else.
const LEAST_OTHER: usize = 43;
/// A value that is longer ends where no more was looked at (`longest` in detectors/private-key.toml), not where the key does.
const REACHED: usize = 3890;
/// So much of a key that is cut short makes its fingerprint, whatever follows: enough for the public number of RSA 8192.
const CUT: usize = 2048;

const KNOWN: &[&str] = &["", "RSA", "EC", "DSA", "ENCRYPTED", "OPENSSH", "PGP"];

pub(super) fn check(value: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(value);
    let Some((label, rest)) = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----")) else {
        return Verdict::Fails("not a PEM block");
    };
    let (inside, ended) = rest.split_once("-----END ").map_or((rest, false), |(inside, _)| (inside, true));
    let body = Body::read(inside, ended);
    if body.dots {
        return Verdict::Fails("placeholder: dots in the place of lines");
    }
    let name = label.split("PRIVATE KEY").next().unwrap_or_default().trim();
    let is_known = KNOWN.contains(&name);
    if body.text.len() < if is_known { LEAST } else { LEAST_OTHER } {
        return Verdict::Fails("placeholder: no key between the PEM lines");
    }
    let bytes = body.decode();
    let parsed = match keys::parse(label, &body.headers, &bytes) {
        // A block of packets may go on after any of them.
        Parsed::Whole(facts) if name == "PGP" && !ended => Parsed::Cut(facts, None),
        parsed => parsed,
    };
    if let (Parsed::Whole(_), true) = (&parsed, name == "PGP" && !body.is_summed(&bytes)) {
        return Verdict::Fails("checksum does not hold");
    }
    verdict(parsed, (label, &body, bytes.len()), ended, value.len() >= REACHED)
}

/// The same of a key in base64 without armour, on one line: its fingerprint is that of the key in armour.
pub(super) fn bare(value: &[u8]) -> Verdict {
    let holds = |text: &[u8]| memchr::memmem::find(&value[..value.len().min(48)], text).is_some();
    let label = match () {
        () if holds(b"BAAKC") || holds(b"BAAKB") => "RSA PRIVATE KEY",
        () if holds(b"CAQEE") => "EC PRIVATE KEY",
        () => "PRIVATE KEY",
    };
    check(&armour(label, &String::from_utf8_lossy(value)))
}

fn verdict(parsed: Parsed, (label, body, read): (&str, &Body, usize), ended: bool, reached: bool) -> Verdict {
    if let Parsed::Whole(facts) | Parsed::Cut(facts, _) = &parsed
        && let Some(why) = keys::published(facts)
    {
        return Verdict::Fails(why);
    }
    match parsed {
        Parsed::Whole(facts) => Verdict::Holds(facts, Some(armour(label, &body.text))),
        // What is between the lines was not all read, so what is missing may be there.
        Parsed::Cut(facts, _) if ended && body.odd => Verdict::Doubtful(facts),
        Parsed::Cut(..) if ended => Verdict::Fails("placeholder: shorter than it says it is"),
        Parsed::Cut(facts, whole) => {
            let facts = cut_short(facts, read, whole);
            let known = &body.text[..body.text.len().min(CUT)];
            if reached { Verdict::Holds(facts, Some(armour(label, known))) } else { Verdict::Doubtful(facts) }
        }
        Parsed::Broken(_) if body.odd => {
            Verdict::Doubtful(Facts::from([("format".to_owned(), "cannot be read as it is written here".to_owned())]))
        }
        Parsed::Broken(why) => Verdict::Fails(why),
        Parsed::Unknown(facts) => Verdict::Doubtful(facts),
    }
}

fn cut_short(mut facts: Facts, read: usize, whole: Option<usize>) -> Facts {
    let words = match whole {
        Some(whole) => format!("{} of {whole} bytes are here", read.min(whole)),
        None => format!("{read} bytes are here"),
    };
    facts.insert("cut_short".into(), words);
    facts
}

fn armour(label: &str, body: &str) -> Vec<u8> {
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.extend(["-----END ", label, "-----\n"]);
    out.into_bytes()
}

/// A key that never was anyone's.
pub(super) fn sample(rng: &mut Rng) -> Vec<u8> {
    let (label, der) = keys::synthetic::pem(rng);
    armour(label, &BASE64.encode(&der))
}

/// The same without armour, of RSA.
pub(super) fn sample_bare(rng: &mut Rng) -> Vec<u8> {
    loop {
        let (label, der) = keys::synthetic::pem(rng);
        if label.starts_with("RSA") {
            return BASE64.encode(&der).into_bytes();
        }
    }
}

#[cfg(test)]
mod tests;
