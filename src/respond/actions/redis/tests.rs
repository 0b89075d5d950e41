//! Whose user is turned off, on what proof, and what is said where something goes wrong: against a server that keeps users and
//! follows the documented answers.

mod keep;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Action, Outcome, World};
use super::STOP;
use crate::model::{Credential, Finding, Plan, Run, StepState, TestClock};
use crate::net::testing::{Peer, Server};
use crate::net::{Net, Settings};
use crate::respond::testing::{credential, finding, runner, set, step};
use crate::respond::{Admin, Folder, Guard, Hands, Playbooks, RespondError, Runner, Stores, builtin_playbooks, draft};
use crate::secret::{Fingerprint, FingerprintKey, Secret};

const CHIEF: (&str, &str) = ("chief", "hY7n-3cQs_Vd8KpT");

/// Of the tests alone.
fn password() -> String {
    ["aV6w-4tQm", "_Hd9SjR"].concat()
}

/// What a server calls a password.
fn hash(password: &str) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, password.as_bytes()).as_ref())
}

/// What happens to a command of the administrator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection is cut, and it is not done.
    CutBefore,
    /// It is done, and the connection is cut.
    CutAfter,
    /// It is answered with this, and not done.
    Says(&'static str),
    /// It is said to be done, and is not.
    Lie,
    /// It is answered with something that is no answer, and not done.
    Garbled,
}

const FAULTS: [Fault; 6] = [
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::Says("-NOPERM this user has no permissions\r\n"),
    Fault::Says("-ERR something went wrong\r\n"),
    Fault::Lie,
    Fault::Garbled,
];

#[derive(Default)]
struct Cache {
    /// Password, and whether it is on.
    users: BTreeMap<String, (String, bool)>,
    /// Connections that are closed look by look; none after that.
    connections: Vec<usize>,
    looks: usize,
    changes: usize,
    aclfile: &'static str,
    saves: usize,
    info: &'static str,
    /// Every user is let in with any password.
    nopass: bool,
    /// What the server calls the other passwords of every user.
    others: Vec<String>,
    /// Whose own was taken away.
    without: Vec<String>,
    /// Somebody turns users on while their connections are closed.
    revived: bool,
    /// Which of the administrator's commands from now on goes wrong, and how.
    fault: Option<(usize, Fault)>,
}

impl Cache {
    fn fault(&mut self) -> Option<Fault> {
        let (left, fault) = self.fault.take()?;
        if left == 0 {
            return Some(fault);
        }
        self.fault = Some((left - 1, fault));
        None
    }

    fn answer(&mut self, words: &[&str]) -> String {
        let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        match words {
            ["ACL", "GETUSER", name] => match self.users.get(*name) {
                None => "*-1\r\n".to_owned(),
                Some((password, on)) => {
                    let more = bulk(if self.nopass { "nopass" } else { "allkeys" });
                    let flags = format!("*2\r\n{}{more}", bulk(if *on { "on" } else { "off" }));
                    let own = Some(hash(password)).filter(|_| !self.without.iter().any(|user| user == name));
                    let all: Vec<String> = own.iter().chain(&self.others).map(|one| bulk(one)).collect();
                    format!("*4\r\n{}{flags}{}*{}\r\n{}", bulk("flags"), bulk("passwords"), all.len(), all.concat())
                }
            },
            ["ACL", "SETUSER", name, rule] if rule.starts_with(['!', '#']) => {
                self.changes += 1;
                assert_eq!(rule[1..], hash(&self.users[*name].0), "another password");
                self.without.retain(|user| user != name);
                if rule.starts_with('!') {
                    self.without.push((*name).to_owned());
                }
                "+OK\r\n".to_owned()
            }
            ["ACL", "SETUSER", name, state] => {
                self.changes += 1;
                self.users.entry((*name).to_owned()).or_default().1 = *state == "on";
                "+OK\r\n".to_owned()
            }
            ["CLIENT", "KILL", "USER", name] => {
                if self.revived {
                    self.users.entry((*name).to_owned()).or_default().1 = true;
                }
                let closed = self.connections.get(self.looks).copied().unwrap_or(0);
                self.looks += 1;
                format!(":{closed}\r\n")
            }
            ["CONFIG", "GET", "aclfile"] => format!("*2\r\n{}{}", bulk("aclfile"), bulk(self.aclfile)),
            ["ACL", "SAVE"] => {
                self.saves += 1;
                "+OK\r\n".to_owned()
            }
            ["INFO", "replication"] => bulk(self.info),
            ["INFO", _] => bulk("# Cluster\r\ncluster_enabled:0\r\n"),
            _ => "-ERR unknown command\r\n".to_owned(),
        }
    }
}

/// A connection: it begins as nobody.
fn talk(peer: &mut Peer, cache: &Mutex<Cache>) {
    let mut who = String::new();
    loop {
        let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
        let words: Vec<&str> = heard.split("\r\n").skip(2).step_by(2).collect();
        let login = match words.as_slice() {
            [] => return,
            ["AUTH", user, password] => Some((*user, *password)),
            ["AUTH", password] => Some(("default", *password)),
            _ => None,
        };
        if let Some((user, password)) = login {
            let cache = cache.lock().expect("the users");
            let right = cache.users.get(user).is_some_and(|(known, on)| *on && known == password)
                && !cache.without.iter().any(|name| name == user);
            drop(cache);
            let said: &[u8] =
                if right { b"+OK\r\n" } else { b"-WRONGPASS invalid username-password pair or user is disabled.\r\n" };
            if right {
                user.clone_into(&mut who);
            }
            peer.say(said);
            continue;
        }
        if who.is_empty() {
            peer.say(b"-NOAUTH Authentication required.\r\n");
            continue;
        }
        if words == ["ACL", "WHOAMI"] {
            peer.say(format!("${}\r\n{who}\r\n", who.len()).as_bytes());
            continue;
        }
        let mut cache = cache.lock().expect("the users");
        let fault = cache.fault();
        let said = match fault {
            Some(Fault::CutBefore) => return,
            Some(Fault::Says(text)) => text.to_owned(),
            Some(Fault::Garbled) => "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(),
            Some(Fault::Lie) if words.first() == Some(&"ACL") && words.get(1) == Some(&"SETUSER") => "+OK\r\n".to_owned(),
            _ => cache.answer(&words),
        };
        if fault == Some(Fault::CutAfter) {
            return;
        }
        drop(cache);
        peer.say(said.as_bytes());
    }
}

/// A server with users, URLs that were found, and a runner over both.
struct Scene {
    server: Server,
    cache: Arc<Mutex<Cache>>,
    found: Vec<Credential>,
    guard: Guard,
    admin: (&'static str, &'static str),
    /// Made once: it reads the machine's certificates.
    net: Arc<Net>,
    dir: tempfile::TempDir,
}

impl Scene {
    /// Users of these names with the leaked password, and a URL found for each of `found`.
    fn new(users: &[&str], found: &[&str]) -> Self {
        let mut cache = Cache { info: "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n", ..Cache::default() };
        cache.users.extend(users.iter().map(|user| ((*user).to_owned(), (password(), true))));
        cache.users.insert(CHIEF.0.to_owned(), (CHIEF.1.to_owned(), true));
        let cache = Arc::new(Mutex::new(cache));
        let shared = Arc::clone(&cache);
        let server = Server::talking(move |peer| talk(peer, &shared));
        let owned = [("redis".to_owned(), vec!["127.0.0.1".to_owned()])].into();
        let settings = Settings {
            allow_hosts: vec!["127.0.0.1".to_owned()],
            allow_nets: vec![Net::parse_net("127.0.0.0/8").expect("a net")],
            ..Settings::default()
        };
        let mut scene = Self {
            server,
            cache,
            found: Vec::new(),
            guard: Guard { owned, most_changes: 20, ..Guard::default() },
            admin: CHIEF,
            net: Arc::new(Net::new(settings).expect("clients")),
            dir: tempfile::tempdir().expect("scratch"),
        };
        scene.found = found.iter().map(|user| scene.leak(user, &password())).collect();
        scene
    }

    fn url(&self, (user, password): (&str, &str)) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}/0", self.server.port)
    }

    fn leak(&self, user: &str, password: &str) -> Credential {
        credential("redis-url", &format!("REDIS_URL={}\n", self.url((user, password))))
    }

    fn key() -> FingerprintKey {
        FingerprintKey::new([7; 32])
    }

    fn finding(&self) -> Finding {
        let first = self.found.first().expect("one");
        finding(set().get("redis-url").expect("the detector"), first, (&[("host", "127.0.0.1")], &Self::key()))
    }

    fn hands(&self) -> Hands {
        let copies: Vec<Credential> = self.found.iter().map(Credential::duplicate).collect();
        let admin = Admin::new("env:TEST".to_owned(), Secret::new(self.url(self.admin).as_bytes()));
        Hands {
            net: Arc::clone(&self.net),
            aws: None,
            own: admin.fingerprints(&Self::key()),
            admin: Some(admin),
            unset: None,
            detector: set().get("redis-url").cloned(),
            recall: Box::new(move |_: &Fingerprint| copies.iter().map(Credential::duplicate).collect()),
            stores: Stores { listed: Vec::new(), consumers: Vec::new(), key: Some(Self::key()) },
            clock: Arc::new(TestClock::new(Timestamp::UNIX_EPOCH)),
        }
    }

    fn runner(&self) -> Runner {
        runner(self.hands(), Folder::open(self.dir.path()).expect("a folder"), self.guard.clone())
    }

    async fn plan(&self) -> Result<Plan, RespondError> {
        let mut playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        playbooks.0.retain(|one| one.id == "redis-user-contain");
        playbooks.0[0].steps.iter_mut().filter(|step| step.id.ends_with("-refused")).for_each(|step| step.timeout = 0);
        draft(&self.finding(), &playbooks, &self.hands(), &self.guard).await
    }

    async fn apply(&self, plan: &Plan) -> Run {
        let runner = self.runner();
        let digest = runner.folder.keep(plan).expect("kept");
        runner.apply(&digest).await.expect("a run")
    }

    /// What comes of it where a person says that a step is done.
    async fn says<F: Future<Output = Result<Run, RespondError>>>(&self, id: &str, doing: impl FnOnce(Runner) -> F) -> Run {
        let mut runner = self.runner();
        runner.confirmed = vec![id.to_owned()];
        doing(runner).await.expect("a run")
    }

    /// What the stop comes to on its own, where the plan saw `before`.
    async fn stops(&self, plan: &Plan, before: &Value) -> Outcome {
        let (hands, with) = (self.hands(), BTreeMap::new());
        let world = World {
            hands: &hands,
            plan,
            digest: "",
            step: "stop",
            with: &with,
            timeout: Duration::ZERO,
            so_far: &[],
            before,
            confirmed: false,
            requester: "tests",
            folder: None,
            notes: None,
            record: &Value::Null,
        };
        STOP.apply(&world).await
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().expect("the users")
    }

    fn counted<T>(&self, of: impl Fn(&Cache) -> T) -> T {
        of(&self.cache())
    }

    fn is_on(&self, user: &str) -> Option<bool> {
        self.cache().users.get(user).map(|(_, on)| *on)
    }

    fn object(&self, user: &str, state: &str) -> Value {
        json!({ "object": format!("127.0.0.1:{}/{user}", self.server.port), "state": state, "elsewhere": null })
    }
}

/// Why a plan saw nothing, and that nothing was changed by it.
async fn unseen(scene: &Scene) -> String {
    let plan = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].observed.is_null(), "{}", plan.steps[0].observed);
    let run = scene.apply(&plan).await;
    let (state, why) = step(&run, "stop");
    assert_eq!((state, scene.counted(|cache| cache.changes)), (StepState::Refused, 0), "{why}");
    plan.unknowns.iter().find(|text| text.starts_with("what stop would find")).expect("a reason").clone()
}

#[tokio::test]
async fn a_user_is_turned_off_proved_to_be_and_on_again_though_its_password_can_be_read_no_more() {
    let mut scene = Scene::new(&["ops@corp", "ops"], &["ops%40corp"]);
    // A login that was under way is closed too.
    scene.cache().connections = vec![3, 0, 1];
    let plan = scene.plan().await.expect("a plan");
    assert_eq!(plan.target.get("user").map(String::as_str), Some("ops@corp"));
    assert_eq!(plan.steps[0].observed, scene.object("ops@corp", "on"), "{:?}", plan.unknowns);
    assert!(plan.steps[0].reversible);
    let run = scene.apply(&plan).await;
    assert_eq!((step(&run, "stop").0, step(&run, "prove-refused").0), (StepState::Succeeded, StepState::Succeeded));
    assert_eq!((scene.is_on("ops@corp"), scene.is_on("ops")), (Some(false), Some(true)));
    let (looks, saves) = scene.counted(|cache| (cache.looks, cache.saves));
    assert_eq!((looks, saves), (5, 0), "and two looks that saw nobody; nothing to save into");
    scene.found.clear();
    let run = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((step(&run, "stop").0, scene.is_on("ops@corp")), (StepState::Undone, Some(true)));
}

#[tokio::test]
async fn it_says_how_long_it_lasts_and_what_else_there_is() {
    let scene = Scene::new(&["ops"], &["ops"]);
    scene.cache().info = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n";
    let plan = scene.plan().await.expect("a plan");
    let seen = plan.steps[0].observed.clone();
    assert!(seen["elsewhere"].as_str().is_some_and(|text| text.contains("do it there too")), "{seen}");
    let Outcome::Done(done) = scene.stops(&plan, &seen).await else { panic!("done") };
    // The playbook's next step says how long it lasts.
    assert!(done["lasts"].is_null(), "{done}");
    let mut alone = plan.clone();
    alone.steps.retain(|step| step.id != "keep");
    let Outcome::AlreadyDone(done) = scene.stops(&alone, &seen).await else { panic!("already done") };
    assert!(
        done["lasts"].as_str().is_some_and(|text| text.contains("until the server restarts: it has no ACL file")),
        "{done}"
    );
    scene.cache().aclfile = "/etc/redis/users.acl";
    let Outcome::AlreadyDone(again) = scene.stops(&alone, &seen).await else { panic!("already done") };
    assert!(
        again["lasts"]
            .as_str()
            .is_some_and(|text| text.starts_with("until") && text.contains("/etc/redis/users.acl was not written")),
        "{again}"
    );
    assert_eq!(scene.counted(|cache| (cache.saves, cache.changes)), (0, 1), "what others have changed in it stays");
}

#[tokio::test]
async fn a_user_who_needs_no_password_or_is_turned_on_again_is_not_called_stopped() {
    let scene = Scene::new(&["ops"], &["ops"]);
    scene.cache().nopass = true;
    let run = scene.apply(&scene.plan().await.expect("a plan")).await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.contains("nopass"), "{state:?} {why}");
    assert_eq!(scene.counted(|cache| cache.changes), 0);
    let scene = Scene::new(&["ops"], &["ops"]);
    scene.cache().revived = true;
    let run = scene.apply(&scene.plan().await.expect("a plan")).await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Unknown && why.contains("reads as on again"), "{state:?} {why}");
    assert_eq!(scene.counted(|cache| cache.saves), 0);
}

#[tokio::test]
async fn the_default_user_and_the_responders_own_are_left() {
    for user in ["", "default"] {
        let scene = Scene::new(&["default"], &[user]);
        let why = unseen(&scene).await;
        assert!(why.contains("default user") && why.contains("resetpass"), "{why}");
    }
    let mut scene = Scene::new(&["ops"], &["ops"]);
    scene.admin = ("ops", "nB5x-8rWk_Tc3YqG");
    assert!(unseen(&scene).await.contains("responder's own user"));
}

#[tokio::test]
async fn a_made_up_password_another_user_and_a_shared_one_keep_nobody_out() {
    let mut scene = Scene::new(&["ops"], &[]);
    scene.found = vec![scene.leak("ops", &["kP3z", "-9xWm_Vt5LqB"].concat())];
    assert!(unseen(&scene).await.contains("is not proved"));
    // A word in place of a user, where the default user has that password.
    let scene = Scene::new(&["default"], &["h"]);
    assert!(unseen(&scene).await.contains("opens another user"));
    let scene = Scene::new(&["shop", "clerk"], &["shop", "clerk"]);
    assert!(unseen(&scene).await.contains("several users"));
    // It is the user that the credential opens now.
    let mut scene = Scene::new(&["shop", "clerk"], &["shop"]);
    let plan = scene.plan().await.expect("a plan");
    scene.found = vec![scene.leak("clerk", &password())];
    let outcome = scene.stops(&plan, &plan.steps[0].observed).await;
    assert!(matches!(&outcome, Outcome::Refused(why) if why.contains("another user")), "{outcome:?}");
    assert_eq!(scene.cache().changes, 0);
}

#[tokio::test]
async fn a_user_that_is_gone_is_never_made() {
    let scene = Scene::new(&["ops"], &["ops"]);
    let plan = scene.plan().await.expect("a plan");
    let seen = plan.steps[0].observed.clone();
    let run = scene.apply(&plan).await;
    assert_eq!(step(&run, "stop").0, StepState::Succeeded);
    scene.cache().users.remove("ops");
    let outcome = scene.stops(&plan, &seen).await;
    assert!(matches!(&outcome, Outcome::AlreadyDone(now) if now["state"] == "absent"), "{outcome:?}");
    let run = scene.runner().undo(&run.id).await.expect("a run");
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::UndoFailed && why.contains("deleted since"), "{state:?} {why}");
    assert_eq!(scene.is_on("ops"), None);
}

/// Applied, or walked back, with the `at`th command of that going wrong: what was said is so, and in peace it comes to its end.
/// Whether there was such a command.
async fn story(at: usize, fault: Fault, back: bool) -> bool {
    let moment = format!("{fault:?} at {at}, back {back}");
    let scene = Scene::new(&["ops"], &["ops"]);
    scene.cache().aclfile = "/users.acl";
    let plan = scene.plan().await.expect("a plan");
    let runner = scene.runner();
    let digest = runner.folder.keep(&plan).expect("kept");
    let spoil = || scene.cache().fault = Some((at, fault));
    if !back {
        spoil();
    }
    let run = match runner.apply(&digest).await {
        Ok(run) => run,
        // The look before the first change could not be had, and nothing was begun.
        Err(error) => {
            assert_eq!(scene.counted(|cache| cache.changes), 0, "{moment}: {error}");
            return true;
        }
    };
    let run = if back {
        spoil();
        runner.undo(&run.id).await.expect("a run")
    } else {
        run
    };
    let (state, why) = step(&run, "stop");
    match state {
        StepState::Succeeded => assert_eq!(scene.is_on("ops"), Some(false), "{moment}: {why}"),
        StepState::Undone | StepState::Refused | StepState::Failed => {
            assert_eq!(scene.is_on("ops"), Some(true), "{moment}: {why}");
        }
        _ => {}
    }
    if scene.cache().fault.take().is_some() {
        return false;
    }
    let again = if back { runner.undo(&run.id).await } else { runner.resume(&run.id).await };
    let run = again.expect("a run");
    let wanted = if back { StepState::Undone } else { StepState::Succeeded };
    assert_eq!((step(&run, "stop").0, scene.is_on("ops")), (wanted, Some(back)), "{moment}: {}", step(&run, "stop").1);
    true
}

#[test]
fn every_command_goes_wrong_in_every_way() {
    // All at once: most of the time is spent waiting.
    std::thread::scope(|scope| {
        for (fault, back) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let met = (0..50).take_while(|&at| runtime.block_on(story(at, fault, back))).count();
                assert!((4..50).contains(&met), "{fault:?}, back {back}: only {met} commands were met");
            });
        }
    });
}
