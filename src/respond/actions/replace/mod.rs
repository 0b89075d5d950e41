//! Replaces a credential: mints another beside it and writes that to every store that holds the old one, as one step. The new
//! value goes from the provider's answer to the stores, never into the journal, and is wiped.
//!
//! No provider takes a token by which a repeated mint would be known. So the step notes that it is about to mint, and after it
//! what was minted: its public id, and keyed fingerprints of its parts. Whoever goes on after a crash finds either a key that
//! nobody holds, which is removed before another is minted, or the new value in a store, by its fingerprint, and writes on.
//! A list may be behind its own mint: where an answer was lost and no key is listed, nothing is minted for five minutes, and then
//! only once a person has said that there is none. There are two at once only if that person was wrong.

mod back;
mod carry;
mod places;
mod probe;
mod put;
mod rolling;
#[cfg(test)]
mod tests;

pub(super) use probe::credential;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keys::Trouble;
use super::{Action, Doing, Needs, Outcome, Record, Role, World};
use crate::model::{Liveness, Plan, PlannedStep, StepState};
use crate::respond::stores::{Held, Login};
use crate::secret::{Fingerprint, Secret};

/// A key of the provider's, beside which or as which the new one shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// What names it there; public.
    pub(super) id: String,
    /// Its state in one word.
    pub(super) state: String,
    /// The name that it was made under, where keys have names.
    pub(super) label: Option<String>,
    /// When it was made, where that is told.
    pub(super) made: Option<Timestamp>,
}

/// A new credential. Its value is nowhere else.
pub(super) struct Minted {
    /// What names it at its provider; public.
    pub(super) id: String,
    /// Its parts, by the names that the old one's have.
    pub(super) parts: Vec<(String, Secret)>,
}

/// How a provider makes credentials.
pub(super) trait Mint: Sync {
    /// The action's name in playbooks.
    fn name(&self) -> &'static str;
    /// The arguments that it needs.
    fn takes(&self) -> &'static [&'static str];
    /// With whose means it acts.
    fn needs(&self) -> Needs;
    /// The permissions that minting and removing use.
    fn permissions(&self) -> &'static [&'static str];
    /// What is minted, in words.
    fn what(&self, with: &BTreeMap<String, String>) -> String;
    /// What ends for good as soon as one is minted, in words: what stood in the place that it takes.
    fn ends(&self) -> Option<&'static str> {
        None
    }
    /// The keys there are, as far as a new one would stand among them. Where keys have names, those named so alone.
    fn listed<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>>;
    /// Whether there is room for one more.
    fn room(&self, _world: &World<'_>, _keys: &[Key]) -> Result<(), String> {
        Ok(())
    }
    /// Where what is minted has a name of its own, which stands in stores before its value and changes with it: the login of a
    /// URL. `seen` is what the plan saw.
    fn login(&self, _seen: &Value, _id: &str) -> Option<Login> {
        None
    }
    /// Whether a new one could stand in a store where the old one's parts do. Of one that nobody can read nothing is held.
    ///
    /// # Errors
    /// What stands in the way.
    fn fits(&self, _world: &World<'_>, _held: Option<&Held>, _old: &[(String, Secret)]) -> Result<(), String> {
        Ok(())
    }
    /// Whether one with these parts works, where the detector does not say how that is asked.
    fn works<'a>(&'a self, _world: &'a World<'_>, _parts: &'a [(String, Secret)]) -> Option<Doing<'a, Liveness>> {
        None
    }
    /// What names the old one there, where the plan must have seen it: its name, or an object with it as `object` and whatever
    /// else must stay as it is.
    fn about<'a>(&'a self, _world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(async { Ok(Value::Null) })
    }
    /// When a key was used last, by the provider's record.
    fn used<'a>(&'a self, _world: &'a World<'_>, _id: &'a str) -> Doing<'a, Result<Option<Timestamp>, Trouble>> {
        Box::pin(async { Err(Trouble::Failed("its provider does not tell when a key was used".to_owned())) })
    }
    /// By how much the clock of that record may be ahead of this one, as [`ahead`] tells it from when the new one was made.
    /// Nothing where that is not told.
    fn ahead<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Duration>, Trouble>> {
        Box::pin(async move {
            let keys = self.listed(world, &label(world.plan)).await?;
            let made = keys.into_iter().find(|key| key.id == id).and_then(|key| key.made);
            Ok(ahead(world, made))
        })
    }
    /// When the old one was used last, by the provider's record. `seen` is what the plan saw.
    fn old_use<'a>(&'a self, _world: &'a World<'_>, _seen: &'a Value) -> Doing<'a, Result<Record, Trouble>> {
        Box::pin(async { Ok(Record::None) })
    }
    /// Makes one: one request.
    fn mint<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Minted, Trouble>>;
    /// Takes one away again that nobody uses.
    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>>;
}

/// The action over a provider's way of minting.
pub(super) struct Replace(pub(super) &'static dyn Mint);

/// What a step has noted on its way.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Noted {
    /// A mint was begun, and how it ended is not known: there may be a key that nobody holds.
    minting: bool,
    /// When.
    since: Option<Timestamp>,
    /// The keys that there were just before: none of them is ours.
    seen: Vec<String>,
    /// What was minted.
    id: Option<String>,
    /// Fingerprints of its parts.
    parts: BTreeMap<String, Vec<Fingerprint>>,
    /// Keys that nobody held and that were removed.
    removed: Vec<String>,
    /// Keys that were asked for, of which a person said that there are none. One may show up all the same.
    lost: Vec<Lost>,
    /// When its provider had accepted it, just before the first store had it: later uses are somebody's.
    accepted: Option<Timestamp>,
    /// When a store was written and nobody knew what came of it.
    doubt: Option<Timestamp>,
}

/// A key that was asked for and that nobody has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
struct Lost {
    /// When it was asked for.
    at: Timestamp,
    /// Who said that there is none.
    said_by: String,
}

/// As it stands in journals: earlier ones have the moment alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Moment(Timestamp),
    Whole { at: Timestamp, said_by: String },
}

impl From<Written> for Lost {
    fn from(written: Written) -> Self {
        match written {
            Written::Moment(at) => Self { at, said_by: "somebody".to_owned() },
            Written::Whole { at, said_by } => Self { at, said_by },
        }
    }
}

impl Noted {
    fn of(world: &World<'_>) -> Self {
        let status = world.so_far.iter().find(|status| status.id == world.step);
        status.and_then(|status| serde_json::from_value(status.noted.clone()).ok()).unwrap_or_default()
    }

    /// There is no key of this run's any more.
    fn forget(&mut self) {
        let (removed, lost) = (std::mem::take(&mut self.removed), std::mem::take(&mut self.lost));
        *self = Self { removed, lost, ..Self::default() };
    }

    /// When keys were asked for of which nobody knows whether they were made.
    fn asked(&self) -> impl Iterator<Item = Timestamp> {
        self.lost.iter().map(|lost| lost.at).chain(self.since.filter(|_| self.minting && self.id.is_none()))
    }

    /// Who said last that there is none.
    fn said_by(&self) -> Option<&str> {
        self.lost.last().map(|lost| lost.said_by.as_str())
    }

    /// A key that was asked for has shown up and was taken away. Where several were asked for, the others may show up yet: which
    /// one it was is told by when it was made; where that is not known, each is still looked for.
    fn has_gone(&mut self, key: &Key) {
        // A list may still show one that was taken away before: that is none of those that are looked for.
        if self.removed.contains(&key.id) {
            return;
        }
        self.removed.push(key.id.clone());
        let asked: Vec<Timestamp> = self.asked().collect();
        let which = match key.made {
            Some(made) => (0..asked.len()).min_by_key(|at| asked[*at].duration_since(made).unsigned_abs()),
            None => (asked.len() == 1).then_some(0),
        };
        match which {
            Some(at) if at < self.lost.len() => drop(self.lost.remove(at)),
            Some(_) => self.forget(),
            None => {}
        }
    }

    async fn write(&self, world: &World<'_>) -> Result<(), String> {
        let notes = world.notes.ok_or_else(|| "there is no journal to note it in".to_owned())?;
        notes.write(json!(self)).await
    }
}

/// The name of what a plan mints: the same at every attempt, and no other plan's.
pub(super) fn label(plan: &Plan) -> String {
    let print = plan.fingerprint.to_string();
    let digest = print.split_once('-').map_or(print.as_str(), |(_, digest)| digest);
    format!("staunch-{}-{}", &digest[..8.min(digest.len())], plan.made_at.as_second())
}

/// The step of a plan that replaces.
fn step(plan: &Plan) -> Option<&PlannedStep> {
    plan.steps.iter().find(|step| super::get(&step.action).is_some_and(|action| action.role() == Role::Replaces))
}

/// A store that holds the old one again, after this run has put the new one there: something else writes it (a controller, a
/// deployment, Terraform), and whoever reads it next would be left without a key.
pub(super) async fn reverted(world: &World<'_>) -> Result<Option<String>, Trouble> {
    Ok(all_reverted(world).await?.into_iter().next())
}

/// Every such store.
pub(super) async fn all_reverted(world: &World<'_>) -> Result<Vec<String>, Trouble> {
    let Some(step) = step(world.plan) else { return Ok(Vec::new()) };
    let planned = places::listed(&step.observed).map_err(Trouble::Failed)?;
    let places = places::read(world, &planned).await?;
    Ok(places.iter().filter(|place| !place.old.is_empty()).map(|place| place.store.name()).collect())
}

/// What a run has put in the old one's place: its id at the provider, and when every store held it.
pub(super) fn replacement(world: &World<'_>) -> Option<(String, Timestamp)> {
    let step = step(world.plan)?;
    let status = world.so_far.iter().find(|status| status.state == StepState::Succeeded && status.id == step.id)?;
    let evidence = status.evidence.get("already").unwrap_or(&status.evidence);
    Some((evidence.get("id")?.as_str()?.to_owned(), status.at?))
}

/// When what a run has put in the old one's place was asked for, by this clock.
pub(super) fn asked(world: &World<'_>) -> Option<Timestamp> {
    let step = step(world.plan)?;
    let status = world.so_far.iter().find(|status| status.id == step.id)?;
    serde_json::from_value::<Noted>(status.noted.clone()).ok()?.since
}

/// By how much the clock of a provider's record is ahead of this one: by no more than what it put in the old one's place was made after
/// it was asked for, and a second more, as records tell whole ones. Nothing where either is not told.
pub(super) fn ahead(world: &World<'_>, made: Option<Timestamp>) -> Option<Duration> {
    let (asked, made) = asked(world).zip(made)?;
    let ahead = Duration::try_from(made.duration_since(asked)).unwrap_or_default();
    Some(if ahead.is_zero() { ahead } else { ahead + Duration::from_secs(1) })
}

impl Action for Replace {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn takes(&self) -> &'static [&'static str] {
        self.0.takes()
    }

    fn mutates(&self) -> bool {
        true
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }

    fn role(&self) -> Role {
        Role::Replaces
    }

    fn reversible(&self) -> bool {
        self.0.ends().is_none()
    }

    fn walks_back(&self) -> bool {
        true
    }

    fn permissions(&self) -> &'static [&'static str] {
        self.0.permissions()
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        format!(
            "mint {}, wait until the provider accepts it, and write it to every known store that holds the old one; the old one \
             goes on working",
            self.0.what(with)
        )
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        let back = "write the old one back to those stores, if it still works, then delete the new one";
        Some(self.0.ends().map_or_else(|| back.to_owned(), |ends| format!("{back}; {ends} does not come back")))
    }

    fn undo_by_hand(&self, seen: &Value) -> Option<String> {
        let ends = self.0.ends().map(|ends| format!("; {ends} does not come back")).unwrap_or_default();
        (!places::kept(seen)).then(|| {
            format!(
                "by hand only: no store that is written keeps an earlier value, so the old one must be handed over with `staunch respond \
                 undo RUN --secret-stdin`; it is written back to those stores, if it still works, and the new one is deleted{ends}"
            )
        })
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let keys = self.0.listed(world, &label(world.plan)).await.map_err(Trouble::why)?;
            let keys: Vec<Value> = keys.iter().map(|key| json!({ "id": key.id, "state": key.state })).collect();
            let mut seen = json!({ "keys": keys, "stores": places::seen(self.0, world).await });
            match (self.0.about(world).await.map_err(Trouble::why)?, seen.as_object_mut()) {
                (Value::Object(about), Some(seen)) => seen.extend(about),
                (about, Some(seen)) if !about.is_null() => drop(seen.insert("object".to_owned(), about)),
                _ => {}
            }
            Ok(seen)
        })
    }

    fn has_left<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<bool, String>> {
        Box::pin(back::has_left(self.0, world))
    }

    fn take_left<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Option<Value>, String>> {
        Box::pin(back::left_taken(self.0, world))
    }

    fn same(&self, planned: &Value, now: &Value) -> bool {
        places::unversioned(planned) == places::unversioned(now)
    }

    fn last_use<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Timestamp>, String>> {
        Box::pin(async move { self.0.used(world, id).await.map_err(Trouble::why) })
    }

    fn ahead<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Duration>, String>> {
        Box::pin(async move { self.0.ahead(world, id).await.map_err(Trouble::why) })
    }

    fn old_use<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Record, String>> {
        Box::pin(async move {
            let step = step(world.plan).ok_or_else(|| "the plan replaces nothing".to_owned())?;
            self.0.old_use(world, &step.observed).await.map_err(Trouble::why)
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(carry::applied(self.0, world))
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, _before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(back::walked_back(self.0, world))
    }
}
