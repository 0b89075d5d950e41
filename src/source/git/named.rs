//! An object's name: the hash of its kind, its size and its bytes.
//!
//! SHA-1 as such, without the test for made-up collisions that git runs: names here tell what is the same, not who is to be
//! believed.

use std::io;

use gix::hash::ObjectId;
use ring::digest::{Context, SHA256};
use sha1::{Digest, Sha1};

use super::Kind;

/// Works out a name, piece by piece.
pub(super) enum Namer {
    Sha1(Sha1),
    Sha256(Context),
}

impl Namer {
    /// For an object of `size` bytes; names have `hash` bytes.
    pub(super) fn new(kind: Kind, size: u64, hash: usize) -> Self {
        let mut namer = if hash == 32 { Self::Sha256(Context::new(&SHA256)) } else { Self::Sha1(Sha1::new()) };
        namer.update(format!("{} {size}\0", kind.word()).as_bytes());
        namer
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(sha1) => sha1.update(bytes),
            Self::Sha256(context) => context.update(bytes),
        }
    }

    /// The name.
    pub(super) fn name(self) -> ObjectId {
        match self {
            Self::Sha1(sha1) => ObjectId::Sha1(sha1.finalize().into()),
            Self::Sha256(context) => ObjectId::from_bytes_or_panic(context.finish().as_ref()),
        }
    }
}

impl io::Write for Namer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name of an object with these bytes.
pub(super) fn name_of(kind: Kind, bytes: &[u8], hash: usize) -> ObjectId {
    let mut namer = Namer::new(kind, bytes.len() as u64, hash);
    namer.update(bytes);
    namer.name()
}
