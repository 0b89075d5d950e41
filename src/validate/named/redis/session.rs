//! A login of the operator's own at a Redis server, for administration: commands one after another. A credential that was found is
//! never used so. Of an error only its first word goes on: Redis repeats the arguments of a command that it does not know.
//! Source: redis.io, "Redis serialization protocol" (RESP2).

use std::future::Future;
use std::pin::Pin;

use data_encoding::HEXLOWER;
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};
use url::Url;
use zeroize::Zeroizing;

use super::super::login::Login;
use super::{PORT, command};
use crate::model::Credential;
use crate::net::{Net, NetError, Proof, Wire};

/// No answer that is asked for is longer, wider or deeper.
const LONGEST: usize = 64 << 10;
const WIDEST: usize = 4096;
const DEEPEST: usize = 4;
const DEFAULT: &str = "default";

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum RedisTrouble {
    /// The server says no: the first word of it, `NOPERM`, `WRONGPASS`, `ERR`. Nothing was changed.
    Said(String),
    /// The connection broke; whether the command took effect is not known.
    Broken(String),
}

impl From<NetError> for RedisTrouble {
    fn from(error: NetError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisReply {
    /// A simple or a bulk string.
    Text(String),
    /// An integer.
    Number(i64),
    /// An array.
    List(Vec<RedisReply>),
    /// Null.
    Nothing,
}

/// A server, and as whom one logs in there.
pub struct RedisPlace {
    login: Login,
}

impl RedisPlace {
    /// Reads a URL, `rediss://USER:PASSWORD@HOST:PORT`; without a user it is the default one.
    ///
    /// # Errors
    /// What is wrong with it, without it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || "it is no URL like rediss://USER:PASSWORD@HOST:PORT".to_owned();
        let url = url.trim();
        // Which of several ends the password is told otherwise by everyone: a piece of it would be taken for the host.
        if url.split_once("://").is_some_and(|(_, rest)| rest.matches('@').count() > 1) {
            return Err("it has more than one @ in it; percent-encode that of the password as %40".to_owned());
        }
        let url = Url::parse(url).map_err(|_| wrong())?;
        let known = matches!(url.scheme(), "redis" | "rediss" | "valkey" | "valkeys");
        let host = url.host_str().filter(|_| known).ok_or_else(wrong)?;
        let password = Zeroizing::new(percent_decode_str(url.password().ok_or_else(wrong)?).collect::<Vec<u8>>());
        let user = percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
        if password.iter().chain(user.as_bytes()).any(u8::is_ascii_control) {
            return Err("it has control characters in it".to_owned());
        }
        let (scheme, host, port) = (url.scheme().to_owned(), host.to_owned(), url.port());
        let login = Login { scheme, user: Some(user).filter(|user| !user.is_empty()), password, host, port, database: None };
        Ok(Self { login })
    }

    /// The server, `HOST:PORT`, in lower case.
    pub fn server(&self) -> String {
        server(&self.login.host, self.login.port)
    }

    /// The user that logs in.
    pub fn user(&self) -> &str {
        self.login.user.as_deref().unwrap_or(DEFAULT)
    }
}

/// As which user and at which server, `HOST:PORT`, a credential that was found logs in.
///
/// # Errors
/// In words: one of them cannot be read, or it is the user that everyone begins as.
pub fn found(credential: &Credential) -> Result<(String, String), String> {
    let login = Login::of_url(credential);
    let login = login.map_err(|said| said.why().unwrap_or("its login cannot be read").to_owned())?;
    let user = login.user.filter(|user| !user.is_empty() && !user.contains(char::REPLACEMENT_CHARACTER));
    match user {
        Some(user) if user != DEFAULT => Ok((user, server(&login.host, login.port))),
        _ => {
            Err("it opens the default user, which every connection begins as: give that one another password (`ACL SETUSER \
                  default resetpass >NEW`, or `requirepass`), and whoever uses it"
                .to_owned())
        }
    }
}

/// What the server calls the password of a credential that was found: its SHA-256, in hexadecimal.
///
/// # Errors
/// In words: it cannot be read.
pub fn password_hash(credential: &Credential) -> Result<String, String> {
    let login = Login::of_url(credential);
    let login = login.map_err(|said| said.why().unwrap_or("its login cannot be read").to_owned())?;
    Ok(HEXLOWER.encode(digest(&SHA256, &login.password).as_ref()))
}

/// A server's name, `HOST:PORT`, in lower case.
fn server(host: &str, port: Option<u16>) -> String {
    format!("{}:{}", host.to_ascii_lowercase(), port.unwrap_or(PORT))
}

/// An open session.
pub struct RedisSession(Wire);

impl RedisSession {
    /// Logs in.
    ///
    /// # Errors
    /// Who did not let us in, in words.
    pub async fn open(net: &Net, place: &RedisPlace) -> Result<Self, RedisTrouble> {
        let login = &place.login;
        let mut wire = net.call(&login.host, login.port.unwrap_or(PORT)).await?;
        if matches!(login.scheme.as_str(), "rediss" | "valkeys") {
            wire = wire.secure(Proof::Certificate).await?;
        }
        let mut session = Self(wire);
        session.run(&[b"AUTH", place.user().as_bytes(), &login.password]).await?;
        Ok(session)
    }

    /// Says one command; what is answered.
    ///
    /// # Errors
    /// The server's refusal, or a broken connection.
    pub async fn run(&mut self, words: &[&[u8]]) -> Result<RedisReply, RedisTrouble> {
        self.0.write(&command(words)).await?;
        reply(&mut self.0, DEEPEST).await
    }
}

type Replying<'w> = Pin<Box<dyn Future<Output = Result<RedisReply, RedisTrouble>> + Send + 'w>>;

fn reply(wire: &mut Wire, depth: usize) -> Replying<'_> {
    Box::pin(async move {
        let line = wire.line().await?;
        let (kind, text) = line.split_first().ok_or_else(|| wire.garbled())?;
        let text = std::str::from_utf8(text).map_err(|_| wire.garbled())?;
        let number = text.parse::<i64>().ok();
        let length = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX);
        match kind {
            b'+' => Ok(RedisReply::Text(text.to_owned())),
            b'-' => Err(RedisTrouble::Said(first(text))),
            b':' => Ok(RedisReply::Number(number.ok_or_else(|| wire.garbled())?)),
            b'$' | b'*' if number == Some(-1) => Ok(RedisReply::Nothing),
            b'$' => {
                let block = wire.block(length, LONGEST, b"\r\n").await?;
                Ok(RedisReply::Text(String::from_utf8_lossy(&block).into_owned()))
            }
            b'*' => {
                if length > WIDEST || depth == 0 {
                    return Err(wire.garbled().into());
                }
                let mut all = Vec::new();
                for _ in 0..length {
                    all.push(reply(wire, depth - 1).await?);
                }
                Ok(RedisReply::List(all))
            }
            _ => Err(wire.garbled().into()),
        }
    })
}

/// The first word of an error, where it is one of Redis's.
fn first(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let fits = (1..=20).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
    if fits { word.to_owned() } else { "an error".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::super::scripted::{Server, net};
    use super::{RedisPlace, RedisReply, RedisSession, RedisTrouble};

    fn place(scheme: &str, port: u16) -> RedisPlace {
        RedisPlace::parse(&[scheme, "://", "chief:p%40w", &format!("@127.0.0.1:{port}")].concat()).expect("a place")
    }

    #[test]
    fn a_place_is_read_and_what_is_none_is_said_without_it() {
        let place = RedisPlace::parse(&["rediss://", ":p%40w", "@Cache.internal"].concat()).expect("a place");
        assert_eq!((place.server().as_str(), place.user()), ("cache.internal:6379", "default"));
        assert_eq!(place.login.password.as_slice(), b"p@w");
        for wrong in ["http://a:b@c", "redis://a@c", "hunter2", "redis://a:hunter2@x@c", "redis://a:hun%0ater2@c"] {
            let why = RedisPlace::parse(wrong).err().expect("it is none");
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[tokio::test]
    async fn answers_are_read_whole_and_what_is_none_breaks_it() {
        let asked = async |answer: &[u8]| {
            let server = Server::answering(&[b"+OK\r\n", answer]);
            let mut session = RedisSession::open(&net(), &place("redis", server.port)).await.expect("a session");
            assert!(server.has_heard("AUTH\r\n$5\r\nchief\r\n$3\r\np@w\r\n"));
            session.run(&[b"ACL", b"GETUSER", b"x"]).await
        };
        let text = |text: &str| RedisReply::Text(text.to_owned());
        let flags = asked(b"*3\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n:-2\r\n").await.expect("an answer");
        assert_eq!(flags, RedisReply::List(vec![text("flags"), RedisReply::List(vec![text("on")]), RedisReply::Number(-2)]));
        assert_eq!(asked(b"$-1\r\n").await.expect("an answer"), RedisReply::Nothing);
        assert_eq!(asked(b"*-1\r\n").await.expect("an answer"), RedisReply::Nothing);
        let said = asked(b"-NOPERM p@w has no permissions\r\n").await;
        assert!(matches!(&said, Err(RedisTrouble::Said(word)) if word == "NOPERM"), "{said:?}");
        let said = asked(b"-p@w what\r\n").await;
        assert!(matches!(&said, Err(RedisTrouble::Said(word)) if word == "an error"), "{said:?}");
        for broken in
            [&b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"[..], b"*5000\r\n", b"$900000\r\n", b":x\r\n", b"?\r\n", b"\r\n", b""]
        {
            let said = asked(broken).await;
            assert!(matches!(said, Err(RedisTrouble::Broken(_))), "{broken:?}: {said:?}");
        }
    }

    #[tokio::test]
    async fn nobody_is_told_the_password_where_the_address_says_tls() {
        let plain = Server::answering(&[b"+OK\r\n"]);
        assert!(RedisSession::open(&net(), &place("rediss", plain.port)).await.is_err());
        assert!(!plain.has_heard("p@w"));
        let wrong = Server::answering(&[b"-WRONGPASS no\r\n"]);
        let said = RedisSession::open(&net(), &place("redis", wrong.port)).await.err();
        assert!(matches!(&said, Some(RedisTrouble::Said(word)) if word == "WRONGPASS"), "{said:?}");
    }
}
