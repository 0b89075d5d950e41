//! Who signed a request: signature version 4 in the `Authorization` header, worked out again with the stored secret.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests"; the words of the refusals are STS's and IAM's own.
//! Signed URLs (`X-Amz-Signature` in the query) are refused, and so says the refusal. The Region of the scope is not
//! looked at, though IAM itself takes us-east-1 only: a client with an endpoint of its own signs with its own Region.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SessionTokenMode, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::keys::same;
use super::state::{LastUsed, Session, State};
use super::wire::{Refusal, Request, Service};
use crate::secret::Secret;

/// How far the signer's clock may be off.
const SKEW_SECONDS: i64 = 15 * 60;
const TOKEN_HEADER: &str = "x-amz-security-token";

/// Who signed.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) user: String,
    /// Set when the credentials are temporary.
    pub(super) session: Option<SessionFacts>,
}

#[derive(Debug)]
pub(super) struct SessionFacts {
    pub(super) issued: Timestamp,
    pub(super) mfa: bool,
}

/// The `Authorization` header, taken apart.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    pub(super) key_id: &'a str,
    day: &'a str,
    region: &'a str,
    pub(super) service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header; the refusal says which part is missing.
    pub(super) fn read(request: &'a Request) -> Result<Self, Refusal> {
        let incomplete = |what: &str| Refusal::new(400, "IncompleteSignature", what);
        let Some(header) = text(request, "authorization") else {
            if request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature=")) {
                return Err(incomplete("The sandbox reads the signature in the Authorization header, not in the URL."));
            }
            return Err(Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"));
        };
        let fields = header
            .strip_prefix("AWS4-HMAC-SHA256")
            .ok_or_else(|| incomplete("The Authorization header must begin with AWS4-HMAC-SHA256."))?;
        let field = |name: &str| {
            let mut parts = fields.split(',').filter_map(|field| field.trim().split_once('='));
            let found = parts.find(|(present, _)| *present == name).map(|(_, value)| value);
            found.ok_or_else(|| incomplete(&format!("Authorization header requires '{name}' parameter.")))
        };
        let scope: Vec<&str> = field("Credential")?.split('/').collect();
        let [key_id, day, region, service, "aws4_request"] = scope[..] else {
            return Err(incomplete("Credential must be KEY/DATE/REGION/SERVICE/aws4_request."));
        };
        let signed = field("SignedHeaders")?.split(';').collect();
        Ok(Self { key_id, day, region, service, signed, signature: field("Signature")? })
    }

    /// Works the signature out again. `None` when the request cannot be put in canonical form.
    fn recompute(&self, request: &Request, secret: &Secret, at: Timestamp) -> Option<String> {
        let token = self.signed.contains(&TOKEN_HEADER).then(|| text(request, TOKEN_HEADER)).flatten();
        let identity = Credentials::new(self.key_id, secret.expose_str()?, token.map(str::to_owned), None, "sandbox").into();
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        settings.session_token_mode = SessionTokenMode::Include;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(system_time(at))
            .settings(settings)
            .build()
            .ok()?
            .into();
        // The signer adds the date and the token itself; the token is kept out of here so that no trace line shows it.
        let headers = request.headers().iter().filter_map(|(name, value)| {
            let name = name.as_str();
            let wanted = self.signed.contains(&name) && name != "x-amz-date" && name != TOKEN_HEADER;
            wanted.then(|| value.to_str().ok().map(|value| (name, value))).flatten()
        });
        let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let uri = format!("http://{}{path}", text(request, "host")?);
        let signable =
            SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::Bytes(request.body())).ok()?;
        Some(sign(signable, &params).ok()?.signature().to_owned())
    }
}

/// Checks a request's signature and says who made it. A long-term key's last use is noted.
pub(super) fn verify(state: &mut State, request: &Request, auth: &Authorization<'_>) -> Result<Caller, Refusal> {
    let token = text(request, TOKEN_HEADER);
    let service = Service::from_scope(auth.service)
        .ok_or_else(|| mismatch("Credential should be scoped to correct service: 'iam' or 'sts'."))?;
    let now = state.now();
    let (caller, secret) = match token {
        Some(token) => from_session(state, auth.key_id, token)?,
        None => from_key(state, auth.key_id)?,
    };
    let at = signed_at(request, auth, now)?;
    if !auth.signed.contains(&"host") {
        return Err(mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization."));
    }
    let expected = auth.recompute(request, &secret, at);
    if !expected.is_some_and(|expected| same(expected.as_bytes(), auth.signature.as_bytes())) {
        return Err(mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        ));
    }
    // A session's id is no user's key, so a session notes nothing.
    if let Some(user) = state.users.get_mut(&caller.user)
        && let Some(key) = user.keys.iter_mut().find(|key| key.id == auth.key_id)
    {
        key.last_used = Some(LastUsed { at: now, service: service.name(), region: auth.region.to_owned() });
    }
    Ok(caller)
}

/// An unknown, deleted or inactive key is told the same thing.
fn from_key(state: &State, id: &str) -> Result<(Caller, Secret), Refusal> {
    let keys = state.users.values().flat_map(|user| user.keys.iter().map(move |key| (user, key)));
    let (user, key) = keys.into_iter().find(|(_, key)| key.id == id && key.active).ok_or_else(Refusal::bad_token)?;
    Ok((Caller { user: user.name.clone(), session: None }, key.secret.duplicate()))
}

fn from_session(state: &State, id: &str, token: &str) -> Result<(Caller, Secret), Refusal> {
    let good = |session: &&Session| {
        session.id == id && same(session.token.expose(), token.as_bytes()) && state.users.contains_key(&session.user)
    };
    let session = state.sessions.iter().find(good).ok_or_else(Refusal::bad_token)?;
    if session.expires <= state.now() {
        return Err(Refusal::new(403, "ExpiredToken", "The security token included in the request is expired"));
    }
    let facts = SessionFacts { issued: session.issued, mfa: session.mfa };
    Ok((Caller { user: session.user.clone(), session: Some(facts) }, session.secret.duplicate()))
}

/// When the request says it was signed, if that is near enough and on the day of its scope.
fn signed_at(request: &Request, auth: &Authorization<'_>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let written = text(request, "x-amz-date").filter(|_| auth.signed.contains(&"x-amz-date")).ok_or_else(|| {
        Refusal::new(400, "IncompleteSignature", "Authorization header requires a signed 'X-Amz-Date' header.")
    })?;
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", written)
        .and_then(|civil| TimeZone::UTC.to_timestamp(civil))
        .map_err(|_| Refusal::new(400, "IncompleteSignature", "X-Amz-Date must be in ISO-8601 'basic format'."))?;
    if !written.starts_with(auth.day) || auth.day.len() != 8 {
        return Err(mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"));
    }
    let (signed, present) = (at.as_second(), now.as_second());
    let basic = now.strftime("%Y%m%dT%H%M%SZ");
    if signed < present - SKEW_SECONDS {
        return Err(mismatch(&format!("Signature expired: {written} is earlier than {basic} - 15 min.")));
    }
    if signed > present + SKEW_SECONDS {
        return Err(mismatch(&format!("Signature not yet current: {written} is later than {basic} + 15 min.")));
    }
    Ok(at)
}

fn mismatch(message: &str) -> Refusal {
    Refusal::new(403, "SignatureDoesNotMatch", message)
}

fn text<'a>(request: &'a Request, header: &str) -> Option<&'a str> {
    request.headers().get(header)?.to_str().ok()
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}
