//! Providers whose administration makes keys: another is minted with the old one's bounds, written, waited for, and the old one
//! stopped; whatever goes wrong at the mint there is one new key in the end, and it is the one in the store.

mod alike;
mod late;
mod proof;
mod running;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Said, body, ends};
use crate::model::{Run, RunState, StepState};
use crate::net::testing::http;
use crate::respond::testing::{Asked, Provider, Scene, step};

#[derive(Debug, Clone)]
struct Key {
    id: String,
    name: String,
    value: String,
    on: bool,
    /// When it was used last, in seconds, where that is known.
    used: Option<i64>,
    /// When it was made, in seconds, where lists tell it.
    made: Option<i64>,
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
        let item = |key: &Key| {
            json!({ "key_id": key.id, "name": key.name, "hidden_key": ends(&key.value, 4, 4), "created_by": "u1", "workspace_id": "w1",
                    "expiration_date": "2027-01-01",
                    "created_at": key.made.map(|at| jiff::Timestamp::from_second(at).expect("a time").to_string()),
                                      "last_used": key.used.map(|at| jiff::Timestamp::from_second(at).expect("a time").to_string()) })
        };
        (line == "GET /api/admin/api-keys?limit=100&offset=0").then(|| json!({ "keys": listed(keys, item) }))
    },
    create: ("POST /api/admin/api-keys", |body| {
        body["user_id"] == "u1" && body["workspace_uuid"] == "w1" && body["expiration"] == "2027-01-01"
    }),
    made: |key| json!({ "key_id": key.id, "name": key.name, "key": key.value }),
    path: |id| format!("/api/admin/api-keys/{id}"),
    live: "GET /v1/models",
    alive: || json!({ "data": [] }),
};

const OPENAI: Tongue = Tongue {
    detector: "openai-service-account-key",
    playbook: "openai-service-account-rotate",
    identity: &[("organization", "acme"), ("project", "p1")],
    lists: |line, keys| {
        let account = |key: &Key| json!({ "id": key.id, "name": key.name, "created_at": key.made });
        let item = |key: &Key| {
            json!({ "id": format!("key_{}", key.id), "redacted_value": ends(&key.value, 14, 4), "last_used_at": key.used,
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

const GOOGLE: Tongue = Tongue {
    detector: "google-api-key",
    playbook: "google-api-key-rotate",
    identity: &[],
    lists: |line, keys| {
        const LIST: &str = "projects/12/locations/global/keys";
        let item = |key: &Key| {
            json!({ "name": format!("{LIST}/{}", key.id), "displayName": key.name, "annotations": { "team": "maps" },
                    "restrictions": { "apiTargets": [{ "service": "generativelanguage.googleapis.com" }] } })
        };
        if let Some(value) = line.strip_prefix("GET /v2/keys:lookupKey?keyString=") {
            let found = keys.iter().find(|key| key.value == value)?;
            return Some(json!({ "parent": "projects/12/locations/global", "name": format!("{LIST}/{}", found.id) }));
        }
        if line == format!("GET /v2/{LIST}?pageSize=300") {
            return Some(json!({ "keys": listed(keys, item) }));
        }
        if let Some(id) = line.strip_prefix("GET /v2/operations/akmf.") {
            let made = keys.iter().find(|key| key.id == id)?;
            return Some(json!({ "name": format!("operations/akmf.{id}"), "done": true, "response": item(made) }));
        }
        let path = line.strip_prefix(&format!("GET /v2/{LIST}/"))?;
        let (id, whole) = path.strip_suffix("/keyString").map_or((path, true), |id| (id, false));
        let found = keys.iter().find(|key| key.id == id)?;
        Some(if whole { item(found) } else { json!({ "keyString": found.value }) })
    },
    create: ("POST /v2/projects/12/locations/global/keys", |body| {
        body["annotations"]["team"] == "maps"
            && body["restrictions"]["apiTargets"][0]["service"] == "generativelanguage.googleapis.com"
    }),
    // The key is made a moment after the answer.
    made: |key| json!({ "name": format!("operations/akmf.{}", key.id) }),
    path: |id| format!("/v2/projects/12/locations/global/keys/{id}"),
    live: "GET /v1beta/models?pageSize=1",
    alive: || json!({ "models": [] }),
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
    /// Whether lists do not show what was made.
    behind: bool,
    /// Whether lists cannot be had at all.
    down: bool,
    /// Whether nothing may be deleted.
    kept: bool,
    /// What the provider's clock says when a key is made, where it tells.
    clock: Option<i64>,
    /// So many lists later they are not behind any more.
    shows_after: Option<usize>,
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
        let error = json!({ "error": { "code": "invalid_api_key", "message": "No", "details": [{ "reason": "API_KEY_INVALID" }] },
            "detail": "Unauthorized" });
        // Google says so by a 400.
        let refusal = if tongue.detector == "google-api-key" { 400 } else { 401 };
        return if good { says(200, &(tongue.alive)()) } else { says(refusal, &error) };
    }
    if line == tongue.create.0 {
        if let Fault::Says(status) = model.fault {
            model.fault = Fault::None;
            return says(status, &json!({ "error": { "message": "not now" } }));
        }
        let wanted = body(asked);
        assert!((tongue.create.1)(&wanted), "the old one's bounds are not in {wanted}");
        model.made += 1;
        let name = wanted["name"].as_str().or(wanted["displayName"].as_str()).expect("a name").to_owned();
        let value = like(&model.keys[0].value, model.made);
        model.keys.push(Key { id: format!("new{}", model.made), name, value, on: true, used: None, made: model.clock });
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
    if model.kept && at("DELETE ").is_some() {
        return says(403, &json!({ "error": { "message": "not yours" } }));
    }
    if let Some(at) = at("DELETE ") {
        model.keys.remove(at);
        return says(200, &json!({}));
    }
    if let Some(at) = at("PATCH ") {
        model.keys[at].on = body(asked)["disabled"] == json!(false);
        return says(200, &json!({}));
    }
    if model.down {
        return says(503, &json!({ "error": { "message": "later" } }));
    }
    model.shows_after = model.shows_after.and_then(|left| {
        model.behind &= left > 0;
        left.checked_sub(1)
    });
    let shown = |key: &&Key| !model.behind || !key.id.starts_with("new");
    let shown: Vec<Key> = model.keys.iter().filter(shown).cloned().collect();
    match (tongue.lists)(line, &shown) {
        Some(list) => says(200, &list),
        None => says(404, &json!({ "error": { "message": "not found" } })),
    }
}

/// A scene whose store is a file that holds the key.
fn scene(tongue: &'static Tongue, dir: &tempfile::TempDir) -> (Scene, Arc<Mutex<Model>>) {
    let model = Arc::new(Mutex::new(Model {
        keys: Vec::new(),
        fault: Fault::None,
        made: 0,
        behind: false,
        down: false,
        kept: false,
        clock: None,
        shows_after: None,
    }));
    let shared = Arc::clone(&model);
    let provider = Provider::new(move |asked| {
        let said = answer(tongue, &mut shared.lock().expect("the model"), asked);
        said.map_or_else(Vec::new, |(status, body)| http(&format!("{status} x"), "", &body))
    });
    let mut scene = Scene::new(tongue.detector, tongue.playbook, tongue.identity, provider);
    let value = scene.value().to_owned();
    let path = dir.path().join("app.env");
    std::fs::write(&path, format!("KEY={value}\nOTHER=1\n")).expect("written");
    let key = |id: &str, value: String| Key {
        id: id.to_owned(),
        name: "ci".to_owned(),
        value,
        on: true,
        used: Some(5),
        made: None,
    };
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

const ALL: [&Tongue; 5] = [&OPENROUTER, &XAI, &MISTRAL, &OPENAI, &GOOGLE];

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
        let run = word_on_the_old_one(&scene, tongue, scene.resume(&run).await).await;
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
        assert!(scene.written().contains(r#""result": "PASSED""#), "{}", tongue.playbook);
        let proof = run.steps.iter().find(|step| step.id == "prove-refused").expect("the step");
        assert_eq!(proof.evidence["by"], "the provider's administration", "{}: {}", tongue.playbook, proof.evidence);
    }
}

/// Where a provider does not tell when a key was used, nothing that cannot be undone is done without a person's word.
async fn word_on_the_old_one(scene: &Scene, tongue: &Tongue, run: Run) -> Run {
    if !["xai-rotate", "google-api-key-rotate"].contains(&tongue.playbook) {
        return run;
    }
    let (ended, why) = step(&run, "old-unused");
    assert!(ended == StepState::Waiting && why.contains("does not tell") && why.contains("--done old-unused"), "{why}");
    assert_eq!(step(&run, "stop").0, StepState::Pending);
    let mut runner = scene.runner();
    runner.confirmed = vec!["old-unused".to_owned()];
    runner.resume(&run.id).await.expect("a run")
}

/// A run in which the new one is said to be in use, a day and two hours later.
async fn a_day_later(scene: &Scene) -> Run {
    let run = scene.apply().await;
    let mut runner = scene.runner();
    runner.confirmed = vec!["new-in-use".to_owned()];
    let run = runner.resume(&run.id).await.expect("a run");
    scene.clock.advance(Duration::from_hours(26));
    run
}

const HOURS: i64 = 3600;

#[tokio::test]
async fn where_the_provider_is_ahead_our_own_question_is_nobodys_use() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        for clock in [Some(600), None] {
            let dir = tempfile::tempdir().expect("scratch");
            let (scene, model) = scene(tongue, &dir);
            model.lock().expect("the model").clock = clock;
            let run = scene.apply().await;
            let used = |at: i64| {
                let mut model = model.lock().expect("the model");
                model.keys.last_mut().expect("the new one").used = Some(at);
            };
            // Its clock is ten minutes ahead, and this run has asked as the new key at once.
            used(600);
            let run = scene.resume(&run).await;
            let (ended, why) = step(&run, "new-in-use");
            assert!(
                ended == StepState::Waiting && !why.starts_with("until"),
                "{name} {clock:?}: nobody has used it: {ended:?} {why}"
            );
            used(700);
            let run = scene.resume(&run).await;
            let (ended, why) = step(&run, "new-in-use");
            match clock {
                // It is in use, and what follows has its quiet period.
                Some(_) => assert!(ended == StepState::Waiting && why.starts_with("until"), "{name}: {ended:?} {why}"),
                // Where nobody can tell whose use it was, a person says so.
                None => assert!(ended == StepState::Waiting && why.contains("ahead of this one"), "{name}: {ended:?} {why}"),
            }
        }
    }
}

#[tokio::test]
async fn an_old_key_that_is_used_or_of_which_no_use_is_told_is_waited_for() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let used = |at: Option<i64>| model.lock().expect("the model").keys[0].used = at;
        let run = a_day_later(&scene).await;
        scene.agree(&run.digest);
        used(Some(25 * HOURS));
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "old-unused");
        assert!(ended == StepState::Waiting && why.contains("was used at 1970-01-02T01:00:00Z"), "{name}: {ended:?} {why}");
        used(None);
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "old-unused");
        assert!(ended == StepState::Waiting && why.contains("names no use"), "{name}: {ended:?} {why}");
        assert_eq!(step(&run, "stop").0, StepState::Pending, "{name}");
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}: nothing was deleted");
        // Silent for a day and an hour since.
        used(Some(25 * HOURS));
        scene.clock.advance(Duration::from_hours(25));
        scene.agree(&run.digest);
        let run = scene.resume(&run).await;
        assert_eq!(step(&run, "stop").0, StepState::Succeeded, "{name}: {:?}", run.steps);
    }
}

#[tokio::test]
async fn an_old_key_that_is_used_again_while_agreement_is_waited_for_is_not_deleted() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let run = a_day_later(&scene).await;
        // Whoever agreed has done so a day ago.
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "stop");
        assert!(ended == StepState::Waiting && why.contains("2 approval(s)"), "{name}: {ended:?} {why}");
        model.lock().expect("the model").keys[0].used = Some(26 * HOURS);
        scene.agree(&run.digest);
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "stop");
        assert!(ended == StepState::Waiting && why.contains("looked again") && why.contains("was used at"), "{name}: {why}");
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}: nothing was deleted");
    }
}

#[tokio::test]
async fn what_somebody_said_of_the_old_key_does_not_stand_for_a_record_that_cannot_be_had_now() {
    for tongue in [&MISTRAL, &OPENAI] {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let run = a_day_later(&scene).await;
        model.lock().expect("the model").keys[0].used = None;
        let mut runner = scene.runner();
        runner.confirmed = vec!["old-unused".to_owned()];
        let run = runner.resume(&run.id).await.expect("a run");
        assert_eq!((step(&run, "old-unused").0, step(&run, "stop").0), (StepState::Succeeded, StepState::Waiting), "{name}");
        scene.agree(&run.digest);
        model.lock().expect("the model").down = true;
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "stop");
        assert!(ended == StepState::Waiting && why.contains("cannot be asked now"), "{name}: {ended:?} {why}");
        model.lock().expect("the model").down = false;
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}: nothing was deleted");
        assert_eq!(
            step(&scene.resume(&run).await, "stop").0,
            StepState::Succeeded,
            "{name}: it stands for one that is empty"
        );
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
            let mut run = run;
            if fault == Fault::Says(500) {
                // It may have made one that is not listed yet.
                run = nobody_knows(&scene, &run, &moment).await;
            } else {
                run = scene.resume(&run).await;
            }
            assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{moment}: {}", step(&run, "replace").1);
            let model = model.lock().expect("the model");
            assert!(model.keys.len() == 3 && model.keys.iter().any(|key| key.value == stored(&scene)), "{moment}");
        }
    }
}

/// Goes on where it is not known whether a key was made: too early, then a person is asked, then with that person's word.
async fn nobody_knows(scene: &Scene, run: &Run, moment: &str) -> Run {
    let run = scene.resume(run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("the list may be behind"), "{moment}: {ended:?} {why}");
    scene.clock.advance(Duration::from_mins(6));
    let run = scene.resume(&run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Waiting && why.contains("--done replace"), "{moment}: {ended:?} {why}");
    let mut runner = scene.runner();
    runner.confirmed = vec!["replace".to_owned()];
    runner.resume(&run.id).await.expect("a run")
}

#[tokio::test]
async fn a_key_that_is_listed_late_is_not_made_twice() {
    for tongue in ALL {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        {
            let mut model = model.lock().expect("the model");
            (model.fault, model.behind) = (Fault::Cut, true);
        }
        let run = scene.apply().await;
        let (ended, why) = step(&run, "replace");
        assert!(ended == StepState::Unknown && why.contains("the list may be behind"), "{name}: {ended:?} {why}");
        let run = scene.resume(&run).await;
        assert_eq!(model.lock().expect("the model").made, 1, "{name}: {}", step(&run, "replace").1);
        // Nor is it said to be walked back.
        let undone = scene.undo(&run).await;
        let (ended, why) = step(&undone, "replace");
        assert!(ended == StepState::UndoFailed && why.contains("the list may be behind"), "{name}: {ended:?} {why}");
        // It shows up after all, and goes.
        model.lock().expect("the model").behind = false;
        let undone = scene.undo(&run).await;
        assert_eq!(undone.state, RunState::Undone, "{name}: {:?}", undone.steps);
        assert_eq!(model.lock().expect("the model").keys.len(), 2, "{name}");
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
    let makes = |action: &&&dyn crate::respond::actions::Action| {
        // These meet a real OpenBao (tests/it/services/rotating_approle.rs), and an account of their own (`alternate`).
        let elsewhere = ["vault-approle-secret-id-create", "azure-ai-key-alternate"];
        action.role() == crate::respond::actions::Role::Replaces && !elsewhere.contains(&action.name())
    };
    for action in super::super::ALL.iter().filter(makes) {
        assert!(met.iter().any(|name| name == action.name()), "{} has no tongue", action.name());
    }
}
