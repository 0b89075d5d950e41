//! A key that a run has asked for and lost may be listed long after: it is looked for, and taken away once it shows up.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Watcher, Work};
use crate::model::{Finding, Notice, NoticeKind, Run, RunState};
use crate::respond::RespondError;
use crate::respond::execute::Runner;
use crate::respond::folder::Late;
use crate::respond::replay::has_lost;

/// How long, and how often, what may have been left behind is looked for.
const LOOKS: SignedDuration = SignedDuration::from_hours(7 * 24);
const BETWEEN: SignedDuration = SignedDuration::from_hours(1);

impl Watcher<'_> {
    /// Whether a run may have left something that shows up yet, wherever it stands: it is looked for every hour for a week.
    pub(super) fn wants_a_look(&self, run: &Run) -> bool {
        let Some(at) = run.steps.iter().find(|step| has_lost(step)).and_then(|step| step.at) else { return false };
        // What is written down of it is its last word; a look that finds nothing writes nothing.
        let now = self.clock.now();
        let mut looked = self.looked_at.borrow_mut();
        let last = looked.get(&run.id).copied().or_else(|| Some(self.folder.late(&run.id)?.looked)).unwrap_or(at);
        // By a clock that has been set back since, it was looked for in time to come.
        let due = now.duration_since(at) < LOOKS && now.duration_since(last).abs() >= BETWEEN;
        if due {
            looked.insert(run.id.clone(), now);
            let late = Late { looked: now, ..self.folder.late(&run.id).unwrap_or_default() };
            // Where that cannot be written down, this process knows it.
            let _ = self.folder.keep_late(&run.id, &late);
        }
        due
    }

    /// Looks for it, and takes it away where it has shown up, and nothing else. Nothing is told where it has not.
    pub(super) async fn look_again(
        &self,
        run: &Run,
        finding: Option<&Finding>,
        make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>,
        tell: &impl AsyncFn(Notice),
    ) {
        let Ok(mut runner) = make(Work::GoOn(&run.plan)).await else { return };
        runner.stop = Arc::clone(&self.stop);
        if !runner.has_left(run).await {
            return;
        }
        let now = self.clock.now();
        let notice = match runner.take_left(&run.id).await {
            Ok(Some(run)) => {
                let lines = vec![
                    "a key that the run had asked for, and that nobody held, has shown up, and was taken away".to_owned(),
                ];
                // Nothing else has changed: where the run stands is no news, and wakes nobody again.
                let (kind, next) = match run.state {
                    RunState::Undone | RunState::Abandoned => (NoticeKind::Undone, Vec::new()),
                    RunState::Done => {
                        let kind = Notice::of_run(&run, finding, now).kind;
                        (if kind.is_over() { kind } else { NoticeKind::Waits }, Vec::new())
                    }
                    RunState::Open | RunState::Waiting | RunState::Stopped => {
                        (NoticeKind::Waits, vec![format!("staunch respond status {}", run.id)])
                    }
                };
                Notice { kind, lines, next, ..Notice::of_run(&run, finding, now) }
            }
            // Whoever works on it takes it away, or has.
            Ok(None) | Err(RespondError::Busy(_)) => return,
            Err(error) => {
                let lines = vec![format!(
                    "a key that the run had asked for, and that nobody holds, has shown up, and cannot be taken away: {error}"
                )];
                Notice { kind: NoticeKind::Failed, lines, ..Notice::of_run(run, finding, now) }
            }
        };
        // Somebody is woken once.
        let why = if notice.kind == NoticeKind::Failed { notice.lines.join("\n") } else { String::new() };
        let late = self.folder.late(&run.id).unwrap_or_default();
        if !why.is_empty() && late.why == why {
            return;
        }
        tell(notice).await;
        let _ = self.folder.keep_late(&run.id, &Late { looked: now, why });
    }
}
