//! A whole replacement, what stops it, and its way back.

use std::time::Duration;

use super::{ENV, JSON, Stage, USER};
use crate::model::{RunState, StepState};
use crate::respond::RespondError;
use crate::respond::testing::step;

#[tokio::test]
async fn a_key_in_use_is_replaced_everywhere_and_deleted_when_nobody_uses_it_any_more() {
    let mut stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let (plan, digest) = stage.plan().await.expect("a plan");
    let replace = &plan.steps[1];
    let stores = replace.observed["stores"].as_array().expect("stores");
    assert_eq!(stores.len(), 2, "{}", replace.observed);
    assert!(stores.iter().all(|store| store["parts"] == serde_json::json!(["key_id", "secret"])), "{}", replace.observed);
    assert_eq!(stage.keys().await.len(), 1, "a plan changes nothing");

    let run = stage.runner().apply(&digest).await.expect("a run");
    stage.check(&run);
    let (ended, why) = step(&run, "new-used");
    assert!(run.state == RunState::Waiting && ended == StepState::Waiting && why.contains("no consumer has used"), "{why}");
    let new = stage.held(".env").id;
    assert_ne!(new, stage.old.id);
    assert_eq!(stage.keys().await, [(stage.old.id.clone(), true), (new.clone(), true)], "both work");
    assert!(stage.read("app.env").contains(&new) && !stage.read("app.env").contains(&stage.old.id));
    assert!(stage.read(".env").starts_with("# prod\n") && stage.read(".env").ends_with("\nOTHER=1\n"));

    // The old value is nowhere on disk any more. A consumer comes back with the new one.
    stage.readable = false;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await);
    let run = stage.resume(&run).await;
    assert_eq!((step(&run, "new-used").0, step(&run, "old-unused").0), (StepState::Succeeded, StepState::Waiting));
    let early = stage.resume(&run).await;
    assert_eq!(step(&early, "deactivate").0, StepState::Pending, "a day is not over");
    stage.clock.pass(Duration::from_hours(26));
    let run = stage.resume(&run).await;
    assert_eq!((step(&run, "deactivate").0, run.state), (StepState::Waiting, RunState::Waiting), "{:?}", run.steps);
    assert_eq!(stage.keys().await[0], (stage.old.id.clone(), false));
    let at = |run: &crate::model::Run| run.steps.iter().find(|step| step.id == "deactivate").and_then(|step| step.at);
    let stopped = at(&run);
    stage.clock.pass(Duration::from_hours(24));
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "delete");
    assert!(ended == StepState::Waiting && why.contains("2 approval(s)"), "{why}");
    let later = at(&run).zip(stopped).map(|(at, stopped)| at.duration_since(stopped).as_hours());
    assert_eq!(later, Some(0), "it was stopped when it was, and not when that was looked at again a day later");
    stage.agree(&digest);
    let run = stage.resume(&run).await;
    assert_eq!(step(&run, "delete").0, StepState::Succeeded, "{:?}", run.steps);
    assert_eq!(stage.keys().await, [(new, true)]);
    assert!(stage.serves(".env").await);
    assert_eq!(stage.calls("iam:CreateAccessKey"), 1);
    assert_eq!(run.state, RunState::Done);
    let statement =
        std::fs::read_to_string(stage.runner().folder.run(&run.id).expect("the run").evidence()).expect("a statement");
    assert!(statement.contains("\"result\": \"PASSED\""), "{statement}");
}

#[tokio::test]
async fn whoever_still_uses_the_old_one_is_waited_for() {
    let stage = Stage::new(&[(".env", ENV)]).await;
    let run = stage.apply().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await);
    let old = crate::net::AwsKey { id: stage.old.id.clone(), secret: stage.old.secret.duplicate(), token: None };
    let sts = stage.net.sts(&old, crate::net::Partition::Aws).expect("clients");
    sts.get_caller_identity().send().await.expect("it still works");
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "old-unused");
    assert!(ended == StepState::Waiting && why.contains("somebody holds it who is not known"), "{why}");
    assert_eq!(step(&run, "deactivate").0, StepState::Pending);
}

#[tokio::test]
async fn it_is_put_back_to_the_byte_and_the_new_one_goes() {
    let stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let before = [stage.read(".env"), stage.read("app.env")];
    let run = stage.apply().await;
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    assert_eq!(undone.state, RunState::Undone, "{:?}", undone.steps);
    assert_eq!([stage.read(".env"), stage.read("app.env")], before);
    assert_eq!(stage.keys().await, [(stage.old.id.clone(), true)]);
    assert!(stage.serves(".env").await);
}

#[tokio::test]
async fn what_a_service_has_taken_up_is_not_taken_from_it() {
    let stage = Stage::new(&[(".env", ENV)]).await;
    let run = stage.apply().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await, "a service has the new one now");
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    let (ended, why) = step(&undone, "replace");
    assert!(ended == StepState::UndoFailed && why.contains("it was used at"), "{why}");
    assert_eq!(stage.held(".env").id, stage.old.id, "who looks again gets the old one");
    assert_eq!(stage.keys().await.len(), 2, "who does not has one that works");
    stage.clock.pass(Duration::from_mins(16));
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    assert_eq!(undone.state, RunState::Undone, "{:?}", undone.steps);
    assert_eq!(stage.keys().await, [(stage.old.id.clone(), true)]);
}

#[tokio::test]
async fn it_is_not_put_back_when_the_old_one_is_gone_or_unknown() {
    let mut stage = Stage::new(&[(".env", ENV)]).await;
    let run = stage.apply().await;
    stage.readable = false;
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    let (ended, why) = step(&undone, "replace");
    assert!(ended == StepState::UndoFailed && why.contains("--secret-stdin"), "{why}");
    stage.readable = true;
    let runner = stage.runner();
    let iam = &runner.hands.aws.as_ref().expect("clients").responder.iam;
    iam.delete_access_key().user_name(USER).access_key_id(&stage.old.id).send().await.expect("deleted");
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    let (ended, why) = step(&undone, "replace");
    assert!(ended == StepState::UndoFailed && why.contains("does not work any more"), "{why}");
    assert_eq!(stage.keys().await.len(), 1);
    assert!(stage.serves(".env").await, "the new one stays where it is");
}

#[tokio::test]
async fn nothing_is_minted_where_it_would_reach_nobody_or_not_everybody() {
    // In no file of settings: source code is no store.
    let stage = Stage::new(&[("app.py", ENV), (".env.example", ENV)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("no store that is known"), "{why}");
    assert_eq!(stage.keys().await.len(), 1);

    // One that cannot be read may hold it.
    let mut stage = Stage::new(&[(".env", ENV)]).await;
    let folder = stage.path("folder");
    std::fs::create_dir(&folder).expect("a folder");
    stage.listed = vec![folder];
    let run = stage.apply().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("is not known"), "{why}");
    assert_eq!(stage.keys().await.len(), 1);

    // There is no room.
    let stage = Stage::new(&[(".env", ENV)]).await;
    let second = stage.sandbox.create_access_key(USER).expect("a second key");
    let run = stage.apply().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("no room") && why.contains(&second.id), "{why}");
    assert_eq!(stage.keys().await.len(), 2);
}

#[tokio::test]
async fn a_store_or_a_user_that_changed_since_voids_the_plan() {
    let stage = Stage::new(&[(".env", ENV)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    // Half of it is gone.
    let whole = stage.read(".env");
    std::fs::write(stage.path(".env"), format!("AWS_ACCESS_KEY_ID={}\n", stage.old.id)).expect("written");
    let error = stage.runner().apply(&digest).await.expect_err("drift");
    assert!(matches!(error, RespondError::Drift { .. }), "{error}");
    std::fs::write(stage.path(".env"), whole).expect("written");
    let (_, digest) = stage.plan().await.expect("a plan");
    stage.sandbox.create_access_key(USER).expect("a second key");
    let error = stage.runner().apply(&digest).await.expect_err("drift");
    assert!(matches!(error, RespondError::Drift { .. }), "{error}");
    assert_eq!(stage.calls("iam:CreateAccessKey"), 0);
}

#[tokio::test]
async fn what_nobody_is_known_to_use_is_not_deleted() {
    let mut stage = Stage::new(&[(".env", ENV)]).await;
    stage.finding.owners.clear();
    let (_, digest) = stage.plan().await.expect("a plan");
    stage.agree(&digest);
    let mut run = stage.runner().apply(&digest).await.expect("a run");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await);
    for hours in [26, 25, 1] {
        run = stage.resume(&run).await;
        stage.clock.pass(Duration::from_hours(hours));
    }
    stage.agree(&digest);
    run = stage.resume(&run).await;
    let (ended, why) = step(&run, "delete");
    assert!(ended == StepState::Refused && why.contains("not known"), "{why}");
    assert_eq!(stage.keys().await[0], (stage.old.id.clone(), false), "it stays deactivated");
}
