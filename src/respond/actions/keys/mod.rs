//! Administration of keys over HTTP, the same for every provider: find the one object that is the leaked credential's, look
//! at its state, change it once, look again, put it back.
//!
//! A provider's file declares where its administration is and how it names things. That the object is the credential's must
//! be proved: by an id or a value that the provider looks up, or by the only redacted form in a whole listing that fits.
//! Several that fit, or none, and nothing is changed.

mod call;
mod desk;
mod leaked;
mod listing;
mod mint;
mod own;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Action, Doing, Hands, Needs, Outcome, Role, World, asked};
use crate::model::Liveness;

pub(super) use call::{Call, segment};
pub(super) use desk::{Desk, Login, Place, Service, Voice};
pub(in crate::respond) use desk::{Trouble, settled};
pub(super) use leaked::Leaked;
pub(super) use listing::{Change, Find, Hint, Listing, Pages, Scopes, all, text};
pub(super) use mint::{NewKey, Uses, picked};
pub(super) use own::Own;

/// The state of what does not exist.
pub(super) const ABSENT: &str = "absent";
pub(super) const GONE: &str = "value no longer readable where it was found; hand it over with --secret-stdin";
/// A change may take a moment to show.
const LOOKS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const OWN: &str = "this is the responder's own credential: whoever acts with it would lock themselves out; use another";

/// What is said where a credential is not configured.
pub(in crate::respond) fn missing(provider: &str, hands: &Hands) -> String {
    hands.unset.clone().unwrap_or_else(|| {
        format!(
            "no credential to act with; add `credential = \"env:NAME\"` to [[responder.provider]] of {provider} in the settings \
             file"
        )
    })
}

/// One object of a provider's administration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// What names it there; public.
    pub(super) id: String,
    /// Its state in one word.
    pub(super) state: String,
    /// What else of it people recognise it by; nothing that changes with use, since a change voids a plan.
    pub(super) about: Value,
    /// How it is known to be the credential's, provided that nothing else fits.
    pub(super) proof: Proof,
}

/// How an object is known to be a credential's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// By its value, or by an id that the provider tells of it.
    Exact,
    /// By what is shown of its ends, or because there is no other. Whoever plants a made-up value with the ends of a real one
    /// must not get that one stopped, so the provider must accept the value as well.
    Ends,
    /// Too little is shown.
    None,
}

impl Object {
    /// As evidence.
    fn shown(&self) -> Value {
        json!({ "object": self.id, "state": self.state, "about": self.about })
    }

    /// As one of several.
    fn named(&self) -> String {
        match &self.about {
            Value::Null => self.id.clone(),
            about => format!("{} {about}", self.id),
        }
    }
}

/// How one service keeps its keys.
pub(super) trait Office: Sync {
    /// Every object that may be the leaked credential's.
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>>;
    /// One object again; [`Trouble::Absent`] when there is none.
    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>>;
    /// Asks for a state, once.
    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, state: &'a str) -> Doing<'a, Result<(), Trouble>>;
}

/// A change of one object's state.
pub(super) struct Deed {
    pub(super) name: &'static str,
    pub(super) service: &'static Service,
    pub(super) office: &'static dyn Office,
    /// The state that it brings about.
    pub(super) wanted: &'static str,
    /// What it does, in words.
    pub(super) effect: &'static str,
    /// How it is undone, in words; `None` where it cannot be.
    pub(super) undo: Option<&'static str>,
    pub(super) permissions: &'static [&'static str],
}

impl Deed {
    /// The one object that is the credential's, and its state now.
    pub(super) async fn located(&self, desk: &Desk<'_>, leaked: Option<&Leaked>) -> Result<Object, Trouble> {
        let planned = desk.world.before.get("object").and_then(Value::as_str);
        let refused = |why: String| Trouble::Refused { status: 0, why };
        let found = match leaked {
            Some(leaked) => match self.office.find(desk, leaked).await {
                Err(trouble) if planned.is_none() || !ended(desk, &trouble).await => return Err(trouble),
                found => found.unwrap_or_default(),
            },
            None => Vec::new(),
        };
        match (found.as_slice(), planned) {
            ([one], _) if one.proof == Proof::None => {
                let what = "the provider shows too little of its keys to prove that this is it; nothing was changed";
                Err(refused(format!("{}: {what}", one.named())))
            }
            ([one], None) if one.proof == Proof::Ends => match asked(desk.world).await {
                Liveness::Live(_) | Liveness::Limited(..) => Ok(one.clone()),
                other => {
                    let what = "it fits, but only by its ends, and the provider does not accept the value";
                    let why = other.why().unwrap_or("not asked").to_owned();
                    Err(refused(format!("{}: {what} ({why}); nothing was changed", one.named())))
                }
            },
            ([one], None) => Ok(one.clone()),
            ([one], Some(planned)) if one.id == planned => Ok(one.clone()),
            ([one], Some(planned)) => {
                Err(refused(format!("the plan is about {planned}, and the credential is {} now; make a new plan", one.id)))
            }
            ([], Some(planned)) => {
                let now = self.again(desk, planned).await?;
                // The value can be read, and nothing there is it: what the plan saw has become another's.
                if leaked.is_some() && now.state != self.wanted && now.state != ABSENT {
                    return Err(refused(format!("{planned} is no longer this credential's; make a new plan")));
                }
                Ok(now)
            }
            ([], None) if leaked.is_none() => Err(refused(GONE.to_owned())),
            ([], None) => Err(refused("nothing that the provider lists is this credential".to_owned())),
            (several, _) => {
                let all: Vec<String> = several.iter().map(Object::named).collect();
                Err(refused(format!(
                    "{} objects may be this credential, nothing was changed: {}",
                    all.len(),
                    all.join("; ")
                )))
            }
        }
    }

    /// An object's state now, where its id is known.
    async fn again(&self, desk: &Desk<'_>, id: &str) -> Result<Object, Trouble> {
        match self.office.read(desk, id).await {
            Err(Trouble::Absent) => Ok(gone(id)),
            // It could be listed before, with the same value.
            Err(trouble) if ended(desk, &trouble).await => Ok(gone(id)),
            other => other,
        }
    }

    /// Changes, and looks whether it is so. Done is what can be seen, not what was answered.
    async fn bring(&self, desk: &Desk<'_>, id: &str, state: &str) -> Outcome {
        let said = match self.office.put(desk, id, state).await {
            Err(Trouble::Refused { why, .. }) => return Outcome::Refused(why),
            Err(Trouble::Failed(why)) => return Outcome::Failed(why),
            Ok(()) | Err(Trouble::Absent) => "the change was accepted".to_owned(),
            Err(Trouble::Unknown(why)) => why,
        };
        let mut pause = FIRST_PAUSE;
        for look in 1.. {
            match self.again(desk, id).await {
                Ok(now) if now.state == state || now.state == ABSENT => return Outcome::Done(now.shown()),
                Ok(now) if look >= LOOKS => {
                    return Outcome::Unknown(format!("{said}, but it still reads as {}", now.state));
                }
                Ok(_) => {}
                Err(trouble) => return Outcome::Unknown(format!("{said}, but it cannot be read back: {}", trouble.why())),
            }
            tokio::time::sleep(pause).await;
            pause *= 3;
        }
        Outcome::Unknown(said)
    }

    async fn applied(&self, world: &World<'_>) -> Outcome {
        let leaked = match Leaked::recall(world) {
            Ok(leaked) => leaked,
            Err(why) => return Outcome::Refused(why),
        };
        let desk = match Desk::open(world, self.service, leaked.as_ref()) {
            Ok(desk) => desk,
            Err(trouble) => return trouble.settles(),
        };
        let found = match self.located(&desk, leaked.as_ref()).await {
            Ok(found) => found,
            Err(trouble) => return trouble.settles(),
        };
        if found.state == self.wanted || found.state == ABSENT {
            return Outcome::AlreadyDone(found.shown());
        }
        if world.before.get("object").is_none() {
            // What was agreed to must be this very object.
            let what = "the plan did not see what it would change; make a new one while the value can be read";
            return Outcome::Refused(format!("{what} ({} is it)", found.named()));
        }
        self.bring(&desk, &found.id, self.wanted).await
    }

    async fn walked_back(&self, world: &World<'_>, before: &Value) -> Outcome {
        let text = |name: &str| before.get(name).and_then(Value::as_str);
        let (Some(id), Some(state)) = (text("object"), text("state")) else {
            return Outcome::AlreadyDone(Value::Null);
        };
        let desk = match Desk::open(world, self.service, None) {
            Ok(desk) => desk,
            Err(trouble) => return trouble.settles(),
        };
        match self.again(&desk, id).await {
            Err(trouble) => trouble.settles(),
            Ok(now) if now.state == state => Outcome::AlreadyDone(now.shown()),
            Ok(now) if now.state == ABSENT && self.wanted != ABSENT => Outcome::Failed("it was deleted since".to_owned()),
            Ok(_) => self.bring(&desk, id, state).await,
        }
    }
}

/// Whether a refusal of the leaked credential, which speaks for itself, means that it has ended. 403 is said as well to whoever
/// asks from an address that is not listed, so that its provider is asked what it thinks of the value.
async fn ended(desk: &Desk<'_>, trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Refused { status: 401, .. } => desk.speaks_as_leaked(),
        Trouble::Refused { status: 403, .. } if desk.speaks_as_leaked() => {
            matches!(asked(desk.world).await, Liveness::Dead(_))
        }
        _ => false,
    }
}

/// An object that is not there any more.
fn gone(id: &str) -> Object {
    Object { id: id.to_owned(), state: ABSENT.to_owned(), about: Value::Null, proof: Proof::Exact }
}

impl Action for Deed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn mutates(&self) -> bool {
        true
    }

    fn reversible(&self) -> bool {
        self.undo.is_some()
    }

    fn needs(&self) -> Needs {
        self.service.needs()
    }

    fn role(&self) -> Role {
        Role::Stops
    }

    fn permissions(&self) -> &'static [&'static str] {
        self.permissions
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        self.effect.to_owned()
    }

    fn undo_words(&self, _with: &BTreeMap<String, String>) -> Option<String> {
        self.undo.map(str::to_owned)
    }

    fn is_stopped(&self, seen: &Value) -> bool {
        seen.get("state").and_then(Value::as_str).is_some_and(|state| state == self.wanted || state == ABSENT)
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            let leaked = Leaked::recall(world)?;
            let desk = Desk::open(world, self.service, leaked.as_ref()).map_err(Trouble::why)?;
            let found = self.located(&desk, leaked.as_ref()).await.map_err(Trouble::why)?;
            Ok(found.shown())
        })
    }

    fn holds<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Option<bool>, String>> {
        // What speaks as the leaked credential is refused once that is stopped, which is what the proof asks for.
        Box::pin(async move {
            let Some(id) = world.before.get("object").and_then(Value::as_str) else { return Ok(None) };
            if self.service.voice == Voice::Leaked {
                return Ok(None);
            }
            let desk = Desk::open(world, self.service, None).map_err(Trouble::why)?;
            let now = self.again(&desk, id).await.map_err(Trouble::why)?;
            Ok(Some(self.is_stopped(&now.shown())))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(self.applied(world))
    }

    fn undo<'a>(&'a self, world: &'a World<'_>, before: &'a Value) -> Doing<'a, Outcome> {
        Box::pin(self.walked_back(world, before))
    }
}
