//! Whose account is locked, on what proof, and what is said where something goes wrong: against a server that keeps accounts and follows
//! the documented packets. A real MariaDB is met in tests/it/services/stopping.rs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::model::{Credential, Plan, Run, StepState, TestClock};
use crate::net::testing::{Peer, Server};
use crate::net::{Net, Settings};
use crate::respond::testing::{credential, finding, runner, set, step};
use crate::respond::{Admin, Folder, Guard, Hands, Playbooks, RespondError, Runner, Stores, builtin_playbooks, draft};
use crate::secret::{Fingerprint, FingerprintKey, Secret};

const CHIEF: &str = "chief";

/// What happens to a statement of the administrator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    CutBefore,
    CutAfter,
    /// It is answered with this error, and not done.
    Says(u16),
    /// It is said to be done, and is not.
    Lie,
    Garbled,
}

const FAULTS: [Fault; 6] =
    [Fault::CutBefore, Fault::CutAfter, Fault::Says(1227), Fault::Says(1205), Fault::Lie, Fault::Garbled];

#[derive(Default)]
struct Base {
    /// Name and host → locked.
    accounts: BTreeMap<(String, String), bool>,
    /// Sessions of the leaked user's.
    sessions: Vec<u64>,
    changes: usize,
    /// Whoever the password is not of.
    strangers: Vec<String>,
    fault: Option<(usize, Fault)>,
}

fn framed(number: u8, body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).expect("short"), 0, 0, number], body].concat()
}

fn ok(number: u8) -> Vec<u8> {
    framed(number, &[0, 0, 0, 2, 0, 0, 0])
}

fn error(number: u8, code: u16) -> Vec<u8> {
    framed(number, &[&[0xff][..], &code.to_le_bytes(), b"#HY000no"].concat())
}

/// The rows of an answer, of which each has as many fields.
fn rows(columns: u8, rows: &[Vec<String>]) -> Vec<u8> {
    let end = [0xfe, 0, 0, 2, 0];
    let mut packets = vec![vec![columns]];
    packets.extend((0..columns).map(|_| b"\x03def and what else describes a column".to_vec()));
    packets.push(end.to_vec());
    let text = |text: &String| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    packets.extend(rows.iter().map(|row| row.iter().flat_map(text).collect()));
    packets.push(end.to_vec());
    packets.iter().zip(1..).flat_map(|(body, number)| framed(number, body)).collect()
}

impl Base {
    fn fault(&mut self) -> Option<Fault> {
        let (left, fault) = self.fault.take()?;
        if left == 0 {
            return Some(fault);
        }
        self.fault = Some((left - 1, fault));
        None
    }

    fn answer(&mut self, sql: &str) -> Vec<u8> {
        let quoted: Vec<&str> = sql.split('\'').skip(1).step_by(2).collect();
        if sql == "select version()" {
            return rows(1, &[vec!["10.11.19-MariaDB".to_owned()]]);
        }
        if sql.starts_with("select Host, ") {
            let of = |((name, host), locked): (&(String, String), &bool)| {
                (*name == quoted[1]).then(|| vec![host.clone(), u8::from(*locked).to_string()])
            };
            let found: Vec<Vec<String>> = self.accounts.iter().filter_map(of).collect();
            return rows(2, &found);
        }
        if sql.starts_with("alter user ") {
            self.changes += 1;
            let account = (quoted[0].to_owned(), quoted[1].to_owned());
            *self.accounts.get_mut(&account).expect("the account") = sql.ends_with(" account lock");
            return ok(1);
        }
        if sql.starts_with("select ID from information_schema.PROCESSLIST") {
            let ids: Vec<Vec<String>> = self.sessions.iter().map(|id| vec![id.to_string()]).collect();
            return rows(1, &ids);
        }
        if let Some(id) = sql.strip_prefix("kill ") {
            let before = self.sessions.len();
            self.sessions.retain(|session| session.to_string() != id);
            return if self.sessions.len() < before { ok(1) } else { error(1, 1094) };
        }
        ok(1)
    }
}

fn talk(peer: &mut Peer, base: &Mutex<Base>) {
    let greeting = [
        b"\x0a5.5.5-10.11.19-MariaDB\0\x07\0\0\0",
        &b"12345678\0"[..],
        &0x8200u16.to_le_bytes(),
        &[45, 2, 0, 0x08, 0, 21],
        &[0; 10],
        b"abcdefghijkl\0mysql_native_password\0",
    ];
    peer.say(&framed(0, &greeting.concat()));
    let login = peer.hear();
    let user = login.get(36..).and_then(|rest| rest.split(|byte| *byte == 0).next()).unwrap_or_default();
    let user = String::from_utf8_lossy(user).into_owned();
    let said: Result<(), u16> = {
        let base = base.lock().expect("the accounts");
        let locked = base.accounts.iter().find(|((name, _), _)| *name == user).map(|(_, locked)| *locked);
        match locked {
            Some(_) if base.strangers.contains(&user) => Err(1045),
            Some(false) => Ok(()),
            Some(true) => Err(4151),
            None => Err(1045),
        }
    };
    peer.say(&said.map_or_else(|code| error(2, code), |()| ok(2)));
    if said.is_err() {
        return;
    }
    loop {
        let heard = peer.hear();
        let Some((3, sql)) = heard.get(4..).and_then(|body| body.split_first()).map(|(kind, sql)| (*kind, sql)) else {
            return;
        };
        let sql = String::from_utf8_lossy(sql).into_owned();
        let mut base = base.lock().expect("the accounts");
        let fault = base.fault();
        let said = match fault {
            Some(Fault::CutBefore) => return,
            Some(Fault::Says(code)) => error(1, code),
            Some(Fault::Garbled) => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            Some(Fault::Lie) if sql.starts_with("alter user ") => ok(1),
            _ => base.answer(&sql),
        };
        drop(base);
        if fault == Some(Fault::CutAfter) {
            return;
        }
        peer.say(&said);
    }
}

struct Scene {
    server: Server,
    base: Arc<Mutex<Base>>,
    found: Credential,
    readable: bool,
    guard: Guard,
    admin: &'static str,
    net: Arc<Net>,
    dir: tempfile::TempDir,
}

impl Scene {
    fn new(accounts: &[(&str, &str)]) -> Self {
        let mut base = Base { sessions: vec![7, 9], ..Base::default() };
        let all = accounts.iter().chain(&[(CHIEF, "%")]);
        base.accounts.extend(all.map(|(name, host)| (((*name).to_owned(), (*host).to_owned()), false)));
        let base = Arc::new(Mutex::new(base));
        let shared = Arc::clone(&base);
        let server = Server::talking(move |peer| talk(peer, &shared));
        let settings = Settings {
            allow_hosts: vec!["127.0.0.1".to_owned()],
            allow_nets: vec![Net::parse_net("127.0.0.0/8").expect("a net")],
            ..Settings::default()
        };
        let password = ["aV6w-4tQm", "_Hd9SjR"].concat();
        let url = format!("DATABASE_URL=mysql://ops%40corp:{password}@127.0.0.1:{}/app\n", server.port);
        Self {
            found: credential("mysql-url", &url),
            server,
            base,
            readable: true,
            guard: Guard {
                owned: [("mysql".to_owned(), vec!["127.0.0.1".to_owned()])].into(),
                most_changes: 20,
                ..Guard::default()
            },
            admin: CHIEF,
            net: Arc::new(Net::new(settings).expect("clients")),
            dir: tempfile::tempdir().expect("scratch"),
        }
    }

    fn base(&self) -> std::sync::MutexGuard<'_, Base> {
        self.base.lock().expect("the accounts")
    }

    fn runner(&self) -> Runner {
        let key = || FingerprintKey::new([7; 32]);
        let copy = self.readable.then(|| self.found.duplicate());
        let password = ["hY7n-3cQs", "_Vd8KpT"].concat();
        let url = format!("mysql://{}:{password}@127.0.0.1:{}/?ssl-mode=DISABLED", self.admin, self.server.port);
        let admin = Admin::new("env:TEST".to_owned(), Secret::new(url.as_bytes()));
        let hands = Hands {
            net: Arc::clone(&self.net),
            aws: None,
            own: admin.fingerprints(&key()),
            admin: Some(admin),
            unset: None,
            detector: set().get("mysql-url").cloned(),
            recall: Box::new(move |_: &Fingerprint| copy.iter().map(Credential::duplicate).collect()),
            stores: Stores { listed: Vec::new(), consumers: Vec::new(), key: Some(key()) },
            clock: Arc::new(TestClock::new(Timestamp::UNIX_EPOCH)),
        };
        runner(hands, Folder::open(self.dir.path()).expect("a folder"), self.guard.clone())
    }

    async fn plan(&self) -> Result<Plan, RespondError> {
        let mut playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        playbooks.0.retain(|one| one.id == "mysql-user-contain");
        playbooks.0[0].steps.iter_mut().filter(|step| step.id == "prove-refused").for_each(|step| step.timeout = 0);
        let detector = set().get("mysql-url").expect("the detector");
        let finding = finding(detector, &self.found, (&[("host", "127.0.0.1")], &FingerprintKey::new([7; 32])));
        let runner = self.runner();
        draft(&finding, &playbooks, &runner.hands, &self.guard).await
    }

    async fn apply(&self, plan: &Plan) -> Run {
        let runner = self.runner();
        let digest = runner.folder.keep(plan).expect("kept");
        runner.apply(&digest).await.expect("a run")
    }

    fn is_locked(&self) -> bool {
        self.base().accounts[&("ops@corp".to_owned(), "%".to_owned())]
    }
}

#[tokio::test]
async fn an_account_is_locked_proved_to_be_and_unlocked_though_its_password_can_be_read_no_more() {
    let mut scene = Scene::new(&[("ops@corp", "%"), ("ops", "%")]);
    let plan = scene.plan().await.expect("a plan");
    assert_eq!((&plan.steps[0].observed["state"], &plan.steps[0].observed["from"]), (&"unlocked".into(), &"%".into()));
    assert!(plan.steps[0].reversible);
    let run = scene.apply(&plan).await;
    assert_eq!((step(&run, "stop"), step(&run, "prove-refused").0), ((StepState::Succeeded, ""), StepState::Succeeded));
    assert!(scene.is_locked() && scene.base().sessions.is_empty(), "its sessions are ended");
    assert!(!scene.base().accounts[&("ops".to_owned(), "%".to_owned())], "nobody else");
    scene.readable = false;
    let run = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((step(&run, "stop").0, scene.is_locked()), (StepState::Undone, false));
}

#[tokio::test]
async fn several_accounts_a_made_up_password_and_the_responders_own_are_left() {
    let twofold = Scene::new(&[("ops@corp", "%"), ("ops@corp", "10.%")]);
    let stranger = Scene::new(&[("ops@corp", "%")]);
    stranger.base().strangers.push("ops@corp".to_owned());
    let mut own = Scene::new(&[("ops@corp", "%")]);
    own.admin = "ops%40corp";
    for (scene, word) in [(twofold, "from % and 10.%"), (stranger, "is not proved"), (own, "responder's own user")] {
        let plan = scene.plan().await.expect("a plan");
        assert!(plan.unknowns.iter().any(|text| text.contains(word)), "{word}: {:?}", plan.unknowns);
        let run = scene.apply(&plan).await;
        assert_eq!((step(&run, "stop").0, scene.base().changes), (StepState::Refused, 0), "{word}");
    }
}

/// Applied, or walked back, with the `at`th statement of that going wrong: what was said is so, and in peace it comes to its end.
/// Whether there was such a statement.
async fn story(at: usize, fault: Fault, back: bool) -> bool {
    let moment = format!("{fault:?} at {at}, back {back}");
    let scene = Scene::new(&[("ops@corp", "%")]);
    let plan = scene.plan().await.expect("a plan");
    let runner = scene.runner();
    let digest = runner.folder.keep(&plan).expect("kept");
    let spoil = || scene.base().fault = Some((at, fault));
    if !back {
        spoil();
    }
    let run = match runner.apply(&digest).await {
        Ok(run) => run,
        // The look before the first change could not be had, and nothing was begun.
        Err(error) => {
            assert_eq!(scene.base().changes, 0, "{moment}: {error}");
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
        StepState::Succeeded => assert!(scene.is_locked(), "{moment}: {why}"),
        StepState::Undone | StepState::Refused | StepState::Failed => assert!(!scene.is_locked(), "{moment}: {why}"),
        _ => {}
    }
    if scene.base().fault.take().is_some() {
        return false;
    }
    let again = if back { runner.undo(&run.id).await } else { runner.resume(&run.id).await };
    let run = again.expect("a run");
    let wanted = if back { StepState::Undone } else { StepState::Succeeded };
    assert_eq!((step(&run, "stop").0, scene.is_locked()), (wanted, !back), "{moment}: {}", step(&run, "stop").1);
    true
}

#[test]
fn every_statement_goes_wrong_in_every_way() {
    // All at once: most of the time is spent waiting.
    std::thread::scope(|scope| {
        for (fault, back) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let met = (0..60).take_while(|&at| runtime.block_on(story(at, fault, back))).count();
                assert!((4..60).contains(&met), "{fault:?}, back {back}: only {met} statements were met");
            });
        }
    });
}
