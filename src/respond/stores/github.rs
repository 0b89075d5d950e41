//! A secret of GitHub Actions, `OWNER/REPOSITORY/NAME`. Nobody can read it: what it holds is the operator's word (`holds`, `part`),
//! and when it was written last is its version. The value is sealed for the repository's public key. There is no precondition;
//! it is looked at again just before.
//! Source: GitHub REST API, Actions secrets: get, get the public key, create or update
//! (<https://docs.github.com/en/rest/actions/secrets>); encryption is libsodium's sealed box.

use crypto_box::PublicKey;
use crypto_box::aead::OsRng;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::wire::{Wire, body, parsed, segment};
use super::{Held, Store, StoreAt, Write, named};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Fingerprint;

pub(super) struct Github {
    at: String,
    wire: Wire,
    said: Option<(Fingerprint, String)>,
}

#[derive(Deserialize)]
struct About {
    updated_at: String,
}

#[derive(Deserialize)]
struct Key {
    key_id: String,
    key: String,
}

impl Github {
    pub(super) fn at(at: &StoreAt) -> Self {
        let headers = &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];
        let wire = Wire { headers, ..Wire::at(at, ("github-admin", Some("https://api.github.com"))) };
        Self { at: at.at.clone(), wire, said: at.holds.zip(at.part.clone()) }
    }

    /// The paths of the secret and of the public key.
    fn paths(&self) -> Result<(String, String), Trouble> {
        let [owner, repository, name] = self
            .at
            .split('/')
            .map(segment)
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| Trouble::Failed("`at` is OWNER/REPOSITORY/NAME".to_owned()))?;
        let base = format!("/repos/{owner}/{repository}/actions/secrets");
        Ok((format!("{base}/{name}"), format!("{base}/public-key")))
    }

    async fn version(&self, hands: &Hands) -> Result<String, Trouble> {
        let body = self.wire.get(hands, &self.paths()?.0).await?;
        Ok(parsed::<About>(&body)?.updated_at)
    }
}

impl Store for Github {
    fn name(&self) -> String {
        named("github-actions", self.wire.address.as_ref().map(Url::as_str), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["a GitHub token with read and write on the repository's Actions secrets"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move { Ok(Held { fields: Vec::new(), version: self.version(hands).await? }) })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
            let (secret, public) = self.paths()?;
            let found = self.wire.get(hands, &public).await?;
            let key: Key = parsed(&found)?;
            let bytes = BASE64.decode(key.key.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let bytes = bytes.ok_or_else(|| Trouble::Unknown("the public key is not one".to_owned()))?;
            let sealed = PublicKey::from(bytes).seal(&mut OsRng, text.expose());
            let sealed = sealed.map_err(|_| Trouble::Failed("the value cannot be sealed".to_owned()))?;
            if self.version(hands).await? != change.before.version {
                return Err(Trouble::Failed("somebody changed it just now".to_owned()));
            }
            let json = json!({ "encrypted_value": BASE64.encode(&sealed), "key_id": key.key_id });
            self.wire.act(hands, (Method::Put, &secret), ("application/json", body(&json))).await.map(drop)
        })
    }

    fn said(&self) -> Option<(Fingerprint, &str)> {
        self.said.as_ref().map(|(print, part)| (*print, part.as_str()))
    }
}
