//! A provider's administration makes another key of the same kind. It is named after its plan, so that whoever goes on after a
//! crash knows it; it gets the bounds that the old one has, which are read from the old one's own object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use zeroize::Zeroize;

use super::{Call, Deed, Desk, Leaked, Object, Pages, Trouble, Voice, all, segment, text};
use crate::net::Method;
use crate::respond::actions::replace::{Key, Mint, Minted};
use crate::respond::actions::{Doing, Needs, Record, World};
use crate::secret::Secret;

/// Where lists tell when a key was made, by the provider's clock. Source: OpenAI API reference, project service accounts, `created_at`
/// in seconds (<https://docs.rs/crate/openai-client-base/latest/source/docs/ProjectServiceAccount.md>, made from its specification);
/// OpenRouter, list API keys, `createdAt` of its client
/// (<https://openrouter.ai/docs/client-sdks/typescript/models/operations/listresponse>); Mistral, Admin API, API keys, list, not
/// confirmed by what can be read without an account. Where there is none, when it was made is not known.
const MADE: &str = "/created_at";

/// The request for a new key: of a scope, by a name, from what is told of the old one.
pub(in crate::respond::actions) type Create = fn(&str, &str, &Value) -> Result<Call, String>;

/// A list that tells when keys were used last. Several items may be of one object; the same pages as the list of keys.
pub(in crate::respond::actions) struct Uses {
    /// Where a scope's are listed, and where the items stand.
    pub(in crate::respond::actions) list: fn(&str) -> String,
    pub(in crate::respond::actions) items: &'static str,
    /// The path of the object that an item is of.
    pub(in crate::respond::actions) path: fn(&str, &Value) -> Option<String>,
    /// When, in an item: RFC 3339, or seconds since 1970.
    pub(in crate::respond::actions) at: &'static str,
}

/// How a provider's administration makes keys.
pub(in crate::respond::actions) struct NewKey {
    /// The action's name in playbooks.
    pub(in crate::respond::actions) name: &'static str,
    /// What finds the old one. Its office tells of it what a new one needs.
    pub(in crate::respond::actions) old: &'static Deed,
    /// The field of the plan's target that names the scope, where keys have one.
    pub(in crate::respond::actions) scope: Option<&'static str>,
    /// Where a scope's keys are listed by name.
    pub(in crate::respond::actions) list: fn(&str) -> String,
    pub(in crate::respond::actions) pages: Pages,
    /// Where the items stand, and in an item its name.
    pub(in crate::respond::actions) items: &'static str,
    pub(in crate::respond::actions) label: &'static str,
    /// Where it is told when a key was used last.
    pub(in crate::respond::actions) uses: Option<Uses>,
    /// The path of a key's object, of a scope and what is told of the key: in a list, and where it is made.
    pub(in crate::respond::actions) path: fn(&str, &Value) -> Option<String>,
    pub(in crate::respond::actions) create: Create,
    /// What is told of the old one's object that a new one must have alike, where the request for it rests on a guess.
    pub(in crate::respond::actions) alike: &'static [&'static str],
    /// Where the value stands in the answer, and what the part is called that it is.
    pub(in crate::respond::actions) value: &'static str,
    pub(in crate::respond::actions) part: &'static str,
    /// What is minted, in words.
    pub(in crate::respond::actions) what: &'static str,
    pub(in crate::respond::actions) permissions: &'static [&'static str],
}

impl NewKey {
    fn scope<'w>(&self, world: &'w World<'_>) -> Result<&'w str, Trouble> {
        let Some(name) = self.scope else { return Ok("") };
        let known = world.plan.target.get(name).map(String::as_str);
        known.ok_or_else(|| {
            Trouble::Failed(format!("its {name} is not known; validate the finding first (`staunch triage`)"))
        })
    }

    async fn items(&self, desk: &Desk<'_>) -> Result<Vec<(Option<String>, Value)>, Trouble> {
        let scope = segment(self.scope(desk.world)?);
        let found = all(desk, &(self.list)(&scope), &self.pages, self.items).await?;
        Ok(found.into_iter().map(|item| ((self.path)(&scope, &item), item)).collect())
    }

    async fn named(&self, world: &World<'_>, label: &str) -> Result<Vec<Key>, Trouble> {
        let desk = Desk::open(world, self.old.service, None)?;
        let named =
            self.items(&desk).await?.into_iter().filter(|(_, item)| text(item, self.label).as_deref() == Some(label));
        let key = |(path, item): (Option<String>, Value)| {
            let id = path.ok_or_else(|| Trouble::Unknown("a key is listed without an id".to_owned()))?;
            Ok(Key {
                id,
                state: "active".to_owned(),
                label: Some(label.to_owned()),
                made: text(&item, MADE).and_then(|at| moment(&at)),
            })
        };
        named.map(key).collect()
    }

    /// The old one's object: as the plan saw it, else by the value.
    async fn old(&self, world: &World<'_>) -> Result<Object, Trouble> {
        let refused = |why: String| Trouble::Refused { status: 0, why };
        let leaked = Leaked::recall(world).map_err(refused)?;
        let desk = Desk::open(world, self.old.service, leaked.as_ref())?;
        match world.before.get("object").and_then(Value::as_str) {
            Some(path) => self.old.office.read(&desk, path).await,
            None => self.old.located(&desk, leaked.as_ref()).await,
        }
    }

    async fn made(&self, world: &World<'_>, label: &str) -> Result<Minted, Trouble> {
        let old = self.old(world).await?;
        let desk = Desk::open(world, self.old.service, None)?;
        let scope = segment(self.scope(world)?);
        let call = (self.create)(&scope, label, &old.about).map_err(Trouble::Failed)?;
        let mut answer = desk.act(call).await?;
        let id = (self.path)(&scope, &answer);
        let value = answer.pointer_mut(self.value).and_then(|value| match value {
            Value::String(text) => {
                let secret = Secret::new(text.as_bytes());
                text.zeroize();
                Some(secret)
            }
            _ => None,
        });
        match (id, value) {
            (Some(id), Some(value)) => {
                self.is_alike(&desk, (&old, &id)).await?;
                Ok(Minted { id, parts: vec![(self.part.to_owned(), value)] })
            }
            // It may have made one: whoever looks finds it by its name.
            _ => Err(Trouble::Unknown("the answer to the new key is not as it is documented".to_owned())),
        }
    }

    /// Takes a new one away again that is not the old one's like.
    async fn is_alike(&self, desk: &Desk<'_>, (old, id): (&Object, &str)) -> Result<(), Trouble> {
        if self.alike.is_empty() {
            return Ok(());
        }
        let unseen =
            |trouble: Trouble| Trouble::Unknown(format!("{id} was made, and cannot be looked at: {}", trouble.why()));
        let new = self.old.office.read(desk, id).await.map_err(unseen)?;
        let (was, is) = (picked(&old.about, self.alike), picked(&new.about, self.alike));
        if was == is {
            return Ok(());
        }
        self.gone(desk.world, id).await.map_err(unseen)?;
        let (was, is) = (Value::Object(was), Value::Object(is));
        Err(Trouble::Failed(format!(
            "the new key was made for {is}, the old one is of {was}; it was deleted again: replace it by hand"
        )))
    }

    async fn gone(&self, world: &World<'_>, id: &str) -> Result<(), Trouble> {
        let desk = Desk::open(world, self.old.service, None)?;
        match desk.act(Call::new(Method::Delete, id)).await {
            Ok(_) | Err(Trouble::Absent | Trouble::Unknown(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        // Done is what can be seen, not what was answered.
        let left = self.items(&desk).await?;
        if left.iter().any(|(path, _)| path.as_deref() == Some(id)) {
            return Err(Trouble::Unknown("it was deleted, and is still listed".to_owned()));
        }
        Ok(())
    }

    /// When each of an object's keys was used last. Nothing where that is not told of it, which is not "never".
    async fn uses(&self, world: &World<'_>, id: &str) -> Result<Vec<Option<Timestamp>>, Trouble> {
        let Some(uses) = &self.uses else {
            return Err(Trouble::Failed("its provider does not tell when a key was used".to_owned()));
        };
        let desk = Desk::open(world, self.old.service, None)?;
        let scope = segment(self.scope(world)?);
        let all = all(&desk, &(uses.list)(&scope), &self.pages, uses.items).await?;
        let own = all.iter().filter(|item| (uses.path)(&scope, item).as_deref() == Some(id));
        let moment = |item: &Value| match text(item, uses.at) {
            None => Ok(None),
            Some(at) => moment(&at)
                .map(Some)
                .ok_or_else(|| Trouble::Unknown("when it was used last is told in a way that is not documented".to_owned())),
        };
        let moments = own.map(moment).collect::<Result<Vec<_>, _>>()?;
        if moments.is_empty() { Err(Trouble::Absent) } else { Ok(moments) }
    }
}

/// RFC 3339, or seconds since 1970.
fn moment(at: &str) -> Option<Timestamp> {
    at.parse().ok().or_else(|| Timestamp::from_second(at.parse().ok()?).ok())
}

impl Mint for NewKey {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        match self.old.service.voice {
            Voice::Admin => Needs::Admin(self.old.service.provider),
            Voice::Leaked | Voice::Anyone => Needs::Owned(self.old.service.provider),
        }
    }

    fn permissions(&self) -> &'static [&'static str] {
        self.permissions
    }

    fn what(&self, _with: &BTreeMap<String, String>) -> String {
        self.what.to_owned()
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(self.named(world, label))
    }

    fn about<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(async move { Ok(json!(self.old(world).await?.id)) })
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(self.made(world, label))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(self.gone(world, id))
    }

    fn used<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<Option<Timestamp>, Trouble>> {
        Box::pin(async move { Ok(self.uses(world, id).await?.into_iter().flatten().max()) })
    }

    fn old_use<'a>(&'a self, world: &'a World<'_>, seen: &'a Value) -> Doing<'a, Result<Record, Trouble>> {
        Box::pin(async move {
            if self.uses.is_none() {
                return Ok(Record::None);
            }
            let id = seen.get("object").and_then(Value::as_str);
            let id = id.ok_or_else(|| Trouble::Failed("the plan did not see which key is the old one".to_owned()))?;
            let uses = self.uses(world, id).await?;
            // One of which nothing is told may be the one that is in use.
            let last = if uses.contains(&None) { None } else { uses.into_iter().flatten().max() };
            Ok(last.map_or(Record::Empty, Record::Used))
        })
    }
}

/// Members of what is told of an object, which are written with dots, as an object of their own; those that are null are left out.
pub(in crate::respond::actions) fn picked(about: &Value, names: &[&str]) -> serde_json::Map<String, Value> {
    let member = |name: &&str| Some(((*name).to_owned(), about.get(*name).filter(|value| !value.is_null())?.clone()));
    names.iter().filter_map(member).collect()
}
