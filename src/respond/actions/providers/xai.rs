//! xAI: a key is deleted by the id that it tells of itself. The team's list must show that id.
//! Source: xAI documentation, Using the Management API: list and delete API keys
//! (<https://docs.x.ai/docs/key-information/using-management-api>). Disabling is not documented there, so it is not done.

use serde_json::{Value, json};

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, NewKey, Pages, Place, Scopes, Service, Voice, picked, segment,
    text,
};
use super::super::replace::Replace;
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "xai",
    endpoint: "xai-admin",
    place: Place::Fixed("https://management-api.x.ai"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

const PAGES: Pages = Pages::Token { parameter: "paginationToken", next: "/paginationToken" };

const fn office(about: &'static [&'static str]) -> Listing {
    Listing {
        find: Find::Listed {
            scopes: Some(Scopes { known: Some("team"), list: None, pages: Pages::One, items: "", id: "" }),
            list: |team| format!("/auth/teams/{team}/api-keys?pageSize=100"),
            pages: PAGES,
            items: "/apiKeys",
            hint: Hint::Equal { at: "/apiKeyId", with: |_, target| target.get("id").cloned() },
            path: |_, key| Some(format!("/auth/api-keys/{}", segment(&text(key, "/apiKeyId")?))),
        },
        state: |_| "active".to_owned(),
        about,
        alone: None,
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    }
}

pub(super) const KEY_DELETE: Deed = Deed {
    name: "xai-key-delete",
    service: &SERVICE,
    office: &office(&["/name", "/redactedApiKey", "/createTime"]),
    wanted: ABSENT,
    effect: "delete the key",
    undo: None,
    permissions: &["an xAI management key: list and delete API keys"],
};

/// The old one, with what bounds it.
const OLD: Deed = Deed { office: &office(&["/aclStrings", "/qps", "/qpm", "/tpm", "/expireTime"]), ..KEY_DELETE };

/// A key without permissions is good for nothing, so the old one's are given to it; the list has them as `aclStrings`, the
/// request as `acls`. Source: create an API key (<https://docs.x.ai/developers/rest-api-reference/management/auth>).
pub(super) const KEY_CREATE: Replace = Replace(&NewKey {
    name: "xai-key-create",
    old: &OLD,
    scope: Some("team"),
    list: |team| format!("/auth/teams/{team}/api-keys?pageSize=100"),
    pages: PAGES,
    items: "/apiKeys",
    label: "/name",
    // None of the documented fields of a key tells a use.
    uses: None,
    path: |_, key| Some(format!("/auth/api-keys/{}", segment(&text(key, "/apiKeyId")?))),
    create: |team, label, old| {
        let acls = old.get("aclStrings").and_then(Value::as_array).filter(|acls| !acls.is_empty());
        let acls = acls.ok_or_else(|| "the old key's permissions are not told, so a new one cannot have them".to_owned())?;
        let mut body = picked(old, &["qps", "qpm", "tpm", "expireTime"]);
        body.extend([("name".to_owned(), json!(label)), ("acls".to_owned(), json!(acls))]);
        Ok(Call::new(Method::Post, format!("/auth/teams/{team}/api-keys")).json(&Value::Object(body)))
    },
    alike: &[],
    value: "/apiKey",
    part: "key",
    what: "another key with the old one's permissions and rates",
    permissions: &["an xAI management key: list, create and delete API keys"],
});
