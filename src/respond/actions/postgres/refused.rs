//! `postgres-role-verify-refused`: asks as every login that the leaked password may be for until the server lets none in.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::keys::GONE;
use super::super::{Action, Doing, Outcome, Role, World};
use super::PAUSE;
use crate::detect::Detector;
use crate::model::{Credential, Liveness};
use crate::validate::Validator;
use crate::validate::sql::NO_LOGIN;

pub(in crate::respond::actions) struct RoleRefused;

/// What every login is told: words for the evidence when none is let in; else whether one is, and why.
async fn told(validator: &Validator, detector: &Detector, logins: &[Credential]) -> Result<Vec<String>, (bool, String)> {
    let (mut words, mut open) = (Vec::new(), None);
    for login in logins {
        // Each for itself: of several together the first that the password is right for would answer for all.
        let word = match validator.check(detector, std::slice::from_ref(login)).await {
            Liveness::Dead(why) => why,
            Liveness::Limited(_, why) if why == NO_LOGIN => "28000: it may not log in".to_owned(),
            Liveness::Live(_) | Liveness::Limited(..) => return Err((true, "the server still lets it in".to_owned())),
            other => {
                open.get_or_insert_with(|| other.why().unwrap_or("nothing can be asked about it").to_owned());
                continue;
            }
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    open.map_or(Ok(words), |why| Err((false, why)))
}

async fn refused(world: &World<'_>) -> Outcome {
    let Some(detector) = &world.hands.detector else {
        return Outcome::Unknown(format!("this version has no detector {}", world.plan.detector));
    };
    let logins = (world.hands.recall)(&world.plan.fingerprint);
    if logins.is_empty() {
        return Outcome::Unknown(GONE.to_owned());
    }
    let validator = Validator::new(std::sync::Arc::clone(&world.hands.net));
    let deadline = tokio::time::Instant::now() + world.timeout;
    loop {
        let (accepted, why) = match told(&validator, detector, &logins).await {
            Ok(words) => return Outcome::Done(json!({ "refused": words.join("; ") })),
            Err(other) => other,
        };
        if tokio::time::Instant::now() + PAUSE > deadline {
            let why = format!("{why} (asked for {} s)", world.timeout.as_secs());
            return if accepted { Outcome::Failed(why) } else { Outcome::Unknown(why) };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Action for RoleRefused {
    fn name(&self) -> &'static str {
        "postgres-role-verify-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "log in as the leaked role until the server does not let it in".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(refused(world))
    }
}
