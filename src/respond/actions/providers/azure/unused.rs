//! `azure-ai-other-key-unused`: that nobody uses the account's other key, which is made anew next and whose value ends then: no known
//! store holds it, and a person says that nobody else does. Azure tells no use of a key. Looks only, and looks again just before the key
//! is made anew; by then a word that is older than an hour, or about another value, is asked for once more.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::super::keys::Trouble;
use super::super::super::replace::replacement;
use super::super::super::{Action, Doing, Needs, Outcome, Role, World};
use super::SERVICE;
use super::alternate::{Asked, NAME, other, store_of};

/// For so long a person's word stands.
const FRESH: SignedDuration = SignedDuration::from_hours(1);

pub(in super::super) struct OtherUnused;

/// What a person has said of it lately.
fn said(world: &World<'_>, (id, ever): (&str, bool)) -> Option<Value> {
    let noted = &world.so_far.iter().find(|status| status.id == world.step)?.noted;
    let at: Timestamp = noted["at"].as_str()?.parse().ok()?;
    let fresh = world.hands.clock.now().duration_since(at).abs() < FRESH;
    // Once a new value was asked for, what the slot holds is that step's matter.
    (fresh && (ever || noted["id"] == id)).then(|| noted.clone())
}

async fn looked(world: &World<'_>) -> Result<Outcome, Trouble> {
    let Some(step) = world.plan.steps.iter().find(|step| step.action == NAME) else {
        return Ok(Outcome::Refused(format!("the plan has no step that does {NAME}")));
    };
    // It is over: what stands there now is this run's.
    if let Some((id, _)) = replacement(world) {
        return Ok(Outcome::Done(json!({ "made": id })));
    }
    let (_, other) = other(&World { before: &step.observed, ..*world }).await?;
    let (id, asked) = (other.id(), Asked::by(world, &step.id));
    if asked.id == Some(&id) {
        return Ok(Outcome::Done(json!({ "made_by": step.id })));
    }
    if let Some(store) = store_of(world, &other.key).await? {
        return Ok(Outcome::Waiting(format!(
            "{store} holds the account's other key ({}), which is made anew next: whoever reads it there would be cut off. Have it hold \
             the one that is replaced, then `respond resume`",
            other.slot
        )));
    }
    if world.confirmed {
        let note = json!({ "id": id, "said_by": world.requester, "at": world.hands.clock.now().to_string() });
        if let Some(notes) = world.notes {
            notes.write(note.clone()).await.map_err(Trouble::Unknown)?;
        }
        return Ok(Outcome::Done(note));
    }
    Ok(said(world, (&id, asked.ever)).map_or_else(
        || {
            Outcome::Waiting(format!(
                "see that nobody uses the account's other key ({}): it is made anew next, and its old value ends at once. No known store \
                 holds it, and Azure does not tell which key is used; then say so with `resume --done {}`",
                other.slot, world.step
            ))
        },
        Outcome::Done,
    ))
}

impl Action for OtherUnused {
    fn name(&self) -> &'static str {
        "azure-ai-other-key-unused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        SERVICE.needs()
    }

    fn role(&self) -> Role {
        Role::Silent
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "see that no known store holds the account's other key, and wait for a person to say that nobody uses it: it is made anew next"
            .to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { looked(world).await.unwrap_or_else(Trouble::settles) })
    }
}
