//! The pipeline: source → detect → (validate → ownership). Groups credentials by fingerprint into findings. The one place
//! where threads meet async.

mod attribute;
mod collect;
mod group;
mod validate;
mod walk;

pub use crate::source::WalkOptions;
pub use attribute::{Attribution, attribute, scrub};
pub use collect::{Gathered, Sighting};
pub use group::{Group, Groups};
pub use validate::validate;
pub use walk::{Counters, Request, Target, run};
