//! What is inside the armour of a private key: its format, kind and size, whether a passphrase protects it and how, and the
//! public key's fingerprint where the public part is in it. Only shapes are checked, and that numbers belong together as
//! far as their last 64 bits say; nothing is decrypted.

mod der;
mod openssh;
mod pbes;
mod pgp;
mod pkcs;
pub(super) mod ppk;
mod sealed;
pub(super) mod synthetic;
mod wire;

use crate::model::Facts;

/// What some bytes turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A private key.
    Whole(Facts),
    /// The beginning of one, and how many bytes the whole would have, where it says so.
    Cut(Facts, Option<usize>),
    /// Not one. The words are the suppression's reason.
    Broken(&'static str),
    /// Of a format that is not known here.
    Unknown(Facts),
}

/// It has no structure of a key.
const NO_KEY: &str = "placeholder: what is between the PEM lines is no key";
/// Every number is there, and they are not one key's.
const DOCTORED: &str = "not a key: its numbers do not belong together";
/// The secret number was typed.
const TYPED: &str = "placeholder: the secret number is the same few bytes";

/// Public keys of which everybody has the private one, by fingerprint. Both from `keys/vagrant.pub` and
/// `keys/vagrant.pub.ed25519` in hashicorp/vagrant, through `ssh-keygen -l`.
const PUBLISHED: &[(&str, &str)] = &[
    ("SHA256:1M4RzhMyWuFS/86uPY/ce2prh/dVTHW7iD2RhpquOZA", "a published key: Vagrant's insecure key"),
    ("SHA256:WkvqjnyPAeC0cbPErYiGP9vqHdgL1MqqvPdIe3lvHgI", "a published key: Vagrant's insecure key"),
];

/// Why a key is not worth a report: everybody has it.
pub(super) fn published(facts: &Facts) -> Option<&'static str> {
    let own = facts.get("public_key")?;
    PUBLISHED.iter().find(|(known, _)| known == own).map(|(_, why)| *why)
}

/// Reads the decoded body of a PEM block.
pub(super) fn parse(label: &str, headers: &[String], bytes: &[u8]) -> Parsed {
    if let Some(parsed) = sealed::by_headers(label, headers, bytes) {
        return parsed;
    }
    match label {
        "OPENSSH PRIVATE KEY" => openssh::parse(bytes),
        _ if label.starts_with("PGP ") => pgp::parse(bytes),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
            // Some tools write any key under any of these names.
            if bytes.starts_with(openssh::MAGIC) { openssh::parse(bytes) } else { pkcs::parse(label, bytes) }
        }
        _ if bytes.starts_with(b"{") => sealed::cosign(label, bytes),
        _ => match pkcs::parse(label, bytes) {
            Parsed::Broken(_) if sealed::is_random(bytes) => {
                Parsed::Unknown(fact("format", label.trim_end_matches(" PRIVATE KEY")))
            }
            parsed => parsed,
        },
    }
}

fn fact(name: &str, value: impl Into<String>) -> Facts {
    Facts::from([(name.to_owned(), value.into())])
}

/// Facts of an unencrypted key.
fn plain(format: &str, kind: impl Into<String>, public: Option<&[u8]>) -> Facts {
    let mut facts = fact("format", format);
    facts.insert("kind".into(), kind.into());
    facts.insert("encrypted".into(), "no".into());
    facts.extend(public.map(|blob| ("public_key".to_owned(), wire::fingerprint(blob))));
    facts
}

/// What somebody typed: few different bytes where a secret number should be. Of 32 random bytes about 30 are different.
fn is_typed(secret: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count() < 10
}

/// Whether n is p times q, as far as sizes and the last 64 bits say. A key with one changed letter fails 63 times of 64.
fn is_product(n: &[u8], p: &[u8], q: &[u8]) -> bool {
    let low = |number: &[u8]| number.iter().rev().take(8).rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let sizes = der::bits(p, 0) + der::bits(q, 0);
    let size = der::bits(n, 0);
    size > 0 && (size..=size + 1).contains(&sizes) && low(n) == low(p).wrapping_mul(low(q))
}

#[cfg(test)]
pub(super) mod tests;
