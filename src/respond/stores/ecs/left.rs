//! Revisions of a service's task definition that were registered since and that the service does not run: each holds what it was
//! registered with until it is deregistered, and can be described even then.
//!
//! One that is deregistered is run on by whoever runs it, and by nobody else any more. It is done to what this responder has registered
//! alone: somebody's own revision may be for another service.
//! Source: ECS API reference, DeregisterTaskDefinition
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deregister-task-definition-v2.html>), TaskDefinition (`registeredBy`,
//! `status`).

use super::{Described, Ecs, parsed};
use crate::respond::Hands;
use crate::respond::actions::Trouble;
use crate::respond::stores::Held;

/// More revisions than this are not looked through: somebody deploys all the time.
const MOST: u64 = 50;

/// A revision's family with all that stands before it, and its number.
fn split(revision: &str) -> Result<(&str, u64), Trouble> {
    let pieces = revision.rsplit_once(':').and_then(|(family, number)| Some((family, number.parse().ok()?)));
    pieces.ok_or_else(|| Trouble::Unknown(format!("{revision} is no revision's name")))
}

/// Of what is not there ECS says that it cannot describe it, by a `ClientException`.
fn is_missing(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Absent) || matches!(trouble, Trouble::Failed(why) if why.contains("ClientException"))
}

/// Every revision after this one that the service does not run.
pub(super) async fn since(ecs: &Ecs, hands: &Hands, version: &str) -> Result<Vec<Held>, Trouble> {
    let running = ecs.running(hands).await?;
    let (family, first) = split(version)?;
    let last = match split(&running.task_definition)? {
        (now, last) if now == family => last,
        _ => first,
    };
    let mut left = Vec::new();
    for number in first + 1..=first.saturating_add(MOST) {
        let revision = format!("{family}:{number}");
        let runs = running.deployments.iter().map(|one| &one.task_definition).chain([&running.task_definition]);
        if runs.into_iter().any(|runs| *runs == revision) {
            continue;
        }
        match ecs.held(hands, &revision).await {
            Ok(held) => left.push(held),
            // Numbers are given one after the other; one before may have been deleted.
            Err(trouble) if is_missing(&trouble) && number > last => break,
            Err(trouble) if is_missing(&trouble) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(left)
}

/// A role's session by another name is the same responder.
fn who(arn: &str) -> &str {
    if arn.contains(":assumed-role/") { arn.rsplit_once('/').map_or(arn, |(role, _)| role) } else { arn }
}

/// Deregisters one that this responder has registered.
pub(super) async fn retired(ecs: &Ecs, hands: &Hands, revision: &str) -> Result<&'static str, Trouble> {
    let found = ecs.described(hands, revision).await?;
    let found: Described<'_> = parsed(&found)?;
    let told = |name: &str| {
        let text = found.task_definition.get(name)?;
        serde_json::from_str::<String>(text.get()).ok()
    };
    if told("status").as_deref() == Some("INACTIVE") {
        return Ok("deregistered");
    }
    let own = hands.aws.as_ref().map(|aws| aws.arn.as_str());
    match told("registeredBy") {
        Some(by) if own.is_some_and(|own| who(own) == who(&by)) => {
            ecs.deregister(hands, revision).await?;
            Ok("deregistered")
        }
        _ => Ok("it stays, since somebody else may have registered it: deregister it if nobody needs it"),
    }
}
