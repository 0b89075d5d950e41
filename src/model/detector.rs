//! What a detector knows, for people and machines: schema `staunch.detector/1`. Holds no value that looks live.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Confidence, Severity};

/// One kind of credential, as its file describes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectorInfo {
    /// Always `staunch.detector/1`.
    pub schema: &'static str,
    /// File stem; never changes.
    pub id: String,
    /// One line for people.
    pub summary: String,
    /// Who issues it.
    pub provider: String,
    /// `cloud`, `llm`, `workload`.
    pub class: String,
    /// How bad a live one would be.
    pub severity: Severity,
    /// How sure a full match is.
    pub confidence: Confidence,
    /// What a live one opens.
    pub opens: String,
    /// The file it was read from.
    pub file: String,
    /// The built-in detector that its file extends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Ids it had before.
    pub formerly: Vec<String>,
    /// Its parts; the first identifies it.
    pub parts: Vec<DetectorPart>,
    /// A structure that the parts are read from, where a pattern is not enough: `kubernetes-secret`, `assignment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structure: Option<&'static str>,
    /// How it is learnt whether it is live.
    pub liveness: LivenessInfo,
    /// What stops it.
    pub revoke: Vec<ActionInfo>,
    /// What replaces it.
    pub rotate: Vec<ActionInfo>,
    /// The playbook that would run for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// Where a person manages it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// Sources of the facts.
    pub links: Vec<String>,
    /// What its file says about sources and doubts, a line each.
    pub notes: Vec<String>,
    /// What looks like it and is not, as its counterexamples say.
    pub not: Vec<String>,
}

impl DetectorInfo {
    /// The schema's name and version.
    pub const SCHEMA: &'static str = "staunch.detector/1";
}

/// One part of a credential, and how it is recognised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectorPart {
    /// Its name; placeholders and reports use it.
    pub name: String,
    /// Whether it is an identifier that may be shown.
    pub public: bool,
    /// Whether the credential is partial without it.
    pub required: bool,
    /// Where it stands.
    pub place: PartPlace,
    /// Regular expression of the value; empty for a named group of the first part's.
    pub pattern: String,
    /// Shortest and longest value in bytes; 0 and 0 for a named group.
    pub length: [usize; 2],
    /// A made-up value, redacted as a found one would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Texts of which each value contains one.
    pub literals: Vec<String>,
    /// Words that vouch for a value near them.
    pub words: Vec<String>,
    /// Words in the name before the value that speak for it.
    pub names: Vec<String>,
    /// Whether one of those must be there.
    pub needs_name: bool,
    /// Lines from the first part, or from the word that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<usize>,
    /// Least Shannon entropy in bits a character; 0 for any.
    pub min_entropy: f64,
    /// The named offline check of its structure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<&'static str>,
    /// Expressions of values that are something else.
    pub reject: Vec<String>,
    /// For a host: suffixes under which it may be asked.
    pub hosts: Vec<String>,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartPlace {
    /// It is what is looked for.
    Anchor,
    /// It is looked for around the anchor.
    Near,
    /// It stands inside the anchor.
    Inside,
}

/// How it is learnt whether a credential is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum LivenessInfo {
    /// There is no safe way.
    None {
        /// Why not.
        why: String,
    },
    /// Code that knows the provider.
    Validator {
        /// Its name.
        name: String,
        /// What the answers mean: `live`, `limited`, `dead` or `unknown`, and when. The first that fits counts.
        answers: Vec<(&'static str, &'static str)>,
    },
    /// A read-only, unbilled request.
    Request(Box<RequestInfo>),
}

/// A validation request, with `{part}` for values, and what its answers mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestInfo {
    /// GET or POST.
    pub method: String,
    /// Where it goes.
    pub url: String,
    /// Suffixes under which a host from the content is asked; absent where the host is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The name under which `--endpoint NAME=URL` asks another address.
    pub endpoint: String,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The first answer that fits counts; one that fits none is unknown.
    pub answers: Vec<AnswerInfo>,
    /// As whom it speaks: field → where it stands in the answer.
    pub identity: BTreeMap<String, String>,
}

/// What one kind of answer means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerInfo {
    /// Statuses it is about.
    pub status: Vec<u16>,
    /// Texts that must be in the body.
    pub body_has: Vec<String>,
    /// JSON pointer → what must stand there.
    pub json: BTreeMap<String, String>,
    /// Whether an answer that is not JSON fits as well.
    pub any_body: bool,
    /// `live`, `limited`, `dead` or `unknown`.
    pub means: &'static str,
    /// Why; empty only for `live`.
    pub why: String,
}

/// An action that a detector names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionInfo {
    /// Its name.
    pub name: String,
    /// Whether this version can carry it out.
    pub available: bool,
}
