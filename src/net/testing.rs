//! For tests: servers on loopback that say what they are told to, whatever they hear, and remember it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server on loopback. It ends with the test's process.
pub(crate) struct Server {
    /// `127.0.0.1`, or another of loopback's.
    pub(crate) host: String,
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    visits: Arc<AtomicUsize>,
}

impl Server {
    /// One that handles each connection with `talk`, on a thread of its own.
    pub(crate) fn talking(talk: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::talking_at("127.0.0.1", talk)
    }

    /// The same at an address of its own.
    pub(crate) fn talking_at(host: &str, talk: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let visits = Arc::new(AtomicUsize::new(0));
        let (ears, count, talk) = (Arc::clone(&heard), Arc::clone(&visits), Arc::new(talk));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let (talk, heard) = (Arc::clone(&talk), Arc::clone(&ears));
                std::thread::spawn(move || talk(&mut Peer { stream, heard }));
            }
        });
        Self { host: host.to_owned(), port, heard, visits }
    }

    /// One that answers the n-th thing it hears with the n-th of `answers`, then hangs up.
    pub(crate) fn answering(answers: &[&[u8]]) -> Self {
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

    /// Its address for clients of HTTP.
    pub(crate) fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// All that was ever said to it.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("the ears").clone()
    }

    /// Whether `text` was ever said to it.
    pub(crate) fn has_heard(&self, text: &str) -> bool {
        memchr::memmem::find(&self.heard(), text.as_bytes()).is_some()
    }

    /// How many connections were made to it.
    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// Who came.
pub(crate) struct Peer {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Peer {
    /// What comes next; nothing when they have hung up.
    pub(crate) fn hear(&mut self) -> Vec<u8> {
        let mut buffer = [0; 8192];
        let count = self.stream.read(&mut buffer).unwrap_or(0);
        self.heard.lock().expect("the ears").extend_from_slice(&buffer[..count]);
        buffer[..count].to_vec()
    }

    /// Says something; false when they have gone.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says something for ever.
    pub(crate) fn flood(&mut self, bytes: &[u8]) {
        while self.say(bytes) {}
    }

    /// Says nothing for longer than anyone waits.
    pub(crate) fn stall(&mut self) {
        // They may have gone.
        let _ = self.stream.flush();
        std::thread::sleep(Duration::from_millis(1500));
    }
}

/// An answer in HTTP, after which the connection ends. `headers` are whole lines.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}").into_bytes()
}
