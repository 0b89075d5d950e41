//! Whose it is: four edges, five tiers of proof, and the evidence for each.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Fingerprint;

/// Which question an owner answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// As whom does it authenticate?
    Principal,
    /// Which workload breaks if it is revoked?
    Consumer,
    /// Who may approve revoking it?
    Accountable,
    /// Who must remove the leak?
    Custodian,
}

impl Edge {
    /// What stands before the owner's name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Principal => "is",
            Self::Consumer => "used by",
            Self::Accountable => "owner",
            Self::Custodian => "leaked by",
        }
    }
}

/// How well an edge is proven, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Author, repository name, CODEOWNERS line.
    Circumstantial,
    /// Nearest manifest, same folder, values path.
    Inferred,
    /// Somebody wrote it down: catalogue, tag, label.
    Declared,
    /// A complete chain of references in the scanned artefacts.
    Bound,
    /// The provider or the running system said so, now.
    Proven,
}

impl Tier {
    /// The word in the output schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Circumstantial => "circumstantial",
            Self::Inferred => "inferred",
            Self::Declared => "declared",
            Self::Bound => "bound",
            Self::Proven => "proven",
        }
    }
}

/// One reason to believe an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// How it was seen: `k8s-secret-key-ref`, `sts-caller-identity`, `codeowners`, …
    pub technique: String,
    /// Where: `path:line`, or the API that said it.
    #[serde(rename = "where")]
    pub at: String,
    /// What stood there. Never a secret.
    pub value: String,
    /// How well the arrow that it is a part of is proven by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// When it was said, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// How likely it is that an owner is the right one, in ten-thousandths; in JSON a number from 0 to 1. It ranks within a tier
/// and nothing else: what may be done follows from the tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Weight(pub u16);

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10_000.0)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        // Not a number becomes 0, and what is out of range the end of it: casts saturate.
        Ok(Self((share.clamp(0.0, 1.0) * 10_000.0).round() as u16))
    }
}

/// A principal, workload, team or person at the end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// Which question this answers.
    pub edge: Edge,
    /// Stable id: `k8s:prod/payments/Deployment/api/app`, `arn:aws:iam::…:user/x`, `compose:docker-compose.yml/api`, `team:@org/x`, `mail:a@b`.
    /// The README lists them all.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its SPIFFE id, where the trust domain is known; never invented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<String>,
    /// The strongest tier of the evidence.
    pub tier: Tier,
    /// How likely, by all of the evidence.
    #[serde(default)]
    pub confidence: Weight,
    /// Somebody else is as likely by evidence of another kind, and both cannot be right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
    /// Why.
    pub evidence: Vec<Evidence>,
}

/// A person's word on whose a credential is, for a time. It is kept beside the findings and joined by fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Its number in the store.
    pub id: i64,
    /// Which credential.
    pub fingerprint: Fingerprint,
    /// Which question it answers.
    pub edge: Edge,
    /// As in [`Owner::id`].
    pub owner: String,
    /// As in [`Owner::name`].
    pub name: String,
    /// Who said so.
    pub by: String,
    /// When.
    pub made: Timestamp,
    /// The last day (UTC) on which it holds.
    pub until: Date,
    /// Who took it back and when, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

impl Attestation {
    /// Whether it counts on a day.
    pub fn holds(&self, today: Date) -> bool {
        self.withdrawn.is_none() && today <= self.until
    }
}

/// The end of an attestation before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A running thing that uses credentials. Its id is the platform's, never an invented SPIFFE id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Workload {
    /// As in [`Owner::id`].
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The account it runs as: a Kubernetes ServiceAccount, a task role.
    pub runs_as: Option<String>,
}
