//! Objects of kinds that operators bring, which hold values themselves or name Secrets: an issuer's API token, a database's password, a
//! middleware's users, a workflow's variables. Also an Ingress's certificates and users. What the controller does with them is not in
//! the tree, so the object stands for it: declared.
//!
//! Fields are known by their names, as operators write them: `secretRef`, `apiTokenSecretRef`, `secretKeyRef`, `secretName`,
//! `existingSecret` (kubernetes.io, "API conventions", "Object references").

use std::sync::Arc;

use super::super::Sheet;
use super::super::allowance::Allowance;
use super::super::slots::{Slots, prints_within};
use super::super::yaml::View;
use super::hubs::HubKind;
use super::pods::{Container, Literal, Use, Uses};
use super::{Scope, is_name};
use crate::model::Tier;
use crate::ownership::roll::clean;

/// Groups whose objects run nothing and are given no credential, or are read elsewhere.
const OTHERS: &[&str] = &[
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "backstage.io",
    "batch",
    "bitnami.com",
    "config.k8s.io",
    "eks.amazonaws.com",
    "external-secrets.io",
    "helm.cattle.io",
    "helm.toolkit.fluxcd.io",
    "kind.x-k8s.io",
    "kustomize.config.k8s.io",
    "kustomize.toolkit.fluxcd.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "skaffold",
    "spire.spiffe.io",
    "storage.k8s.io",
];
/// Nesting of one object.
const LEVELS: usize = 30;
/// Annotations of an Ingress that name a Secret.
const ANNOTATIONS: [&str; 3] =
    ["nginx.ingress.kubernetes.io/auth-secret", "nginx.ingress.kubernetes.io/auth-tls-secret", "haproxy.org/auth-secret"];

/// Whether an object is of such a kind.
pub(super) fn is_one(kind: &str, object: View<'_>) -> bool {
    let version = object.text_at(&["apiVersion"]).unwrap_or_default();
    let Some((group, _)) = version.split_once('/') else { return false };
    if kind == "Ingress" {
        return group == "networking.k8s.io" || group == "extensions";
    }
    let argo = group == "argoproj.io" && matches!(kind, "Application" | "ApplicationSet" | "Rollout");
    let made = matches!(kind, "SealedSecret" | "ExternalSecret" | "SecretProviderClass");
    let own = group.contains('.') || group == "traefik.io";
    own && !argo && !made && !OTHERS.contains(&group) && !group.ends_with(".authorization.k8s.io")
}

/// One object while it is read.
pub(super) struct Other<'a> {
    pub(super) sheet: &'a Sheet<'a>,
    container: Arc<Container>,
    allowance: &'a mut Allowance,
}

impl<'a> Other<'a> {
    pub(super) fn new(
        sheet: &'a Sheet<'a>,
        object: View<'_>,
        (kind, name, scope): (&str, &str, &Scope),
        allowance: &'a mut Allowance,
    ) -> Self {
        let container = Container {
            id: format!("k8s:{}/{kind}/{name}", scope.id_part()),
            name: format!("{kind} {name}"),
            scope: scope.clone(),
            account: String::new(),
            account_at: sheet.place(object),
        };
        Self { sheet, container: Arc::new(container), allowance }
    }

    pub(super) fn read(&mut self, kind: &str, object: View<'_>, uses: &mut Uses, literals: &mut Slots<Literal>) {
        if kind == "Ingress" {
            for tls in object.at(&["spec", "tls"]).into_iter().flat_map(View::items) {
                self.named(tls.get("secretName"), (HubKind::Secret, None), "tls", uses);
            }
            for annotation in ANNOTATIONS {
                self.named(object.at(&["metadata", "annotations", annotation]), (HubKind::Secret, None), annotation, uses);
            }
            return;
        }
        if let Some(spec) = object.get("spec") {
            self.below(spec, "spec", LEVELS, uses);
            spec.leaves("spec", &mut |way, leaf| {
                let Some(text) = leaf.text().filter(|text| !text.is_empty() && self.allowance.take(text.len())) else {
                    return;
                };
                let container = Arc::clone(&self.container);
                let literal =
                    Literal { container, technique: "k8s-object-value", detail: way.to_owned(), most: Tier::Declared };
                literals.put(self.sheet.place(leaf), &prints_within(self.sheet.key, text), literal);
            });
        }
    }

    /// Every reference to a Secret or a ConfigMap below a node.
    fn below(&mut self, node: View<'_>, way: &str, left: usize, uses: &mut Uses) {
        let Some(left) = left.checked_sub(1) else { return };
        for (key, value) in node.entries() {
            let Some(name) = key.text() else { continue };
            if let Some(kind) = kind_of(name) {
                let one = value.text().map_or_else(|| value.get("name"), |_| Some(value));
                self.named(one, (kind, value.text_at(&["key"])), name, uses);
            }
            self.below(value, name, left, uses);
        }
        for item in node.items() {
            if let Some(kind) = kind_of(way) {
                self.named(item.get("name").or(Some(item)), (kind, None), way, uses);
            }
            self.below(item, way, left, uses);
        }
    }

    fn named(&mut self, at: Option<View<'_>>, (kind, key): (HubKind, Option<&str>), way: &str, uses: &mut Uses) {
        let Some((at, text)) = at.and_then(|at| Some((at, at.text()?))) else { return };
        // `namespace/name` in annotations.
        let name = text.rsplit('/').next().unwrap_or(text);
        if !is_name(name) || !self.allowance.take(name.len() + way.len()) {
            return;
        }
        let detail = ("k8s-object-secret-ref", format!("{} ", clean(way)));
        let found = Use::of(&self.container, (key.map(clean), Tier::Declared), detail, self.sheet.place(at));
        uses.entry((kind, Arc::from(name))).or_default().push(found);
    }
}

/// Which kind of object a field of that name names.
pub(super) fn kind_of(field: &str) -> Option<HubKind> {
    let lower = field.to_ascii_lowercase();
    let ends = |words: &[&str]| words.iter().any(|word| lower.ends_with(word));
    if ends(&["configmapref", "configmapkeyref", "configmapname"]) {
        Some(HubKind::ConfigMap)
    } else if ends(&[
        "secretref",
        "secretkeyref",
        "secretname",
        "secret",
        "secretrefs",
        "secretsname",
        "pullsecrets",
        "imagepullsecret",
    ]) {
        Some(HubKind::Secret)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn objects_of_operators_are_given_what_they_name() {
        let secret = |name: &str, key: &str| {
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: a}}\nstringData: {{{key}: {VALUE}}}\n"
            )
        };
        let issuer = "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: le, namespace: a}\nspec: {acme: {solvers: [{dns01: {cloudflare: {apiTokenSecretRef: {name: cf, key: token}}}}]}}\n";
        let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: a, annotations: {nginx.ingress.kubernetes.io/auth-secret: users}}\nspec: {tls: [{secretName: cert}]}\n";
        let middleware = "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: m, namespace: a}\nspec: {basicAuth: {secret: users}}\n";
        for (object, name, key, id) in [
            (issuer, "cf", "token", Some("k8s:a/Issuer/le")),
            (issuer, "cf", "other", None),
            (issuer, "other", "token", None),
            (ingress, "users", "auth", Some("k8s:a/Ingress/web")),
            (ingress, "cert", "tls.key", Some("k8s:a/Ingress/web")),
            (middleware, "users", "users", Some("k8s:a/Middleware/m")),
        ] {
            let all = tree(&[("a.yaml", &secret(name, key)), ("b.yaml", object)]).resolve(&finding(VALUE));
            let expected: Vec<_> = id.into_iter().map(|id| (id, Declared)).collect();
            assert_eq!(consumers(&all), expected, "{name} {key} {object}");
        }
    }

    #[test]
    fn what_stands_in_such_an_object_is_its_own() {
        let object = |version: &str, kind: &str| {
            format!(
                "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x, namespace: a}}\nspec: {{env: [{{name: K, value: {VALUE}}}]}}\n"
            )
        };
        for (version, kind, named) in [
            ("tekton.dev/v1", "Task", true),
            ("argoproj.io/v1alpha1", "WorkflowTemplate", true),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition", false),
            ("backstage.io/v1alpha1", "Component", false),
            ("v1", "Service", false),
        ] {
            let text = object(version, kind);
            let all = tree(&[("a.yaml", &text)]).resolve(&finding(VALUE));
            let id = format!("k8s:a/{kind}/x");
            assert_eq!(consumers(&all), &[(id.as_str(), Declared)][..usize::from(named)], "{version} {kind}");
        }
    }
}
