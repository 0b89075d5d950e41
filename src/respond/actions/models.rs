//! `aws-bedrock-facts`: what a responder to stolen model access must know of Bedrock: provisioned throughput, which is paid for until
//! somebody deletes it, and whether what is asked of models is written down. Reads only, in the responder's Region and those that such
//! thieves like; what could not be read is said, with its reason and the permission that is missing.
//! Sources: Bedrock API reference, ListProvisionedModelThroughputs, GetModelInvocationLoggingConfiguration; facts D.4.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Action, Doing, Needs, Outcome, UNREAD, World, aws};
use crate::net::{AwsRead, Partition};

/// Regions of the commercial partition that are looked at besides the responder's own.
const REGIONS: [&str; 3] = ["eu-central-1", "us-east-1", "us-west-2"];
const THROUGHPUT: &str = "bedrock:ListProvisionedModelThroughputs";
const LOGGING: &str = "bedrock:GetModelInvocationLoggingConfiguration";
/// Of a Region's list.
const PAGES: usize = 5;

pub(super) struct BedrockFacts;

async fn read(world: &World<'_>, region: &str, path: &str) -> Result<Value, String> {
    let read = AwsRead { service: "bedrock", region, path };
    let answer = world.hands.net.read_aws(&world.aws()?.responder, &read).await.map_err(|error| error.to_string())?;
    match answer.status {
        200 => serde_json::from_slice(&answer.body).map_err(|_| "its answer cannot be read".to_owned()),
        403 => Err("AccessDenied".to_owned()),
        status => Err(format!("it answered {status}")),
    }
}

/// What is provisioned in a Region, as far as whoever made it and when is told.
async fn throughput(world: &World<'_>, region: &str) -> Result<Value, String> {
    let (mut all, mut next) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let token = next.take().map(|token| {
            let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
            format!("&nextToken={}", token.replace('+', "%20"))
        });
        let path = format!("/provisioned-model-throughputs?maxResults=100{}", token.unwrap_or_default());
        let page = read(world, region, &path).await?;
        let listed = page["provisionedModelSummaries"].as_array().ok_or("its answer has no list")?;
        all.extend(listed.iter().map(|one| {
            json!({
                "name": one["provisionedModelName"], "arn": one["provisionedModelArn"], "model": one["modelArn"],
                "status": one["status"], "units": one["modelUnits"], "created": one["creationTime"],
            })
        }));
        next = page["nextToken"].as_str().map(str::to_owned);
        if next.is_none() {
            return Ok(Value::Array(all));
        }
    }
    Err(format!("it lists more than {} of them", all.len()))
}

/// Where what is asked of models is written; nothing where it is written nowhere.
async fn logging(world: &World<'_>, region: &str) -> Result<Value, String> {
    let said = read(world, region, "/logging/modelinvocations").await?;
    let config = &said["loggingConfig"];
    if !config.is_object() {
        return Ok(Value::Null);
    }
    Ok(json!({
        "log_group": config["cloudWatchConfig"]["logGroupName"], "bucket": config["s3Config"]["bucketName"],
        "text": config["textDataDeliveryEnabled"],
    }))
}

/// What all of it says, by Region.
async fn facts(world: &World<'_>) -> Result<Value, String> {
    let own = world.aws()?.responder.region.clone();
    let mut regions = BTreeSet::from([own]);
    if world.partition() == Partition::Aws {
        regions.extend(REGIONS.map(str::to_owned));
    }
    let (mut seen, mut unread) = (Map::new(), Vec::new());
    for region in regions.iter().filter(|region| !region.is_empty()) {
        let mut of = Map::new();
        for (what, part, permission, found) in [
            ("provisioned_throughput", "provisioned throughput", THROUGHPUT, throughput(world, region).await),
            ("invocation_logging", "the logging of invocations", LOGGING, logging(world, region).await),
        ] {
            match found {
                Ok(found) => drop(of.insert(what.to_owned(), found)),
                Err(why) => unread.push(aws::unread(&format!("{part} in {region}"), &why, &[permission])),
            }
        }
        if !of.is_empty() {
            seen.insert(region.clone(), Value::Object(of));
        }
    }
    let mut all = json!({ "regions": seen });
    if !unread.is_empty() {
        all[UNREAD] = json!(unread);
    }
    Ok(all)
}

impl Action for BedrockFacts {
    fn name(&self) -> &'static str {
        "aws-bedrock-facts"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[THROUGHPUT, LOGGING]
    }

    fn needs(&self) -> Needs {
        Needs::Aws
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "look what throughput of Bedrock is provisioned, and whether invocations are logged, in the Regions that such thieves like"
            .to_owned()
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(facts(world))
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match facts(world).await {
                Ok(facts) => Outcome::Done(facts),
                Err(why) => Outcome::Unknown(why),
            }
        })
    }
}
