//! What the stores of AWS share: the call, and what its answer settles.
//! Of an error only its code goes on: messages repeat what was sent, Lambda's the whole environment ("String measured: …").
//! Source: AWS JSON 1.1 protocol (errors carry `__type`), Common Errors of Secrets Manager and Systems Manager.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::net::{AwsRequest, Method};
use crate::respond::Hands;
use crate::respond::actions::Trouble;
use crate::respond::stores::StoreAt;

#[derive(Deserialize, Default)]
struct Error {
    #[serde(rename = "__type", default)]
    kind: String,
}

/// A service of AWS in a Region.
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) region: Option<String>,
}

/// The Region that the operator gives, or that an ARN says.
pub(super) fn region(at: &StoreAt) -> Option<String> {
    let said = || at.at.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty());
    at.region.clone().or_else(|| said().map(str::to_owned))
}

/// A call of it.
pub(super) struct Asking<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    /// `X-Amz-Target`, for the services that have one path only.
    pub(super) target: Option<&'static str>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Service {
    /// Asks in the JSON protocol. What changes something is sent once.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        hands: &Hands,
        (target, changes): (&'static str, bool),
        body: Zeroizing<Vec<u8>>,
    ) -> Result<T, Trouble> {
        let asking = Asking { method: Method::Post, path: "/", target: Some(target), body };
        let body = self.send(hands, &asking, changes).await?;
        serde_json::from_slice(&body).map_err(|_| Trouble::Unknown("the answer is not as it is documented".to_owned()))
    }

    /// Sends a request; gives the body of a success.
    pub(super) async fn send(
        &self,
        hands: &Hands,
        asking: &Asking<'_>,
        changes: bool,
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let aws = hands
            .aws
            .as_ref()
            .ok_or_else(|| Trouble::Refused { status: 0, why: "the responder has no AWS credentials".to_owned() })?;
        let request = AwsRequest {
            service: self.name,
            region: self.region.as_deref().unwrap_or(&aws.responder.region),
            method: asking.method,
            path: asking.path,
            target: asking.target,
            body: &asking.body,
        };
        let answer = hands.net.call_aws(&aws.responder, &request, changes).await?;
        let body = answer.body;
        if (200..300).contains(&answer.status) && !answer.truncated {
            return Ok(body);
        }
        let error: Error = serde_json::from_slice(&body).unwrap_or_default();
        let named = answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let kind = named.unwrap_or(&error.kind);
        let kind = kind.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
        Err(settles(answer.status, kind))
    }
}

fn settles(status: u16, kind: &str) -> Trouble {
    let is_code = !kind.is_empty() && kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let why = if is_code { format!("{kind} (HTTP {status})") } else { format!("HTTP {status}") };
    match kind {
        "ResourceNotFoundException" | "ParameterNotFound" | "ParameterVersionNotFound" => Trouble::Absent,
        _ if status >= 500 || kind.is_empty() => Trouble::Unknown(why),
        _ if kind.contains("AccessDenied") || kind.contains("UnrecognizedClient") || kind.contains("InvalidSignature") => {
            Trouble::Refused { status, why }
        }
        _ => Trouble::Failed(why),
    }
}
