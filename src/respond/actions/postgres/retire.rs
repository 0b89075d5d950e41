//! `postgres-password-drop`: takes the old password away from a role that may not log in any more, so that it opens nothing even
//! when the role has its next turn or somebody lets it log in again. For good; the role stays, since it may own things.
//! Naturally idempotent. Source: the PostgreSQL documentation, ALTER ROLE (PASSWORD NULL).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::login::{Mark, why};
use super::super::replace::replacement;
use super::super::{Action, Doing, Needs, Outcome, World};
use super::{ABSENT, Desk, LOGIN, PROVIDER};
use crate::validate::sql::{SqlPlace, identifier, literal};

pub(super) const NAME: &str = "postgres-password-drop";

pub(in crate::respond::actions) struct PasswordDrop;

async fn dropped(world: &World<'_>) -> Result<Outcome, Outcome> {
    if replacement(world).is_none() {
        return Ok(Outcome::Refused("nothing was put in its place in this run".to_owned()));
    }
    let mark = Mark::agreed::<SqlPlace>(world)?;
    let place: SqlPlace = mark.office(world)?;
    let mut desk = Desk::open(world, mark, &place).await?;
    match desk.state().await? {
        ABSENT => return Ok(Outcome::AlreadyDone(desk.seen(ABSENT))),
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
    let mut seen = desk.seen(state);
    seen["password"] = json!("none");
    Ok(Outcome::Done(seen))
}

impl Action for PasswordDrop {
    fn name(&self) -> &'static str {
        NAME
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn reversible(&self) -> bool {
        false
    }

    fn needs(&self) -> Needs {
        Needs::Admin(PROVIDER)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["a PostgreSQL role with CREATEROLE, from version 16 on with ADMIN OPTION on the role; or superuser"]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ALTER ROLE … PASSWORD NULL on the old role, which stays without a login for its next turn".to_owned()
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            // Its state changes in the run; whom it is about does not.
            let mark = Mark::found::<SqlPlace>(world).map_err(why)?;
            let mark = mark.or_else(|| Mark::seen(world.before)).ok_or_else(|| super::GONE.to_owned())?;
            mark.office::<SqlPlace>(world).map_err(why)?;
            Ok(json!({ "object": mark.object() }))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { dropped(world).await.unwrap_or_else(|outcome| outcome) })
    }
}
