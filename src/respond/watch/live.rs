//! Whether what a scan once saw live is so now: its provider is asked with the value, read again where it was found. Where it cannot
//! be read again, the provider's own list has to do, if all that is needed to stop the credential is its name.

use std::sync::Arc;

use super::super::Hands;
use super::super::actions::{self, Role};
use super::super::playbook::Playbook;
use crate::model::{Finding, Liveness, Plan, PlannedStep};
use crate::validate::Validator;

/// What is known of it.
#[derive(Debug)]
pub(super) enum Now {
    /// The provider takes it.
    Live,
    /// Nobody can ask, and it can be stopped without; why.
    Unread(String),
    /// The provider takes it no more; why.
    Dead(String),
    /// It cannot be told; that in words, with its reason where one is known.
    Unknown(String),
}

/// Asks the provider.
pub(super) async fn now(finding: &Finding, playbook: &Playbook, hands: &Hands) -> Now {
    let Some(detector) = &hands.detector else { return unknown(Some("this version has no such detector".to_owned())) };
    let rivals = (hands.recall)(&finding.fingerprint);
    if rivals.is_empty() {
        let why = finding.unread();
        return if by_name(playbook) { Now::Unread(why) } else { unknown(Some(why)) };
    }
    match Validator::new(Arc::clone(&hands.net)).check(detector, &rivals).await {
        Liveness::Live(_) | Liveness::Limited(..) => Now::Live,
        Liveness::Dead(why) => Now::Dead(why),
        Liveness::Unknown(why) => unknown(Some(why)),
        Liveness::NotChecked(why) => unknown(why),
    }
}

fn unknown(why: Option<String>) -> Now {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Now::Unknown(format!("whether it is still live cannot be asked{why}"))
}

/// What a plan says where nobody could ask.
pub(super) fn untried(why: &str) -> String {
    format!("whether it is still taken: {why}; its provider lists it, and it is stopped by its name")
}

/// Whether a playbook stops the credential by a name that is its alone, as an access key's id is: a service-specific credential that was
/// reset has another value by the same id, and a role has others' sessions. All others look their object up by the value, or send it.
fn by_name(playbook: &Playbook) -> bool {
    let mut stops = playbook.steps.iter().filter_map(|step| actions::get(&step.action)).filter(|a| a.role() == Role::Stops);
    let first = stops.next();
    let by_name = |action: &dyn actions::Action| action.stops_by_name();
    playbook.mode == "contain" && first.is_some_and(by_name) && stops.all(by_name)
}

/// Whether every step that stops it has seen what it would stop.
pub(super) fn is_seen(plan: &Plan) -> bool {
    let stops = |step: &&PlannedStep| actions::get(&step.action).is_some_and(|action| action.role() == Role::Stops);
    plan.steps.iter().filter(stops).all(|step| !step.observed.is_null())
}

/// Whether every step that stops it has seen it stopped already.
pub(super) fn is_stopped(plan: &Plan) -> bool {
    let mut stops = plan.steps.iter().filter_map(|step| {
        let action = actions::get(&step.action).filter(|action| action.role() == Role::Stops)?;
        Some(action.is_stopped(&step.observed))
    });
    stops.next().is_some_and(|first| first && stops.all(|stopped| stopped))
}

#[cfg(test)]
mod tests {
    use super::by_name;
    use crate::respond::{Playbooks, builtin_playbooks};

    #[test]
    fn only_what_has_a_name_of_its_own_is_stopped_without_its_value() {
        let all = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        let ask = |id: &str| by_name(all.get(id).expect("a playbook"));
        assert!(ask("aws-access-key-contain"));
        for id in [
            "bedrock-key-contain",
            "aws-session-contain",
            "bedrock-session-role-contain",
            "anthropic-contain",
            "openai-project-key-contain",
            "bedrock-manual-contain",
        ] {
            assert!(!ask(id), "{id}");
        }
        assert!(!ask("aws-access-key-rotate"), "a replacement is written where the old value stands");
    }
}
