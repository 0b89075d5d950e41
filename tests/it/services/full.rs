//! The disk is full: before a change its record cannot be written, so it is not made; after it, it is found again by whoever goes on.
//! Whatever was said is so, and with room again the run comes to the same end, with every change once.

use std::fs;
use std::path::PathBuf;

use aws_sdk_iam::types::StatusType;
use serde_json::Value;

use super::chain::{ACCOUNT, Leak, run_of};
use crate::harness::program::Run;
use crate::harness::shim::full_on_write;

/// The journal's records of a whole run: the plan, and begin and end of six steps.
const RECORDS: usize = 14;

fn journal(leak: &Leak) -> Vec<Value> {
    let runs = leak.runs();
    let Some(run) = runs.iter().find(|run| run.join("journal.jsonl").exists()) else { return Vec::new() };
    let text = fs::read(run.join("journal.jsonl")).unwrap();
    let whole = text.split_inclusive(|&b| b == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn has(records: &[Value], step: &str, kind: &str) -> bool {
    records.iter().any(|record| record["step"] == step && record["event"]["kind"] == kind)
}

/// Nothing was done whose beginning is not on disk, and what is said to be done is.
async fn true_so_far(leak: &Leak, moment: &str) {
    let records = journal(leak);
    let (stopped, denied) = (leak.status().await == StatusType::Inactive, !leak.denies().await.is_empty());
    assert!(!stopped || has(&records, "deactivate", "started"), "{moment}: done without a record");
    assert!(!denied || has(&records, "deny", "started"), "{moment}: done without a record");
    assert!(stopped || !has(&records, "deactivate", "succeeded"), "{moment}: called done");
    assert!(denied || !has(&records, "deny", "succeeded"), "{moment}: called done");
}

#[tokio::test]
async fn whichever_record_finds_no_room_nothing_is_done_unrecorded_and_the_run_comes_to_its_end() {
    for all in [false, true] {
        for at in 1..=RECORDS {
            let moment = format!("record {at}, all {all}");
            let leak = Leak::new().await;
            let digest = leak.plan();
            let output = full_on_write(leak.staunch(&["respond", "apply", &digest]), "journal.jsonl", at, all).output();
            assert_eq!(output.code(), Some(2), "{moment}: {} {}", output.stdout(), output.stderr());
            assert!(output.stderr().contains("No space left on device"), "{moment}: {}", output.stderr());
            true_so_far(&leak, &moment).await;
            // There is room again.
            let begun = !journal(&leak).is_empty();
            let output = if begun {
                let runs = leak.runs();
                let run = runs.iter().find(|run| run.join("journal.jsonl").exists()).unwrap();
                leak.staunch(&["respond", "resume", run.file_name().unwrap().to_str().unwrap(), "--format", "json"]).output()
            } else {
                leak.apply(&digest)
            };
            assert_eq!(output.code(), Some(0), "{moment}: {}", output.stderr());
            assert_eq!(run_of(&output)["state"], "done", "{moment}");
            leak.assert_contained().await;
            assert_eq!(leak.denies().await.len(), 1, "{moment}");
        }
    }
    let leak = Leak::new().await;
    let digest = leak.plan();
    let output = full_on_write(leak.staunch(&["respond", "apply", &digest]), "journal.jsonl", RECORDS + 1, true).output();
    assert_eq!(output.code(), Some(0), "the loop above met every one: {}", output.stderr());
}

#[tokio::test]
async fn a_plan_or_the_evidence_that_finds_no_room_is_said_and_made_later() {
    for (name, done) in [("plan.part", false), ("evidence.part", true)] {
        let leak = Leak::new().await;
        let digest = leak.plan();
        let output = full_on_write(leak.staunch(&["respond", "apply", &digest]), name, 1, false).output();
        assert_eq!(output.code(), Some(2), "{name}: {}", output.stderr());
        assert_eq!(leak.status().await == StatusType::Inactive, done, "{name}");
        let runs = leak.runs();
        let begun = runs.iter().find(|run| run.join("journal.jsonl").exists());
        assert_eq!(begun.is_some(), done, "{name}");
        let output = match begun {
            Some(run) => {
                assert!(!run.join("evidence.json").exists(), "half of it is none");
                leak.staunch(&["respond", "resume", run.file_name().unwrap().to_str().unwrap(), "--format", "json"]).output()
            }
            None => leak.apply(&digest),
        };
        assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("done")), "{name}");
        let run = leak.runs().into_iter().find(|run| run.join("journal.jsonl").exists()).unwrap();
        assert!(fs::read_to_string(run.join("evidence.json")).unwrap().contains("PASSED"), "{name}");
    }
}

#[tokio::test]
async fn a_way_back_that_finds_no_room_is_gone_again() {
    // Begin and end of two changes.
    for at in 1..=4 {
        let leak = Leak::new().await;
        let digest = leak.plan();
        let id = run_of(&leak.apply(&digest))["id"].as_str().unwrap().to_owned();
        let output = full_on_write(leak.staunch(&["respond", "undo", &id]), "journal.jsonl", at, true).output();
        assert_eq!(output.code(), Some(2), "record {at}: {}", output.stderr());
        let output = leak.staunch(&["respond", "undo", &id, "--format", "json"]).output();
        assert_eq!((output.code(), run_of(&output)["state"].as_str()), (Some(0), Some("undone")), "record {at}");
        assert!(leak.admin.with(&leak.key).caller().await.is_ok() && leak.denies().await.is_empty(), "record {at}");
    }
}

#[tokio::test]
async fn a_watcher_that_finds_no_room_acts_once() {
    let allow = "[watch]\n[[watch.allow]]\nplaybook = \"aws-access-key-contain\"\n";
    let watch = |leak: &Leak| -> Run { leak.staunch(&["respond", "watch", "--once", "--format", "json"]) };
    for (name, at) in
        [("journal.jsonl", 1), ("journal.jsonl", 4), ("journal.jsonl", 5), (".part", 1), ("findings.db-wal", 1)]
    {
        let leak = Leak::new().await;
        let config = leak.home.root().join("home/config.toml");
        fs::write(&config, format!("[[responder.aws]]\naccount = \"{ACCOUNT}\"\n{allow}")).unwrap();
        assert_eq!(leak.triage()["liveness"]["state"], "live");
        let full = full_on_write(watch(&leak), name, at, true).output();
        assert_ne!(full.code(), Some(0), "{name} {at}: {} {}", full.stdout(), full.stderr());
        true_so_far(&leak, &format!("{name} {at}")).await;
        // There is room again.
        let output = watch(&leak).output();
        assert_eq!(output.code(), Some(0), "{name} {at}: {} {}", output.stdout(), output.stderr());
        leak.assert_contained().await;
        // A run that died before its first record has done nothing and counts for nothing.
        let has_record = |run: &PathBuf| fs::read(run.join("journal.jsonl")).is_ok_and(|text| text.contains(&b'\n'));
        let begun = leak.runs().iter().filter(|run| has_record(run)).count();
        assert_eq!((begun, leak.denies().await.len()), (1, 1), "{name} {at}");
        let again = watch(&leak).output();
        assert_eq!((again.code(), again.stdout().as_str()), (Some(0), ""), "{name} {at}: {}", again.stderr());
    }
}
