//! From bytes to credentials: an immutable compiled set of detectors plus per-thread scratch. Never does I/O.

mod checked;

pub use checked::{
    Detector, Encoder, HttpCase, HttpCheck, HttpMethod, IdentitySource, LivenessCheck, Outcome, PartSpec, Piece, Template,
};
