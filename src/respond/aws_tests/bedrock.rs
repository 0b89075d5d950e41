//! A Bedrock key of the embedded IAM is replaced in a file of settings: whole, put back, without room, and with its mint's answer lost.
//! No independent implementation has these credentials in their present shape.

use std::path::PathBuf;

use super::{KEY, Scene, bedrock_key, embedded_beside, log, status};
use crate::model::{Clock, Edge, Owner, Plan, Run, StepState, SystemClock, Tier};
use crate::net::testing::http;
use crate::respond::testing::{Asked, Provider, agree, runner, step};
use crate::respond::{Playbooks, RespondError, Runner, StoreAt, Stores, draft};
use crate::sandbox::{Fault, Sandbox};
use crate::secret::FingerprintKey;

const USER: &str = "BedrockAPIKey-ab12";

/// A user's key in a file, and whoever rotates it.
struct Stage {
    sandbox: Sandbox,
    scene: Scene,
    old: String,
    value: String,
    file: PathBuf,
    /// It answers as long as it is there.
    _bedrock: Provider,
}

impl Stage {
    async fn new() -> Self {
        let log = log();
        // Bedrock's own answer to a key that it takes (Bedrock API reference, ListFoundationModels).
        let bedrock = Provider::new(|asked: &Asked| {
            assert!(asked.head.to_ascii_lowercase().contains("authorization: bearer absk"), "{}", asked.line);
            http("200 OK", "", "{\"modelSummaries\":[]}")
        });
        let (sandbox, net, responder) = embedded_beside(&log.url(), Some(&bedrock.url())).await;
        let (old, value) = bedrock_key(&sandbox, &responder).await;
        let text = format!("AWS_BEARER_TOKEN_BEDROCK={value}\n");
        let mut scene = Scene::new((net, responder), "bedrock-long-term-key", &text, "bedrock-key-rotate");
        scene.finding.owners.push(Owner {
            edge: Edge::Consumer,
            id: "compose:docker-compose.yml/api".to_owned(),
            name: "api".to_owned(),
            spiffe_id: None,
            tier: Tier::Bound,
            confidence: crate::model::Weight(9000),
            contested: false,
            evidence: Vec::new(),
        });
        let file = scene.dir.path().join("app.env");
        std::fs::write(&file, text).expect("written");
        Self { sandbox, scene, old, value, file, _bedrock: bedrock }
    }

    fn runner(&self) -> Runner {
        let Runner { mut hands, folder, guard, .. } = self.scene.runner();
        let listed = vec![StoreAt {
            kind: "file".to_owned(),
            at: self.file.to_str().expect("text").to_owned(),
            region: None,
            address: None,
            credential: None,
            holds: None,
            part: None,
        }];
        hands.stores = Stores { listed, consumers: Vec::new(), key: Some(FingerprintKey::new(KEY)) };
        runner(hands, folder, guard)
    }

    async fn plan(&self) -> Result<(Plan, String), RespondError> {
        let runner = self.runner();
        let plan =
            draft(&self.scene.finding, &Playbooks(vec![self.scene.playbook.clone()]), &runner.hands, &runner.guard).await?;
        let digest = runner.folder.keep(&plan)?;
        Ok((plan, digest))
    }

    async fn apply(&self) -> Run {
        let (_, digest) = self.plan().await.expect("a plan");
        self.runner().apply(&digest).await.expect("a run")
    }

    /// Goes on so many hours later, with a person's word on a step.
    async fn later(&mut self, run: &Run, hours: i64, done: &[&str]) -> Run {
        self.scene.now = self.scene.now.checked_add(jiff::SignedDuration::from_hours(hours)).expect("a moment");
        let mut runner = self.runner();
        runner.confirmed = done.iter().map(|step| (*step).to_owned()).collect();
        runner.resume(&run.id).await.expect("a run")
    }

    fn held(&self) -> String {
        let text = std::fs::read_to_string(&self.file).expect("the file");
        text.trim().strip_prefix("AWS_BEARER_TOKEN_BEDROCK=").expect("a key").to_owned()
    }

    /// The user's keys by id.
    async fn keys(&self) -> Vec<String> {
        let listed = self.scene.responder.iam.list_service_specific_credentials().user_name(USER).send().await;
        let listed = listed.expect("a list").service_specific_credentials.unwrap_or_default();
        listed.into_iter().map(|one| one.service_specific_credential_id).collect()
    }
}

#[tokio::test]
async fn a_bedrock_key_is_replaced_deactivated_and_deleted() {
    let mut stage = Stage::new().await;
    let (plan, digest) = stage.plan().await.expect("a plan");
    assert_eq!(plan.steps[0].with["service_id"], stage.old);
    let run = stage.runner().apply(&digest).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    let new = stage.held();
    assert!(new != stage.value && new.starts_with("ABSK"), "another one");
    assert_eq!((stage.keys().await.len(), status(&stage.scene.responder, &stage.old).await.as_str()), (2, "Active"));
    let run = stage.later(&run, 0, &["new-in-use"]).await;
    let run = stage.later(&run, 26, &["old-unused"]).await;
    assert_eq!(step(&run, "stop").0, StepState::Waiting, "{}", step(&run, "stop").1);
    assert_eq!(status(&stage.scene.responder, &stage.old).await, "Inactive");
    let run = stage.later(&run, 25, &["old-unused"]).await;
    assert_eq!(step(&run, "delete").0, StepState::Waiting, "nothing is deleted before two people agree");
    agree(&stage.runner(), &digest);
    let run = stage.later(&run, 0, &["old-unused"]).await;
    assert_eq!(step(&run, "delete").0, StepState::Succeeded, "{}", step(&run, "delete").1);
    assert_eq!(stage.keys().await.len(), 1);
    // Here Bedrock takes every key, and is not contradicted by what IAM lists.
    assert_eq!(step(&run, "prove-refused").0, StepState::Failed, "{}", step(&run, "prove-refused").1);
    assert!(!format!("{run:?}").contains(&new), "no value is kept");
}

#[tokio::test]
async fn a_bedrock_key_is_put_back() {
    let stage = Stage::new().await;
    let run = stage.apply().await;
    assert_ne!(stage.held(), stage.value);
    let run = stage.runner().undo(&run.id).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Undone, "{}", step(&run, "replace").1);
    assert_eq!(stage.held(), stage.value);
    assert_eq!(stage.keys().await, std::slice::from_ref(&stage.old));
}

#[tokio::test]
async fn of_two_bedrock_keys_none_is_thrown_away_to_make_room() {
    let stage = Stage::new().await;
    let other = stage.scene.responder.iam.create_service_specific_credential().user_name(USER);
    other.service_name("bedrock.amazonaws.com").send().await.expect("a credential");
    let run = stage.apply().await;
    let (settled, why) = step(&run, "replace");
    assert!(settled == StepState::Refused && why.contains("no room for a new one"), "{why}");
    assert_eq!((stage.keys().await.len(), stage.held()), (2, stage.value.clone()));
}

#[tokio::test]
async fn a_bedrock_key_whose_value_was_lost_is_named_and_no_other_is_made() {
    let mut stage = Stage::new().await;
    // By the provider's clock it is made just then.
    stage.scene.now = SystemClock.now();
    stage.sandbox.fail_next("iam:CreateServiceSpecificCredential", Fault::DropAfterEffect);
    let run = stage.apply().await;
    let (settled, why) = step(&run, "replace");
    let made = stage.keys().await.into_iter().find(|id| *id != stage.old).expect("it was made");
    assert!(settled == StepState::Unknown && why.contains(&made) && why.contains("cannot be told"), "{why}");
    let run = stage.later(&run, 1, &[]).await;
    assert_eq!(step(&run, "replace").0, StepState::Unknown);
    assert_eq!((stage.keys().await.len(), stage.held()), (2, stage.value.clone()));
    // A person says that nobody uses it: it goes, and another is made.
    let run = stage.later(&run, 1, &["replace"]).await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    let keys = stage.keys().await;
    assert!(keys.len() == 2 && !keys.contains(&made), "{keys:?}");
    assert_ne!(stage.held(), stage.value);
}

#[tokio::test]
async fn a_bedrock_key_that_was_lost_and_that_a_person_has_deleted_is_not_looked_for() {
    let mut stage = Stage::new().await;
    stage.sandbox.fail_next("iam:CreateServiceSpecificCredential", Fault::DropAfterEffect);
    let run = stage.apply().await;
    let made = stage.keys().await.into_iter().find(|id| *id != stage.old).expect("it was made");
    let gone = stage.scene.responder.iam.delete_service_specific_credential().user_name(USER);
    gone.service_specific_credential_id(made).send().await.expect("deleted");
    let run = stage.later(&run, 1, &["replace"]).await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    assert_eq!(stage.keys().await.len(), 2);
    assert_ne!(stage.held(), stage.value);
}

#[tokio::test]
async fn whatever_goes_wrong_at_a_bedrock_keys_mint_the_file_holds_one_that_works() {
    for fault in [Fault::Throttle, Fault::InternalError, Fault::DropBeforeEffect] {
        let mut stage = Stage::new().await;
        stage.sandbox.fail_next("iam:CreateServiceSpecificCredential", fault);
        let mut run = stage.apply().await;
        assert_ne!(step(&run, "replace").0, StepState::Succeeded, "{fault:?}");
        assert_eq!((stage.keys().await.len(), stage.held()), (1, stage.value.clone()), "{fault:?}");
        for _ in 0..3 {
            run = stage.later(&run, 1, &["replace"]).await;
        }
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{fault:?}: {}", step(&run, "replace").1);
        assert_eq!(stage.keys().await.len(), 2, "{fault:?}");
    }
}
