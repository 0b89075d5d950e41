//! Langfuse: a pair of keys is deleted from its project, found by its public key. Needs an organisation's pair, `PUBLIC:SECRET`.
//! Source: Langfuse API reference, Projects: get and delete project API keys (<https://api.reference.langfuse.com/>).

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Scopes, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "langfuse",
    endpoint: "langfuse-admin",
    place: Place::Fixed("https://cloud.langfuse.com"),
    voice: Voice::Admin,
    login: Login::Basic,
    headers: &[],
};

pub(super) const KEY_DELETE: Deed = Deed {
    name: "langfuse-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: Some(Scopes { known: Some("project_id"), list: None, pages: Pages::One, items: "", id: "" }),
            list: |project| format!("/api/public/projects/{project}/apiKeys"),
            pages: Pages::One,
            items: "/apiKeys",
            hint: Hint::Equal { at: "/publicKey", with: |leaked, _| leaked.part("public_key").ok().map(str::to_owned) },
            path: |project, key| Some(format!("/api/public/projects/{project}/apiKeys/{}", segment(&text(key, "/id")?))),
        },
        state: |_| "active".to_owned(),
        about: &["/publicKey", "/note", "/createdAt"],
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    },
    wanted: ABSENT,
    effect: "delete the pair of keys from its project",
    undo: None,
    permissions: &["a Langfuse organisation's API key, PUBLIC:SECRET"],
};
