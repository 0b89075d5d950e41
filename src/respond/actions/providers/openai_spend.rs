//! `openai-project-spend-limit`: a hard limit of one cent a month for the leaked key's project, until it is undone. Rate limits count
//! requests to models; batches, images and audio are billed all the same, and end with the money. It stops every key of that project.
//! Source: OpenAI API reference and its Python library, Project spend limit (GET, POST, DELETE
//! `/organization/projects/{id}/spend_limit`; `threshold_amount` in cents, `currency` USD, `interval` month). unconfirmed: that a project
//! without a limit is answered with 404, and how soon it is enforced.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::keys::{Call, Desk, Trouble, segment};
use super::super::{Action, Doing, Needs, Outcome, World};
use super::openai::SERVICE;
use crate::net::Method;

/// Cents a month: the least there is.
const FLOOR: u64 = 1;

pub(super) struct SpendLimit;

fn desk<'w>(world: &'w World<'w>) -> Result<(Desk<'w>, String), Trouble> {
    let project = world.plan.target.get("project");
    let project = project.ok_or_else(|| Trouble::Failed("the project of the key is not known".to_owned()))?;
    Ok((Desk::open(world, &SERVICE, None)?, format!("/v1/organization/projects/{}/spend_limit", segment(project))))
}

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
    let said = desk.act(call).await;
    match (limit(desk, path).await, said) {
        (Ok(after), _) if after == wanted => Ok(Outcome::Done(json!({ "cents": after }))),
        // Nothing has changed, so that what was said settles it.
        (Ok(after), Err(trouble)) if after == now => Err(trouble),
        (Ok(_), _) => Ok(Outcome::Unknown("the limit does not read back as it was set".to_owned())),
        (Err(trouble), _) => Ok(Outcome::Unknown(format!("the limit cannot be read back: {}", trouble.why()))),
    }
}

async fn applied(world: &World<'_>) -> Result<Outcome, Trouble> {
    // Without what it was there is no way back.
    if world.before.get("cents").is_none() {
        return Ok(Outcome::Refused("the plan did not see the limit that it would change".to_owned()));
    }
    let (desk, path) = desk(world)?;
    bring(&desk, &path, Some(FLOOR)).await
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Trouble> {
    let (desk, path) = desk(world)?;
    match before.get("cents") {
        None => Ok(Outcome::Failed("the plan did not see the limit, so there is nothing to put back".to_owned())),
        // Whoever has set that knows what it was.
        Some(limit) if *limit == FLOOR => Ok(Outcome::AlreadyDone(json!({
            "cents": FLOOR, "left": "the plan saw this limit already: undo the run that has set it, or set it in the console"
        }))),
        Some(limit) => bring(&desk, &path, limit.as_u64()).await,
    }
}

impl Action for SpendLimit {
    fn name(&self) -> &'static str {
        "openai-project-spend-limit"
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
        &["an OpenAI admin key: project spend limit, read and write"]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "limit what the key's whole project may spend to one cent a month, so that all its keys stop, also for batches, images and audio"
            .to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        Some("set the limit back to what it was, or take it away where there was none".to_owned())
    }

    fn must_see(&self) -> bool {
        true
    }

    fn same(&self, planned: &Value, now: &Value) -> bool {
        // Another run may have limited the project meanwhile.
        planned == now || now.get("cents").is_some_and(|limit| *limit == FLOOR)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let (desk, path) = desk(world).map_err(Trouble::why)?;
            Ok(json!({ "cents": limit(&desk, &path).await.map_err(Trouble::why)? }))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { applied(world).await.unwrap_or_else(Trouble::settles) })
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(async move { put_back(world, before).await.unwrap_or_else(Trouble::settles) })
    }
}
