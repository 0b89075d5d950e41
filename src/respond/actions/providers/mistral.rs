//! Mistral: a key is deleted. The Admin API is a beta for some plans.
//! Source: Mistral documentation, Beta, Admin, API keys (<https://docs.mistral.ai/api/endpoint/beta/admin/api-keys>): list with
//! `limit` and `offset`, the header `x-api-key`, `hidden_key`, delete by `key_id`. Public clients: `keys` holds the items.

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "mistral",
    endpoint: "mistral-admin",
    place: Place::Fixed("https://api.mistral.ai"),
    voice: Voice::Admin,
    login: Login::Header("x-api-key"),
    headers: &[],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "mistral-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/v1/admin/api-keys?limit=100".to_owned(),
            pages: Pages::Offset { parameter: "offset", size: 100 },
            items: "/keys",
            hint: Hint::Redacted { at: "/hidden_key", prefix: "" },
            path: |_, key| Some(format!("/v1/admin/api-keys/{}", segment(&text(key, "/key_id")?))),
        },
        state: |_| "active".to_owned(),
        about: &["/name", "/hidden_key", "/created_at"],
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    },
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["a Mistral admin key (Admin API, beta)"],
};
