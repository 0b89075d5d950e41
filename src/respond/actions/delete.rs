//! `aws-key-delete`: `iam:DeleteAccessKey`, for good. Only what is deactivated is deleted. Source: IAM API reference.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Action, Doing, Needs, Outcome, Trouble, World, aws, aws_mint};

const ABSENT: &str = "absent";
const INACTIVE: &str = "Inactive";

pub(super) struct Delete;

async fn state(world: &World<'_>) -> Result<String, Trouble> {
    match aws_mint::keys(world, world.arg("user")).await {
        Ok(keys) => {
            let key = keys.into_iter().find(|key| key.id == world.arg("key_id"));
            Ok(key.map_or_else(|| ABSENT.to_owned(), |key| key.state))
        }
        Err(Trouble::Absent) => {
            let gone = aws::gone_with_its_user(world, (world.arg("user"), world.arg("key_id"))).await;
            gone.map(|()| ABSENT.to_owned()).map_err(Trouble::Unknown)
        }
        Err(trouble) => Err(trouble),
    }
}

async fn deleted(world: &World<'_>) -> Result<Outcome, Trouble> {
    let id = world.arg("key_id");
    match state(world).await?.as_str() {
        ABSENT => return Ok(Outcome::AlreadyDone(json!({ "status": ABSENT }))),
        INACTIVE => {}
        other => {
            let what = "what is not deactivated is not deleted: somebody may be using it again";
            return Ok(Outcome::Refused(format!("{id} is {other}; {what}")));
        }
    }
    aws_mint::delete(world, world.arg("user"), id).await?;
    Ok(Outcome::Done(json!({ "status": ABSENT })))
}

impl Action for Delete {
    fn name(&self) -> &'static str {
        "aws-key-delete"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id", "user"]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn reversible(&self) -> bool {
        false
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:GetAccessKeyLastUsed"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let arg = |name: &str| with.get(name).map_or("", String::as_str);
        format!("delete access key {} of user {}, if it is Inactive", arg("key_id"), arg("user"))
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        seen.get("status").and_then(Value::as_str) == Some(ABSENT)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move { Ok(json!({ "status": state(world).await.map_err(Trouble::why)? })) })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { deleted(world).await.unwrap_or_else(Trouble::settles) })
    }
}
