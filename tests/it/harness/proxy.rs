//! A forwarding HTTP/1.1 proxy before one upstream: passes bytes on unchanged (the Host header too, which SigV4 signs),
//! counts requests, and can kill a process at request N, before its effect or between its effect and its answer.
//!
//! One thread a connection. Bodies are framed by Content-Length or chunks. `Expect: 100-continue` is not answered by
//! the proxy; no client here sends it.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// When, within request N, the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The request never reaches the upstream.
    BeforeForwarding,
    /// The upstream has done it and answered; the process never hears of it.
    AfterAnswer,
}

/// One request as it came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `POST / HTTP/1.1`
    pub(crate) line: String,
    /// `Action=` of an AWS query request.
    pub(crate) action: Option<String>,
    /// Whether the upstream got it.
    pub(crate) forwarded: bool,
}

/// Listens on loopback until dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    /// The request to kill at, counted from 1.
    kill: Option<(usize, Moment)>,
    state: Mutex<State>,
    victim_known: Condvar,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    victim: Option<Pid>,
    stopped: bool,
}

impl Proxy {
    /// Forwards to `upstream` (`http://127.0.0.1:PORT`). With `kill`, the process named by [`Proxy::victim`] dies at
    /// that request; requests after it are forwarded again.
    pub(crate) fn start(upstream: &str, kill: Option<(usize, Moment)>) -> Self {
        let upstream = upstream.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { upstream, kill, state: Mutex::default(), victim_known: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.state.lock().unwrap().stopped {
                    break;
                }
                let shared = Arc::clone(&accepting);
                // An error here is a peer that went away: the client sees its connection drop, as through any proxy.
                thread::spawn(move || serve(&client, &shared).or_else(|_| client.shutdown(Shutdown::Both)));
            }
        });
        Self { address, shared }
    }

    /// What the client gets as its endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whom to kill: a child of this process that has not been waited for. A request that must kill waits for this.
    pub(crate) fn victim(&self, pid: Pid) {
        self.shared.state.lock().unwrap().victim = Some(pid);
        self.shared.victim_known.notify_all();
    }

    /// All requests so far, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.state.lock().unwrap().seen.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().stopped = true;
        self.shared.victim_known.notify_all();
        // Wakes the accepting thread. Refused means that it is gone already.
        let _woken = TcpStream::connect(self.address);
    }
}

fn serve(mut client: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut requests = BufReader::new(client);
    while let Some(request) = read_message(&mut requests, Kind::Request)? {
        let number = shared.note(&request.bytes);
        let moment = shared.kill.filter(|&(at, _)| at == number).map(|(_, moment)| moment);
        if moment == Some(Moment::BeforeForwarding) {
            shared.kill_victim();
            return client.shutdown(Shutdown::Both);
        }
        shared.state.lock().unwrap().seen[number - 1].forwarded = true;
        let upstream = TcpStream::connect(&shared.upstream)?;
        (&upstream).write_all(&request.bytes)?;
        let to_head = request.bytes.starts_with(b"HEAD ");
        let answer = read_message(&mut BufReader::new(&upstream), Kind::Answer { to_head })?;
        let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        if moment == Some(Moment::AfterAnswer) {
            shared.kill_victim();
            return client.shutdown(Shutdown::Both);
        }
        client.write_all(&answer.bytes)?;
        if answer.until_eof {
            return client.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

impl Shared {
    /// Writes a request down and gives its number, from 1.
    fn note(&self, request: &[u8]) -> usize {
        let text = String::from_utf8_lossy(request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let line = head.lines().next().unwrap_or_default().to_owned();
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
        let mut state = self.state.lock().unwrap();
        state.seen.push(Seen { line, action, forwarded: false });
        state.seen.len()
    }

    /// SIGKILL, then waits until it has worked: a thread on another core may run for a moment after the signal is sent.
    /// The child stays to be waited for.
    fn kill_victim(&self) {
        let state = self.state.lock().unwrap();
        let state = self.victim_known.wait_while(state, |state| state.victim.is_none() && !state.stopped).unwrap();
        let Some(victim) = state.victim else { return };
        rustix::process::kill_process(victim, Signal::KILL).unwrap();
        // An error says that there is no such child any more: the test has waited for it, so it is dead.
        let _dead = rustix::process::waitid(WaitId::Pid(victim), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    }
}

/// One whole HTTP message, byte for byte.
struct Message {
    bytes: Vec<u8>,
    until_eof: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Answer { to_head: bool },
}

/// Reads one message; None when the peer has closed before its first byte.
fn read_message(from: &mut impl BufRead, kind: Kind) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let start = String::from_utf8_lossy(&bytes).into_owned();
    let head = read_lines(from, &mut bytes)?.to_ascii_lowercase();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let status = start.split(' ').nth(1).unwrap_or_default();
    let bodyless = match kind {
        Kind::Request => header("content-length:").or(header("transfer-encoding:")).is_none(),
        Kind::Answer { to_head } => to_head || status.starts_with('1') || ["204", "304"].contains(&status),
    };
    let mut until_eof = false;
    if bodyless {
    } else if header("transfer-encoding:").is_some_and(|value| value.ends_with("chunked")) {
        read_chunks(from, &mut bytes)?;
    } else if let Some(length) = header("content-length:") {
        read_exactly(from, &mut bytes, length.parse().map_err(io::Error::other)?)?;
    } else {
        until_eof = true;
        from.read_to_end(&mut bytes)?;
    }
    if matches!(kind, Kind::Answer { .. }) && status.starts_with('1') {
        // An interim answer: the real one follows.
        let Some(rest) = read_message(from, kind)? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        bytes.extend(rest.bytes);
        until_eof = rest.until_eof;
    }
    Ok(Some(Message { bytes, until_eof }))
}

/// Reads up to and with an empty line; gives what it read as text.
fn read_lines(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<String> {
    let start = bytes.len();
    loop {
        let line = bytes.len();
        if from.read_until(b'\n', bytes)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if bytes[line..].trim_ascii().is_empty() {
            return Ok(String::from_utf8_lossy(&bytes[start..]).into_owned());
        }
    }
}

fn read_chunks(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = bytes.len();
        from.read_until(b'\n', bytes)?;
        let size = String::from_utf8_lossy(&bytes[line..]);
        let size = size.split(';').next().unwrap_or_default().trim();
        match u64::from_str_radix(size, 16).map_err(io::Error::other)? {
            0 => return read_lines(from, bytes).map(drop),
            size => read_exactly(from, bytes, size + 2)?,
        }
    }
}

fn read_exactly(from: &mut impl BufRead, bytes: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let read = from.take(length).read_to_end(bytes)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

mod tests;
