//! Named checks of a value's own structure: checksums, embedded account ids, key encodings. A detector names one.

mod aws;
mod bedrock;
mod github;
mod pem;

use super::sample::Rng;
use crate::model::Facts;

/// The closed list of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    AwsKeyId,
    BedrockLong,
    BedrockShort,
    GithubCrc32,
    GithubFineGrained,
    Pem,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds; here is what the value says, and its canonical form where it has one.
    Holds(Facts, Option<Vec<u8>>),
    /// It does not hold, but the check was not confirmed well enough to say more: one step less confidence.
    Doubtful(Facts),
    /// It does not hold: this is not such a credential. The words are the suppression's reason.
    Fails(&'static str),
}

impl Check {
    /// The checks by the names that detector files use.
    pub(super) const WORDS: &[(&str, Self)] = &[
        ("aws-key-id", Self::AwsKeyId),
        ("bedrock-long", Self::BedrockLong),
        ("bedrock-short", Self::BedrockShort),
        ("github-crc32", Self::GithubCrc32),
        ("github-fine-grained", Self::GithubFineGrained),
        ("pem", Self::Pem),
    ];

    /// Looks at a value that matched its pattern.
    pub(super) fn run(self, value: &[u8]) -> Verdict {
        match self {
            Self::AwsKeyId => Verdict::Holds(aws::key_id_facts(value), None),
            Self::BedrockLong => bedrock::long(value),
            Self::BedrockShort => bedrock::short(value),
            Self::GithubCrc32 => github::crc32(value),
            Self::GithubFineGrained => github::fine_grained(value),
            Self::Pem => pem::check(value),
        }
    }

    /// Turns a value made from the pattern alone into one that passes, for examples.
    pub(super) fn complete(self, value: &mut Vec<u8>, rng: &mut Rng) {
        match self {
            Self::AwsKeyId => {}
            Self::BedrockLong => *value = bedrock::sample_long(rng),
            Self::BedrockShort => *value = bedrock::sample_short(rng),
            Self::GithubCrc32 => github::complete_crc32(value),
            Self::GithubFineGrained => github::complete_fine_grained(value),
            Self::Pem => *value = pem::sample(rng),
        }
    }
}
