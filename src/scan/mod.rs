//! The pipeline: source → detect → (validate → ownership). Groups credentials by fingerprint into findings. The one place
//! where threads meet async.

mod allow;
mod attribute;
mod changes;
mod collect;
mod feed;
mod group;
mod history;
mod image;
mod layers;
mod repeat;
mod reported;
mod validate;
mod walk;
mod worker;

pub use crate::source::git::WantedHistory;
pub use crate::source::image::{Platform, Wanted};
pub use crate::source::{WalkOptions, kept_below};
pub use allow::{AllowError, Allowing, Baselines, BaselinesError, Loaded, Trust};
pub use attribute::{Attribution, attribute, scrub};
pub use changes::run_changes;
pub use collect::{Gathered, Note, Sighting};
pub use group::{Group, Groups};
pub use image::{ImagePlace, ImageTarget};
pub use validate::{Answers, Asked, Asking, dry_run, validate};
pub use walk::{Counters, HistoryPlace, Request, Target, run};
