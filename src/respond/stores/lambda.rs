//! The environment of an AWS Lambda function. The update names the revision that was read and is refused when the function has
//! changed since. All variables are sent: what is left out would be lost.
//! Source: Lambda API reference, GetFunctionConfiguration, UpdateFunctionConfiguration (RevisionId: "Update the function only if
//! the revision ID matches the ID that's specified").

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::aws::{Asking, Service};
use super::wire::{parsed, segment, with};
use super::{Held, Store, StoreAt, Write};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

pub(super) struct Lambda {
    at: String,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration<'b> {
    revision_id: String,
    #[serde(borrow)]
    environment: Option<Environment<'b>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment<'b> {
    #[serde(borrow)]
    variables: Option<&'b RawValue>,
}

impl Lambda {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "lambda", region: at.region.clone() } }
    }

    fn path(&self) -> String {
        format!("/2015-03-31/functions/{}/configuration", segment(&self.at))
    }
}

impl Store for Lambda {
    fn name(&self) -> String {
        format!("aws-lambda {}", self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move {
            let path = self.path();
            let asking = Asking { method: Method::Get, path: &path, target: None, body: Zeroizing::default() };
            let body = self.service.send(hands, &asking, false).await?;
            let found: Configuration<'_> = parsed(&body)?;
            let variables = found.environment.and_then(|environment| environment.variables);
            let field = variables.map(|text| (String::new(), Secret::new(text.get().as_bytes())));
            Ok(Held { fields: field.into_iter().collect(), version: found.revision_id })
        })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
            let variables = with(&json!({}), &[("Variables", Zeroizing::new(text.expose().to_vec()))]);
            let body = with(&json!({ "RevisionId": change.before.version }), &[("Environment", variables)]);
            let path = self.path();
            let asking = Asking { method: Method::Put, path: &path, target: None, body };
            self.service.send(hands, &asking, true).await.map(drop)
        })
    }
}
