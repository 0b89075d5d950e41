//! Plans, runs and their record. Canonical JSON of a [`Plan`] is what is approved; secrets are in none of these.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Times;
use crate::secret::Fingerprint;

/// Concrete steps for one finding. What is approved is the digest of exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Always `staunch.plan/1`.
    pub schema: String,
    /// The playbook it was made from.
    pub playbook: String,
    /// `contain` or `rotate`.
    pub mode: String,
    /// The credential it is about.
    pub fingerprint: Fingerprint,
    /// The detector that found it.
    pub detector: String,
    /// What it concerns, for people: provider, account, principal, public key id.
    pub target: BTreeMap<String, String>,
    /// The steps in order.
    pub steps: Vec<PlannedStep>,
    /// Its parts by name, as fingerprints: what a store is looked through for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Vec<Fingerprint>>,
    /// Files of settings on this disk in which it was found, whole paths: stores that nobody has to list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Workloads that use the credential, as ownership knows them.
    pub affected: Vec<String>,
    /// Every place that holds a copy of the credential: stopping it does not remove them.
    pub copies: Vec<String>,
    /// What is not known and matters.
    pub unknowns: Vec<String>,
    /// Permissions that the responder needs and, as far as could be seen, lacks.
    pub lacking: Vec<String>,
    /// Who acts: the responder's own principal.
    pub responder: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// What came before it.
    #[serde(default, skip_serializing_if = "Times::is_empty")]
    pub times: Times,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The step's id in its playbook.
    pub id: String,
    /// The action's name.
    pub action: String,
    /// Bound arguments.
    pub with: BTreeMap<String, String>,
    /// Earlier steps that must have succeeded.
    pub needs: Vec<String>,
    /// What follows a failure.
    pub on_failure: OnFailure,
    /// Who must agree.
    pub approval: ApprovalRule,
    /// What was seen before, as canonical JSON; drift from it voids the plan.
    pub observed: serde_json::Value,
    /// What it will do, in words.
    pub effect: String,
    /// How it is undone, in words; `None` when it changes nothing or cannot be undone.
    pub undo: Option<String>,
    /// Whether its effect can be undone without anything that only a person has; `undo` says what that would be.
    pub reversible: bool,
    /// Whether it changes anything at all.
    pub mutates: bool,
    /// Permissions it uses.
    pub permissions: Vec<String>,
    /// Seconds it may take.
    pub timeout: u64,
    /// Seconds to wait afterwards before the next step.
    pub watch: u64,
}

/// What follows when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run stops and waits for a person.
    Stop,
    /// What was done is walked back.
    Undo,
    /// The next step that does not need this one goes on.
    Continue,
}

/// Who must agree to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalRule {
    /// Nobody beyond the person who runs `apply`.
    None,
    /// One listed approver.
    One,
    /// Two listed approvers.
    Two,
}

/// A signed word on a plan's digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub approver: String,
    /// SHA-256 of the plan's canonical JSON, hex.
    pub digest: String,
    /// When.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires: Timestamp,
    /// ed25519 signature over the four fields above, base64.
    pub signature: String,
}

/// One line of a run's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Always `staunch.journal/1`.
    pub schema: String,
    /// 0, 1, 2, …
    pub seq: u64,
    /// SHA-256 of the previous line, hex; 64 zeros for the first.
    pub previous: String,
    /// The run.
    pub run: String,
    /// The step, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub event: EventKind,
    /// What was seen or done. Never a secret.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub evidence: serde_json::Value,
}

/// What can happen in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum EventKind {
    /// The plan was taken up. The evidence is the plan.
    Planned {
        /// Its digest.
        digest: String,
    },
    /// Somebody agreed. The evidence is the approval.
    Approved {
        /// Who.
        approver: String,
    },
    /// Somebody acts without the approvals that the plan asks for, as far as it can be undone.
    BrokeGlass(BrokenGlass),
    /// A step is about to touch the world.
    Started {
        /// Names this attempt towards a provider that can recognise a repeat.
        idempotency_key: String,
    },
    /// A step that takes several calls says what it knows by now, before the next one. The evidence is that.
    Noted,
    /// A step's effect holds.
    Succeeded,
    /// The provider or a guard said no; nothing was changed.
    Refused {
        /// Why.
        why: String,
    },
    /// A step failed; nothing was changed as far as can be seen.
    Failed {
        /// Why.
        why: String,
    },
    /// Whether the step took effect could not be seen.
    Unknown {
        /// Why.
        why: String,
    },
    /// A step is about to be walked back.
    UndoStarted,
    /// A step was walked back.
    UndoFinished,
    /// A step could not be walked back.
    UndoFailed {
        /// Why.
        why: String,
    },
    /// The run waits for a moment or a person.
    Waiting {
        /// The moment, for a quiet period.
        until: Option<Timestamp>,
        /// What the person must do, otherwise.
        person: Option<String>,
    },
    /// A person gave the run up.
    Abandoned {
        /// Why.
        why: String,
    },
}

/// Who acted without approvals, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenGlass {
    /// Who.
    pub who: String,
    /// Why, in their words.
    pub reason: String,
    /// Until when that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Begun; the outcome is not in the journal.
    Started,
    /// Its effect holds.
    Succeeded,
    /// It was refused.
    Refused,
    /// It failed.
    Failed,
    /// Not known.
    Unknown,
    /// Waiting for a moment or a person.
    Waiting,
    /// Being walked back.
    Undoing,
    /// Walked back.
    Undone,
    /// Could not be walked back.
    UndoFailed,
}

/// One step's state with its last words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStatus {
    /// The step's id.
    pub id: String,
    /// Where it stands.
    pub state: StepState,
    /// Whether it was ever begun: what waits for somebody's word may not have been.
    #[serde(default)]
    pub begun: bool,
    /// Whether an attempt may have had its effect, whatever came of later ones. What held already is nobody's doing here.
    #[serde(default)]
    pub touched: bool,
    /// Why, where there is something to say.
    pub why: Option<String>,
    /// What was seen or done last.
    pub evidence: serde_json::Value,
    /// What it noted last while it was under way.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub noted: serde_json::Value,
    /// When it last changed.
    pub at: Option<Timestamp>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Between steps.
    Open,
    /// Waiting for a moment or a person.
    Waiting,
    /// Every step succeeded.
    Done,
    /// A step failed, was refused or is unknown, and the run goes no further by itself.
    Stopped,
    /// Walked back.
    Undone,
    /// Given up by a person.
    Abandoned,
}

/// One execution of a plan, as its journal tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The plan.
    pub plan: Plan,
    /// The plan's digest.
    pub digest: String,
    /// Where it stands.
    pub state: RunState,
    /// Its steps.
    pub steps: Vec<StepStatus>,
    /// Records in the journal.
    pub records: u64,
    /// Who goes on without the approvals that the plan asks for, where somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BrokenGlass>,
}

/// What a run has proved, as its own evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proved {
    /// All that its playbook asks for.
    All,
    /// Not all: something is short of that, or was not seen.
    Part,
    /// That it does not hold.
    Not,
}

impl Run {
    /// What it has proved. Without evidence, nothing is.
    pub fn proved(&self) -> Proved {
        match self.statement().and_then(|said| said["result"].as_str()) {
            Some("PASSED") => Proved::All,
            Some("FAILED") => Proved::Not,
            _ => Proved::Part,
        }
    }

    /// Why that is no more, in words.
    pub fn because(&self) -> Vec<String> {
        let Some(said) = self.statement() else { return vec!["no evidence was made".to_owned()] };
        let because = said["staunch"]["because"].as_array();
        because.into_iter().flatten().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
    }

    /// What of its lists could not be read, in words: what is not looked at may be there.
    pub fn in_part(&self) -> Vec<String> {
        let part = self.statement().and_then(|said| said["staunch"]["in_part"].as_array());
        part.into_iter().flatten().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
    }

    /// The predicate of its last evidence.
    fn statement(&self) -> Option<&serde_json::Value> {
        let mut made = self.plan.steps.iter().zip(&self.steps).rev();
        let (_, made) = made.find(|(step, status)| step.action == "evidence" && status.state == StepState::Succeeded)?;
        made.evidence.get("predicate")
    }

    /// Whether a change that it should have made does not hold. What only could not be proved or looked at is no failure.
    pub fn has_failed(&self) -> bool {
        if self.state == RunState::Done && self.proved() == Proved::Not {
            return true;
        }
        let ended = matches!(self.state, RunState::Stopped | RunState::Undone);
        let off = |state: StepState| !matches!(state, StepState::Succeeded | StepState::Undone);
        ended && self.plan.steps.iter().zip(&self.steps).any(|(step, status)| step.mutates && off(status.state))
    }
}

/// A plan could not be put into canonical form.
#[derive(Debug, thiserror::Error)]
#[error("the plan cannot be written as JSON: {0}")]
pub struct DigestError(#[from] serde_json::Error);

impl Plan {
    /// The schema's name and version.
    pub const SCHEMA: &'static str = "staunch.plan/1";

    /// The bytes that are approved: JSON with sorted keys and no white space.
    pub fn canonical(&self) -> Result<Vec<u8>, DigestError> {
        // serde_json's map is sorted by key (feature `preserve_order` is off), so a detour through Value sorts every object.
        Ok(serde_json::to_vec(&serde_json::to_value(self)?)?)
    }

    /// SHA-256 of the canonical form, hex.
    pub fn digest(&self) -> Result<String, DigestError> {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.canonical()?);
        Ok(data_encoding::HEXLOWER.encode(digest.as_ref()))
    }
}
