//! The run's result as an in-toto statement (v1) with a test-result predicate (v0.1).
//! Source: in-toto attestation framework, spec/v1/statement.md and spec/predicates/test-result.md. Signed where the settings
//! give a key; see `attest`.

use jiff::{SpanRound, Timestamp, Unit};
use serde_json::{Value, json};

use super::actions::{self, ALIVE, Role, UNREAD};
use super::replay::{ALREADY, stands};
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

/// What a run has proved, and what stands in the way of more.
struct Proof<'r> {
    /// The step that saw the provider refuse the credential, after the last change.
    refused: Option<&'r StepStatus>,
    /// Why the result is no better than it is, in words.
    because: Vec<String>,
}

/// A step in words: where it stands and why.
fn told(status: &StepStatus) -> String {
    let why = status.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} is {:?}{why}", status.id, status.state)
}

/// Whether the provider was seen to refuse the credential. What was seen before the last change says nothing of what is so after
/// it, and a step that did what it should proves nothing.
fn refused<'r>(plan: &Plan, steps: &'r [StepStatus]) -> Proof<'r> {
    let is = |id: &str, role: Role| {
        let planned = plan.steps.iter().find(|step| step.id == id);
        planned.and_then(|step| actions::get(&step.action)).is_some_and(|action| action.role() == role)
    };
    let changes = plan.steps.iter().zip(steps);
    let last = changes.clone().rposition(|(step, status)| step.mutates && stands(status));
    let proofs: Vec<(usize, &StepStatus)> =
        steps.iter().enumerate().filter(|(_, status)| is(&status.id, Role::Proves)).collect();
    let good = |(_, status): &&(usize, &StepStatus)| status.state == StepState::Succeeded;
    let late = |(at, _): &&(usize, &StepStatus)| last.is_none_or(|last| *at > last);
    if let Some((_, proof)) = proofs.iter().filter(good).find(late) {
        // Whoever asks twice wants both answers, once it is their turn; and a change that may not have been made is none.
        let due = |(_, status): &&(usize, &StepStatus)| status.state != StepState::Pending;
        let missing = proofs.iter().filter(late).filter(due).filter(|proof| !good(proof)).map(|(_, status)| told(status));
        let open = changes.filter(|(step, status)| step.mutates && status.state == StepState::Unknown);
        let because = missing.chain(open.map(|(_, status)| told(status))).collect();
        return Proof { refused: Some(*proof), because };
    }
    let why = match (proofs.iter().find(good), proofs.last(), last) {
        (Some((_, early)), _, Some(last)) => format!(
            "nobody has seen the provider refuse it since the last change: {} came before {}",
            early.id, steps[last].id
        ),
        (_, Some((_, proof)), _) => format!("nobody has seen the provider refuse it: {}", told(proof)),
        _ => "nobody has seen the provider refuse it: no step of the playbook asks".to_owned(),
    };
    Proof { refused: None, because: vec![why] }
}

/// Adds what is not said yet.
fn add(because: &mut Vec<String>, told: impl Iterator<Item = String>) {
    for why in told {
        if !because.iter().any(|said| said.ends_with(&why)) {
            because.push(why);
        }
    }
}

/// Where, or until when, a step's change does not hold, as its evidence tells: there, or then, the credential opens the door yet.
fn short_of(step: &StepStatus) -> Vec<String> {
    let seen = step.evidence.get(ALREADY).unwrap_or(&step.evidence);
    let text = |name: &str| seen.get(name).and_then(Value::as_str);
    let lasts = text("lasts").filter(|lasts| !lasts.starts_with("for good"));
    text("elsewhere").into_iter().chain(lasts).map(|why| format!("{}: {why}", step.id)).collect()
}

/// The steps that would tell how long the change lasts, and have not had their turn.
fn untold<'p>(plan: &'p Plan, steps: &'p [StepStatus]) -> impl Iterator<Item = String> + 'p {
    let tells = |step: &PlannedStep| actions::get(&step.action).is_some_and(actions::Action::tells_how_long);
    let open = plan.steps.iter().zip(steps).filter(move |(step, status)| status.state == StepState::Pending && tells(step));
    open.map(|(step, _)| format!("how long that lasts is not known before {} has had its turn", step.id))
}

/// What a last look at everything has told, before the statement is made.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// What is not so any more, in words.
    pub(super) undone: Vec<String>,
    /// What could not be looked at, in words.
    pub(super) unseen: Vec<String>,
    /// Whether it came to its end.
    pub(super) over: bool,
}

/// Builds the statement. `PASSED` means that the provider was seen to refuse the credential after the last change, that every change
/// was there still when all was looked at once more, that nothing that the credential may have minted is alive as far as could be
/// looked, that every list of it was made, and that nothing is waited for. What was not looked at is listed, and `because` says what is missing.
pub(super) fn statement(plan: &Plan, digest: &str, (steps, again): (&[StepStatus], &Again), now: Timestamp) -> Value {
    let is = |step: &&PlannedStep, role: Role| actions::get(&step.action).is_some_and(|action| action.role() == role);
    let done = |role: Role| {
        let mut planned = plan.steps.iter().filter(|step| is(step, role));
        planned.find_map(|planned| steps.iter().find(|step| step.id == planned.id && step.state == StepState::Succeeded))
    };
    let Proof { refused, mut because } = refused(plan, steps);
    let stopped = done(Role::Stops);
    let (minted, open) = minted(plan, steps);
    because.extend(open);
    because.extend(again.undone.iter().chain(&again.unseen).cloned());
    if !again.over {
        because.push("not all could be looked at once more in time".to_owned());
    }
    because.extend(steps.iter().filter(|step| step.state == StepState::Succeeded).flat_map(short_of));
    because.extend(untold(plan, steps));
    let of =
        |wanted: &[StepState]| -> Vec<&StepStatus> { steps.iter().filter(|step| wanted.contains(&step.state)).collect() };
    let names = |steps: &[&StepStatus]| -> Vec<String> { steps.iter().map(|step| step.id.clone()).collect() };
    let (failed, waiting) = (of(&[StepState::Failed, StepState::Refused]), of(&[StepState::Waiting]));
    add(&mut because, failed.iter().chain(&waiting).map(|step| told(step)));
    let result = match (because.is_empty(), failed.is_empty() && again.undone.is_empty()) {
        (true, _) => "PASSED",
        (false, false) => "FAILED",
        (false, true) => "WARNED",
    };
    let in_part = in_part(steps);
    let since_plan = |step: Option<&StepStatus>| step.and_then(|step| seconds(plan.made_at, step.at?));
    let at = |step: Option<&StepStatus>| step.and_then(|step| step.at);
    json!({
        "_type": STATEMENT,
        "subject": [{ "name": format!("credential {}", plan.fingerprint), "digest": { "sha256": digest } }],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": result,
            "configuration": [{ "name": format!("playbook {}", plan.playbook), "digest": { "sha256": digest } }],
            "passedTests": names(&of(&[StepState::Succeeded])),
            "warnedTests": names(&of(&[StepState::Unknown, StepState::Waiting])),
            "failedTests": names(&failed),
            "staunch": {
                "made_at": now.to_string(),
                "verdict": verdict(result, &because, &in_part),
                "because": because,
                "in_part": in_part,
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

/// What of its lists could not be read, in words. What is not looked at may be there, so that it stands beside the result and not
/// somewhere below it.
fn in_part(steps: &[StepStatus]) -> Vec<String> {
    let unread = |status: &StepStatus| {
        let seen = status.evidence.get(ALREADY).unwrap_or(&status.evidence);
        let unread = seen.get(UNREAD).and_then(Value::as_array).cloned().unwrap_or_default();
        unread
            .into_iter()
            .filter_map(|why| Some(format!("{} could not read {}", status.id, why.as_str()?)))
            .collect::<Vec<_>>()
    };
    steps.iter().filter(|step| step.state == StepState::Succeeded).flat_map(unread).collect()
}

/// The result in one line, for people.
fn verdict(result: &str, because: &[String], in_part: &[String]) -> String {
    let part = if in_part.is_empty() { "" } else { ", read in part" };
    let why: Vec<&str> = because.iter().chain(in_part).map(String::as_str).collect();
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
    format!("{result}{part}{why}")
}

/// What the credential may have minted, and what keeps that from being dealt with: where a playbook lists it, every list must have
/// been made and none may hold anything that is alive; where it does not, that is said.
fn minted(plan: &Plan, steps: &[StepStatus]) -> (Value, Vec<String>) {
    let lists = |step: &PlannedStep| actions::get(&step.action).is_some_and(|action| action.role() == Role::Lists);
    let lists = plan.steps.iter().zip(steps).filter(|(planned, _)| lists(planned)).map(|(_, status)| status);
    let (made, not): (Vec<&StepStatus>, Vec<&StepStatus>) = lists.partition(|status| status.state == StepState::Succeeded);
    let mut open: Vec<String> =
        not.iter().map(|status| format!("what it may have minted was not looked at: {}", told(status))).collect();
    let alive = |status: &&StepStatus| {
        let alive = status.evidence.get(ALIVE).and_then(Value::as_array);
        let alive: Vec<&str> = alive.into_iter().flatten().filter_map(Value::as_str).collect();
        (!alive.is_empty()).then(|| format!("{}: what it may have minted is alive: {}", status.id, alive.join(", ")))
    };
    open.extend(made.iter().filter_map(alive));
    let listed: Vec<(String, Value)> = made.iter().map(|status| (status.id.clone(), status.evidence.clone())).collect();
    let minted = match listed.as_slice() {
        [] => json!({ "unknown": ["what it may have minted: not looked at"] }),
        [(_, one)] => one.clone(),
        several => several.iter().cloned().collect::<serde_json::Map<_, _>>().into(),
    };
    (minted, open)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::{Again, statement, times};
    use crate::model::{Plan, StepState, StepStatus, Times};

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

    /// A plan of these actions, of which `stop` and what makes or removes keys changes something.
    fn plan(mode: &str, actions: &[(&str, &str)]) -> Plan {
        let step = |(id, action): &(&str, &str)| {
            let mutates = super::actions::get(action).is_some_and(super::actions::Action::mutates);
            serde_json::json!({
                "id": id, "action": action, "with": {}, "needs": [], "on_failure": "continue", "approval": "none",
                "observed": null, "effect": "e", "undo": null, "reversible": true, "mutates": mutates, "permissions": [],
                "timeout": 1, "watch": 0,
            })
        };
        serde_json::from_value(serde_json::json!({
            "schema": Plan::SCHEMA, "playbook": "p", "mode": mode, "fingerprint": format!("{}-{}", "0".repeat(8), "0".repeat(64)),
            "detector": "d", "target": {}, "affected": [], "copies": [], "unknowns": [], "lacking": [], "responder": "r",
            "made_at": "2026-01-01T00:00:00Z", "steps": actions.iter().map(step).collect::<Vec<_>>(),
        }))
        .expect("a plan")
    }

    fn status(id: &str, state: StepState) -> StepStatus {
        StepStatus {
            id: id.to_owned(),
            state,
            begun: state != StepState::Pending,
            touched: state == StepState::Succeeded,
            why: (state != StepState::Succeeded).then(|| "a reason".to_owned()),
            evidence: Value::Null,
            noted: Value::Null,
            at: None,
        }
    }

    #[test]
    fn what_may_have_been_minted_must_have_been_looked_at_by_all_and_none_of_it_alive() {
        use StepState::{Failed, Succeeded, Unknown};
        let steps = |sweep: StepState| {
            let list =
                |alive: &[&str]| StepStatus { evidence: serde_json::json!({ "alive": alive }), ..status("list", Succeeded) };
            let rest = [status("stop", Succeeded), status("prove", Succeeded), status("sweep", sweep)];
            move |alive: &[&str]| [rest.as_slice(), &[list(alive)]].concat()
        };
        let plan = plan(
            "contain",
            &[
                ("stop", "aws-key-deactivate"),
                ("prove", "aws-key-verify-refused"),
                ("sweep", "aws-sweep-persistence"),
                ("list", "aws-list-minted"),
            ],
        );
        let said = |steps: &[StepStatus], again: &Again| {
            let said = statement(&plan, "d", (steps, again), Timestamp::UNIX_EPOCH);
            let because = said["predicate"]["staunch"]["because"].to_string();
            (said["predicate"]["result"].as_str().expect("text").to_owned(), because)
        };
        let seen = Again { over: true, ..Again::default() };
        assert_eq!(said(&steps(Succeeded)(&[]), &seen), ("PASSED".to_owned(), "[]".to_owned()));
        let (result, why) = said(&steps(Succeeded)(&["access key AKIAX"]), &seen);
        assert!(
            result == "WARNED" && why.contains("list: what it may have minted is alive: access key AKIAX"),
            "{result} {why}"
        );
        for state in [Unknown, Failed] {
            let (result, why) = said(&steps(state)(&[]), &seen);
            assert!(result != "PASSED" && why.contains("not looked at: sweep is"), "{result} {why}");
        }
        // A last look that sees less, or that something is undone.
        let all = steps(Succeeded)(&[]);
        assert_eq!(said(&all, &Again::default()).0, "WARNED");
        assert_eq!(said(&all, &Again { unseen: vec!["stop".to_owned()], over: true, ..Again::default() }).0, "WARNED");
        assert_eq!(said(&all, &Again { undone: vec!["stop".to_owned()], over: true, ..Again::default() }).0, "FAILED");
    }

    #[test]
    fn a_list_that_was_read_in_part_is_said_to_be_in_the_verdict_itself() {
        use StepState::Succeeded;
        let plan = plan(
            "contain",
            &[("stop", "aws-key-deactivate"), ("prove", "aws-key-verify-refused"), ("sweep", "aws-sweep-persistence")],
        );
        let verdict = |unread: &[&str]| {
            let sweep = StepStatus { evidence: serde_json::json!({ "unread": unread }), ..status("sweep", Succeeded) };
            let steps = [status("stop", Succeeded), status("prove", Succeeded), sweep];
            let again = Again { over: true, ..Again::default() };
            let said = statement(&plan, "d", (&steps, &again), Timestamp::UNIX_EPOCH);
            assert_eq!(said["predicate"]["result"], "PASSED", "what is listed as unknown is no reason against it");
            assert_eq!(said["predicate"]["staunch"]["in_part"].as_array().map(Vec::len), Some(unread.len()));
            said["predicate"]["staunch"]["verdict"].as_str().expect("text").to_owned()
        };
        assert_eq!(verdict(&[]), "PASSED");
        assert_eq!(verdict(&["users: AccessDenied"]), "PASSED, read in part (sweep could not read users: AccessDenied)");
    }

    /// The result of a run of these steps, and its reasons.
    fn result(mode: &str, steps: &[(&str, &str, StepState)]) -> (String, String) {
        let named: Vec<(&str, &str)> = steps.iter().map(|(id, action, _)| (*id, *action)).collect();
        let states: Vec<StepStatus> = steps.iter().map(|(id, _, state)| status(id, *state)).collect();
        let again = Again { over: true, ..Again::default() };
        let said = statement(&plan(mode, &named), "d", (&states, &again), Timestamp::UNIX_EPOCH);
        let said = &said["predicate"];
        (said["result"].as_str().expect("text").to_owned(), said["staunch"]["because"].to_string())
    }

    #[test]
    fn only_a_refusal_that_was_seen_after_the_last_change_passes() {
        use StepState::{Failed, Pending, Succeeded, Unknown, Waiting};
        let proof = ("prove", "key-verify-refused");
        for mode in ["contain", "rotate"] {
            let stop = ("stop", "openrouter-key-disable", Succeeded);
            let ask = |steps: &[(&str, &str, StepState)]| result(mode, steps);
            assert_eq!(ask(&[stop, (proof.0, proof.1, Succeeded)]), ("PASSED".to_owned(), "[]".to_owned()));
            let (said, why) = ask(&[stop]);
            assert!(said == "WARNED" && why.contains("no step of the playbook asks"), "{mode}: {said} {why}");
            let (said, why) = ask(&[stop, (proof.0, proof.1, Unknown)]);
            assert!(said == "WARNED" && why.contains("prove is Unknown: a reason"), "{mode}: {said} {why}");
            let (said, why) = ask(&[(proof.0, proof.1, Succeeded), stop]);
            assert!(said == "WARNED" && why.contains("prove came before stop"), "{mode}: {said} {why}");
            let (said, why) = ask(&[stop, (proof.0, proof.1, Failed)]);
            assert!(said == "FAILED" && why.contains("prove is Failed"), "{mode}: {said} {why}");
            // Whoever asks twice wants both answers; a change that may not have been made is none.
            let (said, why) =
                ask(&[stop, (proof.0, proof.1, Succeeded), ("sessions", "aws-session-verify-refused", Unknown)]);
            assert!(said == "WARNED" && why.contains("sessions is Unknown"), "{mode}: {said} {why}");
            let (said, why) = ask(&[("deny", "aws-user-deny", Unknown), stop, (proof.0, proof.1, Succeeded)]);
            assert!(said == "WARNED" && why.contains("deny is Unknown"), "{mode}: {said} {why}");
            // A change that was never begun is none, and what is waited for is not over.
            let later = |state| [stop, (proof.0, proof.1, Succeeded), ("delete", "openrouter-key-delete", state)];
            assert_eq!(ask(&later(Pending)).0, "PASSED");
            let (said, why) = ask(&later(Waiting));
            assert!(said == "WARNED" && why.contains("delete is Waiting"), "{mode}: {said} {why}");
            assert_eq!(ask(&later(Unknown)).0, "WARNED");
        }
    }
}
