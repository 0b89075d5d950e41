//! A running cluster: a leaked value → the Secrets that hold it now → the pods that use them, or that hold it themselves → by owner
//! references the Deployment, StatefulSet, DaemonSet or CronJob, and the ServiceAccount it runs as.
//!
//! Reads only, with the operator's token: `list` of secrets and pods, `get` of replicasets and jobs (Kubernetes API reference v1:
//! Secret, Pod, ReplicaSet, Job; "Owners and dependents"). Helm's own releases are left out by the API's field selector. A pod tells
//! its Secrets by name: what was changed since it started, its variables hold as they were.
//!
//! Plain requests through `net`, not the `kube` crate: that brings an HTTP client of its own, past `net`'s rules for hosts, and a hundred
//! crates more, for five reads.

mod kubeconfig;
mod pods;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use zeroize::Zeroizing;

use super::ask::{Asker, Missed, items, text};
use super::board::{Board, Number};
use crate::model::{Edge, Evidence, Owner, Tier};
use crate::net::Net;
use crate::ownership::roll::{clean, evidence, owner};
use crate::secret::Secret;

pub use kubeconfig::{Cluster, Credential, kubeconfig};

/// How it is called where something of it could not be read.
const KUBERNETES: &str = "Kubernetes";
/// Items a page: an answer of more than 1 MiB is not read.
const SECRETS_A_PAGE: usize = 20;
const PODS_A_PAGE: usize = 50;
/// Pages of one list.
const PAGES: usize = 200;
/// Namespaces that are asked one by one where the whole cluster may not be.
const NAMESPACES: usize = 200;

/// What a Secret's keys hold: the findings, by key.
type Keys = BTreeMap<String, BTreeSet<Number>>;

/// What is known of the cluster while it is read.
struct Reader<'a, 'b, 'f> {
    board: &'b mut Board<'f>,
    asker: &'b Asker<'a>,
    /// By namespace and name.
    secrets: BTreeMap<(String, String), Keys>,
    /// What stands above a controlled object, by path; nothing where that could not be read.
    above: HashMap<String, Option<(String, String)>>,
}

/// Looks for the findings' values in a cluster.
pub async fn ask_kubernetes(board: &mut Board<'_>, net: &Net, (server, token): (&str, &Secret)) {
    let origin = server.trim_end_matches('/').to_owned();
    let asker = Asker {
        net,
        origin,
        login: ("authorization", "Bearer "),
        credential: token,
        headers: &[("accept", "application/json")],
    };
    let mut reader = Reader { board, asker: &asker, secrets: BTreeMap::new(), above: HashMap::new() };
    // What Helm keeps of a release is large, packed, and used by no pod.
    reader.each("secrets", "fieldSelector=type%21%3Dhelm.sh%2Frelease.v1&", SECRETS_A_PAGE).await;
    reader.each("pods", "", PODS_A_PAGE).await;
}

impl Reader<'_, '_, '_> {
    /// Reads every object of a kind: of the cluster at once, or where that is refused namespace by namespace.
    async fn each(&mut self, kind: &'static str, selector: &str, size: usize) {
        let allow = format!("allow `list` on {kind} to have them read");
        match self.pages(&format!("/api/v1/{kind}"), selector, size).await {
            Ok(()) => return,
            Err(Missed::Refused(_)) => {}
            Err(missed) => return self.board.miss(KUBERNETES, missed.words(&allow)),
        }
        let namespaces = match self.asker.get("/api/v1/namespaces?limit=500").await {
            Ok(namespaces) => namespaces,
            Err(missed) => {
                let allow = format!("allow `list` on {kind}, or on namespaces and on {kind} in some of them");
                return self.board.miss(KUBERNETES, missed.words(&allow));
            }
        };
        let names: Vec<String> =
            items(&namespaces, "/items").iter().filter_map(|one| text(one, "/metadata/name")).map(str::to_owned).collect();
        if names.len() > NAMESPACES || text(&namespaces, "/metadata/continue").is_some() {
            self.board.miss(KUBERNETES, format!("{NAMESPACES} namespaces were asked for {kind} and there are more"));
        }
        for name in names.iter().take(NAMESPACES).filter(|name| is_name(name)) {
            if let Err(missed) = self.pages(&format!("/api/v1/namespaces/{name}/{kind}"), selector, size).await {
                self.board.miss(KUBERNETES, missed.words(&allow));
            }
        }
    }

    async fn pages(&mut self, path: &str, selector: &str, size: usize) -> Result<(), Missed> {
        let mut next = String::new();
        for _ in 0..PAGES {
            let page = self.asker.get(&format!("{path}?{selector}limit={size}{next}")).await?;
            for item in items(&page, "/items") {
                if path.ends_with("/pods") { self.pod(item).await } else { self.secret(item) }
            }
            match text(&page, "/metadata/continue") {
                None => return Ok(()),
                Some(token) if token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=.".contains(&b)) => {
                    next = format!("&continue={token}");
                }
                Some(_) => return Err(Missed::Failed(format!("{path} goes on where it cannot be followed"))),
            }
        }
        Err(Missed::Failed(format!("{path}: {PAGES} pages were read and there are more")))
    }

    /// Compares a Secret's values.
    fn secret(&mut self, item: &Value) {
        let (Some(namespace), Some(name)) = (text(item, "/metadata/namespace"), text(item, "/metadata/name")) else {
            return;
        };
        for (key, value) in item.get("data").and_then(Value::as_object).into_iter().flatten() {
            let decoded = value.as_str().and_then(|value| data_encoding::BASE64.decode(value.as_bytes()).ok());
            let Some(decoded) = decoded.map(Zeroizing::new) else { continue };
            let met = self.board.meets_bytes(&decoded);
            if met.is_empty() {
                continue;
            }
            let shown = format!("{} key {}", clean(&format!("{namespace}/{name}")), clean(key));
            for &number in &met {
                self.board.fact(number, "stored_in", format!("Kubernetes Secret {shown}"));
                if let Some(account) = account(item, namespace) {
                    self.board.name(number, account);
                }
            }
            let place = (namespace.to_owned(), name.to_owned());
            self.secrets.entry(place).or_default().entry(key.clone()).or_default().extend(met);
        }
    }

    /// Names who a pod is run for, where it uses what was met.
    async fn pod(&mut self, pod: &Value) {
        let Some(namespace) = text(pod, "/metadata/namespace").filter(|name| is_name(name)) else { return };
        let uses = pods::uses(pod, &|value| self.board.meets(value), &|name| {
            self.secrets.get(&(namespace.to_owned(), name.to_owned()))
        });
        if uses.is_empty() {
            return;
        }
        let (kind, name) = self.top(namespace, pod).await;
        let pod_name = clean(text(pod, "/metadata/name").unwrap_or_default());
        for pods::Use { number, container, technique, said } in uses {
            let id = format!(
                "k8s:{namespace}/{kind}/{name}{}",
                container.as_ref().map_or(String::new(), |one| format!("/{one}"))
            );
            let shown = container.map_or_else(|| format!("{kind} {name}"), |one| format!("{kind} {name}, container {one}"));
            let mut consumer = owner(Edge::Consumer, id, format!("{shown} in {namespace}"), Tier::Proven);
            consumer.evidence.push(evidence(technique, format!("Pod {namespace}/{pod_name}"), said));
            consumer.evidence.extend(runs_as(pod, namespace, &pod_name));
            self.board.name(number, consumer);
            for declared in pods::declared(pod, &pod_name) {
                self.board.name(number, declared);
            }
        }
    }

    /// What a pod belongs to in the end: kind and name.
    async fn top(&mut self, namespace: &str, pod: &Value) -> (String, String) {
        let own = || ("Pod".to_owned(), clean(text(pod, "/metadata/name").unwrap_or_default()));
        let Some((kind, name)) = controller(pod) else { return own() };
        let path = match kind.as_str() {
            "ReplicaSet" => format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}"),
            "Job" => format!("/apis/batch/v1/namespaces/{namespace}/jobs/{name}"),
            _ => return (kind, name),
        };
        if let Some(known) = self.above.get(&path) {
            return known.clone().unwrap_or((kind, name));
        }
        let above = match self.asker.get(&path).await {
            Ok(found) => controller(&found),
            Err(missed) => {
                let what = format!("allow `get` on {} to hear what they belong to", path_kind(&kind));
                self.board.miss(KUBERNETES, missed.words(&what));
                None
            }
        };
        self.above.insert(path, above.clone());
        above.unwrap_or((kind, name))
    }
}

fn path_kind(kind: &str) -> &'static str {
    if kind == "Job" { "jobs" } else { "replicasets" }
}

/// The object that controls another: kind and name.
fn controller(object: &Value) -> Option<(String, String)> {
    let owners = items(object, "/metadata/ownerReferences");
    let one = owners.iter().find(|one| one.get("controller") == Some(&Value::Bool(true)))?;
    let (kind, name) = (text(one, "/kind")?, text(one, "/name")?);
    (is_name(name) && kind.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| (kind.to_owned(), name.to_owned()))
}

/// A name that may stand in a path: DNS labels and subdomains (Kubernetes, "Object Names and IDs").
fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    !name.is_empty() && name.len() <= 253 && !name.starts_with('.') && name.bytes().all(fits)
}

/// The account that a token Secret is of (Kubernetes, "Service account token Secrets").
fn account(secret: &Value, namespace: &str) -> Option<Owner> {
    (text(secret, "/type") == Some("kubernetes.io/service-account-token")).then_some(())?;
    let name = text(secret, "/metadata/annotations/kubernetes.io~1service-account.name").map(clean)?;
    let namespace = clean(namespace);
    let id = format!("k8s:{namespace}/ServiceAccount/{name}");
    let mut principal = owner(Edge::Principal, id, format!("ServiceAccount {name} in {namespace}"), Tier::Proven);
    let at = format!("Secret {namespace}/{}", clean(text(secret, "/metadata/name").unwrap_or_default()));
    principal.evidence.push(evidence("k8s-live-token-secret", at, format!("a token of {name}")));
    Some(principal)
}

fn runs_as(pod: &Value, namespace: &str, name: &str) -> Option<Evidence> {
    let account = text(pod, "/spec/serviceAccountName").map(clean)?;
    Some(evidence(
        "k8s-live-service-account",
        format!("Pod {namespace}/{name}"),
        format!("runs as ServiceAccount {account}"),
    ))
}

#[cfg(test)]
mod tests;
