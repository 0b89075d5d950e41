//! A sacrificial credential: an IAM user that may do nothing, with one access key. It bears the drill's name and path, so that
//! what a drill that died left behind can be told from everything else, and nothing else is ever removed.

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::Tag;

use super::super::DrillError;
use super::{Plant, Seed};
use crate::net::Responder;
use crate::secret::Secret;

/// The path of everything that drills plant.
const PATH: &str = "/staunch-drill/";
/// How the names of their users begin.
const PREFIX: &str = "staunch-drill-";
/// The policies that a response puts on a user begin so.
const OUR_POLICY: &str = "StaunchContain-";

fn refused<E: ProvideErrorMetadata, R>(what: &str) -> impl Fn(SdkError<E, R>) -> DrillError + '_ {
    move |error| {
        let code = error.code().unwrap_or("no answer that can be read");
        DrillError::Provider(format!("{what}: {code}"))
    }
}

/// The user's name for a drill's id.
pub(in crate::drill) fn name(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// Whether a user is one of ours: by its name and its path, never by one of them alone.
fn is_ours(name: &str, path: &str) -> bool {
    name.starts_with(PREFIX) && path == PATH
}

/// Makes the user. What fails afterwards leaves it behind; [`remove`] takes it away.
pub(in crate::drill) async fn user(responder: &Responder, id: &str) -> Result<(), DrillError> {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let tags = [tag("staunch-drill", id), tag("Team", "drill")];
    let tags: Vec<Tag> = tags.into_iter().filter_map(Result::ok).collect();
    let call = responder.iam.create_user().user_name(name(id)).path(PATH).set_tags(Some(tags));
    call.send().await.map(drop).map_err(refused("the sacrificial user could not be made (iam:CreateUser, iam:TagUser)"))
}

/// Makes its key.
pub(in crate::drill) async fn key(responder: &Responder, id: &str) -> Result<Plant, DrillError> {
    let made = responder.iam.create_access_key().user_name(name(id)).send().await;
    let made = made.map_err(refused("the sacrificial key could not be made (iam:CreateAccessKey)"))?;
    let key = made.access_key.ok_or(DrillError::Story("IAM made a key and did not show it"))?;
    let names = [("user", name(id)), ("key_id", key.access_key_id)].into();
    Ok(Plant { seed: Seed::AwsKey, names, secret: Secret::from_vec(key.secret_access_key.into_bytes()) })
}

/// Takes a planted user away with all that it has, and looks that it is gone. Another user is never touched.
pub(in crate::drill) async fn remove(responder: &Responder, user: &str) -> Result<(), DrillError> {
    let iam = &responder.iam;
    let found = match iam.get_user().user_name(user).send().await {
        Ok(found) => found,
        Err(error) if error.code() == Some("NoSuchEntity") => return Ok(()),
        Err(error) => return Err(refused("the sacrificial user cannot be looked at (iam:GetUser)")(error)),
    };
    let path = found.user().map_or("", |user| user.path());
    if !is_ours(user, path) {
        return Err(DrillError::NotOurs(format!("the user {path}{user}")));
    }
    let keys = iam.list_access_keys().user_name(user).send().await.map_err(refused("iam:ListAccessKeys"))?;
    for id in keys.access_key_metadata().iter().filter_map(|key| key.access_key_id()) {
        let call = iam.delete_access_key().user_name(user).access_key_id(id);
        call.send().await.map_err(refused("its key could not be deleted (iam:DeleteAccessKey)"))?;
    }
    let policies = iam.list_user_policies().user_name(user).send().await.map_err(refused("iam:ListUserPolicies"))?;
    for policy in policies.policy_names().iter().filter(|name| name.starts_with(OUR_POLICY)) {
        let call = iam.delete_user_policy().user_name(user).policy_name(policy);
        call.send().await.map_err(refused("its policy could not be deleted (iam:DeleteUserPolicy)"))?;
    }
    let gone = iam.delete_user().user_name(user).send().await;
    gone.map_err(refused("the sacrificial user could not be deleted (iam:DeleteUser)"))?;
    match iam.get_user().user_name(user).send().await {
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(()),
        _ => Err(DrillError::Provider(format!("the sacrificial user {user} was deleted, and is still there"))),
    }
}

/// The users that earlier drills left in the account.
pub async fn left_over(responder: &Responder) -> Result<Vec<String>, DrillError> {
    let listed = responder.iam.list_users().path_prefix(PATH).into_paginator().items().send();
    let users = listed.collect::<Result<Vec<_>, _>>().await.map_err(refused("iam:ListUsers"))?;
    let ours = users.iter().filter(|user| is_ours(user.user_name(), user.path()));
    Ok(ours.map(|user| user.user_name().to_owned()).collect())
}

/// Takes them away; gives their names.
pub async fn clear(responder: &Responder) -> Result<Vec<String>, DrillError> {
    let users = left_over(responder).await?;
    for user in &users {
        remove(responder, user).await?;
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a_name_or_a_path_alone_makes_nothing_ours() {
        assert!(is_ours("staunch-drill-ab", "/staunch-drill/"));
        assert!(!is_ours("staunch-drill-ab", "/") && !is_ours("payments", "/staunch-drill/"));
        assert!(!is_ours("staunch-drill-ab", "/staunch-drill/x/"));
    }
}
