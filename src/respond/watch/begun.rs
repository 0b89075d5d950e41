//! How much is begun at once: a first run alone, then a few, then the rest, and nothing more for a while where they do not do what
//! they should.

use jiff::Timestamp;

use super::{Known, LOOKED, Watcher};
use crate::model::{Notice, NoticeKind, Run};
use crate::store::{WatchState, Watched};

/// So many runs of a pass went well before one that did not is taken for its own fault.
const SOME: usize = 10;

/// Runs that were begun in one pass, one after the other: a first one alone, then as many as a tenth of a hundred, then the rest. A
/// failure of the first is every other's as well, as like as not. So is a proof that did not come.
#[derive(Default)]
pub(super) struct Begun {
    pub(super) good: usize,
    pub(super) failed: usize,
    /// Somebody was told that nothing more is begun.
    pub(super) told: bool,
}

impl Begun {
    pub(super) fn count(&mut self, notice: &Notice) {
        match notice.kind {
            NoticeKind::Failed => self.failed += 1,
            // What could not be proved of the first may be true of none; of the eleventh it is its own.
            NoticeKind::Unproved if self.good < SOME => self.failed += 1,
            NoticeKind::Held | NoticeKind::Left => {}
            _ => self.good += 1,
        }
    }

    /// Whether nothing more is begun: after one failure while fewer than ten went well, then after two.
    pub(super) fn enough(&self) -> bool {
        self.failed > usize::from(self.good >= SOME)
    }
}

impl Watcher<'_> {
    /// What was begun less than `every` ago: a pass that somebody has knocked for begins no wave of its own.
    pub(super) fn begun_lately(&self, known: &Known) -> Begun {
        let (mut begun, now) = (Begun::default(), self.clock.now());
        // Whichever of the clock's readings was wrong, one of long ago and one of long hence are not lately.
        let lately = |at: Timestamp| now.duration_since(at).unsigned_abs() < self.every;
        let mut rows: Vec<&Watched> =
            known.ledger.values().filter(|row| row.state == WatchState::Acted && row.why != LOOKED).collect();
        rows.sort_by_key(|row| row.at);
        for row in rows {
            let Some(run) = known.runs.iter().find(|run| run.digest == row.digest) else { continue };
            let ended = run.steps.iter().filter_map(|step| step.at).max().unwrap_or(row.at);
            let notice = Notice::of_run(run, None, now);
            // What has failed lately may have been begun long before.
            if lately(row.at) || notice.kind == NoticeKind::Failed && lately(ended) {
                begun.count(&notice);
            }
        }
        // Whoever saw it fail was told.
        begun.told = begun.enough();
        begun
    }
}

/// How many of the latest runs that were begun here did not do what they should, and nobody looked at them. One whose changes all
/// hold, though something could not be proved, ends the row.
pub(super) fn stopped_in_a_row(ledger: &[Watched], runs: &[Run]) -> usize {
    let mut acted: Vec<&Watched> = ledger.iter().filter(|row| row.state == WatchState::Acted && row.why != LOOKED).collect();
    acted.sort_by_key(|row| std::cmp::Reverse(row.at));
    let failed = |row: &&&Watched| runs.iter().find(|run| run.digest == row.digest).is_none_or(Run::has_failed);
    acted.iter().take_while(failed).count()
}
