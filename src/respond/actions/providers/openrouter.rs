//! OpenRouter: a key is disabled, and enabled again; or deleted for good.
//! Source: OpenRouter API reference, API keys: list, get, update, delete
//! (<https://openrouter.ai/docs/api-reference/api-keys/update-api-key>). A key's label shows its ends, `sk-or-v1-0e6...1c96`.

use serde_json::{Value, json};

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, NewKey, Pages, Place, Service, Voice, picked, segment, text,
};
use super::super::replace::Replace;
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "openrouter",
    endpoint: "openrouter-admin",
    place: Place::Fixed("https://openrouter.ai"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

const fn office(change: fn(&str, &str) -> Call, about: &'static [&'static str]) -> Listing {
    Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/api/v1/keys?include_disabled=true".to_owned(),
            pages: Pages::Offset { parameter: "offset", size: 100 },
            items: "/data",
            hint: Hint::Redacted { at: "/label", prefix: "sk-or-v1-" },
            path: |_, key| Some(format!("/api/v1/keys/{}", segment(&text(key, "/hash")?))),
        },
        state: |key| if key.pointer("/disabled") == Some(&Value::Bool(true)) { "disabled" } else { "enabled" }.to_owned(),
        about,
        alone: Some("/data"),
        change: Change::Plain(change),
    }
}

pub(super) const KEY_DISABLE: Deed = Deed {
    name: "openrouter-key-disable",
    service: &SERVICE,
    office: &office(
        |path, state| Call::new(Method::Patch, path).json(&json!({ "disabled": state == "disabled" })),
        &["/name", "/label", "/created_at"],
    ),
    wanted: "disabled",
    effect: "disable the key",
    undo: Some("enable it again, if it was"),
    permissions: &["an OpenRouter management (provisioning) key"],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "openrouter-key-delete",
    service: &SERVICE,
    office: &office(|path, _| Call::new(Method::Delete, path), &["/name", "/label", "/created_at"]),
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["an OpenRouter management (provisioning) key"],
};

/// The old one, with what bounds it.
const OLD: Deed = Deed { office: &office(|path, _| Call::new(Method::Delete, path), BOUNDS), ..KEY_DELETE };
const BOUNDS: &[&str] = &["/limit", "/limit_reset", "/include_byok_in_limit", "/expires_at", "/workspace_id"];

/// Source: create a key, `POST /api/v1/keys`: `key` once, and the object in `data`
/// (<https://openrouter.ai/docs/api-reference/api-keys/create-keys>).
pub(super) const KEY_CREATE: Replace = Replace(&NewKey {
    name: "openrouter-key-create",
    old: &OLD,
    scope: None,
    list: |_| "/api/v1/keys?include_disabled=true".to_owned(),
    pages: Pages::Offset { parameter: "offset", size: 100 },
    items: "/data",
    label: "/name",
    uses: None,
    path: |_, key| {
        let hash = text(key, "/hash").or_else(|| text(key, "/data/hash"))?;
        Some(format!("/api/v1/keys/{}", segment(&hash)))
    },
    create: |_, label, old| {
        let mut body = picked(old, &["limit", "limit_reset", "include_byok_in_limit", "expires_at", "workspace_id"]);
        body.insert("name".to_owned(), json!(label));
        Ok(Call::new(Method::Post, "/api/v1/keys").json(&Value::Object(body)))
    },
    alike: &[],
    value: "/key",
    part: "key",
    what: "another key with the old one's limits",
    permissions: &["an OpenRouter management (provisioning) key"],
});
