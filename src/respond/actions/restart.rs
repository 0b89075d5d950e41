//! `consumers-restart`: restarts the listed workloads whose store was written, in waves: one, then a tenth of them, then the rest.
//! Each wave must run again in whole before the next begins; one that does not come up ends it, and both credentials still work.
//! Stores whose write has rolled their own readers (a service of ECS) are waited for first.
//! A restart with the same mark is the same restart, so that it is safe to repeat.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::replace::all_reverted;
use super::{Action, Doing, Outcome, Trouble, World};
use crate::respond::stores::Consumer;
use crate::respond::waves::sizes;

const NAME: &str = "consumers-restart";
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Restart;

/// The stores that the plan writes.
fn written(world: &World<'_>) -> Vec<String> {
    let stores = world.plan.steps.iter().filter_map(|step| step.observed.get("stores")?.as_array()).flatten();
    stores
        .filter(|store| store.get("parts").and_then(Value::as_array).is_some_and(|parts| !parts.is_empty()))
        .filter_map(|store| Some(store.get("store")?.as_str()?.to_owned()))
        .collect()
}

/// The workloads that read a store which the plan writes.
fn concerned(world: &World<'_>) -> Vec<Consumer> {
    let written = written(world);
    let mut all = world.hands.stores.consumers();
    all.retain(|consumer| written.iter().any(|store| store.split_once(' ').is_some_and(|(_, at)| at == consumer.reads)));
    all
}

/// Whether the run has begun to restart workloads that are listed: those go on with what they read then, whatever their store holds
/// since.
pub(super) fn begun(world: &World<'_>) -> bool {
    let mut steps = world.plan.steps.iter().zip(world.so_far);
    steps.any(|(step, status)| step.action == NAME && status.begun) && !concerned(world).is_empty()
}

/// By what this plan's restart is known.
fn mark(world: &World<'_>) -> String {
    world.plan.made_at.to_string()
}

async fn waited(world: &World<'_>, wave: &[Consumer], deadline: tokio::time::Instant) -> Result<(), Outcome> {
    for consumer in wave {
        loop {
            let why = match consumer.look(world.hands).await {
                Ok(now) if now.settled && now.restarted.as_deref() == Some(&mark(world)) => break,
                Ok(_) => "it does not run in whole yet".to_owned(),
                Err(Trouble::Unknown(why) | Trouble::Failed(why)) => why,
                Err(trouble) => return Err(trouble.settles()),
            };
            if tokio::time::Instant::now() + PAUSE > deadline {
                return Err(Outcome::Unknown(format!(
                    "{} was restarted, and {why}: look at it. Both credentials still work; no other was restarted after it",
                    consumer.name()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Waits until stores that roll whoever reads them have done so; their names.
async fn rolled(world: &World<'_>, deadline: tokio::time::Instant) -> Result<Vec<String>, Outcome> {
    let written = written(world);
    let mut rolled = Vec::new();
    for store in world.hands.stores.open(&world.plan.files) {
        if !written.contains(&store.name()) {
            continue;
        }
        while let Some(look) = store.settled(world.hands) {
            let why = match look.await {
                Ok(()) => {
                    // What was rolled back is whole again as well, with the old one in it.
                    if all_reverted(world).await.map_err(Trouble::settles)?.contains(&store.name()) {
                        return Err(Outcome::Failed(format!(
                            "{} holds the old one again: its roll was taken back; look at its events. Both credentials still work",
                            store.name()
                        )));
                    }
                    rolled.push(store.name());
                    break;
                }
                Err(Trouble::Unknown(why)) => why,
                Err(trouble) => {
                    return Err(Outcome::Failed(format!(
                        "{}: {}. Both credentials still work",
                        store.name(),
                        trouble.why()
                    )));
                }
            };
            if tokio::time::Instant::now() + PAUSE > deadline {
                return Err(Outcome::Unknown(format!(
                    "{}: {why}: look at it. Both credentials still work; nothing else was restarted",
                    store.name()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(rolled)
}

async fn restarted(world: &World<'_>) -> Result<Outcome, Outcome> {
    let mut all = concerned(world);
    let names: Vec<String> = all.iter().map(Consumer::name).collect();
    let deadline = tokio::time::Instant::now() + world.timeout;
    let rolled = rolled(world, deadline).await?;
    let done = |restarted: &[String]| match rolled.as_slice() {
        [] => json!({ "restarted": restarted }),
        rolled => json!({ "restarted": restarted, "rolled": rolled }),
    };
    if all.is_empty() {
        return Ok(Outcome::AlreadyDone(done(&names)));
    }
    for size in sizes(all.len()) {
        let wave: Vec<Consumer> = all.drain(..size).collect();
        for consumer in &wave {
            let now = consumer.look(world.hands).await.map_err(Trouble::settles)?;
            if now.restarted.as_deref() != Some(&mark(world)) {
                let done = consumer.restart(world.hands, &mark(world)).await;
                done.map_err(|trouble| match trouble {
                    Trouble::Absent => Outcome::Failed(format!("{} is not there", consumer.name())),
                    trouble => trouble.settles(),
                })?;
            }
        }
        waited(world, &wave, deadline).await?;
    }
    Ok(Outcome::Done(done(&names)))
}

impl Action for Restart {
    fn name(&self) -> &'static str {
        NAME
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["get and patch on the listed Deployments, by the token's role"]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "restart the listed workloads whose store was written, in waves: one, a tenth, the rest; each wave must run before the next"
            .to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("nothing: once the stores hold the old one again, restart them by hand".to_owned())
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { restarted(world).await.unwrap_or_else(|outcome| outcome) })
    }
}
