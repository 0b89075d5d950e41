//! STS: `GetCallerIdentity`, `GetAccessKeyInfo`, `GetSessionToken`.
//!
//! Source: STS API reference; facts/credentials.md A.1 and A.2.

use serde_json::json;

use super::iam::authorise;
use super::keys;
use super::sigv4::Caller;
use super::state::{ACCOUNT, State};
use super::wire::{Params, Refusal, Xml, moment};

/// Runs an STS action; `None` when there is no such action here.
pub(super) fn run(state: &mut State, caller: &Caller, params: &Params, action: &str) -> Option<Result<Xml, Refusal>> {
    match action {
        "GetCallerIdentity" => Some(Ok(caller_identity(state, caller))),
        "GetAccessKeyInfo" => Some(key_info(state, caller, params)),
        "GetSessionToken" => Some(session_token(state, caller, params)),
        _ => None,
    }
}

/// Who the caller is, as (ARN, user id).
fn identity(state: &State, caller: &Caller) -> (String, String) {
    state.users.get(&caller.user).map(|user| (user.arn(), user.id.clone())).unwrap_or_default()
}

/// Needs no permission; an explicit deny does not stop it.
fn caller_identity(state: &State, caller: &Caller) -> Xml {
    let (arn, id) = identity(state, caller);
    let mut xml = Xml::default();
    xml.leaf("Arn", &arn).leaf("UserId", &id).leaf("Account", ACCOUNT);
    xml
}

/// The same in JSON, which STS answers with when it is asked to by `Accept`.
pub(super) fn caller_identity_json(state: &State, caller: &Caller, request_id: &str) -> serde_json::Value {
    let (arn, id) = identity(state, caller);
    json!({ "GetCallerIdentityResponse": {
        "GetCallerIdentityResult": { "Account": ACCOUNT, "Arn": arn, "UserId": id },
        "ResponseMetadata": { "RequestId": request_id },
    } })
}

/// Says the account of any key, and nothing of whether the key works.
fn key_info(state: &State, caller: &Caller, params: &Params) -> Result<Xml, Refusal> {
    if caller.session.as_ref().is_some_and(|session| !session.mfa) {
        return Err(denied_to_sessions("GetAccessKeyInfo"));
    }
    authorise(state, caller, "sts:GetAccessKeyInfo", "*", "*")?;
    let account = keys::account_of(params.need("AccessKeyId")?)
        .ok_or_else(|| Refusal::invalid("The specified access key ID is not well-formed."))?;
    let mut xml = Xml::default();
    xml.leaf("Account", &account);
    Ok(xml)
}

/// Needs no permission, but an explicit deny stops it: the quarantine policies of AWS deny it for that reason.
fn session_token(state: &mut State, caller: &Caller, params: &Params) -> Result<Xml, Refusal> {
    if caller.session.is_some() {
        return Err(denied_to_sessions("GetSessionToken"));
    }
    if let Err(refusal) = authorise(state, caller, "sts:GetSessionToken", "*", "*")
        && refusal.message.contains("explicit deny")
    {
        return Err(refusal);
    }
    if params.get("SerialNumber").is_some() || params.get("TokenCode").is_some() {
        let message = "MultiFactorAuthentication failed, unable to validate MFA code. Nobody here has an MFA device.";
        return Err(Refusal::new(403, "AccessDenied", message));
    }
    let seconds = match params.get("DurationSeconds").map(str::parse::<i64>) {
        None => 43_200,
        Some(Ok(seconds @ 900..=129_600)) => seconds,
        Some(_) => return Err(Refusal::invalid("DurationSeconds must be between 900 and 129600.")),
    };
    let session = state.add_session(&caller.user, seconds, false)?;
    let mut xml = Xml::default();
    xml.nest("Credentials", |credentials| {
        credentials.leaf("AccessKeyId", &session.id);
        credentials.leaf("SecretAccessKey", session.secret.expose_str().unwrap_or_default());
        credentials.leaf("SessionToken", session.token.expose_str().unwrap_or_default());
        credentials.leaf("Expiration", &moment(session.expires));
    });
    Ok(xml)
}

/// "You cannot call any STS API except AssumeRole or GetCallerIdentity" (API reference, `GetSessionToken`).
fn denied_to_sessions(action: &str) -> Refusal {
    Refusal::new(403, "AccessDenied", format!("Cannot call {action} with session credentials"))
}
