//! The stores of a plan, and what each holds now.

use serde_json::{Value, json};

use super::super::World;
use super::super::keys::Trouble;
use super::Mint;
use crate::respond::stores::{Held, LARGEST, Store, find};
use crate::secret::Secret;

/// A store that holds the credential, or did when the plan was made.
pub(super) struct Place {
    pub(super) store: Box<dyn Store>,
    pub(super) held: Held,
    /// The old one's parts that stand in it now, with their values.
    pub(super) old: Vec<(String, Secret)>,
    /// The parts that stood in it when the plan was made.
    pub(super) planned: Vec<String>,
}

/// What the plan says of a store.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) parts: Vec<String>,
}

/// What every known store holds, for the plan. One that cannot be read is said to be unknown, never to hold nothing.
pub(super) async fn seen(mint: &dyn Mint, world: &World<'_>) -> Vec<Value> {
    let mut seen = Vec::new();
    let scrubber = world.hands.scrubber(&world.plan.fingerprint);
    for store in world.hands.stores.open(&world.plan.files) {
        let name = store.name();
        match look(mint, world, &*store).await {
            Ok((held, parts)) if !parts.is_empty() => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                let mut one = json!({
                    "store": name, "version": held.version, "parts": parts, "needs": store.permissions(),
                    "keeps": store.keeps(),
                });
                if store.said().is_some() {
                    one["by_word"] = json!(true);
                }
                seen.push(one);
            }
            // It is somebody else's matter what else it holds, and how often that changes.
            Ok(_) => seen.push(json!({ "store": name, "parts": [] })),
            // Services say so too of what they do not show, and of what is in another Region.
            Err(Trouble::Absent) => seen.push(json!({
                "store": name, "unknown": "it is not there, or not shown to us", "needs": store.permissions(),
            })),
            Err(Trouble::Refused { why, .. }) => seen.push(json!({
                "store": name, "unknown": scrubber.scrub(&why), "needs": store.permissions(),
            })),
            Err(trouble) => seen.push(json!({ "store": name, "unknown": scrubber.scrub(&trouble.why()) })),
        }
    }
    seen
}

/// What a store holds, and which of the old one's parts stand in it.
async fn look(mint: &dyn Mint, world: &World<'_>, store: &dyn Store) -> Result<(Held, Vec<String>), Trouble> {
    let held = store.read(world.hands).await?;
    let unfit = |why: String| Trouble::Refused { status: 0, why };
    if let Some((held_one, part)) = store.said() {
        if held_one != world.plan.fingerprint {
            return Ok((held, Vec::new()));
        }
        mint.fits(world, None, &[]).map_err(unfit)?;
        return Ok((held, vec![part.to_owned()]));
    }
    let parts = old(world, &held)?;
    if !parts.is_empty() {
        mint.fits(world, Some(&held), &parts).map_err(unfit)?;
    }
    Ok((held, parts.into_iter().map(|(name, _)| name).collect()))
}

/// The old one's parts in what a store holds.
pub(super) fn old(world: &World<'_>, held: &Held) -> Result<Vec<(String, Secret)>, Trouble> {
    let key = world.hands.stores.key.as_ref();
    let key = key.ok_or_else(|| Trouble::Failed("fingerprints have no key to be compared with".to_owned()))?;
    if held.fields.iter().map(|(_, text)| text.expose().len()).sum::<usize>() > LARGEST {
        let why = format!("it holds more than {} KiB, which nobody looks through for one value", LARGEST >> 10);
        return Err(Trouble::Refused { status: 0, why });
    }
    Ok(find(&held.fields, &world.plan.parts, key))
}

/// The stores that the plan saw the credential in.
///
/// # Errors
/// One could not be read then, so that it is not known whether it holds it; or none does.
pub(super) fn planned(world: &World<'_>) -> Result<Vec<Planned>, String> {
    let planned = listed(world.before)?;
    halves(world, &planned)?;
    if planned.is_empty() {
        let what = "no store that is known holds the credential, so a new one would reach nobody; list where it is kept as a \
                    [[responder.store]] in the settings file, and make a new plan";
        return Err(what.to_owned());
    }
    Ok(planned)
}

/// The same, by what a replacement saw when the plan was made.
pub(super) fn listed(before: &Value) -> Result<Vec<Planned>, String> {
    let text = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
    let all = before.get("stores").and_then(Value::as_array);
    let all = all.ok_or_else(|| "the plan did not see the stores; make a new plan".to_owned())?;
    let mut planned = Vec::new();
    for one in all {
        let name = text(one, "store").unwrap_or_default();
        if let Some(why) = text(one, "unknown") {
            return Err(format!(
                "whether {name} holds the credential is not known ({why}); nothing was minted: mend that or take it out of the \
                 settings file, and make a new plan"
            ));
        }
        let parts = one.get("parts").and_then(Value::as_array).into_iter().flatten();
        let parts: Vec<String> = parts.filter_map(|part| Some(part.as_str()?.to_owned())).collect();
        if !parts.is_empty() {
            planned.push(Planned { name, version: text(one, "version").unwrap_or_default(), parts });
        }
    }
    Ok(planned)
}

/// A new id beside an old secret works nowhere, and a new secret that no store takes is lost: every part must have its place, and
/// a store that holds some parts only must have others beside it that hold the rest.
///
/// # Errors
/// Which part is where.
fn halves(world: &World<'_>, planned: &[Planned]) -> Result<(), String> {
    let detector = world.hands.detector.as_ref();
    let specs = detector.map_or(&[][..], |detector| &detector.parts);
    let parts: Vec<&str> =
        // What is public and stands beside the value, like a host or a role's id, is not replaced.
        specs.iter().enumerate().filter(|(n, part)| *n == 0 || (part.required && !part.public)).map(|(_, part)| &*part.name).collect();
    let holds = |one: &Planned, part: &str| one.parts.iter().any(|held| held == part);
    let some: Vec<&Planned> = planned.iter().filter(|one| !parts.iter().all(|part| holds(one, part))).collect();
    for one in &some {
        if let Some(missing) = parts.iter().find(|part| !some.iter().any(|other| holds(other, part))) {
            return Err(format!(
                "{} holds only a part of the credential ({}), and no known store holds its {missing} beside that; nothing was \
                 minted: list where it is as a [[responder.store]], and make a new plan",
                one.name,
                one.parts.join(", ")
            ));
        }
    }
    Ok(())
}

/// The same without the versions of stores that can be read: whatever else stands in one is somebody else's, another leaked
/// credential that is replaced in the same store among them. Each write compares with what was read just before it. Of a store that
/// nobody can read the version is all that is known.
pub(super) fn unversioned(seen: &Value) -> Value {
    let mut seen = seen.clone();
    for one in seen.get_mut("stores").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = one.as_object_mut().filter(|fields| !fields.contains_key("by_word")) {
            fields.remove("version");
        }
    }
    seen
}

/// Whether stores that keep earlier versions hold every part that is written, so that it can be written back out of them.
pub(super) fn kept(before: &Value) -> bool {
    let stores = before.get("stores").and_then(Value::as_array);
    let parts = |keeping: bool| {
        let stores =
            stores.into_iter().flatten().filter(move |one| !keeping || one.get("keeps") == Some(&Value::Bool(true)));
        stores.filter_map(|one| one.get("parts")?.as_array()).flatten().filter_map(Value::as_str)
    };
    parts(false).all(|part| parts(true).any(|kept| kept == part))
}

/// Reads them again.
pub(super) async fn read(world: &World<'_>, planned: &[Planned]) -> Result<Vec<Place>, Trouble> {
    let refused = |why: String| Trouble::Refused { status: 0, why };
    let mut stores = world.hands.stores.open(&world.plan.files);
    let mut places = Vec::new();
    for one in planned {
        let at = stores.iter().position(|store| store.name() == one.name);
        let at = at.ok_or_else(|| refused(format!("{} is not in the settings file any more", one.name)))?;
        let store = stores.swap_remove(at);
        let named = |trouble: Trouble| match trouble {
            Trouble::Unknown(why) => Trouble::Unknown(format!("{}: {why}", one.name)),
            other => refused(format!("{}: {}", one.name, other.why())),
        };
        let held = store.read(world.hands).await.map_err(named)?;
        let old = match store.said() {
            // What nobody can read holds what it is said to hold, until it is written.
            Some((print, _)) if print == world.plan.fingerprint && held.version == one.version => {
                one.parts.iter().map(|part| (part.clone(), Secret::new(b""))).collect()
            }
            Some(_) => Vec::new(),
            None => old(world, &held)?,
        };
        places.push(Place { store, held, old, planned: one.parts.clone() });
    }
    Ok(places)
}
