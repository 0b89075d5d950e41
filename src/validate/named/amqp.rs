//! AMQP 0-9-1 brokers (RabbitMQ): the protocol header, Start-Ok with PLAIN, and hang up when Tune comes. No virtual host is
//! opened. Sources: the AMQP 0-9-1 specification, 4.2 and the class Connection; RabbitMQ, "Authentication Failure
//! Notifications" (the capability `authentication_failure_close`: without it a refused login is a closed socket), "URI spec".

use zeroize::Zeroizing;

use super::login::{Login, Stop};
use crate::model::{Credential, Liveness};
use crate::net::{Net, Proof, Wire};

const PORT: u16 = 5672;
const TLS_PORT: u16 = 5671;
/// RabbitMQ's Start is about 500 bytes.
const LONGEST: usize = 16 << 10;
/// After each frame's body.
const FRAME_END: u8 = 0xce;
const METHOD: u8 = 1;
/// Class Connection and its methods.
const START: (u16, u16) = (10, 10);
const SECURE: (u16, u16) = (10, 20);
const TUNE: (u16, u16) = (10, 30);
const CLOSE: (u16, u16) = (10, 50);
const ACCESS_REFUSED: u16 = 403;

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "the broker took the password: it goes on to Connection.Tune"),
    ("dead", "Connection.Close with 403 ACCESS_REFUSED: no such user, or not the password"),
    ("unknown", "it hangs up without a word, or its host is not allowed, or `guest` is refused, who may only be local"),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let login = match Login::of_url(credential) {
        Ok(login) => login,
        Err(other) => return other,
    };
    match converse(net, &login).await {
        Ok(said) => said,
        Err(stop) => Liveness::Unknown(stop.to_string()),
    }
}

async fn converse(net: &Net, login: &Login) -> Result<Liveness, Stop> {
    let Some(user) = login.user.as_deref() else {
        return Ok(Liveness::NotChecked(Some("its user is not written out".to_owned())));
    };
    let tls = login.scheme.ends_with("amqps");
    let mut wire = net.dial(&login.host, login.port.unwrap_or(if tls { TLS_PORT } else { PORT })).await?;
    if tls {
        wire = wire.secure(Proof::Certificate).await?;
    }
    wire.write(b"AMQP\x00\x00\x09\x01").await?;
    let (method, arguments) = method(&mut wire).await?;
    if method != START || !offers_plain(&arguments).ok_or_else(|| wire.garbled())? {
        return Err(Stop::Said("the broker offers no login that takes a password"));
    }
    wire.write(&start_ok(user, &login.password)).await?;
    let (method, arguments) = self::method(&mut wire).await?;
    let code = arguments.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
    match (method, code) {
        (TUNE, _) => Ok(Liveness::Live(login.identity())),
        // RabbitMQ refuses this user from other machines, whatever the password, in the same words.
        (CLOSE, Some(ACCESS_REFUSED)) if user == "guest" => {
            Err(Stop::Said("the broker refuses guest, which it may do from other machines whatever the password"))
        }
        (CLOSE, Some(ACCESS_REFUSED)) => {
            Ok(Liveness::Dead("the broker says that this is not the password, or that there is no such user".to_owned()))
        }
        (CLOSE, _) => Err(Stop::Said("the broker ends the connection for another reason than the password")),
        (SECURE, _) => Err(Stop::Said("the broker wants another proof than a password")),
        _ => Err(wire.garbled().into()),
    }
}

/// The method of the next frame, and its arguments. A broker that speaks another version answers with its own header.
async fn method(wire: &mut Wire) -> Result<((u16, u16), Vec<u8>), Stop> {
    let head = wire.take(7).await?;
    if head.starts_with(b"AMQP") {
        return Err(Stop::Said("the broker speaks another version of AMQP"));
    }
    let [METHOD, 0, 0, length @ ..] = head.as_slice() else { return Err(wire.garbled().into()) };
    let length = length.try_into().map_or(usize::MAX, |length| u32::from_be_bytes(length) as usize);
    let mut body = wire.block(length, LONGEST, &[FRAME_END]).await?;
    let [class_high, class_low, method_high, method_low, ..] = body.as_slice() else { return Err(wire.garbled().into()) };
    let method = (u16::from_be_bytes([*class_high, *class_low]), u16::from_be_bytes([*method_high, *method_low]));
    Ok((method, body.split_off(4)))
}

/// Start's arguments: two bytes of version, a table, and the mechanisms, each behind its length in four bytes.
fn offers_plain(arguments: &[u8]) -> Option<bool> {
    let (_, rest) = long(arguments.get(2..)?)?;
    let (mechanisms, _) = long(rest)?;
    Some(mechanisms.split(|&b| b == b' ').any(|name| name == b"PLAIN"))
}

fn long(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// Start-Ok: who we are and that we want to hear of a refusal, PLAIN, the login, the locale.
fn start_ok(user: &str, password: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut capabilities = short("authentication_failure_close");
    capabilities.extend_from_slice(b"t\x01");
    let mut properties = short("product");
    properties.push(b'S');
    properties.extend_from_slice(&behind_length(b"staunch"));
    properties.extend(short("capabilities"));
    properties.push(b'F');
    properties.extend_from_slice(&behind_length(&capabilities));
    let mut response = Zeroizing::new(Vec::with_capacity(user.len() + password.len() + 2));
    for piece in [b"\0", user.as_bytes(), b"\0", password] {
        response.extend_from_slice(piece);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(256 + response.len()));
    body.extend_from_slice(&[0, 10, 0, 11]);
    body.extend_from_slice(&behind_length(&properties));
    body.extend_from_slice(&short("PLAIN"));
    body.extend_from_slice(&behind_length(&response));
    body.extend_from_slice(&short("en_US"));
    let mut frame = Zeroizing::new(Vec::with_capacity(body.len() + 8));
    frame.extend_from_slice(&[METHOD, 0, 0]);
    frame.extend_from_slice(&behind_length(&body));
    frame.push(FRAME_END);
    frame
}

/// A short text behind its length in one byte. Only for texts of ours.
fn short(text: &str) -> Vec<u8> {
    let mut out = vec![text.len() as u8];
    out.extend_from_slice(text.as_bytes());
    out
}

fn behind_length(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() + 4));
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests;
