//! Whose role is stopped, on what proof, and what is taken for proof that it stays out: against a server that keeps roles and
//! follows the documented messages.

mod faults;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::login_refused::POSTGRES;
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

/// A role: its password, and whether it may log in. Of one that a pooler maps the server knows nothing.
#[derive(Clone)]
struct Known {
    password: String,
    login: Option<bool>,
}

#[derive(Default)]
struct Database {
    roles: BTreeMap<String, Known>,
    /// Sessions that are ended look by look; none after that.
    sessions: Vec<usize>,
    looks: usize,
    changes: Vec<String>,
    /// Which statement from now on goes wrong, and how.
    fault: Option<(usize, Fault)>,
    /// Sessions that began by saying how long a statement may wait.
    bounded: usize,
    /// Somebody lets that role in again while its sessions are ended.
    rival: Option<String>,
}

/// What happens to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection is cut, and it is not done.
    CutBefore,
    /// It is done, and the connection is cut.
    CutAfter,
    /// It is answered with this code, and not done.
    Says(&'static str),
    /// It is said to be done, and is not.
    Lie,
    /// It is answered with something that is no answer, and not done.
    Garbled,
    /// Nothing is answered for longer than anybody waits, and it is not done.
    HangBefore,
    /// The same, and it is done.
    HangAfter,
}

fn said(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [&[kind][..], &length, body].concat()
}

fn refusal(code: &str) -> Vec<u8> {
    said(b'E', format!("SFATAL\0C{code}\0\0").as_bytes())
}

/// A row of one field.
fn row(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short").to_be_bytes();
    said(b'D', &[&[0, 1], &length[..], text.as_bytes()].concat())
}

impl Database {
    /// What happens to this statement.
    fn fault(&mut self) -> Option<Fault> {
        let (left, fault) = self.fault.take()?;
        if left == 0 {
            return Some(fault);
        }
        self.fault = Some((left - 1, fault));
        None
    }

    fn answer(&mut self, sql: &str) -> Vec<u8> {
        let between = |mark: char| sql.split(mark).nth(1).unwrap_or_default().to_owned();
        let rows = if sql.starts_with("select rolcanlogin") {
            let login = self.roles.get(&between('\'')).and_then(|role| role.login);
            login.map(|may| row(if may { "t" } else { "f" })).unwrap_or_default()
        } else if sql.starts_with("alter role") {
            self.changes.push(sql.to_owned());
            if let Some(role) = self.roles.get_mut(&between('"')) {
                role.login = Some(!sql.ends_with(" nologin"));
            }
            Vec::new()
        } else {
            let count = self.sessions.get(self.looks).copied().unwrap_or(0);
            self.looks += 1;
            if let Some(role) = self.rival.take().and_then(|rival| self.roles.get_mut(&rival)) {
                role.login = Some(true);
            }
            row("t").repeat(count)
        };
        [rows, said(b'Z', b"I")].concat()
    }
}

fn talk(peer: &mut Peer, database: &Mutex<Database>) {
    let start = peer.hear();
    let user = start.get(8..).and_then(|words| words.split(|&b| b == 0).nth(1)).unwrap_or_default();
    let user = String::from_utf8_lossy(user).into_owned();
    peer.say(&said(b'R', &[0, 0, 0, 3]));
    let heard = peer.hear();
    let given = heard.get(5..heard.len().saturating_sub(1)).unwrap_or_default().to_vec();
    let role = database.lock().expect("the roles").roles.get(&user).cloned();
    let Some(role) = role.filter(|role| role.password.as_bytes() == given) else {
        peer.say(&refusal("28P01"));
        return;
    };
    let accepted = said(b'R', &[0; 4]);
    if role.login == Some(false) {
        peer.say(&[accepted, refusal("28000")].concat());
        return;
    }
    peer.say(&[accepted, said(b'Z', b"I")].concat());
    loop {
        let heard = peer.hear();
        let Some(sql) = heard.strip_prefix(b"Q").and_then(|rest| rest.get(4..rest.len() - 1)) else { return };
        let sql = String::from_utf8_lossy(sql).into_owned();
        // Every session begins so; it is no question.
        if sql.starts_with("set lock_timeout") {
            database.lock().expect("the roles").bounded += 1;
            peer.say(&said(b'Z', b"I"));
            continue;
        }
        let fault = database.lock().expect("the roles").fault();
        match fault {
            Some(Fault::CutBefore) => return,
            Some(Fault::CutAfter) => {
                database.lock().expect("the roles").answer(&sql);
                return;
            }
            Some(Fault::Says(code)) => {
                peer.say(&[refusal(code), said(b'Z', b"I")].concat());
                continue;
            }
            // What a server says of its roles is believed; what it says of a change is looked at.
            Some(Fault::Lie) if sql.starts_with("alter") => {
                peer.say(&said(b'Z', b"I"));
                continue;
            }
            None | Some(Fault::Lie) => {}
            Some(Fault::Garbled) => {
                peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                return;
            }
            Some(hang) => {
                if hang == Fault::HangAfter {
                    database.lock().expect("the roles").answer(&sql);
                }
                peer.stall();
                peer.stall();
                return;
            }
        }
        let answer = database.lock().expect("the roles").answer(&sql);
        peer.say(&answer);
    }
}

/// A server with roles, URLs that were found, and a runner over both.
struct Scene {
    server: Server,
    database: Arc<Mutex<Database>>,
    found: Vec<Credential>,
    guard: Guard,
    /// So long a login and its statements may take.
    timeout: Duration,
    /// Made once: it reads the machine's certificates.
    net: std::sync::OnceLock<Arc<Net>>,
    dir: tempfile::TempDir,
}

impl Scene {
    /// Roles of these names with the leaked password, and a URL found for each of `users`.
    fn new(roles: &[&str], users: &[&str]) -> Self {
        let known = |password: String| Known { password, login: Some(true) };
        let mut database = Database::default();
        database.roles.extend(roles.iter().map(|role| ((*role).to_owned(), known(password()))));
        database.roles.insert(CHIEF.0.to_owned(), known(CHIEF.1.to_owned()));
        let database = Arc::new(Mutex::new(database));
        let shared = Arc::clone(&database);
        let server = Server::talking(move |peer| talk(peer, &shared));
        let owned = [("postgres".to_owned(), vec!["127.0.0.1".to_owned()])].into();
        let guard = Guard { owned, most_changes: 20, ..Guard::default() };
        let (timeout, dir) = (Settings::default().timeout, tempfile::tempdir().expect("scratch"));
        let net = std::sync::OnceLock::new();
        let mut scene = Self { server, database, found: Vec::new(), guard, timeout, net, dir };
        scene.found = users.iter().map(|user| scene.leak(user, &password())).collect();
        scene
    }

    fn url(&self, user: &str, password: &str) -> String {
        format!("postgresql://{user}:{password}@127.0.0.1:{}/app?sslmode=disable", self.server.port)
    }

    fn leak(&self, user: &str, password: &str) -> Credential {
        credential("postgres-url", &format!("DATABASE_URL={}\n", self.url(user, password)))
    }

    fn key() -> FingerprintKey {
        FingerprintKey::new([7; 32])
    }

    fn finding(&self) -> Finding {
        let first = self.found.first().expect("one");
        let detector = set().get("postgres-url").expect("the detector");
        let identity = [("host", "127.0.0.1")];
        finding(detector, first, (&identity, &Self::key()))
    }

    fn hands(&self) -> Hands {
        let copies: Vec<Credential> = self.found.iter().map(Credential::duplicate).collect();
        let settings = Settings {
            allow_hosts: vec!["127.0.0.1".to_owned()],
            allow_nets: vec![Net::parse_net("127.0.0.0/8").expect("a net")],
            timeout: self.timeout,
            ..Settings::default()
        };
        let admin = Admin::new("env:TEST".to_owned(), Secret::new(self.url(CHIEF.0, CHIEF.1).as_bytes()));
        Hands {
            net: Arc::clone(self.net.get_or_init(|| Arc::new(Net::new(settings).expect("clients")))),
            aws: None,
            own: admin.fingerprints(&Self::key()),
            admin: Some(admin),
            unset: None,
            detector: set().get("postgres-url").cloned(),
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
        playbooks.0.retain(|one| one.id == "postgres-role-contain");
        draft(&self.finding(), &playbooks, &self.hands(), &self.guard).await
    }

    async fn apply(&self, plan: &Plan) -> Run {
        let runner = self.runner();
        let digest = runner.folder.keep(plan).expect("kept");
        runner.apply(&digest).await.expect("a run")
    }

    /// What an action comes to on its own, where the plan saw `before`.
    async fn does(&self, action: &dyn Action, (plan, before): (&Plan, &Value)) -> Outcome {
        let hands = self.hands();
        let with = BTreeMap::new();
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
        action.apply(&world).await
    }

    fn set(&self, role: &str, login: Option<bool>) {
        self.database.lock().expect("the roles").roles.get_mut(role).expect("a role").login = login;
    }

    fn may(&self, role: &str) -> Option<bool> {
        self.database.lock().expect("the roles").roles.get(role).expect("a role").login
    }

    fn changes(&self) -> usize {
        self.database.lock().expect("the roles").changes.len()
    }

    fn object(&self, role: &str, state: &str) -> Value {
        json!({ "object": format!("127.0.0.1:{}/{role}", self.server.port), "state": state })
    }
}

/// Why an action was refused.
fn why(outcome: &Outcome) -> &str {
    if let Outcome::Refused(why) = outcome { why } else { panic!("{outcome:?}") }
}

#[tokio::test]
async fn a_role_is_stopped_proved_to_be_and_let_in_again_though_its_password_can_be_read_no_more() {
    let mut scene = Scene::new(&["ops@corp", "ops"], &["ops%40corp"]);
    let plan = scene.plan().await.expect("a plan");
    assert_eq!(plan.target.get("user").map(String::as_str), Some("ops@corp"));
    assert_eq!(plan.steps[0].observed, scene.object("ops@corp", "login"), "{:?}", plan.unknowns);
    let run = scene.apply(&plan).await;
    assert_eq!((step(&run, "stop").0, step(&run, "prove-refused").0), (StepState::Succeeded, StepState::Succeeded));
    assert_eq!((scene.may("ops@corp"), scene.may("ops")), (Some(false), Some(true)));
    assert!(scene.database.lock().expect("the roles").bounded > 0, "a statement may wait for ever");
    scene.found.clear();
    let run = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((step(&run, "stop").0, scene.may("ops@corp")), (StepState::Undone, Some(true)));
}

#[tokio::test]
async fn what_is_protected_is_so_however_a_url_writes_it() {
    let mut scene = Scene::new(&["ops@corp"], &["ops%40corp"]);
    scene.guard.protected = vec!["ops@corp".to_owned()];
    let plan = scene.plan().await;
    assert!(matches!(&plan, Err(RespondError::Guard(why)) if why.contains("protected")), "{:?}", plan.err());
}

#[tokio::test]
async fn of_two_roles_with_one_password_none_is_stopped() {
    let scene = Scene::new(&["shop", "clerk"], &["shop", "clerk"]);
    let plan = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].observed.is_null());
    assert!(plan.unknowns.iter().any(|unknown| unknown.contains("several roles")), "{:?}", plan.unknowns);
    let run = scene.apply(&plan).await;
    let (state, told) = step(&run, "stop");
    assert!(state == StepState::Refused && told.contains("several roles"), "{told}");
    // Nor where the plan was made while only one was known.
    let outcome = scene.does(&STOP, (&plan, &scene.object("shop", "login"))).await;
    assert!(why(&outcome).contains("several roles"), "{outcome:?}");
    assert_eq!(scene.changes(), 0);
}

#[tokio::test]
async fn it_is_the_role_that_the_credential_opens_now() {
    let mut scene = Scene::new(&["shop", "clerk"], &["shop"]);
    let plan = scene.plan().await.expect("a plan");
    let seen = plan.steps[0].observed.clone();
    scene.found = vec![scene.leak("clerk", &password())];
    for before in [seen, scene.object("clerk", "login")] {
        let outcome = scene.does(&STOP, (&plan, &before)).await;
        assert!(why(&outcome).contains("another role"), "{outcome:?}");
    }
    assert_eq!(scene.changes(), 0);
}

#[tokio::test]
async fn it_is_refused_only_when_every_login_is() {
    let scene = Scene::new(&["shop", "clerk"], &["shop", "clerk"]);
    let plan = scene.plan().await.expect("a plan");
    scene.set("shop", Some(false));
    let outcome = scene.does(&POSTGRES, (&plan, &Value::Null)).await;
    assert!(matches!(&outcome, Outcome::Failed(why) if why.contains("still lets it in")), "{outcome:?}");
    scene.set("clerk", Some(false));
    let outcome = scene.does(&POSTGRES, (&plan, &Value::Null)).await;
    assert!(matches!(&outcome, Outcome::Done(seen) if seen["refused"] == "28000: it may not log in"), "{outcome:?}");
}

#[tokio::test]
async fn a_made_up_password_keeps_nobody_out() {
    let mut scene = Scene::new(&["shop"], &[]);
    scene.found = vec![scene.leak("shop", &["kP3z", "-9xWm_Vt5LqB"].concat())];
    let plan = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].observed.is_null());
    assert!(plan.unknowns.iter().any(|unknown| unknown.contains("is not proved")), "{:?}", plan.unknowns);
    let run = scene.apply(&plan).await;
    assert_eq!(step(&run, "stop").0, StepState::Refused);
    // Nor where it was right when the plan was made.
    let outcome = scene.does(&STOP, (&plan, &scene.object("shop", "login"))).await;
    assert!(why(&outcome).contains("is not proved"), "{outcome:?}");
    assert_eq!((scene.changes(), scene.may("shop")), (0, Some(true)));
}

#[tokio::test]
async fn a_role_that_a_crash_left_stopped_is_done_with() {
    let mut scene = Scene::new(&["shop"], &["shop"]);
    let plan = scene.plan().await.expect("a plan");
    let seen = plan.steps[0].observed.clone();
    scene.set("shop", Some(false));
    for _ in 0..2 {
        let outcome = scene.does(&STOP, (&plan, &seen)).await;
        assert!(matches!(&outcome, Outcome::AlreadyDone(now) if now["state"] == "nologin"), "{outcome:?}");
        scene.found.clear();
    }
    assert_eq!(scene.changes(), 0);
}

#[tokio::test]
async fn a_role_that_is_not_there_is_stopped_only_if_it_was() {
    let scene = Scene::new(&["shop"], &["shop"]);
    scene.set("shop", None);
    let plan = scene.plan().await.expect("a plan");
    assert_eq!(plan.steps[0].observed, scene.object("shop", "absent"), "{:?}", plan.unknowns);
    assert!(!STOP.is_stopped(&plan.steps[0].observed));
    let run = scene.apply(&plan).await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.contains("pooler"), "{why}");
    let outcome = scene.does(&STOP, (&plan, &scene.object("shop", "login"))).await;
    assert!(matches!(&outcome, Outcome::AlreadyDone(now) if now["state"] == "absent"), "dropped since: {outcome:?}");
}

#[tokio::test]
async fn a_login_that_was_under_way_is_ended_too() {
    let scene = Scene::new(&["shop"], &["shop"]);
    scene.database.lock().expect("the roles").sessions = vec![1, 0, 1];
    let plan = scene.plan().await.expect("a plan");
    let outcome = scene.does(&STOP, (&plan, &plan.steps[0].observed)).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(scene.database.lock().expect("the roles").looks, 5, "and two looks that saw nobody");
}

#[tokio::test]
async fn a_role_that_somebody_lets_in_again_is_not_said_to_be_stopped() {
    let scene = Scene::new(&["shop"], &["shop"]);
    scene.database.lock().expect("the roles").rival = Some("shop".to_owned());
    let plan = scene.plan().await.expect("a plan");
    let outcome = scene.does(&STOP, (&plan, &plan.steps[0].observed)).await;
    assert!(matches!(&outcome, Outcome::Unknown(why) if why.contains("reads as login again")), "{outcome:?}");
    assert_eq!(scene.may("shop"), Some(true));
}
