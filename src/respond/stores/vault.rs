//! A secret of Vault's or OpenBao's KV engine, version 2. Written with check-and-set: only over the version that was read.
//! `at` is its API path, `MOUNT/data/PATH`. Source: Vault API, KV secrets engine version 2, "Read secret version",
//! "Create/update secret" (`options.cas`), <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>; OpenBao's is the same.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;
use zeroize::Zeroizing;

use super::wire::{Wire, parsed, segment, with};
use super::{Held, Store, StoreAt, Write, named};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

pub(super) struct Vault {
    at: String,
    wire: Wire,
}

#[derive(Deserialize)]
struct Answer<'b> {
    #[serde(borrow)]
    data: Version<'b>,
}

#[derive(Deserialize)]
struct Version<'b> {
    #[serde(borrow)]
    data: Option<&'b RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

impl Vault {
    pub(super) fn at(at: &StoreAt) -> Self {
        let login = ("x-vault-token", "");
        Self { at: at.at.clone(), wire: Wire { login, ..Wire::at(at, ("vault-kv", None)) } }
    }

    fn path(&self) -> String {
        let pieces: Vec<String> = self.at.trim_matches('/').split('/').map(segment).collect();
        format!("/v1/{}", pieces.join("/"))
    }

    async fn value(&self, hands: &Hands, query: &str) -> Result<Held, Trouble> {
        let body = self.wire.get(hands, &format!("{}{query}", self.path())).await?;
        let answer: Answer<'_> = parsed(&body)?;
        // A deleted version has metadata and no data.
        let text = answer.data.data.filter(|data| data.get() != "null").ok_or(Trouble::Absent)?;
        let fields = vec![(String::new(), Secret::new(text.get().as_bytes()))];
        Ok(Held { fields, version: answer.data.metadata.version.to_string() })
    }
}

impl Store for Vault {
    fn name(&self) -> String {
        named("vault-kv", self.wire.address.as_ref().map(Url::as_str), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["a Vault token with read and update on the secret's path"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(self.value(hands, ""))
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
            let version: u64 = change.before.version.parse().map_err(|_| Trouble::Absent)?;
            let data = Zeroizing::new(text.expose().to_vec());
            let body = with(&json!({ "options": { "cas": version } }), &[("data", data)]);
            self.wire.act(hands, (Method::Post, &self.path()), ("application/json", body)).await.map(drop)
        })
    }

    fn keeps(&self) -> bool {
        true
    }

    fn earlier<'a>(&'a self, hands: &'a Hands, version: &'a str) -> Doing<'a, Result<Option<Held>, Trouble>> {
        Box::pin(async move {
            match self.value(hands, &format!("?version={}", segment(version))).await {
                Err(Trouble::Absent) => Ok(None),
                found => found.map(Some),
            }
        })
    }
}
