//! The moment before which sessions are denied everything: when the policy that denies them is written, not when the plan was made,
//! for whoever holds the key may make sessions until it is stopped. It is in the journal before the policy is written, with the
//! document's digest, so that the document is the same at every attempt, and known again on the way back by whichever version. Source:
//! IAM user guide, "Revoke IAM role temporary security credentials" (`aws:TokenIssueTime`).

use std::time::Duration;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::{World, aws};

const NOTED: &str = "sessions_before";
/// The digest of the document, as JSON with sorted keys and no white space.
const WROTE: &str = "sha256";

fn noted<'w>(world: &World<'w>, name: &str) -> Option<&'w str> {
    world.so_far.iter().find(|status| status.id == world.step)?.noted.get(name)?.as_str()
}

/// The moment that was noted; the plan's where none was, as in runs of before there were notes.
pub(super) fn before(world: &World<'_>) -> Timestamp {
    noted(world, NOTED).and_then(|at| at.parse().ok()).unwrap_or(world.plan.made_at)
}

/// This moment, noted, and as much later as nobody who acts rightly makes sessions; the document for it. For whoever is about to write
/// the policy: where an earlier attempt did not, sessions were made since.
///
/// # Errors
/// In words: it cannot be written down.
pub(super) async fn anew(
    world: &World<'_>,
    margin: Duration,
    document: impl Fn(&str) -> String + Send,
) -> Result<String, String> {
    let now = world.hands.clock.now();
    let before = now.checked_add(margin).unwrap_or(now);
    let document = document(&aws::moment(before));
    if let Some(notes) = world.notes {
        notes.write(json!({ NOTED: before, WROTE: sha256(document.as_bytes()) })).await?;
    }
    Ok(document)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

/// Documents compare as JSON: IAM may store them in another spelling.
pub(super) fn same(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    parse(a).is_some_and(|a| Some(a) == parse(b))
}

/// Whether a document is what this run wrote, in whichever version: its digest is noted, or it is one of `documents` for the moment
/// that was noted or, as the first versions wrote it, for the plan's.
pub(super) fn wrote(world: &World<'_>, found: &str, documents: impl Fn(&str) -> Vec<String>) -> bool {
    let Ok(parsed) = serde_json::from_str::<Value>(found) else { return false };
    let made_at = world.plan.made_at;
    noted(world, WROTE) == Some(sha256(parsed.to_string().as_bytes()).as_str())
        || [aws::moment(before(world)), aws::moment(made_at), made_at.to_string()]
            .iter()
            .flat_map(|moment| documents(moment))
            .any(|document| same(&document, found))
}

/// What denies everything to sessions that were made before a moment.
pub(super) fn denied(before: &str) -> Value {
    json!({
        "Sid": "StaunchRevokeSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { "DateLessThan": { "aws:TokenIssueTime": before } },
    })
}
