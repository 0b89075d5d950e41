//! A parameter of AWS Systems Manager. PutParameter has no precondition, so it is read again just before it is written; the
//! number that the new version gets tells whether somebody else came between. A SecureString keeps the KMS key that it has, which
//! must be named again, and so must a tier. One of whose versions has a label is not written: who reads by that would go on with
//! the old one. Source: Systems Manager API reference, GetParameter, PutParameter (Version), DescribeParameters ("empty with a
//! NextToken"), GetParameterHistory (Labels).

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::aws::{Service, region};
use super::wire::{body, quoted};
use super::{Held, Store, StoreAt, Write, named};
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
    #[serde(default)]
    parameters: Vec<About>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    key_id: Option<String>,
    tier: Option<String>,
    version: Option<u64>,
    #[serde(default)]
    labels: Vec<String>,
}

/// Pages that are read of one answer: 50 parameters or versions each, of which there are 100.
const PAGES: usize = 20;

impl Parameter {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "ssm", region: region(at) } }
    }

    async fn value(&self, hands: &Hands, name: &str) -> Result<Value, Trouble> {
        let ask = body(&json!({ "Name": name, "WithDecryption": true }));
        let got: Got = self.service.call(hands, ("AmazonSSM.GetParameter", false), ask).await?;
        Ok(got.parameter)
    }

    /// All pages of an answer.
    async fn listed(&self, hands: &Hands, target: &'static str, mut ask: serde_json::Value) -> Result<Vec<About>, Trouble> {
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page: Listed = self.service.call(hands, (target, false), body(&ask)).await?;
            all.extend(page.parameters);
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => ask["NextToken"] = json!(token),
                None => return Ok(all),
            }
        }
        Err(Trouble::Unknown("its list of parameters does not end".to_owned()))
    }

    /// What must be said again of it when it is written.
    async fn about(&self, hands: &Hands) -> Result<About, Trouble> {
        // Of an ARN what stands behind `parameter`, which for a name with slashes begins with one.
        let name = self.at.split_once(":parameter").map_or(self.at.as_str(), |(_, name)| name);
        let name = if name.matches('/').count() == 1 { name.trim_start_matches('/') } else { name };
        let names = [name, self.at.as_str()];
        let filter = json!({ "ParameterFilters": [{ "Key": "Name", "Option": "Equals", "Values": names }] });
        let mut all = self.listed(hands, "AmazonSSM.DescribeParameters", filter).await?;
        match (all.pop(), all.pop()) {
            (Some(one), None) => Ok(one),
            _ => Err(Trouble::Failed("which KMS key and tier it has is not told; nothing was written".to_owned())),
        }
    }

    /// Whether a version can be read by a label.
    async fn labelled(&self, hands: &Hands) -> Result<(), Trouble> {
        let ask = json!({ "Name": self.at, "WithDecryption": false });
        let all = self.listed(hands, "AmazonSSM.GetParameterHistory", ask).await?;
        match all.iter().find(|one| !one.labels.is_empty()) {
            None => Ok(()),
            Some(one) => {
                let (label, version) = (one.labels.join(", "), one.version.unwrap_or_default());
                let why =
                    format!("its version {version} is read by the label {label}, which would stay there; move it by hand");
                Err(Trouble::Refused { status: 0, why })
            }
        }
    }

    async fn put(&self, hands: &Hands, change: &Write<'_>) -> Result<(), Trouble> {
        let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
        let about = self.about(hands).await?;
        let now = self.value(hands, &self.at).await?;
        if now.version.to_string() != change.before.version {
            return Err(Trouble::Failed("somebody changed it just now".to_owned()));
        }
        let mut head = json!({ "Name": self.at, "Type": now.r#type, "Overwrite": true });
        match about.key_id {
            Some(key) => head["KeyId"] = json!(key),
            None if now.r#type == "SecureString" => {
                return Err(Trouble::Failed("which KMS key encrypts it is not told; nothing was written".to_owned()));
            }
            None => {}
        }
        // A standard one may have become an advanced one since, never the other way round.
        if let Some(tier) = about.tier.filter(|tier| tier == "Advanced") {
            head["Tier"] = json!(tier);
        }
        let put = quoted(&head, &[("Value", text)])?;
        let done: Done = self.service.call(hands, ("AmazonSSM.PutParameter", true), put).await?;
        if done.version != now.version + 1 {
            let why = format!("somebody wrote version {} at the same time; look which of both is wanted", now.version + 1);
            return Err(Trouble::Unknown(why));
        }
        Ok(())
    }
}

fn held(value: &Value) -> Held {
    let text = Secret::new(value.value.as_bytes());
    Held { fields: vec![(String::new(), text)], version: value.version.to_string() }
}

impl Store for Parameter {
    fn name(&self) -> String {
        named("aws-ssm", self.service.region.as_deref(), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:DescribeParameters", "ssm:PutParameter"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move {
            let value = self.value(hands, &self.at).await?;
            self.labelled(hands).await?;
            Ok(held(&value))
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
            match self.value(hands, &format!("{}:{version}", self.at)).await {
                Err(Trouble::Absent) => Ok(None),
                found => Ok(Some(held(&found?))),
            }
        })
    }
}
