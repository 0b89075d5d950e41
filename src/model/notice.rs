//! What people are told without having asked: what was done to a credential, how to undo it, or why nothing was done. No secret
//! is ever in one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Finding, Plan, Proved, Run, RunState, Severity, StepState};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Always `staunch.notice/1`.
    pub schema: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// When it was known.
    pub at: Timestamp,
    /// The credential's short name; empty where it is about none.
    pub fingerprint: String,
    /// Its detector.
    pub detector: String,
    /// How it may be shown.
    pub shown: String,
    /// How bad a live one is.
    pub severity: Severity,
    /// The account, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The playbook that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What was done, or why nothing was: a line each.
    pub lines: Vec<String>,
    /// Workloads and people concerned.
    pub concerned: Vec<String>,
    /// What to run next.
    pub next: Vec<String>,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A credential was contained.
    Done,
    /// A credential was replaced by another.
    Replaced,
    /// A run waits for a moment or a person.
    Waits,
    /// A run came to a stop.
    Failed,
    /// Every change holds, but that the credential is refused could not be proved or looked at.
    Unproved,
    /// All was done, and something is left open: another key that it may have made, a place that goes on taking it.
    Partly,
    /// A run was walked back.
    Undone,
    /// Nothing was done; a person decides.
    Left,
    /// Nothing is done for now: the stop file, a cap, failures in a row.
    Held,
    /// Somebody acted without the approvals that the plan asks for.
    BrokeGlass,
}

impl NoticeKind {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "contained",
            Self::Replaced => "replaced",
            Self::Waits => "waiting",
            Self::Failed => "STOPPED",
            Self::Unproved => "stopped, not proved",
            Self::Partly => "done, something is left open",
            Self::Undone => "walked back",
            Self::Left => "left to you",
            Self::Held => "held back",
            Self::BrokeGlass => "BREAK-GLASS",
        }
    }

    /// Whether it ends a matter.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Replaced | Self::Undone)
    }

    /// Whether somebody should be woken.
    pub fn is_urgent(self) -> bool {
        matches!(self, Self::Failed | Self::Left | Self::BrokeGlass)
    }
}

impl Notice {
    /// The schema's name and version.
    pub const SCHEMA: &'static str = "staunch.notice/1";

    /// About no credential.
    pub fn held(why: String, at: Timestamp) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            kind: NoticeKind::Held,
            at,
            fingerprint: String::new(),
            detector: String::new(),
            shown: String::new(),
            severity: Severity::Medium,
            account: None,
            playbook: None,
            run: None,
            lines: vec![why],
            concerned: Vec::new(),
            next: Vec::new(),
        }
    }

    /// About a finding that nothing was done about.
    pub fn about(finding: &Finding, kind: NoticeKind, why: String, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            fingerprint: finding.fingerprint.short(),
            detector: finding.detector.clone(),
            shown: finding.redacted.clone(),
            severity: finding.severity,
            concerned: finding.owners.iter().map(|owner| format!("{} ({})", owner.id, owner.tier.word())).collect(),
            next: vec![format!("staunch respond plan {}", finding.fingerprint.short())],
            ..Self::held(why, at)
        }
    }

    /// About a run, as it stands.
    pub fn of_run(run: &Run, finding: Option<&Finding>, at: Timestamp) -> Self {
        let (kind, next) = match run.state {
            RunState::Done => {
                let kind = match run.proved() {
                    Proved::All if run.plan.mode == "rotate" => NoticeKind::Replaced,
                    Proved::All => NoticeKind::Done,
                    Proved::Part => NoticeKind::Partly,
                    Proved::Not => NoticeKind::Failed,
                };
                (kind, vec![format!("staunch respond undo {}", run.id)])
            }
            RunState::Waiting => (
                NoticeKind::Waits,
                vec![format!("staunch respond resume {}", run.id), format!("staunch respond undo {}", run.id)],
            ),
            // Walked back because a step failed: nothing is contained.
            RunState::Undone if run.has_failed() => (NoticeKind::Failed, vec![format!("staunch respond status {}", run.id)]),
            RunState::Undone | RunState::Abandoned => (NoticeKind::Undone, Vec::new()),
            RunState::Open | RunState::Stopped => {
                let next = ["status", "resume", "undo"].map(|verb| format!("staunch respond {verb} {}", run.id));
                let holds = run.state == RunState::Stopped && !run.has_failed();
                (if holds { NoticeKind::Unproved } else { NoticeKind::Failed }, next.to_vec())
            }
        };
        let Plan { fingerprint, detector, target, affected, playbook, .. } = &run.plan;
        Self {
            kind,
            fingerprint: fingerprint.short(),
            detector: detector.clone(),
            shown: finding.map_or_else(String::new, |finding| finding.redacted.clone()),
            severity: finding.map_or(Severity::High, |finding| finding.severity),
            account: target.get("account").cloned(),
            playbook: Some(playbook.clone()),
            run: Some(run.id.clone()),
            lines: lines(run, kind),
            concerned: affected.clone(),
            next,
            ..Self::held(String::new(), at)
        }
    }

    /// One line for a subject or a title.
    pub fn title(&self) -> String {
        if self.fingerprint.is_empty() {
            return format!("staunch: {}", self.kind.word());
        }
        let account = self.account.as_ref().map(|account| format!(" in {account}")).unwrap_or_default();
        format!("staunch: {} {}{account}: {}", self.detector, self.shown, self.kind.word())
    }
}

/// Each change and each thing that did not go as it should.
fn lines(run: &Run, kind: NoticeKind) -> Vec<String> {
    let told = run.plan.steps.iter().zip(&run.steps).flat_map(|(step, status)| {
        // What was done may have to be waited for.
        let done = step.mutates && status.touched && status.state == StepState::Waiting;
        let done = done.then(|| format!("done: {}", step.effect));
        let why = status.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let now = match status.state {
            StepState::Succeeded if step.mutates => Some(format!("done: {}", step.effect)),
            StepState::Succeeded | StepState::Pending => None,
            StepState::Waiting => Some(format!("{} waits{why}", step.id)),
            StepState::Undone => Some(format!("walked back: {}{why}", step.effect)),
            StepState::Unknown => Some(format!("{}: not known{why}", step.id)),
            StepState::Refused => Some(format!("{} was refused{why}", step.id)),
            StepState::Failed | StepState::UndoFailed => Some(format!("{} failed{why}", step.id)),
            StepState::Started | StepState::Undoing => Some(format!("{} was begun, and nobody knows how it ended", step.id)),
        };
        // A list with a hole in it says nothing of what is there.
        let unread = status.evidence.get("unread").and_then(serde_json::Value::as_array).into_iter().flatten();
        let unread = unread.filter_map(|why| Some(format!("{} could not read {}", step.id, why.as_str()?)));
        done.into_iter().chain(now).chain(unread.collect::<Vec<_>>())
    });
    let short = run.state == RunState::Done && !kind.is_over();
    told.chain(run.because().into_iter().filter(|_| short).map(|why| format!("left open: {why}"))).collect()
}
