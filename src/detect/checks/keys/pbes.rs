//! EncryptedPrivateKeyInfo (RFC 5958, schemes of RFC 8018 and RFC 7292): by what it is encrypted, and at what price a
//! passphrase can be guessed.

use super::der::{INTEGER, OCTETS, Reader, SEQUENCE, bare};
use super::sealed::is_random;
use super::{NO_KEY, fact};
use crate::model::Facts;

/// Ciphers of PBES2.
const CIPHERS: &[(&str, &str)] = &[
    ("2.16.840.1.101.3.4.1.2", "aes128-cbc"),
    ("2.16.840.1.101.3.4.1.22", "aes192-cbc"),
    ("2.16.840.1.101.3.4.1.42", "aes256-cbc"),
    ("2.16.840.1.101.3.4.1.6", "aes128-gcm"),
    ("2.16.840.1.101.3.4.1.26", "aes192-gcm"),
    ("2.16.840.1.101.3.4.1.46", "aes256-gcm"),
    ("1.2.840.113549.3.7", "des-ede3-cbc"),
    ("1.2.840.113549.3.2", "rc2-cbc"),
    ("1.3.14.3.2.7", "des-cbc"),
];

/// Schemes that name cipher and hash at once.
const SCHEMES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.5.3", "des-cbc, MD5"),
    ("1.2.840.113549.1.5.6", "rc2-cbc, MD5"),
    ("1.2.840.113549.1.5.10", "des-cbc, SHA-1"),
    ("1.2.840.113549.1.5.11", "rc2-cbc, SHA-1"),
    ("1.2.840.113549.1.12.1.1", "rc4-128, SHA-1"),
    ("1.2.840.113549.1.12.1.2", "rc4-40, SHA-1"),
    ("1.2.840.113549.1.12.1.3", "des-ede3-cbc, SHA-1"),
    ("1.2.840.113549.1.12.1.4", "des-ede2-cbc, SHA-1"),
    ("1.2.840.113549.1.12.1.5", "rc2-128-cbc, SHA-1"),
    ("1.2.840.113549.1.12.1.6", "rc2-40-cbc, SHA-1"),
];

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const SCRYPT: &str = "1.3.6.1.4.1.11591.4.11";

/// The scheme, and the ciphertext as octets.
pub(super) fn encrypted(mut inside: Reader<'_>) -> Result<Facts, &'static str> {
    let mut scheme = inside.enter(SEQUENCE).ok_or(NO_KEY)?;
    let name = scheme.oid().ok_or(NO_KEY)?;
    let how = if name == PBES2 {
        pbes2(scheme).ok_or(NO_KEY)?
    } else {
        let mut parameters = scheme.enter(SEQUENCE).ok_or(NO_KEY)?;
        let rounds = parameters.take(OCTETS).and_then(|_| parameters.take(INTEGER)).and_then(|rounds| number(rounds.value));
        let (words, rounds) = (known(SCHEMES, &name), rounds.ok_or(NO_KEY)?);
        format!("{words} {rounds} times")
    };
    let text = inside.take(OCTETS);
    let good = text.map_or(inside.cut, |text| text.missing > 0 || is_random(text.value));
    let mut facts = fact("format", "PKCS#8");
    facts.insert("encrypted".into(), how);
    if good { Ok(facts) } else { Err(NO_KEY) }
}

/// `aes256-cbc, PBKDF2 600000 times`
fn pbes2(mut scheme: Reader<'_>) -> Option<String> {
    let mut parameters = scheme.enter(SEQUENCE)?;
    let mut derivation = parameters.enter(SEQUENCE)?;
    let name = derivation.oid()?;
    let mut own = derivation.enter(SEQUENCE)?;
    let cost = own.take(OCTETS).and_then(|_| own.take(INTEGER)).and_then(|cost| number(cost.value))?;
    let derived = match name.as_str() {
        PBKDF2 => format!("PBKDF2 {cost} times"),
        SCRYPT => format!("scrypt with N {cost}"),
        other => other.to_owned(),
    };
    let cipher = parameters.enter(SEQUENCE)?.oid()?;
    Some(format!("{}, {derived}", known(CIPHERS, &cipher)))
}

fn known<'n>(names: &[(&str, &'n str)], oid: &'n str) -> &'n str {
    names.iter().find(|(known, _)| *known == oid).map_or(oid, |(_, name)| *name)
}

/// A small number: counts of rounds fit in four bytes.
fn number(value: &[u8]) -> Option<u32> {
    let value = bare(value);
    (value.len() <= 4).then(|| value.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
}
