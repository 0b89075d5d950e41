//! Kubernetes manifests: value → Secret key → reference in a pod template → container and ServiceAccount.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use super::yaml::Node;
use super::{Value, folder_of};
use crate::model::{Edge, Evidence, Finding, Owner, Tier};
use crate::secret::FingerprintKey;

/// Lists in lists are nobody's manifest.
const DEEPEST: usize = 4;

/// Where a kind keeps its pod.
const PODS: &[(&str, &[&str])] = &[
    ("Deployment", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("Rollout", &["spec", "template", "spec"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
    ("Pod", &["spec"]),
];

/// Every object read so far.
#[derive(Debug, Default)]
pub(super) struct Objects {
    secrets: Vec<Secret>,
    containers: Vec<Container>,
}

#[derive(Debug)]
struct Secret {
    path: String,
    name: String,
    namespace: Option<String>,
    entries: BTreeMap<String, Value>,
}

#[derive(Debug)]
struct Container {
    path: String,
    namespace: Option<String>,
    kind: String,
    workload: String,
    name: String,
    service_account: String,
    uses: Vec<Use>,
    literals: Vec<(String, Value)>,
}

/// A reference to a Secret: to one key of it, or to all.
#[derive(Debug)]
struct Use {
    technique: &'static str,
    secret: String,
    key: Option<String>,
    line: usize,
}

impl Objects {
    /// Takes up a document, or the items of a list.
    pub(super) fn read(&mut self, path: &str, node: &Node, key: &FingerprintKey, depth: usize) {
        let kind = node.text_at(&["kind"]).unwrap_or_default();
        if kind.ends_with("List") && depth < DEEPEST {
            let items = node.get("items").map_or(&[][..], Node::items);
            return items.iter().for_each(|item| self.read(path, item, key, depth + 1));
        }
        let namespace = node.text_at(&["metadata", "namespace"]).map(str::to_owned);
        let Some(name) = node.text_at(&["metadata", "name"]).or_else(|| node.text_at(&["metadata", "generateName"])) else {
            return;
        };
        if kind == "Secret" {
            let entries = entries(node, key);
            self.secrets.push(Secret { path: path.to_owned(), name: name.to_owned(), namespace, entries });
        } else if let Some((_, at)) = PODS.iter().find(|(known, _)| *known == kind)
            && let Some(pod) = node.at(at)
        {
            self.containers.extend(containers(path, (kind, name, namespace.as_deref()), pod, key));
        }
    }

    /// The workloads that are given one of the finding's values.
    pub(super) fn owners(&self, finding: &Finding) -> Vec<Owner> {
        let mut owners = Vec::new();
        for container in &self.containers {
            for (variable, value) in &container.literals {
                if value.holds(&container.path, finding) {
                    let evidence = evidence("k8s-env-literal", &container.path, value.line, variable);
                    owners.push(container.owner(Tier::Bound, vec![evidence]));
                }
            }
        }
        for secret in &self.secrets {
            for (key, value) in secret.entries.iter().filter(|(_, value)| value.holds(&secret.path, finding)) {
                let held =
                    evidence("k8s-secret-entry", &secret.path, value.line, &format!("Secret {} key {key}", secret.name));
                for container in &self.containers {
                    let Some(tier) = container.shares_namespace(secret) else { continue };
                    let uses = container.uses.iter().filter(|used| used.secret == secret.name);
                    let uses = uses.filter(|used| used.key.as_ref().is_none_or(|wanted| wanted == key));
                    for used in uses {
                        let what = format!(
                            "Secret {}{}",
                            used.secret,
                            used.key.as_ref().map_or(String::new(), |key| format!(" key {key}"))
                        );
                        let reference = evidence(used.technique, &container.path, used.line, &what);
                        owners.push(container.owner(tier, vec![reference, held.clone()]));
                    }
                }
            }
        }
        owners
    }
}

fn evidence(technique: &str, path: &str, line: usize, value: &str) -> Evidence {
    Evidence { technique: technique.to_owned(), at: format!("{path}:{line}"), value: value.to_owned() }
}

impl Container {
    /// A Secret is only ever read from its own namespace. Where one of the two does not say its own, the same folder
    /// suggests it.
    fn shares_namespace(&self, secret: &Secret) -> Option<Tier> {
        match (&self.namespace, &secret.namespace) {
            (Some(a), Some(b)) => (a == b).then_some(Tier::Bound),
            (None, None) => Some(Tier::Bound),
            _ => (folder_of(&self.path) == folder_of(&secret.path)).then_some(Tier::Inferred),
        }
    }

    fn owner(&self, tier: Tier, mut proof: Vec<Evidence>) -> Owner {
        let namespace = self.namespace.as_deref().unwrap_or("?");
        let id = format!("k8s:{namespace}/{}/{}/{}", self.kind, self.workload, self.name);
        let account = format!("{namespace}/{}", self.service_account);
        proof.push(Evidence { technique: "k8s-service-account".to_owned(), at: self.path.clone(), value: account });
        Owner { edge: Edge::Consumer, id, name: self.workload.clone(), tier, evidence: proof }
    }
}

/// A Secret's entries; `stringData` overrides `data`, as the API server has it.
fn entries(node: &Node, key: &FingerprintKey) -> BTreeMap<String, Value> {
    let mut entries = BTreeMap::new();
    for (section, encoded) in [("data", true), ("stringData", false)] {
        for (name, value) in node.get(section).map_or(&[][..], Node::pairs) {
            let Some(text) = value.text() else { continue };
            let bytes = if encoded {
                let compact: String = text.split_whitespace().collect();
                BASE64.decode(compact.as_bytes()).unwrap_or_default()
            } else {
                text.as_bytes().to_vec()
            };
            // A value is often written with a line end that is not part of it.
            let fingerprint = key.fingerprint(bytes.trim_ascii_end());
            entries.insert(name.clone(), Value { fingerprint, span: value.span.clone(), line: value.line });
        }
    }
    entries
}

fn containers(
    path: &str,
    (kind, workload, namespace): (&str, &str, Option<&str>),
    pod: &Node,
    key: &FingerprintKey,
) -> Vec<Container> {
    let account = pod.text_at(&["serviceAccountName"]).or_else(|| pod.text_at(&["serviceAccount"])).unwrap_or("default");
    let lists = ["containers", "initContainers"].iter().filter_map(|list| pod.get(list));
    let build = |node: &std::rc::Rc<Node>| {
        let mut uses = from_env(node);
        uses.extend(from_volumes(pod, node));
        Container {
            path: path.to_owned(),
            namespace: namespace.map(str::to_owned),
            kind: kind.to_owned(),
            workload: workload.to_owned(),
            name: node.text_at(&["name"]).unwrap_or("?").to_owned(),
            service_account: account.to_owned(),
            uses,
            literals: literals(node, key),
        }
    };
    lists.flat_map(|list| list.items().iter().map(build).collect::<Vec<_>>()).collect()
}

fn literals(container: &Node, key: &FingerprintKey) -> Vec<(String, Value)> {
    let variables = container.get("env").map_or(&[][..], Node::items);
    let literal = |variable: &std::rc::Rc<Node>| {
        let value = variable.get("value")?;
        let fingerprint = key.fingerprint(value.text()?.as_bytes());
        let place = Value { fingerprint, span: value.span.clone(), line: value.line };
        Some((variable.text_at(&["name"]).unwrap_or("?").to_owned(), place))
    };
    variables.iter().filter_map(literal).collect()
}

fn from_env(container: &Node) -> Vec<Use> {
    let mut uses = Vec::new();
    for variable in container.get("env").map_or(&[][..], Node::items) {
        let reference = variable.at(&["valueFrom", "secretKeyRef"]);
        uses.extend(reference.and_then(|reference| {
            let key = Some(reference.text_at(&["key"])?.to_owned());
            let secret = reference.text_at(&["name"])?.to_owned();
            Some(Use { technique: "k8s-secret-key-ref", secret, key, line: reference.line })
        }));
    }
    for source in container.get("envFrom").map_or(&[][..], Node::items) {
        let reference = source.get("secretRef");
        uses.extend(reference.and_then(|reference| {
            let secret = reference.text_at(&["name"])?.to_owned();
            Some(Use { technique: "k8s-env-from", secret, key: None, line: reference.line })
        }));
    }
    uses
}

/// Secrets in volumes that this container mounts.
fn from_volumes(pod: &Node, container: &Node) -> Vec<Use> {
    let mounts = container.get("volumeMounts").map_or(&[][..], Node::items);
    let mounted = |name: &str| mounts.iter().any(|mount| mount.text_at(&["name"]) == Some(name));
    let mut uses = Vec::new();
    for volume in pod.get("volumes").map_or(&[][..], Node::items) {
        if !volume.text_at(&["name"]).is_some_and(mounted) {
            continue;
        }
        if let Some(secret) = volume.get("secret") {
            uses.extend(volume_uses(secret, "secretName"));
        }
        for source in volume.at(&["projected", "sources"]).map_or(&[][..], Node::items) {
            uses.extend(source.get("secret").into_iter().flat_map(|secret| volume_uses(secret, "name")));
        }
    }
    uses
}

/// One use a listed item, or one for all keys.
fn volume_uses(secret: &Node, name: &str) -> Vec<Use> {
    let Some(name) = secret.text_at(&[name]) else { return Vec::new() };
    let used = |key| Use { technique: "k8s-volume", secret: name.to_owned(), key, line: secret.line };
    let items = secret.get("items").map_or(&[][..], Node::items);
    if items.is_empty() {
        return vec![used(None)];
    }
    items.iter().filter_map(|item| Some(used(Some(item.text_at(&["key"])?.to_owned())))).collect()
}
