//! Interprets the request and the cases that a detector file declares.

use zeroize::Zeroizing;

use super::Said;
use crate::detect::{HttpCase, HttpCheck, HttpMethod, IdentitySource, Joined, Origin, Outcome, Piece, Template};
use crate::model::{Credential, Identity, Liveness};
use crate::net::{Answer, Header, Method, Net, NetError, Request};

/// Identity fields longer than this are cut: they are names, not documents.
const LONGEST: usize = 256;

pub(super) async fn check(net: &Net, check: &HttpCheck, credential: &Credential) -> Said {
    let request = match request(net, check, credential) {
        Ok(request) => request,
        Err(error) => return Said::by_us(Liveness::Unknown(error.to_string())),
    };
    match net.ask(&request).await {
        Ok(answer) => {
            // What no case describes may be a portal's, a proxy's or a gateway's word, and another's the next time.
            let Some(liveness) = described(check, &answer) else {
                return Said::by_us(Liveness::Unknown(undescribed(&answer)));
            };
            let passing = matches!(liveness, Liveness::Unknown(_)) && matches!(answer.status, 429 | 500..=599);
            Said { liveness, answered: !passing }
        }
        Err(error) => Said::by_us(Liveness::Unknown(error.to_string())),
    }
}

/// What would be asked, with the names of secret parts in their places.
pub(super) fn would_ask(net: &Net, check: &HttpCheck, credential: &Credential) -> Result<String, String> {
    let origin = origin(net, check, credential).map_err(|error| error.to_string())?;
    let mut path = String::new();
    for piece in &check.path.0 {
        match piece {
            Piece::Text(text) => path.push_str(text),
            Piece::Value { joined, .. } => {
                let members: Vec<String> = joined.iter().map(|member| shown(member, credential)).collect();
                path.push_str(&members.join(":"));
            }
        }
    }
    let method = if check.method == HttpMethod::Post { "POST" } else { "GET" };
    Ok(format!("{method} {origin}{path}"))
}

fn shown(member: &Joined, credential: &Credential) -> String {
    match member {
        Joined::Text(text) => text.clone(),
        Joined::Part(name) => match credential.part(name) {
            Some(part) if part.public => part.shown(),
            _ => format!("{{{name}}}"),
        },
    }
}

fn request(net: &Net, check: &HttpCheck, credential: &Credential) -> Result<Request, NetError> {
    let path = fill(&check.path, credential)?;
    let path = std::str::from_utf8(&path).map_err(|_| NetError::Request("the credential is not text"))?;
    let origin = origin(net, check, credential)?;
    let url = format!("{origin}{path}").parse().map_err(|_| NetError::Request("its address"))?;
    let mut headers = Vec::new();
    for (name, value) in &check.headers {
        headers.push(Header { name: name.clone(), value: fill(value, credential)? });
    }
    let body = check.body.as_ref().map(|body| fill(body, credential)).transpose()?;
    let method = if check.method == HttpMethod::Post { Method::Post } else { Method::Get };
    Ok(Request { method, url, headers, body })
}

/// Scheme, host and port.
fn origin(net: &Net, check: &HttpCheck, credential: &Credential) -> Result<String, NetError> {
    match (net.endpoint(&check.endpoint), &check.origin) {
        (Some(url), _) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        (None, Origin::Fixed(origin)) => Ok(origin.clone()),
        (None, Origin::Content { part, suffixes }) => {
            let host = credential.part(part).ok_or(NetError::Request("its host stands nowhere near it"))?;
            let host = String::from_utf8_lossy(host.value.expose()).to_ascii_lowercase();
            let (name, port) = host_and_port(&host);
            net.check_content_host(name, suffixes)?;
            let v6 = name.contains(':') && !name.starts_with('[');
            Ok(if v6 { format!("https://[{name}]{port}") } else { format!("https://{name}{port}") })
        }
    }
}

/// A host, and its port with the colon before it. An address of IPv6 has a port only behind its bracket.
pub(super) fn host_and_port(host: &str) -> (&str, &str) {
    let port = host.rfind(':').filter(|at| {
        let (name, digits) = (&host[..*at], &host[at + 1..]);
        digits.parse::<u16>().is_ok() && (name.ends_with(']') || !name.contains(':'))
    });
    host.split_at(port.unwrap_or(host.len()))
}

fn fill(template: &Template, credential: &Credential) -> Result<Zeroizing<Vec<u8>>, NetError> {
    let mut out = Zeroizing::new(Vec::new());
    for piece in &template.0 {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Value { joined, encoder } => {
                let mut value = Zeroizing::new(Vec::new());
                for (n, member) in joined.iter().enumerate() {
                    value.extend_from_slice(if n == 0 { b"" } else { b":" });
                    match member {
                        Joined::Text(text) => value.extend_from_slice(text.as_bytes()),
                        Joined::Part(name) => {
                            let missing = NetError::Request("a part of the credential is missing");
                            value.extend_from_slice(credential.part(name).ok_or(missing)?.value.expose());
                        }
                    }
                }
                out.extend_from_slice(&encoder.encode(&value));
            }
        }
    }
    Ok(out)
}

/// What the first case that fits an answer says of it. Whatever no case describes settles nothing.
fn described(check: &HttpCheck, answer: &Answer) -> Option<Liveness> {
    let json = if answer.truncated { None } else { serde_json::from_slice::<serde_json::Value>(&answer.body).ok() };
    let case = check.cases.iter().find(|case| fits(case, answer, json.as_ref()))?;
    let identity = || identity(&check.identity, answer, json.as_ref());
    Some(match case.then {
        Outcome::Live => Liveness::Live(identity()),
        Outcome::Limited => Liveness::Limited(identity(), case.why.clone()),
        Outcome::Dead => Liveness::Dead(case.why.clone()),
        Outcome::Unknown => Liveness::Unknown(case.why.clone()),
    })
}

fn fits(case: &HttpCase, answer: &Answer, json: Option<&serde_json::Value>) -> bool {
    // A page for people is a proxy's, a portal's or a firewall's, not the provider's word. Only JSON can settle anything, a 429 included.
    let settles = case.then != Outcome::Unknown && !case.any_body;
    // Where a status alone decides, whatever the body, it is still not decided by such a page.
    let page = answer.body.trim_ascii_start().starts_with(b"<");
    let alone = case.then != Outcome::Unknown && case.body_has.is_empty() && page;
    let has = |text: &String| memchr::memmem::find(&answer.body, text.as_bytes()).is_some();
    let stands = |(pointer, wanted): &(String, String)| {
        json.and_then(|json| json.pointer(pointer)).and_then(spelled).is_some_and(|found| found == *wanted)
    };
    case.status.contains(&answer.status)
        && (!settles || json.is_some())
        && !alone
        && case.body_has.iter().all(has)
        && case.json.iter().all(stands)
}

fn spelled(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

fn undescribed(answer: &Answer) -> String {
    let status = answer.status;
    let start = answer.body.trim_ascii_start();
    match status {
        300..=399 => format!("HTTP {status}: a redirect, which is not followed"),
        500..=599 => format!("HTTP {status}: the provider has trouble of its own"),
        _ if start.starts_with(b"<") => format!("HTTP {status} with a page for people, not the provider's word"),
        _ => format!("HTTP {status}, with an answer that says neither live nor dead"),
    }
}

fn identity(fields: &[(String, IdentitySource)], answer: &Answer, json: Option<&serde_json::Value>) -> Identity {
    let mut identity = Identity::default();
    for (name, source) in fields {
        let value = match source {
            IdentitySource::Json(pointer) => json.and_then(|json| json.pointer(pointer)).and_then(spelled),
            IdentitySource::Header(header) => {
                answer.headers.get(header).and_then(|value| value.to_str().ok()).map(str::to_owned)
            }
        };
        let value = value.filter(|value| !value.is_empty() && value != "null");
        if let Some(value) = value {
            identity.set(name, value.chars().take(LONGEST).collect::<String>());
        }
    }
    identity
}
