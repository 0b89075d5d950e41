//! Break-glass: whoever says why may stop a credential without the approvals that its playbook asks for, as far as that can be undone.
//! It is in the journal before anything is touched, in the run and in its statement. The guards are asked as ever.

use serde_json::Value;

use super::actions;
use super::approve::{count, needed};
use super::execute::Runner;
use super::folder::write;
use super::journal::Journal;
use super::{RespondError, replay};
use crate::model::{BrokenGlass, Event, EventKind, Plan, PlannedStep, Run};

/// Whether a step may be taken without its approvals: a change that its action can take back by itself.
pub(super) fn may_go(step: &PlannedStep) -> bool {
    step.mutates && step.reversible && actions::get(&step.action).is_some_and(actions::Action::reversible)
}

impl Runner {
    /// Whether a plan may be begun or gone on with by so many approvals, or without them.
    ///
    /// # Errors
    /// What is missing, or what break-glass is not for.
    pub(super) fn agreed(&self, plan: &Plan, digest: &str, given: usize) -> Result<(), RespondError> {
        if !self.breaks(plan, given)? {
            needed(plan, digest, given, &self.requester)?;
        }
        Ok(())
    }

    /// Whether somebody goes on without approvals that are missing.
    fn breaks(&self, plan: &Plan, given: usize) -> Result<bool, RespondError> {
        let Some(reason) = &self.break_glass else { return Ok(false) };
        let no = |what: &str| Err(RespondError::Approval(what.to_owned()));
        if reason.trim().is_empty() {
            return no("--break-glass wants a reason: it is told to everybody, and stands in the evidence");
        }
        if plan.mode != "contain" {
            return no("--break-glass stops a credential; what replaces one waits for its approvals");
        }
        let lacks = |step: &&PlannedStep| count(step.approval) > given;
        if plan.steps.iter().filter(lacks).any(may_go) {
            return Ok(true);
        }
        match plan.steps.iter().find(|step| step.mutates && lacks(step)) {
            Some(step) => no(&format!(
                "--break-glass is for what can be undone, and {} cannot: it waits for its approvals whatever the hurry",
                step.id
            )),
            // Nobody need be asked.
            None => Ok(false),
        }
    }

    /// Writes down who goes on without approvals, once for each who does.
    pub(super) fn note_glass(
        &self,
        (plan, given): (&Plan, usize),
        journal: &mut Journal,
        events: &mut Vec<Event>,
    ) -> Result<(), RespondError> {
        if !self.breaks(plan, given)? {
            return Ok(());
        }
        let reason = self.break_glass.as_deref().unwrap_or_default().trim();
        let reason = self.hands.scrubber(&plan.fingerprint).scrub(reason);
        let event = EventKind::BrokeGlass(BrokenGlass { who: self.requester.clone(), reason });
        if events.iter().all(|earlier| earlier.event != event) {
            events.push(journal.append(&*self.hands.clock, None, event, Value::Null)?);
        }
        Ok(())
    }
}

impl super::Folder {
    /// Runs in which somebody acted without approvals, of which nobody has been told yet: whoever did so may have ended before.
    pub fn untold(&self) -> Vec<Run> {
        let runs = self.runs().unwrap_or_default().into_iter();
        let broken = runs.filter_map(|folder| Some((replay::replayed(&folder).ok()?, folder.told_glass())));
        let untold = broken.filter(|(run, told)| run.break_glass.is_some() && run.break_glass != *told);
        untold.map(|(run, _)| run).collect()
    }

    /// Keeps that everybody was told of it.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn told(&self, run: &Run) -> Result<(), RespondError> {
        let path = self.run(&run.id)?.glass();
        let bytes = serde_json::to_vec(&run.break_glass);
        write(&path, &bytes.map_err(|error| RespondError::Format { path: path.clone(), what: error.to_string() })?)
    }
}
