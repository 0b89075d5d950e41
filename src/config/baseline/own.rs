//! Schema `staunch.baseline/1`: a salt and slow digests, in the order of the digests. Nothing says where a secret stood, what
//! it was or how often it was there; nothing in it can be matched with another file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::BaselineError;
use crate::secret::{Salt, SlowDigest, Stretcher};

const ABOUT: &str = "Secrets that were known when `staunch --write-baseline` wrote this: digests under this file's salt, no values, no places.";

/// Secrets that were known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What the digests were made with.
    pub salt: Salt,
    /// One for each different part of each credential.
    pub digests: BTreeSet<SlowDigest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    schema: String,
    #[serde(default)]
    about: String,
    how: String,
    salt: String,
    known: Vec<String>,
}

impl Known {
    /// The schema's name and version.
    pub const SCHEMA: &'static str = "staunch.baseline/1";

    /// The file's text. Equal lists have equal texts, and one more secret is one more line.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let text = Text {
            schema: Self::SCHEMA.to_owned(),
            about: ABOUT.to_owned(),
            how: Stretcher::HOW.to_owned(),
            salt: self.salt.to_string(),
            known: self.digests.iter().map(ToString::to_string).collect(),
        };
        Ok(serde_json::to_string_pretty(&text)? + "\n")
    }

    pub(super) fn read(json: serde_json::Value) -> Result<Self, BaselineError> {
        let damaged = |what: &str| BaselineError::Damaged(what.to_owned());
        let text: Text = serde_json::from_value(json)
            .map_err(|_| damaged("it must have `schema`, `how`, `salt` and `known`, and nothing else but `about`"))?;
        // The cost is the schema's, not the file's: else a planted file could ask for any amount of memory and time.
        if text.how != Stretcher::HOW {
            return Err(damaged(&format!("its `how` is not `{}`", Stretcher::HOW)));
        }
        let salt = text.salt.parse().map_err(|error| damaged(&format!("`salt`: {error}")))?;
        let parse = |(n, digest): (usize, &String)| {
            digest.parse().map_err(|error| damaged(&format!("number {} of `known`: {error}", n + 1)))
        };
        let digests = text.known.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { salt, digests })
    }
}

#[cfg(test)]
mod tests {
    use super::Known;
    use crate::config::Baseline;
    use crate::secret::{Salt, SlowDigest};

    fn known() -> Known {
        let digest = |text: &str| text.parse::<SlowDigest>().expect("hex");
        let digests = [digest("ff112233445566778899aabbccddeeff"), digest("00112233445566778899aabbccddeeff")];
        Known { salt: Salt::random().expect("random numbers"), digests: digests.into() }
    }

    #[test]
    fn text_round_trips_and_says_nothing_but_digests() {
        let known = known();
        let text = known.to_text().expect("text");
        let Ok(Baseline::Known(again)) = Baseline::read(&text) else { panic!("{text}") };
        assert_eq!(again, known);
        let salt = known.salt.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            [&lines[..2], &lines[3..]].concat(),
            [
                "{",
                "  \"schema\": \"staunch.baseline/1\",",
                "  \"how\": \"argon2id v=19 m=7168 t=5 p=1\",",
                &format!("  \"salt\": \"{salt}\","),
                "  \"known\": [",
                "    \"00112233445566778899aabbccddeeff\",",
                "    \"ff112233445566778899aabbccddeeff\"",
                "  ]",
                "}",
            ]
        );
    }

    #[test]
    fn a_file_cannot_ask_for_more_work_than_the_schema_says() {
        let text = known().to_text().expect("text");
        for other in ["m=7169", "m=4000000", "m=8"] {
            let error = Baseline::read(&text.replace("m=7168", other)).expect_err(other);
            assert!(error.to_string().starts_with("its `how` is not"), "{error}");
        }
    }

    #[test]
    fn damage_is_said_with_its_place() {
        let text = known().to_text().expect("text");
        for (from, to, expected) in [
            ("\"ff11", "\"gg11", "number 2 of `known`: it must be 32 lower-case hex digits"),
            ("\"salt\": \"", "\"salt\": \"0", "`salt`: it must be 32 lower-case hex digits"),
            ("\"about\"", "\"values\"", "it must have `schema`"),
        ] {
            let error = Baseline::read(&text.replace(from, to)).expect_err(to).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
