//! An action that is stated: its file says what it is called, whose administration it needs, what it does in words, and how; that it takes
//! no arguments, changes something and can be walked back where it says how is the same for all of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::login::why;
use super::{Action, Doing, Needs, Outcome, Role, World};

/// How one action looks, acts and goes back. What is no success comes out as an error, for `?`.
pub(super) trait Ways: Sync {
    /// What there is now.
    fn seen<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(async { Ok(Value::Null) })
    }
    /// Acts.
    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>>;
    /// Puts back what the plan saw.
    fn undone<'a>(&'a self, _world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async { Ok(Outcome::AlreadyDone(Value::Null)) })
    }
}

/// An action that is stated.
pub(super) struct Stated {
    pub(super) name: &'static str,
    pub(super) provider: &'static str,
    pub(super) role: Role,
    pub(super) permissions: &'static [&'static str],
    /// What it does, in words.
    pub(super) effect: &'static str,
    /// How it is undone, in words; `None` where it cannot be.
    pub(super) undo: Option<&'static str>,
    /// The states in which the leaked credential opens nothing.
    pub(super) shut: &'static [&'static str],
    /// Whether what is seen now is what the plan saw, as far as that matters.
    pub(super) same: fn(planned: &Value, now: &Value) -> bool,
    /// Whether it is left out where what is there before cannot be seen.
    pub(super) must_see: bool,
    /// Whether it alone tells how long what other steps have changed lasts.
    pub(super) tells_how_long: bool,
    pub(super) ways: &'static dyn Ways,
}

struct Nothing;

impl Ways for Nothing {
    fn done<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async { Ok(Outcome::AlreadyDone(Value::Null)) })
    }
}

impl Stated {
    /// What is so where an action states nothing else.
    pub(super) const PLAIN: Self = Self {
        name: "",
        provider: "",
        role: Role::Other,
        permissions: &[],
        effect: "",
        undo: None,
        shut: &[],
        same: |planned, now| planned == now,
        must_see: false,
        tells_how_long: false,
        ways: &Nothing,
    };
}

impl Action for Stated {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn reversible(&self) -> bool {
        self.undo.is_some()
    }

    fn needs(&self) -> Needs {
        Needs::Admin(self.provider)
    }

    fn role(&self) -> Role {
        self.role
    }

    fn permissions(&self) -> &'static [&'static str] {
        self.permissions
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        self.effect.to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        self.undo.map(str::to_owned)
    }

    fn same(&self, planned: &Value, now: &Value) -> bool {
        (self.same)(planned, now)
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        seen.get("state").and_then(Value::as_str).is_some_and(|state| self.shut.contains(&state))
    }

    fn must_see(&self) -> bool {
        self.must_see
    }

    fn tells_how_long(&self) -> bool {
        self.tells_how_long
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move { self.ways.seen(world).await.map_err(why) })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { self.ways.done(world).await.unwrap_or_else(|outcome| outcome) })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move { self.ways.undone(world, before).await.unwrap_or_else(|outcome| outcome) })
    }
}
