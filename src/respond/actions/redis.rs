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

use super::keys::Leaked;
use super::login::{Place, Stop};
use super::stated::Stated;
use super::{Outcome, Role, World};
use crate::model::{Credential, Identity};
use crate::validate::redis_admin::{RedisPlace, RedisTrouble, found, password_hash};
use desk::{Desk, OFF, WITHOUT};

pub(super) use keep::KEEP;

const PROVIDER: &str = "redis";

pub(super) const STOP: Stated = Stated {
    name: "redis-user-stop",
    provider: PROVIDER,
    role: Role::Stops,
    permissions: &["a Redis user with +acl, +client|kill, +config|get and +info"],
    effect: "ACL SETUSER … off, or where the user has other passwords too, take this one away alone; then close the user's connections. It \
             lasts until the server restarts, or reads its ACL file again",
    undo: Some(
        "ACL SETUSER … on, if it was, and its password again where that alone was taken away (while it can be read); its \
         connections come back by themselves or not",
    ),
    shut: &[OFF, WITHOUT],
    // Replicas come and go.
    same: |planned, now| ["object", "state", "passwords"].iter().all(|name| planned.get(name) == now.get(name)),
    ways: &Stop::<Desk>::new(),
    ..Stated::PLAIN
};

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

#[cfg(test)]
mod tests;
