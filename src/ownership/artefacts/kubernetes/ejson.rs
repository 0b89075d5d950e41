//! Secrets that krane makes of `secrets.ejson` (github.com/Shopify/krane, "Deploying Kubernetes secrets"): `kubernetes_secrets` by name,
//! each with its keys. Inferred: the manifests lie in the folder or above, and are mostly filled in, so that a key is asked for by its own
//! name alone.

use std::sync::Arc;

use super::super::slots::prints_within;
use super::super::yaml::Tree;
use super::super::{Place, Sheet, ends_in, folder};
use super::hubs::{HubKey, HubKind};
use super::pods::Use;
use super::{Kubernetes, Scope, is_name};
use crate::ownership::roll::{Roll, clean};

/// Whether a file holds such.
pub(super) fn is_one(path: &str) -> bool {
    ends_in(path, &["ejson"])
}

impl Kubernetes {
    /// Takes in one file.
    pub(super) fn ejson(&mut self, sheet: &Sheet<'_>) {
        // What is no text is no JSON.
        let Ok(text) = sheet.text() else { return };
        let (tree, _) = Tree::parse_json(text);
        self.templates.insert(Arc::clone(&sheet.path));
        let scope = Scope { namespace: None, folder: Arc::from(folder(&sheet.path)) };
        let all = tree.roots().filter_map(|root| root.get("kubernetes_secrets"));
        for (name, secret) in all.flat_map(super::View::entries) {
            let Some(name) = name.text().filter(|name| is_name(name)) else { continue };
            self.define(HubKind::Secret, &scope, name);
            for (key, value) in secret.get("data").map(super::View::entries).unwrap_or_default() {
                let (Some(key), Some(text)) = (key.text(), value.text()) else { continue };
                if !self.allowance.take(text.len()) {
                    return;
                }
                let (name, key) = (Arc::from(name), Arc::from(clean(key)));
                let hub = HubKey { kind: HubKind::Secret, scope: scope.clone(), name, key, shadowed: false, account: None };
                self.values.put(sheet.place(value), &prints_within(sheet.key, text), hub);
            }
        }
    }

    /// Names who asks for that key of a Secret whose name something fills in, from the file's folder or one above. False where there is
    /// too much to look at.
    pub(super) fn asked_by_key(&self, (place, hub): (&Place, &HubKey), roll: &mut Roll) -> bool {
        if !is_one(&place.path) {
            return true;
        }
        let above =
            |own: &str| own == &*hub.scope.folder || own.is_empty() || hub.scope.folder.starts_with(&format!("{own}/"));
        let nameless = self.uses.get(&(HubKind::Secret, Arc::from("*"))).into_iter().flatten();
        let by_name = self.uses.get(&(HubKind::Secret, Arc::clone(&hub.name))).into_iter().flatten();
        let asks = |used: &&Use| used.is_for(&hub.key) && above(&used.container.scope.folder);
        for used in nameless.chain(by_name).filter(asks) {
            if !roll.look() {
                return false;
            }
            let why = vec![hub.evidence(place, super::super::slots::Join::Place), used.evidence(&hub.key)];
            self.join((&used.container, Some(&place.path)), roll, crate::model::Tier::Inferred, why);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn a_key_of_ejson_is_who_asks_for_it_s() {
        let ejson = format!(
            "{{\"_public_key\": \"x\", \"kubernetes_secrets\": {{\"staging\": {{\"_type\": \"Opaque\", \"data\": {{\"token\": \"{VALUE}\"}}}}}}}}"
        );
        for (path, name, key, named) in [
            ("deploy/web.yaml.erb", "<%= environment %>", "token", true),
            ("deploy/staging/web.yaml", "staging", "token", true),
            ("deploy/web.yaml.erb", "<%= environment %>", "other", false),
            ("deploy/web.yaml", "production", "token", false),
            ("other/web.yaml.erb", "<%= environment %>", "token", false),
        ] {
            let pod = format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    env:\n    - name: T\n      valueFrom:\n        secretKeyRef:\n          name: {name}\n          key: {key}\n"
            );
            let all = tree(&[("deploy/staging/secrets.ejson", &ejson), (path, &pod)]).resolve(&finding(VALUE));
            let id = if path.contains("staging") { "k8s:?deploy:staging/Pod/web/c" } else { "k8s:?deploy/Pod/web/c" };
            assert_eq!(consumers(&all), &[(id, Inferred)][..usize::from(named)], "{path} {name} {key}");
        }
    }
}
