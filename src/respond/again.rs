//! What is looked at once more before something is begun: whether the plan was, how many runs were within the hour, whether
//! somebody has taken a change back meanwhile, whether what nobody used is used again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::actions::{self, Notes, Outcome, Role};
use super::execute::{Progress, Runner, is_waited_over};
use super::folder::{Lock, RunFolder};
use super::replay::replayed;
use super::{RespondError, plan};
use crate::model::{EventKind, Plan, PlannedStep, Run, StepState};

/// An hour.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long others who begin a run are waited for: each holds the lock for no longer than two files are written.
const OTHERS: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_secs(20) };
const PAUSE: Duration = Duration::from_millis(100);
/// By so much a clock is set right without anything being wrong.
const SLEW: SignedDuration = SignedDuration::from_mins(2);

/// Whether it is later than a clock that is set right now and then accounts for.
fn is_ahead(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > SLEW
}

/// When a run counts as begun: one that is dated later than now, when that was seen first. Else a clock that was wrong once would hold
/// every run back until it is as late again.
fn counts_from(run: &RunFolder, at: Timestamp, now: Timestamp) -> Timestamp {
    if !is_ahead(at, now) {
        return at;
    }
    let note = run.evidence().with_file_name("seen-ahead");
    let seen = std::fs::read_to_string(&note).ok().and_then(|text| text.trim().parse::<Timestamp>().ok());
    seen.filter(|seen| !is_ahead(*seen, now)).unwrap_or_else(|| {
        // What cannot be written is seen for the first time once more.
        let _ = std::fs::write(&note, now.to_string());
        now
    })
}

impl Runner {
    /// The run of a plan, if it was begun.
    pub(super) fn begun(&self, digest: &str) -> Result<Option<Run>, RespondError> {
        let runs = self.folder.runs()?;
        // A run that died before its first record has done nothing.
        let mut known = runs.iter().filter_map(|run| replayed(run).ok());
        Ok(known.find(|known| known.digest == digest && known.records > 0))
    }

    /// Whether a run of the plan's kind may be begun now, by how many were within the hour. Nobody else begins one while the answer is
    /// held.
    pub(super) async fn room(&self, plan: &Plan, now: Timestamp) -> Result<Option<Lock>, RespondError> {
        let rotates = plan.mode == "rotate";
        let (most, kind) =
            if rotates { (self.guard.rotations, "rotation") } else { (self.guard.containments, "containment") };
        let Some(most) = most else { return Ok(None) };
        let deadline = tokio::time::Instant::now() + OTHERS;
        let counted = loop {
            match self.folder.lock_begun(kind) {
                Err(RespondError::Busy(_)) if tokio::time::Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                Err(RespondError::Busy(path)) => {
                    return Err(RespondError::Held(format!(
                        "another process is beginning a {kind} and does not come to an end (it holds {}): find it, then apply the \
                         plan again",
                        path.display()
                    )));
                }
                other => break other?,
            }
        };
        // The folder's name says when a run was begun. A plan that cannot be read may have been anybody's: it has no account.
        let mut runs = self.folder.runs()?;
        runs.retain(|run| run.begun().is_none_or(|at| now.duration_since(counts_from(run, at, now)) < HOUR));
        let ahead = runs.iter().filter(|run| run.begun().is_some_and(|at| is_ahead(at, now))).count();
        let begun: Vec<Option<Plan>> = runs.iter().map(|run| run.plan().ok()).collect();
        let begun: Vec<Option<Plan>> =
            begun.into_iter().filter(|plan| plan.as_ref().is_none_or(|plan| (plan.mode == "rotate") == rotates)).collect();
        most.one_more(plan, &begun).map_err(|why| {
            RespondError::Held(match ahead {
                0 => why,
                _ => format!("{why}; the clock is wrong, or was, since runs are dated later than now: set it right"),
            })
        })?;
        Ok(Some(counted))
    }

    /// Whether a change of ours that was waited over is there no more: what it changed is again as it was before. That somebody
    /// may notice and say no is what the wait is for.
    pub(super) async fn is_taken_back(&self, progress: &Progress, step: &PlannedStep) -> Result<bool, RespondError> {
        if !step.mutates || !is_waited_over(progress, step) {
            return Ok(false);
        }
        let now = plan::look(&progress.run.plan, step, &self.hands).await;
        let now = now.map_err(|why| RespondError::Provider(format!("{}: {}", step.id, progress.scrubber.scrub(&why))))?;
        Ok(plan::scrubbed(&progress.scrubber, now) == step.observed)
    }

    /// Why what was seen to be used by nobody may be used again: asked once more just before the old one is stopped and before what
    /// cannot be undone, since agreement, or a person who resumes, may have taken days.
    ///
    /// # Errors
    /// When the journal cannot take a person's word.
    pub(super) async fn is_used_again(
        &self,
        progress: &mut Progress,
        step: &PlannedStep,
    ) -> Result<Option<String>, RespondError> {
        let rotates = progress.run.plan.mode == "rotate";
        let counts = |action: &dyn actions::Action| !action.reversible() || rotates && action.role() == Role::Stops;
        let asks = step.mutates && actions::get(&step.action).is_some_and(counts);
        let run = progress.run.clone();
        // One whose turn comes later is about something that is not there yet.
        let had = run.plan.steps.iter().zip(&run.steps).filter(|(_, status)| status.state != StepState::Pending);
        for (other, _) in had.filter(|_| asks) {
            let Some(action) = actions::get(&other.action).filter(|action| action.role() == Role::Silent) else { continue };
            let (notes, written) = Notes::new();
            // Only what a person says now is new.
            let world = self.world(&run, other, Some(&notes).filter(|_| self.confirmed.contains(&other.id)));
            match self.noting(progress, other, (&written, world.timeout, action.apply(&world))).await? {
                Outcome::Done(_) | Outcome::AlreadyDone(_) => {}
                Outcome::Until(until) => {
                    return Ok(Some(format!("{} looked again: it is not over until {until}", other.id)));
                }
                Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) | Outcome::Waiting(why) => {
                    return Ok(Some(format!("{} looked again: {why}", other.id)));
                }
            }
        }
        Ok(None)
    }

    /// Leaves a change be that somebody has taken back.
    pub(super) fn let_be(&self, progress: &mut Progress, step: &PlannedStep) -> Result<(), RespondError> {
        // Whoever resumes after this does it again, and then waits again.
        progress.waited.retain(|id| *id != step.id);
        let why = "somebody has taken it back while it was waited: find out who still needs it; nothing was changed now, and \
                   `respond resume` would do it once more";
        self.record(progress, &step.id, EventKind::Refused { why: why.to_owned() }, Value::Null)
    }
}
