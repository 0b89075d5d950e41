//! A key that was asked for, of which nobody saw what came, and that is listed only long after: whenever it shows up it is found,
//! it goes, and until then nobody says that there is none but whoever has looked.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::tongues::{ALL, MISTRAL, XAI};
use super::{Fault, Key, Model, scene, stored};
use crate::model::{Notice, NoticeKind, Run, RunState, StepState};
use crate::respond::testing::{Scene, step};
use crate::respond::{Playbooks, Policy, Watcher, Work};
use crate::store::Store;

/// A run whose mint was cut: the key was made, and no list shows it for now.
async fn cut(scene: &Scene, model: &Arc<Mutex<Model>>) -> Run {
    {
        let mut model = model.lock().expect("the model");
        (model.fault, model.behind) = (Fault::Cut, true);
    }
    let run = scene.apply().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Unknown && why.contains("the list may be behind"), "{ended:?} {why}");
    scene.clock.advance(Duration::from_mins(6));
    run
}

/// The run, with a person's word that there is no such key.
async fn said(scene: &Scene, run: &Run, back: bool) -> Run {
    let mut runner = scene.runner();
    runner.confirmed = vec!["replace".to_owned()];
    let run = if back { runner.undo(&run.id).await } else { runner.resume(&run.id).await }.expect("a run");
    scene.check(&run);
    run
}

#[tokio::test]
async fn one_that_shows_up_after_its_run_was_walked_back_is_found_and_goes() {
    for tongue in ALL {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let run = cut(&scene, &model).await;
        // Five minutes are no proof: it is not called walked back.
        let undone = scene.undo(&run).await;
        let (ended, why) = step(&undone, "replace");
        assert!(ended == StepState::UndoFailed && why.contains("--done replace"), "{name}: {ended:?} {why}");
        assert_eq!(undone.state, RunState::Stopped, "{name}");
        // A person has looked. What is said from now on says whose word it is.
        let undone = said(&scene, &run, true).await;
        let (ended, why) = step(&undone, "replace");
        assert_eq!((undone.state, ended), (RunState::Undone, StepState::Undone), "{name}");
        assert!(why.contains("tests said that there is none") && why.contains("`respond undo`"), "{name}: {why}");
        // That stands, however often somebody asks.
        let undone = scene.undo(&run).await;
        assert_eq!((undone.state, step(&undone, "replace").1), (RunState::Undone, why), "{name}");
        assert!(scene.runner().resume(&run.id).await.is_err(), "{name}: nothing goes on from here");
        // The list was behind by more than anybody thought.
        model.lock().expect("the model").behind = false;
        assert_eq!(model.lock().expect("the model").keys.len(), 3, "{name}");
        let undone = scene.undo(&run).await;
        assert_eq!((undone.state, step(&undone, "replace")), (RunState::Undone, (StepState::Undone, "")), "{name}");
        let keys: Vec<String> = model.lock().expect("the model").keys.iter().map(|key| key.id.clone()).collect();
        assert_eq!(keys, ["own", "other"], "{name}: the lost one is gone, and nothing else");
    }
}

#[tokio::test]
async fn one_that_shows_up_beside_the_next_is_found_and_goes() {
    for tongue in ALL {
        let name = tongue.playbook;
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(tongue, &dir);
        let run = cut(&scene, &model).await;
        let run = scene.resume(&run).await;
        assert_eq!(step(&run, "replace").0, StepState::Waiting, "{name}");
        // Nobody sees it, and the next one can be seen.
        let lost: Key = {
            let mut model = model.lock().expect("the model");
            model.behind = false;
            model.keys.pop().expect("the lost one")
        };
        // The next one is made, and its process dies before a store has it.
        std::fs::hard_link(scene.store.as_ref().expect("a store"), dir.path().join("second-name")).expect("a link");
        let run = said(&scene, &run, false).await;
        let (ended, why) = step(&run, "replace");
        assert!(ended == StepState::Failed && why.contains("removed again"), "{name}: {ended:?} {why}");
        std::fs::remove_file(dir.path().join("second-name")).expect("removed");
        model.lock().expect("the model").keys.push(lost);
        let run = scene.resume(&run).await;
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{name}: {}", step(&run, "replace").1);
        let model = model.lock().expect("the model");
        let keys: Vec<&str> = model.keys.iter().map(|key| key.id.as_str()).collect();
        assert_eq!(keys, ["own", "other", "new3"], "{name}: one new key");
        assert_eq!(stored(&scene), model.keys[2].value, "{name}");
    }
}

/// Whoever watches the runs of a scene.
struct Eyes {
    store: Store,
}

impl Eyes {
    fn new(dir: &tempfile::TempDir) -> Self {
        Self { store: Store::open(&dir.path().join("store")).expect("a store") }
    }

    /// One look at everything.
    async fn pass(&self, scene: &Scene) -> Vec<Notice> {
        let (folder, policy, playbooks) = (scene.runner().folder, Policy::default(), Playbooks(Vec::new()));
        let watcher = Watcher {
            store: &self.store,
            folder: &folder,
            policy: &policy,
            playbooks: &playbooks,
            stop_file: None,
            stop: Arc::default(),
            clock: &*scene.clock,
            // Each pass is another process's.
            looked_at: RefCell::default(),
            every: Duration::from_mins(1),
        };
        let told = RefCell::new(Vec::new());
        let make = async |_: Work<'_>| Ok::<_, String>(scene.runner());
        watcher.pass(&make, &async |notice: Notice| told.borrow_mut().push(notice)).await.expect("a pass");
        told.into_inner()
    }
}

fn ids(model: &Arc<Mutex<Model>>) -> Vec<String> {
    model.lock().expect("the model").keys.iter().map(|key| key.id.clone()).collect()
}

#[tokio::test]
async fn one_that_shows_up_days_after_is_found_by_whoever_watches() {
    shows_up(false).await;
}

#[tokio::test]
async fn one_that_shows_up_days_after_and_may_not_be_deleted_wakes_somebody_once() {
    shows_up(true).await;
}

async fn shows_up(kept: bool) {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, model) = scene(ALL[0], &dir);
    let run = cut(&scene, &model).await;
    let undone = said(&scene, &run, true).await;
    assert_eq!(undone.state, RunState::Undone);
    let eyes = Eyes::new(&dir);
    let asked = || scene.provider.heard().len();
    for _ in 0..3 {
        scene.clock.advance(Duration::from_hours(20));
        let before = asked();
        assert_eq!(eyes.pass(&scene).await, [], "nothing has shown up");
        assert!(asked() > before, "nobody looked");
        let before = asked();
        assert_eq!((eyes.pass(&scene).await.len(), asked()), (0, before), "a minute later nobody looks again");
    }
    {
        let mut model = model.lock().expect("the model");
        (model.behind, model.kept) = (false, kept);
    }
    if kept {
        // It shows up, and may not be taken away: that is told once.
        for count in [1, 0] {
            scene.clock.advance(Duration::from_hours(20));
            let told = eyes.pass(&scene).await;
            assert_eq!(told.len(), count, "{told:?}");
            assert!(told.iter().all(|notice| notice.kind == NoticeKind::Failed), "{told:?}");
        }
        assert_eq!(ids(&model).len(), 3);
        return;
    }
    scene.clock.advance(Duration::from_hours(20));
    let told = eyes.pass(&scene).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].kind, NoticeKind::Undone, "{told:?}");
    assert_eq!(ids(&model).len(), 2, "it is gone");
    let again = scene.again(&run);
    assert_eq!((again.state, step(&again, "replace")), (RunState::Undone, (StepState::Undone, "")));
    assert_eq!(eyes.pass(&scene).await.len(), 0);
}

#[tokio::test]
async fn one_that_shows_up_while_its_run_waits_or_has_failed_is_found_by_whoever_watches() {
    for waits in [false, true] {
        for tongue in ALL {
            let name = format!("{}, waits {waits}", tongue.playbook);
            let dir = tempfile::tempdir().expect("scratch");
            let (scene, model) = scene(tongue, &dir);
            let mut run = cut(&scene, &model).await;
            if waits {
                run = scene.resume(&run).await;
            }
            let stands = if waits { StepState::Waiting } else { StepState::Unknown };
            assert_eq!(step(&run, "replace").0, stands, "{name}");
            let eyes = Eyes::new(&dir);
            scene.clock.advance(Duration::from_hours(2));
            assert_eq!(eyes.pass(&scene).await, [], "{name}: nothing has shown up");
            model.lock().expect("the model").behind = false;
            scene.clock.advance(Duration::from_hours(2));
            let told = eyes.pass(&scene).await;
            assert_eq!(told.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::Waits], "{name}: {told:?}");
            assert_eq!(ids(&model), ["own", "other"], "{name}: it is gone, and nothing else");
            let again = scene.again(&run);
            let (ended, why) = step(&again, "replace");
            assert!(ended == stands && why.contains("has shown up"), "{name}: {ended:?} {why}");
            // Nobody needs to say that there is none.
            let run = scene.resume(&run).await;
            assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{name}: {}", step(&run, "replace").1);
            assert_eq!(ids(&model).len(), 3, "{name}");
        }
    }
}

#[tokio::test]
async fn one_that_shows_up_after_its_run_went_forward_goes_alone() {
    for tongue in ALL {
        // Whoever walks it back asks for seconds whether the old one works: once is enough.
        let ways: &[&str] =
            if tongue.playbook == ALL[0].playbook { &["watch", "resume", "undo"] } else { &["watch", "resume"] };
        for &how in ways {
            let name = format!("{} {how}", tongue.playbook);
            let dir = tempfile::tempdir().expect("scratch");
            let (scene, model) = scene(tongue, &dir);
            let run = cut(&scene, &model).await;
            assert_eq!(step(&scene.resume(&run).await, "replace").0, StepState::Waiting, "{name}");
            // Nobody sees it, and the next one can be seen.
            let lost: Key = {
                let mut model = model.lock().expect("the model");
                model.behind = false;
                model.keys.pop().expect("the lost one")
            };
            let run = said(&scene, &run, false).await;
            assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{name}: {}", step(&run, "replace").1);
            let new = stored(&scene);
            model.lock().expect("the model").keys.push(lost);
            assert_eq!(ids(&model), ["own", "other", "new2", "new1"], "{name}");
            match how {
                "watch" => {
                    scene.clock.advance(Duration::from_hours(20));
                    let told = Eyes::new(&dir).pass(&scene).await;
                    let kinds: Vec<NoticeKind> = told.iter().map(|notice| notice.kind).collect();
                    assert_eq!(kinds, [NoticeKind::Waits], "{name}: it is told, and wakes nobody: {told:?}");
                    assert!(told[0].lines[0].contains("was taken away"), "{name}: {told:?}");
                }
                "resume" => drop(scene.resume(&run).await),
                // The old one was stopped meanwhile: it cannot be put back, and the lost one goes all the same.
                _ => {
                    model.lock().expect("the model").keys[0].on = false;
                    let undone = scene.undo(&run).await;
                    let (ended, why) = step(&undone, "replace");
                    assert!(
                        ended == StepState::UndoFailed && why.contains("which nobody held, was removed"),
                        "{name}: {why}"
                    );
                }
            }
            assert_eq!(ids(&model), ["own", "other", "new2"], "{name}: the lost one is gone, and nothing else");
            assert_eq!(stored(&scene), new, "{name}: the leaked one was put back");
            let again = scene.again(&run);
            assert!(how == "undo" || step(&again, "replace").0 == StepState::Succeeded, "{name}");
        }
    }
}

#[tokio::test]
async fn a_second_loss_is_not_forgotten_when_the_first_shows_up() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, model) = scene(&MISTRAL, &dir);
    model.lock().expect("the model").clock = Some(0);
    let run = cut(&scene, &model).await;
    assert_eq!(step(&scene.resume(&run).await, "replace").0, StepState::Waiting);
    {
        let mut model = model.lock().expect("the model");
        (model.fault, model.clock) = (Fault::Cut, Some(360));
    }
    let run = said(&scene, &run, false).await;
    assert_eq!((step(&run, "replace").0, ids(&model).len()), (StepState::Unknown, 4), "{}", step(&run, "replace").1);
    scene.clock.advance(Duration::from_mins(6));
    // The first is listed, and the second is not yet.
    let second = {
        let mut model = model.lock().expect("the model");
        model.behind = false;
        model.keys.pop().expect("the second")
    };
    let run = scene.resume(&run).await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Waiting && why.contains("--done replace"), "nothing is minted beside it: {ended:?} {why}");
    assert_eq!((ids(&model), model.lock().expect("the model").made), (vec!["own".into(), "other".into()], 2));
    model.lock().expect("the model").keys.push(second);
    let run = scene.resume(&run).await;
    assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{}", step(&run, "replace").1);
    assert_eq!(ids(&model), ["own", "other", "new3"]);
}

#[tokio::test]
async fn one_that_shows_up_just_before_the_next_is_made_is_no_strangers() {
    // Whichever list of the second attempt is the first that shows it.
    for lists in 0..6 {
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, model) = scene(&XAI, &dir);
        let run = cut(&scene, &model).await;
        assert_eq!(step(&scene.resume(&run).await, "replace").0, StepState::Waiting);
        model.lock().expect("the model").shows_after = Some(lists);
        let run = said(&scene, &run, false).await;
        assert_eq!(step(&run, "replace").0, StepState::Succeeded, "{lists}: {}", step(&run, "replace").1);
        model.lock().expect("the model").behind = false;
        scene.resume(&run).await;
        let ids = ids(&model);
        assert!(ids.len() == 3 && !ids.contains(&"new1".to_owned()), "{lists}: {ids:?}");
    }
}

#[tokio::test]
async fn whoever_walks_back_has_not_said_what_another_has() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, model) = scene(&XAI, &dir);
    let run = cut(&scene, &model).await;
    assert_eq!(step(&scene.resume(&run).await, "replace").0, StepState::Waiting);
    // Kim has looked, and then none is made.
    model.lock().expect("the model").fault = Fault::Says(400);
    let mut kim = scene.runner();
    (kim.requester, kim.confirmed) = ("kim".to_owned(), vec!["replace".to_owned()]);
    let run = kim.resume(&run.id).await.expect("a run");
    assert!(matches!(step(&run, "replace").0, StepState::Failed | StepState::Refused), "{:?}", step(&run, "replace"));
    let mut lee = scene.runner();
    lee.requester = "lee".to_owned();
    let undone = lee.undo(&run.id).await.expect("a run");
    let (ended, why) = step(&undone, "replace");
    assert!(ended == StepState::Undone && why.contains("kim said that there is none"), "{ended:?} {why}");
    assert!(!why.contains("lee"), "{why}");
}
