//! `respond watch`: takes new findings and runs the playbooks that the operator's settings allow without a person; goes on with
//! runs whose quiet period is over. The ledger in the store is written before the world is touched, and a run's own journal
//! after that: a finding is never acted on twice, and none is lost.

mod decide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::execute::Runner;
use super::folder::Folder;
use super::playbook::{Playbook, Playbooks};
use super::whose::account;
use super::{RespondError, draft, replayed};
use crate::model::{Clock, Finding, Notice, NoticeKind, Plan, Run, RunState, StepState};
use crate::secret::Fingerprint;
use crate::store::{Store, WatchState, Watched};

pub use decide::{Allowed, Policy};
use decide::{Verdict, decide, held};

/// Attempts to begin, before it is left to a person.
const ATTEMPTS: u32 = 5;
/// In the ledger: a person looked at the run.
const LOOKED: &str = "looked at";
/// Before the second attempt; doubled each time.
const PAUSE: Duration = Duration::from_mins(1);

/// What a runner is wanted for.
pub enum Work<'a> {
    /// A plan for a finding, by this playbook.
    Begin(&'a Finding, &'a Playbook),
    /// A run of this plan.
    GoOn(&'a Plan),
}

/// Watches one state folder. One process does.
pub struct Watcher<'w> {
    /// Findings and the ledger.
    pub store: &'w Store,
    /// Runs.
    pub folder: &'w Folder,
    /// What may be done.
    pub policy: &'w Policy,
    /// With what.
    pub playbooks: &'w Playbooks,
    /// While this file exists nothing is done.
    pub stop_file: Option<PathBuf>,
    /// The time.
    pub clock: &'w dyn Clock,
}

impl Watcher<'_> {
    /// Looks once at everything. `make` builds whoever acts, or says why it cannot.
    ///
    /// # Errors
    /// When the store or the state folder fails; what was begun goes on at the next pass.
    pub async fn pass(&self, make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>) -> Result<Vec<Notice>, RespondError> {
        if let Some(file) = self.stop_file.as_ref().filter(|file| file.exists()) {
            let why = format!("the stop file {} is there: nothing is begun and nothing goes on", file.display());
            return Ok(vec![Notice::held(why, self.clock.now())]);
        }
        let findings = self.store.all()?;
        let mut notices = self.go_on(&findings, make).await?;
        let (mut known, mut holding) = (self.known()?, false);
        for finding in &findings {
            let row = known.row(finding).cloned();
            let row = row.as_ref();
            if let Some(row) = row.filter(|row| self.is_settled(row)) {
                notices.extend(self.live_again(finding, row, &known)?);
                continue;
            }
            if let Some(run) = known.about.get(&name(&finding.detector, &finding.fingerprint)) {
                notices.extend(self.leave(finding, row, format!("the run {run} is about it already"))?);
                continue;
            }
            let ledger: Vec<Watched> = known.ledger.values().cloned().collect();
            match decide(finding, (self.policy, self.playbooks, &ledger), self.clock.now()) {
                Verdict::Nothing => {}
                Verdict::Left(why) => notices.extend(self.leave(finding, row, why)?),
                Verdict::Held(why) => notices.push(Notice::about(finding, NoticeKind::Held, why, self.clock.now())),
                Verdict::Act(_) if holding => {}
                Verdict::Act(playbook) => {
                    let stopped = stopped_in_a_row(&ledger, &known.runs);
                    if let Some(why) = held(self.policy, &ledger, stopped, self.clock.now()) {
                        notices.push(Notice::held(why, self.clock.now()));
                        holding = true;
                        continue;
                    }
                    notices.extend(self.begin(finding, &playbook, row, make).await?);
                    known = self.known()?;
                }
            }
        }
        Ok(notices)
    }

    /// What the ledger and the runs say.
    fn known(&self) -> Result<Known, RespondError> {
        let (mut runs, mut about) = (Vec::new(), BTreeMap::new());
        for kept in self.folder.runs()? {
            // A run whose journal is damaged is about its credential all the same.
            let plan = kept.plan().ok();
            about.extend(plan.map(|plan| (name(&plan.detector, &plan.fingerprint), kept.id.clone())));
            runs.extend(replayed(&kept).ok());
        }
        let ledger = self.store.watched()?.into_iter().map(|row| ((row.detector.clone(), row.fingerprint.clone()), row));
        Ok(Known { ledger: ledger.collect(), runs, about })
    }

    /// Tells once of what was contained and is live again: it is not acted on twice without a person.
    fn live_again(&self, finding: &Finding, row: &Watched, known: &Known) -> Result<Option<Notice>, RespondError> {
        let run = known.runs.iter().find(|run| run.digest == row.digest && run.state == RunState::Done);
        let ended = run.and_then(|run| run.steps.iter().filter_map(|step| step.at).max());
        let (Some(run), Some(ended), Some(asked)) = (run, ended, finding.liveness.at) else { return Ok(None) };
        let why = format!("it is live again, although the run {} had contained it", run.id);
        if !finding.liveness.liveness.is_usable() || asked <= ended || row.why == why {
            return Ok(None);
        }
        self.store.watch(&Watched { why: why.clone(), ..row.clone() })?;
        Ok(Some(Notice::about(finding, NoticeKind::Left, why, self.clock.now())))
    }

    /// Takes a person's word that they looked at the runs that came to a stop: they hold nothing back any more.
    pub fn looked(&self) -> Result<(), RespondError> {
        for row in self.store.watched()?.into_iter().filter(|row| row.state == WatchState::Acted) {
            self.store.watch(&Watched { why: LOOKED.to_owned(), ..row })?;
        }
        Ok(())
    }

    /// Whether nothing is to be decided about a finding any more, or not yet.
    fn is_settled(&self, row: &Watched) -> bool {
        match row.state {
            WatchState::Acted | WatchState::Planned => true,
            WatchState::Retry => self.clock.now() < row.next,
            // What was tried and left is a person's; what policy left may be allowed by now.
            WatchState::Told => row.attempts > 0,
        }
    }

    /// Tells once why a finding is left to a person, and again when the reason is another.
    fn leave(&self, finding: &Finding, row: Option<&Watched>, why: String) -> Result<Option<Notice>, RespondError> {
        if row.is_some_and(|row| row.state == WatchState::Told && row.why == why) {
            return Ok(None);
        }
        let attempts = row.map_or(0, |row| row.attempts);
        self.store.watch(&Watched {
            why: why.clone(),
            attempts,
            ..Watched::new(finding, WatchState::Told, self.clock.now())
        })?;
        Ok(Some(Notice::about(finding, NoticeKind::Left, why, self.clock.now())))
    }

    /// Plans and carries out. The ledger says so before anything is touched.
    async fn begin(
        &self,
        finding: &Finding,
        playbook: &Playbook,
        earlier: Option<&Watched>,
        make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>,
    ) -> Result<Option<Notice>, RespondError> {
        let mut row = Watched::new(finding, WatchState::Retry, self.clock.now());
        row.attempts = earlier.map_or(0, |row| row.attempts) + 1;
        row.account = account(finding).unwrap_or_default();
        let runner = match make(Work::Begin(finding, playbook)).await {
            Ok(runner) => runner,
            Err(why) => return self.again(row, finding, &why),
        };
        let drafted = draft(finding, &Playbooks(vec![playbook.clone()]), &runner.hands, &runner.guard).await;
        let mut plan = match drafted {
            Ok(plan) => plan,
            Err(error) => return self.not_begun(row, finding, &error),
        };
        if let Some((first, last)) = self.store.seen(finding)? {
            plan.times.seen(first, last, !finding.owners.is_empty());
        }
        row.digest = self.folder.keep(&plan)?;
        row.state = WatchState::Planned;
        self.store.watch(&row)?;
        let digest = row.digest.clone();
        match runner.apply(&digest).await {
            Ok(run) => self.acted(row, &run, Some(finding)).map(Some),
            // Whether it was begun is what its journal says, not what went wrong.
            Err(error) => match self.known()?.runs.into_iter().find(|run| run.digest == digest && run.records > 0) {
                Some(run) => self.acted(row, &run, Some(finding)).map(Some),
                None => self.not_begun(row, finding, &error),
            },
        }
    }

    fn acted(&self, mut row: Watched, run: &Run, finding: Option<&Finding>) -> Result<Notice, RespondError> {
        row.state = WatchState::Acted;
        self.store.watch(&row)?;
        Ok(Notice::of_run(run, finding, self.clock.now()))
    }

    /// What a guard refuses stays refused; anything else may be over in a minute.
    fn not_begun(&self, row: Watched, finding: &Finding, error: &RespondError) -> Result<Option<Notice>, RespondError> {
        match error {
            RespondError::Guard(_) | RespondError::Unbound(_) | RespondError::NoPlaybook(_) | RespondError::Approval(_) => {
                self.leave(finding, Some(&row), error.to_string())
            }
            _ => self.again(row, finding, &error.to_string()),
        }
    }

    /// Is tried again later, and after so many attempts left to a person.
    fn again(&self, mut row: Watched, finding: &Finding, why: &str) -> Result<Option<Notice>, RespondError> {
        if row.attempts >= ATTEMPTS {
            return self.leave(finding, Some(&row), format!("{} attempts to begin failed: {why}", row.attempts));
        }
        let pause = PAUSE * 2u32.pow(row.attempts.saturating_sub(1));
        row.state = WatchState::Retry;
        row.next = self.clock.now().checked_add(pause).unwrap_or(Timestamp::MAX);
        why.clone_into(&mut row.why);
        self.store.watch(&row)?;
        let first = row.attempts == 1;
        let what = format!("could not be begun, and is tried again {} times: {why}", ATTEMPTS - 1);
        Ok(first.then(|| Notice::about(finding, NoticeKind::Held, what, self.clock.now())))
    }

    /// Takes up what a process that died had planned or begun, and what has waited long enough.
    async fn go_on(
        &self,
        findings: &[Finding],
        make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>,
    ) -> Result<Vec<Notice>, RespondError> {
        let (known, now) = (self.known()?, self.clock.now());
        let of = |run: &Run| findings.iter().find(|finding| is_about(&run.plan, finding));
        let mut notices = Vec::new();
        for row in known.ledger.values().filter(|row| row.state == WatchState::Planned) {
            let begun = known.runs.iter().find(|run| run.digest == row.digest && run.records > 0);
            // What was never begun is decided anew; of what came to its end nobody was told.
            let state = if begun.is_some() { WatchState::Acted } else { WatchState::Retry };
            self.store.watch(&Watched { state, next: now, ..row.clone() })?;
            let ended = begun.filter(|run| run.state != RunState::Open && !is_due(run, now));
            notices.extend(ended.map(|run| Notice::of_run(run, of(run), now)));
        }
        for run in &known.runs {
            let own = known.ledger.values().any(|row| row.digest == run.digest);
            if !(is_due(run, now) || (own && run.state == RunState::Open)) {
                continue;
            }
            let finding = of(run);
            let gone = match make(Work::GoOn(&run.plan)).await {
                Ok(runner) => runner.resume(&run.id).await.map_err(|error| match error {
                    RespondError::Busy(_) => None,
                    other => Some(other.to_string()),
                }),
                Err(why) => Err(Some(why)),
            };
            match gone {
                Ok(run) => notices.push(Notice::of_run(&run, finding, self.clock.now())),
                Err(None) => {}
                Err(Some(why)) => {
                    let stuck = Notice::of_run(run, finding, self.clock.now());
                    notices.push(Notice {
                        kind: NoticeKind::Held,
                        lines: vec![format!("cannot go on now: {why}")],
                        ..stuck
                    });
                }
            }
        }
        Ok(notices)
    }
}

/// What is known at the beginning of a pass, and again after a run.
struct Known {
    ledger: BTreeMap<Name, Watched>,
    runs: Vec<Run>,
    /// Which run is about which credential.
    about: BTreeMap<Name, String>,
}

/// A detector and a fingerprint.
type Name = (String, String);

fn name(detector: &str, fingerprint: &Fingerprint) -> Name {
    (detector.to_owned(), fingerprint.to_string())
}

impl Known {
    fn row(&self, finding: &Finding) -> Option<&Watched> {
        self.ledger.get(&name(&finding.detector, &finding.fingerprint))
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

/// How many of the latest runs that were begun here are stopped, and nobody looked at them. One that went on or was walked back
/// ends the row.
fn stopped_in_a_row(ledger: &[Watched], runs: &[Run]) -> usize {
    let mut acted: Vec<&Watched> = ledger.iter().filter(|row| row.state == WatchState::Acted && row.why != LOOKED).collect();
    acted.sort_by_key(|row| std::cmp::Reverse(row.at));
    let state = |row: &&&Watched| runs.iter().find(|run| run.digest == row.digest).map(|run| run.state);
    acted.iter().take_while(|row| state(row) == Some(RunState::Stopped)).count()
}
