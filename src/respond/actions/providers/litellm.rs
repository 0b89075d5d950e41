//! LiteLLM: a virtual key is blocked, and unblocked. It stops nothing upstream: the proxy's own provider keys are others.
//! Source: LiteLLM documentation, Virtual keys, and its source, `block_key`: a key that does not begin with `sk-` is taken as
//! the SHA-256 of one, in hex, so the value itself need not be sent
//! (<https://docs.litellm.ai/docs/proxy/virtual_keys>).

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::super::keys::{Call, Change, Deed, Find, Listing, Login, Place, Service, Voice};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "litellm",
    endpoint: "litellm-admin",
    place: Place::Operators,
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

const INFO: &str = "/key/info?key=";

fn change(path: &str, state: &str) -> Call {
    let verb = if state == "blocked" { "/key/block" } else { "/key/unblock" };
    let hash = path.strip_prefix(INFO).unwrap_or_default();
    Call::new(Method::Post, verb).json(&json!({ "key": hash }))
}

pub(super) const KEY_BLOCK: Deed = Deed {
    name: "litellm-key-block",
    service: &SERVICE,
    office: &Listing {
        find: Find::At(|leaked, _| {
            let hash = digest(&SHA256, leaked.value().expose());
            Some(format!("{INFO}{}", HEXLOWER.encode(hash.as_ref())))
        }),
        state: |key| if key.get("blocked") == Some(&Value::Bool(true)) { "blocked" } else { "usable" }.to_owned(),
        about: &["/key_alias", "/key_name", "/team_id", "/user_id"],
        alone: Some("/info"),
        change: Change::Plain(change),
    },
    wanted: "blocked",
    effect: "block the key at the proxy",
    undo: Some("unblock it, if it was usable"),
    permissions: &["the proxy's master key, or a proxy admin's"],
};
