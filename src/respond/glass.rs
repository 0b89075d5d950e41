//! Break-glass: whoever says why may stop a credential without the approvals that its playbook asks for, as far as that can be undone.
//! It is in the journal before anything is touched, in the run and in its statement. The guards are asked as ever. It is for what is done
//! now: after an hour it counts no more, and what has not been done by then waits for its approvals, or for somebody who says why again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::actions;
use super::approve::{count, needed};
use super::execute::Runner;
use super::folder::write;
use super::journal::Journal;
use super::{RespondError, replay};
use crate::model::{BrokenGlass, Event, EventKind, Plan, PlannedStep, Run};

/// How long somebody's word counts.
const LIFETIME: Duration = Duration::from_hours(1);

/// Until when it counts if it was given then.
fn until(at: Timestamp) -> Timestamp {
    at.checked_add(LIFETIME).unwrap_or(Timestamp::MAX)
}

/// What a record tells; the first versions gave it no end.
pub(super) fn of_record(glass: &BrokenGlass, at: Timestamp) -> BrokenGlass {
    BrokenGlass { until: Some(glass.until.unwrap_or(until(at))), ..glass.clone() }
}

/// Whether it counts now; else since when it does not.
pub(super) fn counts(glass: &BrokenGlass, now: Timestamp) -> Result<(), Timestamp> {
    match glass.until {
        Some(until) if now >= until => Err(until),
        _ => Ok(()),
    }
}

/// Whether both are the same word.
fn is_same(one: &BrokenGlass, other: &BrokenGlass) -> bool {
    (&one.who, &one.reason) == (&other.who, &other.reason)
}

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

    /// Writes down who goes on without approvals, once for each who does while that counts.
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
        let now = self.hands.clock.now();
        let glass = BrokenGlass { who: self.requester.clone(), reason, until: Some(until(now)) };
        let counts = events.iter().any(|earlier| match &earlier.event {
            EventKind::BrokeGlass(other) => is_same(other, &glass) && counts(&of_record(other, earlier.at), now).is_ok(),
            _ => false,
        });
        if !counts {
            let event = EventKind::BrokeGlass(glass);
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
        // Of a word that the first versions told nobody wrote down until when it counts.
        let known = |glass: &BrokenGlass, told: &Option<BrokenGlass>| {
            told.as_ref().is_some_and(|told| is_same(told, glass) && (told.until.is_none() || told.until == glass.until))
        };
        let untold = broken.filter(|(run, told)| run.break_glass.as_ref().is_some_and(|glass| !known(glass, told)));
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
