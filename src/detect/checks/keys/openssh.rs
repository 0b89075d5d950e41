//! `openssh-key-v1` (OpenSSH, PROTOCOL.key). The public key stands in the clear even where the private one is encrypted.

use super::der::bare;
use super::wire::{Wire, fingerprint, is_name, kind};
use super::{DOCTORED, NO_KEY, Parsed, TYPED, fact, is_product, is_typed};
use crate::model::Facts;

pub(super) const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A key's file has some thousand bytes. A length beyond this is not one that was cut.
const LARGEST: usize = 1 << 16;

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return Parsed::Broken(NO_KEY) };
    let mut wire = Wire { rest };
    let Some((mut facts, is_open)) = head(&mut wire) else { return cut(wire, fact("format", "OpenSSH"), bytes) };
    let Some(public) = wire.string() else { return cut(wire, facts, bytes) };
    let Some(kind) = kind(public) else { return Parsed::Broken(NO_KEY) };
    facts.insert("kind".into(), kind);
    facts.insert("public_key".into(), fingerprint(public));
    let Some(private) = wire.string() else { return cut(wire, facts, bytes) };
    if !is_open {
        return if private.len() >= 16 { Parsed::Whole(facts) } else { Parsed::Broken(NO_KEY) };
    }
    match inside(private, public) {
        Ok(comment) => {
            facts.extend(comment.filter(|comment| !comment.is_empty()).map(|comment| ("comment".to_owned(), comment)));
            Parsed::Whole(facts)
        }
        Err(why) => Parsed::Broken(why),
    }
}

/// Cipher, key derivation and its options, and the number of keys, which is 1. Also tells whether there is no cipher.
fn head(wire: &mut Wire<'_>) -> Option<(Facts, bool)> {
    let mut ahead = *wire;
    let [cipher, derivation, options] = ahead.strings()?;
    let count = ahead.word()?;
    let text = |name| std::str::from_utf8(name).ok().filter(|name| is_name(name));
    let (cipher, derivation) = (text(cipher)?, text(derivation)?);
    let mut options = Wire { rest: options };
    let rounds = options.string().and_then(|_| options.word());
    let mut facts = fact("format", "OpenSSH");
    let how = match (cipher, rounds) {
        ("none", _) => "no".to_owned(),
        (_, Some(rounds)) => format!("{cipher}, {derivation} with {rounds} rounds"),
        (_, None) => format!("{cipher}, {derivation}"),
    };
    facts.insert("encrypted".into(), how);
    *wire = ahead;
    (count == 1).then_some((facts, cipher == "none"))
}

/// What ends where a string should be: cut, if the string's length is one that a key's may have.
fn cut(wire: Wire<'_>, facts: Facts, bytes: &[u8]) -> Parsed {
    let mut ahead = wire;
    let length = ahead.word().unwrap_or_default();
    if length > LARGEST || length <= ahead.rest.len() && length > 0 {
        return Parsed::Broken(NO_KEY);
    }
    // Only the private part is the last one, so only then is the whole length known.
    let last = facts.contains_key("public_key") && ahead.rest.len() + 4 <= wire.rest.len();
    Parsed::Cut(facts, last.then(|| bytes.len() - ahead.rest.len() + length))
}

/// The unencrypted private part: two equal numbers, the type, its numbers, a comment. Returns the comment where the type is
/// one of which the numbers are known.
fn inside(private: &[u8], public: &[u8]) -> Result<Option<String>, &'static str> {
    let mut wire = Wire { rest: private };
    let checks = (wire.word(), wire.word());
    let name = wire.string().ok_or(NO_KEY)?;
    if checks.0 != checks.1 || (Wire { rest: public }).string() != Some(name) {
        return Err(NO_KEY);
    }
    match name {
        b"ssh-rsa" => {
            let [n, _, _, _, p, q] = wire.strings().ok_or(NO_KEY)?;
            is_product(n, p, q).then_some(()).ok_or(DOCTORED)?;
        }
        b"ssh-ed25519" => {
            let [point, secret] = wire.strings().ok_or(NO_KEY)?;
            let (seed, again) = secret.split_at_checked(32).ok_or(NO_KEY)?;
            (point == again).then_some(()).ok_or(DOCTORED)?;
            (!is_typed(seed)).then_some(()).ok_or(TYPED)?;
        }
        b"ssh-dss" => drop(wire.strings::<5>().ok_or(NO_KEY)?),
        name if name.starts_with(b"ecdsa-sha2-") => {
            let [_, _, secret] = wire.strings().ok_or(NO_KEY)?;
            (!is_typed(bare(secret))).then_some(()).ok_or(TYPED)?;
        }
        _ => return Ok(None),
    }
    let comment = wire.string().ok_or(NO_KEY)?;
    Ok(Some(shown(comment)))
}

/// A comment as it may be shown: at most 80 characters, none of them a control.
pub(super) fn shown(comment: &[u8]) -> String {
    String::from_utf8_lossy(comment).trim().chars().filter(|c| !c.is_control()).take(80).collect()
}
