//! What a file that anyone may read can hold of a secret: a digest under the file's own salt that costs whoever guesses
//! 7 MiB of memory and 12 ms of a core (measured, x86-64 of 2025) for every try.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::Secret;

// Of the choices for argon2id that OWASP's Password Storage Cheat Sheet calls equal, the one that sixteen threads can take at
// once without filling a small machine, and the quickest of them here (12 ms; 19 MiB and 2 passes: 16 ms).
const MEMORY_KIB: u32 = 7168;
const PASSES: u32 = 5;
const LANES: u32 = 1;
const BYTES: usize = 16;

/// Not secret; makes the digests of one file unlike those of any other, so that nothing can be worked out beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt([u8; BYTES]);

impl Salt {
    /// From the operating system's random numbers, or `None` when it has none to give.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; BYTES];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// A digest of a secret that is slow to make. 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlowDigest([u8; BYTES]);

/// The text is not 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be 32 lower-case hex digits")]
pub struct ParseHexError;

macro_rules! hex {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseHexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseHexError)?;
                Ok(Self(bytes.try_into().map_err(|_| ParseHexError)?))
            }
        }
    };
}

hex!(Salt);
hex!(SlowDigest);

/// Makes slow digests, one at a time, in memory of its own that is used again and wiped at the end.
pub struct Stretcher {
    argon2: Argon2<'static>,
    memory: Zeroizing<Vec<Block>>,
}

impl Stretcher {
    /// How the digests are made, as a file that holds some says it.
    pub const HOW: &'static str = "argon2id v=19 m=7168 t=5 p=1";

    /// Takes the memory.
    pub fn new() -> Self {
        // The parameters are constants within argon2's limits; its default stands in for a branch that is never taken.
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(BYTES)).unwrap_or(Params::DEFAULT);
        let memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
        Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), memory }
    }

    /// The digest of a secret under a salt. `None` for what argon2 does not take: over 4 GiB.
    pub fn digest(&mut self, salt: &Salt, secret: &Secret) -> Option<SlowDigest> {
        let mut digest = [0; BYTES];
        let memory = self.memory.as_mut_slice();
        self.argon2.hash_password_into_with_memory(secret.expose(), &salt.0, &mut digest, memory).ok()?;
        Some(SlowDigest(digest))
    }
}

impl Default for Stretcher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{LANES, MEMORY_KIB, PASSES, Salt, SlowDigest, Stretcher};
    use crate::secret::Secret;

    #[test]
    fn digests_are_those_of_argon2id() {
        // python3: argon2.low_level.hash_secret_raw(b"correct horse", bytes(range(16)), 5, 7168, 1, 16, Type.ID)
        let salt: Salt = "000102030405060708090a0b0c0d0e0f".parse().expect("hex");
        let digest = Stretcher::new().digest(&salt, &Secret::new(b"correct horse")).expect("short");
        assert_eq!(digest.to_string(), "ab8458520898e2d1b18919c9eade0dd9");
        assert_eq!(Stretcher::HOW, format!("argon2id v=19 m={MEMORY_KIB} t={PASSES} p={LANES}"));
    }

    #[test]
    fn a_stretcher_forgets_what_it_made_before() {
        let (one, other) = (Salt::random().expect("random numbers"), Salt::random().expect("random numbers"));
        let mut used = Stretcher::new();
        let mut digest = |salt: &Salt, text: &[u8]| used.digest(salt, &Secret::new(text));
        let first = digest(&one, b"a");
        assert_ne!(digest(&one, b"b"), first);
        assert_ne!(digest(&other, b"a"), first);
        assert_eq!(digest(&one, b"a"), first);
    }

    #[test]
    fn hex_round_trips_and_nothing_else_is_taken() {
        let text = "00112233445566778899aabbccddeeff";
        assert_eq!(text.parse::<SlowDigest>().map(|digest| digest.to_string()), Ok(text.to_owned()));
        for wrong in ["", "0011", &text.to_uppercase(), &format!("{text}00"), "zz112233445566778899aabbccddeeff"] {
            assert!(wrong.parse::<SlowDigest>().is_err(), "{wrong}");
        }
    }
}
