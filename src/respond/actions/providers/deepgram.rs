//! Deepgram: a key is deleted from its project. The list shows nothing of a key's value, so only the one key of a project is
//! surely the leaked one; where there are more they are named, and nothing is changed.
//! Source: Deepgram API reference, Manage, Keys: list and delete
//! (<https://developers.deepgram.com/reference/manage/keys/list>).

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Scopes, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "deepgram",
    endpoint: "deepgram-admin",
    place: Place::Fixed("https://api.deepgram.com"),
    voice: Voice::Admin,
    login: Login::Scheme("Token"),
    headers: &[],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "deepgram-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: Some(Scopes { known: Some("project_id"), list: None, pages: Pages::One, items: "", id: "" }),
            list: |project| format!("/v1/projects/{project}/keys"),
            pages: Pages::One,
            items: "/api_keys",
            hint: Hint::Nothing,
            path: |project, key| {
                Some(format!("/v1/projects/{project}/keys/{}", segment(&text(key, "/api_key/api_key_id")?)))
            },
        },
        state: |_| "active".to_owned(),
        about: &["/api_key/comment", "/api_key/created"],
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    },
    wanted: ABSENT,
    effect: "delete the key from its project",
    undo: None,
    permissions: &["a Deepgram key with the admin or owner scope of the project"],
};
