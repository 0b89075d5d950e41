//! What a credential was used for, as its provider's log has it: the events, and what they resemble. Never a verdict.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// The steps of those who use stolen cloud keys to call models ("LLMjacking"), in the order in which they take them. The
/// owner's own workload takes some of them too. Sources: Sysdig and Permiso on LLMjacking; Prowler's check
/// `cloudtrail_threat_detection_llm_jacking`; Stratus Red Team's Bedrock techniques.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Whose key is it, and what is around?
    Recon,
    /// Which models are there, and are prompts logged?
    Discovery,
    /// May it call one? Asked by a call that fails.
    Probe,
    /// Forms and agreements that open models.
    Enabling,
    /// Calls of models that were let through.
    Invocation,
    /// Switching logs off, and making credentials that stay.
    Persistence,
}

impl Stage {
    /// Every one, in order.
    pub const ALL: [Self; 6] =
        [Self::Recon, Self::Discovery, Self::Probe, Self::Enabling, Self::Invocation, Self::Persistence];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Recon => "recon",
            Self::Discovery => "model discovery",
            Self::Probe => "access probe",
            Self::Enabling => "enabling of models",
            Self::Invocation => "invocation",
            Self::Persistence => "evasion or persistence",
        }
    }
}

/// Some events, summed up. Lists are bounded; the counts are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How many.
    pub events: u64,
    /// How many of them the provider refused.
    pub refused: u64,
    /// The earliest.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// Names of the calls.
    pub calls: Vec<String>,
    /// Where they came from, as the log has it: addresses, or the provider's own services.
    pub addresses: Vec<String>,
    /// What they came with, as they called themselves.
    pub agents: Vec<String>,
}

/// The events of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSeen {
    /// Which.
    pub stage: Stage,
    /// Its events.
    #[serde(flatten)]
    pub seen: Seen,
}

/// How far the log of one Region was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionRead {
    /// Its name.
    pub region: String,
    /// Events in it.
    pub events: u64,
    /// What was not read, and why. Without it the whole window was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// What the log says of a credential within a window of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Where the window begins.
    pub since: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// Which Regions were read, and how far.
    pub regions: Vec<RegionRead>,
    /// Every event that was read but the own checks. None: no event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Questions after the key's identity under this program's own user agent. Anyone may call themselves so.
    pub own_checks: u64,
    /// The events that belong to a stage, in the order of stages.
    pub stages: Vec<StageSeen>,
    /// What in them resembles the use of stolen keys, with times and places. It takes a person to tell it from the owner's use.
    pub signs: Vec<Evidence>,
}

impl Activity {
    /// Passes what callers chose themselves through `word`.
    pub fn reword(&mut self, word: &dyn Fn(&str) -> String) {
        let stages = self.stages.iter_mut().map(|stage| &mut stage.seen);
        for seen in stages.chain(&mut self.seen) {
            for text in seen.calls.iter_mut().chain(&mut seen.addresses).chain(&mut seen.agents) {
                *text = word(text);
            }
        }
        for sign in &mut self.signs {
            sign.value = word(&sign.value);
        }
    }

    /// Whether every Region was read to the end of the window.
    pub fn is_complete(&self) -> bool {
        self.regions.iter().all(|read| read.unknown.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::Activity;

    #[test]
    fn what_callers_chose_can_be_reworded_everywhere() {
        let seen = serde_json::json!({
            "events": 1, "refused": 0, "first": "2026-01-01T00:00:00Z", "last": "2026-01-01T00:00:00Z",
            "calls": ["InvokeModel"], "addresses": ["203.0.113.7"], "agents": ["agent/s3cret"],
        });
        let mut stage = seen.clone();
        stage["stage"] = "invocation".into();
        let sign = serde_json::json!({ "technique": "t", "where": "w", "value": "by agent/s3cret" });
        let mut activity: Activity = serde_json::from_value(serde_json::json!({
            "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "regions": [], "seen": seen, "own_checks": 0,
            "stages": [stage], "signs": [sign],
        }))
        .expect("an activity");
        activity.reword(&|text| text.replace("s3cret", "…"));
        let text = serde_json::to_string(&activity).expect("text");
        assert_eq!((text.matches("s3cret").count(), text.matches("agent/…").count()), (0, 3));
    }
}
