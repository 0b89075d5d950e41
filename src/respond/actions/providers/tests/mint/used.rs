//! Who uses the new one and who the old one: by the provider's record where it has one, by a person's word else; asked again just before
//! the old one goes.

use std::time::Duration;

use super::scene;
use super::tongues::{MISTRAL, OPENAI};
use crate::model::{Run, StepState};
use crate::respond::testing::{Scene, step};

/// A run in which the new one is said to be in use, a day and two hours later.
pub(super) async fn a_day_later(scene: &Scene) -> Run {
    let run = scene.apply().await;
    let mut runner = scene.runner();
    runner.confirmed = vec!["new-in-use".to_owned()];
    let run = runner.resume(&run.id).await.expect("a run");
    scene.clock.advance(Duration::from_hours(26));
    run
}

const HOURS: i64 = 3600;

#[tokio::test]
async fn where_the_provider_is_ahead_our_own_question_is_nobodys_use() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        for clock in [Some(600), None] {
            let dir = tempfile::tempdir().expect("scratch");
            let (scene, model) = scene(tongue, &dir);
            model.lock().expect("the model").clock = clock;
            let run = scene.apply().await;
            let used = |at: i64| {
                let mut model = model.lock().expect("the model");
                model.keys.last_mut().expect("the new one").used = Some(at);
            };
            // Its clock is ten minutes ahead, and this run has asked as the new key at once.
            used(600);
            let run = scene.resume(&run).await;
            let (ended, why) = step(&run, "new-in-use");
            assert!(
                ended == StepState::Waiting && !why.starts_with("until"),
                "{name} {clock:?}: nobody has used it: {ended:?} {why}"
            );
            used(700);
            let run = scene.resume(&run).await;
            let (ended, why) = step(&run, "new-in-use");
            match clock {
                // It is in use, and what follows has its quiet period.
                Some(_) => assert!(ended == StepState::Waiting && why.starts_with("until"), "{name}: {ended:?} {why}"),
                // Where nobody can tell whose use it was, a person says so.
                None => assert!(ended == StepState::Waiting && why.contains("ahead of this one"), "{name}: {ended:?} {why}"),
            }
        }
    }
}

#[tokio::test]
async fn an_old_key_that_is_used_or_of_which_no_use_is_told_is_waited_for() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let used = |at: Option<i64>| model.lock().expect("the model").keys[0].used = at;
        let run = a_day_later(&scene).await;
        scene.agree(&run.digest);
        used(Some(25 * HOURS));
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "old-unused");
        assert!(ended == StepState::Waiting && why.contains("was used at 1970-01-02T01:00:00Z"), "{name}: {ended:?} {why}");
        used(None);
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "old-unused");
        assert!(ended == StepState::Waiting && why.contains("names no use"), "{name}: {ended:?} {why}");
        assert_eq!(step(&run, "stop").0, StepState::Pending, "{name}");
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}: nothing was deleted");
        // Silent for a day and an hour since.
        used(Some(25 * HOURS));
        scene.clock.advance(Duration::from_hours(25));
        scene.agree(&run.digest);
        let run = scene.resume(&run).await;
        assert_eq!(step(&run, "stop").0, StepState::Succeeded, "{name}: {:?}", run.steps);
    }
}

#[tokio::test]
async fn an_old_key_that_is_used_again_while_agreement_is_waited_for_is_not_deleted() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let run = a_day_later(&scene).await;
        // Whoever agreed has done so a day ago.
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "stop");
        assert!(ended == StepState::Waiting && why.contains("2 approval(s)"), "{name}: {ended:?} {why}");
        model.lock().expect("the model").keys[0].used = Some(26 * HOURS);
        scene.agree(&run.digest);
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "stop");
        assert!(ended == StepState::Waiting && why.contains("looked again") && why.contains("was used at"), "{name}: {why}");
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}: nothing was deleted");
    }
}

#[tokio::test]
async fn what_somebody_said_of_the_old_key_does_not_stand_for_a_record_that_cannot_be_had_now() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let run = a_day_later(&scene).await;
        model.lock().expect("the model").keys[0].used = None;
        let mut runner = scene.runner();
        runner.confirmed = vec!["old-unused".to_owned()];
        let run = runner.resume(&run.id).await.expect("a run");
        assert_eq!((step(&run, "old-unused").0, step(&run, "stop").0), (StepState::Succeeded, StepState::Waiting), "{name}");
        scene.agree(&run.digest);
        model.lock().expect("the model").down = true;
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "stop");
        assert!(ended == StepState::Waiting && why.contains("cannot be asked now"), "{name}: {ended:?} {why}");
        model.lock().expect("the model").down = false;
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}: nothing was deleted");
        assert_eq!(
            step(&scene.resume(&run).await, "stop").0,
            StepState::Succeeded,
            "{name}: it stands for one that is empty"
        );
    }
}
