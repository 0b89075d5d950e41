//! Tokens that are found and deleted with their own rights: Heroku's authorizations, Databricks' personal tokens.
//! Sources: Heroku Platform API, OAuth authorization (<https://devcenter.heroku.com/articles/platform-api-reference>), which
//! lists each with its access token; Databricks REST reference, Tokens: list, revoke
//! (<https://docs.databricks.com/api/workspace/tokens/list>), which shows nothing of their values, so that only the one token of
//! a user is surely the leaked one.

use serde_json::json;

use super::super::keys::{
    ABSENT, Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Service, Voice, segment, text,
};
use crate::net::Method;

const HEROKU: Service = Service {
    provider: "heroku",
    endpoint: "heroku",
    place: Place::Fixed("https://api.heroku.com"),
    voice: Voice::Leaked,
    login: Login::Scheme("Bearer"),
    headers: &[("accept", "application/vnd.heroku+json; version=3")],
};

pub(super) const HEROKU_DELETE: Deed = Deed {
    name: "heroku-authorization-delete-self",
    service: &HEROKU,
    office: &Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/oauth/authorizations".to_owned(),
            pages: Pages::One,
            items: "",
            hint: Hint::Equal { at: "/access_token/token", with: |leaked, _| leaked.text().ok().map(str::to_owned) },
            path: |_, one| Some(format!("/oauth/authorizations/{}", segment(&text(one, "/id")?))),
        },
        state: |_| "active".to_owned(),
        about: &["/description", "/created_at"],
        alone: Some(""),
        change: Change::Plain(|path, _| Call::new(Method::Delete, path)),
    },
    wanted: ABSENT,
    effect: "delete the authorization that the token belongs to, with its own rights",
    undo: None,
    permissions: &["none but the leaked token's own (scope global)"],
};

const DATABRICKS: Service = Service {
    provider: "databricks",
    endpoint: "databricks",
    place: Place::Found("host"),
    voice: Voice::Leaked,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

pub(super) const DATABRICKS_DELETE: Deed = Deed {
    name: "databricks-token-delete-self",
    service: &DATABRICKS,
    office: &Listing {
        find: Find::Listed {
            scopes: None,
            list: |_| "/api/2.0/token/list".to_owned(),
            pages: Pages::One,
            items: "/token_infos",
            hint: Hint::Nothing,
            path: |_, token| text(token, "/token_id"),
        },
        state: |_| "active".to_owned(),
        about: &["/comment", "/creation_time"],
        alone: None,
        change: Change::Plain(|id, _| Call::new(Method::Post, "/api/2.0/token/delete").json(&json!({ "token_id": id }))),
    },
    wanted: ABSENT,
    effect: "delete the token with its own rights, if it is the only one of its user",
    undo: None,
    permissions: &["none but the leaked token's own"],
};
