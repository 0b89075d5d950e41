//! Runs that are there already: taken up where a process died, told where nobody was told, gone on with where they have waited long
//! enough, and looked at again where they may have left something behind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::{TOLD, Watcher, Work};
use crate::model::{Finding, Notice, NoticeKind, Plan, Run, RunState, StepState};
use crate::respond::RespondError;
use crate::respond::execute::Runner;
use crate::store::{WatchState, Watched};

impl Watcher<'_> {
    /// Takes up what a process that died had planned or begun, tells what it had not told, and goes on with what has waited long
    /// enough.
    pub(super) async fn go_on(
        &self,
        findings: &[Finding],
        make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>,
        tell: &impl AsyncFn(Notice),
    ) -> Result<(), RespondError> {
        let (known, now) = (self.known()?, self.clock.now());
        let of = |run: &Run| findings.iter().find(|finding| is_about(&run.plan, finding));
        let hollow = |row: &Watched| row.state == WatchState::Acted && known.hollow.contains(&row.digest);
        for row in known.ledger.values().filter(|row| row.state == WatchState::Planned || hollow(row)) {
            // What has a run was begun, whatever its journal says; what has none, or one that has done nothing, is decided anew.
            let begun = known.runs.iter().any(|run| run.digest == row.digest);
            let state = if begun { WatchState::Acted } else { WatchState::Retry };
            self.store.watch(&Watched { state, next: now, ..row.clone() })?;
        }
        for run in &known.runs {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let row = known.ledger.values().find(|row| row.digest == run.digest);
            let untold = row.is_some_and(|row| row.why.is_empty());
            if is_due(run, now) || (row.is_some() && run.state == RunState::Open) {
                let notice = self.go_on_with(run, (row, of(run)), make).await?;
                match notice {
                    Some(notice) => tell(notice).await,
                    // Asked to end before it went on: whoever watches next has it before them as it was.
                    None if self.stop.load(Ordering::Relaxed) => break,
                    None => {}
                }
            } else if untold {
                tell(Notice::of_run(run, of(run), now)).await;
            } else if self.wants_a_look(run) {
                self.look_again(run, of(run), make, tell).await;
            }
            if let (Some(row), true) = (row, untold) {
                let row = Watched { state: WatchState::Acted, why: TOLD.to_owned(), ..row.clone() };
                self.store.watch(&row)?;
            }
        }
        Ok(())
    }

    /// Goes on with one run; what is to be told of it.
    async fn go_on_with(
        &self,
        run: &Run,
        (row, finding): (Option<&Watched>, Option<&Finding>),
        make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>,
    ) -> Result<Option<Notice>, RespondError> {
        let gone = match make(Work::GoOn(&run.plan)).await {
            Ok(mut runner) => {
                runner.stop = Arc::clone(&self.stop);
                runner.resume(&run.id).await.map_err(|error| match error {
                    RespondError::Busy(_) => None,
                    other => Some(other.to_string()),
                })
            }
            Err(_) if self.stop.load(Ordering::Relaxed) => Err(None),
            Err(why) => Err(Some(why)),
        };
        match gone {
            Ok(run) => Ok(Some(Notice::of_run(&run, finding, self.clock.now()))),
            Err(None) => Ok(None),
            Err(Some(why)) => {
                let what = format!("it cannot go on: {why}");
                let lines = vec![what.clone()];
                let stuck = Notice { kind: NoticeKind::Failed, lines, ..Notice::of_run(run, finding, self.clock.now()) };
                match row {
                    // Somebody is woken once.
                    Some(row) if row.why == what => Ok(None),
                    Some(row) => {
                        self.store.watch(&Watched { state: WatchState::Acted, why: what, ..row.clone() })?;
                        Ok(Some(stuck))
                    }
                    None => Ok(Some(Notice { kind: NoticeKind::Held, ..stuck })),
                }
            }
        }
    }
}

fn is_about(plan: &Plan, finding: &Finding) -> bool {
    plan.fingerprint == finding.fingerprint && plan.detector == finding.detector
}

/// Whether a run waits for a moment that has come.
fn is_due(run: &Run, now: Timestamp) -> bool {
    let waits = run.steps.iter().find(|step| step.state == StepState::Waiting);
    let until = waits.and_then(|step| step.evidence.get("until")?.as_str()?.parse::<Timestamp>().ok());
    run.state == RunState::Waiting && until.is_some_and(|until| until <= now)
}
