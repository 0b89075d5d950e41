//! `postgres-role-stop`: a role whose password leaked may not log in any more, and its sessions end. Undone by letting it log in
//! again. It acts as a role of the operator's at the very server that the credential was found for: `credential` of the settings
//! holds that role's URL. Which role that is the credential itself says, and its password must be seen to open it.
//! Naturally idempotent; bites at once for new logins, and open sessions are ended one by one.
//! Source: the PostgreSQL documentation, ALTER ROLE (NOLOGIN), `pg_terminate_backend` (`pg_signal_backend`), `pg_stat_activity`;
//! `miscinit.c`: "role is not permitted to log in" is said with 28000 after the password was taken.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::keys::{GONE, Trouble};
use super::login::{Mark, Place, opened, opens, why};
use super::replace::label;
use super::{Action, Doing, Needs, Outcome, Role, World};
use crate::model::Credential;
use crate::respond::replay::stands;
use crate::validate::sql::{Rows, SqlPlace, SqlSession, SqlTrouble, found, identifier, literal, server};

mod alternate;
mod pair;
mod retire;
mod settings;

pub(super) use alternate::ALTERNATE;
pub(super) use retire::PasswordDrop;

const PROVIDER: &str = "postgres";
/// The states of a role.
const LOGIN: &str = "login";
const NOLOGIN: &str = "nologin";
const ABSENT: &str = "absent";
/// `lock_not_available`.
const BUSY: &str = "55P03";
/// Sessions may take a moment to end, and a login that was under way a moment to be seen.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) struct RoleStop;

impl Place for SqlPlace {
    const PROVIDER: &'static str = PROVIDER;
    const WHO: &'static str = "role";

    fn parse(url: &str) -> Result<Self, String> {
        Self::parse(url)
    }

    fn server(&self) -> String {
        self.server()
    }

    fn who(&self) -> &str {
        self.role()
    }

    fn found(credential: &Credential) -> Result<(String, String), String> {
        found(credential)
    }

    fn is_at(target: &BTreeMap<String, String>, at: &str) -> bool {
        let port = target.get("port").and_then(|port| port.parse().ok());
        target.get("host").is_some_and(|host| server(host, port) == at)
    }
}

/// A session of the operator's. A statement that waits for another's lock is given up by the server itself, so that none takes effect
/// long after whoever asked for it has stopped listening.
/// Source: the PostgreSQL documentation, Client Connection Defaults (`lock_timeout`, `statement_timeout`).
async fn session(world: &World<'_>, place: &SqlPlace) -> Result<SqlSession, SqlTrouble> {
    let mut session = SqlSession::open(&world.hands.net, place).await?;
    session.run("set lock_timeout = '5s'; set statement_timeout = '10s'").await?;
    Ok(session)
}

/// The role at its server, and a session there.
struct Desk {
    mark: Mark,
    session: SqlSession,
}

impl From<SqlTrouble> for Outcome {
    fn from(trouble: SqlTrouble) -> Self {
        match trouble {
            SqlTrouble::Said(code) if code == "42501" => Self::Refused(
                "the settings' role may not do that (42501): it needs CREATEROLE over it, or superuser".to_owned(),
            ),
            SqlTrouble::Said(code) if code == BUSY => {
                Self::Failed(format!("another session has the role in hand ({code}); nothing was changed"))
            }
            SqlTrouble::Said(code) => Self::Failed(format!("the server said {code}")),
            SqlTrouble::Unproved(why) => Self::Refused(why),
            SqlTrouble::Broken(why) => Self::Unknown(why),
        }
    }
}

impl Desk {
    async fn open(world: &World<'_>, mark: Mark, place: &SqlPlace) -> Result<Self, Outcome> {
        let session = session(world, place).await?;
        Ok(Self { mark, session })
    }

    async fn ask(&mut self, sql: &str) -> Result<Rows, Outcome> {
        Ok(self.session.run(sql).await?)
    }

    /// The role's state.
    async fn state(&mut self) -> Result<&'static str, Outcome> {
        let rows =
            self.ask(&format!("select rolcanlogin from pg_roles where rolname = {}", literal(&self.mark.name))).await?;
        match rows.as_slice() {
            [] => Ok(ABSENT),
            [row] if row.first() == Some(&Some("t".to_owned())) => Ok(LOGIN),
            [row] if row.first() == Some(&Some("f".to_owned())) => Ok(NOLOGIN),
            _ => Err(Outcome::Unknown("the answer about the role cannot be read".to_owned())),
        }
    }

    /// Ends its sessions; how many are left after that.
    async fn end(&mut self) -> Result<usize, Outcome> {
        let whose =
            format!("from pg_stat_activity where usename = {} and pid <> pg_backend_pid()", literal(&self.mark.name));
        // A login that was under way when the role was stopped comes after an empty look.
        let mut quiet = 0;
        for look in 0.. {
            let ended = self.ask(&format!("select pg_terminate_backend(pid) {whose}")).await?;
            quiet = if ended.is_empty() { quiet + 1 } else { 0 };
            if quiet == 2 || (quiet == 0 && look >= LOOKS) {
                return Ok(ended.len());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(0)
    }

    fn seen(&self, state: &str) -> Value {
        json!({ "object": self.mark.object(), "state": state })
    }
}

async fn stopped(world: &World<'_>) -> Result<Outcome, Outcome> {
    let mark = Mark::agreed::<SqlPlace>(world)?;
    let place: SqlPlace = mark.office(world)?;
    // Asked first: a session at the desk does not last.
    let opens = opened::<SqlPlace>(world, &mark.name).await;
    let mut desk = Desk::open(world, mark, &place).await?;
    let before = desk.state().await?;
    if before == ABSENT {
        let there = world.before.get("state").is_some_and(|state| state == LOGIN || state == NOLOGIN);
        return Ok(if there {
            Outcome::AlreadyDone(desk.seen(before))
        } else {
            Outcome::Refused("the server has no such role; a pooler may map names; do it by hand".to_owned())
        });
    }
    if before == LOGIN {
        opens?;
        desk.ask(&format!("alter role {} nologin", identifier(&desk.mark.name))).await?;
        match desk.state().await {
            Ok(NOLOGIN) => {}
            Ok(_) => return Ok(Outcome::Unknown("the server took the change, and the role may still log in".to_owned())),
            Err(Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why)) => {
                return Ok(Outcome::Unknown(format!("the server took the change, and it cannot be read back: {why}")));
            }
            Err(other) => return Err(other),
        }
    }
    // From here on something was changed, whatever else goes wrong.
    let left = match desk.end().await {
        Ok(left) => left,
        Err(Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why)) => {
            return Ok(Outcome::Unknown(format!("it may not log in any more, but its open sessions go on: {why}")));
        }
        Err(other) => return Err(other),
    };
    if left > 0 {
        return Ok(Outcome::Unknown(format!("it may not log in any more, but {left} of its sessions have not ended")));
    }
    // Whoever may change roles could have let it in again while its sessions were ended.
    match desk.state().await {
        Ok(NOLOGIN) => {
            let seen = desk.seen(NOLOGIN);
            Ok(if before == LOGIN { Outcome::Done(seen) } else { Outcome::AlreadyDone(seen) })
        }
        Ok(now) => Ok(Outcome::Unknown(format!(
            "it was kept out, and reads as {now} again: stop whoever does that, then `respond resume`"
        ))),
        Err(other) => Ok(Outcome::Unknown(format!("it was kept out, and cannot be read back: {}", why(other)))),
    }
}

/// That nobody has done more about a role since this run stopped it: its password is still there, and no later plan has had its turn.
async fn stands_alone(world: &World<'_>, mark: &Mark) -> Result<(), Outcome> {
    if world.plan.mode != "rotate" {
        return Ok(());
    }
    let steps = || world.plan.steps.iter().zip(world.so_far);
    if steps().any(|(step, status)| step.action == retire::NAME && stands(status)) {
        return Err(Outcome::Failed(format!(
            "{}'s password was taken away, so that letting it log in helps nobody; make a new plan for its next turn",
            mark.name
        )));
    }
    let marked = pair::Desk::open(world).await.map_err(Trouble::settles)?.marked().await.map_err(Trouble::settles)?;
    let ours = label(world.plan);
    let concerned = |one: &&pair::Marked| one.role == mark.name || one.turn.base == mark.name;
    match marked.iter().filter(concerned).find_map(|one| one.turn.by.as_ref().filter(|by| **by != ours)) {
        Some(by) => {
            Err(Outcome::Failed(format!("{} is what a later plan ({by}) has left it as; undo that one first", mark.name)))
        }
        None => Ok(()),
    }
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Outcome> {
    // The password need not be readable for that.
    let Some(mark) = Mark::seen(before) else {
        return Ok(Outcome::Failed("the plan did not see its state, so there is nothing to put back".to_owned()));
    };
    let place: SqlPlace = mark.office(world)?;
    stands_alone(world, &mark).await?;
    let mut desk = Desk::open(world, mark, &place).await?;
    let now = desk.state().await?;
    match (before.get("state").and_then(Value::as_str), now) {
        (None, _) => Ok(Outcome::Failed("the plan did not see its state, so there is nothing to put back".to_owned())),
        (Some(before), now) if before == now => Ok(Outcome::AlreadyDone(desk.seen(now))),
        (_, ABSENT) => Ok(Outcome::Failed("the role was dropped since".to_owned())),
        (Some(LOGIN), _) => {
            desk.ask(&format!("alter role {} login", identifier(&desk.mark.name))).await?;
            match desk.state().await? {
                LOGIN => Ok(Outcome::Done(desk.seen(LOGIN))),
                other => Ok(Outcome::Unknown(format!("the server took the change, and the role reads as {other}"))),
            }
        }
        _ => Ok(Outcome::AlreadyDone(desk.seen(now))),
    }
}

impl Action for RoleStop {
    fn name(&self) -> &'static str {
        "postgres-role-stop"
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
        &["a PostgreSQL role with CREATEROLE over the role, and pg_signal_backend; or superuser"]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ALTER ROLE … NOLOGIN, then end the role's open sessions".to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("ALTER ROLE … LOGIN, if it could log in before; its sessions come back by themselves or not".to_owned())
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        seen.get("state").and_then(Value::as_str).is_some_and(|state| state == NOLOGIN)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let looked = async {
                let found = Mark::found::<SqlPlace>(world)?;
                let is_found = found.is_some();
                // Once another stands in its place, its password may be nowhere.
                let planned = Mark::seen(world.before).filter(|_| world.plan.mode == "rotate");
                let mark = found.or(planned).ok_or_else(|| Outcome::Refused(GONE.to_owned()))?;
                let place: SqlPlace = mark.office(world)?;
                if is_found {
                    opens::<SqlPlace>(world, &mark.name).await?;
                }
                let mut desk = Desk::open(world, mark, &place).await?;
                let state = desk.state().await?;
                Ok::<_, Outcome>(desk.seen(state))
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
