//! AWS IAM: access key id → user → the owner that its tags declare.
//!
//! Three read-only calls by the responder, never by the leaked key: `GetAccessKeyLastUsed` resolves the key id without
//! listing, `GetUser` gives the ARN and tags, `ListUserTags` the tags where `GetUser` is refused or leaves them out. What
//! is refused stays unknown and is said; it never counts as "no owner". IAM answers `AccessDenied` also for keys that do
//! not exist or belong to another account, so nothing follows from that about the key.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::AccessKeyLastUsed;

use super::identity::name_of;
use super::tags::accountable;
use crate::model::{Edge, Evidence, Owner, Tier};
use crate::ownership::roll::{Roll, clean, evidence, owner};

/// What IAM said of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IamAnswer {
    /// The user, proven, and those whom its tags name, declared.
    pub owners: Vec<Owner>,
    /// The user's ARN, where IAM named it.
    pub arn: Option<String>,
    /// When and for what the key was used last.
    pub facts: BTreeMap<&'static str, String>,
    /// What stays unknown and why, in words that say what to do.
    pub unknown: Vec<String>,
}

/// Asks IAM whose an access key is. `client` acts as the responder in the account that owns the key.
pub async fn iam_owners(client: &Client, key_id: &str) -> IamAnswer {
    let mut answer = IamAnswer::default();
    if !is_long_term(key_id) {
        let why = "IAM knows users of long-term keys (AKIA…) only: the identity that STS gives names the rest";
        answer.unknown.push(why.to_owned());
        return answer;
    }
    let key = match client.get_access_key_last_used().access_key_id(key_id).send().await {
        Ok(key) => key,
        Err(error) => return answer.without("whose key it is", "iam:GetAccessKeyLastUsed", &error),
    };
    let Some(user) = key.user_name().filter(|user| !user.is_empty()) else {
        answer.unknown.push("whose key it is: IAM named no user for it".to_owned());
        return answer;
    };
    answer.facts = use_of(key.access_key_last_used());
    let last = evidence("iam-key-last-used", "iam:GetAccessKeyLastUsed", last_used(user, key.access_key_last_used()));
    let mut roll = Roll::default();
    answer.user(client, user, last, &mut roll).await;
    answer.owners = roll.finish();
    answer
}

impl IamAnswer {
    /// The user's ARN and tags.
    async fn user(&mut self, client: &Client, user: &str, last: Evidence, roll: &mut Roll) {
        let (mut arn, mut tags, mut source) = (None, Vec::new(), "iam:GetUser");
        match client.get_user().user_name(user).send().await {
            Ok(output) => {
                if let Some(user) = output.user() {
                    arn = Some(user.arn().to_owned()).filter(|arn| arn.starts_with("arn:"));
                    tags = user.tags().to_vec();
                }
            }
            Err(error) => self.miss("the user's ARN", "iam:GetUser", &error),
        }
        if tags.is_empty() {
            source = "iam:ListUserTags";
            // A user has 50 tags at most, and a page holds 100.
            match client.list_user_tags().user_name(user).send().await {
                Ok(output) => tags = output.tags,
                Err(error) => self.miss("who is accountable by the user's tags", source, &error),
            }
        }
        let (id, name) = match &arn {
            Some(arn) => (clean(arn), name_of(arn)),
            None => (format!("iam-user:{}", clean(user)), format!("user/{}", clean(user))),
        };
        self.arn = arn;
        let mut principal = owner(Edge::Principal, id, name, Tier::Proven);
        principal.evidence.push(last);
        roll.add(principal);
        for tag in &tags {
            if let Some(accountable) = accountable((tag.key(), tag.value()), ("iam-user-tag", source)) {
                roll.add(accountable);
            }
        }
    }

    fn miss<E: ProvideErrorMetadata, R>(&mut self, what: &str, call: &str, error: &SdkError<E, R>) {
        self.unknown.push(format!("{what}: {}", reason(call, error)));
    }

    fn without<E: ProvideErrorMetadata, R>(mut self, what: &str, call: &str, error: &SdkError<E, R>) -> Self {
        self.miss(what, call, error);
        self
    }
}

/// Why a call failed. The provider's own message is left out: it may repeat what was sent.
pub(super) fn reason<E: ProvideErrorMetadata, R>(call: &str, error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code @ ("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")) => {
                format!("{call} refused ({code}): allow it for the responder, in the account that owns the key")
            }
            Some("NoSuchEntity") => format!("{call}: no such user in the responder's account"),
            Some(code) => format!("{call} failed ({})", clean(code)),
            None => format!("{call} failed without an error code"),
        },
        SdkError::TimeoutError(_) => format!("{call} timed out"),
        SdkError::DispatchFailure(_) => format!("{call} could not be reached"),
        SdkError::ConstructionFailure(_) => format!("{call} could not be built"),
        _ => format!("{call} gave an answer that could not be read"),
    }
}

/// Whether it could be the id of a user's own key.
pub(super) fn is_long_term(key_id: &str) -> bool {
    key_id.starts_with("AKIA") && is_key_id(key_id)
}

/// Whether it could be the id of a session's key.
pub(super) fn is_session(key_id: &str) -> bool {
    key_id.starts_with("ASIA") && is_key_id(key_id)
}

/// Whether it could be the id of any access key (API reference, `accessKeyIdType`).
pub(super) fn is_key_id(key_id: &str) -> bool {
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (16..=128).contains(&key_id.len()) && key_id.bytes().all(fits)
}

fn last_used(user: &str, last: Option<&AccessKeyLastUsed>) -> String {
    let (user, facts) = (clean(user), use_of(last));
    match (&facts["last_used"], facts.get("last_used_service"), facts.get("last_used_region")) {
        (date, Some(service), Some(region)) => format!("key of user {user}, last used {date} for {service} in {region}"),
        (never, ..) => format!("key of user {user}, {never}"),
    }
}

/// `last_used` and, where there is a date, for which service and in which Region. IAM records use since April 2015, and a
/// use may take hours to show (API reference, `AccessKeyLastUsed`).
fn use_of(last: Option<&AccessKeyLastUsed>) -> BTreeMap<&'static str, String> {
    let dated = last.and_then(|last| Some((last, jiff::Timestamp::from_second(last.last_used_date()?.secs()).ok()?)));
    match dated {
        Some((last, date)) => [
            ("last_used", date.to_string()),
            ("last_used_service", clean(last.service_name())),
            ("last_used_region", clean(last.region())),
        ]
        .into(),
        None => [("last_used", "no use on record".to_owned())].into(),
    }
}

#[cfg(test)]
mod tests;
