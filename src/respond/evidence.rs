//! The run's result as an in-toto statement (v1) with a test-result predicate (v0.1).
//! Source: in-toto attestation framework, spec/v1/statement.md and spec/predicates/test-result.md.

use jiff::{SpanRound, Timestamp, Unit};
use serde_json::{Value, json};

use crate::model::{Plan, StepState, StepStatus};

/// Seconds between two moments, to the millisecond.
fn seconds(from: Timestamp, to: Timestamp) -> Option<f64> {
    let span = to.since(from).ok()?.round(SpanRound::new().smallest(Unit::Millisecond)).ok()?;
    span.total(Unit::Second).ok()
}

/// Builds the statement. `PASSED` means contained: the provider refuses the credential, and what it may have minted was
/// looked at. What was not looked at is listed.
pub(super) fn statement(plan: &Plan, digest: &str, steps: &[StepStatus], now: Timestamp) -> Value {
    let done = |action: &str| {
        let planned = plan.steps.iter().find(|step| step.action == action)?;
        steps.iter().find(|step| step.id == planned.id && step.state == StepState::Succeeded)
    };
    let (stopped, refused, minted) = (done("aws-key-deactivate"), done("aws-key-verify-refused"), done("aws-list-minted"));
    let names = |wanted: &dyn Fn(StepState) -> bool| -> Vec<String> {
        steps.iter().filter(|step| wanted(step.state)).map(|step| step.id.clone()).collect()
    };
    let passed = names(&|state| state == StepState::Succeeded);
    let failed = names(&|state| matches!(state, StepState::Failed | StepState::Refused));
    let warned = names(&|state| matches!(state, StepState::Unknown | StepState::Waiting));
    let result = match (refused.is_some() && minted.is_some(), failed.is_empty()) {
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
                "minted": minted.map(|step| step.evidence.clone()),
                "copies": plan.copies,
                "affected": plan.affected,
                "unknown": plan.unknowns,
            },
        },
    })
}
