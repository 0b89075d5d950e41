//! Anthropic: a key's status is set to `inactive`, and back. There is no call that makes a key.
//! Source: Claude API reference, Admin API, API keys: list, retrieve, update
//! (<https://platform.claude.com/docs/en/api/admin-api/apikeys/update-api-key>). The hint shows the first three characters of
//! the secret and its last four (facts B.5).

use serde_json::json;

use super::super::keys::{Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Service, Voice, segment, text};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "anthropic",
    endpoint: "anthropic-admin",
    place: Place::Fixed("https://api.anthropic.com"),
    voice: Voice::Admin,
    login: Login::Header("x-api-key"),
    headers: &[("anthropic-version", "2023-06-01")],
};

pub(super) const KEY_DEACTIVATE: Deed = Deed {
    name: "anthropic-key-deactivate",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/v1/organizations/api_keys?limit=1000".to_owned(),
            pages: Pages::After { parameter: "after_id", last: "/last_id", more: "/has_more" },
            items: "/data",
            hint: Hint::Redacted { at: "/partial_key_hint", prefix: "sk-ant-api03-" },
            path: |_, key| Some(format!("/v1/organizations/api_keys/{}", segment(&text(key, "/id")?))),
        },
        state: |key| text(key, "/status").unwrap_or_default(),
        about: &["/name", "/partial_key_hint", "/created_at", "/workspace_id"],
        alone: Some(""),
        change: Change::Plain(|path, state| Call::new(Method::Post, path).json(&json!({ "status": state }))),
    },
    wanted: "inactive",
    effect: "set the key's status to inactive",
    undo: Some("set it back to the status it had"),
    permissions: &["an Anthropic admin key (sk-ant-admin…)"],
};
