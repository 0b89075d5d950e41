//! A secret of AWS Secrets Manager. A new version is put beside the current one under a label of our own and a request token that
//! is the same for the same content; then AWSCURRENT is moved to it from the version that was read, which fails if that is no
//! longer the current one. The version before stays as AWSPREVIOUS. AWSPENDING is not ours to use: it belongs to a rotation of
//! Secrets Manager's own, which refuses to begin while another version has it. A secret that is rotated so, or is read by a
//! label that we would leave behind, is not written.
//! Source: Secrets Manager API reference, GetSecretValue, DescribeSecret, PutSecretValue (ClientRequestToken, VersionStages),
//! UpdateSecretVersionStage (RemoveFromVersionId: "if the version ID does not match, then the operation fails"), RotateSecret.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use zeroize::Zeroizing;

use super::aws::{Service, region};
use super::wire::{body, quoted};
use super::{Held, Store, StoreAt, Write, named};
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

/// What a version is called by until it is the current one.
const OURS: &str = "STAUNCH-NEXT";
/// What Secrets Manager itself calls versions by, and ours.
const USUAL: &[&str] = &["AWSCURRENT", "AWSPREVIOUS", OURS];

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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    #[serde(default)]
    rotation_enabled: Option<bool>,
    #[serde(default)]
    version_ids_to_stages: BTreeMap<String, Vec<String>>,
}

impl About {
    /// Why it is not written.
    fn bars(&self) -> Option<String> {
        if self.rotation_enabled == Some(true) {
            return Some("Secrets Manager rotates it itself; have it do so, or switch that off".to_owned());
        }
        let stages = || self.version_ids_to_stages.iter();
        let is_current = |all: &Vec<String>| all.iter().any(|stage| stage == "AWSCURRENT");
        let others = stages().flat_map(|(id, all)| all.iter().map(move |stage| (id, stage, is_current(all))));
        // AWSPENDING stays on the current version after a rotation that is complete.
        let mut others = others.filter(|(_, stage, current)| {
            !(USUAL.contains(&stage.as_str()) || (stage.as_str() == "AWSPENDING" && *current))
        });
        let (id, stage, _) = others.next()?;
        Some(format!("its version {id} has the label {stage}, by which somebody may read it; move that by hand"))
    }
}

impl SecretsManager {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "secretsmanager", region: region(at) } }
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

    /// Whether it may be written.
    async fn is_free(&self, hands: &Hands) -> Result<(), Trouble> {
        let ask = body(&json!({ "SecretId": self.at }));
        let about: About = self.service.call(hands, ("secretsmanager.DescribeSecret", false), ask).await?;
        about.bars().map_or(Ok(()), |why| Err(Trouble::Refused { status: 0, why }))
    }

    async fn put(&self, hands: &Hands, change: &Write<'_>) -> Result<(), Trouble> {
        let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
        self.is_free(hands).await?;
        let head = json!({ "SecretId": self.at, "ClientRequestToken": change.token, "VersionStages": [OURS] });
        let put = quoted(&head, &[("SecretString", text)])?;
        let _: IgnoredAny = self.service.call(hands, ("secretsmanager.PutSecretValue", true), put).await?;
        let moved = json!({
            "SecretId": self.at, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": change.before.version,
            "MoveToVersionId": change.token,
        });
        let moved: Result<IgnoredAny, Trouble> =
            self.service.call(hands, ("secretsmanager.UpdateSecretVersionStage", true), body(&moved)).await;
        // Whatever came of it. A label that stays does no harm: the next write moves it, and nobody reads by it.
        let ours = body(&json!({ "SecretId": self.at, "VersionStage": OURS, "RemoveFromVersionId": change.token }));
        let left: Result<IgnoredAny, Trouble> =
            self.service.call(hands, ("secretsmanager.UpdateSecretVersionStage", true), ours).await;
        if left.is_err() {
            tracing::debug!("the label {OURS} stays on a version");
        }
        moved.map(drop)
    }
}

impl Store for SecretsManager {
    fn name(&self) -> String {
        named("aws-secrets-manager", self.service.region.as_deref(), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "secretsmanager:GetSecretValue",
            "secretsmanager:DescribeSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move {
            self.is_free(hands).await?;
            self.value(hands, None).await
        })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(self.put(hands, change))
    }

    fn keeps(&self) -> bool {
        true
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
