//! Keys that never were anyone's, for examples: the right structure around numbers that a small generator made.

use data_encoding::BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::super::super::sample::Rng;
use super::der::{INTEGER, OCTETS, SEQUENCE};
use super::{ppk, wire};

fn bytes(rng: &mut Rng, count: usize) -> Vec<u8> {
    (0..count).map(|_| rng.byte()).collect()
}

/// An element.
pub(super) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let digits = super::der::bare(&length);
    let mut out = vec![tag];
    if body.len() >= 128 {
        out.push(0x80 | digits.len() as u8);
        out.extend(digits);
    } else {
        out.push(body.len() as u8);
    }
    out.extend(body);
    out
}

/// The product of two numbers of as many bytes each, as on paper.
pub(super) fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = vec![0_u8; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        let mut carry = 0_u32;
        for (j, y) in b.iter().rev().chain(std::iter::repeat_n(&0, a.len() - i)).enumerate() {
            let place = a.len() + b.len() - 1 - i - j;
            let sum = u32::from(out[place]) + u32::from(*x) * u32::from(*y) + carry;
            out[place] = sum as u8;
            carry = sum >> 8;
        }
    }
    out
}

/// The numbers of an RSA key: n, e, d, p, q and the three that follow from them. Nothing is prime.
pub(super) fn rsa_numbers(rng: &mut Rng, bits: usize) -> [Vec<u8>; 8] {
    let mut half = || {
        let mut number = bytes(rng, bits / 16);
        number[0] |= 0xc0;
        number[bits / 16 - 1] |= 1;
        number
    };
    let (p, q) = (half(), half());
    let [dp, dq, qi] = [half(), half(), half()];
    [product(&p, &q), vec![1, 0, 1], [half(), half()].concat(), p, q, dp, dq, qi]
}

/// PKCS#1.
pub(in crate::detect::checks) fn rsa(rng: &mut Rng, bits: usize) -> Vec<u8> {
    let numbers = rsa_numbers(rng, bits).map(|number| tlv(INTEGER, &wire::mpint(&number)));
    tlv(SEQUENCE, &[tlv(INTEGER, &[0]), numbers.concat()].concat())
}

/// SEC1 on P-256; the point is not the secret's.
pub(super) fn ec(rng: &mut Rng) -> Vec<u8> {
    let curve = tlv(0xa0, &tlv(super::der::OID, b"\x2a\x86\x48\xce\x3d\x03\x01\x07"));
    let point = tlv(0xa1, &tlv(super::der::BITS, &[vec![0, 4], bytes(rng, 64)].concat()));
    tlv(SEQUENCE, &[tlv(INTEGER, &[1]), tlv(OCTETS, &bytes(rng, 32)), curve, point].concat())
}

/// A seed and its public key.
pub(super) fn ed25519(rng: &mut Rng) -> (Vec<u8>, Vec<u8>) {
    let seed = bytes(rng, 32);
    let public = Ed25519KeyPair::from_seed_unchecked(&seed).map(|pair| pair.public_key().as_ref().to_vec());
    (seed, public.unwrap_or_default())
}

/// What stands between the PEM lines of some key, and the label.
pub(in crate::detect::checks) fn pem(rng: &mut Rng) -> (&'static str, Vec<u8>) {
    if rng.below(2) == 0 { ("RSA PRIVATE KEY", rsa(rng, 2048)) } else { ("EC PRIVATE KEY", ec(rng)) }
}

/// A PuTTY key without a passphrase.
pub(in crate::detect::checks) fn ppk(rng: &mut Rng) -> Vec<u8> {
    let (seed, point) = ed25519(rng);
    let comment = format!("{}@bastion", rng.text(b"abcdefghijklmnopqrstuvwxyz", 6));
    let (public, private) = (wire::ed25519(&point), wire::pack(&[&seed]));
    let lines = |blob: &[u8]| {
        let text = BASE64.encode(blob);
        let rows: Vec<&str> = text.as_bytes().chunks(64).filter_map(|row| std::str::from_utf8(row).ok()).collect();
        format!("{}\n{}", rows.len(), rows.join("\n"))
    };
    let mac = ppk::mac("ssh-ed25519", &comment, &public, &private);
    let head = format!("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: {comment}\n");
    let blobs = format!("Public-Lines: {}\nPrivate-Lines: {}\n", lines(&public), lines(&private));
    format!("{head}{blobs}Private-MAC: {mac}").into_bytes()
}
