//! A run as its journal tells it: the records in order, and nothing else.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::folder::RunFolder;
use super::{RespondError, glass, journal, table};
use crate::model::{Event, EventKind, OnFailure, Plan, PlannedStep, Run, RunState, StepState, StepStatus};

/// What the evidence of a step is called whose effect held before it was taken.
pub(super) const ALREADY: &str = "already";

/// What the evidence of a step holds that was walked back though something of it may be left, in words.
pub(super) const DOUBT: &str = "unknown";

/// What is said of a step whose lost key has shown up.
const SHOWN_UP: &str =
    "the new key that was asked for has shown up, nobody held it, and it was taken away: `respond resume` goes on";

/// In a step's evidence while it is waited for or looked at again: when it has succeeded.
const DONE_AT: &str = "done_at";

/// Why a step that was walked back may have left something all the same; it is looked for again whenever somebody asks.
pub(super) fn doubt(status: &StepStatus) -> Option<&str> {
    let seen = status.evidence.get(ALREADY).filter(|_| status.state == StepState::Undone)?;
    seen.get(DOUBT)?.as_str()
}

/// Whether its notes tell of something that was asked for and that nobody has seen: it may show up yet, whatever became of the run.
pub(super) fn asks_for_more(status: &StepStatus) -> bool {
    let lost = status.noted.get("lost").and_then(Value::as_array).is_some_and(|lost| !lost.is_empty());
    let minting = status.noted.get("minting").and_then(Value::as_bool).unwrap_or(false);
    lost || minting && status.noted.get("id").is_none_or(Value::is_null)
}

/// Whether nobody works at what a step has asked for and lost: it is looked for from outside, and taken away once it shows up. A step
/// that is under way sees to it itself.
pub(super) fn has_lost(status: &StepStatus) -> bool {
    !matches!(status.state, StepState::Pending | StepState::Started | StepState::Undoing) && asks_for_more(status)
}

/// A run as its journal tells it. Reads only.
pub fn replayed(folder: &RunFolder) -> Result<Run, RespondError> {
    let events = if folder.journal().exists() { journal::read(&folder.journal())?.events } else { Vec::new() };
    replay(folder.plan()?, folder, &events)
}

pub(super) fn replay(plan: Plan, folder: &RunFolder, events: &[Event]) -> Result<Run, RespondError> {
    let fresh = |step: &PlannedStep| StepStatus {
        id: step.id.clone(),
        state: StepState::Pending,
        begun: false,
        touched: false,
        why: None,
        evidence: Value::Null,
        noted: Value::Null,
        at: None,
    };
    let damaged = |line: usize, what: String| RespondError::Journal { path: folder.journal(), line, what };
    let digest = plan.digest().map_err(|error| damaged(1, error.to_string()))?;
    let steps = plan.steps.iter().map(fresh).collect();
    let mut run = Run { id: folder.id.clone(), plan, digest, state: RunState::Open, steps, records: 0, break_glass: None };
    for (number, event) in events.iter().enumerate() {
        take_up(&mut run, event).map_err(|what| damaged(number + 1, what))?;
    }
    run.state = state_of(&run);
    Ok(run)
}

/// When a step that has succeeded, and is waited for or looked at again since, did so.
fn done_at(status: &StepStatus, before: StepState) -> Option<Timestamp> {
    match before {
        StepState::Succeeded => status.at,
        StepState::Waiting | StepState::Started => status.evidence.get(DONE_AT)?.as_str()?.parse().ok(),
        _ => None,
    }
}

/// Takes one record into account, or says why it cannot be.
pub(super) fn take_up(run: &mut Run, event: &Event) -> Result<(), String> {
    run.records += 1;
    let Some(id) = &event.step else {
        return match &event.event {
            EventKind::Planned { digest } if *digest != run.digest => Err("it is about another plan".to_owned()),
            EventKind::BrokeGlass(glass) => {
                run.break_glass = Some(glass::of_record(glass, event.at));
                Ok(())
            }
            _ => Ok(()),
        };
    };
    let status =
        run.steps.iter_mut().find(|status| status.id == *id).ok_or_else(|| format!("the plan has no step {id:?}"))?;
    let before = status.state;
    status.state = table::step_after(before, &event.event)?;
    if event.event == EventKind::Noted {
        let lost = has_lost(status);
        status.noted = event.evidence.clone();
        // Its last words were about that.
        if lost && !asks_for_more(status) && matches!(before, StepState::Unknown | StepState::Waiting | StepState::Failed) {
            status.why = Some(SHOWN_UP.to_owned());
        }
        // What somebody's word stood for has shown up and is gone.
        if doubt(status).is_some() && !asks_for_more(status) {
            status.evidence = json!({ "removed": status.noted.get("removed") });
            status.why = None;
        }
        return Ok(());
    }
    status.begun |= matches!(event.event, EventKind::Started { .. });
    status.touched |= match &event.event {
        EventKind::Unknown { .. } => true,
        // What held already was brought about by somebody else, and is theirs to take back.
        EventKind::Succeeded => event.evidence.get(ALREADY).is_none(),
        // The attempt before it has no outcome, so it may have had its effect.
        EventKind::Started { .. } => before == StepState::Started,
        _ => false,
    };
    let done_at = done_at(status, before);
    // What was waited for and holds still was brought about then, and not when it was looked at again.
    let still = event.event == EventKind::Succeeded && event.evidence.get(ALREADY).is_some();
    status.at = Some(done_at.filter(|_| still).unwrap_or(event.at));
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
    if let (Some(done_at), EventKind::Waiting { .. } | EventKind::Started { .. }) = (done_at, &event.event) {
        status.evidence[DONE_AT] = json!(done_at);
    }
    if let Some(why) = doubt(status) {
        let by = status.evidence[ALREADY].get("said_by").and_then(Value::as_str).unwrap_or("nobody");
        status.why = Some(format!("{why}; {by} said that there is none: should it show up, `respond undo` takes it away"));
    }
    Ok(())
}

/// Whether a step may have an effect that is to be walked back.
pub(super) fn stands(status: &StepStatus) -> bool {
    match status.state {
        StepState::Pending | StepState::Undone => false,
        // What was refused or held already has changed nothing; an attempt before it may have.
        StepState::Refused | StepState::Succeeded | StepState::Waiting => status.touched,
        _ => status.begun,
    }
}

/// Where a run stands, from its steps alone.
pub(super) fn state_of(run: &Run) -> RunState {
    let any = |wanted: &[StepState]| run.steps.iter().any(|step| wanted.contains(&step.state));
    if any(&[StepState::UndoFailed]) {
        RunState::Stopped
    } else if any(&[StepState::Undoing]) {
        RunState::Open
    } else if any(&[StepState::Undone]) {
        // Every change must be walked back before the run is.
        let left = run.steps.iter().zip(&run.plan.steps).any(|(status, step)| step.mutates && stands(status));
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
