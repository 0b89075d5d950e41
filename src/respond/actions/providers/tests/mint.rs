//! Providers whose administration makes keys: another is minted with the old one's bounds, written, waited for, and the old one
//! stopped; whatever goes wrong at the mint there is one new key in the end, and it is the one in the store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Said, body, ends};
use crate::model::{RunState, StepState};
use crate::net::testing::http;
use crate::respond::testing::{Asked, Provider, Scene, step};

#[derive(Debug, Clone)]
struct Key {
    id: String,
    name: String,
    value: String,
    on: bool,
}

/// How one provider speaks.
struct Tongue {
    detector: &'static str,
    playbook: &'static str,
    identity: &'static [(&'static str, &'static str)],
    /// Every list there is: its line and its answer.
    lists: fn(&str, &[Key]) -> Option<Value>,
    /// The line that makes one, and what its body must hold of the old one.
    create: (&'static str, fn(&Value) -> bool),
    /// The answer to it.
    made: fn(&Key) -> Value,
    /// The path of a key's object.
    path: fn(&str) -> String,
    live: &'static str,
    alive: fn() -> Value,
}

fn listed(keys: &[Key], item: impl Fn(&Key) -> Value) -> Vec<Value> {
    keys.iter().map(item).collect()
}

const OPENROUTER: Tongue = Tongue {
    detector: "openrouter-api-key",
    playbook: "openrouter-rotate",
    identity: &[],
    lists: |line, keys| {
        let item = |key: &Key| {
            json!({ "hash": key.id, "name": key.name, "label": ends(&key.value, 12, 4), "disabled": !key.on,
                    "limit": 50, "limit_reset": "monthly", "created_at": "2026-01-01" })
        };
        if line == "GET /api/v1/keys?include_disabled=true&offset=0" {
            return Some(json!({ "data": listed(keys, item) }));
        }
        let id = line.strip_prefix("GET /api/v1/keys/")?;
        Some(json!({ "data": item(keys.iter().find(|key| key.id == id)?) }))
    },
    create: ("POST /api/v1/keys", |body| body["limit"] == 50 && body["limit_reset"] == "monthly"),
    made: |key| json!({ "data": { "hash": key.id, "name": key.name }, "key": key.value }),
    path: |id| format!("/api/v1/keys/{id}"),
    live: "GET /api/v1/key",
    alive: || json!({ "data": { "label": "x" } }),
};

const XAI: Tongue = Tongue {
    detector: "xai-api-key",
    playbook: "xai-rotate",
    identity: &[("team", "t1"), ("id", "own")],
    lists: |line, keys| {
        let item = |key: &Key| json!({ "apiKeyId": key.id, "name": key.name, "aclStrings": ["api-key:model:*"], "qps": 5 });
        (line == "GET /auth/teams/t1/api-keys?pageSize=100").then(|| json!({ "apiKeys": listed(keys, item) }))
    },
    create: ("POST /auth/teams/t1/api-keys", |body| body["acls"] == json!(["api-key:model:*"]) && body["qps"] == 5),
    made: |key| json!({ "apiKeyId": key.id, "name": key.name, "apiKey": key.value }),
    path: |id| format!("/auth/api-keys/{id}"),
    live: "GET /v1/api-key",
    alive: || json!({ "api_key_blocked": false, "api_key_disabled": false, "team_blocked": false, "team_id": "t1", "api_key_id": "x" }),
};

const MISTRAL: Tongue = Tongue {
    detector: "mistral-api-key",
    playbook: "mistral-rotate",
    identity: &[],
    lists: |line, keys| {
        let item = |key: &Key| json!({ "key_id": key.id, "name": key.name, "hidden_key": ends(&key.value, 4, 4), "user_id": "u1", "workspace_uuid": "w1" });
        (line == "GET /v1/admin/api-keys?limit=100&offset=0").then(|| json!({ "keys": listed(keys, item) }))
    },
    create: ("POST /v1/admin/api-keys", |body| body["user_id"] == "u1" && body["workspace_uuid"] == "w1"),
    made: |key| json!({ "key_id": key.id, "name": key.name, "key": key.value }),
    path: |id| format!("/v1/admin/api-keys/{id}"),
    live: "GET /v1/models",
    alive: || json!({ "data": [] }),
};

const OPENAI: Tongue = Tongue {
    detector: "openai-service-account-key",
    playbook: "openai-service-account-rotate",
    identity: &[("organization", "acme"), ("project", "p1")],
    lists: |line, keys| {
        let account = |key: &Key| json!({ "id": key.id, "name": key.name });
        let item = |key: &Key| {
            json!({ "id": format!("key_{}", key.id), "redacted_value": ends(&key.value, 14, 4),
                    "owner": { "type": "service_account", "service_account": account(key) } })
        };
        let list = |data: Vec<Value>| json!({ "data": data, "has_more": false });
        match line {
            "GET /v1/organization/projects/p1/api_keys?limit=100" => Some(list(listed(keys, item))),
            "GET /v1/organization/projects/p1/service_accounts?limit=100" => Some(list(listed(keys, account))),
            _ => {
                let id = line.strip_prefix("GET /v1/organization/projects/p1/service_accounts/")?;
                Some(account(keys.iter().find(|key| key.id == id)?))
            }
        }
    },
    create: ("POST /v1/organization/projects/p1/service_accounts", |_| true),
    made: |key| json!({ "id": key.id, "name": key.name, "api_key": { "id": "k", "value": key.value } }),
    path: |id| format!("/v1/organization/projects/p1/service_accounts/{id}"),
    live: "GET /v1/models",
    alive: || json!({ "data": [] }),
};

/// What happens to the next mint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Says(u16),
    /// It is done, and the answer does not come, or is not what it should be.
    Cut,
    Garbled,
}

struct Model {
    keys: Vec<Key>,
    fault: Fault,
    made: usize,
}

/// A value like another, and not the same.
fn like(value: &str, number: usize) -> String {
    let cut = value.len() - 6;
    format!("{}{number:06}", &value[..cut])
}

fn answer(tongue: &Tongue, model: &mut Model, asked: &Asked) -> Option<Said> {
    let says = |status: u16, body: &Value| Some((status, body.to_string()));
    let line = asked.line.as_str();
    if line == tongue.live {
        let shown = |key: &&Key| asked.head.contains(&key.value);
        let good = model.keys.iter().find(shown).is_some_and(|key| key.on);
        let error = json!({ "error": { "code": "invalid_api_key", "message": "No" }, "detail": "Unauthorized" });
        return if good { says(200, &(tongue.alive)()) } else { says(401, &error) };
    }
    if line == tongue.create.0 {
        if let Fault::Says(status) = model.fault {
            model.fault = Fault::None;
            return says(status, &json!({ "error": { "message": "not now" } }));
        }
        let wanted = body(asked);
        assert!((tongue.create.1)(&wanted), "the old one's bounds are not in {wanted}");
        model.made += 1;
        let name = wanted["name"].as_str().expect("a name").to_owned();
        let value = like(&model.keys[0].value, model.made);
        model.keys.push(Key { id: format!("new{}", model.made), name, value, on: true });
        let fault = std::mem::replace(&mut model.fault, Fault::None);
        return match fault {
            Fault::Cut => None,
            Fault::Garbled => says(200, &json!({})),
            _ => says(200, &(tongue.made)(&model.keys[model.keys.len() - 1])),
        };
    }
    let at = |start: &str| {
        let path = line.strip_prefix(start)?;
        model.keys.iter().position(|key| (tongue.path)(&key.id) == path)
    };
    if let Some(at) = at("DELETE ") {
        model.keys.remove(at);
        return says(200, &json!({}));
    }
    if let Some(at) = at("PATCH ") {
        model.keys[at].on = body(asked)["disabled"] == json!(false);
        return says(200, &json!({}));
    }
    match (tongue.lists)(line, &model.keys) {
        Some(list) => says(200, &list),
        None => says(404, &json!({ "error": { "message": "not found" } })),
    }
}

/// A scene whose store is a file that holds the key.
fn scene(tongue: &'static Tongue, dir: &tempfile::TempDir) -> (Scene, Arc<Mutex<Model>>) {
    let model = Arc::new(Mutex::new(Model { keys: Vec::new(), fault: Fault::None, made: 0 }));
    let shared = Arc::clone(&model);
    let provider = Provider::new(move |asked| {
        let said = answer(tongue, &mut shared.lock().expect("the model"), asked);
        said.map_or_else(Vec::new, |(status, body)| http(&format!("{status} x"), "", &body))
    });
    let mut scene = Scene::new(tongue.detector, tongue.playbook, tongue.identity, provider);
    let value = scene.value().to_owned();
    let path = dir.path().join("app.env");
    std::fs::write(&path, format!("KEY={value}\nOTHER=1\n")).expect("written");
    let key = |id: &str, value: String| Key { id: id.to_owned(), name: "ci".to_owned(), value, on: true };
    let other = like(&value, 999_999).replace(['a', 'b', 'c'], "d");
    model.lock().expect("the model").keys = vec![key("own", value), key("other", other.chars().rev().collect())];
    scene.store = Some(path);
    // Whoever waits for an acceptance that never comes waits half of this long.
    scene.playbook.steps[0].timeout = 10;
    scene.finding.owners.push(crate::model::Owner {
        edge: crate::model::Edge::Consumer,
        id: "compose:docker-compose.yml/api".to_owned(),
        name: "api".to_owned(),
        spiffe_id: None,
        tier: crate::model::Tier::Bound,
        confidence: crate::model::Weight(9000),
        contested: false,
        evidence: Vec::new(),
    });
    (scene, model)
}

fn stored(scene: &Scene) -> String {
    let text = std::fs::read_to_string(scene.store.as_ref().expect("a store")).expect("the file");
    assert!(text.ends_with("\nOTHER=1\n"), "{text}");
    text.lines().next().and_then(|line| line.strip_prefix("KEY=")).expect("a line").to_owned()
}

const ALL: [&Tongue; 4] = [&OPENROUTER, &XAI, &MISTRAL, &OPENAI];

#[tokio::test]
async fn another_key_takes_the_olds_place_and_the_old_one_goes() {
    for tongue in ALL {
        let dir = tempfile::tempdir().expect("scratch");
        let (mut scene, model) = scene(tongue, &dir);
        let old = scene.value().to_owned();
        let run = scene.apply().await;
        let (ended, why) = step(&run, "new-in-use");
        assert!(ended == StepState::Waiting && why.contains("--done new-in-use"), "{}: {run:?}", tongue.playbook);
        let new = stored(&scene);
        assert!(new != old && !scene.written().contains(&new), "{}", tongue.playbook);
        assert!(model.lock().expect("the model").keys.iter().all(|key| key.on), "both work");
        // The file was the only place that had the old value.
        scene.readable = false;
        let mut runner = scene.runner();
        runner.confirmed = vec!["new-in-use".to_owned()];
        let run = runner.resume(&run.id).await.expect("a run");
        assert_eq!(step(&run, "stop").0, StepState::Pending, "a day is not over");
        scene.clock.advance(Duration::from_hours(26));
        // Who agreed a day ago is asked again.
        scene.agree(&run.digest);
        let run = scene.resume(&run).await;
        assert_eq!(
            (run.state, step(&run, "stop").0),
            (RunState::Done, StepState::Succeeded),
            "{}: {:?}",
            tongue.playbook,
            run.steps
        );
        let left: Vec<Key> = model.lock().expect("the model").keys.iter().filter(|key| key.on).cloned().collect();
        assert!(left.iter().all(|key| key.value != old) && left.iter().any(|key| key.value == new), "{left:?}");
        assert_eq!(left.len(), 2, "nobody else's is touched");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_at_the_mint_there_is_one_new_key_in_the_end() {
    for tongue in ALL {
        for fault in [Fault::Says(429), Fault::Says(500), Fault::Says(403), Fault::Cut, Fault::Garbled] {
            let dir = tempfile::tempdir().expect("scratch");
            let (scene, model) = scene(tongue, &dir);
            let old = scene.value().to_owned();
            model.lock().expect("the model").fault = fault;
            let run = scene.apply().await;
            let moment = format!("{} {fault:?}", tongue.playbook);
            assert_ne!(step(&run, "replace").0, StepState::Succeeded, "{moment}");
            assert_eq!(stored(&scene), old, "{moment}");
            let keys = model.lock().expect("the model").keys.len();
            assert_eq!(keys, 2, "{moment}: a key is left that nobody holds; {}", step(&run, "replace").1);
            let run = scene.resume(&run).await;
            assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{moment}: {}", step(&run, "replace").1);
            let model = model.lock().expect("the model");
            assert!(model.keys.len() == 3 && model.keys.iter().any(|key| key.value == stored(&scene)), "{moment}");
        }
    }
}

#[tokio::test]
async fn it_is_put_back_and_the_new_one_goes() {
    for tongue in ALL {
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let old = scene.value().to_owned();
        let run = scene.apply().await;
        let undone = scene.undo(&run).await;
        assert_eq!(undone.state, RunState::Undone, "{}: {:?}", tongue.playbook, undone.steps);
        assert_eq!(stored(&scene), old);
        assert_eq!(model.lock().expect("the model").keys.len(), 2);
    }
}

#[test]
fn every_action_that_makes_a_key_is_met_here() {
    let playbooks = crate::respond::Playbooks::new(&crate::respond::builtin_playbooks()).expect("playbooks");
    let met: Vec<String> =
        ALL.iter().filter_map(|tongue| Some(playbooks.get(tongue.playbook)?.steps.first()?.action.clone())).collect();
    for action in super::super::ALL.iter().filter(|action| action.role() == super::super::super::Role::Replaces) {
        assert!(met.iter().any(|name| name == action.name()), "{} has no tongue", action.name());
    }
}
