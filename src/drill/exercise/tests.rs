//! What a drill will not do, and that it takes away what it planted.

use super::super::plant::{Plant, Seed};
use super::{DrillError, ours};
use crate::model::Plan;
use crate::secret::Secret;

fn plan(target: &serde_json::Value, with: &serde_json::Value) -> Plan {
    serde_json::from_value(serde_json::json!({
        "schema": Plan::SCHEMA, "playbook": "p", "mode": "contain", "fingerprint": format!("{}-{}", "0".repeat(8), "0".repeat(64)),
        "detector": "d", "target": target, "affected": [], "copies": [], "unknowns": [], "lacking": [], "responder": "r",
        "made_at": "2026-01-01T00:00:00Z",
        "steps": [{"id": "a", "action": "x", "with": with, "needs": [], "on_failure": "stop", "approval": "none", "observed": null,
                   "effect": "e", "undo": null, "reversible": true, "mutates": true, "permissions": [], "timeout": 1, "watch": 0}],
    }))
    .expect("a plan")
}

#[test]
fn a_plan_about_anything_but_what_was_planted_is_refused() {
    let names = [("user", "staunch-drill-1".to_owned()), ("key_id", "K".to_owned())].into();
    let planted = Plant { seed: Seed::AwsKey, names, secret: Secret::new(b"s") };
    let good = serde_json::json!({ "user": "staunch-drill-1", "key_id": "K", "account": "1" });
    let with = serde_json::json!({ "user": "staunch-drill-1", "key_id": "K" });
    assert!(ours(&plan(&good, &with), &planted, "1").is_ok());
    for (name, value) in [("user", "payments"), ("key_id", "L"), ("account", "2")] {
        let mut target = good.clone();
        target[name] = value.into();
        let error = ours(&plan(&target, &with), &planted, "1").expect_err("not ours");
        assert!(matches!(error, DrillError::NotOurs(ref what) if what.contains(value)), "{error}");
    }
    assert!(ours(&plan(&serde_json::json!({}), &with), &planted, "1").is_err(), "what is not known is not ours");
    for (name, value) in [("user", "payments"), ("key_id", "L")] {
        let mut with = with.clone();
        with[name] = value.into();
        assert!(ours(&plan(&good, &with), &planted, "1").is_err(), "a step on {name} {value}");
    }
}

#[test]
fn another_project_is_not_the_planted_keys() {
    let names = [("project", "proj_1".to_owned())].into();
    let planted = Plant { seed: Seed::OpenAiKey, names, secret: Secret::new(b"s") };
    let none = serde_json::json!({});
    assert!(ours(&plan(&serde_json::json!({ "project": "proj_1" }), &none), &planted, "").is_ok());
    assert!(ours(&plan(&serde_json::json!({ "project": "proj_2" }), &none), &planted, "").is_err());
    assert!(ours(&plan(&none, &none), &planted, "").is_err());
}
