//! Google: an API key is looked up by its value, deleted, and undeleted within 30 days. It may serve other APIs than Gemini.
//! Source: API Keys API, v2: `keys:lookupKey`, `keys.get`, `keys.delete`, `keys.undelete`
//! (<https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys>). The credential is an OAuth access
//! token, which lives for an hour.

use serde_json::Value;

use super::super::Doing;
use super::super::keys::{
    Call, Deed, Desk, Leaked, Login, Object, Office, Place, Proof, Service, Trouble, Voice, segment, text,
};
use crate::net::Method;

pub(super) const SERVICE: Service = Service {
    provider: "google",
    endpoint: "google-admin",
    place: Place::Fixed("https://apikeys.googleapis.com"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

pub(super) const DELETED: &str = "deleted";

pub(super) struct Keys;

fn object(id: &str, state: &str, about: Value) -> Object {
    Object { id: id.to_owned(), state: state.to_owned(), about, proof: Proof::Exact }
}

impl Office for Keys {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(async move {
            let value = leaked.text().map_err(Trouble::Failed)?;
            let found = match desk.get(&format!("/v2/keys:lookupKey?keyString={}", segment(value))).await {
                Err(Trouble::Absent) => return Ok(Vec::new()),
                found => found?,
            };
            // Where the responder may not see the key, only its project is told.
            let name = text(&found, "/name");
            let name = name.filter(|name| name.split('/').all(|part| segment(part) == part));
            let name = name.ok_or_else(|| Trouble::Refused {
                status: 0,
                why: format!("the key is of {}, and may not be seen there", text(&found, "/parent").unwrap_or_default()),
            })?;
            Ok(vec![self.read(desk, &format!("/v2/{name}")).await?])
        })
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(async move {
            match desk.get(id).await {
                // A deleted key rests for 30 days, seen or not.
                Err(Trouble::Absent) => Ok(object(id, DELETED, Value::Null)),
                Err(trouble) => Err(trouble),
                Ok(key) => {
                    let state = if key.get("deleteTime").is_some() { DELETED } else { "active" };
                    Ok(object(id, state, key.get("displayName").cloned().unwrap_or_default()))
                }
            }
        })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        let call = match state {
            DELETED => Call::new(Method::Delete, id),
            _ => Call::new(Method::Post, format!("{id}:undelete")).json(&serde_json::json!({})),
        };
        Box::pin(async move { desk.act(call).await.map(drop) })
    }
}

pub(super) const KEY_DELETE: Deed = Deed {
    name: "google-key-delete",
    service: &SERVICE,
    office: &Keys,
    wanted: DELETED,
    effect: "delete the key, for every API that it serves",
    undo: Some("undelete it, within 30 days"),
    permissions: &["apikeys.keys.lookup", "apikeys.keys.get", "apikeys.keys.delete", "apikeys.keys.undelete"],
};
