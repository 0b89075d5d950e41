//! A parameter of AWS Systems Manager. PutParameter has no precondition, so it is read again just before it is written: a
//! change of somebody else's in that instant would be overwritten. A SecureString keeps the KMS key that it has, which must be
//! named again. Source: Systems Manager API reference, GetParameter, PutParameter, DescribeParameters.

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

pub(super) struct Parameter {
    at: String,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    parameter: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    r#type: String,
    value: Zeroizing<String>,
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    parameters: Vec<About>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    key_id: Option<String>,
}

impl Parameter {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "ssm", region: at.region.clone() } }
    }

    async fn value(&self, hands: &Hands, name: &str) -> Result<Value, Trouble> {
        let ask = body(&json!({ "Name": name, "WithDecryption": true }));
        let got: Got = self.service.call(hands, ("AmazonSSM.GetParameter", false), ask).await?;
        Ok(got.parameter)
    }

    /// The KMS key of a SecureString.
    async fn key(&self, hands: &Hands) -> Result<Option<String>, Trouble> {
        let filter = json!({ "ParameterFilters": [{ "Key": "Name", "Option": "Equals", "Values": [self.at] }] });
        let listed: Listed = self.service.call(hands, ("AmazonSSM.DescribeParameters", false), body(&filter)).await?;
        Ok(listed.parameters.into_iter().next().and_then(|about| about.key_id))
    }

    async fn put(&self, hands: &Hands, change: &Write<'_>) -> Result<(), Trouble> {
        let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
        let now = self.value(hands, &self.at).await?;
        let mut head = json!({ "Name": self.at, "Type": now.r#type, "Overwrite": true });
        if now.r#type == "SecureString"
            && let Some(key) = self.key(hands).await?
        {
            head["KeyId"] = json!(key);
        }
        if now.version.to_string() != change.before.version {
            return Err(Trouble::Failed("somebody changed it just now".to_owned()));
        }
        let put = quoted(&head, &[("Value", text)])?;
        let _: IgnoredAny = self.service.call(hands, ("AmazonSSM.PutParameter", true), put).await?;
        Ok(())
    }
}

fn held(value: &Value) -> Held {
    let text = Secret::new(value.value.as_bytes());
    Held { fields: vec![(String::new(), text)], version: value.version.to_string() }
}

impl Store for Parameter {
    fn name(&self) -> String {
        format!("aws-ssm {}", self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["ssm:GetParameter", "ssm:PutParameter", "ssm:DescribeParameters"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move { Ok(held(&self.value(hands, &self.at).await?)) })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(self.put(hands, change))
    }

    fn earlier<'a>(&'a self, hands: &'a Hands, version: &'a str) -> Doing<'a, Result<Option<Held>, Trouble>> {
        Box::pin(async move {
            match self.value(hands, &format!("{}:{version}", self.at)).await {
                Err(Trouble::Absent) => Ok(None),
                found => Ok(Some(held(&found?))),
            }
        })
    }
}
