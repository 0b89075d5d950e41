//! The environment of an AWS Lambda function. The update names the revision that was read and is refused when the function has
//! changed since. All variables are sent: what is left out would be lost. Published versions keep the environment that they were
//! published with, so a function whose callers come by an alias of one is not written: it must be published anew.
//! Source: Lambda API reference, GetFunctionConfiguration, UpdateFunctionConfiguration (RevisionId: "Update the function only if
//! the revision ID matches the ID that's specified", EnvironmentResponse.Error), ListAliases.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::aws::{Asking, Service, region};
use super::wire::{parsed, segment, with};
use super::{Held, Store, StoreAt, Write, named};
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
    /// There instead of them where they cannot be decrypted.
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Aliases {
    #[serde(default)]
    aliases: Vec<Alias>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alias {
    name: String,
    function_version: String,
}

impl Lambda {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "lambda", region: region(at) } }
    }

    fn path(&self, what: &str) -> String {
        format!("/2015-03-31/functions/{}/{what}", segment(&self.at))
    }

    async fn get(&self, hands: &Hands, what: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let path = self.path(what);
        let asking = Asking { method: Method::Get, path: &path, target: None, body: Zeroizing::default() };
        self.service.send(hands, &asking, false).await
    }
}

impl Store for Lambda {
    fn name(&self) -> String {
        named("aws-lambda", self.service.region.as_deref(), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["lambda:GetFunctionConfiguration", "lambda:ListAliases", "lambda:UpdateFunctionConfiguration"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move {
            let body = self.get(hands, "configuration").await?;
            let found: Configuration<'_> = parsed(&body)?;
            let refused = |why: String| Err(Trouble::Refused { status: 0, why });
            if found.environment.as_ref().is_some_and(|environment| environment.error.is_some()) {
                return refused(
                    "its environment cannot be decrypted; the responder needs kms:Decrypt for its key".to_owned(),
                );
            }
            let variables = found.environment.and_then(|environment| environment.variables);
            let listed = self.get(hands, "aliases").await?;
            let listed: Aliases = parsed(&listed)?;
            if let Some(alias) = listed.aliases.iter().find(|alias| alias.function_version != "$LATEST") {
                return refused(format!(
                    "its alias {} runs version {}, which keeps its own environment; publish it anew by hand",
                    alias.name, alias.function_version
                ));
            }
            let field = variables.map(|text| (String::new(), Secret::new(text.get().as_bytes())));
            Ok(Held { fields: field.into_iter().collect(), version: found.revision_id })
        })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
            let variables = with(&json!({}), &[("Variables", Zeroizing::new(text.expose().to_vec()))]);
            let body = with(&json!({ "RevisionId": change.before.version }), &[("Environment", variables)]);
            let path = self.path("configuration");
            let asking = Asking { method: Method::Put, path: &path, target: None, body };
            self.service.send(hands, &asking, true).await.map(drop)
        })
    }
}
