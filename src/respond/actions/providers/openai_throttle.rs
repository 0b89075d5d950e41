//! `openai-project-throttle`: one request a minute for each model of the leaked key's project, until it is undone. It slows
//! down every key of that project, and cuts the bill within seconds without destroying anything.
//! Source: OpenAI API reference, Project rate limits
//! (<https://platform.openai.com/docs/api-reference/project-rate-limits>). unconfirmed: that 1 is accepted for every model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::keys::{Call, Desk, Trouble, segment, text};
use super::super::{Action, Doing, Needs, Outcome, World};
use super::openai::SERVICE;
use crate::net::Method;

const LIMIT: &str = "/max_requests_per_1_minute";
const FLOOR: u64 = 1;
const MOST: usize = 1000;

pub(super) struct Throttle;

/// Rate limits of the project: id → requests a minute.
type Limits = BTreeMap<String, u64>;

fn path(world: &World<'_>) -> Result<String, Trouble> {
    let project = world.plan.target.get("project");
    let project = project.ok_or_else(|| Trouble::Failed("the project of the key is not known".to_owned()))?;
    Ok(format!("/v1/organization/projects/{}/rate_limits", segment(project)))
}

async fn limits(desk: &Desk<'_>, path: &str) -> Result<Limits, Trouble> {
    let (mut limits, mut after) = (Limits::new(), String::new());
    while limits.len() < MOST {
        let answer = desk.get(&format!("{path}?limit=100{after}")).await?;
        let listed = answer.pointer("/data").and_then(Value::as_array);
        let listed = listed.ok_or_else(|| Trouble::Unknown("the list is not as it is documented".to_owned()))?;
        let read = |limit: &Value| Some((text(limit, "/id")?, limit.pointer(LIMIT)?.as_u64()?));
        limits.extend(listed.iter().filter_map(read));
        match text(&answer, "/last_id").filter(|_| answer.pointer("/has_more") == Some(&Value::Bool(true))) {
            Some(last) => after = format!("&after={}", segment(&last)),
            None => return Ok(limits),
        }
    }
    Err(Trouble::Failed("the project has more rate limits than can be read".to_owned()))
}

/// Brings limits about, each with one request, and looks whether they hold.
async fn bring(desk: &Desk<'_>, path: &str, wanted: &Limits) -> Outcome {
    let now = match limits(desk, path).await {
        Ok(now) => now,
        Err(trouble) => return trouble.settles(),
    };
    let differ: Vec<(&String, &u64)> =
        wanted.iter().filter(|(id, limit)| now.get(*id).is_some_and(|now| now != *limit)).collect();
    if differ.is_empty() {
        return Outcome::AlreadyDone(json!({ "limits": now }));
    }
    let mut refused = None;
    for (id, limit) in differ {
        let call = Call::new(Method::Post, format!("{path}/{}", segment(id)));
        let said = desk.act(call.json(&json!({ "max_requests_per_1_minute": limit }))).await;
        if let Err(trouble) = said {
            refused.get_or_insert(trouble);
        }
    }
    match (limits(desk, path).await, refused) {
        (Ok(after), _) if wanted.iter().all(|(id, limit)| after.get(id).is_none_or(|after| after == limit)) => {
            Outcome::Done(json!({ "limits": after }))
        }
        // Nothing has changed, so that what was said settles it.
        (Ok(after), Some(trouble)) if after == now => trouble.settles(),
        (Ok(_), Some(trouble)) => Outcome::Unknown(format!("some limits are as they were: {}", trouble.why())),
        (Ok(_), None) => Outcome::Unknown("the limits were accepted, but do not read back as they were set".to_owned()),
        (Err(trouble), _) => Outcome::Unknown(format!("the limits cannot be read back: {}", trouble.why())),
    }
}

fn desk<'w>(world: &'w World<'w>) -> Result<(Desk<'w>, String), Trouble> {
    Ok((Desk::open(world, &SERVICE, None)?, path(world)?))
}

impl Action for Throttle {
    fn name(&self) -> &'static str {
        "openai-project-throttle"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn needs(&self) -> Needs {
        Needs::Admin("openai")
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["an OpenAI admin key: project rate limits, read and write"]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "limit the key's whole project to one request a minute for each model, other keys of it too".to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("set the limits back to what they were, where the plan saw more than one a minute".to_owned())
    }

    fn same(&self, planned: &Value, now: &Value) -> bool {
        let limits = |seen: &Value| seen.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
        let (planned, now) = (limits(planned), limits(now));
        // Another run may have throttled the project meanwhile: that is what this one wants.
        let alike = |(id, limit): (&String, &Value)| now.get(id).is_some_and(|now| now == limit || now == FLOOR);
        planned.len() == now.len() && planned.iter().all(alike)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let (desk, path) = desk(world).map_err(Trouble::why)?;
            Ok(json!({ "limits": limits(&desk, &path).await.map_err(Trouble::why)? }))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let (desk, path) = match desk(world) {
                Ok(desk) => desk,
                Err(trouble) => return trouble.settles(),
            };
            // Without what they were there is no way back.
            let Some(before) = world.before.get("limits").and_then(Value::as_object) else {
                return Outcome::Refused("the plan did not see the limits that it would change".to_owned());
            };
            bring(&desk, &path, &before.keys().map(|id| (id.clone(), FLOOR)).collect()).await
        })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let (desk, path) = match desk(world) {
                Ok(desk) => desk,
                Err(trouble) => return trouble.settles(),
            };
            let before = before.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
            let before = before.iter().filter_map(|(id, limit)| Some((id.clone(), limit.as_u64()?)));
            // Where the plan saw it throttled already, whoever did that knows what it was: nothing to go back to.
            let (floor, wanted): (Limits, Limits) = before.partition(|(_, limit)| *limit <= FLOOR);
            if wanted.is_empty() && !floor.is_empty() {
                let why = "the plan saw every limit at one a minute already, so that what they were is not known here: undo the run \
                           that has set them, or set them in the console";
                return Outcome::AlreadyDone(json!({ "limits": floor, "left": why }));
            }
            bring(&desk, &path, &wanted).await
        })
    }
}
