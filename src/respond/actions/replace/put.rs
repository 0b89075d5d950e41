//! Writes the new one over the old one in a store, alone, and looks whether it is so.

use std::time::Duration;

use super::super::World;
use super::super::keys::Trouble;
use super::places::Place;
use super::{Mint, Minted};
use crate::respond::RespondError;
use crate::respond::folder::Lock;
use crate::respond::stores::{Field, Held, Login, Write, holds, only_logins, renamed, swapped};
use crate::secret::Secret;

/// A store whose answer was lost is written again, if it is still as it was.
const ATTEMPTS: u32 = 3;
/// Others may have written it in between so often: what they wrote stays.
const BETWEEN: u32 = 10;
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
    let wanted: Vec<&Secret> = place.old.iter().filter_map(|(name, _)| part(minted, name)).collect();
    let change = match place.store.said() {
        Some((_, name)) => {
            Change::Whole(part(minted, name).ok_or_else(|| Unwritten::surely(format!("the new one has no {name}")))?)
        }
        None => Change::Parts {
            pairs: &pairs,
            login: mint.login(world.before, &minted.id),
            stands: place.old.iter().map(|(_, old)| old).collect(),
        },
    };
    put(world, place, (change, &wanted)).await
}

/// What becomes of what a store holds.
pub(super) enum Change<'c> {
    /// It is this, whatever it was: nobody can read it.
    Whole(&'c Secret),
    /// Values are put in place of others.
    Parts {
        /// The old and the new.
        pairs: &'c [(&'c Secret, &'c Secret)],
        /// The role that changes with a password.
        login: Option<Login>,
        /// Those of the old that it held when it was read.
        stands: Vec<&'c Secret>,
    },
}

impl Change<'_> {
    /// What is to be written over what a store holds.
    pub(super) fn over(&self, held: &Held) -> Vec<Field> {
        match self {
            Self::Whole(value) => vec![(String::new(), value.duplicate())],
            Self::Parts { pairs: [pair], login: Some(login), .. } => renamed(&held.fields, *pair, login),
            Self::Parts { pairs, .. } => swapped(&held.fields, pairs),
        }
    }

    /// Whether there is as much to be done in what it holds by now.
    fn is_due(&self, now: &Held) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Parts { pairs, login, stands } => {
                let fits = |(old, _): &(&Secret, &Secret), login: &Login| {
                    only_logins(&now.fields, old, (&login.server, &login.old)).is_ok()
                };
                stands.iter().all(|value| holds(&now.fields, value))
                    && login.as_ref().is_none_or(|login| pairs.iter().all(|pair| fits(pair, login)))
            }
        }
    }
}

/// The same for the same content, and for no other.
fn token(world: &World<'_>, place: &Place, (before, fields): (&Held, &[Field])) -> Result<String, Unwritten> {
    let key = world.hands.stores.key.as_ref().ok_or_else(|| Unwritten::surely("fingerprints have no key"))?;
    let whole = Secret::from_vec(fields.iter().flat_map(|(_, text)| text.expose().iter().copied()).collect());
    let token = key.fingerprint(whole.labelled(&[&place.store.name(), &before.version]).expose()).to_string();
    Ok(token.split_once('-').map_or(token.as_str(), |(_, digest)| digest).to_owned())
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

/// Writes over what was read, and reads it back. Where somebody else has written in between, over what it holds since: theirs stays.
pub(super) async fn put(
    world: &World<'_>,
    place: &Place,
    (change, wanted): (Change<'_>, &[&Secret]),
) -> Result<(), Unwritten> {
    // Stores without a precondition compare just before they write; no other run comes between.
    let _alone = alone(world, &place.store.name()).await.map_err(Unwritten::surely)?;
    let (mut said, mut for_sure) = (String::new(), true);
    let (mut attempts, mut between, mut newer) = (0, 0, None);
    while attempts < ATTEMPTS {
        if attempts > 0 {
            tokio::time::sleep(PAUSE * attempts).await;
        }
        let before: &Held = newer.as_ref().unwrap_or(&place.held);
        let fields = change.over(before);
        let token = token(world, place, (before, &fields))?;
        let outcome = place.store.write(world.hands, &Write { before, fields, token }).await;
        for_sure &= !matches!(outcome, Ok(()) | Err(Trouble::Unknown(_)));
        let now = match place.store.read(world.hands).await {
            Ok(now) => now,
            Err(trouble) => return Err(Unwritten { why: format!("it cannot be read back: {}", trouble.why()), for_sure }),
        };
        if written(place, (before, &now), (wanted, outcome.is_ok())) {
            return Ok(());
        }
        let moved = now.version != before.version;
        match outcome {
            // Whether it took effect was not told, and it has not: once more.
            Err(Trouble::Unknown(why)) if !moved => said = why,
            Err(Trouble::Unknown(why)) => return Err(Unwritten { why, for_sure }),
            // It was not taken, since it is not any more what it was.
            Err(_) if moved && change.is_due(&now) && between < BETWEEN => {
                (between, newer) = (between + 1, Some(now));
                continue;
            }
            Err(trouble) => return Err(Unwritten { why: trouble.why(), for_sure }),
            Ok(()) => "it took the new value, but does not read back so".clone_into(&mut said),
        }
        attempts += 1;
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
fn written(place: &Place, (before, now): (&Held, &Held), (wanted, is_ours): (&[&Secret], bool)) -> bool {
    match place.store.said() {
        Some(_) => is_ours && now.version != before.version,
        None => wanted.iter().all(|value| holds(&now.fields, value)),
    }
}
