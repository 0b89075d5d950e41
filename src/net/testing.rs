//! For tests: servers on loopback that say what they are told to, whatever they hear, and remember it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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

    /// Says nothing until they hang up, however long they wait.
    pub(crate) fn stall(&mut self) {
        // They may have gone.
        let _ = self.stream.flush();
        while self.stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
    }
}

/// An answer in HTTP, after which the connection ends. `headers` are whole lines.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}").into_bytes()
}

/// PKCS #8, made by openssl 3.0 for this test; nobody kept it and no account has it. Without armour, in pieces.
pub(crate) const RSA: &[&str] = &[
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCalM2XKw7+M9UtoeE4p1jySjQxLIUbtubUEG5Dv0y4hhTDRoKq",
    "IxJORp4VpO7RJCQyU0Zjc3VjflnFctM9seUv+N9gniJxJ57+8MpeBl1W6kCp7v8M5kJPVsNimfJhstrDljMJoSYG17rwWIiPm49z",
    "ktbc912XQrBVBhSN3pvubC1cEfMY4mtb2iT3m1jA35UUH88q07VfEjrnt1guVu9pVHPz2a1AhJrpDUNLmTU2hGWGgGsuaG50egAN",
    "F2SjRG9esq5+oeMw3N4gn6wKV3wd63uC4+v1CpUbAORzYzfDFR4wUEb8JKXHPV+fAmjNIpsyQF41cidisr/nPeUk5483AgMBAAEC",
    "ggEAJdQgc8v/wUmh86bX3OtnIvPxzc7dTCj4WBElSsL33XhCgH8y3rvycOFrMlTIdLnpeb9TTGcm5RA4m887zq9ILPM0hwpr11Eg",
    "4ba/bz8TfH+bD3sDQ37d31iWO/z8idghHRgWqVacXbRRdRvVX39sHZZjqnOGncueJ1BzmzxM4I2LD3ZC7oOBvP8O55jiUemQZP+P",
    "f6/fBT8jShBZ9gU3jC2SvmtaBSTmOFPUsi19l7xUs6D67fvbKqrAzyYaVgRC/qpHCjHoPdpo1i0lYjDDU6FPxpo3Gf+XuUrLGH/B",
    "kI38BHuzNVs4cnKaZHNEW+eZP0lgKjp9Immts5rubF8GEQKBgQDScvkRMynUrJyHFjQCWq8N0SCDEg8o/uOW9kG+onAXG8c6tO0y",
    "oA2NC4w/ZhdVmlVf1tEd+ca5B1CDZcDai8KNSWv0JiubeglCiY9j/6XV0RqID/q8b6rVAs0kqMfaJvRKUVD6DDlOFBfgoE5Yi619",
    "BauG/Z0TuzAa0REGCOuHUwKBgQC8Ci509a0XhcIq4Q5NYkPGFFtTpJLlG2o7+phtvZbBCjSmtsP9/KW8ykjoeTevcugs6/ZzoH2u",
    "Cyf2goPQ7f8S2TTjEsGlaluYAVbnnAKuToepnA+w39YIrQ5sct2beVaMAJYE/sHYItUY+vlDH8c1Xm/hmYq0H2++ciOEbIGQDQKB",
    "gDjGvf1u8T0oaH5ldhiggJPYtM3HxIFJ6vriazBUQKtrWh+zij7bQWypDehY0bjNj3TwzrAon/1xRL5+aD5N8GoPwek3lxI2JWNn",
    "G2FeKk56QI8uyHWoJs2bGN9oDasEUWnvcEpVm+w9rYdzmE95N5AARJuBtqwJF1xUxSP8qhZzAoGAPRXppaExy9RuEVPvO4BSmASA",
    "7pkmBztytW1hGzVdxfQ0ynvRC6+Jf90O9kZ6qopflkhJVaKrcWC6aMBZZgQKuurI3YN4WO5GNwkoXDE4RbvJInZKOqFcfJELgHuI",
    "Njuiu/Rsx86i1j3qkCTn2MB4DIRTQCyK/JzBxlJ560j8hfkCgYEAxR6cLyrozoFGPwRibyz5gZQ6XANpMnjXzUFQ/ZLpuIQ38gkx",
    "ccSs1FNHft1ZLbyknNZ7X0WyV63GOLF7nAs8TD9k7z8ckewRoN+hjb1w1pfV0ZjHUkpZSttp7Ld8k/gWULlM01Pdgmo7nLyMoL3m",
    "JaiY89b0sTPiXSq928L1vkI=",
];
