//! The pipeline: source → detect → (validate → ownership). Groups credentials by fingerprint into findings. The one place
//! where threads meet async.

mod artefacts;
mod collect;
mod group;
mod validate;
mod walk;

pub use artefacts::offer;
pub use collect::{Gathered, Sighting};
pub use group::{Group, Groups};
pub use validate::validate;
pub use walk::{Counters, Request, Target, run};
