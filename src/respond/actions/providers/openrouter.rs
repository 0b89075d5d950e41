//! OpenRouter: a key is disabled, and enabled again; or deleted for good.
//! Source: OpenRouter API reference, API keys: list, get, update, delete
//! (<https://openrouter.ai/docs/api-reference/api-keys/update-api-key>). A key's label shows its ends, `sk-or-v1-0e6...1c96`.

use serde_json::{Value, json};

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "openrouter",
    endpoint: "openrouter-admin",
    place: Place::Fixed("https://openrouter.ai"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

const fn office(change: fn(&str, &str) -> Call) -> Listing {
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
        about: &["/name", "/label", "/created_at"],
        alone: Some("/data"),
        change: Change::Plain(change),
    }
}

pub(super) const KEY_DISABLE: Deed = Deed {
    name: "openrouter-key-disable",
    service: &SERVICE,
    office: &office(|path, state| Call::new(Method::Patch, path).json(&json!({ "disabled": state == "disabled" }))),
    wanted: "disabled",
    effect: "disable the key",
    undo: Some("enable it again, if it was"),
    permissions: &["an OpenRouter management (provisioning) key"],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "openrouter-key-delete",
    service: &SERVICE,
    office: &office(|path, _| Call::new(Method::Delete, path)),
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["an OpenRouter management (provisioning) key"],
};
