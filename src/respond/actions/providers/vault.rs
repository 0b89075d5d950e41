//! HashiCorp Vault and OpenBao: a token is looked up by its value, and revoked by its accessor, with everything that it leased.
//! Source: Vault and OpenBao API, Token auth method: lookup, lookup-accessor, revoke-accessor
//! (<https://openbao.org/api-docs/auth/token/>). An accessor that is gone is told by 403 or 400 with "invalid accessor".

use serde_json::{Value, json};

use super::super::Doing;
use super::super::keys::{
    ABSENT, Call, Deed, Desk, Leaked, Login, Object, Office, Place, Proof, Service, Trouble, Voice, text,
};
use crate::net::Method;

pub(super) const SERVICE: Service = Service {
    provider: "hashicorp-vault",
    endpoint: "hashicorp-vault-admin",
    place: Place::Operators,
    voice: Voice::Admin,
    login: Login::Header("X-Vault-Token"),
    headers: &[],
};

struct Tokens;

/// What is said of a token or an accessor that does not exist, in so many words; "permission denied" is another's.
fn absent(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused { why, .. } | Trouble::Failed(why)
            if why.contains("invalid accessor") || why.contains("bad token") =>
        {
            Trouble::Absent
        }
        other => other,
    }
}

fn object(answer: &Value) -> Result<Object, Trouble> {
    let accessor = text(answer, "/data/accessor");
    let id =
        accessor.ok_or_else(|| Trouble::Failed("the token has no accessor; batch tokens cannot be revoked".to_owned()))?;
    let shown = |pointer: &str| answer.pointer(pointer).cloned().unwrap_or_default();
    let about =
        json!({ "name": shown("/data/display_name"), "path": shown("/data/path"), "policies": shown("/data/policies") });
    Ok(Object { id, state: "valid".to_owned(), about, proof: Proof::Exact })
}

impl Office for Tokens {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(async move {
            let value = leaked.text().map_err(Trouble::Failed)?;
            let call = Call::new(Method::Post, "/v1/auth/token/lookup").holding("token", value, false);
            match desk.ask(call).await.map_err(absent) {
                Err(Trouble::Absent) => Ok(Vec::new()),
                answer => Ok(vec![object(&answer?)?]),
            }
        })
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        let call = Call::new(Method::Post, "/v1/auth/token/lookup-accessor").json(&json!({ "accessor": id }));
        Box::pin(async move { object(&desk.ask(call).await.map_err(absent)?) })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, _state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        let call = Call::new(Method::Post, "/v1/auth/token/revoke-accessor").json(&json!({ "accessor": id }));
        Box::pin(async move { desk.act(call).await.map_err(absent).map(drop) })
    }
}

pub(super) const TOKEN_REVOKE: Deed = Deed {
    name: "vault-token-revoke",
    service: &SERVICE,
    office: &Tokens,
    wanted: ABSENT,
    effect: "revoke the token, its children and its leases",
    undo: None,
    permissions: &["update on auth/token/lookup, auth/token/lookup-accessor and auth/token/revoke-accessor"],
};
