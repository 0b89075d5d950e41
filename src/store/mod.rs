//! Findings on disk: one SQLite file in the state folder, one writer at a time, never a secret in it.

mod answers;
mod attestations;
mod watched;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::model::{Finding, Liveness, Occurrence};

pub use answers::Answer;
pub use watched::{WatchState, Watched};

/// Migrations in order. One that was released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001-findings.sql"),
    include_str!("migrations/002-answers.sql"),
    include_str!("migrations/003-attestations.sql"),
    include_str!("migrations/004-watch.sql"),
];
/// How long a second writer waits for the first.
const PATIENCE: Duration = Duration::from_secs(10);

/// The store could not do what was asked. Nothing was half done: every change is one transaction.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be used.
    #[error("the store {path} cannot be opened: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer program wrote it.
    #[error("the store was written by a newer version of staunch (schema {0}); upgrade this one")]
    Newer(i64),
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A row cannot be read.
    #[error("the store holds a finding that cannot be read: {0}")]
    Row(#[from] serde_json::Error),
}

/// The findings of one state folder.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens `DIR/findings.db`, making or migrating it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("findings.db");
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { path: path.clone(), source };
        std::fs::create_dir_all(dir).map_err(|error| failed(error.into()))?;
        let connection = Connection::open(&path).map_err(|error| failed(error.into()))?;
        connection.busy_timeout(PATIENCE).map_err(|error| failed(error.into()))?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| failed(error.into()))?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(|error| failed(error.into()))?;
        let mut store = Self { connection };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        if done > MIGRATIONS.len() {
            return Err(StoreError::Newer(version));
        }
        for sql in &MIGRATIONS[done..] {
            transaction.execute_batch(sql)?;
        }
        transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
        Ok(transaction.commit()?)
    }

    /// Saves findings, all or none. Places seen before are kept, and so is a liveness that was asked when this one was not, and one that
    /// is usable where this one settles nothing.
    pub fn save(&mut self, findings: &[Finding], now: Timestamp) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for finding in findings {
            let print = finding.fingerprint.to_string();
            let known: Option<(String, String)> = transaction
                .query_row(
                    "SELECT first_seen, finding FROM finding WHERE detector = ?1 AND fingerprint = ?2",
                    params![finding.detector, print],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let now = now.to_string();
            let (first_seen, merged) = match known {
                None => (now.clone(), finding.clone()),
                Some((first_seen, json)) => (first_seen, merge(serde_json::from_str(&json)?, finding.clone())),
            };
            transaction.execute(
                "INSERT OR REPLACE INTO finding (detector, fingerprint, first_seen, last_seen, finding) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![finding.detector, print, first_seen, now, serde_json::to_string(&merged)?],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// When a finding was first and last saved.
    pub fn seen(&self, finding: &Finding) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        let row: Option<(String, String)> = self
            .connection
            .query_row(
                "SELECT first_seen, last_seen FROM finding WHERE detector = ?1 AND fingerprint = ?2",
                params![finding.detector, finding.fingerprint.to_string()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        Ok(row.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?))))
    }

    /// The findings whose fingerprint `text` names, whole or by its beginning (see [`crate::secret::Fingerprint::matches_prefix`]).
    pub fn find(&self, text: &str) -> Result<Vec<Finding>, StoreError> {
        Ok(self.all()?.into_iter().filter(|finding| finding.fingerprint.matches_prefix(text)).collect())
    }

    /// Every finding, in order of detector and fingerprint.
    pub fn all(&self) -> Result<Vec<Finding>, StoreError> {
        let mut statement = self.connection.prepare("SELECT finding FROM finding ORDER BY detector, fingerprint")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }
}

fn merge(old: Finding, new: Finding) -> Finding {
    let mut occurrences: Vec<Occurrence> = old.occurrences.into_iter().chain(new.occurrences).collect();
    occurrences.sort();
    occurrences.dedup();
    // An answer that settles nothing is no word against one that did: what was live is still somebody's to see to.
    let keep = match new.liveness.liveness {
        Liveness::NotChecked(_) => true,
        Liveness::Unknown(_) => old.liveness.liveness.is_usable(),
        _ => false,
    };
    let liveness = if keep { old.liveness } else { new.liveness };
    let owners = if new.owners.is_empty() { old.owners } else { new.owners };
    // Each says when it was asked.
    let (reach, activity) = (new.reach.or(old.reach), new.activity.or(old.activity));
    Finding { occurrences, liveness, owners, reach, activity, partial: old.partial && new.partial, ..new }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Store, StoreError};
    use crate::model::{Checked, Finding, Identity, Liveness};
    use crate::secret::FingerprintKey;

    fn finding(value: &[u8]) -> Finding {
        let fingerprint = FingerprintKey::new([3; 32]).fingerprint(value).to_string();
        serde_json::from_value(serde_json::json!({
            "schema": Finding::SCHEMA, "fingerprint": fingerprint, "detector": "x", "provider": "p", "class": "llm",
            "severity": "high", "confidence": "high", "redacted": "…", "parts": [], "partial": false, "facts": {},
            "liveness": {"state": "not_checked"}, "owners": [],
            "occurrences": [{"path": "a", "line": 1, "column": 1, "end_line": 1, "end_column": 2, "byte_start": 0,
                             "byte_end": 1, "provenance": {"kind": "worktree"}, "parts": []}],
        }))
        .expect("a finding")
    }

    #[test]
    fn what_was_seen_before_is_kept() {
        let dir = tempfile::tempdir().expect("scratch");
        let mut live = finding(b"k");
        live.liveness = Checked { liveness: Liveness::Dead("revoked".into()), at: Some(Timestamp::UNIX_EPOCH) };
        let mut elsewhere = finding(b"k");
        elsewhere.occurrences[0].path = "b".into();
        let mut store = Store::open(dir.path()).expect("opens");
        store.save(&[live, finding(b"other")], Timestamp::UNIX_EPOCH).expect("saves");
        drop(store);
        let mut store = Store::open(dir.path()).expect("opens again");
        store.save(&[elsewhere], Timestamp::UNIX_EPOCH).expect("saves");
        let found = store.find(&finding(b"k").fingerprint.short()).expect("finds");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(one.occurrences.len(), 2);
        assert_eq!(one.liveness.liveness, Liveness::Dead("revoked".into()));
        assert_eq!(store.all().expect("all").len(), 2);
    }

    #[test]
    fn a_provider_that_does_not_answer_takes_back_nothing_that_it_said() {
        let dir = tempfile::tempdir().expect("scratch");
        let mut store = Store::open(dir.path()).expect("opens");
        let mut kept = |liveness: &Liveness| {
            let mut one = finding(b"k");
            one.liveness = Checked { liveness: liveness.clone(), at: Some(Timestamp::UNIX_EPOCH) };
            store.save(&[one], Timestamp::UNIX_EPOCH).expect("saves");
            store.all().expect("all")[0].liveness.liveness.clone()
        };
        let (live, dead) = (Liveness::Live(Identity::default()), Liveness::Dead("revoked".into()));
        let unknown = Liveness::Unknown("no answer".into());
        assert_eq!(kept(&unknown), unknown);
        assert_eq!(kept(&live), live);
        assert_eq!(kept(&unknown), live);
        assert_eq!(kept(&dead), dead);
        assert_eq!(kept(&unknown), unknown);
    }

    #[test]
    fn a_newer_or_damaged_store_is_refused_in_words() {
        let dir = tempfile::tempdir().expect("scratch");
        let store = Store::open(dir.path()).expect("opens");
        store.connection.pragma_update(None, "user_version", 99).expect("set");
        drop(store);
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Newer(99))));
        let other = tempfile::tempdir().expect("scratch");
        std::fs::write(other.path().join("findings.db"), "not a database, but long enough to be read as one ".repeat(40))
            .expect("file");
        assert!(Store::open(other.path()).is_err());
    }
}
