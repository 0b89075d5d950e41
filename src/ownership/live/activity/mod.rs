//! AWS CloudTrail: access key id → what it was used for since it got out, asked by the responder.
//!
//! `LookupEvents` by `AccessKeyId`: management events of 90 days, 50 a page, newest first, a Region at a time, two requests a
//! second (CloudTrail API reference). Global services such as IAM and STS's global endpoint log in us-east-1. Events show up
//! within about 15 minutes. What was not read is said; only "every page of these Regions" makes "no events" an answer.

mod event;
mod sequence;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::model::{Activity, RegionRead};
use crate::net::{APP, Answer, AwsCall, Net, Responder};
use crate::ownership::roll::clean;
use event::{Event, Page};

const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
const CALL: &str = "cloudtrail:LookupEvents";
/// How far back CloudTrail answers.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Pages read of a Region for one key: 1,000 events, 10 s.
const PAGES: usize = 20;
/// Pauses before a throttled page is asked for once more, in milliseconds.
const PAUSES: [u64; 2] = [1000, 3000];

/// Asks what a key was used for since `since`, or for 90 days. Takes up to 10 s a Region.
pub(crate) async fn activity(
    (net, responder): (&Net, &Responder),
    key_id: &str,
    (since, now): (Option<Timestamp>, Timestamp),
) -> Activity {
    let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
    // A commit's date is its author's word: one in the future must not hide anything.
    let since = since.filter(|since| *since <= now).map_or(oldest, |since| since.max(oldest));
    let (mut events, mut regions) = (Vec::new(), Vec::new());
    for region in regions_of(&responder.region) {
        let (read, found) = read_region((net, responder), key_id, (&region, since, now)).await;
        regions.push(read);
        events.extend(found);
    }
    sum(events, Activity { since, until: now, regions, seen: None, own_checks: 0, stages: Vec::new(), signs: Vec::new() })
}

/// The responder's own Region, and the one where the partition's global services log.
fn regions_of(own: &str) -> Vec<String> {
    let global = match own {
        cn if cn.starts_with("cn-") => "cn-north-1",
        gov if gov.starts_with("us-gov-") => "us-gov-west-1",
        _ => "us-east-1",
    };
    let mut all = vec![own.to_owned()];
    all.extend((own != global).then(|| global.to_owned()));
    all
}

/// Fills in what events say.
fn sum(mut events: Vec<Event>, empty: Activity) -> Activity {
    events.sort();
    // One server may answer for several Regions.
    let mut known = std::collections::BTreeSet::new();
    events.retain(|event| event.id.is_empty() || known.insert(event.id.clone()));
    let before = events.len();
    let own = format!("app/{APP}");
    events.retain(|event| event.name != "GetCallerIdentity" || !event.agent.split(' ').any(|word| word == own));
    let own_checks = (before - events.len()) as u64;
    let seen = sequence::sum(&events.iter().collect::<Vec<_>>());
    let (stages, signs) = (sequence::stages(&events), sequence::signs(&events));
    Activity { seen, own_checks, stages, signs, ..empty }
}

async fn read_region(
    asking: (&Net, &Responder),
    key_id: &str,
    (region, since, until): (&str, Timestamp, Timestamp),
) -> (RegionRead, Vec<Event>) {
    let (mut events, mut next, mut unreadable): (Vec<Event>, Option<String>, u64) = (Vec::new(), None, 0);
    let mut unknown = None;
    for number in 1..=PAGES {
        let mut body = json!({
            "LookupAttributes": [{ "AttributeKey": "AccessKeyId", "AttributeValue": key_id }],
            "StartTime": since.as_second(), "EndTime": until.as_second() + 1, "MaxResults": 50,
        });
        if let Some(token) = &next {
            body["NextToken"] = json!(token);
        }
        let page = match page(asking, region, body.to_string().into_bytes()).await {
            Ok(page) => page,
            Err(why) => {
                unknown = Some(cut_at(&events, why));
                break;
            }
        };
        events.extend(page.events);
        unreadable += page.unreadable;
        match page.next {
            None => break,
            Some(token) if next.as_ref() == Some(&token) => unknown = Some(format!("{CALL} gave the same page again")),
            Some(_) if number == PAGES => {
                unknown = Some(cut_at(&events, format!("{PAGES} pages were read and there are more")));
            }
            Some(token) => next = Some(token),
        }
        if unknown.is_some() {
            break;
        }
    }
    if unreadable > 0 && unknown.is_none() {
        unknown = Some(format!("{unreadable} events could not be read"));
    }
    (RegionRead { region: clean(region), events: events.len() as u64, unknown }, events)
}

/// Pages come newest first: what is missing is older than the oldest that came.
fn cut_at(events: &[Event], why: String) -> String {
    match events.iter().map(|event| event.at).min() {
        Some(oldest) => format!("{why}; nothing from before {oldest} was read"),
        None => why,
    }
}

/// One page, asked for again where it was throttled.
async fn page((net, responder): (&Net, &Responder), region: &str, body: Vec<u8>) -> Result<Page, String> {
    let call = AwsCall { service: "cloudtrail", region, target: TARGET, body };
    let mut pauses = PAUSES.into_iter();
    loop {
        let answer = net.ask_log(responder, &call).await.map_err(|error| format!("{CALL}: {error}"))?;
        if answer.truncated {
            return Err(format!("{CALL} answered with more than can be read"));
        }
        if answer.status == 200 {
            return Page::read(&answer.body).ok_or_else(|| format!("{CALL} gave an answer that could not be read"));
        }
        let code = code(&answer);
        match (code.as_deref(), pauses.next()) {
            (Some("ThrottlingException" | "Throttling"), Some(pause)) => {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            (code, _) => return Err(refusal(code, answer.status)),
        }
    }
}

/// The code of an error in AWS's JSON protocol, without its namespace.
fn code(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        #[serde(rename = "__type")]
        code: String,
    }
    let error: Error = serde_json::from_slice(&answer.body).ok()?;
    Some(clean(error.code.rsplit('#').next().unwrap_or_default())).filter(|code| !code.is_empty())
}

/// In words that say what to do. The message is left out: it may repeat what was sent.
fn refusal(code: Option<&str>, status: u16) -> String {
    match code {
        Some(code @ ("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation")) => {
            format!("{CALL} refused ({code}): allow it for the responder, in the account that owns the key")
        }
        Some("ThrottlingException" | "Throttling") => format!("{CALL} is throttled: ask again later"),
        Some(code) => format!("{CALL} failed ({code})"),
        None => format!("{CALL} gave an answer that could not be read (HTTP {status})"),
    }
}

#[cfg(test)]
mod tests;
