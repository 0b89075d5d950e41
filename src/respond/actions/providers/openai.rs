//! OpenAI: a user's project key is deleted; a service account's key dies with its service account, since a single one has no
//! delete call; an admin key is deleted. None can be undone. Before that, what the project may spend can be throttled
//! ([`super::openai_throttle`]).
//! Source: OpenAI API reference, Administration: Project API keys, Project service accounts, Admin API keys
//! (<https://platform.openai.com/docs/api-reference/project-api-keys>).

use serde_json::{Value, json};

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, NewKey, Pages, Place, Scopes, Service, Uses, Voice, segment,
    text,
};
use super::super::replace::Replace;
use crate::net::Method;

pub(super) const SERVICE: Service = Service {
    provider: "openai",
    endpoint: "openai-admin",
    place: Place::Fixed("https://api.openai.com"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

const PAGES: Pages = Pages::After { parameter: "after", last: "/last_id", more: "/has_more" };

const fn keys(prefix: &'static str, path: fn(&str, &Value) -> Option<String>) -> Find {
    Find::Listed {
        scopes: Some(Scopes {
            known: Some("project"),
            list: Some("/v1/organization/projects?limit=100"),
            pages: PAGES,
            items: "/data",
            id: "/id",
        }),
        list: |project| format!("/v1/organization/projects/{project}/api_keys?limit=100"),
        pages: PAGES,
        items: "/data",
        hint: Hint::Redacted { at: "/redacted_value", prefix },
        path,
    }
}

/// It exists or not; there is no other state.
fn there(_: &Value) -> String {
    "active".to_owned()
}

fn delete(path: &str, _: &str) -> Call {
    Call::new(Method::Delete, path)
}

pub(super) const KEY_DELETE: Deed = Deed {
    name: "openai-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: keys("sk-proj-", |project, key| {
            // A service account's key cannot be deleted so.
            key.pointer("/owner/service_account/id").is_none().then_some(())?;
            Some(format!("/v1/organization/projects/{project}/api_keys/{}", segment(&text(key, "/id")?)))
        }),
        state: there,
        about: &["/name", "/redacted_value", "/created_at", "/owner/type"],
        alone: Some(""),
        change: Change::Plain(delete),
    },
    wanted: ABSENT,
    effect: "delete the key from its project",
    undo: None,
    permissions: &["an OpenAI admin key: projects and their API keys, read and write"],
};

pub(super) const SERVICE_ACCOUNT_DELETE: Deed = Deed {
    name: "openai-service-account-delete",
    service: &SERVICE,
    office: &Listing {
        find: keys("sk-svcacct-", |project, key| {
            let account = segment(&text(key, "/owner/service_account/id")?);
            Some(format!("/v1/organization/projects/{project}/service_accounts/{account}"))
        }),
        state: there,
        // The account's own fields differ from the key's, and this must read the same from both.
        about: &[],
        alone: Some(""),
        change: Change::Plain(delete),
    },
    wanted: ABSENT,
    effect: "delete the service account that the key belongs to, with all its keys",
    undo: None,
    permissions: &["an OpenAI admin key: projects, their API keys and service accounts, read and write"],
};

/// Another service account in the same project, with a key of its own: a single key of an account cannot be deleted, so that two
/// keys of one account could never be told apart in the end. Its role is the default one.
/// Source: Project service accounts, create: `api_key.value` once.
pub(super) const SERVICE_ACCOUNT_CREATE: Replace = Replace(&NewKey {
    name: "openai-service-account-create",
    old: &SERVICE_ACCOUNT_DELETE,
    scope: Some("project"),
    list: |project| format!("/v1/organization/projects/{project}/service_accounts?limit=100"),
    pages: PAGES,
    items: "/data",
    label: "/name",
    // Of an account only its keys tell: `last_used_at`, seconds or null. Source: Project API keys, list.
    uses: Some(Uses {
        list: |project| format!("/v1/organization/projects/{project}/api_keys?limit=100"),
        items: "/data",
        path: |project, key| {
            let account = segment(&text(key, "/owner/service_account/id")?);
            Some(format!("/v1/organization/projects/{project}/service_accounts/{account}"))
        },
        at: "/last_used_at",
    }),
    path: |project, account| {
        let account = segment(&text(account, "/id")?);
        Some(format!("/v1/organization/projects/{project}/service_accounts/{account}"))
    },
    create: |project, label, _| {
        let path = format!("/v1/organization/projects/{project}/service_accounts");
        Ok(Call::new(Method::Post, path).json(&json!({ "name": label })))
    },
    alike: &[],
    value: "/api_key/value",
    part: "key",
    what: "a service account in the same project, with a key",
    permissions: &["an OpenAI admin key: projects, their API keys and service accounts, read and write"],
});

pub(super) const ADMIN_KEY_DELETE: Deed = Deed {
    name: "openai-admin-key-delete",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/v1/organization/admin_api_keys?limit=100".to_owned(),
            pages: PAGES,
            items: "/data",
            hint: Hint::Redacted { at: "/redacted_value", prefix: "sk-admin-" },
            path: |_, key| Some(format!("/v1/organization/admin_api_keys/{}", segment(&text(key, "/id")?))),
        },
        state: there,
        about: &["/name", "/redacted_value", "/created_at"],
        alone: Some(""),
        change: Change::Plain(delete),
    },
    wanted: ABSENT,
    effect: "delete the admin key from the organisation",
    undo: None,
    permissions: &["another OpenAI admin key: admin API keys, read and write"],
};
