//! What a scan reports: schema `staunch.finding/1`, without a secret in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Activity, Checked, Confidence, Coverage, Encoding, Facts, Location, Owner, Provenance, Reach, Severity};
use crate::secret::Fingerprint;

/// A detector and a credential's fingerprint, with every place where it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Always `staunch.finding/1`.
    pub schema: String,
    /// The credential's name.
    pub fingerprint: Fingerprint,
    /// Id of the detector.
    pub detector: String,
    /// Who issued it.
    pub provider: String,
    /// `cloud`, `llm`, `workload`, …
    pub class: String,
    /// How bad a live one would be.
    pub severity: Severity,
    /// How sure the detector is.
    pub confidence: Confidence,
    /// The pointed-at part, redacted.
    pub redacted: String,
    /// Its parts by name.
    pub parts: Vec<PartInfo>,
    /// Whether a required part was found nowhere.
    pub partial: bool,
    /// What it says by itself.
    pub facts: Facts,
    /// Is it live?
    pub liveness: Checked,
    /// Where it was seen, in order of path and position.
    pub occurrences: Vec<Occurrence>,
    /// Whose it is, best proven first.
    pub owners: Vec<Owner>,
    /// What it may do, where the provider was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// What it was used for, where the provider's log was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The playbook that would run for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
}

impl Finding {
    /// The schema's name and version.
    pub const SCHEMA: &'static str = "staunch.finding/1";

    /// Why its value is not in hand after its places were read again, in words.
    pub fn unread(&self) -> String {
        let once = self.occurrences.iter().filter_map(|place| match &place.provenance {
            Provenance::Stdin => Some("standard input"),
            Provenance::Environment => Some("a process's environment"),
            Provenance::Staged => Some("what was staged for a commit"),
            Provenance::Commit(place) if place.object.is_empty() => Some("a commit that another scanner's report names"),
            Provenance::Commit(place) if place.repository.is_none() => Some("a history of which nobody noted where it lies"),
            _ => None,
        });
        let once: BTreeSet<&str> = once.collect();
        if once.is_empty() {
            return "its value is no longer readable where it was found".to_owned();
        }
        let all: Vec<&str> = once.into_iter().collect();
        format!(
            "its value was found in {}, which is not read again, and nowhere else that still has it",
            all.join(" and in ")
        )
    }
}

/// One part of a finding's credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// The part's name in its detector file.
    pub name: String,
    /// Whether it is an identifier and not a secret.
    pub public: bool,
    /// The value of a public part; never of a secret one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The part's own fingerprint. Several where candidates compete for one place.
    pub fingerprints: Vec<Fingerprint>,
}

/// One place where a credential was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Occurrence {
    /// The path as it is shown.
    pub path: String,
    /// Of the secret part alone, or of the key id where no secret was found.
    #[serde(flatten)]
    pub location: Location,
    /// The columns again, where characters outside ASCII stand before or in it: editors and web pages count otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utf16: Option<Columns>,
    /// Where the bytes came from.
    pub provenance: Provenance,
    /// How it was wrapped, from the outside in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoding: Vec<Encoding>,
    /// Each part's own span.
    pub parts: Vec<OccurrencePart>,
}

/// Columns in UTF-16 code units, from 1; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Columns {
    /// The first character's.
    pub column: u64,
    /// The one after the last character's.
    pub end_column: u64,
}

/// A part at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OccurrencePart {
    /// The part's name.
    pub name: String,
    /// Its span.
    #[serde(flatten)]
    pub location: Location,
}

/// What a whole scan, triage or saved report holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Who made it.
    pub tool: Tool,
    /// The findings, most dangerous first.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub coverage: Coverage,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// The program that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `staunch`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 over the detector files in use, hex.
    pub detectors: String,
}
