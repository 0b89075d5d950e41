//! What the AWS actions share: how an SDK error reads, and what it settles.

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Trouble, World};

/// Whether an error means that the thing does not exist.
pub(super) fn is_absent<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("NoSuchEntity")
}

/// Whether a key whose user is not there is gone as well: a user that was given another name takes its keys along. IAM names a key's
/// user wherever it has the key (IAM API reference, GetAccessKeyLastUsed).
///
/// # Errors
/// In words: whose it is now, or that nobody can tell.
pub(super) async fn gone_with_its_user(world: &World<'_>, (user, id): (&str, &str)) -> Result<(), String> {
    let iam = &world.aws()?.responder.iam;
    match iam.get_access_key_last_used().access_key_id(id).send().await {
        Ok(found) => match found.user_name().filter(|now| !now.is_empty() && *now != user) {
            Some(now) => Err(format!("there is no user {user} any more, and {id} is a key of {now} now: make a new plan")),
            None => Ok(()),
        },
        // Of what is not there IAM says that it may not be asked about.
        Err(error) if is_absent(&error) || matches!(settles(&error), Outcome::Refused(_)) => Ok(()),
        Err(error) => Err(format!("there is no user {user}, and whose key {id} is cannot be asked: {}", words(&error))),
    }
}

/// An error in words: the service's own code and message, or what kept it from answering. Neither holds a secret.
pub(super) fn words<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => match error {
            SdkError::TimeoutError(_) => "IAM did not answer in time".to_owned(),
            SdkError::DispatchFailure(_) => "IAM cannot be reached".to_owned(),
            SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
            _ => "IAM's answer cannot be read".to_owned(),
        },
    }
}

/// A part of a list that could not be read, in words: which, why, and where that is why, the permission that is missing.
pub(super) fn unread(part: &str, why: &str, permissions: &[&str]) -> String {
    let refused = ["AccessDenied", "UnauthorizedOperation"].iter().any(|word| why.starts_with(word));
    let lacks = if refused { format!("; the responder lacks {}", permissions.join(" or ")) } else { String::new() };
    format!("{part}: {why}{lacks}")
}

/// The same, for what is put together of several calls.
pub(super) fn trouble<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Trouble {
    if is_absent(error) {
        return Trouble::Absent;
    }
    match settles(error) {
        Outcome::Refused(why) => Trouble::Refused { status: 0, why },
        Outcome::Failed(why) => Trouble::Failed(why),
        _ => Trouble::Unknown(words(error)),
    }
}

/// What an error of a changing call settles. A refusal changed nothing; after a timeout or a server error nobody knows.
pub(super) fn settles<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Outcome {
    let words = words(error);
    match error {
        SdkError::ConstructionFailure(_) => Outcome::Failed(words),
        SdkError::ServiceError(_) => match error.code() {
            Some("AccessDenied" | "AccessDeniedException" | "UnrecognizedClientException" | "InvalidClientTokenId") => {
                Outcome::Refused(words)
            }
            Some("ServiceFailure" | "InternalFailure" | "InternalError" | "ServiceUnavailable") | None => {
                Outcome::Unknown(words)
            }
            Some(_) => Outcome::Failed(words),
        },
        _ => Outcome::Unknown(words),
    }
}

/// A moment of the SDK's.
pub(super) fn at(at: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

/// A day before the credential was exposed, by commit or image; nothing where nobody knows. Whoever commits writes the date: one
/// that is still to come says nothing.
pub(super) fn exposed(world: &World<'_>) -> Option<Timestamp> {
    let exposed = world.plan.times.exposed?.checked_sub(SignedDuration::from_hours(24)).ok()?;
    Some(exposed).filter(|at| *at < world.hands.clock.now())
}

/// A moment as the console writes it into policies: whole milliseconds.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
