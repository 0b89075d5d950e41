//! Releases of charts that a controller in the cluster makes: Flux's `HelmRelease` and `Kustomization` (fluxcd.io, "Helm Releases",
//! "Kustomization"), Argo CD's `Application` and `ApplicationSet` (argo-cd.readthedocs.io, "Helm"), k3s's `HelmChart`
//! (docs.k3s.io, "Helm").
//!
//! Which containers the chart gives a value to is not in the tree, so the release stands for all of them: declared.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::slots::{Slots, prints_within};
use super::super::yaml::View;
use super::super::{Place, Sheet, copies, join};
use super::hubs::HubKind;
use super::pods::{Container, Literal, Use, Uses};
use super::{Scope, charts, is_name};
use crate::model::Tier;
use crate::ownership::roll::clean;

/// Where kinds of releases keep values: kind, beginning of `apiVersion`, and the ways to them.
const KINDS: &[(&str, &str, &[&[&str]])] = &[
    ("HelmRelease", "helm.toolkit.fluxcd.io/", &[&["spec", "values"]]),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/", &[&["spec", "postBuild", "substitute"]]),
    ("HelmChart", "helm.cattle.io/", &[&["spec", "valuesContent"], &["spec", "set"]]),
    ("HelmChartConfig", "helm.cattle.io/", &[&["spec", "valuesContent"]]),
];
/// Where they name Secrets and ConfigMaps, and whether all keys of those count.
const SOURCES: [(&[&str], bool); 2] = [(&["spec", "valuesFrom"], false), (&["spec", "postBuild", "substituteFrom"], true)];
/// Where Argo CD's keep their sources.
const ARGO: [(&str, &[&str]); 2] = [("Application", &["spec"]), ("ApplicationSet", &["spec", "template", "spec"])];
/// Fields of a source of Argo CD that hold values.
const FIELDS: [&[&str]; 4] = [&["helm", "values"], &["helm", "valuesObject"], &["helm", "parameters"], &["plugin", "env"]];

/// Files of values of one release.
const FILES: usize = 100;
/// Patterns of such files in a whole tree.
const PATTERNS: usize = 2_000;

/// A release while it is read.
pub(super) struct Release<'a> {
    sheet: &'a Sheet<'a>,
    container: Arc<Container>,
    /// The same, where it puts what the chart is made of.
    into: Arc<Container>,
    /// What the chart calls it.
    name: String,
}

/// Files of values that releases name (argo-cd.readthedocs.io, "Helm Value Files"; fluxcd.io, "Values Files").
#[derive(Default)]
pub(super) struct Files {
    named: HashMap<String, Vec<(Place, Arc<Container>)>>,
    /// Names with something in them that a generator fills in.
    patterns: Vec<(String, Place, Arc<Container>)>,
}

impl Files {
    /// A file that a release names.
    pub(super) fn put(&mut self, path: String, at: Place, who: Arc<Container>) {
        self.named.entry(path).or_default().push((at, who));
    }

    /// The releases that name a file.
    pub(super) fn of<'f>(&'f self, path: &'f str) -> impl Iterator<Item = (&'f Place, &'f Arc<Container>)> {
        let wide =
            self.patterns.iter().filter(move |(pattern, ..)| copies::glob(pattern, path)).map(|(_, at, who)| (at, who));
        self.named.get(path).into_iter().flatten().map(|(at, who)| (at, who)).chain(wide)
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.patterns.extend(other.patterns);
        for (path, releases) in other.named {
            self.named.entry(path).or_default().extend(releases);
        }
    }
}

/// Whether an object is a release.
pub(super) fn is_one(kind: &str, object: View<'_>) -> bool {
    let version = object.text_at(&["apiVersion"]).unwrap_or_default();
    KINDS.iter().any(|(own, begin, _)| *own == kind && version.starts_with(begin))
        || ARGO.iter().any(|(own, _)| *own == kind) && version.starts_with("argoproj.io/")
}

impl<'a> Release<'a> {
    pub(super) fn new(sheet: &'a Sheet<'a>, object: View<'_>, (kind, name): (&str, &str), scope: &Scope) -> Self {
        let container = |scope: Scope, own: &Scope| {
            Arc::new(Container {
                id: format!("k8s:{}/{kind}/{name}", own.id_part()),
                name: format!("{kind} {name}"),
                scope,
                account: String::new(),
                account_at: sheet.place(object),
            })
        };
        let target = [&["spec", "targetNamespace"][..], &["spec", "destination", "namespace"]];
        let target = target.iter().find_map(|way| object.text_at(way)).filter(|name| is_name(name));
        let there =
            Scope { namespace: target.map(Arc::from).or_else(|| scope.namespace.clone()), folder: scope.folder.clone() };
        let called = object.text_at(&["spec", "releaseName"]).unwrap_or(name).to_owned();
        Self { sheet, container: container(scope.clone(), scope), into: container(there, scope), name: called }
    }

    pub(super) fn read(
        &self,
        kind: &str,
        object: View<'_>,
        (uses, literals): (&mut Uses, &mut Slots<Literal>),
        allowance: &mut Allowance,
    ) {
        for way in KINDS.iter().filter(|(own, ..)| *own == kind).flat_map(|(_, _, ways)| *ways) {
            self.values(object.at(way), way, literals);
            // What Flux substitutes names nothing.
            self.refers(object.at(way).filter(|_| kind != "Kustomization"), uses, allowance);
        }
        for (_, way) in ARGO.iter().filter(|(own, _)| *own == kind) {
            let Some(spec) = object.at(way) else { continue };
            let sources = spec.get("source").into_iter().chain(spec.get("sources").into_iter().flat_map(View::items));
            for source in sources {
                for way in FIELDS {
                    self.values(source.at(way), way, literals);
                    self.refers(source.at(way), uses, allowance);
                }
            }
        }
        for (way, substituted) in SOURCES {
            for source in object.at(way).into_iter().flat_map(View::items) {
                self.source(source, substituted, uses);
            }
        }
    }

    /// The files of values that it names: below the repository's root, or beside the chart that it takes from the repository.
    pub(super) fn files(&self, kind: &str, object: View<'_>, files: &mut Files) {
        let root = self.sheet.root.trim_end_matches('/');
        let mut all = Vec::new();
        for (_, way) in ARGO.iter().filter(|(own, _)| *own == kind) {
            let Some(spec) = object.at(way) else { continue };
            let sources = spec.get("source").into_iter().chain(spec.get("sources").into_iter().flat_map(View::items));
            for source in sources {
                let chart = source.text_at(&["path"]).unwrap_or_default();
                let named = source.at(&["helm", "valueFiles"]).into_iter().flat_map(View::items);
                all.extend(named.map(|file| (file, chart)));
            }
        }
        let flux = ["chart", "spec", "valuesFiles"];
        all.extend(
            object.at(&["spec"]).and_then(|spec| spec.at(&flux)).into_iter().flat_map(View::items).map(|file| (file, "")),
        );
        for (file, chart) in all.into_iter().take(FILES) {
            let Some(text) = file.text().filter(|text| !text.contains("://")) else { continue };
            let (base, name) = match text.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
                Some((_, rest)) => ("", rest),
                None if text.starts_with('/') => ("", text.trim_start_matches('/')),
                None => (chart, text),
            };
            let spelt = |text: &str| filled_by_any(text);
            let Some(path) = join(root, &spelt(base)).and_then(|base| join(&base, &spelt(name))) else { continue };
            let (at, who) = (self.sheet.place(file), Arc::clone(&self.into));
            if !path.contains('*') {
                files.named.entry(path).or_default().push((at, who));
            } else if files.patterns.len() < PATTERNS {
                files.patterns.push((path, at, who));
            }
        }
    }

    fn values(&self, at: Option<View<'_>>, way: &[&str], literals: &mut Slots<Literal>) {
        let Some(at) = at else { return };
        at.leaves(way.last().copied().unwrap_or_default(), &mut |way, leaf| {
            let Some(text) = leaf.text().filter(|text| !text.is_empty()) else { return };
            let container = Arc::clone(&self.container);
            let literal = Literal { container, technique: "release-value", detail: way.to_owned(), most: Tier::Declared };
            literals.put(self.sheet.place(leaf), &prints_within(self.sheet.key, text), literal);
        });
    }

    /// The Secrets and ConfigMaps that values name.
    fn refers(&self, values: Option<View<'_>>, uses: &mut Uses, allowance: &mut Allowance) {
        let Some(values) = values else { return };
        charts::refs(self.sheet, values, Some(&self.name), &mut |found| {
            if allowance.take(found.name.len()) {
                uses.entry((found.kind, Arc::clone(&found.name))).or_default().push(found.of(&self.into));
            }
        });
    }

    /// `{kind, name, valuesKey}`: one key of a Secret or ConfigMap, or all that are substituted.
    fn source(&self, source: View<'_>, substituted: bool, uses: &mut Uses) {
        let Some(kind) = source.text_at(&["kind"]).and_then(HubKind::of) else { return };
        let Some(name) = source.text_at(&["name"]).filter(|name| is_name(name)) else { return };
        let key = (!substituted).then(|| clean(source.text_at(&["valuesKey"]).unwrap_or("values.yaml")));
        let detail = format!("values of {} {}: ", kind.word(), clean(name));
        let found =
            Use::of(&self.container, (key, Tier::Declared), ("release-values-from", detail), self.sheet.place(source));
        uses.entry((kind, Arc::from(name))).or_default().push(found);
    }
}

/// `*` for each `{{…}}`.
fn filled_by_any(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once("}}").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    const FLUX: &str = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: prod}\n";

    fn said(text: &str) -> Vec<(String, Tier)> {
        let all = tree(&[("apps/web.yaml", text)]).resolve(&finding_in("apps/web.yaml", text, VALUE));
        consumers(&all).into_iter().map(|(id, tier)| (id.to_owned(), tier)).collect()
    }

    #[test]
    fn a_release_has_the_values_that_it_is_given() {
        let argo = |kind: &str, spec: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: web, namespace: argocd}}\nspec: {spec}\n"
            )
        };
        for (text, id) in [
            (format!("{FLUX}spec: {{values: {{env: [{{name: K, value: {VALUE}}}]}}}}\n"), Some("k8s:prod/HelmRelease/web")),
            (format!("{FLUX}spec: {{chart: {{spec: {{chart: {VALUE}}}}}}}\n"), None),
            (format!("kind: HelmRelease\nmetadata: {{name: web}}\nspec: {{values: {{k: {VALUE}}}}}\n"), None),
            (
                argo("Application", &format!("{{source: {{helm: {{parameters: [{{name: k, value: {VALUE}}}]}}}}}}")),
                Some("k8s:argocd/Application/web"),
            ),
            (
                argo(
                    "Application",
                    &format!("\n  sources:\n  - helm:\n      values: |\n        key: {VALUE}\n        other: x"),
                ),
                Some("k8s:argocd/Application/web"),
            ),
            (
                argo(
                    "ApplicationSet",
                    &format!("{{template: {{spec: {{source: {{helm: {{valuesObject: {{k: {VALUE}}}}}}}}}}}}}"),
                ),
                Some("k8s:argocd/ApplicationSet/web"),
            ),
            (argo("Application", &format!("{{source: {{repoURL: {VALUE}}}}}")), None),
            (
                format!(
                    "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {{name: web, namespace: kube-system}}\nspec: {{set: {{k: {VALUE}}}}}\n"
                ),
                Some("k8s:kube-system/HelmChart/web"),
            ),
        ] {
            let expected: Vec<_> = id.into_iter().map(|id| (id.to_owned(), Declared)).collect();
            assert_eq!(said(&text), expected, "{text}");
        }
    }

    #[test]
    fn files_of_values_are_their_release_s() {
        let argo = |sources: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web, namespace: argocd}}\nspec: {{sources: {sources}}}\n"
            )
        };
        let values = format!("key: {VALUE}\n");
        for (sources, path, named) in [
            ("[{helm: {valueFiles: [$values/env/prod.yaml]}}, {ref: values}]", "env/prod.yaml", true),
            ("[{path: charts/web, helm: {valueFiles: [../../env/prod.yaml]}}]", "env/prod.yaml", true),
            ("[{path: charts/web, helm: {valueFiles: ['../../env/{{env}}.yaml']}}]", "env/prod.yaml", true),
            ("[{path: charts/web, helm: {valueFiles: [prod.yaml]}}]", "env/prod.yaml", false),
            ("[{helm: {valueFiles: ['https://a.example/env/prod.yaml']}}]", "env/prod.yaml", false),
        ] {
            let all = tree(&[("apps/web.yaml", &argo(sources))]).resolve(&finding_in(path, &values, VALUE));
            let expected = [("k8s:argocd/Application/web", Inferred)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{sources}");
        }
    }

    #[test]
    fn values_come_of_secrets_in_its_own_namespace() {
        let secret = |namespace: &str, key: &str| {
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: web, namespace: {namespace}}}\nstringData:\n  {key}: |\n    token: {VALUE}\n    a: b\n"
            )
        };
        let from = |fields: &str| format!("{FLUX}spec: {{valuesFrom: [{{kind: Secret, name: web{fields}}}]}}\n");
        for (fields, namespace, key, named) in [
            ("", "prod", "values.yaml", true),
            (", valuesKey: mine", "prod", "mine", true),
            ("", "prod", "mine", false),
            ("", "dev", "values.yaml", false),
        ] {
            let (text, release) = (secret(namespace, key), from(fields));
            let known = tree(&[("apps/s.yaml", &text), ("apps/web.yaml", &release)]);
            let all = known.resolve(&finding_in("apps/s.yaml", &text, VALUE));
            let expected = [("k8s:prod/HelmRelease/web", Declared)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{fields} {namespace} {key}");
        }
        let kustomization = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux}\nspec: \
                             {postBuild: {substituteFrom: [{kind: Secret, name: vars}]}}\n";
        let secret = format!(
            "kind: Secret\napiVersion: v1\nmetadata: {{name: vars, namespace: flux}}\nstringData: {{TOKEN: {VALUE}}}\n"
        );
        let all = tree(&[("a.yaml", &secret), ("b.yaml", kustomization)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("k8s:flux/Kustomization/apps", Declared)]);
    }
}
