//! What is true at the end of a run, not only in the moment after each step: somebody undoes a change later, makes sessions between plan
//! and stop, has another key.

use std::time::Duration;

use aws_sdk_iam::types::StatusType;
use jiff::Timestamp;

use super::{Scene, embedded, hours_from_now, log};
use crate::model::{Plan, Proved, Run, RunState};
use crate::respond::testing::Provider;
use crate::sandbox::{Fault, Sandbox};

const USER: &str = "ci-deploy";

struct Ground {
    sandbox: Sandbox,
    scene: Scene,
    key_id: String,
    _log: Provider,
}

impl Ground {
    async fn new() -> Self {
        Self::beside(false).await
    }

    /// The same where the user may have had a key before.
    async fn beside(older: bool) -> Self {
        let log = log();
        let (sandbox, net, responder) = embedded(&log.url()).await;
        sandbox.create_user(USER, &[]).expect("a user");
        if older {
            sandbox.create_access_key(USER).expect("a key");
            // IAM tells whole seconds.
            tokio::time::sleep(Duration::from_millis(1100)).await;
        }
        let key = sandbox.create_access_key(USER).expect("a key");
        let value = key.secret.expose_str().expect("text");
        let text = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={value}\n", key.id);
        let scene = Scene::new((net, responder), "aws-access-key", &text, "aws-access-key-contain");
        Self { sandbox, scene, key_id: key.id, _log: log }
    }

    async fn plan(&self) -> Plan {
        self.scene.plan().await.expect("a plan")
    }

    /// Carries it out, looking again after so long.
    async fn apply(&self, plan: &Plan, look_again: Duration) -> Run {
        let mut runner = self.scene.runner();
        runner.look_again = look_again;
        let digest = runner.folder.keep(plan).expect("kept");
        runner.apply(&digest).await.expect("a run")
    }

    /// Before when sessions are denied, by the policy that was put on the user.
    async fn denied_before(&self) -> Timestamp {
        let iam = &self.scene.responder.iam;
        let names = iam.list_user_policies().user_name(USER).send().await.expect("listed").policy_names;
        let found = iam.get_user_policy().user_name(USER).policy_name(&names[0]).send().await.expect("a policy");
        let document = percent_encoding::percent_decode_str(found.policy_document()).decode_utf8_lossy().into_owned();
        let policy: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        let before = policy["Statement"][1]["Condition"]["DateLessThan"]["aws:TokenIssueTime"].as_str().expect("a moment");
        before.parse().expect("a moment")
    }
}

#[tokio::test]
async fn what_holds_when_it_is_looked_at_again_is_proved() {
    let ground = Ground::new().await;
    let run = ground.apply(&ground.plan().await, Duration::from_millis(300)).await;
    assert_eq!((run.state, run.proved()), (RunState::Done, Proved::All), "{:?}", run.because());
}

#[tokio::test]
async fn who_undoes_a_change_after_it_was_proved_is_seen() {
    for undoes_the_stop in [true, false] {
        let ground = Ground::new().await;
        let plan = ground.plan().await;
        let (iam, id) = (ground.scene.responder.iam.clone(), ground.key_id.clone());
        let eve = tokio::spawn(async move {
            // Once the list has been asked for, the refusal has been seen.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            if undoes_the_stop {
                let call = iam.update_access_key().user_name(USER).access_key_id(&id).status(StatusType::Active);
                call.send().await.expect("set");
            } else {
                let names = iam.list_user_policies().user_name(USER).send().await.expect("listed").policy_names;
                iam.delete_user_policy().user_name(USER).policy_name(&names[0]).send().await.expect("deleted");
            }
        });
        let run = ground.apply(&plan, Duration::from_secs(4)).await;
        eve.await.expect("done");
        assert_eq!((run.state, run.proved()), (RunState::Done, Proved::Not), "{:?}", run.because());
        let step = if undoes_the_stop { "deactivate" } else { "deny" };
        assert!(run.because().contains(&format!("{step} holds no longer: somebody has undone it")), "{:?}", run.because());
    }
}

#[tokio::test]
async fn another_key_that_works_is_no_containment_unless_it_is_older_than_the_leaked_one() {
    let ground = Ground::new().await;
    let other = ground.sandbox.create_access_key(USER).expect("a key").id;
    let mut plan = ground.plan().await;
    // A commit's date is written by whoever commits: it clears no key.
    plan.times.exposed = hours_from_now(40);
    let run = ground.apply(&plan, Duration::ZERO).await;
    assert_eq!((run.state, run.proved()), (RunState::Done, Proved::Part));
    let alive = format!("list-minted: what it may have minted is alive: access key {other}");
    assert!(run.because().contains(&alive), "{:?}", run.because());
    // What was there before the leaked key is not of its making.
    let ground = Ground::beside(true).await;
    let run = ground.apply(&ground.plan().await, Duration::ZERO).await;
    assert_eq!(run.proved(), Proved::All, "{:?}", run.because());
}

#[tokio::test]
async fn where_the_denial_could_not_be_written_at_first_its_moment_is_that_of_when_it_was() {
    let mut ground = Ground::new().await;
    let plan = ground.plan().await;
    ground.sandbox.fail_next("iam:PutUserPolicy", Fault::Throttle);
    let run = ground.apply(&plan, Duration::ZERO).await;
    assert_ne!(run.state, RunState::Done, "{:?}", run.steps);
    ground.scene.now = hours_from_now(52).expect("a moment");
    let run = ground.scene.runner().resume(&run.id).await.expect("a run");
    assert_eq!(run.proved(), Proved::All, "{:?}", run.because());
    assert!(ground.denied_before().await > ground.scene.now);
}

#[tokio::test]
async fn sessions_that_were_made_after_the_plan_are_denied_and_the_way_back_knows_the_policy() {
    let mut ground = Ground::new().await;
    let plan = ground.plan().await;
    ground.scene.now = hours_from_now(50).expect("a moment");
    let run = ground.apply(&plan, Duration::ZERO).await;
    let before = ground.denied_before().await;
    assert!(before > ground.scene.now && plan.made_at < ground.scene.now, "{before}");
    // Hours later the document is still what was written.
    ground.scene.now = hours_from_now(60).expect("a moment");
    let run = ground.scene.runner().undo(&run.id).await.expect("walked back");
    assert_eq!(run.state, RunState::Undone, "{:?}", run.steps);
}
