//! The only door to the network: HTTP and AWS clients, host rules, retries, the responder's own credentials.

mod aws;
mod hosts;
mod http;
mod mail;
mod resolve;
mod retry;
mod rules;
mod signed;
mod ssh;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

pub use aws::{APP, AwsKey, Partition, Responder, Retries};
pub use hosts::{Manners, Turn};
pub use http::{Answer, Header, Method, Request, Stream};
pub use mail::Letter;
pub use signed::{AwsCall, AwsRead, AwsRequest};
pub use ssh::{SshAnswer, SshKey};
pub use tls::Proof;
pub use wire::Wire;

use crate::model::SshHost;
use hosts::{Hosts, LONGEST_PAUSE};
use resolve::Resolver;
use rules::Rules;
use tls::Trust;

/// What the operator allows, and how patient to be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Refuse every request.
    pub offline: bool,
    /// Addresses to ask instead of a provider's own, by endpoint name. The operator's word allows plain http and private
    /// addresses for exactly that host and port.
    pub endpoints: BTreeMap<String, Url>,
    /// Registries that the operator named and that may speak plain http at any address, for exactly that host and port.
    pub plain: Vec<Url>,
    /// Hosts found in scanned content to which a credential may be sent: names, `*.suffix`, addresses and networks.
    pub allow_hosts: Vec<String>,
    /// Private networks that may be contacted.
    pub allow_nets: Vec<IpNet>,
    /// For one request from start to end.
    pub timeout: Duration,
    /// Hosts that SSH keys are offered to, beside or in place of those that everybody uses. The operator's word: they may be at
    /// any address.
    pub ssh_hosts: Vec<SshHost>,
    /// What validation asks of one host at most; the responder's own requests have no budget and no rate.
    pub manners: Manners,
    /// Certificate authorities that are trusted beside the machine's own, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// The process's environment, for AWS's endpoint and Region variables. Proxies are read by the HTTP client itself.
    pub environment: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offline: false,
            endpoints: BTreeMap::new(),
            plain: Vec::new(),
            allow_hosts: Vec::new(),
            allow_nets: Vec::new(),
            timeout: Duration::from_secs(15),
            ssh_hosts: Vec::new(),
            manners: Manners::default(),
            authorities: None,
            environment: BTreeMap::new(),
        }
    }
}

/// A request that could not be made or answered. Never holds a query, a header or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// `--offline`.
    #[error("not asked: --offline is set")]
    Offline,
    /// The host resolves to an address that credentials are not sent to.
    #[error("{host} is at {address}, which is not a public address; allow it with --allow-net {address} if it is yours")]
    RefusedAddress {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// The scheme is not https and the operator has not named this address.
    #[error("{0} is not https; only an --endpoint that you name may be")]
    RefusedScheme(String),
    /// A host from scanned content that the operator does not allow.
    #[error("host not allowed: {0}; allow it with --allow-host {0} if it is yours")]
    RefusedHost(String),
    /// Validation has asked it as often as it may in one run.
    #[error("not asked: {host} was asked {budget} times in this run, which is its budget; run it again for the rest")]
    Spent {
        /// The host.
        host: String,
        /// Its budget.
        budget: u32,
    },
    /// It failed several times in a row and is left alone.
    #[error("not asked: {0} failed again and again and is left alone for a while")]
    Failing(String),
    /// It asked for a pause that is too long to wait for.
    #[error("not asked: {host} asks to be left alone for {seconds} s")]
    Paused {
        /// The host.
        host: String,
        /// What is left of the pause.
        seconds: u64,
    },
    /// The name does not resolve.
    #[error("{0} cannot be resolved")]
    Resolve(String),
    /// No connection.
    #[error("{0} cannot be reached")]
    Connect(String),
    /// No answer in time.
    #[error("{0} did not answer in time")]
    Timeout(String),
    /// Something came that is not an answer.
    #[error("{0} did not answer in HTTP")]
    Protocol(String),
    /// The other end hung up in the middle of a conversation that is not HTTP.
    #[error("{0} closed the connection")]
    Closed(String),
    /// It did not say what its protocol has it say, or too much of it.
    #[error("{0} did not answer in the protocol of its address")]
    Garbled(String),
    /// No TLS, or a certificate that this machine does not trust.
    #[error("{0} does not prove by TLS who it is")]
    Untrusted(String),
    /// An SSH host showed another host key than its known one. Nothing was said to it.
    #[error(
        "{host} does not prove who it is: it shows {shown}, which is not its known host key, so the key was not offered"
    )]
    HostKey {
        /// The host.
        host: String,
        /// The fingerprint of what it showed, or what it did not.
        shown: String,
    },
    /// A mail server refused something.
    #[error("the mail server {host} refused it ({code})")]
    Mail {
        /// The server.
        host: String,
        /// Its answer's code; 504 where it offers no login that takes a password.
        code: u16,
    },
    /// The request could not be built.
    #[error("the request cannot be written: {0}")]
    Request(&'static str),
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The responder has no credentials.
    #[error("the responder has no AWS credentials: {0}")]
    NoCredentials(String),
}

/// Makes ring the one cryptography provider of this process. Call it first in main; calling it again changes nothing.
pub fn install_crypto() {
    // It fails only when a provider is installed already, which is then this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Clients that obey the host rules.
#[derive(Debug)]
pub struct Net {
    settings: Settings,
    rules: Arc<Rules>,
    trust: Arc<Trust>,
    client: reqwest::Client,
    /// What validation asks.
    hosts: Hosts,
    /// What the operator named: registries. They have no budget.
    own: Hosts,
    /// Logs of AWS, two requests a second of each Region's.
    logs: Hosts,
    aws_http: aws_smithy_runtime_api::client::http::SharedHttpClient,
}

impl Net {
    /// Builds the clients.
    pub fn new(settings: Settings) -> Result<Self, NetError> {
        install_crypto();
        let aws = aws::environment_endpoints(&settings)?.into_iter().map(|(_, url)| url);
        let named = settings.endpoints.values().chain(&settings.plain).cloned().chain(aws);
        let rules = Arc::new(Rules::new(settings.allow_nets.clone(), named).behind(&settings.environment));
        let resolver = Resolver::new(Arc::clone(&rules));
        let trust = Arc::new(Trust::new(settings.authorities.as_deref())?);
        let client = http::client(&settings, resolver.clone(), &trust)?;
        let aws_http = aws::http_client(resolver, &trust)?;
        let hosts = Hosts::new(settings.manners);
        let own = Hosts::new(Manners { per_second: u32::MAX, budget: u32::MAX, ..settings.manners });
        let logs = Hosts::new(signed::LOGS);
        Ok(Self { settings, rules, trust, client, hosts, own, logs, aws_http })
    }

    /// The address that the operator wants asked under that name, if any.
    pub fn endpoint(&self, name: &str) -> Option<&Url> {
        self.settings.endpoints.get(name)
    }

    /// Every address that is asked instead of a provider's own, and by whose word others are believed: an answer from there
    /// is no answer for another.
    pub fn detours(&self) -> String {
        let named = self.settings.endpoints.iter().map(|(name, url)| format!("{name}={url}\n"));
        let aws = aws::environment_endpoints(&self.settings).unwrap_or_default();
        let authorities = self.settings.authorities.as_ref().map(|pem| {
            let digest = ring::digest::digest(&ring::digest::SHA256, pem);
            format!("authorities={}\n", data_encoding::HEXLOWER.encode(digest.as_ref()))
        });
        let ssh = self.settings.ssh_hosts.iter().map(|host| format!("ssh={host:?}\n"));
        let named = named.chain(ssh);
        named.chain(aws.iter().map(|(name, url)| format!("{name}={url}\n"))).chain(authorities).collect()
    }

    /// Whether every request is refused.
    pub fn is_offline(&self) -> bool {
        self.settings.offline
    }

    /// Whether a credential may be sent to a host that was found in scanned content: it ends in one of `suffixes`, each of
    /// which begins with a dot, or the operator allows it. An address needs the operator's word as a name does, and where it
    /// is private a network's (`--allow-net`) as well, for HTTP and for whatever else.
    ///
    /// # Errors
    /// [`NetError::RefusedHost`] otherwise, and for what is no host at all; [`NetError::RefusedAddress`].
    pub fn check_content_host(&self, host: &str, suffixes: &[String]) -> Result<(), NetError> {
        let refused = || NetError::RefusedHost(host.chars().take(100).collect());
        if let Ok(address) = wire::bare(host).parse::<IpAddr>() {
            let named = self.settings.allow_hosts.iter().filter_map(|pattern| Self::parse_net(&wire::bare(pattern)).ok());
            let allowed = named.into_iter().any(|net| net.contains(&address));
            return if allowed { self.rules.check_address(host, address) } else { Err(refused()) };
        }
        let bare = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        let under = |suffix: &String| host.strip_suffix(suffix.as_str()).is_some_and(|label| !label.is_empty());
        let allowed = |pattern: &String| match pattern.strip_prefix('*') {
            Some(suffix) => suffix.starts_with('.') && host.ends_with(suffix),
            None => host == pattern,
        };
        if bare && (suffixes.iter().any(under) || self.settings.allow_hosts.iter().any(allowed)) {
            return Ok(());
        }
        Err(refused())
    }

    /// Parses `NAME=URL`.
    pub fn parse_endpoint(text: &str) -> Result<(String, Url), NetError> {
        let wrong = || NetError::Setting(format!("--endpoint {text:?} is not NAME=URL, like openai=https://gateway.corp"));
        let (name, url) = text.split_once('=').ok_or_else(wrong)?;
        let url = Url::parse(url).map_err(|_| wrong())?;
        let good =
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.username().is_empty();
        if good { Ok((name.to_owned(), url)) } else { Err(wrong()) }
    }

    /// Parses a network, or a single address, of `--allow-net`.
    pub fn parse_net(text: &str) -> Result<IpNet, NetError> {
        let single = || text.parse::<IpAddr>().map(IpNet::from);
        let wrong = || NetError::Setting(format!("--allow-net {text:?} is not a network, like 10.0.0.0/8"));
        text.parse().or_else(|_| single()).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::{Net, Settings};

    #[test]
    fn one_address_under_two_variables_is_two_detours() {
        let detours = |name: &str| {
            let environment = [(name.to_owned(), "https://a.example/".to_owned())].into();
            Net::new(Settings { environment, ..Settings::default() }).expect("clients").detours()
        };
        assert_eq!(detours("AWS_ENDPOINT_URL_STS"), "AWS_ENDPOINT_URL_STS=https://a.example/\n");
        assert_eq!(detours("AWS_ENDPOINT_URL_BEDROCK"), "AWS_ENDPOINT_URL_BEDROCK=https://a.example/\n");
    }
}
