//! A detector as the rest of the program sees it: read from its file, every mistake already reported.

use std::sync::Arc;

use crate::model::{Confidence, Severity};
use crate::secret::Redaction;

/// One kind of credential: how to recognise it, prove it live, and what revokes it.
#[derive(Debug, Clone)]
pub struct Detector {
    /// File stem; never changes.
    pub id: Arc<str>,
    /// One line for people.
    pub summary: String,
    /// Who issues it: `aws`, `openai`, …
    pub provider: String,
    /// `cloud`, `llm`, `workload`, …
    pub class: String,
    /// How bad a live one would be.
    pub severity: Severity,
    /// How sure a full match is.
    pub confidence: Confidence,
    /// What a live one opens, for people.
    pub opens: String,
    /// Where a person manages it.
    pub console: Option<String>,
    /// Sources of the facts in the file.
    pub links: Vec<String>,
    /// Ids it had before.
    pub formerly: Vec<String>,
    /// The parts; the first is the anchor and the identifying one.
    pub parts: Vec<PartSpec>,
    /// How to learn whether it is live.
    pub liveness: LivenessCheck,
    /// Names of the response actions that stop it.
    pub revoke: Vec<String>,
    /// Names of the response actions that replace it.
    pub rotate: Vec<String>,
}

/// One part of a credential, as far as other rooms need it.
#[derive(Debug, Clone)]
pub struct PartSpec {
    /// Its name; placeholders and reports use it.
    pub name: Arc<str>,
    /// Whether it is an identifier that may be shown.
    pub public: bool,
    /// Whether the credential is partial without it.
    pub required: bool,
    /// How much of it may be shown.
    pub redaction: Redaction,
    /// For a host: suffixes under which it may be asked.
    pub hosts: Vec<String>,
}

/// How to learn whether a credential is live.
#[derive(Debug, Clone)]
pub enum LivenessCheck {
    /// There is no safe way; the words say why.
    None(String),
    /// A validator written in Rust, by name (see `validate`).
    Named(String),
    /// A declared HTTP request and what its answers mean.
    Http(Box<HttpCheck>),
}

/// A read-only, unbilled request.
#[derive(Debug, Clone)]
pub struct HttpCheck {
    /// GET, or POST where the provider's read needs it.
    pub method: HttpMethod,
    /// The name under which an operator may override scheme, host and port (`--endpoint NAME=URL`).
    pub endpoint: String,
    /// Where it goes.
    pub origin: Origin,
    /// Path and query, with placeholders.
    pub path: Template,
    /// Header name → value with placeholders.
    pub headers: Vec<(String, Template)>,
    /// Body with placeholders.
    pub body: Option<Template>,
    /// What the answers mean; the first that fits counts, and an answer that fits none is Unknown.
    pub cases: Vec<HttpCase>,
    /// Identity fields to take from an answer that means Live or Limited.
    pub identity: Vec<(String, IdentitySource)>,
}

/// Scheme, host and port of a validation request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Fixed in the detector file: `https://api.openai.com`.
    Fixed(String),
    /// Over https to a host found in the content. It is asked only if it ends in one of the suffixes, or the operator allows it.
    Content {
        /// The part that holds the host.
        part: Arc<str>,
        /// `.openai.azure.com`
        suffixes: Vec<String>,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(origin) => f.write_str(origin),
            Self::Content { suffixes, .. } if suffixes.is_empty() => f.write_str("its host, if --allow-host names it"),
            Self::Content { suffixes, .. } => write!(f, "its host, if under {}", suffixes.join(", ")),
        }
    }
}

/// The methods a validation request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// What one kind of answer means. Every condition that is given must hold.
#[derive(Debug, Clone)]
pub struct HttpCase {
    /// Statuses it is about.
    pub status: Vec<u16>,
    /// Texts that must all be in the body.
    pub body_has: Vec<String>,
    /// Whether an answer that is not JSON fits as well. Without it, a page for people settles nothing.
    pub any_body: bool,
    /// JSON pointer and the text that must stand there (`true`, `null` and numbers in their JSON spelling).
    pub json: Vec<(String, String)>,
    /// What it means.
    pub then: Outcome,
    /// Why, for people. Empty only for Live.
    pub why: String,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Live,
    /// Accepted, but held back by quota, rate or rights.
    Limited,
    /// Refused as not valid, in so many words.
    Dead,
    /// Settles nothing.
    Unknown,
}

/// Where an identity field stands in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySource {
    /// JSON pointer into the body.
    Json(String),
    /// A response header.
    Header(String),
}

/// Text with placeholders for parts of the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// Parts and fixed texts joined by `:`, through an encoder: `{key}`, `{key|percent}`, `{user:key|base64}`, `{'api':key|base64}`.
    Value {
        /// What is joined.
        joined: Vec<Joined>,
        /// How it is written.
        encoder: Encoder,
    },
}

/// One member of a [`Piece::Value`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// The part of that name.
    Part(String),
    /// As it stands.
    Text(String),
}

/// How a part is written into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// As it stands.
    Plain,
    /// Percent-encoded, everything but letters and digits.
    Percent,
    /// Standard base64 with padding.
    Base64,
}
