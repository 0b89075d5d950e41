//! Bytes that cannot be printed, cloned by accident or kept after use; their redaction and their keyed fingerprint.
//!
//! Everything that the scanner recognises as sensitive lives in a [`Secret`] from the moment it leaves the scanned
//! buffer. There is no `Clone`, no `Serialize` and no `Display`; `Debug` shows the length alone.

mod fingerprint;
mod redact;
mod scrub;
mod shape;
mod stretch;

pub use fingerprint::{Fingerprint, FingerprintKey, ParseFingerprintError};
pub use redact::Redaction;
pub use scrub::Scrubber;
pub use shape::Shape;
pub use stretch::{Salt, SlowDigest, Stretcher};

use zeroize::Zeroizing;

/// Sensitive bytes, wiped from memory when dropped.
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes a copy of `bytes`. The caller's buffer is its own to wipe.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Takes over a buffer without leaving a copy behind.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        // `into_boxed_slice` may reallocate and leave the old buffer unwiped, so copy and wipe explicitly.
        let bytes = Zeroizing::new(bytes);
        Self::new(&bytes)
    }

    /// The bytes themselves. Call it only to compute a fingerprint or to hand them to their own provider.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, or `None` when they are not UTF-8.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// A second copy, on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(&self.0)
    }

    /// A second copy behind labels, which hold no NUL: the same value for another purpose is another secret.
    #[must_use]
    pub fn labelled(&self, labels: &[&str]) -> Self {
        let room = labels.iter().map(|label| label.len() + 1).sum::<usize>() + self.len();
        // Of its final size from the start, so that no smaller buffer is left behind unwiped.
        let mut bytes = Vec::with_capacity(room);
        for label in labels {
            bytes.extend_from_slice(label.as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(&self.0);
        Self::from_vec(bytes)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let secret = Secret::new(b"correct horse");
        assert_eq!(format!("{secret:?}"), "Secret(13 bytes)");
    }

    #[test]
    fn both_constructors_keep_the_bytes() {
        assert_eq!(Secret::new(b"ab").expose(), b"ab");
        assert_eq!(Secret::from_vec(vec![1, 2, 3]).expose(), [1, 2, 3]);
        assert_eq!(Secret::from_vec(vec![0xff]).expose_str(), None);
    }

    #[test]
    fn labels_do_not_run_into_each_other() {
        let secret = Secret::new(b"v");
        assert_eq!(secret.labelled(&["a", "bc"]).expose(), b"a\0bc\0v");
        assert_ne!(secret.labelled(&["ab", "c"]).expose(), secret.labelled(&["a", "bc"]).expose());
    }
}
