//! A secret of AWS Secrets Manager. A new version is put beside the current one under AWSPENDING and a request token that is
//! the same for the same content; then AWSCURRENT is moved to it from the version that was read, which fails if that is no
//! longer the current one. The version before stays as AWSPREVIOUS.
//! Source: Secrets Manager API reference, GetSecretValue, PutSecretValue (ClientRequestToken, VersionStages),
//! UpdateSecretVersionStage (RemoveFromVersionId: "if the version ID does not match, then the operation fails").

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use zeroize::Zeroizing;

use super::aws::Service;
use super::wire::{body, quoted};
use super::{Held, Store, StoreAt, Write};
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

pub(super) struct SecretsManager {
    at: String,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    version_id: String,
    secret_string: Option<Zeroizing<String>>,
}

impl SecretsManager {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "secretsmanager", region: at.region.clone() } }
    }

    async fn value(&self, hands: &Hands, version: Option<&str>) -> Result<Held, Trouble> {
        let mut ask = json!({ "SecretId": self.at });
        if let Some(version) = version {
            ask["VersionId"] = json!(version);
        }
        let value: Value = self.service.call(hands, ("secretsmanager.GetSecretValue", false), body(&ask)).await?;
        let text = value
            .secret_string
            .ok_or_else(|| Trouble::Refused { status: 0, why: "it holds bytes, not text, and is not written".to_owned() })?;
        Ok(Held { fields: vec![(String::new(), Secret::new(text.as_bytes()))], version: value.version_id })
    }

    async fn put(&self, hands: &Hands, change: &Write<'_>) -> Result<(), Trouble> {
        let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
        let head = json!({
            "SecretId": self.at, "ClientRequestToken": change.token, "VersionStages": ["AWSPENDING"],
        });
        let put = quoted(&head, &[("SecretString", text)])?;
        let _: IgnoredAny = self.service.call(hands, ("secretsmanager.PutSecretValue", true), put).await?;
        let stage = |stage: &str, from: &str, to: Option<&str>| {
            let mut ask = json!({ "SecretId": self.at, "VersionStage": stage, "RemoveFromVersionId": from });
            if let Some(to) = to {
                ask["MoveToVersionId"] = json!(to);
            }
            body(&ask)
        };
        let current = stage("AWSCURRENT", &change.before.version, Some(&change.token));
        let _: IgnoredAny = self.service.call(hands, ("secretsmanager.UpdateSecretVersionStage", true), current).await?;
        // A label that is left makes the next rotation by Secrets Manager itself fail; without it nothing is lost.
        let pending = stage("AWSPENDING", &change.token, None);
        let left: Result<IgnoredAny, _> =
            self.service.call(hands, ("secretsmanager.UpdateSecretVersionStage", true), pending).await;
        if left.is_err() {
            tracing::debug!("AWSPENDING stays on the current version");
        }
        Ok(())
    }
}

impl Store for SecretsManager {
    fn name(&self) -> String {
        format!("aws-secrets-manager {}", self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(self.value(hands, None))
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(self.put(hands, change))
    }

    fn earlier<'a>(&'a self, hands: &'a Hands, version: &'a str) -> Doing<'a, Result<Option<Held>, Trouble>> {
        Box::pin(async move {
            match self.value(hands, Some(version)).await {
                Err(Trouble::Absent) => Ok(None),
                found => found.map(Some),
            }
        })
    }
}
