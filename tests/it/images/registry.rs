//! Registries on loopback that behave and that do not: tokens, redirects, broken lines, lies and silence.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::Scan;
use super::fixtures::{GZIP, Layout, MANIFEST, gzip, sha256, tar, token};
use crate::harness::program::Home;

/// A request's line and its header fields by lower-case name.
struct Asked {
    line: String,
    fields: BTreeMap<String, String>,
}

impl Asked {
    fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// What is answered.
struct Said {
    head: String,
    body: Vec<u8>,
    /// Bytes of the body that are promised beyond those that come, and whether the line stays open then.
    withheld: usize,
    stalls: bool,
}

fn say(status: &str, fields: &str, body: &[u8]) -> Said {
    Said { head: format!("HTTP/1.1 {status}\r\n{fields}"), body: body.to_vec(), withheld: 0, stalls: false }
}

fn ok(body: &[u8]) -> Said {
    say("200 OK", "", body)
}

/// A server that ends with the test's process. Everything that it was asked is kept.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(answer: impl Fn(&Asked, usize) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { address, asked }
    }

    fn target(&self) -> String {
        format!("docker://{}/team/app:v1", self.address)
    }

    fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.line.clone()).collect()
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked, usize) -> Said) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).unwrap_or(0);
        text.trim_end().to_owned()
    };
    let first = line();
    let mut fields = BTreeMap::new();
    while let Some((name, value)) = line().split_once(':') {
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = fields.get("content-length").and_then(|length: &String| length.parse().ok()).unwrap_or(0);
    std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).unwrap();
    let asked = Asked { line: first, fields };
    let path = asked.path().to_owned();
    // How often that was asked before.
    let before = kept.lock().unwrap().iter().filter(|asked| asked.path() == path).count();
    let Said { head, body, withheld, stalls } = answer(&asked, before);
    kept.lock().unwrap().push(asked);
    let length = body.len() + withheld;
    let _ = write!(stream, "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(&body);
    if stalls {
        std::thread::sleep(Duration::from_secs(100));
    }
}

/// An image of one layer; its parts by path in a registry.
fn parts() -> (BTreeMap<String, Vec<u8>>, String) {
    let mut layout = Layout::default();
    // So much that a line can break in the middle of it.
    let noise: Vec<u8> = (0..400_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let layer = gzip(&tar(&[("first.ini", format!("key={}\n", token(1)).as_bytes()), ("noise.bin", &noise)]));
    let name = format!("/v2/team/app/blobs/sha256:{}", sha256(&layer));
    let descriptor = layout.image(("linux", "amd64"), &json!({"os": "linux", "architecture": "amd64"}), &[(GZIP, layer)]);
    let manifest = descriptor["digest"].as_str().unwrap().to_owned();
    let mut parts = BTreeMap::new();
    for (hex, bytes) in layout.blobs {
        if manifest.ends_with(&hex) {
            parts.insert("/v2/team/app/manifests/v1".to_owned(), bytes);
        } else {
            parts.insert(format!("/v2/team/app/blobs/sha256:{hex}"), bytes);
        }
    }
    (parts, name)
}

fn found(parts: &BTreeMap<String, Vec<u8>>, path: &str) -> Said {
    match parts.get(path) {
        Some(bytes) => say("200 OK", &format!("Content-Type: {MANIFEST}\r\n"), bytes),
        None => say("404 Not Found", "", b"{}"),
    }
}

fn assert_found(scan: &Scan, code: i32) {
    assert_eq!(scan.code(), Some(code), "{}\n{}", scan.output.stdout(), scan.output.stderr());
    assert_eq!(scan.places("!first.ini").len(), 1, "{}", scan.output.stdout());
}

#[test]
fn tokens_are_fetched_and_shown_to_nobody_else() {
    let home = Home::new();
    let (parts, layer) = parts();
    let stored = parts.clone();
    let storage = Server::new(move |asked, _| found(&stored, asked.path()));
    let (there, redirected) = (storage.address.clone(), layer.clone());
    let address = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&address);
    let registry = Server::new(move |asked, _| {
        if asked.path().starts_with("/token?") {
            let basic = format!("Basic {}", data_encoding::BASE64.encode(b"kim:pass"));
            assert!(asked.path().contains("scope=repository%3Ateam%2Fapp%3Apull") && asked.path().contains("service=s"));
            return if asked.field("authorization") == basic {
                ok(b"{\"token\": \"pass1\"}")
            } else {
                say("401 No", "", b"")
            };
        }
        if asked.field("authorization") != "Bearer pass1" {
            let realm = format!("http://{}/token", own.lock().unwrap());
            let field =
                format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"s\",scope=\"repository:team/app:pull\"\r\n");
            return say("401 Unauthorized", &field, b"{}");
        }
        if asked.path() == redirected {
            return say("307 Temporary Redirect", &format!("Location: http://{there}{redirected}\r\n"), b"");
        }
        found(&parts, asked.path())
    });
    (*address.lock().unwrap()).clone_from(&registry.address);
    // Without a login it is said, and nothing is found.
    let scan = Scan::of(&home, &[&registry.target()]);
    assert!(scan.code() == Some(2) && scan.troubles().contains("log in with"), "{}", scan.troubles());
    let folder = home.root().join("home/.docker");
    fs::create_dir_all(&folder).unwrap();
    let auth = data_encoding::BASE64.encode(b"kim:pass");
    let file = json!({"auths": {registry.address.clone(): {"auth": auth}}});
    fs::write(folder.join("config.json"), file.to_string()).unwrap();
    // The other port is not the registry that was named, and loopback is no public address.
    let scan = Scan::of(&home, &[&registry.target()]);
    assert_eq!(scan.code(), Some(2), "{}", scan.output.stdout());
    assert!(scan.troubles().contains("not https"), "{}", scan.troubles());
    let scan = Scan::of(&home, &[&registry.target(), "--endpoint", &format!("storage=http://{}", storage.address)]);
    assert_found(&scan, 1);
    {
        let asked = storage.asked.lock().unwrap();
        assert!(!asked.is_empty() && asked.iter().all(|asked| asked.field("authorization").is_empty()));
    }
    // A helper program of the operator's own.
    fs::write(folder.join("config.json"), "{\"credsStore\": \"staunchtest\"}").unwrap();
    let helper = home.root().join("docker-credential-staunchtest");
    let script = "#!/bin/sh\n[ \"$1\" = get ] && cat >/dev/null && echo '{\"ServerURL\": \"x\", \"Username\": \"kim\", \"Secret\": \"pass\"}'\n";
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.root().display(), std::env::var("PATH").unwrap());
    let arguments =
        ["scan", "--format", "jsonl", &registry.target(), "--endpoint", &format!("s=http://{}", storage.address)];
    assert_found(&Scan::from(home.staunch(arguments).env("PATH", path).output()), 1);
}

#[test]
fn busy_registries_and_broken_lines_are_asked_again() {
    let home = Home::new();
    let (parts, layer) = parts();
    let server = Server::new(move |asked, before| {
        if asked.path() == layer {
            let bytes = &parts[&layer];
            let half = bytes.len() / 2;
            let broken = Said { withheld: half, ..ok(&bytes[..half]) };
            return match (before, asked.field("range")) {
                (0, _) => broken,
                (_, "") => ok(bytes),
                (_, range) => {
                    let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
                    say("206 Partial Content", &format!("Content-Range: bytes {from}-9/9\r\n"), &bytes[from..])
                }
            };
        }
        if before == 0 { say("503 Busy", "", b"") } else { found(&parts, asked.path()) }
    });
    assert_found(&Scan::of(&home, &[&server.target()]), 1);
    let again = server.asked.lock().unwrap().iter().any(|asked| asked.field("range").starts_with("bytes="));
    assert!(again, "{:?}", server.lines());
}

#[test]
fn a_registry_that_lies_about_a_digest() {
    let home = Home::new();
    let (mut parts, layer) = parts();
    let mut other = parts.clone();
    let wrong = gzip(&tar(&[("first.ini", format!("key={}\n", token(2)).as_bytes())]));
    other.insert(layer.clone(), wrong);
    let server = Server::new(move |asked, _| found(&other, asked.path()));
    let scan = Scan::of(&home, &[&server.target()]);
    assert_found(&scan, 2);
    assert!(scan.troubles().contains("promised"), "{}", scan.troubles());
    // A manifest that is not the one that was asked for.
    let manifest = parts["/v2/team/app/manifests/v1"].clone();
    let digest = format!("sha256:{}", "0".repeat(64));
    let path = format!("/v2/team/app/manifests/{digest}");
    parts.insert(path, manifest);
    let server = Server::new(move |asked, _| found(&parts, asked.path()));
    let scan = Scan::of(&home, &[&format!("docker://{}/team/app@{digest}", server.address)]);
    assert_found(&scan, 2);
    assert!(scan.troubles().contains("and it is not"), "{}", scan.troubles());
}

#[test]
fn a_registry_that_stalls_is_left() {
    let home = Home::new();
    let (parts, layer) = parts();
    let server = Server::new(move |asked, _| {
        if asked.path() == layer {
            let half = parts[&layer].len() / 2;
            return Said { withheld: half, stalls: true, ..ok(&parts[&layer][..half]) };
        }
        found(&parts, asked.path())
    });
    let scan = Scan::of(&home, &[&server.target()]);
    assert_found(&scan, 2);
    assert!(scan.troubles().contains("did not answer in time"), "{}", scan.troubles());
}

#[test]
fn what_is_not_asked_and_what_is_not_there_is_said() {
    let home = Home::new();
    let server = Server::new(|asked, _| match asked.path() {
        "/v2/team/loop/manifests/v1" => say("302 Found", "Location: /v2/team/loop/manifests/v1\r\n", b""),
        "/v2/team/text/manifests/v1" => ok(b"<html>sign in</html>"),
        "/v2/team/endless/manifests/v1" => ok(&vec![b' '; 5 << 20]),
        _ => say("404 Not Found", "", b"{}"),
    });
    let target = |name: &str| format!("docker://{}/team/{name}:v1", server.address);
    let says = |arguments: &[&str], word: &str| {
        let scan = Scan::of(&home, arguments);
        assert_eq!(scan.code(), Some(2), "{word}");
        assert!(scan.troubles().contains(word), "{word}: {}", scan.troubles());
    };
    says(&[&target("app")], "no such image");
    says(&[&target("loop")], "redirects to no end");
    says(&[&target("text")], "no index or manifest");
    says(&[&target("endless")], "more than 4 MiB");
    let before = server.lines().len();
    says(&[&target("app"), "--offline"], "--offline");
    assert_eq!(server.lines().len(), before);
    says(&["docker://10.255.255.1:5000/x"], "not a public address");
    let wrong = home.staunch(["scan", "docker://UPPER CASE"]).output();
    assert!(wrong.code() == Some(2) && wrong.stderr().contains("is no image like"), "{}", wrong.stderr());
}
