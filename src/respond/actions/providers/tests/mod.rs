//! Every provider's action against a scripted provider that keeps state: found, stopped, proven, walked back; refused where it
//! cannot be told which object it is; and every fault there is on the way. The answers are written from the references that
//! the actions name; none was recorded.

mod alternate;
mod doubt;
mod faults;
mod glass;
mod kubernetes;
mod listed;
mod mint;
mod own;
mod rest;
mod throttle;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::super::{Action, Needs, all};
use crate::model::{RunState, StepState};
use crate::net::testing::http;
use crate::respond::testing::{ADMIN, Asked, Provider, Scene, step};

/// An answer: status and body.
pub(super) type Said = (u16, String);

/// What the provider knows.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Whether the credential is stopped.
    pub(super) stopped: bool,
    /// Whether another object fits as well.
    pub(super) twin: bool,
    pub(super) value: String,
}

/// One provider's part.
pub(super) struct Case {
    pub(super) detector: &'static str,
    /// What is leaked; the detector's own example where it has one.
    pub(super) text: Option<fn() -> String>,
    pub(super) playbook: &'static str,
    pub(super) identity: &'static [(&'static str, &'static str)],
    /// Answers to reads of the administration; `None` is "no such thing".
    pub(super) reads: fn(&Asked, &State) -> Option<Said>,
    /// Whether a request is the change: to stopped, or back.
    pub(super) change: fn(&Asked) -> Option<bool>,
    /// The answer to a change.
    pub(super) changed: (u16, &'static str),
    /// The liveness request, and the answers to a live and a dead credential.
    pub(super) live: (&'static str, (u16, &'static str), (u16, &'static str)),
    /// What the last proof comes to.
    pub(super) proof: StepState,
    /// Whether another object can fit.
    pub(super) twins: bool,
}

/// What happens to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It is answered with this, and not done.
    Says(u16, &'static str),
    /// The connection is cut, and it is not done.
    CutBefore,
    /// It is done, and the connection is cut.
    CutAfter,
    /// It is said to be done, and is not; or somebody undoes it at once.
    Lie,
    /// Nothing is answered for longer than anybody waits, and it is not done.
    HangBefore,
    /// The same, and it is done.
    HangAfter,
}

/// Longer than a scene waits that is told to be impatient.
const LONG: Duration = Duration::from_secs(8);

/// The first and last characters of a value, as lists show them.
pub(super) fn ends(value: &str, head: usize, tail: usize) -> String {
    format!("{}...{}", &value[..head], &value[value.len() - tail..])
}

fn bytes((status, body): (u16, &str)) -> Vec<u8> {
    http(&format!("{status} x"), "content-type: application/json\r\n", body)
}

impl Case {
    /// A scene with this provider in it, and the handle on what it knows and does.
    fn scene(&'static self, twin: bool) -> (Scene, Arc<Mutex<(State, Fault)>>) {
        let state = State { stopped: false, twin, value: String::new() };
        let shared = Arc::new(Mutex::new((state, Fault::None)));
        let mine = Arc::clone(&shared);
        let provider = Provider::new(move |asked| {
            let mut guard = mine.lock().expect("the state");
            let (state, fault) = &mut *guard;
            if let Some(to) = (self.change)(asked) {
                let fault = *fault;
                if matches!(fault, Fault::HangBefore | Fault::HangAfter) {
                    if fault == Fault::HangAfter {
                        state.stopped = to;
                    }
                    drop(guard);
                    std::thread::sleep(LONG);
                    return Vec::new();
                }
                return match fault {
                    Fault::Says(status, body) => bytes((status, body)),
                    Fault::Lie => bytes(self.changed),
                    Fault::CutBefore | Fault::HangBefore | Fault::HangAfter => Vec::new(),
                    Fault::CutAfter => {
                        state.stopped = to;
                        Vec::new()
                    }
                    Fault::None => {
                        state.stopped = to;
                        bytes(self.changed)
                    }
                };
            }
            if self.asks_live(asked, &state.value) {
                return bytes(if state.stopped { self.live.2 } else { self.live.1 });
            }
            match (self.reads)(asked, state) {
                Some((status, body)) => bytes((status, &body)),
                None => bytes((404, r#"{"error":"not found"}"#)),
            }
        });
        let scene = match self.text {
            Some(text) => Scene::of(self.detector, &text(), self.playbook, (self.identity, provider)),
            None => Scene::new(self.detector, self.playbook, self.identity, provider),
        };
        shared.lock().expect("the state").0.value = scene.value().to_owned();
        (scene, shared)
    }

    /// Whether a request asks if the value is live.
    fn asks_live(&self, asked: &Asked, value: &str) -> bool {
        let path = value.strip_prefix("https://discord.com").unwrap_or_default();
        let line = self.live.0.replace("{path}", path);
        // Where the value stands in the query it is escaped.
        line.strip_suffix("{value}").map_or(asked.line == line, |start| asked.line.starts_with(start))
    }

    /// Requests to change something that were heard.
    fn changes(&self, scene: &Scene) -> usize {
        scene.provider.heard().iter().filter(|asked| (self.change)(asked).is_some()).count()
    }
}

/// The action that stops a scene's credential.
fn action(scene: &Scene) -> &'static dyn Action {
    let name = &scene.playbook.steps.iter().find(|step| step.id == "stop").expect("a stop").action;
    all().find(|action| action.name() == name).expect("the action")
}

fn cases() -> impl Iterator<Item = &'static Case> {
    listed::CASES.iter().chain(rest::CASES).chain(own::CASES).chain(kubernetes::CASES)
}

/// Runs something for each case, all at once: most of the time is spent waiting.
fn each<F: Future<Output = ()>>(wanted: impl Fn(&Case) -> bool, run: impl Fn(&'static Case) -> F + Sync) {
    std::thread::scope(|scope| {
        for case in cases().filter(|case| wanted(case)) {
            let run = &run;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(run(case));
            });
        }
    });
}

#[test]
fn every_action_of_a_provider_has_its_case() {
    let covered: Vec<&str> = cases().map(|case| action(&case.scene(false).0).name()).collect();
    // What makes keys is met in `mint`.
    let stops = super::ALL.iter().filter(|action| action.mutates() && action.role() != super::super::Role::Replaces);
    let limits = ["openai-project-throttle", "openai-project-spend-limit"];
    for action in stops.filter(|action| !limits.contains(&action.name())) {
        assert!(covered.contains(&action.name()), "{} has no case", action.name());
    }
}

#[test]
fn it_is_found_stopped_once_proven_and_walked_back_where_that_can_be() {
    each(
        |_| true,
        |case| async move {
            let (scene, state) = case.scene(false);
            let name = case.detector;
            let (plan, _) = scene.plan().await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let stop = plan.steps.iter().find(|step| step.id == "stop").expect("a stop");
            assert!(!stop.observed.is_null(), "{name}: {:?}", plan.unknowns);
            assert!(plan.unknowns.iter().any(|text| text.contains("never run against the real service")), "{name}");
            assert_eq!(case.changes(&scene), 0, "{name}: a plan changes nothing");
            let run = scene.apply().await;
            assert_eq!(step(&run, "stop"), (StepState::Succeeded, ""), "{name}");
            let (proof, why) = step(&run, "prove-refused");
            assert_eq!(proof, case.proof, "{name}: {why}");
            assert!(state.lock().expect("the state").0.stopped, "{name}");
            assert_eq!(case.changes(&scene), 1, "{name}");
            let run = scene.undo(&run).await;
            if action(&scene).reversible() {
                assert_eq!(run.state, RunState::Undone, "{name}");
                assert!(!state.lock().expect("the state").0.stopped, "{name}");
                assert_eq!(case.changes(&scene), 2, "{name}");
            } else {
                assert_eq!(step(&run, "stop"), (StepState::UndoFailed, "it cannot be undone"), "{name}");
                assert_eq!(case.changes(&scene), 1, "{name}");
            }
        },
    );
}

#[test]
fn where_several_fit_they_are_named_and_nothing_is_changed() {
    assert!(cases().filter(|case| case.twins).count() > 5);
    each(
        |case| case.twins,
        |case| async move {
            let (scene, _) = case.scene(true);
            let run = scene.apply().await;
            let (state, why) = step(&run, "stop");
            assert_eq!(state, StepState::Refused, "{}: {why}", case.detector);
            assert!(why.starts_with("2 objects may be this credential"), "{}: {why}", case.detector);
            assert_eq!(case.changes(&scene), 0, "{}", case.detector);
        },
    );
}

/// A fault on the change, then resumed without it: the outcome, one change in all that took effect, and nothing secret written
/// ([`Scene::apply`] looks).
fn faulty(fault: Fault, wanted: StepState) {
    each(
        |_| true,
        |case| async move {
            let (scene, state) = case.scene(false);
            let hangs = matches!(fault, Fault::HangBefore | Fault::HangAfter);
            let (name, done) = (case.detector, matches!(fault, Fault::CutAfter | Fault::HangAfter));
            let scene = if hangs { scene.impatient(LONG / 2) } else { scene };
            state.lock().expect("the state").1 = fault;
            let run = scene.apply().await;
            let (stop, why) = step(&run, "stop");
            // Where a provider does not document what it says to what is gone, nobody can tell.
            let told = case.proof == StepState::Succeeded || matches!(action(&scene).needs(), Needs::Admin(_));
            if done && !told {
                assert_eq!(stop, StepState::Unknown, "{name}: {why}");
                return;
            }
            assert_eq!(stop, wanted, "{name}, {fault:?}: {why}");
            assert_eq!(state.lock().expect("the state").0.stopped, done, "{name}, {fault:?}");
            assert_eq!(case.changes(&scene), 1, "{name}, {fault:?}: what is not known is not repeated");
            state.lock().expect("the state").1 = Fault::None;
            let run = if stop == StepState::Succeeded { run } else { scene.resume(&run).await };
            assert_eq!(step(&run, "stop"), (StepState::Succeeded, ""), "{name}, {fault:?}");
            assert!(state.lock().expect("the state").0.stopped, "{name}, {fault:?}");
        },
    );
}

#[test]
fn a_refusal_is_a_refusal() {
    faulty(Fault::Says(401, r#"{"error":{"message":"no"}}"#), StepState::Refused);
    faulty(Fault::Says(403, r#"{"message":"not allowed"}"#), StepState::Refused);
}

#[test]
fn a_rate_limit_has_changed_nothing() {
    faulty(Fault::Says(429, "{}"), StepState::Failed);
}

#[test]
fn a_server_error_and_a_page_leave_it_unknown() {
    faulty(Fault::Says(500, "{}"), StepState::Unknown);
    faulty(Fault::Says(200, "<html>sign in</html>"), StepState::Unknown);
}

#[test]
fn a_connection_cut_before_the_effect_leaves_it_unknown() {
    faulty(Fault::CutBefore, StepState::Unknown);
}

#[test]
fn a_connection_cut_after_the_effect_is_seen_through() {
    faulty(Fault::CutAfter, StepState::Succeeded);
}

#[test]
fn an_answer_that_does_not_come_in_time_leaves_it_unknown_or_is_seen_through() {
    faulty(Fault::HangBefore, StepState::Unknown);
    faulty(Fault::HangAfter, StepState::Succeeded);
}

#[test]
fn who_says_done_and_does_nothing_is_not_believed() {
    each(
        |_| true,
        |case| async move {
            let (scene, state) = case.scene(false);
            state.lock().expect("the state").1 = Fault::Lie;
            let run = scene.apply().await;
            let (name, (stop, why), (proof, _)) = (case.detector, step(&run, "stop"), step(&run, "prove-refused"));
            assert!(!state.lock().expect("the state").0.stopped, "{name}");
            // Where only the credential itself tells, its own word is the proof.
            assert!(stop != StepState::Succeeded || proof != StepState::Succeeded, "{name}: {why}");
            assert!(!scene.written().contains(r#""result": "PASSED""#), "{name}");
            assert_eq!(case.changes(&scene), 1, "{name}: what is not known is not repeated");
            if matches!(action(&scene).needs(), Needs::Admin(_)) {
                assert_eq!(stop, StepState::Unknown, "{name}: {why}");
                assert!(why.contains("still reads as"), "{name}: {why}");
            }
            state.lock().expect("the state").1 = Fault::None;
            if stop != StepState::Succeeded {
                let run = scene.resume(&run).await;
                assert_eq!(step(&run, "stop"), (StepState::Succeeded, ""), "{name}");
                assert!(state.lock().expect("the state").0.stopped, "{name}");
            }
        },
    );
}

#[test]
fn a_process_that_died_around_the_change_changes_nothing_twice() {
    each(
        |_| true,
        |case| async move {
            let (scene, state) = case.scene(false);
            let name = case.detector;
            // Where a provider does not document what it says to what is gone, nobody can tell.
            if case.proof != StepState::Succeeded && !matches!(action(&scene).needs(), Needs::Admin(_)) {
                return;
            }
            let run = scene.apply().await;
            // Everything that was written since the change was begun is lost, and then a part of it.
            for part in [16, 12, 8] {
                let cut = scene.forget(&run, part);
                let run = scene.resume(&cut).await;
                assert_eq!(step(&run, "stop"), (StepState::Succeeded, ""), "{name}, {part}");
                assert!(state.lock().expect("the state").0.stopped, "{name}");
                assert_eq!(case.changes(&scene), 1, "{name}, {part}: it was changed twice");
            }
        },
    );
}

#[test]
fn two_who_begin_one_plan_begin_it_once() {
    each(
        |_| true,
        |case| async move {
            let (scene, _) = case.scene(false);
            let (_, digest) = scene.plan().await.expect("a plan");
            scene.agree(&digest);
            let (one, other) = (scene.runner(), scene.runner());
            let (one, other) = tokio::join!(one.apply(&digest), other.apply(&digest));
            assert!(one.is_ok() != other.is_ok(), "{}", case.detector);
            assert_eq!(case.changes(&scene), 1, "{}", case.detector);
        },
    );
}

#[test]
fn the_value_is_not_needed_once_the_plan_has_seen_the_object() {
    each(
        |_| true,
        |case| async move {
            let (mut scene, state) = case.scene(false);
            // What needs the value at every step says so.
            let needs_value = !matches!(action(&scene).needs(), Needs::Admin(_));
            let (_, digest) = scene.plan().await.expect("a plan");
            scene.agree(&digest);
            scene.readable = false;
            match scene.runner().apply(&digest).await {
                Err(error) => assert!(needs_value && error.to_string().contains("readable"), "{}: {error}", case.detector),
                Ok(run) => {
                    assert!(!needs_value, "{}", case.detector);
                    assert_eq!(step(&run, "stop").0, StepState::Succeeded, "{}", case.detector);
                    // Where the administration's own look is a proof, the value is not needed for that either.
                    let looks = scene.playbook.steps.iter().any(|step| step.action == "old-refused");
                    let wanted = if looks { StepState::Succeeded } else { StepState::Unknown };
                    assert_eq!(step(&run, "prove-refused").0, wanted, "{}", case.detector);
                    assert!(state.lock().expect("the state").0.stopped, "{}", case.detector);
                }
            }
        },
    );
}

#[test]
fn without_a_credential_the_plan_says_which_is_missing_and_the_run_is_refused() {
    each(
        |_| true,
        |case| async move {
            let (mut scene, _) = case.scene(false);
            if !matches!(action(&scene).needs(), Needs::Admin(_)) {
                return;
            }
            scene.admin = None;
            let (plan, digest) = scene.plan().await.expect("a plan");
            assert!(plan.lacking.iter().any(|text| text.contains("[[responder.provider]]")), "{}", case.detector);
            scene.agree(&digest);
            let run = scene.runner().apply(&digest).await.expect("a run");
            assert_eq!(step(&run, "stop").0, StepState::Refused, "{}", case.detector);
            assert!(scene.provider.heard().is_empty(), "{}: nobody was asked", case.detector);
        },
    );
}

#[test]
fn the_credentials_go_where_they_belong() {
    each(
        |_| true,
        |case| async move {
            let (scene, _) = case.scene(false);
            scene.apply().await;
            let admin = matches!(action(&scene).needs(), Needs::Admin(_));
            let basic = data_encoding::BASE64.encode(ADMIN.as_bytes());
            for asked in scene.provider.heard().iter() {
                let as_admin = asked.head.contains(ADMIN) || asked.head.contains(&basic);
                let shared = case.detector == "baseten-api-key" && asked.head.contains(scene.value());
                let live = shared || case.asks_live(asked, scene.value());
                assert_eq!(as_admin, admin && !live, "{}: {}", case.detector, asked.line);
                // What changes something is asked with the leaked value only where it ends itself.
                let as_leaked = asked.head.contains(scene.value());
                assert!(!as_leaked || !admin || live || asked.line.contains("lookupKey"), "{}", asked.line);
            }
        },
    );
}

/// JSON that a request carries.
pub(super) fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap_or_default()
}
