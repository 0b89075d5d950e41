//! Named checks of a value's own structure: checksums, embedded account ids, key encodings. A detector names one.

mod age;
mod aws;
mod azure;
mod bedrock;
mod bip39;
mod encoded;
mod github;
mod gitlab;
mod jwt;
mod keys;
mod password;
mod pem;
mod query;

use super::sample::Rng;
use crate::model::Facts;

/// The closed list of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    AgeBech32,
    AwsKeyId,
    AwsPresigned,
    AzureCask,
    AzureKey,
    AzureSas,
    Base64Password,
    BasicAuth,
    BedrockLong,
    BedrockShort,
    Bip39,
    Crc32Base62,
    Der,
    DiscordBot,
    GithubFineGrained,
    GitlabRoutable,
    Jwt(jwt::Kind),
    NgcLegacy,
    Pem,
    Ppk,
    PypiMacaroon,
    SentryOrgToken,
    TokenWords,
    UrlPassword,
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
    /// It is a credential of another kind, which is another detector's to report.
    Another,
}

impl Check {
    /// The checks by the names that detector files use.
    pub(super) const WORDS: &[(&str, Self)] = &[
        ("age-bech32", Self::AgeBech32),
        ("aws-key-id", Self::AwsKeyId),
        ("aws-presigned", Self::AwsPresigned),
        ("azure-cask", Self::AzureCask),
        ("azure-key", Self::AzureKey),
        ("azure-sas", Self::AzureSas),
        ("base64-password", Self::Base64Password),
        ("basic-auth", Self::BasicAuth),
        ("bedrock-long", Self::BedrockLong),
        ("bedrock-short", Self::BedrockShort),
        ("bip39", Self::Bip39),
        ("crc32-base62", Self::Crc32Base62),
        ("der", Self::Der),
        ("discord-bot", Self::DiscordBot),
        ("github-fine-grained", Self::GithubFineGrained),
        ("gitlab-routable", Self::GitlabRoutable),
        ("jwt", Self::Jwt(jwt::Kind::Any)),
        ("jwt-kubernetes", Self::Jwt(jwt::Kind::Kubernetes)),
        ("jwt-spiffe", Self::Jwt(jwt::Kind::Spiffe)),
        ("jwt-supabase", Self::Jwt(jwt::Kind::Supabase)),
        ("ngc-legacy", Self::NgcLegacy),
        ("pem", Self::Pem),
        ("ppk", Self::Ppk),
        ("pypi-macaroon", Self::PypiMacaroon),
        ("sentry-org-token", Self::SentryOrgToken),
        ("token-words", Self::TokenWords),
        ("url-password", Self::UrlPassword),
    ];

    /// Whether it reads all of a value, comments included: then a word in it is not what tells a placeholder.
    pub(super) fn reads_all(self) -> bool {
        matches!(self, Self::Bip39 | Self::Pem | Self::Ppk)
    }

    /// Looks at a value that matched its pattern.
    pub(super) fn run(self, value: &[u8]) -> Verdict {
        match self {
            Self::AgeBech32 => age::check(value),
            Self::AwsKeyId => aws::key_id(value),
            Self::AwsPresigned => query::aws_presigned(value),
            Self::AzureCask => azure::cask(value),
            Self::AzureKey => azure::any(value),
            Self::AzureSas => query::azure_sas(value),
            Self::Base64Password => encoded::password(value),
            Self::BasicAuth => encoded::basic_auth(value),
            Self::BedrockLong => bedrock::long(value),
            Self::BedrockShort => bedrock::short(value),
            Self::Bip39 => bip39::check(value),
            Self::Crc32Base62 => github::crc32(value),
            Self::Der => pem::bare(value),
            Self::DiscordBot => encoded::discord_bot(value),
            Self::GithubFineGrained => github::fine_grained(value),
            Self::GitlabRoutable => gitlab::routable(value),
            Self::Jwt(kind) => jwt::check(value, kind),
            Self::NgcLegacy => encoded::ngc_legacy(value),
            Self::Pem => pem::check(value),
            Self::Ppk => keys::ppk::check(value),
            Self::PypiMacaroon => encoded::pypi_macaroon(value),
            Self::SentryOrgToken => encoded::sentry_org_token(value),
            Self::TokenWords => password::token(value),
            Self::UrlPassword => password::check(value),
        }
    }

    /// Turns a value made from the pattern alone into one that passes, for examples.
    pub(super) fn complete(self, value: &mut Vec<u8>, rng: &mut Rng) {
        match self {
            // What their patterns make passes as it is.
            Self::AwsPresigned | Self::AzureSas | Self::TokenWords | Self::UrlPassword => {}
            Self::AwsKeyId => aws::complete(value, rng),
            Self::AgeBech32 => *value = age::sample(rng),
            Self::AzureCask => azure::complete_cask(value, rng),
            Self::AzureKey => azure::complete_any(value, rng),
            Self::Base64Password => *value = encoded::sample_password(rng),
            Self::BasicAuth => *value = encoded::sample_basic_auth(rng),
            Self::BedrockLong => *value = bedrock::sample_long(rng),
            Self::BedrockShort => *value = bedrock::sample_short(rng),
            Self::Bip39 => *value = bip39::sample(rng),
            Self::Crc32Base62 => github::complete_crc32(value),
            Self::Der => *value = pem::sample_bare(rng),
            Self::DiscordBot => encoded::complete_discord(value, rng),
            Self::GithubFineGrained => github::complete_fine_grained(value),
            Self::GitlabRoutable => gitlab::complete(value, rng),
            Self::Jwt(kind) => *value = jwt::sample(rng, kind),
            Self::NgcLegacy => *value = encoded::sample_ngc(rng),
            Self::Pem => *value = pem::sample(rng),
            Self::Ppk => *value = keys::synthetic::ppk(rng),
            Self::PypiMacaroon => *value = encoded::sample_pypi(rng),
            Self::SentryOrgToken => *value = encoded::sample_sentry(rng),
        }
    }
}
