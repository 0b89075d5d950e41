//! Private keys in DER: PKCS#1 (RFC 8017), DSA as OpenSSL writes it, SEC1 (RFC 5915), PKCS#8 (RFC 5958) plain and encrypted.
//! Which of them it is, is told from the structure: labels are often wrong.

use ring::signature::{Ed25519KeyPair, KeyPair};

use super::der::{BITS, INTEGER, OCTETS, Reader, SEQUENCE, bare, bits};
use super::{DOCTORED, NO_KEY, Parsed, TYPED, is_product, is_typed, plain, wire};
use crate::model::Facts;

/// Object identifier, name, bytes of a coordinate, and SSH's name.
const CURVES: &[(&str, &str, usize, Option<&str>)] = &[
    ("1.2.840.10045.3.1.7", "P-256", 32, Some("nistp256")),
    ("1.3.132.0.34", "P-384", 48, Some("nistp384")),
    ("1.3.132.0.35", "P-521", 66, Some("nistp521")),
    ("1.3.132.0.10", "secp256k1", 32, None),
    ("1.3.132.0.33", "P-224", 28, None),
    ("1.2.840.10045.3.1.1", "P-192", 24, None),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 32, None),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 48, None),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 64, None),
];

/// Algorithms whose secret is a string of octets or something else that is not looked into.
const OTHERS: &[(&str, &str)] = &[
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.113549.1.3.1", "DH"),
    ("1.2.840.10046.2.1", "DH"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
    ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
    ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
];

/// What a structure holds, or the reason why it is none.
type Read = Result<Facts, &'static str>;

pub(super) fn parse(label: &str, bytes: &[u8]) -> Parsed {
    let mut outer = Reader::new(bytes, true);
    let Some(top) = outer.take(SEQUENCE) else { return Parsed::Broken(NO_KEY) };
    let whole = bytes.len() - outer.rest.len() + top.missing;
    let cut = top.missing > 0;
    let inside = Reader::new(top.value, cut);
    let read = match inside.peek() {
        Some(INTEGER) => numbered(inside, label),
        Some(SEQUENCE) => super::pbes::encrypted(inside),
        _ => Err(NO_KEY),
    };
    match read {
        Ok(facts) if cut => Parsed::Cut(facts, Some(whole)),
        Ok(facts) => Parsed::Whole(facts),
        Err(why) => Parsed::Broken(why),
    }
}

/// A version, and then what it is the version of.
fn numbered(mut inside: Reader<'_>, label: &str) -> Read {
    let version = inside.take(INTEGER).filter(|version| version.value.len() == 1).ok_or(NO_KEY)?.value[0];
    match inside.peek() {
        Some(INTEGER) => integers(inside, label == "DSA PRIVATE KEY", version > 0),
        Some(OCTETS) => sec1(inside, None, "SEC1"),
        Some(SEQUENCE) => pkcs8(inside),
        _ => Err(NO_KEY),
    }
}

/// RSA: n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p. DSA: p, q, g, y, x.
fn integers(mut inside: Reader<'_>, dsa: bool, several_primes: bool) -> Read {
    let cut = inside.cut;
    let mut all = Vec::with_capacity(9);
    while let Some(number) = inside.take(INTEGER).filter(|_| all.len() < 9) {
        all.push(number);
    }
    let values: Vec<&[u8]> = all.iter().map(|number| number.value).collect();
    let size = all.first().map_or(0, |first| bits(first.value, first.missing));
    // The last of what is cut may be missing in part; what comes before it is whole.
    let known = all.len() - usize::from(all.last().is_some_and(|last| last.missing > 0));
    if dsa || (!cut && all.len() == 5) {
        let public = (known >= 4).then(|| values[..4].iter().map(|number| wire::mpint(number)).collect::<Vec<_>>());
        let public = public.map(|v| wire::pack(&[b"ssh-dss", &v[0], &v[1], &v[2], &v[3]]));
        let good = size >= 512 && (cut || all.len() == 5);
        return if good { Ok(plain("DSA", format!("DSA {size}"), public.as_deref())) } else { Err(NO_KEY) };
    }
    if size < 256 || !(cut || all.len() >= 8) {
        return Err(NO_KEY);
    }
    if let (false, &[n, _, _, p, q, ..], true) = (several_primes, values.as_slice(), known >= 5)
        && !is_product(n, p, q)
    {
        return Err(DOCTORED);
    }
    let public = (known >= 2).then(|| wire::rsa(values[0], values[1]));
    Ok(plain("PKCS#1", format!("RSA {size}"), public.as_deref()))
}

/// The secret number, the curve in \[0\] where the algorithm has not named it, and mostly the public point in \[1\].
fn sec1(mut inside: Reader<'_>, named: Option<String>, format: &str) -> Read {
    let secret = inside.take(OCTETS).ok_or(NO_KEY)?;
    let own = inside.enter(0xa0).map(curve);
    let name = named.or(own);
    let known = name.as_deref().and_then(|name| CURVES.iter().find(|curve| curve.0 == name));
    let size = known.map_or(secret.value.len(), |curve| curve.2);
    if secret.value.is_empty() || bare(secret.value).len() > size {
        return Err(NO_KEY);
    }
    if secret.missing == 0 && is_typed(secret.value) {
        return Err(TYPED);
    }
    let point = inside.enter(0xa1).and_then(|mut public| public.take(BITS)).filter(|point| point.missing == 0);
    let point = point.and_then(|point| point.value.strip_prefix(&[0]));
    if let (Some(point), Some(_)) = (point, known)
        && point.len() != 2 * size + 1
        && point.len() != size + 1
    {
        return Err(NO_KEY);
    }
    let full = point.filter(|point| point.first() == Some(&4));
    let public = known.and_then(|curve| curve.3).zip(full).map(|(curve, point)| wire::ecdsa(curve, point));
    let kind = match (known, name) {
        (Some(curve), _) => format!("EC {}", curve.1),
        (None, Some(name)) => format!("EC {name}"),
        (None, None) => format!("EC, {} bits", size * 8),
    };
    Ok(plain(format, kind, public.as_deref()))
}

/// The curve of some parameters: its identifier, or that its numbers are written out.
fn curve(mut parameters: Reader<'_>) -> String {
    parameters.oid().unwrap_or_else(|| "with a curve of its own".into())
}

/// The algorithm, and its key as octets.
fn pkcs8(mut inside: Reader<'_>) -> Read {
    const FORMAT: &str = "PKCS#8";
    let mut algorithm = inside.enter(SEQUENCE).ok_or(NO_KEY)?;
    let name = algorithm.oid().ok_or(NO_KEY)?;
    // What is cut before the key itself says its algorithm all the same.
    let key = inside.enter(OCTETS);
    let Some(mut key) = key.or_else(|| inside.cut.then(|| Reader::new(&[], true))) else { return Err(NO_KEY) };
    let empty = key.rest.is_empty();
    match name.as_str() {
        // rsaEncryption, RSASSA-PSS
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" if empty => Ok(plain(FORMAT, "RSA", None)),
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
            let mut facts = key.enter(SEQUENCE).ok_or(NO_KEY).and_then(|key| numbered(key, "RSA PRIVATE KEY"))?;
            facts.insert("format".into(), FORMAT.into());
            Ok(facts)
        }
        "1.2.840.10045.2.1" if empty => Ok(plain(FORMAT, "EC", None)),
        "1.2.840.10045.2.1" => {
            let mut key = key.enter(SEQUENCE).ok_or(NO_KEY)?;
            key.take(INTEGER).ok_or(NO_KEY)?;
            sec1(key, Some(curve(algorithm)), FORMAT)
        }
        "1.2.840.10040.4.1" => {
            let p = algorithm.enter(SEQUENCE).and_then(|mut numbers| numbers.take(INTEGER)).ok_or(NO_KEY)?;
            let whole = inside.cut || key.take(INTEGER).is_some_and(|x| !is_typed(x.value));
            if whole { Ok(plain(FORMAT, format!("DSA {}", bits(p.value, p.missing)), None)) } else { Err(NO_KEY) }
        }
        "1.3.101.112" if !empty => ed25519(key, FORMAT),
        _ if empty && !inside.cut => Err(NO_KEY),
        _ => {
            let kind = OTHERS.iter().find(|(oid, _)| *oid == name).map_or(name.as_str(), |(_, kind)| kind);
            if !inside.cut && is_typed(key.rest) { Err(TYPED) } else { Ok(plain(FORMAT, kind, None)) }
        }
    }
}

/// The seed, from which the public key follows.
fn ed25519(mut key: Reader<'_>, format: &str) -> Read {
    let seed = key.take(OCTETS).filter(|seed| seed.value.len() + seed.missing == 32).ok_or(NO_KEY)?;
    if seed.missing > 0 {
        return Ok(plain(format, "Ed25519", None));
    }
    if is_typed(seed.value) {
        return Err(TYPED);
    }
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.value).map_err(|_| NO_KEY)?;
    Ok(plain(format, "Ed25519", Some(&wire::ed25519(pair.public_key().as_ref()))))
}
