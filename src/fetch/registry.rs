//! Asks a registry for manifests and blobs: the distribution protocol's reading half.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_RANGE, HeaderMap, LOCATION, RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::reference::is_digest;
use super::{FetchError, Login, Reference, Version};
use crate::net::{Header, Method, Net, NetError, Request, Stream};

/// Every kind of manifest that is read, and none of schema 1: registries convert when they can.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
/// Registries accept manifests of 4 MiB.
const LARGEST: usize = 4 << 20;
const REDIRECTS: usize = 5;
/// Tries of one request, and fresh starts of one body.
const TRIES: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One repository of a registry.
pub struct Registry {
    net: Net,
    origin: Url,
    reference: Reference,
    login: Option<Login>,
    /// Why there is no login, where one was to be had.
    why_not: Option<String>,
    /// The Authorization header that the registry accepted last.
    pass: Mutex<Option<Arc<Zeroizing<String>>>>,
}

/// A manifest or index.
#[derive(Debug)]
pub struct Manifest {
    /// The document.
    pub bytes: Vec<u8>,
    /// Why it may not be the one that was asked for.
    pub doubt: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
}

impl Registry {
    /// Asks nothing yet. `origin` is what [`Reference::origin`] says; `login` a login or why there is none.
    pub fn new(net: Net, reference: Reference, origin: Url, login: Result<Option<Login>, FetchError>) -> Self {
        let (login, why_not) = match login {
            Ok(login) => (login, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { net, origin, reference, login, why_not, pass: Mutex::new(None) }
    }

    /// The manifest or index that the reference stands for.
    pub async fn manifest(&self) -> Result<Manifest, FetchError> {
        let version = self.reference.version.as_str();
        let mut stream = self.get("manifests", version, 0).await?;
        let said = stream.headers.get("docker-content-digest").and_then(|said| said.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.chunk().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST {
                return Err(FetchError::Answer { host: self.host(), what: "a manifest of more than 4 MiB" });
            }
        }
        let expected = match &self.reference.version {
            Version::Digest(digest) => Some(digest.clone()),
            Version::Tag(_) => said.filter(|said| is_digest(said)),
        };
        let doubt = expected
            .filter(|expected| !is(&bytes, expected))
            .map(|expected| format!("the registry says that its manifest is {expected}, and it is not"));
        Ok(Manifest { bytes, doubt })
    }

    /// Opens a manifest (`manifests`) or blob (`blobs`) of that digest. What comes is for the caller to check.
    pub async fn part(self: &Arc<Self>, kind: &'static str, digest: &str) -> Result<Body, FetchError> {
        if !is_digest(digest) {
            return Err(FetchError::NotFound(self.host()));
        }
        let stream = self.get(kind, digest, 0).await?;
        Ok(Body { registry: Arc::clone(self), kind, digest: digest.to_owned(), stream, came: 0, again: 0, tries: 1 })
    }

    fn host(&self) -> String {
        self.reference.registry.clone()
    }

    /// A GET of a part from byte `from` on, with everything that it takes: a pass, redirects, patience.
    async fn get(&self, kind: &str, version: &str, from: u64) -> Result<Stream, FetchError> {
        let path = format!("v2/{}/{kind}/{version}", self.reference.repository);
        let url = self.origin.join(&path).map_err(|_| FetchError::NotFound(self.host()))?;
        let mut asked_for_pass = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let stream = match self.redirected(url.clone(), (kind, from)).await {
                Err(FetchError::Net(error @ (NetError::Connect(_) | NetError::Protocol(_)))) if tries < TRIES => {
                    tracing::debug!(%error, "again");
                    tokio::time::sleep(pause(tries, None)).await;
                    continue;
                }
                stream => stream?,
            };
            match stream.status {
                200 | 206 => return Ok(stream),
                401 if !asked_for_pass => {
                    asked_for_pass = true;
                    let pass = self.pass(&stream.headers).await?;
                    *self.pass.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pass));
                    tries -= 1;
                }
                // Docker Hub says 401 for a private image and for one that is not there; others say 403.
                401 | 403 => return Err(self.unauthorized()),
                404 => return Err(FetchError::NotFound(self.host())),
                429 | 500..=599 if tries < TRIES => tokio::time::sleep(pause(tries, Some(&stream.headers))).await,
                status => return Err(FetchError::Status { host: self.host(), status }),
            }
        }
    }

    fn unauthorized(&self) -> FetchError {
        let known = match (&self.why_not, &self.login) {
            (Some(why), _) => format!("asked without a login: {why}"),
            (None, Some(Login::Password { user, .. })) => format!("asked as {}", user.as_str()),
            (None, Some(Login::Token(_))) => "asked with a kept token".to_owned(),
            (None, None) => "asked without a login".to_owned(),
        };
        FetchError::Unauthorized { host: self.host(), known }
    }

    /// Follows redirects. What lets us in here is shown to no other origin.
    async fn redirected(&self, url: Url, (kind, from): (&str, u64)) -> Result<Stream, FetchError> {
        let mut url = url;
        for _ in 0..=REDIRECTS {
            let mut headers = Vec::new();
            let mut put = |name: &http::HeaderName, value: &str| {
                headers.push(Header { name: name.to_string(), value: Zeroizing::new(value.as_bytes().to_vec()) });
            };
            if kind == "manifests" {
                put(&ACCEPT, MANIFESTS);
            }
            if from > 0 {
                put(&RANGE, &format!("bytes={from}-"));
            }
            let pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(pass) = pass.filter(|_| url.origin() == self.origin.origin()) {
                put(&AUTHORIZATION, &pass);
            }
            let stream = self.net.stream(&Request { method: Method::Get, url: url.clone(), headers, body: None }).await?;
            if !matches!(stream.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(stream);
            }
            let location = stream.headers.get(LOCATION).and_then(|location| location.to_str().ok());
            url = location.and_then(|location| url.join(location).ok()).ok_or(FetchError::Redirects(self.host()))?;
        }
        Err(FetchError::Redirects(self.host()))
    }

    /// An Authorization header that answers a challenge.
    async fn pass(&self, headers: &HeaderMap) -> Result<Zeroizing<String>, FetchError> {
        let fields = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|field| field.to_str().ok());
        let challenges: Vec<Challenge> = fields.flat_map(Challenge::parse).collect();
        if let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") {
            return self.bearer(bearer).await;
        }
        let basic = challenges.iter().any(|challenge| challenge.scheme == "basic");
        match &self.login {
            Some(Login::Password { user, password }) if basic => Ok(basic_pass(user, password)),
            _ if basic => Err(self.unauthorized()),
            _ => Err(FetchError::Answer { host: self.host(), what: "a challenge" }),
        }
    }

    /// <https://distribution.github.io/distribution/spec/auth/token/>, `…/oauth/` for kept tokens.
    async fn bearer(&self, challenge: &Challenge) -> Result<Zeroizing<String>, FetchError> {
        let wrong = |what| FetchError::Answer { host: self.host(), what };
        let parameter = |name: &str| challenge.parameters.get(name).cloned();
        let mut url = parameter("realm").and_then(|realm| Url::parse(&realm).ok()).ok_or(wrong("a challenge"))?;
        let scope = parameter("scope").unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        let mut fields = vec![("scope", scope)];
        fields.extend(parameter("service").map(|service| ("service", service)));
        let mut headers = Vec::new();
        let mut body = None;
        match &self.login {
            Some(Login::Token(token)) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs([("grant_type", "refresh_token"), ("client_id", "staunch"), ("refresh_token", token)]);
                form.extend_pairs(fields);
                body = Some(Zeroizing::new(form.finish().into_bytes()));
                let kind = b"application/x-www-form-urlencoded".to_vec();
                headers.push(Header { name: "content-type".to_owned(), value: Zeroizing::new(kind) });
            }
            login => {
                url.query_pairs_mut().extend_pairs(fields);
                if let Some(Login::Password { user, password }) = login {
                    let pass = Zeroizing::new(basic_pass(user, password).as_bytes().to_vec());
                    headers.push(Header { name: AUTHORIZATION.to_string(), value: pass });
                }
            }
        }
        let answer = self
            .net
            .send(&Request { method: if body.is_some() { Method::Post } else { Method::Get }, url, headers, body })
            .await?;
        let answered = answer.body;
        match answer.status {
            200 => {}
            400 | 401 | 403 => return Err(self.unauthorized()),
            status => return Err(FetchError::Status { host: self.host(), status }),
        }
        let token: Token = serde_json::from_slice(&answered).map_err(|_| wrong("a token"))?;
        let token = token.token.or(token.access_token).ok_or(wrong("a token"))?;
        Ok(Zeroizing::new(format!("Bearer {}", token.as_str())))
    }
}

/// A blob as it comes. A connection that breaks is taken up where it broke.
pub struct Body {
    registry: Arc<Registry>,
    kind: &'static str,
    digest: String,
    stream: Stream,
    came: u64,
    /// Bytes that a fresh start brings once more.
    again: u64,
    tries: u32,
}

impl Body {
    /// The next piece; None at the end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, FetchError> {
        loop {
            match self.stream.chunk().await {
                Ok(None) => return Ok(None),
                Ok(Some(mut chunk)) => {
                    let known = self.again.min(chunk.len() as u64);
                    self.again -= known;
                    self.came += chunk.len() as u64 - known;
                    if (known as usize) < chunk.len() {
                        chunk.drain(..known as usize);
                        return Ok(Some(chunk));
                    }
                }
                // One that stalls has had its time.
                Err(error @ NetError::Timeout(_)) => return Err(error.into()),
                Err(error) if self.tries >= TRIES => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(%error, "again");
                    self.again().await?;
                }
            }
        }
    }

    async fn again(&mut self) -> Result<(), FetchError> {
        tokio::time::sleep(pause(self.tries, None)).await;
        self.tries += 1;
        self.stream = self.registry.get(self.kind, &self.digest, self.came).await?;
        if self.stream.status == 206 {
            let range = self.stream.headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse::<u64>().ok());
            self.again = 0;
            let wrong = || FetchError::Answer { host: self.registry.host(), what: "a range" };
            return if start == Some(self.came) { Ok(()) } else { Err(wrong()) };
        }
        // It begins at the beginning.
        self.again = self.came;
        Ok(())
    }
}

fn basic_pass(user: &str, password: &str) -> Zeroizing<String> {
    let plain = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(format!("Basic {}", data_encoding::BASE64.encode(plain.as_bytes())))
}

/// Half a second, one, two, spread by a quarter; or what the registry asks for, within reason.
fn pause(tries: u32, headers: Option<&HeaderMap>) -> Duration {
    let asked = headers.and_then(|headers| headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok());
    let mut byte = [0u8; 1];
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut byte);
    let usual = Duration::from_millis(500 << tries.saturating_sub(1).min(4));
    asked.map_or(usual, Duration::from_secs).min(LONGEST_PAUSE) + Duration::from_millis(u64::from(byte[0]) / 2)
}

/// Whether these bytes have that digest.
fn is(bytes: &[u8], digest: &str) -> bool {
    let (algorithm, hex) = digest.split_once(':').unwrap_or_default();
    let algorithm = if algorithm == "sha512" { &ring::digest::SHA512 } else { &ring::digest::SHA256 };
    data_encoding::HEXLOWER.encode(ring::digest::digest(algorithm, bytes).as_ref()) == hex
}
