//! The run's result as an in-toto statement (v1) with a test-result predicate (v0.1).
//! Source: in-toto attestation framework, spec/v1/statement.md and spec/predicates/test-result.md. Signed where the settings
//! give a key; see `attest`.

use jiff::{SpanRound, Timestamp, Unit};
use serde_json::{Value, json};

use super::actions::{self, Role};
use crate::attest::{STATEMENT, TEST_RESULT};
use crate::model::{Plan, PlannedStep, StepState, StepStatus};

/// Seconds between two moments, to the millisecond.
fn seconds(from: Timestamp, to: Timestamp) -> Option<f64> {
    let span = to.since(from).ok()?.round(SpanRound::new().smallest(Unit::Millisecond)).ok()?;
    span.total(Unit::Second).ok()
}

/// When what happened, and how long each leg took: detection from the exposure, the others from detection. What is not known
/// is null, never zero.
fn times(plan: &Plan, stopped: Option<Timestamp>, proven: Option<Timestamp>) -> Value {
    let known = &plan.times;
    let since = |from: Option<Timestamp>, to: Option<Timestamp>| seconds(from?, to?);
    json!({
        "exposed": known.exposed, "detected": known.detected, "validated": known.validated, "attributed": known.attributed,
        "planned": plan.made_at, "stopped": stopped, "proven": proven,
        "seconds_to_detect": since(known.exposed, known.detected),
        "seconds_to_validate": since(known.detected, known.validated),
        "seconds_to_attribute": since(known.detected, known.attributed),
        "seconds_to_contain": since(known.detected, stopped),
        "seconds_to_prove": since(known.detected, proven),
    })
}

/// Builds the statement. `PASSED` means contained: the provider refuses the credential, and what it may have minted was
/// looked at. What was not looked at is listed.
pub(super) fn statement(plan: &Plan, digest: &str, steps: &[StepStatus], now: Timestamp) -> Value {
    let is = |step: &&PlannedStep, role: Role| actions::get(&step.action).is_some_and(|action| action.role() == role);
    let done = |role: Role| {
        let mut planned = plan.steps.iter().filter(|step| is(step, role));
        planned.find_map(|planned| steps.iter().find(|step| step.id == planned.id && step.state == StepState::Succeeded))
    };
    let (stopped, refused) = (done(Role::Stops), done(Role::Proves));
    // Where a playbook lists what may have been minted, that must have been looked at; where it does not, it is said.
    let lists: Vec<&PlannedStep> = plan.steps.iter().filter(|step| is(step, Role::Lists)).collect();
    let listed = lists.iter().filter_map(|planned| {
        let looked = |step: &&StepStatus| step.id == planned.id && step.state == StepState::Succeeded;
        steps.iter().find(looked).map(|step| (step.id.clone(), step.evidence.clone()))
    });
    let listed: Vec<(String, Value)> = listed.collect();
    let looked = !listed.is_empty() || lists.is_empty();
    let minted = match listed.as_slice() {
        [] => json!({ "unknown": ["what it may have minted: not looked at"] }),
        [(_, one)] => one.clone(),
        several => several.iter().cloned().collect::<serde_json::Map<_, _>>().into(),
    };
    let names = |wanted: &dyn Fn(StepState) -> bool| -> Vec<String> {
        steps.iter().filter(|step| wanted(step.state)).map(|step| step.id.clone()).collect()
    };
    let passed = names(&|state| state == StepState::Succeeded);
    let failed = names(&|state| matches!(state, StepState::Failed | StepState::Refused));
    let warned = names(&|state| matches!(state, StepState::Unknown | StepState::Waiting));
    // Nothing of a replaced one may be readable any more, to ask as it: what counts is that every step came to its end.
    let before = steps.iter().take_while(|step| step.state != StepState::Started);
    let rotated =
        plan.mode == "rotate" && before.clone().count() > 0 && before.clone().all(|step| step.state == StepState::Succeeded);
    let result = match ((refused.is_some() && looked) || rotated, failed.is_empty()) {
        (true, true) => "PASSED",
        (_, false) => "FAILED",
        (false, true) => "WARNED",
    };
    let since_plan = |step: Option<&StepStatus>| step.and_then(|step| seconds(plan.made_at, step.at?));
    let at = |step: Option<&StepStatus>| step.and_then(|step| step.at);
    json!({
        "_type": STATEMENT,
        "subject": [{ "name": format!("credential {}", plan.fingerprint), "digest": { "sha256": digest } }],
        "predicateType": TEST_RESULT,
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
                "times": times(plan, at(stopped), at(refused)),
                "minted": minted,
                "replaced": done(Role::Replaces).map(|step| &step.evidence),
                "copies": plan.copies,
                "affected": plan.affected,
                "unknown": plan.unknowns,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::times;
    use crate::model::{Plan, Times};

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn each_leg_is_measured_and_what_is_not_known_is_null() {
        let mut plan: Plan = serde_json::from_value(serde_json::json!({
            "schema": Plan::SCHEMA, "playbook": "p", "mode": "contain", "fingerprint": format!("{}-{}", "0".repeat(8), "0".repeat(64)),
            "detector": "d", "target": {}, "affected": [], "copies": [], "unknowns": [], "lacking": [], "responder": "r",
            "made_at": "1970-01-01T00:02:00Z", "steps": [],
        }))
        .expect("a plan made before there were times");
        assert!(!plan.canonical().expect("JSON").windows(7).any(|bytes| bytes == b"\"times\""), "its digest is what it was");
        plan.times = Times { exposed: at(10), validated: at(103), ..Times::default() };
        plan.times.seen(at(104).expect("a moment"), at(105).expect("a moment"), true);
        let told = times(&plan, at(130), None);
        let seconds = |leg: &str| told[format!("seconds_to_{leg}")].as_f64();
        assert_eq!(["detect", "validate", "attribute", "contain"].map(seconds), [93.0, 0.0, 2.0, 27.0].map(Some));
        assert_eq!((&told["proven"], &told["seconds_to_prove"]), (&Value::Null, &Value::Null));
    }
}
