//! What `--validate` sends, and what it does not: dry runs, classes, what was answered before, proxies, authorities.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::program::{Home, Output};

/// Answers each request with `{}` after a while, or hangs up at once; keeps what it heard.
struct Server {
    at: String,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Server {
    fn new(answer: &'static [u8], pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let ears = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let ears = Arc::clone(&ears);
                thread::spawn(move || {
                    let mut buffer = [0; 8192];
                    let count = stream.read(&mut buffer).unwrap_or(0);
                    thread::sleep(pause);
                    if stream.write_all(answer).is_ok() {
                        ears.lock().unwrap().push(buffer[..count].to_vec());
                    }
                });
            }
        });
        Self { at, heard }
    }

    fn provider() -> Self {
        Self::new(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}", Duration::ZERO)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

/// Hugging Face tokens, made up here; `number` makes each another.
fn token(number: usize) -> String {
    format!("hf{}{number:02}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBt")
}

/// An access key of AWS whose id is nobody's.
fn access_key() -> (String, String) {
    (format!("AKIA{}", "R7VTWK3ZNQ5DHXB2"), format!("{}9Ab3xQ2", "Kd8fJ2mPq7RtV5wXz1BcN4hLgSy6uEo0T"))
}

fn findings(output: &Output) -> Vec<Value> {
    let text = output.stdout();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["schema"] == "staunch.finding/1").collect()
}

fn states(output: &Output) -> Vec<String> {
    findings(output).iter().map(|finding| finding["liveness"]["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dry_run_says_what_would_be_asked_and_asks_nothing() {
    let (home, server) = (Home::new(), Server::provider());
    fs::write(home.work().join("a.txt"), token(1)).unwrap();
    let webhook = format!("https://discord.com/api/webhooks/{}/{}", "1084413371125350410", "aZ3bY4".repeat(11) + "xy");
    fs::write(home.work().join("b.txt"), &webhook).unwrap();
    let url = format!("postgresql://shop:{}@10.9.8.7:5432/x", "tR4k-9vWq_Zb2LmX");
    fs::write(home.work().join("c.env"), format!("DATABASE_URL={url}\n")).unwrap();
    let endpoint = format!("huggingface=http://{}", server.at);
    let output =
        home.staunch(["scan", "--validate", "--dry-run", "--endpoint", &endpoint, "--format", "jsonl", "."]).output();
    let said = output.stderr();
    assert!(said.contains(&format!("would ask: GET http://{}/api/whoami-v2 (huggingface-user-token", server.at)), "{said}");
    assert!(said.contains("would ask: GET https://discord.com/api/webhooks/"), "{said}");
    assert!(said.contains("would not ask: host not allowed: 10.9.8.7"), "{said}");
    assert!(states(&output).iter().all(|state| state == "not_checked"), "{said}");
    for secret in [&token(1)[8..], &webhook[60..], "tR4k-9vWq_Zb2LmX"] {
        assert!(!said.contains(secret) && !output.stdout().contains(secret), "{said}");
    }
    let triaged = home.staunch(["triage", "--dry-run", "--endpoint", &endpoint, "."]).output();
    assert!(triaged.stderr().contains("would ask: GET"), "{}", triaged.stderr());
    let allowed = ["--allow-host", "10.0.0.0/8", "--allow-net", "10.0.0.0/8"];
    let output = home.staunch([&["scan", "--dry-run"], &allowed[..], &["."]].concat()).output();
    assert!(output.stderr().contains("would ask: postgresql login at 10.9.8.7:5432"), "{}", output.stderr());
    assert!(server.heard().is_empty());
}

#[test]
fn classes_narrow_what_is_asked() {
    let (home, server) = (Home::new(), Server::provider());
    fs::write(home.work().join("a.txt"), token(1)).unwrap();
    let endpoint = format!("huggingface=http://{}", server.at);
    let scan = |validate: &str| {
        home.staunch(["scan", validate, "--refresh", "--endpoint", &endpoint, "--format", "jsonl", "."]).output()
    };
    assert_eq!(states(&scan("--validate=cloud,workload")), ["not_checked"]);
    assert!(server.heard().is_empty());
    assert_eq!(states(&scan("--validate=cloud,llm")), ["live"]);
    assert_eq!(states(&scan("--validate")), ["live"]);
    assert_eq!(server.heard().len(), 2);
    let wrong = scan("--validate=clod");
    assert_eq!(wrong.code(), Some(64));
    assert!(wrong.stderr().contains("there are cloud, llm, workload"), "{}", wrong.stderr());
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let home = Home::new();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let server = Server::new(answer, Duration::from_millis(30));
    let all: Vec<String> = (0..24).map(token).collect();
    fs::write(home.work().join("a.txt"), all.join("\n")).unwrap();
    let endpoint = format!("huggingface=http://{}", server.at);
    let arguments = ["scan", "--validate", "--endpoint", &endpoint, "--format", "jsonl", "."];
    let running = home.staunch(arguments).spawn();
    while server.heard().len() < 8 {
        thread::sleep(Duration::from_millis(2));
    }
    // Killed, not asked to stop.
    drop(running);
    let before = server.heard().len();
    let output = home.staunch(arguments).output();
    assert_eq!(states(&output), vec!["live"; 24]);
    let heard = server.heard();
    // What was answered and not yet written down when it died: no more than may be in flight at once to one host, and one
    // batch of it behind.
    assert!(heard.len() <= 24 + 8 && before < 24, "{} requests, {before} before", heard.len());
    assert!(output.stderr().contains("answered before and not asked again"), "{}", output.stderr());
    let third = home.staunch(arguments).output();
    assert_eq!((server.heard().len(), states(&third)), (heard.len(), vec!["live".to_owned(); 24]));
    // What a person asks about one credential is asked now.
    let one = home.staunch(["verify", "--endpoint", &endpoint]).stdin(token(3).as_bytes()).output();
    assert_eq!((one.code(), server.heard().len()), (Some(1), heard.len() + 1), "{}", one.stderr());
}

#[test]
fn proxies_of_the_environment_are_used_and_no_proxy_is_heeded() {
    let (home, proxy, server) = (Home::new(), Server::provider(), Server::provider());
    fs::write(home.work().join("a.txt"), token(1)).unwrap();
    let ask = |endpoint: &str, name: &str, value: &str, no: &str| {
        let endpoint = format!("huggingface={endpoint}");
        let all = ["scan", "--validate", "--refresh", "--endpoint", &endpoint, "--format", "jsonl", "."];
        home.staunch(all).env(name, value).env("NO_PROXY", no).output()
    };
    let http = format!("http://{}", proxy.at);
    assert_eq!(states(&ask("http://gateway.invalid", "HTTP_PROXY", &http, "")), ["live"]);
    let heard = proxy.heard();
    assert!(heard.len() == 1 && heard[0].starts_with("GET http://gateway.invalid/api/whoami-v2 HTTP/1.1"), "{heard:?}");
    // By a name that resolves to an address that nothing found in a file may be at.
    let named = http.replace("127.0.0.1", "localhost");
    assert_eq!(states(&ask("http://gateway.invalid", "HTTP_PROXY", &named, "")), ["live"]);
    assert_eq!(states(&ask(&format!("http://{}", server.at), "HTTP_PROXY", &http, "127.0.0.1")), ["live"]);
    assert_eq!((proxy.heard().len(), server.heard().len()), (2, 1));
    // Over TLS the proxy is told the host, and never the credential.
    assert_eq!(states(&ask("https://gateway.invalid", "HTTPS_PROXY", &http, "")), ["unknown"]);
    let heard = proxy.heard();
    assert!(heard[2].starts_with("CONNECT gateway.invalid:443 HTTP/1.1"), "{heard:?}");
    assert!(!heard[2..].concat().contains(&token(1)));
    let socks = Server::new(b"\x05\xff", Duration::ZERO);
    let said = ask("https://gateway.invalid", "ALL_PROXY", &format!("socks5h://{}", socks.at), "");
    assert_eq!(states(&said), ["unknown"]);
    assert!(socks.heard()[0].starts_with('\u{5}'), "{:?}", socks.heard());
}

#[test]
fn aws_is_asked_through_the_proxy_too() {
    let (home, proxy) = (Home::new(), Server::new(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", Duration::ZERO));
    let (id, secret) = access_key();
    fs::write(home.work().join("a.env"), format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n")).unwrap();
    let run =
        home.staunch(["scan", "--validate", "--format", "jsonl", "."]).env("HTTPS_PROXY", format!("http://{}", proxy.at));
    assert_eq!(states(&run.output()), ["unknown"]);
    let heard = proxy.heard();
    assert!(heard.iter().any(|text| text.starts_with("CONNECT sts.us-east-1.amazonaws.com:443 ")), "{heard:?}");
    assert!(!heard.concat().contains(&secret));
}

#[test]
fn a_ca_file_that_is_none_is_said_and_nothing_is_asked() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token(1)).unwrap();
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, words) in [("nonsense", "no certificate that can be read"), (hollow, "cannot be built")] {
        fs::write(home.work().join("ca.pem"), text).unwrap();
        let output = home.staunch(["scan", "--validate", "--ca-file", "ca.pem", "."]).output();
        assert!(output.code() == Some(2) && output.stderr().contains(words), "{}", output.stderr());
    }
    let output = home.staunch(["scan", "--validate", "--ca-file", "absent.pem", "."]).output();
    assert!(
        output.code() == Some(2) && output.stderr().contains("cannot read the CA file absent.pem"),
        "{}",
        output.stderr()
    );
}
