//! `respond watch` is killed around every journal record and every request: the next pass ends in the same world, with every effect
//! once, and the one after does nothing. And a responder that takes on a role.

use std::fs;

use serde_json::Value;

use super::chain::{ACCOUNT, Leak, run_of};
use crate::harness::aws::unique;
use crate::harness::program::Run;
use crate::harness::proxy::{Moment, Proxy};
use crate::harness::shim::{Side, kill_on_sync};

const ALLOW: &str = "[watch]\n[[watch.allow]]\nplaybook = \"aws-access-key-contain\"\n";

/// A live leak in the store, which the settings allow to be contained without a person.
async fn watched() -> Leak {
    let leak = Leak::new().await;
    let config = leak.home.root().join("home/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}{ALLOW}")).unwrap();
    assert_eq!(leak.triage()["liveness"]["state"], "live");
    leak
}

fn watch(leak: &Leak) -> Run {
    leak.staunch(&["respond", "watch", "--once", "--format", "json"])
}

/// After a kill: one pass contains it, with one run; the next does nothing.
async fn goes_on(leak: &Leak, moment: &str) {
    let output = watch(leak).output();
    assert_eq!(output.code(), Some(0), "{moment}: {} {}", output.stdout(), output.stderr());
    leak.assert_contained().await;
    let begun: Vec<_> = leak.runs().into_iter().filter(|run| run.join("journal.jsonl").exists()).collect();
    assert_eq!(begun.len(), 1, "{moment}: {begun:?}");
    let journal = fs::read_to_string(begun[0].join("journal.jsonl")).unwrap();
    let events: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for step in ["deactivate", "deny"] {
        let done = events.iter().filter(|event| event["step"] == step && event["event"]["kind"] == "succeeded").count();
        assert_eq!(done, 1, "{moment}: {step}");
    }
    let again = watch(leak).output();
    assert_eq!((again.code(), again.stdout().as_str()), (Some(0), ""), "{moment}: {}", again.stderr());
    assert_eq!(fs::read_to_string(begun[0].join("journal.jsonl")).unwrap(), journal, "{moment}: nothing more was done");
}

#[tokio::test]
async fn killed_around_every_record_a_watcher_acts_once() {
    let mut at = 1;
    loop {
        let leak = watched().await;
        let output = kill_on_sync(watch(&leak), "journal.jsonl", at, Side::After).output();
        if !output.was_killed() {
            assert!(output.code() == Some(0) && at > 10, "only {at} records were met: {}", output.stderr());
            break;
        }
        goes_on(&leak, &format!("record {at}")).await;
        at += 1;
    }
}

#[tokio::test]
async fn killed_around_every_request_a_watcher_acts_once() {
    let mut at = 1;
    loop {
        let leak = watched().await;
        let proxy = Proxy::start(&leak.admin.endpoint, Some((at, Moment::AfterAnswer)));
        let running = leak.staunch_at(&proxy.url(), &["respond", "watch", "--once"]).spawn();
        proxy.victim(running.pid());
        let output = running.wait();
        if !output.was_killed() {
            assert!(output.code() == Some(0) && at > 10, "only {at} requests were met: {}", output.stderr());
            break;
        }
        goes_on(&leak, &format!("request {at}")).await;
        at += 1;
    }
}

#[tokio::test]
async fn a_key_whose_value_is_nowhere_any_more_is_stopped_by_its_name() {
    let leak = watched().await;
    fs::remove_file(leak.home.work().join("app/config/.env")).unwrap();
    let output = watch(&leak).output();
    // Nobody can prove that it is refused, and that is said.
    assert_eq!(output.code(), Some(1), "{} {}", output.stdout(), output.stderr());
    let told: Value = serde_json::from_str(&output.stdout()).unwrap();
    assert_eq!(told["kind"], "unproved", "{told}");
    leak.assert_contained().await;
    let again = watch(&leak).output();
    assert_eq!((again.code(), again.stdout().as_str()), (Some(0), ""), "{}", again.stderr());

    // What somebody has stopped already is dead, as if it had been asked: nobody is woken, and nothing is begun.
    let leak = watched().await;
    fs::remove_file(leak.home.work().join("app/config/.env")).unwrap();
    leak.admin.set_status(&leak.user, &leak.key.id, aws_sdk_iam::types::StatusType::Inactive).await;
    let output = watch(&leak).output();
    assert_eq!((output.code(), output.stdout().as_str()), (Some(0), ""), "{}", output.stderr());
    assert!(leak.runs().is_empty() && leak.denies().await.is_empty());
}

#[tokio::test]
async fn a_responder_acts_in_the_role_that_its_account_names() {
    let leak = Leak::new().await;
    let iam = leak.admin.iam();
    let role = unique("ir");
    let trust = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }, "Action": "sts:AssumeRole" },
    ]});
    iam.create_role().role_name(&role).assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let allow = serde_json::json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": ["iam:*", "cloudtrail:LookupEvents"], "Resource": "*" }] });
    iam.put_role_policy().role_name(&role).policy_name("iam").policy_document(allow.to_string()).send().await.unwrap();
    // By itself it may do nothing but take on the role.
    let user = leak.responder_user().await;
    iam.delete_user_policy().user_name(&user).policy_name("iam").send().await.unwrap();
    leak.admin.policy(&user, "role", "Allow", "sts:AssumeRole").await;
    let config = leak.home.root().join("home/config.toml");
    let settings =
        |role: &str| format!("[[responder.aws]]\naccount = \"{ACCOUNT}\"\nrole = \"arn:aws:iam::{ACCOUNT}:role/{role}\"\n");
    fs::write(&config, settings("no-such-role")).unwrap();
    let output = leak.staunch(&["respond", "plan", "app"]).output();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains("no-such-role was refused"), "{}", output.stderr());
    fs::write(&config, settings(&role)).unwrap();
    let output = leak.staunch(&["respond", "plan", "app", "--format", "json"]).output();
    let plan: Value = serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()));
    let responder = plan["plan"]["responder"].as_str().unwrap();
    assert!(responder.contains(&format!(":assumed-role/{role}/staunch")), "{responder}");
    assert!(!output.stderr().contains("refused"), "triage asks in the role too: {}", output.stderr());
    let run = run_of(&leak.apply(plan["digest"].as_str().unwrap()));
    assert_eq!(run["state"], "done", "{run}");
    leak.assert_contained().await;
}
