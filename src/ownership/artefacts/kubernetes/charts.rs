//! What the values of a chart refer to: `existingSecret: NAME`, `secretKeyRef: {name, key}`, `envFrom: [{secretRef: {name}}]`,
//! `{type: secret, name}` and the like, in a release's own values and in files of values that a release names. Also charts that a
//! kustomization inflates (`helmCharts`; kubectl.docs.kubernetes.io, "HelmChartInflationGenerator").
//!
//! Fields are known by their names, as charts call them; what the chart makes of them is not in the tree: declared.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::slots::{Slots, prints_within};
use super::super::yaml::{Tree, View};
use super::super::{Place, Sheet, file_name, folder, join};
use super::hubs::{HubKey, HubKind};
use super::others::kind_of;
use super::pods::{Container, Literal, Use, Uses};
use super::{Kubernetes, Scope, is_name, releases};
use crate::model::Tier;
use crate::ownership::roll::{Roll, clean};

/// Nesting of values.
const LEVELS: usize = 30;
/// References of one file or object.
const REFS: usize = 2_000;
/// Files of values of one inflated chart.
const FILES: usize = 50;

/// A reference out of values.
pub(super) struct Ref {
    pub(super) kind: HubKind,
    pub(super) name: Arc<str>,
    key: Option<String>,
    detail: String,
    at: Place,
}

impl Ref {
    /// As that of a release.
    pub(super) fn of(&self, container: &Arc<Container>) -> Use {
        let detail = ("release-secret-ref", self.detail.clone());
        Use::of(container, (self.key.clone(), Tier::Declared), detail, self.at.clone())
    }
}

/// References of files of values, by what they name.
pub(super) type Refs = HashMap<(HubKind, Arc<str>), Vec<Ref>>;

/// Whether a file may hold a chart's values.
pub(super) fn is_values(sheet: &Sheet<'_>) -> bool {
    file_name(&sheet.path).to_ascii_lowercase().contains("values") && (sheet.mentions("ecret") || sheet.mentions("onfigMap"))
}

/// Hands over every reference below a node of values. `release` is what `{{ .Release.Name }}` stands for, where that is known.
pub(super) fn refs(sheet: &Sheet<'_>, node: View<'_>, release: Option<&str>, each: &mut dyn FnMut(Ref)) {
    let mut walk = Walk { sheet, release, each, left: REFS, fixed: None };
    walk.below(node, "", LEVELS);
}

struct Walk<'w> {
    sheet: &'w Sheet<'w>,
    release: Option<&'w str>,
    each: &'w mut dyn FnMut(Ref),
    left: usize,
    /// The place of a text that holds the values.
    fixed: Option<Place>,
}

impl Walk<'_> {
    fn below(&mut self, node: View<'_>, way: &str, levels: usize) {
        let Some(levels) = levels.checked_sub(1).filter(|_| self.left > 0) else { return };
        if let Some(text) = node.text() {
            // Values as a text, as k3s and Argo CD take them.
            if self.fixed.is_none() && text.contains('\n') && text.contains("ecret") {
                self.fixed = Some(self.sheet.place(node));
                let (tree, _) = Tree::parse(text);
                for root in tree.roots() {
                    self.below(root, way, levels);
                }
                self.fixed = None;
            }
            return;
        }
        if let Some(kind) = node.text_at(&["type"]).and_then(typed) {
            let named = ["name", "secretName", "identifier"].iter().find_map(|field| node.get(field));
            self.named(named, (kind, None), way);
        }
        for (key, value) in node.entries() {
            let Some(name) = key.text() else { continue };
            // `credentialsName: web-secret` says by its value what it is.
            let said = || value.text().filter(|text| text.to_ascii_lowercase().contains("secret")).map(|_| HubKind::Secret);
            if let Some(kind) = kind_of(name).or_else(said) {
                let one = value.text().map_or_else(|| value.get("name"), |_| Some(value));
                self.named(one, (kind, value.text_at(&["key"])), name);
            }
            self.below(value, name, levels);
        }
        let listed = kind_of(way).or_else(|| way.to_ascii_lowercase().ends_with("secrets").then_some(HubKind::Secret));
        for item in node.items() {
            if let Some(kind) = listed {
                self.named(item.get("name").or(Some(item)), (kind, None), way);
            }
            self.below(item, way, levels);
        }
    }

    fn named(&mut self, at: Option<View<'_>>, (kind, key): (HubKind, Option<&str>), way: &str) {
        let Some((at, text)) = at.and_then(|at| Some((at, at.text()?))) else { return };
        let name = filled(text, self.release);
        if !is_name(&name) || self.left == 0 {
            return;
        }
        self.left -= 1;
        let place = self.fixed.clone().unwrap_or_else(|| self.sheet.place(at));
        let detail = format!("values: {} ", clean(way));
        (self.each)(Ref { kind, name: Arc::from(name), key: key.map(clean), detail, at: place });
    }
}

/// A name with that of the release filled in, which Flux calls `${APP}` by custom.
fn filled(text: &str, release: Option<&str>) -> String {
    let Some(release) = release else { return text.to_owned() };
    ["{{ .Release.Name }}", "{{.Release.Name}}", "{{ $.Release.Name }}", "${APP}"]
        .iter()
        .fold(text.to_owned(), |text, own| text.replace(own, release))
}

/// What `type:` beside a name says.
fn typed(word: &str) -> Option<HubKind> {
    match word {
        "secret" | "Secret" => Some(HubKind::Secret),
        "configMap" | "configmap" | "ConfigMap" => Some(HubKind::ConfigMap),
        _ => None,
    }
}

/// Charts that a kustomization inflates.
pub(super) fn inflated(
    sheet: &Sheet<'_>,
    root: View<'_>,
    (uses, literals): (&mut Uses, &mut Slots<Literal>),
    files: &mut releases::Files,
    allowance: &mut Allowance,
) {
    for chart in root.get("helmCharts").into_iter().flat_map(View::items) {
        let name = ["releaseName", "name"].iter().find_map(|field| chart.text_at(&[field]).filter(|name| is_name(name)));
        let Some(name) = name else { continue };
        let namespace = chart.text_at(&["namespace"]).or_else(|| root.text_at(&["namespace"]));
        let own = folder(&sheet.path);
        let scope = Scope { namespace: namespace.filter(|own| is_name(own)).map(Arc::from), folder: Arc::from(own) };
        let container = Arc::new(Container {
            id: format!("k8s:{}/HelmChart/{name}", scope.id_part()),
            name: format!("chart {name}"),
            scope,
            account: String::new(),
            account_at: sheet.place(chart),
        });
        if let Some(values) = chart.get("valuesInline") {
            values.leaves("valuesInline", &mut |way, leaf| {
                let Some(text) = leaf.text().filter(|text| !text.is_empty() && allowance.take(text.len())) else { return };
                let container = Arc::clone(&container);
                let literal =
                    Literal { container, technique: "release-value", detail: way.to_owned(), most: Tier::Declared };
                literals.put(sheet.place(leaf), &prints_within(sheet.key, text), literal);
            });
            refs(sheet, values, Some(name), &mut |found| {
                if allowance.take(found.name.len()) {
                    uses.entry((found.kind, Arc::clone(&found.name))).or_default().push(found.of(&container));
                }
            });
        }
        let more = chart.get("additionalValuesFiles").into_iter().flat_map(View::items);
        for file in chart.get("valuesFile").into_iter().chain(more).take(FILES) {
            if let Some(path) = file.text().and_then(|file| join(own, file)) {
                files.put(path, sheet.place(file), Arc::clone(&container));
            }
        }
    }
}

impl Kubernetes {
    /// Takes in what a chart in the tree is called.
    pub(super) fn chart(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let Some((at, name)) = root.get("name").and_then(|at| Some((at, at.text()?))).filter(|(_, name)| is_name(name))
        else {
            return;
        };
        let own = folder(&sheet.path);
        let id = if own.is_empty() { format!("helm:{name}") } else { format!("helm:{}/{name}", clean(own)) };
        let container = Container {
            id,
            name: format!("chart {name}, any release"),
            scope: Scope { namespace: None, folder: Arc::from(own) },
            account: String::new(),
            account_at: sheet.place(at),
        };
        self.charts.insert(own.to_owned(), Arc::new(container));
    }

    /// Takes in what a file of values refers to.
    pub(super) fn value_refs(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let (own, allowance) = (&mut self.value_refs, &mut self.allowance);
        refs(sheet, root, None, &mut |found| {
            if allowance.take(found.name.len()) {
                own.entry((found.kind, Arc::clone(&found.name))).or_default().push(found);
            }
        });
    }

    /// Names the releases whose files of values refer to a key. False where there is too much to look at.
    pub(super) fn by_values(
        &self,
        (place, hub): (&Place, &HubKey),
        why: &[crate::model::Evidence],
        roll: &mut Roll,
    ) -> bool {
        for found in self.value_refs.get(&(hub.kind, Arc::clone(&hub.name))).into_iter().flatten() {
            if let Some(container) = self.charts.get(folder(&found.at.path)) {
                if !roll.look() {
                    return false;
                }
                let used = found.of(container);
                if let Some(tier) = near(hub, &container.scope.folder).filter(|_| used.wants(&hub.key) && !hub.shadowed) {
                    let mut why = why.to_vec();
                    why.push(used.evidence(&hub.key));
                    self.join((container, Some(&place.path)), roll, tier, why);
                }
            }
            for (_, container) in self.value_files.of(&found.at.path) {
                if !roll.look() {
                    return false;
                }
                let used = found.of(container);
                if let Some(tier) = self.closes((place, hub), &used) {
                    let mut why = why.to_vec();
                    why.push(used.evidence(&hub.key));
                    self.join((container, Some(&place.path)), roll, tier, why);
                }
            }
        }
        true
    }
}

/// How sure it is that a chart of that folder is installed where the Secret is: it comes with the chart, or lives in the namespace that
/// is called as the chart's folder, as those who install by folders have it.
fn near(hub: &HubKey, chart: &str) -> Option<Tier> {
    let own = &*hub.scope.folder;
    if own == chart || own.strip_prefix(chart).is_some_and(|rest| rest.starts_with('/')) {
        return Some(Tier::Declared);
    }
    (hub.scope.namespace.as_deref() == Some(file_name(chart))).then_some(Tier::Inferred)
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    fn secret(name: &str, namespace: &str, key: &str) -> String {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}{namespace}}}\nstringData: {{{key}: {VALUE}}}\n")
    }

    #[test]
    fn a_release_gets_what_its_values_name() {
        let release = |values: &str, more: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web}}\nspec: {{values: {values}{more}}}\n"
            )
        };
        let own = "k8s:?apps/HelmRelease/web";
        for (values, name, key, named) in [
            ("{auth: {existingSecret: db}}", "db", "k", true),
            ("{env: {K: {valueFrom: {secretKeyRef: {name: db, key: k}}}}}", "db", "k", true),
            ("{env: {K: {valueFrom: {secretKeyRef: {name: db, key: k}}}}}", "db", "other", false),
            ("{envFrom: [{secretRef: {name: '{{ .Release.Name }}-db'}}]}", "web-db", "k", true),
            ("{envFromSecrets: [{name: db}]}", "db", "k", true),
            ("{persistence: {c: {type: secret, name: db}}}", "db", "k", true),
            ("{persistence: {c: {type: emptyDir, name: db}}}", "db", "k", false),
            ("{auth: {existingSecret: other}}", "db", "k", false),
            ("{credentialsName: web-secret}", "web-secret", "k", true),
            ("{credentialsName: web-token}", "web-token", "k", false),
        ] {
            let files = [("apps/s.yaml", secret(name, "", key)), ("apps/r.yaml", release(values, ""))];
            let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            let all = tree(&files).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), &[(own, Declared)][..usize::from(named)], "{values}");
        }
        // The chart's objects live where the release puts them.
        for (namespace, named) in [(", namespace: prod", true), (", namespace: other", false)] {
            let text = release("{auth: {existingSecret: db}}", ", targetNamespace: prod");
            let all =
                tree(&[("apps/s.yaml", &secret("db", namespace, "k")), ("apps/r.yaml", &text)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&all).len(), usize::from(named), "{namespace}");
        }
    }

    #[test]
    fn files_of_values_are_read_for_the_charts_that_name_them() {
        let kustomization =
            "helmCharts: [{name: velero, releaseName: backup, namespace: velero, valuesFile: values.yaml}]\n";
        let values = format!("credentials: {{existingSecret: db}}\nother: {VALUE}x\n");
        for (namespace, named) in [(", namespace: velero", true), (", namespace: other", false)] {
            let text = secret("db", namespace, "k");
            let files = [("v/kustomization.yaml", kustomization), ("v/values.yaml", values.as_str()), ("v/s.yaml", &text)];
            let all = tree(&files).resolve(&finding_in("v/s.yaml", &text, VALUE));
            assert_eq!(consumers(&all), &[("k8s:velero/HelmChart/backup", Declared)][..usize::from(named)], "{namespace}");
            let all = tree(&files).resolve(&finding_in("v/values.yaml", &values, VALUE));
            assert_eq!(consumers(&all), [("k8s:velero/HelmChart/backup", Inferred)]);
        }
        // A chart that wraps another one, with values of its own.
        let text = secret("db", ", namespace: web", "k");
        for (path, tier) in [("apps/web/db.yaml", Some(Declared)), ("secrets/db.yaml", Some(Inferred)), ("x/db.yaml", None)]
        {
            let text = if tier.is_some() { text.clone() } else { secret("db", ", namespace: other", "k") };
            let files = [
                ("apps/web/Chart.yaml", "apiVersion: v2\nname: web\n"),
                ("apps/web/values.yaml", "web: {existingSecret: db}\n"),
                (path, text.as_str()),
            ];
            let all = tree(&files).resolve(&finding_in(path, &text, VALUE));
            let expected: Vec<_> = tier.into_iter().map(|tier| ("helm:apps/web/web", tier)).collect();
            assert_eq!(consumers(&all), expected, "{path}");
        }
        let inline = format!("helmCharts: [{{name: x, namespace: a, valuesInline: {{token: {VALUE}}}}}]\n");
        assert_eq!(
            consumers(&tree(&[("kustomization.yaml", &inline)]).resolve(&finding(VALUE))),
            [("k8s:a/HelmChart/x", Declared)]
        );
    }
}
