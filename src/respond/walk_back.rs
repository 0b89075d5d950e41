//! Walks a run back: what was changed is put back to what the plan saw, last change first. What cannot be is said.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::RespondError;
use super::actions::{self, Outcome};
use super::execute::{Progress, Runner};
use super::replay::{ALREADY, stands};
use crate::model::{EventKind, PlannedStep, Run};

impl Runner {
    /// Walks a run back, last change first.
    pub(super) async fn walk_back(&self, progress: &mut Progress) -> Result<(), RespondError> {
        for number in (0..progress.run.plan.steps.len()).rev() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let step = progress.run.plan.steps[number].clone();
            if !step.mutates || !stands(&progress.run.steps[number]) {
                continue;
            }
            if let Err(why) = self.guard.step(&progress.run.plan, &step, &self.moment(0)) {
                return Err(RespondError::Guard(why));
            }
            self.record(progress, &step.id, EventKind::UndoStarted, Value::Null)?;
            let (event, evidence) = match self.put_back(&progress.run, &step).await {
                Outcome::Done(evidence) => (EventKind::UndoFinished, evidence),
                Outcome::AlreadyDone(evidence) => (EventKind::UndoFinished, json!({ ALREADY: evidence })),
                Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) | Outcome::Waiting(why) => {
                    (EventKind::UndoFailed { why }, Value::Null)
                }
                Outcome::Until(until) => {
                    (EventKind::UndoFailed { why: format!("not before {until}; `undo` tries again") }, Value::Null)
                }
            };
            self.record(progress, &step.id, event, evidence)?;
        }
        Ok(())
    }

    async fn put_back(&self, run: &Run, step: &PlannedStep) -> Outcome {
        let Some(action) = actions::get(&step.action).filter(|action| action.reversible()) else {
            return Outcome::Failed("it cannot be undone".to_owned());
        };
        let world = self.world(run, step, None);
        let undo = action.undo(&world, &step.observed);
        tokio::time::timeout(world.timeout, undo).await.unwrap_or_else(|_| Outcome::Unknown("no answer in time".to_owned()))
    }
}
