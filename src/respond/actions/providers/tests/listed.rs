//! Providers that list their keys.

use serde_json::{Value, json};

use super::{Asked, Case, Said, State, StepState, body, ends};

/// Items of a list: ours while it is there, and a twin where there is one.
fn items(state: &State, gone: bool, item: impl Fn(&str) -> Value) -> Vec<Value> {
    let own = (!(gone && state.stopped)).then(|| item("own"));
    let other = json!({ "id": "other", "key_id": "other", "hash": "other", "apiKeyId": "other", "redacted_value": "sk-zzz...zzzz",
                        "partial_key_hint": "sk-ant-api03-zzz...zzAA", "label": "sk-or-v1-000...0000", "hidden_key": "zzz...zzz",
                        "hint": "sk_...zzzz", "publicKey": "pk-lf-other", "prefix": "other",
                        "keyId": "other" });
    own.into_iter().chain(state.twin.then(|| item("twin"))).chain([other]).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it ends what may have no answer")]
fn ok(json: &Value) -> Option<Said> {
    Some((200, json.to_string()))
}

/// Status words by a request's body.
fn says(asked: &Asked, line: &str, pointer: &str, stopped: &Value) -> Option<bool> {
    (asked.line == line).then(|| body(asked).pointer(pointer) == Some(stopped))
}

fn anthropic(asked: &Asked, state: &State) -> Option<Said> {
    let key = |id: &str| {
        json!({ "id": format!("apikey_{id}"), "type": "api_key", "name": "ci", "created_at": "2026-01-01T00:00:00Z",
                "partial_key_hint": ends(&state.value, 16, 4), "workspace_id": null,
                "status": if state.stopped { "inactive" } else { "active" } })
    };
    match asked.line.as_str() {
        "GET /v1/organizations/api_keys?limit=1000" => {
            ok(&json!({ "data": [], "has_more": true, "first_id": null, "last_id": "apikey_a" }))
        }
        // The second page.
        "GET /v1/organizations/api_keys?limit=1000&after_id=apikey_a" => {
            ok(&json!({ "data": items(state, false, key), "has_more": false, "last_id": "apikey_own" }))
        }
        "GET /v1/organizations/api_keys/apikey_own" => ok(&key("own")),
        _ => None,
    }
}

fn openrouter(asked: &Asked, state: &State, gone: bool) -> Option<Said> {
    let key = |id: &str| {
        json!({ "hash": id, "name": "ci", "label": ends(&state.value, 12, 4), "disabled": state.stopped,
                "created_at": "2026-01-01", "usage": 3.5 })
    };
    match asked.line.as_str() {
        "GET /api/v1/keys?include_disabled=true&offset=0" => ok(&json!({ "data": items(state, gone, key) })),
        "GET /api/v1/keys/own" if !(gone && state.stopped) => ok(&json!({ "data": key("own") })),
        _ => None,
    }
}

fn openai(asked: &Asked, state: &State) -> Option<Said> {
    let service = state.value.starts_with("sk-svc");
    let key = |id: &str| {
        let owner = json!({ "type": "service_account", "service_account": { "id": format!("sa_{id}") } });
        let user = json!({ "type": "user", "user": { "id": "user_1" } });
        json!({ "id": format!("key_{id}"), "object": "organization.project.api_key", "name": "ci", "created_at": 1,
                "redacted_value": ends(&state.value, 8, 4), "last_used_at": 7, "owner": if service { owner } else { user } })
    };
    match asked.line.as_str() {
        "GET /v1/organization/projects/proj_1/api_keys?limit=100" | "GET /v1/organization/admin_api_keys?limit=100" => {
            ok(&json!({ "object": "list", "data": items(state, true, key), "has_more": false }))
        }
        "GET /v1/organization/projects/proj_1/api_keys/key_own" | "GET /v1/organization/admin_api_keys/key_own"
            if !state.stopped =>
        {
            ok(&key("own"))
        }
        "GET /v1/organization/projects/proj_1/service_accounts/sa_own" if !state.stopped => ok(&json!({ "id": "sa_own" })),
        "GET /v1/organization/projects/proj_1/spend_limit" => ok(&json!({ "threshold_amount": 1 })),
        "GET /v1/organization/projects/proj_1/rate_limits?limit=100" => ok(&json!({ "data": [], "has_more": false })),
        _ => None,
    }
}

fn xai(asked: &Asked, state: &State) -> Option<Said> {
    let key = |id: &str| json!({ "apiKeyId": format!("key-{id}"), "redactedApiKey": "xai-***", "name": "ci" });
    (asked.line == "GET /auth/teams/team-1/api-keys?pageSize=100").then_some(())?;
    ok(&json!({ "apiKeys": items(state, true, key) }))
}

fn mistral(asked: &Asked, state: &State) -> Option<Said> {
    let key = |id: &str| json!({ "key_id": id, "name": "ci", "hidden_key": ends(&state.value, 4, 4) });
    (asked.line == "GET /api/admin/api-keys?limit=100&offset=0").then_some(())?;
    ok(&json!({ "keys": items(state, true, key) }))
}

fn langfuse(asked: &Asked, state: &State) -> Option<Said> {
    let public = |id: &str| if id == "own" { PUBLIC } else { "pk-lf-twin" };
    let key = |id: &str| json!({ "id": id, "publicKey": public(id), "displaySecretKey": "sk-lf-...1234", "note": null });
    (asked.line == "GET /api/public/projects/p1/apiKeys").then_some(())?;
    ok(&json!({ "apiKeys": items(state, true, key) }))
}

fn deepgram(asked: &Asked, state: &State) -> Option<Said> {
    let key = |id: &str| json!({ "member": {}, "api_key": { "api_key_id": id, "comment": "ci", "created": "2026" } });
    (asked.line == "GET /v1/projects/p1/keys").then_some(())?;
    let mut keys = items(state, true, key);
    keys.pop();
    ok(&json!({ "api_keys": keys }))
}

fn elevenlabs(asked: &Asked, state: &State) -> Option<Said> {
    let key = |id: &str| {
        json!({ "key_id": id, "name": "ci", "hint": format!("...{}", &state.value[state.value.len() - 4..]),
                "is_disabled": state.stopped, "permissions": ["text_to_speech"], "created_at_unix": 1 })
    };
    match asked.line.as_str() {
        "GET /v1/service-accounts" => ok(&json!({ "service-accounts": [{ "service_account_user_id": "sa" }] })),
        "GET /v1/service-accounts/sa/api-keys" => ok(&json!({ "api-keys": items(state, false, key) })),
        _ => None,
    }
}

fn baseten(asked: &Asked, state: &State) -> Option<Said> {
    let prefix = state.value.split('.').next().unwrap_or_default();
    let key = |_: &str| json!({ "prefix": prefix, "name": "ci" });
    (asked.line == "GET /v1/api_keys").then_some(())?;
    // The same request asks whether the leaked key is live.
    if asked.head.contains(&state.value) && state.stopped {
        return Some((401, r#"{"detail":"unauthorized"}"#.to_owned()));
    }
    ok(&json!({ "keys": items(state, true, key) }))
}

fn fireworks(asked: &Asked, state: &State) -> Option<Said> {
    const USER: &str = "accounts/acme/users/ann";
    let key = |id: &str| json!({ "keyId": id, "displayName": "ci", "prefix": &state.value[..10], "createTime": "2026-01-01T00:00:00Z" });
    match asked.line.as_str() {
        "GET /v1/accounts?pageSize=200" => ok(&json!({ "accounts": [], "nextPageToken": "2" })),
        "GET /v1/accounts?pageSize=200&pageToken=2" => ok(&json!({ "accounts": [{ "name": "accounts/acme" }] })),
        "GET /v1/accounts/acme/users?pageSize=200" => {
            ok(&json!({ "users": [{ "name": "accounts/acme/users/bob" }, { "name": USER }], "totalSize": 2 }))
        }
        "GET /v1/accounts/acme/users/bob/apiKeys?pageSize=200" => {
            ok(&json!({ "apiKeys": [{ "keyId": "k-bob", "prefix": "fw_Zz9Zz9Z" }, { "keyId": "k-old" }], "totalSize": 2 }))
        }
        "GET /v1/accounts/acme/users/ann/apiKeys?pageSize=200" => ok(&json!({ "apiKeys": items(state, true, key) })),
        _ => None,
    }
}

const PUBLIC: &str = "pk-lf-0f6c5a2b-1d3e-4f70-8a9b-2c4d6e8f0a1b";

const OPENAI_LIVE: (&str, (u16, &str), (u16, &str)) =
    ("GET /v1/models", (200, r#"{"data":[]}"#), (401, r#"{"error":{"code":"invalid_api_key"}}"#));

const DONE: StepState = StepState::Succeeded;

fn openai_text(kind: &str) -> String {
    let piece = |text: &str| text.repeat(8)[..58].to_owned();
    let text = format!("{}{}{}", piece("aB3dE6gH9jK2"), concat!("T3Blb", "kFJ"), piece("zY8xW5vU2tS1"));
    format!("OPENAI_KEY=sk-{kind}-{text}\n")
}

pub(super) const CASES: &[Case] = &[
    Case {
        detector: "fireworks-api-key",
        text: None,
        playbook: "fireworks-contain",
        identity: &[],
        reads: fireworks,
        change: |asked| says(asked, "POST /v1/accounts/acme/users/ann/apiKeys:delete", "/keyId", &"own".into()),
        changed: (200, "{}"),
        live: ("GET /inference/v1/models", (200, r#"{"data":[]}"#), (401, r#"{"error":"unauthorized"}"#)),
        // What it says to a key that is gone is not documented; that its list has it no more counts.
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "anthropic-api-key",
        text: None,
        playbook: "anthropic-contain",
        identity: &[("organization", "org-1")],
        reads: anthropic,
        change: |asked| says(asked, "POST /v1/organizations/api_keys/apikey_own", "/status", &"inactive".into()),
        changed: (200, r#"{"type":"api_key"}"#),
        live: ("GET /v1/models?limit=1", (200, r#"{"data":[]}"#), (401, r#"{"error":{"type":"authentication_error"}}"#)),
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "openrouter-api-key",
        text: None,
        playbook: "openrouter-contain",
        identity: &[],
        reads: |asked, state| openrouter(asked, state, false),
        change: |asked| says(asked, "PATCH /api/v1/keys/own", "/disabled", &true.into()),
        changed: (200, r#"{"data":{}}"#),
        live: ("GET /api/v1/key", (200, r#"{"data":{}}"#), (401, r#"{"error":{"message":"User not found.","code":401}}"#)),
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "openrouter-api-key",
        text: None,
        playbook: "openrouter-delete-contain",
        identity: &[],
        reads: |asked, state| openrouter(asked, state, true),
        change: |asked| (asked.line == "DELETE /api/v1/keys/own").then_some(true),
        changed: (200, r#"{"deleted":true}"#),
        live: ("GET /api/v1/key", (200, r#"{"data":{}}"#), (401, r#"{"error":{"message":"User not found.","code":401}}"#)),
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "openai-project-key",
        text: None,
        playbook: "openai-project-key-contain",
        identity: &[("organization", "acme"), ("project", "proj_1")],
        reads: openai,
        change: |asked| (asked.line == "DELETE /v1/organization/projects/proj_1/api_keys/key_own").then_some(true),
        changed: (200, r#"{"deleted":true}"#),
        live: OPENAI_LIVE,
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "openai-service-account-key",
        text: Some(|| openai_text("svcacct")),
        playbook: "openai-service-account-contain",
        identity: &[("organization", "acme"), ("project", "proj_1")],
        reads: openai,
        change: |asked| (asked.line == "DELETE /v1/organization/projects/proj_1/service_accounts/sa_own").then_some(true),
        changed: (200, r#"{"deleted":true}"#),
        live: OPENAI_LIVE,
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "openai-admin-key",
        text: Some(|| openai_text("admin")),
        playbook: "openai-admin-key-contain",
        identity: &[("organization", "acme")],
        reads: openai,
        change: |asked| (asked.line == "DELETE /v1/organization/admin_api_keys/key_own").then_some(true),
        changed: (200, r#"{"deleted":true}"#),
        live: (
            "GET /v1/organization/admin_api_keys?limit=1",
            (200, r#"{"data":[]}"#),
            (401, r#"{"error":{"code":"invalid_api_key"}}"#),
        ),
        proof: DONE,
        twins: false,
    },
    Case {
        detector: "xai-api-key",
        text: None,
        playbook: "xai-contain",
        identity: &[("id", "key-own"), ("team", "team-1")],
        reads: xai,
        change: |asked| (asked.line == "DELETE /auth/api-keys/key-own").then_some(true),
        changed: (200, "{}"),
        live: ("GET /v1/api-key", (200, r#"{"api_key_id":"key-own"}"#), (400, r#"{"error":"Incorrect API key"}"#)),
        proof: DONE,
        twins: false,
    },
    Case {
        detector: "mistral-api-key",
        text: None,
        playbook: "mistral-contain",
        identity: &[],
        reads: mistral,
        change: |asked| (asked.line == "DELETE /api/admin/api-keys/own").then_some(true),
        changed: (204, ""),
        live: ("GET /v1/models", (200, r#"{"data":[]}"#), (401, r#"{"message":"Unauthorized"}"#)),
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "langfuse-api-key",
        text: Some(|| {
            let secret = concat!("sk-lf", "-9b1c7e35-2a4d-4c6f-9e80-5d7f1a3b8c2e");
            format!("LANGFUSE_PUBLIC_KEY={PUBLIC}\nLANGFUSE_SECRET_KEY={secret}\n")
        }),
        playbook: "langfuse-contain",
        identity: &[("project_id", "p1")],
        reads: langfuse,
        change: |asked| (asked.line == "DELETE /api/public/projects/p1/apiKeys/own").then_some(true),
        changed: (200, r#"{"success":true}"#),
        live: ("GET /api/public/projects", (200, r#"{"data":[]}"#), (401, r#"{"message":"Invalid credentials"}"#)),
        proof: StepState::Unknown,
        twins: false,
    },
    Case {
        detector: "deepgram-api-key",
        text: None,
        playbook: "deepgram-contain",
        identity: &[("project_id", "p1")],
        reads: deepgram,
        change: |asked| (asked.line == "DELETE /v1/projects/p1/keys/own").then_some(true),
        changed: (200, "{}"),
        live: ("GET /v1/projects", (200, r#"{"projects":[]}"#), (401, r#"{"err_code":"INVALID_AUTH"}"#)),
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "elevenlabs-api-key",
        text: None,
        playbook: "elevenlabs-contain",
        identity: &[("user", "sa")],
        reads: elevenlabs,
        change: |asked| says(asked, "PATCH /v1/service-accounts/sa/api-keys/own", "/is_enabled", &false.into()),
        changed: (200, r#""ok""#),
        live: ("GET /v1/user", (200, r#"{"subscription":{}}"#), (401, r#"{"detail":{"status":"invalid_api_key"}}"#)),
        proof: DONE,
        twins: true,
    },
    Case {
        detector: "baseten-api-key",
        text: None,
        playbook: "baseten-contain",
        identity: &[],
        reads: baseten,
        change: |asked| asked.line.starts_with("DELETE /v1/api_keys/").then_some(true),
        changed: (200, "{}"),
        live: ("GET /never", (200, ""), (200, "")),
        // What Baseten says to a key that is gone is not documented.
        proof: StepState::Unknown,
        twins: false,
    },
];
