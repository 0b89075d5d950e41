//! A service of ECS against a script written from its API reference: what is registered, what is left as it was, and what is
//! taken away again where the service is not moved.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::tests::{NEW, OLD, hands, moved, open, says, write};
use crate::respond::actions::Trouble;
use crate::respond::testing::{Asked, Provider};

/// ECS, as far as one service needs it.
#[derive(Default)]
struct State {
    /// Revisions from 1 on; what was deregistered is nothing.
    revisions: Vec<Option<Value>>,
    runs: usize,
    rollout: &'static str,
    controller: &'static str,
    /// What the next move of the service is answered with.
    refuses: Option<u16>,
    /// A deployment that was given up beside the primary one.
    given_up: bool,
    /// Nothing may be deregistered.
    keeps: bool,
    /// Somebody moves the service when the next revision is registered.
    rival: bool,
}

fn arn(number: usize) -> String {
    format!("arn:aws:ecs:eu-central-1:111122223333:task-definition/app:{number}")
}

fn definition() -> Value {
    json!({
        "family": "app", "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::111122223333:role/run", "volumes": [{ "name": "tmp" }], "placementConstraints": [],
        "containerDefinitions": [
            { "name": "app", "image": "app:1", "cpu": 1.5, "environment": [{ "name": "KEY", "value": OLD }, { "name": "A", "value": "b" }] },
            { "name": "side", "image": "side:1", "environment": [], "command": ["run", "--quiet"] },
        ],
    })
}

fn answer(asked: &Asked, state: &mut State) -> Vec<u8> {
    let body: Value = serde_json::from_str(&asked.body).expect("JSON");
    let target = asked.head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-amz-target:"));
    let target =
        target.and_then(|line| line.split_once("AmazonEC2ContainerServiceV20141113.")).map(|(_, action)| action.trim());
    let error = |kind: &str| says(400, &json!({ "__type": kind, "message": OLD }));
    let number = || body["taskDefinition"].as_str().and_then(|arn| arn.rsplit(':').next()?.parse::<usize>().ok());
    match target.expect("a target") {
        "DescribeServices" if body["services"] == json!(["api"]) => {
            let deployment =
                json!({ "status": "PRIMARY", "taskDefinition": arn(state.runs), "rolloutState": state.rollout });
            let failed = json!({ "status": "ACTIVE", "taskDefinition": arn(2), "rolloutState": "FAILED" });
            let mut deployments = vec![deployment];
            deployments.extend(state.given_up.then_some(failed));
            let service = json!({
                "status": "ACTIVE", "taskDefinition": arn(state.runs), "deployments": deployments,
                "deploymentController": { "type": state.controller },
            });
            says(200, &json!({ "services": [service], "failures": [] }))
        }
        "DescribeServices" => says(200, &json!({ "services": [], "failures": [{ "reason": "MISSING" }] })),
        "DescribeTaskDefinition" => {
            let Some(mut found) = number().and_then(|number| state.revisions.get(number - 1)?.clone()) else {
                return error("ClientException");
            };
            let tags = found.as_object_mut().expect("an object").remove("tags").unwrap_or(json!([]));
            let told = json!({
                "taskDefinitionArn": body["taskDefinition"], "revision": number(), "status": "ACTIVE", "compatibilities": ["EC2"],
                "requiresAttributes": [{ "name": "x" }], "registeredAt": 1.5, "registeredBy": "somebody",
            });
            found.as_object_mut().expect("an object").extend(told.as_object().expect("an object").clone());
            says(200, &json!({ "taskDefinition": found, "tags": tags }))
        }
        "RegisterTaskDefinition" => {
            state.revisions.push(Some(body));
            if std::mem::take(&mut state.rival) {
                state.runs = 9;
            }
            says(200, &json!({ "taskDefinition": { "taskDefinitionArn": arn(state.revisions.len()) } }))
        }
        "UpdateService" => match state.refuses.take() {
            Some(403) => says(403, &json!({ "__type": "AccessDeniedException" })),
            Some(status) => says(status, &json!({})),
            None => {
                state.runs = number().expect("a revision");
                says(200, &json!({}))
            }
        },
        "DeregisterTaskDefinition" if state.keeps => says(403, &json!({ "__type": "AccessDeniedException" })),
        "DeregisterTaskDefinition" => {
            state.revisions[number().expect("a revision") - 1] = None;
            says(200, &json!({}))
        }
        _ => error("InvalidParameterException"),
    }
}

fn ecs(tags: Option<Value>) -> (Provider, Arc<Mutex<State>>) {
    let mut first = definition();
    if let Some(tags) = tags {
        first["tags"] = tags;
    }
    let state = State { revisions: vec![Some(first)], runs: 1, rollout: "COMPLETED", controller: "ECS", ..State::default() };
    let state = Arc::new(Mutex::new(state));
    let shared = Arc::clone(&state);
    (Provider::new(move |asked| answer(asked, &mut shared.lock().expect("the state"))), state)
}

#[tokio::test]
async fn a_new_revision_has_the_new_value_and_everything_else_as_it_was() {
    for tags in [None, Some(json!([{ "key": "team", "value": "payments" }]))] {
        let (provider, state) = ecs(tags);
        let (hands, store) = (hands(&provider), open("aws-ecs-service", "prod/api"));
        let before = store.read(&hands).await.expect("it reads");
        moved(&*store, &hands).await;
        let (revisions, runs) = {
            let state = state.lock().expect("the state");
            (state.revisions.clone(), state.runs)
        };
        let wanted = revisions[0].as_ref().expect("the first").to_string().replace(OLD, NEW);
        let wanted: Value = serde_json::from_str(&wanted).expect("JSON");
        assert_eq!((revisions[1].as_ref(), runs), (Some(&wanted), 2));
        let earlier = store.earlier(&hands, &before.version).await.expect("it reads").expect("it keeps them");
        assert!(store.keeps() && earlier.fields[0].1.expose() == before.fields[0].1.expose());
    }
}

#[tokio::test]
async fn a_revision_that_nobody_runs_does_not_stay() {
    let (provider, state) = ecs(None);
    let (hands, store) = (hands(&provider), open("aws-ecs-service", "prod/api"));
    let before = store.read(&hands).await.expect("it reads");
    state.lock().expect("the state").refuses = Some(403);
    let why = store.write(&hands, &write(&before)).await.expect_err("it may not");
    assert!(matches!(why, Trouble::Refused { .. }), "{why:?}");
    assert_eq!(state.lock().expect("the state").revisions[1], None, "deregistered");
    // Whether the service was moved is not known: then it may run it.
    state.lock().expect("the state").refuses = Some(500);
    let why = store.write(&hands, &write(&before)).await.expect_err("nobody knows");
    assert!(matches!(&why, Trouble::Unknown(why) if why.contains("app:3 holds the new value")), "{why:?}");
    assert!(state.lock().expect("the state").revisions[2].is_some());
    // Somebody is quicker.
    state.lock().expect("the state").rival = true;
    let why = store.write(&hands, &write(&before)).await.expect_err("it has changed").why();
    assert!(why.contains("somebody moved it"), "{why}");
    {
        let mut state = state.lock().expect("the state");
        assert_eq!((state.revisions[3].as_ref(), state.runs), (None, 9));
        (state.runs, state.refuses, state.keeps) = (1, Some(403), true);
    }
    let why = store.write(&hands, &write(&before)).await.expect_err("it may not");
    assert!(
        matches!(&why, Trouble::Refused { why, .. } if why.contains("app:5, which is not run, holds the new value")),
        "{why:?}"
    );
}

#[tokio::test]
async fn a_service_that_others_deploy_or_that_is_not_there_is_not_written() {
    let (provider, state) = ecs(None);
    let (hands, store) = (hands(&provider), open("aws-ecs-service", "prod/api"));
    let before = store.read(&hands).await.expect("it reads");
    state.lock().expect("the state").controller = "CODE_DEPLOY";
    let why = store.read(&hands).await.err().expect("it is CodeDeploy's").why();
    assert!(why.contains("CODE_DEPLOY"), "{why}");
    assert!(store.write(&hands, &write(&before)).await.is_err());
    assert_eq!(state.lock().expect("the state").revisions.len(), 1, "nothing was registered");
    assert!(matches!(open("aws-ecs-service", "prod/other").read(&hands).await, Err(Trouble::Absent)));
    let why = open("aws-ecs-service", "api").read(&hands).await.err().expect("no cluster").why();
    assert!(why.contains("CLUSTER/SERVICE"), "{why}");
}

#[tokio::test]
async fn its_tasks_are_waited_for_and_a_failed_roll_is_said() {
    let (provider, state) = ecs(None);
    let (hands, store) = (hands(&provider), open("aws-ecs-service", "prod/api"));
    for (rollout, given_up, wanted) in [
        ("COMPLETED", false, "done"),
        ("IN_PROGRESS", false, "not yet"),
        ("FAILED", false, "failed"),
        // The circuit breaker rolls back to the revision before.
        ("IN_PROGRESS", true, "failed"),
        ("COMPLETED", true, "failed"),
    ] {
        {
            let mut now = state.lock().expect("the state");
            (now.rollout, now.given_up) = (rollout, given_up);
        }
        let said = match store.settled(&hands).expect("it rolls by itself").await {
            Ok(()) => "done",
            Err(Trouble::Unknown(_)) => "not yet",
            Err(_) => "failed",
        };
        assert_eq!(said, wanted, "{rollout} {given_up}");
    }
}
