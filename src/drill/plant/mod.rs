//! What a drill plants: a sacrificial credential that opens nothing, under a name that says what it is.

pub(super) mod aws;
pub(super) mod vault;

use std::collections::BTreeMap;

use crate::respond::Playbook;
use crate::secret::Secret;

pub use aws::{clear, left_over};

/// What can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// An access key of an IAM user that may do nothing.
    AwsKey,
    /// A key of a project of its own; on the embedded provider alone.
    OpenAiKey,
    /// A token of a Vault's or an OpenBao's that opens nothing; at a server of the operator's alone.
    VaultToken,
}

impl Seed {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::AwsKey, Self::OpenAiKey, Self::VaultToken];

    /// The detectors of which one finds it. Vault's tokens have another form than OpenBao's.
    pub fn detectors(self) -> &'static [&'static str] {
        match self {
            Self::AwsKey => &["aws-access-key"],
            Self::OpenAiKey => &["openai-project-key"],
            Self::VaultToken => &["vault-legacy-token", "vault-service-token"],
        }
    }

    /// The first of them.
    pub fn detector(self) -> &'static str {
        self.detectors()[0]
    }

    /// What a playbook is drilled with.
    pub fn of(playbook: &Playbook) -> Option<Self> {
        Self::ALL.into_iter().find(|seed| seed.detectors().iter().any(|detector| playbook.is_for(detector)))
    }

    /// The part of the credential that is secret, or that it is named by.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::AwsKey => "AWS_SECRET_ACCESS_KEY",
            Self::OpenAiKey => "OPENAI_API_KEY",
            Self::VaultToken => "VAULT_TOKEN",
        }
    }
}

/// What a drill has planted.
pub(super) struct Plant {
    pub(super) seed: Seed,
    /// What a plan must be about, by the names of its target.
    pub(super) names: BTreeMap<&'static str, String>,
    pub(super) secret: Secret,
}

impl Plant {
    pub(super) fn name(&self, what: &str) -> &str {
        self.names.get(what).map_or("", String::as_str)
    }
}
