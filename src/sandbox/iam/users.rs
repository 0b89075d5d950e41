//! Users, their tags, and the things that users here never have.

use super::super::state::{State, User};
use super::super::wire::{Refusal, Xml, moment};
use super::{Asked, whole};

fn describe(xml: &mut Xml, user: &User) {
    xml.leaf("Path", &user.path)
        .leaf("UserName", &user.name)
        .leaf("UserId", &user.id)
        .leaf("Arn", &user.arn())
        .leaf("CreateDate", &moment(user.created));
}

fn tags(xml: &mut Xml, user: &User) {
    xml.list("Tags", &user.tags, |tag, (key, value)| {
        tag.leaf("Key", key).leaf("Value", value);
    });
}

pub(super) fn get(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let user = state.user(asked.user_or_signer())?;
    let mut xml = Xml::default();
    xml.nest("User", |xml| {
        describe(xml, user);
        // IAM leaves the element out when there are none.
        if !user.tags.is_empty() {
            tags(xml, user);
        }
    });
    Ok(xml)
}

#[expect(clippy::unnecessary_wraps, reason = "an operation like the others")]
pub(super) fn list(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let prefix = asked.params.get("PathPrefix").unwrap_or("/");
    let mut xml = Xml::default();
    xml.list("Users", state.users.values().filter(|user| user.path.starts_with(prefix)), describe);
    Ok(whole(xml))
}

pub(super) fn create(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let params = asked.params;
    let wanted = params.pairs("Tags", "Key", "Value");
    let user = state.add_user(params.need("UserName")?, params.get("Path").unwrap_or("/"), &wanted)?;
    let mut xml = Xml::default();
    xml.nest("User", |xml| {
        describe(xml, user);
        if !user.tags.is_empty() {
            tags(xml, user);
        }
    });
    Ok(xml)
}

/// Refused while the user has keys, policies or service-specific credentials.
pub(super) fn delete(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let name = asked.params.need("UserName")?;
    let user = state.user(name)?;
    let held = if !user.keys.is_empty() {
        Some("Cannot delete entity, must delete access keys first.")
    } else if !user.policies.is_empty() {
        Some("Cannot delete entity, must delete policies first.")
    } else if !user.services.is_empty() {
        Some("Cannot delete entity, must remove referenced objects first.")
    } else {
        None
    };
    if let Some(held) = held {
        return Err(Refusal::conflict(held));
    }
    state.users.remove(name);
    // Otherwise a later user of the same name would inherit them.
    state.sessions.retain(|session| session.user != name);
    Ok(Xml::default())
}

pub(super) fn list_tags(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let user = state.user(asked.params.need("UserName")?)?;
    let mut xml = Xml::default();
    tags(&mut xml, user);
    Ok(whole(xml))
}

pub(super) fn tag(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let user = state.user_mut(asked.params.need("UserName")?)?;
    let before = user.tags.clone();
    let outcome = user.tag(&asked.params.pairs("Tags", "Key", "Value"));
    // All or nothing.
    if outcome.is_err() {
        user.tags = before;
    }
    outcome.map(|()| Xml::default())
}

pub(super) fn no_groups(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    state.user(asked.params.need("UserName")?)?;
    let mut xml = Xml::default();
    xml.texts("Groups", []);
    Ok(whole(xml))
}

pub(super) fn no_mfa_devices(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    state.user(asked.user_or_signer())?;
    let mut xml = Xml::default();
    xml.texts("MFADevices", []);
    Ok(whole(xml))
}

pub(super) fn no_login_profile(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let name = &state.user(asked.user_or_signer())?.name;
    Err(Refusal::no_such(format!("Login Profile for User {name} cannot be found.")))
}
