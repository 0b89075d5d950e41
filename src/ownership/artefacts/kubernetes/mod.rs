//! Kubernetes manifests: value → key of a Secret or ConfigMap → reference in a pod template → container and the
//! ServiceAccount it runs as. Also values that stand in a container's own `env` or arguments.
//!
//! A chain closes in one namespace only. Where manifests leave the namespace to `kubectl -n`, two of them count as
//! applied together when they lie in one folder, and not otherwise. Nothing is rendered: Helm templates are said to be
//! unread, and kustomize's generators, prefixes and namespaces are not applied, so a chain through them stays unknown.

mod hubs;
mod pods;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use hubs::{HubKey, HubKind};
use pods::{Container, Literal, Use};

use super::slots::{Join, Slots};
use super::yaml::{Tree, View};
use super::{Clues, Place, Reader, Sheet, folder};
use crate::model::{Coverage, Edge, Tier};
use crate::ownership::roll::{Roll, clean, evidence, owner};

/// Key-to-reference pairs looked at for one finding. A thousand owners are kept at most; this bounds hostile trees.
const PAIRS: usize = 200_000;
/// `kind: List` inside `kind: List`: kubectl never nests them.
const LISTS: usize = 3;

/// Where an object lives, as far as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Scope {
    /// `None` when it is left to whoever applies the manifest.
    namespace: Option<Arc<str>>,
    folder: Arc<str>,
}

impl Scope {
    /// `NAMESPACE/NAME`, or the name alone.
    fn qualify(&self, name: &str) -> String {
        self.namespace.as_ref().map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
    }

    /// The namespace in an id. One that is not known is `?` and the folder, `:` for `/`, so that workloads of the same
    /// name in two folders stay two.
    fn id_part(&self) -> Cow<'_, str> {
        match &self.namespace {
            Some(namespace) => namespace.as_ref().into(),
            None => format!("?{}", clean(&self.folder).replace('/', ":")).into(),
        }
    }
}

type Folders = BTreeSet<Arc<str>>;

/// What the manifests of a tree say.
#[derive(Default)]
pub(super) struct Kubernetes {
    values: Slots<HubKey>,
    /// Folders that define a hub, by kind, namespace and name, for those with a namespace.
    defined: HashMap<(HubKind, Arc<str>, Arc<str>), Folders>,
    uses: HashMap<(HubKind, Arc<str>), Vec<Use>>,
    literals: Slots<Literal>,
}

impl Reader for Kubernetes {
    // `kubectl get secrets -A -o yaml` of a middling cluster.
    const LIMIT: usize = 4 << 20;

    fn wants(path: &str) -> bool {
        let dot = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        ["yaml", "yml", "json"].iter().any(|ending| dot.eq_ignore_ascii_case(ending))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        // Most YAML and JSON is something else; do not parse it, and do not complain of it.
        let has = |word: &str| memchr::memmem::find(sheet.bytes, word.as_bytes()).is_some();
        if !has("apiVersion") || !has("kind") {
            return;
        }
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let (tree, broken) = Tree::parse(text);
        let mut nameless = false;
        for root in tree.roots() {
            nameless |= !self.object(sheet, root, None, LISTS);
        }
        let template = text.contains("{{");
        if template && (nameless || broken.is_some()) {
            coverage.trouble(&*sheet.path, "a template: it is not rendered, so its references are unknown; scan the output of `helm template` to have them followed");
        } else if let Some(broken) = broken {
            coverage.trouble(&*sheet.path, format!("not valid YAML at line {}: {}", broken.line, clean(&broken.why)));
        } else if tree.is_worn_out() {
            coverage.trouble(&*sheet.path, "its aliases repeat too much: not all of its references are followed");
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, literal, join) in self.literals.hits(clues) {
            let why = evidence(literal.technique, place.to_string(), format!("{} ({})", literal.detail, join.words()));
            literal.container.join(roll, Tier::Bound, vec![why]);
        }
        let mut pairs = 0;
        for (place, hub, join) in self.values.hits(clues) {
            hub.principal(place, roll);
            for used in self.uses.get(&(hub.kind, Arc::clone(&hub.name))).into_iter().flatten() {
                pairs += 1;
                if pairs > PAIRS {
                    return roll.cut();
                }
                if let Some(tier) = self.closes(hub, used) {
                    used.container.join(roll, tier, vec![hub.evidence(place, join), used.evidence(&hub.key)]);
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.literals.merge(other.literals);
        for (hub, folders) in other.defined {
            self.defined.entry(hub).or_default().extend(folders);
        }
        for (hub, uses) in other.uses {
            self.uses.entry(hub).or_default().extend(uses);
        }
    }
}

impl Kubernetes {
    /// Takes in one object, or the items of a list. False when something of interest has no usable name.
    fn object(&mut self, sheet: &Sheet<'_>, object: View<'_>, kind: Option<&str>, lists: usize) -> bool {
        let Some(kind) = object.text_at(&["kind"]).or(kind) else { return true };
        if let (Some(item), Some(items)) = (kind.strip_suffix("List"), object.get("items")) {
            // `SecretList` holds Secrets that need not say so; a plain `List` holds objects that do.
            let item = Some(item).filter(|item| !item.is_empty());
            let mut named = true;
            for one in items.items().take_while(|_| lists > 0) {
                named &= self.object(sheet, one, item, lists - 1);
            }
            return named;
        }
        let hub = HubKind::of(kind);
        let pod = pods::spec(kind, object);
        if hub.is_none() && pod.is_none() {
            return true;
        }
        let namespace = object.text_at(&["metadata", "namespace"]);
        let (Some(name), true) = (name_of(object), namespace.is_none_or(is_name)) else { return false };
        let scope = Scope { namespace: namespace.map(Arc::from), folder: Arc::from(folder(&sheet.path)) };
        if let Some(hub) = hub {
            self.define(hub, &scope, &name);
            hubs::read(sheet, object, hub, &scope, &mut |place, prints, key| {
                self.values.put(place, prints, HubKey { name: Arc::from(name.as_str()), ..key });
            });
        }
        if let Some(pod) = pod {
            let who = pods::Template { sheet, kind, name: &name, scope: &scope, pod };
            who.read(&mut self.uses, &mut self.literals);
        }
        true
    }

    fn define(&mut self, kind: HubKind, scope: &Scope, name: &str) {
        if let Some(namespace) = &scope.namespace {
            let hub = (kind, Arc::clone(namespace), Arc::from(name));
            self.defined.entry(hub).or_default().insert(Arc::clone(&scope.folder));
        }
    }

    /// How well a reference leads to a key, if it does.
    fn closes(&self, hub: &HubKey, used: &Use) -> Option<Tier> {
        let scope = &used.container.scope;
        if !used.wants(&hub.key) || hub.shadowed || hub.scope.namespace != scope.namespace {
            return None;
        }
        if hub.scope.folder == scope.folder {
            return Some(Tier::Bound);
        }
        // Another folder: only a namespace that both write down ties them together. Where several folders define the
        // Secret (one for each cluster, say) the reference means its own folder's; failing that, one of them.
        let namespace = Arc::clone(scope.namespace.as_ref()?);
        let folders = self.defined.get(&(hub.kind, namespace, Arc::clone(&hub.name)))?;
        match folders.len() {
            _ if folders.contains(&scope.folder) => None,
            1 => Some(Tier::Bound),
            _ => Some(Tier::Inferred),
        }
    }
}

impl HubKey {
    fn evidence(&self, place: &Place, join: Join) -> crate::model::Evidence {
        let value = format!("{} {} key {} ({})", self.kind.word(), self.scope.qualify(&self.name), self.key, join.words());
        evidence(self.kind.technique(), place.to_string(), value)
    }

    /// A ServiceAccount's token Secret names the account it authenticates as.
    fn principal(&self, place: &Place, roll: &mut Roll) {
        let Some(account) = &self.account else { return };
        let id = format!("k8s:{}/ServiceAccount/{account}", self.scope.id_part());
        let mut principal = owner(Edge::Principal, id, format!("ServiceAccount {account}"), Tier::Bound);
        let value = format!("Secret {} is a token of {account}", self.scope.qualify(&self.name));
        principal.evidence.push(evidence("k8s-service-account-token", place.to_string(), value));
        roll.add(principal);
    }
}

impl Container {
    fn join(&self, roll: &mut Roll, tier: Tier, mut why: Vec<crate::model::Evidence>) {
        why.push(evidence("k8s-service-account", self.account_at.to_string(), self.scope.qualify(&self.account)));
        let mut consumer = owner(Edge::Consumer, &self.id, &self.name, tier);
        consumer.evidence = why;
        roll.add(consumer);
    }
}

/// The object's name; for one that the cluster names, what the name begins with.
fn name_of(object: View<'_>) -> Option<String> {
    let name = object.text_at(&["metadata", "name"]).filter(|name| is_name(name)).map(str::to_owned);
    let begins = || object.text_at(&["metadata", "generateName"]).filter(|name| is_name(name));
    name.or_else(|| begins().map(|name| format!("{name}*")))
}

/// Whether it could be a name in a cluster: what is left of a template is not.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    !name.is_empty() && name.len() <= 253 && name.chars().all(fits)
}

#[cfg(test)]
mod tests;
