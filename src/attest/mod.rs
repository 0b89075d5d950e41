//! Signatures: ed25519 over what was approved. Private keys are PKCS#8 PEM as `openssl genpkey -algorithm ed25519` writes
//! them; public keys are base64, of the 32 bytes or of what `openssl pkey -pubout` puts between its PEM lines.

use data_encoding::BASE64;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

/// A key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestError {
    /// Not a private key of the kind we use.
    #[error("not an ed25519 private key in PKCS#8 PEM; `openssl genpkey -algorithm ed25519` makes one")]
    PrivateKey,
    /// Not a public key of the kind we use.
    #[error("not an ed25519 public key in base64; `openssl pkey -in KEY -pubout` prints one")]
    PublicKey,
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
}

/// Whether `signature` (base64) over `message` was made with the private key of `public`.
pub fn verify(public: &str, message: &[u8], signature: &str) -> Result<bool, AttestError> {
    let text: String = public.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| AttestError::PublicKey)?;
    // SubjectPublicKeyInfo of ed25519 is a fixed 12-byte head and the key: RFC 8410.
    let key = match bytes.len() {
        32 => bytes.as_slice(),
        44 if bytes.starts_with(&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]) => &bytes[12..],
        _ => return Err(AttestError::PublicKey),
    };
    let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return Ok(false) };
    Ok(UnparsedPublicKey::new(&ED25519, key).verify(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{AttestError, Signer, verify};

    /// A version-1 PKCS#8 as OpenSSL writes it, around a made-up seed.
    fn pem(seed: u8) -> String {
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
