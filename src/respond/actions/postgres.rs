//! `postgres-role-stop`: a role whose password leaked may not log in any more, and its sessions end. Undone by letting it log in
//! again. It acts as a role of the operator's at the very server that the credential was found for: `credential` of the settings
//! holds that role's URL. `postgres-role-verify-refused`: asks as the leaked login until the server does not let it in.
//! Naturally idempotent; bites at once for new logins, and open sessions are ended one by one.
//! Source: the PostgreSQL documentation, ALTER ROLE (NOLOGIN), `pg_terminate_backend` (`pg_signal_backend`), `pg_stat_activity`;
//! `miscinit.c`: "role is not permitted to log in" is said with 28000 after the password was taken.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::keys::missing;
use super::{Action, Doing, Needs, Outcome, Role, World, asked};
use crate::model::Liveness;
use crate::validate::sql::{NO_LOGIN, Rows, SqlPlace, SqlSession, SqlTrouble, identifier, literal, server};

const PROVIDER: &str = "postgres";
/// The states of a role.
const LOGIN: &str = "login";
const NOLOGIN: &str = "nologin";
const ABSENT: &str = "absent";
/// Sessions may take a moment to end.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) struct RoleStop;

/// The role at its server, and a session there.
struct Desk<'w> {
    role: &'w str,
    server: String,
    session: SqlSession,
}

impl From<SqlTrouble> for Outcome {
    fn from(trouble: SqlTrouble) -> Self {
        match trouble {
            SqlTrouble::Said(code) if code == "42501" => Self::Refused(
                "the settings' role may not do that (42501): it needs CREATEROLE over it, or superuser".to_owned(),
            ),
            SqlTrouble::Said(code) => Self::Failed(format!("the server said {code}")),
            SqlTrouble::Broken(why) => Self::Unknown(why),
        }
    }
}

impl<'w> Desk<'w> {
    async fn open(world: &'w World<'_>) -> Result<Desk<'w>, Outcome> {
        let told = |name: &str| world.plan.target.get(name).map(String::as_str);
        let (Some(role), Some(host)) = (told("user"), told("host")) else {
            return Err(Outcome::Refused("its user or host is not written out; do it by hand".to_owned()));
        };
        let port = told("port").map(str::parse).transpose();
        let port = port.map_err(|_| Outcome::Refused("its port is not one".to_owned()))?;
        let found = server(host, port);
        let admin = world.hands.admin.as_ref();
        let admin = admin.ok_or_else(|| Outcome::Refused(missing(PROVIDER, world.hands)))?;
        let place = admin.value.expose_str().ok_or_else(|| "it is not text".to_owned()).and_then(SqlPlace::parse);
        let place = place.map_err(|why| Outcome::Refused(format!("the credential of {}: {why}", admin.from)))?;
        // A role of the same name at another server is somebody else.
        if place.server() != found {
            return Err(Outcome::Refused(format!(
                "the credential was found for {found}, and {} is for {}; give {PROVIDER} one for that server in the settings file",
                admin.from,
                place.server()
            )));
        }
        if place.role() == role {
            return Err(Outcome::Refused(
                "this is the responder's own role: whoever acts with it would lock themselves out; use another".to_owned(),
            ));
        }
        let session = SqlSession::open(&world.hands.net, &place).await?;
        Ok(Self { role, server: found, session })
    }

    async fn ask(&mut self, sql: &str) -> Result<Rows, Outcome> {
        Ok(self.session.run(sql).await?)
    }

    /// The role's state.
    async fn state(&mut self) -> Result<&'static str, Outcome> {
        let rows = self.ask(&format!("select rolcanlogin from pg_roles where rolname = {}", literal(self.role))).await?;
        match rows.as_slice() {
            [] => Ok(ABSENT),
            [row] if row.first() == Some(&Some("t".to_owned())) => Ok(LOGIN),
            [row] if row.first() == Some(&Some("f".to_owned())) => Ok(NOLOGIN),
            _ => Err(Outcome::Unknown("the answer about the role cannot be read".to_owned())),
        }
    }

    /// Ends its sessions; how many are left after that.
    async fn end(&mut self) -> Result<usize, Outcome> {
        let whose = format!("from pg_stat_activity where usename = {} and pid <> pg_backend_pid()", literal(self.role));
        for look in 0.. {
            let ended = self.ask(&format!("select pg_terminate_backend(pid) {whose}")).await?;
            if ended.is_empty() || look >= LOOKS {
                return Ok(ended.len());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(0)
    }

    fn seen(&self, state: &str) -> Value {
        json!({ "object": format!("{}/{}", self.server, self.role), "state": state })
    }
}

async fn stopped(world: &World<'_>) -> Result<Outcome, Outcome> {
    let mut desk = Desk::open(world).await?;
    let before = desk.state().await?;
    if before == ABSENT {
        return Ok(Outcome::AlreadyDone(desk.seen(before)));
    }
    if before == LOGIN {
        desk.ask(&format!("alter role {} nologin", identifier(desk.role))).await?;
        if desk.state().await? != NOLOGIN {
            return Ok(Outcome::Unknown("the server took the change, and the role may still log in".to_owned()));
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
    let seen = desk.seen(NOLOGIN);
    Ok(if before == LOGIN { Outcome::Done(seen) } else { Outcome::AlreadyDone(seen) })
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Outcome> {
    let mut desk = Desk::open(world).await?;
    let now = desk.state().await?;
    match (before.get("state").and_then(Value::as_str), now) {
        (None, _) => Ok(Outcome::Failed("the plan did not see its state, so there is nothing to put back".to_owned())),
        (Some(before), now) if before == now => Ok(Outcome::AlreadyDone(desk.seen(now))),
        (_, ABSENT) => Ok(Outcome::Failed("the role was dropped since".to_owned())),
        (Some(LOGIN), _) => {
            desk.ask(&format!("alter role {} login", identifier(desk.role))).await?;
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
        seen.get("state").and_then(Value::as_str).is_some_and(|state| state == NOLOGIN || state == ABSENT)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let looked = async {
                let mut desk = Desk::open(world).await?;
                let state = desk.state().await?;
                Ok::<_, Outcome>(desk.seen(state))
            };
            looked.await.map_err(|outcome| match outcome {
                Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) => why,
                _ => "nobody tells".to_owned(),
            })
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { stopped(world).await.unwrap_or_else(|outcome| outcome) })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move { put_back(world, before).await.unwrap_or_else(|outcome| outcome) })
    }
}

pub(super) struct RoleRefused;

async fn refused(world: &World<'_>) -> Outcome {
    let deadline = tokio::time::Instant::now() + world.timeout;
    loop {
        let (accepted, why) = match asked(world).await {
            Liveness::Dead(why) => return Outcome::Done(json!({ "refused": why })),
            Liveness::Limited(_, why) if why == NO_LOGIN => {
                return Outcome::Done(json!({ "refused": "28000: it may not log in" }));
            }
            Liveness::Live(_) | Liveness::Limited(..) => (true, "the server still lets it in".to_owned()),
            other => (false, other.why().unwrap_or("nothing can be asked about it").to_owned()),
        };
        if tokio::time::Instant::now() + PAUSE > deadline {
            let why = format!("{why} (asked for {} s)", world.timeout.as_secs());
            return if accepted { Outcome::Failed(why) } else { Outcome::Unknown(why) };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Action for RoleRefused {
    fn name(&self) -> &'static str {
        "postgres-role-verify-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "log in as the leaked role until the server does not let it in".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(refused(world))
    }
}
