//! AWS: a leaked value → the secrets of Secrets Manager and the parameters of SSM that hold it now → the Lambda functions and ECS task
//! definitions that refer to them, or that hold it themselves in their environment.
//!
//! Reads only, as the responder, in its own Region: other Regions are not looked at, and that is said. Reading a secret is an event in
//! its account's log, and needs its key's `kms:Decrypt` as well. Sources: API references of Secrets Manager (ListSecrets,
//! GetSecretValue), SSM (DescribeParameters, GetParameters), Lambda (ListFunctions, ListTags), ECS (ListTaskDefinitionFamilies,
//! DescribeTaskDefinition).

mod compute;
mod stores;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ask::{Json, text};
use super::board::{Board, Number};
use crate::net::{Answer, AwsCall, AwsRead, Net, NetError, Responder};
use crate::ownership::roll::clean;

/// How it is called where something of it could not be read.
const AWS: &str = "AWS";

/// AWS while it is read, and where values were met: ARNs and names, as others refer to them.
struct Reader<'a, 'b, 'f> {
    board: &'b mut Board<'f>,
    net: &'a Net,
    responder: &'a Responder,
    met: BTreeMap<String, BTreeSet<Number>>,
}

/// Looks for the findings' values in the responder's Region.
pub async fn ask_aws_stores(board: &mut Board<'_>, net: &Net, responder: &Responder) {
    board.miss(AWS, format!("only Region {} was looked at", clean(&responder.region)));
    let mut reader = Reader { board, net, responder, met: BTreeMap::new() };
    reader.secrets().await;
    reader.parameters().await;
    // After the stores: what refers to them is known by then.
    reader.functions().await;
    reader.tasks().await;
}

impl Reader<'_, '_, '_> {
    /// One call in AWS's JSON protocol. `allow` is the permission that it takes.
    async fn call(&self, service: &'static str, target: &'static str, body: &Value, allow: &str) -> Result<Json, String> {
        let call = AwsCall { service, region: &self.responder.region, target, body: body.to_string().into_bytes() };
        settled(self.net.ask_aws(self.responder, &call).await, allow)
    }

    /// One read of a REST API.
    async fn read(&self, service: &'static str, path: &str, allow: &str) -> Result<Json, String> {
        let read = AwsRead { service, region: &self.responder.region, path };
        settled(self.net.read_aws(self.responder, &read).await, allow)
    }

    /// Remembers where a value was met, by a name under which others refer to it.
    fn meet(&mut self, name: &str, numbers: &BTreeSet<Number>) {
        self.met.entry(name.to_owned()).or_default().extend(numbers);
    }

    /// What is known of a reference: `arn:…:secret:NAME-SUFFIX`, the same with `:KEY:STAGE:VERSION` behind it or without its suffix,
    /// a parameter's ARN or its name.
    fn referred(&self, reference: &str) -> BTreeSet<Number> {
        let is = |known: &str| {
            let rest = reference.strip_prefix(known).unwrap_or("-");
            rest.is_empty() || rest.starts_with(':') || known.strip_prefix(reference).is_some_and(is_suffix)
        };
        self.met.iter().filter(|(known, _)| is(known)).flat_map(|(_, numbers)| numbers).copied().collect()
    }
}

/// The dash and six characters that Secrets Manager puts behind a name.
fn is_suffix(rest: &str) -> bool {
    rest.len() == 7 && rest.starts_with('-') && rest[1..].bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What an answer settles. Its message is left out: it may repeat what was sent.
fn settled(said: Result<Answer, NetError>, allow: &str) -> Result<Json, String> {
    let answer = said.map_err(|error| format!("{allow}: {error}"))?;
    let json = if answer.truncated { None } else { serde_json::from_slice::<Value>(&answer.body).ok().map(Json::from) };
    let code = json.as_deref().and_then(|json| text(json, "/__type").or_else(|| text(json, "/code")));
    let header = answer.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok());
    let code = code.or(header).map(|code| clean(code.rsplit('#').next().unwrap_or(code).split(':').next().unwrap_or(code)));
    match (answer.status, json, code) {
        (200, Some(json), _) => Ok(json),
        (200, None, _) => Err(format!("{allow} answered with what cannot be read, or with more than can be")),
        (_, _, Some(code)) if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" => {
            Err(format!("{allow} refused ({code}): allow it for the responder"))
        }
        (_, _, Some(code)) => Err(format!("{allow} failed ({code})")),
        (status, ..) => Err(format!("{allow} failed (HTTP {status})")),
    }
}

#[cfg(test)]
mod tests;
