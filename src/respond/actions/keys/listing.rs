//! An office whose keys have paths of their own: listed in pages, perhaps for each of several projects, or told by the
//! credential itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Call, Desk, Leaked, Object, Office, Proof, Trouble, segment};
use crate::respond::actions::Doing;
use crate::secret::Shape;

/// More pages than this are not read, and then nothing is proved.
const MOST_PAGES: usize = 100;
/// A redacted form must show so many characters beyond those that all keys share: three of 62 leave a strange key one chance
/// in 238,000 for each key listed.
const LEAST_SHOWN: usize = 3;
/// Where only the listing itself says that the key is the operator's, it must show more.
const LEAST_SHOWN_ALONE: usize = 6;

/// How a listing goes on.
pub(in crate::respond::actions) enum Pages {
    /// All of it at once.
    One,
    /// A parameter takes what stands at a pointer, while another pointer says that there is more.
    After { parameter: &'static str, last: &'static str, more: &'static str },
    /// A parameter takes a token that stands at a pointer, until there is none.
    Token { parameter: &'static str, next: &'static str },
    /// A parameter takes the number of items seen, until a page has fewer than `size`.
    Offset { parameter: &'static str, size: usize },
}

/// What is listed first, where each has keys of its own.
pub(in crate::respond::actions) struct Scopes {
    /// The field of the plan's target that names the one that the credential belongs to.
    pub(in crate::respond::actions) known: Option<&'static str>,
    /// Where they are listed; none when only a known one can be asked.
    pub(in crate::respond::actions) list: Option<&'static str>,
    pub(in crate::respond::actions) pages: Pages,
    pub(in crate::respond::actions) items: &'static str,
    pub(in crate::respond::actions) id: &'static str,
}

/// What of a listed key shows that it is the leaked one.
pub(in crate::respond::actions) enum Hint {
    /// A redacted form at a pointer; every such key begins with `prefix`.
    Redacted { at: &'static str, prefix: &'static str },
    /// An id at a pointer, which the credential or its provider told.
    Equal { at: &'static str, with: Told },
    /// The same, of a part that anyone can see: the provider must accept the value as well.
    Begins { at: &'static str, with: Told },
    /// Nothing: only the one key of an account that the credential is known to be of.
    Nothing,
}

/// What the credential's parts, or what its provider said of it, tell.
pub(in crate::respond::actions) type Told = fn(&Leaked, &BTreeMap<String, String>) -> Option<String>;

/// How an object is found.
#[expect(clippy::large_enum_variant, reason = "they are constants, never moved")]
pub(in crate::respond::actions) enum Find {
    /// In a list.
    Listed {
        scopes: Option<Scopes>,
        /// The list's path with its query, of a scope.
        list: fn(&str) -> String,
        pages: Pages,
        /// Where the items stand.
        items: &'static str,
        hint: Hint,
        /// The path of an item's object, of a scope.
        path: fn(&str, &Value) -> Option<String>,
    },
    /// Its path is told.
    At(Told),
}

/// The request for a state.
pub(in crate::respond::actions) enum Change {
    /// Made from the path and the state.
    Plain(fn(&str, &str) -> Call),
    /// Made from the object as it is, too: what is not sent would be lost.
    Whole(fn(&str, &str, &Value) -> Call),
}

/// An office whose objects have paths. An object's id is its path.
pub(in crate::respond::actions) struct Listing {
    pub(in crate::respond::actions) find: Find,
    /// Its state.
    pub(in crate::respond::actions) state: fn(&Value) -> String,
    /// Pointers to what people recognise it by.
    pub(in crate::respond::actions) about: &'static [&'static str],
    /// Where the object stands in the answer to its own path; none where it has no page of its own and is listed again.
    pub(in crate::respond::actions) alone: Option<&'static str>,
    pub(in crate::respond::actions) change: Change,
}

/// Text at a pointer.
pub(in crate::respond::actions) fn text(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Every item of a paged list.
pub(in crate::respond::actions) async fn all(
    desk: &Desk<'_>,
    path: &str,
    pages: &Pages,
    items: &str,
) -> Result<Vec<Value>, Trouble> {
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let join = if path.contains('?') { '&' } else { '?' };
        let page = match (pages, &cursor) {
            (Pages::After { parameter, .. } | Pages::Token { parameter, .. }, Some(cursor)) => {
                format!("{path}{join}{parameter}={}", segment(cursor))
            }
            (Pages::Offset { parameter, .. }, _) => format!("{path}{join}{parameter}={}", seen.len()),
            _ => path.to_owned(),
        };
        // That a list is not there says nothing of what stood in it: the address or the scope may be another by now.
        let answer = desk.get(&page).await.map_err(|trouble| match trouble {
            Trouble::Absent => Trouble::Unknown("the list itself is not there, so what is in it cannot be told".to_owned()),
            other => other,
        })?;
        let found = answer.pointer(items).and_then(Value::as_array);
        let found = found.ok_or_else(|| Trouble::Unknown("the list is not as it is documented".to_owned()))?;
        seen.extend(found.iter().cloned());
        cursor = match pages {
            Pages::One => None,
            Pages::After { last, more, .. } => {
                let more = answer.pointer(more).and_then(Value::as_bool).unwrap_or(false);
                more.then(|| text(&answer, last)).flatten()
            }
            Pages::Token { next, .. } => text(&answer, next),
            Pages::Offset { size, .. } => (found.len() >= *size).then(String::new),
        };
        if cursor.is_none() {
            return Ok(seen);
        }
    }
    Err(Trouble::Failed(format!("the list has more than {MOST_PAGES} pages")))
}

/// Every scope that has to be looked at.
async fn scopes_of(desk: &Desk<'_>, scopes: Option<&Scopes>) -> Result<Vec<String>, Trouble> {
    let Some(scopes) = scopes else { return Ok(vec![String::new()]) };
    let known = scopes.known.and_then(|name| desk.world.plan.target.get(name));
    match (known, scopes.list) {
        (Some(known), _) => Ok(vec![known.clone()]),
        (None, None) => {
            let what = scopes.known.unwrap_or("scope");
            Err(Trouble::Failed(format!("its {what} is not known; validate the finding first (`staunch triage`)")))
        }
        (None, Some(list)) => {
            let listed = all(desk, list, &scopes.pages, scopes.items).await?;
            Ok(listed.iter().filter_map(|scope| text(scope, scopes.id)).collect())
        }
    }
}

impl Listing {
    /// Every listed item, with the path of its object.
    async fn items(&self, desk: &Desk<'_>) -> Result<Vec<(Option<String>, Value)>, Trouble> {
        let Find::Listed { scopes, list, pages, items, path, .. } = &self.find else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for scope in scopes_of(desk, scopes.as_ref()).await? {
            let scope = segment(&scope);
            let listed = all(desk, &list(&scope), pages, items).await?;
            found.extend(listed.into_iter().map(|item| (path(&scope, &item), item)));
        }
        Ok(found)
    }

    /// An object as the service has it now.
    async fn item(&self, desk: &Desk<'_>, id: &str) -> Result<Value, Trouble> {
        if let Some(alone) = self.alone {
            let answer = desk.get(id).await?;
            let item = answer.pointer(alone).cloned();
            return item.ok_or_else(|| Trouble::Unknown("the object is not as it is documented".to_owned()));
        }
        let items = self.items(desk).await?;
        let same = |(path, _): &(Option<String>, Value)| path.as_deref() == Some(id);
        items.into_iter().find(same).map(|(_, item)| item).ok_or(Trouble::Absent)
    }

    fn object(&self, path: String, item: &Value, proof: Proof) -> Object {
        let about: Map<String, Value> = self
            .about
            .iter()
            .filter_map(|pointer| Some((pointer.trim_start_matches('/').replace('/', "."), item.pointer(pointer)?.clone())))
            .collect();
        let about = if about.is_empty() { Value::Null } else { Value::Object(about) };
        Object { id: path, state: (self.state)(item), about, proof }
    }

    /// Whether an item may be the leaked key, and how well that would be proved.
    fn fits(&self, desk: &Desk<'_>, leaked: &Leaked, item: &Value) -> Option<Proof> {
        let Find::Listed { hint, .. } = &self.find else { return None };
        let alone = desk.world.plan.target.get("account").is_some_and(|account| account == "*");
        match hint {
            Hint::Nothing => Some(if alone { Proof::None } else { Proof::Ends }),
            Hint::Equal { at, with } | Hint::Begins { at, with } => {
                let wanted = with(leaked, &desk.world.plan.target)?;
                let proof = if matches!(hint, Hint::Equal { .. }) { Proof::Exact } else { Proof::Ends };
                (text(item, at)? == wanted).then_some(proof)
            }
            Hint::Redacted { at, prefix } => {
                let hint = text(item, at)?;
                let shape = Shape::parse(&hint)?;
                let value = leaked.value().expose_str()?;
                let own = desk.world.hands.admin.as_ref().and_then(|admin| admin.value.expose_str());
                // It may be the responder's own key as well: then it is nobody's to touch.
                let unlike_own = own.is_none_or(|own| !shape.fits(own));
                let least = if alone { LEAST_SHOWN_ALONE } else { LEAST_SHOWN };
                let enough = unlike_own && shape.shows(prefix) >= least;
                shape.fits(value).then_some(if enough { Proof::Ends } else { Proof::None })
            }
        }
    }
}

impl Office for Listing {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(async move {
            if let Find::At(told) = self.find {
                let Some(path) = told(leaked, &desk.world.plan.target) else { return Ok(Vec::new()) };
                return match self.read(desk, &path).await {
                    Err(Trouble::Absent) => Ok(Vec::new()),
                    found => Ok(vec![found?]),
                };
            }
            let mut found: Vec<Object> = Vec::new();
            for (path, item) in self.items(desk).await? {
                let Some(proof) = self.fits(desk, leaked, &item) else { continue };
                let path = path.ok_or_else(|| Trouble::Failed("the key that fits has no object to act on".to_owned()))?;
                let object = self.object(path, &item, proof);
                if found.iter().all(|other| other.id != object.id) {
                    found.push(object);
                }
            }
            Ok(found)
        })
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(async move { Ok(self.object(id.to_owned(), &self.item(desk, id).await?, Proof::Exact)) })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let call = match &self.change {
                Change::Plain(call) => call(id, state),
                // Nothing was changed yet when this reading fails.
                Change::Whole(call) => match self.item(desk, id).await {
                    Err(Trouble::Unknown(why)) => return Err(Trouble::Failed(why)),
                    item => call(id, state, &item?),
                },
            };
            desk.act(call).await.map(drop)
        })
    }
}
