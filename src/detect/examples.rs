//! Runs every example of every detector through the whole pipeline with all detectors loaded. `staunch detectors check`
//! and the tests are this.

use super::checks::{Check, Verdict};
use super::compiled::{DetectorSet, Entry, build_regex, parse_hir};
use super::sample::{Rng, sample};
use super::scanner::{Found, Scanner};
use super::spec::{Example, Lead, PartRule, Words};
use crate::model::{Blob, Credential};

/// Generated examples a detector.
const GENERATED: u64 = 25;

/// An example that did not do what its detector's file says. Holds no value: examples look live.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Failure {
    /// The detector.
    pub detector: String,
    /// The file that the example is in, or is made of.
    pub file: String,
    /// The line that it begins in; 1 for one that was made.
    pub line: usize,
    /// Which example: `generated 3`, `example 1`, `counterexample 2`.
    pub example: String,
    /// What went wrong.
    pub what: String,
}

/// Checks all examples of `set`, on all cores: hundreds of detectors take a while.
pub fn check_examples(set: &DetectorSet) -> Vec<Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = set.entries.len().div_ceil(threads).max(1);
    let check = |entries: &[Entry]| entries.iter().flat_map(|entry| check_entry(set, entry)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let running: Vec<_> = set.entries.chunks(share).map(|entries| scope.spawn(move || check(entries))).collect();
        // A panic is the checking thread's, and goes on here.
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Checks the examples of one detector of `set`.
pub(super) fn check_entry(set: &DetectorSet, entry: &Entry) -> Vec<Failure> {
    let mut failures = Vec::new();
    let checked = entry.checked();
    let mut fail = |(file, line): (&str, usize), example: String, what: String| {
        let detector = entry.detector().id.to_string();
        failures.push(Failure { detector, file: file.to_owned(), line, example, what });
    };
    let compiles = |pattern: &String| build_regex(pattern).err().map(|error| error.to_string());
    let patterns = checked.rules.iter().flat_map(|rule| rule.reject.iter().chain(&rule.until).chain([&rule.pattern]));
    patterns.filter_map(compiles).for_each(|what| fail((&checked.file, 1), "expressions".into(), what));
    for seed in 0..if checked.extract.is_none() { GENERATED } else { 0 } {
        let what = match generate(entry, seed) {
            Some((text, values)) => judge_positive(set, entry, &text, &values),
            None => Some("the grammar gives no example".into()),
        };
        if let Some(what) = what {
            fail((&checked.file, 1), format!("generated {seed}"), what);
        }
    }
    for (name, example) in named(entry) {
        let hits = found(set, &example.text).iter().filter(|c| c.detector == entry.detector().id).count();
        match (example.finds, hits) {
            (true, 0) => fail((&example.file, example.line), name, "nothing was found".into()),
            (false, 1..) => fail((&example.file, example.line), name, "it was found".into()),
            _ => {}
        }
    }
    failures
}

/// The examples of a detector's file by what they are called: `example 1`, `counterexample 2`.
pub(super) fn named(entry: &Entry) -> impl Iterator<Item = (String, &Example)> {
    let mut counts = [0, 0];
    entry.checked().examples.iter().map(move |example| {
        let count = &mut counts[usize::from(example.finds)];
        *count += 1;
        (format!("{} {count}", if example.finds { "example" } else { "counterexample" }), example)
    })
}

/// What the whole pipeline finds in a text.
pub(super) fn found(set: &DetectorSet, text: &str) -> Vec<Credential> {
    let mut all = Vec::new();
    Scanner::new(set).scan(&Blob::whole("example", text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            all.push(credential);
        }
    });
    all
}

/// A text with each part on a line of its own, named as people name it, and the parts' values.
pub(super) fn generate(entry: &Entry, seed: u64) -> Option<(String, Vec<Vec<u8>>)> {
    let mut rng = Rng::new(seed + 1);
    let mut text = String::from("# generated\n");
    let mut values = Vec::new();
    for (number, (spec, rule)) in entry.detector().parts.iter().zip(&entry.checked().rules).enumerate() {
        if rule.group {
            continue;
        }
        let hir = parse_hir(&rule.pattern).ok()?;
        // A random value can fall short of the entropy asked for, or be all hex; another one will not.
        let made = (0..50).find_map(|_| make(entry, number, &sample(&hir, &mut rng), &mut rng));
        let (whole, mut own) = made?;
        let name = match &rule.lead {
            Lead::Words(words) => name_with(words, rule),
            _ => rule.names.first().map_or_else(|| spec.name.to_string(), Clone::clone),
        };
        text.extend([&name, " = \"", &String::from_utf8_lossy(&whole), "\"\n"]);
        values.append(&mut own);
    }
    Some((text, values))
}

/// `ACME_key`: a name that holds a vouching word.
fn name_with(words: &Words, rule: &PartRule) -> String {
    let simple =
        |word: &&String| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let word = words.lower.iter().find(simple).or(words.lower.first()).map_or("", String::as_str);
    format!("{word}_{}", rule.names.first().map_or("key", String::as_str))
}

/// A made-up value of a part, redacted as a found one would be. `None` where a part has no grammar of its own.
pub(super) fn shape(entry: &Entry, number: usize) -> Option<String> {
    let rule = entry.rule(number);
    if rule.group || entry.checked().extract.is_some() {
        return None;
    }
    let mut rng = Rng::new(1);
    let hir = parse_hir(&rule.pattern).ok()?;
    let (_, values) = (0..50).find_map(|_| make(entry, number, &sample(&hir, &mut rng), &mut rng))?;
    Some(entry.detector().parts[number].redaction.apply(values.first()?))
}

/// Completes a sample of a part's pattern. Returns the text and the values of the parts in it, the part's own first.
fn make(entry: &Entry, number: usize, sample: &[u8], rng: &mut Rng) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let rule = entry.rule(number);
    let captures = if rule.groups { Some(entry.regex(0)?.captures(sample)?) } else { None };
    let parts = &entry.detector().parts;
    let group = |n: usize| captures.as_ref().and_then(|captures| captures.name(&parts[n].name)).map(|group| group.range());
    let own = group(number).unwrap_or(0..sample.len());
    let mut value = sample[own.clone()].to_vec();
    if let Some(check) = rule.check {
        check.complete(&mut value, rng);
    }
    let good = super::entropy::shannon(&value) >= rule.min_entropy
        && !entry.rejects(number, &value)
        && (rule.check.is_some_and(Check::reads_all) || super::suppress::reason(&value).is_none())
        && rule.check.is_none_or(|check| matches!(check.run(&value), Verdict::Holds(..) | Verdict::Doubtful(_)));
    let mut values = vec![value.clone()];
    values
        .extend((number + 1..parts.len()).filter(|n| entry.rule(*n).group).filter_map(group).map(|at| sample[at].to_vec()));
    let whole = [&sample[..own.start], &value, &sample[own.end..]].concat();
    good.then_some((whole, values))
}

fn judge_positive(set: &DetectorSet, entry: &Entry, text: &str, values: &[Vec<u8>]) -> Option<String> {
    let all = found(set, text);
    if let Some(other) = all.iter().find(|credential| credential.detector != entry.detector().id) {
        return Some(format!("{} claims it too", other.detector));
    }
    let [one] = all.as_slice() else { return Some(format!("found {} times", all.len())) };
    let complete = one.parts.len() == values.len() && !one.partial;
    let stands = |part: &crate::model::Part, value: &Vec<u8>| {
        let span = part.span.start as usize..part.span.end as usize;
        text.as_bytes().get(span).is_some_and(|stands| stands == value.as_slice() || value.starts_with(stands))
    };
    // Groups of the anchor are listed after it, whatever their place among the parts.
    let right = one.parts.first().zip(values.first()).is_some_and(|(part, value)| stands(part, value))
        && one.parts.iter().all(|part| values.iter().any(|value| stands(part, value)));
    (!complete || !right).then(|| "its parts are not the ones that were written".to_owned())
}

#[cfg(test)]
mod tests {
    use super::check_examples;
    use crate::detect::DetectorSet;

    #[test]
    fn every_example_of_every_detector_does_what_its_file_says() {
        let set = DetectorSet::builtin().expect("built-in detectors");
        let failures = check_examples(&set);
        assert!(failures.is_empty(), "{failures:#?}");
    }
}
