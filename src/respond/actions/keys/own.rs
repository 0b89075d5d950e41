//! A credential that ends itself, or that anyone may end who holds it: one request with the leaked value, which its own
//! provider takes. Cannot be undone. Whether it works is asked of the provider the way validation asks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, Desk, Leaked, Service, Trouble};
use crate::model::Liveness;
use crate::respond::actions::{Action, Doing, Needs, Outcome, Role, World, asked};

/// Whether an answer means that the revocation was accepted.
pub(in crate::respond::actions) type Accepted = fn(&Value) -> Result<(), String>;

/// The revocation of a credential by its own value.
pub(in crate::respond::actions) struct Own {
    pub(in crate::respond::actions) name: &'static str,
    pub(in crate::respond::actions) service: &'static Service,
    /// The request; the value may stand in it.
    pub(in crate::respond::actions) call: fn(&Leaked) -> Result<Call, String>,
    /// Whether an answer means it, where the body decides and not the status.
    pub(in crate::respond::actions) accepted: Option<Accepted>,
    /// What it does, in words.
    pub(in crate::respond::actions) effect: &'static str,
    pub(in crate::respond::actions) permissions: &'static [&'static str],
}

impl Own {
    async fn applied(&self, world: &World<'_>) -> Outcome {
        let leaked = match Leaked::recall(world) {
            Ok(Some(leaked)) => leaked,
            Ok(None) => return Outcome::Unknown(super::GONE.to_owned()),
            Err(why) => return Outcome::Refused(why),
        };
        match accepted_now(world).await {
            Err(why) => return Outcome::Unknown(why),
            Ok(false) => return Outcome::AlreadyDone(json!({ "accepted": false })),
            Ok(true) => {}
        }
        let call = (self.call)(&leaked).map_err(Trouble::Failed);
        let said = match (Desk::open(world, self.service, Some(&leaked)), call) {
            (Ok(desk), Ok(call)) => desk.act(call).await,
            (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
        };
        match said {
            Ok(answer) => match self.accepted.map_or(Ok(()), |accepted| accepted(&answer)) {
                Ok(()) => Outcome::Done(json!({ "asked": "the provider accepted the revocation" })),
                Err(why) => Outcome::Refused(why),
            },
            // Only what it says about the credential itself tells whether it took effect.
            Err(Trouble::Unknown(why)) => match accepted_now(world).await {
                Ok(false) => Outcome::Done(json!({ "accepted": false })),
                Ok(true) | Err(_) => Outcome::Unknown(why),
            },
            Err(trouble) => trouble.settles(),
        }
    }
}

/// Whether the provider accepts the credential now.
async fn accepted_now(world: &World<'_>) -> Result<bool, String> {
    match asked(world).await {
        Liveness::Live(_) | Liveness::Limited(..) => Ok(true),
        Liveness::Dead(_) => Ok(false),
        other => Err(other.why().unwrap_or("nothing can be asked about it").to_owned()),
    }
}

impl Action for Own {
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
        false
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

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        Box::pin(async move {
            Leaked::recall(world)?.ok_or_else(|| super::GONE.to_owned())?;
            Ok(json!({ "accepted": accepted_now(world).await? }))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(self.applied(world))
    }
}
