//! A role of a real PostgreSQL whose password leaked: kept from logging in, its open session ended, seen to be refused, and let in
//! again.

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
