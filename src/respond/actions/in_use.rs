//! `new-in-use`: whether consumers have taken the new credential up: by its provider's record of its last use where there is one,
//! else by a person's word. Looks only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::replace::replacement;
use super::{Action, Doing, Outcome, Role, World};

pub(super) struct InUse;

/// The action of a plan that puts another one in its place.
pub(super) fn replacing(world: &World<'_>) -> Option<&'static dyn Action> {
    let mut actions = world.plan.steps.iter().filter_map(|step| super::get(&step.action));
    actions.find(|action| action.role() == Role::Replaces)
}

/// Who has said so before.
pub(super) fn before(world: &World<'_>) -> Option<String> {
    let status = world.so_far.iter().find(|status| status.id == world.step)?;
    Some(status.noted.get("said_by")?.as_str()?.to_owned())
}

pub(super) async fn said(world: &World<'_>, id: &str, by: &str) -> Outcome {
    noted(world, json!({ "id": id, "said_by": by })).await
}

/// What stays true, whatever is seen later: written down before it counts.
async fn noted(world: &World<'_>, note: Value) -> Outcome {
    if let Some(notes) = world.notes
        && let Err(why) = notes.write(note.clone()).await
    {
        return Outcome::Unknown(why);
    }
    Outcome::Done(note)
}

/// What was seen or said of this one before.
fn known(world: &World<'_>, id: &str) -> Option<Value> {
    let noted = &world.so_far.iter().find(|status| status.id == world.step)?.noted;
    let is_of_it = noted.get("id").is_some_and(|of| of == id);
    (is_of_it && (noted.get("used").is_some() || noted.get("said_by").is_some())).then(|| noted.clone())
}

/// When somebody else than this run has used it last: it was asked about once by this run itself, before any store had it. Records
/// may have whole seconds, and the provider's clock may be ahead of this one.
async fn seen(world: &World<'_>, action: &dyn Action, (id, since): (&str, Timestamp)) -> Result<Option<Timestamp>, String> {
    let later = |used: &Timestamp, since: Timestamp| used.as_second() > since.as_second();
    let Some(used) = action.last_use(world, id).await?.filter(|used| later(used, since)) else { return Ok(None) };
    let ahead = action.ahead(world, id).await?.ok_or_else(|| {
        format!("it was used at {used} by its provider's clock, which may have been this run's own question: nothing tells by how \
                 much that clock is ahead of this one")
    })?;
    Ok(Some(used).filter(|used| later(used, since.checked_add(ahead).unwrap_or(Timestamp::MAX))))
}

async fn looked(world: &World<'_>) -> Outcome {
    let Some((id, since)) = replacement(world) else {
        return Outcome::Refused("nothing was put in its place in this run".to_owned());
    };
    let Some(action) = replacing(world) else {
        return Outcome::Refused("the plan replaces nothing".to_owned());
    };
    match seen(world, action, (&id, since)).await {
        Ok(Some(used)) => noted(world, json!({ "id": id, "used": used.to_string() })).await,
        _ if world.confirmed => said(world, &id, world.requester).await,
        // Seen or said before the quiet period, and no less true after it: a database tells of open sessions alone.
        _ if let Some(known) = known(world, &id) => noted(world, known).await,
        Ok(_) => Outcome::Waiting(format!(
            "its provider has seen no use of the new one since every store has it: restart what reads its store only at its start, \
             then `respond resume`; or say that it is in use with `resume --done {}`",
            world.step
        )),
        Err(why) => Outcome::Waiting(format!(
            "whether the new one is in use cannot be asked ({why}): restart what reads its store only at its start, see that it \
             works, and say so with `resume --done {}`",
            world.step
        )),
    }
}

impl Action for InUse {
    fn name(&self) -> &'static str {
        "new-in-use"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "wait until the new one is seen in use, by its provider's record or a person's word".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(looked(world))
    }
}
