//! An object's name: the hash of its kind, its size and its bytes.
//!
//! SHA-1 as such, without the test for made-up collisions that git runs: names here tell what is the same, not who is to be
//! believed.

use std::io;

use gix::hash::ObjectId;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::Kind;

/// Works out a name, piece by piece.
pub(super) struct Namer(Context);

impl Namer {
    /// For an object of `size` bytes; names have `hash` bytes.
    pub(super) fn new(kind: Kind, size: u64, hash: usize) -> Self {
        let mut context = Context::new(if hash == 32 { &SHA256 } else { &SHA1_FOR_LEGACY_USE_ONLY });
        context.update(format!("{} {size}\0", kind.word()).as_bytes());
        Self(context)
    }

    /// The name.
    pub(super) fn name(self) -> ObjectId {
        ObjectId::from_bytes_or_panic(self.0.finish().as_ref())
    }
}

impl io::Write for Namer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name of an object with these bytes.
pub(super) fn name_of(kind: Kind, bytes: &[u8], hash: usize) -> ObjectId {
    let mut namer = Namer::new(kind, bytes.len() as u64, hash);
    namer.0.update(bytes);
    namer.name()
}
