//! Is it live, and as whom does it speak?

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// As whom a credential speaks, by name of the field: `account`, `principal`, `arn`, `scopes`, …
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub BTreeMap<String, String>);

impl Identity {
    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

/// What the provider said. "Could not ask" is never `Dead`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// The provider accepts it.
    Live(Identity),
    /// The provider accepts it, but quota, rate or rights keep it from doing all it could.
    Limited(Identity, String),
    /// The provider says in so many words that it is not valid.
    Dead(String),
    /// Asked, and the answer settles nothing; or it could not be asked.
    Unknown(String),
    /// Nobody asked; the words say why when there is a reason beyond "not told to".
    NotChecked(Option<String>),
}

impl Liveness {
    /// The word in the output schema.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Live(_) => "live",
            Self::Limited(..) => "limited",
            Self::Dead(_) => "dead",
            Self::Unknown(_) => "unknown",
            Self::NotChecked(_) => "not_checked",
        }
    }

    /// Why, where there is something to say.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Live(_) => None,
            Self::Limited(_, why) | Self::Dead(why) | Self::Unknown(why) => Some(why),
            Self::NotChecked(why) => why.as_deref(),
        }
    }

    /// As whom it speaks, where it speaks.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Live(identity) | Self::Limited(identity, _) => Some(identity),
            _ => None,
        }
    }

    /// Whether someone else could use it now.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Live(_) | Self::Limited(..))
    }
}

/// A liveness and when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What was found.
    pub liveness: Liveness,
    /// When; `None` when nobody asked.
    pub at: Option<Timestamp>,
}

impl Checked {
    /// Nobody asked.
    pub const NOT: Self = Self { liveness: Liveness::NotChecked(None), at: None };
}

#[derive(Serialize, Deserialize)]
struct Wire {
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checked_at: Option<Timestamp>,
    #[serde(default)]
    identity: Identity,
}

impl Serialize for Checked {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire {
            state: self.liveness.state().to_owned(),
            why: self.liveness.why().map(str::to_owned),
            checked_at: self.at,
            identity: self.liveness.identity().cloned().unwrap_or_default(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let why = wire.why.clone().unwrap_or_default();
        let liveness = match wire.state.as_str() {
            "live" => Liveness::Live(wire.identity),
            "limited" => Liveness::Limited(wire.identity, why),
            "dead" => Liveness::Dead(why),
            "unknown" => Liveness::Unknown(why),
            "not_checked" => Liveness::NotChecked(wire.why),
            other => return Err(serde::de::Error::custom(format!("unknown liveness state {other:?}"))),
        };
        Ok(Self { liveness, at: wire.checked_at })
    }
}
