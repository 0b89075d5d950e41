//! Events → what they resemble. Pure. Every sign is something that the events say, with time, address and user agent; none says
//! who it was. A workload that calls models leaves invocations too, and so may its owner's own look at the models.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::event::Event;
use crate::model::{Evidence, Seen, Stage, StageSeen};
use crate::ownership::roll::evidence;

/// Elastic's rule on a long-term key that lists models and then invokes one: within so long.
const SOON: SignedDuration = SignedDuration::from_mins(15);
/// Prowler's check looks back for so long,
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// and speaks up at this many of its 14 actions: a share of 0.4.
const MANY: usize = 6;
/// What Prowler's check counts (`cloudtrail_threat_detection_llm_jacking`).
const PROWLER: [&str; 14] = [
    "PutUseCaseForModelAccess",
    "PutFoundationModelEntitlement",
    "PutModelInvocationLoggingConfiguration",
    "CreateFoundationModelAgreement",
    "InvokeModel",
    "InvokeModelWithResponseStream",
    "GetUseCaseForModelAccess",
    "GetModelInvocationLoggingConfiguration",
    "GetFoundationModelAvailability",
    "ListFoundationModelAgreementOffers",
    "ListFoundationModels",
    "ListProvisionedModelThroughputs",
    "SearchAgreements",
    "AcceptAgreementRequest",
];
/// Names, addresses and user agents kept of some events.
const LISTED: usize = 20;

/// Which stage a call belongs to. InvokeModel and Converse are management events for CloudTrail, unlike most data planes.
pub(super) fn stage(event: &Event) -> Option<Stage> {
    let service = event.source.strip_suffix(".amazonaws.com").unwrap_or(&event.source);
    Some(match (service, event.name.as_str()) {
        ("sts", "GetCallerIdentity")
        | ("ses", "GetSendQuota" | "GetAccount")
        | ("iam", "ListUsers" | "GetUser" | "ListAttachedUserPolicies" | "ListUserPolicies" | "ListGroupsForUser")
        | ("s3", "ListBuckets") => Stage::Recon,
        (
            "bedrock",
            "ListFoundationModels"
            | "GetFoundationModel"
            | "ListInferenceProfiles"
            | "GetFoundationModelAvailability"
            | "ListFoundationModelAgreementOffers"
            | "ListProvisionedModelThroughputs"
            | "GetModelInvocationLoggingConfiguration"
            | "GetUseCaseForModelAccess",
        ) => Stage::Discovery,
        ("bedrock", "InvokeModel" | "InvokeModelWithResponseStream" | "Converse" | "ConverseStream") => {
            if event.error.as_deref().is_some_and(probes) { Stage::Probe } else { Stage::Invocation }
        }
        ("bedrock", "CreateModelInvocationJob") => Stage::Invocation,
        ("bedrock", "PutUseCaseForModelAccess" | "CreateFoundationModelAgreement" | "PutFoundationModelEntitlement")
        | ("aws-marketplace" | "agreement-marketplace" | "marketplace", "AcceptAgreementRequest" | "SearchAgreements") => {
            Stage::Enabling
        }
        ("bedrock", "PutModelInvocationLoggingConfiguration" | "DeleteModelInvocationLoggingConfiguration")
        | ("iam", "CreateAccessKey" | "CreateServiceSpecificCredential" | "CreateLoginProfile")
        | ("sts", "GetFederationToken") => Stage::Persistence,
        _ => return None,
    })
}

/// What a call of a model that is meant to fail ends with: -1 tokens asked for, or no right. Throttling does not tell.
fn probes(error: &str) -> bool {
    error.starts_with("AccessDenied") || error == "ValidationException"
}

/// All events, in order of time, summed up.
pub(super) fn sum(events: &[&Event]) -> Option<Seen> {
    let (first, last) = (events.first()?.at, events.last()?.at);
    let refused = events.iter().filter(|event| event.error.is_some()).count() as u64;
    let texts = |field: fn(&Event) -> &String| {
        let mut all: Vec<String> = Vec::new();
        for text in events.iter().map(|event| field(event)).filter(|text| !text.is_empty()) {
            if all.len() < LISTED && !all.contains(text) {
                all.push(text.clone());
            }
        }
        all
    };
    Some(Seen {
        events: events.len() as u64,
        refused,
        first,
        last,
        calls: texts(|event| &event.name),
        addresses: texts(|event| &event.address),
        agents: texts(|event| &event.agent),
    })
}

/// The stages that have events.
pub(super) fn stages(events: &[Event]) -> Vec<StageSeen> {
    let of = |wanted| events.iter().filter(|event| stage(event) == Some(wanted)).collect::<Vec<_>>();
    Stage::ALL.into_iter().filter_map(|stage| Some(StageSeen { stage, seen: sum(&of(stage))? })).collect()
}

/// What events, in order of time, resemble.
pub(super) fn signs(events: &[Event]) -> Vec<Evidence> {
    let of = |wanted: Stage| events.iter().filter(move |event| stage(event) == Some(wanted));
    let mut signs = Vec::new();
    signs.extend(in_order(events));
    signs.extend(soon(events));
    signs.extend(many(events));
    let probe = "refused calls of models tell whether a key may call them, for nothing; a client's mistakes look the same";
    let named = |names: &'static [&'static str]| move |event: &&Event| names.contains(&event.name.as_str());
    let logging = named(&["PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration"]);
    let enabling = |event: &&Event| event.name != "SearchAgreements";
    for (technique, found, means) in [
        ("llmjacking-probe", of(Stage::Probe).collect::<Vec<_>>(), probe),
        ("llmjacking-enabling", of(Stage::Enabling).filter(enabling).collect(), "models opened, or tried to"),
        ("llmjacking-logging", of(Stage::Persistence).filter(&logging).collect(), "the log of prompts changed, or tried to"),
        (
            "llmjacking-credentials",
            of(Stage::Persistence).filter(|event| !logging(event)).collect(),
            "credentials made, or tried to, that may outlive this key",
        ),
    ] {
        if let (Some(first), count) = (found.first(), found.len()) {
            let times = if count == 1 { String::new() } else { format!(", and {} more", count - 1) };
            signs.push(sign(technique, first, format!("{}{times}: {means}", said(first))));
        }
    }
    signs
}

/// Three stages or more one after the other, models looked for and then called among them.
fn in_order(events: &[Event]) -> Option<Evidence> {
    let mut chain: Vec<(Stage, &Event)> = Vec::new();
    for stage_wanted in Stage::ALL {
        let after = chain.last().map_or(Timestamp::MIN, |(_, event)| event.at);
        let next = events.iter().find(|event| event.at >= after && stage(event) == Some(stage_wanted));
        chain.extend(next.map(|event| (stage_wanted, event)));
    }
    let has = |wanted| chain.iter().any(|(stage, _)| *stage == wanted);
    let models = has(Stage::Discovery) && (has(Stage::Probe) || has(Stage::Invocation));
    if !models || chain.len() < 3 {
        return None;
    }
    let steps: Vec<String> = chain.iter().map(|(stage, event)| format!("{}: {}", stage.words(), said(event))).collect();
    Some(sign("llmjacking-sequence", chain.last()?.1, steps.join("; then ")))
}

/// Models looked for, and one called soon after.
fn soon(events: &[Event]) -> Option<Evidence> {
    let mut looked: Option<&Event> = None;
    for event in events {
        match stage(event) {
            Some(Stage::Discovery) => looked = Some(event),
            Some(Stage::Probe | Stage::Invocation) => {
                let Some(before) = looked.filter(|before| event.at.duration_since(before.at) <= SOON) else { continue };
                let minutes = event.at.duration_since(before.at).as_mins();
                let text = format!("{}; {minutes} min later {}", said(before), said(event));
                return Some(sign("llmjacking-discovery-then-call", event, text));
            }
            _ => {}
        }
    }
    None
}

/// Many different actions of Prowler's list within a day.
fn many(events: &[Event]) -> Option<Evidence> {
    let listed: Vec<&Event> = events.iter().filter(|event| PROWLER.contains(&event.name.as_str())).collect();
    let mut best: Option<(BTreeSet<&str>, &Event)> = None;
    let mut begin = 0;
    for (end, last) in listed.iter().enumerate() {
        while last.at.duration_since(listed[begin].at) > DAY {
            begin += 1;
        }
        let names: BTreeSet<&str> = listed[begin..=end].iter().map(|event| event.name.as_str()).collect();
        if best.as_ref().is_none_or(|(known, _)| names.len() > known.len()) {
            best = Some((names, last));
        }
    }
    let (names, last) = best.filter(|(names, _)| names.len() >= MANY)?;
    let calls = names.iter().copied().collect::<Vec<_>>().join(", ");
    let text = format!("{} of the 14 calls that Prowler counts within 24 h before {}: {calls}", names.len(), last.at);
    Some(sign("llmjacking-share", last, text))
}

/// `InvokeModel at 2026-01-01T00:00:00Z in us-east-1 from 203.0.113.7 (python-requests/2.32), refused: AccessDenied`.
fn said(event: &Event) -> String {
    let refused = event.error.as_deref().map(|error| format!(", refused: {error}")).unwrap_or_default();
    format!("{} at {} in {} from {} ({}){refused}", event.name, event.at, event.region, event.address, event.agent)
}

fn sign(technique: &str, event: &Event, text: String) -> Evidence {
    let at = format!("cloudtrail:LookupEvents in {}, event {}", event.region, event.id);
    Evidence { as_of: Some(event.at), ..evidence(technique, at, text) }
}
