//! Stores whose write rolls whoever reads them (a service of ECS): one at a time, each of them the next one's canary.

use std::time::Duration;

use super::super::World;
use super::super::keys::Trouble;
use super::places::{self, Place};

const PAUSE: Duration = Duration::from_secs(1);

/// Whether a write of it rolls its readers.
pub(super) fn rolls(world: &World<'_>, place: &Place) -> bool {
    place.store.settled(world.hands).is_some()
}

/// The part of a step's time that may be spent on waiting for readers: the rest is for what is done about them.
pub(super) fn deadline(world: &World<'_>) -> tokio::time::Instant {
    tokio::time::Instant::now() + world.timeout * 3 / 4
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
