//! Azure OpenAI and AI services: the account is found by its endpoint and its key by its value; then that one of the two keys
//! is made anew, for good, or the account refuses keys altogether, until it is undone.
//! Source: Azure REST reference, Cognitive Services account management, 2023-05-01: Accounts list, list keys, regenerate key,
//! update (<https://learn.microsoft.com/en-us/rest/api/aiservices/accountmanagement/accounts>). The credential is an Entra access
//! token for <https://management.azure.com>, with Cognitive Services Contributor.

use serde_json::{Value, json};
use zeroize::Zeroize;

use super::super::Doing;
use super::super::keys::{
    Call, Deed, Desk, Leaked, Login, Object, Office, Place, Proof, Service, Trouble, Voice, segment, text,
};
use crate::net::Method;

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

/// Which of an account's keys is the leaked one: `Key1`, `Key2`. The keys are wiped at once.
async fn slot(desk: &Desk<'_>, account: &str, value: &str) -> Result<Option<&'static str>, Trouble> {
    let mut keys = desk.ask(Call::new(Method::Post, format!("{account}/listKeys?{VERSION}"))).await?;
    let is = |keys: &Value, name: &str| keys.get(name).and_then(Value::as_str) == Some(value);
    let found = if is(&keys, "key1") { Some("Key1") } else { is(&keys, "key2").then_some("Key2") };
    for name in ["key1", "key2"] {
        if let Some(Value::String(key)) = keys.get_mut(name) {
            key.zeroize();
        }
    }
    Ok(found)
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
            let slot = slot(desk, &account, leaked.text().map_err(Trouble::Failed)?).await?;
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
            let leaked = Leaked::recall(desk.world).map_err(Trouble::Failed)?;
            let leaked =
                leaked.ok_or_else(|| Trouble::Unknown("the value is no longer readable, to compare with".to_owned()))?;
            let (account, _) = id.split_once('#').ok_or(Trouble::Absent)?;
            let found = slot(desk, account, leaked.text().map_err(Trouble::Failed)?).await?;
            let state = if found.is_some() { CURRENT } else { REPLACED };
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
            match slot(desk, &account, leaked.text().map_err(Trouble::Failed)?).await {
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
