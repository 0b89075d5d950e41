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
    /// What is to be written over what a store holds. A role and its password go as one, or not at all: half a login opens nothing.
    ///
    /// # Errors
    /// What stands in the way of that; nothing is to be written.
    pub(super) fn over(&self, held: &Held) -> Result<Vec<Field>, String> {
        match self {
            Self::Whole(value) => Ok(vec![(String::new(), value.duplicate())]),
            Self::Parts { pairs, login: None, .. } => Ok(swapped(&held.fields, pairs)),
            Self::Parts { pairs: [pair], login: Some(login), .. } => {
                let fields = renamed(&held.fields, *pair, login);
                only_logins(&held.fields, pair.0, (login.kind, &login.server, &login.old))?;
                only_logins(&fields, pair.1, (login.kind, &login.server, &login.new))?;
                Ok(fields)
            }
            Self::Parts { pairs, login: Some(login), .. } => Err(format!(
                "{} values would change with the role's name {}, and only its password can",
                pairs.len(),
                login.old
            )),
        }
    }

    /// Whether what a store holds since is the new role with the new password, and neither without the other.
    ///
    /// # Errors
    /// What stands there instead.
    fn whole(&self, now: &Held) -> Result<(), String> {
        match self {
            Self::Parts { pairs: [(_, new)], login: Some(login), .. } => {
                only_logins(&now.fields, new, (login.kind, &login.server, &login.new))
            }
            _ => Ok(()),
        }
    }

    /// Whether there is as much to be done in what it holds by now.
    fn is_due(&self, now: &Held) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Parts { pairs, login, stands } => {
                let fits = |(old, _): &(&Secret, &Secret), login: &Login| {
                    only_logins(&now.fields, old, (login.kind, &login.server, &login.old)).is_ok()
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
        // What was sent before may still take effect.
        let fields = change.over(before).map_err(|why| Unwritten { why, for_sure })?;
        let token = token(world, place, (before, &fields))?;
        let outcome = place.store.write(world.hands, &Write { before, fields, token }).await;
        for_sure &= !matches!(outcome, Ok(()) | Err(Trouble::Unknown(_)));
        let now = match place.store.read(world.hands).await {
            Ok(now) => now,
            Err(trouble) => return Err(Unwritten { why: format!("it cannot be read back: {}", trouble.why()), for_sure }),
        };
        if written(place, (before, &now), (wanted, outcome.is_ok())) {
            return change.whole(&now).map_err(|why| Unwritten { why: format!("it was written, and {why}"), for_sure });
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

#[cfg(test)]
mod tests {
    use super::Change;
    use crate::respond::stores::{Held, Login, POSTGRES};
    use crate::secret::Secret;

    fn over(text: &str, count: usize) -> Result<String, String> {
        let (old, new) = (Secret::new(b"N1N2N3N4"), Secret::new(b"aB3-xY9z"));
        let login =
            Login { kind: &POSTGRES, server: "db:5432".to_owned(), old: "shop_b".to_owned(), new: "shop".to_owned() };
        let held = Held { fields: vec![(String::new(), Secret::new(text.as_bytes()))], version: String::new() };
        let change = Change::Parts { pairs: &vec![(&old, &new); count], login: Some(login), stands: Vec::new() };
        change.over(&held).map(|fields| fields[0].1.expose_str().expect("text").to_owned())
    }

    #[test]
    fn a_role_and_its_password_change_as_one_or_not_at_all() {
        let text = "U=postgres://shop_b:N1N2N3N4@db/app\n";
        assert_eq!(over(text, 1).as_deref(), Ok("U=postgres://shop:aB3-xY9z@db/app\n"));
        for count in [0, 2] {
            let why = over(text, count).expect_err("half a login");
            assert!(why.contains("only its password can"), "{why}");
        }
        for (text, wanted) in [
            ("U=postgres://shop_b:N1N2N3N4@db/app\nP=N1N2N3N4\n", "outside of a URL"),
            ("U=postgres://shop_b:N1N2N3N4@replica/app\n", "another server"),
            ("U=postgres://clerk:aB3-xY9z@db/app\nV=postgres://shop_b:N1N2N3N4@db/app\n", "another role"),
        ] {
            let why = over(text, 1).expect_err(text);
            assert!(why.contains(wanted), "{text}: {why}");
        }
    }
}
