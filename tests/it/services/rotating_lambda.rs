//! A key that stands in the environment of a Lambda function, in ministack: it gets the new one, everything else stays, and the old one is
//! put back.

use std::fs;

use serde_json::{Value, json};

use super::chain::{ACCOUNT, Leak, run_of};
use crate::harness::aws::{Aws, Key, unique};

/// An archive with nothing in it.
const EMPTY_ZIP: &str = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

/// Lambda's REST protocol, as ministack takes it from the account's root.
async fn lambda(admin: &Aws, path: &str, body: Option<&Value>) -> Value {
    let scope = format!("Credential={}/20260101/us-east-1/lambda/aws4_request", admin.key.id);
    // Another test of this process may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "a test speaks to its service by itself")]
    let client = reqwest::Client::new();
    let url = format!("{}/2015-03-31/functions{path}", admin.endpoint);
    let request = body.map_or_else(|| client.get(&url), |body| client.post(&url).body(body.to_string()));
    let request = request.header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"));
    let answer = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{path}: {answer}"))
}

fn key(configuration: &Value) -> Key {
    let value = |name: &str| configuration["Environment"]["Variables"][name].as_str().unwrap();
    Key::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"))
}

/// A configuration without what changes with each update, and without the key.
fn bare(configuration: &Value) -> Value {
    let mut bare = configuration.clone();
    let all = bare.as_object_mut().unwrap();
    for name in ["RevisionId", "LastModified", "LastUpdateStatus", "State", "StateReason", "StateReasonCode"] {
        all.remove(name);
    }
    let variables = all["Environment"]["Variables"].as_object_mut().unwrap();
    variables.remove("AWS_ACCESS_KEY_ID").zip(variables.remove("AWS_SECRET_ACCESS_KEY")).unwrap();
    bare
}

#[tokio::test]
async fn a_functions_environment_gets_the_new_key_and_the_old_one_back() {
    let leak = Leak::new().await;
    leak.admin.policy(&leak.responder_user().await, "lambda", "Allow", "lambda:*").await;
    let name = unique("worker");
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" },
    ]});
    let role = leak.admin.iam().create_role().role_name(&name).assume_role_policy_document(trust.to_string());
    role.send().await.unwrap();
    let variables =
        json!({ "AWS_ACCESS_KEY_ID": leak.key.id, "AWS_SECRET_ACCESS_KEY": leak.key.secret, "MODE": "prod \u{fc}" });
    let function = json!({
        "FunctionName": name, "Runtime": "python3.12", "Handler": "app.main", "Timeout": 7,
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "Code": { "ZipFile": EMPTY_ZIP },
        "Environment": { "Variables": variables },
    });
    let made = lambda(&leak.admin, "", Some(&function)).await;
    assert_eq!(made["FunctionName"], json!(name), "{made}");
    let own = async || lambda(&leak.admin, &format!("/{name}/configuration"), None).await;
    let settings =
        format!("[[responder.aws]]\naccount = \"{ACCOUNT}\"\n[[responder.store]]\nkind = \"aws-lambda\"\nat = \"{name}\"\n");
    fs::write(leak.home.root().join("home/config.toml"), settings).unwrap();
    let before = own().await;
    let output = leak.staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output();
    let plan: Value = serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()));
    let run = run_of(&leak.apply(plan["digest"].as_str().unwrap()));
    assert_eq!(run["steps"][1]["state"], "succeeded", "{run}");
    let after = own().await;
    let new = key(&after);
    assert!(new.id != leak.key.id && leak.admin.with(&new).caller().await.is_ok(), "the new one works");
    assert!(!run.to_string().contains(&new.secret));
    assert_ne!(after["RevisionId"], before["RevisionId"]);
    assert_eq!(bare(&after), bare(&before), "nothing else has changed");

    // Neither the file nor the function keeps an earlier value: whoever puts it back hands it over.
    let old = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", leak.key.id, leak.key.secret);
    let undo = ["respond", "undo", run["id"].as_str().unwrap(), "--secret-stdin", "--format", "json"];
    let undone = leak.staunch(&undo).stdin(old.as_bytes()).output();
    assert_eq!((undone.code(), run_of(&undone)["state"].as_str()), (Some(0), Some("undone")), "{}", undone.stdout());
    let last = own().await;
    let back = key(&last);
    assert_eq!((&back.id, &back.secret, bare(&last)), (&leak.key.id, &leak.key.secret, bare(&before)));
}
