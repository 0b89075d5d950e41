//! Providers whose administration makes keys: another is minted with the old one's bounds, written, waited for, and the old one
//! stopped; whatever goes wrong at the mint there is one new key in the end, and it is the one in the store.

mod alike;
mod late;
mod proof;
mod running;
mod stories;
mod tongues;
mod used;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Said, body};
use crate::model::{Run, RunState, StepState};
use crate::net::testing::http;
use crate::respond::testing::{Asked, Provider, Scene, step};
use tongues::{ALL, Tongue};

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

/// What happens to the next mint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Says(u16),
    /// It is done, and the answer does not come, or is not what it should be.
    Cut,
    Garbled,
    /// It is done, and the answer comes when nobody listens any more.
    Late,
    /// It is said to be done, and is not.
    Lie,
}

/// So long whoever answers late takes; nobody waits half of it.
const LATE: Duration = Duration::from_secs(4);

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
    /// The next answer takes so long.
    slow: Option<Duration>,
}

/// A value like another, and not the same.
fn like(value: &str, number: usize) -> String {
    let cut = value.len() - 6;
    format!("{}{number:06}", &value[..cut])
}

/// The answer to a mint, and what comes of it.
fn minted(tongue: &Tongue, model: &mut Model, asked: &Asked) -> Option<Said> {
    let says = |status: u16, body: &Value| Some((status, body.to_string()));
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
    if fault == Fault::Lie {
        let never = model.keys.pop().expect("the new one");
        return says(200, &(tongue.made)(&never));
    }
    match fault {
        Fault::Cut => None,
        Fault::Late => {
            model.slow = Some(LATE);
            None
        }
        Fault::Garbled => says(200, &json!({})),
        _ => says(200, &(tongue.made)(&model.keys[model.keys.len() - 1])),
    }
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
        return minted(tongue, model, asked);
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
    scene_with(tongue, dir, |_, answer| answer())
}

/// The same where somebody stands between the provider and whoever asks, and may give another answer or none.
fn scene_with(
    tongue: &'static Tongue,
    dir: &tempfile::TempDir,
    between: impl Fn(&Asked, &dyn Fn() -> Option<Said>) -> Option<Said> + Send + Sync + 'static,
) -> (Scene, Arc<Mutex<Model>>) {
    let model = Arc::new(Mutex::new(Model {
        keys: Vec::new(),
        fault: Fault::None,
        made: 0,
        behind: false,
        down: false,
        kept: false,
        clock: None,
        shows_after: None,
        slow: None,
    }));
    let shared = Arc::clone(&model);
    let provider = Provider::new(move |asked| {
        let said = between(asked, &|| answer(tongue, &mut shared.lock().expect("the model"), asked));
        let slow = shared.lock().expect("the model").slow.take();
        if let Some(slow) = slow {
            std::thread::sleep(slow);
        }
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

#[tokio::test]
async fn whatever_goes_wrong_at_the_mint_there_is_one_new_key_in_the_end() {
    for tongue in ALL {
        let said = [Fault::Says(429), Fault::Says(500), Fault::Says(403)];
        for fault in said.into_iter().chain([Fault::Cut, Fault::Garbled, Fault::Late, Fault::Lie]) {
            let dir = tempfile::tempdir().expect("scratch");
            let (mut scene, model) = scene(tongue, &dir);
            match fault {
                Fault::Late => scene = scene.impatient(LATE / 2),
                // Whoever waits for what is not there to be accepted waits half of this long.
                Fault::Lie => scene.playbook.steps[0].timeout = 2,
                _ => {}
            }
            let old = scene.value().to_owned();
            model.lock().expect("the model").fault = fault;
            let run = scene.apply().await;
            let moment = format!("{} {fault:?}", tongue.playbook);
            assert_ne!(step(&run, "replace").0, StepState::Succeeded, "{moment}");
            assert_eq!(stored(&scene), old, "{moment}");
            let keys = model.lock().expect("the model").keys.len();
            assert_eq!(keys, 2, "{moment}: a key is left that nobody holds; {}", step(&run, "replace").1);
            let mut run = run;
            let (_, why) = step(&run, "replace");
            if fault == Fault::Says(500) || fault == Fault::Lie && why.contains("the list may be behind") {
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
