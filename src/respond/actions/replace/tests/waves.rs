//! Many replacements: the next wave begins once whoever used the first one's old key is seen to use the new one, and no more are
//! begun in an hour than may be.

use std::sync::Arc;
use std::time::Duration;

use super::{ENV, Stage};
use crate::model::{RunState, StepState};
use crate::respond::testing::step;
use crate::respond::{Ended, Hourly, Left, Playbooks, RespondError, Runner, Waves, apply_all, builtin_playbooks};
use crate::sandbox::Fault;

/// Stages over one state folder and one clock, each with a plan.
async fn stages(count: usize) -> Vec<(Stage, String)> {
    let mut stages: Vec<(Stage, String)> = Vec::new();
    for _ in 0..count {
        let mut stage = Stage::new(&[(".env", ENV)]).await;
        if let Some((first, _)) = stages.first() {
            stage.state.clone_from(&first.state);
            stage.clock = Arc::clone(&first.clock);
        }
        let (_, digest) = stage.plan().await.expect("a plan");
        stages.push((stage, digest));
    }
    stages
}

fn runner(stage: &Stage, rotations: Option<Hourly>) -> Runner {
    let mut runner = stage.runner();
    runner.guard.rotations = rotations;
    runner
}

async fn applied(stages: &[(Stage, String)]) -> Vec<Ended> {
    let plans = stages.iter().map(|(stage, digest)| (runner(stage, None), digest.clone())).collect();
    apply_all(plans, Waves { at_once: 4, most_failures: 3 }, &Arc::default(), |_, _| {}).await
}

fn minted(stages: &[(Stage, String)]) -> Vec<usize> {
    stages.iter().map(|(stage, _)| stage.calls("iam:CreateAccessKey")).collect()
}

#[tokio::test]
async fn the_next_wave_waits_until_the_first_ones_consumers_use_the_new_key() {
    let stages = stages(3).await;
    for _ in 0..2 {
        let ends = applied(&stages).await;
        let Ended::Ran(first) = &ends[0] else { panic!("the first was not begun") };
        assert_eq!(step(first, "new-used").0, StepState::Waiting);
        for left in &ends[1..] {
            let Ended::NotBegun(Left::Held(why)) = left else { panic!("it was begun") };
            assert!(why.contains(&first.id) && why.contains("new-used") && why.contains("respond resume"), "{why}");
        }
        assert_eq!(minted(&stages), [1, 0, 0], "the same plans again change nothing");
    }
    // The first one's service has it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(stages[0].0.serves(".env").await);
    let ends = applied(&stages).await;
    let [Ended::Ran(first), Ended::Ran(second), Ended::NotBegun(Left::Held(why))] = ends.as_slice() else {
        panic!("two are begun, and the third is not")
    };
    assert_eq!((step(first, "new-used").0, step(second, "new-used").0), (StepState::Succeeded, StepState::Waiting));
    assert!(why.contains(&second.id), "{why}");
    assert_eq!(minted(&stages), [1, 1, 0]);
}

#[tokio::test]
async fn a_run_that_was_walked_back_holds_nobody_and_is_not_begun_again() {
    let stages = stages(2).await;
    let ends = applied(&stages).await;
    let [Ended::Ran(first), Ended::NotBegun(Left::Held(_))] = ends.as_slice() else { panic!("one is begun") };
    let undone = runner(&stages[0].0, None).undo(&first.id).await.expect("a run");
    assert_eq!(undone.state, RunState::Undone);
    let ends = applied(&stages).await;
    let [Ended::NotBegun(Left::WalkedBack(run)), Ended::Ran(_)] = ends.as_slice() else { panic!("the second is begun") };
    assert_eq!((run, minted(&stages)), (&first.id, vec![1, 1]));
}

#[tokio::test]
async fn the_next_wave_waits_too_where_nobody_could_ask_who_uses_the_first() {
    let stages = stages(3).await;
    // However often it is asked, and by whichever step.
    (0..50).for_each(|_| stages[0].0.sandbox.fail_next("iam:GetAccessKeyLastUsed", Fault::DropBeforeEffect));
    let ends = applied(&stages).await;
    let [Ended::Ran(first), Ended::NotBegun(Left::Held(why)), _] = ends.as_slice() else { panic!("one is begun") };
    assert_eq!((step(first, "new-used").0, first.state), (StepState::Unknown, RunState::Stopped));
    assert!(why.contains(&first.id) && minted(&stages) == [1, 0, 0], "{why}");
}

#[tokio::test]
async fn records_that_cannot_be_read_count_within_their_hour_alone() {
    let stages = stages(1).await;
    let (stage, digest) = &stages[0];
    let most = Some(Hourly { per_hour: 1, per_account: 9 });
    let damaged = |id: &str| {
        let folder = stage.state.join("runs").join(id);
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("plan.json"), "{").expect("written");
        std::fs::write(folder.join("journal.jsonl"), "").expect("written");
    };
    damaged("20260101T000000Z-aaaaaa");
    assert!(runner(stage, most).apply(digest).await.is_ok(), "it is long over");
    damaged(&format!("{}-bbbbbb", stage.runner().hands.clock.now().strftime("%Y%m%dT%H%M%SZ")));
    let other = super::Stage::new(&[(".env", ENV)]).await;
    let (plan, _) = other.plan().await.expect("a plan");
    let two = Some(Hourly { per_hour: 2, per_account: 9 });
    let now = stage.runner().hands.clock.now();
    let held = runner(stage, two).room(&plan, now).await.err().map(|error| error.to_string());
    assert!(held.is_some_and(|why| why.contains("rotations_per_hour")), "one that may have been a rotation counts");
}

#[tokio::test]
async fn no_more_are_begun_in_an_hour_than_may_be() {
    let stages = stages(3).await;
    let most = Some(Hourly { per_hour: 2, per_account: 9 });
    for (stage, digest) in &stages[..2] {
        runner(stage, most).apply(digest).await.expect("a run");
    }
    let (third, digest) = &stages[2];
    let error = runner(third, most).apply(digest).await.expect_err("it is held");
    assert!(matches!(&error, RespondError::Held(why) if why.contains("rotations_per_hour")), "{error}");
    let plans = vec![(runner(third, most), digest.clone())];
    let ends = apply_all(plans, Waves { at_once: 4, most_failures: 3 }, &Arc::default(), |_, _| {}).await;
    assert!(matches!(ends.as_slice(), [Ended::NotBegun(Left::Held(_))]), "that is no failure");
    assert_eq!(minted(&stages), [1, 1, 0]);
    third.clock.pass(Duration::from_mins(61));
    runner(third, most).apply(digest).await.expect("a run");
    assert_eq!(minted(&stages), [1, 1, 1]);
}

#[tokio::test]
async fn whoever_begins_a_rotation_is_waited_for_and_one_that_never_ends_holds_the_others() {
    let stages = stages(1).await;
    let (stage, digest) = &stages[0];
    let most = Some(Hourly { per_hour: 9, per_account: 9 });
    let lock = stage.runner().folder.lock_begun("rotation").expect("the lock");
    let error = runner(stage, most).apply(digest).await.expect_err("it is held");
    assert!(matches!(&error, RespondError::Held(why) if why.contains("rotations.lock")), "{error}");
    assert_eq!((minted(&stages), stage.runner().folder.runs().expect("runs").len()), (vec![0], 0));
    let waiting = runner(stage, most);
    let (run, ()) = tokio::join!(waiting.apply(digest), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(lock);
    });
    assert_eq!(step(&run.expect("a run"), "replace").0, StepState::Succeeded);
}

#[tokio::test]
async fn one_that_is_stopped_already_and_a_look_that_is_throttled_keep_no_other_from_being_begun() {
    let mut stages: Vec<(Stage, String)> = Vec::new();
    for _ in 0..3 {
        let mut stage = Stage::new(&[(".env", ENV)]).await;
        stage.playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        stage.playbooks.0.retain(|playbook| playbook.id == "aws-access-key-contain");
        let (_, digest) = stage.plan().await.expect("a plan");
        stages.push((stage, digest));
    }
    // A colleague was quicker with the first; the provider asks whoever looks at the second to go slower.
    let iam = stages[0].0.runner().hands.aws.expect("clients").responder.iam;
    let inactive = aws_sdk_iam::types::StatusType::Inactive;
    iam.update_access_key()
        .user_name(super::USER)
        .access_key_id(&stages[0].0.old.id)
        .status(inactive)
        .send()
        .await
        .expect("set");
    stages[1].0.sandbox.fail_next("iam:ListAccessKeys", Fault::Throttle);
    let ends = applied(&stages).await;
    for (at, (ended, (stage, _))) in ends.iter().zip(&stages).enumerate() {
        let Ended::Ran(run) = ended else { panic!("{at} was not begun") };
        assert_eq!(step(run, "deactivate").0, StepState::Succeeded, "{at}: {}", step(run, "deactivate").1);
        assert_eq!(stage.keys().await, [(stage.old.id.clone(), false)], "{at}");
    }
    let Ended::Ran(first) = &ends[0] else { unreachable!() };
    let deactivate = first.steps.iter().find(|step| step.id == "deactivate").expect("the step");
    assert_eq!(deactivate.evidence["already"]["status"], "Inactive", "{:?}", deactivate.evidence);
}
