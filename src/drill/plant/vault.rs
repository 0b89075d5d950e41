//! A sacrificial token of a Vault or an OpenBao: it has the default policy, which opens no secret, and ends by itself within a
//! quarter of an hour, so that one whose answer was lost leaves nothing behind. Source: Token auth method, create, lookup-accessor,
//! revoke-accessor (<https://openbao.org/api-docs/auth/token/>).

use serde_json::{Value, json};
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use super::super::DrillError;
use super::{Plant, Seed};
use crate::net::{Header, Method, Net, Request};
use crate::secret::Secret;

/// A server, and with what it is asked.
pub(in crate::drill) struct Server<'s> {
    pub(in crate::drill) net: &'s Net,
    pub(in crate::drill) address: &'s Url,
    pub(in crate::drill) token: &'s Secret,
}

impl Server<'_> {
    /// The status of an answer and the answer.
    async fn ask(&self, path: &str, body: &Value) -> Result<(u16, Value), DrillError> {
        let failed = |why: &str| DrillError::Provider(format!("{path}: {why}"));
        let url = format!("{}/v1/{path}", self.address.as_str().trim_end_matches('/'));
        let request = Request {
            method: Method::Post,
            url: url.parse().map_err(|_| failed("its address is no URL"))?,
            headers: vec![Header { name: "x-vault-token".to_owned(), value: Zeroizing::new(self.token.expose().to_vec()) }],
            body: Some(Zeroizing::new(body.to_string().into_bytes())),
        };
        let answer = self.net.act(&request).await.map_err(|error| failed(&error.to_string()))?;
        let said = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok((answer.status, said))
    }

    /// Makes the token.
    pub(in crate::drill) async fn plant(&self, id: &str) -> Result<Plant, DrillError> {
        let wanted = json!({
            "policies": ["default"], "no_default_policy": false, "ttl": "15m", "explicit_max_ttl": "15m", "renewable": false,
            "display_name": format!("staunch-drill-{id}"), "meta": { "staunch-drill": id },
        });
        let (status, mut said) = self.ask("auth/token/create", &wanted).await?;
        let accessor = said.pointer("/auth/accessor").and_then(Value::as_str).map(str::to_owned);
        let token = match said.pointer_mut("/auth/client_token") {
            Some(Value::String(token)) => {
                let secret = Secret::new(token.as_bytes());
                token.zeroize();
                Some(secret)
            }
            _ => None,
        };
        match (status, accessor, token) {
            (200, Some(accessor), Some(secret)) => {
                Ok(Plant { seed: Seed::VaultToken, names: [("accessor", accessor)].into(), secret })
            }
            (status, ..) => Err(DrillError::Provider(format!(
                "the sacrificial token could not be made (update on auth/token/create): {status}"
            ))),
        }
    }

    /// Takes the token away if it is still there, and looks that it is gone.
    pub(in crate::drill) async fn remove(&self, accessor: &str) -> Result<(), DrillError> {
        let named = json!({ "accessor": accessor });
        // One that is gone is refused; what is there now says the look below.
        self.ask("auth/token/revoke-accessor", &named).await?;
        let (status, said) = self.ask("auth/token/lookup-accessor", &named).await?;
        let gone = matches!(status, 400 | 403 | 404) && said["errors"].to_string().contains("invalid accessor");
        if gone { Ok(()) } else { Err(DrillError::Provider(format!("the sacrificial token may still be there ({status})"))) }
    }
}
