//! Plain HTTP requests: bounded in time, size and number, never redirected.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

use super::resolve::Resolver;
use super::{Net, NetError, Settings};

/// More of a body than this is not read.
const LARGEST: usize = 1 << 20;
/// Requests in flight to one host.
const AT_ONCE: usize = 4;
/// A longer pause than this is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(5);

/// A request. Header values and the body may hold secrets.
pub struct Request {
    /// Whether it is a POST; else a GET.
    pub post: bool,
    /// Where to. The query may hold a secret.
    pub url: Url,
    /// Header fields.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Option<Zeroizing<Vec<u8>>>,
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
    /// The body, at most 1 MiB of it.
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub truncated: bool,
}

/// One gate a host.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Hosts {
    fn gate(&self, host: &str) -> Arc<Semaphore> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    }
}

#[expect(clippy::disallowed_methods, reason = "net is the room that builds clients")]
pub(super) fn client(settings: &Settings, resolver: Resolver) -> Result<reqwest::Client, NetError> {
    reqwest::Client::builder()
        .user_agent(concat!("staunch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(settings.timeout)
        .dns_resolver(Arc::new(resolver))
        .build()
        .map_err(|error| NetError::Setting(format!("the HTTP client cannot be built: {}", error.without_url())))
}

impl Net {
    /// Sends a request and reads its answer. Tries once more after a failed connection, a 502, 503 or 504, and a 429 that
    /// names a short pause.
    pub async fn send(&self, request: &Request) -> Result<Answer, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        self.rules.check(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let gate = self.hosts.gate(&host);
        let _turn = gate.acquire().await.map_err(|_| NetError::Connect(host.clone()))?;
        let first = self.once(request, &host).await;
        let Some(pause) = pause_before_retry(&first) else { return first };
        tokio::time::sleep(pause).await;
        self.once(request, &host).await
    }

    async fn once(&self, request: &Request, host: &str) -> Result<Answer, NetError> {
        let mut headers = HeaderMap::new();
        for header in &request.headers {
            let name = HeaderName::try_from(&header.name).map_err(|_| NetError::Request("a header's name"))?;
            let mut value = HeaderValue::from_bytes(&header.value)
                .map_err(|_| NetError::Request("the credential holds a character that no header can"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let method = if request.post { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut builder = self.client.request(method, request.url.clone()).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.to_vec());
        }
        let mut response = builder.send().await.map_err(|error| explain(&error, host))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        tracing::debug!(host, status, "asked");
        let (mut body, mut truncated) = (Vec::new(), false);
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error, host))? {
            let room = LARGEST - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                truncated = true;
                break;
            }
        }
        Ok(Answer { status, headers, body, truncated })
    }
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

fn pause_before_retry(first: &Result<Answer, NetError>) -> Option<Duration> {
    // Spread by a few hundred milliseconds, so that many workers do not knock together.
    let spread = || {
        let mut byte = [0u8; 1];
        let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut byte);
        Duration::from_millis(200 + 2 * u64::from(byte[0]))
    };
    match first {
        Err(NetError::Connect(_)) => Some(spread()),
        Ok(answer) if matches!(answer.status, 502..=504) => Some(spread()),
        Ok(answer) if answer.status == 429 => {
            let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
            Some(Duration::from_secs(seconds)).filter(|pause| *pause <= LONGEST_PAUSE).map(|pause| pause + spread())
        }
        _ => None,
    }
}
