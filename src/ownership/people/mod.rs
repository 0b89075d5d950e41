//! Who must remove the leak: the people and teams that a repository names for a path or a line. Circumstantial all of it:
//! owning a path is not owning the identity behind a key.

mod bots;
pub(super) mod codeowners;
mod git;

pub use git::{GitLimits, GitPeople, GitTally};
