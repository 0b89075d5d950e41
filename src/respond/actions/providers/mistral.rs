//! Mistral: a key is deleted. The Admin API is a beta for some plans.
//! Source: Mistral documentation, Beta, Admin, API keys (<https://docs.mistral.ai/api/endpoint/beta/admin/api-keys>): list with
//! `limit` and `offset`, the header `x-api-key`, `hidden_key`, delete by `key_id`. Public clients: `keys` holds the items.

use serde_json::{Value, json};

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, NewKey, Pages, Place, Service, Uses, Voice, picked, segment,
    text,
};
use super::super::replace::Replace;
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "mistral",
    endpoint: "mistral-admin",
    place: Place::Fixed("https://api.mistral.ai"),
    voice: Voice::Admin,
    login: Login::Header("x-api-key"),
    headers: &[],
};

const PAGES: Pages = Pages::Offset { parameter: "offset", size: 100 };

const fn office(about: &'static [&'static str]) -> Listing {
    Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/v1/admin/api-keys?limit=100".to_owned(),
            pages: PAGES,
            items: "/keys",
            hint: Hint::Redacted { at: "/hidden_key", prefix: "" },
            path: |_, key| Some(format!("/v1/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
        },
        state: |_| "active".to_owned(),
        about,
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    }
}

pub(super) const KEY_DELETE: Deed = Deed {
    name: "mistral-key-delete",
    service: &SERVICE,
    office: &office(&["/name", "/hidden_key", "/created_at"]),
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["a Mistral admin key (Admin API, beta)"],
};

/// The old one, with whose it is.
const OLD: Deed = Deed { office: &office(&["/user_id", "/workspace_uuid", "/expiration_date"]), ..KEY_DELETE };

/// Source of `last_used` (a moment, or null) and of `key` ("only returned at creation time"): the same page, AdminApiKey.
pub(super) const KEY_CREATE: Replace = Replace(&NewKey {
    name: "mistral-key-create",
    old: &OLD,
    scope: None,
    list: |_| "/v1/admin/api-keys?limit=100".to_owned(),
    pages: PAGES,
    items: "/keys",
    label: "/name",
    uses: Some(Uses {
        list: |_| "/v1/admin/api-keys?limit=100".to_owned(),
        items: "/keys",
        path: |_, key| Some(format!("/v1/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
        at: "/last_used",
    }),
    path: |_, key| Some(format!("/v1/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
    create: |_, label, old| {
        let mut body = picked(old, &["user_id", "workspace_uuid", "expiration_date"]);
        body.insert("name".to_owned(), json!(label));
        Ok(Call::new(Method::Post, "/v1/admin/api-keys").json(&Value::Object(body)))
    },
    value: "/key",
    part: "key",
    what: "another key of the same user and workspace",
    permissions: &["a Mistral admin key (Admin API, beta)"],
});
