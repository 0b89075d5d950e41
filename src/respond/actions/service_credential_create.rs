//! `aws-service-credential-create`: another long-term key of Bedrock or Claude Platform for the same IAM user, written to every store that
//! holds the old one. A user has at most two of a service, IAM takes no token by which a repeat would be known, and the value is shown
//! once. `ResetServiceSpecificCredential` is never used: it kills the old value at once.
//!
//! IAM keeps no record of their use, and they have no names. So one that a crash has left is named, and deleted only where a person
//! says that nobody uses it: whether somebody else made it cannot be told.
//! Source: IAM API reference, Create-, List-, Update- and DeleteServiceSpecificCredential (`CredentialAgeDays`: 1 to 36600,
//! `ServiceCredentialSecret` once); facts A.3 for the limit of two.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{ServiceSpecificCredentialMetadata, StatusType};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::replace::{Key, Mint, Minted, Replace};
use super::{Doing, Needs, Trouble, World, aws};
use crate::secret::Secret;

/// Of a user, for one service.
const MOST: usize = 2;
const DAY: i64 = 86_400;
const OLDEST: i64 = 36_600;

pub(super) const SERVICE_CREATE: Replace = Replace(&ServiceKey);

struct ServiceKey;

/// Every one of a user's.
pub(super) async fn all(world: &World<'_>, user: &str) -> Result<Vec<ServiceSpecificCredentialMetadata>, Trouble> {
    let iam = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder.iam;
    let listed = iam.list_service_specific_credentials().user_name(user).send().await;
    let listed = listed.map_err(|error| aws::trouble(&error))?;
    // A list that is cut says nothing of what is not in it.
    if listed.is_truncated() {
        return Err(Trouble::Unknown("IAM lists more service-specific credentials than were read".to_owned()));
    }
    Ok(listed.service_specific_credentials.unwrap_or_default())
}

pub(super) fn is(one: &ServiceSpecificCredentialMetadata, id: &str) -> bool {
    one.service_specific_credential_id() == id
}

/// Those of the service that the old one is for.
async fn alike(world: &World<'_>) -> Result<Vec<ServiceSpecificCredentialMetadata>, Trouble> {
    let mut listed = all(world, world.arg("user")).await?;
    let id = world.arg("service_id");
    let service = listed.iter().find(|one| is(one, id)).map(|one| one.service_name().to_owned());
    let service = service.ok_or_else(|| {
        let why = format!("user {} has no service-specific credential {id} any more; make a new plan", world.arg("user"));
        Trouble::Refused { status: 0, why }
    })?;
    listed.retain(|one| one.service_name() == service);
    Ok(listed)
}

/// So many days the old one was given; nothing where it does not expire.
fn age(old: &ServiceSpecificCredentialMetadata) -> Option<i32> {
    let days = (old.expiration_date()?.secs() - old.create_date().secs() + DAY / 2) / DAY;
    i32::try_from(days.clamp(1, OLDEST)).ok()
}

async fn create(world: &World<'_>) -> Result<Minted, Trouble> {
    let alike = alike(world).await?;
    let old = alike.iter().find(|one| is(one, world.arg("service_id"))).ok_or(Trouble::Absent)?;
    let iam = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder.iam;
    let call = iam.create_service_specific_credential().user_name(world.arg("user")).service_name(old.service_name());
    let made = call.set_credential_age_days(age(old)).send().await.map_err(|error| aws::trouble(&error))?;
    let made =
        made.service_specific_credential.map(|made| (made.service_specific_credential_id, made.service_credential_secret));
    let Some((id, Some(secret))) = made else {
        return Err(Trouble::Unknown("IAM's answer has no key in it".to_owned()));
    };
    let secret = Zeroizing::new(secret);
    Ok(Minted { id, parts: vec![("key".to_owned(), Secret::new(secret.as_bytes()))] })
}

/// Sets one to Inactive, deletes it, and looks.
pub(super) async fn delete(world: &World<'_>, user: &str, id: &str) -> Result<(), Trouble> {
    let iam = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder.iam;
    let update = iam.update_service_specific_credential().user_name(user).service_specific_credential_id(id);
    update.status(StatusType::Inactive).send().await.map_err(|error| aws::trouble(&error))?;
    let gone = iam.delete_service_specific_credential().user_name(user).service_specific_credential_id(id).send().await;
    if let Err(error) = gone {
        let trouble = aws::trouble(&error);
        if !matches!(trouble, Trouble::Unknown(_) | Trouble::Absent) {
            return Err(trouble);
        }
    }
    // Done is what can be seen, not what was answered.
    if all(world, user).await?.iter().any(|one| is(one, id)) {
        return Err(Trouble::Unknown(format!("{id} was deleted, and is still listed")));
    }
    Ok(())
}

impl Mint for ServiceKey {
    fn name(&self) -> &'static str {
        "aws-service-credential-create"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user", "service_id"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "iam:ListServiceSpecificCredentials",
            "iam:CreateServiceSpecificCredential",
            "iam:UpdateServiceSpecificCredential",
            "iam:DeleteServiceSpecificCredential",
        ]
    }

    fn what(&self, with: &BTreeMap<String, String>) -> String {
        let user = with.get("user").map_or("", String::as_str);
        format!(
            "a second service-specific credential of the same service for user {user}, which lives as long as the old one was to"
        )
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, _label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(async move {
            let key = |one: ServiceSpecificCredentialMetadata| Key {
                state: one.status().as_str().to_owned(),
                made: Timestamp::from_second(one.create_date().secs()).ok(),
                id: one.service_specific_credential_id,
                label: None,
            };
            Ok(alike(world).await?.into_iter().map(key).collect())
        })
    }

    fn room(&self, world: &World<'_>, keys: &[Key]) -> Result<(), String> {
        let (user, old) = (world.arg("user"), world.arg("service_id"));
        let Some(other) = keys.iter().find(|key| key.id != old).filter(|_| keys.len() >= MOST) else { return Ok(()) };
        Err(format!(
            "user {user} has two such credentials, as many as IAM allows, so there is no room for a new one. The other is {} ({}): if \
             nothing uses it, delete it and make a new plan",
            other.id, other.state
        ))
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, _label: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(create(world))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(delete(world, world.arg("user"), id))
    }
}
