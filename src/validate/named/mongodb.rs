//! MongoDB: `hello`, then SCRAM to the server's last word. No database is read, no command but these is sent.
//! Sources: the MongoDB manual, "OP_MSG", "Error Codes"; the drivers' specification, `source/auth/auth.md` (mechanisms,
//! authSource); RFC 5802 and 7677; "Troubleshoot Connection Issues" of Atlas for its code 8000.
//!
//! A server replaces the reason of every failed step by 18 AuthenticationFailed (Atlas by 8000 `bad auth`): a wrong password,
//! a user of another database than was asked, which code may name, a mechanism that the user does not have. So it settles
//! nothing, and a login over MongoDB is never dead.
//!
//! The password itself is never said. The crate `mongodb` is a pool with eighty others, and hides which answer came when.

mod bson;
mod scram;

use super::login::{Login, Stop};
use crate::model::{Credential, Liveness};
use crate::net::{Net, Proof, Wire};
use bson::{Document, Value, get};
use scram::{Mechanism, Scram};

const PORT: u16 = 27017;
/// A replica set's answer to `hello` is about 2 KiB.
const LONGEST: usize = 48 << 10;
/// The opcode of OP_MSG, which MongoDB 3.6 and later speak.
const OP_MSG: u32 = 2013;
const AUTHENTICATION_FAILED: f64 = 18.0;
const ATLAS_ERROR: f64 = 8000.0;

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "the server took the proof of the password, and showed that it knows the password itself"),
    (
        "unknown",
        "18, of Atlas `bad auth`: not the password, or no such user in the database asked, which MongoDB does not tell apart",
    ),
    ("unknown", "its host is not allowed, it wants TLS, or it says something else"),
    ("not_checked", "for mongodb+srv, whose servers stand in DNS records that are not looked up, and for other mechanisms"),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let (login, options) = match prepare(credential) {
        Ok(ready) => ready,
        Err(other) => return other,
    };
    converse(net, &login, &options).await.unwrap_or_else(|stop| Liveness::Unknown(stop.to_string()))
}

/// Whom it asks, and how; or why it asks nobody.
pub(super) fn prepare(credential: &Credential) -> Result<(Login, Options), Liveness> {
    let text = |name: &str| credential.part(name).and_then(|part| part.value.expose_str()).unwrap_or_default();
    if text("scheme").ends_with("+srv") {
        return Err(Liveness::NotChecked(Some("its servers stand in DNS (SRV), which is not looked up".to_owned())));
    }
    let mut login = Login::of_url(credential)?;
    let options = Options { more: !text("more").is_empty(), ..Options::of(text("options")) };
    if !matches!(options.mechanism.as_str(), "" | "DEFAULT" | "SCRAM-SHA-1" | "SCRAM-SHA-256") {
        return Err(Liveness::NotChecked(Some("it logs in by another mechanism than SCRAM".to_owned())));
    }
    first_host(&mut login);
    Ok((login, options))
}

/// What the address says behind its `?`.
#[derive(Default)]
pub(super) struct Options {
    source: Option<String>,
    tls: bool,
    mechanism: String,
    /// Whether there are others that are not known here.
    more: bool,
}

impl Options {
    fn of(text: &str) -> Self {
        let mut options = Self::default();
        for option in text.split('&') {
            let Some((name, value)) = option.split_once('=') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "authsource" => options.source = Some(value.to_owned()),
                "tls" | "ssl" => options.tls = value == "true",
                "authmechanism" => options.mechanism = value.to_ascii_uppercase(),
                _ => {}
            }
        }
        options
    }
}

/// Of several hosts the first; each of them knows the users. The port stands with the host.
fn first_host(login: &mut Login) {
    let first = login.host.split(',').next().unwrap_or_default();
    let split = first.rsplit_once(':').filter(|(host, _)| host.ends_with(']') || !host.contains(':'));
    let (host, port) = split.map_or((first, None), |(host, port)| (host, port.parse().ok()));
    (login.port, login.host) = (port, host.to_owned());
}

async fn converse(net: &Net, login: &Login, options: &Options) -> Result<Liveness, Stop> {
    let Some(user) = login.user.as_deref() else {
        return Ok(Liveness::NotChecked(Some("its user is not written out".to_owned())));
    };
    let mut wire = net.dial(&login.host, login.port.unwrap_or(PORT)).await?;
    if options.tls {
        wire = wire.secure(Proof::Certificate).await?;
    }
    // Where others follow that are not known here, one of them is probably `authSource=admin`.
    let named = login.database.as_deref().filter(|_| !options.more);
    let source = options.source.as_deref().or(named).unwrap_or("admin");
    let mechanism = mechanism(&mut wire, (user, source), options).await?;
    let Some(mut scram) = Scram::new(mechanism, user, &login.password) else {
        return Err(Stop::Said("its password holds characters that SCRAM has no form for"));
    };
    let start = Document::new()
        .number("saslStart", 1)
        .text("mechanism", mechanism.name())
        .binary("payload", scram.first().as_bytes())
        .text("$db", source);
    let (id, challenge) = step(&mut wire, start).await?;
    let proof = scram.proof(&challenge).ok_or_else(|| wire.garbled())?;
    let go_on =
        Document::new().number("saslContinue", 1).number("conversationId", id).binary("payload", &proof).text("$db", source);
    let (_, last) = step(&mut wire, go_on).await?;
    // Not only does it accept: it knows the password, which nobody does who stands in its place.
    if scram.is_server(&last) { Ok(Liveness::Live(login.identity())) } else { Err(wire.garbled().into()) }
}

/// The mechanism that drivers would use: what the server knows of this user, else SCRAM-SHA-1.
async fn mechanism(wire: &mut Wire, (user, source): (&str, &str), options: &Options) -> Result<Mechanism, Stop> {
    let hello =
        Document::new().number("hello", 1).text("saslSupportedMechs", &format!("{source}.{user}")).text("$db", "admin");
    let answer = exchange(wire, hello).await?;
    let named = match get(&answer, "saslSupportedMechs") {
        Some(Value::Array(names)) => memchr::memmem::find(names, b"SCRAM-SHA-256\0").is_some(),
        _ => false,
    };
    let sha256 = options.mechanism == "SCRAM-SHA-256" || (named && options.mechanism != "SCRAM-SHA-1");
    Ok(if sha256 { Mechanism::Sha256 } else { Mechanism::Sha1 })
}

/// Takes a step of the login: the conversation's number and what the server says in it.
async fn step(wire: &mut Wire, command: Document) -> Result<(i32, Vec<u8>), Stop> {
    let answer = exchange(wire, command).await?;
    let ok = matches!(get(&answer, "ok"), Some(Value::Number(ok)) if ok > 0.5);
    let number = |name: &str| match get(&answer, name) {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    };
    if ok {
        let (Some(id), Some(Value::Binary(payload))) = (number("conversationId"), get(&answer, "payload")) else {
            return Err(wire.garbled().into());
        };
        return Ok((id as i32, payload.to_vec()));
    }
    // Its text is the server's own and is not passed on.
    let says = |text: &str| matches!(get(&answer, "errmsg"), Some(Value::Text(said)) if said.starts_with(text));
    let refused = match number("code") {
        Some(code) if (code - AUTHENTICATION_FAILED).abs() < 0.5 => true,
        Some(code) if (code - ATLAS_ERROR).abs() < 0.5 => says("bad auth"),
        _ => false,
    };
    Err(Stop::Said(if refused {
        "the server refuses it, which may be for its password, or because its user is in another database than was asked"
    } else {
        "the server answered with an error that says nothing about the password"
    }))
}

/// Sends a command and gives the document that answers it.
async fn exchange(wire: &mut Wire, command: Document) -> Result<Vec<u8>, Stop> {
    let document = command.done();
    let length = u32::try_from(document.len() + 21).unwrap_or(u32::MAX);
    let mut message = zeroize::Zeroizing::new(Vec::with_capacity(document.len() + 21));
    // Length, number, whom it answers, opcode; no flags; one section.
    for word in [length, 1, 0, OP_MSG, 0] {
        message.extend_from_slice(&word.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(&document);
    wire.write(&message).await?;
    let head = wire.take(21).await?;
    let word = |at: usize| head.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes);
    let rest = (word(0) as usize).checked_sub(21);
    let (Some(rest), OP_MSG, Some(0)) = (rest, word(12), head.get(20)) else { return Err(wire.garbled().into()) };
    Ok(wire.block(rest, LONGEST, b"").await?)
}

#[cfg(test)]
mod tests;
