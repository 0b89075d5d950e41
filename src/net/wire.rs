//! A connection that does not speak HTTP, to a host that was found in scanned content. Only where the operator allows it,
//! only to an address that was checked, and bounded in time and in bytes.

mod bounded;

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

pub(super) use bounded::Bounded;

use super::hosts::Turn;
use super::http::CONNECT;
use super::tls::{Proof, Trust};
use super::{Net, NetError};

/// More than this is not read from one connection: a login takes a few hundred bytes.
const MOST: usize = 64 << 10;
/// Addresses of one name that are tried.
const TRIES: usize = 4;

/// By whose word a host is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// Scanned content's, or this program's own: its addresses must be public or allowed.
    ByContent,
    /// The operator's settings: it may be anywhere.
    ByOperator,
}

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// An open connection. All that is said over it must be said within the settings' time.
pub struct Wire {
    bytes: Box<dyn Bytes>,
    host: String,
    /// The address that was connected to.
    pub(super) peer: IpAddr,
    end: Instant,
    /// What came and was not asked for yet.
    held: Vec<u8>,
    came: usize,
    trust: Arc<Trust>,
    turn: Turn,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.host)
    }
}

impl Net {
    /// Connects to a host and port from scanned content. The operator must allow the host (`--allow-host`), a name or an
    /// address alike; what a name resolves to, and an address, must be public or in an allowed network (`--allow-net`).
    /// A proxy is not used: those for HTTP do not carry this.
    ///
    /// # Errors
    /// [`NetError::RefusedHost`] and [`NetError::RefusedAddress`] before a byte is sent; those of [`Net::ask`]; others when
    /// nobody is there.
    pub async fn dial(&self, host: &str, port: u16) -> Result<Wire, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        let host = bare(host);
        self.check_content_host(&host, &[])?;
        self.reach(&host, port, Named::ByContent).await
    }

    /// Connects as one of validation's questions, within the host's budget.
    pub(super) async fn reach(&self, host: &str, port: u16, named: Named) -> Result<Wire, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        let turn = self.hosts.turn(host).await?;
        let end = Instant::now() + self.settings.timeout;
        let connected = self.connected((host, port), named, end).await;
        if matches!(connected, Err(NetError::Timeout(_) | NetError::Connect(_) | NetError::Resolve(_))) {
            turn.failed();
        }
        self.wire((connected?, host.to_owned()), end, turn)
    }

    fn wire(&self, (stream, host): (TcpStream, String), end: Instant, turn: Turn) -> Result<Wire, NetError> {
        let peer = stream.peer_addr().map_err(|_| NetError::Closed(host.clone()))?.ip();
        let trust = Arc::clone(&self.trust);
        tracing::debug!(host, "connected");
        Ok(Wire { bytes: Box::new(stream), host, peer, end, held: Vec::new(), came: 0, trust, turn })
    }

    /// Connects to a host that the operator's settings name, at whatever address it has: that is their word.
    ///
    /// # Errors
    /// [`NetError::Offline`]; others when nobody is there.
    pub async fn call(&self, host: &str, port: u16) -> Result<Wire, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        let host = bare(host);
        let turn = self.own.turn(&host).await?;
        let end = Instant::now() + self.settings.timeout;
        let found = timeout_at(end, tokio::net::lookup_host((host.as_str(), port))).await;
        let found = found.map_err(|_| NetError::Timeout(host.clone()))?.map_err(|_| NetError::Resolve(host.clone()))?;
        let addresses: Vec<SocketAddr> = found.collect();
        let stream = connect(&addresses, &host, end).await?;
        self.wire((stream, host), end, turn)
    }

    async fn connected(&self, (host, port): (&str, u16), named: Named, end: Instant) -> Result<TcpStream, NetError> {
        let found = timeout_at(end, self.addresses(host, port, named));
        let addresses = found.await.map_err(|_| NetError::Timeout(host.to_owned()))??;
        connect(&addresses, host, end).await
    }

    /// Every address of `host`; one that is refused refuses them all. Unlike HTTP's endpoints, no host is exempt but by the
    /// operator's word.
    async fn addresses(&self, host: &str, port: u16, named: Named) -> Result<Vec<SocketAddr>, NetError> {
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| NetError::Resolve(host.to_owned()))?;
        let found: Vec<SocketAddr> = found.collect();
        if named != Named::ByOperator {
            found.iter().try_for_each(|address| self.rules.check_address(host, address.ip()))?;
        }
        if found.is_empty() { Err(NetError::Resolve(host.to_owned())) } else { Ok(found) }
    }
}

/// A host without the brackets that URLs put around IPv6 addresses, in lower case.
pub(super) fn bare(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).to_ascii_lowercase()
}

async fn connect(addresses: &[SocketAddr], host: &str, end: Instant) -> Result<TcpStream, NetError> {
    for address in addresses.iter().take(TRIES) {
        let left = end.saturating_duration_since(Instant::now());
        if let Ok(Ok(stream)) = timeout(left.min(CONNECT), TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    Err(NetError::Connect(host.to_owned()))
}

impl Wire {
    /// Whom it was connected to, by the name that was given.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Goes on in TLS. What came in the clear and was not read yet is a forgery: nothing is taken over.
    ///
    /// # Errors
    /// [`NetError::Untrusted`] when the other end does not show the proof.
    pub async fn secure(self, proof: Proof) -> Result<Self, NetError> {
        if !self.held.is_empty() {
            return Err(self.garbled());
        }
        let host = self.host.clone();
        let config = self.trust.config(proof).ok_or_else(|| NetError::Untrusted(host.clone()))?;
        let name = ServerName::try_from(host.clone()).map_err(|_| NetError::Untrusted(host.clone()))?;
        let handshake = TlsConnector::from(config).connect(name, self.bytes);
        let Ok(shaken) = timeout_at(self.end, handshake).await else {
            self.turn.failed();
            return Err(NetError::Timeout(host));
        };
        let stream = shaken.map_err(|_| NetError::Untrusted(host))?;
        Ok(Self { bytes: Box::new(stream), ..self })
    }

    /// The connection itself, until when it may last, and the host's turn, for who brings their own protocol. Bounded in bytes
    /// and time still.
    pub(super) fn taken(self) -> (Bounded, Instant, Turn) {
        (Bounded::new(self.bytes, MOST, self.end), self.end, self.turn)
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// [`NetError::Timeout`] and [`NetError::Closed`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let sending = async {
            self.bytes.write_all(bytes).await?;
            self.bytes.flush().await
        };
        let sent = timeout_at(self.end, sending).await.map_err(|_| NetError::Timeout(self.host.clone()))?;
        sent.map_err(|_| NetError::Closed(self.host.clone()))
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`NetError::Timeout`], [`NetError::Closed`], and [`NetError::Garbled`] when that is more than anyone should say.
    pub async fn take(&mut self, count: usize) -> Result<Vec<u8>, NetError> {
        if count > MOST {
            return Err(self.garbled());
        }
        while self.held.len() < count {
            self.fill().await?;
        }
        Ok(self.held.drain(..count).collect())
    }

    /// What stands behind its length in so many protocols: `length` bytes, at most `longest`, and then `end`, which is left
    /// out.
    ///
    /// # Errors
    /// As [`Wire::take`], and [`NetError::Garbled`] when it is longer or ends otherwise.
    pub async fn block(&mut self, length: usize, longest: usize, end: &[u8]) -> Result<Vec<u8>, NetError> {
        if length > longest {
            return Err(self.garbled());
        }
        let mut block = self.take(length + end.len()).await?;
        if !block.ends_with(end) {
            return Err(self.garbled());
        }
        block.truncate(length);
        Ok(block)
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// As [`Wire::take`].
    pub async fn line(&mut self) -> Result<Vec<u8>, NetError> {
        let mut seen = 0;
        let end = loop {
            if let Some(at) = memchr::memchr(b'\n', &self.held[seen..]) {
                break seen + at;
            }
            seen = self.held.len();
            self.fill().await?;
        };
        let mut line: Vec<u8> = self.held.drain(..=end).collect();
        line.pop();
        line.pop_if(|last| *last == b'\r');
        Ok(line)
    }

    async fn fill(&mut self) -> Result<(), NetError> {
        let mut buffer = [0; 4096];
        let read = timeout_at(self.end, self.bytes.read(&mut buffer)).await;
        let Ok(read) = read else {
            self.turn.failed();
            return Err(NetError::Timeout(self.host.clone()));
        };
        self.turn.answered();
        let count = match read {
            Ok(0) => return Err(NetError::Closed(self.host.clone())),
            Ok(count) => count,
            // rustls says this of what is not TLS.
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(self.garbled()),
            Err(_) => return Err(NetError::Closed(self.host.clone())),
        };
        self.came += count;
        if self.came > MOST {
            return Err(self.garbled());
        }
        self.held.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    /// For who reads from it and does not understand what came.
    pub fn garbled(&self) -> NetError {
        NetError::Garbled(self.host.clone())
    }
}

#[cfg(test)]
mod tests;
