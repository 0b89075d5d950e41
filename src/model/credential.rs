//! A credential as the scanner hands it on: all the parts that a service needs, still in memory, nothing borrowed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::secret::{Redaction, Secret};

/// What is known of a credential without asking anyone, by name: `account`, `user`, `expires`, `canary`, …
pub type Facts = BTreeMap<String, String>;

/// How bad a live one would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Limited use to anyone.
    Low,
    /// Some data or money.
    Medium,
    /// Much data or money.
    High,
    /// An account, an organisation, or a bill without bound.
    Critical,
}

impl Severity {
    /// The word in the output schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How sure the detector is that this is what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Looks like it; not reported by default.
    Low,
    /// Probably.
    Medium,
    /// The shape leaves little doubt, or a checksum holds.
    High,
}

impl Confidence {
    /// The word in the output schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How a secret was wrapped where it was found, from the outside in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64, standard or URL alphabet.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Percent, JSON, XML or shell escapes, or a string in pieces.
    Escaped,
    /// Two bytes a character.
    Utf16,
    /// Four bytes a character.
    Utf32,
}

/// One part of a credential: a key id, a secret, a session token, an endpoint.
#[derive(Debug)]
pub struct Part {
    /// The part's name in its detector file.
    pub name: Arc<str>,
    /// The value. Public parts are kept in the same type, so that no part can be printed by mistake.
    pub value: Secret,
    /// Whether the value is an identifier that may be shown (a key id), not a secret.
    pub public: bool,
    /// How much of it may be shown.
    pub redaction: Redaction,
    /// Where it stands in the original file, in bytes.
    pub span: Range<u64>,
}

impl Part {
    /// The value as it may be shown: whole when it is public, else redacted.
    pub fn shown(&self) -> String {
        match self.value.expose_str() {
            Some(text) if self.public => text.to_owned(),
            _ => self.redaction.apply(self.value.expose()),
        }
    }
}

/// One credential found at one place.
#[derive(Debug)]
pub struct Credential {
    /// Id of the detector that found it.
    pub detector: Arc<str>,
    /// Its parts; the first is the identifying one, whose fingerprint is the credential's.
    pub parts: Vec<Part>,
    /// What the parts say by themselves.
    pub facts: Facts,
    /// How sure the detector is.
    pub confidence: Confidence,
    /// Whether a required part is missing.
    pub partial: bool,
    /// How it was wrapped.
    pub encoding: Vec<Encoding>,
}

impl Credential {
    /// The part of that name.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| &*part.name == name)
    }

    /// The part whose fingerprint names the credential.
    pub fn identifying(&self) -> Option<&Part> {
        self.parts.first()
    }

    /// The part to point at: the first secret one, else the identifying one.
    pub fn pointed_at(&self) -> Option<&Part> {
        self.parts.iter().find(|part| !part.public).or_else(|| self.parts.first())
    }

    /// A second copy of everything in it, on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            detector: Arc::clone(&self.detector),
            parts: self
                .parts
                .iter()
                .map(|part| Part {
                    name: Arc::clone(&part.name),
                    value: part.value.duplicate(),
                    public: part.public,
                    redaction: part.redaction,
                    span: part.span.clone(),
                })
                .collect(),
            facts: self.facts.clone(),
            confidence: self.confidence,
            partial: self.partial,
            encoding: self.encoding.clone(),
        }
    }
}
