//! A drill in an account of ministack's: the whole chain, nothing left, nothing else touched; and what it refuses there.

use std::fs;

use aws_sdk_iam::types::StatusType;

use super::chain::{ACCOUNT, Leak};
use crate::drilling::{json, signing};

#[tokio::test]
async fn a_drill_in_an_account_touches_its_own_user_alone_and_takes_it_away() {
    let leak = Leak::new().await;
    let config = leak.home.root().join("home/config.toml");
    let owned = format!("{}[[responder.aws]]\naccount = \"{ACCOUNT}\"\ndrill = true\n", signing(&leak.home, 1, 1));
    fs::write(&config, &owned).unwrap();
    let planted = async || {
        let listed = leak.admin.iam().list_users().path_prefix("/staunch-drill/").send().await.unwrap();
        listed.users.into_iter().map(|user| user.user_name).collect::<Vec<_>>()
    };
    let on = format!("aws:{ACCOUNT}");
    // What a drill that died left behind, and what only looks like it.
    let made = |name: &'static str, path: &'static str| leak.admin.iam().create_user().user_name(name).path(path);
    made("staunch-drill-died", "/staunch-drill/").send().await.unwrap();
    made("staunch-drill-not", "/").send().await.unwrap();
    let output = leak.staunch(&["drill", "--on", &on, "--format", "json"]).output();
    assert_eq!(output.code(), Some(0), "{} {}", output.stdout(), output.stderr());
    let drill = json(&output);
    assert_eq!((&drill["passed"], &drill["drill"]["ground"]), (&true.into(), &on.as_str().into()), "{drill}");
    assert_eq!(drill["drill"]["left_over"], serde_json::json!(["staunch-drill-died"]));
    assert!(drill["proof"].as_str().unwrap().contains("verified"), "{drill}");
    assert_eq!(planted().await, ["staunch-drill-died"], "its own user is gone");
    let output = leak.staunch(&["drill", "--on", &on, "--clean"]).output();
    assert_eq!((output.code(), planted().await.len()), (Some(0), 0), "{}", output.stderr());
    assert!(leak.admin.iam().get_user().user_name("staunch-drill-not").send().await.is_ok());
    leak.admin.iam().delete_user().user_name("staunch-drill-not").send().await.unwrap();

    // Another account's name, with this one's credentials.
    fs::write(&config, owned.replace(ACCOUNT, "999999999999")).unwrap();
    let output = leak.staunch(&["drill", "--on", "aws:999999999999"]).output();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains(&format!("the responder acts in account {ACCOUNT}")), "{}", output.stderr());
    assert!(planted().await.is_empty());
    // The user that was leaked all along was never touched.
    assert_eq!(leak.status().await, StatusType::Active);
    assert!(leak.denies().await.is_empty());

    // A responder that may not make users: said, and nothing is left.
    fs::write(&config, &owned).unwrap();
    leak.admin.policy(leak.responder_user().await.as_str(), "no", "Deny", "iam:CreateAccessKey").await;
    let output = leak.staunch(&["drill", "--on", &on, "--format", "json"]).output();
    let drill = json(&output);
    assert_eq!((output.code(), &drill["passed"]), (Some(2), &false.into()), "{drill}");
    let legs: Vec<&str> =
        drill["drill"]["legs"].as_array().unwrap().iter().map(|leg| leg["name"].as_str().unwrap()).collect();
    assert_eq!(legs, ["plant", "clean"], "{drill}");
    assert!(planted().await.is_empty(), "what was half planted is gone too");
}
