//! `old-unused`: waits until nobody has used the old one for so long, by its provider's record; where that names no use, or there is
//! no such record, a person says so. `old-refused`: proves that the old one is taken no more, by asking as it where its value
//! can still be read, else by a fresh look of the provider's administration. Both look only.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::in_use::{before, replacing, said};
use super::replace::{replacement, reverted};
use super::{Action, Doing, Outcome, Record, Role, World, asked};
use crate::model::{Liveness, PlannedStep};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Unused;

async fn silent(world: &World<'_>) -> Result<Outcome, Outcome> {
    let quiet = world.arg("seconds").parse().map(Duration::from_secs);
    let quiet = quiet.map_err(|_| Outcome::Failed("`seconds` is no number".to_owned()))?;
    let (Some((_, since)), Some(action)) = (replacement(world), replacing(world)) else {
        return Ok(Outcome::Refused("nothing was put in its place in this run".to_owned()));
    };
    let told = action.old_use(world).await;
    let used = if let Ok(Record::Used(at)) = told { Some(at) } else { None };
    let from = used.map_or(since, |used| used.max(since));
    let due = from.checked_add(quiet).unwrap_or(Timestamp::MAX);
    if world.hands.clock.now() < due {
        return Ok(match used.filter(|used| *used > since) {
            Some(used) => Outcome::Waiting(format!(
                "the old one was used at {used}, after every known store had the new one: somebody holds it who is not known. Find \
                 them, or wait: it must be silent until {due}, then `respond resume`"
            )),
            None => Outcome::Until(due),
        });
    }
    if let Some(store) = reverted(world).await.map_err(|trouble| Outcome::Unknown(trouble.why()))? {
        return Ok(Outcome::Waiting(format!(
            "{store} holds the old one again: something writes it there (a controller, a deployment, Terraform). Have that write \
             the new one, then `respond resume`"
        )));
    }
    let (name, step) = (world.plan.fingerprint.short(), world.step);
    Ok(match told {
        Ok(Record::Used(used)) => Outcome::Done(json!({ "silent_since": from.to_string(), "last_used": used.to_string() })),
        _ if world.confirmed => said(world, &name, world.requester).await,
        // What somebody said before stands for a record that there is not, and not for one that cannot be had now.
        Ok(_) if before(world).is_some() => said(world, &name, &before(world).unwrap_or_default()).await,
        Ok(Record::Empty) => Outcome::Waiting(format!(
            "its provider's record names no use of the old one at all, which does not say that nobody uses it: see that nobody \
             does, and say so with `resume --done {step}`"
        )),
        Ok(Record::None) => Outcome::Waiting(format!(
            "its provider does not tell when a key was used: see that nobody uses the old one, and say so with `resume --done \
             {step}`"
        )),
        Err(why) => Outcome::Waiting(format!(
            "whether the old one is still used cannot be asked now ({why}): `respond resume` asks again; or see that nobody uses it, \
             and say so with `resume --done {step}`"
        )),
    })
}

impl Action for Unused {
    fn name(&self) -> &'static str {
        "old-unused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["seconds"]
    }

    fn role(&self) -> Role {
        Role::Silent
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let seconds = with.get("seconds").map_or("", String::as_str);
        format!(
            "wait until the old one was silent for {seconds} s, by its provider's record or a person's word, and no store holds it \
             again"
        )
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { silent(world).await.unwrap_or_else(|outcome| outcome) })
    }
}

pub(super) struct Refused;

/// The last step of a plan that stops the credential.
fn stopping<'w>(world: &World<'w>) -> Option<(&'w PlannedStep, &'static dyn Action)> {
    let mut steps = world.plan.steps.iter().rev().filter_map(|step| Some((step, super::get(&step.action)?)));
    steps.find(|(_, action)| action.role() == Role::Stops && action.mutates())
}

/// What the provider's administration says of the old one now: evidence that it is stopped, or why that is not known.
async fn shown(world: &World<'_>) -> Result<Outcome, String> {
    let (step, action) = stopping(world).ok_or_else(|| "the plan stops nothing".to_owned())?;
    let look = World { step: &step.id, with: &step.with, before: &step.observed, ..*world };
    let seen = action.observe(&look).await?;
    if action.is_stopped(&seen) {
        return Ok(Outcome::Done(json!({ "by": "the provider's administration", "seen": seen })));
    }
    Err(format!("the provider's administration shows it as {seen}"))
}

async fn proved(world: &World<'_>) -> Outcome {
    let deadline = tokio::time::Instant::now() + world.timeout;
    let (mut pause, mut times) = (FIRST_PAUSE, 0u32);
    let unreadable = (world.hands.recall)(&world.plan.fingerprint).is_empty();
    loop {
        times += 1;
        let said = asked(world).await;
        // Of what nothing can be asked a later look says no more.
        let mute = matches!(said, Liveness::NotChecked(_));
        let (accepted, why) = match said {
            Liveness::Dead(why) => return Outcome::Done(json!({ "refused": why, "asked": times })),
            Liveness::Live(_) | Liveness::Limited(..) => (true, "the provider still accepts it".to_owned()),
            other => (false, other.why().unwrap_or("nothing can be asked about it").to_owned()),
        };
        let over = tokio::time::Instant::now() + pause > deadline;
        // A listing says what the administration knows, not what is let in: only where nobody can ask, or not in time.
        let why = if accepted || !(over || unreadable || mute) {
            why
        } else {
            match shown(world).await {
                Ok(proof) => return proof,
                Err(listed) => format!("{why}; {listed}"),
            }
        };
        if over {
            let why = format!("{why} (asked for {} s)", world.timeout.as_secs());
            return if accepted { Outcome::Failed(why) } else { Outcome::Unknown(why) };
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Action for Refused {
    fn name(&self) -> &'static str {
        "old-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ask as the old one until it is refused; where its value cannot be read any more, look at what the provider's \
         administration says of it"
            .to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(proved(world))
    }
}
