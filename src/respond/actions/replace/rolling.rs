//! Stores whose write rolls whoever reads them (a service of ECS): one at a time, each of them the next one's canary.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::World;
use super::super::keys::Trouble;
use super::Noted;
use super::places::{self, Place, Planned};
use crate::respond::stores::find;

const PAUSE: Duration = Duration::from_secs(1);

/// Whether a write of it rolls its readers.
pub(super) fn rolls(world: &World<'_>, place: &Place) -> bool {
    place.store.settled(world.hands).is_some()
}

/// The part of a step's time that may be spent on waiting for readers: the rest is for what is done about them.
pub(super) fn deadline(world: &World<'_>) -> tokio::time::Instant {
    tokio::time::Instant::now() + world.timeout * 3 / 4
}

/// Waits until nothing is under way with whoever reads this: what is written over somebody's deployment takes that back, or is taken
/// back by it.
///
/// # Errors
/// What is under way, or has failed.
pub(super) async fn at_rest(world: &World<'_>, (place, deadline): (&Place, tokio::time::Instant)) -> Result<(), String> {
    while let Some(look) = place.store.settled(world.hands) {
        match look.await {
            Ok(()) => break,
            Err(Trouble::Unknown(why)) => {
                again(deadline).await.map_err(|()| format!("a deployment of it is under way ({why})"))?;
            }
            Err(trouble) => return Err(trouble.why()),
        }
    }
    Ok(())
}

/// What else of these holds the new one and is read by nobody: taken out of use where that can be, and said in any case.
pub(super) async fn left(world: &World<'_>, (planned, places): (&[Planned], &[Place]), noted: &Noted) -> Vec<Value> {
    let Some(key) = world.hands.stores.key.as_ref() else { return Vec::new() };
    let mut left = Vec::new();
    for place in places.iter().filter(|place| rolls(world, place)) {
        let name = place.store.name();
        let Some(since) = planned.iter().find(|one| one.name == name) else { continue };
        match place.store.left(world.hands, &since.version).await {
            Ok(held) => {
                for held in held.iter().filter(|held| !find(&held.fields, &noted.parts, key).is_empty()) {
                    let now = match place.store.retire(world.hands, &held.version).await {
                        Ok(now) => now.to_owned(),
                        Err(trouble) => format!("it could not be deregistered: {}", trouble.why()),
                    };
                    left.push(json!({ "store": name, "holds_the_new_one": held.version, "now": now }));
                }
            }
            Err(trouble) => left.push(json!({ "store": name, "unknown": trouble.why() })),
        }
    }
    left
}

/// Waits until whoever reads these has taken up the new one.
///
/// # Errors
/// Which has not, and why. One that has failed is not waited for.
pub(super) async fn taken_up(
    world: &World<'_>,
    (places, deadline): (&[&Place], tokio::time::Instant),
) -> Result<(), String> {
    for place in places {
        let named = |why: String| format!("{}: {why}", place.store.name());
        while let Some(look) = place.store.settled(world.hands) {
            match look.await {
                Ok(()) => break,
                Err(Trouble::Unknown(why)) => again(deadline).await.map_err(|()| named(why))?,
                Err(trouble) => return Err(named(trouble.why())),
            }
        }
        // What was rolled back is whole again as well.
        let held = place.store.read(world.hands).await.map_err(|trouble| named(trouble.why()))?;
        if !places::old(world, &held).map_err(|trouble| named(trouble.why()))?.is_empty() {
            return Err(named("it was rolled back to the old one".to_owned()));
        }
    }
    Ok(())
}

/// Waits until whoever reads these runs what they hold, whatever failed before.
///
/// # Errors
/// Which does not yet, and why.
pub(super) async fn whole(world: &World<'_>, (places, deadline): (&[Place], tokio::time::Instant)) -> Result<(), String> {
    for place in places {
        while let Some(look) = place.store.settled(world.hands) {
            match look.await {
                Ok(()) => break,
                Err(trouble) => {
                    again(deadline).await.map_err(|()| format!("{}: {}", place.store.name(), trouble.why()))?;
                }
            }
        }
    }
    Ok(())
}

async fn again(deadline: tokio::time::Instant) -> Result<(), ()> {
    if tokio::time::Instant::now() + PAUSE > deadline {
        return Err(());
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}
