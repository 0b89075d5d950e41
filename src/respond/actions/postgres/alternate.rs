//! `postgres-role-alternate`: two roles take turns ([`super::super::login::Alternate`]).
//!
//! The second role is made once: a member of the first that sets its role to it at login, with the first's settings. So whatever it makes
//! is the first's, and it may do what the first may. From then on they take turns: the one that is not in use cannot log in, and its next
//! turn gives it a new password. A comment on the second role says whose turn it is and which plan's; it is written in the same transaction
//! as the role and the password, which is how a plan knows its own ([`super::pair`]).

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::World;
use super::super::keys::Trouble;
use super::super::login::{Alternate, Turns, refused};
use super::super::replace::Replace;
use super::pair::Desk;
use crate::respond::stores::{POSTGRES, UrlKind};
use crate::secret::Secret;
use crate::validate::sql::SqlPlace;

pub(in crate::respond::actions) const ALTERNATE: Replace = Replace(&Alternate::<Roles>::new());

pub(super) struct Roles;

impl Turns for Roles {
    type Place = SqlPlace;
    const NAME: &'static str = "postgres-role-alternate";
    const KIND: &'static UrlKind = &POSTGRES;
    const PERMISSIONS: &'static [&'static str] =
        &["a PostgreSQL role with CREATEROLE, from version 16 on with ADMIN OPTION on the role; or superuser"];
    const WHAT: &'static str =
        "a new password for the role that takes turns with this one (made once, as its member, with its settings)";
    const UNSEEN: &'static str =
        "no session of the new role is open at the moment, and PostgreSQL keeps no record of earlier ones";

    async fn about(world: &World<'_>) -> Result<Value, Trouble> {
        let mut desk = Desk::open(world).await?;
        let pair = desk.pair().await?;
        desk.fit(&pair).await?;
        let server = &desk.mark.server;
        Ok(json!({
            "object": format!("{server}/{}/{}", pair.old, pair.next),
            "server": server,
            "role": pair.old,
            "next": pair.next,
            "base": pair.base,
            "comment": pair.marked.map(|one| one.comment),
        }))
    }

    async fn ours(world: &World<'_>, by: &str) -> Result<Vec<String>, Trouble> {
        let marked = Desk::open(world).await?.marked().await?;
        Ok(marked.into_iter().filter(|one| one.turn.by.as_deref() == Some(by)).map(|one| one.turn.turn).collect())
    }

    async fn sessions(world: &World<'_>, who: &str) -> Result<usize, Trouble> {
        Desk::open(world).await?.sessions(who).await
    }

    async fn turned(world: &World<'_>, (password, by): (&Secret, &str)) -> Result<String, Trouble> {
        let mut desk = Desk::open(world).await?;
        let pair = desk.pair().await?;
        let planned = |name: &str| world.before.get(name).and_then(Value::as_str);
        let comment = pair.marked.as_ref().map(|one| one.comment.as_str());
        // Its comment changes with what a turn that was walked back has left.
        let back = pair.marked.as_ref().is_some_and(|one| one.turn.by.is_none() && one.turn.turn == pair.old);
        if planned("next") != Some(&pair.next)
            || planned("base") != Some(&pair.base)
            || (planned("comment") != comment && !back)
        {
            return Err(refused("the roles are not as the plan saw them; make a new plan"));
        }
        desk.fit(&pair).await?;
        let sql = Zeroizing::new(desk.turned(&pair, (password, by)).await?);
        desk.ask(&sql).await?;
        Ok(pair.next)
    }

    async fn ended(world: &World<'_>, who: &str) -> Result<(), Trouble> {
        Desk::open(world).await?.ended(world, who).await
    }
}
