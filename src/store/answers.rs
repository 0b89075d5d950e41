//! What providers said of credentials, kept for a while so that nobody is asked the same twice.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::{Store, StoreError};
use crate::model::Checked;
use crate::secret::Fingerprint;

/// Answers older than this are thrown away.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An answer to keep.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked: a digest that holds no secret.
    pub question: String,
    /// Of which credential.
    pub fingerprint: Fingerprint,
    /// What was said, scrubbed, and when.
    pub checked: Checked,
}

impl Store {
    /// What was said to a question at `since` or later, and not after `now`: by a clock that has been set back since, an
    /// answer would never grow old.
    pub fn answer(&self, question: &str, (since, now): (Timestamp, Timestamp)) -> Result<Option<Checked>, StoreError> {
        let within = "SELECT checked FROM answer WHERE question = ?1 AND asked BETWEEN ?2 AND ?3";
        let mut statement = self.connection.prepare(within)?;
        let wanted = params![question, since.as_second(), now.as_second()];
        let json: Option<String> = statement.query_row(wanted, |row| row.get(0)).optional()?;
        Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// Keeps answers, all or none, and forgets those that are a week old or of times to come. One without a time is not an answer.
    pub fn keep_answers(&mut self, answers: &[Answer], now: Timestamp) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let kept = params![(now - KEPT).as_second(), now.as_second()];
        transaction.execute("DELETE FROM answer WHERE asked NOT BETWEEN ?1 AND ?2", kept)?;
        for Answer { question, fingerprint, checked } in answers {
            let Some(at) = checked.at else { continue };
            transaction.execute(
                "INSERT OR REPLACE INTO answer (question, fingerprint, asked, checked) VALUES (?1, ?2, ?3, ?4)",
                params![question, fingerprint.to_string(), at.as_second(), serde_json::to_string(checked)?],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Forgets what was said of a credential: what follows may change it.
    pub fn forget_answers(&mut self, fingerprint: Fingerprint) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM answer WHERE fingerprint = ?1", params![fingerprint.to_string()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Answer, Store};
    use crate::model::{Checked, Identity, Liveness};
    use crate::secret::FingerprintKey;

    #[test]
    fn answers_are_given_back_while_they_are_young_and_until_they_are_forgotten() {
        let dir = tempfile::tempdir().expect("scratch");
        let mut store = Store::open(dir.path()).expect("opens");
        let (key, asked) = (FingerprintKey::new([3; 32]), Timestamp::UNIX_EPOCH);
        let mut who = Identity::default();
        who.set("account", "7");
        let answer = |name: &str, liveness| Answer {
            question: name.to_owned(),
            fingerprint: key.fingerprint(name.as_bytes()),
            checked: Checked { liveness, at: Some(asked) },
        };
        let live = answer("a", Liveness::Limited(who, "no quota".into()));
        let not = Answer { checked: Checked::NOT, ..answer("c", Liveness::NotChecked(None)) };
        let answers = [live.clone(), answer("b", Liveness::Dead("revoked".into())), not];
        store.keep_answers(&answers, asked).expect("kept");
        drop(store);
        let mut store = Store::open(dir.path()).expect("opens again");
        let second = asked + SignedDuration::from_secs(1);
        assert_eq!(store.answer("a", (asked, asked)).expect("read"), Some(live.checked));
        assert_eq!(store.answer("a", (second, second)).expect("read"), None, "too old");
        assert_eq!(store.answer("c", (asked, asked)).expect("read"), None);
        store.forget_answers(key.fingerprint(b"a")).expect("forgotten");
        assert_eq!(store.answer("a", (asked, asked)).expect("read"), None);
        assert!(store.answer("b", (asked, asked)).expect("read").is_some());
        store.keep_answers(&[], asked + SignedDuration::from_hours(8 * 24)).expect("kept");
        assert_eq!(store.answer("b", (asked, asked)).expect("read"), None, "thrown away");
    }

    #[test]
    fn answers_of_times_to_come_are_not_given_and_thrown_away() {
        let dir = tempfile::tempdir().expect("scratch");
        let mut store = Store::open(dir.path()).expect("opens");
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
        let checked = Checked { liveness: Liveness::Dead("revoked".into()), at: Some(later) };
        let fingerprint = FingerprintKey::new([3; 32]).fingerprint(b"a");
        store.keep_answers(&[Answer { question: "a".to_owned(), fingerprint, checked }], later).expect("kept");
        assert!(store.answer("a", (now, later)).expect("read").is_some());
        assert_eq!(store.answer("a", (now, now)).expect("read"), None);
        store.keep_answers(&[], now).expect("kept");
        assert_eq!(store.answer("a", (now, later)).expect("read"), None);
    }
}
