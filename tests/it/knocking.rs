//! The door of `respond watch`, through the program: who is heard there, what comes of it, and that nothing which is sent is acted on.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use data_encoding::HEXLOWER;
use ring::hmac;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::program::{Output, Running};
use crate::responding::{ADMIN, OWNED, Scene};

const SHARED: &str = "a secret that both sides share";
const ALLOW: &str = "[watch]\n[[watch.allow]]\nplaybook = \"anthropic-contain\"\naccounts = [\"org-1\"]\n";

/// A watcher with a door, and whatever was sent to it.
struct House {
    scene: Scene,
    at: SocketAddr,
}

impl House {
    fn new(look: &str) -> Self {
        // Free a moment ago.
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let door = format!("[watch.webhook]\nlisten = \"{at}\"\nsecret = \"env:HOOK_SECRET\"\nlook = [{look}]\n");
        Self { scene: Scene::new(&format!("{OWNED}{ALLOW}{door}")), at }
    }

    fn run(&self, more: &[&str]) -> crate::harness::program::Run {
        let arguments = [&["respond", "watch", "--every", "3600", "--format", "json"], more].concat();
        let run = self.scene.staunch(&arguments).env("HOOK_SECRET", SHARED);
        run.env("ADMIN_KEY", std::str::from_utf8(ADMIN).unwrap())
    }

    fn open(&self) -> Running {
        let running = self.run(&[]).limit(Duration::from_mins(3)).spawn();
        for _ in 0..600 {
            if TcpStream::connect(self.at).is_ok() {
                return running;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nobody opens");
    }

    /// Posts a body; the status.
    fn post(&self, body: &[u8], headers: &[(&str, &str)]) -> u16 {
        let mut stream = TcpStream::connect(self.at).unwrap();
        let more: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let more = more.concat();
        let head = format!("POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{more}\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        // Whoever is not wanted may be cut off before all is said.
        let _ = stream.write_all(body);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    fn signed(&self, body: &Value, event: Option<&str>) -> u16 {
        let body = body.to_string();
        let sign = signature(body.as_bytes(), SHARED);
        let mut headers = vec![("X-Hub-Signature-256", sign.as_str())];
        headers.extend(event.map(|event| ("X-GitHub-Event", event)));
        self.post(body.as_bytes(), &headers)
    }

    fn is_active(&self) -> bool {
        *self.scene.active.lock().unwrap()
    }

    /// Waits until the key is inactive and its run is written down.
    fn contained(&self) {
        for _ in 0..600 {
            if !self.is_active() && self.runs().iter().any(|run| run.join("evidence.json").exists()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it is not contained");
    }

    fn runs(&self) -> Vec<std::path::PathBuf> {
        let runs = fs::read_dir(self.scene.home.state().join("runs"));
        runs.map(|all| all.map(|one| one.unwrap().path()).collect()).unwrap_or_default()
    }

    fn waiting(&self) -> usize {
        fs::read_dir(self.scene.home.state().join("heard")).map_or(0, Iterator::count)
    }

    fn close(running: Running) -> Output {
        kill_process(running.pid(), Signal::TERM).unwrap();
        running.wait()
    }
}

fn signature(body: &[u8], secret: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    format!("sha256={}", HEXLOWER.encode(tag.as_ref()))
}

fn alert() -> Value {
    json!({ "action": "created", "alert": { "number": 7, "secret_type": "anthropic_api_key" }, "repository": { "full_name": "corp/app" } })
}

#[test]
fn an_alert_of_githubs_has_the_clones_looked_at_and_what_is_found_there_contained() {
    let house = House::new("\"app\"");
    // The leak comes after the first look.
    let env = house.scene.home.work().join("app/.env");
    let text = fs::read(&env).unwrap();
    fs::write(&env, "NOTHING=1\n").unwrap();
    let running = house.open();
    assert_eq!(house.post(b"{}", &[]), 401, "unsigned");
    let body = alert().to_string();
    let forged = signature(body.as_bytes(), "another secret of the same kind");
    let event = ("X-GitHub-Event", "secret_scanning_alert");
    assert_eq!(house.post(body.as_bytes(), &[("X-Hub-Signature-256", &forged), event]), 401, "signed by somebody else");
    assert_eq!(house.signed(&json!({ "zen": "x" }), Some("ping")), 200);
    assert_eq!(house.signed(&json!({ "no": "alert" }), Some("secret_scanning_alert")), 400);
    // Whoever goes on talking may be cut off before they hear why.
    assert!([413, 0].contains(&house.post(&vec![b'x'; 2 << 20], &[("X-Hub-Signature-256", &forged)])));
    assert!(house.is_active() && house.runs().is_empty());
    fs::write(&env, text).unwrap();
    assert_eq!(house.signed(&alert(), Some("secret_scanning_alert")), 202);
    house.contained();
    // The same again, by whoever has caught it on its way.
    assert_eq!(house.signed(&alert(), Some("secret_scanning_alert")), 200);
    let output = House::close(running);
    assert_eq!(house.runs().len(), 1);
    assert_eq!(house.waiting(), 0, "what was looked at waits no more");
    let told: Vec<Value> = output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.iter().filter(|notice| notice["kind"] == "done").count(), 1, "{told:?} {}", output.stderr());
}

#[test]
fn findings_are_named_read_where_they_stand_and_asked_about_and_nothing_that_was_sent_is_acted_on() {
    let house = House::new("");
    // Found once, when nobody asked whether it was live.
    let scan = house.scene.staunch(&["triage", "app", "--format", "jsonl", "--offline"]).output();
    let finding: Value = serde_json::from_str(scan.stdout().lines().next().unwrap()).unwrap();
    let print = finding["fingerprint"].as_str().unwrap();
    let running = house.open();
    let now = jiff::Timestamp::now().to_string();
    let own = |print: &str, at: &str| json!({ "schema": "staunch.webhook/1", "at": at, "fingerprints": [print] });
    assert_eq!(house.signed(&own(print, "2020-01-01T00:00:00Z"), None), 400, "an old one that somebody has kept");
    let unknown: String = print.chars().rev().collect();
    assert_eq!(house.signed(&own(&unknown, &now), None), 202);
    assert_eq!(house.signed(&own(print, &now), None), 202);
    house.contained();
    let output = House::close(running);
    assert!(output.stdout().contains("that is not known here"), "{} {}", output.stdout(), output.stderr());
    assert_eq!((house.runs().len(), house.waiting()), (1, 0));
}

#[test]
fn what_was_heard_before_the_process_died_is_looked_at_by_the_next() {
    let house = House::new("");
    let scan = house.scene.staunch(&["triage", "app", "--format", "jsonl", "--offline"]).output();
    let finding: Value = serde_json::from_str(scan.stdout().lines().next().unwrap()).unwrap();
    let folder = house.scene.home.state().join("heard");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("00.json"), json!({ "findings": [finding["fingerprint"]] }).to_string()).unwrap();
    fs::write(folder.join("01.json"), "{ cut").unwrap();
    let output = house.run(&["--once"]).output();
    assert_eq!(output.code(), Some(0), "{} {}", output.stdout(), output.stderr());
    assert!(!house.is_active() && house.waiting() == 0);
}

#[test]
fn a_door_without_a_secret_is_not_opened() {
    let house = House::new("");
    for (secret, said) in [(None, "HOOK_SECRET is not set"), (Some("short"), "fewer than 16 bytes")] {
        let mut run = house.scene.staunch(&["respond", "watch"]);
        run = match secret {
            Some(secret) => run.env("HOOK_SECRET", secret),
            None => run,
        };
        let output = run.output();
        assert!(output.code() == Some(2) && output.stderr().contains(said), "{}", output.stderr());
    }
}
