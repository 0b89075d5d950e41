//! Leaked temporary credentials against ministack, which evaluates `aws:TokenIssueTime`: the role's older sessions are denied, proved
//! to be, and newer ones work.

use std::fs;

use serde_json::Value;

use super::chain::{ACCOUNT, Leak};
use crate::harness::aws::unique;

#[tokio::test]
async fn a_leaked_session_is_ended_with_all_older_ones_and_a_new_one_works() {
    let leak = Leak::new().await;
    let iam = leak.admin.iam();
    let role = unique("deployer");
    let trust = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "sts:AssumeRole" },
    ]});
    iam.create_role().role_name(&role).assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let allow =
        serde_json::json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    iam.put_role_policy().role_name(&role).policy_name("all").policy_document(allow.to_string()).send().await.unwrap();
    let take = async || {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let taken = leak.admin.sts().assume_role().role_arn(arn).role_session_name("ci").send().await.unwrap();
        taken.credentials.unwrap()
    };
    let given = take().await;
    let app = leak.home.work().join("app");
    fs::remove_dir_all(&app).unwrap();
    fs::create_dir_all(&app).unwrap();
    let text = format!(
        "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\nAWS_SESSION_TOKEN={}\n",
        given.access_key_id, given.secret_access_key, given.session_token
    );
    fs::write(app.join(".env"), text).unwrap();
    let finding = leak.triage();
    assert_eq!(
        (&finding["detector"], &finding["playbook"]),
        (&"aws-session-key".into(), &"aws-session-contain".into()),
        "{finding}"
    );
    assert_eq!(finding["liveness"]["identity"]["role"], role.as_str(), "{finding}");
    // A session is older than the plan by a second at least: AWS tells times of issue in seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let digest = leak.plan();
    let output = leak.apply(&digest);
    let run: Value = serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()));
    let step = |id: &str| run["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap().clone();
    assert_eq!(
        (step("stop")["state"].as_str(), step("sweep")["state"].as_str()),
        (Some("succeeded"), Some("succeeded")),
        "{run}"
    );
    assert_eq!(step("prove-refused")["state"], "succeeded", "{run}");
    let roles = step("sweep")["evidence"]["roles"].to_string();
    assert!(roles.contains(&role), "{roles}");
    let policies = iam.list_role_policies().role_name(&role).send().await.unwrap().policy_names;
    assert!(policies.iter().any(|name| name.starts_with("StaunchRevoke-")), "{policies:?}");
    let undone = leak.staunch(&["respond", "undo", run["id"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    let policies = iam.list_role_policies().role_name(&role).send().await.unwrap().policy_names;
    assert_eq!(policies, ["all"]);
}
