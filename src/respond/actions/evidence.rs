//! `evidence`: what the run did and proved, as an in-toto statement. The run writes it beside its journal. Before that all is looked at
//! once more: a change that somebody has undone since, or a refusal that only a part of the provider knew of, is no containment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::super::evidence::{Again, statement};
use super::{Action, Doing, Outcome, Role, World, get};
use crate::model::{PlannedStep, StepState, StepStatus};

/// For what has been refused before to be refused again.
const AGAIN: Duration = Duration::from_secs(10);

pub(super) struct Evidence;

/// The steps that succeeded, with what they do.
fn done<'w>(world: &World<'w>) -> impl Iterator<Item = (&'w PlannedStep, &'w StepStatus, &'static dyn Action)> {
    let (planned, so_far) = (&world.plan.steps, world.so_far);
    let steps = planned.iter().zip(so_far).filter(|(_, status)| status.state == StepState::Succeeded);
    steps.filter_map(|(step, status)| Some((step, status, get(&step.action)?)))
}

/// Looks at every change, and asks once more where one answer may come from a part that did not know yet, or where a change cannot be
/// looked at by itself.
async fn look(world: &World<'_>, again: &mut Again) {
    let mut blind = false;
    for (step, _, action) in done(world) {
        let timeout = AGAIN.min(world.timeout);
        let at = World { step: &step.id, with: &step.with, before: &step.observed, timeout, notes: None, ..*world };
        if step.mutates {
            match action.holds(&at).await {
                Ok(Some(true)) => {}
                Ok(Some(false)) => again.undone.push(format!("{} holds no longer: somebody has undone it", step.id)),
                Ok(None) => blind |= action.role() == Role::Stops,
                Err(why) => again.unseen.push(format!("whether {} still holds was not seen: {why}", step.id)),
            }
        } else if action.role() == Role::Proves && (blind || action.lags()) {
            match action.apply(&at).await {
                Outcome::Done(_) | Outcome::AlreadyDone(_) => {}
                Outcome::Failed(why) | Outcome::Refused(why) => {
                    again.undone.push(format!("{} is so no longer: {why}", step.id));
                }
                Outcome::Unknown(why) | Outcome::Waiting(why) => {
                    again.unseen.push(format!("{} was seen once, and not again: {why}", step.id));
                }
                Outcome::Until(until) => again.unseen.push(format!("{} was not asked again before {until}", step.id)),
            }
        }
    }
    again.over = true;
}

impl Action for Evidence {
    fn name(&self) -> &'static str {
        "evidence"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "look once more whether every change still holds, and write down what was done and proved, as an in-toto statement"
            .to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let mut again = Again::default();
            // What was seen by then counts, and that not all was.
            let _ = tokio::time::timeout(world.timeout, look(world, &mut again)).await;
            let mut said = statement(world.plan, world.digest, (world.so_far, &again), world.hands.clock.now());
            let about = said.pointer_mut("/predicate/staunch").and_then(Value::as_object_mut);
            if let (Some(about), Some(record)) = (about, world.record.as_object()) {
                about.extend(record.clone());
            }
            Outcome::Done(said)
        })
    }
}
