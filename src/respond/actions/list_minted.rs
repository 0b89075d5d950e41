//! `aws-list-minted`: what the leaked key may have made to come back with. Reads only; what could not be looked at is said
//! to be unknown, because an attacker's way back in may be there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::snapshot::key_shown;
use super::{Action, Doing, Needs, Outcome, Role, World, aws};

pub(super) struct ListMinted;

async fn other_keys(world: &World<'_>) -> Result<Value, String> {
    let listed = world.aws()?.responder.iam.list_access_keys().user_name(world.arg("user")).send().await;
    let listed = listed.map_err(|error| aws::words(&error))?;
    let others = listed.access_key_metadata().iter().filter(|key| key.access_key_id() != Some(world.arg("key_id")));
    Ok(others.map(key_shown).collect())
}

async fn service_credentials(world: &World<'_>) -> Result<Value, String> {
    let listed = world.aws()?.responder.iam.list_service_specific_credentials().user_name(world.arg("user")).send().await;
    let listed = listed.map_err(|error| aws::words(&error))?;
    let each = |found: &aws_sdk_iam::types::ServiceSpecificCredentialMetadata| {
        json!({
            "id": found.service_specific_credential_id(), "service": found.service_name(),
            "status": found.status().as_str(), "created": found.create_date().to_string(),
        })
    };
    Ok(listed.service_specific_credentials().iter().map(each).collect())
}

async fn console_password(world: &World<'_>) -> Result<Value, String> {
    match world.aws()?.responder.iam.get_login_profile().user_name(world.arg("user")).send().await {
        Ok(found) => Ok(json!({ "created": found.login_profile().map(|profile| profile.create_date().to_string()) })),
        Err(error) if aws::is_absent(&error) => Ok(Value::Null),
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
        &["iam:ListAccessKeys", "iam:ListServiceSpecificCredentials", "iam:GetLoginProfile"]
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
            let mut unknown = vec!["sessions, roles, users and functions that it may have made: not looked at".to_owned()];
            let looked = [
                ("access_keys", other_keys(world).await),
                ("service_specific_credentials", service_credentials(world).await),
                ("console_password", console_password(world).await),
            ];
            for (what, found) in looked {
                match found {
                    Ok(value) => drop(seen.insert(what.to_owned(), value)),
                    Err(why) => unknown.push(format!("{what}: {why}")),
                }
            }
            seen.insert("unknown".to_owned(), json!(unknown));
            Outcome::Done(Value::Object(seen))
        })
    }
}
