//! A key is replaced through the program, and put back: with the old value by hand, where no store keeps it. OpenRouter is a script
//! on loopback, written from its reference.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::program::{Home, Output, Run};

const ADMIN: &str = "an-admin-credential-that-nobody-else-has";

/// A key that looks like one, never whole in a file of this repository.
fn key(seed: &str) -> String {
    let seed = u32::from_str_radix(seed, 16).unwrap();
    let piece = |n: u32| format!("{:08x}", seed.rotate_left(3 * n).wrapping_mul(0x9e37_79b1 + n));
    ["sk-or".to_owned(), "-v1-".to_owned()].into_iter().chain((0..8).map(piece)).collect()
}

const OLD: &str = "3fa91c7e";
const NEW: &str = "b8d20e64";
const OTHER: &str = "71c5ef09";

struct Key {
    hash: String,
    name: String,
    value: String,
    on: bool,
}

/// OpenRouter: its address, and its keys.
fn openrouter() -> (String, Arc<Mutex<Vec<Key>>>) {
    let there = |hash: &str, seed: &str| Key { hash: hash.to_owned(), name: "ci".to_owned(), value: key(seed), on: true };
    let keys = Arc::new(Mutex::new(vec![there("old", OLD), there("other", OTHER)]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shared = Arc::clone(&keys);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut text = String::new();
            let mut buffer = [0; 8192];
            while !text.contains("\r\n\r\n") || (text.starts_with('P') && !text.ends_with('}')) {
                let Ok(count @ 1..) = stream.read(&mut buffer) else { break };
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
            let (status, body) = answer(&text, &mut shared.lock().unwrap());
            let body = body.to_string();
            let _ =
                write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        }
    });
    (url, keys)
}

fn answer(text: &str, keys: &mut Vec<Key>) -> (u16, Value) {
    let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1");
    if line == "GET /api/v1/key" {
        let known = keys.iter().any(|key| key.on && text.contains(&key.value));
        let (status, body) = if known { (200, json!({ "data": {} })) } else { (401, json!({ "error": {} })) };
        return (status, body);
    }
    if !text.contains(ADMIN) {
        return (401, json!({ "error": { "message": "No" } }));
    }
    let shown = |key: &Key| {
        let ends = format!("{}...{}", &key.value[..12], &key.value[key.value.len() - 4..]);
        json!({ "hash": key.hash, "name": key.name, "label": ends, "disabled": !key.on, "limit": 5 })
    };
    match line.split_once(" /api/v1/keys") {
        Some(("GET", "?include_disabled=true&offset=0")) => {
            (200, json!({ "data": keys.iter().map(shown).collect::<Vec<_>>() }))
        }
        Some(("POST", "")) => {
            let body: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
            let name = body["name"].as_str().unwrap().to_owned();
            keys.push(Key { hash: "new".to_owned(), name, value: key(NEW), on: true });
            (200, json!({ "data": { "hash": "new" }, "key": key(NEW) }))
        }
        Some((method, path)) => {
            let Some(at) = keys.iter().position(|key| path == format!("/{}", key.hash)) else {
                return (404, json!({ "error": { "message": "not found" } }));
            };
            if method == "DELETE" {
                keys.remove(at);
                return (200, json!({}));
            }
            if method == "PATCH" {
                keys[at].on = false;
            }
            (200, json!({ "data": shown(&keys[at]) }))
        }
        None => (404, json!({ "error": { "message": "not found" } })),
    }
}

fn said(output: &Output) -> Value {
    serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()))
}

/// The program, with OpenRouter at `url` and its administrator.
fn program<'h>(home: &'h Home, url: &str) -> impl Fn(&[&str]) -> Run + 'h {
    let config = home.root().join("home/config.toml");
    let settings = format!(
        "[network]\nendpoints = {{ openrouter = {url:?}, openrouter-admin = {url:?} }}\n[[responder.provider]]\nname = \
         \"openrouter\"\ncredential = \"env:ADMIN_KEY\"\nowned = [\"*\"]\n"
    );
    fs::write(&config, settings).unwrap();
    move |arguments| {
        let run = home.staunch(arguments).env("STAUNCH_CONFIG", &config).env("STAUNCH_REQUESTER", "tests");
        run.env("ADMIN_KEY", ADMIN)
    }
}

#[test]
fn what_only_stops_something_does_not_wait_for_what_replaces_something() {
    let (url, keys) = openrouter();
    let home = Home::new();
    for (folder, seed) in [("app", OLD), ("leak", OTHER)] {
        fs::create_dir_all(home.work().join(folder)).unwrap();
        fs::write(home.work().join(folder).join(".env"), format!("OPENROUTER_API_KEY={}\n", key(seed))).unwrap();
    }
    let staunch = program(&home, &url);
    let rotate = said(&staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output());
    let contain =
        said(&staunch(&["respond", "plan", "leak", "--playbook", "openrouter-contain", "--format", "json"]).output());
    let digest = |plan: &Value| plan["digest"].as_str().unwrap().to_owned();
    // The rotation is named first, and waits for its consumers.
    let run = staunch(&["respond", "apply", &digest(&rotate), &digest(&contain)]).output();
    assert_eq!(run.code(), Some(1), "{} {}", run.stdout(), run.stderr());
    let on: Vec<(String, bool)> = keys.lock().unwrap().iter().map(|key| (key.hash.clone(), key.on)).collect();
    assert!(on.contains(&("other".to_owned(), false)) && on.contains(&("new".to_owned(), true)), "{on:?} {}", run.stderr());
    assert!(!run.stderr().contains("not begun"), "{}", run.stderr());
}

#[test]
fn undo_takes_the_old_value_by_hand_where_nothing_keeps_it() {
    let (url, keys) = openrouter();
    let home = Home::new();
    let env = home.work().join("app/.env");
    fs::create_dir_all(home.work().join("app")).unwrap();
    fs::write(&env, format!("OPENROUTER_API_KEY={}\n", key(OLD))).unwrap();
    let staunch = program(&home, &url);
    let plan = staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output();
    assert_eq!(plan.code(), Some(1), "{}", plan.stderr());
    let plan = said(&plan);
    let replace = &plan["plan"]["steps"][0];
    let undo = replace["undo"].as_str().unwrap();
    assert!(replace["reversible"] == json!(false) && undo.contains("undo RUN --secret-stdin"), "{replace}");
    let run = staunch(&["respond", "apply", plan["digest"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!(run.code(), Some(1), "{} {}", run.stdout(), run.stderr());
    assert_eq!(fs::read_to_string(&env).unwrap(), format!("OPENROUTER_API_KEY={}\n", key(NEW)));
    let id = said(&run)["id"].as_str().unwrap().to_owned();

    // The old value is nowhere any more, and a value that is another is not taken for it.
    let undone = staunch(&["respond", "undo", &id]).output();
    assert_eq!(undone.code(), Some(2), "{} {}", undone.stdout(), undone.stderr());
    assert!(undone.stdout().contains("--secret-stdin"), "{}", undone.stdout());
    let other = staunch(&["respond", "undo", &id, "--secret-stdin"]).stdin(key(NEW).as_bytes()).output();
    assert_eq!(other.code(), Some(2), "{} {}", other.stdout(), other.stderr());
    assert!(other.stderr().contains("is not the credential that the plan is about"), "{}", other.stderr());
    assert!(fs::read_to_string(&env).unwrap().contains(&key(NEW)) && keys.lock().unwrap().len() == 3);

    let undone = staunch(&["respond", "undo", &id, "--secret-stdin"]).stdin(key(OLD).as_bytes()).output();
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    assert_eq!(fs::read_to_string(&env).unwrap(), format!("OPENROUTER_API_KEY={}\n", key(OLD)));
    let left: Vec<String> = keys.lock().unwrap().iter().map(|key| key.hash.clone()).collect();
    assert_eq!(left, ["old", "other"], "the new one is gone");
}
