//! Plans, approvals, runs: stops a credential, proves that it is stopped, and can walk back.
//!
//! A playbook (data) and what was observed make a plan (pure). The digest of the plan is what is approved. A run executes
//! it step by step; its journal is written before the world is touched, and replaying it is how a run goes on after a
//! crash. Cached liveness is never used here: whoever acts looks first.

mod actions;
mod approve;
mod evidence;
mod execute;
mod folder;
mod guard;
mod journal;
mod plan;
mod playbook;
mod preflight;
mod table;

use std::sync::Arc;

use crate::model::{Clock, Credential};
use crate::net::{Net, NetError, Responder};
use crate::secret::Fingerprint;

pub use approve::{Approvers, approve};
pub use execute::{Runner, replayed};
pub use folder::{Folder, RunFolder};
pub use guard::Guard;
pub use plan::draft;
pub use playbook::{Playbook, PlaybookSource, Playbooks, builtin_playbooks};

/// Gives back the credential of a fingerprint, read again from where it was found, or nothing when it is no longer there.
/// Rivals come as several.
pub type Recall = dyn Fn(&Fingerprint) -> Vec<Credential> + Send + Sync;

/// What a response acts with. Never the leaked key's own rights.
pub struct Hands {
    /// For asking STS as the leaked key, to prove that it is refused.
    pub net: Arc<Net>,
    /// The responder's own clients.
    pub responder: Responder,
    /// The responder's ARN, as STS told it.
    pub responder_arn: String,
    /// The account that the responder acts in.
    pub account: String,
    /// Reads leaked values again where a step needs them.
    pub recall: Box<Recall>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Whether this version can carry out the action of that name.
pub fn can(action: &str) -> bool {
    actions::get(action).is_some()
}

/// A response could not be planned or carried out.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// No playbook is for it.
    #[error(
        "there is no playbook for {0}; `staunch playbooks list` names them, `staunch explain {0}` says where to revoke by hand"
    )]
    NoPlaybook(String),
    /// Something the playbook needs is not known.
    #[error("the plan needs {0}, which is not known; validate the finding first (`staunch triage`)")]
    Unbound(String),
    /// A guard says no.
    #[error("refused: {0}")]
    Guard(String),
    /// The world is not as it was when the plan was made.
    #[error("the plan is void: {step} was {planned} when it was made and is {now}; make a new plan")]
    Drift {
        /// The step.
        step: String,
        /// What was seen then.
        planned: String,
        /// What is seen now.
        now: String,
    },
    /// The provider could not be asked.
    #[error("the provider could not be asked: {0}")]
    Provider(String),
    /// A client could not be built.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A file in the state folder could not be used.
    #[error("{what} {path}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A journal is damaged.
    #[error("{path}, line {line}: {what}; the journal is evidence, so it is not repaired: look at it, then act by hand")]
    Journal {
        /// The file.
        path: std::path::PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Another process works on it.
    #[error(
        "another staunch is working on this credential (lock {0}); wait for it, or end it and use `staunch respond resume`"
    )]
    Busy(std::path::PathBuf),
    /// Something that was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// An approval is missing or does not hold.
    #[error("{0}")]
    Approval(String),
    /// A file does not say what it should.
    #[error("{path} cannot be read: {what}")]
    Format {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        what: String,
    },
}
