//! Walks a run back: what was changed is put back to what the plan saw, last change first. What cannot be is said.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::RespondError;
use super::actions::{self, Notes, Outcome};
use super::execute::{Progress, Runner, finished};
use super::replay::{ALREADY, DOUBT, doubt, has_lost, stands};
use crate::model::{EventKind, PlannedStep, Run};

impl Runner {
    /// Walks a run back, last change first.
    pub(super) async fn walk_back(&self, progress: &mut Progress) -> Result<(), RespondError> {
        for number in (0..progress.run.plan.steps.len()).rev() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let step = progress.run.plan.steps[number].clone();
            let status = &progress.run.steps[number];
            // What a person said of it stands, unless it has shown up since.
            let said = doubt(status).map(|_| status.evidence.clone());
            if !step.mutates || !(stands(status) || said.is_some()) {
                continue;
            }
            if let Err(why) = self.guard.step(&progress.run.plan, &step, &self.moment(0)) {
                return Err(RespondError::Guard(why));
            }
            self.record(progress, &step.id, EventKind::UndoStarted, Value::Null)?;
            let (event, evidence) = match (self.put_back(progress, &step, said.is_some()).await?, said) {
                (Outcome::AlreadyDone(seen), Some(said)) if seen.get(DOUBT).is_some() => (EventKind::UndoFinished, said),
                (outcome, _) => undone(outcome),
            };
            self.record(progress, &step.id, event, evidence)?;
        }
        Ok(())
    }

    /// Whether something has shown up that a run has left behind. Looks only; what cannot be seen now is looked for another time.
    pub(super) async fn has_left(&self, run: &Run) -> bool {
        for step in &run.plan.steps {
            let Some(action) = actions::get(&step.action) else { continue };
            let world = self.world(run, step, None);
            let looked = tokio::time::timeout(world.timeout, action.has_left(&world)).await;
            if matches!(looked, Ok(Ok(true))) {
                return true;
            }
        }
        false
    }

    /// Takes away what a run has left behind and nobody holds, and nothing else: where the run went forward, it stays so. What has
    /// been walked back stays that, too. The run, where there was something to take away.
    ///
    /// # Errors
    /// When the state folder fails, a guard says no, or it cannot be taken away now.
    pub(super) async fn take_left(&self, run: &str) -> Result<Option<Run>, RespondError> {
        let (mut progress, _lock) = self.opened(run)?;
        let before = progress.run.records;
        self.left_taken(&mut progress).await?;
        Ok((progress.run.records > before).then(|| finished(progress)))
    }

    /// The same for a run that is being gone on with.
    pub(super) async fn left_taken(&self, progress: &mut Progress) -> Result<(), RespondError> {
        for number in 0..progress.run.plan.steps.len() {
            let (step, status) = (progress.run.plan.steps[number].clone(), &progress.run.steps[number]);
            if !has_lost(status) {
                continue;
            }
            let Some(action) = actions::get(&step.action) else { continue };
            self.guard.step(&progress.run.plan, &step, &self.moment(0)).map_err(RespondError::Guard)?;
            let run = progress.run.clone();
            let world = self.world(&run, &step, None);
            let taken = tokio::time::timeout(world.timeout, action.take_left(&world)).await;
            match taken.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok(None) => {}
                Ok(Some(note)) => self.record(progress, &step.id, EventKind::Noted, note)?,
                Err(why) => {
                    return Err(RespondError::Provider(format!("{}: {}", step.id, progress.scrubber.scrub(&why))));
                }
            }
        }
        Ok(())
    }

    async fn put_back(&self, progress: &mut Progress, step: &PlannedStep, confirmed: bool) -> Result<Outcome, RespondError> {
        let Some(action) = actions::get(&step.action).filter(|action| action.walks_back()) else {
            return Ok(Outcome::Failed("it cannot be undone".to_owned()));
        };
        let (run, (notes, written)) = (progress.run.clone(), Notes::new());
        let mut world = self.world(&run, step, Some(&notes));
        world.confirmed |= confirmed;
        self.noting(progress, step, (&written, world.timeout, action.undo(&world, &step.observed))).await
    }
}

/// What is written down of an attempt to walk a step back.
fn undone(outcome: Outcome) -> (EventKind, Value) {
    match outcome {
        Outcome::Done(evidence) => (EventKind::UndoFinished, evidence),
        Outcome::AlreadyDone(evidence) => (EventKind::UndoFinished, json!({ ALREADY: evidence })),
        Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) | Outcome::Waiting(why) => {
            (EventKind::UndoFailed { why }, Value::Null)
        }
        Outcome::Until(until) => {
            (EventKind::UndoFailed { why: format!("not before {until}; `undo` tries again") }, Value::Null)
        }
    }
}
