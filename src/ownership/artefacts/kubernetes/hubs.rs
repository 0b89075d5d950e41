//! Secrets and ConfigMaps: objects whose keys hold values that pods refer to.

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::super::slots::{Join, prints};
use super::super::yaml::View;
use super::super::{Place, Sheet};
use super::{Scope, is_name};
use crate::model::{Edge, Evidence, Tier};
use crate::ownership::roll::{Roll, clean, evidence, owner};
use crate::secret::Fingerprint;

/// Names the account that a token Secret belongs to.
const ACCOUNT: &str = "kubernetes.io/service-account.name";

/// What kind of object holds the value. They are separate name spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum HubKind {
    Secret,
    ConfigMap,
}

impl HubKind {
    pub(super) fn of(kind: &str) -> Option<Self> {
        match kind {
            "Secret" => Some(Self::Secret),
            "ConfigMap" => Some(Self::ConfigMap),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }

    pub(super) fn technique(self) -> &'static str {
        match self {
            Self::Secret => "k8s-secret",
            Self::ConfigMap => "k8s-config-map",
        }
    }

    /// The fields that hold values, and whether they are base64. The first overrides the second, key by key
    /// (`stringData` does; in a ConfigMap the two may not share a key).
    fn fields(self) -> [(&'static str, bool); 2] {
        match self {
            Self::Secret => [("stringData", false), ("data", true)],
            Self::ConfigMap => [("data", false), ("binaryData", true)],
        }
    }
}

/// One key of a Secret or ConfigMap.
pub(super) struct HubKey {
    pub(super) kind: HubKind,
    pub(super) scope: Scope,
    pub(super) name: Arc<str>,
    pub(super) key: Arc<str>,
    /// Another field of the same object overrides this one: the value leaks but nobody gets it.
    pub(super) shadowed: bool,
    /// The ServiceAccount that the value is a token of.
    pub(super) account: Option<Arc<str>>,
}

impl HubKey {
    pub(super) fn evidence(&self, place: &Place, join: Join) -> Evidence {
        let value = format!("{} {} key {} ({})", self.kind.word(), self.scope.qualify(&self.name), self.key, join.words());
        evidence(self.kind.technique(), place.to_string(), value)
    }

    /// A ServiceAccount's token Secret names the account it authenticates as.
    pub(super) fn principal(&self, place: &Place, roll: &mut Roll) {
        let Some(account) = &self.account else { return };
        let id = format!("k8s:{}/ServiceAccount/{account}", self.scope.id_part());
        let mut principal = owner(Edge::Principal, id, format!("ServiceAccount {account}"), Tier::Bound);
        let value = format!("Secret {} is a token of {account}", self.scope.qualify(&self.name));
        principal.evidence.push(evidence("k8s-service-account-token", place.to_string(), value));
        roll.add(principal);
    }
}

/// Hands over each key of the object. The name is left for the caller to fill in.
pub(super) fn read(
    sheet: &Sheet<'_>,
    object: View<'_>,
    kind: HubKind,
    scope: &Scope,
    put: &mut dyn FnMut(Place, &[Fingerprint], HubKey),
) {
    let account = account(object, kind);
    let [first, second] = kind.fields();
    let above = object.get(first.0);
    for (field, coded) in [first, second] {
        for (key, value) in object.get(field).map(View::entries).unwrap_or_default() {
            let (Some(key), Some(text)) = (key.text(), value.text()) else { continue };
            let hub = HubKey {
                kind,
                scope: scope.clone(),
                name: Arc::default(),
                key: Arc::from(clean(key)),
                shadowed: field == second.0 && above.is_some_and(|above| above.get(key).is_some()),
                account: account.clone().filter(|_| key == "token"),
            };
            put(sheet.place(value), &prints(sheet.key, &decode(text, coded)), hub);
        }
    }
}

fn account(object: View<'_>, kind: HubKind) -> Option<Arc<str>> {
    if kind != HubKind::Secret || object.text_at(&["type"]) != Some("kubernetes.io/service-account-token") {
        return None;
    }
    object.text_at(&["metadata", "annotations", ACCOUNT]).filter(|name| is_name(name)).map(Arc::from)
}

/// The value itself. What is not base64 after all is taken as it stands.
fn decode(text: &str, coded: bool) -> Zeroizing<Vec<u8>> {
    if !coded {
        return Zeroizing::new(text.as_bytes().to_vec());
    }
    // Block scalars break long base64 into lines.
    let packed: Cow<'_, [u8]> = if text.bytes().any(|b| b.is_ascii_whitespace()) {
        text.bytes().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>().into()
    } else {
        text.as_bytes().into()
    };
    Zeroizing::new(BASE64.decode(&packed).unwrap_or_else(|_| text.as_bytes().to_vec()))
}
