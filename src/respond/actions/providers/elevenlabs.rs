//! ElevenLabs: a service account's key is disabled, and enabled again. A user's own key has no call; it is done by hand.
//! Source: ElevenLabs API reference, Service accounts, API keys: list and update
//! (<https://elevenlabs.io/docs/api-reference/service-accounts/api-keys/update>). Name and permissions are sent as they are,
//! because the update takes them too.

use serde_json::{Value, json};

use super::super::keys::{
    Call, Change, Deed, Find, Hint, Listing, Login, Pages, Place, Scopes, Service, Voice, segment, text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "elevenlabs",
    endpoint: "elevenlabs-admin",
    place: Place::Fixed("https://api.elevenlabs.io"),
    voice: Voice::Admin,
    login: Login::Header("xi-api-key"),
    headers: &[],
};

fn change(path: &str, state: &str, key: &Value) -> Call {
    let body = json!({
        "is_enabled": state == "enabled",
        "name": key.get("name"),
        "permissions": key.get("permissions"),
    });
    Call::new(Method::Patch, path).json(&body)
}

pub(super) const KEY_DISABLE: Deed = Deed {
    name: "elevenlabs-service-key-disable",
    service: &SERVICE,
    office: &Listing {
        find: Find::Listed {
            scopes: Some(Scopes {
                known: None,
                list: Some("/v1/service-accounts"),
                pages: Pages::One,
                items: "/service-accounts",
                id: "/service_account_user_id",
            }),
            list: |account| format!("/v1/service-accounts/{account}/api-keys"),
            pages: Pages::One,
            items: "/api-keys",
            hint: Hint::Redacted { at: "/hint", prefix: "sk_" },
            path: |account, key| {
                Some(format!("/v1/service-accounts/{account}/api-keys/{}", segment(&text(key, "/key_id")?)))
            },
        },
        state: |key| if key.get("is_disabled") == Some(&Value::Bool(true)) { "disabled" } else { "enabled" }.to_owned(),
        about: &["/name", "/hint", "/created_at_unix"],
        alone: None,
        change: Change::Whole(change),
    },
    wanted: "disabled",
    effect: "disable the service account's key",
    undo: Some("enable it again, if it was"),
    permissions: &["an ElevenLabs workspace admin's key: service accounts and their keys"],
};
