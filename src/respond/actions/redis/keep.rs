//! `redis-acl-keep`: what was changed in a user lasts: where the server keeps its users in an ACL file, `ACL SAVE` writes that. It writes
//! every user as it is now, over whatever stands there: what somebody has changed in the file and the server has not read would be lost,
//! and no command shows it. So a person sees that there is nothing of the kind, and says so. Undone in the same way.
//! Source: redis.io, commands ACL SAVE, ACL LOAD, CONFIG GET.

use serde_json::Value;

use super::super::login::{Door, Mark, put_back, why};
use super::super::stated::{Stated, Ways};
use super::super::{Doing, Outcome, World};
use super::PROVIDER;
use super::desk::{Desk, File, ON};
use crate::model::PlannedStep;
use crate::validate::redis_admin::RedisPlace;

const NAME: &str = "redis-acl-keep";

pub(in crate::respond::actions) const KEEP: Stated = Stated {
    name: NAME,
    provider: PROVIDER,
    permissions: &["a Redis user with +acl, +config|get and +info"],
    effect: "where the server has an ACL file, wait until a person says that nobody has changed it, then ACL SAVE, which writes every user as \
             it is then; else say that it lasts until the server restarts",
    undo: Some("let the user in again and ACL SAVE, once a person says that nobody has changed the file"),
    tells_how_long: true,
    ways: &Keep,
    ..Stated::PLAIN
};

struct Keep;

/// Whether the plan has a step that says how long a change lasts.
pub(super) fn follows(world: &World<'_>) -> bool {
    world.plan.steps.iter().any(|step| step.action == NAME)
}

/// The step that stops the user.
fn stopping<'w>(world: &World<'w>) -> Result<&'w PlannedStep, Outcome> {
    let stop = world.plan.steps.iter().find(|step| step.action == "redis-user-stop");
    stop.ok_or_else(|| Outcome::Refused("the plan stops no user".to_owned()))
}

/// The operator's session at the server of the user that the plan has seen.
async fn desk(world: &World<'_>, before: &Value) -> Result<Desk, Outcome> {
    let unseen = || Outcome::Refused("the plan did not see what it would change; make a new one".to_owned());
    let mark = Mark::seen(before).ok_or_else(unseen)?;
    let place: RedisPlace = mark.office(world)?;
    Desk::open(world, mark, &place).await
}

fn asks(world: &World<'_>, file: &str, how: &str) -> String {
    format!(
        "ACL SAVE would write every user as it is now over {file}, and lose what somebody has changed in it that the server has not \
         read: see that it holds nothing of the kind (compare it with ACL LIST), then say so with `{how} --done {}`; or write the user \
         there by hand and have the server read it with ACL LOAD",
        world.step
    )
}

async fn kept(world: &World<'_>) -> Result<Outcome, Outcome> {
    let mut desk = desk(world, &stopping(world)?.observed).await?;
    let state = desk.state().await?;
    if state == ON {
        return Ok(Outcome::Refused("the user is on: what is not stopped is not kept so".to_owned()));
    }
    let File::At(file) = desk.file().await else { return Ok(Outcome::AlreadyDone(desk.kept(state).await)) };
    if !world.confirmed {
        return Ok(Outcome::Waiting(asks(world, &file, "resume")));
    }
    if let Err(other) = desk.save().await {
        if let Outcome::Unknown(why) = other {
            return Ok(Outcome::Unknown(format!("whether {file} was written is not known: {why}")));
        }
        let mut seen = desk.seen(state).await;
        seen["lasts"] = format!("until the server restarts: {file} was not written ({})", why(other)).into();
        return Ok(Outcome::AlreadyDone(seen));
    }
    let mut seen = desk.seen(state).await;
    seen["lasts"] = format!("for good: {file} was written").into();
    seen["said_by"] = world.requester.into();
    Ok(Outcome::Done(seen))
}

async fn let_in_for_good(world: &World<'_>) -> Result<Outcome, Outcome> {
    let before = &stopping(world)?.observed;
    let mut desk = desk(world, before).await?;
    let File::At(file) = desk.file().await else { return Ok(Outcome::AlreadyDone(Value::Null)) };
    if !world.confirmed {
        let why = asks(world, &file, "undo RUN");
        return Ok(Outcome::Failed(format!("the file has the user stopped still, and would at the next start. {why}")));
    }
    match put_back::<Desk>(world, before).await? {
        Outcome::Done(_) | Outcome::AlreadyDone(_) => {}
        other => return Ok(other),
    }
    desk.save().await?;
    let state = desk.state().await?;
    let mut seen = desk.seen(state).await;
    seen["lasts"] = format!("for good: {file} was written").into();
    Ok(Outcome::Done(seen))
}

impl Ways for Keep {
    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(kept(world))
    }

    fn undone<'a>(&'a self, world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(let_in_for_good(world))
    }
}
