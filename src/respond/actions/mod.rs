//! What a step can do to the world. One file and one line in [`ALL`] each.

mod aws;
mod deactivate;
mod deny;
mod evidence;
mod list_minted;
mod snapshot;
mod verify_refused;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;

use super::Hands;
use crate::model::{Plan, StepStatus};

/// A future that an action returns.
pub(super) type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where an action acts.
pub(super) struct World<'w> {
    pub(super) hands: &'w Hands,
    pub(super) plan: &'w Plan,
    pub(super) digest: &'w str,
    /// Bound arguments of the step.
    pub(super) with: &'w BTreeMap<String, String>,
    /// How long the step may take.
    pub(super) timeout: Duration,
    /// What the run has done so far; empty while planning.
    pub(super) so_far: &'w [StepStatus],
}

impl World<'_> {
    /// An argument that the playbook checker has made sure of.
    pub(super) fn arg(&self, name: &str) -> &str {
        self.with.get(name).map_or("", String::as_str)
    }
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
}

/// A thing a step can do.
pub(super) trait Action: Sync {
    /// Its name in playbooks.
    fn name(&self) -> &'static str;
    /// The arguments that it needs.
    fn takes(&self) -> &'static [&'static str];
    /// Whether it changes anything outside.
    fn mutates(&self) -> bool {
        false
    }
    /// Whether its effect can be undone.
    fn reversible(&self) -> bool {
        true
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
    /// What there is now, as far as it matters to this action. For actions that change something, a difference between
    /// planning and applying voids the plan.
    ///
    /// # Errors
    /// In words: who refused or failed to say.
    fn observe<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async { Ok(Value::Null) })
    }
    /// Looks, acts where that is needed, and looks again. Safe to call after a crash at any point.
    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome>;
    /// Puts back what was observed when the plan was made.
    fn undo<'a>(&'a self, _world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async { Outcome::AlreadyDone(Value::Null) })
    }
}

/// Every action, in order of name.
pub(super) const ALL: &[&dyn Action] = &[
    &deactivate::Deactivate,
    &snapshot::Snapshot,
    &verify_refused::VerifyRefused,
    &list_minted::ListMinted,
    &deny::Deny,
    &evidence::Evidence,
];

/// The action of that name.
pub(super) fn get(name: &str) -> Option<&'static dyn Action> {
    ALL.iter().copied().find(|action| action.name() == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::ALL;
    use crate::detect::DetectorSet;

    #[test]
    fn names_are_unique_and_every_change_says_what_it_needs_and_how_it_is_undone() {
        let names: Vec<&str> = ALL.iter().map(|action| action.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        for action in ALL.iter().filter(|action| action.mutates()) {
            assert!(!action.permissions().is_empty(), "{}", action.name());
            assert_eq!(action.undo_words(&BTreeMap::new()).is_some(), action.reversible(), "{}", action.name());
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
            assert!(ALL.iter().all(|action| letters(action.name()) != letters(name)), "{id} names {name}");
        }
    }
}
