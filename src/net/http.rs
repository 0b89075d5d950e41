//! Plain HTTP requests: bounded in time, size and number, never redirected.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;
use zeroize::Zeroizing;

use super::hosts::{Hosts, Turn};
use super::resolve::Resolver;
use super::retry::{pause_before, retry_after};
use super::tls::Trust;
use super::{Net, NetError, Settings};
use crate::model::{Clock, SystemClock};

/// More of a body than this is not read.
const LARGEST: usize = 1 << 20;
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// A request. Header values and the body may hold secrets.
pub struct Request {
    /// What is done there.
    pub method: Method,
    /// Where to. The query may hold a secret.
    pub url: Url,
    /// Header fields.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// A header field whose value may hold a secret.
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Zeroizing<Vec<u8>>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, at most 1 MiB of it. It may hold a secret: what a provider has just made, or what it was asked about.
    pub body: Zeroizing<Vec<u8>>,
    /// Whether there was more of it.
    pub truncated: bool,
}

/// A body that is read as it comes. It may be endless; who reads it bounds it.
#[derive(Debug)]
pub struct Stream {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    response: reqwest::Response,
    host: String,
    pause: Duration,
    waited: Duration,
    came: u64,
}

impl Stream {
    /// The next piece of the body; None at its end.
    ///
    /// # Errors
    /// [`NetError::Timeout`] when nothing came for the settings' time, or too little for a long time: a server that sends a
    /// byte now and then must not hold a scan for ever. Only the time spent waiting here counts.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, NetError> {
        let started = tokio::time::Instant::now();
        let next = tokio::time::timeout(self.pause, self.response.chunk()).await;
        let chunk = next.map_err(|_| NetError::Timeout(self.host.clone()))?.map_err(|error| explain(&error, &self.host))?;
        self.waited += started.elapsed();
        self.came += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let most = PATIENCE + Duration::from_secs(self.came / SLOWEST);
        if self.waited > most {
            return Err(NetError::Timeout(self.host.clone()));
        }
        Ok(chunk.map(Vec::from))
    }
}

/// What a body may make one wait for, beyond what its length explains at the slowest rate, in bytes a second.
const PATIENCE: Duration = Duration::from_mins(1);
const SLOWEST: u64 = 16 << 10;

#[expect(clippy::disallowed_methods, reason = "net is the room that builds clients")]
pub(super) fn client(settings: &Settings, resolver: Resolver, trust: &Trust) -> Result<reqwest::Client, NetError> {
    let wrong =
        |error: reqwest::Error| NetError::Setting(format!("the HTTP client cannot be built: {}", error.without_url()));
    let own = trust.extra().iter().map(|certificate| reqwest::Certificate::from_der(certificate));
    reqwest::Client::builder()
        .tls_certs_merge(own.collect::<Result<Vec<_>, _>>().map_err(wrong)?)
        .user_agent(concat!("staunch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(settings.timeout)
        .dns_resolver(Arc::new(resolver))
        .build()
        .map_err(wrong)
}

impl Net {
    /// Sends a request to a host that the operator named and reads its answer. Repeats it after a failed connection, a 502,
    /// 503 or 504, and a 429 that names a short pause.
    pub async fn send(&self, request: &Request) -> Result<Answer, NetError> {
        self.exchange(request, &self.own).await
    }

    /// The same for what validation asks, within the host's [`super::Manners`].
    ///
    /// # Errors
    /// [`NetError::Spent`], [`NetError::Failing`] and [`NetError::Paused`] among others: it was not asked.
    pub async fn ask(&self, request: &Request) -> Result<Answer, NetError> {
        self.exchange(request, &self.hosts).await
    }

    /// Sends a request that changes something to a host that the operator named: once, whatever comes of it. Whether it is
    /// sent again is the decision of whoever can look first.
    pub async fn act(&self, request: &Request) -> Result<Answer, NetError> {
        let (host, turn) = self.admitted(request, &self.own).await?;
        let said = self.once(request, &host).await;
        heed(&turn, &said);
        note(&turn, said)
    }

    async fn admitted(&self, request: &Request, hosts: &Hosts) -> Result<(String, Turn), NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        self.rules.check(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let turn = hosts.turn(&host).await?;
        Ok((host, turn))
    }

    pub(super) async fn exchange(&self, request: &Request, hosts: &Hosts) -> Result<Answer, NetError> {
        let (host, turn) = self.admitted(request, hosts).await?;
        let mut repeats = 0;
        loop {
            let said = self.once(request, &host).await;
            heed(&turn, &said);
            let pause = pause_before(&said, repeats, SystemClock.now());
            // However often it is repeated, one exchange fails once.
            let Some(pause) = pause else { return note(&turn, said) };
            if turn.again(pause).await.is_err() {
                return note(&turn, said);
            }
            repeats += 1;
        }
    }

    /// Sends a request and hands out its answer's body as it comes, without trying again. Its head must come in the
    /// settings' time, and so must each piece. Redirects are not followed.
    pub async fn stream(&self, request: &Request) -> Result<Stream, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        self.rules.check(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        // Far more than the head and each piece may take together with PATIENCE; it is there because the client has a
        // shorter one for whole answers.
        let builder = self.builder(request)?.timeout(Duration::from_hours(24));
        let sent = tokio::time::timeout(self.settings.timeout, builder.send()).await;
        let response = sent.map_err(|_| NetError::Timeout(host.clone()))?.map_err(|error| explain(&error, &host))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        tracing::debug!(host, status, "streaming");
        Ok(Stream { status, headers, response, host, pause: self.settings.timeout, waited: Duration::ZERO, came: 0 })
    }

    fn builder(&self, request: &Request) -> Result<reqwest::RequestBuilder, NetError> {
        let mut headers = HeaderMap::new();
        for header in &request.headers {
            let name = HeaderName::try_from(&header.name).map_err(|_| NetError::Request("a header's name"))?;
            let mut value = HeaderValue::from_bytes(&header.value)
                .map_err(|_| NetError::Request("the credential holds a character that no header can"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut builder = self.client.request(request.method.into(), request.url.clone()).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.to_vec());
        }
        Ok(builder)
    }

    async fn once(&self, request: &Request, host: &str) -> Result<Answer, NetError> {
        let mut response = self.builder(request)?.send().await.map_err(|error| explain(&error, host))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        tracing::debug!(host, status, "asked");
        let (mut body, mut truncated) = (Zeroizing::new(Vec::new()), false);
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error, host))? {
            let room = LARGEST - body.len();
            append(&mut body, &chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                truncated = true;
                break;
            }
        }
        Ok(Answer { status, headers, body, truncated })
    }
}

/// Adds to a body. A buffer that has become too small is wiped, not left behind.
fn append(body: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    if body.capacity() - body.len() < more.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity((body.len() + more.len()).next_power_of_two()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(more);
}

/// What went wrong, without the URL.
fn explain(error: &reqwest::Error, host: &str) -> NetError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(own) = inner.downcast_ref::<NetError>() {
            return own.clone();
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        NetError::Timeout(host.to_owned())
    } else if error.is_connect() {
        NetError::Connect(host.to_owned())
    } else {
        NetError::Protocol(host.to_owned())
    }
}

/// Tells the host's book how an exchange went.
fn note(turn: &Turn, said: Result<Answer, NetError>) -> Result<Answer, NetError> {
    match &said {
        Ok(answer) if answer.status >= 500 => turn.failed(),
        Ok(_) => turn.answered(),
        Err(NetError::RefusedAddress { .. } | NetError::Request(_)) => {}
        Err(_) => turn.failed(),
    }
    said
}

/// Tells it of a pause that an answer asks for.
fn heed(turn: &Turn, said: &Result<Answer, NetError>) {
    if let Ok(answer) = said
        && matches!(answer.status, 429 | 503)
        && let Some(pause) = retry_after(&answer.headers, SystemClock.now())
    {
        turn.pause(pause);
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{Answer, append};

    #[test]
    fn a_body_is_wiped_wherever_it_ends_and_grows_without_leaving_a_piece_behind() {
        // It does not compile where the body is not wiped.
        let _: fn(Answer) -> Zeroizing<Vec<u8>> = |answer| answer.body;
        let mut body = Zeroizing::new(Vec::new());
        for length in [0usize, 3, 5, 100, 1, 4000] {
            let (before, room) = (body.len(), body.capacity());
            append(&mut body, &vec![b'x'; length]);
            assert_eq!(body.len(), before + length);
            assert!(body.capacity() == room || body.capacity() >= (before + length).next_power_of_two(), "{length}");
        }
    }
}
