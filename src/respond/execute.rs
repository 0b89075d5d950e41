//! Executes a plan step by step. The journal is written first; replaying it is the only memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::actions::{self, Outcome, World};
use super::approve::{Approvers, enough};
use super::folder::{Folder, RunFolder};
use super::guard::{Guard, Moment};
use super::journal::{self, Journal};
use super::{Hands, RespondError, plan, table};
use crate::model::{Event, EventKind, OnFailure, Plan, PlannedStep, Run, RunState, StepState, StepStatus};

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
    /// Who may approve.
    pub approvers: Approvers,
    /// Who asked for the run; their own approval does not count.
    pub requester: String,
    /// Set from outside to stop after the step that is being taken.
    pub stop: Arc<AtomicBool>,
}

/// A run in progress.
struct Progress {
    folder: RunFolder,
    journal: Journal,
    run: Run,
    /// Steps whose quiet period is over or was never asked for.
    waited: Vec<String>,
}

impl Runner {
    /// Carries out a plan that was kept.
    pub async fn apply(&self, digest: &str) -> Result<Run, RespondError> {
        let (plan, digest) = self.folder.plan(digest)?;
        let _lock = self.folder.lock(&plan)?;
        for run in self.folder.runs()? {
            // A run that died before its first record has done nothing.
            let known = replayed(&run).is_ok_and(|known| known.digest == digest && known.records > 0);
            if known {
                let what = format!(
                    "the plan was applied already; see `staunch respond status {0}`, go on with `resume {0}`",
                    run.id
                );
                return Err(RespondError::NotFound(what));
            }
        }
        let now = self.hands.clock.now();
        let given = self.folder.approvals(&digest);
        let approvals = enough(&plan, &digest, &given, (&self.approvers, &self.requester, now))?;
        self.guard.plan(&plan, &self.moment(0)).map_err(RespondError::Guard)?;
        self.drift(&plan).await?;
        let folder = self.folder.new_run(&plan, now)?;
        let mut journal = Journal::create(&folder.journal(), &folder.id)?;
        let clock = &*self.hands.clock;
        let planned = EventKind::Planned { digest: digest.clone() };
        let mut events = vec![journal.append(clock, None, planned, json!({ "requester": self.requester }))?];
        for approval in approvals {
            let event = EventKind::Approved { approver: approval.approver.clone() };
            events.push(journal.append(clock, None, event, json!(approval))?);
        }
        let run = replay(plan, &folder, &events)?;
        self.drive(Progress { folder, journal, run, waited: Vec::new() }).await
    }

    /// Goes on with a run, after a crash, a wait or a failure that was dealt with.
    pub async fn resume(&self, run: &str) -> Result<Run, RespondError> {
        let folder = self.folder.run(run)?;
        let plan = folder.plan()?;
        let _lock = self.folder.lock(&plan)?;
        let (mut journal, mut events) = Journal::open(&folder.journal(), &folder.id)?;
        if events.is_empty() {
            // It died before its first record, so it has done nothing yet.
            let digest = plan.digest().map_err(|error| RespondError::NotFound(error.to_string()))?;
            let planned = EventKind::Planned { digest };
            events.push(journal.append(&*self.hands.clock, None, planned, json!({ "requester": self.requester }))?);
        }
        let run = replay(plan, &folder, &events)?;
        let waits = events.iter().filter(|event| matches!(event.event, EventKind::Waiting { .. }));
        let waited = waits.filter_map(|event| event.step.clone()).collect();
        self.drive(Progress { folder, journal, run, waited }).await
    }

    /// Walks back what can be undone, last change first.
    pub async fn undo(&self, run: &str) -> Result<Run, RespondError> {
        let folder = self.folder.run(run)?;
        let plan = folder.plan()?;
        let _lock = self.folder.lock(&plan)?;
        let (journal, events) = Journal::open(&folder.journal(), &folder.id)?;
        let run = replay(plan, &folder, &events)?;
        let mut progress = Progress { folder, journal, run, waited: Vec::new() };
        self.walk_back(&mut progress).await?;
        Ok(finished(progress))
    }

    /// Whether the world is as the plan saw it, where the plan would change it.
    async fn drift(&self, plan: &Plan) -> Result<(), RespondError> {
        for step in plan.steps.iter().filter(|step| step.mutates && !step.observed.is_null()) {
            let now = plan::look(plan, step, &self.hands).await;
            let now = now.map_err(|why| RespondError::Provider(format!("{}: {why}", step.id)))?;
            if now != step.observed {
                let (planned, now) = (step.observed.to_string(), now.to_string());
                return Err(RespondError::Drift { step: step.id.clone(), planned, now });
            }
        }
        Ok(())
    }

    fn moment(&self, changes: usize) -> Moment<'_> {
        Moment {
            responder_key: &self.hands.responder.key_id,
            responder_arn: &self.hands.responder_arn,
            stopped: self.stop_file.as_ref().is_some_and(|file| file.exists()),
            changes,
        }
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
                continue;
            }
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            self.take(&mut progress, &step).await?;
            match (progress.run.steps[number].state, step.on_failure) {
                (StepState::Succeeded, _) | (_, OnFailure::Continue) => {}
                (StepState::Waiting, _) | (_, OnFailure::Stop) => break,
                (_, OnFailure::Undo) => {
                    self.walk_back(&mut progress).await?;
                    break;
                }
            }
        }
        Ok(finished(progress))
    }

    /// Takes one step: guards, record, act, record.
    async fn take(&self, progress: &mut Progress, step: &PlannedStep) -> Result<(), RespondError> {
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
        let attempt = format!("{}/{}/{}", progress.run.id, step.id, progress.run.records);
        self.record(progress, &step.id, EventKind::Started { idempotency_key: attempt }, Value::Null)?;
        let (event, evidence) = match self.act(&progress.run, step).await {
            Outcome::Done(evidence) => (EventKind::Succeeded, evidence),
            Outcome::AlreadyDone(evidence) => (EventKind::Succeeded, json!({ "already": evidence })),
            Outcome::Refused(why) => (EventKind::Refused { why }, Value::Null),
            Outcome::Failed(why) => (EventKind::Failed { why }, Value::Null),
            Outcome::Unknown(why) => (EventKind::Unknown { why }, Value::Null),
        };
        let (succeeded, statement) = (event == EventKind::Succeeded, evidence.clone());
        if succeeded && step.action == "evidence" {
            progress.folder.keep_evidence(&statement)?;
        }
        self.record(progress, &step.id, event, evidence)?;
        if succeeded && step.watch > 0 && !progress.waited.contains(&step.id) {
            let until = self.hands.clock.now().checked_add(Duration::from_secs(step.watch)).unwrap_or(Timestamp::MAX);
            self.record(progress, &step.id, EventKind::Waiting { until: Some(until), person: None }, Value::Null)?;
        }
        Ok(())
    }

    /// The end of a step's quiet period, while it is not over.
    fn quiet_until(&self, progress: &Progress, id: &str) -> Option<Timestamp> {
        let status = progress.run.steps.iter().find(|status| status.id == id && status.state == StepState::Waiting)?;
        let until: Timestamp = status.evidence.get("until")?.as_str()?.parse().ok()?;
        (self.hands.clock.now() < until).then_some(until)
    }

    fn world<'w>(&'w self, run: &'w Run, step: &'w PlannedStep) -> World<'w> {
        World {
            hands: &self.hands,
            plan: &run.plan,
            digest: &run.digest,
            with: &step.with,
            timeout: Duration::from_secs(step.timeout),
            so_far: &run.steps,
        }
    }

    async fn act(&self, run: &Run, step: &PlannedStep) -> Outcome {
        let Some(action) = actions::get(&step.action) else {
            return Outcome::Failed(format!("this version has no action {}", step.action));
        };
        let world = self.world(run, step);
        // An action keeps to its own time; this is for one that does not.
        let limit = world.timeout + Duration::from_secs(15);
        tokio::time::timeout(limit, action.apply(&world))
            .await
            .unwrap_or_else(|_| Outcome::Unknown("no answer in time".to_owned()))
    }

    async fn walk_back(&self, progress: &mut Progress) -> Result<(), RespondError> {
        for number in (0..progress.run.plan.steps.len()).rev() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let step = progress.run.plan.steps[number].clone();
            let touched =
                !matches!(progress.run.steps[number].state, StepState::Pending | StepState::Refused | StepState::Undone);
            if !step.mutates || !touched {
                continue;
            }
            if let Err(why) = self.guard.step(&progress.run.plan, &step, &self.moment(0)) {
                return Err(RespondError::Guard(why));
            }
            self.record(progress, &step.id, EventKind::UndoStarted, Value::Null)?;
            let (event, evidence) = match self.put_back(&progress.run, &step).await {
                Outcome::Done(evidence) => (EventKind::UndoFinished, evidence),
                Outcome::AlreadyDone(evidence) => (EventKind::UndoFinished, json!({ "already": evidence })),
                Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) => {
                    (EventKind::UndoFailed { why }, Value::Null)
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
        let world = self.world(run, step);
        let undo = action.undo(&world, &step.observed);
        tokio::time::timeout(world.timeout, undo).await.unwrap_or_else(|_| Outcome::Unknown("no answer in time".to_owned()))
    }

    fn record(&self, progress: &mut Progress, step: &str, event: EventKind, evidence: Value) -> Result<(), RespondError> {
        tracing::debug!(step, ?event, "journal");
        let event = progress.journal.append(&*self.hands.clock, Some(step), event, evidence)?;
        take_up(&mut progress.run, &event).map_err(|what| RespondError::Journal {
            path: progress.folder.journal(),
            line: progress.run.records as usize,
            what,
        })
    }
}

fn finished(mut progress: Progress) -> Run {
    progress.run.state = state_of(&progress.run);
    progress.run
}

/// A run as its journal tells it. Reads only.
pub fn replayed(folder: &RunFolder) -> Result<Run, RespondError> {
    let events = if folder.journal().exists() { journal::read(&folder.journal())?.events } else { Vec::new() };
    replay(folder.plan()?, folder, &events)
}

fn replay(plan: Plan, folder: &RunFolder, events: &[Event]) -> Result<Run, RespondError> {
    let fresh = |step: &PlannedStep| StepStatus {
        id: step.id.clone(),
        state: StepState::Pending,
        why: None,
        evidence: Value::Null,
        at: None,
    };
    let damaged = |line: usize, what: String| RespondError::Journal { path: folder.journal(), line, what };
    let digest = plan.digest().map_err(|error| damaged(1, error.to_string()))?;
    let steps = plan.steps.iter().map(fresh).collect();
    let mut run = Run { id: folder.id.clone(), plan, digest, state: RunState::Open, steps, records: 0 };
    for (number, event) in events.iter().enumerate() {
        take_up(&mut run, event).map_err(|what| damaged(number + 1, what))?;
    }
    run.state = state_of(&run);
    Ok(run)
}

/// Takes one record into account, or says why it cannot be.
fn take_up(run: &mut Run, event: &Event) -> Result<(), String> {
    run.records += 1;
    let Some(id) = &event.step else {
        return match &event.event {
            EventKind::Planned { digest } if *digest != run.digest => Err("it is about another plan".to_owned()),
            _ => Ok(()),
        };
    };
    let status =
        run.steps.iter_mut().find(|status| status.id == *id).ok_or_else(|| format!("the plan has no step {id:?}"))?;
    status.state = table::step_after(status.state, &event.event)?;
    status.at = Some(event.at);
    status.why = match &event.event {
        EventKind::Refused { why }
        | EventKind::Failed { why }
        | EventKind::Unknown { why }
        | EventKind::UndoFailed { why } => Some(why.clone()),
        EventKind::Waiting { until: Some(until), .. } => Some(format!("until {until}")),
        EventKind::Waiting { person: Some(person), .. } => Some(person.clone()),
        _ => None,
    };
    status.evidence = match &event.event {
        EventKind::Waiting { until, .. } => json!({ "until": until }),
        _ => event.evidence.clone(),
    };
    Ok(())
}

/// Where a run stands, from its steps alone.
fn state_of(run: &Run) -> RunState {
    let any = |wanted: &[StepState]| run.steps.iter().any(|step| wanted.contains(&step.state));
    if any(&[StepState::UndoFailed]) {
        RunState::Stopped
    } else if any(&[StepState::Undoing]) {
        RunState::Open
    } else if any(&[StepState::Undone]) {
        // Every change must be walked back before the run is.
        let stands = |state| !matches!(state, StepState::Pending | StepState::Refused | StepState::Undone);
        let left = run.steps.iter().zip(&run.plan.steps).any(|(status, step)| step.mutates && stands(status.state));
        if left { RunState::Open } else { RunState::Undone }
    } else if any(&[StepState::Started]) {
        RunState::Open
    } else if any(&[StepState::Waiting]) {
        RunState::Waiting
    } else if any(&[StepState::Refused, StepState::Failed, StepState::Unknown]) {
        let stopped = run.steps.iter().zip(&run.plan.steps).any(|(status, step)| {
            matches!(status.state, StepState::Refused | StepState::Failed | StepState::Unknown)
                && step.on_failure != OnFailure::Continue
        });
        if stopped || !any(&[StepState::Pending]) { RunState::Stopped } else { RunState::Open }
    } else if any(&[StepState::Pending]) {
        RunState::Open
    } else {
        RunState::Done
    }
}
