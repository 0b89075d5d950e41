//! MySQL and MariaDB: handshake, authentication and COM_QUIT: no database is chosen and no command is sent.
//! Sources: the MySQL internals documentation, "Connection Phase", `caching_sha2_password` and "Native Authentication";
//! MySQL 8.4 and MariaDB error references; `sql/auth/sql_authentication.cc` for the order of checks.
//!
//! A server's refusal (1045) is the same for a wrong password, a user that is not there, and a right password from a host
//! that its user may not come from (`'app'@'10.%'`), which is common. So it settles nothing, and a login over MySQL is
//! never dead. The crates `mysql` and `mysql_async` say no more, and bring forty others.

use ring::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use zeroize::Zeroizing;

use super::login::{Login, Stop, keyword};
use crate::model::{Credential, Liveness};
use crate::net::{Net, NetError, Proof, Wire};

mod session;

pub use session::{MySqlPlace, MySqlSession, MySqlTrouble, Rows, found, literal, native_verifier, nobodys};

const PORT: u16 = 3306;
/// No packet of a login is longer.
const LONGEST: usize = 16 << 10;
/// Packets of the server's up to its last word; there are at most five.
const PACKETS: usize = 8;
/// LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; SSL beside them.
const CAPABILITIES: u32 = 0x0008_8201;
const SSL: u32 = 0x0800;
/// utf8mb4_general_ci, which every version knows.
const CHARSET: u8 = 45;
const NATIVE: &[u8] = b"mysql_native_password";
const CACHING: &[u8] = b"caching_sha2_password";

/// Why a login is limited whose user may not log in.
pub const LOCKED: &str = "the password is right, but its user is locked";
/// The same, where whether the password is right is not told.
pub const SAID_LOCKED: &str = "the server says that the user is locked";

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "OK: the server took the password"),
    (
        "limited",
        "it took the password, which has expired (1820, 1862), or its user is locked (4151) or out of connections (1203, 1226)",
    ),
    ("unknown", "1045: not the password, no such user, or one that may not come from here, which MySQL does not tell apart"),
    ("unknown", "its host is not allowed, or it wants the password itself over TLS that does not prove who it is"),
];

/// What the server said in its first packet.
struct Greeting {
    salt: Vec<u8>,
    tls: bool,
    plugin: Vec<u8>,
}

/// How far the address trusts the network.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// No TLS.
    Plain,
    /// TLS where there is any.
    Preferred,
    /// TLS, whoever answers.
    Required,
    /// TLS with a certificate that this machine trusts.
    Verified,
}

impl Mode {
    /// By the words of MySQL's own clients, of JDBC, Go and Python.
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "disabled" | "disable" | "none" | "false" | "0" => Self::Plain,
            "required" | "require" | "skip-verify" => Self::Required,
            "verify_ca" | "verify_identity" | "verify-ca" | "verify-full" | "true" | "1" => Self::Verified,
            _ => Self::Preferred,
        }
    }
}

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let login = match Login::of_url(credential) {
        Ok(login) => login,
        Err(other) => return other,
    };
    let mode = credential.part("tls").and_then(|part| part.value.expose_str()).or_else(|| keyword(credential, "sslmode"));
    let mode = Mode::of(mode.unwrap_or_default());
    let mut said = converse(net, &login, (mode, Proof::Certificate)).await;
    // Most servers sign for themselves. Then only proofs of the password are given, which TLS at least keeps from listeners.
    if matches!(said, Err(Stop::Net(NetError::Untrusted(_)))) && matches!(mode, Mode::Preferred | Mode::Required) {
        said = converse(net, &login, (mode, Proof::None)).await;
    }
    said.unwrap_or_else(|stop| Liveness::Unknown(stop.to_string()))
}

async fn converse(net: &Net, login: &Login, (mode, proof): (Mode, Proof)) -> Result<Liveness, Stop> {
    let Some(user) = login.user.as_deref() else {
        return Ok(Liveness::NotChecked(Some("its user is not written out".to_owned())));
    };
    let wire = net.dial(&login.host, login.port.unwrap_or(PORT)).await?;
    match enter(wire, (login, user), (mode, proof)).await? {
        Ok(mut wire) => {
            // COM_QUIT. It is settled whether it arrives or not.
            let _ = wire.write(&framed(0, &[1])).await;
            Ok(Liveness::Live(login.identity()))
        }
        Err(code) => refused(login, code),
    }
}

/// Logs in: the connection, or the server's error.
async fn enter(
    mut wire: Wire,
    (login, user): (&Login, &str),
    (mode, proof): (Mode, Proof),
) -> Result<Result<Wire, u16>, Stop> {
    let (mut number, first) = packet(&mut wire).await?;
    if first.first() == Some(&0xff) {
        return Err(Stop::Said(turned_away(code(&first))));
    }
    let greeting = greeting(&first).ok_or_else(|| wire.garbled())?;
    let encrypt = greeting.tls && mode != Mode::Plain;
    if !encrypt && matches!(mode, Mode::Required | Mode::Verified) {
        return Err(Stop::Said("the server has no TLS, which its address demands"));
    }
    if encrypt {
        number += 1;
        wire.write(&framed(number, &capabilities(true))).await?;
        wire = wire.secure(proof).await?;
    }
    // Another mechanism is agreed on below, where the server's own is none that is known here.
    let plugin = if greeting.plugin == CACHING { CACHING } else { NATIVE };
    let answer = scramble(plugin, &login.password, &greeting.salt).ok_or_else(|| wire.garbled())?;
    let mut response = capabilities(encrypt);
    response.extend_from_slice(user.as_bytes());
    response.extend_from_slice(&[0, answer.len() as u8]);
    for piece in [&answer[..], plugin, b"\0"] {
        response.extend_from_slice(piece);
    }
    wire.write(&framed(number + 1, &response)).await?;
    let said = authenticated(&mut wire, login, encrypt && proof == Proof::Certificate).await?;
    Ok(said.map(|()| wire))
}

/// To the server's last word. `proven` says whether it has shown who it is, so that it may hear the password itself.
async fn authenticated(wire: &mut Wire, login: &Login, proven: bool) -> Result<Result<(), u16>, Stop> {
    for _ in 0..PACKETS {
        let (number, body) = packet(wire).await?;
        let answer = match body.split_first() {
            Some((0x00, _)) => return Ok(Ok(())),
            Some((0xff, _)) => return Ok(Err(code(&body))),
            Some((0xfe, rest)) => {
                let (plugin, salt) = cut(rest).ok_or(Stop::Said("the server wants the proof of before MySQL 4.1"))?;
                let other = Stop::Said("the server wants another proof than a password");
                scramble(plugin, &login.password, salt.strip_suffix(b"\0").unwrap_or(salt)).ok_or(other)?
            }
            // It remembers the password; OK follows.
            Some((0x01, [0x03])) => continue,
            Some((0x01, [0x04])) if proven => {
                let mut password = Zeroizing::new(login.password.to_vec());
                password.push(0);
                password
            }
            Some((0x01, [0x04])) => {
                return Err(Stop::Said("the server wants the password itself, and has not proven who it is"));
            }
            _ => return Err(wire.garbled().into()),
        };
        wire.write(&framed(number + 1, &answer)).await?;
    }
    Err(wire.garbled().into())
}

fn refused(login: &Login, code: u16) -> Result<Liveness, Stop> {
    let limited = |why: &str| Ok(Liveness::Limited(login.identity(), why.to_owned()));
    match code {
        1820 | 1862 => limited("the password is right, but it has expired"),
        1203 | 1226 => limited("the password is right, but its user has used up its connections"),
        1045 | 1698 => {
            Err(Stop::Said("the server refuses it: not the password, no such user, or one that may not come from here"))
        }
        // MariaDB looks at the password first (tests/it/services/logins.rs); of MySQL's own 3118 nobody here knows.
        4151 => limited(LOCKED),
        3118 => Err(Stop::Said(SAID_LOCKED)),
        _ => Err(Stop::Said(turned_away(code))),
    }
}

/// Errors that say nothing about a password. Their texts are the server's own and are not passed on.
fn turned_away(code: u16) -> &'static str {
    match code {
        1040 => "the server has too many connections",
        1129 => "the server has shut us out after too many broken connections",
        1130 => "the server does not let anyone in from here",
        1053 => "the server is stopping",
        _ => "the server answered with an error that says nothing about the password",
    }
}

fn code(body: &[u8]) -> u16 {
    body.get(1..3).and_then(|code| code.try_into().ok()).map_or(0, u16::from_le_bytes)
}

/// Protocol 10: version, thread, first part of the salt, capabilities, and the rest of the salt and the mechanism.
fn greeting(body: &[u8]) -> Option<Greeting> {
    let (_, rest) = cut(body.strip_prefix(&[10])?)?;
    let (salt, rest) = rest.get(4..)?.split_first_chunk::<8>()?;
    let [_, low, high, _, _, _, up, top, length, rest @ ..] = rest else { return None };
    let offers = u32::from_le_bytes([*low, *high, *up, *top]);
    // MariaDB leaves the first bit out, by which it is told from MySQL.
    let needed = CAPABILITIES & !1;
    if offers & needed != needed {
        return None;
    }
    let more = usize::from(*length).saturating_sub(8).max(13);
    let (second, plugin) = rest.get(10..)?.split_at_checked(more)?;
    let salt = [&salt[..], second.strip_suffix(b"\0").unwrap_or(second)].concat();
    let plugin = cut(plugin).map_or(plugin, |(name, _)| name).to_vec();
    Some(Greeting { salt, tls: offers & SSL != 0, plugin })
}

/// What stands before a zero, and what after it.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, bytes)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Capabilities, the longest packet, the character set and 23 zeros: the request for TLS, and how a response begins.
fn capabilities(tls: bool) -> Zeroizing<Vec<u8>> {
    let wanted = if tls { CAPABILITIES | SSL } else { CAPABILITIES };
    let mut out = Zeroizing::new(Vec::with_capacity(512));
    out.extend_from_slice(&wanted.to_le_bytes());
    out.extend_from_slice(&(LONGEST as u32).to_le_bytes());
    out.push(CHARSET);
    out.extend_from_slice(&[0; 23]);
    out
}

/// The proof of a password. None for a mechanism that is not known here, or a salt that is none.
fn scramble(plugin: &[u8], password: &[u8], salt: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let algorithm: &Algorithm = if plugin == CACHING {
        &SHA256
    } else if plugin == NATIVE {
        &SHA1_FOR_LEGACY_USE_ONLY
    } else {
        return None;
    };
    if salt.len() != 20 {
        return None;
    }
    let hash = |pieces: &[&[u8]]| {
        let mut context = Context::new(algorithm);
        for piece in pieces {
            context.update(piece);
        }
        Zeroizing::new(context.finish().as_ref().to_vec())
    };
    let once = hash(&[password]);
    let twice = hash(&[&once]);
    let salted = if plugin == CACHING { hash(&[&twice, salt]) } else { hash(&[salt, &twice]) };
    Some(Zeroizing::new(once.iter().zip(salted.iter()).map(|(a, b)| a ^ b).collect()))
}

/// A packet's number and body.
async fn packet(wire: &mut Wire) -> Result<(u8, Vec<u8>), Stop> {
    let (number, body) = piece(wire).await?;
    if number > 100 { Err(wire.garbled().into()) } else { Ok((number, body)) }
}

/// The same, however many came before it.
async fn piece(wire: &mut Wire) -> Result<(u8, Vec<u8>), Stop> {
    let head = wire.take(4).await?;
    let [a, b, c, number] = head.as_slice() else { return Err(wire.garbled().into()) };
    let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
    Ok((*number, wire.block(length, LONGEST, b"").await?))
}

fn framed(number: u8, body: &[u8]) -> Zeroizing<Vec<u8>> {
    let [a, b, c, _] = (body.len() as u32).to_le_bytes();
    let mut out = Zeroizing::new(Vec::with_capacity(body.len() + 4));
    out.extend_from_slice(&[a, b, c, number]);
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests;
