//! Redis and Valkey: `AUTH`, then `ACL WHOAMI`. Both are free, change nothing and are in every ACL's reach (the second may not be).
//! Sources: redis.io, commands AUTH, ACL WHOAMI, "Redis serialization protocol"; the errors: redis 7.0, `src/acl.c` and `src/server.c`.
//!
//! An error's text is never passed on: Redis repeats the arguments of a command that it does not know.

use zeroize::Zeroizing;

use super::login::Login;
use crate::model::{Credential, Liveness};
use crate::net::{Net, NetError, Proof, Wire};

mod session;

pub use session::{RedisPlace, RedisReply, RedisSession, RedisTrouble, found, password_hash};

const PORT: u16 = 6379;
/// A longer name than this is not a user's.
const LONGEST: usize = 256;

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "AUTH is answered with OK, by a server that had asked for it"),
    ("dead", "WRONGPASS, or before Redis 6 `ERR invalid password`: no such user, or not the password, or the user is off"),
    ("unknown", "the server lets anyone in without a password, or its host is not allowed, or it says something else"),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let login = match Login::of_url(credential) {
        Ok(login) => login,
        Err(other) => return other,
    };
    match converse(net, &login).await {
        Ok(said) => said,
        Err(error) => Liveness::Unknown(error.to_string()),
    }
}

async fn converse(net: &Net, login: &Login) -> Result<Liveness, NetError> {
    let mut wire = net.dial(&login.host, login.port.unwrap_or(PORT)).await?;
    if matches!(login.scheme.as_str(), "rediss" | "valkeys") {
        wire = wire.secure(Proof::Certificate).await?;
    }
    wire.write(&command(&[b"PING"])).await?;
    let open = match reply(&mut wire).await? {
        Reply::Text(_) => true,
        Reply::Error(text) if text.starts_with(b"NOAUTH") => false,
        Reply::Error(text) => return Ok(Liveness::Unknown(refusal(&text))),
    };
    let named = login.user.as_deref().filter(|user| *user != "default");
    // A default user without a password takes any.
    if open && named.is_none() {
        return Ok(Liveness::Unknown("the server lets anyone in without a password".to_owned()));
    }
    let mut said = auth(&mut wire, login.user.as_deref(), &login.password).await?;
    // Before Redis 6 there were no users, and URLs of that time hold any word in their place (Heroku's held `h`).
    let no_user = named.is_some() && !open && matches!(said, Auth::Wrong | Auth::OneWordOnly);
    if no_user {
        said = auth(&mut wire, None, &login.password).await?;
    }
    Ok(match said {
        Auth::Right => whoami(&mut wire, login, no_user).await,
        Auth::Wrong => Liveness::Dead(
            "the server says that there is no such user, or that this is not the password, or that the user is off"
                .to_owned(),
        ),
        Auth::OneWordOnly => Liveness::Unknown("the server is too old to have users".to_owned()),
        Auth::Otherwise(why) => Liveness::Unknown(why),
    })
}

/// What AUTH is answered with.
enum Auth {
    Right,
    Wrong,
    /// Before Redis 6: AUTH takes a password alone.
    OneWordOnly,
    Otherwise(String),
}

async fn auth(wire: &mut Wire, user: Option<&str>, password: &[u8]) -> Result<Auth, NetError> {
    let said = match user {
        Some(user) => command(&[b"AUTH", user.as_bytes(), password]),
        None => command(&[b"AUTH", password]),
    };
    wire.write(&said).await?;
    match reply(wire).await? {
        Reply::Text(text) if text == b"OK" => Ok(Auth::Right),
        Reply::Text(_) => Err(wire.garbled()),
        Reply::Error(text) if text.starts_with(b"WRONGPASS ") || text == b"ERR invalid password" => Ok(Auth::Wrong),
        Reply::Error(text) if text.starts_with(b"ERR wrong number of arguments") => Ok(Auth::OneWordOnly),
        Reply::Error(text) => Ok(Auth::Otherwise(refusal(&text))),
    }
}

/// It is live; this only asks for the name. Not every version has the command, not every user may use it.
async fn whoami(wire: &mut Wire, login: &Login, default: bool) -> Liveness {
    let mut identity = login.identity();
    if default {
        identity.set("user", "default");
    }
    let asked = wire.write(&command(&[b"ACL", b"WHOAMI"])).await;
    if asked.is_ok()
        && let Ok(Reply::Text(name)) = reply(wire).await
        && let Ok(name) = String::from_utf8(name)
        && !name.is_empty()
    {
        identity.set("user", name);
    }
    Liveness::Live(identity)
}

enum Reply {
    Text(Vec<u8>),
    Error(Vec<u8>),
}

/// A simple string, an error or a bulk string; nothing else answers what is asked here.
async fn reply(wire: &mut Wire) -> Result<Reply, NetError> {
    let line = wire.line().await?;
    match line.split_first() {
        Some((b'+', text)) => Ok(Reply::Text(text.to_vec())),
        Some((b'-', text)) => Ok(Reply::Error(text.to_vec())),
        Some((b'$', length)) => {
            let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
            Ok(Reply::Text(wire.block(length.unwrap_or(usize::MAX), LONGEST, b"\r\n").await?))
        }
        _ => Err(wire.garbled()),
    }
}

/// A command as an array of bulk strings, which can hold any byte.
fn command(words: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(64 + words.iter().map(|word| word.len() + 16).sum::<usize>()));
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Why it settles nothing, by the errors' own first words and nothing else of them.
fn refusal(text: &[u8]) -> String {
    let known = [
        ("ERR max number of clients", "the server has too many clients"),
        ("ERR Client sent AUTH, but no password is set", "the server lets anyone in without a password"),
        ("ERR AUTH <password> called without any password", "the server lets anyone in without a password"),
        ("DENIED", "the server speaks to its own machine only"),
        ("LOADING", "the server is starting"),
        ("NOPERM", "the server does not let its users say this"),
        ("NOAUTH", "the server asks for a login again"),
    ];
    let found = known.iter().find(|(start, _)| text.starts_with(start.as_bytes()));
    found.map_or("the server answered with an error that says nothing about the password", |(_, why)| why).to_owned()
}

#[cfg(test)]
mod tests;
