//! Whose login at a server of the operator's own is meant, for databases and caches that are spoken to as one who administers them: who
//! the leaked credential logs in as, by its own words and the plan's, and the operator's login at that very server. Its password must
//! be seen to open it: whoever writes down a URL with a password that they made up has not found one, and keeps nobody out with it.

mod alternate;
mod stop;

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::{Leaked, missing};
use super::replace::replacement;
use super::{Outcome, World, asked};
use crate::model::{Credential, Identity, Liveness};

pub(super) use alternate::{Alternate, SUFFIX, Turns, mark, refused, settled};
pub(super) use stop::{Door, Stop, Words, put_back};

/// One kind of server, and as whom one logs in there.
pub(super) trait Place: Sized {
    /// As detectors and settings name it.
    const PROVIDER: &'static str;
    /// What one logs in as: `role`, `user`.
    const WHO: &'static str;
    /// Reads the operator's URL.
    fn parse(url: &str) -> Result<Self, String>;
    /// The server, `HOST:PORT`.
    fn server(&self) -> String;
    /// Who logs in.
    fn who(&self) -> &str;
    /// Who a credential that was found logs in as, and at which server.
    fn found(credential: &Credential) -> Result<(String, String), String>;
    /// Whether the plan's target is at that server: the guards have judged what the plan names.
    fn is_at(_target: &BTreeMap<String, String>, _server: &str) -> bool {
        true
    }
    /// Whether what a server says of whoever logs in is said of that one, where it says so.
    fn is(_identity: &Identity, _who: &str) -> bool {
        true
    }
}

/// Whom it is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) name: String,
    /// `HOST:PORT`
    pub(super) server: String,
}

impl Mark {
    /// Whom the leaked credential logs in as. Nothing when that is no longer readable.
    pub(super) fn found<P: Place>(world: &World<'_>) -> Result<Option<Self>, Outcome> {
        let Some(leaked) = Leaked::recall(world).map_err(Outcome::Refused)? else { return Ok(None) };
        // One password may open several, and only one of them is known to be meant.
        let alike = leaked.alike(&format!("{}s or servers", P::WHO), P::found);
        let (name, server) = alike.map_err(|why| Outcome::Refused(format!("{why}; do it by hand")))?;
        if world.plan.target.get("user") != Some(&name) || !P::is_at(&world.plan.target, &server) {
            return Err(Outcome::Refused(format!(
                "the plan is about another {} or server than the credential opens now; make a new plan",
                P::WHO
            )));
        }
        Ok(Some(Self { name, server }))
    }

    /// Whom a plan has seen.
    pub(super) fn seen(before: &Value) -> Option<Self> {
        let (server, name) = before.get("object")?.as_str()?.split_once('/')?;
        Some(Self { name: name.to_owned(), server: server.to_owned() })
    }

    /// What a plan sees of it.
    pub(super) fn object(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Whom both the plan and the credential mean.
    pub(super) fn agreed<P: Place>(world: &World<'_>) -> Result<Self, Outcome> {
        let found = Self::found::<P>(world)?;
        let Some(planned) = Self::seen(world.before) else {
            let what = "the plan did not see what it would change; make a new one while the password is readable and taken";
            return Err(Outcome::Refused(what.to_owned()));
        };
        if found.is_some_and(|found| found != planned) {
            let what = "than the credential opens now; make a new plan";
            return Err(Outcome::Refused(format!("the plan saw another {} {what}", P::WHO)));
        }
        Ok(planned)
    }

    /// The operator's login at its server.
    pub(super) fn office<P: Place>(&self, world: &World<'_>) -> Result<P, Outcome> {
        let admin = world.hands.admin.as_ref();
        let admin = admin.ok_or_else(|| Outcome::Refused(missing(P::PROVIDER, world.hands)))?;
        let place = admin.value.expose_str().ok_or_else(|| "it is not text".to_owned()).and_then(P::parse);
        let place = place.map_err(|why| Outcome::Refused(format!("the credential of {}: {why}", admin.from)))?;
        // One of the same name at another server is somebody else.
        if place.server() != self.server {
            return Err(Outcome::Refused(format!(
                "the credential was found for {}, and {} is for {}; give {} one for that server in the settings file",
                self.server,
                admin.from,
                place.server(),
                P::PROVIDER
            )));
        }
        if place.who() == self.name {
            return Err(Outcome::Refused(format!(
                "this is the responder's own {}: whoever acts with it would lock themselves out; use another",
                P::WHO
            )));
        }
        Ok(place)
    }
}

/// That the password which was found opens this one. Servers without users take any word in their place: the server says who it is.
pub(super) async fn opens<P: Place>(world: &World<'_>, who: &str) -> Result<(), Outcome> {
    match asked(world).await {
        Liveness::Live(identity) | Liveness::Limited(identity, _) if P::is(&identity, who) => Ok(()),
        Liveness::Live(_) | Liveness::Limited(..) => Err(Outcome::Refused(format!(
            "the password opens another {} than its URL says; nothing was changed, do it by hand",
            P::WHO
        ))),
        other => Err(Outcome::Refused(format!(
            "that the password opens this {} is not proved ({}); nothing was changed",
            P::WHO,
            other.why().unwrap_or("nothing can be asked about it")
        ))),
    }
}

/// The same in a run that has put another in its place: then the stores that held it hold the other, and what counts is that it
/// opened when the run was begun.
pub(super) async fn opened<P: Place>(world: &World<'_>, who: &str) -> Result<(), Outcome> {
    let replaced = replacement(world).is_some() && (world.hands.recall)(&world.plan.fingerprint).is_empty();
    if replaced { Ok(()) } else { opens::<P>(world, who).await }
}

/// An outcome that is no success, in words.
pub(super) fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(why) | Outcome::Failed(why) | Outcome::Unknown(why) => why,
        _ => "nobody tells".to_owned(),
    }
}
