//! The engine over every provider: who must agree, who is waited for, what is never touched, what is never written.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::testing::{ADMIN, Asked, Provider, Scene, set, step};
use super::{Admin, Ended, Left, PlaybookSource, Playbooks, RespondError, Runner, Waves, apply_all, builtin_playbooks};
use crate::model::{RunState, StepState};
use crate::net::testing::http;
use crate::secret::{FingerprintKey, Secret};

fn says(status: u16, body: &Value) -> Vec<u8> {
    http(&format!("{status} x"), "", &body.to_string())
}

/// OpenAI with one key in one project and one rate limit. `live` is what the key itself is told.
fn openai(live: (u16, Value)) -> Provider {
    let limit = std::sync::Mutex::new(5000);
    let gone = std::sync::atomic::AtomicBool::new(false);
    let key = json!({ "id": "key_1", "redacted_value": "sk-proj-Y...oGcw", "name": "ci", "owner": { "type": "user" } });
    Provider::new(move |asked: &Asked| {
        use std::sync::atomic::Ordering::Relaxed;
        let mut limit = limit.lock().expect("the limit");
        match asked.line.as_str() {
            "GET /v1/models" if gone.load(Relaxed) => says(401, &json!({ "error": { "code": "invalid_api_key" } })),
            "GET /v1/models" => says(live.0, &live.1),
            "GET /v1/organization/projects/proj_1/rate_limits?limit=100" => {
                let one = json!({ "id": "rl-1", "model": "gpt", "max_requests_per_1_minute": *limit });
                says(200, &json!({ "data": [one], "has_more": false }))
            }
            "POST /v1/organization/projects/proj_1/rate_limits/rl-1" => {
                let body: Value = serde_json::from_str(&asked.body).expect("JSON");
                *limit = body["max_requests_per_1_minute"].as_i64().expect("a number");
                says(200, &json!({}))
            }
            // It may spend next to nothing already.
            "GET /v1/organization/projects/proj_1/spend_limit" => says(200, &json!({ "threshold_amount": 1 })),
            "GET /v1/organization/projects/proj_1/api_keys?limit=100" => {
                let data = if gone.load(Relaxed) { json!([]) } else { json!([key]) };
                says(200, &json!({ "data": data, "has_more": false }))
            }
            "DELETE /v1/organization/projects/proj_1/api_keys/key_1" => {
                gone.store(true, Relaxed);
                says(200, &json!({ "deleted": true }))
            }
            _ => says(404, &json!({ "error": { "message": "not found" } })),
        }
    })
}

const LIMITS: &str = "/v1/organization/projects/proj_1/rate_limits/rl-1";
const IDENTITY: &[(&str, &str)] = &[("organization", "acme"), ("project", "proj_1")];

fn live() -> (u16, Value) {
    (200, json!({ "data": [] }))
}

fn scene() -> Scene {
    Scene::new("openai-project-key", "openai-project-key-contain", IDENTITY, openai(live()))
}

fn heard(scene: &Scene, start: &str) -> usize {
    scene.provider.heard().iter().filter(|asked| asked.line.starts_with(start)).count()
}

#[tokio::test]
async fn what_can_be_undone_is_done_at_once_and_the_rest_waits_for_two() {
    let scene = scene();
    let (plan, digest) = scene.plan().await.expect("a plan");
    assert_eq!(plan.steps[0].observed, json!({ "limits": { "rl-1": 5000 } }));
    let run = scene.runner().apply(&digest).await.expect("a run");
    assert_eq!((run.state, step(&run, "throttle").0), (RunState::Waiting, StepState::Succeeded));
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Waiting && why.contains("2 approval(s)"), "{why}");
    assert_eq!((heard(&scene, &format!("POST {LIMITS}")), heard(&scene, "DELETE")), (1, 0));
    let again = scene.resume(&run).await;
    assert_eq!((again.state, heard(&scene, "DELETE")), (RunState::Waiting, 0), "still nobody agreed");
    scene.agree(&digest);
    let run = scene.resume(&run).await;
    assert_eq!(run.state, RunState::Done);
    assert_eq!(heard(&scene, "DELETE"), 1);
    assert!(scene.written().contains(r#""result": "PASSED""#), "{}", scene.written());
    // Walking back lifts the limit; what is deleted stays so, and is said.
    let run = scene.undo(&run).await;
    assert_eq!((step(&run, "stop").0, step(&run, "throttle").0), (StepState::UndoFailed, StepState::Undone));
    assert_eq!(heard(&scene, &format!("POST {LIMITS}")), 2);
}

#[tokio::test]
async fn whoever_asked_agrees_with_nobody_though_another_goes_on() {
    let scene = scene();
    let (_, digest) = scene.plan().await.expect("a plan");
    let mut kim = scene.runner();
    kim.requester = "kim".to_owned();
    let run = kim.apply(&digest).await.expect("a run");
    // Of the two who agree, Kim asked.
    scene.agree(&digest);
    let run = scene.resume(&run).await;
    assert_eq!(run.state, RunState::Waiting);
    assert_eq!(heard(&scene, "DELETE"), 0);
}

#[tokio::test]
async fn a_run_that_waits_for_agreement_is_walked_back_as_far_as_it_went() {
    let scene = scene();
    let (_, digest) = scene.plan().await.expect("a plan");
    let run = scene.runner().apply(&digest).await.expect("a run");
    let run = scene.undo(&run).await;
    assert_eq!((run.state, step(&run, "throttle").0), (RunState::Undone, StepState::Undone));
    assert_eq!(step(&run, "stop").0, StepState::Waiting, "what was never begun has nothing to walk back");
    assert_eq!((heard(&scene, &format!("POST {LIMITS}")), heard(&scene, "DELETE")), (2, 0));
}

#[tokio::test]
async fn of_many_that_fail_no_more_are_begun_than_a_limit_that_is_met_leaves_running() {
    let text = "summary = \"x\"\nmode = \"contain\"\ndetectors = [\"openai-project-key\"]\n[[step]]\nid = \"throttle\"\n\
                action = \"openai-project-throttle\"\non_failure = \"continue\"\n[[step]]\nid = \"evidence\"\naction = \"evidence\"\n";
    let source = PlaybookSource { id: "p".into(), file: "p.toml".into(), text: text.into() };
    let playbook = Playbooks::new(&[source]).expect("a playbook").0.remove(0);
    let may_not = || {
        Provider::new(|asked: &Asked| match asked.line.split(' ').next() {
            Some("POST") => says(403, &json!({ "error": { "message": "no" } })),
            _ => says(
                200,
                &json!({ "data": [{ "id": "rl-1", "model": "gpt", "max_requests_per_1_minute": 9 }], "has_more": false }),
            ),
        })
    };
    let (mut scenes, mut plans) = (Vec::new(), Vec::new());
    // One, a tenth, and the rest; whoever is in the rest may change nothing.
    for at in 0..14 {
        let provider = if at < 3 { openai(live()) } else { may_not() };
        let mut scene = Scene::new("openai-project-key", "openai-project-key-contain", IDENTITY, provider);
        scene.playbook = playbook.clone();
        let (_, digest) = scene.plan().await.expect("a plan");
        // Each waits a while before it looks once more, and its turn is another's meanwhile.
        plans.push((Runner { look_again: Duration::from_millis(300), ..scene.runner() }, digest));
        scenes.push(scene);
    }
    let ends = apply_all(plans, Waves { at_once: 2, most_failures: 2 }, &Arc::default(), |_, _| {}).await;
    let begun: Vec<bool> = scenes.iter().map(|scene| heard(scene, &format!("POST {LIMITS}")) > 0).collect();
    assert!(begun[..3].iter().all(|begun| *begun), "{begun:?}");
    let failed = begun[3..].iter().filter(|begun| **begun).count();
    assert!((2..=3).contains(&failed), "two failures are the limit, and one more ran beside them: {failed}");
    let not = ends.iter().filter(|ended| matches!(ended, Ended::NotBegun(Left::Stopped))).count();
    assert_eq!(not, 11 - failed);
}

#[tokio::test]
async fn what_changed_since_the_plan_voids_it() {
    let scene = scene();
    let (_, digest) = scene.plan().await.expect("a plan");
    scene.agree(&digest);
    let net = &scene.runner().hands.net;
    let url = format!("{}{LIMITS}", net.endpoint("openai-admin").expect("an endpoint").as_str().trim_end_matches('/'));
    let body = Some(zeroize::Zeroizing::new(br#"{"max_requests_per_1_minute":7}"#.to_vec()));
    let request = crate::net::Request {
        method: crate::net::Method::Post,
        url: url.parse().expect("a URL"),
        headers: Vec::new(),
        body,
    };
    net.act(&request).await.expect("an answer");
    let error = scene.runner().apply(&digest).await.expect_err("drift");
    assert!(matches!(error, RespondError::Drift { .. }), "{error}");
    assert_eq!(heard(&scene, "DELETE"), 0);
}

#[tokio::test]
async fn what_is_not_listed_as_owned_is_not_even_looked_at() {
    let mut scene = scene();
    scene.guard.owned = [("openai".to_owned(), vec!["others".to_owned()])].into();
    let error = scene.plan().await.expect_err("a guard");
    assert!(error.to_string().contains("account acme is not listed as yours"), "{error}");
    scene.guard.owned.clear();
    let error = scene.plan().await.expect_err("a guard");
    assert!(error.to_string().contains("openai is not listed as yours"), "{error}");
    assert!(scene.provider.heard().is_empty());
    // What the responder's credential lists is its owner's, where the operator says so.
    scene.guard.owned = [("openai".to_owned(), vec!["*".to_owned()])].into();
    assert_eq!(scene.plan().await.expect("a plan").0.target["account"], "*");
}

#[tokio::test]
async fn the_responders_own_credential_is_never_acted_on() {
    let mut scene = scene();
    scene.admin = Some(Box::leak(scene.value().to_owned().into_boxed_str()));
    let error = scene.plan().await.expect_err("a guard");
    assert!(error.to_string().contains("the responder's own credential"), "{error}");
    assert!(scene.provider.heard().is_empty());
}

#[tokio::test]
async fn a_made_up_value_with_the_ends_of_a_real_key_stops_nothing() {
    let dead = (401, json!({ "error": { "code": "invalid_api_key" } }));
    let scene = Scene::new("openai-project-key", "openai-project-key-contain", IDENTITY, openai(dead));
    let run = scene.apply().await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.contains("does not accept the value"), "{why}");
    assert_eq!(heard(&scene, "DELETE"), 0);
}

#[tokio::test]
async fn a_protected_object_is_not_touched() {
    let mut scene = scene();
    scene.guard.protected = vec!["key_1".to_owned()];
    let error = scene.plan().await.expect_err("a guard");
    assert!(error.to_string().contains("key_1 is protected"), "{error}");
}

#[tokio::test]
async fn a_provider_that_repeats_what_it_was_asked_about_is_not_quoted_with_it() {
    let value = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let echoed = std::sync::Arc::clone(&value);
    let provider = Provider::new(move |asked| {
        let value = echoed.lock().expect("the value").clone();
        match asked.line.as_str() {
            "GET /v1/models" => says(200, &json!({ "data": [] })),
            _ => says(403, &json!({ "error": { "message": format!("{value} and {ADMIN} may not") } })),
        }
    });
    let scene = Scene::new("openai-project-key", "openai-project-key-contain", IDENTITY, provider);
    scene.value().clone_into(&mut value.lock().expect("the value"));
    let run = scene.apply().await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.contains("[secret] and [secret] may not"), "{why}");
    // `apply` has looked for both in everything that was written, the plan's words included.
    let plan = scene.plan().await.expect("a plan").0;
    assert!(plan.unknowns.iter().any(|text| text.contains("[secret]")), "{:?}", plan.unknowns);
}

/// A provider without an API; `answer` is what the key is told.
fn by_hand(answer: std::sync::Arc<std::sync::Mutex<(u16, Value)>>) -> Scene {
    let provider = Provider::new(move |_| {
        let (status, body) = answer.lock().expect("the answer").clone();
        says(status, &body)
    });
    Scene::new("groq-api-key", "llm-manual-contain", &[], provider)
}

#[tokio::test]
async fn a_step_by_hand_is_waited_for_checked_and_proven() {
    let answer = std::sync::Arc::new(std::sync::Mutex::new((200, json!({ "data": [] }))));
    let scene = by_hand(std::sync::Arc::clone(&answer));
    let (plan, digest) = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].effect.contains("https://console.groq.com/keys"), "{}", plan.steps[0].effect);
    assert!(plan.steps[0].effect.contains(&scene.finding.redacted), "{}", plan.steps[0].effect);
    let run = scene.runner().apply(&digest).await.expect("a run");
    let (state, why) = step(&run, "stop");
    assert!(run.state == RunState::Waiting && state == StepState::Waiting && why.contains("console.groq.com"), "{why}");
    // Said to be done, and it is not.
    let mut runner = scene.runner();
    runner.confirmed = vec!["stop".to_owned()];
    let run = runner.resume(&run.id).await.expect("a run");
    assert!(step(&run, "stop").1.contains("still accepts it"), "{}", step(&run, "stop").1);
    *answer.lock().expect("the answer") =
        (401, json!({ "error": { "code": "invalid_api_key", "message": "Invalid API Key" } }));
    let run = scene.resume(&run).await;
    assert_eq!((run.state, step(&run, "prove-refused").0), (RunState::Done, StepState::Succeeded));
}

#[tokio::test]
async fn where_nothing_can_be_asked_a_persons_word_counts_and_is_kept_as_such() {
    let answer = std::sync::Arc::new(std::sync::Mutex::new((500, json!({}))));
    let scene = by_hand(answer);
    let (_, digest) = scene.plan().await.expect("a plan");
    let run = scene.runner().apply(&digest).await.expect("a run");
    assert!(step(&run, "stop").1.contains("--done"), "{}", step(&run, "stop").1);
    let mut runner = scene.runner();
    runner.confirmed = vec!["stop".to_owned()];
    let run = runner.resume(&run.id).await.expect("a run");
    let stop = run.steps.iter().find(|step| step.id == "stop").expect("the step");
    assert_eq!((stop.state, &stop.evidence["said_by"]), (StepState::Succeeded, &json!("tests")));
    assert_eq!(step(&run, "prove-refused").0, StepState::Unknown, "a word is no proof");
}

#[test]
fn every_model_providers_key_has_a_playbook_and_these_are_by_hand() {
    let playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
    let of = |id: &str| playbooks.for_detector(id);
    let (mut none, mut by_hand, mut own) = (Vec::new(), 0, 0);
    for detector in set().detectors().filter(|detector| detector.class == "llm") {
        match of(&detector.id) {
            None => none.push(&*detector.id),
            Some(playbook) if playbook.is_by_hand() => by_hand += 1,
            Some(_) => own += 1,
        }
    }
    assert_eq!(none, [""; 0]);
    // How many are automatic may only grow.
    assert!(own >= 20, "{own} automatic, {by_hand} by hand");
    for id in
        ["github-classic-token", "vault-service-token", "gitlab-personal-access-token", "slack-token", "npm-access-token"]
    {
        assert!(of(id).is_some_and(|playbook| !playbook.is_by_hand()), "{id}");
    }
    for id in ["postgres-url", "kubernetes-service-account-token", "stripe-secret-key", "datadog-api-key"] {
        assert!(of(id).is_some(), "{id}");
    }
}

#[test]
fn what_a_playbook_stops_a_credential_with_is_what_its_detector_names() {
    let playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
    for playbook in playbooks.0.iter().filter(|playbook| !playbook.is_by_hand() && playbook.uses.is_empty()) {
        let stops = playbook.steps.iter().find(|step| step.id == "stop" || step.id == "deactivate").expect("a stop");
        for id in &playbook.detectors {
            let detector = set().get(id).expect("the detector");
            assert!(detector.revoke.contains(&stops.action), "{id} does not name {}", stops.action);
        }
    }
}

#[test]
fn of_a_url_the_password_is_the_responders_own_and_no_word_of_it_else() {
    let key = FingerprintKey::new([5; 32]);
    let own = |text: &str| Admin::new("env:X".to_owned(), Secret::new(text.as_bytes())).fingerprints(&key);
    let url = ["postgresql://chief:", "aB3-xY9", "@db.internal:5432/app"].concat();
    assert_eq!(own(&url), [key.fingerprint(b"aB3-xY9"), key.fingerprint(url.as_bytes())]);
    assert_eq!(own("id:secret"), ["id", "secret", "id:secret"].map(|part| key.fingerprint(part.as_bytes())));
}
