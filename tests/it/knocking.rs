//! The door of `respond watch`, through the program: who is heard there, what comes of it, and that nothing which is sent is acted on.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use ring::hmac;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::program::{Output, Running};
use crate::harness::shim::{full_on_write, hours_ahead};
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
        self.opened(self.run(&[]))
    }

    fn opened(&self, run: crate::harness::program::Run) -> Running {
        let running = run.limit(Duration::from_mins(3)).spawn();
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

    /// Something was heard when nobody looked.
    fn hear(&self, name: &str, kept: &Value) {
        let folder = self.scene.home.state().join("heard");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), kept.to_string()).unwrap();
    }

    /// The fingerprint of the leaked key, which is in the store from now on.
    fn known(&self, more: &[&str]) -> String {
        let scan = self.scene.staunch(&[&["triage", "app", "--format", "jsonl"], more].concat()).output();
        let finding: Value = serde_json::from_str(scan.stdout().lines().next().unwrap()).unwrap();
        finding["fingerprint"].as_str().unwrap().to_owned()
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

    /// Waits until what was heard was looked for once, and not found.
    fn looked_in_vain(&self) {
        let looked = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains("\"looks\":1"));
        for _ in 0..600 {
            let waiting = fs::read_dir(self.scene.home.state().join("heard"));
            if waiting.is_ok_and(|mut all| all.any(|one| looked(&one.unwrap().path()))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nobody looks");
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
    // Nobody has pulled yet, so there is nothing to be found.
    assert_eq!(house.signed(&alert(), Some("secret_scanning_alert")), 202);
    house.looked_in_vain();
    fs::write(&env, text).unwrap();
    assert_eq!(house.signed(&alert(), Some("secret_scanning_alert")), 202, "redelivered: it is looked for at once");
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

/// An alert as it waits.
fn waits(repository: &str, kind: &str) -> Value {
    let now = jiff::Timestamp::now().to_string();
    json!({ "alert": { "repository": repository, "number": 7, "kind": kind }, "since": now, "heard": now })
}

fn told(output: &Output) -> Vec<Value> {
    output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_look_that_failed_is_told_and_made_again() {
    let house = House::new("\"clones\"");
    house.hear("00.json", &waits("corp/app", "anthropic_api_key"));
    let output = house.run(&["--once"]).output();
    assert_eq!((output.code(), house.waiting()), (Some(1), 1), "{} {}", output.stdout(), output.stderr());
    assert!(output.stdout().contains("could not be scanned"), "{}", output.stdout());
    // Somebody mounts them.
    fs::create_dir(house.scene.home.work().join("clones")).unwrap();
    fs::rename(house.scene.home.work().join("app"), house.scene.home.work().join("clones/app")).unwrap();
    let output = hours_ahead(house.run(&["--once"]), 1).output();
    assert_eq!((output.code(), house.waiting()), (Some(0), 0), "{} {}", output.stdout(), output.stderr());
    assert!(!house.is_active());
}

#[test]
fn a_finding_that_was_named_while_its_provider_was_silent_is_told_and_asked_about_again() {
    let house = House::new("");
    let print = house.known(&[]);
    house.hear("00.json", &json!({ "findings": [print] }));
    let output = house.run(&["--once", "--endpoint", "anthropic=http://127.0.0.1:1"]).output();
    assert_eq!((output.code(), house.waiting()), (Some(1), 1), "{} {}", output.stdout(), output.stderr());
    assert!(output.stdout().contains("it was reported, and whether it is live cannot be asked"), "{}", output.stdout());
    assert!(house.is_active());
    let output = hours_ahead(house.run(&["--once"]), 1).output();
    assert_eq!((output.code(), house.waiting()), (Some(0), 0), "{} {}", output.stdout(), output.stderr());
    assert!(!house.is_active());
}

#[test]
fn an_alert_that_comes_before_the_pull_is_looked_for_again_and_answered_by_what_was_found_since() {
    let house = House::new("\"app\"");
    let env = house.scene.home.work().join("app/.env");
    let text = fs::read(&env).unwrap();
    fs::write(&env, "NOTHING=1\n").unwrap();
    house.hear("00.json", &waits("corp/app", "anthropic_api_key"));
    let output = house.run(&["--once"]).output();
    assert_eq!((output.code(), house.waiting()), (Some(1), 1), "{} {}", output.stdout(), output.stderr());
    assert_eq!(told(&output)[0]["kind"], "held", "{}", output.stdout());
    // Somebody pulls, and somebody else finds it before the next look.
    fs::write(&env, text).unwrap();
    house.known(&["--offline"]);
    let output = hours_ahead(house.run(&["--once"]), 1).output();
    assert_eq!((output.code(), house.waiting()), (Some(0), 0), "{} {}", output.stdout(), output.stderr());
    assert!(!house.is_active());
}

#[test]
fn an_alert_for_which_nothing_is_found_wakes_somebody_in_the_end() {
    let house = House::new("\"app\"");
    fs::write(house.scene.home.work().join("app/.env"), "NOTHING=1\n").unwrap();
    house.hear("00.json", &waits("corp/app", "anthropic_api_key"));
    let mut kinds = Vec::new();
    for hours in [0, 2, 4, 6, 8] {
        assert_eq!(house.waiting(), 1, "{hours}");
        let output = hours_ahead(house.run(&["--once"]), hours).output();
        kinds.extend(told(&output).into_iter().map(|notice| notice["kind"].as_str().unwrap().to_owned()));
    }
    assert_eq!((kinds, house.waiting()), (vec!["held".to_owned(), "left".to_owned()], 0));
}

#[test]
fn what_is_found_elsewhere_answers_no_alert() {
    let house = House::new("\"app\"");
    house.hear("00.json", &waits("corp/other", "aws_access_key_id"));
    house.hear("01.json", &waits("corp/elsewhere", "anthropic_api_key"));
    house.hear("02.json", &waits("corp/app", "some_other_token"));
    let output = house.run(&["--once"]).output();
    assert!(!house.is_active());
    let held: Vec<Value> = told(&output).into_iter().filter(|notice| notice["kind"] == "held").collect();
    assert_eq!((held.len(), house.waiting()), (1, 1), "{} {}", output.stdout(), output.stderr());
    assert!(held[0]["lines"][0].as_str().unwrap().contains("corp/other"), "{held:?}");
}

#[test]
fn what_was_heard_is_there_until_what_there_is_to_say_of_it_was_said() {
    let house = House::new("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let config = house.scene.home.root().join("home/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}[[notify]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"env:HOOK_URL\"\n")).unwrap();
    let heard = house.scene.home.state().join("heard");
    let ears = std::thread::spawn(move || {
        let mut stream = listener.incoming().next().unwrap().unwrap();
        let count = fs::read_dir(&heard).unwrap().count();
        let _ = stream.read(&mut [0; 8192]);
        let _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        count
    });
    house.hear(
        "00.json",
        &json!({ "findings": ["0123456789abcdef-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"] }),
    );
    let output = house.run(&["--once"]).env("HOOK_URL", url).output();
    assert_eq!(output.code(), Some(1), "{} {}", output.stdout(), output.stderr());
    assert_eq!((ears.join().unwrap(), house.waiting()), (1, 0));
}

#[test]
fn whoever_can_write_in_a_clone_has_no_say_in_what_is_seen_there() {
    let house = House::new("\"app\"");
    let app = house.scene.home.work().join("app");
    let text = fs::read_to_string(app.join(".env")).unwrap();
    fs::create_dir(app.join(".git")).unwrap();
    fs::write(app.join(".gitignore"), ".env\n").unwrap();
    fs::write(app.join(".env"), text.replace('\n', "  # staunch:allow\n")).unwrap();
    house.hear("00.json", &waits("corp/app", "anthropic_api_key"));
    let output = house.run(&["--once"]).output();
    assert_eq!((output.code(), house.waiting()), (Some(0), 0), "{} {}", output.stdout(), output.stderr());
    assert!(!house.is_active());
}

#[test]
fn what_was_begun_comes_before_what_was_heard() {
    let house = House::new("");
    house.known(&[]);
    house.hear(
        "00.json",
        &json!({ "findings": ["0123456789abcdef-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"] }),
    );
    let output = house.run(&["--once"]).output();
    let kinds: Vec<Value> = told(&output).into_iter().map(|notice| notice["kind"].clone()).collect();
    assert_eq!(kinds, ["done", "left"], "{}", output.stderr());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_closes_the_door_for_as_long_as_it_is_full() {
    let house = House::new("");
    let running = house.opened(full_on_write(house.run(&[]), ".part", 1, false));
    for number in 0..3 {
        let mut alert = alert();
        alert["alert"]["number"] = json!(number);
        assert_eq!(house.signed(&alert, Some("secret_scanning_alert")), 503);
    }
    let output = House::close(running);
    assert!(output.stderr().contains("a delivery was not taken"), "{}", output.stderr());
    assert_eq!(house.waiting(), 0, "nothing half written is left");
    // What one left that was killed.
    for number in 0..300 {
        fs::write(house.scene.home.state().join(format!("heard/{number}.part")), "{").unwrap();
    }
    let running = house.open();
    assert_eq!(house.waiting(), 0);
    assert_eq!(house.signed(&alert(), Some("secret_scanning_alert")), 202);
    House::close(running);
}

#[test]
fn whoever_has_no_signature_is_not_listened_to() {
    let house = House::new("");
    let running = house.open();
    for header in ["", "X-Hub-Signature-256: sha256=00\r\n"] {
        let mut stream = TcpStream::connect(house.at).unwrap();
        // No body comes.
        write!(stream, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n{header}\r\n").unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        assert!(text.starts_with("HTTP/1.1 401"), "{text}");
    }
    House::close(running);
}
