//! When what happened to a credential became known: from which the time to detect, validate and attribute is told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Finding, Provenance};

/// Moments before a plan. What is not known is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The oldest commit or layer that holds it: it was exposed by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed: Option<Timestamp>,
    /// It was found, at the latest then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<Timestamp>,
    /// Its provider was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated: Option<Timestamp>,
    /// Whose it is was known, at the latest then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributed: Option<Timestamp>,
}

impl Times {
    /// What a finding tells by itself.
    pub fn of(finding: &Finding) -> Self {
        let dates = finding.occurrences.iter().filter_map(|place| match &place.provenance {
            Provenance::Commit(place) => place.date,
            Provenance::Layer(place) => place.date,
            _ => None,
        });
        Self { exposed: dates.min(), validated: finding.liveness.at, ..Self::default() }
    }

    /// Takes up when the store first and last saw it. Asking comes after finding, so it was found by then in any case.
    pub fn seen(&mut self, first: Timestamp, last: Timestamp, owned: bool) {
        self.detected = Some(self.validated.map_or(first, |validated| validated.min(first)));
        self.attributed = self.attributed.or(owned.then_some(last));
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
