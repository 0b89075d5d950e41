//! What a leaked key may do and did, asked of ministack by the responder. Its simulator answers as IAM does; its CloudTrail
//! records calls of the query protocol as `POST.iam` and `POST.sts`, so that no stage is recognised in them here: the
//! recogniser has tests of its own, over AWS's names. It gives no pages, and one server is every Region.

use std::fs;

use serde_json::{Value, json};

use super::chain::{ACCOUNT, Leak};
use crate::harness::aws;
use crate::harness::program::Home;

/// What is said of a power's first way.
fn ruling<'f>(finding: &'f Value, action: &str) -> (&'f str, &'f str) {
    let ways = finding["reach"]["ways"].as_array().unwrap();
    let way = ways.iter().find(|way| way["actions"] == json!([action])).unwrap();
    (way["ruling"].as_str().unwrap(), way["note"].as_str().unwrap_or_default())
}

async fn allow_logs(leak: &Leak) {
    let responder = leak.admin.with(&leak.responder).caller().await.unwrap();
    leak.admin.policy(responder.rsplit('/').next().unwrap(), "logs", "Allow", "cloudtrail:LookupEvents").await;
}

#[tokio::test]
async fn the_simulator_tells_what_a_leaked_key_may_do() {
    let leak = Leak::new().await;
    let finding = leak.triage();
    assert_eq!(ruling(&finding, "bedrock:InvokeModel"), ("allowed", ""));
    assert_eq!(finding["reach"]["principal"], format!("arn:aws:iam::{ACCOUNT}:user/{}", leak.user));
    assert_eq!(finding["reach"]["unknown"], Value::Null);
    assert_eq!(finding["facts"]["last_used"], "no use on record", "ministack never fills it in");

    let iam = leak.admin.iam();
    iam.delete_user_policy().user_name(&leak.user).policy_name("all").send().await.unwrap();
    let own = format!("arn:aws:iam::{ACCOUNT}:user/{}", leak.user);
    let keys = json!({ "Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": own });
    let models = json!({ "Effect": "Deny", "Action": "bedrock:*", "Resource": "*" });
    let document = json!({ "Version": "2012-10-17", "Statement": [keys, models] }).to_string();
    let put = iam.put_user_policy().user_name(&leak.user).policy_name("some").policy_document(document);
    put.send().await.unwrap();
    let finding = leak.triage();
    assert_eq!(ruling(&finding, "iam:CreateAccessKey"), ("allowed", "on itself"));
    assert_eq!(ruling(&finding, "bedrock:InvokeModel"), ("denied", ""));
    assert_eq!(ruling(&finding, "secretsmanager:GetSecretValue"), ("unclear", "not on every resource"));

    let screen = leak.staunch(&["triage", "app"]).output().stdout();
    for line in
        ["  may       make new credentials (iam:CreateAccessKey: on itself)", "  may not   call models", "  not clear "]
    {
        assert!(screen.contains(line), "{line}: {screen}");
    }
}

#[tokio::test]
async fn the_log_is_read_where_the_responder_may() {
    let leak = Leak::new().await;
    let finding = leak.triage();
    let refused = finding["activity"]["regions"][0]["unknown"].as_str().unwrap().to_owned();
    assert!(refused.starts_with("cloudtrail:LookupEvents refused (AccessDenied"), "{refused}");
    assert!(refused.ends_with("allow it for the responder, in the account that owns the key"), "{refused}");
    assert_eq!(finding["activity"]["seen"], Value::Null);

    allow_logs(&leak).await;
    // The first triage asked STS as the key, and that is in the log, under this program's name.
    let finding = leak.triage();
    let activity = &finding["activity"];
    assert_eq!(activity["regions"][0]["unknown"], Value::Null, "{activity}");
    assert_eq!(activity["seen"]["calls"], json!(["POST.sts"]), "{activity}");
    assert!(activity["seen"]["agents"][0].as_str().unwrap().contains("app/staunch"), "{activity}");
    assert_eq!((&activity["stages"], &activity["signs"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn two_regions_that_one_server_answers_for_count_an_event_once() {
    let leak = Leak::new().await;
    allow_logs(&leak).await;
    leak.admin.with(&leak.key).caller().await.unwrap();
    let triage = leak.staunch(&["triage", "app", "--format", "jsonl"]).env("AWS_REGION", "eu-west-1");
    let output = triage.output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    let regions = finding["activity"]["regions"].as_array().unwrap_or_else(|| panic!("{}", output.stderr()));
    let names: Vec<&str> = regions.iter().map(|read| read["region"].as_str().unwrap()).collect();
    assert_eq!(names, ["eu-west-1", "us-east-1"]);
    let each: Vec<u64> = regions.iter().map(|read| read["events"].as_u64().unwrap()).collect();
    assert_eq!(finding["activity"]["seen"]["events"].as_u64().unwrap(), *each.iter().max().unwrap());
}

#[tokio::test]
async fn a_dry_run_says_whom_it_would_ask_and_asks_nobody() {
    let leak = Leak::new().await;
    let output = leak.staunch_at("http://127.0.0.1:9", &["triage", "app", "--dry-run", "--format", "jsonl"]).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    assert_eq!((&finding["reach"], &finding["activity"]), (&Value::Null, &Value::Null));
    let said = format!("as the responder, IAM and CloudTrail of account {ACCOUNT}");
    assert!(output.stderr().contains(&said) && !output.stderr().contains("was not asked"), "{}", output.stderr());
}

/// moto has neither call: it answers with an HTML page. It does keep when a key was used last.
#[tokio::test]
async fn pages_of_html_are_no_answers_and_last_use_is_kept() {
    let moto = aws::moto();
    let user = moto.user("ci", &[]).await;
    moto.policy(&user, "all", "Allow", "*").await;
    let key = moto.key(&user).await.unwrap();
    let home = Home::new();
    let text = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", key.id, key.secret);
    fs::write(home.work().join(".env"), text).unwrap();
    let account = moto.with(&key).caller().await.unwrap().split(':').nth(4).unwrap().to_owned();
    let config = home.root().join("home/config.toml");
    fs::write(&config, format!("[[responder.aws]]\naccount = \"{account}\"\n")).unwrap();
    let run = home.staunch(["triage", ".", "--format", "jsonl"]);
    let run = run.env("AWS_ENDPOINT_URL", &moto.endpoint).env("AWS_REGION", "us-east-1").env("STAUNCH_CONFIG", config);
    let output = run.env("AWS_ACCESS_KEY_ID", &moto.key.id).env("AWS_SECRET_ACCESS_KEY", &moto.key.secret).output();
    let finding: Value = serde_json::from_str(output.stdout().lines().next().unwrap()).unwrap();
    assert_eq!(finding["liveness"]["state"], "live", "{}", output.stderr());
    assert_eq!(finding["facts"]["last_used_service"], "sts");
    assert_eq!(finding["reach"]["ways"], json!([]));
    assert_eq!(finding["reach"]["unknown"], json!(["iam:SimulatePrincipalPolicy failed without an error code"]));
    let read = &finding["activity"]["regions"][0];
    assert_eq!(read["unknown"], "cloudtrail:LookupEvents gave an answer that could not be read (HTTP 500)", "{read}");
}
