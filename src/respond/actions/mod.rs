//! What a step can do to the world. One file and one line in [`ALL`] each.

mod aws;
mod aws_mint;
mod aws_used;
mod deactivate;
mod delete;
mod deny;
mod evidence;
mod in_use;
mod kept;
mod keys;
mod list_minted;
mod login;
mod login_refused;
mod manual;
mod models;
mod mysql;
mod notes;
mod old;
mod postgres;
mod providers;
mod redis;
mod replace;
mod restart;
mod role_policy;
mod service_credential;
mod service_credential_create;
mod service_credential_delete;
mod session_refused;
mod sessions;
mod snapshot;
mod stated;
mod sweep;
mod task;
mod verify;
mod verify_refused;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{AwsHands, Folder, Hands};
use crate::model::{Liveness, Plan, StepStatus};
use crate::net::Partition;
use crate::validate::Validator;

pub(in crate::respond) use keys::{Trouble, missing, settled};
pub(in crate::respond) use notes::{Notes, Written};

/// A future that an action returns.
pub(super) type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where an action acts.
pub(super) struct World<'w> {
    pub(super) hands: &'w Hands,
    pub(super) plan: &'w Plan,
    pub(super) digest: &'w str,
    /// The step's id.
    pub(super) step: &'w str,
    /// Bound arguments of the step.
    pub(super) with: &'w BTreeMap<String, String>,
    /// How long the step may take.
    pub(super) timeout: Duration,
    /// What the run has done so far; empty while planning.
    pub(super) so_far: &'w [StepStatus],
    /// What the step saw when the plan was made; nothing while that is being looked at.
    pub(super) before: &'w Value,
    /// Whether a person says that the step is done.
    pub(super) confirmed: bool,
    /// Who runs the plan.
    pub(super) requester: &'w str,
    /// Where runs are kept; nothing while planning.
    pub(super) folder: Option<&'w Folder>,
    /// Where a step under way writes down what it knows; nowhere while it is only looked at.
    pub(super) notes: Option<&'w Notes>,
    /// What a statement says of the run besides: its journal's last record, who acted without approvals.
    pub(super) record: &'w Value,
}

impl World<'_> {
    /// An argument that the playbook checker has made sure of.
    pub(super) fn arg(&self, name: &str) -> &str {
        self.with.get(name).map_or("", String::as_str)
    }

    /// The partition that the responder acts in; without AWS clients, the commercial one.
    pub(super) fn partition(&self) -> Partition {
        self.hands.aws.as_ref().map_or(Partition::Aws, AwsHands::partition)
    }

    /// The responder's AWS clients. A step that needs them is not taken without.
    pub(super) fn aws(&self) -> Result<&AwsHands, String> {
        self.hands.aws.as_ref().ok_or_else(|| "the responder has no AWS credentials".to_owned())
    }
}

/// What the provider says of the leaked credential now, asked as its detector declares. Nothing is cached.
async fn asked(world: &World<'_>) -> Liveness {
    let Some(detector) = &world.hands.detector else {
        return Liveness::Unknown(format!("this version has no detector {}", world.plan.detector));
    };
    let rivals = (world.hands.recall)(&world.plan.fingerprint);
    if rivals.is_empty() {
        return Liveness::Unknown(keys::GONE.to_owned());
    }
    Validator::new(std::sync::Arc::clone(&world.hands.net)).check(detector, &rivals).await
}

/// How an attempt ended. The value is evidence, without a secret in it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The effect was brought about now.
    Done(Value),
    /// The effect held already.
    AlreadyDone(Value),
    /// Somebody said no.
    Refused(String),
    /// It did not work; nothing was changed.
    Failed(String),
    /// Whether it took effect cannot be told.
    Unknown(String),
    /// A person must do something first.
    Waiting(String),
    /// It is too early.
    Until(Timestamp),
}

/// With whose means an action acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nobody's: it only looks, or a person acts.
    Nothing,
    /// The responder's AWS clients.
    Aws,
    /// The credential that the settings give for a provider. What it can list is its owner's.
    Admin(&'static str),
    /// The leaked value alone, so the settings must say whose it is.
    Owned(&'static str),
}

/// What an action is for, as far as the evidence of a run tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It stops the credential.
    Stops,
    /// It proves that the credential is refused.
    Proves,
    /// It lists what the credential may have made.
    Lists,
    /// It puts another credential in its place.
    Replaces,
    /// It waits until whoever used the old one uses the new one.
    Follows,
    /// It waits until nobody uses the old one any more. It only looks, and is asked again just before what cannot be undone.
    Silent,
    /// Anything else.
    Other,
}

/// A thing a step can do.
pub(super) trait Action: Sync {
    /// Its name in playbooks.
    fn name(&self) -> &'static str;
    /// The arguments that it needs.
    fn takes(&self) -> &'static [&'static str];
    /// The arguments that it may have besides.
    fn may_take(&self) -> &'static [&'static str] {
        &[]
    }
    /// With whose means it acts.
    fn needs(&self) -> Needs {
        Needs::Nothing
    }
    /// What it is for.
    fn role(&self) -> Role {
        Role::Other
    }
    /// Whether it has ever been run against the real service. None has: tests run against other implementations and
    /// documented answers.
    fn run_for_real(&self) -> bool {
        false
    }
    /// Whether it changes anything outside.
    fn mutates(&self) -> bool {
        false
    }
    /// Whether its effect can be undone.
    fn reversible(&self) -> bool {
        true
    }
    /// Whether it can be walked back, though something that ended with it may not come back.
    fn walks_back(&self) -> bool {
        self.reversible()
    }
    /// The permissions that it uses.
    fn permissions(&self) -> &'static [&'static str] {
        &[]
    }
    /// What it will do, in words.
    fn effect(&self, with: &BTreeMap<String, String>) -> String;
    /// How it is undone, in words.
    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        None
    }
    /// How it is undone, in words, where that needs more than the program has, by what the plan has seen.
    fn undo_by_hand(&self, _seen: &Value) -> Option<String> {
        None
    }
    /// What there is now, as far as it matters to this action. For actions that change something, a difference between
    /// planning and applying voids the plan.
    ///
    /// # Errors
    /// In words: who refused or failed to say.
    fn observe<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async { Ok(Value::Null) })
    }
    /// When what it has put in the credential's place was used last, by the provider's record.
    ///
    /// # Errors
    /// In words: nobody tells.
    fn last_use<'a>(&'a self, _world: &'a World<'_>, _id: &'a str) -> Doing<'a, Result<Option<Timestamp>, String>> {
        Box::pin(async { Err("nothing is put in its place".to_owned()) })
    }
    /// By how much the clock of that record may be ahead of this one. Nothing where that is not told.
    ///
    /// # Errors
    /// In words: it could not be asked now.
    fn ahead<'a>(&'a self, _world: &'a World<'_>, _id: &'a str) -> Doing<'a, Result<Option<Duration>, String>> {
        Box::pin(async { Ok(None) })
    }
    /// When the credential that it replaces was used last, by the provider's record.
    ///
    /// # Errors
    /// In words: it could not be asked now.
    fn old_use<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Record, String>> {
        Box::pin(async { Ok(Record::None) })
    }
    /// Whether something of a run's is there that nobody holds.
    ///
    /// # Errors
    /// In words: it cannot be seen now.
    fn has_left<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<bool, String>> {
        Box::pin(async { Ok(false) })
    }
    /// Takes away what of a run's is there that nobody holds, and nothing else: what the run has put in the credential's place
    /// stays. What is to be noted of it; nothing where there was none.
    ///
    /// # Errors
    /// In words: it cannot be seen or taken away now.
    fn take_left<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Option<Value>, String>> {
        Box::pin(async { Ok(None) })
    }
    /// Whether what is seen now is what the plan saw, as far as that matters to it.
    fn same(&self, planned: &Value, now: &Value) -> bool {
        planned == now
    }
    /// Whether what it observes means that the provider takes the credential no more.
    fn is_stopped(&self, _seen: &Value) -> bool {
        false
    }
    /// Whether what was changed is still so, seen anew; nothing where that cannot be told.
    ///
    /// # Errors
    /// In words: it cannot be seen now.
    fn holds<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Option<bool>, String>> {
        Box::pin(async { Ok(None) })
    }
    /// Whether a single answer may come from a part of the provider that does not know yet what others know.
    fn lags(&self) -> bool {
        self.needs() == Needs::Aws
    }
    /// Whether it stops what is known by a name that never means anything else: neither another value, as of what can be reset, nor
    /// other people's sessions.
    fn stops_by_name(&self) -> bool {
        false
    }
    /// Whether it does nothing, and is left out of a plan, where what is there before cannot be seen.
    fn must_see(&self) -> bool {
        false
    }
    /// Whether it alone tells how long what other steps have changed lasts.
    fn tells_how_long(&self) -> bool {
        false
    }
    /// Looks, acts where that is needed, and looks again. Safe to call after a crash at any point.
    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome>;
    /// Puts back what was observed when the plan was made.
    fn undo<'a>(&'a self, _world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async { Outcome::AlreadyDone(Value::Null) })
    }
}

/// What the evidence of a list has beside it all: what is usable of it, in words.
pub(in crate::respond) const ALIVE: &str = "alive";

/// What the evidence of a list has beside it that could not be read, in words: what was asked for, and not what nobody looks at.
pub(in crate::respond) const UNREAD: &str = "unread";

/// What a provider has written down of a credential's last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// It keeps none of it.
    None,
    /// A record that names no use, which is not to say that there is none.
    Empty,
    /// When it was.
    Used(Timestamp),
}

/// Actions that every provider's playbooks share, and AWS's.
const SHARED: &[&dyn Action] = &[
    &deactivate::Deactivate,
    &snapshot::Snapshot,
    &verify_refused::VerifyRefused,
    &list_minted::ListMinted,
    &deny::Deny,
    &evidence::Evidence,
    &verify::Verify,
    &manual::Manual,
    &task::Task,
    &service_credential::ServiceCredential,
    &service_credential::ServiceCredentialRefused,
    &role_policy::REVOKE,
    &role_policy::BEARER,
    &session_refused::SessionRefused,
    &sweep::Sweep,
    &models::BedrockFacts,
    &aws_mint::KEY_CREATE,
    &aws_used::NewUsed,
    &aws_used::OldUnused,
    &delete::Delete,
    &in_use::InUse,
    &old::Unused,
    &old::Refused,
    &restart::Restart,
    &postgres::STOP,
    &login_refused::POSTGRES,
    &mysql::STOP,
    &mysql::ALTERNATE,
    &mysql::DROP,
    &login_refused::MYSQL,
    &login_refused::GOOGLE,
    &service_credential_create::SERVICE_CREATE,
    &service_credential_delete::ServiceDelete,
    &postgres::ALTERNATE,
    &postgres::DROP,
    &providers::TokenRefused,
    &redis::STOP,
    &redis::KEEP,
];

/// Every action.
pub(super) fn all() -> impl Iterator<Item = &'static dyn Action> {
    SHARED.iter().chain(providers::ALL).copied()
}

/// The action of that name.
pub(super) fn get(name: &str) -> Option<&'static dyn Action> {
    all().find(|action| action.name() == name)
}

#[cfg(test)]
mod matrix;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Action, all};
    use crate::detect::DetectorSet;

    #[test]
    fn names_are_unique_and_every_change_says_what_it_needs_and_how_it_is_undone() {
        let mut names: Vec<&str> = all().map(Action::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for action in all().filter(|action| action.mutates()) {
            assert!(!action.permissions().is_empty(), "{}", action.name());
            assert_eq!(action.undo_words(&BTreeMap::new()).is_some(), action.walks_back(), "{}", action.name());
            assert!(action.walks_back() || !action.reversible(), "{}", action.name());
        }
    }

    #[test]
    fn the_actions_of_an_aws_key_exist() {
        let set = DetectorSet::builtin().expect("detectors");
        let named: Vec<(&str, &String)> = set
            .detectors()
            .flat_map(|detector| detector.revoke.iter().chain(&detector.rotate).map(|name| (&*detector.id, name)))
            .collect();
        // What a detector names and nobody wrote yet is shown as by hand; the first detector's must be there.
        for (id, name) in named.iter().filter(|(id, _)| *id == "aws-access-key") {
            assert!(super::get(name).is_some(), "{id} names {name}");
        }
        // Nor is one of those a slip of the finger over an action that is there.
        for (id, name) in named.iter().filter(|(_, name)| super::get(name).is_none()) {
            let letters = |text: &str| text.replace('-', "");
            assert!(all().all(|action| letters(action.name()) != letters(name)), "{id} names {name}");
        }
    }
}
