//! A key is rotated through the program: its stores are a `.env` file, a secret of Secrets Manager and a parameter of Systems
//! Manager in ministack. Killed around every journal record it goes on to one new key; many plans go in waves.

use std::fs;

use aws_sdk_iam::types::StatusType;
use serde_json::{Value, json};

use super::chain::{ACCOUNT, Leak, run_of};
use crate::harness::aws::{Aws, Key, unique};
use crate::harness::shim::{Side, kill_on_sync};

/// Records of a run up to the wait for the new key's first use: the plan, the snapshot's two, the replacement's begin, three notes
/// and end, and begin and end of the restart and of the look.
const RECORDS: usize = 12;

/// AWS's JSON protocol, as ministack takes it from the account's root.
pub(super) async fn ask(admin: &Aws, target: &str, body: &Value) -> Value {
    let services = [("AmazonSSM", "ssm"), ("AmazonEC2ContainerService", "ecs")];
    let service = services.iter().find(|(of, _)| target.starts_with(of)).map_or("secretsmanager", |(_, name)| name);
    let scope = format!("Credential={}/20260101/us-east-1/{service}/aws4_request", admin.key.id);
    // Another test of this process may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "a test speaks to its service by itself")]
    let client = reqwest::Client::new();
    let request = client
        .post(&admin.endpoint)
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
        .body(body.to_string());
    let answer = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{target}: {answer}"))
}

struct Stage {
    leak: Leak,
    secret: String,
    parameter: String,
}

impl Stage {
    async fn new() -> Self {
        let leak = Leak::new().await;
        let responder = leak.admin.iam().get_access_key_last_used().access_key_id(&leak.responder.id).send().await.unwrap();
        let responder = responder.user_name().unwrap();
        leak.admin.policy(responder, "secrets", "Allow", "secretsmanager:*").await;
        leak.admin.policy(responder, "parameters", "Allow", "ssm:*").await;
        let (secret, parameter) = (unique("prod-app"), format!("/{}", unique("app")));
        let text = json!({ "user": "ci", "id": leak.key.id, "secret": leak.key.secret }).to_string();
        ask(&leak.admin, "secretsmanager.CreateSecret", &json!({ "Name": secret, "SecretString": text })).await;
        let put = json!({ "Name": parameter, "Value": leak.key.secret, "Type": "SecureString" });
        ask(&leak.admin, "AmazonSSM.PutParameter", &put).await;
        // Its other half: a store that holds one only is not written.
        let put = json!({ "Name": format!("{parameter}-id"), "Value": leak.key.id, "Type": "String" });
        ask(&leak.admin, "AmazonSSM.PutParameter", &put).await;
        let settings = format!(
            "[[responder.aws]]\naccount = \"{ACCOUNT}\"\n[[responder.store]]\nkind = \"aws-secrets-manager\"\nat = \"{secret}\"\n\
             [[responder.store]]\nkind = \"aws-ssm\"\nat = \"{parameter}\"\n\
             [[responder.store]]\nkind = \"aws-ssm\"\nat = \"{parameter}-id\"\n"
        );
        fs::write(leak.home.root().join("home/config.toml"), settings).unwrap();
        Self { leak, secret, parameter }
    }

    fn plan(&self) -> (String, Value) {
        let output = self.leak.staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output();
        assert_eq!(output.code(), Some(1), "{}", output.stderr());
        let plan: Value = serde_json::from_str(&output.stdout()).unwrap();
        (plan["digest"].as_str().unwrap().to_owned(), plan["plan"].clone())
    }

    async fn keys(&self) -> Vec<String> {
        let listed = self.leak.admin.iam().list_access_keys().user_name(&self.leak.user).send().await.unwrap();
        let mut keys: Vec<String> = listed.access_key_metadata.into_iter().filter_map(|key| key.access_key_id).collect();
        keys.retain(|id| *id != self.leak.key.id);
        keys
    }

    async fn in_secret(&self) -> Value {
        let got = ask(&self.leak.admin, "secretsmanager.GetSecretValue", &json!({ "SecretId": self.secret })).await;
        serde_json::from_str(got["SecretString"].as_str().unwrap()).unwrap()
    }

    async fn in_parameter(&self, half: &str) -> String {
        let name = json!({ "Name": format!("{}{half}", self.parameter), "WithDecryption": true });
        let got = ask(&self.leak.admin, "AmazonSSM.GetParameter", &name).await;
        got["Parameter"]["Value"].as_str().unwrap().to_owned()
    }

    /// The one new key is in every store, and it works; so does the old one.
    async fn assert_replaced(&self, moment: &str) {
        let new = self.keys().await;
        assert_eq!(new.len(), 1, "{moment}: {new:?}");
        let file = fs::read_to_string(self.leak.home.work().join("app/config/.env")).unwrap();
        let value = |name: &str| file.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let key = Key::new(&value("AWS_ACCESS_KEY_ID="), &value("AWS_SECRET_ACCESS_KEY="));
        assert_eq!(key.id, new[0], "{moment}");
        let secret = self.in_secret().await;
        assert_eq!((&secret["id"], &secret["secret"]), (&json!(key.id), &json!(key.secret)), "{moment}");
        assert_eq!(secret["user"], "ci");
        let halves = (self.in_parameter("-id").await, self.in_parameter("").await);
        assert_eq!(halves, (key.id.clone(), key.secret.clone()), "{moment}");
        assert!(self.leak.admin.with(&key).caller().await.is_ok(), "{moment}");
        assert_eq!(self.leak.status().await, StatusType::Active, "{moment}");
    }
}

#[tokio::test]
async fn a_key_is_replaced_in_its_file_its_secret_and_its_parameter_and_put_back() {
    let stage = Stage::new().await;
    let (digest, plan) = stage.plan();
    let stores = plan["steps"][1]["observed"]["stores"].as_array().unwrap();
    assert_eq!(stores.len(), 4, "{stores:?}");
    let permissions = plan["steps"][1]["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("secretsmanager:PutSecretValue")), "{stores:?}");
    let human = stage.leak.staunch(&["respond", "plan", "app", "--mode", "rotate"]).output().stdout();
    assert!(
        human.contains(&format!("writes  aws-secrets-manager {}, which holds its key_id and secret", stage.secret)),
        "{human}"
    );
    let before = fs::read(stage.leak.home.work().join("app/config/.env")).unwrap();
    let output = stage.leak.apply(&digest);
    assert_eq!(output.code(), Some(1), "{} {}", output.stdout(), output.stderr());
    let run = run_of(&output);
    assert_eq!((run["state"].as_str(), run["steps"][1]["state"].as_str()), (Some("waiting"), Some("succeeded")), "{run}");
    stage.assert_replaced("applied").await;
    // The old value is in no file any more: it comes back out of what the secret held before.
    let undone = stage.leak.staunch(&["respond", "undo", run["id"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!((undone.code(), run_of(&undone)["state"].as_str()), (Some(0), Some("undone")), "{}", undone.stderr());
    assert_eq!(fs::read(stage.leak.home.work().join("app/config/.env")).unwrap(), before);
    let secret = stage.in_secret().await;
    assert_eq!((&secret["id"], &secret["secret"]), (&json!(stage.leak.key.id), &json!(stage.leak.key.secret)));
    assert_eq!(stage.in_parameter("").await, stage.leak.key.secret);
    assert_eq!(stage.in_parameter("-id").await, stage.leak.key.id);
    assert!(stage.keys().await.is_empty() && stage.leak.admin.with(&stage.leak.key).caller().await.is_ok());
}

#[tokio::test]
async fn killed_around_every_record_it_goes_on_to_one_new_key() {
    let mut unasked = Vec::new();
    for side in [Side::Before, Side::After] {
        for at in 1..=RECORDS {
            let moment = format!("record {at}, {side:?}");
            let stage = Stage::new().await;
            let (digest, _) = stage.plan();
            let apply = stage.leak.staunch(&["respond", "apply", &digest]);
            let output = kill_on_sync(apply, "journal.jsonl", at, side).output();
            assert!(output.was_killed(), "{moment}: {output:?}");
            let begun = stage.leak.runs().into_iter().find(|run| run.join("journal.jsonl").exists());
            let output = match begun {
                Some(run) => {
                    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
                    stage.leak.staunch(&["respond", "resume", &id, "--format", "json"]).output()
                }
                None => stage.leak.apply(&digest),
            };
            let run = run_of(&output);
            let replace = &run["steps"][1];
            // Between the word that a key is asked for and the asking, it cannot tell whether it was: the list may be behind.
            if output.code() == Some(2) {
                assert_eq!(replace["state"], "unknown", "{moment}: {run}");
                assert!(replace["why"].as_str().unwrap().contains("the list may be behind"), "{moment}: {run}");
                assert!(stage.keys().await.is_empty(), "{moment}: nothing is minted beside what may be there");
                unasked.push(at);
                continue;
            }
            assert_eq!(output.code(), Some(1), "{moment}: {}", output.stderr());
            assert_eq!(replace["state"], "succeeded", "{moment}: {run}");
            stage.assert_replaced(&moment).await;
        }
    }
    let [before, after] = unasked.as_slice() else { panic!("it is one record: {unasked:?}") };
    assert_eq!(before, after);
    // One more record than there are: nothing is killed, so the loop above met every one.
    let stage = Stage::new().await;
    let (digest, _) = stage.plan();
    let apply = stage.leak.staunch(&["respond", "apply", &digest]);
    let output = kill_on_sync(apply, "journal.jsonl", RECORDS + 1, Side::Before).output();
    assert_eq!(output.code(), Some(1), "{}", output.stderr());
}

#[tokio::test]
async fn many_plans_go_in_waves_and_one_that_is_stopped_already_stops_no_other() {
    let leak = Leak::new().await;
    let mut users = vec![(leak.user.clone(), leak.key.clone())];
    for number in 0..4 {
        let user = leak.admin.user("more", &[]).await;
        let key = leak.admin.key(&user).await.unwrap();
        let text = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", key.id, key.secret);
        fs::create_dir_all(leak.home.work().join(format!("app/{number}"))).unwrap();
        fs::write(leak.home.work().join(format!("app/{number}/.env")), text).unwrap();
        users.push((user, key));
    }
    let output = leak.staunch(&["respond", "plan", "app", "--format", "json"]).output();
    assert_eq!(output.code(), Some(1), "{}", output.stderr());
    let plans: Vec<Value> = output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(plans.len(), 5);
    let digest = |plan: &Value| plan["digest"].as_str().unwrap().to_owned();
    // Somebody was quicker with the first: that is proved, and the others are begun.
    let first = plans[0]["plan"]["target"]["user"].as_str().unwrap();
    let key = plans[0]["plan"]["target"]["key_id"].as_str().unwrap();
    leak.admin.set_status(first, key, StatusType::Inactive).await;
    let all: Vec<String> = plans.iter().map(digest).collect();
    let apply = |digests: &[String]| {
        let mut arguments = vec!["respond", "apply", "--format", "json"];
        arguments.extend(digests.iter().map(String::as_str));
        leak.staunch(&arguments).output()
    };
    let output = apply(&all);
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    assert_eq!(output.stdout().lines().count(), 5);
    for (user, key) in users {
        assert_eq!(leak.admin.status(&user, &key.id).await, Some(StatusType::Inactive));
    }
}
