//! Writes the new one over the old one in a store, alone, and looks whether it is so.

use std::time::Duration;

use super::super::World;
use super::super::keys::Trouble;
use super::places::Place;
use super::{Mint, Minted};
use crate::respond::RespondError;
use crate::respond::folder::Lock;
use crate::respond::stores::{Field, Held, Write, holds, renamed, swapped};
use crate::secret::Secret;

/// A store whose answer was lost is written again, if it is still as it was.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
/// Another run may write a store for so long.
const OTHERS: Duration = Duration::from_secs(30);

/// A store was not written.
pub(super) struct Unwritten {
    pub(super) why: String,
    /// And will not be: it said so, or nothing was sent. Else the write may take effect yet, or has and does not show.
    pub(super) for_sure: bool,
}

impl Unwritten {
    fn surely(why: impl Into<String>) -> Self {
        Self { why: why.into(), for_sure: true }
    }
}

/// Writes one store, and looks whether it is so.
pub(super) async fn stored(
    mint: &dyn Mint,
    world: &World<'_>,
    place: &Place,
    (places, minted): (&[Place], &Minted),
) -> Result<(), Unwritten> {
    // It may hold more than when the plan was made.
    let held = place.store.said().is_none().then_some(&place.held);
    mint.fits(world, held, &place.old).map_err(Unwritten::surely)?;
    let olds: Vec<(&str, &Secret)> = olds(places);
    let pairs: Vec<(&Secret, &Secret)> = olds.iter().filter_map(|(name, old)| Some((*old, part(minted, name)?))).collect();
    let fields = match place.store.said() {
        Some((_, name)) => {
            let value = part(minted, name).ok_or_else(|| Unwritten::surely(format!("the new one has no {name}")))?;
            vec![(String::new(), value.duplicate())]
        }
        None => match (mint.login(world.before, &minted.id), pairs.as_slice()) {
            (Some(login), [pair]) => renamed(&place.held.fields, *pair, &login),
            _ => swapped(&place.held.fields, &pairs),
        },
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
pub(super) async fn put(
    world: &World<'_>,
    place: &Place,
    (fields, wanted): (Vec<Field>, &[&Secret]),
) -> Result<(), Unwritten> {
    let key = world.hands.stores.key.as_ref().ok_or_else(|| Unwritten::surely("fingerprints have no key"))?;
    let whole = Secret::from_vec(fields.iter().flat_map(|(_, text)| text.expose().iter().copied()).collect());
    let token = key.fingerprint(whole.labelled(&[&place.store.name(), &place.held.version]).expose()).to_string();
    let token = token.split_once('-').map_or(token.as_str(), |(_, digest)| digest).to_owned();
    let write = Write { before: &place.held, fields, token };
    // Stores without a precondition compare just before they write; no other run comes between.
    let _alone = alone(world, &place.store.name()).await.map_err(Unwritten::surely)?;
    let (mut said, mut for_sure) = (String::new(), true);
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * attempt).await;
        }
        let outcome = place.store.write(world.hands, &write).await;
        for_sure &= !matches!(outcome, Ok(()) | Err(Trouble::Unknown(_)));
        let now = match place.store.read(world.hands).await {
            Ok(now) => now,
            Err(trouble) => return Err(Unwritten { why: format!("it cannot be read back: {}", trouble.why()), for_sure }),
        };
        if written(place, &now, (wanted, outcome.is_ok())) {
            return Ok(());
        }
        match outcome {
            // Whether it took effect was not told, and it has not: once more.
            Err(Trouble::Unknown(why)) if now.version == place.held.version => said = why,
            Err(trouble) => return Err(Unwritten { why: trouble.why(), for_sure }),
            Ok(()) => "it took the new value, but does not read back so".clone_into(&mut said),
        }
    }
    Err(Unwritten { why: said, for_sure })
}

/// Waits until no other run over this state folder writes the store. One on another machine is not kept out.
async fn alone(world: &World<'_>, store: &str) -> Result<Option<Lock>, String> {
    let Some(folder) = world.folder else { return Ok(None) };
    let deadline = tokio::time::Instant::now() + OTHERS;
    loop {
        match folder.lock_store(store) {
            Ok(lock) => return Ok(Some(lock)),
            Err(RespondError::Busy(_)) if tokio::time::Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            Err(RespondError::Busy(_)) => return Err("another run writes it; nothing was written".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Whether a store holds what was written to it. Of one that nobody can read, only that it was written by us is known: that it
/// was written may be somebody else's doing.
fn written(place: &Place, now: &Held, (wanted, is_ours): (&[&Secret], bool)) -> bool {
    match place.store.said() {
        Some(_) => is_ours && now.version != place.held.version,
        None => wanted.iter().all(|value| holds(&now.fields, value)),
    }
}
