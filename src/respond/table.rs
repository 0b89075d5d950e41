//! The one place that knows in which order things may happen in a run. It can refuse.

use crate::model::{EventKind, StepState};

/// Where a step stands after `event`, or why that cannot be.
pub(super) fn step_after(state: StepState, event: &EventKind) -> Result<StepState, String> {
    use StepState as S;
    let next = match (state, event) {
        // Begun once more after a crash, an unknown outcome, a refusal that was dealt with, or a wait that is over.
        (S::Pending | S::Started | S::Unknown | S::Refused | S::Failed | S::Waiting, EventKind::Started { .. }) => {
            S::Started
        }
        // What has shown up late and was taken away is noted whenever that was.
        (
            S::Started
            | S::Succeeded
            | S::Refused
            | S::Failed
            | S::Unknown
            | S::Waiting
            | S::Undoing
            | S::Undone
            | S::UndoFailed,
            EventKind::Noted,
        ) => state,
        (S::Started, EventKind::Succeeded) => S::Succeeded,
        (S::Started | S::Pending | S::Unknown | S::Refused | S::Failed | S::Waiting, EventKind::Refused { .. }) => {
            S::Refused
        }
        (S::Started, EventKind::Failed { .. }) => S::Failed,
        (S::Started, EventKind::Unknown { .. }) => S::Unknown,
        (
            S::Started | S::Pending | S::Succeeded | S::Waiting | S::Refused | S::Failed | S::Unknown,
            EventKind::Waiting { .. },
        ) => S::Waiting,
        // Only what may have had an effect is walked back; once more where it may have left something.
        (
            S::Started
            | S::Succeeded
            | S::Unknown
            | S::Failed
            | S::Undoing
            | S::UndoFailed
            | S::Waiting
            | S::Refused
            | S::Undone,
            EventKind::UndoStarted,
        ) => S::Undoing,
        (S::Undoing, EventKind::UndoFinished) => S::Undone,
        (S::Undoing, EventKind::UndoFailed { .. }) => S::UndoFailed,
        _ => return Err(format!("a step that is {state:?} cannot have {event:?}")),
    };
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::step_after;
    use crate::model::{EventKind as E, StepState as S};

    const STATES: [S; 10] = [
        S::Pending,
        S::Started,
        S::Succeeded,
        S::Refused,
        S::Failed,
        S::Unknown,
        S::Waiting,
        S::Undoing,
        S::Undone,
        S::UndoFailed,
    ];

    #[test]
    fn nothing_happens_before_it_was_begun_and_nothing_after_it_was_undone() {
        let why = || "x".to_owned();
        let events = [
            E::Started { idempotency_key: why() },
            E::Succeeded,
            E::Noted,
            E::Refused { why: why() },
            E::Failed { why: why() },
            E::Unknown { why: why() },
            E::UndoStarted,
            E::UndoFinished,
            E::UndoFailed { why: why() },
            E::Waiting { until: None, person: None },
            E::Abandoned { why: why() },
            E::Planned { digest: why() },
        ];
        let allowed = |state: S| events.iter().filter(|event| step_after(state, event).is_ok()).count();
        let counts: Vec<usize> = STATES.iter().map(|&state| allowed(state)).collect();
        assert_eq!(counts, [3, 8, 3, 5, 5, 5, 5, 4, 2, 2]);
        assert!(step_after(S::Pending, &E::Succeeded).is_err());
        assert!(step_after(S::Pending, &E::UndoStarted).is_err());
        assert!(step_after(S::Succeeded, &events[0]).is_err(), "what succeeded is not begun again");
        assert!(step_after(S::Undone, &events[0]).is_err(), "nor is what was walked back");
        assert_eq!(step_after(S::Started, &E::Succeeded), Ok(S::Succeeded));
    }
}
