//! Azure OpenAI and AI services: the account is found by its endpoint and its key by its value; then that one of the two keys
//! is made anew, for good, or the account refuses keys altogether, until it is undone.
//! Source: Azure REST reference, Cognitive Services account management, 2023-05-01: Accounts list, list keys, regenerate key,
//! update (<https://learn.microsoft.com/en-us/rest/api/aiservices/accountmanagement/accounts>). The credential is an Entra access
//! token for <https://management.azure.com>, with Cognitive Services Contributor.

mod alternate;
mod unused;

use serde_json::{Value, json};
use zeroize::Zeroize;

use super::super::Doing;
use super::super::World;
use super::super::keys::{
    Call, Deed, Desk, Leaked, Login, Object, Office, Place, Proof, Service, Trouble, Voice, segment, text,
};
use crate::net::Method;
use crate::secret::Secret;

pub(super) use alternate::KEY_ALTERNATE;
pub(super) use unused::OtherUnused;

const SERVICE: Service = Service {
    provider: "azure",
    endpoint: "azure-admin",
    place: Place::Fixed("https://management.azure.com"),
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[],
};

const VERSION: &str = "api-version=2023-05-01";
const CURRENT: &str = "current";
const REPLACED: &str = "replaced";
const REFUSED: &str = "keys refused";

/// An account's keys by their slots, out of an answer, which keeps none of them.
fn taken(mut answer: Value) -> Vec<(&'static str, Secret)> {
    let mut keys = Vec::new();
    for (name, slot) in [("key1", "Key1"), ("key2", "Key2")] {
        if let Some(Value::String(key)) = answer.get_mut(name) {
            keys.push((slot, Secret::new(key.as_bytes())));
            key.zeroize();
        }
    }
    keys
}

async fn keys(desk: &Desk<'_>, account: &str) -> Result<Vec<(&'static str, Secret)>, Trouble> {
    Ok(taken(desk.ask(Call::new(Method::Post, format!("{account}/listKeys?{VERSION}"))).await?))
}

/// Which of an account's keys is the leaked one: `Key1`, `Key2`.
async fn slot(desk: &Desk<'_>, account: &str, value: &[u8]) -> Result<Option<&'static str>, Trouble> {
    Ok(keys(desk, account).await?.into_iter().find(|(_, key)| key.expose() == value).map(|(slot, _)| slot))
}

/// Whether a key is the leaked one: by its value, or where that is nowhere any more by its fingerprint.
fn is_leaked(world: &World<'_>, key: &Secret) -> Result<bool, Trouble> {
    if let Some(leaked) = Leaked::recall(world).map_err(Trouble::Failed)? {
        return Ok(leaked.value().expose() == key.expose());
    }
    let unreadable = || Trouble::Unknown("the value is no longer readable, to compare with".to_owned());
    let print = world.hands.stores.key.as_ref().ok_or_else(unreadable)?;
    // Of another key it would always be another.
    if !world.plan.fingerprint.to_string().starts_with(&format!("{}-", print.id())) {
        return Err(unreadable());
    }
    Ok(print.fingerprint(key.expose()) == world.plan.fingerprint)
}

/// The account that answers at the credential's host, if it is one of those that the responder may see.
async fn account(desk: &Desk<'_>, leaked: &Leaked) -> Result<Option<String>, Trouble> {
    let host = leaked.part("host").map_err(Trouble::Failed)?.to_ascii_lowercase();
    let subscriptions = desk.get("/subscriptions?api-version=2022-12-01").await?;
    let list = |answer: &Value| answer.pointer("/value").and_then(Value::as_array).cloned().unwrap_or_default();
    for subscription in list(&subscriptions) {
        let Some(id) = text(&subscription, "/subscriptionId") else { continue };
        let path = format!("/subscriptions/{}/providers/Microsoft.CognitiveServices/accounts?{VERSION}", segment(&id));
        let accounts = list(&desk.get(&path).await?);
        let at = |account: &&Value| {
            let endpoint = text(account, "/properties/endpoint").and_then(|url| url::Url::parse(&url).ok());
            endpoint.and_then(|url| url.host_str().map(str::to_owned)).is_some_and(|found| found == host)
        };
        if let Some(id) = accounts.iter().find(at).and_then(|account| text(account, "/id")) {
            // It stands in a path from here on.
            return Ok(Some(id).filter(|id| id.split('/').all(|part| segment(part) == part)));
        }
    }
    Ok(None)
}

struct Slots;

impl Office for Slots {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(async move {
            let Some(account) = account(desk, leaked).await? else { return Ok(Vec::new()) };
            let slot = slot(desk, &account, leaked.value().expose()).await?;
            let object = |slot: &str| Object {
                id: format!("{account}#{slot}"),
                state: CURRENT.to_owned(),
                about: Value::Null,
                proof: Proof::Exact,
            };
            Ok(slot.map(object).into_iter().collect())
        })
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(async move {
            // Only the value tells whether it was replaced.
            let (account, slot) = id.split_once('#').ok_or(Trouble::Absent)?;
            let all = keys(desk, account).await?;
            if all.len() < 2 {
                return Err(Trouble::Unknown("the answer does not hold both of the account's keys".to_owned()));
            }
            let mut state = REPLACED;
            for (name, key) in &all {
                if is_leaked(desk.world, key)? {
                    if *name != slot {
                        let why = format!("{name} of the account holds it by now, and not {slot}; make a new plan");
                        return Err(Trouble::Refused { status: 0, why });
                    }
                    state = CURRENT;
                }
            }
            Ok(Object { id: id.to_owned(), state: state.to_owned(), about: Value::Null, proof: Proof::Exact })
        })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, _state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (account, slot) = id.split_once('#').ok_or(Trouble::Absent)?;
            let call = Call::new(Method::Post, format!("{account}/regenerateKey?{VERSION}"));
            desk.act(call.json(&json!({ "keyName": slot }))).await.map(drop)
        })
    }
}

struct Accounts;

impl Office for Accounts {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(async move {
            let Some(account) = account(desk, leaked).await? else { return Ok(Vec::new()) };
            match slot(desk, &account, leaked.value().expose()).await {
                Ok(None) => Ok(Vec::new()),
                Ok(Some(_)) => Ok(vec![self.read(desk, &account).await?]),
                // An account that refuses keys does not list them; any other that does not has proved nothing.
                Err(Trouble::Failed(why)) => {
                    let now = self.read(desk, &account).await?;
                    if now.state == REFUSED { Ok(vec![now]) } else { Err(Trouble::Failed(why)) }
                }
                Err(trouble) => Err(trouble),
            }
        })
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(async move {
            let account = desk.get(&format!("{id}?{VERSION}")).await?;
            let refuses = account.pointer("/properties/disableLocalAuth") == Some(&Value::Bool(true));
            let state = if refuses { REFUSED } else { "keys accepted" };
            Ok(Object { id: id.to_owned(), state: state.to_owned(), about: Value::Null, proof: Proof::Exact })
        })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        let body = json!({ "properties": { "disableLocalAuth": state == REFUSED } });
        let call = Call::new(Method::Patch, format!("{id}?{VERSION}")).json(&body);
        Box::pin(async move { desk.act(call).await.map(drop) })
    }
}

pub(super) const KEY_REGENERATE: Deed = Deed {
    name: "azure-ai-key-regenerate",
    service: &SERVICE,
    office: &Slots,
    wanted: REPLACED,
    effect: "make the leaked one of the account's two keys anew; the other goes on working",
    undo: None,
    permissions: &[
        "Microsoft.CognitiveServices/accounts/listKeys/action",
        "Microsoft.CognitiveServices/accounts/regenerateKey/action",
        "Microsoft.CognitiveServices/accounts/read",
    ],
};

pub(super) const LOCAL_AUTH_DISABLE: Deed = Deed {
    name: "azure-ai-local-auth-disable",
    service: &SERVICE,
    office: &Accounts,
    wanted: REFUSED,
    effect: "have the account refuse both its keys, whoever uses them",
    undo: Some("have it accept keys again, if it did"),
    permissions: &[
        "Microsoft.CognitiveServices/accounts/listKeys/action",
        "Microsoft.CognitiveServices/accounts/read",
        "Microsoft.CognitiveServices/accounts/write",
    ],
};
