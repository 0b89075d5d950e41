//! `key-verify-refused`: asks the provider as the leaked credential, the way its detector declares and never from what was
//! answered before, until it is refused or time is up. Still accepted is a failure; not being able to ask is Unknown.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::keys::GONE;
use super::{Action, Doing, Outcome, Role, World, asked};
use crate::model::Liveness;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Verify;

async fn prove(world: &World<'_>) -> Outcome {
    if (world.hands.recall)(&world.plan.fingerprint).is_empty() {
        return Outcome::Unknown(GONE.to_owned());
    }
    let deadline = tokio::time::Instant::now() + world.timeout;
    let (mut pause, mut times) = (FIRST_PAUSE, 0u32);
    loop {
        times += 1;
        let said = asked(world).await;
        let over = tokio::time::Instant::now() + pause > deadline;
        let seconds = world.timeout.as_secs();
        match said {
            Liveness::Dead(why) => return Outcome::Done(json!({ "refused": why, "asked": times })),
            // Nobody would answer at a second time either.
            Liveness::NotChecked(why) => {
                let why = why.unwrap_or_else(|| "nothing can be asked about it".to_owned());
                return Outcome::Unknown(format!("that it is refused cannot be proved: {why}"));
            }
            Liveness::Live(_) | Liveness::Limited(..) if over => {
                return Outcome::Failed(format!("the provider still accepts it after {seconds} s"));
            }
            Liveness::Unknown(why) if over => return Outcome::Unknown(format!("{why} (asked for {seconds} s)")),
            _ => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Action for Verify {
    fn name(&self) -> &'static str {
        "key-verify-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ask the provider as the leaked credential until it is refused".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(prove(world))
    }
}
