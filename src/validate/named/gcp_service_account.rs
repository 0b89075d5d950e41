//! Google Cloud service account keys: a signed claim is exchanged for a token of the least there is to ask for, an e-mail
//! address, and the token is thrown away. Free, changes nothing. The claim goes to Google's one address, never to the
//! `token_uri` that a key file names: a planted one would collect claims that Google accepts.
//!
//! Sources: developers.google.com, "Using OAuth 2.0 for Server to Server Applications"; RFC 7523. The two texts that say that
//! a key is dead: googleapis/google-cloud-python#10004 and google-github-actions/setup-gcloud#76 (the key had been rotated);
//! googleapis/google-cloud-php#3622 and googleapis/google-auth-library-java#1515 (account disabled or deleted). Others
//! are documented as the claim's fault (time, scope) or not at all, so they settle nothing.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::model::{Clock, Credential, Identity, Liveness, SystemClock};
use crate::net::{Answer, Header, Method, Net, Request};

const TOKEN: &str = "https://oauth2.googleapis.com/token";
/// Shows the account's own address, and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
/// How long a claim holds, seconds, and how far ahead of Google's our clock may be. At most an hour is allowed.
const HOLDS: i64 = 120;
const AHEAD: i64 = 30;

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "Google gives out a token for a claim that the key has signed"),
    ("dead", "invalid_grant, Invalid JWT Signature: the account has no such key any more, or it is disabled"),
    ("dead", "invalid_grant, account not found: the account is disabled or deleted"),
    ("unknown", "any other refusal: the clock, the scope, or what is not documented"),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let request = match request(net, credential, SystemClock.now().as_second()) {
        Ok(request) => request,
        Err(why) => return Liveness::Unknown(why.to_owned()),
    };
    match net.ask(&request).await {
        Ok(answer) => judge(answer, credential),
        Err(error) => Liveness::Unknown(error.to_string()),
    }
}

fn request(net: &Net, credential: &Credential, now: i64) -> Result<Request, &'static str> {
    let text = |name: &str| credential.part(name).and_then(|part| part.value.expose_str());
    let email = text("client_email").ok_or("its account stands nowhere near it")?;
    let key_id = text("key_id").ok_or("its key id is missing")?;
    let key = credential.part("private_key").and_then(|part| key(part.value.expose()));
    let assertion = assertion(&key.ok_or("its private key cannot be read")?, (email, key_id), now);
    let mut body = Zeroizing::new(GRANT.as_bytes().to_vec());
    body.extend_from_slice(assertion.ok_or("its private key cannot sign")?.as_bytes());
    let url = address(net).parse().map_err(|_| "its address cannot be written")?;
    let value = Zeroizing::new(b"application/x-www-form-urlencoded".to_vec());
    let header = Header { name: "content-type".to_owned(), value };
    Ok(Request { method: Method::Post, url, headers: vec![header], body: Some(body) })
}

/// Google's token service.
pub(super) fn address(net: &Net) -> &str {
    net.endpoint("google-oauth2").map_or(TOKEN, |url| url.as_str())
}

/// The claim, signed: header, claims and signature in base64url.
fn assertion(key: &RsaKeyPair, (email, key_id): (&str, &str), now: i64) -> Option<Zeroizing<String>> {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key_id });
    let iat = now - AHEAD;
    let claims = json!({ "iss": email, "scope": SCOPE, "aud": TOKEN, "iat": iat, "exp": now + HOLDS });
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let mut text = Zeroizing::new(format!("{}.{}", encode(&header), encode(&claims)));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    text.push('.');
    text.push_str(&BASE64URL_NOPAD.encode(&signature));
    Some(text)
}

/// The key of a PEM block, whose line ends may be written `\n`, once or more often escaped.
fn key(pem: &[u8]) -> Option<RsaKeyPair> {
    let find = |text: &str| memchr::memmem::find(pem, text.as_bytes());
    let start = find("PRIVATE KEY-----")? + "PRIVATE KEY-----".len();
    let inner = pem.get(start..find("-----END")?)?;
    let mut digits = Zeroizing::new(Vec::with_capacity(inner.len()));
    let mut escaped = false;
    for &byte in inner {
        let line_end = byte.is_ascii_whitespace() || byte == b'\\' || (escaped && matches!(byte, b'n' | b'r'));
        if !line_end {
            digits.push(byte);
        }
        escaped = byte == b'\\';
    }
    let der = Zeroizing::new(BASE64.decode(&digits).ok()?);
    // Google writes PKCS #8; the other form names the algorithm in its first line.
    if find("BEGIN RSA").is_some() { RsaKeyPair::from_der(&der).ok() } else { RsaKeyPair::from_pkcs8(&der).ok() }
}

fn judge(answer: Answer, credential: &Credential) -> Liveness {
    let (status, truncated) = (answer.status, answer.truncated);
    // It may hold a token.
    let body = answer.body;
    let json = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let field = |name: &str| json.get(name).and_then(Value::as_str);
    let unknown = |why: String| Liveness::Unknown(why);
    match (status, field("error"), field("error_description")) {
        _ if truncated => unknown("Google's answer is too long".to_owned()),
        (200, None, _) if field("access_token").or(field("id_token")).is_some() => Liveness::Live(identity(credential)),
        (400, Some("invalid_grant"), Some("Invalid JWT Signature.")) => {
            Liveness::Dead("the account has no such key any more, or the key is disabled".to_owned())
        }
        (400, Some("invalid_grant"), Some("Invalid grant: account not found")) => {
            Liveness::Dead("the account is disabled or deleted".to_owned())
        }
        (400, Some("invalid_grant"), Some(text)) if text.contains("reasonable timeframe") => {
            unknown("Google finds the time wrong; is this machine's clock right?".to_owned())
        }
        (429, ..) => unknown("Google is limiting the rate".to_owned()),
        (500..=599, ..) => unknown(format!("HTTP {status}: Google has trouble of its own")),
        (_, Some(error), _) if error.len() <= 40 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => {
            unknown(format!("HTTP {status}, {error}: what that says of a key is not documented"))
        }
        _ => unknown(format!("HTTP {status}: not what Google's token service is known to say")),
    }
}

/// The account and its project, from its address: `name@project.iam.gserviceaccount.com`.
fn identity(credential: &Credential) -> Identity {
    let mut identity = Identity::default();
    let text = |name: &str| credential.part(name).and_then(|part| part.value.expose_str());
    if let Some(email) = text("client_email") {
        identity.set("client_email", email);
        let project = match email.split_once('@') {
            Some((_, host)) if host.ends_with(".iam.gserviceaccount.com") => host.strip_suffix(".iam.gserviceaccount.com"),
            Some((project, "appspot.gserviceaccount.com")) => Some(project),
            _ => None,
        };
        if let Some(project) = project {
            identity.set("project", project);
        }
    }
    if let Some(key_id) = text("key_id") {
        identity.set("key_id", key_id);
    }
    identity
}

#[cfg(test)]
mod tests;
