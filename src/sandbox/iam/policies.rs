//! Inline policies. There are no managed policies here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::state::{State, check_name};
use super::super::wire::{Refusal, Xml};
use super::{Asked, whole};

/// IAM hands a policy back percent-encoded by RFC 3986, which leaves these as they are.
const POLICY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn put(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let params = asked.params;
    let name = params.need("PolicyName")?;
    check_name("policyName", name)?;
    state.user_mut(params.need("UserName")?)?.put_policy(name, params.need("PolicyDocument")?)?;
    Ok(Xml::default())
}

pub(super) fn get(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let (user, name) = (state.user(asked.params.need("UserName")?)?, asked.params.need("PolicyName")?);
    let inline = user.policies.get(name).ok_or_else(|| no_policy(name))?;
    let mut xml = Xml::default();
    xml.leaf("UserName", &user.name)
        .leaf("PolicyName", name)
        .leaf("PolicyDocument", &utf8_percent_encode(&inline.text, POLICY).to_string());
    Ok(xml)
}

pub(super) fn list(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let user = state.user(asked.params.need("UserName")?)?;
    let mut xml = Xml::default();
    xml.texts("PolicyNames", user.policies.keys().map(String::as_str));
    Ok(whole(xml))
}

pub(super) fn delete(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let name = asked.params.need("PolicyName")?;
    let user = state.user_mut(asked.params.need("UserName")?)?;
    user.policies.remove(name).ok_or_else(|| no_policy(name))?;
    Ok(Xml::default())
}

pub(super) fn no_attached(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    state.user(asked.params.need("UserName")?)?;
    let mut xml = Xml::default();
    xml.texts("AttachedPolicies", []);
    Ok(whole(xml))
}

fn no_policy(name: &str) -> Refusal {
    Refusal::no_such(format!("The user policy with name {name} cannot be found."))
}
