//! `redis-user-stop`: an ACL user whose password leaked is turned off, or where it has other passwords too, loses that one alone; and
//! its connections are closed: those that are open would go on. Undone by turning it on, or by giving it the password back. It acts as a
//! user of the operator's at the very server that the credential was found for: `credential` of the settings holds that user's URL. Which
//! user that is the credential itself says, and its password must be seen to open it. The default user, which every connection begins
//! as, and the responder's own are refused.
//!
//! It lasts until the server restarts, or reads its ACL file again: `keep` writes that. Where its users stand in its configuration, a
//! person writes it there, which is said. Nodes keep users of their own: what is done here is done at this one.
//! Naturally idempotent; bites at once. Every refused login leaves an entry in `ACL LOG`.
//!
//! Sources: redis.io, commands ACL SETUSER (`off`: "already authenticated connections will still work"; a user that is not there is
//! made; `!HASH` and `#HASH` take away and add a password by its SHA-256), ACL GETUSER (`passwords`: their SHA-256), CLIENT KILL (`USER`,
//! which spares whoever says it), CONFIG GET, INFO; "ACL": users stand either in the configuration or in an `aclfile`, never in both.
//! `src/commands/acl-setuser.json` has no WRITE flag, so that it is not sent on.

mod desk;
mod keep;

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::{GONE, Leaked};
use super::login::{Mark, Place, opens, why};
use super::{Action, Doing, Needs, Outcome, Role, World};
use crate::model::{Credential, Identity};
use crate::validate::redis_admin::{RedisPlace, RedisTrouble, found, password_hash};
use desk::{ABSENT, Desk, OFF, ON, WITHOUT};

pub(super) use keep::AclKeep;

const PROVIDER: &str = "redis";

pub(super) struct UserStop;

impl Place for RedisPlace {
    const PROVIDER: &'static str = PROVIDER;
    const WHO: &'static str = "user";

    fn parse(url: &str) -> Result<Self, String> {
        Self::parse(url)
    }

    fn server(&self) -> String {
        self.server()
    }

    fn who(&self) -> &str {
        self.user()
    }

    fn found(credential: &Credential) -> Result<(String, String), String> {
        found(credential)
    }

    fn is(identity: &Identity, who: &str) -> bool {
        identity.get("user") == Some(who)
    }
}

impl From<RedisTrouble> for Outcome {
    fn from(trouble: RedisTrouble) -> Self {
        match trouble {
            RedisTrouble::Said(word) if word == "NOPERM" => Self::Refused(
                "the settings' user may not do that (NOPERM): it needs +acl and +client|kill, and +config|get and +info to see what \
                 else is to do"
                    .to_owned(),
            ),
            RedisTrouble::Said(word) if matches!(word.as_str(), "WRONGPASS" | "NOAUTH") => {
                Self::Refused(format!("the server does not take the settings' credential ({word})"))
            }
            RedisTrouble::Said(word) => Self::Failed(format!("the server said {word}")),
            RedisTrouble::Broken(why) => Self::Unknown(why),
        }
    }
}

/// What the server calls the leaked password. Nothing where that is no longer readable.
fn hash(world: &World<'_>) -> Result<Option<String>, Outcome> {
    let Some(leaked) = Leaked::recall(world).map_err(Outcome::Refused)? else { return Ok(None) };
    leaked.alike("users or servers", password_hash).map(Some).map_err(Outcome::Refused)
}

async fn stopped(world: &World<'_>) -> Result<Outcome, Outcome> {
    let mark = Mark::agreed::<RedisPlace>(world)?;
    let place: RedisPlace = mark.office(world)?;
    // Asked first: a session at the desk does not last.
    let opens = opens::<RedisPlace>(world, &mark.name).await;
    let mut desk = Desk::open(world, mark, &place).await?;
    desk.leaked = hash(world)?;
    let before = desk.state().await?;
    if before == ABSENT {
        let there = world.before.get("state").is_some_and(|state| state == ON || state == OFF);
        return Ok(if there {
            Outcome::AlreadyDone(desk.seen(before).await)
        } else {
            Outcome::Refused("the server has no such user; do it by hand".to_owned())
        });
    }
    let mut now = before;
    if before == ON {
        opens?;
        if desk.nopass {
            let why = "the server takes any password for this user (nopass), so that the one which was found opens it says nothing: \
                       give it a password, or turn it off by hand";
            return Ok(Outcome::Refused(why.to_owned()));
        }
        // Whoever uses another password of the user's goes on.
        now = if desk.passwords > 1 && desk.leaked.is_some() { WITHOUT } else { OFF };
        if let Some(doubt) = desk.turn(before, now).await? {
            return Ok(doubt);
        }
    }
    // From here on something was changed, whatever else goes wrong.
    match desk.end(now).await {
        Ok(0) => {}
        Ok(left) => return Ok(Outcome::Unknown(format!("it is stopped, but {left} of its connections were open still"))),
        Err(other) => {
            return Ok(Outcome::Unknown(format!("it is stopped, but its open connections go on: {}", why(other))));
        }
    }
    // Whoever may change users could have turned it on while its connections were closed.
    match desk.state().await {
        Ok(now @ (OFF | WITHOUT)) => {
            let mut seen = desk.seen(now).await;
            if !keep::follows(world) {
                seen["lasts"] = desk.lasts().await.into();
            }
            Ok(if before == ON { Outcome::Done(seen) } else { Outcome::AlreadyDone(seen) })
        }
        Ok(now) => {
            let why = format!("it was stopped, and reads as {now} again: stop whoever does that, then `respond resume`");
            Ok(Outcome::Unknown(why))
        }
        Err(other) => Ok(Outcome::Unknown(format!("it was stopped, and cannot be read back: {}", why(other)))),
    }
}

/// Lets it in again as the plan saw it. The password need not be readable, except where it alone was taken away.
async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Outcome> {
    let unseen = || Outcome::Failed("the plan did not see its state, so there is nothing to put back".to_owned());
    let mark = Mark::seen(before).ok_or_else(unseen)?;
    let state = before.get("state").and_then(Value::as_str).ok_or_else(unseen)?;
    let place: RedisPlace = mark.office(world)?;
    let mut desk = Desk::open(world, mark, &place).await?;
    desk.leaked = hash(world)?;
    let alone = before.get("passwords").and_then(Value::as_u64).is_some_and(|count| count > 1);
    let now = desk.state().await?;
    if now == ABSENT && state == ON {
        return Ok(Outcome::Failed("the user was deleted since".to_owned()));
    }
    if now == ON && alone && desk.leaked.is_none() {
        return Ok(Outcome::Failed(format!("whether it has its password back cannot be seen: {GONE}")));
    }
    if state != ON || now == ON {
        return Ok(Outcome::AlreadyDone(desk.kept(now).await));
    }
    match desk.turn(now, ON).await? {
        Some(doubt) => Ok(doubt),
        None => Ok(Outcome::Done(desk.kept(ON).await)),
    }
}

impl Action for UserStop {
    fn name(&self) -> &'static str {
        "redis-user-stop"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn needs(&self) -> Needs {
        Needs::Admin(PROVIDER)
    }

    fn role(&self) -> Role {
        Role::Stops
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["a Redis user with +acl, +client|kill, +config|get and +info"]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ACL SETUSER … off, or where the user has other passwords too, take this one away alone; then close the user's connections. It \
         lasts until the server restarts, or reads its ACL file again"
            .to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some(
            "ACL SETUSER … on, if it was, and its password again where that alone was taken away (while it can be read); its \
             connections come back by themselves or not"
                .to_owned(),
        )
    }

    fn same(&self, planned: &Value, now: &Value) -> bool {
        // Replicas come and go.
        ["object", "state", "passwords"].iter().all(|name| planned.get(name) == now.get(name))
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        seen.get("state").is_some_and(|state| state == OFF || state == WITHOUT)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let looked = async {
                let mark = Mark::found::<RedisPlace>(world)?.ok_or_else(|| Outcome::Refused(GONE.to_owned()))?;
                let place: RedisPlace = mark.office(world)?;
                opens::<RedisPlace>(world, &mark.name).await?;
                let mut desk = Desk::open(world, mark, &place).await?;
                desk.leaked = hash(world)?;
                let state = desk.state().await?;
                Ok::<_, Outcome>(desk.seen(state).await)
            };
            looked.await.map_err(why)
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { stopped(world).await.unwrap_or_else(|outcome| outcome) })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move { put_back(world, before).await.unwrap_or_else(|outcome| outcome) })
    }
}

#[cfg(test)]
mod tests;
