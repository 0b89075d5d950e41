//! Files of what was known before: our own baselines, and those of gitleaks and detect-secrets, told apart by what they
//! say and never by their names. Pure: text in, checked lists out.

mod detect_secrets;
mod gitleaks;
mod own;

pub use detect_secrets::Hashes;
pub use gitleaks::Lines;
pub use own::Known;

/// What was known before.
#[derive(Debug)]
pub enum Baseline {
    /// Secrets, wherever they stand: our own.
    Known(Known),
    /// Lines, whatever stands there: gitleaks' ignore file.
    Lines(Lines),
    /// Secrets in files, by SHA-1: a baseline of detect-secrets.
    Hashes(Hashes),
}

/// Why a file is no baseline. Holds nothing of what the file says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// Nothing in it.
    #[error("it is empty; `--write-baseline` writes one")]
    Empty,
    /// It begins like JSON.
    #[error("line {0}: it is JSON that cannot be read")]
    Json(usize),
    /// JSON of something else.
    #[error(
        "it is neither a baseline of staunch (`--write-baseline` writes one) nor of detect-secrets; a report of gitleaks is \
         none, its .gitleaksignore is"
    )]
    Stranger,
    /// Text of something else.
    #[error(
        "{0}: not `path:rule:line` or `commit:path:rule:line`, as gitleaks' ignore file has it; nor is it a baseline of \
         staunch or detect-secrets, which are JSON"
    )]
    Lines(String),
    /// One of ours, of a later version.
    #[error("its schema is one that this version does not read; it was written by a later staunch")]
    Later,
    /// One of ours or of detect-secrets', damaged.
    #[error("{0}; it was damaged, or edited by hand")]
    Damaged(String),
}

impl Baseline {
    /// Reads whichever of the three it is.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Err(BaselineError::Empty);
        }
        if !text.trim_start().starts_with(['{', '[']) {
            return Lines::read(text).map(Self::Lines);
        }
        // serde's own words may repeat what the file says.
        let json: serde_json::Value = serde_json::from_str(text).map_err(|error| BaselineError::Json(error.line()))?;
        match json.get("schema").map(|schema| schema.as_str().unwrap_or_default()) {
            Some(Known::SCHEMA) => Known::read(json).map(Self::Known),
            Some(schema) if schema.starts_with("staunch.baseline/") => Err(BaselineError::Later),
            None if Hashes::is(&json) => Hashes::read(&json).map(Self::Hashes),
            _ => Err(BaselineError::Stranger),
        }
    }
}

/// A path as other programs write it → as ours are compared: `/` between the parts, no `./` before them.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    path.trim_start_matches("./").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Baseline, BaselineError};

    #[test]
    fn each_kind_is_told_by_what_it_says() {
        let own = r#"{"schema":"staunch.baseline/1","how":"argon2id v=19 m=7168 t=5 p=1",
            "salt":"000102030405060708090a0b0c0d0e0f","known":["00112233445566778899aabbccddeeff"]}"#;
        assert!(matches!(Baseline::read(own), Ok(Baseline::Known(known)) if known.digests.len() == 1));
        assert!(matches!(Baseline::read("# old\na/b.py:aws-access-token:3\n"), Ok(Baseline::Lines(_))));
        assert!(matches!(Baseline::read(r#"{"version":"1.5.0","plugins_used":[],"results":{}}"#), Ok(Baseline::Hashes(_))));
    }

    #[test]
    fn anything_else_is_said_to_be_none() {
        let error = |text: &str| Baseline::read(text).expect_err(text);
        assert_eq!(error(" \n"), BaselineError::Empty);
        assert_eq!(error("{\n"), BaselineError::Json(2));
        assert_eq!(error("a:b:1\nnot one\n"), BaselineError::Lines("line 2".to_owned()));
        assert_eq!(error(r#"{"schema":"staunch.baseline/2"}"#), BaselineError::Later);
        for stranger in ["[]", r#"[{"RuleID":"x"}]"#, "{}", r#"{"schema":"staunch.report/1"}"#, r#"{"schema":1}"#] {
            assert_eq!(error(stranger), BaselineError::Stranger, "{stranger}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(matches!(error(&deep), BaselineError::Json(_)));
    }

    #[test]
    fn no_error_repeats_what_the_file_says() {
        for text in [
            "s3cret",
            "{\"s3cret",
            r#"{"schema":"s3cret"}"#,
            r#"{"schema":"staunch.baseline/1","s3cret":1}"#,
            r#"{"schema":"staunch.baseline/1","how":"s3cret","salt":"s3cret","known":["s3cret"]}"#,
            r#"{"version":"1","results":{"s3cret":[{"hashed_secret":"s3cret"}]}}"#,
            r#"{"version":"1","results":{"s3cret":"s3cret"}}"#,
        ] {
            let error = Baseline::read(text).expect_err(text);
            assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
