//! Credential → liveness and identity: declared HTTP cases and a few named validators. Never a call that bills, changes
//! or rotates anything.

mod http;
mod named;

use std::sync::Arc;

use crate::detect::{Detector, LivenessCheck};
use crate::model::{Credential, Liveness};
use crate::net::{Net, NetError};

pub use named::{VALIDATORS, answers, mysql_admin, redis_admin, sql};

/// Rivals beyond this many are not asked about.
const RIVALS: usize = 4;

/// A liveness, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is known now.
    pub liveness: Liveness,
    /// Whether the provider answered, so that asking again soon would learn nothing. False for what was not asked, timeouts,
    /// a provider's own trouble, and rates.
    pub answered: bool,
}

impl Said {
    fn by_us(liveness: Liveness) -> Self {
        Self { liveness, answered: false }
    }
}

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

    /// Every address that the operator has asked instead of a provider's own: part of what a question is.
    pub fn detours(&self) -> String {
        self.net.detours()
    }

    /// What [`Validator::check`] would ask: method, host and path, the parts that are secret by their names alone. Asks nothing.
    ///
    /// # Errors
    /// Why nothing would be asked.
    pub fn would_ask(&self, detector: &Detector, rivals: &[Credential]) -> Result<String, String> {
        let nothing = || "nothing is known to ask".to_owned();
        let first = rivals.first().ok_or_else(nothing)?;
        if let Some(settled) = beforehand(detector, first) {
            return Err(settled.why().map_or_else(nothing, str::to_owned));
        }
        match &detector.liveness {
            LivenessCheck::None(why) => Err(why.clone()),
            _ if self.net.is_offline() => Err(NetError::Offline.to_string()),
            LivenessCheck::Http(check) => http::would_ask(&self.net, check, first),
            LivenessCheck::Named(name) => named::would_ask(&self.net, name, first),
        }
    }

    /// Whether a credential is live. `rivals` are its variants: the same identifying part with different candidates for
    /// another. One that is accepted decides; it is dead only when every one is refused in so many words.
    pub async fn check(&self, detector: &Detector, rivals: &[Credential]) -> Liveness {
        self.ask(detector, rivals).await.liveness
    }

    /// The same, and whether its provider has answered.
    pub async fn ask(&self, detector: &Detector, rivals: &[Credential]) -> Said {
        let Some(first) = rivals.first() else { return Said::by_us(Liveness::NotChecked(None)) };
        if let Some(settled) = beforehand(detector, first) {
            return Said::by_us(settled);
        }
        let mut last = Said::by_us(Liveness::NotChecked(None));
        let (mut all_dead, mut all_answered) = (rivals.len() <= RIVALS, true);
        for rival in rivals.iter().take(RIVALS) {
            last = self.one(detector, rival).await;
            tracing::debug!(detector = &*detector.id, state = last.liveness.state(), "validated");
            if last.liveness.is_usable() {
                return last;
            }
            all_dead &= matches!(last.liveness, Liveness::Dead(_));
            all_answered &= last.answered;
        }
        last.answered = all_answered;
        if matches!(last.liveness, Liveness::Dead(_)) && !all_dead {
            last.liveness = Liveness::Unknown("some of the candidates could not be settled".to_owned());
        }
        last
    }

    async fn one(&self, detector: &Detector, credential: &Credential) -> Said {
        match &detector.liveness {
            LivenessCheck::None(why) => Said::by_us(Liveness::NotChecked(Some(why.clone()))),
            LivenessCheck::Http(check) => http::check(&self.net, check, credential).await,
            LivenessCheck::Named(name) => named::check(&self.net, name, credential).await,
        }
    }
}

/// What is known without asking.
fn beforehand(detector: &Detector, first: &Credential) -> Option<Liveness> {
    if let Some(canary) = first.facts.get("canary") {
        return Some(Liveness::NotChecked(Some(format!("{canary}: asking would raise its alarm"))));
    }
    if first.facts.get("expired").is_some_and(|expired| expired == "true") {
        let when = first.facts.get("expires").map_or("", String::as_str);
        return Some(Liveness::Dead(format!("expired {when}").trim_end().to_owned()));
    }
    first.partial.then(|| Liveness::NotChecked(Some(missing(detector, first))))
}

/// Which of its parts nobody found, by the detector's names for them.
fn missing(detector: &Detector, first: &Credential) -> String {
    let parts = detector.parts.iter().filter(|part| part.required && first.part(&part.name).is_none());
    let names: Vec<&str> = parts.map(|part| &*part.name).collect();
    if names.is_empty() {
        return "one of its parts was not found with it".to_owned();
    }
    format!("its {} was not found with it, without which nothing can be asked", names.join(" and "))
}

#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;
