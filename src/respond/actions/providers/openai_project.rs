//! What a leaked key's project may do or spend, lowered and set back: the same for every kind of limit that OpenAI's administration keeps.

use serde_json::Value;

use super::super::keys::{Desk, Trouble, segment};
use super::super::{Outcome, World};
use super::openai::SERVICE;

/// OpenAI's administration, and the path of something of the key's project there.
pub(super) fn desk<'w>(world: &'w World<'w>, what: &str) -> Result<(Desk<'w>, String), Trouble> {
    let project = world.plan.target.get("project");
    let project = project.ok_or_else(|| Trouble::Failed("the project of the key is not known".to_owned()))?;
    let path = format!("/v1/organization/projects/{}/{what}", segment(project));
    Ok((Desk::open(world, &SERVICE, None)?, path))
}

/// What a change has come to: what there was, what can be seen now, and what was said to it.
pub(super) fn settled<T: PartialEq>(
    now: &T,
    (after, said): (Result<T, Trouble>, Result<(), Trouble>),
    holds: impl Fn(&T) -> bool,
    shown: impl Fn(&T) -> Value,
) -> Outcome {
    match (after, said) {
        (Ok(after), _) if holds(&after) => Outcome::Done(shown(&after)),
        // Nothing has changed, so that what was said settles it.
        (Ok(after), Err(trouble)) if after == *now => trouble.settles(),
        (Ok(_), Err(trouble)) => Outcome::Unknown(format!("some of it is as it was: {}", trouble.why())),
        (Ok(_), Ok(())) => Outcome::Unknown("it was accepted, but does not read back as it was set".to_owned()),
        (Err(trouble), _) => Outcome::Unknown(format!("it cannot be read back: {}", trouble.why())),
    }
}
