//! What CloudTrail of each Region says that was made or changed to stay: by the leaked key, and by anyone to a role's trust.
//! `LookupEvents` takes one attribute, two requests a second of a Region, 50 events a page, newest first. Source: CloudTrail API
//! reference, LookupEvents; events of IAM and STS are in us-east-1 (CloudTrail user guide, global service events).

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::{AwsHands, World};
use crate::net::AwsCall;

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
/// Where IAM's events are.
const GLOBAL: &str = "us-east-1";
/// Pages of one question.
const PAGES: usize = 4;
/// The Regions that every account has (AWS General Reference, "Regions enabled by default"). Others have to be enabled first, which
/// an attacker may have done.
const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
];
/// Calls that leave something behind (facts D.2, 7; IRP-CredCompromise v2.0).
const STAY: &[&str] = &[
    "AddUserToGroup",
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreateAccessKey",
    "CreateEventSourceMapping",
    "CreateFunction20150331",
    "CreateLoginProfile",
    "CreateOpenIDConnectProvider",
    "CreatePolicyVersion",
    "CreateProvisionedModelThroughput",
    "CreateRole",
    "CreateSAMLProvider",
    "CreateServiceSpecificCredential",
    "CreateTrail",
    "CreateUser",
    "DeleteModelInvocationLoggingConfiguration",
    "DeleteTrail",
    "EnableRegion",
    "GetFederationToken",
    "GetSessionToken",
    "PutModelInvocationLoggingConfiguration",
    "PutRolePolicy",
    "PutUserPolicy",
    "RunInstances",
    "StopLogging",
    "UpdateAccessKey",
    "UpdateAssumeRolePolicy",
    "UpdateFunctionCode20150331v2",
    "UpdateLoginProfile",
];

/// What is not known of the log.
pub(super) struct Blind {
    /// What was asked for, and not read.
    pub(super) unread: Vec<String>,
    /// What is never asked for.
    pub(super) never: Vec<String>,
}

/// What was made or changed, and what is not known.
pub(super) async fn events(
    world: &World<'_>,
    (aws, key_id): (&AwsHands, Option<&str>),
    (since, end): (Timestamp, Instant),
) -> ((Vec<Value>, bool), Blind) {
    let (mut events, mut unread, mut looked) = (Vec::new(), Vec::new(), false);
    let trust = ("EventName", "UpdateAssumeRolePolicy");
    let mut questions: Vec<(&str, (&str, &str))> = vec![(GLOBAL, trust)];
    match key_id {
        Some(key_id) => questions.extend(REGIONS.iter().map(|region| (*region, ("AccessKeyId", key_id)))),
        None => unread.push("what the credential itself called: its key id is not known".to_owned()),
    }
    for (region, attribute) in questions {
        if Instant::now() > end {
            unread.push(format!("CloudTrail of {region}: out of time"));
            continue;
        }
        match look(world, aws, (region, attribute, since)).await {
            Ok((found, whole)) => {
                looked = true;
                events.extend(
                    found
                        .into_iter()
                        .filter(|event| {
                            event["event"].as_str().is_some_and(|name| STAY.contains(&name)) && !events.contains(event)
                        })
                        .collect::<Vec<_>>(),
                );
                if !whole {
                    unread.push(format!("CloudTrail of {region}: only the newest {} events by {}", PAGES * 50, attribute.0));
                }
            }
            Err(why) => {
                unread.push(super::aws::unread(&format!("CloudTrail of {region}"), &why, &["cloudtrail:LookupEvents"]));
            }
        }
    }
    let mut never = Vec::new();
    if !unread.is_empty() {
        never.push("sessions of other roles that it took on: the log was not read whole, and they live on".to_owned());
    }
    // A session's calls stand under its own id in the log, and not under that of the key which it was made with.
    never.push(
        "what sessions called that were made with it: the log has them under other ids, and they were not asked for"
            .to_owned(),
    );
    never.push("CloudTrail of Regions that are not enabled by default, data events, and the last 15 minutes".to_owned());
    ((events, looked), Blind { unread, never })
}

type Question<'q> = (&'q str, (&'q str, &'q str), Timestamp);

/// The events that answer one question, and whether those are all.
async fn look(
    world: &World<'_>,
    aws: &AwsHands,
    (region, attribute, since): Question<'_>,
) -> Result<(Vec<Value>, bool), String> {
    let (mut events, mut next) = (Vec::new(), Value::Null);
    for _ in 0..PAGES {
        let mut body = json!({
            "LookupAttributes": [{ "AttributeKey": attribute.0, "AttributeValue": attribute.1 }],
            "StartTime": since.as_second(), "MaxResults": 50,
        });
        if !next.is_null() {
            body["NextToken"] = next;
        }
        let call = AwsCall { service: "cloudtrail", region, target: TARGET, body: body.to_string().into_bytes() };
        let answer = world.hands.net.ask_log(&aws.responder, &call).await.map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status != 200 {
            let code = said["__type"].as_str().map_or("no code", |code| code.rsplit('#').next().unwrap_or(code));
            return Err(format!("{code}: cloudtrail:LookupEvents answered {}", answer.status));
        }
        let page = said["Events"].as_array().ok_or("cloudtrail:LookupEvents did not answer with events")?;
        events.extend(page.iter().map(|event| shown(event, region)));
        next = said["NextToken"].clone();
        if next.is_null() {
            return Ok((events, true));
        }
    }
    Ok((events, false))
}

/// What the evidence keeps of an event: no parameters, which may hold anything.
fn shown(event: &Value, region: &str) -> Value {
    let at = event["EventTime"].as_f64().and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
    let resources: Vec<&str> =
        event["Resources"].as_array().into_iter().flatten().filter_map(|one| one["ResourceName"].as_str()).collect();
    json!({
        "event": event["EventName"], "region": region, "at": at.map(|at| at.to_string()), "by": event["Username"],
        "id": event["EventId"], "resources": resources,
    })
}
