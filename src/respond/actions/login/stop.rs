//! Keeps a login out of a server and ends its sessions, and lets it in again: the order of that, the same for every kind of server. A
//! kind states how it looks and what it says to the server ([`Door`]).

use std::future::Future;
use std::marker::PhantomData;

use serde_json::Value;

use super::super::keys::GONE;
use super::super::stated::Ways;
use super::super::{Doing, Outcome, World};
use super::{Mark, Place, opened, opens, why};

/// What a kind of server calls things.
pub(in crate::respond::actions) struct Words {
    /// What is kept out: `the role`.
    pub(in crate::respond::actions) thing: &'static str,
    /// That it is: `kept out`.
    pub(in crate::respond::actions) shut: &'static str,
    /// What it has open.
    pub(in crate::respond::actions) sessions: &'static str,
    /// Why nothing is done where the server does not know it.
    pub(in crate::respond::actions) unknown: &'static str,
    /// That it is not there any more.
    pub(in crate::respond::actions) gone: &'static str,
}

/// A login at its server, and a session of the operator's there.
pub(in crate::respond::actions) trait Door: Sized + Send {
    /// The server.
    type Place: Place + Send + Sync;
    /// Its state while it is let in.
    const OPEN: &'static str;
    /// Those in which it is not.
    const SHUT: &'static [&'static str];
    /// That of one which is not there.
    const ABSENT: &'static str;
    /// Whether the server may say that it is shut before it has looked at the password, so that nothing can be proved of it then.
    const SAYS_SHUT_FIRST: bool = false;
    const WORDS: Words;

    fn open(world: &World<'_>, mark: Mark, place: &Self::Place) -> impl Future<Output = Result<Self, Outcome>> + Send;
    /// Its state.
    fn state(&mut self) -> impl Future<Output = Result<&'static str, Outcome>> + Send;
    /// Into which state it is brought to keep it out.
    ///
    /// # Errors
    /// Why it is not.
    fn aim(&self) -> Result<&'static str, Outcome> {
        Self::SHUT.first().copied().ok_or_else(|| Outcome::Failed("it cannot be kept out".to_owned()))
    }
    /// Says so, once.
    fn set(&mut self, now: &str, state: &'static str) -> impl Future<Output = Result<(), Outcome>> + Send;
    /// Ends its sessions; how many there were at the last look.
    fn end(&mut self, state: &str) -> impl Future<Output = Result<u64, Outcome>> + Send;
    /// What is seen of it.
    fn seen(&mut self, state: &str) -> impl Future<Output = Value> + Send;
    /// The same, once it was stopped.
    fn after(&mut self, _world: &World<'_>, state: &str) -> impl Future<Output = Value> + Send {
        self.seen(state)
    }
    /// The same, once it was let in again.
    fn again(&mut self, state: &str) -> impl Future<Output = Value> + Send {
        self.seen(state)
    }
    /// Whether it may be let in again.
    ///
    /// # Errors
    /// Why not.
    fn may_return(_world: &World<'_>, _mark: &Mark) -> impl Future<Output = Result<(), Outcome>> + Send {
        async { Ok(()) }
    }
    /// Whether what is seen of it now settles that it is as it was before.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn settles(&self, _before: &Value, _now: &str) -> Result<(), Outcome> {
        Ok(())
    }
}

/// Brings a state about, and looks whether it is so.
async fn turn<D: Door>(door: &mut D, now: &str, state: &'static str) -> Result<Option<Outcome>, Outcome> {
    door.set(now, state).await?;
    let thing = D::WORDS.thing;
    match door.state().await {
        Ok(now) if now == state => Ok(None),
        Ok(now) => Ok(Some(Outcome::Unknown(format!("the server took the change, and {thing} reads as {now}")))),
        Err(other) => {
            Ok(Some(Outcome::Unknown(format!("the server took the change, and it cannot be read back: {}", why(other)))))
        }
    }
}

async fn seen<D: Door>(world: &World<'_>) -> Result<Value, Outcome> {
    let found = Mark::found::<D::Place>(world)?;
    let is_found = found.is_some();
    // Once another stands in its place, its password may be nowhere.
    let planned = Mark::seen(world.before).filter(|_| world.plan.mode == "rotate");
    let mark = found.or(planned).ok_or_else(|| Outcome::Refused(GONE.to_owned()))?;
    let place: D::Place = mark.office(world)?;
    let proof = if is_found { opens::<D::Place>(world, &mark.name).await } else { Ok(()) };
    let proof = if D::SAYS_SHUT_FIRST { proof } else { Ok(proof?) };
    let mut door = D::open(world, mark, &place).await?;
    let state = door.state().await?;
    if state == D::OPEN {
        proof?;
    }
    Ok(door.seen(state).await)
}

async fn stopped<D: Door>(world: &World<'_>) -> Result<Outcome, Outcome> {
    let Words { shut, sessions, unknown, .. } = D::WORDS;
    let mark = Mark::agreed::<D::Place>(world)?;
    let place: D::Place = mark.office(world)?;
    // Asked first: a session at the server does not last.
    let opens = opened::<D::Place>(world, &mark.name).await;
    let mut door = D::open(world, mark, &place).await?;
    let before = door.state().await?;
    if before == D::ABSENT {
        let there = world.before.get("state").and_then(Value::as_str).is_some_and(|state| state != D::ABSENT);
        return Ok(if there { Outcome::AlreadyDone(door.seen(before).await) } else { Outcome::Refused(unknown.to_owned()) });
    }
    let mut now = before;
    if before == D::OPEN {
        opens?;
        now = door.aim()?;
        if let Some(doubt) = turn(&mut door, before, now).await? {
            return Ok(doubt);
        }
    }
    // From here on something was changed, whatever else goes wrong.
    match door.end(now).await {
        Ok(0) => {}
        Ok(left) => {
            return Ok(Outcome::Unknown(format!("it is {shut}, but {left} of its {sessions} had not ended yet")));
        }
        Err(other) => {
            return Ok(Outcome::Unknown(format!("it is {shut}, but its open {sessions} go on: {}", why(other))));
        }
    }
    // Whoever may change it could have let it in again while its sessions were ended.
    match door.state().await {
        Ok(now) if D::SHUT.contains(&now) => {
            let seen = door.after(world, now).await;
            Ok(if before == D::OPEN { Outcome::Done(seen) } else { Outcome::AlreadyDone(seen) })
        }
        Ok(now) => Ok(Outcome::Unknown(format!(
            "it was {shut}, and reads as {now} again: stop whoever does that, then `respond resume`"
        ))),
        Err(other) => Ok(Outcome::Unknown(format!("it was {shut}, and cannot be read back: {}", why(other)))),
    }
}

/// Lets it in again, where the plan saw it so. Its password need not be readable for that.
pub(in crate::respond::actions) async fn put_back<D: Door>(world: &World<'_>, before: &Value) -> Result<Outcome, Outcome> {
    let unseen = || Outcome::Failed("the plan did not see its state, so there is nothing to put back".to_owned());
    let mark = Mark::seen(before).ok_or_else(unseen)?;
    let state = before.get("state").and_then(Value::as_str).ok_or_else(unseen)?;
    let place: D::Place = mark.office(world)?;
    D::may_return(world, &mark).await?;
    let mut door = D::open(world, mark, &place).await?;
    let now = door.state().await?;
    if now == D::ABSENT && state == D::OPEN {
        return Ok(Outcome::Failed(D::WORDS.gone.to_owned()));
    }
    door.settles(before, now)?;
    if state != D::OPEN || now == D::OPEN {
        return Ok(Outcome::AlreadyDone(door.again(now).await));
    }
    match turn(&mut door, now, D::OPEN).await? {
        Some(doubt) => Ok(doubt),
        None => Ok(Outcome::Done(door.again(D::OPEN).await)),
    }
}

/// That as a stated action's ways.
pub(in crate::respond::actions) struct Stop<D>(PhantomData<fn() -> D>);

impl<D> Stop<D> {
    pub(in crate::respond::actions) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<D: Door> Ways for Stop<D> {
    fn seen<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(seen::<D>(world))
    }

    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(stopped::<D>(world))
    }

    fn undone<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(put_back::<D>(world, before))
    }
}
