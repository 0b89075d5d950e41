//! A bootstrap token, `ID.SECRET`, is the Secret `bootstrap-token-ID` in `kube-system`, which must hold the very value.
//! Source: Kubernetes, "Authenticating with Bootstrap Tokens" (bootstrap token Secret format: `token-id`, `token-secret`;
//! <https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/>).

use super::super::super::Doing;
use super::super::super::keys::{Deed, Desk, Leaked, Object, Office, Trouble, segment, text};
use super::{ENDING, SERVICE, delete, looked, object, read};

struct Secrets;

async fn found(desk: &Desk<'_>, leaked: &Leaked) -> Result<Vec<Object>, Trouble> {
    let token = leaked.text().map_err(Trouble::Failed)?;
    let (id, secret) = token.split_once('.').ok_or_else(|| Trouble::Failed("it is not ID.SECRET".to_owned()))?;
    let path = format!("/api/v1/namespaces/kube-system/secrets/bootstrap-token-{}", segment(id));
    let (found, held) = match looked(desk, &path, ("token-secret", secret.as_bytes())).await {
        Err(Trouble::Absent) => return Ok(Vec::new()),
        other => other?,
    };
    let is = held && text(&found, "/type").as_deref() == Some("bootstrap.kubernetes.io/token");
    Ok(if is { vec![object(&path, &found)?] } else { Vec::new() })
}

impl Office for Secrets {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(found(desk, leaked))
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(read(desk, id))
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, _state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(delete(desk, id))
    }
}

pub(in super::super) const BOOTSTRAP_TOKEN_DELETE: Deed = Deed {
    name: "kubernetes-bootstrap-token-delete",
    service: &SERVICE,
    office: &Secrets,
    wanted: ENDING,
    effect: "delete the token's Secret in kube-system; nodes that joined with it stay: look which they are",
    undo: None,
    permissions: &["get and delete on secrets in kube-system"],
};
