//! `openai-project-spend-limit`: a hard limit of one cent a month for the leaked key's project, until it is undone. Rate limits count
//! requests to models; batches, images and audio are billed all the same, and end with the money. It stops every key of that project.
//! Source: OpenAI API reference and its Python library, Project spend limit (GET, POST, DELETE
//! `/organization/projects/{id}/spend_limit`; `threshold_amount` in cents, `currency` USD, `interval` month). unconfirmed: that a project
//! without a limit is answered with 404, and how soon it is enforced.

use serde_json::{Value, json};

use super::super::keys::{Call, Desk, Trouble};
use super::super::stated::{Stated, Ways};
use super::super::{Doing, Outcome, World};
use super::openai_project::{desk, settled};
use crate::net::Method;

/// Cents a month: the least there is.
const FLOOR: u64 = 1;

pub(super) const SPEND: Stated = Stated {
    name: "openai-project-spend-limit",
    provider: "openai",
    permissions: &["an OpenAI admin key: project spend limit, read and write"],
    effect: "limit what the key's whole project may spend to one cent a month, so that all its keys stop, also for batches, images and audio",
    undo: Some("set the limit back to what it was, or take it away where there was none"),
    // Another run may have limited the project meanwhile.
    same: |planned, now| planned == now || now.get("cents").is_some_and(|limit| *limit == FLOOR),
    must_see: true,
    ways: &SpendLimit,
    ..Stated::PLAIN
};

struct SpendLimit;

const PATH: &str = "spend_limit";

/// The limit in cents, where there is one.
async fn limit(desk: &Desk<'_>, path: &str) -> Result<Option<u64>, Trouble> {
    match desk.get(path).await {
        Ok(answer) => match answer.get("threshold_amount") {
            Some(Value::Null) => Ok(None),
            cents => cents
                .and_then(Value::as_u64)
                .map(Some)
                .ok_or_else(|| Trouble::Unknown("the limit is not as it is documented".to_owned())),
        },
        Err(Trouble::Absent) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Brings a limit about, or that there is none, and looks whether it is so.
async fn bring(desk: &Desk<'_>, path: &str, wanted: Option<u64>) -> Result<Outcome, Trouble> {
    let now = limit(desk, path).await?;
    if now == wanted {
        return Ok(Outcome::AlreadyDone(json!({ "cents": now })));
    }
    let call = match wanted {
        Some(cents) => {
            let body = json!({ "currency": "USD", "interval": "month", "threshold_amount": cents });
            Call::new(Method::Post, path).json(&body)
        }
        None => Call::new(Method::Delete, path),
    };
    let said = desk.act(call).await.map(drop);
    let after = limit(desk, path).await;
    Ok(settled(&now, (after, said), |after| *after == wanted, |after| json!({ "cents": after })))
}

async fn applied(world: &World<'_>) -> Result<Outcome, Trouble> {
    // Without what it was there is no way back.
    if world.before.get("cents").is_none() {
        return Ok(Outcome::Refused("the plan did not see the limit that it would change".to_owned()));
    }
    let (desk, path) = desk(world, PATH)?;
    bring(&desk, &path, Some(FLOOR)).await
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Trouble> {
    let (desk, path) = desk(world, PATH)?;
    match before.get("cents") {
        None => Ok(Outcome::Failed("the plan did not see the limit, so there is nothing to put back".to_owned())),
        // Whoever has set that knows what it was.
        Some(limit) if *limit == FLOOR => Ok(Outcome::AlreadyDone(json!({
            "cents": FLOOR, "left": "the plan saw this limit already: undo the run that has set it, or set it in the console"
        }))),
        Some(limit) => bring(&desk, &path, limit.as_u64()).await,
    }
}

impl Ways for SpendLimit {
    fn seen<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(async move {
            let (desk, path) = desk(world, PATH)?;
            Ok(json!({ "cents": limit(&desk, &path).await? }))
        })
    }

    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(applied(world).await?) })
    }

    fn undone<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(put_back(world, before).await?) })
    }
}
