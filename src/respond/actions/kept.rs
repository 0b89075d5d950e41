//! What IAM keeps with a status that can be set, access keys and service-specific credentials: set to Inactive, looked at, set
//! back. Naturally idempotent; takes seconds to bite. Source: IAM API reference, UpdateAccessKey, UpdateServiceSpecificCredential.

use aws_sdk_iam::types::StatusType;
use serde_json::{Value, json};

use super::{Doing, Outcome, World};

/// The status of what does not exist.
pub(super) const ABSENT: &str = "absent";

/// How one kind of them is asked and set.
pub(super) trait Kept: Sync {
    /// Its status, or [`ABSENT`].
    fn status<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<String, String>>;
    /// Sets it: one call.
    fn set<'a>(&'a self, world: &'a World<'_>, wanted: StatusType) -> Doing<'a, Result<(), Outcome>>;
}

/// What a plan sees of it.
pub(super) async fn seen(kept: &dyn Kept, world: &World<'_>) -> Result<Value, String> {
    Ok(json!({ "status": kept.status(world).await? }))
}

/// Whether what was seen is taken no more: inactive, expired or gone.
pub(super) fn is_stopped(seen: &Value) -> bool {
    seen.get("status").and_then(Value::as_str).is_some_and(|status| status != StatusType::Active.as_str())
}

/// Whether it is still stopped.
pub(super) async fn holds(kept: &dyn Kept, world: &World<'_>) -> Result<Option<bool>, String> {
    Ok(Some(is_stopped(&seen(kept, world).await?)))
}

async fn brought(kept: &dyn Kept, world: &World<'_>, wanted: StatusType) -> Outcome {
    if let Err(outcome) = kept.set(world, wanted.clone()).await {
        return outcome;
    }
    // Done is what can be seen, not what was answered.
    match kept.status(world).await {
        Ok(now) if now == wanted.as_str() => Outcome::Done(json!({ "status": now })),
        Ok(now) => Outcome::Unknown(format!("IAM accepted the change, but it still reads as {now}")),
        Err(why) => Outcome::Unknown(format!("IAM accepted the change, but it cannot be read back: {why}")),
    }
}

/// Sets it to Inactive, if it is active.
pub(super) async fn deactivated(kept: &dyn Kept, world: &World<'_>) -> Outcome {
    match kept.status(world).await {
        Err(why) => Outcome::Unknown(why),
        Ok(now) if now != StatusType::Active.as_str() => Outcome::AlreadyDone(json!({ "status": now })),
        Ok(_) => brought(kept, world, StatusType::Inactive).await,
    }
}

/// Sets it back to what the plan saw.
pub(super) async fn put_back(kept: &dyn Kept, world: &World<'_>, before: &Value) -> Outcome {
    let before = before.get("status").and_then(Value::as_str).unwrap_or_default();
    match kept.status(world).await {
        Err(why) => Outcome::Unknown(why),
        Ok(_) if before.is_empty() => {
            Outcome::Failed("the plan did not see its status, so there is nothing to put back".to_owned())
        }
        Ok(now) if now == before => Outcome::AlreadyDone(json!({ "status": now })),
        Ok(now) if now == ABSENT => Outcome::Failed("it was deleted since".to_owned()),
        Ok(_) => brought(kept, world, StatusType::from(before)).await,
    }
}
