//! AWS clients: for a found key, which never become the responder's; and for the responder, which never validate a key.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_iam::config::{AppName, BehaviorVersion, Region};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use url::{Host, Url};

use super::hosts::Turn;
use super::resolve::Resolver;
use super::tls::Trust;
use super::{Net, NetError, Settings};
use crate::secret::Secret;

/// How this program calls itself in the user agent of what it asks as a found key: `app/staunch`.
pub const APP: &str = env!("CARGO_PKG_NAME");
const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(10);

/// An access key.
pub struct AwsKey {
    /// Key id.
    pub id: String,
    /// Secret access key.
    pub secret: Secret,
    /// Session token of temporary credentials.
    pub token: Option<Secret>,
}

/// A separate world of AWS: keys of one mean nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// The commercial Regions.
    Aws,
    /// China.
    China,
    /// GovCloud.
    UsGov,
}

impl Partition {
    /// Every one, the usual first.
    pub const ALL: [Self; 3] = [Self::Aws, Self::China, Self::UsGov];

    /// The one that an ARN is of: `arn:aws-cn:…`.
    pub fn of_arn(arn: &str) -> Self {
        match arn.split(':').nth(1) {
            Some("aws-cn") => Self::China,
            Some("aws-us-gov") => Self::UsGov,
            _ => Self::Aws,
        }
    }

    pub(super) fn region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::China => "cn-north-1",
            Self::UsGov => "us-gov-west-1",
        }
    }
}

/// Whether the SDK repeats a failed call by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// Up to three attempts: for reads.
    Reads,
    /// One attempt: for what must not happen twice.
    None,
}

/// The responder's own AWS clients.
#[derive(Debug, Clone)]
pub struct Responder {
    /// IAM, one attempt a call: repeating is the response engine's decision.
    pub iam: aws_sdk_iam::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    /// The responder's own key id.
    pub key_id: String,
    /// The Region that the responder's settings name; us-east-1 where they name none.
    pub region: String,
    /// By whom a role was taken on, each with key id and ARN: as much the responder's own as what it acts with.
    pub behind: Vec<(String, String)>,
    /// What signs the calls of services without a client of their own.
    pub(super) credentials: SharedCredentialsProvider,
}

/// Endpoints that AWS's own variables name, each with its variable.
pub(super) fn environment_endpoints(settings: &Settings) -> Result<Vec<(&'static str, Url)>, NetError> {
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_IAM",
        "AWS_ENDPOINT_URL_BEDROCK",
        "AWS_ENDPOINT_URL_CLOUDTRAIL",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_SSM",
        "AWS_ENDPOINT_URL_LAMBDA",
        "AWS_ENDPOINT_URL_ECS",
    ];
    let given =
        names.into_iter().filter_map(|name| Some((name, settings.environment.get(name).filter(|text| !text.is_empty())?)));
    let parsed = given.map(|(name, text)| Url::parse(text).map(|url| (name, url)).map_err(|_| name));
    parsed.collect::<Result<_, _>>().map_err(|name| NetError::Setting(format!("{name} is not a URL")))
}

/// Through the proxies that the environment names, like the other client, and with the operator's authorities.
pub(super) fn http_client(resolver: Resolver, trust: &Trust) -> Result<SharedHttpClient, NetError> {
    let mut store = tls::TrustStore::default();
    if let Some(pem) = trust.pem() {
        store.add_pem_certificate(pem);
    }
    let context = tls::TlsContext::builder().with_trust_store(store).build();
    let context = context.map_err(|_| NetError::Setting("the CA file cannot be used for AWS".to_owned()))?;
    // One connector for each pair of timeouts: it holds the pool of connections.
    let made: Mutex<Vec<(Timeouts, SharedHttpConnector)>> = Mutex::default();
    Ok(http_client_fn(move |settings, components| {
        let wanted = (settings.connect_timeout(), settings.read_timeout());
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = made.iter().find(|(timeouts, _)| *timeouts == wanted) {
            return connector.clone();
        }
        let build = |proxy: ProxyConfig| {
            let mut builder = Connector::builder().proxy_config(proxy).connector_settings(settings.clone());
            builder.set_sleep_impl(components.sleep_impl());
            let builder = builder.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).tls_context(context.clone());
            SharedHttpConnector::new(builder.build_with_resolver(resolver.clone()))
        };
        let (usual, direct) = (build(ProxyConfig::from_env()), build(ProxyConfig::disabled()));
        let connector = SharedHttpConnector::new(Routes { usual, direct });
        made.push((wanted, connector.clone()));
        connector
    }))
}

/// Two ways out.
#[derive(Debug)]
struct Routes {
    /// As the environment has it.
    usual: SharedHttpConnector,
    /// Never through a proxy.
    direct: SharedHttpConnector,
}

impl HttpConnector for Routes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if gives_roles(request.uri()) { self.direct.call(request) } else { self.usual.call(request) }
    }
}

/// Whether credentials of an instance's or a container's role are given out there, in the clear: to this machine alone, and
/// to no proxy. Those are AWS's link-local addresses, of IPv6 `fd00:ec2::/32`, and what listens on loopback for a container.
fn gives_roles(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_link_local() || v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback() || matches!(v6.segments(), [0xfd00, 0xec2, ..]),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// To connect, and to read.
type Timeouts = (Option<Duration>, Option<Duration>);

fn timeouts(settings: &Settings) -> TimeoutConfig {
    let attempt = ATTEMPT.min(settings.timeout);
    TimeoutConfig::builder().connect_timeout(CONNECT.min(attempt)).operation_attempt_timeout(attempt).build()
}

fn retries(retries: Retries) -> RetryConfig {
    match retries {
        Retries::Reads => RetryConfig::standard().with_max_attempts(3),
        Retries::None => RetryConfig::disabled(),
    }
}

/// A service's id in AWS's own variables.
fn id(service: &str) -> String {
    if service == "secretsmanager" { "SECRETS_MANAGER".to_owned() } else { service.to_ascii_uppercase() }
}

impl Net {
    /// Where a service is asked: `--endpoint aws-SERVICE=` before `--endpoint aws=` before AWS's own variables; `None` for
    /// AWS's own address.
    pub fn aws_endpoint(&self, service: &str) -> Option<String> {
        let variable = |name: &str| self.settings.environment.get(name).filter(|text| !text.is_empty()).cloned();
        let named = |name: &str| self.endpoint(name).map(|url| url.as_str().trim_end_matches('/').to_owned());
        named(&format!("aws-{service}"))
            .or_else(|| named("aws"))
            .or_else(|| variable(&format!("AWS_ENDPOINT_URL_{}", id(service))))
            .or_else(|| variable("AWS_ENDPOINT_URL"))
    }

    /// Leave to ask STS of a partition about a found key.
    ///
    /// # Errors
    /// As [`Net::ask`].
    pub async fn sts_turn(&self, partition: Partition) -> Result<Turn, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        self.hosts.turn(&self.sts_host(partition)).await
    }

    /// The host that is asked there.
    pub fn sts_host(&self, partition: Partition) -> String {
        let named = self.aws_endpoint("sts").and_then(|text| Url::parse(&text).ok());
        let named = named.and_then(|url| url.host_str().map(str::to_owned));
        let suffix = if partition == Partition::China { ".cn" } else { "" };
        named.unwrap_or_else(|| format!("sts.{}.amazonaws.com{suffix}", partition.region()))
    }

    /// STS as a found key.
    pub fn sts(&self, key: &AwsKey, partition: Partition) -> Result<aws_sdk_sts::Client, NetError> {
        let (Some(secret), token) = (key.secret.expose_str(), key.token.as_ref().map(Secret::expose_str)) else {
            return Err(NetError::Request("the secret access key is not text"));
        };
        let token = token.flatten().map(str::to_owned);
        let credentials = Credentials::new(key.id.clone(), secret, token, None, "found");
        let region = Region::from_static(partition.region());
        // So that the key's owner, and this program later, can tell the question from others in CloudTrail.
        self.sts_with(SharedCredentialsProvider::new(credentials), region, AppName::new(APP).ok())
    }

    /// IAM as a found key: to see that it is refused.
    pub fn iam(&self, key: &AwsKey, partition: Partition) -> Result<aws_sdk_iam::Client, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        let (Some(secret), token) = (key.secret.expose_str(), key.token.as_ref().map(Secret::expose_str)) else {
            return Err(NetError::Request("the secret access key is not text"));
        };
        let credentials = Credentials::new(key.id.clone(), secret, token.flatten().map(str::to_owned), None, "found");
        let region = Region::from_static(partition.region());
        self.iam_with(SharedCredentialsProvider::new(credentials), region, Retries::Reads)
    }

    fn sts_with(
        &self,
        credentials: SharedCredentialsProvider,
        region: Region,
        app: Option<AppName>,
    ) -> Result<aws_sdk_sts::Client, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(region)
            .http_client(self.aws_http.clone())
            .timeout_config(timeouts(&self.settings))
            .retry_config(retries(Retries::Reads));
        config.set_app_name(app);
        config.set_endpoint_url(self.checked_endpoint("sts")?);
        #[expect(clippy::disallowed_methods, reason = "net is the room that builds clients")]
        Ok(aws_sdk_sts::Client::from_conf(config.build()))
    }

    pub(super) fn checked_endpoint(&self, service: &str) -> Result<Option<String>, NetError> {
        let Some(text) = self.aws_endpoint(service) else { return Ok(None) };
        let url = Url::parse(&text).map_err(|_| NetError::Setting(format!("the endpoint for {service} is not a URL")))?;
        self.rules.check(&url)?;
        Ok(Some(text))
    }

    /// The responder's clients, from AWS's default chain: environment, profiles, container and instance roles.
    ///
    /// # Errors
    /// [`NetError::NoCredentials`] when the chain has none.
    pub async fn responder(&self, profile: Option<&str>) -> Result<Responder, NetError> {
        if self.settings.offline {
            return Err(NetError::Offline);
        }
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the responder's credentials")]
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(self.aws_http.clone());
        let shared = match profile {
            Some(name) => loader.profile_name(name).load().await,
            None => loader.load().await,
        };
        let none = |why: &str| NetError::NoCredentials(why.to_owned());
        let provider = shared.credentials_provider().ok_or_else(|| none("the default chain is empty"))?;
        let found = provider.provide_credentials().await;
        let key_id = found.map_err(|error| none(&error.to_string()))?.access_key_id().to_owned();
        let region = shared.region().cloned().unwrap_or(Region::from_static("us-east-1"));
        self.acting(provider, &region, key_id)
    }

    /// The responder's clients in a role that its own credentials may take on: one session of an hour, which is longer than any
    /// run.
    ///
    /// # Errors
    /// [`NetError::NoCredentials`] when the role is refused, with AWS's own code.
    pub async fn responder_as(&self, profile: Option<&str>, role: &str) -> Result<Responder, NetError> {
        let own = self.responder(profile).await?;
        let who = own.sts.get_caller_identity().send().await.map_err(|error| {
            use aws_sdk_sts::error::ProvideErrorMetadata;
            NetError::NoCredentials(format!("STS does not say who takes {role} on: {}", error.code().unwrap_or("no answer")))
        })?;
        let taken = own.sts.assume_role().role_arn(role).role_session_name(APP).send().await.map_err(|error| {
            use aws_sdk_sts::error::ProvideErrorMetadata;
            NetError::NoCredentials(format!("the role {role} was refused: {}", error.code().unwrap_or("no answer")))
        })?;
        let given = taken.credentials.ok_or(NetError::NoCredentials(format!("the role {role} gave no credentials")))?;
        let id = given.access_key_id;
        let found = Credentials::new(id.clone(), given.secret_access_key, Some(given.session_token), None, "assumed");
        let mut acting = self.acting(SharedCredentialsProvider::new(found), &Region::new(own.region), id)?;
        acting.behind = vec![(own.key_id, who.arn().unwrap_or_default().to_owned())];
        Ok(acting)
    }

    /// The responder's clients with a key that the caller hands over: the sandbox's administrator.
    pub fn responder_with(&self, key: &AwsKey) -> Result<Responder, NetError> {
        let secret = key.secret.expose_str().ok_or(NetError::Request("the secret access key is not text"))?;
        let credentials = Credentials::new(key.id.clone(), secret, None, None, "handed over");
        let provider = SharedCredentialsProvider::new(credentials);
        self.acting(provider, &Region::from_static("us-east-1"), key.id.clone())
    }

    fn acting(
        &self,
        credentials: SharedCredentialsProvider,
        region: &Region,
        key_id: String,
    ) -> Result<Responder, NetError> {
        let sts = self.sts_with(credentials.clone(), region.clone(), None)?;
        let iam = self.iam_with(credentials.clone(), region.clone(), Retries::None)?;
        Ok(Responder { iam, sts, key_id, region: region.to_string(), behind: Vec::new(), credentials })
    }

    fn iam_with(
        &self,
        credentials: SharedCredentialsProvider,
        region: Region,
        retry: Retries,
    ) -> Result<aws_sdk_iam::Client, NetError> {
        let mut config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(region)
            .http_client(self.aws_http.clone())
            .timeout_config(timeouts(&self.settings))
            .retry_config(retries(retry));
        config.set_endpoint_url(self.checked_endpoint("iam")?);
        #[expect(clippy::disallowed_methods, reason = "net is the room that builds clients")]
        Ok(aws_sdk_iam::Client::from_conf(config.build()))
    }
}

#[cfg(test)]
mod tests;
