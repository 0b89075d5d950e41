//! `respond watch` and whom it tells, through the program: policy in the settings file, the scripted provider of `responding`, and
//! loopback servers for Slack, a webhook, PagerDuty, Opsgenie and mail.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::harness::canary::Canaries;
use crate::responding::{ADMIN, OWNED, Scene, leaked};

/// Keeps all that is said to it, and answers every request with that status.
fn ears(status: u16) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let all = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut text, mut buffer) = (String::new(), [0; 8192]);
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head
                        .lines()
                        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                    if body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
            }
            all.lock().unwrap().push(text);
            let _ = write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        }
    });
    (url, heard)
}

/// A mail server on loopback, which needs no TLS there.
fn mailbox() -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard: Arc<Mutex<String>> = Arc::default();
    let all = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"220 here\r\n");
            let (mut data, mut buffer) = (false, [0; 8192]);
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                all.lock().unwrap().push_str(&text);
                let answer: &[u8] = match text.get(..4) {
                    _ if data && text.ends_with("\r\n.\r\n") => {
                        data = false;
                        b"250 taken\r\n"
                    }
                    _ if data => continue,
                    Some("EHLO") => b"250 AUTH PLAIN\r\n",
                    Some("AUTH") => b"235 welcome\r\n",
                    Some("DATA") => {
                        data = true;
                        b"354 go on\r\n"
                    }
                    _ => b"250 fine\r\n",
                };
                let _ = stream.write_all(answer);
            }
        }
    });
    (port, heard)
}

const ALLOW: &str = "[watch]\n[[watch.allow]]\nplaybook = \"anthropic-contain\"\naccounts = [\"org-1\"]\n";
const CHANNELS: &str = "[[notify]]\nname = \"chat\"\nkind = \"slack\"\nurl = \"env:SLACK_URL\"\n[[notify]]\nname = \"hook\"\nkind = \"webhook\"\n\
    url = \"env:HOOK_URL\"\n[[notify]]\nname = \"pager\"\nkind = \"pagerduty\"\nkey = \"env:PAGER_KEY\"\n[[notify]]\nname = \"genie\"\n\
    kind = \"opsgenie\"\nkey = \"env:GENIE_KEY\"\n";

fn watch(scene: &Scene, channels: &[(&str, &str)]) -> crate::harness::program::Output {
    let mut run = scene.staunch(&["respond", "watch", "--once", "--format", "json"]);
    for (name, value) in channels {
        run = run.env(name, value);
    }
    run.env("ADMIN_KEY", std::str::from_utf8(ADMIN).unwrap()).output()
}

fn notices(output: &crate::harness::program::Output) -> Vec<Value> {
    output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_the_settings_allow_is_done_without_a_person_and_everybody_is_told_how_to_undo_it() {
    let ((slack, said), (hook, posted), (pages, called), (port, mailed)) = (ears(200), ears(200), ears(202), mailbox());
    let mail = format!(
        "[[notify]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1:{port}\"\nuser = \"ir\"\npassword = \"env:MAIL_PASSWORD\"\n\
         from = \"staunch@corp.example\"\nto = [\"ir@corp.example\"]\n"
    );
    let scene = Scene::new(&format!("{OWNED}{ALLOW}{CHANNELS}{mail}"));
    scene.also(&format!("pagerduty = {pages:?}, opsgenie = {pages:?}"));
    let channels = [
        ("SLACK_URL", format!("{slack}/services/T0/B0/secret-path-1")),
        ("HOOK_URL", format!("{hook}/hook?token=secret-query-2")),
        ("PAGER_KEY", "secret-routing-key-3".to_owned()),
        ("GENIE_KEY", "secret-genie-key-4".to_owned()),
        ("MAIL_PASSWORD", "secret-password-5".to_owned()),
    ];
    let channels: Vec<(&str, &str)> = channels.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let triage = scene.staunch(&["triage", "app"]).output();
    assert_eq!(triage.code(), Some(1), "{}", triage.stderr());
    let output = watch(&scene, &channels);
    assert_eq!(output.code(), Some(0), "{} {}", output.stdout(), output.stderr());
    let told = notices(&output);
    assert_eq!((told.len(), told[0]["kind"].as_str()), (1, Some("done")), "{told:?}");
    assert!(!*scene.active.lock().unwrap(), "the key is inactive");
    let run = told[0]["run"].as_str().unwrap();
    let undo = format!("staunch respond undo {run}");
    let slack = said.lock().unwrap().join("\n");
    assert!(slack.starts_with("POST /services/T0/B0/secret-path-1 ") && slack.contains(&undo), "{slack}");
    assert!(posted.lock().unwrap()[0].contains("\"schema\":\"staunch.notice/1\""), "{posted:?}");
    let called = called.lock().unwrap().join("\n");
    for wanted in [
        "POST /v2/enqueue ",
        "\"routing_key\":\"secret-routing-key-3\"",
        "POST /v2/alerts ",
        "GenieKey secret-genie-key-4",
        &undo,
    ] {
        assert!(called.contains(wanted), "{wanted} in {called}");
    }
    let mailed = mailed.lock().unwrap().clone();
    assert!(mailed.contains("RCPT TO:<ir@corp.example>") && mailed.contains("Subject: =?utf-8?B?"), "{mailed}");

    // Nothing is done twice, and no secret went anywhere but to its own channel.
    let again = watch(&scene, &channels);
    assert_eq!((again.code(), again.stdout().as_str()), (Some(0), ""), "{}", again.stderr());
    let value = leaked();
    let names = ["secret-path-1", "secret-query-2", "secret-routing-key-3", "secret-genie-key-4", "secret-password-5"];
    let mut known: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, name.as_bytes())).collect();
    known.extend([("leaked", value.as_bytes()), ("admin", ADMIN)]);
    let canaries = Canaries::new(&known);
    assert_eq!(canaries.in_bytes("stdout", &output.stdout), []);
    assert_eq!(canaries.in_bytes("stderr", &output.stderr), []);
    assert_eq!(canaries.in_tree(&scene.home.state()), []);
    let everything = format!("{slack}{}{mailed}", posted.lock().unwrap().join("\n"));
    assert!(!everything.contains(&value) && !everything.contains("secret-routing-key-3"));
}

#[test]
fn a_channel_that_fails_is_said_and_stops_nothing() {
    let (refusing, heard) = ears(500);
    let scene = Scene::new(&format!("{OWNED}{ALLOW}{CHANNELS}"));
    assert_eq!(scene.staunch(&["triage", "app"]).output().code(), Some(1));
    let hook = format!("{refusing}/hook?token=secret-query-2");
    let output = watch(&scene, &[("HOOK_URL", &hook), ("SLACK_URL", "http://127.0.0.1:9/secret-path-1")]);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    assert!(!*scene.active.lock().unwrap());
    let said = output.stderr();
    for wanted in
        ["chat was not told", "hook was not told: it answered 500", "pager was not told: env:PAGER_KEY holds nothing"]
    {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert!(!said.contains("secret-"), "{said}");
    assert!(heard.lock().unwrap().len() <= 3, "it is not tried for ever");
}

#[test]
fn without_a_word_in_the_settings_nothing_is_done_and_two_do_not_watch() {
    let scene = Scene::new(OWNED);
    assert_eq!(scene.staunch(&["triage", "app"]).output().code(), Some(1));
    let output = watch(&scene, &[]);
    assert_eq!(output.code(), Some(1), "{}", output.stderr());
    assert!(output.stderr().contains("no [[watch.allow]]"), "{}", output.stderr());
    let told = notices(&output);
    assert!(
        told[0]["kind"] == "left" && told[0]["next"][0].as_str().unwrap().starts_with("staunch respond plan "),
        "{told:?}"
    );
    assert!(*scene.active.lock().unwrap());
    let lock = fs::File::create(scene.home.state().join("locks/watch.lock")).unwrap();
    lock.try_lock().unwrap();
    let second = watch(&scene, &[]);
    assert!(second.code() == Some(2) && second.stderr().contains("another staunch watches"), "{}", second.stderr());
    drop(lock);
    let wrong = Scene::new("[watch]\n[[watch.allow]]\nplaybook = \"anthropic-contian\"\n");
    let output = watch(&wrong, &[]);
    assert!(output.code() == Some(2) && output.stderr().contains("does not exist"), "{}", output.stderr());
}
