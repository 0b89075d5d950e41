//! Walks a run back: what was changed is put back to what the plan saw, last change first. What cannot be is said.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::RespondError;
use super::actions::{self, Outcome};
use super::execute::{Progress, Runner};
use super::replay::{ALREADY, DOUBT, doubt, stands};
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
            let (event, evidence) = match (self.put_back(&progress.run, &step, said.is_some()).await, said) {
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

    async fn put_back(&self, run: &Run, step: &PlannedStep, confirmed: bool) -> Outcome {
        let Some(action) = actions::get(&step.action).filter(|action| action.reversible()) else {
            return Outcome::Failed("it cannot be undone".to_owned());
        };
        let mut world = self.world(run, step, None);
        world.confirmed |= confirmed;
        let undo = action.undo(&world, &step.observed);
        tokio::time::timeout(world.timeout, undo).await.unwrap_or_else(|_| Outcome::Unknown("no answer in time".to_owned()))
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
