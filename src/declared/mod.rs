//! Strict reading of declared files (TOML): detectors, playbooks, settings. Every mistake at once, each with its line.

mod near;
mod reader;

pub use near::near;
pub use reader::{Document, Mistake, Mistakes, Table, Value};
