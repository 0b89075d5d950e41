//! Kubernetes manifests: value → key of a Secret or ConfigMap → reference in a pod template → container and the
//! ServiceAccount it runs as. Also values that stand in a container's own `env` or arguments.
//!
//! A chain closes in one namespace only. Where manifests leave the namespace to `kubectl -n`, two of them count as
//! applied together when they lie in one folder; across folders it is inferred where a kustomization takes both in. Nothing is rendered: Helm templates are said to be
//! unread. Kustomize's prefixes and namespaces are applied to ids, and to nothing else; of its patches only what they set is read. Its generators are followed to the manifests that
//! the same kustomization lists. Manifests that something else fills in first are inferred.

mod accounts;
mod charts;
mod ejson;
mod hubs;
mod joins;
mod kustomize;
mod others;
mod overlays;
mod patches;
mod pod_identity;
mod pods;
mod releases;
mod scope;
mod scripts;
mod sealed;
mod spiffe;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use accounts::Accounts;
use hubs::{HubKey, HubKind};
use kustomize::Generators;
use pods::{Container, Literal, Use};
use scope::{Scope, is_name, name_of};
pub use spiffe::Trust;

use super::allowance::Allowance;
use super::slots::{Slots, prints_within};
use super::yaml::{Tree, View};
use super::{Clues, Place, Reader, Sheet, dotenv, ends_in, file_name, folder, templates};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, clean, evidence};
use crate::secret::Fingerprint;

/// Key-to-reference pairs looked at for one finding. A thousand owners are kept at most; this bounds hostile trees.
const PAIRS: usize = 200_000;
/// `kind: List` inside `kind: List`: kubectl never nests them.
const LISTS: usize = 3;

/// Kind, name and home of an object, and one of its keys.
type Known = (HubKind, Arc<str>, (Option<Arc<str>>, Arc<str>), Arc<str>);
/// Kind, name and scope of an object, and one of its keys.
type Defined = (HubKind, Arc<str>, Scope, Arc<str>);
type Folders = BTreeSet<Arc<str>>;
/// A namespace where one is written down, else a folder.
type Home = (Option<Arc<str>>, Arc<str>);

/// What the manifests of a tree say.
#[derive(Default)]
pub(super) struct Kubernetes {
    values: Slots<HubKey>,
    /// Folders that define a hub, by kind, namespace and name, for those with a namespace.
    defined: HashMap<(HubKind, Arc<str>, Arc<str>), Folders>,
    /// Folders that define a hub, by kind and name, for those without.
    nowhere: HashMap<(HubKind, Arc<str>), Folders>,
    /// Where a hub of that name is defined, all over the tree.
    homes: HashMap<(HubKind, Arc<str>), BTreeSet<Home>>,
    /// Every key of every hub.
    keys: HashSet<Known>,
    /// The files that define a key, with its value's fingerprint.
    definers: HashMap<Defined, Vec<(Arc<str>, Fingerprint)>>,
    uses: HashMap<(HubKind, Arc<str>), Vec<Use>>,
    literals: Slots<Literal>,
    /// Containers by the image that they run.
    images: HashMap<String, Vec<(Place, Arc<Container>)>>,
    accounts: Accounts,
    generators: Generators,
    scripts: scripts::Scripts,
    origins: sealed::Origins,
    /// Releases by the files of values that they name.
    value_files: releases::Files,
    /// What files of values refer to.
    value_refs: charts::Refs,
    /// Charts of the tree, by their folders.
    charts: HashMap<String, Arc<Container>>,
    ids: spiffe::Ids,
    /// Files that are filled in before they are applied.
    templates: HashSet<Arc<str>>,
    allowance: Allowance,
}

impl Reader for Kubernetes {
    // `kubectl get secrets -A -o yaml` of a middling cluster.
    const LIMIT: usize = 4 << 20;

    fn wants(path: &str) -> bool {
        ends_in(templates::becomes(path).unwrap_or(path), &["yaml", "yml", "json"])
            || spiffe::is_conf(path)
            || pod_identity::wants(path)
            || kustomize::is_one(path)
            || ejson::is_one(path)
            || scripts::is_one(path)
            || dotenv::is_named_so(file_name(path))
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        if kustomize::is_one(&sheet.path) {
            return ["secretGenerator", "configMapGenerator", "resources", "bases", "components", "patch", "helmCharts"]
                .iter()
                .any(|word| sheet.mentions(word));
        }
        if spiffe::is_conf(&sheet.path) {
            return sheet.mentions("trust_domain");
        }
        if pod_identity::wants(&sheet.path) {
            return pod_identity::concerns(sheet);
        }
        if scripts::is_one(&sheet.path) {
            return scripts::concerns(sheet);
        }
        dotenv::is_named_so(file_name(&sheet.path))
            || ejson::is_one(&sheet.path)
            || sheet.mentions("apiVersion") && sheet.mentions("kind")
            || charts::is_values(sheet)
            || file_name(&sheet.path) == "Chart.yaml"
            || pod_identity::is_template(sheet)
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.allowance.begin();
        self.file(sheet, coverage);
        self.allowance.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, literal, join) in self.literals.hits(clues) {
            let why = evidence(literal.technique, place.to_string(), format!("{} ({})", literal.detail, join.words()));
            self.join((&literal.container, Some(&place.path)), roll, literal.most, vec![why]);
        }
        for (image, (place, container)) in
            clues.images.iter().flat_map(|image| self.images.get(image).into_iter().flatten().map(move |own| (image, own)))
        {
            let why = evidence("k8s-image", place.to_string(), format!("runs {image}, in which it is"));
            self.join((container, None), roll, Tier::Inferred, vec![why]);
        }
        for path in clues.paths() {
            for (at, container) in self.value_files.of(path) {
                let why = evidence("release-value-file", at.to_string(), clean(file_name(path)));
                self.join((container, None), roll, Tier::Inferred, vec![why]);
            }
        }
        let mut pairs = 0;
        for (place, hub, join) in self.values.hits(clues) {
            hub.principal(place, roll);
            if !self.by_values((place, hub), &[hub.evidence(place, join)], roll) || !self.asked_by_key((place, hub), roll) {
                return;
            }
            for used in self.uses.get(&(hub.kind, Arc::clone(&hub.name))).into_iter().flatten() {
                pairs += 1;
                if pairs > PAIRS {
                    return roll.cut();
                }
                if let Some(tier) = self.closes((place, hub), used) {
                    let mut why = vec![hub.evidence(place, join), used.evidence(&hub.key)];
                    why.extend(self.origins.evidence(&hub.scope, &hub.name, &hub.key));
                    self.join((&used.container, Some(&place.path)), roll, tier, why);
                }
            }
        }
        if !self.scripted(clues, &mut pairs, roll) {
            return;
        }
        for met in self.generators.met(clues) {
            for used in self.uses.get(&(met.key.kind, Arc::clone(&met.key.name))).into_iter().flatten() {
                pairs += 1;
                if pairs > PAIRS {
                    return roll.cut();
                }
                let manifest = &used.container.account_at.path;
                let named = met.key.reaches(manifest);
                let near = || {
                    self.generators.takes_in(met.key.folder(), manifest) || self.generators.both(met.key.folder(), manifest)
                };
                if used.wants(&met.name) && (named || near()) {
                    let mut why = met.why.clone();
                    why.push(used.evidence(&met.name));
                    let who = (&*used.container, Some(met.key.path()));
                    self.join(who, roll, if named { used.most } else { Tier::Inferred }, why);
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.keys.extend(other.keys);
        for (key, files) in other.definers {
            self.definers.entry(key).or_default().extend(files);
        }
        self.literals.merge(other.literals);
        self.accounts.merge(other.accounts);
        self.generators.merge(other.generators);
        self.scripts.merge(other.scripts);
        self.origins.merge(other.origins);
        self.value_files.merge(other.value_files);
        self.ids.merge(other.ids);
        self.templates.extend(other.templates);
        self.charts.extend(other.charts);
        for (name, refs) in other.value_refs {
            self.value_refs.entry(name).or_default().extend(refs);
        }
        for (hub, folders) in other.defined {
            self.defined.entry(hub).or_default().extend(folders);
        }
        for (hub, homes) in other.homes {
            self.homes.entry(hub).or_default().extend(homes);
        }
        for (hub, folders) in other.nowhere {
            self.nowhere.entry(hub).or_default().extend(folders);
        }
        for (image, containers) in other.images {
            self.images.entry(image).or_default().extend(containers);
        }
        for (hub, uses) in other.uses {
            self.uses.entry(hub).or_default().extend(uses);
        }
    }
}

impl Kubernetes {
    pub(super) fn trust(&mut self, trust: Trust) {
        self.ids.tell(trust);
    }

    fn file(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        if kustomize::is_one(&sheet.path) {
            return sheet.documents(coverage, &mut |root| {
                self.generators.read(sheet, root, &mut self.allowance);
                patches::read(sheet, root, &mut self.literals, &mut self.allowance);
                let into = (&mut self.uses, &mut self.literals);
                charts::inflated(sheet, root, into, &mut self.value_files, &mut self.allowance);
            });
        }
        if spiffe::is_conf(&sheet.path) {
            return self.ids.conf(sheet, coverage);
        }
        if pod_identity::wants(&sheet.path) {
            return pod_identity::terraform(sheet, &mut self.accounts);
        }
        if pod_identity::is_template(sheet) {
            return pod_identity::template(sheet, coverage, &mut self.accounts);
        }
        if scripts::is_one(&sheet.path) {
            // What is no text is told by whoever else reads it.
            if let Ok(text) = sheet.text() {
                self.script(sheet, text);
            }
            return;
        }
        if ejson::is_one(&sheet.path) {
            return self.ejson(sheet);
        }
        if !ends_in(templates::becomes(&sheet.path).unwrap_or(&sheet.path), &["yaml", "yml", "json"]) {
            return self.generators.read_env(sheet);
        }
        match sheet.text() {
            Ok(text) => self.data(sheet, text, coverage),
            Err(why) => coverage.trouble(&*sheet.path, why),
        }
    }

    /// Takes in YAML or JSON.
    fn data(&mut self, sheet: &Sheet<'_>, text: &str, coverage: &mut Coverage) {
        let values = charts::is_values(sheet);
        let filled = || !values && templates::is_filled(text) && !sheet.path.contains("/templates/");
        if templates::becomes(&sheet.path).is_some() || filled() {
            return self.template(sheet, text);
        }
        let (tree, broken) = Tree::parse(text);
        if file_name(&sheet.path) == "Chart.yaml" {
            // What is broken there is told by the reader of charts.
            for root in tree.roots() {
                self.chart(sheet, root);
            }
            return;
        }
        if values && !(sheet.mentions("apiVersion") && sheet.mentions("kind")) {
            // Charts' values, which other readers complain of.
            for root in tree.roots() {
                self.value_refs(sheet, root);
            }
            return;
        }
        let mut nameless = false;
        for root in tree.roots() {
            if values && root.get("kind").is_none() {
                self.value_refs(sheet, root);
            }
            nameless |= !self.object(sheet, root, None, LISTS);
        }
        let template = text.contains("{{");
        if template && (nameless || broken.is_some()) {
            coverage.trouble(&*sheet.path, "a template: it is not rendered, so its references are unknown; scan the output of `helm template` to have them followed");
        } else {
            sheet.complain(&tree, broken, "YAML", coverage);
        }
    }

    /// Takes in manifests that something else fills in first (Jinja, ERB, gomplate): what stands in them is at most inferred.
    fn template(&mut self, sheet: &Sheet<'_>, text: &str) {
        self.templates.insert(Arc::clone(&sheet.path));
        let (tree, broken) = Tree::parse(&templates::with_marks(text));
        // What is no YAML even so is told by nobody: it need not be.
        if broken.is_none() {
            for root in tree.roots() {
                self.object(sheet, root, None, LISTS);
            }
        }
    }

    /// Takes in what a script makes by commands, and the manifests that stand in it (`kubectl apply -f - <<EOF`).
    fn script(&mut self, sheet: &Sheet<'_>, text: &str) {
        if scripts::makes(sheet) {
            self.scripts.read(sheet, text, &mut self.allowance);
        }
        if scripts::writes(sheet) {
            let (tree, _) = Tree::parse(&super::shell::documents(text));
            for root in tree.roots() {
                self.object(sheet, root, None, LISTS);
            }
        }
    }

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
        self.ids.object(sheet, kind, object);
        self.applied(sheet, kind, object);
        let hub = HubKind::of(kind);
        let pod = pods::spec(kind, object);
        let account = kind == "ServiceAccount";
        let made = sealed::made(kind, object);
        let release = releases::is_one(kind, object);
        let other = pod.is_none() && others::is_one(kind, object);
        if hub.is_none() && pod.is_none() && made.is_none() && !account && !release && !other {
            return true;
        }
        let namespace = object.text_at(&["metadata", "namespace"]);
        let open = namespace.is_some_and(scope::is_open);
        let namespace = namespace.filter(|_| !open);
        let (Some(name), true) = (name_of(object), namespace.is_none_or(is_name)) else { return other };
        if open || name.contains('*') && object.text_at(&["metadata", "name"]).is_some() {
            self.templates.insert(Arc::clone(&sheet.path));
        }
        let scope = Scope { namespace: namespace.map(Arc::from), folder: Arc::from(folder(&sheet.path)) };
        if account {
            self.accounts.read(sheet, object, (&scope, &name));
        }
        if let Some(hub) = hub {
            self.hub((sheet, object), hub, &scope, &name);
        }
        if let Some(made) = made {
            self.origins.read(sheet, (kind, object), (&scope, made.name));
            self.clear(sheet, &scope, &made);
        }
        if release || other {
            self.given(sheet, object, (kind, &name), &scope);
        }
        if let Some(pod) = pod {
            let allowance = RefCell::new(std::mem::take(&mut self.allowance));
            let who = pods::Template { sheet, kind, name: &name, scope: &scope, pod, allowance: &allowance };
            who.read(&mut self.uses, &mut self.literals, &mut self.images);
            self.allowance = allowance.into_inner();
        }
        true
    }

    /// Takes in the keys of a Secret or a ConfigMap.
    fn hub(&mut self, (sheet, object): (&Sheet<'_>, View<'_>), hub: HubKind, scope: &Scope, name: &str) {
        self.define(hub, scope, name);
        self.homes.entry((hub, Arc::from(name))).or_default().insert(scope.home());
        hubs::read(sheet, object, hub, scope, &mut |place, prints, key| {
            if !self.allowance.take((place.bytes.end - place.bytes.start) as usize) {
                return;
            }
            let key = HubKey { name: Arc::from(name), ..key };
            self.keys.insert((hub, Arc::clone(&key.name), scope.home(), Arc::clone(&key.key)));
            if let Some(print) = prints.first() {
                let own = (hub, Arc::clone(&key.name), scope.clone(), Arc::clone(&key.key));
                self.definers.entry(own).or_default().push((Arc::clone(&sheet.path), *print));
            }
            self.values.put(place, prints, key);
        });
    }

    /// Takes in what Flux applies together, and which role an account has.
    fn applied(&mut self, sheet: &Sheet<'_>, kind: &str, object: View<'_>) {
        if kind == "Kustomization"
            && object.text_at(&["apiVersion"]).is_some_and(|own| own.starts_with("kustomize.toolkit."))
        {
            self.generators.applies(sheet, object, &mut self.allowance);
        }
        if matches!(kind, "Kustomization" | "Application") {
            self.generators.overlays.applies(sheet, kind, object);
        }
        if kind == "PodIdentityAssociation" {
            pod_identity::object(sheet, object, &mut self.accounts);
        }
    }

    /// Takes in a release, or an object of a kind that an operator brings.
    fn given(&mut self, sheet: &Sheet<'_>, object: View<'_>, (kind, name): (&str, &str), scope: &Scope) {
        if releases::is_one(kind, object) {
            let who = releases::Release::new(sheet, object, (kind, name), scope);
            who.read(kind, object, (&mut self.uses, &mut self.literals), &mut self.allowance);
            who.files(kind, object, &mut self.value_files);
        } else {
            let mut who = others::Other::new(sheet, object, (kind, name, scope), &mut self.allowance);
            who.read(kind, object, &mut self.uses, &mut self.literals);
        }
    }

    /// Keys in clear of a Secret that a controller makes.
    fn clear(&mut self, sheet: &Sheet<'_>, scope: &Scope, made: &sealed::Made<'_>) {
        let Some(clear) = made.clear else { return };
        self.define(HubKind::Secret, scope, made.name);
        for (key, value) in clear.entries() {
            let (Some(key), Some(text)) = (key.text(), value.text()) else { continue };
            if !self.allowance.take(text.len()) {
                return;
            }
            let (name, key) = (Arc::from(made.name), Arc::from(clean(key)));
            let hub = HubKey { kind: HubKind::Secret, scope: scope.clone(), name, key, shadowed: false, account: None };
            self.values.put(sheet.place(value), &prints_within(sheet.key, text), hub);
        }
    }

    fn define(&mut self, kind: HubKind, scope: &Scope, name: &str) {
        if let Some(namespace) = &scope.namespace {
            let hub = (kind, Arc::clone(namespace), Arc::from(name));
            self.defined.entry(hub).or_default().insert(Arc::clone(&scope.folder));
        } else {
            self.nowhere.entry((kind, Arc::from(name))).or_default().insert(Arc::clone(&scope.folder));
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_around;
