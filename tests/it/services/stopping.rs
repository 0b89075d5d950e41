//! A role of a real PostgreSQL, a user of a real MariaDB and of a real Redis whose passwords leaked: kept from logging in, open sessions ended, seen to be
//! refused, and let in again.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::program::{Home, Output, Run};
use crate::harness::services::setting;

/// Passwords of tests/services, nobody else's.
const LEAKED: (&str, &str) = ("leaky", "aV6w-4tQm_Hd9SjR");
const CHIEF: (&str, &str) = ("chief", "hY7n-3cQs_Vd8KpT");

fn url((user, password): (&str, &str), at: &str) -> String {
    format!("postgresql://{user}:{password}@{at}/postgres?sslmode=disable")
}

/// A session of the leaked role, as whoever found its password has one.
fn session(at: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).unwrap();
    let send = |stream: &mut TcpStream, kind: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        stream.write_all(&[kind, &length, body].concat()).unwrap();
    };
    let start = [&[0, 3, 0, 0][..], b"user\0", LEAKED.0.as_bytes(), b"\0database\0postgres\0\0"].concat();
    send(&mut stream, b"", &start);
    send(&mut stream, b"p", &[LEAKED.1.as_bytes(), b"\0"].concat());
    // ReadyForQuery, idle.
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    while !heard.ends_with(b"Z\0\0\0\x05I") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&buffer[..count]);
    }
    stream
}

fn said(output: &Output) -> Value {
    serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()))
}

#[test]
fn a_postgresql_role_is_kept_out_proved_to_be_and_let_in_again() {
    let at = setting("STAUNCH_TEST_POSTGRES");
    let home = Home::new();
    let config = home.root().join("home/config.toml");
    fs::create_dir_all(home.work().join("app")).unwrap();
    fs::write(home.work().join("app/.env"), format!("DATABASE_URL={}\n", url(LEAKED, &at))).unwrap();
    let settings = "[network]\nallow_hosts = [\"127.0.0.1\"]\nallow_nets = [\"127.0.0.0/8\"]\n[[responder.provider]]\nname = \"postgres\"\n\
                    credential = \"env:PG_ADMIN\"\nowned = [\"127.0.0.1\"]\n";
    fs::write(&config, settings).unwrap();
    let staunch = |arguments: &[&str], admin: &str| -> Run {
        let run = home.staunch(arguments).env("STAUNCH_CONFIG", &config).env("STAUNCH_REQUESTER", "tests");
        run.env("PG_ADMIN", admin)
    };
    let chief = url(CHIEF, &at);
    let plan = said(
        &staunch(&["respond", "plan", "app", "--playbook", "postgres-role-contain", "--format", "json"], &chief).output(),
    );
    let stop = &plan["plan"]["steps"][0];
    assert_eq!((&stop["action"], &stop["observed"]["state"]), (&json!("postgres-role-stop"), &json!("login")), "{plan}");
    let mut open = session(&at);
    let run = staunch(&["respond", "apply", plan["digest"].as_str().unwrap(), "--format", "json"], &chief).output();
    assert_eq!(run.code(), Some(0), "{} {}", run.stdout(), run.stderr());
    let run = said(&run);
    assert_eq!(run["steps"][1]["evidence"]["refused"], "28000: it may not log in", "{run}");
    assert_eq!(run["steps"][2]["evidence"]["predicate"]["result"], "PASSED", "{run}");
    let mut last = String::new();
    open.read_to_string(&mut last).unwrap();
    assert!(last.contains("57P01"), "its session was ended by an administrator: {last:?}");
    for password in [CHIEF.1, LEAKED.1] {
        assert!(!run.to_string().contains(password));
    }
    let undone = staunch(&["respond", "undo", run["id"].as_str().unwrap()], &chief).output();
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    let again = said(
        &staunch(&["respond", "plan", "app", "--playbook", "postgres-role-contain", "--format", "json"], &chief).output(),
    );
    assert_eq!(again["plan"]["steps"][0]["observed"]["state"], "login", "it is let in again");

    // Whoever acts as the role itself, or at another server, acts on nobody.
    // That it is the role, though its password is another.
    let same = url((LEAKED.0, "nB5x-8rWk_Tc3YqG"), &at);
    for (admin, word) in [(same, "responder's own role"), (url(CHIEF, "127.0.0.1:9"), "was found for")] {
        let plan =
            staunch(&["respond", "plan", "app", "--playbook", "postgres-role-contain", "--format", "json"], &admin).output();
        let told = format!("{} {}", plan.stdout(), plan.stderr());
        assert!(told.contains(word), "{word}: {told}");
    }
}

/// A session of the leaked MariaDB user, as whoever found its password has one: protocol 10, `mysql_native_password`.
fn mariadb_session(at: &str) -> TcpStream {
    use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, digest};
    let mut stream = TcpStream::connect(at).unwrap();
    let packet = |stream: &mut TcpStream| {
        let mut head = [0; 4];
        stream.read_exact(&mut head).unwrap();
        let mut body = vec![0; usize::from(head[0]) | usize::from(head[1]) << 8];
        stream.read_exact(&mut body).unwrap();
        body
    };
    let greeting = packet(&mut stream);
    let version = greeting[1..].iter().position(|byte| *byte == 0).unwrap() + 2;
    let salt = [&greeting[version + 4..version + 12], &greeting[version + 31..version + 43]].concat();
    let once = digest(&SHA1, LEAKED.1.as_bytes());
    let salted = digest(&SHA1, &[&salt[..], digest(&SHA1, once.as_ref()).as_ref()].concat());
    let proof: Vec<u8> = once.as_ref().iter().zip(salted.as_ref()).map(|(a, b)| a ^ b).collect();
    let mut body = 0x0008_8201u32.to_le_bytes().to_vec();
    body.extend_from_slice(&[0, 0, 16, 0, 45]);
    body.extend_from_slice(&[0; 23]);
    body.extend_from_slice(LEAKED.0.as_bytes());
    body.extend_from_slice(&[0, 20]);
    body.extend_from_slice(&proof);
    body.extend_from_slice(b"mysql_native_password\0");
    let head = [u8::try_from(body.len()).unwrap(), 0, 0, 1];
    stream.write_all(&[&head[..], &body[..]].concat()).unwrap();
    assert_eq!(packet(&mut stream).first(), Some(&0), "it is let in");
    stream
}

#[test]
fn a_mariadb_user_is_locked_proved_to_be_and_let_in_again() {
    let at = setting("STAUNCH_TEST_MARIADB");
    let home = Home::new();
    let config = home.root().join("home/config.toml");
    let url = |(user, password): (&str, &str), rest: &str| format!("mysql://{user}:{password}@{at}/{rest}");
    fs::create_dir_all(home.work().join("app")).unwrap();
    fs::create_dir_all(home.work().join("two")).unwrap();
    fs::write(home.work().join("app/.env"), format!("DATABASE_URL={}\n", url(LEAKED, ""))).unwrap();
    fs::write(home.work().join("two/.env"), format!("DATABASE_URL={}\n", url(("twofold", "zC5x-7nGk_Wb2RtM"), ""))).unwrap();
    let settings = "[network]\nallow_hosts = [\"127.0.0.1\"]\nallow_nets = [\"127.0.0.0/8\"]\n[[responder.provider]]\nname = \"mysql\"\n\
                    credential = \"env:MYSQL_ADMIN\"\nowned = [\"127.0.0.1\"]\n";
    fs::write(&config, settings).unwrap();
    let chief = url(CHIEF, "?ssl-mode=DISABLED");
    let staunch = |arguments: &[&str]| -> Output {
        let run = home.staunch(arguments).env("STAUNCH_CONFIG", &config).env("STAUNCH_REQUESTER", "tests");
        run.env("MYSQL_ADMIN", &chief).output()
    };
    let plan =
        |folder: &str| said(&staunch(&["respond", "plan", folder, "--playbook", "mysql-user-contain", "--format", "json"]));
    let planned = plan("app");
    let stop = &planned["plan"]["steps"][0];
    assert_eq!((&stop["action"], &stop["observed"]["state"]), (&json!("mysql-user-stop"), &json!("unlocked")), "{planned}");
    let mut open = mariadb_session(&at);
    let run = staunch(&["respond", "apply", planned["digest"].as_str().unwrap(), "--format", "json"]);
    assert_eq!(run.code(), Some(0), "{} {}", run.stdout(), run.stderr());
    let run = said(&run);
    assert_eq!(run["steps"][1]["evidence"]["refused"], "4151: its user is locked", "{run}");
    assert_eq!(run["steps"][2]["evidence"]["predicate"]["result"], "PASSED", "{run}");
    // Whatever it is told, its session has an end.
    let _ = open.read_to_end(&mut Vec::new());
    for password in [CHIEF.1, LEAKED.1] {
        assert!(!run.to_string().contains(password));
    }
    assert_eq!(plan("app")["plan"]["steps"][0]["observed"]["state"], "locked");
    let undone = staunch(&["respond", "undo", run["id"].as_str().unwrap()]);
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    assert_eq!(plan("app")["plan"]["steps"][0]["observed"]["state"], "unlocked", "it is let in again");
    drop(mariadb_session(&at));
    // Which of two accounts of a name is meant nobody knows.
    let two = plan("two");
    assert!(two["plan"]["steps"][0]["observed"].is_null(), "{two}");
    assert!(two["plan"]["unknowns"].to_string().contains("10.1.2.3 and 127.0.0.1"), "{two}");
}

/// A Redis of the test's own, which it can restart.
struct Redis {
    child: Option<std::process::Child>,
    folder: tempfile::TempDir,
    at: String,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.end();
    }
}

impl Redis {
    /// With its users in a file of their own, or in its configuration.
    fn new(aclfile: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = [("default", "tN6v-4bKq_Wm9RsX"), CHIEF, LEAKED]
            .map(|(name, password)| format!("user {name} on >{password} ~* &* +@all\n"));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let acl = folder.path().join("users.acl");
        let users = if aclfile {
            fs::write(&acl, users.concat()).unwrap();
            format!("aclfile {}\n", acl.display())
        } else {
            users.concat()
        };
        let folder_name = folder.path().display();
        let text = format!("bind 127.0.0.1\nport {port}\nsave \"\"\nappendonly no\ndir {folder_name}\n{users}");
        fs::write(folder.path().join("redis.conf"), text).unwrap();
        let mut one = Self { child: None, folder, at: format!("127.0.0.1:{port}") };
        one.start();
        one
    }

    fn start(&mut self) {
        let program = std::path::Path::new(&setting("STAUNCH_TEST_BIN")).join("redis-server");
        let mut command = std::process::Command::new(program);
        command
            .arg(self.folder.path().join("redis.conf"))
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let answers = (0..600).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            TcpStream::connect(&self.at).is_ok()
        });
        assert!(answers, "redis-server does not answer");
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What it answers to a login, and the connection.
    fn login(&self, (user, password): (&str, &str)) -> (String, TcpStream) {
        let mut stream = TcpStream::connect(&self.at).unwrap();
        stream.write_all(format!("AUTH {user} {password}\r\n").as_bytes()).unwrap();
        let mut buffer = [0; 256];
        let count = stream.read(&mut buffer).unwrap();
        (String::from_utf8_lossy(&buffer[..count]).into_owned(), stream)
    }
}

/// Before a person is waited for, what is proved so far is told.
fn waits_with_evidence(run: &Value) {
    let states = (&run["steps"][2]["state"], &run["steps"][3]["state"]);
    assert_eq!(states, (&json!("succeeded"), &json!("waiting")), "{run}");
    let told = &run["steps"][2]["evidence"]["predicate"];
    let tests = (&told["result"], &told["passedTests"]);
    assert_eq!(tests, (&json!("WARNED"), &json!(["stop", "prove-refused"])), "{run}");
}

#[test]
fn a_redis_user_is_turned_off_proved_to_be_and_on_again_and_stays_so_where_there_is_a_file() {
    for aclfile in [true, false] {
        let mut redis = Redis::new(aclfile);
        let home = Home::new();
        let config = home.root().join("home/config.toml");
        let url = |(user, password): (&str, &str)| format!("redis://{user}:{password}@{}/0", redis.at);
        let (leaked, chief) = (url(LEAKED), url(CHIEF));
        fs::create_dir_all(home.work().join("app")).unwrap();
        fs::write(home.work().join("app/.env"), format!("REDIS_URL={leaked}\n")).unwrap();
        let settings = "[network]\nallow_hosts = [\"127.0.0.1\"]\nallow_nets = [\"127.0.0.0/8\"]\n[[responder.provider]]\nname = \"redis\"\n\
                        credential = \"env:REDIS_ADMIN\"\nowned = [\"127.0.0.1\"]\n";
        fs::write(&config, settings).unwrap();
        let staunch = |arguments: &[&str]| -> Output {
            let run = home.staunch(arguments).env("STAUNCH_CONFIG", &config).env("STAUNCH_REQUESTER", "tests");
            run.env("REDIS_ADMIN", &chief).output()
        };
        let plan = || said(&staunch(&["respond", "plan", "app", "--playbook", "redis-user-contain", "--format", "json"]));
        let planned = plan();
        let stop = &planned["plan"]["steps"][0];
        let seen = (&stop["action"], &stop["observed"]["state"], &stop["observed"]["elsewhere"]);
        assert_eq!(seen, (&json!("redis-user-stop"), &json!("on"), &Value::Null), "{planned}");
        let (answer, mut open) = redis.login(LEAKED);
        assert_eq!(answer, "+OK\r\n");
        let before = fs::read(redis.folder.path().join("users.acl")).ok();
        // Where there is a file, a person says that it may be written over.
        let apply = |digest: &str, before: &Option<Vec<u8>>| -> Value {
            let output = staunch(&["respond", "apply", digest, "--format", "json"]);
            assert_eq!(output.code(), Some(1), "it waits, or says until when it lasts: {}", output.stderr());
            let run = said(&output);
            if !aclfile {
                return run;
            }
            waits_with_evidence(&run);
            assert_eq!(&fs::read(redis.folder.path().join("users.acl")).ok(), before, "it was written over unasked");
            said(&staunch(&["respond", "resume", run["id"].as_str().unwrap(), "--done", "keep", "--format", "json"]))
        };
        let run = apply(planned["digest"].as_str().unwrap(), &before);
        let text = run.to_string();
        assert!(run["state"] == "done" && !text.contains(CHIEF.1) && !text.contains(LEAKED.1), "{run}");
        assert!(run["steps"][1]["evidence"]["refused"].as_str().unwrap().contains("the user is off"), "{run}");
        // Without a file the next restart lets it in again.
        let result = &run["steps"][5]["evidence"]["predicate"]["result"];
        assert_eq!(result, if aclfile { "PASSED" } else { "WARNED" }, "{run}");
        let kept = &run["steps"][3]["evidence"];
        let lasts = kept["lasts"].as_str().or_else(|| kept["already"]["lasts"].as_str()).unwrap();
        assert!(lasts.starts_with(if aclfile { "for good" } else { "until the server restarts" }), "{run}");
        let mut rest = Vec::new();
        assert_eq!(open.read_to_end(&mut rest).unwrap(), 0, "its connection was closed");
        assert!(redis.login(LEAKED).0.starts_with("-WRONGPASS"));
        let undone = staunch(&["respond", "undo", run["id"].as_str().unwrap(), "--done", "keep"]);
        assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
        assert_eq!(redis.login(LEAKED).0, "+OK\r\n");
        assert_eq!(plan()["plan"]["steps"][0]["observed"]["state"], "on", "it is on again");
        let before = fs::read(redis.folder.path().join("users.acl")).ok();

        // Off once more, and how long that lasts is what was said.
        let again = plan();
        let run = apply(again["digest"].as_str().unwrap(), &before);
        assert_eq!(run["steps"][0]["state"], "succeeded", "{run}");
        redis.end();
        redis.start();
        assert_eq!(redis.login(LEAKED).0.starts_with("-WRONGPASS"), aclfile, "after a restart");
        assert_eq!(redis.login(CHIEF).0, "+OK\r\n");
    }
}
