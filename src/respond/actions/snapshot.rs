//! `aws-key-snapshot`: what the user is and may do before anything is touched. Reads only.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Action, AwsHands, Doing, Needs, Outcome, World, aws};

pub(super) struct Snapshot;

/// A list, or why it could not be had. "Could not look" is never an empty list.
fn or_why<T: serde::Serialize, E>(result: Result<T, E>, words: impl Fn(&E) -> String) -> Value {
    match result {
        Ok(value) => json!(value),
        Err(error) => json!({ "unknown": words(&error) }),
    }
}

/// An access key as evidence.
pub(super) fn key_shown(key: &aws_sdk_iam::types::AccessKeyMetadata) -> Value {
    json!({
        "key_id": key.access_key_id(), "status": key.status().map(|status| status.as_str().to_owned()),
        "created": key.create_date().map(ToString::to_string),
    })
}

async fn take(world: &World<'_>, aws: &AwsHands) -> Value {
    let iam = &aws.responder.iam;
    let user = world.arg("user");
    let last = iam.get_access_key_last_used().access_key_id(world.arg("key_id")).send().await.map(|found| {
        found.access_key_last_used().map(|used| {
            json!({
                "at": used.last_used_date().map(ToString::to_string), "service": used.service_name(), "region": used.region(),
            })
        })
    });
    let keys = iam.list_access_keys().user_name(user).send().await;
    let keys = keys.map(|found| found.access_key_metadata().iter().map(key_shown).collect::<Vec<_>>());
    let inline = iam.list_user_policies().user_name(user).send().await.map(|found| found.policy_names().to_vec());
    let attached = iam.list_attached_user_policies().user_name(user).send().await.map(|found| {
        found.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)).collect::<Vec<_>>()
    });
    let groups = iam.list_groups_for_user().user_name(user).send().await;
    let groups = groups.map(|found| found.groups().iter().map(|group| group.group_name().to_owned()).collect::<Vec<_>>());
    json!({
        "user": user,
        "last_used": or_why(last, aws::words),
        "access_keys": or_why(keys, aws::words),
        "inline_policies": or_why(inline, aws::words),
        "attached_policies": or_why(attached, aws::words),
        "groups": or_why(groups, aws::words),
    })
}

impl Action for Snapshot {
    fn name(&self) -> &'static str {
        "aws-key-snapshot"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id", "user"]
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "iam:GetAccessKeyLastUsed",
            "iam:ListAccessKeys",
            "iam:ListUserPolicies",
            "iam:ListAttachedUserPolicies",
            "iam:ListGroupsForUser",
        ]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let user = with.get("user").map_or("", String::as_str);
        format!("write down what user {user} has now: keys, policies, groups, last use")
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match world.aws() {
                Ok(aws) => Outcome::Done(take(world, aws).await),
                Err(why) => Outcome::Refused(why),
            }
        })
    }
}
