//! Credentials that end with their own value.

use super::{Case, StepState, body};

const DONE: StepState = StepState::Succeeded;

/// A liveness request with its answers to a live and a dead credential.
type Live = (&'static str, (u16, &'static str), (u16, &'static str));

const fn case(
    (detector, playbook): (&'static str, &'static str),
    identity: &'static [(&'static str, &'static str)],
    change: fn(&super::Asked) -> Option<bool>,
    changed: (u16, &'static str),
    live: Live,
) -> Case {
    Case { detector, text: None, playbook, identity, reads: |_, _| None, change, changed, live, proof: DONE, twins: false }
}

pub(super) const CASES: &[Case] = &[
    case(
        ("github-classic-token", "github-contain"),
        &[("login", "kim")],
        |asked| (asked.line == "POST /credentials/revoke" && body(asked)["credentials"].is_array()).then_some(true),
        (202, "{}"),
        ("GET /user", (200, r#"{"login":"kim"}"#), (401, r#"{"message":"Bad credentials"}"#)),
    ),
    case(
        ("huggingface-user-token", "huggingface-contain"),
        &[("name", "acme")],
        |asked| (asked.line == "POST /api/credentials/revoke" && body(asked)["credentials"].is_array()).then_some(true),
        (202, ""),
        (
            "GET /api/whoami-v2",
            (200, r#"{"name":"acme"}"#),
            (401, r#"{"error":"Invalid credentials in Authorization header"}"#),
        ),
    ),
    case(
        ("gitlab-personal-access-token", "gitlab-contain"),
        &[("user_id", "7")],
        |asked| (asked.line == "DELETE /api/v4/personal_access_tokens/self").then_some(true),
        (204, ""),
        (
            "GET /api/v4/personal_access_tokens/self",
            (200, r#"{"user_id":7}"#),
            (401, r#"{"error":"invalid_token","error_description":"Token was revoked."}"#),
        ),
    ),
    case(
        ("slack-token", "slack-contain"),
        &[("team_id", "T1")],
        |asked| (asked.line == "POST /api/auth.revoke").then_some(true),
        (200, r#"{"ok":true,"revoked":true}"#),
        ("POST /api/auth.test", (200, r#"{"ok":true}"#), (200, r#"{"ok":false,"error":"token_revoked"}"#)),
    ),
    case(
        ("npm-access-token", "npm-contain"),
        &[("username", "kim")],
        |asked| asked.line.starts_with("DELETE /-/npm/v1/tokens/token/npm_").then_some(true),
        (204, ""),
        ("GET /-/whoami", (200, r#"{"username":"kim"}"#), (401, "{}")),
    ),
    case(
        ("perplexity-api-key", "perplexity-contain"),
        &[],
        |asked| (asked.line == "POST /revoke_auth_token" && body(asked)["auth_token"].is_string()).then_some(true),
        (200, "{}"),
        ("GET /async/chat/completions", (200, "{}"), (401, r#"{"error":{"message":"Invalid API key"}}"#)),
    ),
    case(
        ("digitalocean-token", "digitalocean-contain"),
        &[("uuid", "u-1")],
        |asked| (asked.line == "POST /v1/oauth/revoke" && asked.body.starts_with("token=do")).then_some(true),
        (200, "{}"),
        ("GET /v2/account", (200, r#"{"account":{}}"#), (401, r#"{"id":"Unauthorized"}"#)),
    ),
    Case {
        // What Doppler says to a revoked token is not documented.
        proof: StepState::Unknown,
        ..case(
            ("doppler-token", "doppler-contain"),
            &[("workplace", "acme")],
            |asked| (asked.line == "POST /v3/auth/revoke" && body(asked)["token"].is_string()).then_some(true),
            (200, "{}"),
            ("GET /v3/me", (200, r#"{"workplace":{}}"#), (401, r#"{"success":false}"#)),
        )
    },
    case(
        ("buildkite-access-token", "buildkite-contain"),
        &[("email", "kim@example.com")],
        |asked| (asked.line == "DELETE /v2/access-token").then_some(true),
        (204, ""),
        ("GET /v2/access-token", (200, r#"{"uuid":"u"}"#), (401, r#"{"message":"Authentication required."}"#)),
    ),
    case(
        ("vercel-token", "vercel-contain"),
        &[("username", "kim")],
        |asked| (asked.line == "DELETE /v3/user/tokens/current").then_some(true),
        (200, r#"{"tokenId":"t"}"#),
        ("GET /v2/user", (200, r#"{"user":{}}"#), (403, r#"{"error":{"code":"forbidden","invalidToken":true}}"#)),
    ),
    case(
        ("okta-api-token", "okta-contain"),
        &[("login", "kim")],
        |asked| (asked.line == "DELETE /api/v1/api-tokens/current").then_some(true),
        (204, ""),
        ("GET /api/v1/users/me", (200, "{}"), (401, r#"{"errorCode":"E0000011"}"#)),
    ),
    case(
        ("discord-webhook", "discord-webhook-contain"),
        &[("server", "1")],
        |asked| asked.line.starts_with("DELETE /api/webhooks/").then_some(true),
        (204, ""),
        ("GET {path}", (200, r#"{"name":"ci"}"#), (404, r#"{"code":10015,"message":"Unknown Webhook"}"#)),
    ),
    case(
        ("crates-io-token", "crates-io-contain"),
        &[],
        |asked| (asked.line == "DELETE /api/v1/tokens/current").then_some(true),
        (204, ""),
        ("GET /api/v1/me", (200, r#"{"user":{}}"#), (403, r#"{"errors":[{"detail":"authentication failed"}]}"#)),
    ),
    case(
        ("google-oauth-access-token", "google-oauth-contain"),
        &[("email", "kim@example.com")],
        |asked| (asked.line == "POST /revoke" && asked.body.starts_with("token=ya29")).then_some(true),
        (200, "{}"),
        (
            "GET /oauth2/v3/tokeninfo?access_token={value}",
            (200, r#"{"scope":"x"}"#),
            (400, r#"{"error":"invalid_token","error_description":"Invalid Value"}"#),
        ),
    ),
];
