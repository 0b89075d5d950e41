//! From bytes to credentials: an immutable compiled set of detectors plus per-thread scratch. Never does I/O.
//!
//! A blob passes one prefilter over every literal and word of every detector. Only around a hit does a regular expression run,
//! compiled when it is first needed. What matches is checked (neighbours, entropy, checksum), completed with its other
//! parts from the lines around it, and pushed to the caller. The same prefilter knows each literal in its three base64
//! alignments, so a wrapped key is found without decoding everything that looks like base64.

mod assemble;
mod checked;
mod checks;
mod clashes;
mod compiled;
mod context;
mod decode;
mod describe;
mod entropy;
mod escapes;
mod examples;
mod generic;
mod kind;
mod kubernetes;
mod locate;
mod made_up;
mod names;
mod prefilter;
mod rarity;
mod registry;
mod sample;
mod scanner;
mod spec;
mod suppress;
mod template;
mod wide;
mod wordlike;

pub use checked::{
    Detector, Encoder, HttpCase, HttpCheck, HttpMethod, IdentitySource, Joined, LivenessCheck, Origin, Outcome, PartSpec,
    Piece, Template,
};
pub use compiled::{DetectorSet, SetError};
pub use examples::{Failure, check_examples};
pub use locate::Lines;
pub use registry::builtin_sources;
pub use scanner::{Found, Scanner};
pub use spec::{Disabled, Source};
pub use wordlike::is_typed;

/// A decision about a match depends on nothing farther away than this, in bytes, on either side.
pub const REACH: usize = 4096;

/// Whether there is anything to decide about at a place depends on nothing farther away than this. What is longer is said by
/// [`Scanner::sift`] wherever it may begin.
pub const NEAR: usize = 1024;

/// So far beside a place may stand a word that vouches for it.
const LEAD: usize = 768;

#[cfg(test)]
mod carriers;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod tests;
