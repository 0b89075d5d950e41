//! Pure renderers: what a user or a machine reads. Nothing in here can reach a secret.

mod human;
mod json;
mod text;

pub use human::{Look, findings, plan, run};
pub use json::{json, jsonl};
pub use text::clean;
