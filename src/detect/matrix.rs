//! Every detector's examples under every detector, as a snapshot: a change to one file that makes it claim another one's
//! example, or lose its own, shows in review as a changed line.
//!
//! `INSTA_UPDATE=always cargo nextest run matrix` writes the snapshot anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::compiled::{DetectorSet, Entry};
use super::examples::{found, generate, named};

/// Made examples a detector. `check_examples` runs more of them; here their neighbours matter.
const MADE: u64 = 4;

/// A line a detector: how many of its examples it claims, and who else claims which.
fn matrix(set: &DetectorSet) -> String {
    let mut lines = String::new();
    for entry in &set.entries {
        let line = line(set, entry);
        let _ = writeln!(lines, "{line}");
    }
    lines
}

fn line(set: &DetectorSet, entry: &Entry) -> String {
    let id = &entry.detector().id;
    let (mut odd, mut tallies) = (Vec::new(), [(0, 0); 3]);
    let mut look = |row: usize, wanted: bool, name: String, text: &str| {
        let claims: BTreeSet<String> = found(set, text).iter().map(|one| one.detector.to_string()).collect();
        tallies[row].0 += usize::from(claims.contains(&**id));
        tallies[row].1 += 1;
        let others: Vec<&str> = claims.iter().map(String::as_str).filter(|other| **other != **id).collect();
        match (wanted, claims.contains(&**id)) {
            (true, false) => odd.push(format!("{name} is lost")),
            (false, true) => odd.push(format!("{name} is claimed")),
            _ => {}
        }
        if !others.is_empty() {
            odd.push(format!("{name} is {}", others.join(" and ")));
        }
    };
    if entry.checked().extract.is_none() {
        for seed in 0..MADE {
            let text = generate(entry, 1000 + seed).map_or_else(String::new, |(text, _)| text);
            look(0, true, format!("made {}", seed + 1), &text);
        }
    }
    for (name, example) in named(entry) {
        look(if example.finds { 1 } else { 2 }, example.finds, name, &example.text);
    }
    let [made, told, not] = tallies.map(|(claimed, all)| format!("{claimed}/{all}"));
    let tally = format!("{id}: made {made}, examples {told}, counterexamples {not}");
    [vec![tally], odd].concat().join("; ")
}

#[test]
fn every_example_belongs_to_its_own_detector() {
    insta::assert_snapshot!(matrix(&DetectorSet::builtin().expect("built-in detectors")));
}

#[test]
fn a_detector_that_claims_too_much_shows() {
    let greedy = "summary = \"x\"\nprovider = \"x\"\nclass = \"llm\"\nseverity = \"low\"\nopens = \"x\"\nlinks = []\n\
                  [[part]]\nname = \"key\"\npattern = 'xox[bp]-[0-9a-zA-Z-]{10,90}'\nliterals = [\"xox\"]\nalphabet = 'A-Za-z0-9_-'\n\
                  [liveness]\nnone = \"x\"\n[[counterexample]]\ntext = ['xox', 'b-091334123281-206797', 'abc']\nwhy = \"x\"\n";
    let source = super::Source { id: "greedy".into(), file: "greedy.toml".into(), text: greedy.into() };
    let set = DetectorSet::with(&[source]).expect("good files");
    let now = matrix(&set);
    let of = |id: &str| now.lines().find(|line| line.starts_with(&format!("{id}: "))).expect("a line");
    assert!(of("greedy").ends_with("counterexamples 1/1; counterexample 1 is claimed"), "{}", of("greedy"));
    let before = matrix(&DetectorSet::builtin().expect("built-in detectors"));
    assert!(!before.lines().any(|line| line == of("slack-token")), "{}", of("slack-token"));
}
