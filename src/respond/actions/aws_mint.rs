//! `aws-key-create`: another access key for the same user, written to every store that holds the old one. A user has at most
//! two keys, `CreateAccessKey` takes no token by which a repeat would be known, and its secret is shown once.
//! Source: IAM API reference, CreateAccessKey, DeleteAccessKey; IAM and STS quotas (AccessKeysPerUser: 2).

use std::collections::BTreeMap;

use aws_sdk_iam::types::StatusType;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::replace::{Key, Mint, Minted, Replace};
use super::{Doing, Needs, Trouble, World, aws};
use crate::secret::Secret;

/// A user's keys, by IAM's quota.
const MOST: usize = 2;

pub(super) const KEY_CREATE: Replace = Replace(&AccessKey);

struct AccessKey;

/// Every key of a user.
pub(super) async fn keys(world: &World<'_>, user: &str) -> Result<Vec<Key>, Trouble> {
    let responder = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder;
    let listed = responder.iam.list_access_keys().user_name(user).into_paginator().items().send();
    let listed = listed.collect::<Result<Vec<_>, _>>().await.map_err(|error| aws::trouble(&error))?;
    let key = |key: aws_sdk_iam::types::AccessKeyMetadata| {
        let state = key.status.map_or_else(String::new, |status| status.as_str().to_owned());
        let made = key.create_date.and_then(|at| Timestamp::from_second(at.secs()).ok());
        Some(Key { id: key.access_key_id?, state, label: None, made })
    };
    Ok(listed.into_iter().filter_map(key).collect())
}

/// Deactivates a key, and then deletes it. What is not there is gone, save where its user has taken it along under another name.
pub(super) async fn delete(world: &World<'_>, user: &str, id: &str) -> Result<(), Trouble> {
    let iam = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder.iam;
    let gone = || async { aws::gone_with_its_user(world, (user, id)).await.map_err(Trouble::Unknown) };
    let update = iam.update_access_key().user_name(user).access_key_id(id).status(StatusType::Inactive);
    match update.send().await.map_err(|error| aws::trouble(&error)) {
        Ok(_) => {}
        Err(Trouble::Absent) => return gone().await,
        Err(trouble) => return Err(trouble),
    }
    let answered = iam.delete_access_key().user_name(user).access_key_id(id).send().await;
    let answered = answered.map_err(|error| aws::trouble(&error));
    match answered {
        Ok(_) | Err(Trouble::Unknown(_) | Trouble::Absent) => {}
        Err(trouble) => return Err(trouble),
    }
    // Done is what can be seen, not what was answered; and what cannot be seen may have been done.
    let left = match keys(world, user).await {
        Err(Trouble::Absent) => return gone().await,
        left => {
            left.map_err(|trouble| Trouble::Unknown(format!("whether {id} is gone cannot be seen: {}", trouble.why())))?
        }
    };
    if left.iter().any(|key| key.id == id) {
        return Err(Trouble::Unknown(format!("{id} was deleted, and is still listed")));
    }
    // Another user may have the old name by now.
    if matches!(answered, Err(Trouble::Absent)) { gone().await } else { Ok(()) }
}

/// When a key was used last, by IAM's record. Source: IAM API reference, GetAccessKeyLastUsed.
async fn used(world: &World<'_>, id: &str) -> Result<Option<Timestamp>, Trouble> {
    let iam = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder.iam;
    let found = iam.get_access_key_last_used().access_key_id(id).send().await.map_err(|error| aws::trouble(&error))?;
    let at = found.access_key_last_used().and_then(|used| used.last_used_date());
    Ok(at.and_then(|at| Timestamp::from_second(at.secs()).ok()))
}

async fn create(world: &World<'_>) -> Result<Minted, Trouble> {
    let iam = &world.aws().map_err(|why| Trouble::Refused { status: 0, why })?.responder.iam;
    let made = iam.create_access_key().user_name(world.arg("user")).send().await;
    let made = made.map_err(|error| aws::trouble(&error))?.access_key;
    let made = made.ok_or_else(|| Trouble::Unknown("IAM's answer has no key in it".to_owned()))?;
    let secret = Zeroizing::new(made.secret_access_key);
    let parts = vec![
        ("key_id".to_owned(), Secret::new(made.access_key_id.as_bytes())),
        ("secret".to_owned(), Secret::new(secret.as_bytes())),
    ];
    Ok(Minted { id: made.access_key_id, parts })
}

impl Mint for AccessKey {
    fn name(&self) -> &'static str {
        "aws-key-create"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id", "user"]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "iam:ListAccessKeys",
            "iam:CreateAccessKey",
            "iam:UpdateAccessKey",
            "iam:DeleteAccessKey",
            "iam:GetAccessKeyLastUsed",
        ]
    }

    fn what(&self, with: &BTreeMap<String, String>) -> String {
        format!("a second access key for user {}", with.get("user").map_or("", String::as_str))
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, _label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(keys(world, world.arg("user")))
    }

    fn room(&self, world: &World<'_>, keys: &[Key]) -> Result<(), String> {
        let (user, old) = (world.arg("user"), world.arg("key_id"));
        if !keys.iter().any(|key| key.id == old) {
            return Err(format!("user {user} has no access key {old} any more; make a new plan"));
        }
        let Some(other) = keys.iter().find(|key| key.id != old).filter(|_| keys.len() >= MOST) else { return Ok(()) };
        Err(format!(
            "user {user} has two access keys, as many as IAM allows, so there is no room for a new one. The other is {} ({}): if \
             nothing uses it (`aws iam get-access-key-last-used --access-key-id {0}`), delete it and make a new plan",
            other.id, other.state
        ))
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, _label: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(create(world))
    }

    fn used<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Timestamp>, Trouble>> {
        Box::pin(used(world, id))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(delete(world, world.arg("user"), id))
    }
}
