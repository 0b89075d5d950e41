//! in-toto statements: about what, of which kind, saying what. Source: in-toto attestation framework, spec/v1/statement.md;
//! spec/predicates/test-result.md v0.1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dsse::place;
use super::{AttestError, Envelope, Opened, Signer};

/// The type of a signed statement's payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// `_type` of a statement.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The kind that runs and drills write.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Always [`STATEMENT`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What kind of thing it says.
    pub predicate_type: String,
    /// What it says.
    #[serde(default)]
    pub predicate: Value,
}

/// One thing that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Algorithm → digest, hex.
    pub digest: BTreeMap<String, String>,
}

impl Statement {
    /// Signs a statement.
    pub fn seal(statement: &Value, signer: &Signer) -> Envelope {
        Envelope::seal(PAYLOAD_TYPE, statement.to_string().as_bytes(), signer)
    }

    /// Reads the statement of an envelope that trust roots have signed.
    ///
    /// # Errors
    /// [`AttestError::Envelope`] for another payload, and for a subject without a digest.
    pub fn of(opened: &Opened) -> Result<Self, AttestError> {
        let wrong = |what: String| AttestError::Envelope(what);
        if opened.payload_type != PAYLOAD_TYPE {
            return Err(wrong(format!("its payload is {:?}", opened.payload_type)));
        }
        let statement: Self = serde_json::from_slice(&opened.payload).map_err(|error| wrong(place(&error)))?;
        if statement.kind != STATEMENT {
            return Err(wrong(format!("it is a {:?}", statement.kind)));
        }
        if statement.subject.is_empty() || statement.subject.iter().any(|subject| subject.digest.is_empty()) {
            return Err(wrong("it does not say by a digest what it is about".to_owned()));
        }
        Ok(statement)
    }

    /// Whether it is about this SHA-256.
    pub fn is_about(&self, sha256: &str) -> bool {
        self.subject.iter().any(|subject| subject.digest.get("sha256").is_some_and(|digest| digest == sha256))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::pem;
    use super::super::{Envelope, Signer};
    use super::{PAYLOAD_TYPE, STATEMENT, Statement};

    #[test]
    fn only_a_statement_that_says_what_it_is_about_is_read() {
        let signer = Signer::from_pem(&pem(1)).expect("a key");
        let roots = [("kim".to_owned(), signer.public())].into();
        let good = json!({ "_type": STATEMENT, "subject": [{ "name": "x", "digest": { "sha256": "ab" } }],
                           "predicateType": "t", "predicate": {} });
        let read = |envelope: &Envelope| Statement::of(&envelope.open(&roots).expect("trusted"));
        let statement = read(&Statement::seal(&good, &signer)).expect("a statement");
        assert!(statement.is_about("ab") && !statement.is_about("cd"));
        for (key, value) in [("_type", json!("v0")), ("subject", json!([])), ("subject", json!([{ "digest": {} }]))] {
            let mut bad = good.clone();
            bad[key] = value;
            assert!(read(&Statement::seal(&bad, &signer)).is_err(), "{bad}");
        }
        let other = Envelope::seal("text/plain", good.to_string().as_bytes(), &signer);
        assert!(read(&other).expect_err("another payload").to_string().contains("text/plain"));
        assert_eq!(PAYLOAD_TYPE, "application/vnd.in-toto+json");
    }
}
