//! Signatures: ed25519 over what was approved and over what was proved. Private keys are PKCS#8 PEM as `openssl genpkey
//! -algorithm ed25519` writes them; public keys are base64, of the 32 bytes or of what `openssl pkey -pubout` puts between
//! its PEM lines.
//!
//! `dsse` is the envelope around a signed statement, `statement` what in-toto asks of one. A signature counts only when it
//! was made with a key that the operator's settings list as a trust root.

mod dsse;
mod statement;

use data_encoding::{BASE64, HEXLOWER};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

pub use dsse::{Envelope, Opened, TrustRoots};
pub use statement::{PAYLOAD_TYPE, STATEMENT, Statement, Subject, TEST_RESULT};

/// SubjectPublicKeyInfo of ed25519 is a fixed 12-byte head and the key: RFC 8410.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key or what was signed with it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestError {
    /// Not a private key of the kind we use.
    #[error("not an ed25519 private key in PKCS#8 PEM; `openssl genpkey -algorithm ed25519` makes one")]
    PrivateKey,
    /// Not a public key of the kind we use.
    #[error("not an ed25519 public key in base64; `openssl pkey -in KEY -pubout` prints one")]
    PublicKey,
    /// A trust root of the settings file is no key.
    #[error("the trust root {0:?} is not an ed25519 public key in base64; `openssl pkey -in KEY -pubout` prints one")]
    Root(String),
    /// Nobody's trust is asked for.
    #[error("the settings file lists no [[trust_root]], so no signature proves anything here; add the signer's public key")]
    NoRoots,
    /// Not an envelope, or not the statement that it should hold.
    #[error("not a DSSE envelope with an in-toto statement: {0}")]
    Envelope(String),
    /// No signature in it was made with a trust root.
    #[error(
        "no trust root signed it (key ids in it, which anyone can write: {0}); it proves nothing. If you trust that key, list it \
         as [[trust_root]] in the settings file"
    )]
    Untrusted(String),
}

/// Signs.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// Reads a PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, AttestError> {
        let body: Zeroizing<String> =
            Zeroizing::new(pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect());
        let der = Zeroizing::new(BASE64.decode(body.as_bytes()).map_err(|_| AttestError::PrivateKey)?);
        // Version 1 holds no public key to check against; OpenSSL writes version 1.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| AttestError::PrivateKey)?;
        Ok(Self(pair))
    }

    /// Signs a message; base64.
    pub fn sign(&self, message: &[u8]) -> String {
        BASE64.encode(self.0.sign(message).as_ref())
    }

    /// The public key, base64 of 32 bytes.
    pub fn public(&self) -> String {
        BASE64.encode(self.0.public_key().as_ref())
    }

    /// A key that nobody has seen before, for what must not outlive this process.
    pub fn ephemeral() -> Option<Self> {
        let pair = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).ok()?;
        Ed25519KeyPair::from_pkcs8(pair.as_ref()).ok().map(Self)
    }
}

/// The name of a public key: SHA-256 of its SubjectPublicKeyInfo, hex, as cosign and in-toto name keys. It identifies, and
/// proves nothing.
pub fn key_id(public: &str) -> Result<String, AttestError> {
    let whole = [SPKI.as_slice(), &raw(public)?].concat();
    Ok(HEXLOWER.encode(digest(&SHA256, &whole).as_ref()))
}

/// The 32 bytes of a public key in any of the forms that are taken.
fn raw(public: &str) -> Result<Vec<u8>, AttestError> {
    let text: String = public.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| AttestError::PublicKey)?;
    match bytes.len() {
        32 => Ok(bytes),
        44 if bytes.starts_with(&SPKI) => Ok(bytes[12..].to_vec()),
        _ => Err(AttestError::PublicKey),
    }
}

/// Whether `signature` (base64) over `message` was made with the private key of `public`.
pub fn verify(public: &str, message: &[u8], signature: &str) -> Result<bool, AttestError> {
    let key = raw(public)?;
    let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return Ok(false) };
    Ok(UnparsedPublicKey::new(&ED25519, key).verify(message, &signature).is_ok())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{AttestError, Signer, verify};

    /// A version-1 PKCS#8 as OpenSSL writes it, around a made-up seed.
    pub(crate) fn pem(seed: u8) -> String {
        let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        der.extend([seed; 32]);
        let label = "PRIVATE KEY";
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", data_encoding::BASE64.encode(&der))
    }

    #[test]
    fn only_the_right_key_over_the_right_message_verifies() {
        let (one, two) = (Signer::from_pem(&pem(1)).expect("a key"), Signer::from_pem(&pem(2)).expect("a key"));
        let signature = one.sign(b"digest");
        assert_eq!(verify(&one.public(), b"digest", &signature), Ok(true));
        assert_eq!(verify(&two.public(), b"digest", &signature), Ok(false));
        assert_eq!(verify(&one.public(), b"other", &signature), Ok(false));
        assert_eq!(verify(&one.public(), b"digest", "???"), Ok(false));
        assert_eq!(verify("AAAA", b"digest", &signature), Err(AttestError::PublicKey));
        assert!(matches!(Signer::from_pem("nonsense"), Err(AttestError::PrivateKey)));
    }
}
