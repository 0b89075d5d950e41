//! CACAO → a playbook file. One that was exported here comes back as it was. Of any other, a plain sequence of manual commands can
//! be told as tasks for people; what cannot be told is named, and nothing is made of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::RespondError;
use super::EXTENSION;

/// A text in quotes as TOML takes it; JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn list(value: &Value) -> String {
    let all: Vec<String> = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(quoted).collect();
    format!("[{}]", all.join(", "))
}

/// The text of a playbook file.
///
/// # Errors
/// [`RespondError::Format`] with every step that a playbook file has no words for.
pub fn import(file: &std::path::Path, text: &[u8]) -> Result<String, RespondError> {
    let wrong = |what: String| RespondError::Format { path: file.to_owned(), what };
    let object: Value = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
    if object["type"] != "playbook" || object["spec_version"] != "cacao-2.0" {
        return Err(wrong("it is no CACAO 2.0 playbook".to_owned()));
    }
    let own = &object["playbook_extensions"][EXTENSION];
    let (steps, seen) = in_order(&object).map_err(wrong)?;
    let summary = object["description"].as_str().or(object["name"].as_str()).unwrap_or("a playbook");
    let summary = summary.lines().next().unwrap_or_default();
    let mode = own["mode"].as_str().unwrap_or("contain");
    let mut toml =
        format!("summary = {}\nmode = {}\ndetectors = {}\n", quoted(summary), quoted(mode), list(&own["detectors"]));
    if own.is_null() {
        toml.insert_str(0, "# From another's CACAO playbook: say in `detectors` what it is for.\n");
    }
    // A branch for failures, a parallel one: what a playbook file cannot say is not left out in silence.
    let missed = object["workflow"].as_object().into_iter().flatten().filter(|(id, _)| !seen.contains(id.as_str()));
    let mut troubles: Vec<String> =
        missed.map(|(_, step)| format!("{} is on no way of successes from the start to the end", name(step))).collect();
    for (number, step) in steps.iter().enumerate() {
        match told(step, number) {
            Ok(Some(text)) => toml.push_str(&text),
            Ok(None) => {}
            Err(why) => troubles.push(why),
        }
    }
    if troubles.is_empty() { Ok(toml) } else { Err(wrong(troubles.join("; "))) }
}

/// The steps from the start to the end, one after the other.
fn in_order(object: &Value) -> Result<(Vec<&Value>, BTreeSet<&str>), String> {
    let step = |id: &str| object["workflow"].get(id).ok_or_else(|| format!("the workflow has no step {id:?}"));
    let mut at = object["workflow_start"].as_str().ok_or("it does not say where it starts")?;
    let (mut steps, mut seen) = (Vec::new(), BTreeSet::new());
    loop {
        if !seen.insert(at) {
            return Err(format!("its steps go in a circle at {at:?}"));
        }
        let this = step(at)?;
        match this["type"].as_str() {
            Some("end") => return Ok((steps, seen)),
            Some("start") => {}
            _ => steps.push(this),
        }
        let next = this["on_success"].as_str().or(this["on_completion"].as_str());
        at = next.ok_or_else(|| format!("{} does not say what comes next", name(this)))?;
    }
}

fn name(step: &Value) -> String {
    step["name"].as_str().or(step["type"].as_str()).unwrap_or("a step").to_owned()
}

/// A step as TOML; nothing for one that another step implies.
fn told(step: &Value, number: usize) -> Result<Option<String>, String> {
    let own = &step["step_extensions"][EXTENSION];
    if own.get("approves").is_some() {
        return Ok(None);
    }
    if let (Some(id), uses) = (own["id"].as_str(), &own["uses"])
        && !uses.is_null()
    {
        let whose = uses.as_str().map_or_else(|| table(uses), quoted);
        return Ok(Some(format!("\n[[step]]\nid = {}\nuses = {whose}\n", quoted(id))));
    }
    if own["action"].is_string() { Ok(Some(ours(own))) } else { manual(step, number).map(Some) }
}

fn table(value: &Value) -> String {
    let each = value.as_object().into_iter().flatten();
    let each: Vec<String> =
        each.map(|(key, value)| format!("{} = {}", quoted(key), quoted(value.as_str().unwrap_or_default()))).collect();
    format!("{{ {} }}", each.join(", "))
}

/// A step that was exported here.
fn ours(own: &Value) -> String {
    let mut lines = vec!["\n[[step]]".to_owned()];
    let mut line = |key: &str, value: String| lines.push(format!("{key} = {value}"));
    for key in ["id", "action", "on_failure", "approval"] {
        line(key, quoted(own[key].as_str().unwrap_or_default()));
    }
    if own["with"].as_object().is_some_and(|with| !with.is_empty()) {
        line("with", table(&own["with"]));
    }
    line("needs", list(&own["needs"]));
    for key in ["timeout", "watch"] {
        line(key, own[key].as_u64().unwrap_or_default().to_string());
    }
    if let Some(why) = own["why"].as_str() {
        line("irreversible", "true".to_owned());
        line("why", quoted(why));
    }
    lines.join("\n") + "\n"
}

/// Another's step: only what a person does can be told.
fn manual(step: &Value, number: usize) -> Result<String, String> {
    let kind = step["type"].as_str().unwrap_or_default();
    if kind != "action" {
        return Err(format!("{} is a {kind:?} step, which a playbook file cannot say", name(step)));
    }
    let commands: Vec<&Value> = step["commands"].as_array().into_iter().flatten().collect();
    if let Some(other) = commands.iter().find(|command| command["type"] != "manual" || !command["command"].is_string()) {
        return Err(format!("{} holds a {} command; only manual ones become tasks for people", name(step), other["type"]));
    }
    let what: Vec<&str> = commands.iter().filter_map(|command| command["command"].as_str()).collect();
    let letters = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let id = format!("{}-{}", number + 1, name(step).chars().map(letters).take(40).collect::<String>());
    let what = what.join("; ").replace(['{', '}'], "");
    Ok(format!("\n[[step]]\nid = {}\naction = \"task\"\nwith = {{ do = {} }}\n", quoted(&id), quoted(&what)))
}
