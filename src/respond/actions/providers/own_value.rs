//! Credentials that end with their own value: whoever holds one can revoke it, and some providers let anyone do it. None can
//! be undone, and GitHub and Hugging Face write to the owner.
//!
//! Sources, each the provider's own reference unless another is named:
//! GitHub, Credential revocation (<https://docs.github.com/en/rest/credentials/revoke>: no credential, 202; an authenticated
//! request is refused); Hugging Face, Hub API, credentials revoke (<https://huggingface.co/docs/hub/security-tokens>: 202);
//! GitLab, Personal access tokens API, revoke self (204); Slack, `auth.revoke` (200 with `ok` and `revoked`);
//! npm, registry tokens: the npm client's own `token revoke` takes the value in place of its key. Verdaccio (6, tried 2026-11)
//! says 200 to that and deletes nothing: it takes the key alone; that the token is still taken is then seen by the proof;
//! Perplexity, API key management, `revoke_auth_token`; DigitalOcean, OAuth API, revoke token; Doppler, Auth, revoke;
//! Buildkite, Access token, revoke the current token (204); Vercel, Delete an authentication token, `current`;
//! Okta, API tokens, revoke the current token; Discord, Delete webhook with token (204); crates.io, its web API's
//! `tokens/current` (204); Google, OAuth 2.0 for web servers, revoking a token.

use serde_json::Value;

use super::super::keys::{Call, Login, Own, Place, Service, Voice, segment};
use crate::net::Method;

const OWN_RIGHTS: &[&str] = &["none but the leaked value's own"];
const NOBODYS: &[&str] = &["none: anyone who holds the value may do it"];

const fn service(provider: &'static str, origin: &'static str, voice: Voice, login: Login) -> Service {
    Service { provider, endpoint: provider, place: Place::Fixed(origin), voice, login, headers: &[] }
}

const fn bearer(provider: &'static str, origin: &'static str) -> Service {
    service(provider, origin, Voice::Leaked, Login::Scheme("Bearer"))
}

pub(super) const GITHUB: Own = Own {
    name: "github-credential-revoke",
    service: &Service {
        headers: &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")],
        ..service("github", "https://api.github.com", Voice::Anyone, Login::None)
    },
    call: |leaked| Ok(Call::new(Method::Post, "/credentials/revoke").holding("credentials", leaked.text()?, true)),
    accepted: None,
    effect: "report the token to GitHub as leaked, which revokes it and mails its owner",
    permissions: NOBODYS,
};

pub(super) const HUGGINGFACE: Own = Own {
    name: "huggingface-token-revoke",
    service: &service("huggingface", "https://huggingface.co", Voice::Anyone, Login::None),
    call: |leaked| Ok(Call::new(Method::Post, "/api/credentials/revoke").holding("credentials", leaked.text()?, true)),
    accepted: None,
    effect: "report the token to Hugging Face as leaked, which revokes it everywhere and mails its owner",
    permissions: NOBODYS,
};

pub(super) const GITLAB: Own = Own {
    name: "gitlab-token-self-revoke",
    service: &service("gitlab", "https://gitlab.com", Voice::Leaked, Login::Header("private-token")),
    call: |_| Ok(Call::new(Method::Delete, "/api/v4/personal_access_tokens/self")),
    accepted: None,
    effect: "revoke the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const SLACK: Own = Own {
    name: "slack-token-revoke",
    service: &bearer("slack", "https://slack.com"),
    call: |_| Ok(Call::new(Method::Post, "/api/auth.revoke")),
    // Slack answers 200 to everything; the body decides.
    accepted: Some(|answer| match (answer.get("ok"), answer.get("revoked")) {
        (Some(Value::Bool(true)), Some(Value::Bool(true))) => Ok(()),
        _ => Err(format!("Slack says {}", answer.get("error").and_then(Value::as_str).unwrap_or("nothing of a revocation"))),
    }),
    effect: "revoke the token with its own rights; a bot's takes its app out of the workspace",
    permissions: OWN_RIGHTS,
};

pub(super) const NPM: Own = Own {
    name: "npm-token-delete",
    service: &bearer("npm", "https://registry.npmjs.org"),
    call: |leaked| Ok(Call::new(Method::Delete, format!("/-/npm/v1/tokens/token/{}", segment(leaked.text()?)))),
    accepted: None,
    effect: "delete the token with its own rights; an account that asks for one-time passwords refuses that",
    permissions: OWN_RIGHTS,
};

pub(super) const PERPLEXITY: Own = Own {
    name: "perplexity-key-revoke-self",
    service: &bearer("perplexity", "https://api.perplexity.ai"),
    call: |leaked| Ok(Call::new(Method::Post, "/revoke_auth_token").holding("auth_token", leaked.text()?, false)),
    accepted: None,
    effect: "revoke the key with its own rights; keys that it made go on working, look for them in the console",
    permissions: OWN_RIGHTS,
};

pub(super) const DIGITALOCEAN: Own = Own {
    name: "digitalocean-token-revoke-self",
    service: &Service { endpoint: "digitalocean-oauth", ..bearer("digitalocean", "https://cloud.digitalocean.com") },
    call: |leaked| Ok(Call::new(Method::Post, "/v1/oauth/revoke").form("token", leaked.text()?)),
    accepted: None,
    effect: "revoke the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const DOPPLER: Own = Own {
    name: "doppler-token-revoke-self",
    service: &bearer("doppler", "https://api.doppler.com"),
    call: |leaked| Ok(Call::new(Method::Post, "/v3/auth/revoke").holding("token", leaked.text()?, false)),
    accepted: None,
    effect: "revoke the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const BUILDKITE: Own = Own {
    name: "buildkite-token-revoke",
    service: &bearer("buildkite", "https://api.buildkite.com"),
    call: |_| Ok(Call::new(Method::Delete, "/v2/access-token")),
    accepted: None,
    effect: "revoke the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const VERCEL: Own = Own {
    name: "vercel-token-delete-self",
    service: &bearer("vercel", "https://api.vercel.com"),
    call: |_| Ok(Call::new(Method::Delete, "/v3/user/tokens/current")),
    accepted: None,
    effect: "delete the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const OKTA: Own = Own {
    name: "okta-api-token-revoke-self",
    service: &Service {
        provider: "okta",
        endpoint: "okta",
        place: Place::Found("host"),
        voice: Voice::Leaked,
        login: Login::Scheme("SSWS"),
        headers: &[("accept", "application/json")],
    },
    call: |_| Ok(Call::new(Method::Delete, "/api/v1/api-tokens/current")),
    accepted: None,
    effect: "revoke the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const DISCORD: Own = Own {
    name: "discord-webhook-delete-self",
    service: &service("discord", "https://discord.com", Voice::Leaked, Login::None),
    call: |leaked| {
        let (id, token) = (segment(leaked.part("id")?), segment(leaked.part("token")?));
        Ok(Call::new(Method::Delete, format!("/api/webhooks/{id}/{token}")))
    },
    accepted: None,
    effect: "delete the webhook",
    permissions: OWN_RIGHTS,
};

pub(super) const CRATES_IO: Own = Own {
    name: "crates-io-token-revoke",
    service: &service("crates-io", "https://crates.io", Voice::Leaked, Login::Header("authorization")),
    call: |_| Ok(Call::new(Method::Delete, "/api/v1/tokens/current")),
    accepted: None,
    effect: "revoke the token with its own rights",
    permissions: OWN_RIGHTS,
};

pub(super) const GOOGLE_OAUTH: Own = Own {
    name: "google-oauth-token-revoke",
    service: &Service {
        endpoint: "google-oauth-revoke",
        ..service("google", "https://oauth2.googleapis.com", Voice::Anyone, Login::None)
    },
    call: |leaked| Ok(Call::new(Method::Post, "/revoke").form("token", leaked.text()?)),
    accepted: None,
    effect: "revoke the token, and the consent that it was given for",
    permissions: NOBODYS,
};
