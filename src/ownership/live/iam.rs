//! IAM: whose key is it, and which tags name a team. Read-only, as the responder, never as the leaked key.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::ProvideErrorMetadata;

use super::super::add;
use crate::model::{Edge, Evidence, Finding, Owner, Tier};

/// Tags that name who answers for a user, in lower case.
const OWNER_TAGS: &[&str] =
    &["owner", "team", "contact", "squad", "responsible", "service-owner", "owner-email", "technical-owner"];

/// Adds the IAM user of a finding's access key (proven) and the owners that its tags declare.
///
/// # Errors
/// In words, when IAM could not be asked or refused: then nothing is known, which is not "nobody".
pub async fn ask(finding: &mut Finding, iam: &Client) -> Result<(), String> {
    let key_id = finding.parts.iter().find(|part| part.name == "key_id").and_then(|part| part.value.clone());
    let Some(key_id) = key_id else { return Ok(()) };
    let words = |code: Option<&str>| format!("IAM: {}", code.unwrap_or("no answer that can be read"));
    let last_used = iam.get_access_key_last_used().access_key_id(&key_id).send().await;
    let last_used = last_used.map_err(|error| words(error.code()))?;
    let Some(user) = last_used.user_name().filter(|user| !user.is_empty()) else { return Ok(()) };
    let found = iam.get_user().user_name(user).send().await.map_err(|error| words(error.code()))?;
    let Some(found) = found.user() else { return Ok(()) };
    let last = last_used.access_key_last_used().and_then(|last| last.last_used_date()).map(ToString::to_string);
    let evidence =
        |technique: &str, value: String| Evidence { technique: technique.to_owned(), at: "IAM".to_owned(), value };
    let mut proof = vec![evidence("iam-access-key", format!("{key_id} belongs to {user}"))];
    proof.extend(last.map(|at| evidence("iam-last-used", at)));
    let arn = found.arn().to_owned();
    add(finding, Owner { edge: Edge::Principal, id: arn, name: user.to_owned(), tier: Tier::Proven, evidence: proof });
    let tags = iam.list_user_tags().user_name(user).send().await.map_err(|error| words(error.code()))?;
    for tag in tags.tags().iter().filter(|tag| OWNER_TAGS.contains(&tag.key().to_ascii_lowercase().as_str())) {
        let id = format!("tag:{}={}", tag.key(), tag.value());
        let proof = vec![evidence("iam-user-tag", format!("{}={}", tag.key(), tag.value()))];
        add(
            finding,
            Owner { edge: Edge::Accountable, id, name: tag.value().to_owned(), tier: Tier::Declared, evidence: proof },
        );
    }
    Ok(())
}
