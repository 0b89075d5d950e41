//! `postgres-role-verify-refused`, `mysql-user-verify-refused`, `google-key-verify-restricted`: asks as every login that the leaked password may be for until the server
//! lets none in. That it may not log in is told of PostgreSQL's and MariaDB's after the password was taken, so that validation calls it
//! limited.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::keys::GONE;
use super::{Action, Doing, Outcome, Role, World};
use crate::detect::Detector;
use crate::model::{Credential, Liveness};
use crate::validate::Validator;
use crate::validate::mysql_admin::{LOCKED, SAID_LOCKED};
use crate::validate::sql::NO_LOGIN;

const PAUSE: Duration = Duration::from_millis(300);

/// That a login is not let in any more.
pub(super) struct LoginRefused {
    name: &'static str,
    effect: &'static str,
    /// What validation says where it may not log in, and that in words.
    shut: &'static [(&'static str, &'static str)],
}

pub(super) const POSTGRES: LoginRefused = LoginRefused {
    name: "postgres-role-verify-refused",
    effect: "log in as the leaked role until the server does not let it in",
    shut: &[(NO_LOGIN, "28000: it may not log in")],
};

pub(super) const MYSQL: LoginRefused = LoginRefused {
    name: "mysql-user-verify-refused",
    effect: "log in as the leaked user until the server does not let it in",
    shut: &[(LOCKED, "4151: its user is locked"), (SAID_LOCKED, "3118: its user is locked")],
};

/// From here it is refused for its restriction, which holds for every address but the one that nobody has.
pub(super) const GOOGLE: LoginRefused = LoginRefused {
    name: "google-key-verify-restricted",
    effect: "ask as the leaked key until Google refuses it, or says that its restriction keeps this caller out",
    shut: &[("valid, but restricted to some callers", "403: its restriction keeps callers out")],
};

/// What every login is told: words for the evidence when none is let in; else whether one is, and why.
async fn told(
    shut: &[(&str, &str)],
    (validator, detector): (&Validator, &Detector),
    logins: &[Credential],
) -> Result<Vec<String>, (bool, String)> {
    let (mut words, mut open) = (Vec::new(), None);
    for login in logins {
        // Each for itself: of several together the first that the password is right for would answer for all.
        let said = validator.check(detector, std::slice::from_ref(login)).await;
        let in_words = |why: &String| shut.iter().find(|(known, _)| known == why).map(|(_, words)| (*words).to_owned());
        let word = match said {
            Liveness::Dead(why) => why,
            Liveness::Limited(_, ref why) | Liveness::Unknown(ref why) if let Some(words) = in_words(why) => words,
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

async fn refused(world: &World<'_>, shut: &[(&str, &str)]) -> Outcome {
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
        let (accepted, why) = match told(shut, (&validator, detector), &logins).await {
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

impl Action for LoginRefused {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        self.effect.to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(refused(world, self.shut))
    }
}
