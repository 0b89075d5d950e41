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
    let shared = Arc::clone(&limits);
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
    (scene.impatient(LONG / 2), limits)
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
