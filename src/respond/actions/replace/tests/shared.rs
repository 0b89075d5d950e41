//! Several leaked keys that stand in one store: each is replaced there though the store is not any more as its plan saw it, one
//! after the other and at once, and what else stands in it stays.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Listed, Stage, found_in, text};
use crate::model::{RunState, StepState};
use crate::net::testing::http;
use crate::net::{Net, Settings};
use crate::respond::testing::{Asked, Provider, step};

/// Stages over one state folder, and a text that holds the key of each.
async fn stages(count: usize) -> (Vec<Stage>, String) {
    let (mut stages, mut all): (Vec<Stage>, String) = (Vec::new(), "OTHER=1\n".to_owned());
    for number in 0..count {
        let mut stage = Stage::new(&[]).await;
        if let Some(first) = stages.first() {
            stage.state.clone_from(&first.state);
        }
        let (id, secret) = (&stage.old.id, text(&stage.old.secret));
        all = format!("{all}K{number}_ID={id}\nK{number}_SECRET={secret}\n");
        stages.push(stage);
    }
    (stages, all)
}

/// Each key is another one, once, and whatever else there was stands.
async fn replaced(stages: &[Stage], now: &str) {
    assert!(now.starts_with("OTHER=1\nK0_ID=") && now.lines().count() == 1 + 2 * stages.len(), "{now}");
    for (number, stage) in stages.iter().enumerate() {
        let keys = stage.keys().await;
        assert_eq!((keys.len(), stage.calls("iam:CreateAccessKey")), (2, 1), "{number}: {keys:?}");
        assert!(now.contains(&format!("K{number}_ID={}\n", keys[1].0)), "{number}: {now}");
        assert!(!now.contains(&stage.old.id) && !now.contains(text(&stage.old.secret)), "{number}");
    }
}

#[tokio::test]
async fn keys_in_one_file_are_replaced_one_after_the_other_and_given_back_one_by_one() {
    let (mut stages, all) = stages(3).await;
    let path = stages[0].path(".env");
    std::fs::write(&path, &all).expect("written");
    let mut plans = Vec::new();
    for stage in &mut stages {
        stage.finding.occurrences.push(found_in(&path));
        plans.push(stage.plan().await.expect("a plan").1);
    }
    let mut runs = Vec::new();
    for (stage, digest) in stages.iter().zip(&plans) {
        let run = stage.runner().apply(digest).await.expect("a run");
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
        runs.push(run);
    }
    replaced(&stages, &std::fs::read_to_string(&path).expect("the file")).await;
    // The first one's undo puts its own back, and leaves the others as they are.
    let undone = stages[0].runner().undo(&runs[0].id).await.expect("a run");
    assert_eq!(undone.state, RunState::Undone, "{:?}", undone.steps);
    let now = std::fs::read_to_string(&path).expect("the file");
    assert!(now.contains(&stages[0].old.id) && !now.contains(&stages[1].old.id), "{now}");
    assert_eq!((stages[0].keys().await.len(), stages[1].keys().await.len()), (1, 2));
}

#[tokio::test]
async fn keys_in_one_file_are_replaced_at_once() {
    let (mut stages, all) = stages(4).await;
    let path = stages[0].path(".env");
    std::fs::write(&path, &all).expect("written");
    let mut plans = Vec::new();
    for stage in &mut stages {
        stage.finding.occurrences.push(found_in(&path));
        plans.push(stage.plan().await.expect("a plan").1);
    }
    let runners: Vec<_> = stages.iter().map(Stage::runner).collect();
    let [a, b, c, d] = runners.as_slice() else { panic!("four") };
    let runs = tokio::join!(a.apply(&plans[0]), b.apply(&plans[1]), c.apply(&plans[2]), d.apply(&plans[3]));
    for run in [runs.0, runs.1, runs.2, runs.3] {
        let run = run.expect("a run");
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    }
    replaced(&stages, &std::fs::read_to_string(&path).expect("the file")).await;
}

/// A Secret of Kubernetes, patched only at the version that was read; `conflicts` counts who came too late.
fn cluster(held: &Arc<Mutex<(String, u64)>>, conflicts: &Arc<AtomicUsize>) -> Provider {
    let (held, conflicts) = (Arc::clone(held), Arc::clone(conflicts));
    Provider::new(move |asked: &Asked| {
        let mut held = held.lock().expect("the Secret");
        if asked.line.starts_with("PATCH ") {
            let body: Value = serde_json::from_str(&asked.body).expect("JSON");
            if body["metadata"]["resourceVersion"].as_str() != Some(held.1.to_string().as_str()) {
                conflicts.fetch_add(1, Ordering::SeqCst);
                let said = json!({ "kind": "Status", "reason": "Conflict", "code": 409, "message": "the object has been modified" });
                return http("409 Conflict", "content-type: application/json\r\n", &said.to_string());
            }
            let data = body["data"]["env"].as_str().expect("data");
            held.0 = String::from_utf8(BASE64.decode(data.as_bytes()).expect("base64")).expect("text");
            held.1 += 1;
        }
        let secret = json!({ "kind": "Secret", "metadata": { "resourceVersion": held.1.to_string() },
                             "data": { "env": BASE64.encode(held.0.as_bytes()) } });
        http("200 OK", "content-type: application/json\r\n", &secret.to_string())
    })
}

#[tokio::test]
async fn keys_in_one_secret_are_replaced_at_once_though_each_write_voids_the_others_version() {
    let (mut stages, all) = stages(2).await;
    let (held, conflicts) = (Arc::new(Mutex::new((all, 7))), Arc::new(AtomicUsize::new(0)));
    let provider = cluster(&held, &conflicts);
    let mut plans = Vec::new();
    for stage in &mut stages {
        let named = |name: &str, url: &str| Net::parse_endpoint(&format!("{name}={url}")).expect("an endpoint");
        let endpoints = [named("aws", &stage.sandbox.url()), named("kubernetes-admin", &provider.url())].into();
        stage.net = Arc::new(Net::new(Settings { endpoints, ..Settings::default() }).expect("clients"));
        stage.others = vec![Listed { kind: "kubernetes-secret", at: "prod/app", part: None }];
        plans.push(stage.plan().await.expect("a plan").1);
    }
    // What somebody has added to it since concerns nobody here.
    {
        let mut held = held.lock().expect("the Secret");
        held.1 += 1;
    }
    let (one, other) = (stages[0].runner(), stages[1].runner());
    let (one, other) = tokio::join!(one.apply(&plans[0]), other.apply(&plans[1]));
    for run in [one, other] {
        let run = run.expect("a run");
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    }
    assert!(conflicts.load(Ordering::SeqCst) > 0, "nobody came in between: the test says nothing");
    let now = held.lock().expect("the Secret").0.clone();
    replaced(&stages, &now).await;
}
