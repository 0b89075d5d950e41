//! What was looked at, and what was not and why. A scan that could not read something is never "clean".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many troubles are kept with their words; the rest are counted.
const KEPT: usize = 100;

/// What a scan looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Files read, in whole or in part.
    pub files: u64,
    /// Objects of git repositories read: files' versions, messages.
    #[serde(default, skip_serializing_if = "is_none")]
    pub objects: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What was passed over on purpose: reason → how many. The scan is complete all the same.
    pub skipped: BTreeMap<String, u64>,
    /// Matches that were put aside: reason → how many.
    pub suppressed: BTreeMap<String, u64>,
    /// Places of credentials that are not reported because somebody allowed them: reason → how many.
    #[serde(default)]
    pub allowed: BTreeMap<String, u64>,
    /// What would have been allowed or left out, and was reported and read all the same, because whoever says so is not
    /// trusted or the time is over: reason → how many.
    #[serde(default)]
    pub disregarded: BTreeMap<String, u64>,
    /// What could not be read. Anything here makes the scan incomplete.
    pub troubles: Vec<Trouble>,
    /// Troubles beyond those kept in `troubles`.
    pub more_troubles: u64,
    /// The scan was stopped before its end.
    pub interrupted: bool,
}

/// Something that should have been read and was not, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trouble {
    /// What could not be read.
    pub path: String,
    /// Why, in words that say what to do where that is known.
    pub why: String,
}

impl Coverage {
    /// Counts something that was passed over on purpose.
    pub fn skip(&mut self, reason: &str) {
        bump(&mut self.skipped, reason, 1);
    }

    /// Counts a match that was put aside.
    pub fn suppress(&mut self, reason: &str) {
        bump(&mut self.suppressed, reason, 1);
    }

    /// Counts a place that is allowed, or that would be.
    pub fn allow(&mut self, allowed: bool, reason: &str) {
        bump(if allowed { &mut self.allowed } else { &mut self.disregarded }, reason, 1);
    }

    /// Rewrites every reason: those of a tree's own file are its people's words.
    pub fn reword(&mut self, word: &dyn Fn(&str) -> String) {
        for counts in [&mut self.skipped, &mut self.allowed, &mut self.disregarded] {
            for (reason, count) in std::mem::take(counts) {
                bump(counts, &word(&reason), count);
            }
        }
    }

    /// Records something that could not be read.
    pub fn trouble(&mut self, path: impl Into<String>, why: impl Into<String>) {
        if self.troubles.len() < KEPT {
            self.troubles.push(Trouble { path: path.into(), why: why.into() });
        } else {
            self.more_troubles += 1;
        }
    }

    /// Whether everything that should have been read was read.
    pub fn is_complete(&self) -> bool {
        self.troubles.is_empty() && self.more_troubles == 0 && !self.interrupted
    }

    /// Adds what another worker saw.
    pub fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.objects += other.objects;
        self.bytes += other.bytes;
        for (reason, count) in other.skipped {
            bump(&mut self.skipped, &reason, count);
        }
        for (reason, count) in other.suppressed {
            bump(&mut self.suppressed, &reason, count);
        }
        for (reason, count) in other.allowed {
            bump(&mut self.allowed, &reason, count);
        }
        for (reason, count) in other.disregarded {
            bump(&mut self.disregarded, &reason, count);
        }
        for trouble in other.troubles {
            self.trouble(trouble.path, trouble.why);
        }
        self.more_troubles += other.more_troubles;
        self.interrupted |= other.interrupted;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

fn bump(counts: &mut BTreeMap<String, u64>, reason: &str, by: u64) {
    if let Some(count) = counts.get_mut(reason) {
        *count += by;
    } else {
        counts.insert(reason.to_owned(), by);
    }
}

#[cfg(test)]
mod tests {
    use super::Coverage;

    #[test]
    fn a_trouble_beyond_the_kept_ones_still_makes_it_incomplete() {
        let mut all = Coverage::default();
        for n in 0..150 {
            let mut one = Coverage { files: 1, bytes: 2, ..Coverage::default() };
            one.skip("link");
            one.trouble(format!("f{n}"), "permission denied");
            one.allow(n % 3 == 0, "sample");
            all.merge(one);
        }
        assert_eq!((all.files, all.bytes, all.skipped["link"]), (150, 300, 150));
        assert_eq!((all.allowed["sample"], all.disregarded["sample"]), (50, 100));
        all.reword(&|reason| reason.replace("sample", "other"));
        assert_eq!((all.allowed.len(), all.allowed["other"], all.skipped["link"]), (1, 50, 150));
        assert_eq!((all.troubles.len(), all.more_troubles), (100, 50));
        assert!(!all.is_complete());
        assert!(Coverage::default().is_complete());
    }
}
