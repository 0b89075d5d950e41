//! `aws-key-verify-used` and `aws-key-verify-unused`: whether consumers have taken the new key up, and whether anyone still
//! uses the old one, by IAM's own record. Looks only; what is not so yet is waited for.
//! Source: IAM API reference, GetAccessKeyLastUsed. IAM does not say how late its record may be; so the old key must have been
//! silent for the time that the playbook gives, not merely have no newer entry.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::replace::{self, replacement, reverted};
use super::{Action, Doing, Needs, Outcome, Role, World, aws, aws_mint};

/// The last use of a key, and where.
struct Use {
    at: Timestamp,
    service: String,
}

async fn last_use(world: &World<'_>, id: &str) -> Result<Option<Use>, Outcome> {
    let responder = &world.aws().map_err(Outcome::Refused)?.responder;
    let found = responder.iam.get_access_key_last_used().access_key_id(id).send().await;
    // It only looks: whatever stood in the way, nothing was changed.
    let found = found.map_err(|error| Outcome::Unknown(aws::words(&error)))?;
    let used = found.access_key_last_used().and_then(|used| {
        let at = Timestamp::from_second(used.last_used_date()?.secs()).ok()?;
        Some(Use { at, service: used.service_name().to_owned() })
    });
    Ok(used)
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// By how much IAM's clock is ahead of this one. IAM always tells when a key was made.
async fn ahead(world: &World<'_>, id: &str) -> Result<Duration, Outcome> {
    let keys = aws_mint::keys(world, world.arg("user")).await.map_err(|trouble| Outcome::Unknown(trouble.why()))?;
    let made = keys.into_iter().find(|key| key.id == id).and_then(|key| key.made);
    Ok(replace::ahead(world, made).unwrap_or_default())
}

pub(super) struct NewUsed;

async fn taken_up(world: &World<'_>) -> Result<Outcome, Outcome> {
    let Some((id, since)) = replacement(world) else {
        return Ok(Outcome::Refused("nothing was put in its place in this run".to_owned()));
    };
    // It was asked about once by this run itself, before any store had it. IAM's record has whole seconds, by IAM's clock.
    let after = |since: Timestamp| move |used: &Use| used.at.as_second() > since.as_second();
    let mut used = last_use(world, &id).await?.filter(after(since));
    if used.is_some() {
        used = used.filter(after(later(since, ahead(world, &id).await?)));
    }
    match used {
        Some(used) => Ok(Outcome::Done(json!({ "key_id": id, "used": used.at.to_string(), "service": used.service }))),
        _ if world.confirmed => Ok(Outcome::Done(json!({ "key_id": id, "said_by": world.requester }))),
        _ => Ok(Outcome::Waiting(format!(
            "no consumer has used the new key {id} yet, by IAM's record: restart what reads the store only at its start, then \
             `respond resume`; or say that it is in use with `resume --done {}`",
            world.step
        ))),
    }
}

impl Action for NewUsed {
    fn name(&self) -> &'static str {
        "aws-key-verify-used"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user"]
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "wait until IAM has seen the new key used by somebody else than this run".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { taken_up(world).await.unwrap_or_else(|outcome| outcome) })
    }
}

pub(super) struct OldUnused;

async fn silent(world: &World<'_>) -> Result<Outcome, Outcome> {
    let quiet = world.arg("seconds").parse().map(Duration::from_secs);
    let quiet = quiet.map_err(|_| Outcome::Failed("`seconds` is no number".to_owned()))?;
    let Some((_, since)) = replacement(world) else {
        return Ok(Outcome::Refused("nothing was put in its place in this run".to_owned()));
    };
    let (now, id) = (world.hands.clock.now(), world.arg("key_id"));
    let used = last_use(world, id).await?;
    let from = used.as_ref().map_or(since, |used| used.at.max(since));
    let due = later(from, quiet);
    if now >= due {
        let reverted = reverted(world).await.map_err(|trouble| Outcome::Unknown(trouble.why()))?;
        if let Some(store) = reverted {
            return Ok(Outcome::Waiting(format!(
                "{store} holds the old one again: something writes it there (a controller, a deployment, Terraform). Have that \
                 write the new one, then `respond resume`"
            )));
        }
        let used = used.map(|used| json!({ "at": used.at.to_string(), "service": used.service }));
        return Ok(Outcome::Done(json!({ "key_id": id, "silent_since": from.to_string(), "last_used": used })));
    }
    Ok(match used.filter(|used| used.at > since) {
        Some(used) => Outcome::Waiting(format!(
            "{id} was used at {} ({}), after every known store had the new one: somebody holds it who is not known. Find them \
             (CloudTrail has their address), or wait: it must be silent until {due}, then `respond resume`",
            used.at, used.service
        )),
        None => Outcome::Until(due),
    })
}

impl Action for OldUnused {
    fn name(&self) -> &'static str {
        "aws-key-verify-unused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id", "seconds"]
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:GetAccessKeyLastUsed"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Silent
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let arg = |name: &str| with.get(name).map_or("", String::as_str);
        format!("wait until IAM has seen no use of {} for {} s, and no store holds it again", arg("key_id"), arg("seconds"))
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { silent(world).await.unwrap_or_else(|outcome| outcome) })
    }
}
