//! Where an image's parts lie, and what they are called.

use std::fmt;
use std::io::{self, Read};

/// A content address: `sha256:` or `sha512:` and lower-case hex, nothing else. So it is safe in a path or URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// Parses `algorithm:hex`.
    pub fn parse(text: &str) -> Option<Self> {
        let (algorithm, hex) = text.split_once(':')?;
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return None,
        };
        let good = hex.len() == length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self(text.to_owned()))
    }

    /// Of these bytes.
    pub fn sha256(bytes: &[u8]) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
        Self(format!("sha256:{}", data_encoding::HEXLOWER.encode(hash.as_ref())))
    }

    /// `sha256` or `sha512`.
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The hex digits.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The first digits, for messages.
    pub(super) fn short(&self) -> &str {
        &self.0[..self.algorithm().len() + 13]
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One part of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// An index or manifest, by its digest.
    Manifest(Digest),
    /// A layer, a config, an attestation.
    Blob(Digest),
    /// A member of an archive, by its name.
    Member(String),
}

/// A store of parts: a folder, an archive, a registry.
pub trait Blobs: Sync {
    /// Opens a part; None when it is not there. Nothing that it yields is believed.
    fn open<'b>(&'b self, at: &At) -> io::Result<Option<Box<dyn Read + 'b>>>;

    /// Every part that lies there, named as `open` takes it, where that can be known.
    fn list(&self) -> Vec<At>;
}
