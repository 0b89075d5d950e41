//! Every built-in playbook there and back, and by the rules of the specification that its schemas do not need.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::playbook::{PlaybookSource, Playbooks, builtin_playbooks};
use super::{export, import, playbook_id};

fn all() -> Playbooks {
    Playbooks::new(&builtin_playbooks()).expect("playbooks")
}

#[test]
fn every_playbook_comes_back_as_it_was() {
    let before = all();
    let text = |object: &Value| import(Path::new("x.json"), object.to_string().as_bytes()).expect("a playbook file");
    let sources = before.0.iter().map(|playbook| PlaybookSource {
        id: playbook.id.clone(),
        file: format!("{}.toml", playbook.id),
        text: text(&export(playbook, Timestamp::UNIX_EPOCH)),
    });
    let after = Playbooks::new(&sources.collect::<Vec<_>>()).expect("they are sound");
    for (before, after) in before.0.iter().zip(&after.0) {
        assert_eq!((&before.summary, &before.mode, &before.detectors), (&after.summary, &after.mode, &after.detectors));
        assert_eq!(before.steps, after.steps, "{}", before.id);
        let whose = |uses: &[super::super::compose::Uses]| -> Vec<_> {
            uses.iter().map(|uses| (uses.id.clone(), uses.before, uses.whose.clone())).collect()
        };
        assert_eq!(whose(&before.uses), whose(&after.uses), "{}", before.id);
    }
}

#[test]
fn every_step_is_reached_and_what_is_named_is_there() {
    let mut ids = BTreeSet::new();
    for playbook in &all().0 {
        let object = export(playbook, "2026-11-27T00:00:00Z".parse().expect("a moment"));
        assert!(ids.insert(object["id"].as_str().expect("an id").to_owned()), "{}", playbook.id);
        assert_eq!(object["modified"], "2026-11-27T00:00:00.000Z");
        let workflow = object["workflow"].as_object().expect("a workflow");
        let mut at = object["workflow_start"].as_str().expect("a start");
        let mut reached = BTreeSet::new();
        while reached.insert(at) {
            let step = &workflow[at];
            for key in ["on_completion", "on_success", "on_failure"] {
                assert!(step[key].as_str().is_none_or(|next| workflow.contains_key(next)), "{}: {key}", playbook.id);
            }
            assert!(step["on_completion"].is_null() || (step["on_success"].is_null() && step["on_failure"].is_null()));
            assert!(step["agent"].as_str().is_none_or(|agent| object["agent_definitions"][agent].is_object()));
            let Some(next) = step["on_success"].as_str().or(step["on_completion"].as_str()) else { break };
            at = next;
        }
        assert_eq!(reached.len(), workflow.len(), "{}", playbook.id);
        let text = object.to_string();
        let used: BTreeSet<&str> =
            text.match_indices(":value").filter_map(|(at, _)| text[..at].rfind('"').map(|_| &text[..at])).collect();
        for before in used {
            let name = &before[before.trim_end_matches("__").rfind("__").expect("a variable")..];
            assert!(object["playbook_variables"][name].is_object(), "{}: {name}", playbook.id);
        }
    }
}

#[test]
fn the_same_file_gives_the_same_identifiers() {
    assert_eq!(playbook_id("a", &["mitigation"]), playbook_id("a", &["mitigation"]));
    assert_ne!(playbook_id("a", &["mitigation"]), playbook_id("b", &["mitigation"]));
    assert_eq!(&playbook_id("a", &["mitigation"])[24..25], "5", "version 5");
}

fn foreign(step: &Value) -> Value {
    json!({
        "type": "playbook", "spec_version": "cacao-2.0", "name": "theirs", "workflow_start": "start--1",
        "workflow": { "start--1": { "type": "start", "on_completion": "action--1" }, "action--1": step, "end--1": { "type": "end" } },
    })
}

#[test]
fn of_anothers_playbook_what_people_do_becomes_tasks_and_the_rest_is_named() {
    let file = Path::new("theirs.json");
    let call =
        |command: Value| json!({ "type": "action", "name": "Call them!", "commands": [command], "on_completion": "end--1" });
    let good = foreign(&call(json!({ "type": "manual", "command": "call \"Kim\" {now}" })));
    let text = import(file, good.to_string().as_bytes()).expect("a playbook file");
    let source = PlaybookSource { id: "theirs".into(), file: "theirs.toml".into(), text: text.clone() };
    let playbook = Playbooks::new(&[source]).expect("sound").0.remove(0);
    assert_eq!(
        (playbook.steps[0].action.as_str(), playbook.steps[0].with["do"].as_str()),
        ("task", "call \"Kim\" now"),
        "{text}"
    );
    for (bad, said) in [
        (foreign(&call(json!({ "type": "bash", "command": "rm -rf /" }))), "holds a \"bash\" command"),
        (foreign(&json!({ "type": "parallel", "next_steps": [], "on_completion": "end--1" })), "\"parallel\" step"),
        (foreign(&json!({ "type": "action", "commands": [], "on_completion": "start--1" })), "circle"),
        (foreign(&json!({ "type": "action", "commands": [] })), "what comes next"),
        (foreign(&json!({ "type": "action", "commands": [], "on_completion": "x" })), "no step \"x\""),
        (
            {
                let mut branch = good.clone();
                branch["workflow"]["action--2"] =
                    json!({ "type": "action", "name": "Put it back", "on_completion": "end--1" });
                branch["workflow"]["action--1"]["on_failure"] = json!("action--2");
                branch
            },
            "Put it back is on no way",
        ),
        (json!({ "type": "bundle" }), "no CACAO 2.0 playbook"),
    ] {
        let error = import(file, bad.to_string().as_bytes()).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// The schemas as they were on 23 January 2024, the last change so far (commit 7285329): of all files in order of their names, the name,
/// a zero and the SHA-256.
const SCHEMAS: &str = "499252e65a6d41250179aaf7ae359292aa8a5531cd5791077739eb02e0c07d35";

/// By the schemas of OASIS, where they are at hand: `STAUNCH_CACAO_SCHEMAS` names the folder `schemas` of a copy of
/// oasis-open/cacao-json-schemas. They are not part of this tree; `.ci/run` runs this where it is told where they lie.
#[test]
#[ignore = "needs a copy of oasis-open/cacao-json-schemas; run it with STAUNCH_CACAO_SCHEMAS and --run-ignored"]
#[expect(clippy::disallowed_methods, reason = "names a folder of this test's own")]
fn every_playbook_holds_by_the_schemas_of_oasis() {
    const BASE: &str = "https://raw.githubusercontent.com/oasis-open/cacao-json-schemas/main/schemas/";
    let folder =
        std::path::PathBuf::from(std::env::var_os("STAUNCH_CACAO_SCHEMAS").expect("STAUNCH_CACAO_SCHEMAS names a folder"));
    let mut compiler = boon::Compiler::new();
    let (mut folders, mut digests) = (vec![folder.clone()], std::collections::BTreeMap::new());
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&folder).expect("below").to_string_lossy().into_owned();
                let bytes = std::fs::read(&path).expect("a file");
                let schema = serde_json::from_slice(&bytes).expect("JSON");
                digests.insert(name.clone(), sha256(&bytes));
                compiler.add_resource(&format!("{BASE}{name}"), schema).expect("a schema");
            }
        }
    }
    let each: Vec<String> = digests.iter().map(|(name, digest)| format!("{name}\0{digest}\n")).collect();
    assert_eq!(
        sha256(each.concat().as_bytes()),
        SCHEMAS,
        "these are other schemas: look at what has changed, then name them"
    );
    let mut schemas = boon::Schemas::new();
    let schema = compiler.compile(&format!("{BASE}playbook.json"), &mut schemas).expect("the schema");
    for playbook in &all().0 {
        let object = export(playbook, Timestamp::UNIX_EPOCH);
        if let Err(error) = schemas.validate(&object, schema) {
            panic!("{}: {error:#}", playbook.id);
        }
    }
    let broken = json!({ "type": "playbook" });
    assert!(schemas.validate(&broken, schema).is_err(), "the schema refuses something");
}
