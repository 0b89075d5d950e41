//! Objects of kinds that operators bring, which hold values themselves or name Secrets: an issuer's API token, a database's password, a
//! middleware's users, a workflow's variables. Also an Ingress's certificates and users. What the controller does with them is not in
//! the tree, so the object stands for it: declared.
//!
//! Fields are known by their names, as operators write them: `secretRef`, `apiTokenSecretRef`, `secretKeyRef`, `secretName`,
//! `existingSecret` (kubernetes.io, "API conventions", "Object references"); and what names both an object and a key of it is a
//! reference by whatever name; a text that sounds like a Secret's name is inferred to be one. One with a `namespace` means that one's Secret. What an Alertmanager is configured by is a Secret
//! that it need not name (prometheus-operator.dev, "Alertmanager").

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
    if group == "external-secrets.io" {
        // Stores and pushes use credentials; what is fetched is told elsewhere.
        return matches!(kind, "SecretStore" | "ClusterSecretStore" | "PushSecret");
    }
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
                self.named(tls.get("secretName"), (HubKind::Secret, None), ("tls", tls), uses);
            }
            for annotation in ANNOTATIONS {
                let at = object.at(&["metadata", "annotations", annotation]);
                self.named(at, (HubKind::Secret, None), (annotation, object), uses);
            }
            return;
        }
        if kind == "Alertmanager" && object.at(&["spec", "configSecret"]).is_none() {
            let name = object.text_at(&["metadata", "name"]).map(|name| format!("alertmanager-{name}"));
            let name = (name.as_deref().unwrap_or_default(), None);
            self.put((HubKind::Secret, None), name, (object, "configuration", Tier::Declared), uses);
        }
        let said = |name: &str| !matches!(name, "apiVersion" | "kind" | "metadata" | "status");
        for (name, spec) in object.entries() {
            let Some(name) = name.text().filter(|name| said(name)) else { continue };
            self.below(spec, name, LEVELS, uses);
            spec.leaves(name, &mut |way, leaf| {
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
            let told = referred(value);
            if let Some(kind) = kind_of(name)
                .or_else(|| told.and_then(|_| kind_told(value)))
                .or_else(|| told.and_then(|_| by_words(name, value)))
            {
                let one = told.or_else(|| value.text().map(|_| value));
                let key = value.text_at(&["key"]).or_else(|| value.text_at(&["property"]));
                self.named(one, (kind, key), (name, value), uses);
            } else if let Some((kind, namespace, called, key)) = value.text().and_then(provided) {
                self.put((kind, Some(key)), (called, namespace), (value, name, Tier::Declared), uses);
            } else if let Some(text) = value.text().filter(|text| sounds(text)) {
                self.put((HubKind::Secret, None), (text, None), (value, name, Tier::Inferred), uses);
            }
            self.below(value, name, left, uses);
        }
        let listed = kind_of(way).or_else(|| listed(way));
        for item in node.items() {
            let told = referred(item);
            let kind = listed.or_else(|| told.and_then(|_| item.get("key")).map(|_| HubKind::Secret));
            if let Some(kind) = kind {
                self.named(told.or(Some(item)), (kind, item.text_at(&["key"])), (way, item), uses);
            }
            self.below(item, way, left, uses);
        }
    }

    fn named(
        &mut self,
        at: Option<View<'_>>,
        (kind, key): (HubKind, Option<&str>),
        (way, around): (&str, View<'_>),
        uses: &mut Uses,
    ) {
        let Some((at, text)) = at.and_then(|at| Some((at, at.text()?))) else { return };
        // `namespace/name` in annotations.
        let name = text.rsplit('/').next().unwrap_or(text);
        let elsewhere = around.text_at(&["namespace"]);
        self.put((kind, key), (name, elsewhere), (at, way, Tier::Declared), uses);
    }

    fn put(
        &mut self,
        (kind, key): (HubKind, Option<&str>),
        (name, namespace): (&str, Option<&str>),
        (at, way, tier): (View<'_>, &str, Tier),
        uses: &mut Uses,
    ) {
        if !is_name(name) || !self.allowance.take(name.len() + way.len()) {
            return;
        }
        let detail = ("k8s-object-secret-ref", format!("{} ", clean(way)));
        let there = namespace.filter(|there| is_name(there) && self.container.scope.namespace.as_deref() != Some(there));
        let container = there.map_or_else(|| Arc::clone(&self.container), |there| self.at(there));
        let found = Use::of(&container, (key.map(clean), tier), detail, self.sheet.place(at));
        uses.entry((kind, Arc::from(name))).or_default().push(found);
    }

    /// The same object, as it looks into another namespace.
    fn at(&self, namespace: &str) -> Arc<Container> {
        let own = &self.container;
        let scope = Scope { namespace: Some(Arc::from(namespace)), folder: Arc::clone(&own.scope.folder) };
        let (id, name, account_at) = (own.id.clone(), own.name.clone(), own.account_at.clone());
        Arc::new(Container { id, name, scope, account: String::new(), account_at })
    }
}

/// The name in a reference that is a mapping.
fn referred(value: View<'_>) -> Option<View<'_>> {
    value.get("name").filter(|name| name.text().is_some())
}

/// Of a reference whose field says nothing of Secrets: one that names a key too, or whose field is that of a credential.
fn by_words(field: &str, value: View<'_>) -> Option<HubKind> {
    let lower = field.to_ascii_lowercase();
    let words = ["credential", "password", "token", "auth", "apikey", "accesskey", "cert"];
    let other = value.text_at(&["kind"]).is_some_and(|kind| kind != "Secret");
    let fits = value.text_at(&["key"]).is_some() || words.iter().any(|word| lower.contains(word));
    (fits && !other && !lower.contains("configmap")).then_some(HubKind::Secret)
}

/// What a text takes in of another object when it is read: `${secrets:namespace/name:key}` (strimzi.io, "Kubernetes Configuration
/// Provider").
fn provided(text: &str) -> Option<(HubKind, Option<&str>, &str, &str)> {
    let kinds = [("${secrets:", HubKind::Secret), ("${configmaps:", HubKind::ConfigMap)];
    let (kind, rest) = kinds.iter().find_map(|(begin, kind)| Some((*kind, text.split_once(begin)?.1)))?;
    let (object, key) = rest.split_once('}')?.0.rsplit_once(':')?;
    let (namespace, name) = object.split_once('/').map_or((None, object), |(namespace, name)| (Some(namespace), name));
    Some((kind, namespace, name, key))
}

/// Whether a text sounds like a Secret's name, by whatever field it stands in: VolSync's `repository: restic-config-app`. It is one only
/// where there is such a Secret.
fn sounds(text: &str) -> bool {
    let words = ["secret", "cred", "token", "auth", "password", "restic", "kopia", "key", "config", "cert", "tls"];
    text.len() >= 6 && text.contains('-') && words.iter().any(|word| text.contains(word))
}

/// What a reference says of its kind.
fn kind_told(value: View<'_>) -> Option<HubKind> {
    value.text_at(&["kind"]).and_then(HubKind::of)
}

/// Lists of names, as the operators of Prometheus have them.
fn listed(field: &str) -> Option<HubKind> {
    match field {
        "secrets" => Some(HubKind::Secret),
        "configMaps" => Some(HubKind::ConfigMap),
        _ => None,
    }
}

/// Which kind of object a field of that name names.
pub(super) fn kind_of(field: &str) -> Option<HubKind> {
    // `provisioner-secret-name` among a StorageClass' parameters.
    let lower: String = field.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect();
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
        "secretrefname",
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
    use crate::model::Tier::{Declared, Inferred};
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
        let monitor = |spec: &str| {
            format!(
                "apiVersion: monitoring.coreos.com/v1\nkind: Alertmanager\nmetadata: {{name: main, namespace: a}}\nspec: {spec}\n"
            )
        };
        let (plain, named, scraped) = (
            monitor("{replicas: 1}"),
            monitor("{configSecret: mine}"),
            monitor("{additionalScrapeConfigs: {name: scrape, key: extra}, secrets: [listed]}"),
        );
        let backup = "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: b, namespace: a}\nspec: {restic: {repository: restic-app}}\n";
        let all = tree(&[("a.yaml", &secret("restic-app", "X")), ("b.yaml", backup)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("k8s:a/ReplicationSource/b", Inferred)]);
        assert_eq!(tree(&[("a.yaml", &secret("other-app", "X")), ("b.yaml", backup)]).resolve(&finding(VALUE)), []);
        let connector = "apiVersion: kafka.strimzi.io/v1\nkind: KafkaConnector\nmetadata: {name: c, namespace: a}\nspec: {config: {password: \"${secrets:a/db-login:pw}\"}}\n";
        for (key, named) in [("pw", true), ("user", false)] {
            let all = tree(&[("a.yaml", &secret("db-login", key)), ("b.yaml", connector)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), &[("k8s:a/KafkaConnector/c", Declared)][..usize::from(named)], "{key}");
        }
        let store = "apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: store}\nspec: {provider: {x: {auth: {tokenRef: {name: cf, namespace: a, key: token}}}}}\n";
        for (object, name, key, id) in [
            (plain.as_str(), "alertmanager-main", "alertmanager.yaml", Some("k8s:a/Alertmanager/main")),
            (named.as_str(), "alertmanager-main", "alertmanager.yaml", None),
            (named.as_str(), "mine", "alertmanager.yaml", Some("k8s:a/Alertmanager/main")),
            (scraped.as_str(), "scrape", "extra", Some("k8s:a/Alertmanager/main")),
            (scraped.as_str(), "scrape", "other", None),
            (scraped.as_str(), "listed", "x", Some("k8s:a/Alertmanager/main")),
            (store, "cf", "token", Some("k8s:?/ClusterSecretStore/store")),
            (store, "cf", "other", None),
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
