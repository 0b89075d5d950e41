//! `openai-project-throttle`: one request a minute for each model of the leaked key's project, until it is undone. It slows
//! down every key of that project, and cuts the bill within seconds without destroying anything.
//! Source: OpenAI API reference, Project rate limits
//! (<https://platform.openai.com/docs/api-reference/project-rate-limits>). unconfirmed: that 1 is accepted for every model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::keys::{Call, Desk, Trouble, segment, text};
use super::super::stated::{Stated, Ways};
use super::super::{Doing, Outcome, World};
use super::openai_project::{desk, settled};
use crate::net::Method;

const LIMIT: &str = "/max_requests_per_1_minute";
const FLOOR: u64 = 1;
const MOST: usize = 1000;

pub(super) const THROTTLE: Stated = Stated {
    name: "openai-project-throttle",
    provider: "openai",
    permissions: &["an OpenAI admin key: project rate limits, read and write"],
    effect: "limit the key's whole project to one request a minute for each model, other keys of it too",
    undo: Some("set the limits back to what they were, where the plan saw more than one a minute"),
    same,
    ways: &Throttle,
    ..Stated::PLAIN
};

struct Throttle;

const PATH: &str = "rate_limits";

/// Rate limits of the project: id → requests a minute.
type Limits = BTreeMap<String, u64>;

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
async fn bring(desk: &Desk<'_>, path: &str, wanted: &Limits) -> Result<Outcome, Trouble> {
    let now = limits(desk, path).await?;
    let differ: Vec<(&String, &u64)> =
        wanted.iter().filter(|(id, limit)| now.get(*id).is_some_and(|now| now != *limit)).collect();
    if differ.is_empty() {
        return Ok(Outcome::AlreadyDone(json!({ "limits": now })));
    }
    let mut said = Ok(());
    for (id, limit) in differ {
        let call = Call::new(Method::Post, format!("{path}/{}", segment(id)));
        let one = desk.act(call.json(&json!({ "max_requests_per_1_minute": limit }))).await;
        said = said.and(one.map(drop));
    }
    let after = limits(desk, path).await;
    let holds = |after: &Limits| wanted.iter().all(|(id, limit)| after.get(id).is_none_or(|after| after == limit));
    Ok(settled(&now, (after, said), holds, |after| json!({ "limits": after })))
}

fn same(planned: &Value, now: &Value) -> bool {
    let limits = |seen: &Value| seen.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
    let (planned, now) = (limits(planned), limits(now));
    // Another run may have throttled the project meanwhile: that is what this one wants.
    let alike = |(id, limit): (&String, &Value)| now.get(id).is_some_and(|now| now == limit || now == FLOOR);
    planned.len() == now.len() && planned.iter().all(alike)
}

async fn applied(world: &World<'_>) -> Result<Outcome, Trouble> {
    let (desk, path) = desk(world, PATH)?;
    // Without what they were there is no way back.
    let Some(before) = world.before.get("limits").and_then(Value::as_object) else {
        return Ok(Outcome::Refused("the plan did not see the limits that it would change".to_owned()));
    };
    bring(&desk, &path, &before.keys().map(|id| (id.clone(), FLOOR)).collect()).await
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Trouble> {
    let (desk, path) = desk(world, PATH)?;
    let before = before.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
    let before = before.iter().filter_map(|(id, limit)| Some((id.clone(), limit.as_u64()?)));
    // Where the plan saw it throttled already, whoever did that knows what it was: nothing to go back to.
    let (floor, wanted): (Limits, Limits) = before.partition(|(_, limit)| *limit <= FLOOR);
    if wanted.is_empty() && !floor.is_empty() {
        let why = "the plan saw every limit at one a minute already, so that what they were is not known here: undo the run that has set \
                   them, or set them in the console";
        return Ok(Outcome::AlreadyDone(json!({ "limits": floor, "left": why })));
    }
    bring(&desk, &path, &wanted).await
}

impl Ways for Throttle {
    fn seen<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(async move {
            let (desk, path) = desk(world, PATH)?;
            Ok(json!({ "limits": limits(&desk, &path).await? }))
        })
    }

    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(applied(world).await?) })
    }

    fn undone<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(put_back(world, before).await?) })
    }
}
