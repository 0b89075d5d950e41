//! `postgres-role-stop`: a role whose password leaked may not log in any more, and its sessions end. Undone by letting it log in
//! again. It acts as a role of the operator's at the very server that the credential was found for: `credential` of the settings
//! holds that role's URL. Which role that is the credential itself says, and its password must be seen to open it.
//! Naturally idempotent; bites at once for new logins, and open sessions are ended one by one.
//! Source: the PostgreSQL documentation, ALTER ROLE (NOLOGIN), `pg_terminate_backend` (`pg_signal_backend`), `pg_stat_activity`;
//! `miscinit.c`: "role is not permitted to log in" is said with 28000 after the password was taken.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::keys::Trouble;
use super::login::{Door, Mark, Place, Stop, Words};
use super::replace::label;
use super::stated::Stated;
use super::{Outcome, Role, World};
use crate::model::Credential;
use crate::respond::replay::stands;
use crate::validate::sql::{Rows, SqlPlace, SqlSession, SqlTrouble, found, identifier, literal, server};

mod alternate;
mod pair;
mod retire;
mod settings;

pub(super) use alternate::ALTERNATE;
pub(super) use retire::DROP;

const PROVIDER: &str = "postgres";
/// The states of a role, and how they are brought about.
const LOGIN: &str = "login";
const NOLOGIN: &str = "nologin";
const ABSENT: &str = "absent";
/// `lock_not_available`.
const BUSY: &str = "55P03";
/// Sessions may take a moment to end, and a login that was under way a moment to be seen.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) const STOP: Stated = Stated {
    name: "postgres-role-stop",
    provider: PROVIDER,
    role: Role::Stops,
    permissions: &["a PostgreSQL role with CREATEROLE over the role, and pg_signal_backend; or superuser"],
    effect: "ALTER ROLE … NOLOGIN, then end the role's open sessions",
    undo: Some("ALTER ROLE … LOGIN, if it could log in before; its sessions come back by themselves or not"),
    shut: &[NOLOGIN],
    ways: &Stop::<Desk>::new(),
    ..Stated::PLAIN
};

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
    async fn ask(&mut self, sql: &str) -> Result<Rows, Outcome> {
        Ok(self.session.run(sql).await?)
    }
}

impl Door for Desk {
    type Place = SqlPlace;
    const OPEN: &'static str = LOGIN;
    const SHUT: &'static [&'static str] = &[NOLOGIN];
    const ABSENT: &'static str = ABSENT;
    const WORDS: Words = Words {
        thing: "the role",
        shut: "kept out",
        sessions: "sessions",
        unknown: "the server has no such role; a pooler may map names; do it by hand",
        gone: "the role was dropped since",
    };

    async fn open(world: &World<'_>, mark: Mark, place: &SqlPlace) -> Result<Self, Outcome> {
        let session = session(world, place).await?;
        Ok(Self { mark, session })
    }

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

    async fn set(&mut self, _now: &str, state: &'static str) -> Result<(), Outcome> {
        self.ask(&format!("alter role {} {state}", identifier(&self.mark.name))).await.map(drop)
    }

    async fn end(&mut self, _state: &str) -> Result<u64, Outcome> {
        let whose =
            format!("from pg_stat_activity where usename = {} and pid <> pg_backend_pid()", literal(&self.mark.name));
        // A login that was under way when the role was stopped comes after an empty look.
        let mut quiet = 0;
        for look in 0.. {
            let ended = self.ask(&format!("select pg_terminate_backend(pid) {whose}")).await?;
            quiet = if ended.is_empty() { quiet + 1 } else { 0 };
            if quiet == 2 || (quiet == 0 && look >= LOOKS) {
                return Ok(ended.len() as u64);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(0)
    }

    async fn seen(&mut self, state: &str) -> Value {
        json!({ "object": self.mark.object(), "state": state })
    }

    async fn may_return(world: &World<'_>, mark: &Mark) -> Result<(), Outcome> {
        stands_alone(world, mark).await
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

#[cfg(test)]
mod tests;
