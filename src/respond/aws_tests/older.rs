//! A denial that an older version wrote is taken back by this one, where the run's journal says that it is the run's; what somebody has
//! made of it since is not.

use serde_json::{Value, json};

use super::{Scene, bedrock_key, embedded, log};
use crate::model::{EventKind, Plan, Run, StepState};
use crate::respond::journal::Journal;
use crate::respond::testing::step;

const USER: &str = "BedrockAPIKey-ab12";
/// What the first versions denied.
const FIRST: &str = "bedrock:* bedrock-mantle:* aws-external-anthropic:* sagemaker:InvokeEndpoint* sagemaker:CreateEndpointConfig \
                     aws-marketplace:Subscribe aws-marketplace:AcceptAgreementRequest sts:AssumeRole sts:GetFederationToken \
                     sts:GetSessionToken iam:Add* iam:Attach* iam:Create* iam:PassRole iam:Put* iam:Update* ec2:RunInstances";

fn document(actions: &str, before: &str) -> Value {
    let actions: Vec<&str> = actions.split_whitespace().collect();
    json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "StaunchDeny", "Effect": "Deny", "Action": actions, "Resource": "*" },
        { "Sid": "StaunchRevokeSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
          "Condition": { "DateLessThan": { "aws:TokenIssueTime": before } } },
    ] })
}

/// A run whose denial is this document and whose journal has this note, walked back by this version; and whether the policy is gone.
async fn walked_back(document: impl Fn(&Plan) -> Value, note: Option<Value>) -> (Run, bool) {
    let log = log();
    let (sandbox, net, responder) = embedded(&log.url()).await;
    let (_, value) = bedrock_key(&sandbox, &responder).await;
    let text = format!("AWS_BEARER_TOKEN_BEDROCK={value}\n");
    let scene = Scene::new((net, responder), "bedrock-long-term-key", &text, "bedrock-key-contain");
    let (plan, runner) = (scene.plan().await.expect("a plan"), scene.runner());
    let digest = runner.folder.keep(&plan).expect("kept");
    let folder = runner.folder.new_run(&plan, scene.now).expect("a folder");
    let mut journal = Journal::create(&folder.journal(), &folder.id).expect("a journal");
    let name = format!("StaunchContain-{}", &digest[..12]);
    let begun = EventKind::Started { idempotency_key: "1".to_owned() };
    let noted = note.map(|note| (Some("deny"), EventKind::Noted, note));
    let events = [(None, EventKind::Planned { digest }, Value::Null), (Some("deny"), begun, Value::Null)];
    let done = (Some("deny"), EventKind::Succeeded, json!({ "policy": name }));
    for (step, event, evidence) in events.into_iter().chain(noted).chain([done]) {
        journal.append(&*runner.hands.clock, step, event, evidence).expect("written");
    }
    drop(journal);
    let iam = &scene.responder.iam;
    let put = iam.put_user_policy().user_name(USER).policy_name(&name).policy_document(document(&plan).to_string());
    put.send().await.expect("put");
    let run = runner.undo(&folder.id).await.expect("a run");
    let gone = iam.get_user_policy().user_name(USER).policy_name(&name).send().await.is_err();
    (run, gone)
}

#[tokio::test]
async fn what_older_versions_wrote_is_taken_back_and_what_somebody_made_of_it_is_not() {
    let whole = |plan: &Plan| plan.made_at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let (run, gone) = walked_back(|plan| document(FIRST, &plan.made_at.to_string()), None).await;
    assert!(step(&run, "deny").0 == StepState::Undone && gone, "the first: {}", step(&run, "deny").1);
    let (run, gone) = walked_back(|plan| document(FIRST, &whole(plan)), None).await;
    assert!(step(&run, "deny").0 == StepState::Undone && gone, "the second: {}", step(&run, "deny").1);
    for (actions, before) in [(FIRST.replace("iam:Put*", ""), None), (FIRST.to_owned(), Some("2020-01-01T00:00:00.000Z"))] {
        let theirs = |plan: &Plan| document(&actions, &before.map_or_else(|| whole(plan), str::to_owned));
        let (run, gone) = walked_back(theirs, None).await;
        let (state, why) = step(&run, "deny");
        assert!(state == StepState::UndoFailed && why.contains("somebody changed") && !gone, "{state:?} {why}");
    }
}

#[tokio::test]
async fn what_any_version_wrote_is_known_by_the_digest_in_the_journal() {
    let wrote = document("s3:*", "2026-01-01T00:00:00.000Z");
    let sha256 = crate::respond::playbook::sha256(wrote.to_string().as_bytes());
    let note = json!({ "sessions_before": "2026-01-01T00:00:00Z", "sha256": sha256 });
    let (run, gone) = walked_back(|_| wrote.clone(), Some(note.clone())).await;
    assert!(step(&run, "deny").0 == StepState::Undone && gone, "{}", step(&run, "deny").1);
    let (run, gone) = walked_back(|_| document("s3:Get*", "2026-01-01T00:00:00.000Z"), Some(note)).await;
    assert!(step(&run, "deny").0 == StepState::UndoFailed && !gone, "{}", step(&run, "deny").1);
}
