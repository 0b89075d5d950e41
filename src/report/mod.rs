//! Pure renderers: what a user or a machine reads. Nothing in here can reach a secret.

mod attestations;
mod csv;
mod dot;
mod drill;
mod explain;
mod github;
mod gitlab;
mod graph;
mod hook;
mod html;
mod human;
mod json;
mod level;
mod notice;
mod origin;
mod places;
mod reach;
mod sarif;
mod screen;
mod svg;
mod text;

#[cfg(test)]
mod testing;

pub use attestations::{attestations, attestations_json, attestations_jsonl};
pub use csv::csv;
pub use dot::dot;
pub use drill::drill;
pub use explain::explain;
pub use github::github;
pub use gitlab::gitlab;
pub use hook::{Stopped, stopped};
pub use html::html;
pub use human::{Look, findings, plan, run};
pub use json::{json, jsonl};
pub use notice::{mail, notice, opsgenie, pagerduty, slack};
pub use sarif::sarif;
pub use text::clean;

/// What a renderer has to say beside what it wrote: what it left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks(Vec<String>);

impl Remarks {
    fn say(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }

    /// A line each.
    pub fn all(&self) -> &[String] {
        &self.0
    }
}
