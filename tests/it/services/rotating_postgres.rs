//! Two roles of a real PostgreSQL take turns: the URL in a file of settings gets the other role and a new password while a service logs
//! in with it fifty times a second; the old role is kept out and loses its password; then it has its turn again. Killed around every
//! journal record it goes on to one new login. Whoever acts is no superuser.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::openbao::approver;
use super::turn::{Service, Turn, said, step};
use crate::harness::aws::unique;
use crate::harness::program::{Home, Run};
use crate::harness::services::setting;
use crate::harness::shim::{Side, hours_ahead, kill_on_sync};

/// Passwords of tests/services, nobody else's.
const MAKER: (&str, &str) = ("maker", "yB9t-4kLc_Hr6VzP");
const TURNER: (&str, &str) = ("turner", "xG5m-7bNd_Ws2KqJ");
/// The plan; the replacement's begin, three notes and end; begin and end of the restart and of the look.
const RECORDS: usize = 10;

/// A session that logs in with the password itself.
struct Session(TcpStream);

impl Session {
    /// Logs in, or the SQLSTATE that says why not.
    fn open((user, password): (&str, &str)) -> Result<Self, String> {
        let mut session = Self(TcpStream::connect(setting("STAUNCH_TEST_POSTGRES")).unwrap());
        let start = [&[0, 3, 0, 0][..], b"user\0", user.as_bytes(), b"\0database\0postgres\0\0"].concat();
        session.say(b"", &start);
        session.heard(b'R')?;
        session.say(b"p", &[password.as_bytes(), b"\0"].concat());
        session.heard(b'Z').map(|_| session)
    }

    fn say(&mut self, kind: &[u8], body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        self.0.write_all(&[kind, &length, body].concat()).unwrap();
    }

    /// Messages up to one of that kind: the first fields of the rows among them.
    fn heard(&mut self, until: u8) -> Result<Vec<String>, String> {
        let (mut rows, mut refused) = (Vec::new(), None);
        loop {
            let mut head = [0; 5];
            let read = self.0.read_exact(&mut head);
            if read.is_err() {
                return Err(refused.unwrap_or_else(|| "the connection ended".to_owned()));
            }
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
            let mut body = vec![0; length - 4];
            self.0.read_exact(&mut body).map_err(|error| error.to_string())?;
            match head[0] {
                b'E' => {
                    let code = body.split(|&b| b == 0).find_map(|field| field.strip_prefix(b"C")).unwrap_or_default();
                    refused = Some(String::from_utf8_lossy(code).into_owned());
                }
                b'D' if body[2..6] != [0xff; 4] => rows.push(String::from_utf8_lossy(&body[6..]).into_owned()),
                _ => {}
            }
            if head[0] == until {
                return refused.map_or(Ok(rows), Err);
            }
        }
    }

    fn run(&mut self, sql: &str) -> Result<Vec<String>, String> {
        self.say(b"Q", &[sql.as_bytes(), b"\0"].concat());
        self.heard(b'Z')
    }
}

fn made(sql: &str) -> Vec<String> {
    Session::open(MAKER).unwrap().run(sql).unwrap_or_else(|code| panic!("{code}: {sql}"))
}

/// A service's role in a file of settings, and whoever rotates it.
struct Stage {
    home: Home,
    role: String,
    password: String,
    /// Where the program finds the server.
    at: String,
}

impl Stage {
    fn new() -> Self {
        Self::behind(setting("STAUNCH_TEST_POSTGRES"))
    }

    fn behind(at: String) -> Self {
        let role = unique("shop").to_lowercase().replace('-', "_");
        let password = ["Vr5n", "-8mKt_", "Qw3HzD"].concat();
        made(&format!(
            "create role {role} login connection limit 90 password '{password}'; grant turning to {role}; alter role {role} set search_path = \
             \"$user\", public; alter role {role} in database postgres set work_mem = '5MB'; create schema {role} authorization {role}"
        ));
        Session::open((&role, &password)).unwrap().run("create table own (a int); insert into own values (1)").unwrap();
        let home = Home::new();
        fs::create_dir_all(home.work().join("app")).unwrap();
        let url = format!("postgresql://{role}:{password}@{at}/postgres?sslmode=disable");
        fs::write(home.work().join("app/.env"), format!("# shop\nDATABASE_URL={url}\nOTHER={role}\n")).unwrap();
        fs::write(home.work().join("app/docker-compose.yml"), "services:\n  api:\n    image: api\n    env_file: [.env]\n")
            .unwrap();
        let approvers: String = [("kim", 1), ("lee", 2)].map(|(who, seed)| approver(&home, who, seed)).concat();
        let settings = format!(
            "[network]\nallow_hosts = [\"127.0.0.1\"]\nallow_nets = [\"127.0.0.0/8\"]\n[[responder.provider]]\nname = \"postgres\"\ncredential = \
             \"env:PG_ADMIN\"\nowned = [\"127.0.0.1\"]\n{approvers}"
        );
        fs::write(home.root().join("home/config.toml"), settings).unwrap();
        Self { home, role, password, at }
    }

    /// Lists a file that no scan has looked into.
    fn store(&self, file: &Path) {
        let config = self.home.root().join("home/config.toml");
        let text = fs::read_to_string(&config).unwrap();
        let store = format!("[[responder.store]]\nkind = \"file\"\nat = {:?}\n", file.to_str().unwrap());
        fs::write(&config, text + &store).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.home.work().join("app/.env")
    }

    /// The login that stands in the file.
    fn held(&self) -> (String, String) {
        login(&fs::read_to_string(self.file()).unwrap())
    }

    fn runs(&self) -> Vec<PathBuf> {
        let runs = fs::read_dir(self.home.state().join("runs"));
        runs.map(|all| all.map(|run| run.unwrap().path()).collect()).unwrap_or_default()
    }

    /// The one new role is in the file, does what the old one does, and both log in.
    fn assert_replaced(&self, moment: &str) {
        let (role, password) = self.held();
        assert_eq!(role, format!("{}_b", self.role), "{moment}");
        let mut new = Session::open((&role, &password)).unwrap_or_else(|code| panic!("{moment}: {code}"));
        assert_eq!(new.run("select current_user").unwrap(), [self.role.as_str()], "{moment}");
        assert!(Session::open((&self.role, &self.password)).is_ok(), "{moment}");
        let roles = made(&format!("select rolname from pg_roles where rolname like '{}%' order by 1", self.role));
        assert_eq!(roles, [self.role.clone(), role], "{moment}");
    }
}

impl Turn for Stage {
    fn home(&self) -> &Home {
        &self.home
    }

    fn staunch(&self, arguments: &[&str]) -> Run {
        let admin = format!("postgresql://{}:{}@{}/postgres?sslmode=disable", TURNER.0, TURNER.1, self.at);
        let config = self.home.root().join("home/config.toml");
        let run = self.home.staunch(arguments).env("STAUNCH_CONFIG", config).env("STAUNCH_REQUESTER", "tests");
        run.env("PG_ADMIN", admin)
    }
}

fn login(text: &str) -> (String, String) {
    let url = text.lines().find_map(|line| line.strip_prefix("DATABASE_URL=postgresql://")).unwrap();
    let (user, rest) = url.split_once(':').unwrap();
    (user.to_owned(), rest.split_once('@').unwrap().0.to_owned())
}

/// What the service asks, with what its file says.
fn ask(text: &str) -> Result<(), String> {
    let (role, password) = login(text);
    let rows = Session::open((&role, &password)).and_then(|mut session| session.run("select a from own"));
    match rows {
        Ok(rows) if rows == ["1"] => Ok(()),
        other => Err(format!("{role}: {other:?}")),
    }
}

/// From a plan to the old role without a password, days later. The run, and what stands in the file then.
fn turned(stage: &Stage, hours: u32) -> (Value, (String, String)) {
    (stage.turned(hours), stage.held())
}

#[test]
fn two_roles_take_turns_while_a_service_uses_them_and_no_request_fails() {
    let stage = Stage::new();
    let service = Service::start(stage.file(), ask);
    let before = (stage.role.clone(), stage.password.clone());
    let (run, first) = turned(&stage, 0);
    assert_eq!(step(&run, "drop-password")["state"], "succeeded", "{run}");
    assert_eq!(step(&run, "prove-refused")["evidence"]["seen"]["state"], "nologin", "{run}");
    assert_eq!(step(&run, "evidence")["evidence"]["predicate"]["result"], "PASSED", "{run}");
    assert_eq!(first.0, format!("{}_b", stage.role));
    assert_eq!(Session::open((&before.0, &before.1)).err().as_deref(), Some("28P01"), "its password is gone");
    // What the new one makes is the old one's, and its settings are the old one's.
    let mut session = Session::open((&first.0, &first.1)).unwrap();
    session.run("create table later (a int); insert into later values (7)").unwrap();
    assert_eq!(
        made(&format!("select tableowner from pg_tables where schemaname = '{}' and tablename = 'later'", stage.role)),
        [stage.role.as_str()]
    );
    assert_eq!(session.run("show work_mem").unwrap(), ["5MB"]);
    assert_eq!(session.run("show search_path").unwrap(), ["\"$user\", public"]);
    // A pooler does so between two of its clients.
    session.run("discard all").unwrap();
    assert_eq!(session.run("select current_user").unwrap(), [stage.role.as_str()]);
    assert_eq!(made(&format!("select rolconnlimit from pg_roles where rolname = '{}'", first.0)), ["90"]);

    // Who is logged in uses it: then it would not be stopped.
    drop(session);

    // Its next turn, and back again: the same two roles.
    let (run, second) = turned(&stage, 60);
    assert_eq!(second.0, stage.role, "{run}");
    assert!(second.1 != before.1 && second.1 != first.1);
    assert_eq!(Session::open((&first.0, &first.1)).err().as_deref(), Some("28P01"));
    let mut session = Session::open((&second.0, &second.1)).unwrap();
    assert_eq!(session.run("select a from later").unwrap(), ["7"]);
    drop(session);
    made(&format!(
        "alter role {} set work_mem = '6MB'; alter role {} in database postgres reset all",
        stage.role, stage.role
    ));
    let (run, third) = turned(&stage, 120);
    assert_eq!(third.0, first.0, "{run}");
    assert_eq!(Session::open((&third.0, &third.1)).unwrap().run("show work_mem").unwrap(), ["6MB"]);
    let asked = service.end();
    assert!(asked >= 200, "only {asked} requests were made");
    stage.assert_unwritten(&[&before.1, &first.1, &second.1, &third.1]);
    // The verifier is sent, never the password.
    assert_eq!(
        made(&format!(
            "select count(*) from pg_authid where rolname = '{}' and rolpassword like 'SCRAM-SHA-256$%'",
            third.0
        )),
        ["1"]
    );
}

#[test]
fn it_is_put_back_in_two_stores_and_the_new_role_is_gone() {
    let stage = Stage::new();
    let before = fs::read(stage.file()).unwrap();
    let worker = stage.home.root().join("home/worker.env");
    let other = format!("WORKER_{}", String::from_utf8_lossy(&before).lines().nth(1).unwrap());
    fs::write(&worker, &other).unwrap();
    stage.store(&worker);
    let (digest, plan) = stage.plan();
    let replace = &plan["steps"][0];
    let undo = replace["undo"].as_str().unwrap();
    assert!(undo.contains("undo RUN --secret-stdin"), "{undo}");
    let run = said(&stage.apply(&digest));
    stage.assert_replaced("applied");
    let new = stage.held();
    assert_eq!(login(&fs::read_to_string(&worker).unwrap().replace("WORKER_", "")), new);
    let id = run["id"].as_str().unwrap();
    let url = String::from_utf8_lossy(&before).lines().nth(1).unwrap().to_owned();
    // Whoever is logged in uses it. In the second in which the run itself asked it would be taken for the run's own.
    std::thread::sleep(Duration::from_secs(1));
    let open = Session::open((&new.0, &new.1)).unwrap();
    let undo =
        || stage.staunch(&["respond", "undo", id, "--secret-stdin", "--format", "json"]).stdin(url.as_bytes()).output();
    let held = undo();
    assert_eq!(held.code(), Some(2), "{} {}", held.stdout(), held.stderr());
    assert!(held.stdout().contains("it was used at"), "{}", held.stdout());
    assert_eq!(fs::read(stage.file()).unwrap(), before, "the file holds the old one again");
    drop(open);
    let gone = format!("select count(*) from pg_stat_activity where usename = '{}'", new.0);
    while made(&gone) != ["0"] {}
    let undone = undo();
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    assert_eq!(fs::read(stage.file()).unwrap(), before);
    assert_eq!(fs::read_to_string(&worker).unwrap(), other);
    assert_eq!(made(&format!("select rolname from pg_roles where rolname like '{}%'", stage.role)), [stage.role.as_str()]);
    assert!(Session::open((&stage.role, &stage.password)).is_ok());
}

#[test]
fn a_session_that_was_seen_once_is_use_though_it_ends() {
    let stage = Stage::new();
    let (digest, _) = stage.plan();
    let run = said(&stage.apply(&digest));
    let id = run["id"].as_str().unwrap();
    // In the second in which the run itself asked it would be taken for the run's own.
    std::thread::sleep(Duration::from_secs(1));
    let new = stage.held();
    let open = Session::open((&new.0, &new.1)).unwrap();
    let run = stage.later(id, 0, &[]);
    assert!(step(&run, "new-in-use")["noted"]["used"].is_string(), "{run}");
    drop(open);
    let gone = format!("select count(*) from pg_stat_activity where usename = '{}'", new.0);
    while made(&gone) != ["0"] {}
    let run = stage.later(id, 26, &["old-unused"]);
    assert_eq!(step(&run, "new-in-use")["state"], "succeeded", "{run}");
}

/// Changes a store of the stage, or its settings.
type Change = fn(&Stage, &str);

#[test]
fn what_could_not_be_changed_with_the_password_stops_it_before_anything_is_made() {
    let roles = |stage: &Stage| made(&format!("select count(*) from pg_roles where rolname like '{}%'", stage.role));
    let at = setting("STAUNCH_TEST_POSTGRES");
    let refusals: [(&str, Change); 5] = [
        ("outside of a URL", |stage, _| {
            let text = fs::read_to_string(stage.file()).unwrap();
            fs::write(stage.file(), format!("{text}PGPASSWORD={}\n", stage.password)).unwrap();
        }),
        ("another server", |stage, _| {
            let other = stage.home.root().join("home/other.env");
            fs::write(&other, format!("B=postgres://{}:{}@replica/app\n", stage.role, stage.password)).unwrap();
            stage.store(&other);
        }),
        ("not made to take turns", |stage, _| drop(made(&format!("create role {}_b", stage.role)))),
        ("is a superuser", |stage, _| drop(made(&format!("alter role {} superuser", stage.role)))),
        ("own role", |stage, at| {
            // That it is the role, though its password is another.
            let password = ["nB5x", "-8rWk_Tc3YqG"].concat();
            let admin = format!("postgresql://{}:{password}@{at}/postgres?sslmode=disable", stage.role);
            let config = stage.home.root().join("home/config.toml");
            let text = fs::read_to_string(&config).unwrap();
            fs::write(stage.home.root().join("home/admin"), admin).unwrap();
            let file = format!("file:{}", stage.home.root().join("home/admin").display());
            fs::write(&config, text.replace("env:PG_ADMIN", &file)).unwrap();
        }),
    ];
    for (why, change) in refusals {
        let stage = Stage::new();
        change(&stage, &at);
        let count = roles(&stage);
        let output = stage.staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output();
        let mut told = format!("{} {}", output.stdout(), output.stderr());
        if let Some(digest) =
            serde_json::from_str::<Value>(&output.stdout()).ok().and_then(|plan| Some(plan["digest"].as_str()?.to_owned()))
        {
            let applied = stage.apply(&digest);
            assert_ne!(applied.code(), Some(0), "{why}");
            told = format!("{told} {} {}", applied.stdout(), applied.stderr());
        }
        assert!(told.contains(why), "{why}: {told}");
        assert_eq!(roles(&stage), count, "{why}");
        assert_eq!(stage.held(), (stage.role.clone(), stage.password.clone()), "{why}");
        assert!(!told.contains(&stage.password), "{why}");
    }
}

#[test]
fn a_run_that_took_the_password_away_lets_nobody_in_again() {
    let stage = Stage::new();
    let (run, _) = turned(&stage, 0);
    assert_eq!(step(&run, "drop-password")["state"], "succeeded", "{run}");
    let url = format!("DATABASE_URL=postgresql://{}:{}@{}/postgres?sslmode=disable", stage.role, stage.password, stage.at);
    let undo = ["respond", "undo", run["id"].as_str().unwrap(), "--secret-stdin", "--format", "json"];
    let undone = hours_ahead(stage.staunch(&undo).stdin(url.as_bytes()), 52).output();
    assert_ne!(undone.code(), Some(0), "{}", undone.stdout());
    let run = said(&undone);
    assert_eq!(step(&run, "stop")["state"], "undo_failed", "{run}");
    assert!(step(&run, "stop")["why"].as_str().unwrap().contains("password was taken away"), "{run}");
    assert_eq!(made(&format!("select rolcanlogin from pg_roles where rolname = '{}'", stage.role)), ["f"]);
}

#[test]
fn a_second_role_that_may_do_more_than_the_first_gets_no_turn() {
    let stage = Stage::new();
    let (_, second) = turned(&stage, 0);
    let role = format!("{}_b", stage.role);
    assert_eq!(second.0, role);
    let other = unique("group").to_lowercase().replace('-', "_");
    made(&format!("create role {other}"));
    // Its turn comes again once the first role has had its own.
    let (_, third) = turned(&stage, 60);
    assert_eq!(third.0, stage.role);
    for (give, take) in [
        (format!("grant {other} to {role}"), format!("revoke {other} from {role}")),
        (format!("alter role {role} createdb"), format!("alter role {role} nocreatedb")),
    ] {
        made(&give);
        let plan = ["respond", "plan", "app", "--mode", "rotate", "--format", "json"];
        let output = hours_ahead(stage.staunch(&plan), 120).output();
        let told = format!("{} {}", output.stdout(), output.stderr());
        assert!(told.contains("may do more than"), "{give}: {told}");
        made(&take);
    }
    let plan = ["respond", "plan", "app", "--mode", "rotate", "--format", "json"];
    let output = hours_ahead(stage.staunch(&plan), 120).output();
    assert!(!output.stdout().contains("may do more than"), "{}", output.stdout());
}

#[test]
fn a_change_that_waits_for_anothers_lock_is_given_up_and_comes_about_no_later() {
    let stage = Stage::new();
    let (digest, _) = stage.plan();
    // Whoever grants the role has its row in hand.
    let mut other = Session::open(MAKER).unwrap();
    other.run(&format!("begin; create role {}_b", stage.role)).unwrap();
    let run = said(&stage.apply(&digest));
    let replace = step(&run, "replace");
    assert_ne!(replace["state"], "succeeded", "{run}");
    assert!(replace["why"].as_str().unwrap().contains("nothing was changed"), "{run}");
    other.run("rollback").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(made(&format!("select count(*) from pg_roles where rolname like '{}%'", stage.role)), ["1"]);
    assert_eq!(stage.held(), (stage.role.clone(), stage.password.clone()));
}

/// What happens to the connection over which a role is asked for, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The server hears of it.
    After,
    /// It does not.
    Before,
}

/// Passes on what a client says, and cuts the connection where it asks for a role.
fn pass(mut from: TcpStream, mut to: TcpStream, (cut, left): (Cut, &AtomicBool)) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let asks = buffer[..count].windows(11).any(|piece| piece == b"create role");
        let cuts = asks && left.swap(false, Ordering::Relaxed);
        if cuts {
            let _ = from.shutdown(Shutdown::Both);
        }
        if !(cuts && cut == Cut::Before) && to.write_all(&buffer[..count]).is_err() {
            break;
        }
        if cuts {
            // What was asked is done whoever hears the answer.
            std::thread::sleep(Duration::from_millis(500));
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Stands before the server, and cuts one connection.
fn cutting(cut: Cut) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let left = Arc::new(AtomicBool::new(true));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(setting("STAUNCH_TEST_POSTGRES")).unwrap();
            let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || drop(std::io::copy(&mut answers, &mut back)));
            let left = Arc::clone(&left);
            std::thread::spawn(move || pass(client, server, (cut, &left)));
        }
    });
    at
}

#[test]
fn a_role_of_which_the_answer_was_lost_is_removed_or_asked_about_and_never_made_twice() {
    for cut in [Cut::After, Cut::Before] {
        let stage = Stage::behind(cutting(cut));
        let roles = || made(&format!("select count(*) from pg_roles where rolname like '{}%'", stage.role));
        let (digest, _) = stage.plan();
        let run = said(&stage.apply(&digest));
        let id = run["id"].as_str().unwrap().to_owned();
        let why = step(&run, "replace")["why"].as_str().unwrap_or_else(|| panic!("{cut:?}: {run}"));
        let run = match cut {
            Cut::After if step(&run, "replace")["state"] == "failed" => {
                assert!(why.contains("was removed") && roles() == ["1"], "{why}");
                stage.later(&id, 0, &[])
            }
            // The server may not have come so far when it was looked at; or has not heard of it.
            _ => {
                assert_eq!(step(&run, "replace")["state"], "unknown", "{cut:?}: {run}");
                assert!(why.contains("the list may be behind"), "{cut:?}: {why}");
                let waits = stage.later(&id, 1, &[]);
                if step(&waits, "replace")["state"] == "waiting" {
                    assert!(step(&waits, "replace")["why"].as_str().unwrap().contains("--done replace"), "{waits}");
                    assert_eq!(roles(), ["1"], "{cut:?}");
                }
                stage.later(&id, 1, &["replace"])
            }
        };
        assert_eq!(step(&run, "replace")["state"], "succeeded", "{cut:?}: {run}");
        stage.assert_replaced(&format!("{cut:?}"));
    }
}

#[test]
fn killed_around_every_record_it_goes_on_to_one_new_login() {
    let mut unasked = Vec::new();
    for side in [Side::Before, Side::After] {
        for at in 1..=RECORDS {
            let moment = format!("record {at}, {side:?}");
            let stage = Stage::new();
            let (digest, _) = stage.plan();
            let apply = stage.staunch(&["respond", "apply", &digest]);
            let output = kill_on_sync(apply, "journal.jsonl", at, side).output();
            assert!(output.was_killed(), "{moment}: {output:?}");
            let begun = stage.runs().into_iter().find(|run| run.join("journal.jsonl").exists());
            let output = match begun {
                Some(run) => {
                    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
                    stage.staunch(&["respond", "resume", &id, "--format", "json"]).output()
                }
                None => stage.apply(&digest),
            };
            let run = said(&output);
            let replace = step(&run, "replace");
            // Between the word that a role is asked for and the asking, it cannot tell whether it was.
            if output.code() == Some(2) {
                assert_eq!(replace["state"], "unknown", "{moment}: {run}");
                assert!(replace["why"].as_str().unwrap().contains("the list may be behind"), "{moment}: {run}");
                assert_eq!(stage.held(), (stage.role.clone(), stage.password.clone()), "{moment}");
                unasked.push(at);
                continue;
            }
            assert_eq!(output.code(), Some(1), "{moment}: {}", output.stderr());
            assert_eq!(replace["state"], "succeeded", "{moment}: {run}");
            stage.assert_replaced(&moment);
            stage.assert_unwritten(&[&stage.password, &stage.held().1]);
        }
    }
    let [before, after] = unasked.as_slice() else { panic!("it is one record: {unasked:?}") };
    assert_eq!(before, after);
    // One more record than there are: nothing is killed, so the loop above met every one.
    let stage = Stage::new();
    let (digest, _) = stage.plan();
    let apply = stage.staunch(&["respond", "apply", &digest, "--format", "json"]);
    let output = kill_on_sync(apply, "journal.jsonl", RECORDS + 1, Side::Before).output();
    assert_eq!(output.code(), Some(1), "{}", output.stderr());
    assert_eq!(said(&output)["state"], json!("waiting"));
}
