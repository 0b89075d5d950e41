//! OpenPGP secret keys (RFC 4880, RFC 9580): the first packets of a private key block.

use jiff::Timestamp;

use super::der::bits;
use super::openssh::shown;
use super::{NO_KEY, Parsed, fact};
use crate::model::Facts;

const SECRET_KEY: u8 = 5;
const SECRET_SUBKEY: u8 = 7;
const USER_ID: u8 = 13;

/// A block has a key, names, signatures and subkeys; more packets than this are not looked at.
const MOST_PACKETS: usize = 64;

const CURVES: &[(&[u8], &str)] = &[
    (b"\x2b\x06\x01\x04\x01\xda\x47\x0f\x01", "Ed25519"),
    (b"\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01", "Curve25519"),
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", "P-256"),
    (b"\x2b\x81\x04\x00\x22", "P-384"),
    (b"\x2b\x81\x04\x00\x23", "P-521"),
    (b"\x2b\x81\x04\x00\x0a", "secp256k1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1"),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1"),
];

const CIPHERS: &[(u8, &str)] = &[
    (1, "idea"),
    (2, "des-ede3"),
    (3, "cast5"),
    (4, "blowfish"),
    (7, "aes128"),
    (8, "aes192"),
    (9, "aes256"),
    (10, "twofish"),
    (11, "camellia128"),
    (12, "camellia192"),
    (13, "camellia256"),
];

struct Packet<'b> {
    tag: u8,
    body: &'b [u8],
    missing: bool,
}

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut rest = bytes;
    let Some(first) = packet(&mut rest).filter(|first| first.tag == SECRET_KEY) else { return Parsed::Broken(NO_KEY) };
    let Some((mut facts, mut sealed)) = secret(first.body) else {
        let known = fact("format", "OpenPGP");
        return if first.missing { Parsed::Cut(known, None) } else { Parsed::Broken(NO_KEY) };
    };
    let mut cut = first.missing;
    for _ in 0..MOST_PACKETS {
        let Some(next) = packet(&mut rest) else { break };
        cut |= next.missing;
        match next.tag {
            USER_ID if !next.missing => drop(facts.entry("user".into()).or_insert_with(|| shown(next.body))),
            // The primary key's secret is often kept elsewhere and those of its subkeys are here.
            SECRET_SUBKEY if sealed == Sealed::Elsewhere => {
                sealed = secret(next.body).map_or(sealed, |(_, subkey)| subkey);
            }
            _ => {}
        }
    }
    match sealed {
        Sealed::Elsewhere if !cut => return Parsed::Broken("no secret in it: it is on a card or in another file"),
        Sealed::Elsewhere | Sealed::Unknown => {}
        Sealed::By(how) => drop(facts.insert("encrypted".into(), how)),
        Sealed::Not => drop(facts.insert("encrypted".into(), "no".into())),
    }
    if cut { Parsed::Cut(facts, None) } else { Parsed::Whole(facts) }
}

/// The next packet, in the old or the new format. Partial lengths are not for keys.
fn packet<'b>(rest: &mut &'b [u8]) -> Option<Packet<'b>> {
    let (&head, after) = rest.split_first().filter(|(head, _)| **head & 0x80 != 0)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let (tag, digits, after) = if head & 0x40 != 0 {
        match *after.first()? {
            0..192 => (head & 0x3f, 1, after),
            192..224 => (head & 0x3f, 2, after),
            255 => (head & 0x3f, 4, &after[1..]),
            _ => return None,
        }
    } else {
        ((head >> 2) & 0x0f, *[1, 2, 4].get(usize::from(head & 3))?, after)
    };
    let (digits, after) = after.split_at_checked(digits)?;
    let is_new_two = head & 0x40 != 0 && digits.len() == 2;
    let length = if is_new_two { number(digits) - (192 << 8) + 192 } else { number(digits) };
    let (body, after) = after.split_at_checked(length).unwrap_or((after, &[]));
    *rest = after;
    Some(Packet { tag, body, missing: body.len() < length })
}

/// What protects a secret.
#[derive(PartialEq, Eq)]
enum Sealed {
    Not,
    By(String),
    /// GnuPG's stub of a key that is on a card or was taken out.
    Elsewhere,
    /// Cut before it says so.
    Unknown,
}

/// A secret key's packet: version, time, algorithm, public numbers, protection.
fn secret(body: &[u8]) -> Option<(Facts, Sealed)> {
    let (head, rest) = body.split_at_checked(6)?;
    let (version, seconds) = (head[0], u32::from_be_bytes(head[1..5].try_into().ok()?));
    let mut facts = fact("format", "OpenPGP");
    facts.extend(Timestamp::from_second(seconds.into()).ok().map(|at| ("created".to_owned(), at.to_string())));
    // Version 6 writes the length of the public numbers, version 3 the days that it is good for.
    let rest = match version {
        4 => rest,
        6 => rest.get(4..)?,
        _ => return None,
    };
    let (kind, after) = public(head[5], rest)?;
    facts.insert("kind".into(), kind);
    let Some(after) = after else { return Some((facts, Sealed::Unknown)) };
    let length = body.len() - after.len();
    if version == 4 {
        let head = [&[0x99], u16::try_from(length).ok()?.to_be_bytes().as_slice(), &body[..length]].concat();
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &head);
        facts.insert("public_key".into(), data_encoding::HEXUPPER.encode(digest.as_ref()));
    }
    Some((facts, protection(after)))
}

/// The kind, and what follows the public numbers; nothing where these are cut short.
fn public(algorithm: u8, rest: &[u8]) -> Option<(String, Option<&[u8]>)> {
    let (name, numbers) = match algorithm {
        1..=3 => ("RSA", 2),
        16 => ("Elgamal", 3),
        17 => ("DSA", 4),
        18 | 19 | 22 => return on_curve(algorithm, rest),
        25 => return Some(("X25519".into(), rest.get(32..))),
        26 => return Some(("X448".into(), rest.get(56..))),
        27 => return Some(("Ed25519".into(), rest.get(32..))),
        28 => return Some(("Ed448".into(), rest.get(57..))),
        _ => return None,
    };
    let size = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
    let first = rest.get(2..)?;
    let good = (512..=16384).contains(&size) && bits(first.get(..1)?, size.div_ceil(8) - 1) == size;
    let after = (0..numbers).try_fold(rest, |rest, _| mpi(rest));
    good.then(|| (format!("{name} {size}"), after))
}

/// What follows a number that is written with its bits.
fn mpi(rest: &[u8]) -> Option<&[u8]> {
    let (size, rest) = rest.split_first_chunk::<2>()?;
    rest.get(usize::from(u16::from_be_bytes(*size)).div_ceil(8)..)
}

fn on_curve(algorithm: u8, rest: &[u8]) -> Option<(String, Option<&[u8]>)> {
    let (&length, rest) = rest.split_first()?;
    let (oid, rest) = rest.split_at_checked(usize::from(length)).filter(|_| (1..=24).contains(&length))?;
    let curve = CURVES.iter().find(|(known, _)| *known == oid).map_or("a curve of its own", |(_, name)| *name);
    let kind = if curve.starts_with(['P', 's', 'b']) { format!("EC {curve}") } else { curve.to_owned() };
    let after = mpi(rest);
    // ECDH says which hash and cipher wrap the session key.
    let after = if algorithm == 18 { after.and_then(|rest| rest.get(1 + usize::from(*rest.first()?)..)) } else { after };
    Some((kind, after))
}

/// How the secret numbers are protected: the string-to-key usage and what follows it.
fn protection(rest: &[u8]) -> Sealed {
    let (usage, cipher, kind) = match *rest {
        [0, ..] => return Sealed::Not,
        [usage @ (254 | 255), cipher, kind, ..] => (usage, cipher, Some((kind, &rest[3..]))),
        [usage @ 253, ..] => (usage, rest.get(1).or(rest.first()).copied().unwrap_or_default(), None),
        [usage, ..] => (usage, usage, None),
        [] => return Sealed::Unknown,
    };
    let name = CIPHERS.iter().find(|(id, _)| *id == cipher).map_or("an unknown cipher", |(_, name)| name);
    Sealed::By(match kind {
        // GnuPG: a hash and "GNU", then 1 for nothing, 2 for a card.
        Some((101, _)) => return Sealed::Elsewhere,
        Some((0, _)) => format!("{name}, one hash without salt"),
        Some((1, _)) => format!("{name}, one hash with salt"),
        Some((3, more)) => {
            let count = more.get(9).map_or(0, |c| (16 + u64::from(c & 15)) << ((c >> 4) + 6));
            format!("{name}, iterated hash of {count} bytes")
        }
        Some((4, _)) => format!("{name}, Argon2"),
        None if usage == 253 => "with authentication".into(),
        _ => name.into(),
    })
}
