//! What a service account's token says of itself: to what it is bound, and for whom it is. Its signature is the API server's to judge.
//! Source: `pkg/serviceaccount/legacy.go` and `claims.go` of Kubernetes for the names of the claims.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::Value;

use super::super::super::keys::{segment, text};

/// To what a token is bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// To the Secret that holds it, by name.
    Legacy { path: String },
    /// To a Secret or a pod, by name and uid.
    To { path: String, uid: String },
    /// To nothing that could be deleted for it: what a person can do.
    Nothing(String),
}

pub(super) struct Claims {
    pub(super) bound: Bound,
    /// For whom it is; nobody where it is for the API server alone.
    pub(super) audiences: Vec<String>,
}

fn path(namespace: &str, kind: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{}/{kind}/{}", segment(namespace), segment(name))
}

/// Of a legacy token, which has no expiry and names the Secret that holds it.
fn legacy(claims: &Value) -> Option<Bound> {
    let claim = |name: &str| claims.get(format!("kubernetes.io/serviceaccount/{name}"))?.as_str();
    Some(Bound::Legacy { path: path(claim("namespace")?, "secrets", claim("secret.name")?) })
}

fn requested(claims: &Value) -> Option<Bound> {
    let own = claims.get("kubernetes.io")?;
    let (namespace, account) = (text(own, "/namespace")?, text(own, "/serviceaccount/name")?);
    for (kind, at) in [("pods", "pod"), ("secrets", "secret")] {
        if let Some(one) = own.get(at) {
            return Some(Bound::To { path: path(&namespace, kind, one["name"].as_str()?), uid: text(one, "/uid")? });
        }
    }
    let to = text(own, "/node/name").map_or("nothing but its account".to_owned(), |node| format!("the node {node}"));
    let until = claims.get("exp").and_then(Value::as_i64).and_then(|at| Timestamp::from_second(at).ok());
    let until = until.map_or(String::new(), |at| format!(", and ends by itself at {at}"));
    Some(Bound::Nothing(format!(
        "it is bound to {to}{until}. By hand: take the account's rights (its RoleBindings) until then, or delete ServiceAccount \
         {namespace}/{account} and make it again, which ends every token of it: restart what runs as it \
         (`--playbook kubernetes-manual-contain`)"
    )))
}

impl Claims {
    /// Reads a token's claims. Nothing where they are not a service account's.
    pub(super) fn of(token: &str) -> Option<Self> {
        let body = token.split('.').nth(1)?.trim_end_matches('=');
        let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(body.as_bytes()).ok()?).ok()?;
        let audiences = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        Some(Self { bound: legacy(&claims).or_else(|| requested(&claims))?, audiences })
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use serde_json::{Value, json};

    use super::{Bound, Claims};

    fn of(claims: &Value) -> Option<Bound> {
        Claims::of(&format!("e30.{}.x", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()))).map(|claims| claims.bound)
    }

    #[test]
    fn a_token_names_what_it_ends_with_and_no_path_beside_it() {
        let legacy =
            json!({ "kubernetes.io/serviceaccount/namespace": "a/../b", "kubernetes.io/serviceaccount/secret.name": "t" });
        assert_eq!(of(&legacy), Some(Bound::Legacy { path: "/api/v1/namespaces/a%2F..%2Fb/secrets/t".to_owned() }));
        let bound = |more: Value| {
            let mut own = json!({ "namespace": "n", "serviceaccount": { "name": "ci", "uid": "u" } });
            own.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
            of(&json!({ "kubernetes.io": own, "exp": 1_700_000_000 }))
        };
        let to = |kind: &str| Some(Bound::To { path: format!("/api/v1/namespaces/n/{kind}/x"), uid: "1".to_owned() });
        let one = json!({ "name": "x", "uid": "1" });
        // A pod's token names its node besides, which is not deleted for it.
        assert_eq!(bound(json!({ "pod": one, "node": { "name": "w", "uid": "2" } })), to("pods"));
        assert_eq!(bound(json!({ "secret": one })), to("secrets"));
        for (more, word) in [(json!({}), "nothing but its account"), (json!({ "node": one }), "the node x")] {
            let Some(Bound::Nothing(why)) = bound(more) else { panic!("{word}") };
            assert!(why.contains(word) && why.contains("2023-11-14") && why.contains("n/ci"), "{why}");
        }
        assert_eq!(of(&json!({ "sub": "somebody" })), None);
        assert_eq!(bound(json!({ "pod": { "name": "x" } })), None);
    }
}
