//! What can be done at each provider. One file and one line in [`ALL`] each.

mod anthropic;
mod approle;
mod as_leaked;
mod azure;
mod baseten;
mod cloudflare;
mod deepgram;
mod elevenlabs;
mod fireworks;
mod google;
mod google_mint;
mod google_restrict;
mod kubernetes;
mod langfuse;
mod litellm;
mod mistral;
mod openai;
mod openai_project;
mod openai_spend;
mod openai_throttle;
mod openrouter;
mod own_value;
mod vault;
mod xai;

use super::Action;

pub(super) use kubernetes::TokenRefused;

/// Every action of every provider besides AWS.
pub(super) const ALL: &[&dyn Action] = &[
    &anthropic::KEY_DEACTIVATE,
    &approle::SECRET_ID_CREATE,
    &approle::SECRET_ID_DESTROY,
    &as_leaked::DATABRICKS_DELETE,
    &as_leaked::HEROKU_DELETE,
    &azure::KEY_ALTERNATE,
    &azure::KEY_REGENERATE,
    &azure::LOCAL_AUTH_DISABLE,
    &azure::OtherUnused,
    &baseten::KEY_DELETE,
    &cloudflare::TOKEN_DISABLE,
    &deepgram::KEY_DELETE,
    &elevenlabs::KEY_DISABLE,
    &fireworks::KEY_DELETE,
    &google::KEY_DELETE,
    &google_restrict::KEY_RESTRICT,
    &google_mint::KEY_CREATE,
    &kubernetes::BOOTSTRAP_TOKEN_DELETE,
    &kubernetes::TOKEN_DELETE,
    &langfuse::KEY_DELETE,
    &litellm::KEY_BLOCK,
    &mistral::KEY_CREATE,
    &mistral::KEY_DELETE,
    &openai::ADMIN_KEY_DELETE,
    &openai::KEY_DELETE,
    &openai::SERVICE_ACCOUNT_CREATE,
    &openai::SERVICE_ACCOUNT_DELETE,
    &openai_spend::SPEND,
    &openai_throttle::THROTTLE,
    &openrouter::KEY_CREATE,
    &openrouter::KEY_DELETE,
    &openrouter::KEY_DISABLE,
    &own_value::BUILDKITE,
    &own_value::CRATES_IO,
    &own_value::DIGITALOCEAN,
    &own_value::DISCORD,
    &own_value::DOPPLER,
    &own_value::GITHUB,
    &own_value::GITLAB,
    &own_value::GOOGLE_OAUTH,
    &own_value::HUGGINGFACE,
    &own_value::NPM,
    &own_value::OKTA,
    &own_value::PERPLEXITY,
    &own_value::SLACK,
    &own_value::VERCEL,
    &vault::TOKEN_REVOKE,
    &xai::KEY_CREATE,
    &xai::KEY_DELETE,
];

#[cfg(test)]
mod tests;
