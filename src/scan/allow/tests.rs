//! Lists of what was known, applied to credentials made by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Baselines, BaselinesError, Judged, Loaded, Spot};
use crate::config::{Baseline, Known};
use crate::detect::Lines;
use crate::model::{Blob, Confidence, Credential, Encoding, Facts, Part, Provenance};
use crate::scan::collect::{Gathered, Note, Sighting};
use crate::secret::{Redaction, Secret};

/// (name, value, public)
type Value<'v> = (&'v str, &'v str, bool);

/// A credential at the beginning of the third line of a file of the repository `/r`.
fn at(path: &str, detector: &str, values: &[Value<'_>]) -> Sighting {
    let part = |(name, value, public): &Value<'_>| Part {
        name: (*name).into(),
        value: Secret::new(value.as_bytes()),
        public: *public,
        redaction: Redaction::NOTHING,
        span: 8..8 + value.len() as u64,
    };
    let credential = Credential {
        detector: detector.into(),
        parts: values.iter().map(part).collect(),
        facts: Facts::new(),
        confidence: Confidence::High,
        partial: false,
        encoding: vec![Encoding::Base64],
    };
    let text = format!("abc\ndef\n{}", "x".repeat(50));
    let lines = Lines::of(&Blob::whole(path, text.as_bytes()));
    let spot = Spot { full: Path::new("/r").join(path), inside: Some(PathBuf::from(path)) };
    Sighting { spot: Some(Arc::new(spot)), ..Sighting::new(credential, path, &lines, &Provenance::Worktree) }
}

fn gathered(sightings: Vec<Sighting>) -> Gathered {
    Gathered { sightings, ..Gathered::default() }
}

const ID: Value<'_> = ("id", "the-id", true);
const SECRET: Value<'_> = ("secret", "the-secret", false);
const OTHER_ID: Value<'_> = ("id", "other-id", true);
const OTHER_SECRET: Value<'_> = ("secret", "other-secret", false);

fn none() -> AtomicBool {
    AtomicBool::new(false)
}

fn baselines(baseline: Baseline) -> Baselines {
    let loaded = Loaded { file: "base".to_owned(), folder: PathBuf::from("/r"), baseline };
    Baselines::new(vec![loaded], 2).expect("random numbers")
}

/// A baseline of these, read again from its text.
fn known(sightings: Vec<Sighting>) -> Baseline {
    let mut nothing = Baselines::new(Vec::new(), 2).expect("random numbers");
    let known = nothing.of(&gathered(sightings), None, &none()).expect("few");
    Baseline::read(&known.to_text().expect("text")).expect("its own")
}

/// Whether a baseline of `before` quiets `now`.
fn quiets(before: Vec<Sighting>, now: Sighting) -> bool {
    let mut all = gathered(vec![now]);
    baselines(known(before)).apply(&mut all, &none());
    assert_eq!(all.sightings.len() + all.known.len(), 1);
    assert_eq!(all.coverage.allowed.get("baseline").copied().unwrap_or_default(), all.known.len() as u64);
    all.sightings.is_empty()
}

#[test]
fn a_baseline_knows_values_and_no_places() {
    let pair = || vec![at("a", "d", &[ID, SECRET])];
    assert!(quiets(pair(), at("moved/b", "d", &[ID, SECRET])));
    assert!(quiets(pair(), at("a", "d", &[ID])), "the id was known, its secret is gone");
    assert!(!quiets(pair(), at("a", "d", &[ID, OTHER_SECRET])), "a new secret beside an old id");
    assert!(!quiets(pair(), at("a", "d", &[OTHER_ID, SECRET])), "a new id beside an old secret");
    assert!(!quiets(pair(), at("a", "d", &[ID, SECRET, ("token", "t", false)])), "a further secret");
    assert!(quiets(pair(), at("a", "d", &[ID, SECRET, ("region", "eu", true)])), "what is no secret changes nothing");
    assert!(!quiets(pair(), at("a", "e", &[ID, SECRET])), "another detector");
    assert!(
        !quiets(pair(), at("a", "d", &[("id", "the-secret", true), ("secret", "the-id", false)])),
        "parts change places"
    );
    assert!(!quiets(vec![at("a", "d", &[ID])], at("a", "d", &[ID, SECRET])), "the secret turns up");
    assert!(!quiets(Vec::new(), at("a", "d", &[ID])));
    assert!(!quiets(pair(), at("a", "d", &[])), "nothing to know it by");
}

#[test]
fn the_same_list_under_the_same_salt_is_the_same_file_and_under_another_shares_nothing() {
    let all = || gathered(vec![at("a", "d", &[ID, SECRET]), at("b", "d", &[ID, OTHER_SECRET]), at("c", "d", &[ID, SECRET])]);
    let make = |jobs: usize, salt| -> Known {
        let mut nothing = Baselines::new(Vec::new(), jobs).expect("random numbers");
        nothing.of(&all(), salt, &none()).expect("few")
    };
    let first = make(1, None);
    assert_eq!(first.digests.len(), 3);
    assert_eq!(make(4, Some(first.salt)), first);
    let second = make(0, None);
    assert!(second.salt != first.salt && second.digests.is_disjoint(&first.digests));
}

#[test]
fn a_new_baseline_keeps_what_the_old_one_quiets() {
    let mut lists = baselines(known(vec![at("a", "d", &[SECRET]), at("a", "d", &[("secret", "gone", false)])]));
    let mut all = gathered(vec![at("a", "d", &[SECRET]), at("b", "d", &[OTHER_SECRET])]);
    lists.apply(&mut all, &none());
    assert_eq!((all.sightings.len(), all.known.len()), (1, 1));
    assert_eq!(lists.of(&all, None, &none()).expect("few").digests.len(), 2);
    assert_eq!(lists.unused(), ["base: nothing was found for 1 of its 2 entries"]);
}

#[test]
fn time_is_bounded_and_what_was_not_compared_is_reported() {
    let three = || gathered(["u", "v", "w"].map(|value| at(value, "d", &[("secret", value, false)])).into());
    let mut lists = baselines(known(three().sightings));
    lists.digests.most = 2;
    let mut all = three();
    lists.apply(&mut all, &none());
    assert_eq!((all.known.len(), all.sightings.len()), (2, 1));
    assert!(lists.remarks()[0].starts_with("more than 2 different secrets"), "{:?}", lists.remarks());
    assert_eq!(lists.of(&three(), None, &none()), Err(BaselinesError::Many { found: 3, most: 2 }));

    let stopped = AtomicBool::new(true);
    let mut all = three();
    let mut lists = baselines(known(three().sightings));
    lists.apply(&mut all, &stopped);
    assert_eq!((all.sightings.len(), all.coverage.interrupted), (3, true));
    assert_eq!(lists.of(&all, None, &stopped), Err(BaselinesError::Interrupted));
}

#[test]
fn a_gitleaks_fingerprint_allows_a_line_whatever_stands_there() {
    let text = "a.py:some-rule:3\n/r/full.py:some-rule:3\nb.py:r:2\n0123456789abcdef0123456789abcdef01234567:c.py:r:3\n";
    let mut lists = baselines(Baseline::read(text).expect("gitleaks"));
    let names = ["a.py", "full.py", "b.py", "c.py", "sub/a.py"];
    let mut all = gathered(names.map(|path| at(path, "d", &[SECRET])).into());
    lists.apply(&mut all, &none());
    let known: Vec<&str> = all.known.iter().map(|sighting| sighting.occurrence.path.as_str()).collect();
    assert_eq!(known, ["a.py", "full.py"]);
    assert_eq!(all.coverage.allowed["gitleaks ignore file"], 2);
    assert_eq!(lists.unused(), ["base:3: nothing was found there"]);
    assert!(lists.remarks()[0].contains("1 of its fingerprints name a commit"), "{:?}", lists.remarks());
}

#[test]
fn a_detect_secrets_hash_allows_that_value_in_that_file() {
    let sha1 = |value: &str| {
        let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, value.as_bytes());
        data_encoding::HEXLOWER.encode(hash.as_ref())
    };
    let entry = |value: &str| serde_json::json!({ "hashed_secret": sha1(value), "line_number": 900 });
    let results = serde_json::json!({ "a.py": [entry("the-secret"), entry("the-id"), entry("gone")], "b.py": [entry("x")] });
    let text = serde_json::json!({ "version": "1.5.0", "results": results }).to_string();
    let mut lists = baselines(Baseline::read(&text).expect("detect-secrets"));
    let cases = [
        (at("a.py", "d", &[SECRET]), true),
        (at("a.py", "d", &[ID]), true),
        (at("a.py", "d", &[OTHER_ID, SECRET]), true),
        (at("a.py", "d", &[ID, OTHER_SECRET]), false),
        (at("a.py", "d", &[SECRET, ("token", "new", false)]), false),
        (at("b.py", "d", &[SECRET]), false),
        (at("c.py", "d", &[SECRET]), false),
    ];
    for (sighting, expected) in cases {
        let what = format!("{sighting:?}");
        let mut all = gathered(vec![sighting]);
        lists.apply(&mut all, &none());
        assert_eq!(all.sightings.is_empty(), expected, "{what}");
    }
    assert_eq!(lists.unused(), ["base: nothing was found for 2 of its 4 entries"]);
}

#[test]
fn rivals_for_one_place_are_one_place() {
    let note = |secret: Value<'static>| Note::new(&at("a", "d", &[ID, secret]), true, "why".into());
    let mut all = gathered(Vec::new());
    all.count(vec![note(SECRET), note(OTHER_SECRET), Note::new(&at("b", "d", &[ID]), true, "why".into())]);
    assert_eq!((all.coverage.allowed["why"], all.notes.len()), (2, 2));
}

#[test]
fn who_allows_goes_before_who_would() {
    let (allowed, would) = (|| Judged::Allowed("a".into()), || Judged::Disregarded("b".into()));
    assert_eq!(would().or(allowed()), allowed());
    assert_eq!(allowed().or(would()), allowed());
    assert_eq!(Judged::Stays.or(would()), would());
    assert_eq!(Judged::most([Judged::Stays, would(), allowed()].into_iter()), allowed());
}
