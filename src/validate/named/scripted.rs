//! For tests: servers on loopback that say what they are told to, whatever they hear, and remember it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::model::{Confidence, Credential, Facts, Part};
use crate::net::{Manners, Net, Settings};
use crate::secret::{Redaction, Secret};

/// A server on loopback.
pub(super) struct Server {
    pub(super) port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    /// One that handles each connection with `talk`.
    pub(super) fn talking(talk: impl Fn(&mut Peer) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                talk(&mut Peer { stream, heard: Arc::clone(&ears) });
            }
        });
        Self { port, heard }
    }

    /// One that answers the n-th thing it hears with the n-th of `answers`, then hangs up.
    pub(super) fn answering(answers: &[&[u8]]) -> Self {
        let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
        Self::talking(move |peer| {
            for answer in &answers {
                if peer.hear().is_empty() {
                    return;
                }
                peer.say(answer);
            }
        })
    }

    /// All that was ever said to it.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("the ears").clone()
    }

    /// Whether `text` was ever said to it.
    pub(super) fn has_heard(&self, text: &str) -> bool {
        memchr::memmem::find(&self.heard(), text.as_bytes()).is_some()
    }
}

/// Who came.
pub(super) struct Peer {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Peer {
    /// What comes next; nothing when they have hung up.
    pub(super) fn hear(&mut self) -> Vec<u8> {
        let mut buffer = [0; 8192];
        let count = self.stream.read(&mut buffer).unwrap_or(0);
        self.heard.lock().expect("the ears").extend_from_slice(&buffer[..count]);
        buffer[..count].to_vec()
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        // They may have gone.
        let _ = self.stream.write_all(bytes);
    }

    /// Says something for ever.
    pub(super) fn flood(&mut self, bytes: &[u8]) {
        while self.stream.write_all(bytes).is_ok() {}
    }

    /// Says nothing for longer than anyone waits.
    pub(super) fn stall(&mut self) {
        self.say(b"");
        std::thread::sleep(Duration::from_millis(1500));
    }
}

/// May contact loopback; waits for 700 ms.
pub(super) fn net() -> Net {
    let allow_nets = vec![Net::parse_net("127.0.0.0/8").expect("a net")];
    let allow_hosts = vec!["127.0.0.1".to_owned()];
    // Many servers of a test share one address.
    let manners = Manners { at_once: 32, per_second: 100_000, budget: 100_000 };
    let timeout = Duration::from_millis(700);
    Net::new(Settings { allow_hosts, allow_nets, timeout, manners, ..Settings::default() }).expect("clients")
}

/// A credential of these parts.
pub(super) fn credential(parts: &[(&str, &str)]) -> Credential {
    let part = |(name, value): &(&str, &str)| Part {
        name: (*name).into(),
        value: Secret::new(value.as_bytes()),
        public: false,
        redaction: Redaction::NOTHING,
        span: 0..0,
    };
    Credential {
        detector: "x".into(),
        parts: parts.iter().map(part).collect(),
        facts: Facts::from(BTreeMap::new()),
        confidence: Confidence::High,
        partial: false,
        encoding: Vec::new(),
    }
}

/// One of a URL at a port of loopback.
pub(super) fn url(scheme: &str, user: &str, password: &str, port: u16) -> Credential {
    let port = port.to_string();
    let mut parts = vec![("password", password), ("scheme", scheme), ("host", "127.0.0.1"), ("port", port.as_str())];
    if !user.is_empty() {
        parts.push(("user", user));
    }
    credential(&parts)
}
