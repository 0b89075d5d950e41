//! `aws-service-credential-deactivate`: a long-term key of Bedrock or Claude Platform, which IAM keeps as a service-specific
//! credential: `iam:UpdateServiceSpecificCredential(Status=Inactive)`. Naturally idempotent, undone by the status seen before. Source:
//! IAM API reference, UpdateServiceSpecificCredential and ListServiceSpecificCredentials; facts A.3.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::types::StatusType;
use serde_json::{Value, json};

use super::kept::{self, ABSENT, Kept};
use super::{Action, Doing, Needs, Outcome, Role, World, asked, aws};
use crate::model::Liveness;

const PAUSE: Duration = Duration::from_secs(2);

pub(super) struct ServiceCredential;

/// Its status, or `absent`.
async fn status(world: &World<'_>) -> Result<String, String> {
    let call = world.aws()?.responder.iam.list_service_specific_credentials().user_name(world.arg("user"));
    let listed = match call.send().await {
        Ok(listed) => listed,
        Err(error) if aws::is_absent(&error) => return gone_with_its_user(world).await.map(|()| ABSENT.to_owned()),
        Err(error) => return Err(aws::words(&error)),
    };
    let id = world.arg("service_id");
    let found = listed.service_specific_credentials().iter().find(|one| one.service_specific_credential_id() == id);
    match found {
        Some(found) => Ok(found.status().as_str().to_owned()),
        // A list that is cut says nothing of what is not in it.
        None if listed.is_truncated() => Err("IAM lists more service-specific credentials than were read".to_owned()),
        None => Ok(ABSENT.to_owned()),
    }
}

/// Whether it is gone with its user: a user that was given another name takes it along.
async fn gone_with_its_user(world: &World<'_>) -> Result<(), String> {
    let (iam, mut marker) = (&world.aws()?.responder.iam, None);
    let (user, id) = (world.arg("user"), world.arg("service_id"));
    loop {
        let call = iam.list_service_specific_credentials().all_users(true).set_marker(marker);
        let listed = call.send().await.map_err(|error| {
            format!("there is no user {user}, and whose {id} is cannot be asked: {}", aws::words(&error))
        })?;
        let found = listed.service_specific_credentials().iter().find(|one| one.service_specific_credential_id() == id);
        if let Some(found) = found {
            let now = found.user_name();
            return Err(format!("there is no user {user} any more, and {id} is one of {now} now: make a new plan"));
        }
        marker = listed.marker().filter(|_| listed.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            return Ok(());
        }
    }
}

impl Kept for ServiceCredential {
    fn status<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<String, String>> {
        Box::pin(status(world))
    }

    fn set<'a>(&'a self, world: &'a World<'_>, wanted: StatusType) -> Doing<'a, Result<(), Outcome>> {
        Box::pin(async move {
            let iam = &world.aws().map_err(Outcome::Refused)?.responder.iam;
            let call = iam.update_service_specific_credential().user_name(world.arg("user"));
            let call = call.service_specific_credential_id(world.arg("service_id")).status(wanted);
            call.send().await.map(drop).map_err(|error| aws::settles(&error))
        })
    }
}

/// `aws-service-credential-verify`: asks as the leaked key; where its service does not tell a refused key from one that may not ask
/// (Bedrock's 403), what counts is that IAM reads it back as Inactive.
pub(super) struct ServiceCredentialRefused;

async fn refused(world: &World<'_>) -> Outcome {
    let deadline = tokio::time::Instant::now() + world.timeout;
    loop {
        let why = match asked(world).await {
            Liveness::Dead(why) => return Outcome::Done(json!({ "refused": why })),
            Liveness::Live(_) | Liveness::Limited(..) => "its service still accepts it".to_owned(),
            Liveness::Unknown(why) => match status(world).await {
                Ok(now) if now != StatusType::Active.as_str() => {
                    return Outcome::Done(json!({ "status": now, "by": "IAM", "asked": why }));
                }
                Ok(now) => format!("IAM reads it as {now}"),
                Err(why) => why,
            },
            Liveness::NotChecked(why) => why.unwrap_or_else(|| "nothing can be asked about it".to_owned()),
        };
        if tokio::time::Instant::now() + PAUSE > deadline {
            return Outcome::Unknown(format!("{why} (asked for {} s)", world.timeout.as_secs()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Action for ServiceCredentialRefused {
    fn name(&self) -> &'static str {
        "aws-service-credential-verify"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user", "service_id"]
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:ListServiceSpecificCredentials"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ask as the leaked key until it is refused, or until IAM reads it back as Inactive".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(refused(world))
    }
}

impl Action for ServiceCredential {
    fn name(&self) -> &'static str {
        "aws-service-credential-deactivate"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user", "service_id"]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["iam:ListServiceSpecificCredentials", "iam:UpdateServiceSpecificCredential"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Stops
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let arg = |name: &str| with.get(name).map_or("", String::as_str);
        format!("set service-specific credential {} of user {} to Inactive", arg("service_id"), arg("user"))
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("set it back to the status it had".to_owned())
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
