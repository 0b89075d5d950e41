//! One page of CloudTrail's `LookupEvents`, and one event of it. Only what the evidence needs is kept: no parameters, no error
//! messages, which may repeat what was sent. Source: CloudTrail API reference, and the User Guide's "Record contents".

use jiff::Timestamp;
use serde::Deserialize;

use crate::ownership::roll::clean;

/// One call of an API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    /// First, so that events sort by it.
    pub(super) at: Timestamp,
    /// `bedrock.amazonaws.com`.
    pub(super) source: String,
    pub(super) name: String,
    pub(super) region: String,
    /// An address, or the name of an AWS service that called for the key.
    pub(super) address: String,
    pub(super) agent: String,
    /// Why it was refused.
    pub(super) error: Option<String>,
    pub(super) id: String,
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    /// Events without a time or a name.
    pub(super) unreadable: u64,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawPage {
    events: Vec<RawEvent>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawEvent {
    #[serde(default)]
    event_id: String,
    #[serde(default)]
    cloud_trail_event: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_time: Timestamp,
    event_source: String,
    event_name: String,
    #[serde(default)]
    aws_region: String,
    #[serde(default, rename = "sourceIPAddress")]
    source_address: String,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
}

impl Page {
    /// None where it is no page at all.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let raw: RawPage = serde_json::from_slice(body).ok()?;
        let mut page = Self { next: raw.next_token.filter(|token| !token.is_empty()), ..Self::default() };
        for event in raw.events {
            match Event::read(&event) {
                Some(event) => page.events.push(event),
                None => page.unreadable += 1,
            }
        }
        Some(page)
    }
}

impl Event {
    fn read(raw: &RawEvent) -> Option<Self> {
        let record: Record = serde_json::from_str(&raw.cloud_trail_event).ok()?;
        Some(Self {
            at: record.event_time,
            source: clean(&record.event_source),
            name: clean(&record.event_name),
            region: clean(&record.aws_region),
            address: clean(&record.source_address),
            agent: clean(record.user_agent.as_deref().unwrap_or_default()),
            error: record.error_code.as_deref().map(clean).filter(|code| !code.is_empty()),
            id: clean(&raw.event_id),
        })
    }
}
