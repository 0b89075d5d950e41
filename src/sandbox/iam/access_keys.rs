//! Access keys.

use super::super::state::{AccessKey, State, User};
use super::super::wire::{Refusal, Xml, moment};
use super::{Asked, whole};

fn status(key: &AccessKey) -> &'static str {
    if key.active { "Active" } else { "Inactive" }
}

pub(super) fn list(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let user = state.user(asked.user_or_signer())?;
    let mut xml = Xml::default();
    xml.leaf("UserName", &user.name);
    xml.list("AccessKeyMetadata", &user.keys, |member, key| {
        member
            .leaf("UserName", &user.name)
            .leaf("AccessKeyId", &key.id)
            .leaf("Status", status(key))
            .leaf("CreateDate", &moment(key.created));
    });
    Ok(whole(xml))
}

/// No token makes it safe to repeat: each call that gets here is another key, until there are two.
pub(super) fn create(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let name = asked.user_or_signer();
    let key = state.add_key(name)?;
    let mut xml = Xml::default();
    xml.nest("AccessKey", |xml| {
        xml.leaf("UserName", name)
            .leaf("AccessKeyId", &key.id)
            .leaf("Status", status(key))
            .leaf("SecretAccessKey", key.secret.expose_str().unwrap_or_default())
            .leaf("CreateDate", &moment(key.created));
    });
    Ok(xml)
}

pub(super) fn update(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let (id, active) = (asked.params.need("AccessKeyId")?, asked.active()?);
    let user = state.user_mut(asked.user_or_signer())?;
    let at = position(user, id)?;
    user.keys[at].active = active;
    Ok(Xml::default())
}

pub(super) fn delete(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let id = asked.params.need("AccessKeyId")?;
    let user = state.user_mut(asked.user_or_signer())?;
    let at = position(user, id)?;
    user.keys.remove(at);
    Ok(Xml::default())
}

fn position(user: &User, id: &str) -> Result<usize, Refusal> {
    let at = user.keys.iter().position(|key| key.id == id);
    at.ok_or_else(|| Refusal::no_such(format!("The Access Key with id {id} cannot be found.")))
}

pub(super) fn last_used(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let id = asked.params.need("AccessKeyId")?;
    let mut keys = state.users.values().flat_map(|user| user.keys.iter().map(move |key| (user, key)));
    let (user, key) = keys.find(|(_, key)| key.id == id).ok_or_else(|| Refusal::no_such(format!("No access key {id}.")))?;
    let mut xml = Xml::default();
    xml.leaf("UserName", &user.name);
    xml.nest("AccessKeyLastUsed", |xml| {
        match &key.last_used {
            Some(last) => {
                xml.leaf("LastUsedDate", &moment(last.at)).leaf("ServiceName", last.service).leaf("Region", &last.region)
            }
            // A key that was never used has no date.
            None => xml.leaf("ServiceName", "N/A").leaf("Region", "N/A"),
        };
    });
    Ok(xml)
}
