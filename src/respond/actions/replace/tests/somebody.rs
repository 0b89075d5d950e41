//! Somebody else acts at the same time: their key is theirs, half a credential is no credential, and who takes a change back
//! while it is waited for has said no.

use std::time::Duration;

use super::{ENV, JSON, Stage, USER};
use crate::model::StepState;
use crate::respond::testing::step;
use crate::sandbox::Fault;

async fn lives(stage: &Stage, id: &str) -> bool {
    stage.keys().await.contains(&(id.to_owned(), true))
}

#[tokio::test]
async fn a_key_that_somebody_made_while_ours_was_in_doubt_is_not_touched() {
    let stage = Stage::new(&[(".env", ENV)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    // By the provider's clock the other key is made an hour before ours is asked for.
    stage.clock.pass(Duration::from_hours(1));
    stage.sandbox.fail_next("iam:CreateAccessKey", Fault::DropBeforeEffect);
    let run = stage.runner().apply(&digest).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Unknown);
    let theirs = stage.sandbox.create_access_key(USER).expect("a key").id;
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("cannot be told"), "{ended:?} {why}");
    assert!(lives(&stage, &theirs).await && lives(&stage, &stage.old.id).await);
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    assert_eq!(step(&undone, "replace").0, StepState::UndoFailed);
    assert!(lives(&stage, &theirs).await && lives(&stage, &stage.old.id).await);
}

#[tokio::test]
async fn after_a_mint_that_made_nothing_whatever_shows_up_is_somebody_elses() {
    let stage = Stage::new(&[(".env", ENV)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    stage.sandbox.fail_next("iam:CreateAccessKey", Fault::Throttle);
    let run = stage.runner().apply(&digest).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Failed);
    let theirs = stage.sandbox.create_access_key(USER).expect("a key").id;
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("not by this run"), "{ended:?} {why}");
    let _ = stage.runner().undo(&run.id).await.expect("a run");
    assert!(lives(&stage, &theirs).await && lives(&stage, &stage.old.id).await);
    assert_eq!(stage.calls("iam:CreateAccessKey"), 0);
}

#[tokio::test]
async fn half_a_credential_is_never_written() {
    const ID: &str = "AWS_ACCESS_KEY_ID={id}\n";
    // The secret is nowhere; a whole one beside a half one; the halves in two places.
    let cases: [(&[(&str, &str)], bool); 3] = [
        (&[(".env", ID)], false),
        (&[(".env", ENV), ("id.env", ID)], false),
        (&[("id.env", ID), ("secret.env", "AWS_SECRET_ACCESS_KEY={secret}\n"), (".env", ENV)], true),
    ];
    for (files, good) in cases {
        let stage = Stage::new(files).await;
        let (_, digest) = stage.plan().await.expect("a plan");
        let run = stage.runner().apply(&digest).await.expect("a run");
        let (ended, why) = step(&run, "replace");
        if good {
            assert_eq!(ended, StepState::Succeeded, "{why}");
            let id = stage.held(".env").id;
            assert!(id != stage.old.id && stage.read("id.env").contains(&id));
            assert!(stage.read("secret.env").contains(super::text(&stage.held(".env").secret)));
        } else {
            assert!(ended == StepState::Refused && why.contains("only a part"), "{ended:?} {why}");
            assert_eq!((stage.calls("iam:CreateAccessKey"), stage.keys().await.len()), (0, 1));
            assert!(stage.read(files[0].0).contains(&stage.old.id));
        }
    }
}

#[tokio::test]
async fn who_sets_the_key_active_while_it_is_waited_for_is_heard() {
    let stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let run = stage.apply().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await);
    let run = stage.resume(&run).await;
    stage.clock.pass(Duration::from_hours(26));
    stage.agree(&run.digest);
    let run = stage.resume(&run).await;
    assert_eq!(step(&run, "deactivate").0, StepState::Waiting, "{:?}", run.steps);
    let active = aws_sdk_iam::types::StatusType::Active;
    let runner = stage.runner();
    let iam = &runner.hands.aws.as_ref().expect("clients").responder.iam;
    iam.update_access_key().user_name(USER).access_key_id(&stage.old.id).status(active).send().await.expect("set");
    stage.clock.pass(Duration::from_hours(25));
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "deactivate");
    assert!(ended == StepState::Refused && why.contains("taken it back"), "{ended:?} {why}");
    assert!(lives(&stage, &stage.old.id).await, "neither deactivated again nor deleted");
    // Whoever goes on all the same waits once more.
    let run = stage.resume(&run).await;
    assert_eq!(step(&run, "deactivate").0, StepState::Waiting, "{:?}", run.steps);
    assert_eq!(step(&run, "delete").0, StepState::Pending);
}

#[tokio::test]
async fn a_store_that_something_else_writes_back_keeps_the_old_key_alive() {
    let stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let before = stage.read("app.env");
    let run = stage.apply().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await);
    let run = stage.resume(&run).await;
    let after = stage.read("app.env");
    std::fs::write(stage.path("app.env"), before).expect("written back");
    stage.clock.pass(Duration::from_hours(26));
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "old-unused");
    assert!(ended == StepState::Waiting && why.contains("app.env holds the old one again"), "{ended:?} {why}");
    assert_eq!(step(&run, "deactivate").0, StepState::Pending);
    std::fs::write(stage.path("app.env"), after).expect("mended");
    let run = stage.resume(&run).await;
    assert_eq!(step(&run, "old-unused").0, StepState::Succeeded, "{:?}", run.steps);
}

#[tokio::test]
async fn what_was_silent_is_looked_at_once_more_just_before_it_is_stopped() {
    let stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let before = stage.read("app.env");
    let run = stage.apply().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stage.serves(".env").await);
    let run = stage.resume(&run).await;
    stage.clock.pass(Duration::from_hours(26));
    // Somebody stops every change for a while, just when the old one was seen to be silent.
    let stop = tempfile::NamedTempFile::new().expect("a file");
    let mut runner = stage.runner();
    runner.stop_file = Some(stop.path().to_owned());
    let run = runner.resume(&run.id).await.expect("a run");
    assert_eq!(step(&run, "old-unused").0, StepState::Succeeded, "{:?}", run.steps);
    assert_eq!(step(&run, "deactivate").0, StepState::Refused, "{:?}", run.steps);
    // Meanwhile something has written it back where a service reads it.
    std::fs::write(stage.path("app.env"), before).expect("written back");
    let run = stage.resume(&run).await;
    let (ended, why) = step(&run, "deactivate");
    assert!(ended == StepState::Waiting && why.contains("looked again") && why.contains("app.env"), "{ended:?} {why}");
    assert!(lives(&stage, &stage.old.id).await, "whoever reads that store would be left without a key");
}
