//! Cloudflare: a user's or an account's API token is disabled, and enabled again. It tells its own id.
//! Source: Cloudflare API, User and Account API tokens: verify, get, update; `status` is active, disabled or expired
//! (<https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/update>). The update takes the whole token.

use serde_json::{Map, Value};

use super::super::keys::{Call, Change, Deed, Find, Listing, Login, Place, Service, Voice, segment, text};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "cloudflare",
    endpoint: "cloudflare-admin",
    place: Place::Fixed("https://api.cloudflare.com"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

fn change(path: &str, state: &str, token: &Value) -> Call {
    let kept = ["name", "policies", "condition", "expires_on", "not_before"];
    let mut body: Map<String, Value> =
        kept.iter().filter_map(|name| Some(((*name).to_owned(), token.get(*name)?.clone()))).collect();
    body.insert("status".to_owned(), state.into());
    Call::new(Method::Put, path).json(&Value::Object(body))
}

pub(super) const TOKEN_DISABLE: Deed = Deed {
    name: "cloudflare-token-disable",
    service: &SERVICE,
    office: &Listing {
        find: Find::At(|_, target| Some(format!("/client/v4/user/tokens/{}", segment(target.get("id")?)))),
        state: |token| text(token, "/status").unwrap_or_default(),
        about: &["/name", "/issued_on"],
        alone: Some("/result"),
        change: Change::Whole(change),
    },
    wanted: "disabled",
    effect: "disable the user's token",
    undo: Some("set it back to the status it had"),
    permissions: &["a token of the same user with API Tokens: Edit"],
};
