//! Plans, approvals, runs: stops a credential, proves that it is stopped, and can walk back.
//!
//! A playbook (data) and what was observed make a plan (pure). The digest of the plan is what is approved. A run executes
//! it step by step; its journal is written before the world is touched, and replaying it is how a run goes on after a
//! crash. Cached liveness is never used here: whoever acts looks first.

mod actions;
mod again;
mod approve;
#[cfg(test)]
mod aws_tests;
mod cacao;
mod compose;
mod evidence;
mod execute;
mod folder;
mod glass;
mod guard;
mod journal;
mod plan;
mod playbook;
mod preflight;
mod replay;
mod stores;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod turn;
mod walk_back;
mod watch;
mod waves;
mod whose;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::detect::Detector;
use crate::model::{Clock, Credential};
use crate::net::{Net, NetError, Partition, Responder};
use crate::secret::{Fingerprint, FingerprintKey, Scrubber, Secret};
use crate::store::StoreError;

pub use approve::{Approvers, approve};
pub use cacao::{export, import};
pub use compose::{Uses, Whose};
pub use execute::Runner;
pub use folder::{Folder, RunFolder};
pub use guard::{Guard, Hourly};
pub use plan::draft;
pub use playbook::{Playbook, PlaybookSource, Playbooks, builtin_playbooks};
pub use replay::replayed;
pub use stores::{ConsumerAt, StoreAt, Stores, kinds as store_kinds};
pub use turn::Turn;
pub use watch::{Allowed, Answer, Delivery, Ear, Policy, Waiting, Watcher, Work, delivery_name};
pub use waves::{Ended, Left, Waves, apply_all};
pub use whose::account;

/// Gives back the credential of a fingerprint, read again from where it was found, or nothing when it is no longer there.
/// Rivals come as several.
pub type Recall = dyn Fn(&Fingerprint) -> Vec<Credential> + Send + Sync;

/// What a response acts with. Never the leaked key's own rights, except to end itself.
pub struct Hands {
    /// For asking as the leaked credential, and for administration over HTTP.
    pub net: Arc<Net>,
    /// The responder's AWS side, where the playbook needs it.
    pub aws: Option<AwsHands>,
    /// The credential with which the provider's keys are administered, where the settings give one.
    pub admin: Option<Admin>,
    /// Why there is none though the settings say where it is: `NAME is not set`.
    pub unset: Option<String>,
    /// The names that a finding of any credential of the responder's would have.
    pub own: Vec<Fingerprint>,
    /// The detector of the leaked credential: how its provider is asked about it.
    pub detector: Option<Detector>,
    /// Reads leaked values again where a step needs them.
    pub recall: Box<Recall>,
    /// Places that may hold the credential for those that use it, and the key that its fingerprints are made with.
    pub stores: Stores,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The responder's AWS clients, and as whom they act.
#[derive(Clone)]
pub struct AwsHands {
    /// The clients.
    pub responder: Responder,
    /// The responder's ARN, as STS told it.
    pub arn: String,
    /// The account that the responder acts in.
    pub account: String,
}

impl AwsHands {
    /// The partition that the responder acts in: another's STS knows no key of it, live or not.
    fn partition(&self) -> Partition {
        Partition::of_arn(&self.arn)
    }
}

/// An administrative credential.
pub struct Admin {
    /// Where it was read, `env:NAME` or `file:PATH`.
    pub from: String,
    pub(in crate::respond) value: Secret,
}

impl Admin {
    /// Takes a credential over.
    pub fn new(from: String, value: Secret) -> Self {
        Self { from, value }
    }

    /// The names under which a scan with that key would find it. Of a pair, `ID:SECRET`, either part may be what it is named by.
    pub fn fingerprints(&self, key: &FingerprintKey) -> Vec<Fingerprint> {
        self.parts().map(|part| key.fingerprint(part)).collect()
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let value = self.value.expose();
        // Of a URL what stands between the user's colon and the host; its other pieces are words that stand everywhere.
        let url = memchr::memmem::find(value, b"://").map(|at| &value[at + 3..]);
        let login = url.map(|rest| &rest[..memchr::memrchr(b'@', rest).unwrap_or(0)]);
        let password = login.map(|login| &login[memchr::memchr(b':', login).map_or(login.len(), |at| at + 1)..]);
        let pair = url.is_none().then(|| value.split(|&b| b == b':')).into_iter().flatten();
        password.filter(|part| !part.is_empty()).into_iter().chain(pair).chain([value]).map(<[u8]>::trim_ascii)
    }

    /// Whether a value is this one.
    fn is(&self, other: &Secret) -> bool {
        self.parts().any(|part| part == other.expose())
    }
}

impl Hands {
    /// As whom it acts, for people.
    fn who(&self) -> String {
        match (&self.aws, &self.admin) {
            (Some(aws), _) => aws.arn.clone(),
            (None, Some(admin)) => format!("the credential of {}", admin.from),
            (None, None) => "nobody but the leaked credential itself".to_owned(),
        }
    }

    /// What the guards must know of it.
    fn moment(&self, stopped: bool, changes: usize) -> guard::Moment<'_> {
        guard::Moment {
            responder_key: self.aws.as_ref().map_or("", |aws| &aws.responder.key_id),
            responder_arn: self.aws.as_ref().map_or("", |aws| &aws.arn),
            behind: self.aws.as_ref().map_or(&[][..], |aws| &aws.responder.behind),
            own: &self.own,
            stopped,
            changes,
        }
    }

    /// Knows every secret that an answer might repeat.
    fn scrubber(&self, fingerprint: &Fingerprint) -> Scrubber {
        let leaked = (self.recall)(fingerprint);
        let parts = leaked.iter().flat_map(|credential| &credential.parts).filter(|part| !part.public);
        let own: Vec<Secret> = self.admin.iter().flat_map(Admin::parts).map(Secret::new).collect();
        Scrubber::new(parts.map(|part| &part.value).chain(&own))
    }
}

/// With whose means a playbook acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Means {
    /// The responder's AWS clients are needed.
    pub aws: bool,
    /// So is the credential of the settings for this provider.
    pub admin: Option<&'static str>,
}

/// What carrying a playbook out needs.
pub fn means(playbook: &Playbook) -> Means {
    means_of(playbook.steps.iter().map(|step| step.action.as_str()))
}

/// The same of actions by name.
pub fn means_of<'a>(names: impl Iterator<Item = &'a str>) -> Means {
    let mut means = Means::default();
    for action in names.filter_map(actions::get) {
        match action.needs() {
            actions::Needs::Aws => means.aws = true,
            actions::Needs::Admin(provider) => means.admin = Some(provider),
            actions::Needs::Nothing | actions::Needs::Owned(_) => {}
        }
    }
    means
}

/// Providers besides AWS at which something can be done.
pub fn providers() -> BTreeSet<&'static str> {
    let named = actions::all().filter_map(|action| match action.needs() {
        actions::Needs::Admin(provider) | actions::Needs::Owned(provider) => Some(provider),
        actions::Needs::Nothing | actions::Needs::Aws => None,
    });
    named.collect()
}

/// The name under which the operator's address of a provider's administration is asked (`--endpoint NAME=URL`).
pub fn endpoint(provider: &str) -> String {
    format!("{provider}-admin")
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
    /// As much was begun as may be for now.
    #[error("held back: {0}")]
    Held(String),
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
