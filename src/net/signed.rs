//! Calls of AWS services that have no SDK client here, signed as the responder (signature version 4). CloudTrail's SDK crate
//! would be one more of 5 MB for a single call; the signer is here already.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use url::Url;
use zeroize::Zeroizing;

use super::hosts::Manners;
use super::http::{Answer, Header, Method, Request};
use super::{Net, NetError, Responder};
use crate::model::{Clock, SystemClock};

/// CloudTrail's LookupEvents takes two a second for an account and a Region (CloudTrail API reference), which is a host's worth
/// here, whatever the account. How many in all is for the caller to bound.
pub(super) const LOGS: Manners = Manners { at_once: 1, per_second: 2, budget: u32::MAX, failures: 3 };

const JSON: &str = "application/x-amz-json-1.1";

/// A call in AWS's JSON protocol, version 1.1. Reads only: it may be repeated.
#[derive(Debug, Clone)]
pub struct AwsCall<'a> {
    /// The service's name in host names and signatures: `cloudtrail`.
    pub service: &'static str,
    /// The Region to ask.
    pub region: &'a str,
    /// `X-Amz-Target`.
    pub target: &'static str,
    /// The body, JSON. No secret is in it.
    pub body: Vec<u8>,
}

/// Any request to an AWS service, signed as the responder. The body may hold a secret.
#[derive(Clone, Copy)]
pub struct AwsRequest<'a> {
    /// The service's name in host names and signatures: `secretsmanager`.
    pub service: &'static str,
    /// The Region to ask.
    pub region: &'a str,
    /// What is done there.
    pub method: Method,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// `X-Amz-Target`, for the services whose one path is `/`.
    pub target: Option<&'static str>,
    /// The body, JSON.
    pub body: &'a Zeroizing<Vec<u8>>,
}

impl Net {
    /// Asks an AWS service as the responder. What changes something is sent once, whatever comes of it.
    ///
    /// # Errors
    /// As [`Net::send`], and [`NetError::NoCredentials`].
    pub async fn ask_aws(&self, responder: &Responder, call: &AwsRequest<'_>, changes: bool) -> Result<Answer, NetError> {
        if self.is_offline() {
            return Err(NetError::Offline);
        }
        let kind = if call.target.is_some() { JSON } else { "application/json" };
        let body = (call.method != Method::Get).then(|| call.body.clone());
        let mut headers = if body.is_some() { vec![("content-type", kind.to_owned())] } else { Vec::new() };
        headers.extend(call.target.map(|target| ("x-amz-target", target.to_owned())));
        let mut url = self.url_of(call.service, call.region)?;
        url.set_path(call.path);
        headers.extend(self.signature(responder, call, (&url, &headers)).await?);
        let header =
            |(name, value): (&str, String)| Header { name: name.to_owned(), value: Zeroizing::new(value.into_bytes()) };
        let headers = headers.into_iter().map(header).collect();
        let request = Request { method: call.method, url, headers, body };
        if changes { self.act(&request).await } else { self.send(&request).await }
    }

    /// Asks an AWS service as the responder, at the pace of its logs.
    ///
    /// # Errors
    /// As [`Net::send`], and [`NetError::NoCredentials`].
    pub async fn ask_log(&self, responder: &Responder, call: &AwsCall<'_>) -> Result<Answer, NetError> {
        if self.is_offline() {
            return Err(NetError::Offline);
        }
        let url = self.url_of(call.service, call.region)?;
        let mut headers = vec![("content-type", JSON.to_owned()), ("x-amz-target", call.target.to_owned())];
        let body = Zeroizing::new(call.body.clone());
        let (service, region, target) = (call.service, call.region, Some(call.target));
        let signed = AwsRequest { service, region, method: Method::Post, path: "/", target, body: &body };
        headers.extend(self.signature(responder, &signed, (&url, &headers)).await?);
        let header =
            |(name, value): (&str, String)| Header { name: name.to_owned(), value: Zeroizing::new(value.into_bytes()) };
        let headers = headers.into_iter().map(header).collect();
        let body = Some(body);
        self.exchange(&Request { method: Method::Post, url, headers, body }, &self.logs).await
    }

    fn url_of(&self, service: &str, region: &str) -> Result<Url, NetError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if region.is_empty() || !region.bytes().all(plain) {
            return Err(NetError::Setting("the responder's Region is not one, like eu-central-1".to_owned()));
        }
        let own = || {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{service}.{region}.amazonaws.com{suffix}")
        };
        let text = self.checked_endpoint(service)?.unwrap_or_else(own);
        Url::parse(&text).map_err(|_| NetError::Setting(format!("the endpoint for {service} is not a URL")))
    }

    /// The header fields that sign it.
    async fn signature(
        &self,
        responder: &Responder,
        call: &AwsRequest<'_>,
        (url, headers): (&Url, &[(&'static str, String)]),
    ) -> Result<Vec<(&'static str, String)>, NetError> {
        let found = responder.credentials.provide_credentials().await;
        let identity = found.map_err(|error| NetError::NoCredentials(error.to_string()))?.into();
        let unsigned = |_| NetError::Request("it cannot be signed");
        let now = u64::try_from(SystemClock.now().as_second()).unwrap_or_default();
        let now = UNIX_EPOCH + Duration::from_secs(now);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(call.region)
            .name(call.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| NetError::Request("it cannot be signed"))?
            .into();
        let given = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(if call.method == Method::Get { &[] } else { call.body });
        let method = reqwest::Method::from(call.method);
        let request = SignableRequest::new(method.as_str(), url.as_str(), given, body).map_err(unsigned)?;
        let (added, _) = sign(request, &params).map_err(unsigned)?.into_parts();
        Ok(added.into_parts().0.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}
