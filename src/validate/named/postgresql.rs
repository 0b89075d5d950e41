//! PostgreSQL: start-up and authentication, nothing more: no query is ever sent.
//! Sources: the PostgreSQL documentation, "Message Flow", "Message Formats", "PostgreSQL Error Codes", libpq's "SSL Support";
//! `src/backend/utils/init/postinit.c` for what is checked after the password.
//!
//! What an error means depends on when it comes. `53300` (too many connections) is said both before the password is looked
//! at and after; only after AuthenticationOk does it say that the password is right. The same goes for a database that is
//! not there: a pooler says so before. Hence the conversation is led here, and a driver that hides its course is no help.

use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use zeroize::Zeroizing;

use super::login::{Login, Stop, keyword};
use crate::model::{Credential, Identity, Liveness};
use crate::net::{Net, Proof, Wire};

mod session;

pub use session::{Rows, SqlPlace, SqlSession, SqlTrouble, found, identifier, literal, server};

const PORT: u16 = 5432;
/// What is said of a role that the server does not let in though its password is right.
pub const NO_LOGIN: &str = "the password is right, but the user may not log in";
/// No message of a login is longer.
const LONGEST: usize = 16 << 10;
/// Messages up to the first ReadyForQuery; there are about twenty.
const MESSAGES: usize = 200;

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "the server asked for the password and took it"),
    (
        "limited",
        "it took the password, but there is no such database (3D000), no connection left (53300), or no right to it",
    ),
    ("dead", "28P01: it asked for the password and says that it is wrong, or that there is no such user"),
    (
        "unknown",
        "it lets the user in without a password, or its host is not allowed, or it turned us away before the password",
    ),
];

/// How far the server got.
#[derive(Default)]
struct Course {
    /// It has asked for the password.
    asked: bool,
    /// It has said AuthenticationOk.
    accepted: bool,
    scram: Option<ScramSha256>,
}

/// Whether the password itself may be said, and not only a proof of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The server has proven who it is, or its address asks for no TLS at all.
    Full,
    /// Encrypted, but anyone could have answered; or not even that.
    ProofsOnly,
    /// The same of a login of the operator's own: only a proof that the server must answer with its own.
    MutualOnly,
}

/// Whose login it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// It was found.
    Found,
    /// The operator's.
    Own,
}

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let login = match Login::of_url(credential) {
        Ok(login) => login,
        Err(other) => return other,
    };
    let mode =
        credential.part("sslmode").and_then(|part| part.value.expose_str()).or_else(|| keyword(credential, "sslmode"));
    // Npgsql writes `Require`, `VerifyFull` and the like.
    let mode =
        mode.unwrap_or("prefer").to_ascii_lowercase().replace("verifyfull", "verify-full").replace("verifyca", "verify-ca");
    match converse(net, &login, &mode).await {
        Ok(said) => said,
        Err(stop) => Liveness::Unknown(stop.to_string()),
    }
}

async fn converse(net: &Net, login: &Login, mode: &str) -> Result<Liveness, Stop> {
    let Some(user) = login.user.as_deref() else {
        return Ok(Liveness::NotChecked(Some("its user is not written out".to_owned())));
    };
    let wire = net.dial(&login.host, login.port.unwrap_or(PORT)).await?;
    let Entered { mut wire, course, identity, end } = enter(wire, (login, user), mode, Whose::Found).await?;
    match end {
        End::Refused(code) => Ok(refused(&course, identity, code)),
        End::Ready => {
            // Terminate. It is settled whether it arrives or not.
            let _ = wire.write(&framed(b"X", &[])).await;
            Ok(ready(&course, identity, login))
        }
    }
}

/// How a login ended.
enum End {
    /// The server waits for a statement.
    Ready,
    /// It says no: its SQLSTATE.
    Refused(Option<String>),
}

/// A login, at its end.
struct Entered {
    wire: Wire,
    course: Course,
    identity: Identity,
    end: End,
}

/// Logs in.
async fn enter(wire: Wire, (login, user): (&Login, &str), mode: &str, whose: Whose) -> Result<Entered, Stop> {
    let (mut wire, mut trust) = encrypted(wire, mode).await?;
    if whose == Whose::Own && trust == Trust::ProofsOnly {
        trust = Trust::MutualOnly;
    }
    wire.write(&start_up(user, login.database.as_deref().unwrap_or(user))).await?;
    let (mut course, mut identity) = (Course::default(), login.identity());
    for _ in 0..MESSAGES {
        let (kind, body) = message(&mut wire).await?;
        let end = match kind {
            b'R' => {
                authenticate(&mut wire, &mut course, (login, user, trust), &body).await?;
                continue;
            }
            b'S' => {
                note(&mut identity, &body);
                continue;
            }
            b'E' => End::Refused(code(&body)),
            b'Z' => End::Ready,
            // BackendKeyData, notices, NegotiateProtocolVersion.
            b'K' | b'N' | b'v' => continue,
            _ => return Err(wire.garbled().into()),
        };
        return Ok(Entered { wire, course, identity, end });
    }
    Err(wire.garbled().into())
}

/// Asks for TLS as libpq would for that `sslmode`. Without a mode, and for `allow`, `prefer` and `require`, libpq takes any
/// certificate; so is it done here, but then the password itself is not said.
async fn encrypted(mut wire: Wire, mode: &str) -> Result<(Wire, Trust), Stop> {
    if mode == "disable" {
        return Ok((wire, Trust::Full));
    }
    let verified = matches!(mode, "verify-ca" | "verify-full");
    // SSLRequest, which has no type and a number of its own.
    wire.write(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?;
    match wire.take(1).await?.first() {
        Some(b'S') if verified => Ok((wire.secure(Proof::Certificate).await?, Trust::Full)),
        Some(b'S') => Ok((wire.secure(Proof::None).await?, Trust::ProofsOnly)),
        Some(b'N') if verified || mode == "require" => Err(Stop::Said("the server has no TLS, which its address demands")),
        Some(b'N') => Ok((wire, Trust::ProofsOnly)),
        _ => Err(wire.garbled().into()),
    }
}

/// Answers a request of the server's for authentication, or takes note that there is none left.
async fn authenticate(
    wire: &mut Wire,
    course: &mut Course,
    (login, user, trust): (&Login, &str, Trust),
    body: &[u8],
) -> Result<(), Stop> {
    let Some((request, data)) = body.split_first_chunk::<4>() else { return Err(wire.garbled().into()) };
    let answer = match (u32::from_be_bytes(*request), course.scram.take()) {
        (0, None) => {
            course.accepted = true;
            return Ok(());
        }
        (3, None) if trust == Trust::Full => terminated(&login.password),
        (3, None) => return Err(Stop::Said("the server wants the password itself, and has not proven who it is")),
        // Whoever has it may guess the password from it at leisure.
        (5, None) if trust == Trust::MutualOnly => {
            return Err(Stop::Said("the server wants an MD5 proof of the password, and has not proven who it is"));
        }
        (5, None) => {
            let Ok(salt) = data.try_into() else { return Err(wire.garbled().into()) };
            terminated(md5_hash(user.as_bytes(), &login.password, salt).as_bytes())
        }
        (10, None) if data.split(|&b| b == 0).any(|name| name == SCRAM_SHA_256.as_bytes()) => {
            let scram = ScramSha256::new(&login.password, ChannelBinding::unsupported());
            let first = initial(scram.message());
            course.scram = Some(scram);
            first
        }
        (11, Some(mut scram)) => {
            scram.update(data).map_err(|_| wire.garbled())?;
            let proof = Zeroizing::new(scram.message().to_vec());
            course.scram = Some(scram);
            proof
        }
        (12, Some(mut scram)) => return Ok(scram.finish(data).map_err(|_| wire.garbled())?),
        // Among others an OK before the last word of SCRAM: that server has not shown that it knows the password itself.
        (0 | 11 | 12, _) => return Err(wire.garbled().into()),
        _ => return Err(Stop::Said("the server wants another proof than a password")),
    };
    course.asked = true;
    wire.write(&framed(b"p", &answer)).await?;
    Ok(())
}

fn ready(course: &Course, mut identity: Identity, login: &Login) -> Liveness {
    if !course.accepted {
        return Liveness::Unknown("the server skipped authentication".to_owned());
    }
    if !course.asked {
        return Liveness::Unknown("the server lets this user in without a password".to_owned());
    }
    if let Some(database) = &login.database {
        identity.set("database", &**database);
    }
    Liveness::Live(identity)
}

/// What an error means, by its code and by when it came.
fn refused(course: &Course, identity: Identity, code: Option<String>) -> Liveness {
    let code = code.unwrap_or_else(|| "no code".to_owned());
    if course.accepted && course.asked {
        let why = match code.as_str() {
            "3D000" => "the password is right, but there is no such database".to_owned(),
            "53300" => "the password is right, but there are too many connections".to_owned(),
            "42501" => "the password is right, but the user may not connect to this database".to_owned(),
            "28000" => NO_LOGIN.to_owned(),
            _ => format!("the password is right, but then the server said {code}"),
        };
        return Liveness::Limited(identity, why);
    }
    match code.as_str() {
        "28P01" if course.asked => {
            Liveness::Dead("the server says that this is not the password, or that there is no such user".to_owned())
        }
        "28000" => {
            Liveness::Unknown("the server does not let this user in from here; it did not look at the password".to_owned())
        }
        "53300" => Liveness::Unknown("the server has too many connections".to_owned()),
        "57P03" => Liveness::Unknown("the server is starting or stopping".to_owned()),
        _ => Liveness::Unknown(format!("the server said {code}, which says nothing about the password")),
    }
}

/// Keeps what a parameter says about rights.
fn note(identity: &mut Identity, body: &[u8]) {
    if body == b"is_superuser\0on\0" {
        identity.set("superuser", "true");
    }
}

/// The SQLSTATE of an error: field C, five letters and digits. Its text is the server's own and is not passed on.
fn code(body: &[u8]) -> Option<String> {
    let field = body.split(|&b| b == 0).find_map(|field| field.strip_prefix(b"C"))?;
    let plain = field.len() == 5 && field.iter().all(u8::is_ascii_alphanumeric);
    plain.then(|| String::from_utf8_lossy(field).into_owned())
}

async fn message(wire: &mut Wire) -> Result<(u8, Vec<u8>), Stop> {
    let head = wire.take(5).await?;
    let [kind, length @ ..] = head.as_slice() else { return Err(wire.garbled().into()) };
    let length = length.try_into().map_or(0, u32::from_be_bytes) as usize;
    let body = length.checked_sub(4).ok_or_else(|| wire.garbled())?;
    Ok((*kind, wire.block(body, LONGEST, b"").await?))
}

/// A message: its kind (none for the first), its length, itself.
fn framed(kind: &[u8], body: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut out = Zeroizing::new(Vec::with_capacity(body.len() + 5));
    out.extend_from_slice(kind);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// Protocol 3.0 for this user and database.
fn start_up(user: &str, database: &str) -> Zeroizing<Vec<u8>> {
    let mut body = vec![0, 3, 0, 0];
    for text in ["user", user, "database", database, "application_name", "staunch", "client_encoding", "UTF8", ""] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    framed(b"", &body)
}

/// SASLInitialResponse: the mechanism, the length of what follows, what follows.
fn initial(first: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut body = terminated(SCRAM_SHA_256.as_bytes());
    body.extend_from_slice(&u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes());
    body.extend_from_slice(first);
    body
}

fn terminated(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    out.extend_from_slice(text);
    out.push(0);
    out
}

#[cfg(test)]
mod tests;
