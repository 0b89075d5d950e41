//! The ledger of `respond watch`: one row for each finding that it has decided about.

use jiff::Timestamp;
use rusqlite::params;

use super::{Store, StoreError};
use crate::model::Finding;

/// What was decided about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its detector.
    pub detector: String,
    /// Its fingerprint, whole.
    pub fingerprint: String,
    /// How far it came.
    pub state: WatchState,
    /// Why it was left or has to be tried again, in words.
    pub why: String,
    /// The plan, where one was made.
    pub digest: String,
    /// The account, where it is known.
    pub account: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When this was decided.
    pub at: Timestamp,
    /// When it is tried again.
    pub next: Timestamp,
}

/// How far a finding came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchState {
    /// Left to a person, who was told why.
    Told,
    /// A plan was kept and is about to be carried out, or was when the process died.
    Planned,
    /// It was carried out; it is never acted on again.
    Acted,
    /// It could not be begun and is tried again.
    Retry,
}

impl WatchState {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Told, "told"), (Self::Planned, "planned"), (Self::Acted, "acted"), (Self::Retry, "retry")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("told", |(_, word)| word)
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

impl Watched {
    /// A decision about a finding, at its first attempt.
    pub fn new(finding: &Finding, state: WatchState, at: Timestamp) -> Self {
        Self {
            detector: finding.detector.clone(),
            fingerprint: finding.fingerprint.to_string(),
            state,
            why: String::new(),
            digest: String::new(),
            account: String::new(),
            attempts: 0,
            at,
            next: at,
        }
    }

    /// Whether it is about that finding.
    pub fn is_about(&self, finding: &Finding) -> bool {
        self.detector == finding.detector && self.fingerprint == finding.fingerprint.to_string()
    }
}

impl Store {
    /// Keeps a decision in place of the last one about the same finding.
    pub fn watch(&self, row: &Watched) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO watched (detector, fingerprint, state, why, digest, account, attempts, at, next)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                row.detector,
                row.fingerprint,
                row.state.word(),
                row.why,
                row.digest,
                row.account,
                row.attempts,
                row.at.to_string(),
                row.next.to_string()
            ],
        )?;
        Ok(())
    }

    /// Every decision. A row that cannot be read counts as acted on: doing nothing is what can be mended.
    pub fn watched(&self) -> Result<Vec<Watched>, StoreError> {
        let sql = "SELECT detector, fingerprint, state, why, digest, account, attempts, at, next FROM watched";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let moment = |text: String| text.parse().unwrap_or(Timestamp::MAX);
            Ok(Watched {
                detector: row.get(0)?,
                fingerprint: row.get(1)?,
                state: WatchState::of(&row.get::<_, String>(2)?).unwrap_or(WatchState::Acted),
                why: row.get(3)?,
                digest: row.get(4)?,
                account: row.get(5)?,
                attempts: row.get(6)?,
                at: moment(row.get(7)?),
                next: moment(row.get(8)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
