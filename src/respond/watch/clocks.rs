//! What was begun is ordered as it was begun, and counts for its hour, whatever the clock said or says.

use jiff::{SignedDuration, Timestamp};

use super::Watcher;
use crate::model::Notice;
use crate::respond::RespondError;
use crate::store::{WatchState, Watched};

/// By so much a clock is set right without anybody being told.
const SLEW: SignedDuration = SignedDuration::from_mins(2);

impl Watcher<'_> {
    /// What was begun later than now was begun by a clock that was ahead, or this one was set back. It counts for an hour from now on,
    /// so that neither lets more be begun than may be, nor holds everything back until then.
    pub(super) fn clock_went_back(&self) -> Result<Option<Notice>, RespondError> {
        let now = self.clock.now();
        let mut rows = self.store.watched()?;
        rows.retain(|row| matches!(row.state, WatchState::Planned | WatchState::Acted) && row.at > now);
        rows.sort_by_key(|row| row.at);
        let Some(last) = rows.last().map(|row| row.at).filter(|last| last.duration_since(now) > SLEW) else {
            return Ok(None);
        };
        let mut at = now;
        for row in rows {
            // One after the other, as they were begun.
            at = just_after(at);
            self.store.watch(&Watched { at, ..row })?;
        }
        let what = format!(
            "the clock is wrong, or was: it says {now}, and a run is written down as begun at {last}. Whatever was begun later than now \
             counts for an hour from now on; set the clock right"
        );
        Ok(Some(Notice::held(what, now)))
    }

    /// When something is begun: now, and after whatever was begun before, so that what came last is known whatever the clock says.
    pub(super) fn moment(&self) -> Result<Timestamp, RespondError> {
        let begun = |row: &Watched| matches!(row.state, WatchState::Planned | WatchState::Acted);
        let last = self.store.watched()?.into_iter().filter(begun).map(|row| row.at).max();
        Ok(last.map_or(self.clock.now(), |last| self.clock.now().max(just_after(last))))
    }
}

/// The next moment that can be told from it.
fn just_after(at: Timestamp) -> Timestamp {
    at.checked_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX)
}
