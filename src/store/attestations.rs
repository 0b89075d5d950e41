//! Whose credentials are by people's own word, kept beside the findings: a finding that is found anew finds its owner again.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::{Store, StoreError};
use crate::model::{Attestation, Edge, Withdrawal};

const COLUMNS: &str = "id, fingerprint, edge, owner, name, by, made, until, withdrawn_by, withdrawn_at";

impl Store {
    /// Keeps an attestation and gives back its number. Its own number is not looked at.
    pub fn attest(&mut self, said: &Attestation) -> Result<i64, StoreError> {
        let edge = match said.edge {
            Edge::Principal => "principal",
            Edge::Consumer => "consumer",
            Edge::Accountable => "accountable",
            Edge::Custodian => "custodian",
        };
        self.connection.execute(
            "INSERT INTO attestation (fingerprint, edge, owner, name, by, made, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                said.fingerprint.to_string(),
                edge,
                said.owner,
                said.name,
                said.by,
                said.made.to_string(),
                said.until.to_string()
            ],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Every attestation, ended and withdrawn ones too, in order of their making.
    pub fn attestations(&self) -> Result<Vec<Attestation>, StoreError> {
        let mut statement = self.connection.prepare(&format!("SELECT {COLUMNS} FROM attestation ORDER BY id"))?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ends an attestation now. False where there is none of that number, or it was withdrawn before.
    pub fn withdraw(&mut self, id: i64, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let changed = self.connection.execute(
            "UPDATE attestation SET withdrawn_by = ?2, withdrawn_at = ?3 WHERE id = ?1 AND withdrawn_at IS NULL",
            params![id, by, now.to_string()],
        )?;
        Ok(changed == 1)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attestation> {
    let edge = match row.get::<_, String>(2)?.as_str() {
        "principal" => Edge::Principal,
        "consumer" => Edge::Consumer,
        "accountable" => Edge::Accountable,
        "custodian" => Edge::Custodian,
        _ => return Err(rusqlite::Error::InvalidColumnType(2, "edge".to_owned(), Type::Text)),
    };
    let withdrawal = match (row.get::<_, Option<String>>(8)?, row.get::<_, Option<String>>(9)?) {
        (Some(by), Some(_)) => Some(Withdrawal { by, at: parsed::<Timestamp>(row, 9)? }),
        _ => None,
    };
    Ok(Attestation {
        id: row.get(0)?,
        fingerprint: parsed(row, 1)?,
        edge,
        owner: row.get(3)?,
        name: row.get(4)?,
        by: row.get(5)?,
        made: parsed(row, 6)?,
        until: parsed::<Date>(row, 7)?,
        withdrawn: withdrawal,
    })
}

/// A column that holds something else than its type in words.
fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::Store;
    use crate::model::{Attestation, Edge, Withdrawal};
    use crate::secret::FingerprintKey;

    #[test]
    fn what_was_said_is_kept_word_for_word_and_taken_back_once() {
        let dir = tempfile::tempdir().expect("scratch");
        let said = |edge, owner: &str| Attestation {
            id: 0,
            fingerprint: FingerprintKey::new([3; 32]).fingerprint(b"k"),
            edge,
            owner: owner.to_owned(),
            name: "n".to_owned(),
            by: "kim".to_owned(),
            made: Timestamp::UNIX_EPOCH,
            until: date(1970, 6, 30),
            withdrawn: None,
        };
        let mut store = Store::open(dir.path()).expect("opens");
        let first = store.attest(&said(Edge::Accountable, "team:a")).expect("kept");
        let second = store.attest(&said(Edge::Consumer, "k8s:x")).expect("kept");
        assert!(store.withdraw(second, "sam", Timestamp::UNIX_EPOCH).expect("asked"));
        assert!(!store.withdraw(second, "sam", Timestamp::UNIX_EPOCH).expect("asked"), "once");
        assert!(!store.withdraw(99, "sam", Timestamp::UNIX_EPOCH).expect("asked"));
        drop(store);
        let all = Store::open(dir.path()).expect("opens again").attestations().expect("read");
        let withdrawn = Some(Withdrawal { by: "sam".to_owned(), at: Timestamp::UNIX_EPOCH });
        let expected = [
            Attestation { id: first, ..said(Edge::Accountable, "team:a") },
            Attestation { id: second, withdrawn, ..said(Edge::Consumer, "k8s:x") },
        ];
        assert_eq!(all, expected);
    }
}
