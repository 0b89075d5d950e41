//! Workloads that read their store at their start alone are restarted in waves after it was written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{ENV, Stage};
use crate::model::StepState;
use crate::net::testing::http;
use crate::net::{Net, Settings};
use crate::respond::testing::{Asked, Provider, step};

/// Deployments by name: their marks in the order of their restarts.
type Marks = Arc<Mutex<Vec<(String, String)>>>;

/// An API server at which one Deployment never comes up again.
fn cluster(marks: &Marks, broken: &'static str) -> Provider {
    let marks = Arc::clone(marks);
    Provider::new(move |asked: &Asked| {
        let mut marks = marks.lock().expect("the marks");
        let name = asked.line.rsplit('/').next().unwrap_or_default().to_owned();
        if asked.line.starts_with("PATCH ") {
            let body: Value = serde_json::from_str(&asked.body).expect("JSON");
            let mark = &body["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"];
            marks.push((name, mark.as_str().expect("a mark").to_owned()));
            return http("200 x", "", "{}");
        }
        let mark = marks.iter().find(|(known, _)| *known == name).map(|(_, mark)| mark.clone());
        let up = u64::from(!(mark.is_some() && name == broken));
        let annotations: BTreeMap<&str, String> =
            mark.into_iter().map(|mark| ("kubectl.kubernetes.io/restartedAt", mark)).collect();
        let found = json!({
            "metadata": { "generation": 1 },
            "spec": { "replicas": 1, "template": { "metadata": { "annotations": annotations } } },
            "status": { "observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": up, "replicas": 1 },
        });
        http("200 x", "", &found.to_string())
    })
}

async fn stage(marks: &Marks, broken: &'static str) -> (Stage, Provider) {
    let mut stage = Stage::new(&[(".env", ENV)]).await;
    let provider = cluster(marks, broken);
    let endpoint = |name: &str, url: &str| Net::parse_endpoint(&format!("{name}={url}")).expect("an endpoint");
    let endpoints = [endpoint("aws", &stage.sandbox.url()), endpoint("kubernetes-admin", &provider.url())].into();
    stage.net = Arc::new(Net::new(Settings { endpoints, ..Settings::default() }).expect("clients"));
    stage.consumers = (0..12).map(|number| format!("prod/web-{number}")).collect();
    let restart = stage.playbooks.0[0].steps.iter_mut().find(|step| step.id == "restart").expect("the step");
    restart.timeout = 2;
    (stage, provider)
}

#[tokio::test]
async fn every_one_is_restarted_once() {
    let marks = Marks::default();
    let (stage, _provider) = stage(&marks, "").await;
    let run = stage.apply().await;
    assert_eq!(step(&run, "restart").0, StepState::Succeeded, "{}", step(&run, "restart").1);
    let first = marks.lock().expect("the marks").clone();
    assert_eq!(first.len(), 12);
    assert_eq!(first[0].0, "web-0");
    stage.resume(&run).await;
    assert_eq!(marks.lock().expect("the marks").len(), 12);
}

#[tokio::test]
async fn one_that_does_not_come_up_ends_it_and_both_keys_work() {
    let marks = Marks::default();
    let (stage, _provider) = stage(&marks, "web-0").await;
    let run = stage.apply().await;
    let (ended, why) = step(&run, "restart");
    assert!(ended == StepState::Unknown && why.contains("prod/web-0") && why.contains("does not run in whole"), "{why}");
    assert_eq!(marks.lock().expect("the marks").len(), 1, "no other was restarted");
    assert_eq!(step(&run, "deactivate").0, StepState::Pending);
    assert_eq!(stage.keys().await.len(), 2);
    // The second wave is of two.
    let marks = Marks::default();
    let (stage, _provider) = self::stage(&marks, "web-2").await;
    let run = stage.apply().await;
    assert_eq!(step(&run, "restart").0, StepState::Unknown);
    assert_eq!(marks.lock().expect("the marks").len(), 3);
}
