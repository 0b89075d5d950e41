//! Every statement goes wrong in every way: what is said of the role is so, and without faults it comes to its end and back.

use std::time::Duration;

use super::{Fault, Scene};
use crate::model::{Run, RunState, StepState};
use crate::respond::replayed;
use crate::respond::testing::step;

const FAULTS: [Fault; 9] = [
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::Says("42501"),
    Fault::Says("53300"),
    Fault::Says("57P01"),
    Fault::Lie,
    Fault::Garbled,
    Fault::HangBefore,
    Fault::HangAfter,
];

/// What was said is so, and written as it was said.
fn is_true(scene: &Scene, run: &Run, moment: &str) {
    let (ended, why) = step(run, "stop");
    let out = scene.may("ops") == Some(false);
    match ended {
        StepState::Succeeded => assert!(out, "{moment}: it is called done"),
        StepState::Refused | StepState::Failed if run.steps[0].touched => {}
        StepState::Refused | StepState::Failed | StepState::Undone => {
            assert!(!out, "{moment}: it is called not done: {why}");
        }
        _ => {}
    }
    let back = matches!(ended, StepState::Undoing | StepState::Undone | StepState::UndoFailed);
    assert!(back || out || step(run, "prove-refused").0 != StepState::Succeeded, "{moment}: it is called refused");
    let folder = scene.runner().folder.run(&run.id).expect("the run");
    let again = replayed(&folder).expect("a journal");
    assert_eq!((again.state, &again.steps), (run.state, &run.steps), "{moment}");
    let text = std::fs::read_to_string(folder.evidence().with_file_name("journal.jsonl")).expect("a journal");
    assert!(!text.contains(&super::password()) && !text.contains(super::CHIEF.1), "{moment}: a password is written down");
}

fn meets(scene: &Scene, fault: Option<(usize, Fault)>) {
    scene.database.lock().expect("the roles").fault = fault;
}

/// Whether the fault was met at all.
fn met(scene: &Scene) -> bool {
    scene.database.lock().expect("the roles").fault.take().is_none()
}

/// Applied, and walked back, with the `at`th statement of either going wrong; whether there was such a statement.
async fn story(at: usize, fault: Fault, back: bool) -> bool {
    let moment = format!("statement {at}, {fault:?}, back {back}");
    let mut scene = Scene::new(&["ops"], &["ops"]);
    if matches!(fault, Fault::HangBefore | Fault::HangAfter) {
        scene.timeout = Duration::from_secs(2);
    }
    let plan = scene.plan().await.expect("a plan");
    let digest = scene.runner().folder.keep(&plan).expect("kept");
    meets(&scene, (!back).then_some((at, fault)));
    let mut run = match scene.runner().apply(&digest).await {
        Ok(run) => run,
        // The look before it met the fault.
        Err(_) => scene.runner().apply(&digest).await.expect("a run"),
    };
    let mut was = met(&scene);
    is_true(&scene, &run, &moment);
    for _ in 0..2 {
        if run.state == RunState::Done {
            break;
        }
        run = scene.runner().resume(&run.id).await.expect("a run");
        is_true(&scene, &run, &moment);
    }
    assert_eq!(run.state, RunState::Done, "{moment}: {:?}", run.steps);
    if back {
        meets(&scene, Some((at, fault)));
        run = scene.runner().undo(&run.id).await.expect("a run");
        was = met(&scene);
        is_true(&scene, &run, &moment);
    }
    run = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((run.state, scene.may("ops")), (RunState::Undone, Some(true)), "{moment}: {:?}", run.steps);
    is_true(&scene, &run, &moment);
    was
}

fn every(back: bool) {
    std::thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let mut at = 0;
                while runtime.block_on(story(at, fault, back)) {
                    at += 1;
                }
                assert!(at >= 3, "only {at} statements were met");
            });
        }
    });
}

#[test]
fn whichever_statement_goes_wrong_what_is_said_of_the_role_is_so() {
    every(false);
}

#[test]
fn whichever_statement_of_the_way_back_goes_wrong_it_is_not_called_let_in_before_it_is() {
    every(true);
}
