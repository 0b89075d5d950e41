//! Stores whose answers are lost, or which nobody can read: a write that may still take effect keeps its key, only our own write
//! counts, and a store that is not to be seen is not one that holds nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{ENV, Listed, Stage, text};
use crate::model::{Run, StepState};
use crate::net::testing::http;
use crate::net::{Net, Settings};
use crate::respond::testing::{Asked, Provider, step};

fn says(status: u16, body: &Value) -> Vec<u8> {
    http(&format!("{status} x"), "", &body.to_string())
}

/// A stage at which another service is asked besides AWS, and one whose credential stands in no file.
async fn at_service(endpoint: &str, provider: &Provider) -> Stage {
    let mut stage = Stage::new(&[]).await;
    let named = |name: &str, url: &str| Net::parse_endpoint(&format!("{name}={url}")).expect("an endpoint");
    let endpoints = [named("aws", &stage.sandbox.url()), named(endpoint, &provider.url())].into();
    stage.net = Arc::new(Net::new(Settings { endpoints, ..Settings::default() }).expect("clients"));
    stage
}

/// A variable of GitLab's: what it holds, and whether what is written to it is lost on the way, with its answer.
struct Variable {
    value: String,
    lost: bool,
    /// What is still on its way.
    late: Option<String>,
}

fn gitlab(state: &Arc<Mutex<Variable>>) -> Provider {
    let state = Arc::clone(state);
    Provider::new(move |asked: &Asked| {
        let mut state = state.lock().expect("the state");
        if !asked.line.starts_with("PUT ") {
            return says(200, &json!({ "key": "KEY", "value": state.value, "hidden": false }));
        }
        let body: Value = serde_json::from_str(&asked.body).expect("JSON");
        let value = body["value"].as_str().expect("text").to_owned();
        if state.lost {
            state.late = Some(value);
            return says(502, &json!({ "message": "Bad Gateway" }));
        }
        state.value = value;
        says(200, &json!({}))
    })
}

/// A run whose write to a variable has no answer: the variable, the stage, who answers for GitLab, and the run.
async fn lost_write() -> (Arc<Mutex<Variable>>, Stage, Provider, Run) {
    let kept = Arc::new(Mutex::new(Variable { value: String::new(), lost: true, late: None }));
    let provider = gitlab(&kept);
    let mut stage = at_service("gitlab-admin", &provider).await;
    kept.lock().expect("the state").value = ENV.replace("{id}", &stage.old.id).replace("{secret}", text(&stage.old.secret));
    stage.others = vec![Listed { kind: "gitlab-variable", at: "corp/app#KEY", part: None }];
    let (_, digest) = stage.plan().await.expect("a plan");
    let run = stage.runner().apply(&digest).await.expect("a run");
    (kept, stage, provider, run)
}

#[tokio::test]
async fn a_write_that_may_still_take_effect_keeps_its_key() {
    let (kept, stage, _provider, run) = lost_write().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("may take it yet"), "{ended:?} {why}");
    let keys = stage.keys().await;
    assert!(keys.len() == 2 && keys.iter().all(|(_, active)| *active), "the store may hold it in a moment: {keys:?}");
    // Somebody looks again at once: it is still too early to take the key away.
    let run = stage.runner().resume(&run.id).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("may still take what was sent"), "{ended:?} {why}");
    assert_eq!(stage.keys().await, keys);
    // It arrives after all, and the run goes on with the same key.
    {
        let mut kept = kept.lock().expect("the state");
        (kept.value, kept.lost) = (kept.late.take().expect("it was sent"), false);
    }
    let run = stage.runner().resume(&run.id).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    assert_eq!((stage.keys().await, stage.calls("iam:CreateAccessKey")), (keys.clone(), 1));
    assert!(kept.lock().expect("the state").value.contains(&keys[1].0));
}

#[tokio::test]
async fn a_write_that_never_took_effect_gives_its_key_up_after_a_while() {
    let (kept, stage, _provider, run) = lost_write().await;
    assert_eq!(step(&run, "replace").0, StepState::Unknown);
    let first = stage.keys().await[1].0.clone();
    kept.lock().expect("the state").lost = false;
    stage.clock.pass(Duration::from_mins(6));
    let run = stage.runner().resume(&run.id).await.expect("a run");
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    let keys = stage.keys().await;
    assert!(keys.len() == 2 && keys[1].0 != first, "the one whose value nobody has is gone: {keys:?}");
    assert!(kept.lock().expect("the state").value.contains(&keys[1].0));
}

#[tokio::test]
async fn a_secret_that_nobody_can_read_counts_as_written_by_our_own_write_alone() {
    let own = crypto_box::SecretKey::generate(&mut crypto_box::aead::OsRng);
    let public = BASE64.encode(own.public_key().as_bytes());
    // How often each was written, and whose writes go wrong: while one of ours fails, somebody else writes.
    let kept = Arc::new(Mutex::new(([0u32; 2], true)));
    let shared = Arc::clone(&kept);
    let provider = Provider::new(move |asked: &Asked| {
        let mut state = shared.lock().expect("the state");
        if asked.line.ends_with("/public-key") {
            return says(200, &json!({ "key_id": "k1", "key": public }));
        }
        let which = usize::from(asked.line.ends_with("/SECRET"));
        if asked.line.starts_with("PUT ") {
            state.0[which] += 1;
            return if state.1 && which == 0 { says(502, &json!({})) } else { http("204 x", "", "") };
        }
        says(200, &json!({ "name": "X", "updated_at": format!("2026-01-01T00:00:0{}Z", state.0[which]) }))
    });
    let mut stage = at_service("github-admin", &provider).await;
    stage.others = vec![
        Listed { kind: "github-actions", at: "corp/app/ID", part: Some("key_id") },
        Listed { kind: "github-actions", at: "corp/app/SECRET", part: Some("secret") },
    ];
    let (_, digest) = stage.plan().await.expect("a plan");
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("corp/app/ID"), "{ended:?} {why}");
    assert_eq!(kept.lock().expect("the state").0, [1, 0], "the other was not written");
    assert_eq!(stage.keys().await.len(), 2, "what may stand in a store keeps its key");
}

#[tokio::test]
async fn a_store_that_is_not_to_be_seen_is_not_one_that_holds_nothing() {
    let mut stage = Stage::new(&[(".env", ENV)]).await;
    stage.listed = vec![stage.path("away.env")];
    let (plan, digest) = stage.plan().await.expect("a plan");
    let away = &plan.steps[1].observed["stores"][1];
    assert_eq!(away["unknown"], "it is not there, or not shown to us", "{away}");
    let run = stage.runner().apply(&digest).await.expect("a run");
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("away.env holds the credential is not known"), "{ended:?} {why}");
    assert_eq!((stage.calls("iam:CreateAccessKey"), stage.held(".env").id), (0, stage.old.id.clone()));
}

#[tokio::test]
async fn two_runs_over_one_variable_do_not_write_over_each_other() {
    let kept = Arc::new(Mutex::new(String::new()));
    let (shared, writing) = (Arc::clone(&kept), AtomicUsize::new(0));
    let provider = Provider::new(move |asked: &Asked| {
        if asked.line.starts_with("PUT ") {
            let body: Value = serde_json::from_str(&asked.body).expect("JSON");
            // Nothing takes effect before another has compared and writes as well, or long enough has passed for that.
            writing.fetch_add(1, Ordering::SeqCst);
            for _ in 0..150 {
                if writing.load(Ordering::SeqCst) > 1 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            body["value"].as_str().expect("text").clone_into(&mut shared.lock().expect("the state"));
            if writing.load(Ordering::SeqCst) == 1 {
                writing.store(0, Ordering::SeqCst);
            }
            return says(200, &json!({}));
        }
        says(200, &json!({ "key": "KEY", "value": *shared.lock().expect("the state"), "hidden": false }))
    });
    let (one, mut other) = (at_service("gitlab-admin", &provider).await, at_service("gitlab-admin", &provider).await);
    let both = [&one, &other].map(|stage| ENV.replace("{id}", &stage.old.id).replace("{secret}", text(&stage.old.secret)));
    *kept.lock().expect("the state") = both.concat();
    other.state.clone_from(&one.state);
    let stages = [one, other].map(|mut stage| {
        stage.others = vec![Listed { kind: "gitlab-variable", at: "corp/app#KEY", part: None }];
        stage
    });
    let (first, second) = (stages[0].plan().await.expect("a plan").1, stages[1].plan().await.expect("a plan").1);
    let (one, other) = (stages[0].runner(), stages[1].runner());
    let (one, other) = tokio::join!(one.apply(&first), other.apply(&second));
    for (stage, run) in stages.iter().zip([one, other]) {
        let mut run = run.expect("a run");
        // Whoever came second has written nothing, and goes on from what is there now.
        if step(&run, "replace").0 != StepState::Succeeded {
            let (ended, why) = step(&run, "replace");
            assert!(ended == StepState::Failed && why.contains("somebody changed it just now"), "{ended:?} {why}");
            run = stage.runner().resume(&run.id).await.expect("a run");
        }
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    }
    let held = kept.lock().expect("the state").clone();
    for stage in &stages {
        let keys = stage.keys().await;
        assert!(keys.len() == 2 && held.contains(&keys[1].0) && !held.contains(&stage.old.id), "{keys:?} {held}");
    }
}

#[tokio::test]
async fn a_plan_calls_a_replacement_reversible_only_where_a_store_keeps_the_old_value() {
    let plain = Stage::new(&[(".env", ENV)]).await;
    let (drawn, _) = plain.plan().await.expect("a plan");
    let (replace, undo) = (&drawn.steps[1], drawn.steps[1].undo.as_deref().unwrap_or_default());
    assert!(!replace.reversible && undo.contains("by hand") && undo.contains("undo RUN --secret-stdin"), "{undo}");
    let value = Arc::new(Mutex::new(Value::Null));
    let shared = Arc::clone(&value);
    let provider = Provider::new(move |_| {
        let data = shared.lock().expect("the value").clone();
        says(200, &json!({ "data": { "data": data, "metadata": { "version": 4 } } }))
    });
    let mut stage = at_service("vault-kv", &provider).await;
    stage.others = vec![Listed { kind: "vault-kv", at: "secret/data/app", part: None }];
    *value.lock().expect("the value") = json!({ "id": stage.old.id, "secret": text(&stage.old.secret) });
    let (drawn, _) = stage.plan().await.expect("a plan");
    let (replace, undo) = (&drawn.steps[1], drawn.steps[1].undo.as_deref().unwrap_or_default());
    assert!(replace.reversible && !undo.contains("by hand"), "{undo}");
    // Half of it is not enough.
    *value.lock().expect("the value") = json!({ "id": stage.old.id });
    stage.finding.occurrences = plain.finding.occurrences.clone();
    std::fs::write(plain.path(".env"), ENV.replace("{id}", "x").replace("{secret}", text(&stage.old.secret)))
        .expect("written");
    let (drawn, _) = stage.plan().await.expect("a plan");
    assert!(!drawn.steps[1].reversible, "{}", drawn.steps[1].observed);
}
