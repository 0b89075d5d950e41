//! `manual`: what only a person can do: where, what exactly, and a check that it has happened. The run waits; `resume` checks
//! again. Where nothing can be asked, the person's word counts (`resume --done STEP`), and is kept as such.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Action, Doing, Outcome, Role, World, asked};
use crate::model::Liveness;

pub(super) struct Manual;

/// What the person is told. Everything in it is public or redacted.
fn told(with: &BTreeMap<String, String>) -> String {
    let arg = |name: &str| with.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let place = arg("console").unwrap_or("the provider's console");
    let shown = arg("shown").map(|shown| format!(" that is shown as {shown}")).unwrap_or_default();
    let what = arg("do").map_or_else(
        || format!("sign in with rights over the account, find the credential{shown}, and delete, revoke or regenerate it"),
        |what| format!("{what} (the credential{shown})"),
    );
    format!("{place}: {what}")
}

async fn looked(world: &World<'_>) -> Outcome {
    let said_done = json!({ "said_by": world.requester });
    match asked(world).await {
        Liveness::Dead(why) => Outcome::Done(json!({ "refused": why })),
        Liveness::Live(_) | Liveness::Limited(..) if world.confirmed => {
            Outcome::Waiting(format!("the provider still accepts it, although it is said to be done; {}", told(world.with)))
        }
        Liveness::Unknown(_) | Liveness::NotChecked(_) if world.confirmed => Outcome::Done(said_done),
        Liveness::Unknown(why) | Liveness::NotChecked(Some(why)) => Outcome::Waiting(format!(
            "{}. Whether it is done cannot be asked ({why}): say so with `resume --done`",
            told(world.with)
        )),
        _ => Outcome::Waiting(told(world.with)),
    }
}

impl Action for Manual {
    fn name(&self) -> &'static str {
        "manual"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["console", "shown"]
    }

    fn may_take(&self) -> &'static [&'static str] {
        &["do"]
    }

    fn role(&self) -> Role {
        Role::Stops
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        format!("a person does it, the run waits, `respond resume` checks and goes on. {}", told(with))
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(looked(world))
    }
}
