//! Keyed fingerprints: the same secret under the same key always has the same name, and the name gives nothing away.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use ring::hmac;
use zeroize::Zeroizing;

/// The key under which fingerprints are made: an organisation's, the state folder's, or one for this run.
pub struct FingerprintKey {
    key: hmac::Key,
    bytes: Zeroizing<[u8; 32]>,
    id: [u8; 4],
}

impl FingerprintKey {
    /// Makes a key from 32 bytes of randomness.
    pub fn new(bytes: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let tag = hmac::sign(&key, b"staunch fingerprint key id v1");
        let mut id = [0; 4];
        id.copy_from_slice(&tag.as_ref()[..4]);
        Self { key, bytes: Zeroizing::new(bytes), id }
    }

    /// A key from the operating system's random numbers, or `None` when it has none to give.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).ok()?;
        Some(Self::new(bytes))
    }

    /// Reads the 64 hex digits that [`FingerprintKey::to_hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(HEXLOWER.decode(text.trim().to_ascii_lowercase().as_bytes()).ok()?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    /// The key as 64 hex digits, for the state folder. It is as secret as the findings are.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(self.bytes.as_slice()))
    }

    /// Eight hex digits that tell one key from another and say nothing about it.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&self.id)
    }

    /// HMAC-SHA-256 of a secret's bytes.
    pub fn fingerprint(&self, bytes: &[u8]) -> Fingerprint {
        let tag = hmac::sign(&self.key, bytes);
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        Fingerprint { key: self.id, digest }
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({})", self.id())
    }
}

/// HMAC-SHA-256 of a secret part, with the id of the key that made it. Fingerprints of different keys never compare equal.
///
/// Written as `KEYID-DIGEST` in lower-case hex: 8 digits, a dash, 64 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    key: [u8; 4],
    digest: [u8; 32],
}

impl Fingerprint {
    /// The short form that people read and type: key id, dash, the first 12 digits.
    pub fn short(&self) -> String {
        format!("{}-{}", HEXLOWER.encode(&self.key), HEXLOWER.encode(&self.digest[..6]))
    }

    /// Whether `text` (at least 8 hex digits of the digest, with or without the key id) names this fingerprint.
    pub fn matches_prefix(&self, text: &str) -> bool {
        let digest = text.split_once('-').map_or(text, |(_, digest)| digest);
        digest.len() >= 8 && (self.to_string().starts_with(text) || HEXLOWER.encode(&self.digest).starts_with(text))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", HEXLOWER.encode(&self.key), HEXLOWER.encode(&self.digest))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.short())
    }
}

/// The text is not `KEYID-DIGEST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 8 hex digits, a dash and 64 hex digits")]
pub struct ParseFingerprintError;

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, digest) = text.split_once('-').ok_or(ParseFingerprintError)?;
        let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).map_err(|_| ParseFingerprintError);
        Ok(Self {
            key: bytes(key)?.try_into().map_err(|_| ParseFingerprintError)?,
            digest: bytes(digest)?.try_into().map_err(|_| ParseFingerprintError)?,
        })
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, FingerprintKey};

    #[test]
    fn the_same_bytes_have_the_same_name_under_one_key_only() {
        let (a, b) = (FingerprintKey::new([1; 32]), FingerprintKey::new([2; 32]));
        assert_eq!(a.fingerprint(b"k"), a.fingerprint(b"k"));
        assert_ne!(a.fingerprint(b"k"), a.fingerprint(b"l"));
        assert_ne!(a.fingerprint(b"k"), b.fingerprint(b"k"));
    }

    #[test]
    fn text_round_trips() {
        let key = FingerprintKey::random().expect("random numbers");
        let print = key.fingerprint(b"k");
        assert_eq!(print.to_string().parse::<Fingerprint>(), Ok(print));
        assert_eq!(print.to_string().len(), 8 + 1 + 64);
        let again = FingerprintKey::from_hex(&key.to_hex()).expect("hex");
        assert_eq!(again.fingerprint(b"k"), print);
        assert!("abc".parse::<Fingerprint>().is_err());
    }

    #[test]
    fn prefixes_name_it_from_eight_digits_on() {
        let print = FingerprintKey::new([7; 32]).fingerprint(b"k");
        let text = print.to_string();
        assert!(print.matches_prefix(&print.short()));
        assert!(print.matches_prefix(&text[9..17]));
        assert!(!print.matches_prefix(&text[9..16]));
        assert!(!print.matches_prefix(&text[..9]));
    }
}
