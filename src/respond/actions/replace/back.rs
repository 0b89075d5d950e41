//! Walks a replacement back: the old value into the stores again, then the new one away. Never while the old one does not work.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::keys::{GONE, Trouble};
use super::super::{Outcome, World, restart};
use super::carry::{doubtful, is_orphan, news, unlisted};
use super::places::{self, Place, Planned};
use super::put::{Change, olds, put};
use super::{Key, Mint, Noted, label, probe, rolling};
use crate::model::{Liveness, StepState};
use crate::respond::replay::DOUBT;
use crate::respond::stores::{Login, find, holds};
use crate::secret::Secret;

/// So long nobody must have used the new one before it goes.
const QUIET: Duration = Duration::from_mins(15);

/// What is active again is known everywhere after so long.
const PATIENCE: Duration = Duration::from_secs(5);

type Parts = Vec<(String, Secret)>;

/// Whether it can be walked back or not, a key that nobody holds goes first.
pub(super) async fn walked_back(mint: &dyn Mint, world: &World<'_>) -> Outcome {
    let mut noted = Noted::of(world);
    let taken = orphans_taken(mint, world, &mut noted).await;
    // What is gone is noted, though another could not be taken away.
    let gone = noted.removed[Noted::of(world).removed.len()..].to_vec();
    let written = if gone.is_empty() { Ok(()) } else { noted.write(world).await };
    if let Err(why) = taken.and(written) {
        return Outcome::Unknown(format!("nothing was put back: {why}"));
    }
    let outcome = match back(mint, world, (&noted, &gone)).await {
        Ok(outcome) | Err(outcome) => outcome,
    };
    let told = |why: String| match gone.as_slice() {
        [] => why,
        gone => format!("{why} ({}, which nobody held, was removed)", gone.join(", ")),
    };
    match outcome {
        Outcome::Refused(why) => Outcome::Refused(told(why)),
        Outcome::Failed(why) => Outcome::Failed(told(why)),
        Outcome::Unknown(why) => Outcome::Unknown(told(why)),
        Outcome::Waiting(why) => Outcome::Waiting(told(why)),
        other => other,
    }
}

async fn back(mint: &dyn Mint, world: &World<'_>, (noted, gone): (&Noted, &[String])) -> Result<Outcome, Outcome> {
    let deadline = rolling::deadline(world);
    let Ok(planned) = places::planned(world) else { return Ok(Outcome::AlreadyDone(json!({ "stores": [] }))) };
    // Only what this run has made goes.
    let mut new = Vec::new();
    for key in news(mint, world).await.map_err(Trouble::settles)? {
        if noted.id.as_ref() == Some(&key.id) {
            new.push(key);
        } else if !gone.contains(&key.id) && noted.minting && noted.id.is_none() {
            return Err(doubtful(mint, world, (noted, &key)).await);
        }
    }
    if new.is_empty() && noted.id.is_none() {
        let all = !gone.is_empty() && noted.asked().next().is_none();
        return Ok(if all { Outcome::Done(json!({ "restored": true, "removed": gone })) } else { nothing(world, noted) });
    }
    let places = places::read(world, &planned).await.map_err(Trouble::settles)?;
    let written: Vec<&Place> = places.iter().filter(|place| place.planned.len() != place.old.len()).collect();
    if !written.is_empty() {
        let old = old(world, (&places, &planned)).await?;
        let said = probe::asked(mint, world, &old).await;
        let why = match &said {
            said if said.is_usable() => None,
            Liveness::NotChecked(why) => Some(why.as_deref().unwrap_or("not asked").to_owned()),
            // It may have been set active a moment ago.
            _ => probe::again(mint, world, (&old, PATIENCE)).await.err(),
        };
        if let Some(why) = why {
            return Err(Outcome::Refused(format!(
                "the old one does not work any more ({why}), so the stores keep the new one; nothing was changed"
            )));
        }
        for place in written {
            let login = noted.id.as_ref().and_then(|id| mint.login(world.before, id));
            let restored = restored(world, place, (&places, &old, noted, login)).await;
            restored.map_err(|why| Outcome::Failed(format!("{}: {why}; the new one stays", place.store.name())))?;
        }
    }
    // Tasks of the revision before run with the new one until they are all gone.
    if let Some(key) = new.first()
        && let Err(why) = rolling::whole(world, (&places, deadline)).await
    {
        return Err(Outcome::Failed(format!(
            "the stores hold the old one again, and {} stays for now: {why}; `respond undo` again once it runs in whole",
            key.id
        )));
    }
    for key in &new {
        take(mint, world, (key, noted)).await?;
    }
    let removed: Vec<&String> = gone.iter().chain(new.iter().map(|key| &key.id)).collect();
    let mut evidence = json!({ "restored": true, "removed": removed });
    let left = rolling::left(world, (&planned, &places), noted).await;
    if !left.is_empty() {
        evidence["left"] = json!(left);
    }
    Ok(Outcome::Done(evidence))
}

/// Takes the new one away, unless it may still be in use.
async fn take(mint: &dyn Mint, world: &World<'_>, (key, noted): (&Key, &Noted)) -> Result<(), Outcome> {
    // Whoever has read the new one goes on with it until they look again.
    if let Some(why) = in_use(mint, world, (key, noted)).await {
        return Err(Outcome::Failed(format!(
            "the stores hold the old one again, and {} stays for now: {why}; restart what reads its store only at its start, \
             then `respond undo` again",
            key.id
        )));
    }
    match mint.remove(world, &key.id).await {
        Ok(()) | Err(Trouble::Absent) => Ok(()),
        Err(trouble) => {
            let why = trouble.why();
            Err(Outcome::Unknown(format!("the stores hold the old one again, {} could not be removed: {why}", key.id)))
        }
    }
}

/// Whether a key has shown up that this run has asked for and that nobody holds.
pub(super) async fn has_left(mint: &dyn Mint, world: &World<'_>) -> Result<bool, String> {
    let noted = Noted::of(world);
    if noted.asked().next().is_none() {
        return Ok(false);
    }
    for key in news(mint, world).await.map_err(Trouble::why)? {
        if is_orphan(mint, world, (&noted, &key)).await {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes away every key that this run has asked for, that nobody holds and that has shown up since.
async fn orphans_taken(mint: &dyn Mint, world: &World<'_>, noted: &mut Noted) -> Result<(), String> {
    if noted.asked().next().is_none() {
        return Ok(());
    }
    let before = noted.clone();
    for key in news(mint, world).await.map_err(Trouble::why)? {
        if !is_orphan(mint, world, (&before, &key)).await {
            continue;
        }
        match mint.remove(world, &key.id).await {
            Ok(()) | Err(Trouble::Absent) => noted.has_gone(&key),
            Err(trouble) => {
                return Err(format!("{}, which nobody holds, could not be removed: {}", key.id, trouble.why()));
            }
        }
    }
    Ok(())
}

/// The same, and nothing else: whatever stands in the stores stays there. What is to be noted, where one was there.
pub(super) async fn left_taken(mint: &dyn Mint, world: &World<'_>) -> Result<Option<Value>, String> {
    let before = Noted::of(world);
    let mut noted = before.clone();
    orphans_taken(mint, world, &mut noted).await?;
    Ok((noted != before).then(|| json!(noted)))
}

/// What there is to say where no key of this run's is to be seen.
fn nothing(world: &World<'_>, noted: &Noted) -> Outcome {
    match unlisted(world, noted) {
        Some(until) => Outcome::Unknown(format!(
            "what came of the new key that was asked for is not known; none is listed, but the list may be behind: `respond undo` \
             after {until}"
        )),
        // No list says by how much it is behind. What a person has looked for is looked for again whenever somebody asks.
        None => match noted.asked().last() {
            None => Outcome::AlreadyDone(json!({ "minted": null })),
            Some(asked) => in_doubt(world, noted, asked),
        },
    }
}

/// The same where one was asked for, and nobody has ever seen it.
fn in_doubt(world: &World<'_>, noted: &Noted, asked: Timestamp) -> Outcome {
    let label = label(world.plan);
    let what = format!(
        "the new key that was asked for at {asked} is not listed even now, and may be there (where keys have names, {label})"
    );
    // Whoever walks it back has not said what another has.
    let said_by = if noted.minting { world.confirmed.then_some(world.requester) } else { noted.said_by() };
    if let Some(said_by) = said_by {
        return Outcome::AlreadyDone(json!({ "minted": null, "said_by": said_by, DOUBT: what }));
    }
    Outcome::Waiting(format!(
        "{what}: look in the provider's console and delete it; then say that there is none with `undo RUN --done {}`. `respond undo` \
         looks again, whenever it is run",
        world.step
    ))
}

/// Why the new one may still be in use.
async fn in_use(mint: &dyn Mint, world: &World<'_>, (key, noted): (&Key, &Noted)) -> Option<String> {
    let accepted = noted.accepted.filter(|_| noted.id.as_ref() == Some(&key.id))?;
    match mint.used(world, &key.id).await {
        Ok(used) => {
            // By this clock: the provider's may be behind it, by as much as the key was made before it was asked for.
            let behind = noted.since.zip(key.made).map(|(asked, made)| asked.duration_since(made));
            let behind = behind.filter(jiff::SignedDuration::is_positive).unwrap_or_default();
            let used = used.map(|used| used.checked_add(behind).unwrap_or(Timestamp::MAX));
            // Records have whole seconds, and this run itself asked just before.
            let used = used.filter(|used| used.as_second() > accepted.as_second())?;
            let quiet = used.checked_add(QUIET).unwrap_or(Timestamp::MAX);
            (world.hands.clock.now() < quiet).then(|| format!("it was used at {used}"))
        }
        // Nobody tells; then it counts whether somebody said so.
        Err(why) => {
            let seen = world
                .plan
                .steps
                .iter()
                .zip(world.so_far)
                .any(|(step, status)| step.action == "new-in-use" && status.state == StepState::Succeeded);
            let why = why.why();
            // Nobody restarts them again on the way back.
            let runs = (restart::begun(world) && !world.confirmed).then(|| {
                format!(
                    "workloads were restarted with it, and whether they still run on it cannot be asked ({why}); once they are \
                     restarted again, say so with `undo RUN --done {}`",
                    world.step
                )
            });
            runs.or_else(|| {
                (seen && !world.confirmed).then(|| {
                    format!(
                        "it was said to be in use, and whether it still is cannot be asked ({why}); once nobody uses it, say so with \
                         `undo RUN --done {}`",
                        world.step
                    )
                })
            })
        }
    }
}

/// The old one's parts: where it was found, where it still stands, or in what a store held before.
async fn old(world: &World<'_>, (places, planned): (&[Place], &[Planned])) -> Result<Parts, Outcome> {
    let mut parts: Parts = Vec::new();
    let mut take = |name: &str, value: &Secret| {
        if parts.iter().all(|(other, _)| other != name) {
            parts.push((name.to_owned(), value.duplicate()));
        }
    };
    for (name, value) in olds(places) {
        take(name, value);
    }
    for credential in (world.hands.recall)(&world.plan.fingerprint) {
        credential.parts.iter().for_each(|part| take(&part.name, &part.value));
    }
    for (place, planned) in places.iter().zip(planned) {
        if let Ok(Some(held)) = place.store.earlier(world.hands, &planned.version).await
            && let Ok(more) = places::old(world, &held)
        {
            for (name, value) in &more {
                take(name, value);
            }
        }
    }
    let missing = planned.iter().flat_map(|one| &one.parts).find(|name| parts.iter().all(|(other, _)| other != *name));
    match missing {
        None => Ok(parts),
        Some(name) => Err(Outcome::Refused(format!("the old one's {name}: {GONE}; the stores keep the new one"))),
    }
}

/// Puts the old one where the new one stands.
async fn restored(
    world: &World<'_>,
    place: &Place,
    (places, old, noted, login): (&[Place], &Parts, &Noted, Option<Login>),
) -> Result<(), String> {
    let value = |name: &str| old.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    let wanted: Vec<&Secret> = place.planned.iter().filter_map(|name| value(name)).collect();
    if let Some((_, name)) = place.store.said() {
        let value = value(name).ok_or_else(|| GONE.to_owned())?;
        return put(world, place, (Change::Whole(value), &wanted)).await.map_err(|unwritten| unwritten.why);
    }
    let key = world.hands.stores.key.as_ref().ok_or_else(|| "fingerprints have no key".to_owned())?;
    let mut new: Parts = Vec::new();
    for other in places {
        // Several stores may hold the same one.
        let more = find(&other.held.fields, &noted.parts, key);
        new.extend(more.into_iter().filter(|(name, _)| new.iter().all(|(known, _)| known != name)).collect::<Vec<_>>());
    }
    let pairs: Vec<(&Secret, &Secret)> = new.iter().filter_map(|(name, new)| Some((new, value(name)?))).collect();
    let stands = pairs.iter().map(|(new, _)| *new).filter(|new| holds(&place.held.fields, new)).collect();
    let login = login.map(|Login { kind, server, old, new }| Login { kind, server, old: new, new: old });
    let change = Change::Parts { pairs: &pairs, login, stands };
    let fields = change.over(&place.held)?;
    let same = fields.iter().zip(&place.held.fields).all(|((_, now), (_, was))| now.expose() == was.expose());
    if same {
        return Err("it holds neither the old one nor the new one: somebody changed it".to_owned());
    }
    put(world, place, (change, &wanted)).await.map_err(|unwritten| unwritten.why)
}
