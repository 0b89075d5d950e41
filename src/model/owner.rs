//! Whose it is: four edges, five tiers of proof, and the evidence for each.

use serde::{Deserialize, Serialize};

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
    /// The strongest tier of the evidence.
    pub tier: Tier,
    /// Why.
    pub evidence: Vec<Evidence>,
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
