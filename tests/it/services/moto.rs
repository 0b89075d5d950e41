//! Stopping and walking back at moto, an IAM that nobody here wrote and that is not ministack. What it does not do as AWS does: its STS
//! takes an inactive key, so nothing is proved here; its policies have no conditions, so what is denied for older sessions alone is denied
//! for all; it has no simulator and no log, which the plan says.

use std::fs;

use aws_sdk_iam::types::StatusType;
use serde_json::Value;

use super::chain::{ACCOUNT, Leak, run_of};
use crate::harness::aws;

#[tokio::test]
async fn a_key_is_stopped_its_user_denied_and_both_walked_back_at_moto() {
    let leak = Leak::at(aws::moto(), "*").await;
    let finding = leak.triage();
    assert_eq!((finding["liveness"]["state"].as_str(), finding["facts"]["account"].as_str()), (Some("live"), Some(ACCOUNT)));
    let output = leak.staunch(&["respond", "plan", "app", "--format", "json"]).output();
    let plan: Value = serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()));
    assert_eq!(plan["plan"]["steps"][1]["observed"]["status"], "Active", "{plan}");
    let makes = || async { leak.admin.with(&leak.key).key(&leak.user).await };
    let second = makes().await.expect("the leaked key may make keys");
    leak.admin.iam().delete_access_key().user_name(&leak.user).access_key_id(&second.id).send().await.unwrap();

    // Without its value nobody asks as it: moto would take it, and that would be waited for.
    fs::rename(leak.home.work().join("app/config/.env"), leak.home.root().join("kept")).unwrap();
    let run = run_of(&leak.apply(plan["digest"].as_str().unwrap()));
    let state = |id: &str| {
        let step = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == id);
        step.unwrap_or_else(|| panic!("{id}: {run}"))["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (state("deactivate"), state("deny"), state("prove-refused")),
        ("succeeded".into(), "succeeded".into(), "unknown".into()),
        "{run}"
    );
    assert_eq!((leak.status().await, leak.denies().await.len()), (StatusType::Inactive, 1));
    assert!(
        leak.admin.with(&leak.key).caller().await.is_ok(),
        "moto has learnt to refuse inactive keys: let it prove, then"
    );
    assert_eq!(makes().await.map(drop), Err("AccessDenied".to_owned()), "its user may do nothing of what is denied");

    let output = leak.staunch(&["respond", "undo", run["id"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("undone")), "{}", output.stderr());
    assert_eq!((leak.status().await, leak.denies().await.len()), (StatusType::Active, 0));
    assert!(makes().await.is_ok(), "it may again");
}
