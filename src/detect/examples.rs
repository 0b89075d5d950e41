//! Runs every example of every detector through the whole pipeline with all detectors loaded. `staunch detectors check`
//! and the tests are this.

use super::compiled::{DetectorSet, Entry, parse_hir};
use super::sample::{Rng, sample};
use super::scanner::{Found, Scanner};
use crate::model::{Blob, Credential};

/// Generated examples a detector.
const GENERATED: u64 = 25;

/// An example that did not do what its detector's file says. Holds no value: examples look live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The detector.
    pub detector: String,
    /// Which example: `generated 3`, `example 1`, `counterexample 2`.
    pub example: String,
    /// What went wrong.
    pub what: String,
}

/// Checks all examples of `set`.
pub fn check_examples(set: &DetectorSet) -> Vec<Failure> {
    let mut failures = Vec::new();
    for entry in &set.entries {
        let mut fail = |example: String, what: String| {
            failures.push(Failure { detector: entry.detector().id.to_string(), example, what });
        };
        if entry.checked.extract.is_none() {
            for seed in 0..GENERATED {
                let Some((text, values)) = generate(entry, seed) else {
                    fail(format!("generated {seed}"), "the grammar gives no example".into());
                    continue;
                };
                if let Some(what) = judge_positive(set, entry, &text, &values) {
                    fail(format!("generated {seed}"), what);
                }
            }
        }
        for (n, example) in entry.checked.examples.iter().enumerate() {
            let hits = found(set, &example.text).iter().filter(|c| c.detector == entry.detector().id).count();
            match (example.finds, hits) {
                (true, 0) => fail(format!("example {}", n + 1), "nothing was found".into()),
                (false, 1..) => fail(format!("counterexample {}", n + 1), "it was found".into()),
                _ => {}
            }
        }
    }
    failures
}

/// What the whole pipeline finds in a text.
fn found(set: &DetectorSet, text: &str) -> Vec<Credential> {
    let mut all = Vec::new();
    Scanner::new(set).scan(&Blob::whole("example", text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            all.push(credential);
        }
    });
    all
}

/// A text with each part on a line of its own, named as people name it, and the parts' values.
fn generate(entry: &Entry, seed: u64) -> Option<(String, Vec<Vec<u8>>)> {
    let mut rng = Rng::new(seed + 1);
    let mut text = String::from("# generated\n");
    let mut values = Vec::new();
    for (spec, rule) in entry.detector().parts.iter().zip(&entry.checked.rules) {
        let hir = parse_hir(&rule.pattern).ok()?;
        // A random value can fall short of the entropy asked for, or be all hex; another one will not.
        let value = (0..50).map(|_| sample(&hir, &mut rng)).find(|value| {
            super::entropy::shannon(value) >= rule.min_entropy
                && !entry.rejects(values.len(), value)
                && super::suppress::reason(value).is_none()
        });
        let mut value = value?;
        if let Some(check) = rule.check {
            check.complete(&mut value, &mut rng);
        }
        let name = rule.names.first().map_or(&*spec.name, String::as_str);
        text.extend([name, " = \"", &String::from_utf8_lossy(&value), "\"\n"]);
        values.push(value);
    }
    Some((text, values))
}

fn judge_positive(set: &DetectorSet, entry: &Entry, text: &str, values: &[Vec<u8>]) -> Option<String> {
    let all = found(set, text);
    if let Some(other) = all.iter().find(|credential| credential.detector != entry.detector().id) {
        return Some(format!("{} claims it too", other.detector));
    }
    let [one] = all.as_slice() else { return Some(format!("found {} times", all.len())) };
    let complete = one.parts.len() == values.len() && !one.partial;
    let right = one.parts.iter().zip(values).all(|(part, value)| {
        let span = part.span.start as usize..part.span.end as usize;
        text.as_bytes().get(span).is_some_and(|stands| stands == value.as_slice() || value.starts_with(stands))
    });
    (!complete || !right).then(|| "its parts are not the ones that were written".to_owned())
}

#[cfg(test)]
mod tests {
    use super::check_examples;
    use crate::detect::{DetectorSet, builtin_sources};

    #[test]
    fn every_example_of_every_detector_does_what_its_file_says() {
        let set = DetectorSet::builtin().expect("built-in detectors");
        let failures = check_examples(&set);
        assert!(failures.is_empty(), "{failures:#?}");
    }

    #[test]
    fn every_file_in_the_folder_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/detectors");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("detectors/")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<String> = builtin_sources().into_iter().map(|source| source.id).collect();
        assert_eq!(files, listed);
    }
}
