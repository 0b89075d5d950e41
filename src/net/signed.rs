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

/// A read of an AWS service whose API is REST.
#[derive(Debug, Clone)]
pub struct AwsRead<'a> {
    /// As [`AwsCall::service`].
    pub service: &'static str,
    /// The Region to ask.
    pub region: &'a str,
    /// Path and query, escaped.
    pub path: &'a str,
}

/// Any request to an AWS service, signed as the responder. The body may hold a secret.
#[derive(Clone, Copy)]
pub struct AwsRequest<'a> {
    /// As [`AwsCall::service`].
    pub service: &'static str,
    /// The Region to ask.
    pub region: &'a str,
    /// What is done there.
    pub method: Method,
    /// Path and query, escaped.
    pub path: &'a str,
    /// `X-Amz-Target`, for the services whose one path is `/`.
    pub target: Option<&'static str>,
    /// The body, JSON; none of a read.
    pub body: &'a Zeroizing<Vec<u8>>,
}

impl<'a> AwsRequest<'a> {
    fn unsigned(&self) -> Unsigned<'a> {
        let AwsRequest { service, region, method, path, target, body } = *self;
        let body = (method != Method::Get).then_some(body.as_slice());
        let kind = if target.is_some() { JSON } else { "application/json" };
        let mut headers = if body.is_some() { vec![("content-type", kind.to_owned())] } else { Vec::new() };
        headers.extend(target.map(|target| ("x-amz-target", target.to_owned())));
        Unsigned { method, service, region, path, headers, body }
    }
}

/// What is signed, whatever its protocol.
struct Unsigned<'a> {
    method: Method,
    service: &'static str,
    region: &'a str,
    path: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Option<&'a [u8]>,
}

impl<'a> AwsCall<'a> {
    fn unsigned(&'a self) -> Unsigned<'a> {
        let headers = vec![("content-type", JSON.to_owned()), ("x-amz-target", self.target.to_owned())];
        let body = Some(self.body.as_slice());
        Unsigned { method: Method::Post, service: self.service, region: self.region, path: "/", headers, body }
    }
}

impl Net {
    /// Asks an AWS service as the responder, at the pace of its logs.
    ///
    /// # Errors
    /// As [`Net::send`], and [`NetError::NoCredentials`].
    pub async fn ask_log(&self, responder: &Responder, call: &AwsCall<'_>) -> Result<Answer, NetError> {
        self.exchange(&self.signed(responder, &call.unsigned()).await?, &self.logs).await
    }

    /// Asks an AWS service as the responder. Reads only: it may be repeated.
    ///
    /// # Errors
    /// As [`Net::ask_log`].
    pub async fn ask_aws(&self, responder: &Responder, call: &AwsCall<'_>) -> Result<Answer, NetError> {
        self.send(&self.signed(responder, &call.unsigned()).await?).await
    }

    /// The same of one whose API is REST.
    ///
    /// # Errors
    /// As [`Net::ask_log`].
    pub async fn read_aws(&self, responder: &Responder, read: &AwsRead<'_>) -> Result<Answer, NetError> {
        let AwsRead { service, region, path } = read;
        let unsigned = Unsigned { method: Method::Get, service, region, path, headers: Vec::new(), body: None };
        self.send(&self.signed(responder, &unsigned).await?).await
    }

    /// Asks an AWS service as the responder. What changes something is sent once, whatever comes of it.
    ///
    /// # Errors
    /// As [`Net::ask_log`].
    pub async fn call_aws(&self, responder: &Responder, call: &AwsRequest<'_>, changes: bool) -> Result<Answer, NetError> {
        let request = self.signed(responder, &call.unsigned()).await?;
        if changes { self.act(&request).await } else { self.send(&request).await }
    }

    async fn signed(&self, responder: &Responder, unsigned: &Unsigned<'_>) -> Result<Request, NetError> {
        if self.is_offline() {
            return Err(NetError::Offline);
        }
        let url = self.url_of(unsigned)?;
        let mut headers = unsigned.headers.clone();
        headers.extend(self.signature(responder, unsigned, &url).await?);
        let header =
            |(name, value): (&str, String)| Header { name: name.to_owned(), value: Zeroizing::new(value.into_bytes()) };
        let headers = headers.into_iter().map(header).collect();
        Ok(Request { method: unsigned.method, url, headers, body: unsigned.body.map(|body| Zeroizing::new(body.to_vec())) })
    }

    fn url_of(&self, call: &Unsigned<'_>) -> Result<Url, NetError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if call.region.is_empty() || !call.region.bytes().all(plain) {
            return Err(NetError::Setting("the responder's Region is not one, like eu-central-1".to_owned()));
        }
        let own = || {
            let suffix = if call.region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{}.{}.amazonaws.com{suffix}", call.service, call.region)
        };
        let origin = self.checked_endpoint(call.service)?.unwrap_or_else(own);
        let text = format!("{}{}", origin.trim_end_matches('/'), call.path);
        Url::parse(&text).map_err(|_| NetError::Setting(format!("the endpoint for {} is not a URL", call.service)))
    }

    /// The header fields that sign it.
    async fn signature(
        &self,
        responder: &Responder,
        call: &Unsigned<'_>,
        url: &Url,
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
        let given = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(call.body.unwrap_or_default());
        let method = reqwest::Method::from(call.method);
        let request = SignableRequest::new(method.as_str(), url.as_str(), given, body).map_err(unsigned)?;
        let (added, _) = sign(request, &params).map_err(unsigned)?.into_parts();
        Ok(added.into_parts().0.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}
