//! A bootstrap token, `ID.SECRET`, is the Secret `bootstrap-token-ID` in `kube-system`, which must hold the very value.
//! Source: Kubernetes, "Authenticating with Bootstrap Tokens" (bootstrap token Secret format: `token-id`, `token-secret`;
//! <https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/>).

use super::super::super::keys::{Deed, Desk, Leaked, Object, Trouble, segment, text};
use super::{BOOTSTRAP_SECRET, ENDING, Objects, SERVICE, looked, object};

async fn found(desk: &Desk<'_>, leaked: &Leaked) -> Result<Vec<Object>, Trouble> {
    let token = leaked.text().map_err(Trouble::Failed)?;
    let (id, secret) = token.split_once('.').ok_or_else(|| Trouble::Failed("it is not ID.SECRET".to_owned()))?;
    let path = format!("/api/v1/namespaces/kube-system/secrets/bootstrap-token-{}", segment(id));
    let (found, held) = match looked(desk, &path, ("token-secret", secret.as_bytes())).await {
        Err(Trouble::Absent) => return Ok(Vec::new()),
        other => other?,
    };
    let is = held && text(&found, "/type").as_deref() == Some(BOOTSTRAP_SECRET);
    Ok(if is { vec![object(&path, &found, desk.world.hands.clock.now())?] } else { Vec::new() })
}

pub(in super::super) const BOOTSTRAP_TOKEN_DELETE: Deed = Deed {
    name: "kubernetes-bootstrap-token-delete",
    service: &SERVICE,
    office: &Objects(|desk, leaked| Box::pin(found(desk, leaked))),
    wanted: ENDING,
    effect: "delete the token's Secret in kube-system; nodes that joined with it stay: look which they are",
    undo: None,
    permissions: &["get and delete on secrets in kube-system"],
};
