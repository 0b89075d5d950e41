//! The recogniser over made-up events, and the reader against a server that says what it is told to. Addresses are of the
//! documentation's networks (RFC 5737).

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::event::{Event, Page};
use super::{activity, refusal, regions_of, sequence, sum};
use crate::model::{Activity, Stage};
use crate::net::testing::{Server, http};
use crate::net::{AwsKey, Net, Settings};
use crate::ownership::live::testing::wait;
use crate::secret::Secret;

const NOON: &str = "2026-01-01T12:00:00Z";

fn noon() -> Timestamp {
    NOON.parse().expect("a time")
}

/// `minutes` after noon.
fn event(minutes: i64, call: &str, error: Option<&str>) -> Event {
    let (service, name) = call.split_once(':').expect("service:Call");
    Event {
        at: noon() + SignedDuration::from_mins(minutes),
        source: format!("{service}.amazonaws.com"),
        name: name.to_owned(),
        region: "us-east-1".to_owned(),
        address: "203.0.113.7".to_owned(),
        agent: "python-requests/2.32".to_owned(),
        error: error.map(str::to_owned),
        id: format!("{minutes}-{name}"),
    }
}

fn judged(events: Vec<Event>) -> Activity {
    let empty = Activity {
        since: noon(),
        until: noon(),
        regions: Vec::new(),
        seen: None,
        own_checks: 0,
        stages: Vec::new(),
        signs: Vec::new(),
    };
    sum(events, empty)
}

fn techniques(activity: &Activity) -> Vec<&str> {
    activity.signs.iter().map(|sign| sign.technique.trim_start_matches("llmjacking-")).collect()
}

#[test]
fn the_whole_sequence_is_recognised_with_times_addresses_and_agents() {
    let said = judged(vec![
        event(9, "bedrock:InvokeModel", None),
        event(0, "sts:GetCallerIdentity", None),
        event(1, "bedrock:ListFoundationModels", None),
        event(2, "bedrock:GetModelInvocationLoggingConfiguration", None),
        event(3, "bedrock:InvokeModel", Some("ValidationException")),
        event(5, "bedrock:PutUseCaseForModelAccess", None),
        event(20, "iam:CreateAccessKey", Some("AccessDenied")),
        event(30, "s3:GetBucketLocation", None),
    ]);
    let stages: Vec<_> = said.stages.iter().map(|one| (one.stage, one.seen.events, one.seen.refused)).collect();
    assert_eq!(
        stages,
        [
            (Stage::Recon, 1, 0),
            (Stage::Discovery, 2, 0),
            (Stage::Probe, 1, 1),
            (Stage::Enabling, 1, 0),
            (Stage::Invocation, 1, 0),
            (Stage::Persistence, 1, 1)
        ]
    );
    assert_eq!(techniques(&said), ["sequence", "discovery-then-call", "probe", "enabling", "credentials"]);
    let seen = said.seen.as_ref().expect("events");
    assert_eq!((seen.events, seen.refused, seen.first), (8, 2, noon()));
    assert_eq!((seen.addresses.as_slice(), seen.calls.len()), (&["203.0.113.7".to_owned()][..], 7));
    assert_eq!(
        said.signs[1].value,
        "GetModelInvocationLoggingConfiguration at 2026-01-01T12:02:00Z in us-east-1 from 203.0.113.7 (python-requests/2.32); \
         1 min later InvokeModel at 2026-01-01T12:03:00Z in us-east-1 from 203.0.113.7 (python-requests/2.32), refused: \
         ValidationException"
    );
    assert_eq!(said.signs[0].as_of, Some(noon() + SignedDuration::from_mins(20)));
    assert!(said.signs[0].value.starts_with("recon: GetCallerIdentity at 2026-01-01T12:00:00Z"), "{:?}", said.signs[0]);
}

#[test]
fn a_workload_at_its_work_resembles_nothing() {
    let calls = |minute| event(minute, "bedrock:InvokeModel", None);
    let said = judged((0..500).map(calls).collect());
    assert_eq!((techniques(&said).len(), said.stages.len()), (0, 1));
    let throttled = judged(vec![event(0, "bedrock:InvokeModel", Some("ThrottlingException"))]);
    assert_eq!((techniques(&throttled).len(), throttled.stages[0].stage), (0, Stage::Invocation));
    let other = judged(vec![event(0, "s3:PutObject", None), event(1, "codebuild:InvokeModel", None)]);
    assert_eq!((other.signs.len(), other.stages.len(), other.seen.map(|seen| seen.events)), (0, 0, Some(2)));
}

#[test]
fn order_and_time_matter() {
    let looked_after = judged(vec![
        event(0, "bedrock:InvokeModel", None),
        event(1, "bedrock:ListFoundationModels", None),
        event(2, "sts:GetCallerIdentity", None),
    ]);
    assert_eq!(techniques(&looked_after), Vec::<&str>::new());
    let late =
        |minutes| judged(vec![event(0, "bedrock:ListFoundationModels", None), event(minutes, "bedrock:Converse", None)]);
    assert_eq!(techniques(&late(15)), ["discovery-then-call"]);
    assert_eq!(techniques(&late(16)), Vec::<&str>::new());
    assert_eq!(techniques(&judged(vec![event(0, "aws-marketplace:SearchAgreements", None)])), Vec::<&str>::new());
    assert_eq!(techniques(&judged(vec![event(0, "bedrock:DeleteModelInvocationLoggingConfiguration", None)])), ["logging"]);
}

#[test]
fn many_of_prowlers_calls_count_within_a_day_alone() {
    let names = [
        "ListFoundationModels",
        "ListProvisionedModelThroughputs",
        "GetUseCaseForModelAccess",
        "GetFoundationModelAvailability",
        "ListFoundationModelAgreementOffers",
        "GetModelInvocationLoggingConfiguration",
    ];
    let spread = |every: usize| {
        let calls = (0..).step_by(every).zip(names);
        judged(calls.map(|(at, name)| event(at, &format!("bedrock:{name}"), None)).collect())
    };
    assert_eq!(techniques(&spread(60)), ["share"]);
    assert_eq!(techniques(&spread(60 * 24)), Vec::<&str>::new());
    assert!(spread(60).signs[0].value.starts_with("6 of the 14 calls"), "{:?}", spread(60).signs);
}

#[test]
fn one_event_counts_once_and_own_checks_are_told_apart() {
    let mut own = event(0, "sts:GetCallerIdentity", None);
    own.agent = "aws-sdk-rust/1.3 os/linux lang/rust/1.95 app/staunch".to_owned();
    let mut other = own.clone();
    (other.agent, other.id) = ("app/staunch-not".to_owned(), "x".to_owned());
    let mut used = event(1, "s3:PutObject", None);
    used.agent.clone_from(&own.agent);
    let said = judged(vec![own.clone(), own, other, used]);
    assert_eq!((said.own_checks, said.seen.map(|seen| seen.events)), (1, Some(2)));
}

/// An event as it stands in a page.
fn raw(id: &str, at: &str, call: &str) -> Value {
    let (service, name) = call.split_once(':').expect("service:Call");
    let record = json!({
        "eventTime": at, "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.9", "userAgent": "x\u{1b}[31m", "errorMessage": "secret-looking-text",
        "requestParameters": {"modelId": "m"}, "eventID": id,
    });
    json!({ "EventId": id, "EventName": name, "EventTime": 1.767e9, "CloudTrailEvent": record.to_string() })
}

#[test]
fn pages_are_read_and_cleaned() {
    let body = json!({ "Events": [raw("a", NOON, "bedrock:Converse"), {"EventId": "b"}], "NextToken": "t" }).to_string();
    let page = Page::read(body.as_bytes()).expect("a page");
    assert_eq!((page.events.len(), page.unreadable, page.next.as_deref()), (1, 1, Some("t")));
    assert_eq!((page.events[0].agent.as_str(), page.events[0].error.as_ref()), ("x?[31m", None));
    assert!(Page::read(b"<html>").is_none() && Page::read(b"{}").is_none() && Page::read(b"{\"Events\":[{").is_none());
    assert_eq!(sequence::stage(&page.events[0]), Some(Stage::Invocation));
}

/// A server that gives the n-th answer to the n-th request, and what was made of it: its own Region is us-east-1.
fn read(answers: Vec<Vec<u8>>, since: Option<Timestamp>) -> (Activity, Server) {
    let count = AtomicUsize::new(0);
    let server = Server::talking(move |peer| {
        // The head and the body may come apart.
        let mut heard = Vec::new();
        while !heard.ends_with(b"}") {
            let more = peer.hear();
            if more.is_empty() {
                return;
            }
            heard.extend(more);
        }
        let number = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        peer.say(&answers[number]);
    });
    let url = server.url().parse().expect("a URL");
    let settings = Settings { endpoints: [("aws-cloudtrail".to_owned(), url)].into(), ..Settings::default() };
    let said = wait(async {
        let net = Net::new(settings).expect("clients");
        let key = AwsKey { id: "responder".to_owned(), secret: Secret::new(b"not a secret"), token: None };
        let responder = net.responder_with(&key).expect("a responder");
        activity((&net, &responder), "AKIAEXAMPLE7EXAMPLE7", (since, noon())).await
    });
    (said, server)
}

fn ok(body: &Value) -> Vec<u8> {
    http("200 OK", "", &body.to_string())
}

fn error(code: &str) -> Vec<u8> {
    http("400 Bad Request", "", &json!({ "__type": code, "message": "secret-looking-text" }).to_string())
}

#[test]
fn every_page_is_asked_for_and_signed() {
    let first = json!({ "Events": [raw("b", "2026-01-01T11:00:00Z", "bedrock:InvokeModel")], "NextToken": "more" });
    let last = json!({ "Events": [raw("a", "2026-01-01T10:59:00Z", "bedrock:ListFoundationModels")] });
    let since = "2025-12-31T00:00:00Z".parse().expect("a time");
    let (said, server) = read(vec![ok(&first), ok(&last)], Some(since));
    assert_eq!((said.regions.len(), said.is_complete(), said.since), (1, true, since));
    assert_eq!((said.regions[0].region.as_str(), said.regions[0].events), ("us-east-1", 2));
    assert_eq!(techniques(&said), ["discovery-then-call"]);
    for text in [
        "x-amz-target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
        "Credential=responder/",
        "/us-east-1/cloudtrail/aws4_request",
        r#""AttributeKey":"AccessKeyId""#,
        r#""NextToken":"more""#,
        &format!(r#""StartTime":{}"#, since.as_second()),
    ] {
        assert!(server.has_heard(text), "{text}");
    }
    assert!(!server.has_heard("not a secret"));
}

#[test]
fn no_events_is_an_answer_with_its_window() {
    let (said, _) = read(vec![ok(&json!({ "Events": [] }))], Some("2027-01-01T00:00:00Z".parse().expect("a time")));
    assert_eq!((said.seen.is_none(), said.is_complete()), (true, true));
    assert_eq!((said.since.to_string().as_str(), said.until), ("2025-10-03T12:00:00Z", noon()), "90 days");
}

#[test]
fn what_was_not_read_is_unknown_and_says_what_to_do() {
    let page = ok(&json!({ "Events": [raw("a", NOON, "s3:ListBuckets")], "NextToken": "more" }));
    let html = http("200 OK", "content-type: text/html\r\n", "<html>Log in</html>");
    let broken = http("500 Internal Server Error", "", "<html>Error</html>");
    for (answers, events, wanted) in [
        (
            vec![error("com.amazonaws#AccessDeniedException")],
            0,
            "cloudtrail:LookupEvents refused (AccessDeniedException): allow it",
        ),
        (vec![error("InvalidTimeRangeException")], 0, "failed (InvalidTimeRangeException)"),
        (vec![html], 0, "gave an answer that could not be read"),
        (vec![broken], 0, "could not be read (HTTP 500)"),
        (vec![page.clone(), page.clone()], 2, "gave the same page again"),
        (vec![page, error("AccessDenied")], 1, "nothing from before 2026-01-01T12:00:00Z was read"),
        (vec![ok(&json!({ "Events": [{"EventId": "x"}] }))], 0, "1 events could not be read"),
        (
            vec![b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"Events\":[".to_vec()],
            0,
            "cloudtrail:LookupEvents: 127.0.0.1",
        ),
    ] {
        let (said, _) = read(answers, None);
        let why = said.regions[0].unknown.clone().unwrap_or_default();
        assert!(why.contains(wanted) && !why.contains("secret-looking-text"), "{wanted}: {why}");
        assert_eq!((said.regions[0].events, said.is_complete()), (events, false), "{wanted}");
    }
}

#[test]
fn a_throttled_page_is_asked_for_again() {
    let (said, server) = read(vec![error("ThrottlingException"), ok(&json!({ "Events": [] }))], None);
    assert_eq!((said.is_complete(), server.visits()), (true, 2));
    assert_eq!(refusal(Some("ThrottlingException"), 400), "cloudtrail:LookupEvents is throttled: ask again later");
}

#[test]
fn global_services_log_in_one_region_of_the_partition() {
    assert_eq!(regions_of("us-east-1"), ["us-east-1"]);
    assert_eq!(regions_of("eu-central-1"), ["eu-central-1", "us-east-1"]);
    assert_eq!(regions_of("cn-northwest-1"), ["cn-northwest-1", "cn-north-1"]);
    assert_eq!(regions_of("us-gov-east-1"), ["us-gov-east-1", "us-gov-west-1"]);
}
