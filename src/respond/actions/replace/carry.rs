//! Mints and stores. Every way out says what is there now.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::super::keys::Trouble;
use super::super::{Outcome, World};
use super::places::{self, Place, Planned};
use super::put::{Unwritten, stored};
use super::{Key, Lost, Mint, Minted, Noted, label, probe, rolling};
use crate::respond::stores::find;
use crate::secret::{Scrubber, Secret};

/// A write of which nobody knows what came may still take effect for so long, and a key be made that is not listed yet.
const SETTLED: Duration = Duration::from_mins(5);
/// One whose sender has died, for so long: its connection is closed.
const LATE: Duration = Duration::from_secs(5);
/// A key that was made so long before or after this run began to make one, by the provider's clock, is not taken for it.
const SKEW: Duration = Duration::from_mins(2);

pub(super) async fn applied(mint: &dyn Mint, world: &World<'_>) -> Outcome {
    match carried(mint, world).await {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

async fn carried(mint: &dyn Mint, world: &World<'_>) -> Result<Outcome, Outcome> {
    let deadline = rolling::deadline(world);
    let planned = places::planned(world).map_err(Outcome::Refused)?;
    let mut noted = Noted::of(world);
    let places = settled(world, &planned, &noted).await.map_err(Trouble::settles)?;
    let minted = if let Some(minted) = standing(mint, world, (&places, &mut noted)).await? {
        minted
    } else {
        certain(world, &mut noted).await?;
        fresh(mint, world, (&places, &mut noted)).await?
    };
    let scrubber = Scrubber::new(minted.parts.iter().map(|(_, value)| value));
    let patience = world.timeout / 2;
    let accepted = match probe::accepted(mint, world, (&minted, patience)).await {
        Ok(accepted) => accepted,
        Err(why) => {
            let why = scrubber.scrub(&why);
            return Ok(given_up(mint, world, (&planned, &minted.id, &why), (&mut noted, false)).await);
        }
    };
    if noted.accepted.is_none() {
        noted.accepted = Some(world.hands.clock.now());
        noted.write(world).await.map_err(Outcome::Unknown)?;
    }
    // What rolls its readers comes last, and each waits for the one before to be whole with the new one.
    let (mut rolled, due): (Vec<&Place>, Vec<&Place>) = places.iter().partition(|place| place.old.is_empty());
    rolled.retain(|place| rolling::rolls(world, place));
    let (last, first): (Vec<&Place>, Vec<&Place>) = due.into_iter().partition(|place| rolling::rolls(world, place));
    for place in first {
        if let Err(Unwritten { why, for_sure }) = stored(mint, world, place, (&places, &minted)).await {
            // The others keep the old one, which works.
            let why = format!("{}: {}", place.store.name(), scrubber.scrub(&why));
            return Ok(given_up(mint, world, (&planned, &minted.id, &why), (&mut noted, !for_sure)).await);
        }
    }
    for place in last {
        let written = match rolling::taken_up(world, (&rolled, deadline)).await {
            Ok(()) => match rolling::at_rest(world, (place, deadline)).await {
                Ok(()) => stored(mint, world, place, (&places, &minted)).await,
                Err(why) => Err(Unwritten { why: format!("was not written, since {why}"), for_sure: true }),
            },
            // Tasks that are on their way out may have the new one yet.
            Err(why) => Err(Unwritten { why: format!("was not written, since {why}"), for_sure: false }),
        };
        if let Err(Unwritten { why, for_sure }) = written {
            let why = format!("{}: {}", place.store.name(), scrubber.scrub(&why));
            return Ok(given_up(mint, world, (&planned, &minted.id, &why), (&mut noted, !for_sure)).await);
        }
        rolled.push(place);
    }
    let stores: Vec<_> = planned.iter().map(|one| json!({ "store": one.name, "parts": one.parts })).collect();
    let mut evidence = json!({ "id": minted.id, "accepted": accepted, "stores": stores, "removed": noted.removed });
    let left = rolling::left(world, (&planned, &places), &noted).await;
    if !left.is_empty() {
        evidence["left"] = json!(left);
    }
    Ok(Outcome::Done(evidence))
}

/// So long after a mint of which nobody knows what came, the provider's list may not show the key yet that it has made.
pub(super) fn unlisted(world: &World<'_>, noted: &Noted) -> Option<Timestamp> {
    let until = noted.since.filter(|_| noted.minting && noted.id.is_none())?.checked_add(SETTLED).ok()?;
    (world.hands.clock.now() < until).then_some(until)
}

/// Nothing is minted beside a key that may be there and is not listed: providers' lists are behind their own mints, and none says
/// by how much. Once that has been waited for, a person says that there is none.
async fn certain(world: &World<'_>, noted: &mut Noted) -> Result<(), Outcome> {
    let Some(since) = noted.since.filter(|_| noted.minting && noted.id.is_none()) else { return Ok(()) };
    if let Some(until) = unlisted(world, noted) {
        return Err(Outcome::Unknown(format!(
            "what came of the new key that was asked for at {since} is not known; none is listed, but the list may be behind: \
             `respond resume` after {until}"
        )));
    }
    if !world.confirmed {
        return Err(Outcome::Waiting(format!(
            "what came of the new key that was asked for at {since} is not known, and none is listed even now: look in the \
             provider's console for one that was made then (where keys have names, {}) and delete it; then say that there is none \
             with `resume --done {}`, and another is minted",
            label(world.plan),
            world.step
        )));
    }
    noted.lost.push(Lost { at: since, said_by: world.requester.to_owned() });
    noted.forget();
    noted.write(world).await.map_err(Outcome::Unknown)
}

/// The stores as they are, once no write of a process that has died can take effect any more.
async fn settled(world: &World<'_>, planned: &[Planned], noted: &Noted) -> Result<Vec<Place>, Trouble> {
    let places = places::read(world, planned).await?;
    let late = noted.accepted.and_then(|at| at.checked_add(LATE).ok());
    let left = late.and_then(|late| Duration::try_from(late.duration_since(world.hands.clock.now())).ok());
    match left.filter(|left| !left.is_zero() && places.iter().any(|place| place.store.lingers())) {
        Some(left) => {
            tokio::time::sleep(left.min(LATE)).await;
            places::read(world, planned).await
        }
        None => Ok(places),
    }
}

/// The one that an earlier attempt has minted, with its value out of a store that has it. One whose value is nowhere is
/// removed, and then there is none.
async fn standing(
    mint: &dyn Mint,
    world: &World<'_>,
    (places, noted): (&[Place], &mut Noted),
) -> Result<Option<Minted>, Outcome> {
    let news = news(mint, world).await.map_err(Trouble::settles)?;
    let Some(one) = news.iter().find(|key| noted.id.as_ref() == Some(&key.id)) else {
        return unnoted(mint, world, (&news, noted)).await.map(|()| None);
    };
    // One of which a person said that there is none has shown up.
    for key in &news {
        if key.id != one.id && is_orphan(mint, world, (noted, key)).await {
            orphan_taken(mint, world, (key, noted)).await?;
        }
    }
    if let Some(parts) = found(world, places, noted) {
        return Ok(Some(Minted { id: one.id.clone(), parts }));
    }
    // Nobody has it only if every store still holds the old one, and no write is under way any more.
    if let Some(place) = places.iter().find(|place| place.planned.len() != place.old.len()) {
        let (id, store) = (&one.id, place.store.name());
        return Err(Outcome::Unknown(format!(
            "{id} was minted before, its value is in no store that can be read, and {store} does not hold the old one any more: \
             look at what it holds; nothing was changed now"
        )));
    }
    let until = noted.doubt.and_then(|at| at.checked_add(SETTLED).ok());
    if let Some(until) = until.filter(|until| world.hands.clock.now() < *until) {
        return Err(Outcome::Unknown(format!(
            "{} was minted before, and a store may still take what was sent to it; `respond resume` after {until}",
            one.id
        )));
    }
    taken_away(mint, world, (&one.id, noted)).await?;
    Ok(None)
}

/// Keys that are new, and of which nothing is noted. One that this run has made, and died before it could note it, goes.
/// Whatever else there is, is somebody's.
async fn unnoted(mint: &dyn Mint, world: &World<'_>, (news, noted): (&[Key], &mut Noted)) -> Result<(), Outcome> {
    for key in news {
        if is_orphan(mint, world, (noted, key)).await {
            orphan_taken(mint, world, (key, noted)).await?;
        } else if noted.minting && noted.id.is_none() {
            return Err(doubtful(mint, world, (noted, key)).await);
        } else {
            let what = "made since the plan, and not by this run; look at it and make a new plan";
            return Err(Outcome::Refused(format!("{}: {what}", key.id)));
        }
    }
    Ok(())
}

/// What is said of a key that may be this run's or somebody's.
pub(super) async fn doubtful(mint: &dyn Mint, world: &World<'_>, (noted, key): (&Noted, &Key)) -> Outcome {
    let what = "was made since; whether by this run or by somebody else cannot be told, so it was not touched";
    let unrecorded = just_then(noted, key) && matches!(mint.used(world, &key.id).await, Err(Trouble::Failed(_)));
    let then = match mint.ends() {
        // What stands in a place that is always taken cannot be deleted, only ended.
        Some(_) => format!("say so with `--done {}`, and it ends as another is made in its place", world.step),
        None if unrecorded => format!("say so with `--done {}`, and it is removed", world.step),
        None => "delete it, then go on".to_owned(),
    };
    Outcome::Unknown(format!("{} {what}: if nobody uses it, {then}", key.id))
}

/// Whether a key of which nothing is noted is certainly one that this run has made and lost: it has the name that this plan's
/// keys have; or, where keys have none, it was not there just before, was made just then, and nobody has ever used it.
pub(super) async fn is_orphan(mint: &dyn Mint, world: &World<'_>, (noted, key): (&Noted, &Key)) -> bool {
    if noted.asked().next().is_none() || noted.id.as_ref() == Some(&key.id) || noted.seen.contains(&key.id) {
        return false;
    }
    if key.label.is_some() {
        return true;
    }
    // Where its provider keeps no record of its use, a person says that nobody uses it.
    just_then(noted, key)
        && match mint.used(world, &key.id).await {
            Ok(used) => used.is_none(),
            Err(trouble) => world.confirmed && matches!(trouble, Trouble::Failed(_)),
        }
}

/// Whether a key was made when this run had asked for one.
fn just_then(noted: &Noted, key: &Key) -> bool {
    key.made.is_some_and(|made| noted.asked().any(|asked| asked.duration_since(made).unsigned_abs() <= SKEW))
}

/// Takes away a key that this run has asked for and that has shown up, and notes that it is gone.
async fn orphan_taken(mint: &dyn Mint, world: &World<'_>, (key, noted): (&Key, &mut Noted)) -> Result<(), Outcome> {
    removed(mint, world, &key.id).await?;
    noted.has_gone(key);
    noted.write(world).await.map_err(Outcome::Unknown)
}

/// Takes away the key that this run has minted and that nobody holds, and notes that it is gone.
async fn taken_away(mint: &dyn Mint, world: &World<'_>, (id, noted): (&str, &mut Noted)) -> Result<(), Outcome> {
    removed(mint, world, id).await?;
    noted.removed.push(id.to_owned());
    noted.forget();
    noted.write(world).await.map_err(Outcome::Unknown)
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

/// Keys that were not there when the plan was made: this run's, or somebody's.
pub(super) async fn news(mint: &dyn Mint, world: &World<'_>) -> Result<Vec<Key>, Trouble> {
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
    (noted.minting, noted.since) = (true, Some(world.hands.clock.now()));
    // One that has this plan's name is ours, and was late; what ends with the mint is known by what it was.
    let known = |key: &Key| mint.ends().is_some() || key.label.as_ref() != Some(&label);
    noted.seen = keys.into_iter().filter(known).map(|key| key.id).collect();
    noted.write(world).await.map_err(Outcome::Unknown)?;
    let minted = match mint.mint(world, &label).await {
        Ok(minted) => minted,
        Err(Trouble::Unknown(why)) => return Err(lost(mint, world, (noted, why)).await),
        Err(trouble) => {
            // It has made none: whatever shows up from now on is somebody else's.
            noted.forget();
            noted.write(world).await.map_err(Outcome::Unknown)?;
            return Err(trouble.settles());
        }
    };
    if !minted.parts.iter().all(|(_, value)| is_plain(value.expose())) {
        taken_away(mint, world, (&minted.id, noted)).await?;
        let what = "the provider's new value has characters in it that would change what stands around it in a store";
        return Err(Outcome::Failed(format!("{what}; {} was removed again", minted.id)));
    }
    let key = world.hands.stores.key.as_ref().ok_or_else(|| Outcome::Refused("fingerprints have no key".to_owned()))?;
    noted.id = Some(minted.id.clone());
    noted.parts = minted.parts.iter().map(|(name, value)| (name.clone(), vec![key.fingerprint(value.expose())])).collect();
    noted.write(world).await.map_err(Outcome::Unknown)?;
    Ok(minted)
}

/// Whether a value can stand in JSON, an environment file and a shell's quotes as it is.
fn is_plain(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'$');
    !value.is_empty() && value.iter().all(plain)
}

/// An answer did not come. If it has made a key, nobody knows its value, and it is removed.
async fn lost(mint: &dyn Mint, world: &World<'_>, (noted, why): (&mut Noted, String)) -> Outcome {
    match news(mint, world).await {
        Err(trouble) => Outcome::Unknown(format!("{why}; whether a key was made cannot be seen: {}", trouble.why())),
        // It may still show up; whoever resumes looks for it.
        Ok(keys) if keys.is_empty() => match certain(world, noted).await {
            Err(Outcome::Unknown(doubt)) => Outcome::Unknown(format!("{why}; {doubt}")),
            _ => Outcome::Unknown(format!("{why}; no new key is listed; `respond resume` looks again")),
        },
        Ok(keys) => match unnoted(mint, world, (&keys, noted)).await {
            // Which one has shown up is not known; another may be there.
            Ok(()) if noted.minting => Outcome::Unknown(format!(
                "{why}; a key that nobody held was removed, and there may be another: `respond resume` looks again"
            )),
            Ok(()) => Outcome::Failed(format!(
                "{why}; the key that was made all the same was removed; `respond resume` mints anew"
            )),
            Err(outcome) => outcome,
        },
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

/// What is to be said when not every store has the new one. Where none has it, nor may get it yet, it is removed.
async fn given_up(
    mint: &dyn Mint,
    world: &World<'_>,
    (planned, id, why): (&[Planned], &str, &str),
    (noted, in_doubt): (&mut Noted, bool),
) -> Outcome {
    let places = match places::read(world, planned).await {
        Ok(places) => places,
        Err(trouble) => {
            return Outcome::Unknown(format!("{why}; {id} was minted, and a store cannot be read: {}", trouble.why()));
        }
    };
    let (old, new): (Vec<&Place>, Vec<&Place>) = places.iter().partition(|place| place.planned.len() == place.old.len());
    if new.is_empty() && in_doubt {
        noted.doubt = Some(world.hands.clock.now());
        if let Err(why) = noted.write(world).await {
            return Outcome::Unknown(why);
        }
        return Outcome::Unknown(format!(
            "{why}; {id} was minted and stays, since the store may take it yet; the old one still works: `respond resume` looks again"
        ));
    }
    if new.is_empty() {
        return match taken_away(mint, world, (id, noted)).await {
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
