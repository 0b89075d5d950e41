//! `redis-user-stop`: an ACL user whose password leaked is turned off, and its connections are closed: those that are open would go on.
//! Undone by turning it on. It acts as a user of the operator's at the very server that the credential was found for: `credential` of
//! the settings holds that user's URL. Which user that is the credential itself says, and its password must be seen to open it. The
//! default user, which every connection begins as, and the responder's own are refused.
//!
//! It lasts until the server restarts unless it is saved: where the server has an ACL file, that is written; where its users stand in
//! its configuration, a person writes it there, which is said. Nodes keep users of their own: what is done here is done at this one.
//! Naturally idempotent; bites at once. Every refused login leaves an entry in `ACL LOG`.
//!
//! Sources: redis.io, commands ACL SETUSER (`off`: "already authenticated connections will still work"; a user that is not there is
//! made), ACL GETUSER, ACL SAVE, CLIENT KILL (`USER`, which spares whoever says it), CONFIG GET, INFO; "ACL": users stand either in
//! the configuration or in an `aclfile`, never in both. `src/commands/acl-setuser.json` has no WRITE flag, so that it is not sent on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::keys::{GONE, Leaked, missing};
use super::{Action, Doing, Needs, Outcome, Role, World, asked};
use crate::model::Liveness;
use crate::validate::redis_admin::{RedisPlace, RedisReply, RedisSession, RedisTrouble, found};

const PROVIDER: &str = "redis";
/// The states of a user.
const ON: &str = "on";
const OFF: &str = "off";
const ABSENT: &str = "absent";
/// A login that was under way may be seen a moment later.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) struct UserStop;

/// Whom it is about.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    user: String,
    /// `HOST:PORT`
    server: String,
}

impl Mark {
    /// The user that the leaked credential logs in as. Nothing when that is no longer readable.
    fn found(world: &World<'_>) -> Result<Option<Self>, Outcome> {
        let Some(leaked) = Leaked::recall(world).map_err(Outcome::Refused)? else { return Ok(None) };
        // One password may open several users, and only one of them is known to be meant.
        let alike = leaked.alike("users or servers", found);
        let (user, server) = alike.map_err(|why| Outcome::Refused(format!("{why}; do it by hand")))?;
        // The guards have judged what the plan names.
        if world.plan.target.get("user") != Some(&user) {
            let what = "the plan is about another user than the credential opens now; make a new plan";
            return Err(Outcome::Refused(what.to_owned()));
        }
        Ok(Some(Self { user, server }))
    }

    /// The user that a plan has seen.
    fn seen(before: &Value) -> Option<Self> {
        let (server, user) = before.get("object")?.as_str()?.split_once('/')?;
        Some(Self { user: user.to_owned(), server: server.to_owned() })
    }

    /// The user that both the plan and the credential mean.
    fn agreed(world: &World<'_>) -> Result<Self, Outcome> {
        let found = Self::found(world)?;
        let Some(planned) = Self::seen(world.before) else {
            let what = "the plan did not see what it would change; make a new one while the password is readable and taken";
            return Err(Outcome::Refused(what.to_owned()));
        };
        if found.is_some_and(|found| found != planned) {
            let what = "the plan saw another user than the credential opens now; make a new plan";
            return Err(Outcome::Refused(what.to_owned()));
        }
        Ok(planned)
    }

    /// The operator's login at its server.
    fn office(&self, world: &World<'_>) -> Result<RedisPlace, Outcome> {
        let admin = world.hands.admin.as_ref();
        let admin = admin.ok_or_else(|| Outcome::Refused(missing(PROVIDER, world.hands)))?;
        let place = admin.value.expose_str().ok_or_else(|| "it is not text".to_owned()).and_then(RedisPlace::parse);
        let place = place.map_err(|why| Outcome::Refused(format!("the credential of {}: {why}", admin.from)))?;
        // A user of the same name at another server is somebody else.
        if place.server() != self.server {
            return Err(Outcome::Refused(format!(
                "the credential was found for {}, and {} is for {}; give {PROVIDER} one for that server in the settings file",
                self.server,
                admin.from,
                place.server()
            )));
        }
        if place.user() == self.user {
            return Err(Outcome::Refused(
                "this is the responder's own user: whoever acts with it would lock themselves out; use another".to_owned(),
            ));
        }
        Ok(place)
    }

    /// That the password which was found opens this user. Whoever writes down a URL with a password that they made up has not found
    /// one, and keeps nobody out with it. Servers without users take any word in their place: the server says who it is.
    async fn opens(&self, world: &World<'_>) -> Result<(), Outcome> {
        match asked(world).await {
            Liveness::Live(identity) | Liveness::Limited(identity, _) if identity.get("user") == Some(&self.user) => Ok(()),
            Liveness::Live(_) | Liveness::Limited(..) => Err(Outcome::Refused(
                "the password opens another user than its URL says; nothing was changed, do it by hand".to_owned(),
            )),
            other => Err(Outcome::Refused(format!(
                "that the password opens this user is not proved ({}); nothing was changed",
                other.why().unwrap_or("nothing can be asked about it")
            ))),
        }
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

/// An outcome that is no success, in words.
fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) => why,
        _ => "nobody tells".to_owned(),
    }
}

/// The user at its server, and a session there.
struct Desk {
    mark: Mark,
    session: RedisSession,
    /// At the last look it was let in with any password.
    nopass: bool,
}

impl Desk {
    async fn open(world: &World<'_>, mark: Mark, place: &RedisPlace) -> Result<Self, Outcome> {
        Ok(Self { mark, session: RedisSession::open(&world.hands.net, place).await?, nopass: false })
    }

    /// The user's state.
    async fn state(&mut self) -> Result<&'static str, Outcome> {
        let unread = || Outcome::Unknown("the answer about the user cannot be read".to_owned());
        let answer = self.session.run(&[b"ACL", b"GETUSER", self.mark.user.as_bytes()]).await?;
        let fields = match answer {
            RedisReply::Nothing => return Ok(ABSENT),
            RedisReply::List(fields) => fields,
            _ => return Err(unread()),
        };
        let text = |reply: &RedisReply, wanted: &str| matches!(reply, RedisReply::Text(text) if text == wanted);
        let flags = fields.chunks(2).find_map(|pair| match pair {
            [name, RedisReply::List(flags)] if text(name, "flags") => Some(flags),
            _ => None,
        });
        let flags = flags.ok_or_else(unread)?;
        let has = |flag: &str| flags.iter().any(|one| text(one, flag));
        self.nopass = has("nopass");
        match (has(ON), has(OFF)) {
            (true, false) => Ok(ON),
            (false, true) => Ok(OFF),
            _ => Err(unread()),
        }
    }

    /// Turns it on or off, and looks whether it is so. One that is not there would be made, so it is looked at before.
    async fn turn(&mut self, state: &'static str) -> Result<Option<Outcome>, Outcome> {
        self.session.run(&[b"ACL", b"SETUSER", self.mark.user.as_bytes(), state.as_bytes()]).await?;
        match self.state().await {
            Ok(now) if now == state => Ok(None),
            Ok(now) => Ok(Some(Outcome::Unknown(format!("the server took the change, and the user reads as {now}")))),
            Err(other) => {
                Ok(Some(Outcome::Unknown(format!("the server took the change, and it cannot be read back: {}", why(other)))))
            }
        }
    }

    /// Closes its connections; how many were closed at the last look.
    async fn end(&mut self) -> Result<i64, Outcome> {
        // A login that was under way when the user was stopped comes after an empty look.
        let mut quiet = 0;
        for look in 0.. {
            let RedisReply::Number(closed) =
                self.session.run(&[b"CLIENT", b"KILL", b"USER", self.mark.user.as_bytes()]).await?
            else {
                return Err(Outcome::Unknown("the answer about its connections cannot be read".to_owned()));
            };
            quiet = if closed == 0 { quiet + 1 } else { 0 };
            if quiet == 2 || (quiet == 0 && look >= LOOKS) {
                return Ok(closed);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(0)
    }

    /// Saves what was changed where there is a file for it; how long it lasts, in words.
    async fn saved(&mut self) -> String {
        let until = |why: &str| format!("until the server restarts: {why}");
        match self.session.run(&[b"CONFIG", b"GET", b"aclfile"]).await {
            Ok(RedisReply::List(pair)) => match pair.as_slice() {
                [_, RedisReply::Text(file)] if !file.is_empty() => match self.session.run(&[b"ACL", b"SAVE"]).await {
                    Ok(_) => "for good: the server's ACL file was written".to_owned(),
                    Err(trouble) => until(&format!("its ACL file was not written ({}); run ACL SAVE", why(trouble.into()))),
                },
                [_, RedisReply::Text(_)] => {
                    let what = format!("it has no ACL file; write `user {} …` in its configuration so too", self.mark.user);
                    until(&what)
                }
                _ => "not known how long: the server does not say whether it has an ACL file".to_owned(),
            },
            _ => "not known how long: the server does not say whether it has an ACL file".to_owned(),
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

    async fn seen(&mut self, state: &str) -> Value {
        let object = format!("{}/{}", self.mark.server, self.mark.user);
        json!({ "object": object, "state": state, "elsewhere": self.elsewhere().await })
    }

    /// The same, after a change that is to last.
    async fn kept(&mut self, state: &str) -> Value {
        let lasts = self.saved().await;
        let mut seen = self.seen(state).await;
        seen["lasts"] = lasts.into();
        seen
    }
}

async fn stopped(world: &World<'_>) -> Result<Outcome, Outcome> {
    let mark = Mark::agreed(world)?;
    let place = mark.office(world)?;
    // Asked first: a session at the desk does not last.
    let opens = mark.opens(world).await;
    let mut desk = Desk::open(world, mark, &place).await?;
    let before = desk.state().await?;
    if before == ABSENT {
        let there = world.before.get("state").is_some_and(|state| state == ON || state == OFF);
        return Ok(if there {
            Outcome::AlreadyDone(desk.seen(before).await)
        } else {
            Outcome::Refused("the server has no such user; do it by hand".to_owned())
        });
    }
    if before == ON {
        opens?;
        if desk.nopass {
            let why = "the server takes any password for this user (nopass), so that the one which was found opens it says nothing: \
                       give it a password, or turn it off by hand";
            return Ok(Outcome::Refused(why.to_owned()));
        }
        if let Some(doubt) = desk.turn(OFF).await? {
            return Ok(doubt);
        }
    }
    // From here on something was changed, whatever else goes wrong.
    match desk.end().await {
        Ok(0) => {}
        Ok(left) => return Ok(Outcome::Unknown(format!("it is off, but {left} of its connections were open still"))),
        Err(other) => return Ok(Outcome::Unknown(format!("it is off, but its open connections go on: {}", why(other)))),
    }
    // Whoever may change users could have turned it on while its connections were closed.
    match desk.state().await {
        Ok(OFF) => {}
        Ok(now) => {
            let why = format!("it was turned off, and reads as {now} again: stop whoever does that, then `respond resume`");
            return Ok(Outcome::Unknown(why));
        }
        Err(other) => return Ok(Outcome::Unknown(format!("it was turned off, and cannot be read back: {}", why(other)))),
    }
    let seen = desk.kept(OFF).await;
    Ok(if before == ON { Outcome::Done(seen) } else { Outcome::AlreadyDone(seen) })
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Outcome> {
    // The password need not be readable for that.
    let unseen = || Outcome::Failed("the plan did not see its state, so there is nothing to put back".to_owned());
    let mark = Mark::seen(before).ok_or_else(unseen)?;
    let state = before.get("state").and_then(Value::as_str).ok_or_else(unseen)?;
    let place = mark.office(world)?;
    let mut desk = Desk::open(world, mark, &place).await?;
    let now = desk.state().await?;
    if now == state || state != ON {
        return Ok(Outcome::AlreadyDone(desk.kept(now).await));
    }
    if now == ABSENT {
        return Ok(Outcome::Failed("the user was deleted since".to_owned()));
    }
    match desk.turn(ON).await? {
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
        "ACL SETUSER … off, then close the user's connections; ACL SAVE where the server has an ACL file, which writes every user's \
         state as it is now; else it lasts until the server restarts"
            .to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("ACL SETUSER … on, if it was, and ACL SAVE where there is a file; its connections come back by themselves or not".to_owned())
    }

    fn same(&self, planned: &Value, now: &Value) -> bool {
        // Replicas come and go.
        ["object", "state"].iter().all(|name| planned.get(name) == now.get(name))
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        seen.get("state").is_some_and(|state| state == OFF)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let looked = async {
                let mark = Mark::found(world)?.ok_or_else(|| Outcome::Refused(GONE.to_owned()))?;
                let place = mark.office(world)?;
                mark.opens(world).await?;
                let mut desk = Desk::open(world, mark, &place).await?;
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
