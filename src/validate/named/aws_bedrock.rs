//! Bedrock's bearer keys: `ListFoundationModels`, which costs nothing. Source: Bedrock API reference; kingfisher's rule.
//!
//! The texts of its 403 answers (inactive, expired, denied) are not documented, so a 403 settles nothing.

use zeroize::Zeroizing;

use crate::model::{Credential, Identity, Liveness};
use crate::net::{Answer, Header, Method, Net, Request};

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "bedrock:ListFoundationModels lists models"),
    ("unknown", "403: what Bedrock says to keys that it refuses is not documented"),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let Some(key) = credential.part("key") else { return Liveness::Unknown("the key is missing".to_owned()) };
    let origin = match origin(net, credential) {
        Ok(origin) => origin,
        Err(why) => return Liveness::Unknown(why),
    };
    let Ok(url) = format!("{origin}/foundation-models").parse() else {
        return Liveness::Unknown("its address cannot be written".to_owned());
    };
    let mut value = Zeroizing::new(b"Bearer ".to_vec());
    value.extend_from_slice(key.value.expose());
    let header = Header { name: "authorization".to_owned(), value };
    match net.ask(&Request { method: Method::Get, url, headers: vec![header], body: None }).await {
        Ok(answer) => judge(&answer, credential),
        Err(error) => Liveness::Unknown(error.to_string()),
    }
}

/// Where its Region is asked.
pub(super) fn origin(net: &Net, credential: &Credential) -> Result<String, String> {
    let region = credential.facts.get("region").map_or("us-east-1", String::as_str);
    let plain = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain {
        return Err("the Region inside the key is not one".to_owned());
    }
    Ok(net.aws_endpoint("bedrock").unwrap_or_else(|| format!("https://bedrock.{region}.amazonaws.com")))
}

fn judge(answer: &Answer, credential: &Credential) -> Liveness {
    let mut identity = Identity::default();
    for name in ["account", "user", "region"] {
        if let Some(value) = credential.facts.get(name) {
            identity.set(name, value);
        }
    }
    let has = |text: &str| memchr::memmem::find(&answer.body, text.as_bytes()).is_some();
    match answer.status {
        200 if has("modelSummaries") => Liveness::Live(identity),
        403 if has("is not authorized to perform") => Liveness::Unknown(
            "Bedrock says that its principal may not list models; whether the key itself is valid is not documented"
                .to_owned(),
        ),
        429 => Liveness::Unknown("Bedrock is limiting the rate".to_owned()),
        status => Liveness::Unknown(format!("HTTP {status}; Bedrock's answers to keys it refuses are not documented")),
    }
}
