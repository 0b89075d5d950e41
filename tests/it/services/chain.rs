//! Points 2 to 5 of the foundation, end to end against software that no one here wrote: a key made in ministack is leaked
//! in a tree, found, live, planned, stopped, refused; and everything is walked back.

use std::fs;
use std::path::PathBuf;

use aws_sdk_iam::types::StatusType;
use serde_json::{Value, json};

use crate::harness::aws::{self, Aws, Key};
use crate::harness::program::{Home, Output, Run};

pub(super) const ACCOUNT: &str = "123456789012";

/// A user whose key is leaked in a tree, and a responder.
pub(super) struct Leak {
    pub(super) home: Home,
    pub(super) admin: Aws,
    pub(super) user: String,
    pub(super) key: Key,
    pub(super) responder: Key,
}

impl Leak {
    pub(super) async fn new() -> Self {
        Self::at(aws::ministack_in(ACCOUNT), "iam:*").await
    }

    /// The same elsewhere, with a responder of these rights.
    pub(super) async fn at(admin: Aws, rights: &str) -> Self {
        let user = admin.user("ci", &[("Team", "payments")]).await;
        admin.policy(&user, "all", "Allow", "*").await;
        let key = admin.key(&user).await.unwrap();
        let responder = admin.user("responder", &[]).await;
        admin.policy(&responder, "iam", "Allow", rights).await;
        let responder = admin.key(&responder).await.unwrap();
        let home = Home::new();
        fs::create_dir_all(home.work().join("app/config")).unwrap();
        let text = format!("# prod\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", key.id, key.secret);
        fs::write(home.work().join("app/config/.env"), text).unwrap();
        fs::write(home.root().join("home/config.toml"), format!("[[responder.aws]]\naccount = \"{ACCOUNT}\"\n")).unwrap();
        Self { home, admin, user, key, responder }
    }

    /// The binary as the responder, asking `endpoint`.
    pub(super) fn staunch_at(&self, endpoint: &str, arguments: &[&str]) -> Run {
        self.home
            .staunch(arguments)
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", &self.responder.id)
            .env("AWS_SECRET_ACCESS_KEY", &self.responder.secret)
            .env("STAUNCH_CONFIG", self.home.root().join("home/config.toml"))
            .env("STAUNCH_REQUESTER", "tests")
    }

    pub(super) fn staunch(&self, arguments: &[&str]) -> Run {
        self.staunch_at(&self.admin.endpoint, arguments)
    }

    /// Triage's one finding.
    pub(super) fn triage(&self) -> Value {
        let output = self.staunch(&["triage", "app", "--format", "jsonl"]).output();
        assert_eq!(output.code(), Some(1), "{}", output.stderr());
        serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap()
    }

    /// Makes a plan; gives its digest.
    pub(super) fn plan(&self) -> String {
        let output = self.staunch(&["respond", "plan", "app", "--format", "json"]).output();
        assert_eq!(output.code(), Some(1), "{}", output.stderr());
        let plan: Value = serde_json::from_str(&output.stdout()).unwrap();
        plan["digest"].as_str().unwrap().to_owned()
    }

    pub(super) fn apply(&self, digest: &str) -> Output {
        self.staunch(&["respond", "apply", digest, "--format", "json"]).output()
    }

    /// The responder's user.
    pub(super) async fn responder_user(&self) -> String {
        let arn = self.admin.with(&self.responder).caller().await.unwrap();
        arn.rsplit('/').next().unwrap().to_owned()
    }

    /// The names of the user's inline policies that are ours.
    pub(super) async fn denies(&self) -> Vec<String> {
        let listed = self.admin.iam().list_user_policies().user_name(&self.user).send().await.unwrap();
        listed.policy_names.into_iter().filter(|name| name.starts_with("StaunchContain-")).collect()
    }

    pub(super) async fn status(&self) -> StatusType {
        self.admin.status(&self.user, &self.key.id).await.unwrap()
    }

    /// Contained as the plan promised: inactive, refused, denied once.
    pub(super) async fn assert_contained(&self) {
        assert_eq!(self.status().await, StatusType::Inactive);
        assert_eq!(self.admin.with(&self.key).caller().await, Err("InvalidClientTokenId".to_owned()));
        assert_eq!(self.denies().await.len(), 1);
    }

    pub(super) fn runs(&self) -> Vec<PathBuf> {
        let folder = self.home.state().join("runs");
        fs::read_dir(folder).map(|all| all.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
    }
}

pub(super) fn run_of(output: &Output) -> Value {
    serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()))
}

#[tokio::test]
async fn a_leaked_key_is_found_live_stopped_proven_and_walked_back() {
    let leak = Leak::new().await;
    let finding = leak.triage();
    assert_eq!(finding["detector"], "aws-access-key");
    assert_eq!(finding["liveness"]["state"], "live");
    assert_eq!(finding["liveness"]["identity"]["user"], leak.user.as_str());
    assert_eq!(finding["facts"]["account"], ACCOUNT);
    assert_eq!(finding["playbook"], "aws-access-key-contain");

    let digest = leak.plan();
    assert_eq!(leak.status().await, StatusType::Active, "a plan changes nothing");
    let output = leak.apply(&digest);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    let run = run_of(&output);
    assert_eq!(run["state"], "done");
    leak.assert_contained().await;
    assert_eq!(leak.triage()["liveness"]["state"], "dead");

    let again = leak.apply(&digest);
    assert_eq!(again.code(), Some(2));
    assert!(again.stderr().contains("applied already"), "{}", again.stderr());

    let id = run["id"].as_str().unwrap();
    let output = leak.staunch(&["respond", "undo", id, "--format", "json"]).output();
    assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("undone")));
    assert_eq!(leak.status().await, StatusType::Active);
    assert!(leak.admin.with(&leak.key).caller().await.is_ok(), "the key works again");
    assert!(leak.denies().await.is_empty());
    assert_eq!(leak.triage()["liveness"]["state"], "live");
}

#[tokio::test]
async fn where_somebody_was_quicker_the_rest_is_done_and_proved_and_not_given_back_by_undo() {
    let leak = Leak::new().await;
    let digest = leak.plan();
    leak.admin.set_status(&leak.user, &leak.key.id, StatusType::Inactive).await;
    let output = leak.apply(&digest);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    let run = run_of(&output);
    let step = |id: &str| run["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap();
    assert_eq!(step("deactivate")["evidence"]["already"]["status"], "Inactive", "{run}");
    assert_eq!((leak.denies().await.len(), &step("evidence")["evidence"]["predicate"]["result"]), (1, &json!("PASSED")));
    let undone = leak.staunch(&["respond", "undo", run["id"].as_str().unwrap()]).output();
    assert_eq!(undone.code(), Some(0), "{}", undone.stderr());
    assert!(leak.denies().await.is_empty() && leak.status().await == StatusType::Inactive, "it is theirs to give back");
}

#[tokio::test]
async fn what_is_not_listed_as_owned_or_is_the_responders_own_is_never_acted_on() {
    let mut leak = Leak::new().await;
    let config = leak.home.root().join("home/config.toml");
    fs::write(&config, "[[responder.aws]]\naccount = \"999999999999\"\n").unwrap();
    let output = leak.staunch(&["respond", "plan", "app"]).output();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains("is not listed as yours"), "{}", output.stderr());

    fs::write(&config, format!("[[responder.aws]]\naccount = \"{ACCOUNT}\"\n")).unwrap();
    leak.responder = leak.key.clone();
    let output = leak.staunch(&["respond", "plan", "app"]).output();
    assert!(output.stderr().contains("the responder's own key"), "{}", output.stderr());
    assert_eq!(leak.status().await, StatusType::Active);
}

#[tokio::test]
async fn the_stop_file_stops_changes_and_resume_goes_on_when_it_is_gone() {
    let leak = Leak::new().await;
    let stop = leak.home.root().join("stop");
    let config =
        format!("[responder]\nstop_file = {:?}\n[[responder.aws]]\naccount = \"{ACCOUNT}\"\n", stop.display().to_string());
    fs::write(leak.home.root().join("home/config.toml"), config).unwrap();
    let digest = leak.plan();
    fs::write(&stop, "").unwrap();
    let output = leak.apply(&digest);
    assert_eq!(output.code(), Some(2));
    let run = run_of(&output);
    assert_eq!((run["state"].as_str(), leak.status().await), (Some("stopped"), StatusType::Active));
    fs::remove_file(&stop).unwrap();
    let output = leak.staunch(&["respond", "resume", run["id"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("done")));
    leak.assert_contained().await;
}

#[tokio::test]
async fn a_value_that_is_gone_leaves_the_proof_unknown_until_it_is_handed_over() {
    let leak = Leak::new().await;
    let digest = leak.plan();
    let file = leak.home.work().join("app/config/.env");
    let text = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let output = leak.apply(&digest);
    let run = run_of(&output);
    assert_eq!((output.code(), run["state"].as_str()), (Some(2), Some("stopped")));
    let proof = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "prove-refused").unwrap();
    assert_eq!(proof["state"], "unknown");
    assert!(proof["why"].as_str().unwrap().contains("no longer readable"));
    assert_eq!(leak.status().await, StatusType::Inactive, "steps that need public parts only go on");
    let arguments = ["respond", "resume", run["id"].as_str().unwrap(), "--secret-stdin", "--format", "json"];
    let output = leak.staunch(&arguments).stdin(&text).output();
    assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("done")), "{}", output.stderr());
    let steps = run_of(&output)["steps"].as_array().unwrap().clone();
    let said = &steps.iter().find(|step| step["id"] == "evidence").unwrap()["evidence"]["predicate"];
    assert_eq!(said["result"], "PASSED", "what was proved since is in the evidence: {said}");
}

#[tokio::test]
async fn a_wrong_secret_is_dead_and_an_unreachable_sts_is_unknown() {
    let leak = Leak::new().await;
    let file = leak.home.work().join("app/config/.env");
    let output = leak.staunch_at("http://127.0.0.1:9", &["triage", "app", "--format", "jsonl"]).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    assert_eq!((output.code(), finding["liveness"]["state"].as_str()), (Some(1), Some("unknown")));
    let wrong: String = leak.key.secret.chars().rev().collect();
    let text = fs::read_to_string(&file).unwrap().replace(&leak.key.secret, &wrong);
    fs::write(&file, text).unwrap();
    let finding = leak.triage();
    assert_eq!(finding["liveness"]["state"], "dead", "{finding}");
}

#[tokio::test]
async fn moto_agrees_on_who_the_key_is() {
    let moto = aws::moto();
    let user = moto.user("ci", &[]).await;
    moto.policy(&user, "all", "Allow", "*").await;
    let key = moto.key(&user).await.unwrap();
    let home = Home::new();
    fs::write(home.work().join("k.txt"), format!("id {} secret {}\n", key.id, key.secret)).unwrap();
    let endpoint = format!("aws={}", moto.endpoint);
    let output = home.staunch(["scan", "--validate", "--endpoint", &endpoint, "--format", "jsonl", "."]).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    assert_eq!(finding["liveness"]["state"], "live", "{finding}");
    assert_eq!(finding["liveness"]["identity"]["user"], user.as_str());
    assert_eq!(moto.key(&user).await.map(|second| second.id != key.id), Ok(true));
    assert_eq!(moto.key(&user).await.map(|third| third.id), Err("LimitExceeded".to_owned()));
}
