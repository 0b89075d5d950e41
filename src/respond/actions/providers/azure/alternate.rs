//! `azure-ai-key-alternate`: an account's two keys take turns. The one that is not in use is made anew, which ends its old value at
//! once, and is written to every store that holds the other; that one goes on working until it is made anew in its turn. A person has
//! said before that nobody uses the one that is made anew. Which value a slot holds is known by its keyed fingerprint: keys have no
//! names here, so that of the other slot only what changed since the plan, after this run asked for a change, is this run's.
//! Source: Microsoft, "Rotate keys in Azure AI services" (<https://learn.microsoft.com/en-us/azure/ai-services/rotate-keys>): use one key
//! only, regenerate the other, move to it, regenerate the first; the old value of a regenerated key stops working immediately. Accounts,
//! Regenerate Key: the answer holds both keys.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::super::keys::{Call, Desk, Leaked, Object, Office, Trouble};
use super::super::super::replace::{Key, Mint, Minted, Replace};
use super::super::super::{Doing, Needs, World};
use super::{KEY_REGENERATE, SERVICE, Slots, VERSION, is_leaked, keys, taken};
use crate::net::Method;
use crate::secret::Secret;

pub(in super::super) const KEY_ALTERNATE: Replace = Replace(&Alternate);

struct Alternate;

/// The slot whose turn it is, and what it holds.
struct Other {
    account: String,
    slot: &'static str,
    print: String,
}

impl Other {
    fn id(&self) -> String {
        format!("{}#{}@{}", self.account, self.slot, self.print)
    }
}

fn print(world: &World<'_>, key: &Secret) -> Result<String, Trouble> {
    let prints = world.hands.stores.key.as_ref();
    let prints = prints.ok_or_else(|| Trouble::Failed("fingerprints have no key".to_owned()))?;
    Ok(prints.fingerprint(key.expose()).short())
}

/// The old one's object: as the plan saw it, else by the value.
async fn old(world: &World<'_>) -> Result<Object, Trouble> {
    let leaked = Leaked::recall(world).map_err(|why| Trouble::Refused { status: 0, why })?;
    let desk = Desk::open(world, &SERVICE, leaked.as_ref())?;
    match world.before.get("object").and_then(Value::as_str) {
        Some(id) => Slots.read(&desk, id).await,
        None => KEY_REGENERATE.located(&desk, leaked.as_ref()).await,
    }
}

/// The other slot as it is now, beside the old one's, which must still hold the old one.
async fn other(world: &World<'_>) -> Result<(String, Other), Trouble> {
    let old = old(world).await?;
    let (account, slot) = old.id.split_once('#').ok_or(Trouble::Absent)?;
    let mut found = None;
    for (name, key) in &keys(&Desk::open(world, &SERVICE, None)?, account).await? {
        if *name != slot {
            found = Some(Other { account: account.to_owned(), slot: name, print: print(world, key)? });
        } else if !is_leaked(world, key)? {
            let why = format!("{} holds another key by now; make a new plan", old.id);
            return Err(Trouble::Refused { status: 0, why });
        }
    }
    let found = found.ok_or_else(|| Trouble::Unknown("the account has no other key".to_owned()))?;
    Ok((old.id.clone(), found))
}

/// What of this step is noted: whether it has asked for a change whose outcome stands, and whether it ever has.
fn noted(world: &World<'_>) -> (bool, bool) {
    let status = world.so_far.iter().find(|status| status.id == world.step);
    let Some(noted) = status.map(|status| &status.noted) else { return (false, false) };
    let stands = noted["minting"] == true || noted["id"].is_string();
    let some = |name: &str| noted[name].as_array().is_some_and(|all| !all.is_empty());
    (stands, stands || some("removed") || some("lost"))
}

fn seen<'w>(world: &'w World<'_>) -> Option<&'w str> {
    world.before.pointer("/other/print").and_then(Value::as_str)
}

/// Makes a slot anew; what it holds then.
async fn anew(desk: &Desk<'_>, account: &str, slot: &str) -> Result<Option<Secret>, Trouble> {
    let call = Call::new(Method::Post, format!("{account}/regenerateKey?{VERSION}")).json(&json!({ "keyName": slot }));
    Ok(taken(desk.act(call).await?).into_iter().find(|(name, _)| *name == slot).map(|(_, key)| key))
}

async fn mint(world: &World<'_>) -> Result<Minted, Trouble> {
    let (_, other) = other(world).await?;
    if seen(world) != Some(&other.print) && !noted(world).1 {
        let what = "was made anew since the plan, and not by this run: somebody uses it; make a new plan";
        return Err(Trouble::Refused { status: 0, why: format!("{}#{} {what}", other.account, other.slot) });
    }
    let key = anew(&Desk::open(world, &SERVICE, None)?, &other.account, other.slot).await?;
    // It may have made one: whoever looks finds that the slot holds another.
    let key = key.ok_or_else(|| Trouble::Unknown("the answer to the new key is not as it is documented".to_owned()))?;
    let new = Other { print: print(world, &key)?, ..other };
    Ok(Minted { id: new.id(), parts: vec![("key".to_owned(), key)] })
}

/// Ends a value that nobody holds, or uses any more.
async fn remove(world: &World<'_>, id: &str) -> Result<(), Trouble> {
    let (slot, held) = id.rsplit_once('@').ok_or(Trouble::Absent)?;
    let (account, slot) = slot.split_once('#').ok_or(Trouble::Absent)?;
    let desk = Desk::open(world, &SERVICE, None)?;
    let holds = async || -> Result<bool, Trouble> {
        for (name, key) in &keys(&desk, account).await? {
            if *name == slot && print(world, key)? == held {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if !holds().await? {
        return Err(Trouble::Absent);
    }
    match anew(&desk, account, slot).await {
        Ok(_) | Err(Trouble::Unknown(_)) => {}
        Err(trouble) => return Err(trouble),
    }
    // Done is what can be seen, not what was answered.
    if holds().await? { Err(Trouble::Unknown("it was made anew, and still holds the same".to_owned())) } else { Ok(()) }
}

impl Mint for Alternate {
    fn name(&self) -> &'static str {
        "azure-ai-key-alternate"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        SERVICE.needs()
    }

    fn permissions(&self) -> &'static [&'static str] {
        KEY_REGENERATE.permissions
    }

    fn what(&self, _with: &BTreeMap<String, String>) -> String {
        "a new value for the account's other key, whose old value ends at once".to_owned()
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(async move {
            // Before this run has asked for anything, whatever the slot holds is somebody's.
            if !noted(world).0 {
                return Ok(Vec::new());
            }
            let (_, other) = other(world).await?;
            let ours = seen(world).is_some_and(|seen| seen != other.print);
            // Keys have no names. Once it is known which one this run has made, another is somebody's.
            let noted = world.so_far.iter().find(|status| status.id == world.step);
            let known = noted.and_then(|status| status.noted["id"].as_str());
            let label = known.is_none_or(|known| known == other.id()).then(|| label.to_owned());
            let key = Key { id: other.id(), state: "active".to_owned(), label, made: None };
            Ok(if ours { vec![key] } else { Vec::new() })
        })
    }

    fn about<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(async move {
            let (id, other) = other(world).await?;
            Ok(json!({ "object": id, "other": { "slot": other.slot, "print": other.print } }))
        })
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, _label: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(mint(world))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(remove(world, id))
    }
}
