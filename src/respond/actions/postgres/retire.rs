//! `postgres-password-drop`: takes the old password away from a role that may not log in any more, so that it opens nothing even
//! when the role has its next turn or somebody lets it log in again. For good; the role stays, since it may own things.
//! Naturally idempotent. Source: the PostgreSQL documentation, ALTER ROLE (PASSWORD NULL).

use serde_json::{Value, json};

use super::super::keys::GONE;
use super::super::login::{Door, Mark};
use super::super::replace::replacement;
use super::super::stated::{Stated, Ways};
use super::super::{Doing, Outcome, World};
use super::{ABSENT, Desk, LOGIN, PROVIDER};
use crate::validate::sql::{SqlPlace, identifier, literal};

pub(super) const NAME: &str = "postgres-password-drop";

pub(in crate::respond::actions) const DROP: Stated = Stated {
    name: NAME,
    provider: PROVIDER,
    permissions: &["a PostgreSQL role with CREATEROLE, from version 16 on with ADMIN OPTION on the role; or superuser"],
    effect: "ALTER ROLE … PASSWORD NULL on the old role, which stays without a login for its next turn",
    ways: &Drop,
    ..Stated::PLAIN
};

struct Drop;

async fn dropped(world: &World<'_>) -> Result<Outcome, Outcome> {
    if replacement(world).is_none() {
        return Ok(Outcome::Refused("nothing was put in its place in this run".to_owned()));
    }
    let mark = Mark::agreed::<SqlPlace>(world)?;
    let place: SqlPlace = mark.office(world)?;
    let mut desk = Desk::open(world, mark, &place).await?;
    match desk.state().await? {
        ABSENT => return Ok(Outcome::AlreadyDone(desk.seen(ABSENT).await)),
        LOGIN => {
            let what = "may log in again: somebody needs it; stop it first";
            return Ok(Outcome::Refused(format!("{} {what}", desk.mark.name)));
        }
        _ => {}
    }
    // Only while it may not log in: who let it in a moment ago needs its password.
    let role = &desk.mark.name;
    let sql = format!(
        "alter role {} password null; select 1 / count(*) from pg_roles where rolname = {} and not rolcanlogin",
        identifier(role),
        literal(role)
    );
    desk.ask(&sql).await?;
    let state = desk.state().await?;
    let mut seen = desk.seen(state).await;
    seen["password"] = json!("none");
    Ok(Outcome::Done(seen))
}

impl Ways for Drop {
    fn seen<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(async move {
            // Its state changes in the run; whom it is about does not.
            let mark = Mark::found::<SqlPlace>(world)?.or_else(|| Mark::seen(world.before));
            let mark = mark.ok_or_else(|| Outcome::Refused(GONE.to_owned()))?;
            mark.office::<SqlPlace>(world)?;
            Ok(json!({ "object": mark.object() }))
        })
    }

    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(dropped(world))
    }
}
