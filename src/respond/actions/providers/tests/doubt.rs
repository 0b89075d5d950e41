//! What is not, or is no longer, surely the credential's; what somebody else stopped meanwhile; and what nobody saw the end of.

use std::sync::{Arc, Mutex};

use super::{Asked, Case, State, bytes, cases, step};
use crate::model::{RunState, StepState};
use crate::respond::testing::{Provider, Scene};

type Shared = Arc<Mutex<State>>;

fn case(playbook: &str) -> &'static Case {
    cases().find(|case| case.playbook == playbook).expect("a case")
}

/// A case's scene where `over` has the first word on every request.
fn altered(
    case: &'static Case,
    over: impl Fn(&Asked, &mut State) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (Scene, Shared) {
    let shared: Shared = Arc::new(Mutex::new(State { stopped: false, twin: false, value: String::new() }));
    let mine = Arc::clone(&shared);
    let provider = Provider::new(move |asked| {
        let state = &mut *mine.lock().expect("the state");
        if let Some(said) = over(asked, state) {
            return said;
        }
        if let Some(to) = (case.change)(asked) {
            state.stopped = to;
            return bytes(case.changed);
        }
        if case.asks_live(asked, &state.value) {
            return bytes(if state.stopped { case.live.2 } else { case.live.1 });
        }
        match (case.reads)(asked, state) {
            Some((status, body)) => bytes((status, &body)),
            None => bytes((404, r#"{"error":"not found"}"#)),
        }
    });
    let scene = match case.text {
        Some(text) => Scene::of(case.detector, &text(), case.playbook, (case.identity, provider)),
        None => Scene::new(case.detector, case.playbook, case.identity, provider),
    };
    scene.value().clone_into(&mut shared.lock().expect("the state").value);
    (scene, shared)
}

/// What the provider does besides, as the test goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Fine,
    /// Changes are answered with a request for a pause, and not done.
    Busy,
    /// Changes are done, and nothing is answered any more.
    Gone,
    /// Reads are refused.
    Shut,
}

fn moody(case: &'static Case) -> (Scene, Shared, Arc<Mutex<Mood>>) {
    let mood = Arc::new(Mutex::new(Mood::Fine));
    let own = Arc::clone(&mood);
    let (scene, state) = altered(case, move |asked, state| {
        let change = (case.change)(asked);
        match *own.lock().expect("the mood") {
            Mood::Fine => None,
            Mood::Busy => change.map(|_| bytes((429, "{}"))),
            Mood::Gone => {
                state.stopped = change.unwrap_or(state.stopped);
                state.stopped.then(Vec::new)
            }
            Mood::Shut => Some(bytes((403, r#"{"message":"Source IP address is blocked by an IP access list"}"#))),
        }
    });
    (scene, state, mood)
}

fn set<T>(place: &Mutex<T>, value: T) {
    *place.lock().expect("it") = value;
}

fn stopped(state: &Shared) -> bool {
    state.lock().expect("the state").stopped
}

#[tokio::test]
async fn an_account_that_does_not_list_its_keys_now_is_not_stopped() {
    let case = case("azure-openai-stop-all-contain");
    let (scene, _) = altered(case, |asked, _| {
        asked.line.contains("/listKeys?").then(|| bytes((429, r#"{"error":{"message":"too many requests"}}"#)))
    });
    let run = scene.apply().await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Failed && why.contains("too many requests"), "{state:?} {why}");
    assert_eq!(case.changes(&scene), 0);
}

#[tokio::test]
async fn an_object_that_has_become_anothers_is_left_alone() {
    let case = case("anthropic-contain");
    let (scene, state, mood) = moody(case);
    set(&mood, Mood::Busy);
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Failed);
    // The object is there and active; what is shown of its key fits the leaked one no more.
    state.lock().expect("the state").value = "another value altogether, by its ends".to_owned();
    set(&mood, Mood::Fine);
    let run = scene.resume(&run).await;
    let (stop, why) = step(&run, "stop");
    assert!(stop == StepState::Refused && why.contains("no longer this credential's"), "{stop:?} {why}");
    assert_eq!(case.changes(&scene), 1, "only the one that was not done");
}

#[tokio::test]
async fn a_prefix_that_anyone_can_see_is_no_proof() {
    let case = case("baseten-contain");
    let (scene, _) = altered(case, |asked, state| {
        asked.head.contains(&state.value).then(|| bytes((401, r#"{"detail":"unauthorized"}"#)))
    });
    let run = scene.apply().await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.contains("does not accept the value"), "{state:?} {why}");
    assert_eq!(case.changes(&scene), 0);
}

#[tokio::test]
async fn whoever_may_not_ask_from_here_has_not_ended() {
    let case = case("databricks-contain");
    let (scene, _, mood) = moody(case);
    set(&mood, Mood::Busy);
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Failed);
    set(&mood, Mood::Shut);
    let run = scene.resume(&run).await;
    let (stop, why) = step(&run, "stop");
    assert!(stop == StepState::Refused && why.contains("IP access list"), "{stop:?} {why}");
    // It was there all the time.
    set(&mood, Mood::Fine);
    let run = scene.resume(&run).await;
    assert_eq!((step(&run, "stop").0, step(&run, "prove-refused").0), (StepState::Succeeded, StepState::Succeeded));
    assert_eq!(case.changes(&scene), 2);
}

#[tokio::test]
async fn a_deletion_that_cannot_be_read_back_from_here_is_unknown() {
    let case = case("databricks-contain");
    let asked_for = std::sync::atomic::AtomicBool::new(false);
    let (scene, _) = altered(case, move |asked, _| {
        use std::sync::atomic::Ordering::Relaxed;
        if (case.change)(asked).is_some() {
            // Said to be done, and it is not.
            asked_for.store(true, Relaxed);
            return Some(bytes(case.changed));
        }
        asked_for.load(Relaxed).then(|| bytes((403, r#"{"message":"blocked by an IP access list"}"#)))
    });
    let run = scene.apply().await;
    let (stop, why) = step(&run, "stop");
    assert!(stop == StepState::Unknown && why.contains("cannot be read back"), "{stop:?} {why}");
}

#[tokio::test]
async fn what_the_owner_stopped_meanwhile_stays_stopped() {
    let case = case("anthropic-contain");
    let (scene, state, mood) = moody(case);
    set(&mood, Mood::Busy);
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Failed);
    set(&mood, Mood::Fine);
    state.lock().expect("the state").stopped = true;
    let run = scene.resume(&run).await;
    assert_eq!(step(&run, "stop").0, StepState::Succeeded);
    let run = scene.undo(&run).await;
    assert!(stopped(&state), "the owner's doing was taken back");
    assert_eq!((step(&run, "stop").0, case.changes(&scene)), (StepState::Succeeded, 1));
}

#[tokio::test]
async fn an_attempt_that_may_have_had_its_effect_is_walked_back_though_the_next_was_refused() {
    let case = case("anthropic-contain");
    let (scene, state, mood) = moody(case);
    set(&mood, Mood::Gone);
    let run = scene.apply().await;
    assert_eq!((step(&run, "stop").0, stopped(&state)), (StepState::Unknown, true));
    set(&mood, Mood::Shut);
    let run = scene.resume(&run).await;
    assert_eq!(step(&run, "stop").0, StepState::Refused);
    set(&mood, Mood::Fine);
    let run = scene.undo(&run).await;
    assert_eq!((run.state, stopped(&state)), (RunState::Undone, false));
}

#[tokio::test]
async fn an_attempt_that_nobody_saw_the_end_of_is_walked_back_though_the_next_was_barred() {
    let case = case("anthropic-contain");
    let (mut scene, state, _) = moody(case);
    let run = scene.apply().await;
    // The process died right after the change.
    let run = scene.forget(&run, 16);
    assert_eq!((step(&run, "stop").0, stopped(&state)), (StepState::Started, true));
    scene.guard.protected = vec!["apikey_own".to_owned()];
    let run = scene.resume(&run).await;
    let (stop, why) = step(&run, "stop");
    assert!(stop == StepState::Refused && why.contains("protected"), "{stop:?} {why}");
    scene.guard.protected.clear();
    let run = scene.undo(&run).await;
    assert_eq!((run.state, stopped(&state)), (RunState::Undone, false));
}

#[tokio::test]
async fn an_object_that_is_called_by_the_value_is_compared_and_told_without_it() {
    let case = case("anthropic-contain");
    let prefix = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&prefix);
    let (scene, _) = altered(case, move |asked, state| {
        let (status, body) = (case.reads)(asked, state).filter(|_| (case.change)(asked).is_none())?;
        let named = format!("\"name\":\"{}{}\"", own.lock().expect("it"), state.value);
        Some(bytes((status, &body.replace("\"name\":\"ci\"", &named))))
    });
    let (plan, digest) = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].observed.to_string().contains("[secret]"), "{}", plan.steps[0].observed);
    scene.agree(&digest);
    set(&prefix, "renamed ".to_owned());
    let error = scene.runner().apply(&digest).await.expect_err("drift").to_string();
    assert!(error.contains("renamed [secret]") && !error.contains(scene.value()), "{error}");
    set(&prefix, String::new());
    let run = scene.runner().apply(&digest).await.expect("nothing has changed");
    assert_eq!(step(&run, "stop").0, StepState::Succeeded);
}

#[tokio::test]
async fn of_a_pair_each_part_is_taken_out_of_what_is_written() {
    const PAIR: &str = "pk-lf-the-operators-own-id:the-operators-own-half-1";
    let case = case("langfuse-contain");
    let (mut scene, _) = altered(case, |asked, _| {
        let refused = r#"{"message":"the-operators-own-half-1 of pk-lf-the-operators-own-id may not"}"#;
        asked.line.contains("apiKeys").then(|| bytes((403, refused)))
    });
    scene.admin = Some(PAIR);
    let run = scene.apply().await;
    let (_, why) = step(&run, "stop");
    assert!(why.contains("[secret] of [secret] may not"), "{why}");
    assert!(!scene.written().contains("the-operators-own"), "{}", scene.written());
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named() {
    let case = case("anthropic-contain");
    let (mut scene, _) = altered(case, |_, _| None);
    (scene.admin, scene.unset) = (None, Some("no credential to act with at anthropic: ADMIN is not set".to_owned()));
    let (plan, digest) = scene.plan().await.expect("a plan");
    assert!(plan.lacking.iter().any(|text| text.ends_with("ADMIN is not set")), "{:?}", plan.lacking);
    let run = scene.runner().apply(&digest).await.expect("a run");
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.ends_with("ADMIN is not set"), "{state:?} {why}");
}

#[tokio::test]
async fn nothing_has_passed_while_tokens_that_a_secret_id_logged_in_for_live_on() {
    let (scene, state, _) = moody(case("vault-approle-contain"));
    let run = scene.apply().await;
    assert!(stopped(&state));
    assert_eq!((step(&run, "prove-refused").0, step(&run, "tokens").0), (StepState::Succeeded, StepState::Waiting));
    assert_eq!((step(&run, "evidence").0, run.state), (StepState::Pending, RunState::Waiting));
    assert!(!scene.written().contains(r#""result": "PASSED""#));
}

/// A case's scene where first no change is taken, and then what `lost` says is not found, and whether that is so yet.
fn losing(case: &'static Case, lost: &'static str) -> (Scene, Shared, Arc<Mutex<bool>>) {
    let away = Arc::new(Mutex::new(false));
    let own = Arc::clone(&away);
    let (scene, state) = altered(case, move |asked, _| {
        if *own.lock().expect("it") {
            return asked.line.contains(lost).then(|| bytes((404, r#"{"errors":["no handler for route"]}"#)));
        }
        (case.change)(asked).map(|_| bytes((429, "{}")))
    });
    (scene, state, away)
}

#[tokio::test]
async fn a_secret_id_at_a_server_without_its_role_is_not_destroyed() {
    // Another server, or another mount: everything there is not found.
    let (scene, state, away) = losing(case("vault-approle-contain"), "/auth/approle/role");
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Failed);
    set(&away, true);
    let run = scene.resume(&run).await;
    let (stop, why) = step(&run, "stop");
    assert!(stop == StepState::Unknown && why.contains("is not there itself"), "{stop:?} {why}");
    assert!(!stopped(&state) && !scene.written().contains(r#""result": "PASSED""#));
}

#[tokio::test]
async fn a_list_that_is_not_there_is_no_proof_that_a_key_is_gone() {
    let (mut scene, state, away) = losing(case("mistral-contain"), "/api/admin/api-keys?");
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Failed);
    set(&away, true);
    scene.readable = false;
    let run = scene.resume(&run).await;
    let (stop, why) = step(&run, "stop");
    assert!(stop == StepState::Unknown && why.contains("the list itself is not there"), "{stop:?} {why}");
    assert!(!stopped(&state));
}
