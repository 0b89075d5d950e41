//! Break-glass: what can be undone goes ahead without the approvals that its playbook asks for, and everybody can see that it did; what
//! cannot be undone, and what is protected, is nobody's to hurry.

use serde_json::Value;

use super::{Case, cases};
use crate::model::{EventKind, NoticeKind, RunState, StepState};
use crate::respond::testing::{Scene, step};
use crate::respond::{RespondError, Runner, journal};

const WHY: &str = "the key is being used, nobody else is awake";

fn case(playbook: &str) -> &'static Case {
    cases().find(|case| case.playbook == playbook).expect("a case")
}

fn hurried(scene: &Scene) -> Runner {
    Runner { break_glass: Some(WHY.to_owned()), ..scene.runner() }
}

#[tokio::test]
async fn what_can_be_undone_goes_ahead_and_everybody_can_see_who_did_it_and_why() {
    let (scene, state) = case("azure-openai-stop-all-contain").scene(false);
    let (_, digest) = scene.plan().await.expect("a plan");
    let error = scene.runner().apply(&digest).await.expect_err("it needs an approval");
    assert!(matches!(error, RespondError::Approval(_)), "{error}");
    let blank = Runner { break_glass: Some(" ".to_owned()), ..scene.runner() };
    assert!(blank.apply(&digest).await.is_err_and(|error| error.to_string().contains("reason")));
    assert!(!state.lock().expect("the state").0.stopped);

    let run = hurried(&scene).apply(&digest).await.expect("a run");
    scene.check(&run);
    assert!(state.lock().expect("the state").0.stopped);
    assert_eq!((run.state, step(&run, "stop").0), (RunState::Done, StepState::Succeeded));
    assert_eq!(scene.again(&run).break_glass, run.break_glass, "the journal tells it");
    let glass = run.break_glass.as_ref().expect("in the run");
    assert_eq!((glass.who.as_str(), glass.reason.as_str()), ("tests", WHY));
    let folder = scene.runner().folder.run(&run.id).expect("the run");
    let events = journal::read(&folder.journal()).expect("a journal").events;
    let at = |wanted: fn(&EventKind) -> bool| events.iter().position(|event| wanted(&event.event)).expect("an event");
    let broke = at(|event| matches!(event, EventKind::BrokeGlass(_)));
    assert!(broke < at(|event| matches!(event, EventKind::Started { .. })), "before anything is touched");
    let said: Value = serde_json::from_slice(&std::fs::read(folder.evidence()).expect("evidence")).expect("JSON");
    assert_eq!(said["predicate"]["staunch"]["break_glass"]["reason"], WHY);
    let journal = &said["predicate"]["staunch"]["journal"];
    let (seq, head) = (journal["seq"].as_u64().expect("a number"), journal["sha256"].as_str().expect("a hash"));
    assert!(folder.holds(seq, head).expect("a journal"), "it names the record before it");
    assert!(matches!(events[seq as usize].event, EventKind::Started { .. }) && !folder.holds(seq - 1, head).expect("one"));

    let notice = crate::model::Notice::of_broken_glass(&run, Some(&scene.finding), events[0].at).expect("a notice");
    assert!(notice.kind == NoticeKind::BrokeGlass && notice.kind.is_urgent(), "{notice:?}");
    assert!(notice.lines[0].contains("tests acted without") && notice.lines[0].contains(WHY), "{notice:?}");
    // Whoever acts next tells it, once; and again of somebody else.
    let kept = scene.runner().folder;
    assert_eq!(kept.untold().iter().map(|run| &run.id).collect::<Vec<_>>(), [&run.id]);
    kept.told(&run).expect("written");
    assert!(kept.untold().is_empty());
    let mut other = run.clone();
    other.break_glass.as_mut().expect("in the run").who = "kim".to_owned();
    kept.told(&other).expect("written");
    assert_eq!(kept.untold().len(), 1);
    let undone = scene.undo(&run).await;
    assert!(undone.state == RunState::Undone && undone.break_glass.is_some() && !state.lock().expect("the state").0.stopped);
}

#[tokio::test]
async fn with_its_approvals_nothing_is_broken() {
    let (scene, _) = case("azure-openai-stop-all-contain").scene(false);
    let (_, digest) = scene.plan().await.expect("a plan");
    scene.agree(&digest);
    let run = hurried(&scene).apply(&digest).await.expect("a run");
    assert_eq!((run.state, &run.break_glass), (RunState::Done, &None));
}

#[tokio::test]
async fn what_cannot_be_undone_waits_for_its_approvals_whatever_the_hurry() {
    for playbook in ["openrouter-delete-contain", "openai-project-key-contain", "xai-contain"] {
        let case = case(playbook);
        let (scene, state) = case.scene(false);
        let (_, digest) = scene.plan().await.expect("a plan");
        let error = hurried(&scene).apply(&digest).await.expect_err("it cannot be undone");
        assert!(error.to_string().contains("for what can be undone"), "{playbook}: {error}");
        assert!(!state.lock().expect("the state").0.stopped && case.changes(&scene) == 0, "{playbook}");
    }
    // Nor where a plan has both: the first goes ahead, the other waits.
    let case = case("anthropic-contain");
    let (mut scene, state) = case.scene(false);
    let mut last = scene.playbook.steps[0].clone();
    scene.playbook.steps[0].approval = crate::model::ApprovalRule::Two;
    last.id = "hand-over".to_owned();
    last.approval = crate::model::ApprovalRule::One;
    scene.playbook.steps.push(last);
    let (mut plan, _) = scene.plan().await.expect("a plan");
    let at = plan.steps.len() - 1;
    plan.steps[at].reversible = false;
    let digest = scene.runner().folder.keep(&plan).expect("kept");
    let run = hurried(&scene).apply(&digest).await.expect("a run");
    assert_eq!((step(&run, "stop").0, step(&run, "hand-over").0), (StepState::Succeeded, StepState::Waiting));
    assert!(state.lock().expect("the state").0.stopped && run.state == RunState::Waiting);
    let run = hurried(&scene).resume(&run.id).await.expect("a run");
    assert_eq!((step(&run, "hand-over").0, case.changes(&scene)), (StepState::Waiting, 1), "nor on resume");
}

#[tokio::test]
async fn what_is_not_done_within_an_hour_waits_for_its_approvals_and_says_so() {
    use std::time::Duration;
    for (quiet, goes) in [(600, true), (3600, false)] {
        let case = case("anthropic-contain");
        let (mut scene, _) = case.scene(false);
        // Two changes that can be undone, and a quiet period between them.
        scene.playbook.steps[0].approval = crate::model::ApprovalRule::One;
        let mut last = scene.playbook.steps[0].clone();
        scene.playbook.steps[0].watch = quiet;
        last.id = "hand-over".to_owned();
        scene.playbook.steps.insert(1, last);
        let (_, digest) = scene.plan().await.expect("a plan");
        let run = hurried(&scene).apply(&digest).await.expect("a run");
        assert_eq!(step(&run, "stop").0, StepState::Waiting, "{}", step(&run, "stop").1);
        scene.clock.advance(Duration::from_secs(quiet));
        // Whoever goes on says nothing: a watch, or a colleague.
        let run = scene.runner().resume(&run.id).await.expect("a run");
        let (state, why) = step(&run, "hand-over");
        if goes {
            assert_eq!((step(&run, "stop").0, state), (StepState::Succeeded, StepState::Succeeded), "{why}");
            continue;
        }
        assert!(
            state == StepState::Waiting && why.contains("the break-glass of tests ended at 1970-01-01T01:00:00Z"),
            "{why}"
        );
        let notice = crate::model::Notice::of_run(&run, None, scene.runner().hands.clock.now());
        assert!(notice.lines.iter().any(|line| line.contains("counts no more")), "{notice:?}");
        // A journal of before there was an end tells the same.
        let first = run.break_glass.clone().expect("in the run");
        let endless = crate::model::BrokenGlass { until: None, ..first.clone() };
        assert_eq!(crate::respond::glass::of_record(&endless, jiff::Timestamp::UNIX_EPOCH), first);
        // Somebody says why again: it goes on, and everybody is told again.
        let folder = scene.runner().folder;
        folder.told(&run).expect("written");
        let run = hurried(&scene).resume(&run.id).await.expect("a run");
        assert_eq!(step(&run, "hand-over").0, StepState::Succeeded, "{}", step(&run, "hand-over").1);
        assert_eq!(folder.untold().len(), 1);
    }
}

#[tokio::test]
async fn the_guards_are_asked_as_ever_and_a_rotation_waits() {
    let (mut scene, state) = case("azure-openai-stop-all-contain").scene(false);
    let (plan, digest) = scene.plan().await.expect("a plan");
    let mut canary = plan.clone();
    canary.target.insert("canary".to_owned(), "x".to_owned());
    let canary = scene.runner().folder.keep(&canary).expect("kept");
    let mut rotates = plan.clone();
    rotates.mode = "rotate".to_owned();
    let rotates = scene.runner().folder.keep(&rotates).expect("kept");
    let error = hurried(&scene).apply(&canary).await.expect_err("a canary");
    assert!(matches!(&error, RespondError::Guard(why) if why.contains("canary")), "{error}");
    let error = hurried(&scene).apply(&rotates).await.expect_err("a rotation");
    assert!(matches!(&error, RespondError::Approval(why) if why.contains("waits for its approvals")), "{error}");
    let owned = std::mem::take(&mut scene.guard.owned);
    let error = hurried(&scene).apply(&digest).await.expect_err("nobody's");
    assert!(matches!(&error, RespondError::Guard(why) if why.contains("not listed as yours")), "{error}");
    scene.guard.owned = owned;
    scene.guard.protected = vec![plan.fingerprint.to_string()];
    let error = hurried(&scene).apply(&digest).await.expect_err("protected");
    assert!(matches!(&error, RespondError::Guard(why) if why.contains("protected")), "{error}");
    assert!(!state.lock().expect("the state").0.stopped);
    // The caps hold as well: they are for what goes wrong in a hurry.
    scene.guard.protected = Vec::new();
    scene.guard.containments = Some(crate::respond::Hourly { per_hour: 0, per_account: 9 });
    let error = hurried(&scene).apply(&digest).await.expect_err("held");
    assert!(matches!(&error, RespondError::Held(why) if why.contains("containments_per_hour")), "{error}");
    scene.guard.containments = Some(crate::respond::Hourly { per_hour: 1, per_account: 1 });
    let run = hurried(&scene).apply(&digest).await.expect("a run");
    scene.undo(&run).await;
    let mut other = plan;
    other.unknowns.push("another plan for it".to_owned());
    let other = scene.runner().folder.keep(&other).expect("kept");
    let error = hurried(&scene).apply(&other).await.expect_err("the second within the hour");
    assert!(matches!(&error, RespondError::Held(why) if why.contains("1 containments were begun")), "{error}");
}
