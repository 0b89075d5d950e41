//! Mints and stores. Every way out says what is there now.

use std::time::Duration;

use serde_json::json;

use super::super::keys::Trouble;
use super::super::{Outcome, World};
use super::places::{self, Place, Planned};
use super::{Key, Mint, Minted, Noted, label, probe};
use crate::respond::stores::{Field, Held, Write, find, holds, swapped};
use crate::secret::{Scrubber, Secret};

/// A store whose answer was lost is written again, if it is still as it was.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn applied(mint: &dyn Mint, world: &World<'_>) -> Outcome {
    match carried(mint, world).await {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

async fn carried(mint: &dyn Mint, world: &World<'_>) -> Result<Outcome, Outcome> {
    let planned = places::planned(world).map_err(Outcome::Refused)?;
    let places = places::read(world, &planned).await.map_err(Trouble::settles)?;
    let mut noted = Noted::of(world);
    let minted = match standing(mint, world, (&places, &mut noted)).await? {
        Some(minted) => minted,
        None => fresh(mint, world, (&places, &mut noted)).await?,
    };
    let scrubber = Scrubber::new(minted.parts.iter().map(|(_, value)| value));
    let patience = world.timeout / 2;
    let accepted = match probe::accepted(world, &minted.parts, patience).await {
        Ok(accepted) => accepted,
        Err(why) => return Ok(given_up(mint, world, (&planned, &minted.id, &scrubber.scrub(&why))).await),
    };
    if noted.accepted.is_none() {
        noted.accepted = Some(world.hands.clock.now());
        noted.write(world).await.map_err(Outcome::Unknown)?;
    }
    let mut failures = Vec::new();
    for place in places.iter().filter(|place| !place.old.is_empty()) {
        if let Err(why) = stored(world, place, (&places, &minted)).await {
            failures.push(format!("{}: {}", place.store.name(), scrubber.scrub(&why)));
        }
    }
    if failures.is_empty() {
        let stores: Vec<_> = planned.iter().map(|one| json!({ "store": one.name, "parts": one.parts })).collect();
        return Ok(Outcome::Done(json!({
            "id": minted.id, "accepted": accepted, "stores": stores, "removed": noted.removed,
        })));
    }
    Ok(given_up(mint, world, (&planned, &minted.id, &failures.join("; "))).await)
}

/// The one that an earlier attempt has minted, with its value out of a store that has it. One whose value is nowhere is
/// removed, and then there is none.
async fn standing(
    mint: &dyn Mint,
    world: &World<'_>,
    (places, noted): (&[Place], &mut Noted),
) -> Result<Option<Minted>, Outcome> {
    let ours = ours(mint, world).await.map_err(Trouble::settles)?;
    let one = match ours.as_slice() {
        [] => return Ok(None),
        [one] if noted.minting => one,
        several => {
            let names: Vec<&str> = several.iter().map(|key| key.id.as_str()).collect();
            let what = "made since the plan, and not by this run; look at it and make a new plan";
            return Err(Outcome::Refused(format!("{}: {what}", names.join(", "))));
        }
    };
    let known = noted.id.as_ref() == Some(&one.id);
    if let Some(parts) = found(world, places, noted).filter(|_| known) {
        return Ok(Some(Minted { id: one.id.clone(), parts }));
    }
    // Nobody has it only if every store still holds the old one.
    if let Some(place) = places.iter().find(|place| place.planned.len() != place.old.len()) {
        let (id, store) = (&one.id, place.store.name());
        return Err(Outcome::Unknown(format!(
            "{id} was minted before, its value is in no store that can be read, and {store} does not hold the old one any more: \
             look at what it holds; nothing was changed now"
        )));
    }
    removed(mint, world, &one.id).await?;
    noted.removed.push(one.id.clone());
    (noted.minting, noted.id) = (false, None);
    noted.write(world).await.map_err(Outcome::Unknown)?;
    Ok(None)
}

/// The new one's parts, by the fingerprints that were noted, where stores hold all of them.
fn found(world: &World<'_>, places: &[Place], noted: &Noted) -> Option<Vec<(String, Secret)>> {
    let key = world.hands.stores.key.as_ref()?;
    let mut parts: Vec<(String, Secret)> = Vec::new();
    for place in places {
        let more = find(&place.held.fields, &noted.parts, key);
        parts.extend(more.into_iter().filter(|(name, _)| parts.iter().all(|(other, _)| other != name)).collect::<Vec<_>>());
    }
    (!noted.parts.is_empty() && parts.len() == noted.parts.len()).then_some(parts)
}

/// Keys that were not there when the plan was made.
pub(super) async fn ours(mint: &dyn Mint, world: &World<'_>) -> Result<Vec<Key>, Trouble> {
    let label = label(world.plan);
    let before = world.before.get("keys").and_then(serde_json::Value::as_array);
    let before = before.ok_or_else(|| Trouble::Failed("the plan did not see the keys; make a new plan".to_owned()))?;
    let known = |key: &Key| before.iter().any(|one| one.get("id").and_then(serde_json::Value::as_str) == Some(&key.id));
    let mut keys = mint.listed(world, &label).await?;
    keys.retain(|key| !known(key) && key.label.as_ref().is_none_or(|name| *name == label));
    Ok(keys)
}

/// Mints one, and notes by what it will be known.
async fn fresh(mint: &dyn Mint, world: &World<'_>, (places, noted): (&[Place], &mut Noted)) -> Result<Minted, Outcome> {
    if let Some(place) = places.iter().find(|place| place.planned.len() != place.old.len()) {
        let what = "does not hold what it held when the plan was made; nothing was minted: make a new plan";
        return Err(Outcome::Refused(format!("{} {what}", place.store.name())));
    }
    let label = label(world.plan);
    let keys = mint.listed(world, &label).await.map_err(Trouble::settles)?;
    mint.room(world, &keys).map_err(Outcome::Refused)?;
    noted.minting = true;
    noted.write(world).await.map_err(Outcome::Unknown)?;
    let minted = match mint.mint(world, &label).await {
        Ok(minted) => minted,
        Err(Trouble::Unknown(why)) => return Err(lost(mint, world, (noted, why)).await),
        Err(trouble) => return Err(trouble.settles()),
    };
    let key = world.hands.stores.key.as_ref().ok_or_else(|| Outcome::Refused("fingerprints have no key".to_owned()))?;
    noted.id = Some(minted.id.clone());
    noted.parts = minted.parts.iter().map(|(name, value)| (name.clone(), vec![key.fingerprint(value.expose())])).collect();
    noted.write(world).await.map_err(Outcome::Unknown)?;
    Ok(minted)
}

/// An answer did not come. If it has made a key, nobody knows its value, and it is removed.
async fn lost(mint: &dyn Mint, world: &World<'_>, (noted, why): (&mut Noted, String)) -> Outcome {
    let resume = "`respond resume` mints anew";
    match ours(mint, world).await {
        Err(trouble) => Outcome::Unknown(format!("{why}; whether a key was made cannot be seen: {}", trouble.why())),
        // It may still show up; whoever resumes looks for it.
        Ok(keys) if keys.is_empty() => Outcome::Unknown(format!("{why}; no new key is to be seen; {resume}")),
        Ok(keys) => {
            for key in keys {
                if let Err(outcome) = removed(mint, world, &key.id).await {
                    return outcome;
                }
                noted.removed.push(key.id);
            }
            noted.minting = false;
            match noted.write(world).await {
                Ok(()) => Outcome::Failed(format!("{why}; the key that was made all the same was removed; {resume}")),
                Err(why) => Outcome::Unknown(why),
            }
        }
    }
}

/// Takes away what nobody holds.
async fn removed(mint: &dyn Mint, world: &World<'_>, id: &str) -> Result<(), Outcome> {
    match mint.remove(world, id).await {
        Ok(()) | Err(Trouble::Absent) => Ok(()),
        Err(trouble) => {
            let why = trouble.why();
            Err(Outcome::Unknown(format!("{id} was minted, nobody holds its value, and it could not be removed: {why}")))
        }
    }
}

/// What is to be said when not every store has the new one. Where none has it, it is removed.
async fn given_up(mint: &dyn Mint, world: &World<'_>, (planned, id, why): (&[Planned], &str, &str)) -> Outcome {
    let places = match places::read(world, planned).await {
        Ok(places) => places,
        Err(trouble) => {
            return Outcome::Unknown(format!("{why}; {id} was minted, and a store cannot be read: {}", trouble.why()));
        }
    };
    let (old, new): (Vec<&Place>, Vec<&Place>) = places.iter().partition(|place| place.planned.len() == place.old.len());
    if new.is_empty() {
        return match removed(mint, world, id).await {
            Ok(()) => Outcome::Failed(format!("{why}; no store was written, and {id} was removed again")),
            Err(outcome) => outcome,
        };
    }
    let names = |places: &[&Place]| places.iter().map(|place| place.store.name()).collect::<Vec<_>>().join(", ");
    Outcome::Unknown(format!(
        "{why}; {id} is in {}, the old one still in {}, and both work: `respond resume` goes on, `respond undo` puts the old one back",
        names(&new),
        names(&old)
    ))
}

/// Writes one store, and looks whether it is so.
async fn stored(world: &World<'_>, place: &Place, (places, minted): (&[Place], &Minted)) -> Result<(), String> {
    let olds: Vec<(&str, &Secret)> = olds(places);
    let pairs: Vec<(&Secret, &Secret)> = olds.iter().filter_map(|(name, old)| Some((*old, part(minted, name)?))).collect();
    let fields = match place.store.said() {
        Some((_, name)) => {
            let value = part(minted, name).ok_or_else(|| format!("the new one has no {name}"))?;
            vec![(String::new(), value.duplicate())]
        }
        None => swapped(&place.held.fields, &pairs),
    };
    let wanted: Vec<&Secret> = place.old.iter().filter_map(|(name, _)| part(minted, name)).collect();
    put(world, place, (fields, &wanted)).await
}

fn part<'m>(minted: &'m Minted, name: &str) -> Option<&'m Secret> {
    minted.parts.iter().find(|(part, _)| part == name).map(|(_, value)| value)
}

/// The old one's parts, from wherever they stand.
pub(super) fn olds(places: &[Place]) -> Vec<(&str, &Secret)> {
    let mut olds: Vec<(&str, &Secret)> = Vec::new();
    for (name, value) in places.iter().flat_map(|place| &place.old).filter(|(_, value)| !value.is_empty()) {
        if olds.iter().all(|(other, _)| other != name) {
            olds.push((name, value));
        }
    }
    olds
}

/// Writes fields over what was read, and reads them back.
pub(super) async fn put(world: &World<'_>, place: &Place, (fields, wanted): (Vec<Field>, &[&Secret])) -> Result<(), String> {
    let key = world.hands.stores.key.as_ref().ok_or_else(|| "fingerprints have no key".to_owned())?;
    let whole = Secret::from_vec(fields.iter().flat_map(|(_, text)| text.expose().iter().copied()).collect());
    let token = key.fingerprint(whole.labelled(&[&place.store.name(), &place.held.version]).expose()).to_string();
    let token = token.split_once('-').map_or(token.as_str(), |(_, digest)| digest).to_owned();
    let write = Write { before: &place.held, fields, token };
    let mut said = String::new();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * attempt).await;
        }
        let outcome = place.store.write(world.hands, &write).await;
        let now = match place.store.read(world.hands).await {
            Ok(now) => now,
            Err(trouble) => return Err(format!("it cannot be read back: {}", trouble.why())),
        };
        if written(place, &now, wanted) {
            return Ok(());
        }
        match outcome {
            // Whether it took effect was not told, and it has not: once more.
            Err(Trouble::Unknown(why)) if now.version == place.held.version => said = why,
            Err(trouble) => return Err(trouble.why()),
            Ok(()) => "it took the new value, but does not read back so".clone_into(&mut said),
        }
    }
    Err(said)
}

/// Whether a store holds what was written to it. Of one that nobody can read, only that it was written is known.
fn written(place: &Place, now: &Held, wanted: &[&Secret]) -> bool {
    match place.store.said() {
        Some(_) => now.version != place.held.version,
        None => wanted.iter().all(|value| holds(&now.fields, value)),
    }
}
