//! How each provider that makes keys speaks: its lists, what makes a key there, and what of the old one the new one must have.

use serde_json::{Value, json};

use super::super::ends;
use super::Key;

/// Every one of them.
pub(super) const ALL: [&Tongue; 5] = [&OPENROUTER, &XAI, &MISTRAL, &OPENAI, &GOOGLE];

/// How one provider speaks.
pub(super) struct Tongue {
    pub(super) detector: &'static str,
    pub(super) playbook: &'static str,
    pub(super) identity: &'static [(&'static str, &'static str)],
    /// Every list there is: its line and its answer.
    pub(super) lists: fn(&str, &[Key]) -> Option<Value>,
    /// The line that makes one, and what its body must hold of the old one.
    pub(super) create: (&'static str, fn(&Value) -> bool),
    /// The answer to it.
    pub(super) made: fn(&Key) -> Value,
    /// The path of a key's object.
    pub(super) path: fn(&str) -> String,
    pub(super) live: &'static str,
    pub(super) alive: fn() -> Value,
}

pub(super) fn listed(keys: &[Key], item: impl Fn(&Key) -> Value) -> Vec<Value> {
    keys.iter().map(item).collect()
}

pub(super) const OPENROUTER: Tongue = Tongue {
    detector: "openrouter-api-key",
    playbook: "openrouter-rotate",
    identity: &[],
    lists: |line, keys| {
        let item = |key: &Key| {
            json!({ "hash": key.id, "name": key.name, "label": ends(&key.value, 12, 4), "disabled": !key.on,
                    "limit": 50, "limit_reset": "monthly", "created_at": "2026-01-01" })
        };
        if line == "GET /api/v1/keys?include_disabled=true&offset=0" {
            return Some(json!({ "data": listed(keys, item) }));
        }
        let id = line.strip_prefix("GET /api/v1/keys/")?;
        Some(json!({ "data": item(keys.iter().find(|key| key.id == id)?) }))
    },
    create: ("POST /api/v1/keys", |body| body["limit"] == 50 && body["limit_reset"] == "monthly"),
    made: |key| json!({ "data": { "hash": key.id, "name": key.name }, "key": key.value }),
    path: |id| format!("/api/v1/keys/{id}"),
    live: "GET /api/v1/key",
    alive: || json!({ "data": { "label": "x" } }),
};

pub(super) const XAI: Tongue = Tongue {
    detector: "xai-api-key",
    playbook: "xai-rotate",
    identity: &[("team", "t1"), ("id", "own")],
    lists: |line, keys| {
        let item = |key: &Key| json!({ "apiKeyId": key.id, "name": key.name, "aclStrings": ["api-key:model:*"], "qps": 5 });
        (line == "GET /auth/teams/t1/api-keys?pageSize=100").then(|| json!({ "apiKeys": listed(keys, item) }))
    },
    create: ("POST /auth/teams/t1/api-keys", |body| body["acls"] == json!(["api-key:model:*"]) && body["qps"] == 5),
    made: |key| json!({ "apiKeyId": key.id, "name": key.name, "apiKey": key.value }),
    path: |id| format!("/auth/api-keys/{id}"),
    live: "GET /v1/api-key",
    alive: || json!({ "api_key_blocked": false, "api_key_disabled": false, "team_blocked": false, "team_id": "t1", "api_key_id": "x" }),
};

pub(super) const MISTRAL: Tongue = Tongue {
    detector: "mistral-api-key",
    playbook: "mistral-rotate",
    identity: &[],
    lists: |line, keys| {
        let item = |key: &Key| {
            json!({ "key_id": key.id, "name": key.name, "hidden_key": ends(&key.value, 4, 4), "created_by": "u1", "workspace_id": "w1",
                    "expiration_date": "2027-01-01",
                    "created_at": key.made.map(|at| jiff::Timestamp::from_second(at).expect("a time").to_string()),
                                      "last_used": key.used.map(|at| jiff::Timestamp::from_second(at).expect("a time").to_string()) })
        };
        (line == "GET /api/admin/api-keys?limit=100&offset=0").then(|| json!({ "keys": listed(keys, item) }))
    },
    create: ("POST /api/admin/api-keys", |body| {
        body["user_id"] == "u1" && body["workspace_uuid"] == "w1" && body["expiration"] == "2027-01-01"
    }),
    made: |key| json!({ "key_id": key.id, "name": key.name, "key": key.value }),
    path: |id| format!("/api/admin/api-keys/{id}"),
    live: "GET /v1/models",
    alive: || json!({ "data": [] }),
};

pub(super) const OPENAI: Tongue = Tongue {
    detector: "openai-service-account-key",
    playbook: "openai-service-account-rotate",
    identity: &[("organization", "acme"), ("project", "p1")],
    lists: |line, keys| {
        let account = |key: &Key| json!({ "id": key.id, "name": key.name, "created_at": key.made });
        let item = |key: &Key| {
            json!({ "id": format!("key_{}", key.id), "redacted_value": ends(&key.value, 14, 4), "last_used_at": key.used,
                    "owner": { "type": "service_account", "service_account": account(key) } })
        };
        let list = |data: Vec<Value>| json!({ "data": data, "has_more": false });
        match line {
            "GET /v1/organization/projects/p1/api_keys?limit=100" => Some(list(listed(keys, item))),
            "GET /v1/organization/projects/p1/service_accounts?limit=100" => Some(list(listed(keys, account))),
            _ => {
                let id = line.strip_prefix("GET /v1/organization/projects/p1/service_accounts/")?;
                Some(account(keys.iter().find(|key| key.id == id)?))
            }
        }
    },
    create: ("POST /v1/organization/projects/p1/service_accounts", |_| true),
    made: |key| json!({ "id": key.id, "name": key.name, "api_key": { "id": "k", "value": key.value } }),
    path: |id| format!("/v1/organization/projects/p1/service_accounts/{id}"),
    live: "GET /v1/models",
    alive: || json!({ "data": [] }),
};

pub(super) const GOOGLE: Tongue = Tongue {
    detector: "google-api-key",
    playbook: "google-api-key-rotate",
    identity: &[],
    lists: |line, keys| {
        const LIST: &str = "projects/12/locations/global/keys";
        let item = |key: &Key| {
            json!({ "name": format!("{LIST}/{}", key.id), "displayName": key.name, "annotations": { "team": "maps" },
                    "restrictions": { "apiTargets": [{ "service": "generativelanguage.googleapis.com" }] } })
        };
        if let Some(value) = line.strip_prefix("GET /v2/keys:lookupKey?keyString=") {
            let found = keys.iter().find(|key| key.value == value)?;
            return Some(json!({ "parent": "projects/12/locations/global", "name": format!("{LIST}/{}", found.id) }));
        }
        if line == format!("GET /v2/{LIST}?pageSize=300") {
            return Some(json!({ "keys": listed(keys, item) }));
        }
        if let Some(id) = line.strip_prefix("GET /v2/operations/akmf.") {
            let made = keys.iter().find(|key| key.id == id)?;
            return Some(json!({ "name": format!("operations/akmf.{id}"), "done": true, "response": item(made) }));
        }
        let path = line.strip_prefix(&format!("GET /v2/{LIST}/"))?;
        let (id, whole) = path.strip_suffix("/keyString").map_or((path, true), |id| (id, false));
        let found = keys.iter().find(|key| key.id == id)?;
        Some(if whole { item(found) } else { json!({ "keyString": found.value }) })
    },
    create: ("POST /v2/projects/12/locations/global/keys", |body| {
        body["annotations"]["team"] == "maps"
            && body["restrictions"]["apiTargets"][0]["service"] == "generativelanguage.googleapis.com"
    }),
    // The key is made a moment after the answer.
    made: |key| json!({ "name": format!("operations/akmf.{}", key.id) }),
    path: |id| format!("/v2/projects/12/locations/global/keys/{id}"),
    live: "GET /v1beta/models?pageSize=1",
    alive: || json!({ "models": [] }),
};
