//! Many plans at once, in waves: one first, then a tenth of them, then the rest. A change that fails in the first ends it all;
//! later, so many failures do. Where credentials are replaced, the next wave begins once whoever used this one's old ones is seen to
//! use the new ones. What was not begun is said, and the same plans can be applied again: those that were begun go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::actions::{self, Role};
use super::{RespondError, Runner, Turn};
use crate::model::{Run, RunState, StepState};

/// How many plans are carried out.
#[derive(Debug, Clone, Copy)]
pub struct Waves {
    /// Runs that act at a time; one that only waits to look again is not counted. Each makes a handful of requests in a row; IAM begins to throttle an account at some twenty a second.
    pub at_once: usize,
    /// Failures after which nothing more is begun.
    pub most_failures: usize,
}

/// How a plan ended.
pub enum Ended {
    /// It was carried out, as far as the run says.
    Ran(Box<Run>),
    /// It was not begun, or its record cannot be kept.
    Error(RespondError),
    /// The waves had stopped before.
    NotBegun(Left),
}

/// Why plans are left for another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Too much failed, or somebody stopped it.
    Stopped,
    /// Nothing is wrong: something must come first.
    Held(String),
    /// Its run was undone or given up.
    WalkedBack(String),
}

/// Who was told to go slower has changed nothing by that; it is tried again so often.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];
/// How that is said.
const SLOWER: [&str; 3] = ["Throttling", "asks for a pause", "TooManyRequests"];

/// Whether a change that a run was to make was not made.
fn failed(ended: &Ended) -> bool {
    match ended {
        Ended::NotBegun(_) => false,
        Ended::Error(_) => true,
        Ended::Ran(run) if run.has_failed() => true,
        Ended::Ran(run) => run.plan.steps.iter().zip(&run.steps).any(|(step, status)| {
            let not = matches!(
                status.state,
                StepState::Failed | StepState::Refused | StepState::Unknown | StepState::UndoFailed | StepState::Undone
            );
            step.mutates && not
        }),
    }
}

/// Whether something went wrong because somebody is to go slower.
fn too_fast(ended: &Result<Run, RespondError>) -> bool {
    let slower = |why: &str| SLOWER.iter().any(|word| why.contains(word));
    match ended {
        // A look before anything was begun.
        Err(RespondError::Provider(why)) => slower(why),
        Err(_) => false,
        Ok(run) => {
            // Where a look is what was told so, the step is not known; it looks first when it is taken again.
            let told = |state| matches!(state, StepState::Failed | StepState::Unknown);
            let mut steps = run.steps.iter().filter(|step| told(step.state));
            run.state == RunState::Stopped && steps.any(|step| step.why.as_deref().is_some_and(slower))
        }
    }
}

/// The run whose users of the old credential have not been seen to use the new one, in words: because it waits for them, or because
/// it ended before anybody could tell. One that was walked back has no users of a new one.
fn follows(run: &Run) -> Option<String> {
    let mut steps = run.plan.steps.iter().zip(&run.steps);
    let (_, step) = steps.find(|(step, status)| {
        let waits = actions::get(&step.action).is_some_and(|action| action.role() == Role::Follows);
        // Once it is seen, a quiet period may follow.
        waits && status.state != StepState::Succeeded && !(status.state == StepState::Waiting && status.touched)
    })?;
    (!matches!(run.state, RunState::Undone | RunState::Abandoned)).then(|| {
        format!(
            "whoever used the old credential of run {0} must be seen to use the new one first ({1}): `staunch respond resume {0}`, then \
             apply the same plans again",
            run.id, step.id
        )
    })
}

/// Begins a plan, or goes on with its run.
async fn attempt(runner: &Runner, digest: &str) -> Result<Result<Run, RespondError>, Ended> {
    match runner.begun(digest) {
        // Neither a failure nor to be begun again: somebody wants it as it was.
        Ok(Some(run)) if matches!(run.state, RunState::Undone | RunState::Abandoned) => {
            Err(Ended::NotBegun(Left::WalkedBack(run.id)))
        }
        Ok(Some(run)) => Ok(runner.resume(&run.id).await),
        Ok(None) => Ok(runner.apply(digest).await),
        Err(error) => Ok(Err(error)),
    }
}

async fn one(runner: &Runner, digest: &str) -> Ended {
    let mut pauses = PAUSES.into_iter();
    loop {
        let ended = match attempt(runner, digest).await {
            Ok(ended) => ended,
            Err(left) => return left,
        };
        let pause = pauses.next().filter(|_| too_fast(&ended) && !runner.stop.load(Ordering::Relaxed));
        match (pause, ended) {
            (Some(pause), _) => tokio::time::sleep(pause).await,
            (None, Ok(run)) => return Ended::Ran(Box::new(run)),
            (None, Err(RespondError::Held(why))) => return Ended::NotBegun(Left::Held(why)),
            (None, Err(error)) => return Ended::Error(error),
        }
    }
}

/// The sizes of the waves.
pub(super) fn sizes(count: usize) -> [usize; 3] {
    let first = count.min(1);
    let tenth = count.div_ceil(10).min(count - first);
    [first, tenth, count - first - tenth]
}

/// Carries out plans, each with a runner of its own; `told` hears each end as it comes. The answer has their order.
pub async fn apply_all(
    plans: Vec<(Runner, String)>,
    waves: Waves,
    stop: &Arc<AtomicBool>,
    mut told: impl FnMut(&str, &Ended),
) -> Vec<Ended> {
    let sizes = sizes(plans.len());
    let mut ends: Vec<Ended> = plans.iter().map(|_| Ended::NotBegun(Left::Stopped)).collect();
    let mut waiting: VecDeque<(usize, (Runner, String))> = plans.into_iter().enumerate().collect();
    let (mut failures, mut held) = (0, None);
    let turns = Arc::new(Semaphore::new(waves.at_once.max(1)));
    for (wave, size) in sizes.into_iter().enumerate() {
        let mut left = size;
        let mut running: JoinSet<(usize, String, Ended)> = JoinSet::new();
        // A failure of the first is every other's as well, as like as not.
        let most = if wave == 0 { 1 } else { waves.most_failures.max(1) };
        let mut waits = None;
        loop {
            // Who waits to look again has failed or not; so many may be begun before that is known.
            let room = running.len() < 4 * waves.at_once.max(1);
            let open = room && left > 0 && failures < most && held.is_none() && !stop.load(Ordering::Relaxed);
            if !open && running.is_empty() {
                break;
            }
            let joined = tokio::select! {
                biased;
                Some(joined) = running.join_next() => joined,
                Ok(taken) = Arc::clone(&turns).acquire_owned(), if open => {
                    let Some((at, (mut runner, digest))) = waiting.pop_front() else { break };
                    left -= 1;
                    runner.turn = Turn::of(Arc::clone(&turns), taken);
                    running.spawn(async move {
                        let ended = one(&runner, &digest).await;
                        (at, digest, ended)
                    });
                    continue;
                }
            };
            // One that panicked has a journal, and no end.
            let Ok((at, digest, ended)) = joined else {
                failures += 1;
                continue;
            };
            failures += usize::from(failed(&ended));
            told(&digest, &ended);
            match &ended {
                Ended::NotBegun(Left::Held(why)) => held = Some(why.clone()),
                Ended::Ran(run) => waits = waits.or_else(|| follows(run)),
                _ => {}
            }
            ends[at] = ended;
        }
        held = held.or(waits);
        if failures >= most || held.is_some() || stop.load(Ordering::Relaxed) {
            break;
        }
    }
    // Whatever is left, is left for this.
    for (at, _) in waiting {
        ends[at] = Ended::NotBegun(held.clone().map_or(Left::Stopped, Left::Held));
    }
    ends
}

#[cfg(test)]
mod liars;

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn one_then_a_tenth_then_the_rest() {
        assert_eq!(sizes(0), [0, 0, 0]);
        assert_eq!(sizes(1), [1, 0, 0]);
        assert_eq!(sizes(2), [1, 1, 0]);
        assert_eq!(sizes(100), [1, 10, 89]);
    }
}
