//! Runs every subcommand over trees with known secrets, at the highest verbosity, and looks for the secrets in everything
//! that was left behind: streams, state folder, journals, database pages, reports.

use std::fs;

use super::chain::Leak;
use crate::harness::canary::Canaries;

/// Everything else that the program can be asked, with files that hold secrets in the place of its own where it reads any.
const WITHOUT_FINDINGS: &[&[&str]] = &[
    &["report", "../state/report.json", "-vvv"],
    &["report", "app/keys.yaml", "-vvv"],
    &["report", "../state/report.json", "-vvv", "--format", "sarif"],
    &["report", "../state/report.json", "-vvv", "--format", "html"],
    &["scan", "--config", "app/keys.yaml", "-vvv"],
    &["scan", "--fingerprint-key", "app/keys.yaml", "-vvv"],
    &["scan", "--detectors", "app", "-vvv"],
    &["scan", "--baseline", "app/keys.yaml", "-vvv"],
    &["scan", "--write-baseline", "app/keys.yaml", "-vvv"],
    &["scan", "--staged", "app", "-vvv"],
    &["hook", "run", "-vvv"],
    &["hook", "run", "--type", "pre-push", "-vvv"],
    &["hook", "run", "--type", "pre-receive", "-vvv"],
    &["hook", "install", "app"],
    &["hook", "uninstall", "app"],
    &["detectors", "list", "-vvv"],
    &["detectors", "list", "aws", "-vvv", "--format", "json"],
    &["detectors", "show", "aws-access-key", "-vvv"],
    &["detectors", "check", "-vvv"],
    &["playbooks", "list", "-vvv"],
    &["playbooks", "show", "aws-access-key-contain", "-vvv"],
    &["playbooks", "check", "-vvv"],
    &["playbooks", "export", "aws-access-key-contain", "-vvv"],
    &["playbooks", "import", "app/keys.yaml", "-vvv"],
    &["respond", "evidence", "app/keys.yaml", "-vvv"],
    &["respond", "watch", "--once", "-vvv"],
    &["drill", "-vvv"],
    &["explain", "aws-access-key", "-vvv"],
    &["explain", "no-such-key", "-vvv"],
    &["completions", "bash"],
    &["man"],
];

/// Leaks secrets in every way that a tree can: in files, in a path, in a manifest, in an owner's name, in a broken file.
fn plant(leak: &Leak, input: &str, openai: &str, slack: &str) {
    let app = leak.home.work().join("app");
    fs::write(app.join("keys.yaml"), input).unwrap();
    fs::create_dir_all(app.join(slack)).unwrap();
    fs::write(app.join(slack).join("a.txt"), slack).unwrap();
    fs::write(app.join("CODEOWNERS"), format!("* @{openai}\n")).unwrap();
    fs::write(app.join("compose.yaml"), format!("services:\n  {slack}:\n    environment: [K={openai}]\n  broken: [\n"))
        .unwrap();
    fs::write(app.join("docker-compose.yml"), format!("services:\n  web:\n    environment: {{ K: {openai} }}\n")).unwrap();
}

#[tokio::test]
async fn no_subcommand_leaves_a_secret_anywhere() {
    let leak = Leak::new().await;
    let openai = format!("sk-NR4ygwLdKgs7kvJWJgQK{}FJPiIZ8CQgyOhlvBdaJPZr", "T3Blbk");
    let anthropic = format!(
        "sk-ant-api03-{}AA",
        "0caQtfxuuRyLAagBUdSPI35Vy9wrOn-pVI0DsSMx6VFwHxeusvKyvXVZ_UZu9aUYgeAHJTnJR8rqgxr7Qrn2mz0jcnrS_"
    );
    let slack = format!("xox{}-091334123281-2067974034471-hExGooebgpxCR7YEf9wHq943", "b");
    let (responder, leaked) = (leak.responder.secret.clone(), leak.key.secret.clone());
    let canaries = Canaries::new(&[
        ("the leaked AWS secret", leaked.as_bytes()),
        ("the responder's AWS secret", responder.as_bytes()),
        ("an OpenAI key", openai.as_bytes()),
        ("an Anthropic key", anthropic.as_bytes()),
        ("a Slack token", slack.as_bytes()),
    ]);
    let app = leak.home.work().join("app");
    let input = format!("k1: {openai}\nk2: {anthropic}\nk3: {slack}\n");
    // Of the key that is the responder's to stop; the others are refused.
    let digest = leak.plan();
    plant(&leak, &input, &openai, &slack);
    let dead = "openai=http://127.0.0.1:9,anthropic=http://127.0.0.1:9,slack=http://127.0.0.1:9";
    let mut ran = 0;
    let mut go = |arguments: &[&str]| {
        let output = leak.staunch(arguments).env("STAUNCH_ENDPOINT", dead).stdin(input.as_bytes()).output();
        assert!(matches!(output.code(), Some(0..=2)), "{arguments:?}: {output:?}");
        ran += 1;
        output
    };
    for format in ["human", "json", "jsonl", "sarif", "github", "gitlab", "csv", "html"] {
        go(&["scan", "app", "-vvv", "--format", format]);
        go(&["scan", "-", "-vvv", "--validate", "--format", format]);
        go(&["scan", "app", "-vvv", "--write-baseline", "../state/base.json", "--format", format]);
        go(&["triage", "app", "-vvv", "--baseline", "../state/base.json", "--format", format]);
        go(&["triage", "app", "-vvv", "--format", format, "--output", &format!("../state/report.{format}")]);
    }
    go(&["scan", "app", "--save", "-vvv"]);
    go(&["verify", "-vvv", "--save"]);
    go(&["verify", "-vvv", "00000000"]);
    let refused = go(&["respond", "plan", "app", "-vvv"]);
    assert_eq!(refused.code(), Some(2), "{refused:?}");
    let applied = go(&["respond", "apply", &digest, "-vvv", "--format", "json"]);
    let run = serde_json::from_str::<serde_json::Value>(&applied.stdout()).unwrap()["id"].as_str().unwrap().to_owned();
    for arguments in
        [["respond", "status", &run, "-vvv"], ["respond", "undo", &run, "-vvv"], ["respond", "resume", &run, "-vvv"]]
    {
        go(&arguments);
    }
    go(&["respond", "apply", &digest, "-vvv", "--secret-stdin"]);
    go(&["respond", "approve", &digest, "-vvv", "--as", "kim", "--key", "app/keys.yaml"]);
    for arguments in WITHOUT_FINDINGS {
        go(arguments);
    }
    // The tree itself and the tests' own settings hold the secrets; everything else must not.
    assert!(!canaries.in_tree(&app).is_empty());
    fs::remove_dir_all(&app).unwrap();
    let found = canaries.in_tree(leak.home.root());
    assert!(found.is_empty(), "{found:#?}");
    assert!(ran >= 30, "{ran}");
}
