//! A CI/CD variable of a GitLab project, `GROUP/PROJECT#KEY`, of the environment scope `*`. The API has no precondition, so it
//! is read again just before it is written. A variable that is masked and hidden cannot be read, and is then not written.
//! Source: GitLab REST API, project-level CI/CD variables (<https://docs.gitlab.com/api/project_level_variables/>).

use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::wire::{Wire, parsed, quoted, segment};
use super::{Held, Store, StoreAt, Write, named};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

pub(super) struct Gitlab {
    at: String,
    wire: Wire,
}

#[derive(Deserialize)]
struct Variable {
    value: Option<Zeroizing<String>>,
    #[serde(default)]
    hidden: bool,
}

impl Gitlab {
    pub(super) fn at(at: &StoreAt) -> Self {
        let login = ("private-token", "");
        let wire = Wire { login, ..Wire::at(at, ("gitlab-admin", Some("https://gitlab.com"))) };
        Self { at: at.at.clone(), wire }
    }

    fn path(&self) -> Result<String, Trouble> {
        let (project, key) =
            self.at.split_once('#').ok_or_else(|| Trouble::Failed("`at` is GROUP/PROJECT#KEY".to_owned()))?;
        let (project, key) = (segment(project), segment(key));
        Ok(format!("/api/v4/projects/{project}/variables/{key}?filter%5Benvironment_scope%5D=%2A"))
    }

    async fn value(&self, hands: &Hands) -> Result<Held, Trouble> {
        let body = self.wire.get(hands, &self.path()?).await?;
        let variable: Variable = parsed(&body)?;
        let text = variable.value.filter(|_| !variable.hidden).ok_or_else(|| Trouble::Refused {
            status: 0,
            why: "it is hidden, so that nobody can tell what it holds".to_owned(),
        })?;
        let key = hands.stores.key.as_ref().ok_or(Trouble::Absent)?;
        let version = key.fingerprint(text.as_bytes()).short();
        Ok(Held { fields: vec![(String::new(), Secret::new(text.as_bytes()))], version })
    }
}

impl Store for Gitlab {
    fn name(&self) -> String {
        named("gitlab-variable", self.wire.address.as_ref().map(Url::as_str), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["a GitLab token of a maintainer, scope api"]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(self.value(hands))
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            if self.value(hands).await?.version != change.before.version {
                return Err(Trouble::Failed("somebody changed it just now".to_owned()));
            }
            let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
            let body = quoted(&json!({}), &[("value", text)])?;
            self.wire.act(hands, (Method::Put, &self.path()?), ("application/json", body)).await.map(drop)
        })
    }
}
