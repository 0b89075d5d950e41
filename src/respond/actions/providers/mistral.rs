//! Mistral: a key is deleted. The Admin API is a beta for some plans, and takes a key of its own, made in the Backoffice.
//! Source: Mistral documentation, Admin API, Authentication (<https://docs.mistral.ai/admin/admin-api/authentication>): the base
//! `https://console.mistral.ai/api/admin`, the header `x-api-key` (the reference's generated examples show a bearer beside it; the
//! page about authentication is believed). Beta, Admin, API keys (<https://docs.mistral.ai/api/endpoint/beta/admin/api-keys>): list with
//! `limit` and `offset`, items in `keys` with `hidden_key`, `workspace_id`, `created_by`, `expiration_date`; delete by `key_id`.

use serde_json::{Map, Value, json};

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, NewKey, Pages, Place, Service, Uses, Voice, picked, segment,
    text,
};
use super::super::replace::Replace;
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "mistral",
    endpoint: "mistral-admin",
    place: Place::Fixed("https://console.mistral.ai"),
    voice: Voice::Admin,
    login: Login::Header("x-api-key"),
    headers: &[],
};

const PAGES: Pages = Pages::Offset { parameter: "offset", size: 100 };

const fn office(about: &'static [&'static str]) -> Listing {
    Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/api/admin/api-keys?limit=100".to_owned(),
            pages: PAGES,
            items: "/keys",
            hint: Hint::Redacted { at: "/hidden_key", prefix: "" },
            path: |_, key| Some(format!("/api/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
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

/// The old one, with where it belongs.
const OLD: Deed = Deed { office: &office(&["/created_by", "/workspace_id", "/expiration_date"]), ..KEY_DELETE };

/// What is listed has other names where it is created: `workspace_uuid`, `expiration`, `user_id` ("the user the API key is created
/// for"). Whether `created_by` is that user the reference does not say; it is the only one that is told.
/// Source of `last_used` (a moment, or null) and of `key` ("only returned at creation time"): the same page, AdminApiKey.
pub(super) const KEY_CREATE: Replace = Replace(&NewKey {
    name: "mistral-key-create",
    old: &OLD,
    scope: None,
    list: |_| "/api/admin/api-keys?limit=100".to_owned(),
    pages: PAGES,
    items: "/keys",
    label: "/name",
    uses: Some(Uses {
        list: |_| "/api/admin/api-keys?limit=100".to_owned(),
        items: "/keys",
        path: |_, key| Some(format!("/api/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
        at: "/last_used",
    }),
    path: |_, key| Some(format!("/api/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
    create: |_, label, old| {
        let told = picked(old, &["created_by", "workspace_id", "expiration_date"]);
        let named = [("created_by", "user_id"), ("workspace_id", "workspace_uuid"), ("expiration_date", "expiration")];
        let mut body: Map<String, Value> =
            named.iter().filter_map(|(old, new)| Some(((*new).to_owned(), told.get(*old)?.clone()))).collect();
        body.insert("name".to_owned(), json!(label));
        Ok(Call::new(Method::Post, "/api/admin/api-keys").json(&Value::Object(body)))
    },
    alike: &["created_by", "workspace_id"],
    value: "/key",
    part: "key",
    what: "another key of the same workspace, for whoever made the old one (that this is its user is a guess: the new one is looked at, and \
           deleted again where it is another's)",
    permissions: &["a Mistral admin key (Admin API, beta)"],
});
