//! How a host is treated while credentials are asked about: so many requests at once, so many a second, so many in all; the
//! pauses that it asks for; and rest for one that does not answer. A host that hangs holds up nobody but itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::NetError;

/// Connections open at once, over all hosts: far below the usual limit of 1,024 open files, and more than any few hosts
/// that hang can fill.
const IN_ALL: usize = 128;
/// For how long a host that fails is left alone; then one request tries again.
const REST: Duration = Duration::from_mins(1);
/// A longer pause than this is not waited for: what is queued behind it is Unknown.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A longer one than this is not believed.
const LONGEST_REST: Duration = Duration::from_mins(15);

/// What one host is asked at most in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Requests in flight.
    pub at_once: usize,
    /// Requests begun in a second.
    pub per_second: u32,
    /// Requests, repeated ones included.
    pub budget: u32,
    /// Failures in a row after which it is left alone.
    pub failures: u32,
}

impl Default for Manners {
    fn default() -> Self {
        Self { at_once: 4, per_second: 10, budget: 1000, failures: 3 }
    }
}

/// Every host that was asked in this run.
#[derive(Debug)]
pub(super) struct Hosts {
    manners: Manners,
    all: Arc<Semaphore>,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    name: String,
    gate: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    asked: u32,
    /// Failures in a row.
    failures: u32,
    /// When the next request may begin.
    next: Option<Instant>,
    /// Until when nobody is to ask.
    paused: Option<Instant>,
    /// Until when nobody is let in, and why.
    resting: Option<(Instant, Rest)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// It failed again and again.
    Failing,
    /// It asked for it.
    Asked,
}

impl State {
    /// Lets nobody in for so long, and never for less than was said already. What it asked for itself stays its own word.
    fn rest(&mut self, now: Instant, pause: Duration, why: Rest) {
        let before = self.resting.filter(|(until, _)| *until > now);
        self.resting = match (before, why) {
            (Some((until, Rest::Asked)), Rest::Failing) => Some((until, Rest::Asked)),
            (before, why) => Some((before.map_or(now + pause, |(until, _)| until.max(now + pause)), why)),
        };
    }
}

impl Hosts {
    pub(super) fn new(manners: Manners) -> Self {
        Self { manners, all: Arc::new(Semaphore::new(IN_ALL)), known: Mutex::default() }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Host {
            name: name.to_owned(),
            gate: Arc::new(Semaphore::new(self.manners.at_once.max(1))),
            state: Mutex::default(),
        };
        Arc::clone(known.entry(name.to_owned()).or_insert_with(|| Arc::new(new())))
    }

    /// Waits until a host may be asked.
    ///
    /// # Errors
    /// [`NetError::Spent`], [`NetError::Failing`] and [`NetError::Paused`]: it may not, in this run or for long.
    pub(super) async fn turn(&self, name: &str) -> Result<Turn, NetError> {
        let host = self.host(name);
        let gone = || NetError::Connect(name.to_owned());
        let own = Arc::clone(&host.gate).acquire_owned().await.map_err(|_| gone())?;
        host.admit(self.manners).await?;
        // After the host's own queue: who waits there holds nobody else up.
        let shared = Arc::clone(&self.all).acquire_owned().await.map_err(|_| gone())?;
        Ok(Turn { host, manners: self.manners, _permits: [own, shared] })
    }
}

impl Host {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and waits for its moment.
    async fn admit(&self, manners: Manners) -> Result<(), NetError> {
        let mut moment = self.book(manners)?;
        while moment > Instant::now() {
            sleep_until(moment).await;
            // Meanwhile another's answer may have asked for a pause, or failed for the last time.
            moment = self.still_open()?;
        }
        Ok(())
    }

    /// The moment at which a request may begin.
    fn book(&self, manners: Manners) -> Result<Instant, NetError> {
        let (now, mut state) = (Instant::now(), self.state());
        self.check_rest(&state, now)?;
        if state.asked >= manners.budget {
            return Err(NetError::Spent { host: self.name.clone(), budget: manners.budget });
        }
        if state.failures >= manners.failures {
            // One tries whether it has come back; the others go on leaving it alone.
            state.rest(now, REST, Rest::Failing);
        }
        state.asked += 1;
        let moment = [state.next, state.paused].into_iter().flatten().fold(now, Instant::max);
        state.next = Some(moment + Duration::from_secs(1) / manners.per_second.max(1));
        Ok(moment)
    }

    fn still_open(&self) -> Result<Instant, NetError> {
        let (now, state) = (Instant::now(), self.state());
        self.check_rest(&state, now)?;
        Ok(state.paused.unwrap_or(now))
    }

    fn check_rest(&self, state: &State, now: Instant) -> Result<(), NetError> {
        match state.resting {
            Some((until, why)) if until > now => Err(match why {
                Rest::Failing => NetError::Failing(self.name.clone()),
                Rest::Asked => NetError::Paused { host: self.name.clone(), seconds: (until - now).as_secs() + 1 },
            }),
            _ => Ok(()),
        }
    }
}

/// Leave to ask a host. Whoever has it says how it went.
#[derive(Debug)]
pub struct Turn {
    host: Arc<Host>,
    manners: Manners,
    _permits: [OwnedSemaphorePermit; 2],
}

impl Turn {
    /// The host answered, whatever it said.
    pub fn answered(&self) {
        let mut state = self.host.state();
        state.failures = 0;
        state.resting.take_if(|(_, why)| *why == Rest::Failing);
    }

    /// It could not be reached, did not answer in time, or has trouble of its own.
    pub fn failed(&self) {
        let mut state = self.host.state();
        state.failures += 1;
        if state.failures >= self.manners.failures {
            state.rest(Instant::now(), REST, Rest::Failing);
        }
    }

    /// It asked to be left alone for so long. A long pause ends the run's questions to it.
    pub(super) fn pause(&self, pause: Duration) {
        let (now, mut state) = (Instant::now(), self.host.state());
        if pause > LONGEST_PAUSE {
            state.rest(now, pause.min(LONGEST_REST), Rest::Asked);
        } else {
            state.paused = Some(state.paused.map_or(now + pause, |until| until.max(now + pause)));
        }
    }

    /// Waits until the host may be asked once more, at least for `pause`.
    ///
    /// # Errors
    /// As [`Hosts::turn`].
    pub(super) async fn again(&self, pause: Duration) -> Result<(), NetError> {
        tokio::time::sleep(pause).await;
        self.host.admit(self.manners).await
    }
}

#[cfg(test)]
mod tests;
