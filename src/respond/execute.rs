//! Executes a plan step by step. The journal is written first; replaying it is the only memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::actions::{self, Notes, Outcome, Role, World, Written};
use super::approve::{Approvers, count, good};
use super::folder::{Folder, Lock, RunFolder};
use super::glass::{counts, may_go};
use super::guard::{Guard, Moment};
use super::journal::Journal;
use super::replay::{ALREADY, replay, stands, state_of, take_up};
use super::{Hands, RespondError, Turn, plan};
use crate::attest::{Signer, Statement};
use crate::model::{Approval, Event, EventKind, OnFailure, Plan, PlannedStep, Run, StepState};
use crate::secret::Scrubber;

/// Carries plans out.
pub struct Runner {
    /// What it acts with.
    pub hands: Hands,
    /// Where runs are kept.
    pub folder: Folder,
    /// What is never done.
    pub guard: Guard,
    /// While this file exists nothing is changed.
    pub stop_file: Option<PathBuf>,
    /// How long after the last change everything is looked at once more.
    pub look_again: Duration,
    /// Its turn among others.
    pub turn: Turn,
    /// Who may approve.
    pub approvers: Approvers,
    /// Who asked for the run; their own approval does not count.
    pub requester: String,
    /// Why whoever asked goes on without the approvals that the plan asks for, where they do.
    pub break_glass: Option<String>,
    /// Steps of which a person says that they are done.
    pub confirmed: Vec<String>,
    /// What evidence is signed with, where the settings give a key.
    pub signer: Option<Signer>,
    /// Set from outside to stop after the step that is being taken.
    pub stop: Arc<AtomicBool>,
}

/// A run in progress.
pub(super) struct Progress {
    folder: RunFolder,
    journal: Journal,
    pub(super) run: Run,
    /// Steps whose quiet period is over or was never asked for.
    pub(super) waited: Vec<String>,
    /// Approvals that count now.
    approved: usize,
    /// Takes secrets out of what is written down: an answer may repeat what it was asked about.
    pub(super) scrubber: Scrubber,
}

impl Runner {
    /// Carries out a plan that was kept.
    pub async fn apply(&self, digest: &str) -> Result<Run, RespondError> {
        let (plan, digest) = self.folder.plan(digest)?;
        let _lock = self.folder.lock(&plan)?;
        if let Some(run) = self.begun(&digest)? {
            let what =
                format!("the plan was applied already; see `staunch respond status {0}`, go on with `resume {0}`", run.id);
            return Err(RespondError::NotFound(what));
        }
        let now = self.hands.clock.now();
        let approvals = self.approvals(&digest, &self.requester);
        let counted = self.may_begin(&plan, (&digest, approvals.len()), now).await?;
        let folder = self.folder.new_run(&plan, now)?;
        let mut journal = Journal::create(&folder.journal(), &folder.id)?;
        let clock = &*self.hands.clock;
        let planned = EventKind::Planned { digest: digest.clone() };
        let mut events = vec![journal.append(clock, None, planned, json!({ "requester": self.requester }))?];
        drop(counted);
        self.take_note(&mut journal, &mut events, &approvals)?;
        self.note_glass((&plan, approvals.len()), &mut journal, &mut events)?;
        let run = replay(plan, &folder, &events)?;
        self.drive(self.progress(folder, (journal, run), Vec::new(), approvals.len())).await
    }

    /// Whether a plan may be begun now. Nobody else begins a rotation while the answer is held.
    async fn may_begin(
        &self,
        plan: &Plan,
        (digest, approved): (&str, usize),
        now: Timestamp,
    ) -> Result<Option<Lock>, RespondError> {
        self.agreed(plan, digest, approved)?;
        self.guard.plan(plan, &self.moment(0)).map_err(RespondError::Guard)?;
        self.drift(plan).await?;
        self.room(plan, now).await
    }

    /// The same for a plan whose run has not written anything down, and whose folder is there.
    async fn may_begin_late(&self, plan: &Plan, (digest, folder): (&str, &RunFolder)) -> Result<Option<Lock>, RespondError> {
        if let Some(other) = self.begun(digest)? {
            return Err(RespondError::NotFound(format!(
                "{} has done nothing, and the plan was applied again since: go on with `staunch respond resume {}`",
                folder.id, other.id
            )));
        }
        let approved = self.approvals(digest, &self.requester).len();
        self.may_begin(plan, (digest, approved), self.hands.clock.now()).await
    }

    fn progress(&self, folder: RunFolder, (journal, run): (Journal, Run), waited: Vec<String>, approved: usize) -> Progress {
        let scrubber = self.hands.scrubber(&run.plan.fingerprint);
        Progress { folder, journal, run, waited, approved, scrubber }
    }

    /// The approvals of a plan that count now: of others than whoever goes on with it and whoever asked for it.
    fn approvals(&self, digest: &str, asked: &str) -> Vec<Approval> {
        let given = self.folder.approvals(digest);
        let mut good = good(digest, &given, (&self.approvers, &self.requester, self.hands.clock.now()));
        good.retain(|approval| approval.approver != asked);
        good
    }

    /// Writes down the approvals that are not in the journal yet.
    fn take_note(&self, journal: &mut Journal, events: &mut Vec<Event>, approvals: &[Approval]) -> Result<(), RespondError> {
        for approval in approvals {
            let event = EventKind::Approved { approver: approval.approver.clone() };
            if events.iter().all(|earlier| earlier.event != event) {
                events.push(journal.append(&*self.hands.clock, None, event, json!(approval))?);
            }
        }
        Ok(())
    }

    /// Goes on with a run, after a crash, a wait or a failure that was dealt with.
    pub async fn resume(&self, run: &str) -> Result<Run, RespondError> {
        let folder = self.folder.run(run)?;
        let plan = folder.plan()?;
        let _lock = self.folder.lock(&plan)?;
        let (mut journal, mut events) = Journal::open(&folder.journal(), &folder.id)?;
        let digest = plan.digest().map_err(|error| RespondError::NotFound(error.to_string()))?;
        if events.is_empty() {
            // It died before its first record, so it has done nothing yet: whether it may be begun is asked anew.
            let counted = self.may_begin_late(&plan, (&digest, &folder)).await?;
            let planned = EventKind::Planned { digest: digest.clone() };
            events.push(journal.append(&*self.hands.clock, None, planned, json!({ "requester": self.requester }))?);
            drop(counted);
        }
        let asked = events.first().and_then(|planned| planned.evidence.get("requester")?.as_str());
        let approvals = self.approvals(&digest, asked.unwrap_or(&self.requester));
        self.take_note(&mut journal, &mut events, &approvals)?;
        self.note_glass((&plan, approvals.len()), &mut journal, &mut events)?;
        let run = replay(plan, &folder, &events)?;
        let waited = waited(&events);
        let mut progress = self.progress(folder, (journal, run), waited, approvals.len());
        if !progress.run.steps.iter().any(|step| step.state == StepState::Undone) {
            // A key that was lost and has shown up goes, whatever else there is to do; what cannot be seen now keeps nothing back.
            match self.left_taken(&mut progress).await {
                Err(RespondError::Provider(why) | RespondError::Guard(why)) => {
                    tracing::warn!("a key that was lost could not be looked for, or not be taken away: {why}");
                }
                other => other?,
            }
        }
        self.drive(progress).await
    }

    /// Walks back what can be undone, last change first.
    pub async fn undo(&self, run: &str) -> Result<Run, RespondError> {
        let (mut progress, _lock) = self.opened(run)?;
        self.walk_back(&mut progress).await?;
        Ok(finished(progress))
    }

    /// A run as it stands, for what needs nobody's agreement. Nobody else works on it while the lock is held.
    pub(super) fn opened(&self, run: &str) -> Result<(Progress, Lock), RespondError> {
        let folder = self.folder.run(run)?;
        let plan = folder.plan()?;
        let lock = self.folder.lock(&plan)?;
        let (journal, events) = Journal::open(&folder.journal(), &folder.id)?;
        let run = replay(plan, &folder, &events)?;
        Ok((self.progress(folder, (journal, run), Vec::new(), 0), lock))
    }

    /// Whether the world is as the plan saw it, where the plan would change it.
    async fn drift(&self, plan: &Plan) -> Result<(), RespondError> {
        for step in plan.steps.iter().filter(|step| step.mutates && !step.observed.is_null()) {
            let now = plan::look(plan, step, &self.hands).await;
            // What was planned was scrubbed as well: an object may be called by the value.
            let scrubber = self.hands.scrubber(&plan.fingerprint);
            let Some(action) = actions::get(&step.action) else { continue };
            // What is not needed keeps nothing back that is.
            if now.is_err() && action.must_see() && step.on_failure == OnFailure::Continue {
                continue;
            }
            let now = now.map_err(|why| RespondError::Provider(format!("{}: {}", step.id, scrubber.scrub(&why))))?;
            let now = plan::scrubbed(&scrubber, now);
            // Somebody was quicker: what was to be stopped is, and that is still to be proved.
            // Where others are met by what else is done, as an OpenAI key's project is, that is not done for a key that has ended.
            let stopped = plan.mode == "contain"
                && action.role() == Role::Stops
                && action.stops_by_name()
                && action.is_stopped(&now)
                && now.get("object") == step.observed.get("object");
            if !stopped && !action.same(&step.observed, &now) {
                let (planned, now) = (step.observed.to_string(), now.to_string());
                return Err(RespondError::Drift { step: step.id.clone(), planned, now });
            }
        }
        Ok(())
    }

    pub(super) fn moment(&self, changes: usize) -> Moment<'_> {
        self.hands.moment(self.stop_file.as_ref().is_some_and(|file| file.exists()), changes)
    }

    /// Takes every step that is not done, in order.
    async fn drive(&self, mut progress: Progress) -> Result<Run, RespondError> {
        let undone = |state| matches!(state, StepState::Undoing | StepState::Undone | StepState::UndoFailed);
        if progress.run.steps.iter().any(|step| undone(step.state)) {
            let what = format!("the run is being walked back; go on with `staunch respond undo {}`", progress.run.id);
            return Err(RespondError::NotFound(what));
        }
        for number in 0..progress.run.plan.steps.len() {
            let step = progress.run.plan.steps[number].clone();
            if progress.run.steps[number].state == StepState::Succeeded {
                let until = match quiet_unbegun(&progress, number) {
                    Some(until) => until,
                    None if is_behind(&progress.run, number) => self.hands.clock.now(),
                    None => continue,
                };
                let again = EventKind::Waiting { until: Some(until), person: None };
                self.record(&mut progress, &step.id, again, Value::Null)?;
            }
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            self.take(&mut progress, &step).await?;
            match (progress.run.steps[number].state, step.on_failure) {
                // What waits has not failed; what follows it would come too early.
                (StepState::Waiting, _) => break,
                (StepState::Succeeded, _) | (_, OnFailure::Continue) => {}
                (_, OnFailure::Stop) => break,
                (_, OnFailure::Undo) => {
                    self.walk_back(&mut progress).await?;
                    break;
                }
            }
        }
        Ok(finished(progress))
    }

    /// Before evidence is made: waits until the last change is as old as it must be to be believed.
    async fn settled(&self, run: &Run) {
        let changed = run.plan.steps.iter().zip(&run.steps).filter(|(step, status)| step.mutates && stands(status));
        let Some(last) = changed.filter_map(|(_, status)| status.at).max() else { return };
        let passed = Duration::try_from(self.hands.clock.now().duration_since(last)).unwrap_or_default();
        self.turn.pass(self.look_again.saturating_sub(passed)).await;
    }

    /// Takes one step: guards, record, act, record.
    async fn take(&self, progress: &mut Progress, step: &PlannedStep) -> Result<(), RespondError> {
        if progress.run.steps.iter().any(|status| status.id == step.id && status.state == StepState::Started) {
            // Whatever comes of it now, the attempt that nobody saw the end of may have had its effect.
            let why = "the process ended before the outcome was known".to_owned();
            self.record(progress, &step.id, EventKind::Unknown { why }, Value::Null)?;
        }
        let status = |id: &str| progress.run.steps.iter().find(|status| status.id == id).map(|status| status.state);
        let touched =
            |other: &&PlannedStep| other.mutates && status(&other.id).is_some_and(|state| state != StepState::Pending);
        // The step itself may have been begun before a crash; it is not counted against itself.
        let changes = progress.run.plan.steps.iter().filter(|other| other.id != step.id).filter(touched).count();
        let missing = step.needs.iter().find(|need| status(need) != Some(StepState::Succeeded));
        let barred = match missing {
            Some(need) => Err(format!("it needs {need}, which did not succeed")),
            None => self.guard.step(&progress.run.plan, step, &self.moment(changes)),
        };
        if let Err(why) = barred {
            return self.record(progress, &step.id, EventKind::Refused { why }, Value::Null);
        }
        if let Some(until) = self.quiet_until(progress, &step.id) {
            return self.record(progress, &step.id, EventKind::Waiting { until: Some(until), person: None }, Value::Null);
        }
        if self.is_taken_back(progress, step).await? {
            return self.let_be(progress, step);
        }
        let person = match self.lacks_agreement(progress, step) {
            None => self.is_used_again(progress, step).await?,
            lacks => lacks,
        };
        if person.is_some() {
            return self.record(progress, &step.id, EventKind::Waiting { until: None, person }, Value::Null);
        }
        if step.action == "evidence" {
            self.settled(&progress.run).await;
        }
        let attempt = format!("{}/{}/{}", progress.run.id, step.id, progress.run.records);
        self.record(progress, &step.id, EventKind::Started { idempotency_key: attempt }, Value::Null)?;
        let (event, evidence) = match self.act(progress, step).await? {
            Outcome::Done(evidence) => (EventKind::Succeeded, evidence),
            Outcome::AlreadyDone(evidence) => (EventKind::Succeeded, json!({ ALREADY: evidence })),
            Outcome::Refused(why) => (EventKind::Refused { why }, Value::Null),
            Outcome::Failed(why) => (EventKind::Failed { why }, Value::Null),
            Outcome::Unknown(why) => (EventKind::Unknown { why }, Value::Null),
            Outcome::Waiting(person) => (EventKind::Waiting { until: None, person: Some(person) }, Value::Null),
            Outcome::Until(until) => (EventKind::Waiting { until: Some(until), person: None }, Value::Null),
        };
        let evidence = plan::scrubbed(&progress.scrubber, evidence);
        let (succeeded, statement) = (event == EventKind::Succeeded, evidence.clone());
        if succeeded && step.action == "evidence" {
            progress.folder.keep_evidence(&statement)?;
            if let Some(signer) = &self.signer {
                progress.folder.keep_signed(&Statement::seal(&statement, signer))?;
            }
        }
        self.record(progress, &step.id, event, evidence)?;
        if succeeded && step.watch > 0 && !progress.waited.contains(&step.id) {
            let until = self.hands.clock.now().checked_add(Duration::from_secs(step.watch)).unwrap_or(Timestamp::MAX);
            self.record(progress, &step.id, EventKind::Waiting { until: Some(until), person: None }, Value::Null)?;
        }
        Ok(())
    }

    /// Who must still agree to a step.
    fn lacks_agreement(&self, progress: &Progress, step: &PlannedStep) -> Option<String> {
        let now = self.hands.clock.now();
        let glass = progress.run.break_glass.as_ref().filter(|_| may_go(step)).map(|glass| (glass, counts(glass, now)));
        let goes = glass.as_ref().is_some_and(|(_, counts)| counts.is_ok() || is_waited_over(progress, step));
        (!goes && count(step.approval) > progress.approved).then(|| {
            let ended = glass.and_then(|(glass, counts)| Some((&glass.who, counts.err()?)));
            let ended = ended.map(|(who, at)| format!("the break-glass of {who} ended at {at}, and counts no more: "));
            format!(
                "{}{} approval(s) by others than {}, {} given: `staunch respond approve {}`, then `resume`",
                ended.unwrap_or_default(),
                count(step.approval),
                self.requester,
                progress.approved,
                progress.run.digest
            )
        })
    }

    /// The end of a step's quiet period, while it is not over.
    fn quiet_until(&self, progress: &Progress, id: &str) -> Option<Timestamp> {
        let status = progress.run.steps.iter().find(|status| status.id == id && status.state == StepState::Waiting)?;
        let until: Timestamp = status.evidence.get("until")?.as_str()?.parse().ok()?;
        (self.hands.clock.now() < until).then_some(until)
    }

    pub(super) fn world<'w>(&'w self, run: &'w Run, step: &'w PlannedStep, notes: Option<&'w Notes>) -> World<'w> {
        World {
            hands: &self.hands,
            plan: &run.plan,
            digest: &run.digest,
            step: &step.id,
            with: &step.with,
            timeout: Duration::from_secs(step.timeout),
            so_far: &run.steps,
            before: &step.observed,
            confirmed: self.confirmed.contains(&step.id),
            requester: &self.requester,
            folder: Some(&self.folder),
            notes,
            record: &Value::Null,
        }
    }

    /// Acts, and writes down what the action notes on its way. An action whose note cannot be written goes no further.
    async fn act(&self, progress: &mut Progress, step: &PlannedStep) -> Result<Outcome, RespondError> {
        let Some(action) = actions::get(&step.action) else {
            return Ok(Outcome::Failed(format!("this version has no action {}", step.action)));
        };
        let (run, (notes, written)) = (progress.run.clone(), Notes::new());
        let (seq, head) = progress.journal.head();
        let mut record = json!({ "journal": { "seq": seq, "sha256": head } });
        if let Some(glass) = &run.break_glass {
            record["break_glass"] = json!(glass);
        }
        let world = World { record: &record, ..self.world(&run, step, Some(&notes)) };
        // An action keeps to its own time; this is for one that does not.
        let limit = world.timeout + Duration::from_secs(15);
        self.noting(progress, step, (&written, limit, action.apply(&world))).await
    }

    /// Writes down what an action notes on its way, until it comes to its end or its time is up.
    pub(super) async fn noting(
        &self,
        progress: &mut Progress,
        step: &PlannedStep,
        (written, limit, doing): (&Written, Duration, actions::Doing<'_, Outcome>),
    ) -> Result<Outcome, RespondError> {
        let mut acting = std::pin::pin!(tokio::time::timeout(limit, doing));
        loop {
            tokio::select! {
                biased;
                Some((note, done)) = written.next() => {
                    self.record(progress, &step.id, EventKind::Noted, note)?;
                    // Whoever noted it may be gone already.
                    let _ = done.send(());
                }
                outcome = &mut acting => {
                    return Ok(outcome.unwrap_or_else(|_| Outcome::Unknown("no answer in time".to_owned())));
                }
            }
        }
    }

    pub(super) fn record(
        &self,
        progress: &mut Progress,
        step: &str,
        event: EventKind,
        evidence: Value,
    ) -> Result<(), RespondError> {
        let event = without_secrets(&progress.scrubber, event);
        let evidence = plan::scrubbed(&progress.scrubber, evidence);
        tracing::debug!(step, ?event, "journal");
        let event = progress.journal.append(&*self.hands.clock, Some(step), event, evidence)?;
        take_up(&mut progress.run, &event).map_err(|what| RespondError::Journal {
            path: progress.folder.journal(),
            line: progress.run.records as usize,
            what,
        })
    }
}

/// Whether a step's change was made and waited over: where nobody has taken it back, a look is all that is left of it.
pub(super) fn is_waited_over(progress: &Progress, step: &PlannedStep) -> bool {
    let mut own = progress.run.steps.iter().filter(|status| status.id == step.id);
    let waits = own.any(|status| status.state == StepState::Waiting && status.touched);
    waits && !step.observed.is_null() && progress.waited.contains(&step.id)
}

/// Until when a step is to be waited for whose process died after it was done, and before that was written down.
fn quiet_unbegun(progress: &Progress, number: usize) -> Option<Timestamp> {
    let (step, status) = (&progress.run.plan.steps[number], &progress.run.steps[number]);
    let due = step.watch > 0 && !progress.waited.contains(&step.id);
    let at = status.at.filter(|_| due)?;
    Some(at.checked_add(Duration::from_secs(step.watch)).unwrap_or(Timestamp::MAX))
}

/// Whether a step is evidence of less than was done by now: something before it has happened since.
fn is_behind(run: &Run, number: usize) -> bool {
    let made = run.steps[number].at;
    run.plan.steps[number].action == "evidence" && run.steps[..number].iter().any(|earlier| earlier.at > made)
}

pub(super) fn finished(mut progress: Progress) -> Run {
    progress.run.state = state_of(&progress.run);
    progress.run
}

/// An event whose words hold no secret, whatever a provider said.
fn without_secrets(scrubber: &Scrubber, event: EventKind) -> EventKind {
    match event {
        EventKind::Refused { why } => EventKind::Refused { why: scrubber.scrub(&why) },
        EventKind::Failed { why } => EventKind::Failed { why: scrubber.scrub(&why) },
        EventKind::Unknown { why } => EventKind::Unknown { why: scrubber.scrub(&why) },
        EventKind::UndoFailed { why } => EventKind::UndoFailed { why: scrubber.scrub(&why) },
        EventKind::Waiting { until, person } => {
            EventKind::Waiting { until, person: person.map(|person| scrubber.scrub(&person)) }
        }
        other => other,
    }
}

/// Steps whose quiet period has been waited, save where somebody has taken their change back meanwhile.
fn waited(events: &[Event]) -> Vec<String> {
    let mut waited: Vec<String> = Vec::new();
    for event in events {
        let Some(id) = &event.step else { continue };
        match event.event {
            EventKind::Waiting { until: Some(_), .. } if !waited.contains(id) => waited.push(id.clone()),
            EventKind::Refused { .. } => waited.retain(|other| other != id),
            _ => {}
        }
    }
    waited
}
