//! Fireworks: a key is found in the lists of every user of every account that the responder's key may see, by the first characters
//! that are shown of it, and deleted. How many are shown is not documented: too few, or a key of the responder's that begins alike, and
//! nothing is changed.
//! Sources: Fireworks API reference, List Accounts, List Users, List API Keys (`apiKeys[]` with `keyId`, `prefix`, `displayName`,
//! `createTime`), Delete API Key (`POST …/apiKeys:delete` with `keyId`)
//! (<https://docs.fireworks.ai/api-reference/list-api-keys>, <https://docs.fireworks.ai/api-reference/delete-api-key>); firectl,
//! `list api-keys --all-users`: "Admin only".

use serde_json::{Value, json};

use super::super::Doing;
use super::super::keys::{
    ABSENT, Call, Deed, Desk, Leaked, Login, Object, Office, Pages, Place, Proof, Service, Trouble, Voice, all, segment,
    text,
};
use crate::net::Method;

const SERVICE: Service = Service {
    provider: "fireworks",
    endpoint: "fireworks-admin",
    place: Place::Fixed("https://api.fireworks.ai"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

/// What every key begins with.
const PREFIX: &str = "fw_";
/// So many characters after that must be shown: nothing else than the listing says that the key is the operator's.
const LEAST_SHOWN: usize = 6;
const PAGES: Pages = Pages::Token { parameter: "pageToken", next: "/nextPageToken" };

/// A resource's name as a path: `accounts/A`, `accounts/A/users/U`.
fn path(item: &Value) -> Result<String, Trouble> {
    let name = text(item, "/name").filter(|name| name.starts_with("accounts/"));
    let name = name.ok_or_else(|| Trouble::Unknown("the list is not as it is documented".to_owned()))?;
    Ok(format!("/v1/{}", name.split('/').map(segment).collect::<Vec<_>>().join("/")))
}

async fn listed(desk: &Desk<'_>, path: &str, items: &str) -> Result<Vec<Value>, Trouble> {
    all(desk, &format!("{path}?pageSize=200"), &PAGES, items).await
}

fn object(user: &str, key: &Value, proof: Proof) -> Result<Object, Trouble> {
    let id = text(key, "/keyId").ok_or_else(|| Trouble::Unknown("the list is not as it is documented".to_owned()))?;
    let about = json!({ "name": key["displayName"], "prefix": key["prefix"], "created": key["createTime"] });
    Ok(Object { id: format!("{user}/apiKeys/{}", segment(&id)), state: "active".to_owned(), about, proof })
}

/// Whether it may be the leaked one, by what is shown of it.
fn fits(key: &Value, value: &str, own: Option<&str>) -> Option<Proof> {
    let shown = text(key, "/prefix")?;
    let shown = shown.trim_end_matches(['.', '*', '…']);
    let more = shown.strip_prefix(PREFIX)?;
    let enough = more.len() >= LEAST_SHOWN && !own.is_some_and(|own| own.starts_with(shown));
    value.starts_with(shown).then_some(if enough { Proof::Ends } else { Proof::None })
}

struct Keys;

async fn found(desk: &Desk<'_>, leaked: &Leaked) -> Result<Vec<Object>, Trouble> {
    let value = leaked.text().map_err(Trouble::Failed)?;
    let own = desk.world.hands.admin.as_ref().and_then(|admin| admin.value.expose_str()).map(str::trim);
    let mut found = Vec::new();
    for account in listed(desk, "/v1/accounts", "/accounts").await? {
        for user in listed(desk, &format!("{}/users", path(&account)?), "/users").await? {
            let user = path(&user)?;
            for key in listed(desk, &format!("{user}/apiKeys"), "/apiKeys").await? {
                if let Some(proof) = fits(&key, value, own) {
                    found.push(object(&user, &key, proof)?);
                }
            }
        }
    }
    Ok(found)
}

impl Office for Keys {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(found(desk, leaked))
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(async move {
            let (user, _) = id.split_once("/apiKeys/").ok_or(Trouble::Absent)?;
            for key in listed(desk, &format!("{user}/apiKeys"), "/apiKeys").await? {
                let one = object(user, &key, Proof::Exact)?;
                if one.id == id {
                    return Ok(one);
                }
            }
            Err(Trouble::Absent)
        })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, _state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (user, key) = id.split_once("/apiKeys/").ok_or(Trouble::Absent)?;
            let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy().into_owned();
            let call = Call::new(Method::Post, format!("{user}/apiKeys:delete")).json(&json!({ "keyId": key }));
            desk.act(call).await.map(drop)
        })
    }
}

pub(super) const KEY_DELETE: Deed = Deed {
    name: "fireworks-key-delete",
    service: &SERVICE,
    office: &Keys,
    wanted: ABSENT,
    effect: "delete the key, whichever user it is of",
    undo: None,
    permissions: &["a Fireworks key of an account's admin"],
};

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Proof, fits};

    #[test]
    fn what_shows_too_little_or_is_the_responders_own_proves_nothing() {
        let value = format!("fw_{}", ["61yxgYE", "c2t0TdqZ4NoBUyS"].concat());
        let fit = |shown: &str, own: Option<&str>| fits(&json!({ "prefix": shown }), &value, own);
        assert_eq!(fit("fw_61yxgY", None), Some(Proof::Ends));
        assert_eq!(fit("fw_61yxgY...", Some("fw_61yxgZzzz")), Some(Proof::Ends));
        assert_eq!(fit("fw_61yxg", None), Some(Proof::None));
        assert_eq!(fit("fw_61yxgYEc", Some("fw_61yxgYEcOther")), Some(Proof::None));
        for other in ["fw_61yxgX", "61yxgYEc", ""] {
            assert_eq!(fit(other, None), None, "{other}");
        }
        assert_eq!(fits(&Value::Null, &value, None), None);
    }
}
