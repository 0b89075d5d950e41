//! A user at its server, seen and changed by the operator's.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::keys::GONE;
use super::super::login::{Door, Mark, Words};
use super::super::{Outcome, World};
use super::{hash, keep};
use crate::validate::redis_admin::{RedisPlace, RedisReply, RedisSession};

/// The states of a user.
pub(super) const ON: &str = "on";
pub(super) const OFF: &str = "off";
pub(super) const ABSENT: &str = "absent";
/// It is on, and the leaked password is none of its passwords any more.
pub(super) const WITHOUT: &str = "on without it";
/// A login that was under way may be seen a moment later.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// Where the server keeps its users.
pub(super) enum File {
    /// In a file of their own.
    At(String),
    /// In its configuration.
    None,
    /// It does not say.
    Unknown,
}

/// The user at its server, and a session there.
pub(super) struct Desk {
    pub(super) mark: Mark,
    session: RedisSession,
    /// What the server calls the leaked password, where that can be read.
    pub(super) leaked: Option<String>,
    /// At the last look it was let in with any password.
    pub(super) nopass: bool,
    /// How many passwords it had then.
    pub(super) passwords: usize,
}

fn text(reply: &RedisReply) -> Option<&str> {
    if let RedisReply::Text(text) = reply { Some(text) } else { None }
}

impl Desk {
    /// Where the server keeps its users.
    pub(super) async fn file(&mut self) -> File {
        match self.session.run(&[b"CONFIG", b"GET", b"aclfile"]).await {
            Ok(RedisReply::List(pair)) => match pair.as_slice() {
                [_, RedisReply::Text(file)] if file.is_empty() => File::None,
                [_, RedisReply::Text(file)] => File::At(file.clone()),
                _ => File::Unknown,
            },
            _ => File::Unknown,
        }
    }

    /// Writes every user as it is now over the server's ACL file.
    pub(super) async fn save(&mut self) -> Result<(), Outcome> {
        self.session.run(&[b"ACL", b"SAVE"]).await?;
        Ok(())
    }

    /// How long what was changed lasts while no file is written, in words.
    pub(super) async fn lasts(&mut self) -> String {
        match self.file().await {
            File::At(file) => format!(
                "until the server restarts or reads its ACL file again: {file} was not written, since that would overwrite what others \
                 may have changed in it; see that nobody has, then run ACL SAVE"
            ),
            File::None => format!(
                "until the server restarts: it has no ACL file; write `user {} …` in its configuration so too",
                self.mark.name
            ),
            File::Unknown => "not known how long: the server does not say whether it has an ACL file".to_owned(),
        }
    }

    /// What this server does not speak for.
    async fn elsewhere(&mut self) -> Option<&'static str> {
        let mut text = String::new();
        for section in ["replication", "cluster"] {
            match self.session.run(&[b"INFO", section.as_bytes()]).await {
                Ok(RedisReply::Text(more)) => text.push_str(&more),
                _ => {
                    return Some("whether it has replicas or is a cluster's node is not known; each keeps users of its own");
                }
            }
        }
        let says = |line: &str| text.lines().any(|one| one.trim_end() == line);
        let alone = says("role:master") && says("connected_slaves:0") && !says("cluster_enabled:1");
        (!alone)
            .then_some("it has replicas, or is one, or a cluster's node: each keeps users of its own, so do it there too")
    }

    /// What is seen, after a change that is to last.
    pub(super) async fn kept(&mut self, state: &str) -> Value {
        let lasts = self.lasts().await;
        let mut seen = self.seen(state).await;
        seen["lasts"] = lasts.into();
        seen
    }
}

impl Door for Desk {
    type Place = RedisPlace;
    const OPEN: &'static str = ON;
    const SHUT: &'static [&'static str] = &[OFF, WITHOUT];
    const ABSENT: &'static str = ABSENT;
    const WORDS: Words = Words {
        thing: "the user",
        shut: "stopped",
        sessions: "connections",
        unknown: "the server has no such user; do it by hand",
        gone: "the user was deleted since",
    };

    async fn open(world: &World<'_>, mark: Mark, place: &RedisPlace) -> Result<Self, Outcome> {
        let session = RedisSession::open(&world.hands.net, place).await?;
        Ok(Self { mark, session, leaked: hash(world)?, nopass: false, passwords: 0 })
    }

    async fn state(&mut self) -> Result<&'static str, Outcome> {
        let unread = || Outcome::Unknown("the answer about the user cannot be read".to_owned());
        let answer = self.session.run(&[b"ACL", b"GETUSER", self.mark.name.as_bytes()]).await?;
        let fields = match answer {
            RedisReply::Nothing => return Ok(ABSENT),
            RedisReply::List(fields) => fields,
            _ => return Err(unread()),
        };
        let list = |wanted: &str| {
            fields.chunks(2).find_map(|pair| match pair {
                [name, RedisReply::List(all)] if text(name) == Some(wanted) => Some(all),
                _ => None,
            })
        };
        let (flags, passwords) = (list("flags").ok_or_else(unread)?, list("passwords").ok_or_else(unread)?);
        let has = |flag: &str| flags.iter().any(|one| text(one) == Some(flag));
        (self.nopass, self.passwords) = (has("nopass"), passwords.len());
        let takes = |hash: &String| self.nopass || passwords.iter().any(|one| text(one) == Some(hash));
        match (has(ON), has(OFF)) {
            (true, false) if self.leaked.as_ref().is_none_or(takes) => Ok(ON),
            (true, false) => Ok(WITHOUT),
            (false, true) => Ok(OFF),
            _ => Err(unread()),
        }
    }

    fn aim(&self) -> Result<&'static str, Outcome> {
        if self.nopass {
            let why = "the server takes any password for this user (nopass), so that the one which was found opens it says nothing: \
                       give it a password, or turn it off by hand";
            return Err(Outcome::Refused(why.to_owned()));
        }
        // Whoever uses another password of the user's goes on.
        Ok(if self.passwords > 1 && self.leaked.is_some() { WITHOUT } else { OFF })
    }

    /// A user that is not there would be made.
    async fn set(&mut self, now: &str, state: &'static str) -> Result<(), Outcome> {
        let rule = match (state, now, &self.leaked) {
            (WITHOUT, _, Some(hash)) => format!("!{hash}"),
            (ON, WITHOUT, Some(hash)) => format!("#{hash}"),
            (state, ..) => state.to_owned(),
        };
        self.session.run(&[b"ACL", b"SETUSER", self.mark.name.as_bytes(), rule.as_bytes()]).await?;
        Ok(())
    }

    /// Closes its connections; how many were closed at the last look that counts. Where it is still on, whoever has another password of
    /// the user's comes back, and is no sign of a login that was under way.
    async fn end(&mut self, state: &str) -> Result<u64, Outcome> {
        // A login that was under way when the user was stopped comes after an empty look.
        let most = if state == WITHOUT { 1 } else { LOOKS };
        let mut quiet = 0;
        for look in 0.. {
            let RedisReply::Number(closed) =
                self.session.run(&[b"CLIENT", b"KILL", b"USER", self.mark.name.as_bytes()]).await?
            else {
                return Err(Outcome::Unknown("the answer about its connections cannot be read".to_owned()));
            };
            quiet = if closed == 0 { quiet + 1 } else { 0 };
            if quiet == 2 || (quiet == 0 && look >= most) {
                return Ok(if state == WITHOUT { 0 } else { closed.unsigned_abs() });
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(0)
    }

    async fn seen(&mut self, state: &str) -> Value {
        let mut seen = json!({ "object": self.mark.object(), "state": state, "elsewhere": self.elsewhere().await });
        if self.passwords > 1 && state == ON {
            seen["passwords"] = self.passwords.into();
        }
        seen
    }

    async fn after(&mut self, world: &World<'_>, state: &str) -> Value {
        let mut seen = self.seen(state).await;
        if !keep::follows(world) {
            seen["lasts"] = self.lasts().await.into();
        }
        seen
    }

    async fn again(&mut self, state: &str) -> Value {
        self.kept(state).await
    }

    fn settles(&self, before: &Value, now: &str) -> Result<(), Outcome> {
        let alone = before.get("passwords").and_then(Value::as_u64).is_some_and(|count| count > 1);
        if now == ON && alone && self.leaked.is_none() {
            return Err(Outcome::Failed(format!("whether it has its password back cannot be seen: {GONE}")));
        }
        Ok(())
    }
}
