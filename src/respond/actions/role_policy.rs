//! Inline policies of our own on a role. `aws-role-revoke-sessions` denies everything to sessions that were made until it was put there;
//! `aws-role-deny-bearer` denies bearer tokens alone, which is what short-term keys of Bedrock are. Idempotent (same name, same
//! document); undone by deleting it, if it is still ours. Sources: IAM user guide, "Revoke IAM role temporary security
//! credentials" (`AWSRevokeOlderSessions`); facts A.4, A.9, A.12.
//!
//! A role's long-term keys do not exist, so the time of issue decides. New sessions work: whoever may still take the role on is in
//! its trust policy.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::sessions::same;
use super::{Action, Doing, Needs, Outcome, Role, World, asked, aws, sessions};
use crate::model::Liveness;

pub(super) struct RolePolicy {
    name: &'static str,
    /// How the policy's name begins.
    prefix: &'static str,
    effect: &'static str,
    /// What it denies, by the moment when it was first put there.
    statement: fn(&str) -> Value,
}

pub(super) const REVOKE: RolePolicy = RolePolicy {
    name: "aws-role-revoke-sessions",
    prefix: "StaunchRevoke",
    effect: "deny everything to the sessions of role {role} that were made until then; whatever runs as it must take it on again",
    statement: sessions::denied,
};

pub(super) const BEARER: RolePolicy = RolePolicy {
    name: "aws-role-deny-bearer",
    prefix: "StaunchBearer",
    effect: "deny bearer tokens (API keys of Bedrock and Claude Platform) to all sessions of role {role}; signed calls go on",
    statement: |_| {
        json!({
            "Sid": "StaunchDenyBearer", "Effect": "Deny", "Resource": "*",
            "Action": ["bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken", "aws-external-anthropic:CallWithBearerToken"],
        })
    },
};

/// Paths of roles that AWS keeps for itself or for single sign-on; nobody else may change them (IAM user guide, service-linked
/// roles; IAM Identity Center, reserved roles).
const OF_AWS: [&str; 2] = ["/aws-service-role/", "/aws-reserved/"];

impl RolePolicy {
    /// Named after the plan, so that a second plan's policy is its own.
    fn policy(&self, world: &World<'_>) -> String {
        format!("{}-{}", self.prefix, world.digest.get(..12).unwrap_or("plan"))
    }

    fn document(&self, before: &str) -> String {
        json!({ "Version": "2012-10-17", "Statement": [(self.statement)(before)] }).to_string()
    }

    /// Whether a document is what the run wrote.
    fn wrote(&self, world: &World<'_>, found: &str) -> bool {
        sessions::wrote(world, found, |before| vec![self.document(before)])
    }

    /// The document under our name, or none.
    async fn read(&self, world: &World<'_>) -> Result<Option<String>, String> {
        let call = world.aws()?.responder.iam.get_role_policy().role_name(world.arg("role")).policy_name(self.policy(world));
        match call.send().await {
            Ok(found) => Ok(Some(percent_decode_str(found.policy_document()).decode_utf8_lossy().into_owned())),
            Err(error) if aws::is_absent(&error) => Ok(None),
            Err(error) => Err(aws::words(&error)),
        }
    }

    async fn put(&self, world: &World<'_>, wanted: &str) -> Outcome {
        let policy = self.policy(world);
        let iam = match world.aws() {
            Ok(aws) => &aws.responder.iam,
            Err(why) => return Outcome::Refused(why),
        };
        let call = iam.put_role_policy().role_name(world.arg("role")).policy_name(&policy).policy_document(wanted);
        if let Err(error) = call.send().await {
            return aws::settles(&error);
        }
        match self.read(world).await {
            Ok(Some(found)) if same(&found, wanted) => Outcome::Done(json!({ "policy": policy })),
            Ok(_) => Outcome::Unknown("IAM accepted the policy, but it does not read back as it was written".to_owned()),
            Err(why) => Outcome::Unknown(format!("IAM accepted the policy, but it cannot be read back: {why}")),
        }
    }

    async fn remove(&self, world: &World<'_>) -> Outcome {
        let iam = match world.aws() {
            Ok(aws) => &aws.responder.iam,
            Err(why) => return Outcome::Refused(why),
        };
        let call = iam.delete_role_policy().role_name(world.arg("role")).policy_name(self.policy(world));
        match call.send().await {
            Err(error) if aws::is_absent(&error) => Outcome::AlreadyDone(json!({ "policy": null })),
            Err(error) => aws::settles(&error),
            Ok(_) => match self.read(world).await {
                Ok(None) => Outcome::Done(json!({ "policy": null })),
                Ok(Some(_)) => Outcome::Unknown("IAM accepted the deletion, but the policy is still there".to_owned()),
                Err(why) => Outcome::Unknown(why),
            },
        }
    }
}

impl Action for RolePolicy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes(&self) -> &'static [&'static str] {
        &["role"]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Stops
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        self.effect.replace("{role}", with.get("role").map_or("", String::as_str))
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("delete that policy, if it is still as it was written".to_owned())
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let found = match world.aws()?.responder.iam.get_role().role_name(world.arg("role")).send().await {
                Ok(found) => found,
                Err(error) if aws::is_absent(&error) => return Ok(json!({ "role": "absent" })),
                Err(error) => return Err(aws::words(&error)),
            };
            let path = found.role().map_or("/", |role| role.path()).to_owned();
            Ok(json!({ "role": "present", "path": path }))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let path = world.before.get("path").and_then(Value::as_str).unwrap_or_default();
            if OF_AWS.iter().any(|of| path.starts_with(of)) {
                let what = "the role is kept by AWS or by single sign-on and takes no policy of ours: end the session there, or deny it by a \
                            service control policy";
                return Outcome::Refused(what.to_owned());
            }
            // Others work in that role: for what has ended by itself they are not disturbed.
            if let Liveness::Dead(why) = asked(world).await {
                return Outcome::Refused(format!(
                    "it is refused already, so the role's other sessions are left alone ({why})"
                ));
            }
            match self.read(world).await {
                Err(why) => return Outcome::Unknown(why),
                Ok(Some(found)) if same(&found, &self.document(&aws::moment(sessions::before(world)))) => {
                    return Outcome::AlreadyDone(json!({ "policy": self.policy(world) }));
                }
                Ok(_) => {}
            }
            // Others take the role on again at once, so there is no margin.
            match sessions::anew(world, Duration::ZERO, |before| self.document(before)).await {
                Ok(document) => self.put(world, &document).await,
                Err(why) => Outcome::Failed(why),
            }
        })
    }

    fn holds<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Option<bool>, String>> {
        Box::pin(async move {
            let found = self.read(world).await?;
            Ok(Some(found.is_some_and(|found| self.wrote(world, &found))))
        })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match self.read(world).await {
                Err(why) => Outcome::Unknown(why),
                Ok(None) => Outcome::AlreadyDone(json!({ "policy": null })),
                Ok(Some(found)) if !self.wrote(world, &found) => {
                    let policy = self.policy(world);
                    Outcome::Refused(format!("somebody changed the policy {policy}; look at it before it is deleted"))
                }
                Ok(Some(_)) => self.remove(world).await,
            }
        })
    }
}
