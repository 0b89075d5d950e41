//! The run's result as an in-toto statement (v1) with a test-result predicate (v0.1).
//! Source: in-toto attestation framework, spec/v1/statement.md and spec/predicates/test-result.md.

use jiff::{SpanRound, Timestamp, Unit};
use serde_json::{Value, json};

use super::actions::{self, Role};
use crate::model::{Plan, PlannedStep, StepState, StepStatus};

/// Seconds between two moments, to the millisecond.
fn seconds(from: Timestamp, to: Timestamp) -> Option<f64> {
    let span = to.since(from).ok()?.round(SpanRound::new().smallest(Unit::Millisecond)).ok()?;
    span.total(Unit::Second).ok()
}

/// Builds the statement. `PASSED` means contained: the provider refuses the credential, and what it may have minted was
/// looked at. What was not looked at is listed.
pub(super) fn statement(plan: &Plan, digest: &str, steps: &[StepStatus], now: Timestamp) -> Value {
    let is = |step: &&PlannedStep, role: Role| actions::get(&step.action).is_some_and(|action| action.role() == role);
    let done = |role: Role| {
        let mut planned = plan.steps.iter().filter(|step| is(step, role));
        planned.find_map(|planned| steps.iter().find(|step| step.id == planned.id && step.state == StepState::Succeeded))
    };
    let (stopped, refused, minted) = (done(Role::Stops), done(Role::Proves), done(Role::Lists));
    // Where a playbook lists what may have been minted, that must have been looked at; where it does not, it is said.
    let lists = plan.steps.iter().any(|step| is(&step, Role::Lists));
    let looked = minted.is_some() || !lists;
    let minted = minted
        .map_or_else(|| json!({ "unknown": ["what it may have minted: not looked at"] }), |step| step.evidence.clone());
    let names = |wanted: &dyn Fn(StepState) -> bool| -> Vec<String> {
        steps.iter().filter(|step| wanted(step.state)).map(|step| step.id.clone()).collect()
    };
    let passed = names(&|state| state == StepState::Succeeded);
    let failed = names(&|state| matches!(state, StepState::Failed | StepState::Refused));
    let warned = names(&|state| matches!(state, StepState::Unknown | StepState::Waiting));
    let result = match (refused.is_some() && looked, failed.is_empty()) {
        (true, true) => "PASSED",
        (_, false) => "FAILED",
        (false, true) => "WARNED",
    };
    let since_plan = |step: Option<&StepStatus>| step.and_then(|step| seconds(plan.made_at, step.at?));
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": format!("credential {}", plan.fingerprint), "digest": { "sha256": digest } }],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result,
            "configuration": [{ "name": format!("playbook {}", plan.playbook), "digest": { "sha256": digest } }],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
            "staunch": {
                "made_at": now.to_string(),
                "target": plan.target,
                "seconds_from_plan_to_stopped": since_plan(stopped),
                "seconds_from_plan_to_proven": since_plan(refused),
                "minted": minted,
                "copies": plan.copies,
                "affected": plan.affected,
                "unknown": plan.unknowns,
            },
        },
    })
}
