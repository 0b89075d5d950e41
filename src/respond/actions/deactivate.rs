//! `aws-key-deactivate`: `iam:UpdateAccessKey(Status=Inactive)`. Naturally idempotent, undone by the status seen before;
//! takes seconds to bite. Source: IAM API reference, UpdateAccessKey.

use std::collections::BTreeMap;

use aws_sdk_iam::types::StatusType;
use serde_json::{Value, json};

use super::{Action, Doing, Needs, Outcome, Role, World, aws};

const ABSENT: &str = "absent";

pub(super) struct Deactivate;

/// The key's status, or `absent`.
async fn status(world: &World<'_>) -> Result<String, String> {
    let listed = world.aws()?.responder.iam.list_access_keys().user_name(world.arg("user")).into_paginator().items().send();
    let keys = match listed.collect::<Result<Vec<_>, _>>().await {
        Ok(keys) => keys,
        Err(error) if aws::is_absent(&error) => return Ok(ABSENT.to_owned()),
        Err(error) => return Err(aws::words(&error)),
    };
    let key = keys.iter().find(|key| key.access_key_id() == Some(world.arg("key_id")));
    Ok(key.and_then(|key| key.status()).map_or(ABSENT, StatusType::as_str).to_owned())
}

async fn set(world: &World<'_>, wanted: StatusType) -> Outcome {
    let iam = match world.aws() {
        Ok(aws) => &aws.responder.iam,
        Err(why) => return Outcome::Refused(why),
    };
    let call =
        iam.update_access_key().user_name(world.arg("user")).access_key_id(world.arg("key_id")).status(wanted.clone());
    if let Err(error) = call.send().await {
        return aws::settles(&error);
    }
    // Done is what can be seen, not what was answered.
    match status(world).await {
        Ok(now) if now == wanted.as_str() => Outcome::Done(json!({ "status": now })),
        Ok(now) => Outcome::Unknown(format!("IAM accepted the change, but the key still reads as {now}")),
        Err(why) => Outcome::Unknown(format!("IAM accepted the change, but the key cannot be read back: {why}")),
    }
}

impl Action for Deactivate {
    fn name(&self) -> &'static str {
        "aws-key-deactivate"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id", "user"]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:ListAccessKeys", "iam:UpdateAccessKey"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Stops
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let arg = |name: &str| with.get(name).map_or("", String::as_str);
        format!("set access key {} of user {} to Inactive", arg("key_id"), arg("user"))
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("set it back to the status it had".to_owned())
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move { Ok(json!({ "status": status(world).await? })) })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match status(world).await {
                Err(why) => Outcome::Unknown(why),
                Ok(now) if now == ABSENT || now == StatusType::Inactive.as_str() => {
                    Outcome::AlreadyDone(json!({ "status": now }))
                }
                Ok(_) => set(world, StatusType::Inactive).await,
            }
        })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let before = before.get("status").and_then(Value::as_str).unwrap_or_default();
            match status(world).await {
                Err(why) => Outcome::Unknown(why),
                Ok(now) if now == before => Outcome::AlreadyDone(json!({ "status": now })),
                Ok(now) if now == ABSENT => Outcome::Failed("the key was deleted since".to_owned()),
                Ok(_) => set(world, StatusType::from(before)).await,
            }
        })
    }
}
