//! Baseten: a key is deleted by its prefix, the part before the dot, which names it.
//! Source: Baseten management API, API keys: list and delete (<https://docs.baseten.co/reference/management-api/api-keys>).

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "baseten",
    endpoint: "baseten-admin",
    place: Place::Fixed("https://api.baseten.co"),
    voice: Voice::Admin,
    login: Login::Scheme("Api-Key"),
    headers: &[],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "baseten-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/v1/api_keys".to_owned(),
            pages: Pages::One,
            items: "/keys",
            hint: Hint::Begins { at: "/prefix", with: |leaked, _| Some(leaked.text().ok()?.split_once('.')?.0.to_owned()) },
            path: |_, key| Some(format!("/v1/api_keys/{}", segment(&text(key, "/prefix")?))),
        },
        state: |_| "active".to_owned(),
        about: &["/name", "/prefix"],
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    },
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["a Baseten key with WORKSPACE_MANAGE_API_KEYS"],
};
