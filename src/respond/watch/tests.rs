//! The watcher over a scripted provider: what is allowed is done once, whatever dies in between; what is not is told once.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::super::playbook::{PlaybookSource, Playbooks};
use super::super::testing::{Asked, Provider, Scene};
use super::{Allowed, Policy, Watcher, Work};
use crate::model::{Clock, Liveness, Notice, NoticeKind, TestClock};
use crate::net::testing::http;
use crate::store::{Store, WatchState};

const PLAYBOOK: &str = "summary = \"x\"\nmode = \"contain\"\ndetectors = [\"openai-project-key\"]\n[[step]]\nid = \"throttle\"\n\
    action = \"openai-project-throttle\"\nwatch = 3600\n[[step]]\nid = \"evidence\"\naction = \"evidence\"\n";
const LIMIT: &str = "POST /v1/organization/projects/proj_1/rate_limits/rl-1";

/// A project with one rate limit; `refuse` lets nobody change it.
fn provider(refuse: bool) -> Provider {
    let limit = std::sync::Mutex::new(5000);
    Provider::new(move |asked: &Asked| {
        let mut limit = limit.lock().expect("the limit");
        let says = |status: u16, body: serde_json::Value| http(&format!("{status} x"), "", &body.to_string());
        match asked.line.as_str() {
            LIMIT if refuse => says(403, json!({ "error": { "message": "no" } })),
            LIMIT => {
                let body: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
                *limit = body["max_requests_per_1_minute"].as_i64().expect("a number");
                says(200, json!({}))
            }
            line if line.starts_with("GET /v1/organization/projects/proj_1/rate_limits") => {
                let one = json!({ "id": "rl-1", "model": "gpt", "max_requests_per_1_minute": *limit });
                says(200, json!({ "data": [one], "has_more": false }))
            }
            _ => says(200, json!({ "data": [] })),
        }
    })
}

/// A scene, its store with the one finding, and a clock that all share.
struct World {
    scene: Scene,
    store: Store,
    playbooks: Playbooks,
    clock: Arc<TestClock>,
    policy: Policy,
    stop: Option<std::path::PathBuf>,
    ending: Arc<std::sync::atomic::AtomicBool>,
    /// Whether whoever acts can be built.
    able: bool,
    dir: tempfile::TempDir,
}

impl World {
    fn new(refuse: bool) -> Self {
        let identity = [("organization", "acme"), ("project", "proj_1")];
        let scene = Scene::new("openai-project-key", "openai-project-key-contain", &identity, provider(refuse));
        let dir = tempfile::tempdir().expect("scratch");
        let mut store = Store::open(dir.path()).expect("a store");
        store.save(std::slice::from_ref(&scene.finding), Timestamp::UNIX_EPOCH).expect("saved");
        let source = PlaybookSource { id: "p".into(), file: "p.toml".into(), text: PLAYBOOK.into() };
        let allow = vec![Allowed { playbook: "p".to_owned(), ..Allowed::default() }];
        Self {
            scene,
            store,
            playbooks: Playbooks::new(&[source]).expect("a playbook"),
            clock: Arc::new(TestClock::new(Timestamp::UNIX_EPOCH)),
            policy: Policy { allow, runs_per_hour: 9, runs_per_account: 9, failures: 2 },
            stop: None,
            ending: Arc::default(),
            able: true,
            dir,
        }
    }

    fn watcher<'w>(&'w self, folder: &'w super::Folder) -> Watcher<'w> {
        let (store, policy, playbooks) = (&self.store, &self.policy, &self.playbooks);
        Watcher {
            store,
            folder,
            policy,
            playbooks,
            stop_file: self.stop.clone(),
            stop: Arc::clone(&self.ending),
            clock: &*self.clock,
            looked_at: std::cell::RefCell::default(),
            every: Duration::from_mins(1),
        }
    }

    async fn pass(&self) -> Vec<Notice> {
        let folder = self.scene.runner().folder;
        let watcher = self.watcher(&folder);
        let make = async |_: Work<'_>| {
            let mut runner = self.scene.runner();
            runner.hands.clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
            if self.able { Ok(runner) } else { Err("no credentials".to_owned()) }
        };
        let told = std::cell::RefCell::new(Vec::new());
        watcher.pass(&make, &async |notice| told.borrow_mut().push(notice)).await.expect("a pass");
        told.into_inner()
    }

    fn changes(&self) -> usize {
        self.scene.provider.heard().iter().filter(|asked| asked.line == LIMIT).count()
    }

    fn kinds(notices: &[Notice]) -> Vec<NoticeKind> {
        notices.iter().map(|notice| notice.kind).collect()
    }
}

#[tokio::test]
async fn what_is_allowed_is_done_once_waits_and_goes_on_when_it_is_time() {
    let world = World::new(false);
    let first = world.pass().await;
    assert_eq!(World::kinds(&first), [NoticeKind::Waits], "{first:?}");
    assert!(first[0].lines.iter().any(|line| line.starts_with("done: ")), "{:?}", first[0].lines);
    assert!(first[0].next.iter().any(|next| next.contains("respond undo")));
    assert_eq!(world.changes(), 1);
    world.clock.advance(Duration::from_secs(3599));
    assert_eq!(world.pass().await, [], "it is not time yet");
    world.clock.advance(Duration::from_secs(2));
    // The playbook only throttles: nothing is proved by that.
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Partly]);
    assert_eq!(world.pass().await, [], "and never again");
    // Somebody gave it back, and a later triage saw it live: that is told, once, and left.
    let mut store = Store::open(world.dir.path()).expect("a store");
    let mut live = world.scene.finding.clone();
    live.liveness.at = Timestamp::from_second(9000).ok();
    store.save(&[live], Timestamp::UNIX_EPOCH).expect("saved");
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("live again"), "{told:?}");
    assert_eq!((world.pass().await, world.changes()), (vec![], 1));
}

#[tokio::test]
async fn a_run_whose_journal_is_damaged_still_keeps_its_credential_from_being_acted_on() {
    let world = World::new(false);
    world.pass().await;
    let run = world.scene.runner().folder.runs().expect("runs").remove(0);
    std::fs::write(run.evidence().with_file_name("journal.jsonl"), "{}\n{}\n").expect("written");
    let other = tempfile::tempdir().expect("scratch");
    let mut store = Store::open(other.path()).expect("a store");
    store.save(std::slice::from_ref(&world.scene.finding), Timestamp::UNIX_EPOCH).expect("saved");
    let world = World { store, ..world };
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("about it already"), "{told:?}");
    assert_eq!(world.changes(), 1);
}

#[tokio::test]
async fn a_process_that_dies_anywhere_acts_once() {
    // Before the run: the plan is in the ledger, and nothing was begun.
    let world = World::new(false);
    let lost = crate::store::Watched {
        digest: "0".repeat(64),
        attempts: 1,
        ..crate::store::Watched::new(&world.scene.finding, WatchState::Planned, Timestamp::UNIX_EPOCH)
    };
    world.store.watch(&lost).expect("kept");
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits], "it is not lost");
    assert_eq!(world.changes(), 1);
    // After it began: the ledger does not know yet how it ended.
    let mut row = world.store.watched().expect("rows").remove(0);
    assert_eq!(row.state, WatchState::Acted);
    row.state = WatchState::Planned;
    world.store.watch(&row).expect("kept");
    row.why.clear();
    world.store.watch(&row).expect("kept");
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits], "nobody had been told");
    assert_eq!(world.pass().await, [], "it is not done twice");
    // It acted, and died before anybody heard of it.
    let mut row = world.store.watched().expect("rows").remove(0);
    row.why.clear();
    world.store.watch(&row).expect("kept");
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits], "it is told all the same");
    assert_eq!(world.pass().await, []);
    assert_eq!((world.store.watched().expect("rows")[0].state, world.changes()), (WatchState::Acted, 1));
    // The ledger is gone altogether: the run tells.
    let other = Store::open(&world.scene.runner().folder.root().join("other")).expect("a store");
    let world = World { store: other, ..world };
    let mut store = Store::open(&world.scene.runner().folder.root().join("other")).expect("a store");
    store.save(std::slice::from_ref(&world.scene.finding), Timestamp::UNIX_EPOCH).expect("saved");
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("is about it already"), "{told:?}");
    assert_eq!(world.changes(), 1);
}

#[tokio::test]
async fn what_a_person_had_contained_and_is_live_again_is_told() {
    let world = World::new(false);
    world.pass().await;
    world.clock.advance(Duration::from_secs(3601));
    world.pass().await;
    // Another ledger: for it, the run is somebody's.
    let other = tempfile::tempdir().expect("scratch");
    let mut store = Store::open(other.path()).expect("a store");
    store.save(std::slice::from_ref(&world.scene.finding), Timestamp::UNIX_EPOCH).expect("saved");
    let world = World { store, ..world };
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("is about it already"), "{told:?}");
    assert_eq!(world.pass().await, []);
    let mut live = world.scene.finding.clone();
    live.liveness.at = Timestamp::from_second(9000).ok();
    let mut store = Store::open(other.path()).expect("a store");
    store.save(&[live], Timestamp::UNIX_EPOCH).expect("saved");
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("live again"), "{told:?}");
    assert_eq!((world.pass().await, world.changes()), (vec![], 1));
}

#[tokio::test]
async fn a_run_that_died_before_its_first_record_keeps_its_finding_from_nothing() {
    for (ledger, voids) in [(true, false), (true, true), (false, false)] {
        let world = World::new(false);
        let folder = world.scene.runner().folder;
        // Somebody's plan, and a run of it that has come as far as its folder, its plan and an empty journal.
        let (mut plan, _) = world.scene.plan().await.expect("a plan");
        if voids {
            plan.steps[0].observed = json!({ "limits": { "rl-1": 7 } });
        }
        let digest = folder.keep(&plan).expect("kept");
        let run = folder.new_run(&plan, Timestamp::UNIX_EPOCH).expect("a folder");
        std::fs::write(run.journal(), "{\"schema\":\"staunch.jour").expect("torn");
        if ledger {
            let row = crate::store::Watched::new(&world.scene.finding, WatchState::Planned, Timestamp::UNIX_EPOCH);
            world.store.watch(&crate::store::Watched { digest: digest.clone(), attempts: 1, ..row }).expect("kept");
        }
        let told = world.pass().await;
        assert_eq!(World::kinds(&told), [NoticeKind::Waits], "{ledger} {voids}: {told:?}");
        assert_eq!(world.changes(), 1);
        assert_eq!(world.pass().await, [], "and once");
        // The one that has done nothing is no more gone on with than it was.
        world.clock.advance(Duration::from_hours(2));
        assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Partly]);
        assert_eq!((world.pass().await, world.changes()), (vec![], 1));
    }
}

#[tokio::test]
async fn a_run_whose_first_record_is_being_written_is_anothers() {
    let world = World::new(false);
    let folder = world.scene.runner().folder;
    let (plan, _) = world.scene.plan().await.expect("a plan");
    let _theirs = folder.lock(&plan).expect("the lock");
    let run = folder.new_run(&plan, Timestamp::UNIX_EPOCH).expect("a folder");
    std::fs::write(run.journal(), "").expect("written");
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("about it already"), "{told:?}");
    assert_eq!(world.changes(), 0);
}

#[tokio::test]
async fn a_run_that_was_cut_short_is_taken_up_and_not_begun_again() {
    let world = World::new(false);
    world.pass().await;
    let folder = world.scene.runner().folder;
    let run = folder.runs().expect("runs").remove(0);
    // The change is on its way in the journal, and nobody knows how it ended.
    let path = run.evidence().with_file_name("journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    let begun = text.lines().position(|line| line.contains("\"started\"")).expect("a start");
    let kept: String = text.split_inclusive('\n').take(begun + 1).collect();
    std::fs::write(&path, kept).expect("written");
    let again = world.pass().await;
    assert_eq!(World::kinds(&again), [NoticeKind::Waits], "{again:?}");
    assert_eq!((world.changes(), folder.runs().expect("runs").len()), (1, 1), "it looked before it acted");
}

#[tokio::test]
async fn what_is_not_allowed_is_told_once_and_taken_up_when_it_is() {
    let mut world = World::new(false);
    let allow = std::mem::take(&mut world.policy.allow);
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].next[0].starts_with("staunch respond plan "), "{told:?}");
    assert_eq!((world.pass().await, world.changes()), (vec![], 0));
    world.policy.allow = allow;
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits]);
    assert_eq!(world.changes(), 1);
}

#[tokio::test]
async fn what_is_not_owned_or_protected_is_told_and_left() {
    for protect in [false, true] {
        let mut world = World::new(false);
        if protect {
            world.scene.guard.protected = vec![world.scene.finding.fingerprint.to_string()];
        } else {
            world.scene.guard.owned.clear();
        }
        let told = world.pass().await;
        assert_eq!(World::kinds(&told), [NoticeKind::Left], "{told:?}");
        assert_eq!((world.pass().await, world.changes()), (vec![], 0));
    }
}

#[tokio::test]
async fn while_the_stop_file_is_there_nothing_is_begun_and_nothing_goes_on() {
    let mut world = World::new(false);
    let file = tempfile::NamedTempFile::new().expect("a file");
    world.stop = Some(file.path().to_owned());
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Held]);
    assert!(world.scene.provider.heard().is_empty());
    world.stop = None;
    world.pass().await;
    world.clock.advance(Duration::from_hours(2));
    world.stop = Some(file.path().to_owned());
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Held], "what is due waits too");
    drop(file);
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Partly]);
}

#[tokio::test]
async fn what_cannot_be_begun_is_tried_again_a_few_times_and_then_left() {
    let mut world = World::new(false);
    world.able = false;
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Held], "said once");
    assert_eq!(world.pass().await, [], "not before its pause is over");
    let mut said = Vec::new();
    for _ in 0..10 {
        world.clock.advance(Duration::from_hours(1));
        said.extend(world.pass().await);
    }
    assert!(World::kinds(&said) == [NoticeKind::Left] && said[0].lines[0].contains("5 attempts"), "{said:?}");
    let mut world = World::new(false);
    world.able = false;
    world.pass().await;
    world.able = true;
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits], "and it is not lost");
}

#[tokio::test]
async fn a_run_that_stops_is_told_with_its_reason_and_counts() {
    let mut world = World::new(true);
    world.policy.failures = 1;
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Failed] && told[0].lines.iter().any(|line| line.contains("no")), "{told:?}");
    // Another finding is held back until somebody looks at that run, and that is told by its own name, once.
    let mut other = world.scene.finding.clone();
    other.fingerprint = crate::secret::FingerprintKey::new([9; 32]).fingerprint(b"other");
    let mut dead = other.clone();
    dead.fingerprint = crate::secret::FingerprintKey::new([9; 32]).fingerprint(b"dead");
    dead.liveness.liveness = Liveness::Dead("x".into());
    world.store.save(&[other, dead], Timestamp::UNIX_EPOCH).expect("saved");
    let held = world.pass().await;
    assert!(World::kinds(&held) == [NoticeKind::Left] && held[0].lines[0].contains("came to a stop"), "{held:?}");
    assert!(held[0].kind.is_urgent() && !held[0].fingerprint.is_empty());
    assert_eq!(world.pass().await, []);
    world.watcher(&world.scene.runner().folder).looked().expect("kept");
    let next = world.pass().await;
    assert!(!next.iter().any(|notice| notice.lines[0].contains("held back")), "{next:?}");
}

#[tokio::test]
async fn what_a_scan_once_saw_live_is_asked_about_again_before_anything_is_done() {
    let identity = [("organization", "acme"), ("project", "proj_1")];
    let dead = Provider::new(|_: &Asked| http("401 x", "", &json!({ "error": { "code": "invalid_api_key" } }).to_string()));
    let scene = Scene::new("openai-project-key", "openai-project-key-contain", &identity, dead);
    let world = World { scene, ..World::new(false) };
    assert_eq!(world.pass().await, [], "it is dead by now, and nobody is woken");
    assert!(!world.scene.provider.heard().iter().any(|asked| asked.line.contains("rate_limits")));
    assert!(world.scene.runner().folder.runs().expect("runs").is_empty());
    let mut world = World::new(false);
    world.scene.readable = false;
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Held] && told[0].lines[0].contains("no longer readable"), "{told:?}");
    assert_eq!(world.changes(), 0);
}

/// Another finding of the same kind, that nothing has been decided about.
fn another(world: &World, name: &str) -> crate::model::Finding {
    let fingerprint = crate::secret::FingerprintKey::new([9; 32]).fingerprint(name.as_bytes());
    crate::model::Finding { fingerprint, ..world.scene.finding.clone() }
}

#[tokio::test]
async fn a_first_run_that_fails_keeps_the_others_of_its_pass_from_being_begun() {
    let mut world = World::new(true);
    // What is worst comes first: that is the one whose value the scene has.
    let mut others = [another(&world, "one"), another(&world, "two")];
    for finding in &mut others {
        finding.severity = crate::model::Severity::Low;
    }
    world.store.save(&others, Timestamp::UNIX_EPOCH).expect("saved");
    let told = world.pass().await;
    assert_eq!(World::kinds(&told), [NoticeKind::Failed, NoticeKind::Held], "{told:?}");
    assert!(told[1].fingerprint.is_empty() && told[1].lines[0].contains("nothing more is begun"), "{told:?}");
    let rows = world.store.watched().expect("rows");
    assert_eq!(rows.len(), 1, "nothing was decided about the others: {rows:?}");
    // Somebody knocks: that is no other wave, and nobody is told a second time.
    assert_eq!(world.pass().await, []);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!((world.pass().await, world.store.watched().expect("rows").len()), (vec![], 1));
    // They have their turn in the next pass that is due: nobody is left out.
    world.clock.advance(Duration::from_secs(2));
    let next = world.pass().await;
    assert_eq!(World::kinds(&next), [NoticeKind::Held, NoticeKind::Held], "{next:?}");
    assert!(next.iter().all(|notice| notice.lines[0].contains("no longer readable")), "{next:?}");
}

#[tokio::test]
async fn a_first_run_whose_proof_does_not_come_keeps_the_others_from_being_begun() {
    // Nothing is proved here: the provider goes on taking the value.
    let proof =
        "[[step]]\nid = \"prove-refused\"\naction = \"key-verify-refused\"\non_failure = \"continue\"\ntimeout = 0\n";
    let mut world = World::new(false);
    let text = PLAYBOOK.replace("watch = 3600\n", "") + proof;
    let source = PlaybookSource { id: "p".into(), file: "p.toml".into(), text };
    world.playbooks = Playbooks::new(&[source]).expect("a playbook");
    let mut other = another(&world, "one");
    other.severity = crate::model::Severity::Low;
    world.store.save(&[other], Timestamp::UNIX_EPOCH).expect("saved");
    let told = world.pass().await;
    assert_eq!(World::kinds(&told), [NoticeKind::Unproved, NoticeKind::Held], "{told:?}");
    assert_eq!(world.store.watched().expect("rows").len(), 1, "the other was not begun");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Held], "and is in its turn, though its value is not there");
}

#[test]
fn after_ten_that_went_well_one_without_a_proof_is_its_own() {
    let mut begun = super::begun::Begun::default();
    let count = |begun: &mut super::begun::Begun, kind| {
        begun.count(&Notice { kind, ..Notice::held(String::new(), Timestamp::UNIX_EPOCH) });
    };
    (0..9).for_each(|_| count(&mut begun, NoticeKind::Waits));
    let mut early = super::begun::Begun { good: begun.good, ..super::begun::Begun::default() };
    count(&mut early, NoticeKind::Unproved);
    assert!(early.enough());
    count(&mut begun, NoticeKind::Done);
    (0..3).for_each(|_| count(&mut begun, NoticeKind::Unproved));
    assert!(!begun.enough());
}

#[tokio::test]
async fn what_is_to_be_tried_again_is_not_lost_to_a_clock_that_was_set_back() {
    let mut world = World::new(false);
    world.able = false;
    world.clock.advance(Duration::from_hours(24 * 365));
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Held]);
    // The clock was a year ahead: its word for when it is tried again is worth nothing.
    world.able = true;
    world.clock = Arc::new(TestClock::new(Timestamp::from_second(1000).expect("a time")));
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits]);
    assert_eq!(world.changes(), 1);
    // What counts as begun within the hour does so for a clock that goes back as well.
    world.policy.runs_per_hour = 1;
    world.store.save(&[another(&world, "next")], Timestamp::UNIX_EPOCH).expect("saved");
    world.clock = Arc::new(TestClock::new(Timestamp::UNIX_EPOCH));
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Held, NoticeKind::Left], "{told:?}");
    assert!(told[0].lines[0].contains("the clock is wrong") && told[1].lines[0].contains("as many as may be"), "{told:?}");
    // For an hour, and not until the clock has come as far again; and it is said once.
    world.clock.advance(Duration::from_mins(59));
    assert_eq!(world.pass().await, []);
    world.clock.advance(Duration::from_mins(2));
    let told = world.pass().await;
    assert!(told.iter().any(|notice| notice.lines[0].contains("no longer readable")), "its turn has come: {told:?}");
}

#[tokio::test]
async fn which_runs_were_the_latest_is_not_told_by_the_clock() {
    for passes in [0, 1] {
        let mut world = World::new(false);
        world.clock.advance(Duration::from_hours(24));
        world.pass().await;
        let folder = world.scene.runner().folder;
        let good = crate::respond::replayed(&folder.runs().expect("runs")[0]).expect("a journal");
        let mut failed = good.clone();
        (failed.digest, failed.state) = ("f".repeat(64), crate::model::RunState::Stopped);
        failed.steps[0].state = crate::model::StepState::Failed;
        // The clock is set back before the next one is begun.
        world.clock = Arc::new(TestClock::new(Timestamp::UNIX_EPOCH));
        for _ in 0..passes {
            assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Held]);
        }
        let at = world.watcher(&folder).moment().expect("a moment");
        let row = crate::store::Watched::new(&another(&world, "next"), WatchState::Acted, at);
        world.store.watch(&crate::store::Watched { digest: failed.digest.clone(), ..row }).expect("kept");
        let rows = world.store.watched().expect("rows");
        assert_eq!(super::stopped_in_a_row(&rows, &[good, failed]), 1, "{rows:?}");
    }
}

#[tokio::test]
async fn what_a_cap_on_rotations_holds_is_no_attempt_told_once_and_begun_when_it_may_be() {
    let mut world = World::new(false);
    let source = PlaybookSource {
        id: "p".into(),
        file: "p.toml".into(),
        text: PLAYBOOK.replace("mode = \"contain\"", "mode = \"rotate\""),
    };
    world.playbooks = Playbooks::new(&[source]).expect("a playbook");
    world.scene.guard.rotations = Some(crate::respond::Hourly { per_hour: 0, per_account: 9 });
    let held = world.pass().await;
    assert!(World::kinds(&held) == [NoticeKind::Held] && held[0].lines[0].contains("held back"), "{held:?}");
    for _ in 0..8 {
        world.clock.advance(Duration::from_mins(11));
        assert_eq!(world.pass().await, [], "it is told once, however often it is looked at");
    }
    let row = world.store.watched().expect("rows").remove(0);
    assert_eq!((row.state, row.attempts, world.changes()), (WatchState::Retry, 0, 0), "nothing is wrong with it");
    world.scene.guard.rotations = Some(crate::respond::Hourly { per_hour: 9, per_account: 9 });
    world.clock.advance(Duration::from_mins(11));
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits]);
    assert_eq!(world.changes(), 1);
}

#[tokio::test]
async fn a_rotation_that_is_dated_later_than_now_counts_for_an_hour() {
    let mut world = World::new(false);
    let text = PLAYBOOK.replace("mode = \"contain\"", "mode = \"rotate\"");
    world.playbooks = Playbooks::new(&[PlaybookSource { id: "p".into(), file: "p.toml".into(), text }]).expect("a playbook");
    world.scene.guard.rotations = Some(crate::respond::Hourly { per_hour: 1, per_account: 9 });
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits]);
    let runner = world.scene.runner();
    let plan = runner.folder.runs().expect("runs")[0].plan().expect("a plan");
    let room = async |minutes: i64| {
        let now = Timestamp::from_second(minutes * 60).expect("a time");
        runner.room(&plan, now).await.map(|_| ()).map_err(|error| error.to_string())
    };
    for minutes in [0, 59] {
        let why = room(minutes).await.expect_err("it may have been just now");
        assert!(why.contains("the clock is wrong"), "{minutes}: {why}");
    }
    assert_eq!(room(61).await, Ok(()), "and not until the clock has come as far");
}

#[tokio::test]
async fn asked_to_end_it_begins_nothing_more() {
    let world = World::new(false);
    world.ending.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!((world.pass().await, world.changes()), (vec![], 0));
}

#[tokio::test]
async fn asked_to_end_while_the_value_is_read_again_it_leaves_all_as_it_was() {
    let world = World::new(false);
    let folder = world.scene.runner().folder;
    let ended = async |_: Work<'_>| {
        world.ending.store(true, std::sync::atomic::Ordering::Relaxed);
        Err("interrupted".to_owned())
    };
    let told = std::cell::RefCell::new(Vec::new());
    let pass = async || {
        world.ending.store(false, std::sync::atomic::Ordering::Relaxed);
        world.watcher(&folder).pass(&ended, &async |notice| told.borrow_mut().push(notice)).await.expect("a pass");
    };
    // However often, it is no attempt, and nobody is woken.
    for _ in 0..6 {
        pass().await;
    }
    world.ending.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Waits], "the next watch takes it up");
    // Nor is a run that would go on held to be stuck.
    world.clock.advance(Duration::from_hours(2));
    pass().await;
    world.ending.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(World::kinds(&world.pass().await), [NoticeKind::Partly]);
    assert_eq!((told.into_inner(), world.changes()), (vec![], 1));
}

#[tokio::test]
async fn what_kills_the_process_again_and_again_is_left_to_a_person() {
    let world = World::new(false);
    let new = || crate::store::Watched::new(&world.scene.finding, WatchState::Retry, Timestamp::UNIX_EPOCH);
    world.store.watch(&crate::store::Watched { attempts: 5, ..new() }).expect("kept");
    let told = world.pass().await;
    assert!(World::kinds(&told) == [NoticeKind::Left] && told[0].lines[0].contains("ended with the process"), "{told:?}");
    assert_eq!((world.pass().await, world.changes()), (vec![], 0));
}
