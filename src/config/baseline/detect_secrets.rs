//! `.secrets.baseline` of detect-secrets: for each file the SHA-1 of each secret in it. As there, an entry holds for that
//! secret in that file, on any line. Only the hash and the file are used: the plugin's name means nothing to our detectors,
//! and `is_secret` is a person's note, not a reason to speak again.
//!
//! Hashes: `hashlib.sha1(secret.encode('utf-8')).hexdigest()` (`detect_secrets/core/potential_secret.py`). For private keys it
//! hashes the `BEGIN …` line alone, so those never match here; for pairs it hashes each value by itself.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::Value;

use super::{BaselineError, plain};

/// SHA-1 of a secret.
type Hash = [u8; 20];

/// Secrets that are allowed in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashes(BTreeMap<String, Vec<Hash>>);

impl Hashes {
    /// Whether anything is allowed in `path`.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Whether `hash` is allowed in `path`.
    pub fn holds(&self, path: &str, hash: &[u8]) -> bool {
        self.0.get(path).is_some_and(|hashes| hashes.iter().any(|known| known == hash))
    }

    /// How many entries there are.
    pub fn entries(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(super) fn is(json: &Value) -> bool {
        let has = |key: &str| json.get(key).is_some();
        json.get("results").is_some_and(Value::is_object) && (has("version") || has("plugins_used") || has("generated_at"))
    }

    pub(super) fn read(json: &Value) -> Result<Self, BaselineError> {
        let mut all = Self::default();
        let results = json.get("results").and_then(Value::as_object).ok_or(BaselineError::Stranger)?;
        for (n, (path, entries)) in results.iter().enumerate() {
            let damaged =
                || BaselineError::Damaged(format!("file number {} of `results` has no list of SHA-1 hashes", n + 1));
            let mut hashes = Vec::new();
            for entry in entries.as_array().ok_or_else(damaged)? {
                let text = entry.get("hashed_secret").and_then(Value::as_str).ok_or_else(damaged)?;
                let hash = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| damaged())?;
                hashes.push(Hash::try_from(hash).map_err(|_| damaged())?);
            }
            hashes.sort_unstable();
            hashes.dedup();
            all.0.entry(plain(path)).or_default().append(&mut hashes);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::Hashes;
    use serde_json::json;

    #[test]
    fn a_hash_holds_in_its_file() {
        // printf 'a value' | sha1sum
        let hash = "9e4647f796987297ce25c638aa6797954b40b730";
        let entry = json!({ "type": "Secret Keyword", "filename": "a.py", "hashed_secret": hash, "line_number": 3 });
        let json = json!({ "version": "1.5.0", "results": { "./a.py": [entry.clone(), entry], "b.py": [] } });
        assert!(Hashes::is(&json));
        let hashes = Hashes::read(&json).expect("good");
        let bytes = data_encoding::HEXLOWER.decode(hash.as_bytes()).expect("hex");
        assert!(hashes.has("a.py") && hashes.holds("a.py", &bytes));
        assert!(!hashes.holds("b.py", &bytes) && !hashes.holds("a.py", &[0; 20]) && !hashes.has("c.py"));
        assert_eq!(hashes.entries(), 1);
    }

    #[test]
    fn damage_is_said_with_its_place() {
        for wrong in
            [json!({}), json!([1]), json!([{ "hashed_secret": "00" }]), json!([{ "hashed_secret": "x".repeat(40) }])]
        {
            let error = Hashes::read(&json!({ "results": { "a": [], "b": wrong } })).expect_err("damaged");
            assert!(error.to_string().starts_with("file number 2 of `results`"), "{error}");
        }
    }
}
