//! `aws-user-deny`: an inline policy of our own that denies a user what an attacker wants, the right to take the policy off again, and
//! everything to sessions that were made until it was put there. Idempotent (same name, same document); undone by deleting it, if it is still ours.
//!
//! AWS's own quarantine policies leave gaps (bearer tokens, bedrock-mantle, Claude Platform, service-specific credentials,
//! AssumeRole) and break reads of S3; so this is ours. Sources: facts A.11, A.12 and D.4; IAM user guide, "Revoke IAM role
//! temporary security credentials".

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::sessions::same;
use super::{Action, Doing, Needs, Outcome, World, aws, sessions};

/// What an attacker does with a stolen key: run models, keep a way in, spend, put out the log; and what a second key of the user's
/// would need to be rid of this policy. Of IAM nothing is left but to read.
const DENIED: &[&str] = &[
    "bedrock:*",
    "bedrock-mantle:*",
    "aws-external-anthropic:*",
    "sagemaker:InvokeEndpoint*",
    "sagemaker:CreateEndpointConfig",
    "aws-marketplace:Subscribe",
    "aws-marketplace:AcceptAgreementRequest",
    "sts:AssumeRole",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
    "iam:Add*",
    "iam:Attach*",
    "iam:ChangePassword",
    "iam:Create*",
    "iam:Deactivate*",
    "iam:Delete*",
    "iam:Detach*",
    "iam:Enable*",
    "iam:PassRole",
    "iam:Put*",
    "iam:Remove*",
    "iam:Reset*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:Update*",
    "iam:Upload*",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "ec2:RunInstances",
];

/// What the first versions did not deny yet; their runs are walked back by what they wrote.
const LATER: &[&str] = &[
    "iam:ChangePassword",
    "iam:Deactivate*",
    "iam:Delete*",
    "iam:Detach*",
    "iam:Enable*",
    "iam:Remove*",
    "iam:Reset*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:Upload*",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
];

/// The same as the first versions wrote it.
fn first() -> Vec<&'static str> {
    DENIED.iter().copied().filter(|action| !LATER.contains(action)).collect()
}

pub(super) struct Deny;

/// Named after the plan, so that a second plan's policy is its own.
fn name(world: &World<'_>) -> String {
    format!("StaunchContain-{}", world.digest.get(..12).unwrap_or("plan"))
}

/// The policy denies new sessions besides, so nobody is met by this who should not be; the key is taken for seconds after it was
/// stopped, and clocks differ.
const MARGIN: Duration = Duration::from_mins(1);

fn denies(actions: &[&str], before: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Sid": "StaunchDeny", "Effect": "Deny", "Action": actions, "Resource": "*" },
            sessions::denied(before),
        ],
    })
    .to_string()
}

fn document(before: &str) -> String {
    denies(DENIED, before)
}

/// Whether a document is what the run wrote.
fn ours(world: &World<'_>, found: &str) -> bool {
    sessions::wrote(world, found, |before| vec![denies(DENIED, before), denies(&first(), before)])
}

/// The document under our name, or none.
async fn read(world: &World<'_>) -> Result<Option<String>, String> {
    let call = world.aws()?.responder.iam.get_user_policy().user_name(world.arg("user")).policy_name(name(world));
    match call.send().await {
        Ok(found) => Ok(Some(percent_decode_str(found.policy_document()).decode_utf8_lossy().into_owned())),
        Err(error) if aws::is_absent(&error) => Ok(None),
        Err(error) => Err(aws::words(&error)),
    }
}

fn shown(world: &World<'_>, document: &str) -> Value {
    json!({ "policy": name(world), "sha256": sessions::sha256(document.as_bytes()) })
}

async fn put(world: &World<'_>, wanted: &str) -> Outcome {
    let iam = match world.aws() {
        Ok(aws) => &aws.responder.iam,
        Err(why) => return Outcome::Refused(why),
    };
    let call = iam.put_user_policy().user_name(world.arg("user")).policy_name(name(world)).policy_document(wanted);
    if let Err(error) = call.send().await {
        return aws::settles(&error);
    }
    match read(world).await {
        Ok(Some(found)) if same(&found, wanted) => Outcome::Done(shown(world, wanted)),
        Ok(_) => Outcome::Unknown("IAM accepted the policy, but it does not read back as it was written".to_owned()),
        Err(why) => Outcome::Unknown(format!("IAM accepted the policy, but it cannot be read back: {why}")),
    }
}

/// What there is to say where no policy is to be seen under our name. A user that was given another name takes it along.
async fn gone(world: &World<'_>) -> Outcome {
    let user = world.arg("user");
    let found = match world.aws() {
        Ok(aws) => aws.responder.iam.get_user().user_name(user).send().await,
        Err(why) => return Outcome::Refused(why),
    };
    match found {
        Ok(_) => Outcome::AlreadyDone(json!({ "policy": null })),
        Err(error) if aws::is_absent(&error) => Outcome::Unknown(format!(
            "there is no user {user} any more: one that was given another name has the policy {} still, and is to be rid of it by hand",
            name(world)
        )),
        Err(error) => {
            Outcome::Unknown(format!("whether there is still a user {user} cannot be asked: {}", aws::words(&error)))
        }
    }
}

async fn remove(world: &World<'_>) -> Outcome {
    let iam = match world.aws() {
        Ok(aws) => &aws.responder.iam,
        Err(why) => return Outcome::Refused(why),
    };
    let call = iam.delete_user_policy().user_name(world.arg("user")).policy_name(name(world));
    match call.send().await {
        Err(error) if aws::is_absent(&error) => gone(world).await,
        Err(error) => aws::settles(&error),
        Ok(_) => match read(world).await {
            Ok(None) => Outcome::Done(json!({ "policy": null })),
            Ok(Some(_)) => Outcome::Unknown("IAM accepted the deletion, but the policy is still there".to_owned()),
            Err(why) => Outcome::Unknown(why),
        },
    }
}

impl Action for Deny {
    fn name(&self) -> &'static str {
        "aws-user-deny"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user"]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:GetUser", "iam:GetUserPolicy", "iam:PutUserPolicy", "iam:DeleteUserPolicy"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let user = with.get("user").map_or("", String::as_str);
        format!(
            "put an inline policy on user {user}: deny models (Bedrock, Claude Platform, SageMaker), every change in IAM, roles and new \
             sessions, and everything to sessions made until then; the user's other access keys lose these too"
        )
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("delete that policy, if it is still as it was written".to_owned())
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        // The policy's name holds the plan's digest, so it cannot be there while planning; the user can be gone.
        Box::pin(async move {
            match world.aws()?.responder.iam.get_user().user_name(world.arg("user")).send().await {
                Ok(_) => Ok(json!({ "user": "present" })),
                Err(error) if aws::is_absent(&error) => Ok(json!({ "user": "absent" })),
                Err(error) => Err(aws::words(&error)),
            }
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match read(world).await {
                Err(why) => return Outcome::Unknown(why),
                Ok(Some(found)) if same(&found, &document(&aws::moment(sessions::before(world)))) => {
                    return Outcome::AlreadyDone(shown(world, &found));
                }
                Ok(_) => {}
            }
            match sessions::anew(world, MARGIN, document).await {
                Ok(document) => put(world, &document).await,
                Err(why) => Outcome::Failed(why),
            }
        })
    }

    fn holds<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Option<bool>, String>> {
        Box::pin(async move {
            let found = read(world).await?;
            Ok(Some(found.is_some_and(|found| ours(world, &found))))
        })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match read(world).await {
                Err(why) => Outcome::Unknown(why),
                Ok(None) => gone(world).await,
                Ok(Some(found)) if !ours(world, &found) => {
                    Outcome::Refused(format!("somebody changed the policy {}; look at it before it is deleted", name(world)))
                }
                Ok(Some(_)) => remove(world).await,
            }
        })
    }
}
