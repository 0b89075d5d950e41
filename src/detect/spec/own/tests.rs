//! An operator's own files over the built-in ones.

use crate::detect::examples::check_entry;
use crate::detect::{DetectorSet, Source};
use crate::model::{Confidence, LivenessInfo, Severity};

fn own(files: &[(&str, &str)]) -> Vec<Source> {
    let source = |(id, text): &(&str, &str)| Source {
        id: (*id).to_owned(),
        file: format!("own/{id}.toml"),
        text: (*text).to_owned(),
    };
    files.iter().map(source).collect()
}

fn mistakes(files: &[(&str, &str)]) -> Vec<String> {
    let error = DetectorSet::with(&own(files)).expect_err("mistakes").to_string();
    error.lines().map(str::to_owned).collect()
}

#[test]
fn a_file_over_its_own_name_changes_what_it_names_and_keeps_the_rest() {
    let text = "# House rules.\nextends = \"slack-token\"\nseverity = \"critical\"\nconsole = \"https://wiki.corp.example/slack\"\n\n\
                [[part]]\nname = \"token\"\nmin_entropy = 3.5\n\n[[counterexample]]\ntext = ['xox', 'b-1']\nwhy = \"ours\"\n";
    let set = DetectorSet::with(&own(&[("slack-token", text)])).expect("good files");
    let plain = DetectorSet::builtin().expect("detectors");
    assert_eq!(set.len(), plain.len());
    let (now, before) = (set.describe("slack-token").expect("there"), plain.describe("slack-token").expect("there"));
    assert_eq!((now.severity, before.severity), (Severity::Critical, Severity::High));
    assert_eq!(now.console.as_deref(), Some("https://wiki.corp.example/slack"));
    assert!((now.parts[0].min_entropy - 3.5).abs() < 1e-9);
    assert_eq!((&now.parts[0].pattern, &now.parts[0].literals), (&before.parts[0].pattern, &before.parts[0].literals));
    assert_eq!((&now.liveness, &now.links, &now.summary), (&before.liveness, &before.links, &before.summary));
    assert_eq!((now.file.as_str(), now.extends.as_deref()), ("own/slack-token.toml", Some("slack-token")));
    assert_eq!(now.not.len(), before.not.len() + 1, "the built-in's examples count too");
    assert_eq!(now.notes, ["House rules.", "Bot (xoxb-) and user (xoxp-) tokens."]);
    assert_eq!(check_entry(&set, set.entry("slack-token").expect("there")), []);
    assert_ne!(set.hash(), plain.hash());
}

#[test]
fn a_file_under_a_new_name_stands_beside_the_built_in() {
    let text = "extends = \"slack-token\"\nsummary = \"Slack token of the old workspace\"\n\n[[part]]\nname = \"token\"\n\
                pattern = 'corpsl-[a-z]{20}'\nliterals = [\"corpsl-\"]\n\n[liveness]\nnone = \"the workspace is gone\"\n\n\
                [[counterexample]]\ntext = ['corpsl-']\nwhy = \"nothing follows\"\n";
    let set = DetectorSet::with(&own(&[("corp-slack-token", text)])).expect("good files");
    assert_eq!(set.len(), DetectorSet::builtin().expect("detectors").len() + 1);
    let info = set.describe("corp-slack-token").expect("there");
    assert_eq!(info.provider, "slack");
    assert_eq!(info.liveness, LivenessInfo::None { why: "the workspace is gone".into() });
    assert_eq!(info.not, ["nothing follows"], "the built-in's examples are the built-in's to find");
    assert_eq!(check_entry(&set, set.entry("corp-slack-token").expect("there")), []);
}

#[test]
fn words_take_the_place_of_literals_and_confidence_can_fall() {
    let text = "extends = \"slack-token\"\nconfidence = \"low\"\n[[part]]\nname = \"token\"\npattern = '[a-f0-9]{40}'\n\
                words = [\"corpslack\"]\n[[counterexample]]\ntext = ['x']\nwhy = \"nothing\"\n";
    let set = DetectorSet::with(&own(&[("corp-slack-token", text)])).expect("good files");
    let info = set.describe("corp-slack-token").expect("there");
    assert_eq!((info.confidence, info.parts[0].literals.len()), (Confidence::Low, 0));
    assert_eq!(info.parts[0].words, ["corpslack"]);
}

#[test]
fn a_built_in_can_be_switched_off_with_a_reason() {
    let text = "disabled = true\nwhy = \"we have no Slack\"\n";
    let set = DetectorSet::with(&own(&[("slack-token", text)])).expect("good files");
    assert!(set.get("slack-token").is_none());
    assert_eq!((set.disabled()[0].id.as_str(), set.disabled()[0].why.as_str()), ("slack-token", "we have no Slack"));
}

#[test]
fn every_mistake_of_every_file_has_its_file_and_line() {
    let said = mistakes(&[
        ("aaa", "# x\nextends = \"slack-tokn\"\nseverity = \"critical\"\n"),
        ("bbb", "disabled = true\n"),
        ("aws-access-key", "disabled = false\nwhy = \"x\"\nseverity = \"low\"\n"),
        ("slack-token", "extends = \"slack-token\"\nseverity = \"grave\"\nsize = 3\n[[part]]\nname = \"token\"\nnope = 1\n"),
        ("zzz", "extends = 3\n"),
    ]);
    let wanted = [
        "own/aaa.toml:2: `extends` names \"slack-tokn\", which is no built-in detector; did you mean slack-token?",
        "own/aws-access-key.toml:1: `disabled` can only be true; without the line the detector is used",
        "own/aws-access-key.toml:3: unknown key `severity`; known here: disabled, why",
        "own/bbb.toml:1: `why` is missing",
        "own/bbb.toml:1: there is no built-in detector \"bbb\" to switch off; the file's name must be its id",
        "own/slack-token.toml:2: `severity` is \"grave\"; it must be one of: low, medium, high, critical",
        "own/slack-token.toml:3: unknown key `size`",
        "own/slack-token.toml:6: unknown key `nope` in [part]",
        "own/zzz.toml:1: `extends` must be text, not integer",
    ];
    for (n, wanted) in wanted.iter().enumerate() {
        assert!(said.get(n).is_some_and(|line| line.starts_with(wanted)), "{wanted} in {said:#?}");
    }
    assert_eq!(said.len(), wanted.len(), "{said:#?}");
}

#[test]
fn a_part_that_cannot_be_read_makes_no_other_key_unknown() {
    let text = "extends = \"slack-token\"\n[[part]]\nname = \"token\"\ncheck = \"abacus\"\n[liveness]\nnone = \"x\"\n\
                [response]\nrevoke = [\"x\"]\n[[example]]\ntext = ['x']\n";
    let said = mistakes(&[("slack-token", text)]);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].starts_with("own/slack-token.toml:4: `part.check` is \"abacus\""), "{said:#?}");
    assert!(said[1].starts_with("own/slack-token.toml:8: \"x\" is no action's name"), "{said:#?}");
}

#[test]
fn ids_belong_to_one_detector() {
    let file = |formerly: &str| {
        format!(
            "summary = \"x\"\nprovider = \"x\"\nclass = \"llm\"\nseverity = \"low\"\nopens = \"x\"\nlinks = []\nformerly = [{formerly}]\n\
             [[part]]\nname = \"key\"\npattern = 'xyz_[a-z]{{20}}'\nliterals = [\"xyz_\"]\n[liveness]\nnone = \"x\"\n\
             [[counterexample]]\ntext = ['x']\nwhy = \"x\"\n"
        )
    };
    let said = mistakes(&[("one", &file("\"slack-token\", \"old\"")), ("two", &file("\"old\""))]);
    assert!(
        said[0]
            .starts_with("own/one.toml:7: `formerly` lists \"slack-token\", which is the id of detectors/slack-token.toml"),
        "{said:#?}"
    );
    assert!(said[1].starts_with("own/two.toml:7: `formerly` lists \"old\", which is the id of own/one.toml"), "{said:#?}");
    let twice = file("").replacen("[liveness]", "[[part]]\nname = \"key\"\npattern = 'a{9}'\nwithin = 1\n[liveness]", 1);
    assert!(mistakes(&[("one", &twice)])[0].ends_with("the part \"key\" is there twice"));
    let unsafe_link = file("").replace("links = []", "links = [\"http://x.example\"]");
    assert!(
        mistakes(&[("one", &unsafe_link)])[0].starts_with("own/one.toml:6: \"http://x.example\" must start with https://")
    );
    let action = file("").replace("[liveness]", "[response]\nrevoke = [\"delete\"]\n[liveness]");
    assert!(mistakes(&[("one", &action)])[0].contains("\"delete\" is no action's name"));
}
