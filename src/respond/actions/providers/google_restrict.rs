//! `google-key-restrict`: a Google API key serves callers from one address alone, which nobody has, until that is undone; so every API that
//! it serves is stopped, and comes back with what restricted the key before. For keys that serve maps and pages as well, of which nobody
//! knows whether they may be deleted.
//! Source: API Keys API, v2: `keys.patch` with `updateMask=restrictions` ("Mutable fields are: displayName, restrictions, and annotations")
//! and `Restrictions` (of browser, server, Android and iOS one; `apiTargets` beside it)
//! (<https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys/patch>); RFC 5737, addresses for documentation.
//! unconfirmed: how long it takes to be known everywhere (the console says "up to five minutes").

use std::time::Duration;

use serde_json::{Value, json};

use super::super::keys::{Call, Desk, Leaked, Trouble};
use super::super::stated::{Stated, Ways};
use super::super::{Doing, Outcome, Role, World};
use super::google::{DELETED, KEY_DELETE, SERVICE};
use crate::net::Method;

/// TEST-NET-1: nobody calls from there.
const NOWHERE: &str = "192.0.2.1";
const RESTRICTED: &str = "restricted";
const ACTIVE: &str = "active";
/// A change may take a moment to show.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) const KEY_RESTRICT: Stated = Stated {
    name: "google-key-restrict",
    provider: "google",
    role: Role::Stops,
    permissions: &["apikeys.keys.lookup", "apikeys.keys.get", "apikeys.keys.update"],
    effect: "let the key serve callers from 192.0.2.1 alone, which is nobody's address, so that every API that it serves is stopped",
    undo: Some("put back the restrictions that it had, if nobody has changed them since"),
    shut: &[RESTRICTED, DELETED],
    ways: &Restrict,
    ..Stated::PLAIN
};

struct Restrict;

/// What a key is restricted to; an empty object where it is not.
fn restrictions(key: &Value) -> Value {
    key.get("restrictions").filter(|all| !all.is_null()).cloned().unwrap_or_else(|| json!({}))
}

/// What it is restricted to while it is stopped: to the same services, for nobody.
fn closed(before: &Value) -> Value {
    let mut closed = json!({ "serverKeyRestrictions": { "allowedIps": [NOWHERE] } });
    if let Some(targets) = before.get("apiTargets") {
        closed["apiTargets"] = targets.clone();
    }
    closed
}

/// The key as it is now.
async fn read(desk: &Desk<'_>, id: &str) -> Result<Value, Trouble> {
    let key = match desk.get(id).await {
        // A deleted key rests for 30 days, seen or not.
        Err(Trouble::Absent) => json!({ "deleteTime": true }),
        key => key?,
    };
    let now = restrictions(&key);
    let state = match key.get("deleteTime") {
        Some(_) => DELETED,
        None if now.pointer("/serverKeyRestrictions/allowedIps") == Some(&json!([NOWHERE])) => RESTRICTED,
        None => ACTIVE,
    };
    let about = key.get("displayName").cloned().unwrap_or_default();
    Ok(json!({ "object": id, "state": state, "about": about, "restrictions": now }))
}

/// Asks for restrictions once, and looks whether they are so.
async fn bring(desk: &Desk<'_>, id: &str, wanted: &Value) -> Result<Outcome, Trouble> {
    let call = Call::new(Method::Patch, format!("{id}?updateMask=restrictions"));
    let said = match desk.act(call.json(&json!({ "restrictions": wanted }))).await {
        Ok(_) | Err(Trouble::Absent) => "the change was accepted".to_owned(),
        Err(Trouble::Unknown(why)) => why,
        Err(trouble) => return Err(trouble),
    };
    for look in 1.. {
        match read(desk, id).await {
            Ok(now) if now.get("restrictions") == Some(wanted) => return Ok(Outcome::Done(now)),
            Ok(now) if look >= LOOKS => {
                return Ok(Outcome::Unknown(format!(
                    "{said}, but it still reads as {}",
                    now["state"].as_str().unwrap_or("?")
                )));
            }
            Ok(_) => {}
            Err(trouble) => {
                return Ok(Outcome::Unknown(format!("{said}, but it cannot be read back: {}", trouble.why())));
            }
        }
        tokio::time::sleep(PAUSE * look).await;
    }
    Ok(Outcome::Unknown(said))
}

/// The key that is the leaked one, and how it is now.
async fn located<'w>(world: &'w World<'w>, leaked: Option<&'w Leaked>) -> Result<(Desk<'w>, String, Value), Trouble> {
    let desk = Desk::open(world, &SERVICE, leaked)?;
    let id = KEY_DELETE.located(&desk, leaked).await?.id;
    let now = read(&desk, &id).await?;
    Ok((desk, id, now))
}

async fn restricted(world: &World<'_>) -> Result<Outcome, Trouble> {
    let leaked = Leaked::recall(world).map_err(|why| Trouble::Refused { status: 0, why })?;
    let (desk, id, now) = located(world, leaked.as_ref()).await?;
    if now["state"] != ACTIVE {
        return Ok(Outcome::AlreadyDone(now));
    }
    // Without what it was restricted to there is no way back.
    let Some(before) = world.before.get("restrictions").filter(|before| **before == now["restrictions"]) else {
        let what = "the plan did not see the restrictions that it would change, or they have changed since; make a new one";
        return Ok(Outcome::Refused(what.to_owned()));
    };
    bring(&desk, &id, &closed(before)).await
}

async fn put_back(world: &World<'_>, before: &Value) -> Result<Outcome, Trouble> {
    let (Some(id), Some(wanted)) = (before.get("object").and_then(Value::as_str), before.get("restrictions")) else {
        return Ok(Outcome::AlreadyDone(Value::Null));
    };
    let desk = Desk::open(world, &SERVICE, None)?;
    let now = read(&desk, id).await?;
    match now["state"].as_str() {
        _ if now["restrictions"] == *wanted && now["state"] == before["state"] => Ok(Outcome::AlreadyDone(now)),
        Some(DELETED) => Ok(Outcome::Failed("it was deleted since".to_owned())),
        Some(RESTRICTED) => bring(&desk, id, wanted).await,
        _ => Ok(Outcome::AlreadyDone(
            json!({ "left": "somebody has restricted it otherwise since, which was left", "now": now }),
        )),
    }
}

impl Ways for Restrict {
    fn seen<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Outcome>> {
        Box::pin(async move {
            let leaked = Leaked::recall(world).map_err(Outcome::Refused)?;
            let (_, _, now) = located(world, leaked.as_ref()).await?;
            Ok(now)
        })
    }

    fn done<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(restricted(world).await?) })
    }

    fn undone<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Result<Outcome, Outcome>> {
        Box::pin(async move { Ok(put_back(world, before).await?) })
    }
}
