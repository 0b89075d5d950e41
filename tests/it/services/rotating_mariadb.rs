//! Two users of a real MariaDB take turns: the URL in a file of settings gets the other user and a new password while a service logs in
//! with it fifty times a second; the old user is locked and loses its password; then it has its turn again. Killed around every journal
//! record, and cut off where the new one is let in, it goes on to one new login. Whoever acts may do no more than is said of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, digest};
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

/// A session: protocol 10, `mysql_native_password`.
struct Session(TcpStream);

impl Session {
    /// Logs in, or the number of the error that says why not.
    fn open((user, password): (&str, &str)) -> Result<Self, u16> {
        let mut session = Self(TcpStream::connect(setting("STAUNCH_TEST_MARIADB")).unwrap());
        let greeting = session.packet();
        let version = greeting[1..].iter().position(|byte| *byte == 0).unwrap() + 2;
        let salt = [&greeting[version + 4..version + 12], &greeting[version + 31..version + 43]].concat();
        let once = digest(&SHA1, password.as_bytes());
        let salted = digest(&SHA1, &[&salt[..], digest(&SHA1, once.as_ref()).as_ref()].concat());
        let proof: Vec<u8> = once.as_ref().iter().zip(salted.as_ref()).map(|(a, b)| a ^ b).collect();
        let mut body = 0x0008_8201u32.to_le_bytes().to_vec();
        body.extend_from_slice(&[0, 0, 16, 0, 45]);
        body.extend_from_slice(&[0; 23]);
        body.extend_from_slice(user.as_bytes());
        body.extend_from_slice(&[0, 20]);
        body.extend_from_slice(&proof);
        body.extend_from_slice(b"mysql_native_password\0");
        session.say(1, &body);
        let said = session.packet();
        if said.first() == Some(&0) { Ok(session) } else { Err(u16::from_le_bytes([said[1], said[2]])) }
    }

    fn packet(&mut self) -> Vec<u8> {
        let mut head = [0; 4];
        self.0.read_exact(&mut head).unwrap();
        let mut body = vec![0; usize::from(head[0]) | usize::from(head[1]) << 8];
        self.0.read_exact(&mut body).unwrap();
        body
    }

    fn say(&mut self, number: u8, body: &[u8]) {
        let [low, high, ..] = u32::try_from(body.len()).unwrap().to_le_bytes();
        self.0.write_all(&[&[low, high, 0, number], body].concat()).unwrap();
    }

    /// The first fields of the rows, which are short, or the number of the error.
    fn run(&mut self, sql: &str) -> Result<Vec<String>, u16> {
        self.say(0, &[b"\x03", sql.as_bytes()].concat());
        let (mut ends, mut rows, mut first) = (0, Vec::new(), true);
        loop {
            let body = self.packet();
            match body.split_first() {
                Some((0xff, rest)) => return Err(u16::from_le_bytes([rest[0], rest[1]])),
                Some((0x00, _)) if first => return Ok(rows),
                Some((0xfe, rest)) if rest.len() < 8 => ends += 1,
                Some((length, rest)) if ends == 1 => {
                    rows.push(String::from_utf8_lossy(&rest[..usize::from(*length)]).into_owned());
                }
                _ => {}
            }
            first = false;
            if ends == 2 {
                return Ok(rows);
            }
        }
    }
}

fn made(sql: &str) -> Vec<String> {
    Session::open(MAKER).unwrap().run(sql).unwrap_or_else(|code| panic!("{code}: {sql}"))
}

/// What a user may, and what it logs in with left out.
fn rights(user: &str) -> Vec<String> {
    let mut lines: Vec<String> = made(&format!("show grants for `{user}`@`127.0.0.1`"))
        .into_iter()
        .filter(|line| !line.starts_with("GRANT `staunch-"))
        .map(|line| match line.split_once(" IDENTIFIED BY PASSWORD '") {
            Some((head, rest)) => format!("{head}{}", rest.split_once('\'').unwrap().1),
            None => line,
        })
        .map(|line| line.replace(&format!("`{user}`@"), "`?`@"))
        .collect();
    lines.sort();
    lines
}

/// A service's user in a file of settings, and whoever rotates it.
struct Stage {
    home: Home,
    user: String,
    password: String,
    /// Where the program finds the server.
    at: String,
}

impl Stage {
    fn new() -> Self {
        Self::behind(setting("STAUNCH_TEST_MARIADB"))
    }

    fn behind(at: String) -> Self {
        let user = unique("shop").to_lowercase().replace('-', "_");
        let password = ["Vr5n", "-8mKt_", "Qw3HzD"].concat();
        made(&format!(
            "create user {user}@'127.0.0.1' identified by '{password}' with max_user_connections 90 password expire interval 90 day"
        ));
        made(&format!("grant select, insert (a), create view on shops.own to {user}@'127.0.0.1'"));
        made(&format!("grant execute on procedure shops.one to {user}@'127.0.0.1' with grant option"));
        let home = Home::new();
        fs::create_dir_all(home.work().join("app")).unwrap();
        let url = format!("mysql://{user}:{password}@{at}/shops?ssl-mode=DISABLED");
        fs::write(home.work().join("app/.env"), format!("# shop\nDATABASE_URL={url}\nOTHER={user}\n")).unwrap();
        fs::write(home.work().join("app/docker-compose.yml"), "services:\n  api:\n    image: api\n    env_file: [.env]\n")
            .unwrap();
        let approvers: String = [("kim", 1), ("lee", 2)].map(|(who, seed)| approver(&home, who, seed)).concat();
        let settings = format!(
            "[network]\nallow_hosts = [\"127.0.0.1\"]\nallow_nets = [\"127.0.0.0/8\"]\n[[responder.provider]]\nname = \"mysql\"\ncredential = \
             \"env:MYSQL_ADMIN\"\nowned = [\"127.0.0.1\"]\n{approvers}"
        );
        fs::write(home.root().join("home/config.toml"), settings).unwrap();
        Self { home, user, password, at }
    }

    fn file(&self) -> PathBuf {
        self.home.work().join("app/.env")
    }

    /// The login that stands in the file.
    fn held(&self) -> (String, String) {
        login(&fs::read_to_string(self.file()).unwrap())
    }

    /// The users of the stage.
    fn users(&self) -> Vec<String> {
        made(&format!("select User from mysql.global_priv where User like '{}%' order by 1", self.user))
    }

    /// The one new user is in the file, may what the old one may, and both log in.
    fn assert_replaced(&self, moment: &str) {
        let (user, password) = self.held();
        assert_eq!(user, format!("{}_b", self.user), "{moment}");
        let mut new = Session::open((&user, &password)).unwrap_or_else(|code| panic!("{moment}: {code}"));
        assert_eq!(new.run("select a from shops.own").unwrap(), ["1"], "{moment}");
        assert!(Session::open((&self.user, &self.password)).is_ok(), "{moment}");
        assert_eq!(self.users(), [self.user.clone(), user.clone()], "{moment}");
        assert_eq!(rights(&user), rights(&self.user), "{moment}");
    }
}

impl Turn for Stage {
    fn home(&self) -> &Home {
        &self.home
    }

    fn staunch(&self, arguments: &[&str]) -> Run {
        let admin = format!("mysql://{}:{}@{}/?ssl-mode=DISABLED", TURNER.0, TURNER.1, self.at);
        let config = self.home.root().join("home/config.toml");
        let run = self.home.staunch(arguments).env("STAUNCH_CONFIG", config).env("STAUNCH_REQUESTER", "tests");
        run.env("MYSQL_ADMIN", admin)
    }
}

fn login(text: &str) -> (String, String) {
    let url = text.lines().find_map(|line| line.strip_prefix("DATABASE_URL=mysql://")).unwrap();
    let (user, rest) = url.split_once(':').unwrap();
    (user.to_owned(), rest.split_once('@').unwrap().0.to_owned())
}

/// What the service asks, with what its file says.
fn ask(text: &str) -> Result<(), String> {
    let (user, password) = login(text);
    match Session::open((&user, &password)).and_then(|mut session| session.run("select a from shops.own")) {
        Ok(rows) if rows == ["1"] => Ok(()),
        other => Err(format!("{user}: {other:?}")),
    }
}

#[test]
fn two_users_take_turns_while_a_service_uses_them_and_no_request_fails() {
    let stage = Stage::new();
    let service = Service::start(stage.file(), ask);
    let before = (stage.user.clone(), stage.password.clone());
    let run = stage.turned(0);
    let first = stage.held();
    assert_eq!(step(&run, "drop-password")["state"], "succeeded", "{run}");
    assert_eq!(step(&run, "prove-refused")["evidence"]["seen"]["state"], "locked", "{run}");
    assert_eq!(step(&run, "evidence")["evidence"]["predicate"]["result"], "PASSED", "{run}");
    assert_eq!(first.0, format!("{}_b", stage.user));
    assert_eq!(Session::open((&before.0, &before.1)).err(), Some(1045), "its password is gone");
    assert_eq!(rights(&first.0), rights(&before.0));
    let lifetime = "select json_value(Priv, '$.password_lifetime') from mysql.global_priv where User = ";
    assert_eq!(made(&format!("{lifetime}'{}'", first.0)), ["90"]);
    // What it makes goes on working when its turn is over.
    let view = format!("shops.seen_by_{}", stage.user);
    Session::open((&first.0, &first.1))
        .unwrap()
        .run(&format!("create view {view} as select a from shops.own"))
        .unwrap_or_else(|code| {
            assert_eq!(code, 1142, "a view");
            Vec::new()
        });

    // Its next turn, and back again: the same two users. What was granted or taken away meanwhile is so for the other as well.
    made(&format!("grant delete on shops.own to {}@'127.0.0.1'", first.0));
    made(&format!("revoke insert (a) on shops.own from {}@'127.0.0.1'", first.0));
    let run = stage.turned(60);
    let second = stage.held();
    assert_eq!(second.0, stage.user, "{run}");
    assert!(second.1 != before.1 && second.1 != first.1);
    assert_eq!(Session::open((&first.0, &first.1)).err(), Some(1045));
    assert_eq!(rights(&second.0), rights(&first.0));
    assert!(rights(&second.0).iter().any(|line| line.contains("DELETE")) && !rights(&second.0).concat().contains("INSERT"));
    let run = stage.turned(120);
    let third = stage.held();
    assert_eq!(third.0, first.0, "{run}");
    let asked = service.end();
    assert!(asked >= 200, "only {asked} requests were made");
    assert_eq!(stage.users().len(), 2);
    // Of three turns the last one's role is left.
    let roles = format!("select distinct Role from mysql.roles_mapping where User like '{}%'", stage.user);
    assert_eq!(made(&roles).len(), 1);
    stage.assert_unwritten(&[&before.1, &first.1, &second.1, &third.1]);
    // A run that has taken its password away lets nobody in again.
    let id = run["id"].as_str().unwrap();
    let undone = hours_ahead(stage.staunch(&["respond", "undo", id, "--format", "json"]), 172).output();
    assert!(
        step(&said(&undone), "stop")["why"].as_str().unwrap().contains("password was taken away"),
        "{}",
        undone.stdout()
    );
}

#[test]
fn it_is_put_back_and_the_new_user_waits_locked_for_its_turn() {
    let stage = Stage::new();
    let before = fs::read(stage.file()).unwrap();
    let (digest, _) = stage.plan();
    let run = said(&stage.apply(&digest));
    stage.assert_replaced("applied");
    let new = stage.held();
    let id = run["id"].as_str().unwrap();
    let url = String::from_utf8_lossy(&before).lines().nth(1).unwrap().to_owned();
    let undo = stage.staunch(&["respond", "undo", id, "--secret-stdin", "--format", "json"]).stdin(url.as_bytes());
    let undone = undo.output();
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    assert_eq!(fs::read(stage.file()).unwrap(), before);
    assert_eq!(Session::open((&new.0, &new.1)).err(), Some(1045));
    assert!(Session::open((&stage.user, &stage.password)).is_ok());
    let run = stage.turned(1);
    assert_eq!((step(&run, "drop-password")["state"].as_str(), stage.held().0), (Some("succeeded"), new.0), "{run}");
}

/// Changes a stage.
type Change = fn(&Stage);

#[test]
fn what_could_not_be_changed_with_the_password_stops_it_before_anybody_is_let_in() {
    let refusals: [(&str, Change); 6] = [
        ("outside of a URL", |stage| {
            let text = fs::read_to_string(stage.file()).unwrap();
            fs::write(stage.file(), format!("{text}MYSQL_PWD={}\n", stage.password)).unwrap();
        }),
        ("not left by an earlier turn", |stage| {
            drop(made(&format!("create user {}_b@'127.0.0.1' identified by 'x' account lock", stage.user)));
        }),
        ("several accounts", |stage| drop(made(&format!("create user {}@'10.%' identified by 'x'", stage.user)))),
        ("may not do that", |stage| drop(made(&format!("grant process on *.* to {}@'127.0.0.1'", stage.user)))),
        ("may not do that", |stage| {
            drop(made(&format!("grant proxy on maker@'127.0.0.1' to {}@'127.0.0.1'", stage.user)));
        }),
        ("password alone", |stage| {
            drop(made(&format!(
                "alter user {0}@'127.0.0.1' identified via mysql_native_password using password('{1}') or unix_socket",
                stage.user, stage.password
            )));
        }),
    ];
    for (why, change) in refusals {
        let stage = Stage::new();
        change(&stage);
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
        let open = format!(
            "select User from mysql.global_priv where User = '{}_b' and coalesce(json_value(Priv, '$.account_locked'), 0) not in ('1',              'true')",
            stage.user
        );
        assert!(made(&open).is_empty(), "{why}");
        assert_eq!(stage.held(), (stage.user.clone(), stage.password.clone()), "{why}");
        assert!(!told.contains(&stage.password), "{why}");
    }
}

/// What happens to the connection over which the new one is let in, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The server hears of it.
    After,
    /// It does not.
    Before,
}

/// Passes on what a client says, and cuts the connection where it lets a user in.
fn pass(mut from: TcpStream, mut to: TcpStream, (cut, left): (Cut, &AtomicBool)) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let asks = buffer[..count].windows(14).any(|piece| piece == b"account unlock");
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
            let server = TcpStream::connect(setting("STAUNCH_TEST_MARIADB")).unwrap();
            let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || drop(std::io::copy(&mut answers, &mut back)));
            let left = Arc::clone(&left);
            std::thread::spawn(move || pass(client, server, (cut, &left)));
        }
    });
    at
}

#[test]
fn a_user_of_whom_the_answer_was_lost_is_locked_or_asked_about_and_never_let_in_twice() {
    for cut in [Cut::After, Cut::Before] {
        let stage = Stage::behind(cutting(cut));
        let (digest, _) = stage.plan();
        let run = said(&stage.apply(&digest));
        let id = run["id"].as_str().unwrap().to_owned();
        let why = step(&run, "replace")["why"].as_str().unwrap_or_else(|| panic!("{cut:?}: {run}"));
        let run = if step(&run, "replace")["state"] == "failed" {
            assert!(cut == Cut::After && why.contains("was removed"), "{cut:?}: {why}");
            stage.later(&id, 0, &[])
        } else {
            // The server may not have come so far when it was looked at; or has not heard of it.
            assert!(why.contains("the list may be behind"), "{cut:?}: {why}");
            stage.later(&id, 1, &[]);
            stage.later(&id, 1, &["replace"])
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
            let output = kill_on_sync(stage.staunch(&["respond", "apply", &digest]), "journal.jsonl", at, side).output();
            assert!(output.was_killed(), "{moment}: {output:?}");
            let runs = fs::read_dir(stage.home.state().join("runs"));
            let mut runs = runs.map(|all| all.map(|run| run.unwrap().path()).collect::<Vec<_>>()).unwrap_or_default();
            runs.retain(|run| run.join("journal.jsonl").exists());
            let output = match runs.first() {
                Some(run) => {
                    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
                    stage.staunch(&["respond", "resume", &id, "--format", "json"]).output()
                }
                None => stage.apply(&digest),
            };
            let run = said(&output);
            let replace = step(&run, "replace");
            // Between the word that a new one is asked for and the asking, it cannot tell whether it was.
            if output.code() == Some(2) {
                assert!(replace["why"].as_str().unwrap().contains("the list may be behind"), "{moment}: {run}");
                assert_eq!(stage.held(), (stage.user.clone(), stage.password.clone()), "{moment}");
                unasked.push(at);
                continue;
            }
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
