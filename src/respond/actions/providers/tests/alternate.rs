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
        run = scene.resume(&run).await;
        if step(&run, "replace").0 != StepState::Succeeded {
            // Where nothing was changed, nobody can tell at first.
            assert_eq!(fault, Fault::CutBefore, "{}", step(&run, "replace").1);
            scene.clock.advance(Duration::from_mins(6));
            run = scene.resume(&run).await;
            assert_eq!(step(&run, "replace").0, StepState::Waiting, "{fault:?}: {}", step(&run, "replace").1);
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
