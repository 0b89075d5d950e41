//! Kubernetes: a service account's token ends with the object that it is bound to, so that object is deleted: the Secret that holds a
//! legacy token, the Secret or the pod that a requested one is bound to. One that is bound to nothing but its account, or to a node, is
//! ended by a person: what is possible is said. A bootstrap token is a Secret of its own.
//!
//! What a token claims is believed only once the API server has taken it (TokenReview), or where the Secret holds the very value. The
//! object is named by its uid, and is deleted under that alone: another may take its name. The credential is a bearer token with
//! `get` and `delete` on secrets and pods and `create` on tokenreviews; its cluster's authority goes into `ca_file`.
//!
//! Sources: Kubernetes, "Managing Service Accounts" and "Authenticating with Bootstrap Tokens"
//! (<https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/>); API reference v1: Secret, Pod, `DeleteOptions`
//! (`preconditions.uid`), `TokenReview`. `pkg/serviceaccount/legacy.go` and `claims.go`: a legacy token ends once its Secret is
//! asked to go, or holds another; a bound one when its object is gone, has another uid, or was to be gone a minute ago. A legacy
//! token's claims hold no time, so that a Secret which is made again under the same name gets the same token again where
//! the cluster signs with RSA (RFC 8017, RSASSA-PKCS1-v1_5 is deterministic). `pkg/registry/core/pod/strategy.go` and
//! `registry/rest/delete.go`: a pod that was asked to go with an hour's grace is there for an hour, and being asked again shortens that.
//!
//! A Secret that holds other data besides is left: whoever reads that would be without it.

mod bootstrap;
mod claims;
mod refused;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use zeroize::Zeroize;

use super::super::Doing;
use super::super::keys::{Call, Deed, Desk, Leaked, Login, Object, Office, Place, Proof, Service, Trouble, Voice, text};
use crate::net::Method;
use claims::{Bound, Claims};
use refused::{Word, review};

pub(super) use bootstrap::BOOTSTRAP_TOKEN_DELETE;
pub(in crate::respond::actions) use refused::TokenRefused;

const SERVICE: Service = Service {
    provider: "kubernetes",
    endpoint: "kubernetes-admin",
    place: Place::Operators,
    voice: Voice::Admin,
    login: Login::Scheme("Bearer"),
    headers: &[("accept", "application/json")],
};

/// A pod is asked to go, and takes its time; so may a Secret with finalizers.
const ENDING: &str = "ending";
/// It was asked to go, and is not to be gone before long: its token is taken until then.
const LATER: &str = "ending, and not soon";
const TOKEN_SECRET: &str = "kubernetes.io/service-account-token";
const BOOTSTRAP_SECRET: &str = "bootstrap.kubernetes.io/token";
/// What Kubernetes itself writes into a token's Secret; the last is `OpenShift`'s.
const OWN_DATA: [&str; 4] = ["token", "ca.crt", "namespace", "service-ca.crt"];
/// So many seconds a pod gets at most, which is what it gets by default.
const GRACE: i64 = 30;
/// By so many seconds the server's clock may be ahead.
const SKEW: i64 = 30;

/// Every object that may be the leaked credential's.
type Finds = for<'a, 'w> fn(&'a Desk<'w>, &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>>;

/// Objects of the API, of which it is told otherwise which is the credential's.
struct Objects(Finds);

/// An object of the API, as evidence. Its id is its path and its uid.
fn object(path: &str, found: &Value, now: Timestamp) -> Result<Object, Trouble> {
    let uid = text(found, "/metadata/uid").ok_or_else(|| Trouble::Unknown("an object without a uid".to_owned()))?;
    let gone_by = text(found, "/metadata/deletionTimestamp");
    let later = |at: &String| at.parse::<Timestamp>().is_ok_and(|at| at.as_second() > now.as_second() + GRACE + SKEW);
    let controller = found.pointer("/metadata/ownerReferences/0").filter(|one| one["controller"] == true);
    let controller = controller.and_then(|one| Some(format!("{} {}", one["kind"].as_str()?, one["name"].as_str()?)));
    let account = text(found, "/metadata/annotations/kubernetes.io~1service-account.name");
    let mut about =
        json!({ "account": account.or_else(|| text(found, "/spec/serviceAccountName")), "controller": controller });
    let writers = writers(found);
    if !writers.is_empty() {
        about["writers"] = json!(writers);
    }
    let state = gone_by.as_ref().map_or("there", |at| if later(at) { LATER } else { ENDING });
    Ok(Object { id: format!("{path}#{uid}"), state: state.to_owned(), about, proof: Proof::Exact })
}

/// Who has written a Secret: whoever has, may write it again once it is gone.
fn writers(found: &Value) -> BTreeSet<&str> {
    let fields = found.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    fields.filter(|_| found.get("data").is_some()).filter_map(|field| field.get("manager")?.as_str()).collect()
}

/// That a Secret holds nothing but a token of its own, which `legacy` is about; any other holds nothing at all.
fn alone(path: &str, found: &Value, legacy: bool) -> Result<(), Trouble> {
    let kind = text(found, "/type");
    let own: &[&str] = if legacy && kind.as_deref() == Some(TOKEN_SECRET) { &OWN_DATA } else { &[] };
    let data = found.get("data").and_then(Value::as_object).into_iter().flatten();
    let others: Vec<&str> = data.map(|(name, _)| name.as_str()).filter(|name| !own.contains(name)).collect();
    if others.is_empty() || kind.as_deref() == Some(BOOTSTRAP_SECRET) {
        return Ok(());
    }
    let why = format!(
        "{path} holds other data too ({}), which would be lost with it. By hand: keep a copy of that, delete the Secret, and make \
         another for it (`--playbook kubernetes-manual-contain`)",
        others.join(", ")
    );
    Err(Trouble::Refused { status: 0, why })
}

/// Whether a Secret holds that under a key. What it holds is wiped at once.
fn holds(secret: &mut Value, key: &str, value: &[u8]) -> bool {
    let mut found = false;
    for (name, held) in secret.get_mut("data").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Value::String(held) = held {
            let decoded = data_encoding::BASE64.decode(held.as_bytes()).map(zeroize::Zeroizing::new);
            found |= name == key && decoded.is_ok_and(|decoded| decoded.as_slice() == value);
            held.zeroize();
        }
    }
    found
}

/// Reads an object; what a Secret holds does not go on.
async fn looked(desk: &Desk<'_>, path: &str, (key, value): (&str, &[u8])) -> Result<(Value, bool), Trouble> {
    let mut found = desk.get(path).await?;
    let held = holds(&mut found, key, value);
    Ok((found, held))
}

/// An object again, by its id.
async fn read(desk: &Desk<'_>, id: &str) -> Result<Object, Trouble> {
    let (path, _) = id.split_once('#').ok_or(Trouble::Absent)?;
    let now = object(path, &looked(desk, path, ("", &[])).await?.0, desk.world.hands.clock.now())?;
    // Another has its name.
    if now.id == id { Ok(now) } else { Err(Trouble::Absent) }
}

/// Deletes it, and nothing else that may have its name by now: a Secret only as it was just read, a pod with no more than half a minute.
async fn delete(desk: &Desk<'_>, id: &str) -> Result<(), Trouble> {
    let (path, uid) = id.split_once('#').ok_or(Trouble::Absent)?;
    let (found, _) = looked(desk, path, ("", &[])).await?;
    alone(path, &found, true)?;
    let mut body = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    if path.contains("/pods/") {
        let own = found.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
        body["gracePeriodSeconds"] = own.unwrap_or(GRACE).clamp(1, GRACE).into();
    } else if let Some(version) = text(&found, "/metadata/resourceVersion") {
        body["preconditions"]["resourceVersion"] = version.into();
    }
    desk.act(Call::new(Method::Delete, path).json(&body)).await.map(drop)
}

async fn found(desk: &Desk<'_>, leaked: &Leaked) -> Result<Vec<Object>, Trouble> {
    let token = leaked.text().map_err(Trouble::Failed)?;
    let refused = |why: String| Trouble::Refused { status: 0, why };
    let claims = Claims::of(token).ok_or_else(|| Trouble::Failed("its claims cannot be read".to_owned()))?;
    let own = desk.world.hands.admin.as_ref().and_then(|admin| Claims::of(admin.value.expose_str()?.trim()));
    let (path, uid) = match &claims.bound {
        Bound::Legacy { path } => (path, None),
        Bound::To { path, uid } => (path, Some(uid)),
        Bound::Nothing(why) => return Err(refused(why.clone())),
    };
    if own.is_some_and(|own| own.bound == claims.bound) {
        return Err(refused("the responder's own token is bound to the same object: use another".to_owned()));
    }
    let (found, held) = match looked(desk, path, ("token", token.as_bytes())).await {
        Err(Trouble::Absent) => return Ok(Vec::new()),
        other => other?,
    };
    let is = match uid {
        None => held && text(&found, "/type").as_deref() == Some(TOKEN_SECRET),
        Some(uid) => {
            text(&found, "/metadata/uid").as_ref() == Some(uid) && review(desk, token, &claims).await? == Word::Taken
        }
    };
    if !is {
        return Ok(Vec::new());
    }
    if path.contains("/secrets/") {
        alone(path, &found, uid.is_none())?;
    }
    Ok(vec![object(path, &found, desk.world.hands.clock.now())?])
}

impl Office for Objects {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        (self.0)(desk, leaked)
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(read(desk, id))
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, _state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(delete(desk, id))
    }
}

pub(super) const TOKEN_DELETE: Deed = Deed {
    name: "kubernetes-service-account-token-delete",
    service: &SERVICE,
    office: &Objects(|desk, leaked| Box::pin(found(desk, leaked))),
    wanted: ENDING,
    effect: "delete the object that the token is bound to: its Secret, or its pod (with half a minute at most), in whose place its \
             controller starts another; make a Secret again under another name only, or it may hold the same token again",
    undo: None,
    permissions: &["get and delete on the Secret or the pod, create on tokenreviews.authentication.k8s.io"],
};
