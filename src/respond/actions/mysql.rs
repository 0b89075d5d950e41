//! `mysql-user-stop`: a MySQL or MariaDB account whose password leaked is locked, and its sessions end. Undone by unlocking it. It acts as
//! an account of the operator's at the very server that the credential was found for: `credential` of the settings holds that account's
//! URL. Which user that is the credential itself says, and its password must be seen to open it. Where the name has several accounts
//! (`app@%`, `app@10.%`), the server does not tell which of them the password opens, and it is done by hand.
//! Naturally idempotent; bites at once for new logins, and open sessions are ended one by one.
//!
//! Sources: MySQL 8.4 reference, "Account Locking" (a locked account's sessions go on; 3118 at login), ALTER USER, KILL
//! (`CONNECTION_ADMIN` for others' sessions), `mysql.user` (`account_locked`), error 1094; MariaDB reference, "Account Locking" (since
//! 10.4.2; 4151 at login), `mysql.global_priv` (`account_locked` of its JSON; roles have an empty host).

use std::time::Duration;

use serde_json::{Value, json};

use super::login::{Door, Mark, Place, Stop, Words};
use super::stated::Stated;
use super::{Outcome, Role, World};
use crate::model::Credential;
use crate::respond::replay::stands;
use crate::validate::mysql_admin::{MySqlPlace, MySqlSession, MySqlTrouble, Rows, found, literal};

mod alternate;
mod grants;
mod pair;
mod retire;

pub(super) use alternate::ALTERNATE;
pub(super) use retire::DROP;

const PROVIDER: &str = "mysql";
/// The states of an account.
const OPEN: &str = "unlocked";
const LOCKED: &str = "locked";
const ABSENT: &str = "absent";
/// There is no such session any more.
const GONE_BY_ITSELF: u16 = 1094;
/// Sessions may take a moment to end, and a login that was under way a moment to be seen.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) const STOP: Stated = Stated {
    name: "mysql-user-stop",
    provider: PROVIDER,
    role: Role::Stops,
    permissions: &["a MySQL user with CREATE USER, PROCESS, CONNECTION_ADMIN and SELECT on the schema mysql"],
    effect: "ALTER USER … ACCOUNT LOCK, then end the account's open sessions",
    undo: Some("ALTER USER … ACCOUNT UNLOCK, if it was not locked before; its sessions come back by themselves or not"),
    shut: &[LOCKED, ABSENT],
    ways: &Stop::<Desk>::new(),
    ..Stated::PLAIN
};

impl Place for MySqlPlace {
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
}

impl From<MySqlTrouble> for Outcome {
    fn from(trouble: MySqlTrouble) -> Self {
        match trouble {
            MySqlTrouble::Said(1045 | 1698) => {
                Self::Refused("the server does not take the settings' credential (1045)".to_owned())
            }
            MySqlTrouble::Said(code @ (1142 | 1044 | 1227 | 1095)) => Self::Refused(format!(
                "the settings' user may not do that ({code}): it needs CREATE USER, PROCESS, CONNECTION_ADMIN (MariaDB: CONNECTION ADMIN) \
                 and SELECT on the schema mysql"
            )),
            MySqlTrouble::Said(code) => Self::Failed(format!("the server said {code}; nothing was changed")),
            MySqlTrouble::Broken(why) => Self::Unknown(why),
        }
    }
}

/// The account at its server, and a session there.
struct Desk {
    mark: Mark,
    session: MySqlSession,
    /// From where the account may come, once it was looked at.
    host: Option<String>,
}

impl Desk {
    async fn ask(&mut self, sql: &str) -> Result<Rows, Outcome> {
        Ok(self.session.run(sql).await?)
    }

    /// The account as SQL names it.
    fn account(&self) -> String {
        format!("{}@{}", literal(&self.mark.name), literal(self.host.as_deref().unwrap_or("%")))
    }
}

impl Door for Desk {
    type Place = MySqlPlace;
    const OPEN: &'static str = OPEN;
    const SHUT: &'static [&'static str] = &[LOCKED];
    const ABSENT: &'static str = ABSENT;
    const SAYS_SHUT_FIRST: bool = true;
    const WORDS: Words = Words {
        thing: "the account",
        shut: "locked",
        sessions: "sessions",
        unknown: "the server has no such account; a proxy may map names; do it by hand",
        gone: "the account was dropped since",
    };

    async fn open(world: &World<'_>, mark: Mark, place: &MySqlPlace) -> Result<Self, Outcome> {
        let session = MySqlSession::open(&world.hands.net, place).await?;
        Ok(Self { mark, session, host: None })
    }

    async fn state(&mut self) -> Result<&'static str, Outcome> {
        let unread = || Outcome::Unknown("the answer about the account cannot be read".to_owned());
        let version = self.ask("select version()").await?;
        let version = version.first().and_then(|row| row.first()?.clone()).ok_or_else(unread)?;
        let (table, locked) = if version.to_ascii_lowercase().contains("mariadb") {
            ("mysql.global_priv", "coalesce(json_value(Priv, '$.account_locked'), 0)")
        } else {
            ("mysql.user", "account_locked = 'Y'")
        };
        let name = literal(&self.mark.name);
        let rows = self
            .ask(&format!("select Host, {locked} from {table} where User = {name} and Host <> '' order by Host"))
            .await?;
        match rows.as_slice() {
            [] => Ok(ABSENT),
            [row] => {
                let [Some(host), Some(locked)] = row.as_slice() else { return Err(unread()) };
                self.host = Some(host.clone());
                match locked.as_str() {
                    "1" | "true" => Ok(LOCKED),
                    "0" | "false" => Ok(OPEN),
                    _ => Err(unread()),
                }
            }
            several => {
                let hosts: Vec<&str> = several.iter().filter_map(|row| row.first()?.as_deref()).collect();
                Err(Outcome::Refused(format!(
                    "{} has several accounts, from {}, and which of them the password opens the server does not tell; do it by hand",
                    self.mark.name,
                    hosts.join(" and ")
                )))
            }
        }
    }

    async fn set(&mut self, _now: &str, state: &'static str) -> Result<(), Outcome> {
        let word = if state == LOCKED { "lock" } else { "unlock" };
        self.ask(&format!("alter user {} account {word}", self.account())).await.map(drop)
    }

    async fn end(&mut self, _state: &str) -> Result<u64, Outcome> {
        // Names are told apart by their case, and this column compares without it.
        let name = literal(&self.mark.name);
        let whose = format!("select ID from information_schema.PROCESSLIST where cast(USER as binary) = {name}");
        // A login that was under way when the account was locked comes after an empty look.
        let mut quiet = 0;
        for look in 0.. {
            let sessions = self.ask(&whose).await?;
            for id in sessions.iter().filter_map(|row| row.first()?.as_deref()?.parse::<u64>().ok()) {
                match self.session.run(&format!("kill {id}")).await {
                    Ok(_) | Err(MySqlTrouble::Said(GONE_BY_ITSELF)) => {}
                    Err(trouble) => return Err(trouble.into()),
                }
            }
            quiet = if sessions.is_empty() { quiet + 1 } else { 0 };
            if quiet == 2 || (quiet == 0 && look >= LOOKS) {
                return Ok(sessions.len() as u64);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(0)
    }

    async fn seen(&mut self, state: &str) -> Value {
        json!({ "object": self.mark.object(), "state": state, "from": self.host })
    }

    async fn may_return(world: &World<'_>, mark: &Mark) -> Result<(), Outcome> {
        if world.plan.mode != "rotate" {
            return Ok(());
        }
        let dropped = world.plan.steps.iter().zip(world.so_far);
        let dropped = dropped.filter(|(step, _)| step.action == retire::NAME).any(|(_, status)| stands(status));
        let left = pair::Desk::open(world).await?.known(&mark.name).await?.is_some_and(|known| known.was_left());
        if dropped || left {
            return Err(Outcome::Failed(format!(
                "{}'s password was taken away, so that letting it log in helps nobody; make a new plan for its next turn",
                mark.name
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
