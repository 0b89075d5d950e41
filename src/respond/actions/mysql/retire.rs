//! `mysql-password-drop`: takes the old password away from a user that is locked, so that it opens nothing even when somebody unlocks it,
//! and leaves it for its next turn. For good; the user stays, since views, routines and events may run as it.
//! Naturally idempotent. Sources as for [`super::pair`].

use serde_json::{Value, json};

use super::super::keys::{GONE, Trouble};
use super::super::login::{Mark, settled};
use super::super::replace::replacement;
use super::super::stated::{Stated, Ways};
use super::super::{Doing, Outcome, World};
use super::pair::Desk;
use super::{ABSENT, LOCKED, PROVIDER};
use crate::validate::mysql_admin::MySqlPlace;

pub(super) const NAME: &str = "mysql-password-drop";

pub(in crate::respond::actions) const DROP: Stated = Stated {
    name: NAME,
    provider: PROVIDER,
    permissions: &["a MariaDB user with CREATE USER and SELECT on the schema mysql"],
    effect: "give the old user, which stays locked for its next turn, a password that is nobody's",
    ways: &Drop,
    ..Stated::PLAIN
};

struct Drop;

async fn dropped(world: &World<'_>) -> Result<Outcome, Trouble> {
    if replacement(world).is_none() {
        return Ok(Outcome::Refused("nothing was put in its place in this run".to_owned()));
    }
    let mark = Mark::agreed::<MySqlPlace>(world).map_err(settled)?;
    let mut desk = Desk::open(world).await?;
    let seen = |state: &str| json!({ "object": mark.object(), "state": state, "password": "none" });
    desk.alone().await?;
    let Some(known) = desk.known(&mark.name).await? else { return Ok(Outcome::AlreadyDone(seen(ABSENT))) };
    if known.was_left() {
        return Ok(Outcome::AlreadyDone(seen(LOCKED)));
    }
    if !known.is_locked() {
        let what = "may log in again: somebody needs it; stop it first";
        return Ok(Outcome::Refused(format!("{} {what}", mark.name)));
    }
    desk.untagged(&mark.name, &known.host).await?;
    desk.emptied(&mark.name, &known.host).await?;
    match desk.known(&mark.name).await {
        Ok(Some(known)) if known.was_left() => Ok(Outcome::Done(seen(LOCKED))),
        Ok(_) => Ok(Outcome::Unknown("the server took the change, and the user does not read so".to_owned())),
        Err(trouble) => {
            Ok(Outcome::Unknown(format!("the server took the change, and it cannot be read back: {}", trouble.why())))
        }
    }
}

impl Ways for Drop {
    fn seen<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(async move {
            // Its state changes in the run; whom it is about does not.
            let mark = Mark::found::<MySqlPlace>(world)?.or_else(|| Mark::seen(world.before));
            let mark = mark.ok_or_else(|| Outcome::Refused(GONE.to_owned()))?;
            mark.office::<MySqlPlace>(world)?;
            Ok(json!({ "object": mark.object() }))
        })
    }

    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(dropped(world).await?) })
    }
}
