//! `postgres-role-alternate`: two roles take turns. A role has one password, so that changing it locks out whoever has not read the
//! new one yet; hence a second role gets a new password, and the first goes on working until nobody uses it.
//!
//! The second role (`NAME_b`) is made once: a member of the first that sets its role to it at login, with the first's settings. So
//! whatever it makes is the first's, and it may do what the first may. From then on they take turns: the one that is not in use cannot
//! log in, and its next turn gives it a new password. A comment on the second role says whose turn it is and which plan's; it is
//! written in the same transaction as the role and the password, which is how a plan knows its own ([`super::pair`]).
//!
//! The password is made here and only its verifier is sent, since a server may log statements.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::keys::{GONE, Trouble};
use super::super::login::opens;
use super::super::replace::{Key, Mint, Minted, Replace, credential};
use super::super::{Doing, Needs, Record, World};
use super::PROVIDER;
use super::pair::{Desk, Marked, mark, refused, settled};
use crate::model::Liveness;
use crate::respond::stores::{Held, Login, only_logins};
use crate::secret::Secret;
use crate::validate::Validator;
use crate::validate::sql::SqlPlace;

pub(in crate::respond::actions) const ALTERNATE: Replace = Replace(&Alternate);

struct Alternate;

pub(super) const NAME: &str = "postgres-role-alternate";
/// Of a new password, from 62 letters and digits.
const LENGTH: usize = 40;

/// A password of letters and digits, which stand everywhere as they are.
fn password() -> Result<Secret, Trouble> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let (random, mut bytes) = (SystemRandom::new(), Zeroizing::new([0; 64]));
    let mut out = Zeroizing::new(Vec::with_capacity(LENGTH));
    while out.len() < LENGTH {
        random.fill(&mut *bytes).map_err(|_| Trouble::Failed("the system gave no random numbers".to_owned()))?;
        // Of 256 only four times 62 are taken, so that each letter is as likely.
        let letters = bytes.iter().filter(|&&byte| byte < 248).map(|&byte| LETTERS[usize::from(byte % 62)]);
        let missing = LENGTH - out.len();
        out.extend(letters.take(missing));
    }
    Ok(Secret::new(&out))
}

/// What the plan must have seen, and what must still be so when it is carried out.
async fn about(world: &World<'_>) -> Result<Value, Trouble> {
    opens::<SqlPlace>(world, &mark(world)?.name).await.map_err(settled)?;
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

async fn mint(world: &World<'_>, by: &str) -> Result<Minted, Trouble> {
    let mut desk = Desk::open(world).await?;
    let pair = desk.pair().await?;
    let planned = |name: &str| world.before.get(name).and_then(Value::as_str);
    let comment = pair.marked.as_ref().map(|one| one.comment.as_str());
    // Its comment changes with what a turn that was walked back has left.
    let back = pair.marked.as_ref().is_some_and(|one| one.turn.by.is_none() && one.turn.turn == pair.old);
    if planned("next") != Some(&pair.next) || planned("base") != Some(&pair.base) || (planned("comment") != comment && !back)
    {
        return Err(refused("the roles are not as the plan saw them; make a new plan"));
    }
    desk.fit(&pair).await?;
    let password = password()?;
    let sql = Zeroizing::new(desk.turned(&pair, (&password, by)).await?);
    desk.ask(&sql).await?;
    Ok(Minted { id: pair.next, parts: vec![("password".to_owned(), password)] })
}

impl Mint for Alternate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        Needs::Admin(PROVIDER)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["a PostgreSQL role with CREATEROLE, from version 16 on with ADMIN OPTION on the role; or superuser"]
    }

    fn what(&self, _with: &BTreeMap<String, String>) -> String {
        "a new password for the role that takes turns with this one (made once, as its member, with its settings)".to_owned()
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, by: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(async move {
            let mut desk = Desk::open(world).await?;
            let ours = desk.marked().await?.into_iter().filter(|one| one.turn.by.as_deref() == Some(by));
            let key =
                |one: Marked| Key { id: one.turn.turn, state: "active".to_owned(), label: Some(by.to_owned()), made: None };
            Ok(ours.map(key).collect())
        })
    }

    fn login(&self, seen: &Value, id: &str) -> Option<Login> {
        let text = |name: &str| Some(seen.get(name)?.as_str()?.to_owned());
        Some(Login { server: text("server")?, old: text("role")?, new: id.to_owned() })
    }

    fn fits(&self, world: &World<'_>, held: Option<&Held>, old: &[(String, Secret)]) -> Result<(), String> {
        let held = held.ok_or_else(|| {
            "nobody can read it, and the role's name, which changes with the password, cannot be written beside it"
                .to_owned()
        })?;
        let mark = mark(world).map_err(Trouble::why)?;
        old.iter().try_for_each(|(_, value)| only_logins(&held.fields, value, (&mark.server, &mark.name)))
    }

    fn works<'a>(&'a self, world: &'a World<'_>, parts: &'a [(String, Secret)]) -> Option<Doing<'a, Liveness>> {
        Some(Box::pin(async move {
            let (Some(detector), Some(credential)) = (&world.hands.detector, credential(world, parts)) else {
                return Liveness::Unknown(GONE.to_owned());
            };
            let said = Validator::new(Arc::clone(&world.hands.net)).check(detector, &[credential]).await;
            match said {
                // That the password is right helps nobody who is not let in.
                Liveness::Limited(_, why) => Liveness::Unknown(why),
                Liveness::NotChecked(why) => Liveness::Unknown(why.unwrap_or_else(|| "it was not asked".to_owned())),
                said => said,
            }
        }))
    }

    fn about<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(about(world))
    }

    fn used<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Timestamp>, Trouble>> {
        Box::pin(async move {
            let sessions = Desk::open(world).await?.sessions(id).await?;
            // Who is logged in uses it now; who is not may be again in a moment.
            if sessions > 0 {
                return Ok(Some(world.hands.clock.now()));
            }
            let what = "no session of the new role is open at the moment, and PostgreSQL keeps no record of earlier ones";
            Err(Trouble::Failed(what.to_owned()))
        })
    }

    fn ahead<'a>(&'a self, _world: &'a World<'_>, _id: &'a str) -> Doing<'a, Result<Option<Duration>, Trouble>> {
        // Who is logged in is so now, by this clock.
        Box::pin(async { Ok(Some(Duration::ZERO)) })
    }

    fn old_use<'a>(&'a self, world: &'a World<'_>, seen: &'a Value) -> Doing<'a, Result<Record, Trouble>> {
        Box::pin(async move {
            let look = World { before: seen, ..*world };
            let mut desk = Desk::open(&look).await?;
            let role = desk.mark.name.clone();
            let sessions = desk.sessions(&role).await?;
            Ok(if sessions > 0 { Record::Used(world.hands.clock.now()) } else { Record::Empty })
        })
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, by: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(mint(world, by))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            match Desk::open(world).await?.ended(world, id).await {
                // Whether it took effect was not told: another look says.
                Err(Trouble::Unknown(why)) => match Desk::open(world).await?.ended(world, id).await {
                    Ok(()) | Err(Trouble::Absent) => Ok(()),
                    Err(again) => Err(Trouble::Unknown(format!("{why}; {}", again.why()))),
                },
                other => other,
            }
        })
    }
}
