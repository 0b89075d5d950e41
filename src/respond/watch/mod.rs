//! `respond watch`: takes new findings and runs the playbooks that the operator's settings allow without a person; goes on with
//! runs whose quiet period is over. The ledger in the store is written before the world is touched, and a run's own journal
//! after that: a finding is never acted on twice, and none is lost.

mod begun;
mod clocks;
mod decide;
mod go_on;
mod heard;
mod late;
mod live;
#[cfg(test)]
mod tests;
mod waiting;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::execute::Runner;
use super::folder::Folder;
use super::playbook::{Playbook, Playbooks};
use super::whose::account;
use super::{RespondError, draft, replayed};
use crate::model::{Clock, Finding, Notice, NoticeKind, Plan, Run, RunState};
use crate::secret::Fingerprint;
use crate::store::{Store, WatchState, Watched};

use begun::stopped_in_a_row;
pub use decide::{Allowed, Policy};
use decide::{Verdict, decide, held};
pub use heard::{Answer, Delivery, Ear, name as delivery_name};
use live::Now;
pub use waiting::Waiting;

/// Attempts to begin, before it is left to a person.
const ATTEMPTS: u32 = 5;
/// In the ledger: what was done was told.
const TOLD: &str = "told";
/// In the ledger: what was contained is live again.
const AGAIN: &str = "it is live again";
/// In the ledger: a person looked at the run.
const LOOKED: &str = "looked at";
/// Before the second attempt; doubled each time.
const PAUSE: Duration = Duration::from_mins(1);
/// Until what was held back is looked at again.
const HELD: Duration = Duration::from_mins(10);

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
    /// Set from outside: nothing more is begun, and a run ends after the step that is being taken.
    pub stop: Arc<AtomicBool>,
    /// The time.
    pub clock: &'w dyn Clock,
    /// When runs were looked at that may have left something behind.
    pub looked_at: RefCell<BTreeMap<String, Timestamp>>,
    /// Between two passes that nobody has asked for: so long nothing is begun after a failure, however often somebody knocks.
    pub every: Duration,
}

/// Whether a finding was seen live after a run had last done something.
fn is_live_since(finding: &Finding, run: &Run) -> bool {
    let ended = run.steps.iter().filter_map(|step| step.at).max();
    finding.liveness.liveness.is_usable()
        && ended.is_some_and(|ended| finding.liveness.at.is_some_and(|asked| asked > ended))
}

/// What a run that a person began has to do with a finding.
fn about(finding: &Finding, run: &str, known: &Known) -> String {
    let ended = known.runs.iter().find(|one| one.id == run).filter(|one| is_live_since(finding, one));
    match ended.map(|run| run.state) {
        Some(RunState::Done) => format!("{AGAIN}, although the run {run} had contained it"),
        Some(RunState::Stopped) => format!("it is live, and the run {run} that was about it has stopped"),
        _ => format!("the run {run} is about it already"),
    }
}

impl Watcher<'_> {
    /// Looks once at everything. `make` builds whoever acts, or says why it cannot; `tell` hands a notice on, as it arises.
    ///
    /// # Errors
    /// When the store or the state folder fails; what was begun goes on at the next pass, and what was not told is told then.
    pub async fn pass(
        &self,
        make: &impl AsyncFn(Work<'_>) -> Result<Runner, String>,
        tell: &impl AsyncFn(Notice),
    ) -> Result<(), RespondError> {
        // What cannot be looked at may be there.
        if let Some(file) = self.stop_file.as_ref().filter(|file| file.try_exists().unwrap_or(true)) {
            let why = format!("the stop file {} is there: nothing is begun and nothing goes on", file.display());
            tell(Notice::held(why, self.clock.now())).await;
            return Ok(());
        }
        let findings = worst_first(self.store.all()?);
        self.go_on(&findings, make, tell).await?;
        if let Some(notice) = self.clock_went_back()? {
            tell(notice).await;
        }
        let mut known = self.known()?;
        let mut begun = self.begun_lately(&known);
        for finding in &findings {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let row = known.row(finding).cloned();
            if let Some(notice) = self.look(finding, row.as_ref(), &known)? {
                tell(notice).await;
            }
            if row.as_ref().is_some_and(|row| self.is_settled(row)) {
                continue;
            }
            let Some(playbook) = self.allowed(finding, &known) else { continue };
            if begun.enough() {
                if !std::mem::replace(&mut begun.told, true) {
                    let why = "what was begun in this pass did not do what it should: nothing more is begun before the next";
                    tell(Notice::held(why.to_owned(), self.clock.now())).await;
                }
                continue;
            }
            if let Some(notice) = self.begin(finding, &playbook, row.as_ref(), make).await? {
                begun.count(&notice);
                tell(notice).await;
                self.was_told(finding)?;
            }
            known = self.known()?;
        }
        Ok(())
    }

    /// The playbook that a finding is acted on with now.
    fn allowed(&self, finding: &Finding, known: &Known) -> Option<Playbook> {
        if known.about.contains_key(&name(&finding.detector, &finding.fingerprint)) {
            return None;
        }
        let (ledger, now) = (known.rows(), self.clock.now());
        match decide(finding, (self.policy, self.playbooks, &ledger), now) {
            Verdict::Act(_) if held(self.policy, &ledger, stopped_in_a_row(&ledger, &known.runs), now).is_some() => None,
            Verdict::Act(playbook) => Some(*playbook),
            Verdict::Nothing | Verdict::Left(_) | Verdict::Held(_) => None,
        }
    }

    /// What is to be told of a finding that is not acted on, if it was not told before.
    fn look(&self, finding: &Finding, row: Option<&Watched>, known: &Known) -> Result<Option<Notice>, RespondError> {
        if let Some(row) = row.filter(|row| self.is_settled(row)) {
            return self.live_again(finding, row, known);
        }
        if let Some(run) = known.about.get(&name(&finding.detector, &finding.fingerprint)) {
            return self.leave(finding, row, about(finding, run, known));
        }
        let (ledger, now) = (known.rows(), self.clock.now());
        match decide(finding, (self.policy, self.playbooks, &ledger), now) {
            Verdict::Nothing => Ok(None),
            // Each is told by its own name: that keys are live and nothing is done must not be missed.
            Verdict::Left(why) | Verdict::Held(why) => self.leave(finding, row, why),
            Verdict::Act(_) => match held(self.policy, &ledger, stopped_in_a_row(&ledger, &known.runs), now) {
                Some(why) => self.leave(finding, row, why),
                None => Ok(None),
            },
        }
    }

    /// Writes down that somebody was told what was done.
    fn was_told(&self, finding: &Finding) -> Result<(), RespondError> {
        let row = self.store.watched()?.into_iter().find(|row| row.is_about(finding));
        if let Some(row) = row.filter(|row| row.state == WatchState::Acted && row.why.is_empty()) {
            self.store.watch(&Watched { why: TOLD.to_owned(), ..row })?;
        }
        Ok(())
    }

    /// What the ledger and the runs say.
    fn known(&self) -> Result<Known, RespondError> {
        let (mut runs, mut about, mut hollow) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for kept in self.folder.runs()? {
            let run = replayed(&kept).ok();
            if let Some(run) = run.as_ref().filter(|run| self.is_hollow(run)) {
                hollow.insert(run.digest.clone());
                continue;
            }
            // A run whose journal is damaged is about its credential all the same.
            let plan = kept.plan().ok();
            about.extend(plan.map(|plan| (name(&plan.detector, &plan.fingerprint), kept.id.clone())));
            runs.extend(run);
        }
        let ledger = self.store.watched()?.into_iter().map(|row| ((row.detector.clone(), row.fingerprint.clone()), row));
        Ok(Known { ledger: ledger.collect(), runs, about, hollow })
    }

    /// Whether a run has ended with its process before its first record: it has done nothing and stands for nothing, so what it was to
    /// be about is decided anew. Whoever is about to write that record has the credential's lock.
    fn is_hollow(&self, run: &Run) -> bool {
        run.records == 0 && !matches!(self.folder.lock(&run.plan), Err(RespondError::Busy(_)))
    }

    /// Tells once of what was contained and is live again: it is not acted on twice without a person.
    fn live_again(&self, finding: &Finding, row: &Watched, known: &Known) -> Result<Option<Notice>, RespondError> {
        let run = known.runs.iter().find(|run| run.digest == row.digest && run.state == RunState::Done);
        let Some(run) = run.filter(|run| is_live_since(finding, run)) else { return Ok(None) };
        let why = format!("{AGAIN}, although the run {} had contained it", run.id);
        if row.why == why {
            return Ok(None);
        }
        self.store.watch(&Watched { why: why.clone(), ..row.clone() })?;
        Ok(Some(Notice::about(finding, NoticeKind::Left, why, self.clock.now())))
    }

    /// Takes a person's word that they looked at the runs that came to a stop: they hold nothing back any more.
    pub fn looked(&self) -> Result<(), RespondError> {
        for row in
            self.store.watched()?.into_iter().filter(|row| row.state == WatchState::Acted && !row.why.starts_with(AGAIN))
        {
            self.store.watch(&Watched { why: LOOKED.to_owned(), ..row })?;
        }
        Ok(())
    }

    /// Whether nothing is to be decided about a finding any more, or not yet.
    fn is_settled(&self, row: &Watched) -> bool {
        match row.state {
            WatchState::Acted | WatchState::Planned => true,
            // A moment that no pause reaches was written by a clock that has been set back since.
            WatchState::Retry => {
                let (now, longest) = (self.clock.now(), self.pause_after(ATTEMPTS).max(self.after(HELD)));
                now < row.next && (row.next <= longest || row.next == Timestamp::MAX)
            }
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
        let mut row = Watched::new(finding, WatchState::Retry, self.moment()?);
        row.attempts = earlier.map_or(0, |row| row.attempts) + 1;
        row.account = account(finding).unwrap_or_default();
        // What somebody was told is not told again.
        row.why = earlier.filter(|row| row.state == WatchState::Retry).map_or_else(String::new, |row| row.why.clone());
        // Written first: what kills this process is not the first thing that the next one meets, over and over.
        if row.attempts > ATTEMPTS {
            return self.leave(
                finding,
                Some(&row),
                format!("{ATTEMPTS} attempts to begin ended with the process that made them"),
            );
        }
        row.next = if row.attempts == 1 { self.clock.now() } else { self.pause_after(row.attempts - 1) };
        self.store.watch(&row)?;
        let mut runner = match make(Work::Begin(finding, playbook)).await {
            Ok(runner) => runner,
            Err(_) if self.stop.load(Ordering::Relaxed) => return self.not_now(row),
            Err(why) => return self.again(row, finding, &why),
        };
        runner.stop = Arc::clone(&self.stop);
        // What a scan once saw is no reason to act: its provider is asked again.
        let unread = match live::now(finding, playbook, &runner.hands).await {
            Now::Live => None,
            Now::Unread(why) => Some(why),
            Now::Dead(why) => return self.is_dead(row, &why),
            Now::Unknown(why) => return self.again(row, finding, &why),
        };
        let drafted = draft(finding, &Playbooks(vec![playbook.clone()]), &runner.hands, &runner.guard).await;
        let mut plan = match drafted {
            Ok(plan) => plan,
            Err(error) => return self.not_begun(row, finding, &error),
        };
        if let Some(why) = unread {
            if live::is_stopped(&plan) {
                return self.is_dead(row, "its provider lists it as stopped");
            }
            if !live::is_seen(&plan) {
                let why = format!("whether it is still live cannot be asked: {why}, and its provider does not list it now");
                return self.again(row, finding, &why);
            }
            plan.unknowns.push(live::untried(&why));
        }
        if let Some((first, last)) = self.store.seen(finding)? {
            plan.times.seen(first, last, !finding.owners.is_empty());
        }
        // A person may have been quicker.
        if let Some(run) = self.known()?.about.get(&name(&finding.detector, &finding.fingerprint)) {
            return self.leave(finding, Some(&row), format!("the run {run} is about it already"));
        }
        row.digest = self.folder.keep(&plan)?;
        row.state = WatchState::Planned;
        // Nobody was told of the run.
        let told = std::mem::take(&mut row.why);
        self.store.watch(&row)?;
        let digest = row.digest.clone();
        match runner.apply(&digest).await {
            Ok(run) => self.acted(row, &run, Some(finding)).map(Some),
            // Whether it was begun is what its journal says, not what went wrong.
            Err(error) => match self.known()?.runs.into_iter().find(|run| run.digest == digest) {
                Some(run) => self.acted(row, &run, Some(finding)).map(Some),
                None => self.not_begun(Watched { why: told, ..row }, finding, &error),
            },
        }
    }

    /// This process was asked to end before anything was begun: that is no attempt, and the next watch takes it up.
    fn not_now(&self, row: Watched) -> Result<Option<Notice>, RespondError> {
        self.store.watch(&Watched { attempts: row.attempts.saturating_sub(1), next: self.clock.now(), ..row })?;
        Ok(None)
    }

    /// Nobody is woken for what somebody else has ended.
    fn is_dead(&self, row: Watched, why: &str) -> Result<Option<Notice>, RespondError> {
        let why = format!("it is dead by now: {why}");
        self.store.watch(&Watched { state: WatchState::Told, why, ..row })?;
        Ok(None)
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
            RespondError::Held(why) => self.held(row, finding, why),
            _ => self.again(row, finding, &error.to_string()),
        }
    }

    /// Nothing is wrong, and it is no attempt: what holds it is over within the hour, or somebody sees to it.
    fn held(&self, mut row: Watched, finding: &Finding, why: &str) -> Result<Option<Notice>, RespondError> {
        let first = row.why != why;
        row.attempts = row.attempts.saturating_sub(1);
        row.state = WatchState::Retry;
        row.next = self.after(HELD);
        why.clone_into(&mut row.why);
        self.store.watch(&row)?;
        let what = format!("is held back, and begun as soon as may be: {why}");
        Ok(first.then(|| Notice::about(finding, NoticeKind::Held, what, self.clock.now())))
    }

    /// Is tried again later, and after so many attempts left to a person.
    fn again(&self, mut row: Watched, finding: &Finding, why: &str) -> Result<Option<Notice>, RespondError> {
        if row.attempts >= ATTEMPTS {
            return self.leave(finding, Some(&row), format!("{} attempts to begin failed: {why}", row.attempts));
        }
        row.state = WatchState::Retry;
        row.next = self.pause_after(row.attempts);
        why.clone_into(&mut row.why);
        self.store.watch(&row)?;
        let first = row.attempts == 1;
        let what = format!("could not be begun, and is tried again {} times: {why}", ATTEMPTS - 1);
        Ok(first.then(|| Notice::about(finding, NoticeKind::Held, what, self.clock.now())))
    }

    fn pause_after(&self, attempts: u32) -> Timestamp {
        self.after(PAUSE * 2u32.pow(attempts.saturating_sub(1).min(16)))
    }

    fn after(&self, pause: Duration) -> Timestamp {
        self.clock.now().checked_add(pause).unwrap_or(Timestamp::MAX)
    }
}

/// What is worst comes first: the caps are for that.
fn worst_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// What is known at the beginning of a pass, and again after a run.
struct Known {
    ledger: BTreeMap<Name, Watched>,
    runs: Vec<Run>,
    /// Which run is about which credential.
    about: BTreeMap<Name, String>,
    /// Plans whose run has done nothing, and never will.
    hollow: BTreeSet<String>,
}

/// A detector and a fingerprint.
type Name = (String, String);

fn name(detector: &str, fingerprint: &Fingerprint) -> Name {
    (detector.to_owned(), fingerprint.to_string())
}

impl Known {
    fn rows(&self) -> Vec<Watched> {
        self.ledger.values().cloned().collect()
    }

    fn row(&self, finding: &Finding) -> Option<&Watched> {
        self.ledger.get(&name(&finding.detector, &finding.fingerprint))
    }
}
