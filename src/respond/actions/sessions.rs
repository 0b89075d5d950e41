//! The moment before which sessions are denied everything: when the policy that denies them is written, not when the plan was made,
//! for whoever holds the key may make sessions until it is stopped. It is in the journal before the policy is written, so that the
//! document is the same at every attempt and on the way back. Source: IAM user guide, "Revoke IAM role temporary security
//! credentials" (`aws:TokenIssueTime`).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{World, aws};

const NOTED: &str = "sessions_before";

/// The moment that was noted; the plan's where none was, as in runs of before there were notes.
pub(super) fn before(world: &World<'_>) -> Timestamp {
    let own = world.so_far.iter().find(|status| status.id == world.step);
    let noted = own.and_then(|own| own.noted.get(NOTED)?.as_str()?.parse().ok());
    noted.unwrap_or(world.plan.made_at)
}

/// This moment, noted, and as much later as nobody who acts rightly makes sessions. For whoever is about to write the policy: where an
/// earlier attempt did not, sessions were made since.
///
/// # Errors
/// In words: it cannot be written down.
pub(super) async fn anew(world: &World<'_>, margin: Duration) -> Result<Timestamp, String> {
    let now = world.hands.clock.now();
    let before = now.checked_add(margin).unwrap_or(now);
    if let Some(notes) = world.notes {
        notes.write(json!({ NOTED: before })).await?;
    }
    Ok(before)
}

/// What denies everything to sessions that were made before a moment.
pub(super) fn denied(before: Timestamp) -> Value {
    json!({
        "Sid": "StaunchRevokeSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { "DateLessThan": { "aws:TokenIssueTime": aws::moment(before) } },
    })
}
