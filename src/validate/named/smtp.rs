//! Mail submission: EHLO, STARTTLS, AUTH PLAIN or LOGIN, QUIT. No sender and no recipient is ever named, so no mail is sent.
//! Sources: RFC 5321, 4954 (AUTH; 535, 454, 534, 538), 3207 (STARTTLS), 2034 and 3463 (enhanced codes), 8314 (ports, TLS).
//!
//! Passwords go over TLS with a trusted certificate only. A server's text is never passed on.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::login::{Login, Stop};
use crate::model::{Credential, Liveness};
use crate::net::{Net, Proof, Wire};

/// Submission, and the same with TLS from the start (RFC 8314). Port 25 is for mail between servers.
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;
/// Lines of one answer.
const LINES: usize = 64;
/// Words of a 535 that speak of something else than the password. Microsoft refuses right passwords so (5.7.139,
/// "SmtpClientAuthentication is disabled for the Tenant"), old Postfix when its password service is away.
const OTHERWISE: [&str; 6] = ["disabled", "temporar", "connection lost", "too many", "rate", "block"];

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "235: the mail server took the password"),
    ("dead", "535 to the password, without another reason"),
    ("unknown", "no TLS that proves who it is, or its host is not allowed, or 421, 454, 534 and whatever else"),
    ("not_checked", "for URLs of other schemes than smtp, smtps and submission"),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let (login, implicit) = match prepare(credential) {
        Ok(ready) => ready,
        Err(other) => return other,
    };
    converse(net, &login, implicit).await.unwrap_or_else(|stop| Liveness::Unknown(stop.to_string()))
}

/// Whom it asks, and whether in TLS from the start; or why it asks nobody.
pub(super) fn prepare(credential: &Credential) -> Result<(Login, bool), Liveness> {
    let scheme = credential.part("scheme").and_then(|part| part.value.expose_str()).unwrap_or_default();
    let implicit = match scheme.to_ascii_lowercase().as_str() {
        "smtps" | "smtp+ssl" => true,
        "smtp" | "submission" | "smtp+tls" | "smtp+starttls" => false,
        _ => return Err(Liveness::NotChecked(Some("what answers at the address is not known".to_owned()))),
    };
    Ok((Login::of_url(credential)?, implicit))
}

async fn converse(net: &Net, login: &Login, implicit: bool) -> Result<Liveness, Stop> {
    let Some(user) = login.user.as_deref() else {
        return Ok(Liveness::NotChecked(Some("its user is not written out".to_owned())));
    };
    let port = login.port.unwrap_or(if implicit { SUBMISSIONS } else { SUBMISSION });
    let wire = net.dial(&login.host, port).await?;
    let (mut wire, offers) = greeted(wire, implicit || port == SUBMISSIONS).await?;
    let answer = log_in(&mut wire, &offers, (user, &login.password)).await?;
    // It is settled whether this arrives or not.
    let _ = wire.write(b"QUIT\r\n").await;
    Ok(judge(&answer, login))
}

/// PLAIN, or LOGIN where that is all there is. Only for a wire that has proven who is at its other end.
async fn log_in(wire: &mut Wire, offers: &Answer, (user, password): (&str, &[u8])) -> Result<Answer, Stop> {
    if offers.mechanism("PLAIN") {
        let secret = joined(&[b"", user.as_bytes(), password]);
        return ask(wire, &encoded("AUTH PLAIN ", &secret)).await;
    }
    if offers.mechanism("LOGIN") {
        expect(wire, b"AUTH LOGIN\r\n", 334).await?;
        expect(wire, &encoded("", user.as_bytes()), 334).await?;
        return ask(wire, &encoded("", password)).await;
    }
    Err(Stop::Said("the mail server offers no login that takes a password"))
}

/// Through the greeting and TLS to what the server offers.
async fn greeted(mut wire: Wire, implicit: bool) -> Result<(Wire, Answer), Stop> {
    if implicit {
        wire = wire.secure(Proof::Certificate).await?;
    }
    if answer(&mut wire).await?.code != 220 {
        return Err(Stop::Said("the mail server does not serve us now"));
    }
    let mut offers = expect(&mut wire, b"EHLO localhost\r\n", 250).await?;
    if !implicit {
        if !offers.offers("STARTTLS") {
            return Err(Stop::Said("the mail server offers no TLS, and a password is not sent without"));
        }
        expect(&mut wire, b"STARTTLS\r\n", 220).await?;
        wire = wire.secure(Proof::Certificate).await?;
        offers = expect(&mut wire, b"EHLO localhost\r\n", 250).await?;
    }
    Ok((wire, offers))
}

fn judge(answer: &Answer, login: &Login) -> Liveness {
    match answer.code {
        235 => Liveness::Live(login.identity()),
        535 if answer.speaks_of_the_password() => {
            Liveness::Dead("the mail server says that this is not the password, or that there is no such user".to_owned())
        }
        535 => Liveness::Unknown("the mail server refuses the login, but for a reason that is not the password".to_owned()),
        421 | 454 => Liveness::Unknown("the mail server cannot check passwords now".to_owned()),
        534 => Liveness::Unknown("the mail server wants another way to log in".to_owned()),
        code => Liveness::Unknown(format!("the mail server answered {code}, which says nothing about the password")),
    }
}

/// An answer: its code, and its lines in upper case.
struct Answer {
    code: u16,
    lines: Vec<String>,
}

impl Answer {
    fn offers(&self, keyword: &str) -> bool {
        self.lines.iter().any(|line| line.split_ascii_whitespace().next() == Some(keyword))
    }

    /// Whether `AUTH` is offered with that mechanism; some old servers write `AUTH=`.
    fn mechanism(&self, name: &str) -> bool {
        let words = self.lines.iter().filter_map(|line| line.strip_prefix("AUTH"));
        words.flat_map(|rest| rest.split([' ', '='])).any(|word| word == name)
    }

    /// Without an enhanced code, or with that of a wrong password: 5.7.8 (RFC 4954), 5.7.3 (Exchange). And no other reason.
    fn speaks_of_the_password(&self) -> bool {
        self.lines.iter().all(|line| {
            let first = line.split_ascii_whitespace().next().unwrap_or_default();
            (!first.starts_with("5.") || matches!(first, "5.7.8" | "5.7.3"))
                && !OTHERWISE.iter().any(|word| line.to_ascii_lowercase().contains(word))
        })
    }
}

async fn ask(wire: &mut Wire, line: &[u8]) -> Result<Answer, Stop> {
    wire.write(line).await?;
    answer(wire).await
}

async fn expect(wire: &mut Wire, line: &[u8], code: u16) -> Result<Answer, Stop> {
    let answer = ask(wire, line).await?;
    if answer.code == code { Ok(answer) } else { Err(Stop::Said("the mail server refuses to go on")) }
}

/// Three digits; a dash after them says that more lines come.
async fn answer(wire: &mut Wire) -> Result<Answer, Stop> {
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let line = wire.line().await?;
        let text = String::from_utf8_lossy(&line).to_ascii_uppercase();
        let code = text.get(..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let Some(code) = code.and_then(|digits| digits.parse().ok()) else { return Err(wire.garbled().into()) };
        lines.push(text.get(4..).unwrap_or_default().trim_end().to_owned());
        match text.as_bytes().get(3) {
            Some(b'-') => {}
            Some(b' ') | None => return Ok(Answer { code, lines }),
            Some(_) => break,
        }
    }
    Err(wire.garbled().into())
}

fn joined(words: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(words.iter().map(|word| word.len() + 1).sum()));
    for (n, word) in words.iter().enumerate() {
        out.extend_from_slice(if n == 0 { b"" } else { b"\0" });
        out.extend_from_slice(word);
    }
    out
}

/// A line of `start` and the secret in base64.
fn encoded(start: &str, secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(BASE64.encode(secret));
    let mut out = Zeroizing::new(Vec::with_capacity(start.len() + text.len() + 2));
    for piece in [start.as_bytes(), text.as_bytes(), b"\r\n"] {
        out.extend_from_slice(piece);
    }
    out
}

#[cfg(test)]
mod tests;
