//! `aws-list-minted`: what the leaked key may have made to come back with, and which of it is usable. Reads only; what could not be
//! looked at is said to be unknown, because an attacker's way back in may be there.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{AccessKeyMetadata, StatusType};
use aws_smithy_types::DateTime;
use serde_json::{Value, json};

use super::snapshot::key_shown;
use super::{ALIVE, Action, Doing, Needs, Outcome, Role, UNREAD, World, aws};

/// One for each list.
const PERMISSIONS: &[&str] = &["iam:ListAccessKeys", "iam:ListServiceSpecificCredentials", "iam:GetLoginProfile"];

pub(super) struct ListMinted;

/// A list as evidence, and what of it is usable, in words.
type Listed = (Value, Vec<String>);

/// Whether a moment lies so that the leaked key can have made what was made then: not before there was such a key.
type Since<'s> = &'s (dyn Fn(Option<&DateTime>) -> bool + Sync);

async fn keys(world: &World<'_>) -> Result<Vec<AccessKeyMetadata>, String> {
    let listed = world.aws()?.responder.iam.list_access_keys().user_name(world.arg("user")).into_paginator().items().send();
    listed.collect::<Result<Vec<_>, _>>().await.map_err(|error| aws::words(&error))
}

fn other_keys(world: &World<'_>, keys: &[AccessKeyMetadata], since: Since<'_>) -> Listed {
    let others: Vec<&AccessKeyMetadata> =
        keys.iter().filter(|key| key.access_key_id() != Some(world.arg("key_id"))).collect();
    let alive = others.iter().filter(|key| key.status() == Some(&StatusType::Active) && since(key.create_date()));
    let alive = alive.map(|key| format!("access key {}", key.access_key_id().unwrap_or("without an id")));
    (others.iter().map(|key| key_shown(key)).collect(), alive.collect())
}

async fn service_credentials(world: &World<'_>, since: Since<'_>) -> Result<Listed, String> {
    let listed = world.aws()?.responder.iam.list_service_specific_credentials().user_name(world.arg("user")).send().await;
    let listed = listed.map_err(|error| aws::words(&error))?;
    let each = |found: &aws_sdk_iam::types::ServiceSpecificCredentialMetadata| {
        json!({
            "id": found.service_specific_credential_id(), "service": found.service_name(),
            "status": found.status().as_str(), "created": found.create_date().to_string(),
        })
    };
    let all = listed.service_specific_credentials();
    let alive = all.iter().filter(|one| *one.status() == StatusType::Active && since(Some(one.create_date())));
    let alive = alive.map(|one| format!("{} for {}", one.service_specific_credential_id(), one.service_name()));
    Ok((all.iter().map(each).collect(), alive.collect()))
}

async fn console_password(world: &World<'_>, since: Since<'_>) -> Result<Listed, String> {
    match world.aws()?.responder.iam.get_login_profile().user_name(world.arg("user")).send().await {
        Ok(found) => {
            let created = found.login_profile().map(aws_sdk_iam::types::LoginProfile::create_date);
            let alive = since(created).then(|| format!("a console password of {}", world.arg("user")));
            Ok((json!({ "created": created.map(ToString::to_string) }), alive.into_iter().collect()))
        }
        Err(error) if aws::is_absent(&error) => Ok((Value::Null, Vec::new())),
        Err(error) => Err(aws::words(&error)),
    }
}

impl Action for ListMinted {
    fn name(&self) -> &'static str {
        "aws-list-minted"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id", "user"]
    }

    fn permissions(&self) -> &'static [&'static str] {
        PERMISSIONS
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Lists
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let user = with.get("user").map_or("", String::as_str);
        format!("list what the key may have minted: other keys, Bedrock keys and a console password of user {user}")
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let mut seen = serde_json::Map::new();
            let (mut alive, mut unread) = (Vec::new(), Vec::new());
            let keys = keys(world).await;
            let own = keys.iter().flatten().find(|key| key.access_key_id() == Some(world.arg("key_id")));
            // Not by when it was exposed: whoever commits writes that date.
            let since = own.and_then(|key| key.create_date()).and_then(aws::at);
            let since = |at: Option<&DateTime>| at.and_then(aws::at).is_none_or(|at| since.is_none_or(|since| at >= since));
            let looked = [
                (0, "access_keys", keys.as_deref().map(|keys| other_keys(world, keys, &since)).map_err(Clone::clone)),
                (1, "service_specific_credentials", service_credentials(world, &since).await),
                (2, "console_password", console_password(world, &since).await),
            ];
            for (number, what, found) in looked {
                match found {
                    Ok((value, usable)) => {
                        seen.insert(what.to_owned(), value);
                        alive.extend(usable);
                    }
                    Err(why) => unread.push(aws::unread(what, &why, &[PERMISSIONS[number]])),
                }
            }
            if seen.is_empty() {
                return Outcome::Unknown(format!("nothing could be looked at: {}", unread.join("; ")));
            }
            let mut unknown = unread.clone();
            unknown.push("sessions, roles, users and functions that it may have made: not looked at".to_owned());
            seen.insert(ALIVE.to_owned(), json!(alive));
            seen.insert("unknown".to_owned(), json!(unknown));
            if !unread.is_empty() {
                seen.insert(UNREAD.to_owned(), json!(unread));
            }
            Outcome::Done(Value::Object(seen))
        })
    }
}
