//! Git repositories.

pub mod incoming;
