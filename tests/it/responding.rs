//! A provider besides AWS, through the program: settings, credential from the environment, plan, run, undo. The provider is a
//! script on loopback, written from Anthropic's reference.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::canary::Canaries;
use crate::harness::program::{Home, Output, Run};

pub(crate) const ADMIN: &[u8] = b"an-admin-credential-that-nobody-else-has";

/// The leaked key, never whole in a file of this repository.
pub(crate) fn leaked() -> String {
    let body = "0caQtfxuuRyLAagBUdSPI35Vy9wrOn-pVI0DsSMx6VFwHxeusvKyvXVZ_UZu9aUYgeAHJTnJR8rqgxr7Qrn2mz0jcnrS_";
    ["sk-ant-", "api03-", body, "AA"].concat()
}

/// Anthropic with one key: its address, and every request line that it heard.
fn anthropic(active: Arc<Mutex<bool>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut text = String::new();
            let mut buffer = [0; 8192];
            // Small requests: they come whole, or as a head and then a body.
            while !text.contains("\r\n\r\n") || (text.starts_with("POST") && !text.ends_with('}')) {
                let Ok(count @ 1..) = stream.read(&mut buffer) else { break };
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
            let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
            ears.lock().unwrap().push(line.clone());
            let (status, body) = answer(&line, &text, &active);
            let body = body.to_string();
            let start = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
            let _ = write!(stream, "{start}anthropic-organization-id: org-1\r\n\r\n{body}");
        }
    });
    (url, heard)
}

fn answer(line: &str, text: &str, active: &Mutex<bool>) -> (u16, Value) {
    let mut active = active.lock().unwrap();
    let admin = text.contains(std::str::from_utf8(ADMIN).unwrap());
    let key = |active: bool| {
        let hint = format!("{}...{}", &leaked()[..16], &leaked()[leaked().len() - 4..]);
        json!({ "id": "apikey_1", "name": "ci", "partial_key_hint": hint, "status": if active { "active" } else { "inactive" } })
    };
    match line {
        "GET /v1/models?limit=1" if *active => (200, json!({ "data": [] })),
        "GET /v1/models?limit=1" => (401, json!({ "error": { "type": "authentication_error" } })),
        _ if !admin => (401, json!({ "error": { "type": "authentication_error", "message": "invalid x-api-key" } })),
        "GET /v1/organizations/api_keys?limit=1000" => (200, json!({ "data": [key(*active)], "has_more": false })),
        "GET /v1/organizations/api_keys/apikey_1" => (200, key(*active)),
        "POST /v1/organizations/api_keys/apikey_1" => {
            *active = text.contains("\"active\"");
            (200, key(*active))
        }
        _ => (404, json!({ "error": { "type": "not_found_error" } })),
    }
}

pub(crate) struct Scene {
    pub(crate) home: Home,
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
    pub(crate) active: Arc<Mutex<bool>>,
}

impl Scene {
    pub(crate) fn new(settings: &str) -> Self {
        let active = Arc::new(Mutex::new(true));
        let (url, heard) = anthropic(Arc::clone(&active));
        let home = Home::new();
        fs::create_dir_all(home.work().join("app")).unwrap();
        fs::write(home.work().join("app/.env"), format!("ANTHROPIC_API_KEY={}\n", leaked())).unwrap();
        fs::write(home.root().join("home/config.toml"), settings).unwrap();
        Self { home, url, heard, active }
    }

    /// Names endpoints besides.
    pub(crate) fn also(&self, endpoints: &str) {
        let config = self.home.root().join("home/config.toml");
        let text = fs::read_to_string(&config).unwrap();
        let own =
            format!("[network]\nendpoints = {{ anthropic = {0:?}, anthropic-admin = {0:?}, {endpoints} }}\n", self.url);
        fs::write(&config, own + &text).unwrap();
    }

    pub(crate) fn staunch(&self, arguments: &[&str]) -> Run {
        let endpoints = format!("[network]\nendpoints = {{ anthropic = {0:?}, anthropic-admin = {0:?} }}\n", self.url);
        let config = self.home.root().join("home/config.toml");
        let text = fs::read_to_string(&config).unwrap();
        if !text.contains("[network]") {
            fs::write(&config, endpoints + &text).unwrap();
        }
        self.home.staunch(arguments).env("STAUNCH_CONFIG", config).env("STAUNCH_REQUESTER", "tests")
    }

    fn json(output: &Output) -> Value {
        serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()))
    }
}

pub(crate) const OWNED: &str =
    "[[responder.provider]]\nname = \"anthropic\"\ncredential = \"env:ADMIN_KEY\"\nowned = [\"org-1\"]\n";

#[test]
fn a_leaked_key_is_stopped_with_the_operators_credential_and_walked_back() {
    let scene = Scene::new(OWNED);
    let admin = std::str::from_utf8(ADMIN).unwrap();
    let plan = scene.staunch(&["respond", "plan", "app", "--format", "json"]).env("ADMIN_KEY", admin).output();
    assert_eq!(plan.code(), Some(1), "{}", plan.stderr());
    let plan = Scene::json(&plan);
    assert_eq!(plan["plan"]["target"]["account"], "org-1");
    assert_eq!(plan["plan"]["steps"][0]["observed"]["object"], "/v1/organizations/api_keys/apikey_1");
    assert_eq!(plan["plan"]["lacking"], json!([]));
    assert!(*scene.active.lock().unwrap(), "a plan changes nothing");

    let digest = plan["digest"].as_str().unwrap();
    let run = scene.staunch(&["respond", "apply", digest, "--format", "json"]).env("ADMIN_KEY", admin).output();
    assert_eq!(run.code(), Some(0), "{} {}", run.stdout(), run.stderr());
    assert!(!*scene.active.lock().unwrap());
    let id = Scene::json(&run)["id"].as_str().unwrap().to_owned();
    let undone = scene.staunch(&["respond", "undo", &id, "--format", "json"]).env("ADMIN_KEY", admin).output();
    assert_eq!((undone.code(), Scene::json(&undone)["state"].as_str()), (Some(0), Some("undone")));
    assert!(*scene.active.lock().unwrap());

    let value = leaked();
    let canaries = Canaries::new(&[("leaked", value.as_bytes()), ("admin", ADMIN)]);
    for output in [&run, &undone] {
        assert_eq!(canaries.in_bytes("stdout", &output.stdout), []);
        assert_eq!(canaries.in_bytes("stderr", &output.stderr), []);
    }
    assert_eq!(canaries.in_tree(&scene.home.state()), []);
}

#[test]
fn without_the_credential_the_plan_says_what_is_missing_and_what_is_not_owned_is_refused() {
    let scene = Scene::new(OWNED);
    let plan = scene.staunch(&["respond", "plan", "app"]).output();
    assert_eq!(plan.code(), Some(1), "{}", plan.stderr());
    assert!(plan.stdout().contains("no credential to act with at anthropic: ADMIN_KEY is not set"), "{}", plan.stdout());
    assert!(plan.stdout().contains("never run against the real service"), "{}", plan.stdout());

    let scene = Scene::new(&OWNED.replace("credential = \"env:ADMIN_KEY\"\n", ""));
    let plan = scene.staunch(&["respond", "plan", "app"]).output();
    assert!(plan.stdout().contains("no credential to act with; add `credential = "), "{}", plan.stdout());

    let scene = Scene::new(&OWNED.replace("org-1", "org-2"));
    let plan = scene.staunch(&["respond", "plan", "app"]).env("ADMIN_KEY", "x").output();
    assert_eq!(plan.code(), Some(2));
    assert!(plan.stderr().contains("account org-1 is not listed as yours"), "{}", plan.stderr());
    let asked = scene.heard.lock().unwrap().iter().filter(|line| line.contains("organizations")).count();
    assert_eq!(asked, 0, "the administration was not asked");
}

#[test]
fn a_value_that_two_detectors_find_is_read_again_for_the_plan_of_one() {
    let scene = Scene::new(OWNED);
    let admin = std::str::from_utf8(ADMIN).unwrap();
    let url = format!("DATABASE_URL=postgres://svc:{}@db.corp.example/x\n", leaked());
    fs::write(scene.home.work().join("app/db.env"), url).unwrap();
    let plans = scene.staunch(&["respond", "plan", "app", "--format", "json"]).env("ADMIN_KEY", admin).output();
    let plans: Vec<Value> = plans.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let prints: Vec<&Value> = plans.iter().map(|plan| &plan["plan"]["fingerprint"]).collect();
    assert!(prints.len() == 2 && prints[0] == prints[1], "{prints:?}");
    let of = |plan: &&Value| plan["plan"]["detector"] == "anthropic-api-key";
    let digest = plans.iter().find(of).unwrap()["digest"].as_str().unwrap();
    let run = scene.staunch(&["respond", "apply", digest, "--format", "json"]).env("ADMIN_KEY", admin).output();
    // Without the value nobody could prove that it is refused.
    let run = Scene::json(&run);
    let proof = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "prove-refused").unwrap();
    assert_eq!(proof["state"], "succeeded", "{run}");
}

#[test]
fn mistakes_in_the_settings_are_told_with_their_lines() {
    let scene =
        Scene::new("[network]\n[[responder.provider]]\nname = \"antropic\"\nowned = [\"x\"]\ncredential = \"sk-123456\"\n");
    let plan = scene.staunch(&["respond", "plan", "app"]).output();
    let said = plan.stderr();
    assert_eq!(plan.code(), Some(2), "{said}");
    assert!(said.contains("config.toml:3: ") && said.contains("did you mean anthropic?"), "{said}");
    assert!(said.contains("config.toml:5: ") && !said.contains("sk-123456"), "{said}");
}

#[test]
fn the_evidence_of_a_run_is_signed_and_about_that_run_alone() {
    let home = Home::new();
    let settings = crate::drilling::signing(&home, 1, 1);
    let scene = Scene::new(&(OWNED.to_owned() + &settings));
    let admin = std::str::from_utf8(ADMIN).unwrap();
    let go = |arguments: &[&str]| scene.staunch(arguments).env("ADMIN_KEY", admin).output();
    let digest = Scene::json(&go(&["respond", "plan", "app", "--format", "json"]))["digest"].as_str().unwrap().to_owned();
    let run = Scene::json(&go(&["respond", "apply", &digest, "--format", "json"]));
    let id = run["id"].as_str().unwrap();
    let shown = go(&["respond", "status", id]);
    assert!(shown.stdout().contains(&format!("check it with staunch respond evidence {id}")), "{}", shown.stdout());
    let checked = go(&["respond", "evidence", id, "--format", "json"]);
    assert_eq!(checked.code(), Some(0), "{}", checked.stderr());
    let said = Scene::json(&checked)["statement"]["predicate"]["staunch"]["times"].clone();
    for leg in ["validate", "contain", "prove"] {
        assert!(said[format!("seconds_to_{leg}")].as_f64().is_some_and(|seconds| seconds >= 0.0), "{leg}: {said}");
    }
    for (leg, why) in [("detect", "nothing tells since when it lay there"), ("attribute", "nothing tells whose it is")] {
        assert_eq!(said[format!("seconds_to_{leg}")], Value::Null, "{why}");
    }
    // By itself a journal that was cut at a line's end is whole; the statement knows better.
    let journal = scene.home.state().join("runs").join(id).join("journal.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    fs::write(&journal, lines[..lines.len() - 2].concat()).unwrap();
    let cut = go(&["respond", "evidence", id]);
    assert_eq!(cut.code(), Some(2), "{}", cut.stdout());
    assert!(cut.stderr().contains("does not have the record"), "{}", cut.stderr());
    fs::write(&journal, whole).unwrap();
    // What was walked back is not contained, whatever was signed before.
    assert_eq!(go(&["respond", "undo", id, "--format", "json"]).code(), Some(0));
    let undone = go(&["respond", "evidence", id]);
    assert_eq!(undone.code(), Some(1), "{}", undone.stderr());
    assert!(undone.stdout().contains("the run is Undone by now"), "{}", undone.stdout());
    // Another plan's evidence under this run's name.
    let folder = scene.home.state().join("runs").join(id);
    let plan = fs::read_to_string(folder.join("plan.json")).unwrap();
    fs::write(folder.join("plan.json"), plan.replacen("\"mode\":\"contain\"", "\"mode\":\"rotate\"", 1)).unwrap();
    assert_eq!(go(&["respond", "evidence", id]).code(), Some(2));
}

#[test]
fn of_two_runs_about_one_key_the_undoing_of_one_is_told_with_the_other() {
    let home = Home::new();
    let settings = crate::drilling::signing(&home, 1, 1);
    let scene = Scene::new(&(OWNED.to_owned() + &settings));
    let admin = std::str::from_utf8(ADMIN).unwrap();
    let go = |arguments: &[&str]| scene.staunch(arguments).env("ADMIN_KEY", admin).output();
    let plan = || Scene::json(&go(&["respond", "plan", "app", "--format", "json"]))["digest"].as_str().unwrap().to_owned();
    let apply = |digest: String| {
        let run = go(&["respond", "apply", &digest, "--format", "json"]);
        assert_eq!(run.code(), Some(0), "{} {}", run.stdout(), run.stderr());
        Scene::json(&run)["id"].as_str().unwrap().to_owned()
    };
    // It was let in again in between, and is contained a second time.
    let plans = [plan(), plan()];
    let [first, second] = plans.map(|plan| {
        *scene.active.lock().unwrap() = true;
        apply(plan)
    });
    assert_ne!(first, second);
    assert_eq!(go(&["respond", "evidence", &second]).code(), Some(0));
    assert!(!go(&["respond", "status", &second]).stdout().contains("BUT"));
    assert_eq!(go(&["respond", "undo", &first]).code(), Some(0));
    assert!(*scene.active.lock().unwrap());
    let (shown, checked) = (go(&["respond", "status", &second]), go(&["respond", "evidence", &second]));
    for output in [shown, checked] {
        assert_eq!(output.code(), Some(1), "{} {}", output.stdout(), output.stderr());
        let said = format!("the run {first}, about the same credential, was walked back");
        assert!(output.stdout().contains("BUT") && output.stdout().contains(&said), "{}", output.stdout());
    }
}
