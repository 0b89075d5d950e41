//! Where a leaked key's secret is kept and what uses it, asked of ministack by the responder.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::chain::{ACCOUNT, Leak};
use crate::harness::aws::unique;
use crate::harness::services::setting;

/// Puts the leaked secret into stores, a function and task definitions of a unique name.
fn store(leak: &Leak, name: &str) {
    let mut python = Command::new(setting("STAUNCH_TEST_PYTHON"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/services/living.py"))
        .args([&leak.admin.endpoint, &leak.admin.key.id, &leak.admin.key.secret, name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(leak.key.secret.as_bytes()).unwrap();
    let done = python.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn ids(finding: &Value, tier: &str) -> Vec<String> {
    let owners = finding["owners"].as_array().unwrap().iter().filter(|owner| owner["tier"] == tier);
    owners.map(|owner| owner["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_stores_that_hold_a_leaked_secret_and_what_uses_them_are_named() {
    let leak = Leak::new().await;
    let name = unique("living").to_lowercase().replace('_', "-");
    store(&leak, &name);
    let config = format!("[ownership]\nask = [\"aws\"]\n[[responder.aws]]\naccount = \"{ACCOUNT}\"\n");
    fs::write(leak.home.root().join("home/config.toml"), config).unwrap();

    let refused = leak.staunch(&["triage", "app", "--format", "jsonl"]).output();
    assert!(refused.stderr().contains("secretsmanager:ListSecrets refused"), "{}", refused.stderr());

    let responder = leak.admin.with(&leak.responder).caller().await.unwrap();
    let user = responder.rsplit('/').next().unwrap();
    for service in ["secretsmanager", "ssm", "lambda", "ecs"] {
        leak.admin.policy(user, service, "Allow", &format!("{service}:*")).await;
    }
    let output = leak.staunch(&["triage", "app", "--format", "jsonl"]).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    let stored = finding["facts"]["stored_in"].as_str().unwrap_or_else(|| panic!("{}", output.stderr()));
    assert!(
        stored.contains(&format!("Secrets Manager {name}")) && stored.contains(&format!("SSM parameter /{name}/key")),
        "{stored}"
    );
    let proven = ids(&finding, "proven");
    assert!(
        proven.contains(&format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}")),
        "{proven:?} {}",
        output.stderr()
    );
    let bound = ids(&finding, "bound");
    for container in ["app", "side"] {
        let id = format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/{name}/{container}");
        assert!(bound.contains(&id), "{id}: {bound:?} {}", output.stderr());
    }
    assert!(!bound.iter().any(|id| id.ends_with(&format!("{name}/other"))), "{bound:?}");
    let declared = ids(&finding, "declared");
    for owner in ["mail:ann@corp.example", "team:payments"] {
        assert!(declared.contains(&owner.to_owned()), "{owner}: {declared:?} {}", output.stderr());
    }
    assert!(output.stderr().contains("only Region us-east-1 was looked at"), "{}", output.stderr());
    for text in [output.stdout(), output.stderr()] {
        assert!(!text.contains(&leak.key.secret), "the secret was shown");
    }
}
