//! What a value's many places say of it.

use crate::detect::DetectorSet;
use crate::model::Confidence;
use crate::scan::allow::Allowing;
use crate::scan::{Counters, Gathered, Request, Target, WalkOptions, run};

/// Scans files that all hold `line`.
fn scan(paths: &[&str], line: &str, least: Confidence) -> Gathered {
    let folder = tempfile::tempdir().expect("a folder");
    for path in paths {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(path, line).expect("written");
    }
    let set = DetectorSet::builtin().expect("detectors");
    let (allow, counters) = (Allowing::nothing(&[]), Counters::default());
    let request = Request {
        set: &set,
        allow: &allow,
        walk: WalkOptions::default(),
        archive_depth: 0,
        jobs: 2,
        least,
        counters: &counters,
    };
    run(vec![Target::Path(folder.path().to_owned())], &request)
}

fn numbered(folder: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{folder}/settings{n}.yml")).collect()
}

const TYPED: &str = "db_password: WinterBerlin42!\n";
const RANDOM: &str = "db_password: xR7kq2Lw9zTvB4m\n";

#[test]
fn a_typed_value_in_many_files_is_an_example_and_a_random_one_is_not() {
    for (line, count, reported) in [(TYPED, 3, true), (TYPED, 20, false), (RANDOM, 20, true)] {
        let paths = numbered("deploy", count);
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let found = scan(&paths, line, Confidence::Medium);
        assert_eq!(found.sightings.len(), if reported { count } else { 0 }, "{line} {count}");
        assert_eq!(found.coverage.suppressed.get(super::REASON).copied(), (!reported).then_some(count as u64), "{line}");
        // Whoever asks for doubtful ones gets it all the same.
        let low = scan(&paths, line, Confidence::Low);
        assert_eq!(low.sightings.len(), count);
        let doubtful = low.sightings.iter().all(|sighting| sighting.credential.confidence == Confidence::Low);
        assert_eq!(doubtful, !reported, "{line} {count}");
    }
}

#[test]
fn less_clear_places_of_a_sure_value_are_named_unless_most_are_tests() {
    let places = |found: &Gathered| -> Vec<String> {
        found.sightings.iter().map(|sighting| sighting.occurrence.path.clone()).collect()
    };
    let both = scan(&["deploy/a.yml", "tests/fixtures/b.yml"], TYPED, Confidence::Medium);
    assert_eq!(places(&both).len(), 2, "{:?}", places(&both));
    assert!(both.coverage.suppressed.is_empty(), "{:?}", both.coverage.suppressed);
    let test = scan(&["tests/fixtures/b.yml"], TYPED, Confidence::Medium);
    assert_eq!((places(&test).len(), test.coverage.suppressed["low confidence"]), (0, 1));
    let tests = ["deploy/a.yml", "tests/b.yml", "tests/c.yml", "tests/d.yml"];
    assert_eq!(places(&scan(&tests, TYPED, Confidence::Medium)), Vec::<String>::new());
    // One that nobody typed is a secret wherever it stands.
    assert_eq!(places(&scan(&tests, RANDOM, Confidence::Medium)).len(), 4);
}
