//! `aws-access-key-retire`: contained at once, deleted a week later, unless somebody needed it.

use std::time::Duration;

use aws_sdk_iam::types::StatusType;

use super::{Scene, embedded, hours_from_now, log};
use crate::model::{Proved, RunState, StepState};
use crate::respond::Runner;
use crate::respond::testing::{Provider, agree, people, signer, step};
use crate::sandbox::Sandbox;

const USER: &str = "ci-deploy";

/// A user with a leaked key, and whoever retires it. The key's id.
async fn ground() -> (Scene, Sandbox, Provider, String) {
    let log = log();
    let (sandbox, net, responder) = embedded(&log.url()).await;
    sandbox.create_user(USER, &[]).expect("a user");
    let key = sandbox.create_access_key(USER).expect("a key");
    let value = key.secret.expose_str().expect("text");
    let text = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={value}\n", key.id);
    let scene = Scene::new((net, responder), "aws-access-key", &text, "aws-access-key-retire");
    (scene, sandbox, log, key.id)
}

#[tokio::test]
async fn a_key_is_deleted_a_week_after_it_was_stopped_unless_somebody_set_it_active_again() {
    for needed in [false, true] {
        let (mut scene, _sandbox, _log, id) = ground().await;
        let iam = scene.responder.iam.clone();
        let states = async || {
            let listed = iam.list_access_keys().user_name(USER).send().await.expect("listed");
            listed.access_key_metadata.iter().filter_map(|key| key.status.clone()).collect::<Vec<_>>()
        };
        let plan = scene.plan().await.expect("a plan");
        let runner = |scene: &Scene| Runner { approvers: people(), look_again: Duration::ZERO, ..scene.runner() };
        let digest = scene.runner().folder.keep(&plan).expect("kept");
        let run = runner(&scene).apply(&digest).await.expect("a run");
        // What is contained is told before the week is over.
        assert_eq!((step(&run, "contained").0, step(&run, "quiet").0), (StepState::Succeeded, StepState::Waiting));
        assert_eq!((run.state, run.proved(), states().await), (RunState::Waiting, Proved::All, vec![StatusType::Inactive]));
        scene.now = hours_from_now(48 + 24 * 6).expect("a moment");
        let run = runner(&scene).resume(&run.id).await.expect("a run");
        assert_eq!((step(&run, "quiet").0, states().await), (StepState::Waiting, vec![StatusType::Inactive]), "a day to go");
        scene.now = hours_from_now(48 + 24 * 7 + 1).expect("a moment");
        let run = runner(&scene).resume(&run.id).await.expect("a run");
        assert_eq!((step(&run, "delete").0, states().await.len()), (StepState::Waiting, 1), "two people must agree");
        if needed {
            let call = iam.update_access_key().user_name(USER).access_key_id(&id).status(StatusType::Active);
            call.send().await.expect("set");
        }
        agree(&runner(&scene), &digest);
        let run = runner(&scene).resume(&run.id).await.expect("a run");
        if needed {
            assert_eq!((step(&run, "delete").0, states().await), (StepState::Refused, vec![StatusType::Active]), "{run:?}");
            assert_eq!(run.proved(), Proved::Not, "{:?}", run.because());
        } else {
            assert_eq!((step(&run, "delete").0, states().await), (StepState::Succeeded, Vec::new()), "{run:?}");
            assert_eq!((run.state, run.proved()), (RunState::Done, Proved::All), "{:?}", run.because());
        }
    }
}

#[tokio::test]
async fn a_process_that_died_before_it_wrote_down_until_when_it_waits_waits_all_the_same() {
    let (scene, _sandbox, _log, _id) = ground().await;
    let plan = scene.plan().await.expect("a plan");
    let runner = || Runner { approvers: people(), ..scene.runner() };
    let digest = scene.runner().folder.keep(&plan).expect("kept");
    agree(&runner(), &digest);
    let run = runner().apply(&digest).await.expect("a run");
    assert_eq!(step(&run, "quiet").0, StepState::Waiting);
    // That it waits is its last record.
    let journal = runner().folder.run(&run.id).expect("the run").journal();
    let written = std::fs::read_to_string(&journal).expect("a journal");
    let mut lines: Vec<&str> = written.split_inclusive('\n').collect();
    assert!(lines.pop().is_some_and(|last| last.contains("\"waiting\"")), "{written}");
    std::fs::write(&journal, lines.concat()).expect("written");
    let run = runner().resume(&run.id).await.expect("a run");
    assert_eq!((step(&run, "quiet").0, step(&run, "delete").0), (StepState::Waiting, StepState::Pending), "{run:?}");
    let listed = scene.responder.iam.list_access_keys().user_name(USER).send().await.expect("listed");
    assert_eq!(listed.access_key_metadata.len(), 1);
}

#[tokio::test]
async fn evidence_that_is_made_anew_without_a_key_leaves_no_older_signature_beside_it() {
    let (mut scene, _sandbox, _log, _id) = ground().await;
    let plan = scene.plan().await.expect("a plan");
    let digest = scene.runner().folder.keep(&plan).expect("kept");
    let run = Runner { signer: Some(signer(3)), ..scene.runner() }.apply(&digest).await.expect("a run");
    let kept = scene.runner().folder.run(&run.id).expect("the run");
    assert!(kept.signed_evidence().exists() && run.proved() == Proved::All);
    scene.now = hours_from_now(48 + 24 * 7 + 1).expect("a moment");
    let runner = || Runner { approvers: people(), ..scene.runner() };
    agree(&runner(), &digest);
    let run = runner().resume(&run.id).await.expect("a run");
    assert_eq!(run.state, RunState::Done);
    let written = std::fs::read_to_string(kept.evidence()).expect("evidence");
    assert!(written.contains("\"delete\""), "{written}");
    assert!(!kept.signed_evidence().exists(), "what was signed tells of less");
}
