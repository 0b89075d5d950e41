//! A playbook → CACAO.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::actions::{self, Action};
use super::super::compose::{Uses, Whose};
use super::super::playbook::{PLACEHOLDERS, Playbook, Step};
use super::{APPROVERS, CREATOR, EXTENSION, RESPONDERS, playbook_id, step_id};
use crate::model::{ApprovalRule, OnFailure};

/// One identifier has one moment of creation, whenever it is exported.
const CREATED: &str = "2026-01-01T00:00:00.000Z";

/// Something in the order in which it is done.
enum Link<'p> {
    Approve(&'p Step),
    Do(&'p Step),
    Use(&'p Uses),
}

impl Link<'_> {
    fn id(&self, playbook: &Playbook) -> String {
        match self {
            Self::Approve(step) => step_id("action", &playbook.id, &format!("approve {}", step.id)),
            Self::Do(step) => step_id("action", &playbook.id, &step.id),
            Self::Use(uses) => step_id("action", &playbook.id, &format!("use {}", uses.id)),
        }
    }
}

/// A playbook as a CACAO 2.0 object. `at` is said to be when it was made.
pub fn export(playbook: &Playbook, at: Timestamp) -> Value {
    let types = if playbook.mode == "rotate" { ["remediation"] } else { ["mitigation"] };
    let at = at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let links = links(playbook);
    let (start, end) = (step_id("start", &playbook.id, ""), step_id("end", &playbook.id, ""));
    let mut workflow = Map::new();
    let mut activities = BTreeSet::new();
    let first = links.first().map_or_else(|| end.clone(), |link| link.id(playbook));
    workflow.insert(start.clone(), json!({ "type": "start", "name": "start", "on_completion": first }));
    let mut quiet = 0;
    for (n, link) in links.iter().enumerate() {
        let next = links.get(n + 1).map_or_else(|| end.clone(), |next| next.id(playbook));
        let mut step = shown(link, (&next, &end), &mut activities);
        if quiet > 0 {
            step["delay"] = json!(quiet * 1000);
        }
        quiet = if let Link::Do(step) = link { step.watch } else { 0 };
        workflow.insert(link.id(playbook), step);
    }
    workflow.insert(end, json!({ "type": "end", "name": "end" }));
    let own = json!({
        "schema": "staunch.playbook/1", "mode": playbook.mode, "detectors": playbook.detectors, "sha256": playbook.digest,
    });
    let mut object = json!({
        "type": "playbook", "spec_version": "cacao-2.0", "id": playbook_id(&playbook.id, &types), "name": playbook.id,
        "description": playbook.summary, "playbook_types": types, "playbook_activities": activities, "created_by": CREATOR,
        "created": CREATED, "modified": at, "workflow_start": start, "workflow": workflow,
        "playbook_extensions": { EXTENSION: own },
        "agent_definitions": {
            RESPONDERS: { "type": "group", "name": "responders", "description": "staunch, or people who do by hand what it says" },
            APPROVERS: { "type": "group", "name": "approvers", "description": "people whose keys the settings file lists" },
        },
        "extension_definitions": { EXTENSION: {
            "type": "extension-definition", "name": "staunch", "created_by": CREATOR, "version": "1.0.0",
            "description": "what staunch's playbooks say beyond CACAO: action, arguments, needs, approval, undo, reversibility, quiet periods",
            "schema": "The keys are those of a [[step]] in a playbook file of staunch, and `undo`, `permissions`, `reversible`, `mutates` as its \
                       actions declare them.",
        } },
    });
    let variables = variables(playbook);
    if !variables.is_empty() {
        object["playbook_variables"] = json!(variables);
    }
    object
}

fn links(playbook: &Playbook) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for at in 0..=playbook.steps.len() {
        links.extend(playbook.uses.iter().filter(|uses| uses.before == at).map(Link::Use));
        let Some(step) = playbook.steps.get(at) else { continue };
        links.extend((step.approval != ApprovalRule::None).then_some(Link::Approve(step)));
        links.push(Link::Do(step));
    }
    links
}

fn shown(link: &Link<'_>, (next, end): (&str, &str), activities: &mut BTreeSet<&'static str>) -> Value {
    match link {
        Link::Approve(step) => {
            activities.insert("identify-audience");
            let count = if step.approval == ApprovalRule::Two { "two" } else { "one" };
            let what = format!(
                "{count} of the approvers sign the plan's digest for the step {}: staunch respond approve DIGEST",
                step.id
            );
            json!({
                "type": "action", "name": format!("approve {}", step.id), "agent": APPROVERS,
                "commands": [{ "type": "manual", "command": what, "playbook_activity": "identify-audience" }],
                "on_success": next, "on_failure": end, "step_extensions": { EXTENSION: { "approves": step.id } },
            })
        }
        Link::Use(uses) => {
            activities.insert("step-sequence");
            let (what, whose) = match &uses.whose {
                Whose::Own => ("go through the playbook that the credential has by itself".to_owned(), json!("own")),
                Whose::By(map) => {
                    let each: Vec<String> = map.iter().map(|(detector, id)| format!("{id} for {detector}")).collect();
                    (format!("go through the playbook {}", each.join(", ")), json!(map))
                }
            };
            json!({
                "type": "action", "name": uses.id, "agent": RESPONDERS,
                "commands": [{ "type": "manual", "command": what, "playbook_activity": "step-sequence" }],
                "on_success": next, "on_failure": end, "step_extensions": { EXTENSION: { "id": uses.id, "uses": whose } },
            })
        }
        Link::Do(step) => done(step, (next, end), activities),
    }
}

fn done(step: &Step, (next, end): (&str, &str), activities: &mut BTreeSet<&'static str>) -> Value {
    let action = actions::get(&step.action);
    let mutates = action.is_some_and(Action::mutates);
    let activity = if mutates { "restrict-access" } else { "analyze-collected-data" };
    activities.insert(activity);
    let effect = action.map_or_else(|| step.action.clone(), |action| action.effect(&step.with));
    let mut object = json!({
        "type": "action", "name": step.id, "agent": RESPONDERS, "timeout": step.timeout * 1000,
        "commands": [{ "type": "manual", "command": in_variables(&effect), "playbook_activity": activity }],
        "step_extensions": { EXTENSION: {
            "id": step.id, "action": step.action, "with": step.with, "needs": step.needs, "on_failure": step.on_failure,
            "approval": step.approval, "timeout": step.timeout, "watch": step.watch, "why": step.why,
            "mutates": mutates, "reversible": action.is_none_or(Action::reversible),
            "undo": action.and_then(|action| action.undo_words(&step.with)),
            "permissions": action.map_or(&[][..], Action::permissions),
        } },
    });
    // People take as long as they take.
    if step.action == "task" || step.action == "manual" {
        object.as_object_mut().and_then(|object| object.remove("timeout"));
    }
    match step.on_failure {
        OnFailure::Continue => object["on_completion"] = json!(next),
        OnFailure::Stop | OnFailure::Undo => {
            object["on_success"] = json!(next);
            object["on_failure"] = json!(end);
        }
    }
    object
}

/// A placeholder as a variable's name.
fn variable(placeholder: &str) -> String {
    format!("__{}__", placeholder.replace('.', "_"))
}

fn in_variables(text: &str) -> String {
    PLACEHOLDERS
        .iter()
        .fold(text.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), &format!("{}:value", variable(name))))
}

/// The placeholders that the playbook uses: whoever runs it gives their values.
fn variables(playbook: &Playbook) -> BTreeMap<String, Value> {
    let values: Vec<&String> = playbook.steps.iter().flat_map(|step| step.with.values()).collect();
    let used = PLACEHOLDERS.iter().filter(|name| values.iter().any(|value| value.contains(&format!("{{{name}}}"))));
    used.map(|name| (variable(name), json!({ "type": "string", "description": name, "external": true }))).collect()
}
