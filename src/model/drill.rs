//! What a drill came to: schema `staunch.drill/1`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One drill, leg by leg. It passed when every leg did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrillReport {
    /// Always `staunch.drill/1`.
    pub schema: String,
    /// The drill's name, which what it plants bears too.
    pub id: String,
    /// The playbook that was drilled.
    pub playbook: String,
    /// SHA-256 of the playbook's text, hex.
    pub playbook_sha256: String,
    /// Where: `sandbox`, or `aws:ACCOUNT`.
    pub ground: String,
    /// What was planted, by public names alone.
    pub planted: BTreeMap<String, String>,
    /// When it began.
    pub began: Timestamp,
    /// The legs in order.
    pub legs: Vec<Leg>,
    /// What earlier drills left there, by name.
    pub left_over: Vec<String>,
}

/// A part of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// `plant`, `scan`, `validate`, `attribute`, `plan`, `contain`, `prove`, `undo`, `clean`.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// How it went.
    pub outcome: LegOutcome,
    /// What was seen.
    pub said: String,
}

/// How a leg went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegOutcome {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// There was nothing to do, and that is no failure: what cannot be undone.
    Skipped,
}

impl DrillReport {
    /// The schema's name and version.
    pub const SCHEMA: &'static str = "staunch.drill/1";
    /// Every leg of a whole drill.
    pub const LEGS: [&'static str; 9] =
        ["plant", "scan", "validate", "attribute", "plan", "contain", "prove", "undo", "clean"];

    /// Whether every leg was gone and none failed.
    pub fn passed(&self) -> bool {
        let gone = |name: &&str| self.legs.iter().any(|leg| leg.name == **name);
        Self::LEGS.iter().all(gone) && self.legs.iter().all(|leg| leg.outcome != LegOutcome::Failed)
    }
}
