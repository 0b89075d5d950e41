//! Random stories of a replacement, against a model of the provider and a real file: answers that fail before or after the effect, lies,
//! two who begin one plan, processes that die at any request, resumes and walks back in any order. At every moment there is at most one
//! key more than there was, the store holds one that works, and no value is written down; in the end there is either the new one, in
//! the store, or none.
//!
//! `benches/respond/stories` runs ten thousand of them.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::sync::Notify;

use super::tongues::{MISTRAL, OPENROUTER};
use super::{Key, Model, Said, Tongue, like, scene_with, stored};
use crate::model::{Run, RunState, StepState};
use crate::respond::testing::{Asked, Scene, step};
use crate::respond::{RespondError, replayed};

/// Scenes at once.
const THREADS: u32 = 32;
/// How often somebody goes on until a run comes to its end: on a busy machine what is asked may take longer than a step's patience.
const TRIES: usize = 20;
/// Stories of each provider in a run of all tests.
const FEW: u32 = 64;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Answered with this status and not done.
    Says(u16),
    /// Answered with a page for people, and not done.
    Page,
    /// The connection is cut before anything is done.
    CutBefore,
    /// It is done, and the connection is cut.
    CutAfter,
    /// A key is said to be made, or to be gone, and is not.
    Lie,
    /// Whoever asks dies before it is done.
    DiesBefore,
    /// It is done, and whoever asked dies before the answer.
    DiesAfter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Resume,
    Undo,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        8 => Just(Fault::None),
        2 => prop::sample::select(vec![400u16, 401, 403, 409, 429, 500]).prop_map(Fault::Says),
        1 => Just(Fault::Page),
        1 => Just(Fault::CutBefore),
        1 => Just(Fault::CutAfter),
        1 => Just(Fault::Lie),
        1 => Just(Fault::DiesBefore),
        1 => Just(Fault::DiesAfter),
    ]
}

/// What stands between the provider and whoever asks.
struct Between {
    faults: Mutex<Vec<Fault>>,
    /// Somebody dies now.
    dies: Notify,
    /// They are dead: their request may go on.
    buried: Mutex<Receiver<()>>,
}

impl Between {
    fn died(&self) {
        self.dies.notify_one();
        // Nothing more is asked until whoever asked is gone.
        let _ = self.buried.lock().expect("the ends").recv_timeout(Duration::from_secs(20));
    }

    fn pass(&self, tongue: &Tongue, value: &str, (asked, answer): (&Asked, &dyn Fn() -> Option<Said>)) -> Option<Said> {
        let fault = {
            let mut faults = self.faults.lock().expect("the faults");
            if faults.is_empty() { Fault::None } else { faults.remove(0) }
        };
        let about_key = asked.line == tongue.live;
        match fault {
            Fault::CutBefore => None,
            Fault::DiesBefore => {
                self.died();
                None
            }
            Fault::CutAfter => {
                answer();
                None
            }
            Fault::DiesAfter => {
                answer();
                self.died();
                None
            }
            // What settles something is never said wrongly: that a key is refused.
            Fault::Says(_) | Fault::Page if about_key => Some((500, "{}".to_owned())),
            Fault::Says(status) => Some((status, r#"{"error":{"message":"no"}}"#.to_owned())),
            Fault::Page => Some((200, "<html>sign in</html>".to_owned())),
            Fault::Lie if asked.line == tongue.create.0 => {
                let (id, name) = ("never".to_owned(), "x".to_owned());
                let never = Key { id, name, value: like(value, 888_888), on: true, used: None, made: None };
                Some((200, (tongue.made)(&never).to_string()))
            }
            Fault::Lie if asked.line.starts_with("DELETE ") => Some((200, "{}".to_owned())),
            Fault::None | Fault::Lie => answer(),
        }
    }
}

/// One story.
struct Story<'s> {
    scene: &'s Scene,
    model: &'s Mutex<Model>,
    between: &'s Between,
    bury: &'s SyncSender<()>,
    digest: String,
}

impl Story<'_> {
    /// Planned in peace, begun and gone on with under faults, and at last in peace again.
    async fn run(&mut self, faults: &[Fault], acts: &[Act], twice: bool) -> Result<(), TestCaseError> {
        self.begin();
        self.digest = self.planned().await?;
        self.scene.agree(&self.digest);
        *self.between.faults.lock().expect("the faults") = faults.to_vec();
        if twice {
            let (one, other) = (self.scene.runner(), self.scene.runner());
            let both = async { tokio::join!(one.apply(&self.digest), other.apply(&self.digest)) };
            if let Some((one, other)) = Box::pin(self.lives(both)).await {
                holds(one.is_err() || other.is_err(), "one plan was begun twice")?;
            }
        } else {
            self.act(Act::Resume, false).await?;
        }
        self.holds()?;
        for act in acts {
            self.scene.clock.advance(Duration::from_secs(30));
            self.act(*act, false).await?;
            self.holds()?;
        }
        self.between.faults.lock().expect("the faults").clear();
        self.end().await
    }

    /// A plan that has seen everything.
    async fn planned(&self) -> Result<String, TestCaseError> {
        let mut why = Vec::new();
        for _ in 0..TRIES {
            let (plan, digest) = self.scene.plan().await.map_err(|error| fail(&error))?;
            if !plan.steps[0].observed.is_null() {
                return Ok(digest);
            }
            why = plan.unknowns;
        }
        Err(TestCaseError::fail(format!("no plan sees anything: {why:?}")))
    }

    /// As at first: the old key, somebody else's, and a file with the old one.
    fn begin(&self) {
        let mut model = self.model.lock().expect("the model");
        model.keys.retain(|key| !key.id.starts_with("new"));
        let file = format!("KEY={}\nOTHER=1\n", self.scene.value());
        std::fs::write(self.scene.store.as_ref().expect("a store"), file).expect("written");
    }

    /// Does something until it is done, or until whoever does it dies.
    async fn lives<T>(&self, doing: impl Future<Output = T>) -> Option<T> {
        let done = {
            let mut doing = std::pin::pin!(doing);
            tokio::select! {
                biased;
                () = self.between.dies.notified() => None,
                done = &mut doing => Some(done),
            }
        };
        if done.is_none() {
            DEATHS.fetch_add(1, Ordering::Relaxed);
            self.bury.send(()).expect("somebody waits");
        }
        done
    }

    /// The run, once there is one.
    fn begun(&self) -> Result<Option<Run>, TestCaseError> {
        let runs = self.scene.runner().folder.runs().map_err(|error| fail(&error))?;
        let runs = runs.iter().map(replayed).collect::<Result<Vec<_>, _>>().map_err(|error| fail(&error))?;
        Ok(runs.into_iter().find(|run| run.digest == self.digest && run.records > 0))
    }

    /// What the operator does; what cannot be done is said and leaves everything as it is.
    async fn act(&self, act: Act, confirmed: bool) -> Result<(), TestCaseError> {
        let mut runner = self.scene.runner();
        if confirmed {
            runner.confirmed = vec!["replace".to_owned()];
        }
        let run = self.begun()?;
        let done = match (act, &run) {
            (Act::Undo, None) => return Ok(()),
            (Act::Resume, None) => self.lives(runner.apply(&self.digest)).await,
            (Act::Resume, Some(run)) => self.lives(runner.resume(&run.id)).await,
            (Act::Undo, Some(run)) => self.lives(runner.undo(&run.id)).await,
        };
        match done {
            Some(Ok(run)) => self.scene.check(&run),
            Some(Err(error @ (RespondError::Journal { .. } | RespondError::File { .. }))) => return Err(fail(&error)),
            Some(Err(_)) | None => {}
        }
        Ok(())
    }

    /// Keys that were made and are there.
    fn news(&self) -> Vec<Key> {
        let model = self.model.lock().expect("the model");
        model.keys.iter().filter(|key| key.id.starts_with("new")).cloned().collect()
    }

    /// What is true at every moment.
    fn holds(&self) -> Result<(), TestCaseError> {
        let (news, stored) = (self.news(), stored(self.scene));
        holds(news.len() <= 1, "there are two new keys")?;
        let old = stored == self.scene.value();
        holds(old || news.iter().any(|key| key.value == stored), "the store holds a key that does not work")?;
        let model = self.model.lock().expect("the model");
        holds(model.keys.iter().filter(|key| !key.id.starts_with("new")).count() == 2, "somebody else's key is gone")?;
        drop(model);
        let written = self.scene.written();
        holds(news.iter().all(|key| !written.contains(&key.value)), "a new value was written down")?;
        let Some(run) = self.begun()? else { return holds(news.is_empty(), "what was not begun has made a key") };
        let replaced = step(&run, "replace").0 == StepState::Succeeded;
        holds(!replaced || !old, "it is called replaced, and the store holds the old one")
    }

    /// Without faults every run comes to a true end.
    async fn end(&self) -> Result<(), TestCaseError> {
        for _ in 0..TRIES {
            // What came of a mint is not known for five minutes.
            self.scene.clock.advance(Duration::from_mins(6));
            let run = self.begun()?;
            let back = run.as_ref().is_some_and(is_back);
            let asked = run.as_ref().is_some_and(|run| step(run, "replace").1.contains("--done replace"));
            // Whoever is asked looks first.
            let none = self.news().is_empty();
            self.act(if back { Act::Undo } else { Act::Resume }, asked && none).await?;
            self.holds()?;
            let Some(run) = self.begun()? else { continue };
            let (news, stored) = (self.news(), stored(self.scene));
            if is_back(&run) && run.state == RunState::Undone {
                UNDONE.fetch_add(1, Ordering::Relaxed);
                return holds(news.is_empty() && stored == self.scene.value(), "it is called undone, and a key is left");
            }
            if step(&run, "replace").0 == StepState::Succeeded {
                REPLACED.fetch_add(1, Ordering::Relaxed);
                return holds(news.len() == 1 && news[0].value == stored, "it is called replaced, and is not");
            }
        }
        let run = self.begun()?.map(|run| run.steps);
        Err(TestCaseError::fail(format!("without faults it does not come to its end: {run:?}")))
    }
}

fn is_back(run: &Run) -> bool {
    let back = |state| matches!(state, StepState::Undoing | StepState::Undone | StepState::UndoFailed);
    run.steps.iter().any(|step| back(step.state))
}

fn holds(holds: bool, what: &str) -> Result<(), TestCaseError> {
    if holds { Ok(()) } else { Err(TestCaseError::fail(what.to_owned())) }
}

fn fail(error: &RespondError) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

/// How many stories came to which end, and how many died on the way.
static REPLACED: AtomicU32 = AtomicU32::new(0);
static UNDONE: AtomicU32 = AtomicU32::new(0);
static DEATHS: AtomicU32 = AtomicU32::new(0);

/// So many stories about one provider.
fn stories(tongue: &'static Tongue, count: u32) {
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(move || {
                let (bury, buried) = sync_channel(4);
                let between =
                    Arc::new(Between { faults: Mutex::default(), dies: Notify::new(), buried: Mutex::new(buried) });
                let (dir, stands) = (tempfile::tempdir().expect("scratch"), Arc::clone(&between));
                let value = Arc::new(Mutex::new(String::new()));
                let known = Arc::clone(&value);
                let (scene, model) = scene_with(tongue, &dir, move |asked, answer| {
                    let value = known.lock().expect("the value").clone();
                    stands.pass(tongue, &value, (asked, answer))
                });
                let mut scene = scene.hasty();
                scene.value().clone_into(&mut value.lock().expect("the value"));
                scene.playbook.steps[0].timeout = 4;
                let scene = RefCell::new(scene);
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let cases = (count / THREADS).max(1);
                let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
                let act = prop_oneof![3 => Just(Act::Resume), 1 => Just(Act::Undo)];
                let story =
                    (prop::collection::vec(fault(), 0..32), prop::collection::vec(act, 0..5), prop::bool::weighted(0.1));
                let told = TestRunner::new(config).run(&story, |(faults, acts, twice)| {
                    scene.borrow_mut().afresh();
                    let (scene, digest) = (&*scene.borrow(), String::new());
                    let mut story = Story { scene, model: &model, between: &between, bury: &bury, digest };
                    runtime.block_on(story.run(&faults, &acts, twice))
                });
                told.unwrap_or_else(|error| panic!("{}: {error}", tongue.playbook));
            });
        }
    });
}

fn all(count: u32) {
    for tongue in [&OPENROUTER, &MISTRAL] {
        stories(tongue, count);
    }
    let [replaced, undone, deaths] = [&REPLACED, &UNDONE, &DEATHS].map(|count| count.load(Ordering::Relaxed));
    assert!(replaced > 20 && undone > 5 && deaths > 20, "{replaced}, {undone}, {deaths}: the stories say little");
}

#[test]
fn a_replacement_under_faults_mints_once_and_loses_nothing() {
    all(FEW);
}

#[test]
#[ignore = "ten minutes: benches/respond/stories runs it"]
fn a_replacement_under_faults_mints_once_and_loses_nothing_ten_thousand_times() {
    all(Config::default().cases.max(10_000));
}
