//! `aws-key-deactivate`: `iam:UpdateAccessKey(Status=Inactive)`. Naturally idempotent, undone by the status seen before;
//! takes seconds to bite. Source: IAM API reference, UpdateAccessKey.

use std::collections::BTreeMap;

use aws_sdk_iam::types::StatusType;
use serde_json::Value;

use super::kept::{self, ABSENT, Kept};
use super::{Action, Doing, Needs, Outcome, Role, World, aws};

pub(super) struct Deactivate;

impl Kept for Deactivate {
    fn status<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<String, String>> {
        Box::pin(async move {
            let iam = &world.aws()?.responder.iam;
            let listed = iam.list_access_keys().user_name(world.arg("user")).into_paginator().items().send();
            let keys = match listed.collect::<Result<Vec<_>, _>>().await {
                Ok(keys) => keys,
                Err(error) if aws::is_absent(&error) => {
                    aws::gone_with_its_user(world, (world.arg("user"), world.arg("key_id"))).await?;
                    return Ok(ABSENT.to_owned());
                }
                Err(error) => return Err(aws::words(&error)),
            };
            let key = keys.iter().find(|key| key.access_key_id() == Some(world.arg("key_id")));
            Ok(key.and_then(|key| key.status()).map_or(ABSENT, StatusType::as_str).to_owned())
        })
    }

    fn set<'a>(&'a self, world: &'a World<'_>, wanted: StatusType) -> Doing<'a, Result<(), Outcome>> {
        Box::pin(async move {
            let iam = &world.aws().map_err(Outcome::Refused)?.responder.iam;
            let call =
                iam.update_access_key().user_name(world.arg("user")).access_key_id(world.arg("key_id")).status(wanted);
            call.send().await.map(drop).map_err(|error| aws::settles(&error))
        })
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

    fn stops_by_name(&self) -> bool {
        true
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        kept::is_stopped(seen)
    }

    fn holds<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Option<bool>, String>> {
        Box::pin(kept::holds(self, world))
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(kept::seen(self, world))
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(kept::deactivated(self, world))
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(kept::put_back(self, world, before))
    }
}
