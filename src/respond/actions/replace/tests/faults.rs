//! Every call goes wrong in every way, and the process dies at every reading of its clock, which is every record: there are
//! never two new keys, none is left that nobody holds, and what is said is so.

use std::time::Duration;

use super::{ENV, JSON, Stage};
use crate::model::{Run, StepState};
use crate::respond::testing::step;
use crate::sandbox::Fault;

const FAULTS: [Fault; 4] = [Fault::Throttle, Fault::InternalError, Fault::DropBeforeEffect, Fault::DropAfterEffect];

/// What must hold whatever has happened: each store has a key that works, and whatever else the user has is the old one.
async fn sound(stage: &Stage, moment: &str) {
    assert!(stage.serves(".env").await, "{moment}: the service fails");
    let keys = stage.keys().await;
    assert!(keys.len() <= 2 && keys[0] == (stage.old.id.clone(), true), "{moment}: {keys:?}");
}

/// What was said of the replacement is so.
async fn true_to_its_word(stage: &Stage, run: &Run, moment: &str) {
    let (ended, why) = step(run, "replace");
    let (keys, held) = (stage.keys().await, stage.held(".env").id);
    match ended {
        StepState::Succeeded => assert!(held != stage.old.id && keys.len() == 2, "{moment}: {keys:?}"),
        StepState::Refused | StepState::Failed => {
            assert!(held == stage.old.id && keys.len() == 1, "{moment}: {why} {keys:?}");
        }
        StepState::Unknown | StepState::Waiting => {}
        other => panic!("{moment}: {other:?} {why}"),
    }
}

/// One fault, or two of which the second spoils what the first leads to: the action, how many of its calls go well before, how
/// it goes wrong.
type Case = Vec<(&'static str, u32, Fault)>;

/// Goes on with a run as its words ask for: where a key may have been made that is not listed yet, later; and where none shows up
/// even then, with a person's word that there is none.
async fn gone_on(stage: &Stage, run: &Run) -> Run {
    let (ended, why) = step(run, "replace");
    if why.contains("the list may be behind") {
        assert_eq!(stage.keys().await.len(), 1, "{why}");
        stage.clock.pass(Duration::from_mins(6));
    }
    let mut runner = stage.runner();
    if ended == StepState::Waiting {
        assert!(why.contains("--done replace"), "{why}");
        runner.confirmed = vec!["replace".to_owned()];
    }
    runner.resume(&run.id).await.expect("a run")
}

/// Plans, meets the faults, resumes as often as it may take; whatever was said on the way is so.
async fn met(case: &Case) {
    let moment = format!("{case:?}");
    let stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    for (action, well, fault) in case {
        (0..*well).for_each(|_| stage.sandbox.fail_next(action, Fault::None));
        stage.sandbox.fail_next(action, *fault);
    }
    let mut run = match stage.runner().apply(&digest).await {
        Ok(run) => run,
        // It met the look before the run, which has begun nothing.
        Err(_) => stage.runner().apply(&digest).await.expect("a run"),
    };
    for _ in 0..6 {
        stage.check(&run);
        sound(&stage, &moment).await;
        true_to_its_word(&stage, &run, &moment).await;
        if step(&run, "replace").0 == StepState::Succeeded {
            break;
        }
        run = gone_on(&stage, &run).await;
    }
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{moment}: {}", step(&run, "replace").1);
    assert_eq!(stage.keys().await.len(), 2, "{moment}");
}

#[tokio::test]
async fn whatever_goes_wrong_at_whichever_call_there_is_one_new_key_in_the_end() {
    let calls = [("iam:ListAccessKeys", 0..5), ("iam:CreateAccessKey", 0..1)];
    for (action, times) in calls {
        for well in times {
            for fault in FAULTS {
                met(&vec![(action, well, fault)]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_is_not_accepted_yet_is_waited_for() {
    for well in 0..3 {
        for fault in FAULTS {
            met(&vec![("sts:GetCallerIdentity", well, fault)]).await;
        }
    }
}

#[tokio::test]
async fn a_key_whose_value_was_lost_goes_whatever_spoils_its_removal() {
    let lost = ("iam:CreateAccessKey", 0, Fault::DropAfterEffect);
    for fault in FAULTS {
        met(&vec![lost, ("iam:UpdateAccessKey", 0, fault)]).await;
        met(&vec![lost, ("iam:DeleteAccessKey", 0, fault)]).await;
        // The look whether it has made one.
        met(&vec![lost, ("iam:ListAccessKeys", 3, fault)]).await;
    }
}

/// How far a run comes before its process dies at a reading of the clock; `None` when it does not die.
async fn dies(stage: &Stage, digest: &str, at: u32) -> Option<()> {
    let runner = stage.runner();
    let digest = digest.to_owned();
    stage.clock.die_at(Some(at));
    let ended = tokio::spawn(async move { runner.apply(&digest).await }).await;
    stage.clock.die_at(None);
    ended.is_err().then_some(())
}

#[tokio::test]
async fn whenever_the_process_dies_it_goes_on_to_one_new_key() {
    std::panic::set_hook(Box::new(|_| {}));
    let (mut at, mut resumed, mut orphans) = (0, 0, 0);
    loop {
        let mut stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
        let (_, digest) = stage.plan().await.expect("a plan");
        if dies(&stage, &digest, at).await.is_none() {
            break;
        }
        let moment = format!("reading {at}");
        let stood = stage.keys().await.len();
        sound(&stage, &moment).await;
        // The file may have been the only place that had the old value.
        stage.readable = false;
        let runner = stage.runner();
        let run = match runner.folder.runs().expect("runs").pop() {
            Some(begun) => {
                resumed += 1;
                runner.resume(&begun.id).await.expect("a run")
            }
            None => runner.apply(&digest).await.expect("a run"),
        };
        stage.check(&run);
        sound(&stage, &moment).await;
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{moment}: {}", step(&run, "replace").1);
        true_to_its_word(&stage, &run, &moment).await;
        assert!(stage.read("app.env").contains(&stage.held(".env").id), "{moment}: both stores have the same");
        let (made, removed) = (stage.calls("iam:CreateAccessKey"), stage.calls("iam:DeleteAccessKey"));
        assert!(made == 1 + removed && removed <= 1, "{moment}: {made} made, {removed} removed");
        orphans += removed.min(stood - 1);
        at += 1;
    }
    let _ = std::panic::take_hook();
    // The plan, the snapshot's two records, the replacement's begin, two notes and end, and what follows.
    assert!(at >= 8 && resumed >= 6, "only {at} moments, {resumed} resumed");
    assert!(orphans >= 1, "at no moment was there a key that nobody held");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_leaves_no_key_behind_or_both_working() {
    // No store can be written: the new one is removed.
    let stage = Stage::new(&[(".env", ENV)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    std::fs::hard_link(stage.path(".env"), stage.path("second-name")).expect("a link");
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Failed && why.contains("hard link") && why.contains("removed again"), "{why}");
    assert_eq!(stage.keys().await, [(stage.old.id.clone(), true)]);
    assert_eq!(stage.read(".env"), stage.read("second-name"));
    // One of two can: both keys work, and whoever resumes goes on with the same new one.
    let stage = Stage::new(&[(".env", ENV), ("app.env", JSON)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    std::fs::hard_link(stage.path("app.env"), stage.path("second-name")).expect("a link");
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("both work") && why.contains("respond resume"), "{why}");
    let new = stage.held(".env").id;
    assert!(stage.serves(".env").await && stage.read("app.env").contains(&stage.old.id));
    std::fs::remove_file(stage.path("second-name")).expect("removed");
    let run = stage.resume(&run).await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    assert!(stage.read("app.env").contains(&new));
    assert_eq!(stage.calls("iam:CreateAccessKey"), 1);
    assert!(stage.records(&run) > 6);
}

#[tokio::test]
async fn a_new_key_that_its_user_took_along_is_not_called_removed() {
    // On the way back, and where the answer to the mint was lost.
    let stage = Stage::new(&[(".env", ENV)]).await;
    let run = stage.apply().await;
    stage.sandbox.rename_before("iam:UpdateAccessKey", super::USER, "somebody-else");
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    let (ended, why) = step(&undone, "replace");
    assert!(ended == StepState::UndoFailed && why.contains("is a key of somebody-else now"), "{ended:?} {why}");
    let stage = Stage::new(&[(".env", ENV)]).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    stage.sandbox.fail_next("iam:CreateAccessKey", Fault::DropAfterEffect);
    stage.sandbox.rename_before("iam:DeleteAccessKey", super::USER, "somebody-else");
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("is a key of somebody-else now"), "{ended:?} {why}");
}
