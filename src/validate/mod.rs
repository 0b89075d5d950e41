//! Credential → liveness and identity: declared HTTP cases and a few named validators. Never a call that bills, changes
//! or rotates anything.

mod http;
mod named;

use std::sync::Arc;

use crate::detect::{Detector, LivenessCheck};
use crate::model::{Credential, Liveness};
use crate::net::Net;

pub use named::{VALIDATORS, answers};

/// Rivals beyond this many are not asked about.
const RIVALS: usize = 4;

/// Asks providers.
#[derive(Debug, Clone)]
pub struct Validator {
    net: Arc<Net>,
}

impl Validator {
    /// A validator that asks through `net`.
    pub fn new(net: Arc<Net>) -> Self {
        Self { net }
    }

    /// Whether a credential is live. `rivals` are its variants: the same identifying part with different candidates for
    /// another. One that is accepted decides; it is dead only when every one is refused in so many words.
    pub async fn check(&self, detector: &Detector, rivals: &[Credential]) -> Liveness {
        let Some(first) = rivals.first() else { return Liveness::NotChecked(None) };
        if let Some(canary) = first.facts.get("canary") {
            return Liveness::NotChecked(Some(format!("{canary}: asking would raise its alarm")));
        }
        if first.facts.get("expired").is_some_and(|expired| expired == "true") {
            let when = first.facts.get("expires").map_or("", String::as_str);
            return Liveness::Dead(format!("expired {when}").trim_end().to_owned());
        }
        if first.partial {
            return Liveness::NotChecked(Some("one of its parts was not found with it".to_owned()));
        }
        let mut last = Liveness::NotChecked(None);
        let mut all_dead = rivals.len() <= RIVALS;
        for rival in rivals.iter().take(RIVALS) {
            last = self.one(detector, rival).await;
            tracing::debug!(detector = &*detector.id, state = last.state(), "validated");
            if last.is_usable() {
                return last;
            }
            all_dead &= matches!(last, Liveness::Dead(_));
        }
        match last {
            Liveness::Dead(_) if !all_dead => Liveness::Unknown("some of the candidates could not be settled".to_owned()),
            other => other,
        }
    }

    async fn one(&self, detector: &Detector, credential: &Credential) -> Liveness {
        match &detector.liveness {
            LivenessCheck::None(why) => Liveness::NotChecked(Some(why.clone())),
            LivenessCheck::Http(check) => http::check(&self.net, check, credential).await,
            LivenessCheck::Named(name) => named::check(&self.net, name, credential).await,
        }
    }
}

#[cfg(test)]
mod tests;
