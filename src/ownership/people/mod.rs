//! The people and teams that a repository names for a path or a line. Who must remove the leak is circumstantial all of
//! it: owning a path is not owning the identity behind a key. Who answers is what a catalogue declares.

mod bots;
pub(super) mod catalogues;
pub(super) mod codeowners;
mod git;

pub use git::{GitLimits, GitPeople, GitTally};
