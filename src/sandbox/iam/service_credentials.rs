//! Service-specific credentials, which is what Bedrock long-term keys are (facts/credentials.md A.3).

use jiff::Timestamp;

use super::super::keys;
use super::super::state::{ACCOUNT, ServiceCredential, State, User};
use super::super::wire::{Refusal, Xml, moment};
use super::{Asked, whole};

const BEDROCK: &str = "bedrock.amazonaws.com";
const MAX_PER_SERVICE: usize = 2;
const DAY_SECONDS: i64 = 86_400;

fn describe(xml: &mut Xml, user: &User, credential: &ServiceCredential, now: Timestamp) {
    let expired = credential.expires.is_some_and(|expires| expires <= now);
    let status = match (expired, credential.active) {
        (true, _) => "Expired",
        (false, true) => "Active",
        (false, false) => "Inactive",
    };
    xml.leaf("UserName", &user.name)
        .leaf("Status", status)
        .leaf("ServiceName", &credential.service)
        .leaf("CreateDate", &moment(credential.created))
        .leaf("ServiceSpecificCredentialId", &credential.id)
        .leaf("ServiceCredentialAlias", &credential.alias);
    // Only a credential that was made with an age has a date.
    if let Some(expires) = credential.expires {
        xml.leaf("ExpirationDate", &moment(expires));
    }
}

pub(super) fn list(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let params = asked.params;
    let all = params.get("AllUsers") == Some("true");
    if all && params.get("UserName").is_some() {
        return Err(Refusal::new(400, "InvalidInput", "UserName and AllUsers cannot be given together."));
    }
    let users: Vec<&User> = if all { state.users.values().collect() } else { vec![state.user(asked.user_or_signer())?] };
    let wanted = |credential: &&ServiceCredential| params.get("ServiceName").is_none_or(|it| it == credential.service);
    let found = users.iter().flat_map(|user| user.services.iter().filter(wanted).map(move |one| (*user, one)));
    let mut xml = Xml::default();
    xml.list("ServiceSpecificCredentials", found, |member, (user, credential)| {
        describe(member, user, credential, state.now());
    });
    Ok(whole(xml))
}

/// Like `CreateAccessKey`: no token, two for each user and service, the secret is shown once.
pub(super) fn create(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let params = asked.params;
    let (name, service) = (params.need("UserName")?, params.need("ServiceName")?);
    let now = state.now();
    let user = state.user_mut(name)?;
    if service != BEDROCK {
        let message = format!("Service {service} is not supported; the sandbox knows {BEDROCK} alone.");
        return Err(Refusal::new(404, "NotSupportedService", message));
    }
    let expires = match params.get("CredentialAgeDays").map(str::parse::<i64>) {
        None => None,
        Some(Ok(days @ 1..=36_600)) => Timestamp::from_second(now.as_second() + days * DAY_SECONDS).ok(),
        Some(_) => return Err(Refusal::invalid("CredentialAgeDays must be between 1 and 36600.")),
    };
    let others = user.services.iter().filter(|one| one.service == service).count();
    if others >= MAX_PER_SERVICE {
        let quota = format!("Cannot exceed quota for ServiceSpecificCredentialsPerUser: {MAX_PER_SERVICE}");
        return Err(Refusal::limit(quota));
    }
    let (alias, value) = keys::bedrock_key(name, ACCOUNT, others)?;
    let id = keys::aws_id("ACCA", ACCOUNT)?;
    let credential = ServiceCredential { id, service: service.to_owned(), alias, active: true, created: now, expires };
    let mut xml = Xml::default();
    xml.nest("ServiceSpecificCredential", |xml| {
        describe(xml, user, &credential, now);
        xml.leaf("ServiceCredentialSecret", value.expose_str().unwrap_or_default());
    });
    user.services.push(credential);
    Ok(xml)
}

pub(super) fn update(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let (user, at) = position(state, asked)?;
    user.services[at].active = asked.active()?;
    Ok(Xml::default())
}

pub(super) fn delete(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let (user, at) = position(state, asked)?;
    user.services.remove(at);
    Ok(Xml::default())
}

fn position<'a>(state: &'a mut State, asked: &Asked<'_>) -> Result<(&'a mut User, usize), Refusal> {
    let id = asked.params.need("ServiceSpecificCredentialId")?;
    let user = state.user_mut(asked.user_or_signer())?;
    let at = user.services.iter().position(|one| one.id == id);
    let at = at.ok_or_else(|| Refusal::no_such(format!("The service-specific credential with id {id} cannot be found.")))?;
    Ok((user, at))
}
