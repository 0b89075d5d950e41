//! `azure-ai-key-alternate`: an account's two keys take turns. The one that is not in use is made anew, which ends its old value at
//! once, and is written to every store that holds the other; that one goes on working until it is made anew in its turn. No known store
//! may hold the one that is made anew, and a person has said that nobody uses it (`unused`). Which value a slot holds is known by its
//! keyed fingerprint: keys have no names here. Only the one whose fingerprint an answer gave is this run's; where the answer was lost
//! and the slot holds another than just before, a person says whether it is anybody's.
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
use crate::respond::stores::holds;
use crate::secret::Secret;

pub(in super::super) const KEY_ALTERNATE: Replace = Replace(&Alternate);
pub(super) const NAME: &str = "azure-ai-key-alternate";

struct Alternate;

/// The slot whose turn it is, and what it holds.
pub(super) struct Other {
    pub(super) account: String,
    pub(super) slot: &'static str,
    print: String,
    pub(super) key: Secret,
}

impl Other {
    pub(super) fn id(&self) -> String {
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
pub(super) async fn other(world: &World<'_>) -> Result<(String, Other), Trouble> {
    let old = old(world).await?;
    let (account, slot) = old.id.split_once('#').ok_or(Trouble::Absent)?;
    let mut found = None;
    for (name, key) in keys(&Desk::open(world, &SERVICE, None)?, account).await? {
        if name != slot {
            found = Some(Other { account: account.to_owned(), slot: name, print: print(world, &key)?, key });
        } else if !is_leaked(world, &key)? {
            let why = format!("{} holds another key by now; make a new plan", old.id);
            return Err(Trouble::Refused { status: 0, why });
        }
    }
    let found = found.ok_or_else(|| Trouble::Unknown("the account has no other key".to_owned()))?;
    Ok((old.id.clone(), found))
}

/// What a step that makes the other key anew has noted.
pub(super) struct Asked<'w> {
    /// The one that it has made.
    pub(super) id: Option<&'w str>,
    /// It has asked for one, and what came of that is not known.
    minting: bool,
    /// What was there just before.
    seen: Vec<&'w str>,
    /// It has asked for one, whatever became of that.
    pub(super) ever: bool,
}

impl<'w> Asked<'w> {
    pub(super) fn by(world: &World<'w>, step: &str) -> Self {
        let status = world.so_far.iter().find(|status| status.id == step);
        let noted = status.map_or(&Value::Null, |status| &status.noted);
        let all = |name: &str| noted[name].as_array().map_or(&[][..], Vec::as_slice);
        let (id, minting) = (noted["id"].as_str(), noted["minting"] == true);
        let ever = minting || id.is_some() || !all("removed").is_empty() || !all("lost").is_empty();
        Self { id, minting, seen: all("seen").iter().filter_map(Value::as_str).collect(), ever }
    }
}

/// The known store that holds a key. Whoever reads it there is cut off when the key ends.
///
/// # Errors
/// A store cannot be read, so that it is not known whether it does.
pub(super) async fn store_of(world: &World<'_>, key: &Secret) -> Result<Option<String>, Trouble> {
    let prints = world.hands.stores.key.as_ref();
    let prints = prints.ok_or_else(|| Trouble::Failed("fingerprints have no key".to_owned()))?;
    for store in world.hands.stores.open(&world.plan.files) {
        if let Some((print, _)) = store.said() {
            if print == prints.fingerprint(key.expose()) {
                return Ok(Some(store.name()));
            }
            continue;
        }
        match store.read(world.hands).await {
            Ok(held) if holds(&held.fields, key) => return Ok(Some(store.name())),
            Ok(_) | Err(Trouble::Absent) => {}
            Err(trouble) => {
                return Err(Trouble::Unknown(format!(
                    "whether {} holds the account's other key cannot be seen: {}",
                    store.name(),
                    trouble.why()
                )));
            }
        }
    }
    Ok(None)
}

/// A key ends only where no known store holds it.
async fn held_nowhere(world: &World<'_>, (at, key): (&str, &Secret)) -> Result<(), Trouble> {
    match store_of(world, key).await {
        Ok(None) => Ok(()),
        Ok(Some(store)) => {
            let why = format!("{store} holds {at}, and whoever reads it there would be cut off; nothing was changed");
            Err(Trouble::Refused { status: 0, why })
        }
        // Nothing was asked of the provider yet.
        Err(trouble) => Err(Trouble::Failed(trouble.why())),
    }
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
    if seen(world) != Some(&other.print) && !Asked::by(world, world.step).ever {
        let what = "was made anew since the plan, and not by this run: somebody uses it; make a new plan";
        return Err(Trouble::Refused { status: 0, why: format!("{}#{} {what}", other.account, other.slot) });
    }
    held_nowhere(world, (&format!("{}#{}", other.account, other.slot), &other.key)).await?;
    let key = anew(&Desk::open(world, &SERVICE, None)?, &other.account, other.slot).await?;
    // It may have made one: whoever looks finds that the slot holds another.
    let key = key.ok_or_else(|| Trouble::Unknown("the answer to the new key is not as it is documented".to_owned()))?;
    let id = format!("{}#{}@{}", other.account, other.slot, print(world, &key)?);
    Ok(Minted { id, parts: vec![("key".to_owned(), key)] })
}

/// Ends a value that nobody holds, or uses any more.
async fn remove(world: &World<'_>, id: &str) -> Result<(), Trouble> {
    let (at, held) = id.rsplit_once('@').ok_or(Trouble::Absent)?;
    let (account, slot) = at.split_once('#').ok_or(Trouble::Absent)?;
    let desk = Desk::open(world, &SERVICE, None)?;
    let there = async || -> Result<Option<Secret>, Trouble> {
        for (name, key) in keys(&desk, account).await? {
            if name == slot && print(world, &key)? == held {
                return Ok(Some(key));
            }
        }
        Ok(None)
    };
    let key = there().await?.ok_or(Trouble::Absent)?;
    held_nowhere(world, (at, &key)).await?;
    match anew(&desk, account, slot).await {
        Ok(_) | Err(Trouble::Unknown(_)) => {}
        Err(trouble) => return Err(trouble),
    }
    // Done is what can be seen, not what was answered.
    match there().await? {
        Some(_) => Err(Trouble::Unknown("it was made anew, and still holds the same".to_owned())),
        None => Ok(()),
    }
}

impl Mint for Alternate {
    fn name(&self) -> &'static str {
        NAME
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

    fn ends(&self) -> Option<&'static str> {
        Some("the earlier value of the account's other key")
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(async move {
            let asked = Asked::by(world, world.step);
            // What stands in the place of one that this run has ended is nobody's.
            if asked.ever && asked.id.is_none() && !asked.minting {
                return Ok(Vec::new());
            }
            let (_, other) = other(world).await?;
            let id = other.id();
            let ours = match asked.id {
                Some(known) => known == id,
                None if asked.seen.contains(&id.as_str()) => return Ok(Vec::new()),
                // Whether it is this run's nobody can tell: that it is nobody's a person can.
                None => asked.minting && world.confirmed,
            };
            Ok(vec![Key { id, state: "active".to_owned(), label: ours.then(|| label.to_owned()), made: None }])
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
