//! `respond apply` is killed at every moment there is: around every journal record, and around every request to the
//! provider. Going on must end in the same world, with every effect once.

use std::fs;

use serde_json::Value;

use super::chain::{Leak, run_of};
use crate::harness::proxy::{Moment, Proxy};
use crate::harness::shim::{Side, kill_on_sync};

/// Journal records of a whole run: the plan, and begin and end of six steps.
const RECORDS: usize = 14;

/// After a kill: goes on, or begins when nothing had begun; then checks the world and the journal.
async fn goes_on(leak: &Leak, digest: &str, moment: &str) {
    let runs = leak.runs();
    let begun: Vec<_> = runs.iter().filter(|run| run.join("journal.jsonl").exists()).collect();
    assert!(begun.len() <= 1, "{moment}: {begun:?}");
    let before = begun.first().map_or(0, |run| records(&fs::read(run.join("journal.jsonl")).unwrap()).len());
    let output = match begun.first() {
        Some(run) => {
            let id = run.file_name().unwrap().to_str().unwrap();
            leak.staunch(&["respond", "resume", id, "--format", "json"]).output()
        }
        None => leak.apply(digest),
    };
    assert_eq!(output.code(), Some(0), "{moment}: {}", output.stderr());
    assert_eq!(run_of(&output)["state"], "done", "{moment}");
    leak.assert_contained().await;
    let begun = leak.runs().into_iter().find(|run| run.join("journal.jsonl").exists()).unwrap();
    let after = records(&fs::read(begun.join("journal.jsonl")).unwrap());
    assert!(after.len() >= before, "{moment}: records were lost");
    let succeeded = |step: &str| after.iter().filter(|r| r["step"] == step && r["event"]["kind"] == "succeeded").count();
    for step in ["snapshot", "deactivate", "deny", "prove-refused", "list-minted", "evidence"] {
        assert_eq!(succeeded(step), 1, "{moment}: {step}");
    }
    assert!(begun.join("evidence.json").exists(), "{moment}");
}

/// The whole records of a journal.
fn records(journal: &[u8]) -> Vec<Value> {
    let whole = journal.split_inclusive(|&b| b == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[tokio::test]
async fn killed_around_every_record_it_goes_on_to_the_same_world() {
    for side in [Side::Before, Side::After] {
        for at in 1..=RECORDS {
            let leak = Leak::new().await;
            let digest = leak.plan();
            let apply = leak.staunch(&["respond", "apply", &digest]);
            let output = kill_on_sync(apply, "journal.jsonl", at, side).output();
            assert!(output.was_killed(), "record {at}, {side:?}: {output:?}");
            goes_on(&leak, &digest, &format!("record {at}, {side:?}")).await;
        }
    }
    // One more record than there are: nothing is killed, so the loop above met every one.
    let leak = Leak::new().await;
    let digest = leak.plan();
    let apply = leak.staunch(&["respond", "apply", &digest]);
    let output = kill_on_sync(apply, "journal.jsonl", RECORDS + 1, Side::Before).output();
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
}

#[tokio::test]
async fn killed_around_every_request_it_goes_on_to_the_same_world() {
    for moment in [Moment::BeforeForwarding, Moment::AfterAnswer] {
        let mut at = 1;
        loop {
            let leak = Leak::new().await;
            let digest = leak.plan();
            let proxy = Proxy::start(&leak.admin.endpoint, Some((at, moment)));
            let running = leak.staunch_at(&proxy.url(), &["respond", "apply", &digest]).spawn();
            proxy.victim(running.pid());
            let output = running.wait();
            if !output.was_killed() {
                assert_eq!(output.code(), Some(0), "{}", output.stderr());
                assert!(proxy.seen().len() < at && at > 10, "only {at} requests were met");
                break;
            }
            goes_on(&leak, &digest, &format!("request {at}, {moment:?}")).await;
            at += 1;
        }
    }
}

#[tokio::test]
async fn killed_while_walking_back_it_walks_on() {
    // Begin and end of two changes.
    for at in 1..=4 {
        let leak = Leak::new().await;
        let digest = leak.plan();
        let id = run_of(&leak.apply(&digest))["id"].as_str().unwrap().to_owned();
        let undo = leak.staunch(&["respond", "undo", &id]);
        assert!(kill_on_sync(undo, "journal.jsonl", at, Side::After).output().was_killed(), "record {at}");
        let resumed = leak.staunch(&["respond", "resume", &id]).output();
        assert!(resumed.stderr().contains("is being walked back"), "record {at}: {}", resumed.stderr());
        let output = leak.staunch(&["respond", "undo", &id, "--format", "json"]).output();
        assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("undone")), "record {at}");
        assert!(leak.admin.with(&leak.key).caller().await.is_ok() && leak.denies().await.is_empty(), "record {at}");
    }
}

#[tokio::test]
async fn two_at_once_one_is_told_to_wait() {
    let leak = Leak::new().await;
    let digest = leak.plan();
    let lock = leak.home.state().join("locks");
    let plan = fs::read_to_string(leak.home.state().join("plans").join(format!("{digest}.json"))).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let file = fs::File::create(lock.join(format!("{}.lock", plan["fingerprint"].as_str().unwrap()))).unwrap();
    file.lock().unwrap();
    let output = leak.apply(&digest);
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains("another staunch is working"), "{}", output.stderr());
    assert!(leak.runs().is_empty());
}

#[tokio::test]
async fn a_changed_plan_or_journal_is_refused() {
    let leak = Leak::new().await;
    let digest = leak.plan();
    let path = leak.home.state().join("plans").join(format!("{digest}.json"));
    let plan = fs::read_to_string(&path).unwrap();
    fs::write(&path, plan.replace(&leak.user, "somebody-else")).unwrap();
    let output = leak.apply(&digest);
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains("it was changed since"), "{}", output.stderr());
    fs::write(&path, plan).unwrap();
    assert_eq!(leak.apply(&digest).code(), Some(0));
    let run = leak.runs().pop().unwrap();
    let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
    fs::write(run.join("journal.jsonl"), journal.replacen("Inactive", "Active!!", 1)).unwrap();
    let output = leak.staunch(&["respond", "undo", run.file_name().unwrap().to_str().unwrap()]).output();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains("the journal is evidence"), "{}", output.stderr());
}
