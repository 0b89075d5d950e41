//! One resolver for the HTTP and the AWS clients: it hands out checked addresses only, and the connection goes to those.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use reqwest::dns::{Name, Resolve, Resolving};

use super::NetError;
use super::rules::Rules;

/// Resolves through the system and refuses what the rules refuse.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    rules: Arc<Rules>,
}

impl Resolver {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        Self { rules }
    }

    /// Every address of `host`. One refused address refuses the host: a name that mixes public and private addresses is
    /// somebody's attempt.
    async fn resolve(rules: Arc<Rules>, host: String) -> Result<Vec<IpAddr>, NetError> {
        let found = tokio::net::lookup_host((host.as_str(), 0)).await.map_err(|_| NetError::Resolve(host.clone()))?;
        let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        if addresses.is_empty() {
            return Err(NetError::Resolve(host));
        }
        if !rules.is_named_host(&host) {
            addresses.iter().try_for_each(|&address| rules.check_address(&host, address))?;
        }
        Ok(addresses)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, host) = (Arc::clone(&self.rules), name.as_str().to_owned());
        Box::pin(async move {
            let addresses = Self::resolve(rules, host).await?;
            // The port in the URL overrides this one.
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as reqwest::dns::Addrs)
        })
    }
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let (rules, host) = (Arc::clone(&self.rules), name.to_owned());
        DnsFuture::new(async move { Self::resolve(rules, host).await.map_err(ResolveDnsError::new) })
    }
}
