//! Which SPIFFE id a pod's account has, where the tree or the operator says in which trust domain.
//!
//! Istio gives every account `spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT` (istio.io, "Istio identity"), SPIRE what its
//! `ClusterSPIFFEID` objects spell out (github.com/spiffe/spire-controller-manager, docs/clusterspiffeid-crd.md). A default, such as Istio's
//! `cluster.local`, is no knowledge. Where two places name different domains, or the templates different ids, none is said.
//! Objects with selectors pick pods by labels of running things, which are not in the tree, and are left aside.

use std::collections::BTreeSet;
use std::sync::Arc;

use hcl_edit::structure::Body;

use super::super::yaml::{Tree, View};
use super::super::{Place, Sheet, file_name};
use super::Scope;
use crate::model::{Coverage, Evidence, SpiffeId, TrustDomain};
use crate::ownership::roll::evidence;

/// Path of the account's id, for Istio and by the operator's word unless that says otherwise.
const USUAL: &str = "/ns/{namespace}/sa/{service_account}";
/// Templates that are kept; a cluster has a handful.
const TEMPLATES: usize = 50;
/// What a template may hold, and what it is called here.
const WORDS: [(&str, &str); 3] = [
    (".TrustDomain", "{trust_domain}"),
    (".PodMeta.Namespace", "{namespace}"),
    (".PodSpec.ServiceAccountName", "{service_account}"),
];

/// What the operator says of the trust domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Its name.
    pub domain: TrustDomain,
    /// The path of a Kubernetes account's id, with `{namespace}` and `{service_account}` in it.
    pub path: Option<String>,
}

/// What is known of ids.
#[derive(Default)]
pub(super) struct Ids {
    told: Option<Trust>,
    /// Domains that artefacts name.
    domains: Vec<(TrustDomain, Place)>,
    /// Whether it is Istio that one of them is of.
    istio: Option<Place>,
    /// Of `ClusterSPIFFEID` objects without selectors.
    templates: Vec<(String, Place)>,
}

/// Whether a file is SPIRE's own configuration, by its name.
pub(super) fn is_conf(path: &str) -> bool {
    ["server.conf", "agent.conf"].contains(&file_name(path))
}

impl Ids {
    pub(super) fn tell(&mut self, trust: Trust) {
        self.told = Some(trust);
    }

    /// SPIRE's configuration, HCL or JSON.
    pub(super) fn conf(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        match sheet.text() {
            Ok(text) => self.conf_text(text, &Place { path: Arc::clone(&sheet.path), line: 1, bytes: 0..0 }),
            Err(why) => coverage.trouble(&*sheet.path, why),
        }
    }

    fn conf_text(&mut self, text: &str, at: &Place) {
        let named = |body: &Body| {
            let own = |block: &str| {
                let mut blocks = body.get_blocks(block);
                blocks.find_map(|block| Some(block.body.get_attribute("trust_domain")?.value.as_str()?.to_owned()))
            };
            own("server").or_else(|| own("agent"))
        };
        let domain = if text.trim_start().starts_with('{') {
            let (tree, _) = Tree::parse_json(text);
            let root = tree.roots().next();
            root.and_then(|root| {
                root.text_at(&["server", "trust_domain"]).or_else(|| root.text_at(&["agent", "trust_domain"]))
            })
            .map(str::to_owned)
        } else {
            hcl_edit::parser::parse_body(text).ok().as_ref().and_then(named)
        };
        // `server.conf` is many a program's; without a trust domain it is none of ours.
        if let Some(domain) = domain {
            self.domain(&domain, at.clone());
        }
    }

    fn domain(&mut self, name: &str, at: Place) {
        // SPIRE and Istio take `spiffe://x` for `x`.
        let bare = name.strip_prefix("spiffe://").unwrap_or(name);
        if let Some(domain) = TrustDomain::new(bare)
            && self.domains.len() < TEMPLATES
        {
            self.domains.push((domain, at));
        }
    }

    /// Takes in an object that may name a trust domain or a template.
    pub(super) fn object(&mut self, sheet: &Sheet<'_>, kind: &str, object: View<'_>) {
        match kind {
            "IstioOperator" => self.mesh(sheet, object.at(&["spec", "meshConfig", "trustDomain"])),
            "ControllerManagerConfig" => {
                if let Some((at, name)) = object.get("trustDomain").and_then(|at| Some((at, at.text()?))) {
                    self.domain(name, sheet.place(at));
                }
            }
            "ClusterSPIFFEID" => self.template(sheet, object),
            "ConfigMap" => self.config_map(sheet, object),
            _ => {}
        }
    }

    fn mesh(&mut self, sheet: &Sheet<'_>, at: Option<View<'_>>) {
        if let Some((at, name)) = at.and_then(|at| Some((at, at.text()?))) {
            self.domain(name, sheet.place(at));
            self.istio.get_or_insert_with(|| sheet.place(at));
        }
    }

    /// Files that programs get from a ConfigMap: SPIRE's, and `mesh` of Istio's own.
    fn config_map(&mut self, sheet: &Sheet<'_>, object: View<'_>) {
        let Some(data) = object.get("data") else { return };
        for name in ["server.conf", "agent.conf"] {
            if let Some((at, text)) = data.get(name).and_then(|at| Some((at, at.text()?))) {
                self.conf_text(text, &sheet.place(at));
            }
        }
        let is_istio =
            object.text_at(&["metadata", "name"]).is_some_and(|name| name == "istio" || name.starts_with("istio-"));
        if let Some((at, text)) = data.get("mesh").filter(|_| is_istio).and_then(|at| Some((at, at.text()?))) {
            let (tree, _) = Tree::parse(text);
            if let Some(name) = tree.roots().next().and_then(|root| root.text_at(&["trustDomain"])) {
                self.domain(name, sheet.place(at));
                self.istio.get_or_insert_with(|| sheet.place(at));
            }
        }
    }

    fn template(&mut self, sheet: &Sheet<'_>, object: View<'_>) {
        let Some(spec) = object.get("spec") else { return };
        let picks =
            ["podSelector", "namespaceSelector", "workloadSelectorTemplates"].iter().any(|field| spec.get(field).is_some());
        if let Some((at, text)) = spec.get("spiffeIDTemplate").and_then(|at| Some((at, at.text()?)))
            && !picks
            && self.templates.len() < TEMPLATES
            && let Some(template) = plain(text)
        {
            self.templates.push((template, sheet.place(at)));
        }
    }

    /// The id of an account, with where its domain is named. None where anything of it is not known, or is disputed.
    pub(super) fn of(&self, scope: &Scope, account: &str) -> Option<(SpiffeId, Evidence)> {
        let namespace = scope.namespace.as_deref()?;
        let filled = |path: &str| path.replace("{namespace}", namespace).replace("{service_account}", account);
        if let Some(trust) = &self.told {
            let path = filled(trust.path.as_deref().unwrap_or(USUAL));
            let id = SpiffeId::new(&trust.domain, &path)?;
            return Some((id, evidence("spiffe-settings", "settings", format!("trust domain {}", trust.domain))));
        }
        let names: BTreeSet<&TrustDomain> = self.domains.iter().map(|(domain, _)| domain).collect();
        let domain = names.first().filter(|_| names.len() == 1);
        let mut ids = BTreeSet::new();
        let mut at = None;
        for (template, place) in &self.templates {
            let text = match (template.contains("{trust_domain}"), domain) {
                (false, _) => filled(template),
                (true, Some(domain)) => filled(&template.replace("{trust_domain}", &domain.to_string())),
                (true, None) => return None,
            };
            ids.insert(SpiffeId::parse(&text)?);
            at.get_or_insert(place);
        }
        if let Some(place) = &self.istio {
            ids.insert(SpiffeId::new(domain?, &filled(USUAL))?);
            at.get_or_insert(place);
        }
        let id = ids.pop_first().filter(|_| ids.is_empty())?;
        Some((id.clone(), evidence("spiffe-id", at?.to_string(), id.to_string())))
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.told = self.told.take().or(other.told);
        self.istio = self.istio.take().or(other.istio);
        self.domains.extend(other.domains);
        self.templates.extend(other.templates);
    }
}

/// A Go template with this file's own words in it. None where anything else of the template is left.
fn plain(text: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text.trim());
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}")?;
        let word = WORDS.iter().find(|(own, _)| inner.trim() == *own)?.1;
        out.push_str(before);
        out.push_str(word);
        rest = after;
    }
    out.push_str(rest);
    out.starts_with("spiffe://").then_some(out)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{VALUE, finding, shared_key, tree};
    use super::Trust;
    use crate::model::{Owner, TrustDomain};
    use crate::ownership::Artefacts;

    fn deployment(namespace: &str, account: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api{namespace}}}\nspec:\n  template:\n    spec:\n      {account}\n      containers:\n      - {{name: app, env: [{{name: K, value: {VALUE}}}]}}\n"
        )
    }

    fn id(owners: &[Owner]) -> Option<&str> {
        owners[0].spiffe_id.as_deref()
    }

    const ISTIO: &str =
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {meshConfig: {trustDomain: prod.example}}\n";
    const SERVER: &str = "server {\n  bind_port = \"8081\"\n  trust_domain = \"prod.example\"\n}\nplugins {}\n";
    const TEMPLATE: &str = "apiVersion: spire.spiffe.io/v1alpha1\nkind: ClusterSPIFFEID\nmetadata: {name: all}\nspec:\n  spiffeIDTemplate: \"spiffe://{{ .TrustDomain }}/k8s/{{.PodMeta.Namespace}}/{{ .PodSpec.ServiceAccountName }}\"\n";

    #[test]
    fn an_id_is_said_where_all_of_it_is_known_and_nowhere_else() {
        let full = deployment(", namespace: shop", "serviceAccountName: cart");
        let mesh = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    trustDomain: prod.example\n";
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: spire-server, namespace: spire}\ndata:\n  server.conf: |\n    server { trust_domain = \"prod.example\" }\n";
        let usual = Some("spiffe://prod.example/ns/shop/sa/cart");
        let own = Some("spiffe://prod.example/k8s/shop/cart");
        let other = ISTIO.replace("prod.example", "test.example");
        let picks = format!("{TEMPLATE}  podSelector: {{}}\n");
        let labels = TEMPLATE.replace(".PodMeta.Namespace", ".PodMeta.Labels.app");
        let literal = TEMPLATE.replace("{{ .TrustDomain }}", "lab.example");
        let capital = ISTIO.replace("prod.example", "Prod.Example");
        for (files, expected) in [
            (vec![("istio.yaml", ISTIO)], usual),
            (vec![("mesh.yaml", mesh)], usual),
            (vec![("conf/server.conf", SERVER), ("id.yaml", TEMPLATE)], own),
            (vec![("conf/agent.conf", "{\"agent\": {\"trust_domain\": \"prod.example\"}}"), ("id.yaml", TEMPLATE)], own),
            (vec![("map.yaml", map), ("id.yaml", TEMPLATE)], own),
            (vec![("id.yaml", literal.as_str())], Some("spiffe://lab.example/k8s/shop/cart")),
            // A domain alone says nothing of SPIRE's paths, a template nothing of its domain.
            (vec![("conf/server.conf", SERVER)], None),
            (vec![("id.yaml", TEMPLATE)], None),
            (vec![("istio.yaml", ISTIO), ("test/istio.yaml", &other)], None),
            (vec![("istio.yaml", ISTIO), ("id.yaml", TEMPLATE)], None),
            (vec![("conf/server.conf", SERVER), ("id.yaml", &picks)], None),
            (vec![("conf/server.conf", SERVER), ("id.yaml", &labels)], None),
            (vec![("istio.yaml", &capital)], None),
            (vec![("server.conf", "listen 80;\nserver { name x; }\n")], None),
            (vec![], None),
        ] {
            let files: Vec<_> = files.into_iter().chain([("app.yaml", full.as_str())]).collect();
            let known = tree(&files);
            assert_eq!(id(&known.resolve(&finding(VALUE))), expected, "{files:?}");
            assert!(known.coverage().troubles.is_empty(), "{:?}", known.coverage());
        }
        let nowhere = deployment("", "serviceAccountName: cart");
        assert_eq!(id(&tree(&[("istio.yaml", ISTIO), ("app.yaml", &nowhere)]).resolve(&finding(VALUE))), None);
        let account = deployment(", namespace: shop", "restartPolicy: Always");
        let owners = tree(&[("istio.yaml", ISTIO), ("app.yaml", &account)]).resolve(&finding(VALUE));
        assert_eq!(id(&owners), Some("spiffe://prod.example/ns/shop/sa/default"));
        assert!(owners[0].evidence.iter().any(|why| why.technique == "spiffe-id" && why.at == "istio.yaml:3"));
    }

    #[test]
    fn the_operator_s_word_is_enough_and_comes_first() {
        let full = deployment(", namespace: shop", "serviceAccountName: cart");
        for (path, expected) in
            [(None, "spiffe://corp/ns/shop/sa/cart"), (Some("/w/{service_account}"), "spiffe://corp/w/cart")]
        {
            let mut known = Artefacts::new(shared_key(), "");
            let domain = TrustDomain::new("corp").expect("a domain");
            known.trust(Trust { domain, path: path.map(str::to_owned) });
            known.read("istio.yaml", ISTIO.as_bytes());
            known.read("app.yaml", full.as_bytes());
            assert_eq!(id(&known.resolve(&finding(VALUE))), Some(expected));
        }
    }
}
