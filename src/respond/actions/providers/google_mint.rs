//! `google-key-create`: another API key of the same project, with the old one's restrictions, annotations and service account, written to
//! every store that holds the old one. It is named after its plan by its display name. Google makes keys by an operation that is
//! asked about until it is done, and gives the value only when it is asked for; a key may take minutes to be known everywhere.
//! Source: API Keys API, v2: `projects.locations.keys` create (`displayName`, `restrictions`, `annotations`, `serviceAccountEmail`; an
//! Operation), list (`showDeleted` is false where it is not given), `getKeyString`, delete; `operations.get`
//! (<https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys>).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroize;

use super::super::keys::{Call, Desk, Leaked, Object, Office, Pages, Trouble, all, picked, segment, text};
use super::super::replace::{Key, Mint, Minted, Replace};
use super::super::{Doing, Needs, World};
use super::google::{DELETED, KEY_DELETE, Keys, SERVICE};
use crate::net::Method;
use crate::secret::Secret;

pub(super) const KEY_CREATE: Replace = Replace(&NewKey);

/// An operation is asked about so often, at such distances.
const LOOKS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);
/// What a new key gets of the old one.
const BOUNDS: [&str; 3] = ["restrictions", "annotations", "serviceAccountEmail"];

struct NewKey;

/// The old one's object: as the plan saw it, else by the value.
async fn old(world: &World<'_>) -> Result<Object, Trouble> {
    let leaked = Leaked::recall(world).map_err(|why| Trouble::Refused { status: 0, why })?;
    let desk = Desk::open(world, &SERVICE, leaked.as_ref())?;
    match world.before.get("object").and_then(Value::as_str) {
        Some(id) => Keys.read(&desk, id).await,
        None => KEY_DELETE.located(&desk, leaked.as_ref()).await,
    }
}

/// The list that a key stands in.
fn siblings(id: &str) -> Result<&str, Trouble> {
    let list = id.rsplit_once('/').map(|(list, _)| list).filter(|list| list.ends_with("/keys"));
    list.ok_or_else(|| Trouble::Failed("the plan did not see which key it is".to_owned()))
}

async fn listed(world: &World<'_>, label: &str) -> Result<Vec<Key>, Trouble> {
    let id = match world.before.get("object").and_then(Value::as_str) {
        Some(id) => id.to_owned(),
        None => old(world).await?.id,
    };
    let desk = Desk::open(world, &SERVICE, None)?;
    let pages = Pages::Token { parameter: "pageToken", next: "/nextPageToken" };
    let mut keys = Vec::new();
    for key in all(&desk, &format!("{}?pageSize=300", siblings(&id)?), &pages, "/keys").await? {
        if text(&key, "/displayName").as_deref() == Some(label) && key.get("deleteTime").is_none() {
            let name = named(&key, "/name")?;
            keys.push(Key { id: name, state: "active".to_owned(), label: Some(label.to_owned()), made: None });
        }
    }
    Ok(keys)
}

/// The path of what is named there.
fn named(answer: &Value, pointer: &str) -> Result<String, Trouble> {
    let name = text(answer, pointer).filter(|name| name.split('/').all(|part| segment(part) == part));
    name.map(|name| format!("/v2/{name}")).ok_or_else(|| Trouble::Unknown("a name is not as it is documented".to_owned()))
}

async fn mint(world: &World<'_>, label: &str) -> Result<Minted, Trouble> {
    let id = old(world).await?.id;
    let desk = Desk::open(world, &SERVICE, None)?;
    let mut body = picked(&desk.get(&id).await?, &BOUNDS);
    body.insert("displayName".to_owned(), json!(label));
    let mut operation = desk.act(Call::new(Method::Post, siblings(&id)?).json(&Value::Object(body))).await?;
    // From here on there may be one, whatever else is said: whoever looks finds it by its name.
    let unknown = |trouble: Trouble| Trouble::Unknown(trouble.why());
    let at = named(&operation, "/name").map_err(unknown)?;
    for _ in 0..LOOKS {
        if operation["done"] == Value::Bool(true) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        operation = desk.get(&at).await.map_err(unknown)?;
    }
    if let Some(why) = text(&operation, "/error/message") {
        return Err(Trouble::Unknown(why));
    }
    let id = named(&operation, "/response/name").map_err(unknown)?;
    let mut answer = desk.get(&format!("{id}/keyString")).await.map_err(unknown)?;
    let Some(Value::String(value)) = answer.pointer_mut("/keyString") else {
        return Err(Trouble::Unknown("the new key's value is not told".to_owned()));
    };
    let secret = Secret::new(value.as_bytes());
    value.zeroize();
    Ok(Minted { id, parts: vec![("key".to_owned(), secret)] })
}

impl Mint for NewKey {
    fn name(&self) -> &'static str {
        "google-key-create"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        SERVICE.needs()
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "apikeys.keys.lookup",
            "apikeys.keys.get",
            "apikeys.keys.list",
            "apikeys.keys.create",
            "apikeys.keys.getKeyString",
            "apikeys.keys.delete",
        ]
    }

    fn what(&self, _with: &BTreeMap<String, String>) -> String {
        "another key of the same project with the old one's restrictions".to_owned()
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(listed(world, label))
    }

    fn about<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(async move { Ok(json!(old(world).await?.id)) })
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(mint(world, label))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let desk = Desk::open(world, &SERVICE, None)?;
            match Keys.put(&desk, id, DELETED).await {
                Ok(()) | Err(Trouble::Absent | Trouble::Unknown(_)) => {}
                Err(trouble) => return Err(trouble),
            }
            // Done is what can be seen, not what was answered; deleting takes an operation, too.
            for look in 0..LOOKS {
                if Keys.read(&desk, id).await?.state == DELETED {
                    return Ok(());
                }
                if look + 1 < LOOKS {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Err(Trouble::Unknown("it was deleted, and still reads as active".to_owned()))
        })
    }
}
