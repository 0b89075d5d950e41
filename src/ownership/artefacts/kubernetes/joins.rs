//! Which arrows close: from a key of a Secret or ConfigMap to the containers that refer to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Place, dotenv, file_name, folder};
use super::hubs::{HubKey, HubKind};
use super::pods::{Container, Use};
use super::{Kubernetes, scripts};
use crate::model::{Edge, Evidence, Tier};
use crate::ownership::roll::{Roll, evidence, owner};

/// Names of Secrets and ConfigMaps that are shorter are everybody's: `db`, `llm`, `secret`.
const TELLING: [(HubKind, usize); 2] = [(HubKind::Secret, 7), (HubKind::ConfigMap, 12)];

impl Kubernetes {
    /// Names a container as the consumer, with the account that it runs as. `value` is the file that the value stands in.
    pub(super) fn join(
        &self,
        (container, value): (&Container, Option<&str>),
        roll: &mut Roll,
        tier: Tier,
        mut why: Vec<Evidence>,
    ) {
        let form = dotenv::is_form(file_name(&container.account_at.path));
        let tier = if form { tier.min(Tier::Inferred) } else { tier };
        // Whether anybody runs a script is not in the tree.
        let tier = if scripts::is_one(&container.account_at.path) { tier.min(Tier::Declared) } else { tier };
        let filled = |path: &str| self.templates.contains(path);
        let open = filled(&container.account_at.path) || value.is_some_and(filled);
        let tier = if open { tier.min(Tier::Inferred) } else { tier };
        let (scope, account) = (&container.scope, &container.account);
        if !account.is_empty() {
            why.push(evidence("k8s-service-account", container.account_at.to_string(), scope.qualify(account)));
            why.extend(self.accounts.evidence(scope, account));
        }
        let manifest = &container.account_at.path;
        let layer = self.generators.overlays.of(manifest, value);
        let renamed = layer.as_ref().and_then(|layer| layer.renamed(&container.id));
        let told = renamed.is_some() && layer.is_some_and(|layer| layer.is_told(&container.id));
        let tier = if told { tier.min(Tier::Declared) } else { tier };
        let mut consumer = owner(Edge::Consumer, renamed.as_deref().unwrap_or(&container.id), &container.name, tier);
        if let Some((id, said)) = self.ids.of(scope, account).filter(|_| !account.is_empty()) {
            consumer.spiffe_id = Some(id.to_string());
            why.push(said);
        }
        consumer.evidence = why;
        roll.add(consumer);
    }

    /// Whether another file of the folder gives the key another value: which of them is applied last is not in the tree.
    /// Samples are not applied.
    fn is_disputed(&self, place: &Place, hub: &HubKey) -> bool {
        let key = (hub.kind, Arc::clone(&hub.name), hub.scope.clone(), Arc::clone(&hub.key));
        let Some(files) = self.definers.get(&key) else { return false };
        let own: Vec<_> = files.iter().filter(|(path, _)| *path == place.path).map(|(_, print)| print).collect();
        files.iter().any(|(path, print)| *path != place.path && !own.contains(&print) && !dotenv::is_sample(file_name(path)))
    }

    /// Whether two that name no namespace are most likely applied together, though they lie in two folders: a kustomization
    /// of one takes in the other's, or the only Secret of that name lies in a folder right below.
    fn is_near(&self, place: &Place, hub: &HubKey, used: &Use) -> bool {
        let (own, other) = (&hub.scope.folder, &used.container.scope.folder);
        let manifest = &used.container.account_at.path;
        let folders = self.nowhere.get(&(hub.kind, Arc::clone(&hub.name)));
        if folders.is_some_and(|folders| folders.contains(other)) {
            // Its own folder's is meant.
            return false;
        }
        if self.generators.takes_in(other, &place.path) || self.generators.takes_in(own, manifest) {
            return true;
        }
        if hub.kind == HubKind::Secret && self.generators.both(&place.path, manifest) {
            return true;
        }
        let alone = folders.is_some_and(|folders| folders.len() == 1);
        alone && hub.kind == HubKind::Secret && own.contains('/') && folder(own) == &**other
    }

    /// Whether it is the one object of that name in the tree, where a namespace is left to whoever applies it: names are seldom alike by
    /// accident, if they say something.
    fn is_only(&self, hub: &HubKey, used: &Use) -> bool {
        let open = hub.scope.namespace.is_none() || used.container.scope.namespace.is_none();
        let least = TELLING.iter().find(|(kind, _)| *kind == hub.kind).map_or(usize::MAX, |(_, least)| *least);
        let telling = hub.name.len() >= least && hub.name.contains(['-', '.']) && !hub.name.contains('*');
        let named = (hub.kind, Arc::clone(&hub.name));
        let alone = self.homes.get(&named).is_some_and(|homes| homes.len() == 1);
        open && telling && alone && !self.is_common(&named)
    }

    /// Whether so many folders ask for an object of that name that it is what everybody calls theirs: samples that lie beside each other.
    fn is_common(&self, named: &(HubKind, Arc<str>)) -> bool {
        const MANY: usize = 4;
        let mut folders = BTreeSet::new();
        self.uses.get(named).into_iter().flatten().any(|used| {
            folders.insert(used.container.scope.home());
            folders.len() > MANY
        })
    }

    /// Whether one of the two names a namespace and the other leaves it to a kustomization that takes in both.
    fn is_left_open(&self, (place, hub): (&Place, &HubKey), used: &Use) -> bool {
        let scope = &used.container.scope;
        if !self.generators.both(&place.path, &used.container.account_at.path) {
            return false;
        }
        match (&hub.scope.namespace, &scope.namespace) {
            (None, Some(namespace)) => !self.defined.contains_key(&(hub.kind, Arc::clone(namespace), Arc::clone(&hub.name))),
            (Some(_), None) => {
                let folders = self.nowhere.get(&(hub.kind, Arc::clone(&hub.name)));
                !folders.is_some_and(|folders| folders.contains(&scope.folder))
            }
            _ => false,
        }
    }

    /// How well a reference leads to a key, if it does.
    pub(super) fn closes(&self, (place, hub): (&Place, &HubKey), used: &Use) -> Option<Tier> {
        let scope = &used.container.scope;
        if !used.wants(&hub.key) || hub.shadowed {
            return None;
        }
        if hub.scope.namespace != scope.namespace {
            return (self.is_left_open((place, hub), used) || self.is_only(hub, used)).then_some(Tier::Inferred);
        }
        let known = |(kind, name, key): (HubKind, &Arc<str>, &str)| {
            self.keys.contains(&(kind, Arc::clone(name), scope.home(), Arc::from(key)))
        };
        if used.is_hidden(&hub.key, &known) {
            return None;
        }
        let doubtful = self.is_disputed(place, hub) || dotenv::is_form(file_name(&place.path));
        let best = if doubtful { Tier::Inferred } else { used.most };
        let best = if scripts::is_one(&place.path) { best.min(Tier::Declared) } else { best };
        if hub.scope.folder == scope.folder {
            return Some(best);
        }
        if scope.namespace.is_none() {
            return (self.is_near(place, hub, used) || self.is_only(hub, used)).then_some(Tier::Inferred);
        }
        // Another folder: only a namespace that both write down ties them together. Where several folders define the
        // Secret (one for each cluster, say) the reference means its own folder's; failing that, one of them.
        let namespace = Arc::clone(scope.namespace.as_ref()?);
        let folders = self.defined.get(&(hub.kind, namespace, Arc::clone(&hub.name)))?;
        match folders.len() {
            _ if folders.contains(&scope.folder) => None,
            1 => Some(best),
            _ => Some(Tier::Inferred),
        }
    }
}
