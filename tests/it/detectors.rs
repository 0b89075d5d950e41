//! What a user asks about detectors, and brings along.

use std::fs;

use serde_json::Value;

use crate::harness::program::{Home, Output};

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout()).unwrap_or_else(|error| panic!("{error}: {} {}", output.stdout(), output.stderr()))
}

/// A Hugging Face token, made up here.
fn token() -> String {
    format!("hf{}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtKN")
}

#[test]
fn list_filters_by_words_and_has_one_schema() {
    let home = Home::new();
    let list = |arguments: &[&str]| home.staunch([&["detectors", "list"], arguments].concat()).output();
    let all = json(&list(&["--format", "json"]));
    assert_eq!(all["schema"], "staunch.detectors/1");
    let few = json(&list(&["OpenAI", "llm", "--format", "json"]));
    let few = few["detectors"].as_array().unwrap();
    assert!(!few.is_empty() && few.len() < all["detectors"].as_array().unwrap().len());
    assert!(few.iter().all(|one| one["class"] == "llm" && one["schema"] == "staunch.detector/1"));
    let lines = list(&["OpenAI", "llm", "--format", "jsonl"]).stdout();
    assert_eq!(lines.lines().count(), few.len());
    let human = list(&["OpenAI", "llm"]).stdout();
    assert_eq!(human.lines().count(), few.len());
    assert!(list(&["no", "such", "thing"]).stdout().is_empty());
    let wrong = list(&["--format", "sarif"]);
    assert!(wrong.code() == Some(2) && wrong.stderr().contains("human, json or jsonl"), "{}", wrong.stderr());
}

#[test]
fn explain_tells_all_and_suggests() {
    let home = Home::new();
    let text = home.staunch(["explain", "aws-access-key"]).output().stdout();
    for wanted in [
        "opens      everything that the IAM user",
        "key_id     an identifier; 20 bytes; like AKIA…",
        "dead       SignatureDoesNotMatch",
        "revoke     aws-key-deactivate, aws-user-deny",
        "(playbook aws-access-key-contain)",
        "see        https://docs.aws.amazon.com/",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let one = json(&home.staunch(["explain", "slack-token", "--format", "json"]).output());
    assert_eq!(one["liveness"]["how"], "request");
    assert_eq!(one["liveness"]["answers"][1]["means"], "dead");
    assert_eq!(one["parts"][0]["place"], "anchor");
    let wrong = home.staunch(["explain", "aws-acess-key"]).output();
    assert!(wrong.code() == Some(2) && wrong.stderr().contains("did you mean aws-access-key"), "{}", wrong.stderr());
    assert!(home.staunch(["explain", "zzzz"]).output().stderr().contains("detectors list"));
    let file = home.staunch(["detectors", "show", "slack-token"]).output().stdout();
    assert!(file.contains("summary = \"Slack bot or user token\""), "{file}");
}

#[test]
fn own_files_extend_switch_off_and_add() {
    let home = Home::new();
    let own = home.work().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(home.work().join("a.txt"), format!("key: {}\nhouse_{}\n", token(), "q7Rk2mZp9TxW4vLc")).unwrap();
    fs::write(
        own.join("huggingface-user-token.toml"),
        "extends = \"huggingface-user-token\"\nseverity = \"low\"\nconsole = \"https://wiki.corp.example/hf\"\n",
    )
    .unwrap();
    fs::write(own.join("slack-token.toml"), "disabled = true\nwhy = \"there is no Slack here\"\n").unwrap();
    fs::write(
        own.join("house-key.toml"),
        "summary = \"House key\"\nprovider = \"house\"\nclass = \"workload\"\nseverity = \"high\"\nopens = \"the house\"\nlinks = []\n\
         [[part]]\nname = \"key\"\npattern = 'house_[A-Za-z0-9]{16}'\nliterals = [\"house_\"]\n[liveness]\nnone = \"no door bell\"\n\
         [[counterexample]]\ntext = ['house_']\nwhy = \"no key\"\n",
    )
    .unwrap();
    let with = |arguments: &[&str]| home.staunch([arguments, &["--detectors", "own"]].concat()).output();
    let found = with(&["scan", "a.txt", "--format", "json"]);
    let of = |detector: &str| {
        let all = json(&found)["findings"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["detector"] == detector).unwrap_or_else(|| panic!("{detector}"))
    };
    assert_eq!(of("huggingface-user-token")["severity"], "low");
    assert_eq!(of("house-key")["severity"], "high");
    let check = home.staunch(["detectors", "check", "own"]).output();
    assert!(check.code() == Some(0) && check.stderr().contains("1 switched off"), "{}", check.stderr());
    let off = with(&["explain", "slack-token"]);
    assert!(off.code() == Some(2) && off.stderr().contains("there is no Slack here"), "{}", off.stderr());
    assert!(with(&["detectors", "list"]).stdout().contains("switched off by own/slack-token.toml: there is no Slack here"));
    assert_eq!(json(&with(&["detectors", "list", "--format", "json"]))["disabled"][0]["id"], "slack-token");
    let page = with(&["explain", "huggingface-user-token"]).stdout();
    assert!(page.contains("own/huggingface-user-token.toml, which extends huggingface-user-token"), "{page}");
    assert!(page.contains("by hand at https://wiki.corp.example/hf"), "{page}");
    let sarif = json(&with(&["scan", "a.txt", "--format", "sarif"]));
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().clone();
    assert!(rules.iter().any(|rule| rule["id"] == "house-key") && !rules.iter().any(|rule| rule["id"] == "slack-token"));
}

#[test]
fn a_check_says_where_each_mistake_is_also_to_machines() {
    let home = Home::new();
    let own = home.work().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("one.toml"), "extends = \"slack-tokn\"\n").unwrap();
    fs::write(own.join("two.toml"), "disabled = true\n").unwrap();
    let output = home.staunch(["detectors", "check", "own", "--format", "json"]).output();
    assert_eq!(output.code(), Some(2));
    let check = json(&output);
    assert_eq!((&check["schema"], check["mistakes"].as_array().unwrap().len()), (&"staunch.check/1".into(), 3));
    assert_eq!((&check["mistakes"][0]["file"], &check["mistakes"][0]["line"]), (&"own/one.toml".into(), &1.into()));
    let human = home.staunch(["detectors", "check", "own"]).output();
    assert!(human.stderr().contains("own/one.toml:1: `extends` names \"slack-tokn\""), "{}", human.stderr());
    // An example that fails is told by its file and line, and its text is not repeated.
    fs::remove_file(own.join("two.toml")).unwrap();
    let text = format!(
        "extends = \"slack-token\"\n\n[[counterexample]]\ntext = ['xox', 'b-091334123281-2067974034471-{}']\nwhy = \"wrong\"\n",
        "hExGooebgpxCR7YEf9wHq943"
    );
    fs::remove_file(own.join("one.toml")).unwrap();
    fs::write(own.join("slack-token.toml"), text).unwrap();
    let output = home.staunch(["detectors", "check", "own"]).output();
    assert_eq!(output.code(), Some(2));
    let said = output.stderr();
    assert!(said.contains("own/slack-token.toml:3: slack-token counterexample 2: it was found"), "{said}");
    assert!(!said.contains("hExGoo"), "{said}");
}
