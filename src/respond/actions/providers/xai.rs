//! xAI: a key is deleted by the id that it tells of itself. The team's list must show that id.
//! Source: xAI documentation, Using the Management API: list and delete API keys
//! (<https://docs.x.ai/docs/key-information/using-management-api>). Disabling is not documented there, so it is not done.

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Scopes, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "xai",
    endpoint: "xai-admin",
    place: Place::Fixed("https://management-api.x.ai"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "xai-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: Some(Scopes { known: Some("team"), list: None, pages: Pages::One, items: "", id: "" }),
            list: |team| format!("/auth/teams/{team}/api-keys?pageSize=100"),
            pages: Pages::Token { parameter: "paginationToken", next: "/paginationToken" },
            items: "/apiKeys",
            hint: Hint::Equal { at: "/apiKeyId", with: |_, target| target.get("id").cloned() },
            path: |_, key| Some(format!("/auth/api-keys/{}", segment(&text(key, "/apiKeyId")?))),
        },
        state: |_| "active".to_owned(),
        about: &["/name", "/redactedApiKey", "/createTime"],
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    },
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["an xAI management key: list and delete API keys"],
};
