//! Two logins of a server take turns. One has one password, so that changing it locks out whoever has not read the new one yet; hence a
//! second one (`NAME_b`) gets a new password, and the first goes on working until nobody uses it. The next time it is the first one's turn
//! again. The order of that is the same for every kind of server, which states how it makes the two alike and whose turn it is ([`Turns`]).
//!
//! The password is made here and only its verifier is sent, since a server may log statements.

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::keys::{GONE, Trouble};
use super::super::replace::{Key, Mint, Minted, credential};
use super::super::{Doing, Needs, Outcome, Record, World};
use super::{Mark, Place, opens};
use crate::model::Liveness;
use crate::respond::stores::{Held, Login, UrlKind, only_logins};
use crate::secret::Secret;
use crate::validate::Validator;

/// Of a new password, from 62 letters and digits.
const LENGTH: usize = 40;
/// What the second one's name ends with.
pub(in crate::respond::actions) const SUFFIX: &str = "_b";

/// How logins of one kind of server take turns.
pub(in crate::respond::actions) trait Turns: Sized + 'static {
    type Place: Place;
    /// The action's name in playbooks.
    const NAME: &'static str;
    const KIND: &'static UrlKind;
    const PERMISSIONS: &'static [&'static str];
    /// What is made, in words.
    const WHAT: &'static str;
    /// What is said where nobody is logged in as the new one.
    const UNSEEN: &'static str;

    /// What the plan must have seen, with `object`, `server`, `role` and `next`, and what must still be so when it is carried out.
    fn about(world: &World<'_>) -> impl Future<Output = Result<Value, Trouble>> + Send;
    /// Those that a plan has given a turn and that still have it.
    fn ours(world: &World<'_>, by: &str) -> impl Future<Output = Result<Vec<String>, Trouble>> + Send;
    /// How many sessions of one are open; none where there is no such one.
    fn sessions(world: &World<'_>, who: &str) -> impl Future<Output = Result<usize, Trouble>> + Send;
    /// Makes it the next one's turn, with that password. Its name.
    fn turned(world: &World<'_>, by: (&Secret, &str)) -> impl Future<Output = Result<String, Trouble>> + Send;
    /// Ends a turn of this plan's.
    fn ended(world: &World<'_>, who: &str) -> impl Future<Output = Result<(), Trouble>> + Send;
}

pub(in crate::respond::actions) fn refused(why: impl Into<String>) -> Trouble {
    Trouble::Refused { status: 0, why: why.into() }
}

pub(in crate::respond::actions) fn settled(outcome: Outcome) -> Trouble {
    match outcome {
        Outcome::Refused(why) => refused(why),
        Outcome::Failed(why) => Trouble::Failed(why),
        Outcome::Unknown(why) => Trouble::Unknown(why),
        _ => Trouble::Unknown("nobody tells".to_owned()),
    }
}

/// Whom it is about, by what the plan saw; while planning, by what the credential opens.
pub(in crate::respond::actions) fn mark<T: Turns>(world: &World<'_>) -> Result<Mark, Trouble> {
    // A later step asks of what this one saw.
    let own = world.plan.steps.iter().find(|step| step.action == T::NAME).map(|step| &step.observed);
    for seen in [Some(world.before), own].into_iter().flatten() {
        let text = |name: &str| Some(seen.get(name)?.as_str()?.to_owned());
        if let (Some(name), Some(server)) = (text("role"), text("server")) {
            return Ok(Mark { name, server });
        }
    }
    Mark::found::<T::Place>(world).map_err(settled)?.ok_or_else(|| refused(GONE))
}

/// A password of letters and digits, which stand everywhere as they are.
fn password() -> Result<Secret, Trouble> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let (random, mut bytes) = (SystemRandom::new(), Zeroizing::new([0; 64]));
    let mut out = Zeroizing::new(Vec::with_capacity(LENGTH));
    while out.len() < LENGTH {
        random.fill(&mut *bytes).map_err(|_| Trouble::Failed("the system gave no random numbers".to_owned()))?;
        // Of 256 only four times 62 are taken, so that each letter is as likely.
        let letters = bytes.iter().filter(|&&byte| byte < 248).map(|&byte| LETTERS[usize::from(byte % 62)]);
        let missing = LENGTH - out.len();
        out.extend(letters.take(missing));
    }
    Ok(Secret::new(&out))
}

/// That as a way of minting.
pub(in crate::respond::actions) struct Alternate<T>(PhantomData<fn() -> T>);

impl<T> Alternate<T> {
    pub(in crate::respond::actions) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Turns> Mint for Alternate<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        Needs::Admin(T::Place::PROVIDER)
    }

    fn permissions(&self) -> &'static [&'static str] {
        T::PERMISSIONS
    }

    fn what(&self, _with: &BTreeMap<String, String>) -> String {
        T::WHAT.to_owned()
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, by: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(async move {
            let key = |id: String| Key { id, state: "active".to_owned(), label: Some(by.to_owned()), made: None };
            Ok(T::ours(world, by).await?.into_iter().map(key).collect())
        })
    }

    fn login(&self, seen: &Value, id: &str) -> Option<Login> {
        let text = |name: &str| Some(seen.get(name)?.as_str()?.to_owned());
        Some(Login { kind: T::KIND, server: text("server")?, old: text("role")?, new: id.to_owned() })
    }

    fn fits(&self, world: &World<'_>, held: Option<&Held>, old: &[(String, Secret)]) -> Result<(), String> {
        let held = held.ok_or_else(|| {
            format!(
                "nobody can read it, and the {}'s name, which changes with the password, cannot be written beside it",
                T::Place::WHO
            )
        })?;
        let mark = mark::<T>(world).map_err(Trouble::why)?;
        old.iter().try_for_each(|(_, value)| only_logins(&held.fields, value, (T::KIND, &mark.server, &mark.name)))
    }

    fn works<'a>(&'a self, world: &'a World<'_>, parts: &'a [(String, Secret)]) -> Option<Doing<'a, Liveness>> {
        Some(Box::pin(async move {
            let (Some(detector), Some(credential)) = (&world.hands.detector, credential(world, parts)) else {
                return Liveness::Unknown(GONE.to_owned());
            };
            let said = Validator::new(Arc::clone(&world.hands.net)).check(detector, &[credential]).await;
            match said {
                // That the password is right helps nobody who is not let in.
                Liveness::Limited(_, why) => Liveness::Unknown(why),
                Liveness::NotChecked(why) => Liveness::Unknown(why.unwrap_or_else(|| "it was not asked".to_owned())),
                said => said,
            }
        }))
    }

    fn about<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(async move {
            opens::<T::Place>(world, &mark::<T>(world)?.name).await.map_err(settled)?;
            T::about(world).await
        })
    }

    fn used<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Timestamp>, Trouble>> {
        Box::pin(async move {
            // Who is logged in uses it now; who is not may be again in a moment.
            if T::sessions(world, id).await? > 0 {
                return Ok(Some(world.hands.clock.now()));
            }
            Err(Trouble::Failed(T::UNSEEN.to_owned()))
        })
    }

    fn ahead<'a>(&'a self, _world: &'a World<'_>, _id: &'a str) -> Doing<'a, Result<Option<Duration>, Trouble>> {
        // Who is logged in is so now, by this clock.
        Box::pin(async { Ok(Some(Duration::ZERO)) })
    }

    fn old_use<'a>(&'a self, world: &'a World<'_>, seen: &'a Value) -> Doing<'a, Result<Record, Trouble>> {
        Box::pin(async move {
            let look = World { before: seen, ..*world };
            let sessions = T::sessions(&look, &mark::<T>(&look)?.name).await?;
            Ok(if sessions > 0 { Record::Used(world.hands.clock.now()) } else { Record::Empty })
        })
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, by: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(async move {
            let password = password()?;
            let id = T::turned(world, (&password, by)).await?;
            Ok(Minted { id, parts: vec![("password".to_owned(), password)] })
        })
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            match T::ended(world, id).await {
                // Whether it took effect was not told: another look says.
                Err(Trouble::Unknown(why)) => match T::ended(world, id).await {
                    Ok(()) | Err(Trouble::Absent) => Ok(()),
                    Err(again) => Err(Trouble::Unknown(format!("{why}; {}", again.why()))),
                },
                other => other,
            }
        })
    }
}
