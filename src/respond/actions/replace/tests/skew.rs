//! The provider's clock is not ours: ahead of it or behind it, nobody is said to use a key whom only this run has asked, and a key
//! that a service has taken up is not taken from it. And our own clock is set back.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{ENV, Stage};
use crate::model::{Clock, StepState, SystemClock};
use crate::respond::testing::step;

/// The machine's clock, and so much more.
struct Off(SignedDuration);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_add(self.0).expect("a time")
    }
}

/// SigV4 takes what was signed within a quarter of an hour.
async fn provider(minutes: i64) -> Stage {
    Stage::at(Arc::new(Off(SignedDuration::from_mins(minutes))), &[(".env", ENV)]).await
}

#[tokio::test]
async fn where_the_provider_is_ahead_our_own_question_is_nobodys_use() {
    for minutes in [0, 10] {
        let stage = provider(minutes).await;
        let run = stage.apply().await;
        // Later than any second in which this run asked.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let run = stage.resume(&run).await;
        assert_eq!(step(&run, "new-used").0, StepState::Waiting, "{minutes} min ahead: nobody has used it");
        assert!(stage.serves(".env").await);
        // The record of that use is later than our own question, by the provider's own clock.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(stage.serves(".env").await);
        let run = stage.resume(&run).await;
        assert_eq!(step(&run, "new-used").0, StepState::Succeeded, "{minutes} min ahead: {}", step(&run, "new-used").1);
    }
}

#[tokio::test]
async fn where_the_provider_is_behind_a_key_that_is_used_is_not_taken_away() {
    for minutes in [0, -10] {
        let stage = provider(minutes).await;
        let run = stage.apply().await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(stage.serves(".env").await);
        let new = stage.held(".env").id;
        // The service uses it once more a while later, by everybody's clock.
        let undone = stage.runner().undo(&run.id).await.expect("a run");
        let (ended, why) = step(&undone, "replace");
        assert!(ended == StepState::UndoFailed && why.contains("it was used at"), "{minutes} min: {ended:?} {why}");
        assert!(stage.keys().await.contains(&(new, true)), "{minutes} min: it was taken from whoever uses it");
    }
}

#[tokio::test]
async fn a_lost_key_whose_time_cannot_be_compared_is_not_touched_and_said() {
    let stage = provider(-10).await;
    let (_, digest) = stage.plan().await.expect("a plan");
    stage.sandbox.fail_next("iam:CreateAccessKey", crate::sandbox::Fault::DropAfterEffect);
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("cannot be told"), "{ended:?} {why}");
    assert_eq!((stage.keys().await.len(), stage.calls("iam:DeleteAccessKey")), (2, 0));
    assert!(stage.serves(".env").await);
}

#[tokio::test]
async fn a_quiet_period_is_not_over_because_our_clock_was_set_back() {
    let stage = Stage::new(&[(".env", ENV)]).await;
    stage.clock.pass(Duration::from_hours(3));
    let run = stage.apply().await;
    assert!(stage.serves(".env").await);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    stage.clock.back(Duration::from_hours(3));
    let run = stage.resume(&run).await;
    // What came before it has its time, and nothing is taken for over that is not.
    assert_ne!(step(&run, "old-unused").0, StepState::Succeeded, "{:?}", run.steps);
    assert_eq!(step(&run, "deactivate").0, StepState::Pending, "{:?}", run.steps);
    let undone = stage.runner().undo(&run.id).await.expect("a run");
    stage.check(&undone);
    assert!(stage.serves(".env").await);
}
