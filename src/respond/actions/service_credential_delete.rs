//! `aws-service-credential-delete`: a long-term key of Bedrock or Claude Platform, once it is inactive.
//! Source: IAM API reference, ListServiceSpecificCredentials and DeleteServiceSpecificCredential.

use std::collections::BTreeMap;

use aws_sdk_iam::types::StatusType;
use serde_json::{Value, json};

use super::kept::ABSENT;
use super::service_credential_create::{all, delete, is};
use super::{Action, Doing, Needs, Outcome, Trouble, World};

pub(super) struct ServiceDelete;

async fn deleted(world: &World<'_>) -> Result<Outcome, Trouble> {
    let (user, id) = (world.arg("user"), world.arg("service_id"));
    let listed = match all(world, user).await {
        Err(Trouble::Absent) => Vec::new(),
        other => other?,
    };
    let gone = || json!({ "status": ABSENT });
    match listed.iter().find(|one| is(one, id)).map(|one| one.status().as_str()) {
        None => return Ok(Outcome::AlreadyDone(gone())),
        Some(status) if status == StatusType::Active.as_str() => {
            let what = "what is not deactivated is not deleted: somebody may be using it again";
            return Ok(Outcome::Refused(format!("{id} is {status}; {what}")));
        }
        Some(_) => {}
    }
    match delete(world, user, id).await {
        Ok(()) | Err(Trouble::Absent) => Ok(Outcome::Done(gone())),
        Err(trouble) => Err(trouble),
    }
}

impl Action for ServiceDelete {
    fn name(&self) -> &'static str {
        "aws-service-credential-delete"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user", "service_id"]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn reversible(&self) -> bool {
        false
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:ListServiceSpecificCredentials", "iam:UpdateServiceSpecificCredential", "iam:DeleteServiceSpecificCredential"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let arg = |name: &str| with.get(name).map_or("", String::as_str);
        format!("delete service-specific credential {} of user {}, if it is inactive", arg("service_id"), arg("user"))
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        // Its status changes in the run; whether it is deleted is looked at when it is.
        Box::pin(async move { Ok(json!({ "object": world.arg("service_id") })) })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { deleted(world).await.unwrap_or_else(Trouble::settles) })
    }
}
