//! A private SSH key: read from whatever it stood in, and signing with it.
//!
//! OpenSSH, SEC 1, PKCS#8 and PuTTY are read by russh and its `ssh-key`, which sign with Ed25519 and ECDSA. RSA is ring's: the
//! `rsa` crate is a pre-release in russh, and its timing is known to tell about keys (RUSTSEC-2023-0071).

use data_encoding::BASE64_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair};
use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair};
use russh::keys::ssh_key::public::RsaPublicKey;
use russh::keys::ssh_key::{Algorithm, HashAlg, Mpint, PrivateKey, PublicKey};
use zeroize::Zeroizing;

/// A private key that can be offered over SSH.
pub struct SshKey {
    public: PublicKey,
    secret: Secret,
}

enum Secret {
    /// Boxed: it is ten times as large as the other.
    Rsa(Box<RsaKeyPair>),
    Other(Box<PrivateKey>),
}

impl std::fmt::Debug for SshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SshKey({})", self.public.algorithm())
    }
}

/// No key that SSH could use, in words for people.
pub(super) const UNREADABLE: &str = "it is not a key that SSH knows";
const SEALED: &str = "it is encrypted, and nothing can be asked without its passphrase";
/// What ring signs with.
const SIZES: &str = "RSA keys of fewer than 2048 or more than 4096 bits are not offered";

impl SshKey {
    /// Reads a key in PEM (OpenSSH, PKCS#1, PKCS#8, SEC 1) or PuTTY's format, without a passphrase.
    ///
    /// # Errors
    /// Why it cannot be offered, for people; without any of its bytes.
    pub fn read(text: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| UNREADABLE)?;
        if text.starts_with("PuTTY-User-Key-File-") {
            return Self::of(PrivateKey::from_ppk(text, None).map_err(|_| UNREADABLE)?);
        }
        let der = body(text).ok_or(UNREADABLE)?;
        if der.starts_with(b"openssh-key-v1\0") {
            return Self::of(PrivateKey::from_bytes(&der).map_err(|_| UNREADABLE)?);
        }
        for read in [RsaKeyPair::from_pkcs8(&der), RsaKeyPair::from_der(&der)] {
            match read {
                Ok(pair) => return Self::of_rsa(pair),
                Err(error) if ["TooSmall", "TooLarge"].contains(&error.to_string().as_str()) => return Err(SIZES),
                Err(_) => {}
            }
        }
        Self::of(russh::keys::pkcs8::decode_pkcs8(&der, None).map_err(|_| UNREADABLE)?)
    }

    fn of(key: PrivateKey) -> Result<Self, &'static str> {
        if key.is_encrypted() {
            return Err(SEALED);
        }
        if let KeypairData::Rsa(pair) = key.key_data() {
            return Self::of_rsa(rsa(pair)?);
        }
        match key.algorithm() {
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => {}
            Algorithm::Dsa => return Err("DSA keys are taken nowhere any more"),
            _ => return Err("keys of this kind are not offered: they sign with hardware, or nobody knows them"),
        }
        Ok(Self { public: key.public_key().clone(), secret: Secret::Other(Box::new(key)) })
    }

    fn of_rsa(pair: RsaKeyPair) -> Result<Self, &'static str> {
        let public = pair.public();
        let number = |bytes: &[u8]| Mpint::from_positive_bytes(bytes);
        let numbers = PublicKeyComponents::<Vec<u8>>::from(public);
        let public = RsaPublicKey::new(number(&numbers.e), number(&numbers.n)).map_err(|_| UNREADABLE)?;
        Ok(Self { public: PublicKey::from(public), secret: Secret::Rsa(Box::new(pair)) })
    }

    /// A key that nobody can know.
    pub(super) fn random() -> Self {
        let seed = Zeroizing::new(ring::rand::generate(&SystemRandom::new()).map_or([7; 32], ring::rand::Random::expose));
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        Self { public: key.public_key().clone(), secret: Secret::Other(Box::new(key)) }
    }

    /// The public half.
    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.secret, Secret::Rsa(_))
    }

    /// A signature with its algorithm's name, as RFC 4253, 6.6 has it.
    fn sign(&self, message: &[u8], hash: Option<HashAlg>) -> Option<Vec<u8>> {
        let mut blob = Vec::new();
        match &self.secret {
            Secret::Other(key) => key.try_sign(message).ok()?.encode(&mut blob).ok()?,
            Secret::Rsa(pair) => {
                let (name, padding) = match hash {
                    Some(HashAlg::Sha256) => ("rsa-sha2-256", &RSA_PKCS1_SHA256),
                    _ => ("rsa-sha2-512", &RSA_PKCS1_SHA512),
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).ok()?;
                name.encode(&mut blob).ok()?;
                signature.as_slice().encode(&mut blob).ok()?;
            }
        }
        Some(blob)
    }
}

/// What is between the lines of a PEM block, decoded.
fn body(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (inside, _) = rest.split_once("-----END ")?;
    // A key as a scan keeps it ends without padding.
    let inside = inside.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    BASE64_NOPAD.decode(&Zeroizing::new(inside.collect::<Vec<u8>>())).ok().map(Zeroizing::new)
}

/// ring wants all of PKCS#1's numbers; OpenSSH and PuTTY leave out two that follow from the others.
fn rsa(pair: &RsaKeypair) -> Result<RsaKeyPair, &'static str> {
    let (public, private) = (pair.public(), pair.private());
    if !(2048..=4096).contains(&public.key_size()) {
        return Err(SIZES);
    }
    let bytes = |number: &Mpint| number.as_positive_bytes().map(|bytes| Zeroizing::new(bytes.to_vec())).ok_or(UNREADABLE);
    let (modulus, exponent) = (bytes(public.n())?, bytes(public.e())?);
    let [d, p, q, inverse] = [private.d(), private.p(), private.q(), private.iqmp()].map(bytes);
    let (d, p, q, inverse) = (d?, p?, q?, inverse?);
    let (d_p, d_q) = (rest(&d, &less_one(&p)), rest(&d, &less_one(&q)));
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: modulus.as_slice(), e: exponent.as_slice() },
        d: d.as_slice(),
        p: p.as_slice(),
        q: q.as_slice(),
        dP: d_p.as_slice(),
        dQ: d_q.as_slice(),
        qInv: inverse.as_slice(),
    };
    RsaKeyPair::from_components(&components).map_err(|_| UNREADABLE)
}

/// An odd number less one.
fn less_one(number: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut less = Zeroizing::new(number.to_vec());
    if let Some(last) = less.last_mut() {
        *last &= 0xfe;
    }
    less
}

/// What is left of `number` after division by `by`, both with the highest byte first; without zeros before it. Bit by bit: 4,096
/// of them are a few milliseconds, once a key. Zero where `by` is.
fn rest(number: &[u8], by: &[u8]) -> Zeroizing<Vec<u8>> {
    // One byte more, for the bit that is shifted out before the subtraction.
    let mut left = Zeroizing::new(vec![0_u8; by.len() + 1]);
    if by.iter().all(|byte| *byte == 0) {
        return Zeroizing::new(Vec::new());
    }
    for bit in number.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
        let mut carry = bit;
        for byte in left.iter_mut().rev() {
            let over = *byte >> 7;
            *byte = *byte << 1 | carry;
            carry = over;
        }
        if left[0] != 0 || &left[1..] >= by {
            subtract(&mut left, by);
        }
    }
    let zeros = left.iter().take_while(|byte| **byte == 0).count();
    Zeroizing::new(left[zeros..].to_vec())
}

/// `from` has one byte more, and is not the smaller.
fn subtract(from: &mut [u8], by: &[u8]) {
    let mut borrow = false;
    for (at, byte) in from.iter_mut().rev().enumerate() {
        let take = by.len().checked_sub(at + 1).map_or(0, |at| by[at]);
        let (less, one) = byte.overflowing_sub(take);
        let (less, two) = less.overflowing_sub(u8::from(borrow));
        *byte = less;
        borrow = one || two;
    }
}

/// Signs when the host asks for it.
pub(super) struct Pen<'k> {
    pub(super) key: &'k SshKey,
    pub(super) hash: Option<HashAlg>,
    /// Whether it does.
    pub(super) signs: bool,
    /// Whether the host asked.
    pub(super) asked: bool,
}

/// No signature.
#[derive(Debug)]
pub(super) enum Unsigned {
    /// It was only to be seen whether the host would ask.
    Withheld,
    /// The key cannot sign after all.
    Failed,
    /// The conversation has ended.
    Gone,
}

impl From<russh::SendError> for Unsigned {
    fn from(_: russh::SendError) -> Self {
        Self::Gone
    }
}

impl Signer for Pen<'_> {
    type Error = Unsigned;

    /// The message, and behind it the signature in its length (as russh's client of agents gives it back).
    async fn auth_sign(&mut self, _: &AgentIdentity, _: Option<HashAlg>, mut message: Vec<u8>) -> Result<Vec<u8>, Unsigned> {
        self.asked = true;
        if !self.signs {
            return Err(Unsigned::Withheld);
        }
        let blob = self.key.sign(&message, self.hash).ok_or(Unsigned::Failed)?;
        blob.as_slice().encode(&mut message).map_err(|_| Unsigned::Failed)?;
        Ok(message)
    }
}

#[cfg(test)]
mod tests;
