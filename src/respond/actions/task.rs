//! `task`: what only a person can do about everything around a credential, and nobody can be asked whether it is done. The run
//! waits, however dead the credential is, until a person says so (`resume --done STEP`); the word is kept with their name.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Action, Doing, Outcome, World};

pub(super) struct Task;

impl Action for Task {
    fn name(&self) -> &'static str {
        "task"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["do"]
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let what = with.get("do").map_or("", String::as_str);
        format!("a person does it and says so, the run waits: {what}")
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            if world.confirmed {
                return Outcome::Done(json!({ "said_by": world.requester }));
            }
            Outcome::Waiting(format!("{}; then say so with `resume --done`", world.arg("do")))
        })
    }
}
