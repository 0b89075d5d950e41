//! `aws-sweep-persistence`: what somebody may have made to come back with, since the exposure: users, access keys, console
//! passwords, service-specific credentials and roles that are newer, and in CloudTrail of every Region what the leaked key itself
//! made or changed, trust policies of roles too. Reads only. What could not be looked at is said to be unknown: a way back in may
//! be there. Sources: IAM API reference; facts 3.1 (persistence sweep), D.2 (7) and D.4 (7).

mod trail;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{ALIVE, Action, AwsHands, Doing, Needs, Outcome, Role, UNREAD, World, aws};

/// Users whose keys are looked at; a call for each.
const USERS: usize = 300;
/// Of the step's time, for what is being asked when it ends.
const SPARE: Duration = Duration::from_secs(20);
/// CloudTrail keeps events so long.
const DAYS: i64 = 90;

pub(super) struct Sweep;

/// What was found, and what could not be looked at.
#[derive(Default)]
struct Found {
    seen: Map<String, Value>,
    /// What was asked for, and not read.
    unread: Vec<String>,
}

impl Found {
    fn take(&mut self, what: &str, found: Result<Value, String>, permission: &str) {
        match found {
            Ok(value) => drop(self.seen.insert(what.to_owned(), value)),
            Err(why) => self.unread.push(aws::unread(what, &why, &[permission])),
        }
    }
}

/// Of a list that is read user by user: how many could not be, and the last reason.
#[derive(Default)]
struct Unread(usize, Option<String>);

impl Unread {
    fn take<T>(&mut self, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| {
            self.0 += 1;
            self.1 = Some(why);
        })
        .ok()
    }
}

async fn users(aws: &AwsHands) -> Result<Vec<aws_sdk_iam::types::User>, String> {
    let listed = aws.responder.iam.list_users().into_paginator().items().send();
    listed.collect::<Result<Vec<_>, _>>().await.map_err(|error| aws::words(&error))
}

/// New users, and new keys and console passwords of all.
async fn of_users(aws: &AwsHands, (since, end): (Timestamp, Instant), found: &mut Found) {
    let users = match users(aws).await {
        Ok(users) => users,
        Err(why) => {
            found.unread.push(aws::unread("users, their keys and console passwords", &why, &["iam:ListUsers"]));
            return;
        }
    };
    let is_new = |at: &aws_smithy_types::DateTime| aws::at(at).is_none_or(|at| at >= since);
    let new = users.iter().filter(|user| is_new(user.create_date()));
    let new: Vec<Value> =
        new.map(|user| json!({ "user": user.user_name(), "created": user.create_date().to_string() })).collect();
    found.seen.insert("users".to_owned(), json!(new));
    if users.len() > USERS {
        found.unread.push(format!("keys and console passwords of {} of {} users", users.len() - USERS, users.len()));
    }
    let (mut keys, mut passwords) = (Vec::new(), Vec::new());
    let (mut no_keys, mut no_password) = (Unread::default(), Unread::default());
    for (number, user) in users.iter().take(USERS).enumerate() {
        if Instant::now() > end {
            found.unread.push(format!("keys and console passwords of the last {} users: out of time", users.len() - number));
            break;
        }
        keys.extend(no_keys.take(keys_of(aws, user.user_name(), &is_new).await).unwrap_or_default());
        passwords.extend(no_password.take(password_of(aws, user.user_name(), &is_new).await).flatten());
    }
    for (what, list, part, Unread(unread, why), permission) in [
        ("access_keys", keys, "access keys", no_keys, "iam:ListAccessKeys"),
        ("console_passwords", passwords, "console passwords", no_password, "iam:GetLoginProfile"),
    ] {
        // A list that nobody could read is not an empty one.
        if unread < users.len() {
            found.seen.insert(what.to_owned(), json!(list));
        }
        let part = format!("{part} of {unread} of {} users", users.len());
        found.unread.extend(why.map(|why| aws::unread(&part, &why, &[permission])));
    }
}

/// A user's new keys.
async fn keys_of(
    aws: &AwsHands,
    name: &str,
    is_new: &impl Fn(&aws_smithy_types::DateTime) -> bool,
) -> Result<Vec<Value>, String> {
    let listed = aws.responder.iam.list_access_keys().user_name(name).send().await.map_err(|error| aws::words(&error))?;
    let fresh = listed.access_key_metadata().iter().filter(|key| key.create_date().is_none_or(is_new));
    let keys = fresh.map(|key| {
        let status = key.status().map(|status| status.as_str().to_owned());
        let created = key.create_date().map(ToString::to_string);
        json!({ "user": name, "key_id": key.access_key_id(), "status": status, "created": created })
    });
    Ok(keys.collect())
}

/// A user's console password, if it is new.
async fn password_of(
    aws: &AwsHands,
    name: &str,
    is_new: &impl Fn(&aws_smithy_types::DateTime) -> bool,
) -> Result<Option<Value>, String> {
    match aws.responder.iam.get_login_profile().user_name(name).send().await {
        Ok(profile) => Ok(profile
            .login_profile()
            .filter(|profile| is_new(profile.create_date()))
            .map(|profile| json!({ "user": name, "created": profile.create_date().to_string() }))),
        Err(error) if aws::is_absent(&error) => Ok(None),
        Err(error) => Err(aws::words(&error)),
    }
}

async fn service_credentials(aws: &AwsHands, since: Timestamp) -> Result<Value, String> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let call = aws.responder.iam.list_service_specific_credentials().all_users(true).set_marker(marker);
        let listed = call.send().await.map_err(|error| aws::words(&error))?;
        all.extend(listed.service_specific_credentials().to_vec());
        marker = listed.marker().filter(|_| listed.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    let new = all.iter().filter(|one| aws::at(one.create_date()).is_none_or(|at| at >= since));
    let shown = new.map(|one| {
        json!({
            "user": one.user_name(), "id": one.service_specific_credential_id(), "service": one.service_name(),
            "status": one.status().as_str(), "created": one.create_date().to_string(),
        })
    });
    Ok(shown.collect())
}

async fn roles(aws: &AwsHands, since: Timestamp) -> Result<Value, String> {
    let listed = aws.responder.iam.list_roles().into_paginator().items().send();
    let roles = listed.collect::<Result<Vec<_>, _>>().await.map_err(|error| aws::words(&error))?;
    let new = roles.iter().filter(|role| aws::at(role.create_date()).is_none_or(|at| at >= since));
    let shown = new.map(|role| {
        let trust = role
            .assume_role_policy_document()
            .map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned());
        json!({ "role": role.arn(), "created": role.create_date().to_string(), "trust": trust })
    });
    Ok(shown.collect())
}

/// One value or several of them.
fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Whether a trust policy lets in anybody of another account.
fn trusts_others(trust: &str, account: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(trust) else { return true };
    let elsewhere = |who: &Value| who.as_str().is_some_and(|who| who == "*" || !who.split(':').any(|part| part == account));
    each(&policy["Statement"]).iter().filter(|statement| statement["Effect"] == "Allow").any(|statement| {
        let who = &statement["Principal"];
        // All but somebody, or somebody of an identity provider's.
        !statement["NotPrincipal"].is_null()
            || who == "*"
            || who.get("Federated").is_some()
            || who.get("AWS").is_some_and(|who| each(who).iter().any(elsewhere))
    })
}

/// What of all this opens a door, in words.
fn alive(seen: &Map<String, Value>, account: &str) -> Vec<String> {
    let of = |what: &str| seen.get(what).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |one: &Value, what: &str| one[what].as_str().unwrap_or("?").to_owned();
    let active = |one: &Value| one["status"] == "Active";
    let keys = of("access_keys").into_iter().filter(active);
    let keys = keys.map(|one| format!("access key {} of {}", text(&one, "key_id"), text(&one, "user")));
    let passwords = of("console_passwords").into_iter().map(|one| format!("a console password of {}", text(&one, "user")));
    let bound = of("service_specific_credentials").into_iter().filter(active);
    let bound = bound.map(|one| format!("{} for {} of {}", text(&one, "id"), text(&one, "service"), text(&one, "user")));
    let roles =
        of("roles").into_iter().filter(|one| one["trust"].as_str().is_some_and(|trust| trusts_others(trust, account)));
    let roles = roles.map(|one| format!("{}, which another account may take on", text(&one, "role")));
    keys.chain(passwords).chain(bound).chain(roles).collect()
}

async fn sweep(world: &World<'_>) -> Outcome {
    let aws = match world.aws() {
        Ok(aws) => aws,
        Err(why) => return Outcome::Refused(why),
    };
    let (since, told) = since(world);
    let mut found = Found::default();
    // What was found by then is kept, and what was not is named.
    let end = Instant::now() + world.timeout.saturating_sub(SPARE);
    of_users(aws, (since, end), &mut found).await;
    let bound = service_credentials(aws, since).await;
    found.take("service_specific_credentials", bound, "iam:ListServiceSpecificCredentials");
    found.take("roles", roles(aws, since).await, "iam:ListRoles");
    let key_id = world.plan.target.get("key_id").map(String::as_str);
    let (events, trail::Blind { unread, never }) = trail::events(world, (aws, key_id), (since, end)).await;
    let looked = !found.seen.is_empty() || events.1;
    found.seen.insert("changes".to_owned(), json!(events.0));
    found.unread.extend(unread);
    let mut unknown = found.unread.clone();
    unknown.extend(never);
    if !looked {
        return Outcome::Unknown(format!("nothing could be looked at: {}", unknown.join("; ")));
    }
    unknown.push(
        "what lives outside IAM and the log: functions, instances and their roles, resource policies, other accounts that trust this one"
            .to_owned(),
    );
    found.seen.insert(ALIVE.to_owned(), json!(alive(&found.seen, &aws.account)));
    found.seen.insert("since".to_owned(), json!({ "at": since.to_string(), "is": told }));
    found.seen.insert("unknown".to_owned(), json!(unknown));
    if !found.unread.is_empty() {
        found.seen.insert(UNREAD.to_owned(), json!(found.unread));
    }
    Outcome::Done(Value::Object(found.seen))
}

/// From when on: the exposure; where nobody knows it, as far back as CloudTrail goes.
fn since(world: &World<'_>) -> (Timestamp, &'static str) {
    let oldest = world.plan.made_at.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
    match aws::exposed(world) {
        Some(at) => (at, "a day before it was exposed, by commit or image"),
        None => (oldest, "90 days: since when it was exposed is not known"),
    }
}

impl Action for Sweep {
    fn name(&self) -> &'static str {
        "aws-sweep-persistence"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "iam:ListUsers",
            "iam:ListAccessKeys",
            "iam:GetLoginProfile",
            "iam:ListServiceSpecificCredentials",
            "iam:ListRoles",
            "cloudtrail:LookupEvents",
        ]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn role(&self) -> Role {
        Role::Lists
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "list what is new in the account since the exposure, and what the key made in any Region: users, keys, passwords, roles, trust"
            .to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(sweep(world))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{alive, trusts_others};

    #[test]
    fn what_opens_a_door_is_named() {
        let trust = |who: serde_json::Value| json!({ "Statement": { "Effect": "Allow", "Principal": who } }).to_string();
        for (who, others) in [
            (json!({ "AWS": "arn:aws:iam::111122223333:root" }), false),
            (json!({ "Service": "lambda.amazonaws.com" }), false),
            (json!({ "AWS": ["111122223333", "arn:aws:iam::444455556666:root"] }), true),
            (json!({ "AWS": "*" }), true),
            (json!("*"), true),
            (json!({ "Federated": "arn:aws:iam::111122223333:oidc-provider/x" }), true),
        ] {
            assert_eq!(trusts_others(&trust(who.clone()), "111122223333"), others, "{who}");
        }
        assert!(trusts_others("not JSON", "111122223333"), "unknown is not no");
        let seen = json!({
            "access_keys": [{ "user": "eve", "key_id": "K1", "status": "Active" }, { "user": "eve", "key_id": "K2", "status": "Inactive" }],
            "console_passwords": [{ "user": "eve" }],
            "service_specific_credentials": [{ "user": "eve", "id": "S1", "service": "bedrock.amazonaws.com", "status": "Active" }],
            "roles": [{ "role": "arn:r", "trust": trust(json!("*")) }],
        });
        let told = alive(seen.as_object().expect("an object"), "111122223333");
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].contains("K1") && told[3].contains("arn:r"), "{told:?}");
    }
}
