//! The house's rules for its own detector files, over the whole registry. What any file must hold to is checked by the
//! reader (`spec`) and by `check_examples`.

use regex::bytes::Regex;

use super::{BUILTIN, builtin_sources};
use crate::detect::DetectorSet;

/// Tokens that look live, as the house's hooks look for them. Written so that this file holds none.
const LIVE: &str = concat!(
    "AKIA[A-Z2-7]{16}|sk-(proj|ant-api03|svcacct)-[A-Za-z0-9_-]{40}|gh[pousr]_[A-Za-z0-9]{36}",
    "|xox[bp]-[0-9]{10}|hf_[A-Za-z]{34}"
);

/// Hosts of package registries, and the word in a detector's provider or id that makes them the provider's own.
const REGISTRIES: &[(&str, &str)] = &[
    ("crates.io", "crates"),
    ("debian.org", "debian"),
    ("docker.io", "docker"),
    ("hub.docker.com", "docker"),
    ("ghcr.io", "github"),
    ("hex.pm", "hex"),
    ("maven.org", "maven"),
    ("maven.apache.org", "maven"),
    ("npmjs.com", "npm"),
    ("npmjs.org", "npm"),
    ("nuget.org", "nuget"),
    ("packagist.org", "packagist"),
    ("proxy.golang.org", "golang"),
    ("pypi.org", "pypi"),
    ("pythonhosted.org", "pypi"),
    ("quay.io", "quay"),
    ("rubygems.org", "rubygems"),
    ("yarnpkg.com", "npm"),
];

/// What a file of ours breaks.
fn broken(id: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let live = Regex::new(LIVE).expect("an expression");
    // Vendors' own samples say that they are some, and patterns hold no tokens.
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.contains("EXAMPLE")) {
        if live.is_match(line.as_bytes()) {
            broken.push(format!("{id}:{}: a token that looks live; split it", n + 1));
        }
    }
    let provider = text.lines().find_map(|line| line.strip_prefix("provider = ")).unwrap_or_default();
    for (host, owner) in REGISTRIES {
        if text.contains(host) && !provider.contains(owner) && !id.contains(owner) {
            broken.push(format!("{id}: names {host}, which is not its provider's"));
        }
    }
    broken
}

/// An action's name begins with the provider's name, or with a word of the detector's id.
fn misnamed(id: &str, provider: &str, action: &str) -> bool {
    let ours = |word: &str| action.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'));
    !ours(provider) && !id.split('-').any(ours)
}

#[test]
fn every_file_in_the_folder_is_in_the_list_once_and_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/detectors");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("detectors/")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| name != "README.md")
        .map(|name| name.strip_suffix(".toml").unwrap_or_else(|| panic!("{name} is no detector file")).to_owned())
        .collect();
    files.sort();
    let listed: Vec<&str> = BUILTIN.iter().map(|(id, _)| *id).collect();
    assert_eq!(files, listed);
    let set = DetectorSet::builtin().expect("built-in detectors");
    let ids: Vec<&str> = set.detectors().map(|detector| &*detector.id).collect();
    assert_eq!(ids, listed, "an id is its file's stem");
}

#[test]
fn no_file_holds_a_token_that_looks_live_or_a_registry_that_is_not_its_own() {
    let all: Vec<String> = builtin_sources().iter().flat_map(|source| broken(&source.id, &source.text)).collect();
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn the_rules_can_be_broken() {
    let live = ["x\n", "AKIA", "RZPUZDIKAB6VH3GC"].concat();
    assert_eq!(broken("a", &live), ["a:2: a token that looks live; split it"]);
    assert_eq!(broken("a", "links = [\"https://pypi.org/help\"]").len(), 1);
    assert!(broken("pypi-token", "links = [\"https://pypi.org/help\"]").is_empty());
    assert!(broken("x", "provider = \"npm\"\nlinks = [\"https://registry.npmjs.org\"]").is_empty());
    assert!(misnamed("acme-key", "acme", "delete-acme-key") && misnamed("acme-key", "acme", "acmekey-delete-it"));
    assert!(!misnamed("acme-key", "corp", "acme-key-delete") && !misnamed("key", "acme", "acme-key-delete"));
}

#[test]
fn actions_are_named_after_their_provider() {
    let set = DetectorSet::builtin().expect("built-in detectors");
    for detector in set.detectors() {
        for action in detector.revoke.iter().chain(&detector.rotate) {
            assert!(!misnamed(&detector.id, &detector.provider, action), "{}: {action}", detector.id);
        }
    }
}

#[test]
fn every_detector_says_where_its_facts_are_from_or_why_not() {
    let set = DetectorSet::builtin().expect("built-in detectors");
    for info in set.describe_all() {
        assert!(!info.links.is_empty() || !info.notes.is_empty(), "{} has neither links nor a note at its head", info.id);
        assert!(info.provider.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", info.id);
        assert!(!info.summary.ends_with('.') && !info.opens.ends_with('.'), "{}: no full stop", info.id);
    }
}
