//! Objects that a controller makes a Secret of: `ExternalSecret` (External Secrets Operator) and `SealedSecret` (Bitnami).
//!
//! What they fetch or have encrypted is not here. What is: values that stand in their templates in clear, which end in the
//! Secret under its name, and the place outside where a value that pods get through that Secret has to be replaced.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::yaml::View;
use super::super::{Place, Sheet};
use super::{Scope, is_name};
use crate::model::Evidence;
use crate::ownership::roll::{clean, evidence};

/// A Secret by its namespace, if one is written down, and its name.
type Name = (Option<Arc<str>>, Arc<str>);

/// Where Secrets come from, as far as manifests say.
#[derive(Default)]
pub(super) struct Origins(HashMap<Name, Vec<Origin>>);

struct Origin {
    folder: Arc<str>,
    /// The key that it fills, or `None` where it may be any.
    key: Option<String>,
    technique: &'static str,
    at: Place,
    value: String,
}

/// The Secret that comes of an object.
pub(super) struct Made<'t> {
    pub(super) name: &'t str,
    /// Its keys that stand in clear.
    pub(super) clear: Option<View<'t>>,
}

/// The Secret that comes of such an object; `None` for every other kind.
pub(super) fn made<'t>(kind: &str, object: View<'t>) -> Option<Made<'t>> {
    let (name, clear): (&[&str], &[&str]) = match kind {
        "ExternalSecret" => (&["spec", "target", "name"], &["spec", "target", "template", "data"]),
        "SealedSecret" => (&["spec", "template", "metadata", "name"], &["spec", "template", "data"]),
        _ => return None,
    };
    let name = object.text_at(name).or_else(|| object.text_at(&["metadata", "name"])).filter(|name| is_name(name))?;
    Some(Made { name, clear: object.at(clear) })
}

impl Origins {
    /// Takes in where the object's values come from.
    pub(super) fn read(&mut self, sheet: &Sheet<'_>, (kind, object): (&str, View<'_>), (scope, name): (&Scope, &str)) {
        let own = self.0.entry((scope.namespace.clone(), Arc::from(name))).or_default();
        let mut put = |key: Option<&str>, technique, at: View<'_>, value: String| {
            let (folder, at) = (Arc::clone(&scope.folder), sheet.place(at));
            own.push(Origin { folder, key: key.map(clean), technique, at, value });
        };
        if kind == "SealedSecret" {
            for (key, at) in object.at(&["spec", "encryptedData"]).map(View::entries).unwrap_or_default() {
                put(key.text(), "k8s-sealed-secret", at, "has to be sealed again".to_owned());
            }
            return;
        }
        let store = clean(object.text_at(&["spec", "secretStoreRef", "name"]).unwrap_or("?"));
        for one in object.at(&["spec", "data"]).into_iter().flat_map(View::items) {
            let Some(remote) = one.get("remoteRef") else { continue };
            let property = remote.text_at(&["property"]).map(|property| format!(" property {property}")).unwrap_or_default();
            let key = clean(&format!("{}{property}", remote.text_at(&["key"]).unwrap_or("?")));
            put(one.text_at(&["secretKey"]), "k8s-external-secret", remote, format!("store {store} key {key}"));
        }
        for one in object.at(&["spec", "dataFrom"]).into_iter().flat_map(View::items) {
            let key = one.text_at(&["extract", "key"]).map_or_else(|| "found by a pattern".to_owned(), clean);
            put(None, "k8s-external-secret", one, format!("store {store} key {key}"));
        }
    }

    /// Where the value of a key is replaced: by the same folder's objects, or by those of the one folder that a namespace
    /// which both write down ties to it.
    pub(super) fn evidence(&self, scope: &Scope, name: &Arc<str>, key: &str) -> Vec<Evidence> {
        let known = self.0.get(&(scope.namespace.clone(), Arc::clone(name))).map(Vec::as_slice).unwrap_or_default();
        let near: Vec<&Origin> = known.iter().filter(|origin| origin.folder == scope.folder).collect();
        let one_folder = known.windows(2).all(|pair| pair[0].folder == pair[1].folder);
        let meant: Vec<&Origin> = match near.is_empty() {
            false => near,
            true if scope.namespace.is_some() && one_folder => known.iter().collect(),
            true => return Vec::new(),
        };
        let fills = |origin: &&Origin| origin.key.as_deref().is_none_or(|own| own == key);
        let said = |origin: &Origin| evidence(origin.technique, origin.at.to_string(), origin.value.clone());
        meant.into_iter().filter(fills).map(said).collect()
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (name, origins) in other.0 {
            self.0.entry(name).or_default().extend(origins);
        }
    }
}
