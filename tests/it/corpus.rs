//! Who uses what, on small repositories whose answers were written down first (testdata/ownership): recall of the right
//! consumer, and no wrong `bound` or `proven` at all. The score is the snapshot beside this file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use staunch::secret::FingerprintKey;

use crate::harness::program::Home;

/// Of the consumers that are right, those that must be named.
const RECALL: f64 = 0.95;
const KEY: [u8; 32] = [0x5a; 32];
const THREADS: usize = 2;

/// What is expected of one credential.
#[derive(Debug, Default)]
struct Expected {
    bound: BTreeSet<String>,
    weak: BTreeSet<String>,
    decides: BTreeSet<String>,
    leaked: BTreeSet<String>,
}

struct Case {
    name: String,
    expected: BTreeMap<char, Expected>,
    files: Vec<(String, String)>,
}

/// The token that a letter stands for in a case: nobody's, and another one everywhere.
fn token(case: &str, letter: char) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA512, format!("{case} {letter}").as_bytes());
    let letters = (b'a'..=b'z').chain(b'A'..=b'Z').map(char::from).collect::<Vec<_>>();
    let body: String = digest.as_ref()[..34].iter().map(|byte| letters[usize::from(byte % 52)]).collect();
    format!("hf{}{body}", '_')
}

fn filled(case: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for letter in 'A'..='Z' {
        let value = token(case, letter);
        text = text.replace(&format!("{{{{{letter}}}}}"), &value);
        text = text.replace(&format!("{{{{{letter}:base64}}}}"), &data_encoding::BASE64.encode(value.as_bytes()));
    }
    text
}

fn case(text: &str) -> Case {
    let mut pieces = text.split("\n--- ");
    let head = pieces.next().unwrap();
    let name = head.lines().next().unwrap().trim().to_owned();
    let mut expected: BTreeMap<char, Expected> = BTreeMap::new();
    for line in head.lines().filter_map(|line| line.strip_prefix("expect ")) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let own = expected.entry(words[0].chars().next().unwrap()).or_default();
        let set = match words[1] {
            "bound" => &mut own.bound,
            "weak" => &mut own.weak,
            "decides" => &mut own.decides,
            "leaked" => &mut own.leaked,
            "none" => continue,
            other => panic!("{name}: {other}"),
        };
        set.insert(words[2].trim().to_owned());
    }
    assert!(!expected.is_empty(), "{name} expects nothing");
    let file = |piece: &str| {
        let (path, text) = piece.split_once('\n').unwrap();
        (path.trim().to_owned(), format!("{}\n", filled(&name, text).trim_end_matches('\n')))
    };
    let files = pieces.map(file).collect();
    Case { name, expected, files }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ownership/cases");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(|path| format!("\n{}", fs::read_to_string(path).unwrap()));
    texts.flat_map(|text| text.split("\n=== ").skip(1).map(case).collect::<Vec<_>>()).collect()
}

/// The findings of a case by fingerprint.
fn triaged(home: &Home, case: &Case) -> BTreeMap<String, Value> {
    let root = home.work().join(&case.name);
    for (path, text) in &case.files {
        let full = root.join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }
    let key = data_encoding::HEXLOWER.encode(&KEY);
    let run = home.staunch(["triage", "--offline", "--format", "json", "."]).current_dir(&root);
    let output = run.env("STAUNCH_FINGERPRINT_KEY", key).output();
    let report: Value =
        serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}: {}", case.name, output.stderr()));
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| (finding["fingerprint"].as_str().unwrap().to_owned(), finding.clone())).collect()
}

#[derive(Default)]
struct Score {
    /// Named and expected, by group.
    groups: BTreeMap<String, (usize, usize)>,
    credentials: usize,
    quiet: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
    noise: Vec<String>,
}

impl Score {
    fn take(&mut self, case: &Case, letter: char, expected: &Expected, finding: Option<&Value>) {
        let at = format!("{} {letter}", case.name);
        let Some(finding) = finding else {
            self.missed.push(format!("{at}: the credential itself was not found"));
            return;
        };
        let owners = |edge: &str| -> BTreeMap<String, String> {
            let all = finding["owners"].as_array().unwrap().iter().filter(|owner| owner["edge"] == edge);
            let text = |owner: &Value, key: &str| owner[key].as_str().unwrap().to_owned();
            all.map(|owner| (text(owner, "id"), text(owner, "tier"))).collect()
        };
        let consumers = owners("consumer");
        let right: Vec<&String> = expected.bound.iter().chain(&expected.weak).collect();
        let (named, all) = self.groups.entry(case.name.split('/').next().unwrap().to_owned()).or_default();
        for id in &right {
            *all += 1;
            *named += usize::from(consumers.contains_key(*id));
        }
        self.credentials += usize::from(!right.is_empty());
        self.quiet += usize::from(right.is_empty());
        self.missed.extend(right.iter().filter(|id| !consumers.contains_key(**id)).map(|id| format!("{at}: {id}")));
        for (edge, wanted) in [("accountable", &expected.decides), ("custodian", &expected.leaked)] {
            let there = owners(edge);
            self.missed.extend(wanted.iter().filter(|id| !there.contains_key(*id)).map(|id| format!("{at}: {edge} {id}")));
        }
        for (id, tier) in &consumers {
            let strong = tier == "bound" || tier == "proven";
            // Where nobody uses it, nobody may be named at all.
            if strong && !expected.bound.contains(id) || right.is_empty() {
                self.wrong.push(format!("{at}: {id} ({tier})"));
            } else if !right.contains(&id) {
                self.noise.push(format!("{at}: {id} ({tier})"));
            }
        }
    }
}

#[test]
fn the_right_consumer_is_named_and_no_wrong_one_is_bound() {
    let home = Home::new();
    let key = FingerprintKey::new(KEY);
    let all = cases();
    assert!(all.len() >= 40, "{} cases", all.len());
    let mut score = Score::default();
    // A program a case; most of its time is its own beginning.
    let found: Vec<BTreeMap<String, Value>> = std::thread::scope(|scope| {
        let home = &home;
        let parts: Vec<_> = all
            .chunks(all.len().div_ceil(THREADS))
            .map(|cases| scope.spawn(move || cases.iter().map(|case| triaged(home, case)).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    for (case, findings) in all.iter().zip(&found) {
        for (letter, expected) in &case.expected {
            let print = key.fingerprint(token(&case.name, *letter).as_bytes()).to_string();
            score.take(case, *letter, expected, findings.get(&print));
        }
    }
    let (named, wanted) = score.groups.values().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let recall = named as f64 / wanted as f64;
    let groups: Vec<String> = score.groups.iter().map(|(group, (named, all))| format!("{group} {named}/{all}")).collect();
    let told = format!(
        "{} repositories, {} credentials with consumers, {} without; consumers named {named}/{wanted} = {:.1} % ({}); wrong {}, \
         noise {}, missed {}\nwrong: {:#?}\nmissed: {:#?}\nnoise: {:#?}",
        all.len(),
        score.credentials,
        score.quiet,
        recall * 100.0,
        groups.join(", "),
        score.wrong.len(),
        score.noise.len(),
        score.missed.len(),
        score.wrong,
        score.missed,
        score.noise
    );
    insta::assert_snapshot!(told);
    assert!(score.wrong.is_empty() && recall >= RECALL, "{told}");
}
