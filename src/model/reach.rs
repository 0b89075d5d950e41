//! What a credential may do, as far as its provider's own simulator of policies tells. What is not known stays so: it makes
//! nothing better or worse.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an attacker wants of a credential. In order of how much hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Calling models, at the account's expense.
    Models,
    /// Reading stored secrets.
    Secrets,
    /// Making credentials that outlive this one.
    Keys,
    /// Gaining rights that it does not have.
    Escalation,
}

impl Power {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Models, Self::Secrets, Self::Keys, Self::Escalation];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Models => "call models",
            Self::Secrets => "read secrets",
            Self::Keys => "make new credentials",
            Self::Escalation => "gain more rights",
        }
    }
}

/// What the simulator said of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// Every action of it is allowed.
    Allowed,
    /// An action of it is denied in so many words.
    Denied,
    /// Neither: it is not allowed on every resource, or hangs on conditions. It may be allowed all the same.
    Unclear,
}

/// Actions that together give a power.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// To what.
    pub power: Power,
    /// The provider's names of the actions, all of which are needed.
    pub actions: Vec<String>,
    /// Whether it is open.
    pub ruling: Ruling,
    /// What the ruling hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The answer of one simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Whose policies they are: an ARN.
    pub principal: String,
    /// When it was asked.
    pub as_of: Timestamp,
    /// What was asked about. Empty where nothing could be asked.
    pub ways: Vec<Way>,
    /// What such an answer does not take into account.
    pub unseen: Vec<String>,
    /// What could not be asked and why, in words that say what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

impl Reach {
    /// Whether it has a power, where that is known: one way to it is open, or each that was asked about is denied.
    pub fn has(&self, power: Power) -> Option<bool> {
        let ways = || self.ways.iter().filter(|way| way.power == power);
        if ways().any(|way| way.ruling == Ruling::Allowed) {
            return Some(true);
        }
        // A question that was not answered may have had another answer.
        let all_denied = self.unknown.is_empty() && ways().all(|way| way.ruling == Ruling::Denied);
        (all_denied && ways().next().is_some()).then_some(false)
    }

    /// How much hangs on it, where `by_kind` is what hangs on any credential of its kind.
    pub(super) fn weight(&self, by_kind: u32) -> u32 {
        let known = |wanted: bool| Power::ALL.into_iter().filter(move |power| self.has(*power) == Some(wanted));
        match known(true).max() {
            Some(Power::Escalation) => by_kind.max(12),
            Some(Power::Keys | Power::Secrets) => by_kind.max(10),
            Some(Power::Models) => by_kind.max(9),
            // Contained, or never able to do what it is looked for. Whatever else it may do was not asked about.
            None if known(false).count() == Power::ALL.len() => by_kind.min(3),
            None => by_kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Power, Reach, Ruling, Way};
    use jiff::Timestamp;

    fn reach(rulings: &[(Power, Ruling)]) -> Reach {
        let way = |(power, ruling): &(Power, Ruling)| Way {
            power: *power,
            actions: vec!["x:Y".to_owned()],
            ruling: *ruling,
            note: None,
        };
        let ways = rulings.iter().map(way).collect();
        Reach { principal: "arn".to_owned(), as_of: Timestamp::UNIX_EPOCH, ways, unseen: Vec::new(), unknown: Vec::new() }
    }

    #[test]
    fn only_what_is_known_raises_or_lowers() {
        let all = |ruling| Power::ALL.map(|power| (power, ruling));
        for (rulings, weight) in [
            (&[][..], 8),
            (&all(Ruling::Unclear), 8),
            (&all(Ruling::Denied), 3),
            (&all(Ruling::Denied)[..3], 8),
            (&[(Power::Models, Ruling::Allowed)], 9),
            (&[(Power::Keys, Ruling::Allowed), (Power::Models, Ruling::Denied)], 10),
            (&[(Power::Keys, Ruling::Unclear), (Power::Escalation, Ruling::Allowed)], 12),
        ] {
            assert_eq!(reach(rulings).weight(8), weight, "{rulings:?}");
        }
        assert_eq!(reach(&all(Ruling::Allowed)).weight(13), 13);
    }

    #[test]
    fn a_power_is_denied_only_when_every_way_to_it_is() {
        let (open, shut, unclear) = (Ruling::Allowed, Ruling::Denied, Ruling::Unclear);
        let has = |rulings: &[Ruling]| {
            let rulings: Vec<_> = rulings.iter().map(|ruling| (Power::Keys, *ruling)).collect();
            reach(&rulings).has(Power::Keys)
        };
        assert_eq!(has(&[]), None);
        assert_eq!(has(&[shut, open, unclear]), Some(true));
        assert_eq!(has(&[shut, shut]), Some(false));
        assert_eq!(has(&[shut, unclear]), None);
        let mut half = reach(&[(Power::Keys, shut)]);
        half.unknown.push("the second page was refused".to_owned());
        assert_eq!(half.has(Power::Keys), None);
    }
}
