//! A Secret of Kubernetes, `NAMESPACE/NAME`. A merge patch that names the resource version that was read: the API server
//! refuses it with 409 when the Secret has changed since. Only the keys that change are sent.
//! Source: Kubernetes API conventions, "Concurrency control and consistency" and "PATCH operations"; Secret v1 core.
//! The credential is a bearer token with get and patch on the Secret; its authority goes into `ca_file`.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::wire::{Wire, parsed, quoted, segment, with};
use super::{Field, Held, Store, StoreAt, Write, named};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

pub(super) struct Kubernetes {
    at: String,
    wire: Wire,
}

#[derive(Deserialize)]
struct Found {
    metadata: Metadata,
    #[serde(default)]
    data: BTreeMap<String, Zeroizing<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
}

impl Kubernetes {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), wire: Wire::at(at, ("kubernetes-admin", None)) }
    }

    fn path(&self) -> Result<String, Trouble> {
        let named = self.at.split_once('/').filter(|(space, name)| !space.is_empty() && !name.is_empty());
        let (space, name) = named.ok_or_else(|| Trouble::Failed("`at` is NAMESPACE/NAME".to_owned()))?;
        Ok(format!("/api/v1/namespaces/{}/secrets/{}", segment(space), segment(name)))
    }
}

impl Store for Kubernetes {
    fn name(&self) -> String {
        named("kubernetes-secret", self.wire.address.as_ref().map(Url::as_str), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["get and patch on the Secret, by the token's role"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move {
            let body = self.wire.get(hands, &self.path()?).await?;
            let found: Found = parsed(&body)?;
            let field = |(name, text): (&String, &Zeroizing<String>)| -> Option<Field> {
                Some((name.clone(), Secret::from_vec(BASE64.decode(text.as_bytes()).ok()?)))
            };
            Ok(Held { fields: found.data.iter().filter_map(field).collect(), version: found.metadata.resource_version })
        })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let was =
                |name: &str| change.before.fields.iter().find(|(other, _)| other == name).map(|(_, text)| text.expose());
            let changed = change.fields.iter().filter(|(name, text)| was(name) != Some(text.expose()));
            let encoded: Vec<Field> = changed
                .map(|(name, text)| (name.clone(), Secret::from_vec(BASE64.encode(text.expose()).into_bytes())))
                .collect();
            let pairs: Vec<(&str, &Secret)> = encoded.iter().map(|(name, text)| (name.as_str(), text)).collect();
            let data = quoted(&json!({}), &pairs)?;
            let body = with(&json!({ "metadata": { "resourceVersion": change.before.version } }), &[("data", data)]);
            let kind = "application/merge-patch+json";
            self.wire.act(hands, (Method::Patch, &self.path()?), (kind, body)).await.map(drop)
        })
    }
}
