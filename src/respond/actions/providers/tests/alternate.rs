//! An Azure account whose two keys take turns: the other is made anew and written, waited for, and then the old one is made anew;
//! whatever goes wrong, the value in the store is one of the account's, and nobody else's is made anew.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::{body, bytes};
use crate::model::{Run, RunState, StepState};
use crate::respond::RespondError;
use crate::respond::testing::{Provider, Scene, step};

const ACCOUNT: &str = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/acme";
const VERSION: &str = "api-version=2023-05-01";

/// What happens to the next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is answered with a refusal, and not done.
    Says,
    /// It is done, and nothing is answered.
    CutAfter,
    /// It is not done, and nothing is answered.
    CutBefore,
    /// It is done, and the answer holds no key.
    Garbled,
}

struct Account {
    keys: [String; 2],
    made: usize,
    fault: Option<Fault>,
}

fn value(number: usize) -> String {
    format!("{}{number:04}", ["120a8e2811e4c24f", "6d7c8044f54a"].concat())
}

fn scene(dir: &tempfile::TempDir) -> (Scene, Arc<Mutex<Account>>) {
    let account = Arc::new(Mutex::new(Account { keys: [value(1), value(2)], made: 2, fault: None }));
    let shared = Arc::clone(&account);
    let provider = Provider::new(move |asked| {
        let mut account = shared.lock().expect("the account");
        let both = |account: &Account| json!({ "key1": account.keys[0], "key2": account.keys[1] }).to_string();
        let line = asked.line.as_str();
        let said = |status: u16, text: &str| bytes((status, text));
        if line == "GET /openai/models?api-version=2024-10-21" {
            let good = account.keys.iter().any(|key| asked.head.contains(key.as_str()));
            let no = r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#;
            return if good { said(200, r#"{"data":[]}"#) } else { said(401, no) };
        }
        if line == "GET /subscriptions?api-version=2022-12-01" {
            return said(200, r#"{"value":[{"subscriptionId":"s-1"}]}"#);
        }
        if line == format!("GET /subscriptions/s-1/providers/Microsoft.CognitiveServices/accounts?{VERSION}") {
            let listed =
                json!({ "value": [{ "id": ACCOUNT, "properties": { "endpoint": "https://acme-prod.openai.azure.com/" } }] });
            return said(200, &listed.to_string());
        }
        if line == format!("POST {ACCOUNT}/listKeys?{VERSION}") {
            return said(200, &both(&account));
        }
        if line == format!("POST {ACCOUNT}/regenerateKey?{VERSION}") {
            let fault = account.fault.take();
            if fault == Some(Fault::Says) {
                return said(403, r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#);
            }
            if fault == Some(Fault::CutBefore) {
                return Vec::new();
            }
            account.made += 1;
            let slot = usize::from(body(asked)["keyName"] == "Key2");
            account.keys[slot] = value(account.made);
            return match fault {
                Some(Fault::CutAfter) => Vec::new(),
                Some(Fault::Garbled) => said(200, "{}"),
                _ => said(200, &both(&account)),
            };
        }
        said(404, r#"{"error":{"message":"not found"}}"#)
    });
    let text = format!("AZURE_OPENAI_API_KEY={}\nAZURE_OPENAI_ENDPOINT=https://acme-prod.openai.azure.com/\n", value(2));
    let mut scene = Scene::of("azure-openai-legacy-key", &text, "azure-openai-rotate", (&[], provider));
    let path = dir.path().join("app.env");
    std::fs::write(&path, &text).expect("written");
    scene.store = Some(path);
    scene.playbook.steps.iter_mut().filter(|step| step.id == "replace").for_each(|step| step.timeout = 10);
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
    (scene, account)
}

fn stored(scene: &Scene) -> String {
    let text = std::fs::read_to_string(scene.store.as_ref().expect("a store")).expect("the file");
    assert!(text.ends_with("\nAZURE_OPENAI_ENDPOINT=https://acme-prod.openai.azure.com/\n"), "{text}");
    text.lines().next().and_then(|line| line.split_once('=')).expect("a line").1.to_owned()
}

fn keys(account: &Mutex<Account>) -> [String; 2] {
    account.lock().expect("the account").keys.clone()
}

/// Begun, and a person says that a step is done.
async fn says(scene: &Scene, run: &Run, word: &str) -> Run {
    let mut runner = scene.runner();
    runner.confirmed = vec![word.to_owned()];
    let run = runner.resume(&run.id).await.expect("a run");
    scene.check(&run);
    run
}

#[tokio::test]
async fn the_other_key_takes_the_olds_place_and_the_old_one_is_made_anew() {
    let dir = tempfile::tempdir().expect("scratch");
    let (mut scene, account) = scene(&dir);
    let run = scene.apply().await;
    assert_eq!(step(&run, "other-unused").0, StepState::Waiting);
    assert_eq!((keys(&account), stored(&scene)), ([value(1), value(2)], value(2)), "nobody is cut off unasked");
    let run = says(&scene, &run, "other-unused").await;
    assert_eq!(step(&run, "replace"), (StepState::Succeeded, ""), "{:?}", run.steps);
    assert_eq!((keys(&account), stored(&scene)), ([value(3), value(2)], value(3)), "both work");
    assert!(!scene.written().contains(&value(3)));
    // The file was the only place that had the old value.
    scene.readable = false;
    let run = says(&scene, &run, "new-in-use").await;
    scene.clock.advance(Duration::from_hours(26));
    scene.agree(&run.digest);
    let run = scene.resume(&run).await;
    assert_eq!(step(&run, "old-unused").0, StepState::Waiting, "{:?}", run.steps);
    let run = says(&scene, &run, "old-unused").await;
    assert_eq!((run.state, step(&run, "stop")), (RunState::Done, (StepState::Succeeded, "")), "{:?}", run.steps);
    assert_eq!((keys(&account), stored(&scene)), ([value(3), value(4)], value(3)));
    assert!(scene.written().contains(r#""result": "PASSED""#));
}

#[tokio::test]
async fn whatever_goes_wrong_the_store_holds_a_key_that_works() {
    for fault in [Fault::Says, Fault::CutAfter, Fault::CutBefore, Fault::Garbled] {
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, account) = scene(&dir);
        let run = scene.apply().await;
        account.lock().expect("the account").fault = Some(fault);
        let mut run = says(&scene, &run, "other-unused").await;
        let (ended, why) = step(&run, "replace");
        assert_ne!(ended, StepState::Succeeded, "{fault:?}: {why}");
        assert_eq!((stored(&scene), keys(&account)[1].clone()), (value(2), value(2)), "{fault:?}");
        let before = keys(&account);
        run = scene.resume(&run).await;
        if fault != Fault::Says {
            // Whether the slot's value is this run's, or whether there is one, nobody can tell but a person.
            scene.clock.advance(Duration::from_mins(6));
            run = scene.resume(&run).await;
            let (ended, why) = step(&run, "replace");
            let stands = if fault == Fault::CutBefore { StepState::Waiting } else { StepState::Unknown };
            assert!(ended == stands && why.contains("--done replace"), "{fault:?}: {ended:?} {why}");
            assert_eq!(keys(&account), before, "{fault:?}: nothing was made anew on a guess");
            run = says(&scene, &run, "replace").await;
        }
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{fault:?}: {}", step(&run, "replace").1);
        let [other, old] = keys(&account);
        assert_eq!((old, stored(&scene)), (value(2), other), "{fault:?}");
    }
}

#[tokio::test]
async fn it_is_put_back_and_the_value_that_stores_had_ends() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, account) = scene(&dir);
    let run = scene.apply().await;
    let run = says(&scene, &run, "other-unused").await;
    assert_eq!(stored(&scene), value(3));
    let undone = scene.undo(&run).await;
    assert_eq!(undone.state, RunState::Undone, "{:?}", undone.steps);
    assert_eq!((keys(&account), stored(&scene)), ([value(4), value(2)], value(2)), "nobody has {}", value(3));
}

#[tokio::test]
async fn what_somebody_else_made_anew_is_theirs() {
    // Before it was begun.
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, account) = scene(&dir);
    let (_, digest) = scene.plan().await.expect("a plan");
    scene.agree(&digest);
    account.lock().expect("the account").keys[0] = value(77);
    let begun = scene.runner().apply(&digest).await;
    assert!(matches!(begun, Err(RespondError::Drift { .. })), "{:?}", begun.map(|run| run.steps));
    // While it was waited for.
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, account) = self::scene(&dir);
    let run = scene.apply().await;
    account.lock().expect("the account").keys[0] = value(77);
    let run = says(&scene, &run, "other-unused").await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("not by this run"), "{ended:?} {why}");
    assert_eq!((keys(&account), stored(&scene)), ([value(77), value(2)], value(2)));
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_nobody_elses_key_this_runs() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, account) = scene(&dir);
    let run = scene.apply().await;
    account.lock().expect("the account").fault = Some(Fault::CutBefore);
    let run = says(&scene, &run, "other-unused").await;
    assert_eq!(step(&run, "replace").0, StepState::Unknown);
    // Nothing was made; then somebody makes the same slot anew, for their own.
    account.lock().expect("the account").keys[0] = value(77);
    for _ in 0..2 {
        let run = scene.resume(&run).await;
        let (ended, why) = step(&run, "replace");
        assert!(ended == StepState::Unknown && why.contains("cannot be told"), "{ended:?} {why}");
        scene.clock.advance(Duration::from_mins(6));
    }
    let undone = scene.undo(&run).await;
    assert_eq!(step(&undone, "replace").0, StepState::UndoFailed, "{:?}", undone.steps);
    assert_eq!((keys(&account), stored(&scene)), ([value(77), value(2)], value(2)));
}

#[tokio::test]
async fn a_key_that_a_known_store_holds_is_not_made_anew_whatever_a_person_says() {
    let dir = tempfile::tempdir().expect("scratch");
    let (mut scene, account) = scene(&dir);
    let path = scene.store.clone().expect("a store");
    let text = std::fs::read_to_string(&path).expect("the file");
    let both = text.replace("AZURE_OPENAI_ENDPOINT", &format!("STANDBY={}\nAZURE_OPENAI_ENDPOINT", value(1)));
    std::fs::write(&path, &both).expect("written");
    let run = scene.apply().await;
    let run = says(&scene, &run, "other-unused").await;
    let (ended, why) = step(&run, "other-unused");
    assert!(ended == StepState::Waiting && why.contains("app.env holds the account's other key"), "{ended:?} {why}");
    // It comes there after somebody said that nobody uses it.
    std::fs::write(&path, &text).expect("written");
    account.lock().expect("the account").fault = Some(Fault::Says);
    let run = says(&scene, &run, "other-unused").await;
    assert_eq!(step(&run, "replace").0, StepState::Refused, "{}", step(&run, "replace").1);
    std::fs::write(&path, &both).expect("written");
    let run = scene.resume(&run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Waiting && why.contains("looked again"), "{ended:?} {why}");
    assert_eq!(keys(&account), [value(1), value(2)]);
    // A playbook that does not ask is kept from it all the same.
    scene.afresh();
    scene.playbook.steps.retain(|step| step.id != "other-unused");
    scene.playbook.steps[0].needs.clear();
    let run = scene.apply().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Refused && why.contains("would be cut off"), "{ended:?} {why}");
    assert_eq!(keys(&account), [value(1), value(2)]);
}

#[tokio::test]
async fn a_persons_word_that_is_hours_old_is_asked_for_again() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, account) = scene(&dir);
    let run = scene.apply().await;
    account.lock().expect("the account").fault = Some(Fault::Says);
    let run = says(&scene, &run, "other-unused").await;
    assert_eq!(step(&run, "replace").0, StepState::Refused);
    scene.clock.advance(Duration::from_hours(3));
    let run = scene.resume(&run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Waiting && why.contains("--done other-unused"), "{ended:?} {why}");
    assert_eq!(keys(&account), [value(1), value(2)]);
    let run = says(&scene, &run, "other-unused").await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    let noted = &run.steps.iter().find(|step| step.id == "other-unused").expect("the step").noted;
    assert_eq!((&noted["said_by"], &noted["at"]), (&json!("tests"), &json!("1970-01-01T03:00:00Z")), "whose word, and when");
}

#[tokio::test]
async fn it_is_said_before_that_the_other_keys_value_does_not_come_back() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, _) = scene(&dir);
    let (plan, _) = scene.plan().await.expect("a plan");
    let step = plan.steps.iter().find(|step| step.id == "replace").expect("the step");
    let undo = step.undo.as_deref().unwrap_or_default();
    assert!(!step.reversible && undo.contains("other key does not come back"), "{} {undo}", step.reversible);
}
