//! Many plans at once, in waves: one first, then a tenth of them, then the rest. A change that fails in the first ends it all;
//! later, so many failures do. Where credentials are replaced, the next wave begins once whoever used this one's old ones is seen to
//! use the new ones. What was not begun is said, and the same plans can be applied again: those that were begun go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::actions::{self, Role};
use super::{RespondError, Runner};
use crate::model::{Run, RunState, StepState};

/// How many plans are carried out.
#[derive(Debug, Clone, Copy)]
pub struct Waves {
    /// Runs at a time. Each makes a handful of requests in a row; IAM begins to throttle an account at some twenty a second.
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

/// A run that was told to go slower has changed nothing by the step that was told so; it is resumed so often.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];
/// How that is said.
const SLOWER: [&str; 3] = ["Throttling", "asks for a pause", "TooManyRequests"];

/// Whether a change that a run was to make was not made.
fn failed(ended: &Ended) -> bool {
    match ended {
        Ended::NotBegun(_) => false,
        Ended::Error(_) => true,
        Ended::Ran(run) => run.plan.steps.iter().zip(&run.steps).any(|(step, status)| {
            let not = matches!(
                status.state,
                StepState::Failed | StepState::Refused | StepState::Unknown | StepState::UndoFailed | StepState::Undone
            );
            step.mutates && not
        }),
    }
}

/// Whether a run stopped because it was told to go slower.
fn too_fast(run: &Run) -> bool {
    let slower = |why: &String| SLOWER.iter().any(|word| why.contains(word));
    let told = run.steps.iter().any(|step| step.state == StepState::Failed && step.why.as_ref().is_some_and(slower));
    run.state == RunState::Stopped && told
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

async fn one(runner: &Runner, digest: &str) -> Ended {
    let begun = match runner.begun(digest) {
        // Neither a failure nor to be begun again: somebody wants it as it was.
        Ok(Some(run)) if matches!(run.state, RunState::Undone | RunState::Abandoned) => {
            return Ended::NotBegun(Left::WalkedBack(run.id));
        }
        Ok(Some(run)) => runner.resume(&run.id).await,
        Ok(None) => runner.apply(digest).await,
        Err(error) => Err(error),
    };
    let mut run = match begun {
        Ok(run) => run,
        Err(RespondError::Held(why)) => return Ended::NotBegun(Left::Held(why)),
        Err(error) => return Ended::Error(error),
    };
    for pause in PAUSES {
        if !too_fast(&run) || runner.stop.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(pause).await;
        run = match runner.resume(&run.id).await {
            Ok(run) => run,
            Err(error) => return Ended::Error(error),
        };
    }
    Ended::Ran(Box::new(run))
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
    for (wave, size) in sizes.into_iter().enumerate() {
        let mut left = size;
        let mut running: JoinSet<(usize, String, Ended)> = JoinSet::new();
        // A failure of the first is every other's as well, as like as not.
        let most = if wave == 0 { 1 } else { waves.most_failures.max(1) };
        let mut waits = None;
        loop {
            let open = failures < most && held.is_none() && !stop.load(Ordering::Relaxed);
            while open && left > 0 && running.len() < waves.at_once.max(1) {
                let Some((at, (runner, digest))) = waiting.pop_front() else { break };
                left -= 1;
                running.spawn(async move {
                    let ended = one(&runner, &digest).await;
                    (at, digest, ended)
                });
            }
            let Some(joined) = running.join_next().await else { break };
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
