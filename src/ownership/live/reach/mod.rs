//! AWS IAM: user → what it may do, by IAM's own simulator (`SimulatePrincipalPolicy`), asked by the responder.
//!
//! Traps, by the API reference and the IAM User Guide ("Testing IAM policies with the IAM policy simulator"): the question is
//! about every resource (`*`), so an implicit deny says only "not on all of them"; a user may still have the right on one
//! secret, or on itself. The latter is asked about in a second question. A condition on a key that was not given
//! (`MissingContextValues`) makes either answer depend on it. An explicit deny is the one no that is believed.

mod ways;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType as Decision, ResourceSpecificResult};
use jiff::Timestamp;

use super::iam::reason;
use crate::model::{Reach, Ruling};
use crate::ownership::roll::clean;
use std::collections::BTreeMap;
use ways::{ON_ITSELF, actions, ways};

const CALL: &str = "iam:SimulatePrincipalPolicy";
/// A page holds up to 1,000 results, and some 30 are asked for: more pages than this are no answer.
const PAGES: usize = 8;
/// Of a user's own text in a note.
const CONDITIONS: usize = 4;

/// What was said of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    ruling: Ruling,
    note: Option<String>,
}

/// What the answers of one question were.
#[derive(Debug, Default)]
struct Answers {
    said: BTreeMap<String, Said>,
    unknown: Option<String>,
    /// Whether the organisation's policies were taken into account.
    organization: bool,
}

/// Asks what a user may do. `client` acts as the responder in the user's account.
pub(crate) async fn reach(client: &Client, arn: &str, now: Timestamp) -> Reach {
    let mut all = ask(client, arn, &actions(), "*").await;
    let open: Vec<&str> = ON_ITSELF
        .into_iter()
        .filter(|action| all.said.get(*action).is_some_and(|said| said.ruling == Ruling::Unclear))
        .collect();
    if !open.is_empty() {
        let own = ask(client, arn, &open, arn).await;
        let allowed = own.said.into_iter().filter(|(_, said)| said.ruling == Ruling::Allowed);
        for (action, said) in allowed {
            let note = match said.note {
                Some(note) => format!("on itself; {note}"),
                None => "on itself".to_owned(),
            };
            all.said.insert(action, Said { ruling: Ruling::Allowed, note: Some(note) });
        }
        all.unknown = all.unknown.or(own.unknown);
    }
    Reach {
        principal: clean(arn),
        as_of: now,
        ways: ways(&all.said),
        unseen: unseen(all.organization),
        unknown: all.unknown.into_iter().collect(),
    }
}

/// What the simulator does not look at (IAM User Guide, "How the IAM policy simulator works").
fn unseen(organization: bool) -> Vec<String> {
    let scp = if organization { "conditions in an organisation's SCPs" } else { "an organisation's SCPs" };
    let all = ["resource policies (a bucket's, a secret's, a key's, a role's trust)", scp, "RCPs", "session policies"];
    all.into_iter().map(str::to_owned).collect()
}

async fn ask(client: &Client, arn: &str, actions: &[&str], resource: &str) -> Answers {
    let mut answers = Answers::default();
    let mut marker: Option<String> = None;
    for _ in 0..PAGES {
        let call = client
            .simulate_principal_policy()
            .policy_source_arn(arn)
            .set_action_names(Some(actions.iter().map(|action| (*action).to_owned()).collect()))
            .resource_arns(resource)
            .set_marker(marker.clone());
        let page = match call.send().await {
            Ok(page) => page,
            Err(error) => {
                answers.unknown = Some(reason(CALL, &error));
                return answers;
            }
        };
        for result in page.evaluation_results() {
            answers.take(result);
        }
        let next = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if next.is_none() || next == marker {
            // An answer that ends early must not pass for a whole one.
            let left = actions.iter().any(|action| !answers.said.contains_key(*action)) || page.is_truncated();
            answers.unknown = left.then(|| format!("{CALL} did not answer for every action"));
            return answers;
        }
        marker = next;
    }
    answers.unknown = Some(format!("{CALL} went on for more than {PAGES} pages"));
    answers
}

impl Answers {
    fn take(&mut self, result: &EvaluationResult) {
        self.organization |= result.organizations_decision_detail().is_some();
        let organization = result.organizations_decision_detail().is_some_and(|detail| !detail.allowed_by_organizations());
        let boundary =
            result.permissions_boundary_decision_detail().is_some_and(|detail| !detail.allowed_by_permissions_boundary());
        let mut missing: Vec<String> = result.missing_context_values().iter().map(|key| clean(key)).collect();
        missing.extend(
            result
                .resource_specific_results()
                .iter()
                .flat_map(ResourceSpecificResult::missing_context_values)
                .map(|key| clean(key)),
        );
        missing.sort();
        missing.dedup();
        missing.truncate(CONDITIONS);
        let conditions = (!missing.is_empty()).then(|| format!("depends on {}", missing.join(", ")));
        let (ruling, note) = match result.eval_decision() {
            Decision::ExplicitDeny if conditions.is_none() => (Ruling::Denied, None),
            Decision::Allowed if conditions.is_none() => (Ruling::Allowed, None),
            // SCPs and boundaries may name resources as well.
            Decision::ImplicitDeny if conditions.is_none() && organization => {
                (Ruling::Unclear, Some("not on every resource, by the organisation".to_owned()))
            }
            Decision::ImplicitDeny if conditions.is_none() && boundary => {
                (Ruling::Unclear, Some("not on every resource, by its permissions boundary".to_owned()))
            }
            Decision::ImplicitDeny if conditions.is_none() => (Ruling::Unclear, Some("not on every resource".to_owned())),
            Decision::Allowed | Decision::ExplicitDeny | Decision::ImplicitDeny => (Ruling::Unclear, conditions),
            _ => (Ruling::Unclear, Some("by an answer that this version does not know".to_owned())),
        };
        self.said.insert(result.eval_action_name().to_owned(), Said { ruling, note });
    }
}

#[cfg(test)]
mod tests;
