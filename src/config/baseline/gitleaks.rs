//! `.gitleaksignore`: one fingerprint a line, `path:rule:line` or `commit:path:rule:line`. It names places, not secrets. Our
//! detectors are not gitleaks' rules, so the rule is not compared. A fingerprint with a commit holds for that commit alone,
//! as in gitleaks (`detect.go`: findings of a folder have no commit and are compared with the short form only).

use std::collections::BTreeMap;

use super::{BaselineError, plain};

/// Lines that are no fingerprints and are named in the error; a file of anything else has nothing but such.
const SHOWN: usize = 5;

/// Places that are allowed, whatever stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Path → line → where in the file of fingerprints that stands.
    places: BTreeMap<String, BTreeMap<u64, usize>>,
    /// Fingerprints that name a commit.
    pub of_commits: usize,
}

impl Lines {
    /// The entry, by its line in the file of fingerprints, that allows what stands on these lines of `path`.
    pub fn entry(&self, path: &str, lines: std::ops::RangeInclusive<u64>) -> Option<usize> {
        self.places.get(path)?.range(lines).next().map(|(_, entry)| *entry)
    }

    /// Every entry: its line in the file of fingerprints.
    pub fn entries(&self) -> impl Iterator<Item = usize> {
        self.places.values().flat_map(BTreeMap::values).copied()
    }

    pub(super) fn read(text: &str) -> Result<Self, BaselineError> {
        let mut all = Self::default();
        let mut wrong = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Fingerprint::read(line) {
                None => wrong.push(format!("line {}", n + 1)),
                Some(print) if print.commit => all.of_commits += 1,
                Some(print) => {
                    all.places.entry(print.path).or_default().entry(print.line).or_insert(n + 1);
                }
            }
        }
        // gitleaks warns of such a line and goes on without it; here nobody would know that it allows nothing.
        let more = if wrong.len() > SHOWN { " and more" } else { "" };
        wrong.truncate(SHOWN);
        if wrong.is_empty() { Ok(all) } else { Err(BaselineError::Lines(wrong.join(", ") + more)) }
    }
}

struct Fingerprint {
    path: String,
    line: u64,
    commit: bool,
}

impl Fingerprint {
    fn read(text: &str) -> Option<Self> {
        let mut from_the_end = text.rsplitn(3, ':');
        let line = from_the_end.next()?.parse().ok()?;
        let rule = from_the_end.next()?;
        let rest = from_the_end.next()?;
        // A rule's id is one word; a path in its place means that the line is something else.
        if rule.is_empty() || rule.contains(['/', ' ', '\\']) || rest.is_empty() {
            return None;
        }
        let commit = rest.split_once(':').filter(|(commit, _)| {
            // Abbreviated or whole, SHA-1 or SHA-256; shorter is a Windows drive.
            (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        Some(Self { path: plain(commit.map_or(rest, |(_, path)| path)), line, commit: commit.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::{BaselineError, Lines};

    #[test]
    fn both_forms_are_read_and_only_the_short_one_names_a_place_in_a_folder() {
        let text = "# why\n\n ./src/a.py:aws-access-token:7 \nC:\\x\\b.env:generic-api-key:1\n\
                    4b825dc642cb6eb9a060e54bf8d69288fbee4904:src/c.py:private-key:9\nsrc/odd:name.py:jwt:2\r\n";
        let lines = Lines::read(text).expect("good");
        assert_eq!(lines.entry("src/a.py", 6..=7), Some(3));
        assert_eq!(lines.entry("src/a.py", 8..=9), None);
        assert_eq!(lines.entry("C:/x/b.env", 1..=1), Some(4));
        assert_eq!(lines.entry("src/odd:name.py", 2..=2), Some(6));
        assert_eq!((lines.entry("src/c.py", 9..=9), lines.of_commits), (None, 1));
        assert_eq!(lines.entries().count(), 3);
    }

    #[test]
    fn what_is_no_fingerprint_is_named_by_its_line() {
        for wrong in ["a.py", "a.py:rule", "a.py:rule:x", ":rule:1", "a.py::1", "rule:a/b.py:1", "see https://x.y/z:1"] {
            assert_eq!(Lines::read(&format!("a:b:1\n{wrong}\n")), Err(BaselineError::Lines("line 2".into())), "{wrong}");
        }
        let many = Lines::read(&"word\n".repeat(9)).expect_err("no fingerprints");
        assert_eq!(many, BaselineError::Lines("line 1, line 2, line 3, line 4, line 5 and more".into()));
    }
}
