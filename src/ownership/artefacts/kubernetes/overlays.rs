//! What kustomizations set of the objects that they take in, through those that list their folders: the namespace, and what stands
//! before and behind a name (kubectl.docs.kubernetes.io, "namespace", "namePrefix", "nameSuffix"). Also what Flux and Argo CD set of a
//! folder that they apply (fluxcd.io, "Target namespace"; argo-cd.readthedocs.io, "destination").
//!
//! The outermost counts. Where several are applied and do not agree, nothing is said: which of them is meant is not known.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::yaml::View;
use super::super::{Sheet, folder, join};
use super::{is_name, kustomize};

/// Layers that are followed upwards.
const LEVELS: usize = 20;
/// Steps that one question takes.
const STEPS: usize = 300;
/// Layers that list one path.
const ABOVE: usize = 100;

/// What is set of an object.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Layer {
    namespace: Option<Arc<str>>,
    /// For what has none otherwise.
    spare: Option<Arc<str>>,
    before: String,
    behind: String,
    /// Whether a controller's object says something of it: which repository that means is not looked up.
    is_told: bool,
}

impl Layer {
    /// What a kustomization sets.
    fn of(root: View<'_>) -> Self {
        let text = |field: &str| root.text_at(&[field]).filter(|text| is_name(text));
        Self {
            namespace: text("namespace").map(Arc::from),
            spare: None,
            before: text("namePrefix").unwrap_or_default().to_owned(),
            behind: text("nameSuffix").unwrap_or_default().to_owned(),
            is_told: false,
        }
    }

    /// This one, with another around it.
    fn within(&self, outer: &Self) -> Self {
        let namespace = outer.namespace.clone().or_else(|| self.namespace.clone());
        let spare = outer.spare.clone().or_else(|| self.spare.clone()).filter(|_| namespace.is_none());
        Self {
            namespace,
            spare,
            before: format!("{}{}", outer.before, self.before),
            behind: format!("{}{}", self.behind, outer.behind),
            is_told: outer.is_told || self.is_told,
        }
    }

    /// Whether what is set of that workload is a controller's word.
    pub(super) fn is_told(&self, id: &str) -> bool {
        self.is_told || self.spare.is_some() && id.starts_with("k8s:?")
    }

    /// The id of a workload with what is set of it.
    pub(super) fn renamed(&self, id: &str) -> Option<String> {
        let (namespace, rest) = id.strip_prefix("k8s:")?.split_once('/')?;
        let (kind, rest) = rest.split_once('/')?;
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let open = namespace.starts_with('?');
        let spare = self.spare.as_deref().filter(|_| open);
        let whole = kind.starts_with("Cluster");
        let namespace = self.namespace.as_deref().or(spare).filter(|_| !whole).unwrap_or(namespace);
        // What kustomize makes of a chart has names of its own.
        let (before, behind) = if kind == "HelmChart" { ("", "") } else { (self.before.as_str(), self.behind.as_str()) };
        Some(format!("k8s:{namespace}/{kind}/{before}{name}{behind}{below}")).filter(|renamed| renamed != id)
    }
}

/// Who takes a path in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The kustomization of a folder.
    Folder(Arc<str>),
    /// A controller's object, by its place.
    Object(Arc<str>),
}

/// Every layer seen.
#[derive(Default)]
pub(super) struct Overlays {
    /// By the path that they take in.
    above: HashMap<String, Vec<(By, Layer)>>,
    /// By the kustomization's folder.
    own: HashMap<String, Layer>,
}

/// Layers by the outermost of each chain.
type Tops = BTreeSet<(By, Layer)>;

impl Overlays {
    /// Takes in one kustomization.
    pub(super) fn read(&mut self, sheet: &Sheet<'_>, root: View<'_>, listed: &BTreeSet<String>, allowance: &mut Allowance) {
        let (own, layer) = (folder(&sheet.path), Layer::of(root));
        for path in listed {
            if !allowance.take(path.len()) {
                return;
            }
            self.put(path.clone(), By::Folder(Arc::from(own)), layer.clone());
        }
        self.own.insert(own.to_owned(), layer);
    }

    /// Takes in an object of Flux's or Argo CD's that applies a folder.
    pub(super) fn applies(&mut self, sheet: &Sheet<'_>, kind: &str, object: View<'_>) {
        let version = object.text_at(&["apiVersion"]).unwrap_or_default();
        let at: Arc<str> = Arc::from(sheet.place(object).to_string());
        let root = sheet.root.trim_end_matches('/');
        let name = |way: &[&str]| object.text_at(way).filter(|name| is_name(name));
        if kind == "Kustomization" && version.starts_with("kustomize.toolkit.") {
            let Some(path) = object.text_at(&["spec", "path"]) else { return };
            // The repository that Flux was set up from (fluxcd.io/flux/installation/bootstrap), in which its objects lie.
            let is_own = name(&["spec", "sourceRef", "name"]) == Some("flux-system");
            let layer = Layer {
                namespace: name(&["spec", "targetNamespace"]).map(Arc::from),
                spare: None,
                before: name(&["spec", "namePrefix"]).unwrap_or_default().to_owned(),
                behind: name(&["spec", "nameSuffix"]).unwrap_or_default().to_owned(),
                is_told: !is_own
                    && [name(&["spec", "targetNamespace"]), name(&["spec", "namePrefix"]), name(&["spec", "nameSuffix"])]
                        .iter()
                        .any(Option::is_some),
            };
            if let Some(path) = join(root, path.trim_start_matches('/')) {
                self.put(path, By::Object(at), layer);
            }
        } else if kind == "Application" && version.starts_with("argoproj.io/") {
            let sources = object.at(&["spec", "sources"]).into_iter().flat_map(View::items);
            for source in object.at(&["spec", "source"]).into_iter().chain(sources) {
                let own = source.get("kustomize");
                let said = |field: &str| own?.text_at(&[field]).filter(|name| is_name(name));
                let layer = Layer {
                    namespace: said("namespace").map(Arc::from),
                    spare: name(&["spec", "destination", "namespace"]).map(Arc::from),
                    before: said("namePrefix").unwrap_or_default().to_owned(),
                    behind: said("nameSuffix").unwrap_or_default().to_owned(),
                    is_told: own.is_some(),
                };
                if let Some(path) = source.text_at(&["path"]).and_then(|path| join(root, path)) {
                    self.put(path, By::Object(Arc::clone(&at)), layer);
                }
            }
        }
    }

    fn put(&mut self, path: String, by: By, layer: Layer) {
        if path.is_empty() {
            // Of whichever repository.
            return;
        }
        // One more than are followed, so that it is seen that there are too many.
        let above = self.above.entry(path).or_default();
        if above.len() <= ABOVE {
            above.push((by, layer));
        }
    }

    /// What is set of an object in that manifest, if all who apply it, together with the file that the value stands in, agree.
    pub(super) fn of(&self, manifest: &str, value: Option<&str>) -> Option<Layer> {
        let all = self.tops(manifest)?;
        let told = value.filter(|value| *value != manifest).and_then(|value| self.tops(value)).unwrap_or_default();
        let shared = |by: &By| told.iter().any(|(own, _)| own == by);
        let together: BTreeSet<&Layer> = all.iter().filter(|(by, _)| shared(by)).map(|(_, layer)| layer).collect();
        let layers = if together.is_empty() { all.iter().map(|(_, layer)| layer).collect() } else { together };
        layers.first().filter(|_| layers.len() == 1).map(|layer| (*layer).clone())
    }

    /// The chains above a path, or `None` where there are too many.
    fn tops(&self, path: &str) -> Option<Tops> {
        let (mut tops, mut left) = (Tops::new(), STEPS);
        let own = folder(path);
        if kustomize::is_one(path) {
            let layer = self.own.get(own).cloned().unwrap_or_default();
            return self.climb(own, &layer, (LEVELS, &mut left), &mut tops).then_some(tops);
        }
        // Without a kustomization a controller takes the folder as it is.
        let plain = !self.above.contains_key(path) && !self.own.contains_key(own);
        let at = if plain { own } else { path };
        if self.above.contains_key(at) && !self.climb(at, &Layer::default(), (LEVELS, &mut left), &mut tops) {
            return None;
        }
        Some(tops)
    }

    fn climb(&self, path: &str, below: &Layer, (levels, left): (usize, &mut usize), tops: &mut Tops) -> bool {
        let Some(above) = self.above.get(path) else {
            tops.insert((By::Folder(Arc::from(path)), below.clone()));
            return true;
        };
        let Some(levels) = levels.checked_sub(1).filter(|_| above.len() <= ABOVE && *left >= above.len()) else {
            return false;
        };
        *left -= above.len();
        above.iter().all(|(by, layer)| {
            let layer = below.within(layer);
            match by {
                By::Folder(folder) => self.climb(folder, &layer, (levels, &mut *left), tops),
                By::Object(_) => {
                    tops.insert((by.clone(), layer));
                    true
                }
            }
        })
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.own.extend(other.own);
        for (path, above) in other.above {
            for (by, layer) in above {
                self.put(path.clone(), by, layer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    /// The one consumer, where a Secret and a Pod that takes it lie in `k/base`.
    fn named(more: &[(&str, &str)]) -> String {
        let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{KEY: {VALUE}}}\n");
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}\n";
        let files = [&[("k/base/s.yaml", secret.as_str()), ("k/base/p.yaml", pod)], more].concat();
        let all = tree(&files).resolve(&finding(VALUE));
        let all = consumers(&all);
        let told = [":shop/", ":other/"].iter().any(|namespace| all[0].0.contains(namespace));
        let tier = if told { Tier::Declared } else { Tier::Bound };
        assert!(matches!(all[..], [(_, own)] if own == tier), "{all:?}");
        all[0].0.to_owned()
    }

    const BASE: (&str, &str) = ("k/base/kustomization.yaml", "resources: [s.yaml, p.yaml]\n");

    #[test]
    fn the_outermost_kustomization_says_the_namespace() {
        for (outer, expected) in [
            ("namespace: prod\nresources: [../base]\n", "k8s:prod/Pod/p/c"),
            ("namespace: prod\nbases: [../base/]\n", "k8s:prod/Pod/p/c"),
            ("namespace: prod\nresources: []\ncomponents: [../base]\n", "k8s:prod/Pod/p/c"),
            ("namespace: prod\nnamePrefix: a-\nnameSuffix: -z\nresources: [../base]\n", "k8s:prod/Pod/a-p-z/c"),
            ("namePrefix: a-\nresources: [../base]\n", "k8s:?k:base/Pod/a-p/c"),
            ("namespace: '{{ x }}'\nresources: [../base]\n", "k8s:?k:base/Pod/p/c"),
            ("namespace: prod\nresources: [../other]\n", "k8s:?k:base/Pod/p/c"),
        ] {
            assert_eq!(named(&[BASE, ("k/prod/kustomization.yaml", outer)]), expected, "{outer}");
        }
        let inner = ("k/base/kustomization.yaml", "namespace: base\nnamePrefix: b-\nresources: [s.yaml, p.yaml]\n");
        assert_eq!(named(&[inner]), "k8s:base/Pod/b-p/c");
        let outer = ("k/prod/kustomization.yaml", "namespace: prod\nnamePrefix: a-\nresources: [../base]\n");
        let outermost = ("k/all/kustomization.yaml", "resources: [../prod]\n");
        assert_eq!(named(&[inner, outer, outermost]), "k8s:prod/Pod/a-b-p/c");
        let cycle = ("k/all/kustomization.yaml", "resources: [../prod, ../all]\n");
        assert_eq!(named(&[inner, outer, cycle]), "k8s:?k:base/Pod/p/c");
    }

    #[test]
    fn overlays_that_do_not_agree_say_nothing() {
        let prod = ("k/prod/kustomization.yaml", "namespace: prod\nresources: [../base]\n");
        for (text, expected) in [
            ("namespace: dev\nresources: [../base]\n", "k8s:?k:base/Pod/p/c"),
            ("resources: [../base]\n", "k8s:?k:base/Pod/p/c"),
            ("namespace: prod\nresources: [../base]\n", "k8s:prod/Pod/p/c"),
        ] {
            assert_eq!(named(&[BASE, prod, ("k/dev/kustomization.yaml", text)]), expected, "{text}");
        }
    }

    #[test]
    fn controllers_say_where_a_folder_goes() {
        let flux = |more: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: x}}\nspec: {{path: ./k/base{more}}}\n"
            )
        };
        let argo = |more: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: x}}\nspec: {{source: {{path: k/base{more}}}, destination: {{namespace: shop}}}}\n"
            )
        };
        let own = ("k/base/kustomization.yaml", "namespace: base\nresources: [s.yaml, p.yaml]\n");
        for (files, text, expected) in [
            (&[BASE][..], flux(", targetNamespace: shop"), "k8s:shop/Pod/p/c"),
            (&[own], flux(", targetNamespace: shop"), "k8s:shop/Pod/p/c"),
            (&[own], flux(""), "k8s:base/Pod/p/c"),
            (&[], flux(", targetNamespace: shop"), "k8s:shop/Pod/p/c"),
            (&[BASE], argo(""), "k8s:shop/Pod/p/c"),
            (&[], argo(""), "k8s:shop/Pod/p/c"),
            (&[own], argo(""), "k8s:base/Pod/p/c"),
            (&[own], argo(", kustomize: {namespace: other}"), "k8s:other/Pod/p/c"),
        ] {
            assert_eq!(named(&[files, &[("apps/x.yaml", text.as_str())]].concat()), expected, "{text}");
        }
        let (one, other) = (argo(""), argo("").replace("shop", "dev"));
        assert_eq!(named(&[BASE, ("a/x.yaml", &one), ("b/x.yaml", &other)]), "k8s:?k:base/Pod/p/c");
    }

    #[test]
    fn what_flux_applies_of_its_own_repository_is_there() {
        for (source, tier) in [("flux-system", Tier::Bound), ("apps", Tier::Declared)] {
            let object = format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: x}}\nspec: {{path: ./k, targetNamespace: shop, sourceRef: {{kind: GitRepository, name: {source}}}}}\n"
            );
            let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{KEY: {VALUE}}}\n");
            let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}\n";
            let all = tree(&[("k/s.yaml", &secret), ("k/p.yaml", pod), ("c/x.yaml", &object)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), [("k8s:shop/Pod/p/c", tier)], "{source}");
        }
    }

    #[test]
    fn a_value_in_one_overlay_means_that_overlay_s_workload() {
        let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, env: [{name: K, valueFrom: {secretKeyRef: {name: llm-token, key: KEY}}}]}]}\n";
        let overlay = |name: &str, value: &str| {
            format!(
                "namespace: {name}\nresources: [../base]\nsecretGenerator:\n- name: llm-token\n  literals: [KEY={value}]\n"
            )
        };
        let (prod, dev) = (overlay("prod", VALUE), overlay("dev", "another-value-here"));
        let all = tree(&[
            ("k/base/kustomization.yaml", "resources: [p.yaml]\n"),
            ("k/base/p.yaml", manifest),
            ("k/prod/kustomization.yaml", &prod),
            ("k/dev/kustomization.yaml", &dev),
        ])
        .resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("k8s:prod/Pod/p/c", Tier::Inferred)]);
    }
}
