//! A project's rate limits, with the change and the way back going wrong in every way: what is said of them is so, and they come back
//! to what they were.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::{Asked, LONG, body, bytes};
use crate::model::{Run, StepState};
use crate::respond::testing::{Provider, Scene, step};

/// Two limits as they were.
const BEFORE: [(&str, u64); 2] = [("rl-1", 5000), ("rl-2", 300)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Says(u16),
    Page,
    /// Cut, or nothing for longer than anybody waits; done, or not.
    Silent {
        cut: bool,
        done: bool,
    },
    Lie,
}

const FAULTS: [Fault; 9] = [
    Fault::Says(401),
    Fault::Says(429),
    Fault::Says(500),
    Fault::Page,
    Fault::Lie,
    Fault::Silent { cut: true, done: false },
    Fault::Silent { cut: true, done: true },
    Fault::Silent { cut: false, done: false },
    Fault::Silent { cut: false, done: true },
];

type Limits = Arc<Mutex<([u64; 2], Fault)>>;

/// The project, and its limits with what happens to every change of the second one.
fn scene() -> (Scene, Limits) {
    let limits: Limits = Arc::new(Mutex::new((BEFORE.map(|(_, limit)| limit), Fault::None)));
    (over(&limits), limits)
}

/// The same over limits that others see as well.
fn over(limits: &Limits) -> Scene {
    let shared = Arc::clone(limits);
    let provider = Provider::new(move |asked: &Asked| {
        let path = "/v1/organization/projects/proj_1/rate_limits";
        let mut held = shared.lock().expect("the limits");
        if asked.line == format!("GET {path}?limit=100") {
            let one = |at: usize| json!({ "id": BEFORE[at].0, "model": "m", "max_requests_per_1_minute": held.0[at] });
            return bytes((200, &json!({ "data": [one(0), one(1)], "has_more": false }).to_string()));
        }
        let at = BEFORE.iter().position(|(id, _)| asked.line == format!("POST {path}/{id}"));
        let Some(at) = at else { return bytes((200, r#"{"data":[],"has_more":false}"#)) };
        let wanted = body(asked)["max_requests_per_1_minute"].as_u64().expect("a number");
        let fault = if at == 1 { held.1 } else { Fault::None };
        if matches!(fault, Fault::None | Fault::Silent { done: true, .. }) {
            held.0[at] = wanted;
        }
        drop(held);
        match fault {
            Fault::None | Fault::Lie => bytes((200, "{}")),
            Fault::Says(status) => bytes((status, r#"{"error":{"message":"not now"}}"#)),
            Fault::Page => bytes((200, "<html>sign in</html>")),
            Fault::Silent { cut, .. } => {
                if !cut {
                    std::thread::sleep(LONG);
                }
                Vec::new()
            }
        }
    });
    let identity = [("organization", "acme"), ("project", "proj_1")];
    let mut scene = Scene::new("openai-project-key", "openai-project-key-contain", &identity, provider);
    scene.playbook.steps.retain(|step| step.id == "throttle");
    scene.impatient(LONG / 2)
}

fn is_true(run: &Run, limits: &Limits, fault: Fault) {
    let (ended, why) = step(run, "throttle");
    let held = limits.lock().expect("the limits").0;
    match ended {
        StepState::Succeeded => assert_eq!(held, [1, 1], "{fault:?}: they are called low"),
        StepState::Undone => assert_eq!(held, BEFORE.map(|(_, limit)| limit), "{fault:?}: they are called back"),
        // The first was changed: that nothing was would not be so.
        StepState::Failed | StepState::Refused => panic!("{fault:?}: {why}"),
        _ => {}
    }
}

#[test]
fn limits_are_low_only_if_all_are_and_back_only_if_all_are() {
    std::thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(story(fault));
            });
        }
    });
}

async fn story(fault: Fault) {
    let (scene, limits) = scene();
    let meets = |fault| limits.lock().expect("the limits").1 = fault;
    meets(fault);
    let mut run = scene.apply().await;
    is_true(&run, &limits, fault);
    meets(Fault::None);
    if step(&run, "throttle").0 != StepState::Succeeded {
        run = scene.resume(&run).await;
    }
    assert_eq!(step(&run, "throttle").0, StepState::Succeeded, "{fault:?}: {}", step(&run, "throttle").1);
    is_true(&run, &limits, fault);
    scene.clock.advance(Duration::from_secs(1));
    meets(fault);
    let run = scene.undo(&run).await;
    is_true(&run, &limits, fault);
    meets(Fault::None);
    let run = scene.undo(&run).await;
    is_true(&run, &limits, fault);
    assert_eq!(step(&run, "throttle").0, StepState::Undone, "{fault:?}: {}", step(&run, "throttle").1);
}

#[tokio::test]
async fn two_keys_of_one_project_do_not_stand_in_each_others_way() {
    let (first, limits) = scene();
    let second = over(&limits);
    let (_, digest) = second.plan().await.expect("a plan");
    second.agree(&digest);
    let run = first.apply().await;
    assert_eq!(step(&run, "throttle").0, StepState::Succeeded);
    // Planned while it was not throttled yet: that it is by now is what was wanted.
    let other = second.runner().apply(&digest).await.expect("no drift");
    assert_eq!(step(&other, "throttle").0, StepState::Succeeded, "{}", step(&other, "throttle").1);
    // What it has not changed it does not change back.
    let other = second.undo(&other).await;
    assert_eq!((step(&other, "throttle").0, limits.lock().expect("the limits").0), (StepState::Succeeded, [1, 1]));
    let run = first.undo(&run).await;
    assert_eq!((step(&run, "throttle").0, limits.lock().expect("the limits").0), (StepState::Undone, [5000, 300]));
    // Somebody else's change is drift as ever.
    let third = over(&limits);
    let (_, digest) = third.plan().await.expect("a plan");
    third.agree(&digest);
    limits.lock().expect("the limits").0 = [5000, 200];
    let begun = third.runner().apply(&digest).await;
    assert!(matches!(begun, Err(crate::respond::RespondError::Drift { .. })), "{:?}", begun.map(|run| run.steps));
}

/// A limit on what may be spent, or none, and what happens to its next change.
type Spending = Arc<Mutex<(Option<u64>, Fault)>>;

/// A project with a limit on what it may spend, or none, and what happens to the next change of it.
fn spending(limit: Option<u64>) -> (Scene, Spending) {
    let shared = Arc::new(Mutex::new((limit, Fault::None)));
    let held = Arc::clone(&shared);
    let provider = Provider::new(move |asked: &Asked| {
        let path = "/v1/organization/projects/proj_1/spend_limit";
        let mut held = held.lock().expect("the limit");
        if !asked.line.ends_with(path) {
            return bytes((200, r#"{"data":[],"has_more":false}"#));
        }
        let shown = |cents: Option<u64>| match cents {
            Some(cents) => bytes((200, &json!({ "object": "project.spend_limit", "threshold_amount": cents }).to_string())),
            None => bytes((404, r#"{"error":{"message":"no limit"}}"#)),
        };
        if asked.line.starts_with("GET ") {
            return shown(held.0);
        }
        let wanted = asked.line.starts_with("POST ").then(|| {
            let body = body(asked);
            assert_eq!((&body["currency"], &body["interval"]), (&json!("USD"), &json!("month")));
            body["threshold_amount"].as_u64().expect("a number")
        });
        let fault = std::mem::replace(&mut held.1, Fault::None);
        if matches!(fault, Fault::None | Fault::Silent { done: true, .. }) {
            held.0 = wanted;
        }
        match fault {
            Fault::None | Fault::Lie => shown(wanted.or(Some(0))),
            Fault::Says(status) => bytes((status, r#"{"error":{"message":"not now"}}"#)),
            Fault::Page => bytes((200, "<html>sign in</html>")),
            Fault::Silent { .. } => Vec::new(),
        }
    });
    let identity = [("organization", "acme"), ("project", "proj_1")];
    let mut scene = Scene::new("openai-project-key", "openai-project-key-contain", &identity, provider);
    scene.playbook.steps.retain(|step| step.id == "spend-limit");
    (scene, shared)
}

#[tokio::test]
async fn what_a_project_may_spend_is_limited_and_put_back_whatever_goes_wrong() {
    let faults = FAULTS.into_iter().filter(|fault| !matches!(fault, Fault::Silent { cut: false, .. }));
    for fault in faults.chain([Fault::None]) {
        for before in [None, Some(50_000)] {
            let moment = format!("{fault:?} {before:?}");
            let (scene, held) = spending(before);
            let limit = || held.lock().expect("the limit").0;
            held.lock().expect("the limit").1 = fault;
            let mut run = scene.apply().await;
            let (ended, why) = step(&run, "spend-limit");
            match ended {
                StepState::Succeeded => assert_eq!(limit(), Some(1), "{moment}"),
                StepState::Refused | StepState::Failed => assert_eq!(limit(), before, "{moment}: {why}"),
                _ => {}
            }
            if ended != StepState::Succeeded {
                run = scene.resume(&run).await;
            }
            assert_eq!((step(&run, "spend-limit").0, limit()), (StepState::Succeeded, Some(1)), "{moment}");
            held.lock().expect("the limit").1 = fault;
            let run = scene.undo(&run).await;
            if step(&run, "spend-limit").0 == StepState::Undone {
                assert_eq!(limit(), before, "{moment}");
            }
            let run = scene.undo(&run).await;
            assert_eq!((step(&run, "spend-limit").0, limit()), (StepState::Undone, before), "{moment}");
        }
    }
}

#[tokio::test]
async fn a_run_that_died_before_its_first_record_is_asked_what_every_plan_is() {
    let (scene, limits) = scene();
    let (plan, digest) = scene.plan().await.expect("a plan");
    scene.agree(&digest);
    let runner = scene.runner();
    let dead = runner.folder.new_run(&plan, runner.hands.clock.now()).expect("a folder");
    std::fs::write(dead.journal(), "").expect("an empty journal");
    limits.lock().expect("the limits").0 = [5000, 200];
    let gone_on = runner.resume(&dead.id).await;
    assert!(matches!(gone_on, Err(crate::respond::RespondError::Drift { .. })), "{:?}", gone_on.map(|run| run.steps));
    assert_eq!(limits.lock().expect("the limits").0, [5000, 200], "nothing was changed");
    limits.lock().expect("the limits").0 = BEFORE.map(|(_, limit)| limit);
    // Its plan has another run by now.
    let run = runner.apply(&digest).await.expect("a run");
    assert_eq!(step(&run, "throttle").0, StepState::Succeeded);
    let gone_on = runner.resume(&dead.id).await;
    assert!(matches!(&gone_on, Err(error) if error.to_string().contains(&run.id)), "{:?}", gone_on.map(|run| run.steps));
}
