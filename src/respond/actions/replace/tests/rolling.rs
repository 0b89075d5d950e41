//! Services whose tasks are rolled by the write itself: one after another, never on from one that was rolled back, and on the way back
//! the new key stays until no task runs with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{ENV, Listed, Stage, text};
use crate::model::StepState;
use crate::net::testing::http;
use crate::net::{Net, Settings};
use crate::respond::testing::{Asked, Provider, step};

/// What becomes of a service's deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its tasks come up after a look or two.
    Whole,
    /// The circuit breaker rolls it back then.
    Breaks,
    /// They have not come up yet.
    Hangs,
    /// The answer to the next move is lost, and the move with it.
    Lost,
}

struct Service {
    revisions: Vec<Value>,
    runs: usize,
    /// Looks since it was moved; many at the start.
    looks: u32,
    fate: Fate,
}

#[derive(Default)]
struct Ecs {
    services: BTreeMap<String, Service>,
    /// Who registers revisions.
    by: String,
    /// What happened, in order.
    log: Vec<String>,
}

impl Ecs {
    fn described(&mut self, name: &str) -> Value {
        let service = self.services.get_mut(name).expect("a service");
        service.looks += 1;
        let mut state = if service.looks > 2 { "COMPLETED" } else { "IN_PROGRESS" };
        match service.fate {
            Fate::Whole if service.looks == 3 => self.log.push(format!("{name} is whole")),
            Fate::Breaks if service.looks == 3 => service.runs = 0,
            Fate::Hangs => state = "IN_PROGRESS",
            _ => {}
        }
        let arn = format!("{name}:{}", service.runs);
        let deployment = json!({ "status": "PRIMARY", "taskDefinition": arn, "rolloutState": state });
        json!({ "services": [{ "status": "ACTIVE", "taskDefinition": arn, "deployments": [deployment] }] })
    }

    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        let error = |kind: &str| json!({ "__type": kind });
        let body: Value = serde_json::from_str(&asked.body).expect("JSON");
        let target = asked.head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-amz-target:"));
        let target = target.and_then(|line| line.rsplit_once('.')).map(|(_, action)| action.trim().to_owned());
        let said = |name: &str| body[name].as_str().map(str::to_owned);
        let (name, number) = match said("taskDefinition") {
            Some(arn) => {
                arn.split_once(':').map(|(name, at)| (name.to_owned(), at.parse().expect("a number"))).expect("an ARN")
            }
            None => (said("family").unwrap_or_default(), 0),
        };
        let said = match target.as_deref().expect("a target") {
            "DescribeServices" => self.described(body["services"][0].as_str().expect("a name")),
            "DescribeTaskDefinition" => {
                let Some(found) = self.services[&name].revisions.get(number) else { return (400, error("ClientException")) };
                json!({ "taskDefinition": found })
            }
            "DeregisterTaskDefinition" => {
                let service = self.services.get_mut(&name).expect("a service");
                assert_ne!(service.runs, number, "it runs");
                service.revisions[number]["status"] = json!("INACTIVE");
                self.log.push(format!("{name}:{number} is deregistered"));
                json!({})
            }
            "RegisterTaskDefinition" => {
                let by = &self.by;
                let service = self.services.get_mut(&name).expect("a service");
                service.revisions.push(body);
                service.revisions.last_mut().expect("it")["registeredBy"] = json!(by);
                json!({ "taskDefinition": { "taskDefinitionArn": format!("{name}:{}", service.revisions.len() - 1) } })
            }
            "UpdateService" => {
                let service = self.services.get_mut(&name).expect("a service");
                if service.fate == Fate::Lost {
                    service.fate = Fate::Whole;
                    return (503, json!({}));
                }
                (service.runs, service.looks) = (number, 0);
                self.log.push(format!("{name} is moved"));
                json!({})
            }
            other => panic!("{other}"),
        };
        (200, said)
    }
}

/// Services that have the key in their environment, beside the file of settings.
async fn stage(fates: &[(&'static str, Fate)]) -> (Stage, Arc<Mutex<Ecs>>, Provider) {
    let mut stage = Stage::new(&[(".env", ENV)]).await;
    let ecs = Arc::new(Mutex::new(Ecs::default()));
    let variable = |name: &str, value: &str| json!({ "name": name, "value": value });
    for (name, fate) in fates {
        let own = [variable("ID", &stage.old.id), variable("SECRET", text(&stage.old.secret))];
        let first = json!({ "family": name, "containerDefinitions": [{ "name": "app", "environment": own }] });
        let service = Service { revisions: vec![first], runs: 0, looks: 9, fate: *fate };
        ecs.lock().expect("the state").services.insert((*name).to_owned(), service);
        let at = if *name == "api" { "prod/api" } else { "prod/jobs" };
        stage.others.push(Listed { kind: "aws-ecs-service", at, part: None });
    }
    let shared = Arc::clone(&ecs);
    let provider = Provider::new(move |asked| {
        let (status, said) = shared.lock().expect("the state").answer(asked);
        http(&format!("{status} x"), "", &said.to_string())
    });
    ecs.lock().expect("the state").by = stage.runner().hands.who();
    let named = |name: &str, url: &str| Net::parse_endpoint(&format!("{name}={url}")).expect("an endpoint");
    let endpoints = [named("aws", &stage.sandbox.url()), named("aws-ecs", &provider.url())].into();
    stage.net = Arc::new(Net::new(Settings { endpoints, ..Settings::default() }).expect("clients"));
    for step in &mut stage.playbooks.0[0].steps {
        step.timeout = 8;
    }
    (stage, ecs, provider)
}

fn log(ecs: &Mutex<Ecs>) -> Vec<String> {
    ecs.lock().expect("the state").log.clone()
}

#[tokio::test]
async fn a_service_is_moved_once_the_one_before_is_whole() {
    let (stage, ecs, _provider) = stage(&[("api", Fate::Whole), ("jobs", Fate::Whole)]).await;
    let run = stage.apply().await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    assert_eq!(step(&run, "restart").0, StepState::Succeeded, "{}", step(&run, "restart").1);
    assert_eq!(log(&ecs), ["api is moved", "api is whole", "jobs is moved", "jobs is whole"]);
}

#[tokio::test]
async fn after_one_that_was_rolled_back_no_other_is_moved_and_both_keys_stay() {
    let (stage, ecs, _provider) = stage(&[("api", Fate::Breaks), ("jobs", Fate::Whole)]).await;
    let run = stage.apply().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("prod/api: it was rolled back"), "{ended:?} {why}");
    assert_eq!(log(&ecs), ["api is moved"]);
    let keys = stage.keys().await;
    assert!(keys.len() == 2 && keys.iter().all(|(_, active)| *active), "{keys:?}");
}

#[tokio::test]
async fn what_the_circuit_breaker_rolled_back_has_not_taken_the_new_key_up() {
    let (stage, ecs, _provider) = stage(&[("api", Fate::Breaks)]).await;
    let run = stage.apply().await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    let (ended, why) = step(&run, "restart");
    assert!(ended == StepState::Failed && why.contains("prod/api holds the old one again"), "{ended:?} {why}");
    assert_eq!(log(&ecs), ["api is moved"]);
    assert_eq!(step(&run, "deactivate").0, StepState::Pending);
}

#[tokio::test]
async fn on_the_way_back_the_new_key_stays_until_no_task_runs_with_it() {
    let (stage, ecs, _provider) = stage(&[("api", Fate::Whole)]).await;
    let run = stage.apply().await;
    assert_eq!(step(&run, "restart").0, StepState::Succeeded, "{}", step(&run, "restart").1);
    let fated = |fate| ecs.lock().expect("the state").services.get_mut("api").expect("it").fate = fate;
    fated(Fate::Hangs);
    let run = stage.runner().undo(&run.id).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::UndoFailed && why.contains("prod/api") && why.contains("stays for now"), "{ended:?} {why}");
    assert_eq!(stage.held(".env").id, stage.old.id);
    assert_eq!(stage.keys().await.len(), 2, "its tasks may run with it");
    fated(Fate::Whole);
    let run = stage.runner().undo(&run.id).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Undone, "{}", step(&run, "replace").1);
    assert_eq!(stage.keys().await, [(stage.old.id.clone(), true)]);
}

#[tokio::test]
async fn nothing_is_written_over_a_deployment_that_is_under_way() {
    for (fate, wanted) in [(Fate::Whole, StepState::Succeeded), (Fate::Hangs, StepState::Unknown)] {
        let (stage, ecs, _provider) = stage(&[("api", fate)]).await;
        // Somebody has moved it a moment ago.
        ecs.lock().expect("the state").services.get_mut("api").expect("it").looks = 0;
        let run = stage.apply().await;
        let (ended, why) = step(&run, "replace");
        assert_eq!(ended, wanted, "{why}");
        let keys = stage.keys().await;
        if fate == Fate::Hangs {
            assert!(why.contains("prod/api: was not written, since a deployment of it is under way"), "{why}");
            assert_eq!(log(&ecs), [""; 0], "nothing was registered or moved");
            // The file of settings has the new one; the service goes on with the old one.
            assert_eq!(keys.len(), 2, "{keys:?}");
        } else {
            assert_eq!(log(&ecs)[..2], ["api is whole", "api is moved"]);
        }
    }
}

#[tokio::test]
async fn revisions_that_hold_the_new_one_and_are_not_run_are_deregistered_and_said() {
    for ours in [true, false] {
        let (stage, ecs, _provider) = stage(&[("api", Fate::Lost)]).await;
        if !ours {
            ecs.lock().expect("the state").by = "arn:aws:iam::111122223333:user/somebody".to_owned();
        }
        let run = stage.apply().await;
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
        let told = |run: &crate::model::Run| {
            run.steps.iter().find(|step| step.id == "replace").expect("it").evidence["left"].clone()
        };
        let left = |revision: &str| {
            let now = if ours {
                "deregistered"
            } else {
                "it stays, since somebody else may have registered it: deregister it if nobody needs it"
            };
            json!({ "store": "aws-ecs-service prod/api", "holds_the_new_one": revision, "now": now })
        };
        assert_eq!(told(&run), json!([left("api:1")]), "the one whose move was lost");
        let run = stage.runner().undo(&run.id).await.expect("a run");
        assert_eq!(step(&run, "replace").0, StepState::Undone, "{}", step(&run, "replace").1);
        assert_eq!(told(&run), json!([left("api:1"), left("api:2")]));
        let retired: Vec<String> = log(&ecs).into_iter().filter(|line| line.contains("deregistered")).collect();
        let all = ["api:1 is deregistered".to_owned(), "api:2 is deregistered".to_owned()];
        assert_eq!(retired, if ours { &all[..] } else { &[] });
    }
}
