//! What a kustomization's patches set (kubectl.docs.kubernetes.io, "patches"): inline ones, as part of an object or as operations. Files
//! of patches are parts of objects and are read as those. Declared: that the target is there, and stays so, is not looked up.

use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::slots::{Slots, prints_within};
use super::super::yaml::{Tree, View};
use super::super::{Place, Sheet, folder};
use super::pods::{self, Container, Literal};
use super::{Scope, is_name, name_of};
use crate::model::Tier;

/// Patches of one kustomization.
const PATCHES: usize = 200;

/// Takes in the patches of one kustomization.
pub(super) fn read(sheet: &Sheet<'_>, root: View<'_>, literals: &mut Slots<Literal>, allowance: &mut Allowance) {
    let namespace = root.text_at(&["namespace"]).filter(|namespace| is_name(namespace));
    let all = ["patches", "patchesStrategicMerge", "patchesJson6902"].into_iter().filter_map(|field| root.get(field));
    for patch in all.flat_map(View::items).take(PATCHES) {
        let Some(at) = patch
            .get("patch")
            .or(Some(patch))
            .filter(|at| at.text().is_some_and(|text| text.contains('\n') || text.contains('{')))
        else {
            continue;
        };
        let (tree, _) = Tree::parse(at.text().unwrap_or_default());
        for inner in tree.roots() {
            let target = patch.get("target");
            let kind = inner.text_at(&["kind"]).or_else(|| target?.text_at(&["kind"]));
            let name = name_of(inner).or_else(|| target?.text_at(&["name"]).map(str::to_owned)).filter(|name| is_name(name));
            let (Some(kind), Some(name)) = (kind.filter(|kind| is_name(kind)), name) else { continue };
            let own = inner.text_at(&["metadata", "namespace"]).or(namespace).filter(|namespace| is_name(namespace));
            let scope = Scope { namespace: own.map(Arc::from), folder: Arc::from(folder(&sheet.path)) };
            let who = (kind, name.as_str(), &scope);
            let containers = pods::spec(kind, inner).and_then(|spec| spec.get("containers"));
            if let Some(containers) = containers {
                for container in containers.items() {
                    let named = container.text_at(&["name"]).filter(|name| is_name(name));
                    values((sheet, at), container, (who, named), (&mut *literals, &mut *allowance));
                }
            } else {
                values((sheet, at), inner, (who, None), (&mut *literals, &mut *allowance));
            }
        }
    }
}

fn values(
    (sheet, at): (&Sheet<'_>, View<'_>),
    node: View<'_>,
    ((kind, name, scope), container): ((&str, &str, &Scope), Option<&str>),
    (literals, allowance): (&mut Slots<Literal>, &mut Allowance),
) {
    let below = container.map_or_else(String::new, |name| format!("/{name}"));
    let whole = sheet.place(at);
    let container = Arc::new(Container {
        id: format!("k8s:{}/{kind}/{name}{below}", scope.id_part()),
        name: format!("{kind} {name}"),
        scope: scope.clone(),
        account: String::new(),
        account_at: whole.clone(),
    });
    let raw = sheet
        .text()
        .ok()
        .and_then(|text| text.get(whole.bytes.start as usize..whole.bytes.end as usize))
        .unwrap_or_default();
    node.leaves("patch", &mut |way, leaf| {
        let Some(text) = leaf.text().filter(|text| text.len() > 7 && allowance.take(text.len())) else { return };
        // Where it stands in the file, if it is written there as it is read.
        let start = raw.find(text).map(|start| whole.bytes.start + start as u64);
        let bytes = start.map_or(whole.bytes.start..whole.bytes.start, |start| start..start + text.len() as u64);
        let place = Place { bytes, ..whole.clone() };
        let literal = Literal {
            container: Arc::clone(&container),
            technique: "kustomize-patch",
            detail: way.to_owned(),
            most: Tier::Declared,
        };
        literals.put(place, &prints_within(sheet.key, text), literal);
    });
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn what_a_patch_sets_is_its_target_s() {
        let object = format!(
            "namespace: prod\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: web}}\n    spec: {{template: {{spec: {{containers: [{{name: app, env: [{{name: K, value: {VALUE}}}]}}]}}}}}}\n"
        );
        let operations = format!(
            "patches:\n- target: {{kind: Deployment, name: web}}\n  patch: |-\n    - op: add\n      path: /spec/template/spec/containers/0/env/-\n      value: {{name: K, value: {VALUE}}}\n"
        );
        let file = format!("patches:\n- path: {VALUE}.yaml\n");
        for (text, id) in
            [(&object, Some("k8s:prod/Deployment/web/app")), (&operations, Some("k8s:?k/Deployment/web")), (&file, None)]
        {
            let all = tree(&[("k/kustomization.yaml", text)]).resolve(&finding_in("k/kustomization.yaml", text, VALUE));
            let expected: Vec<_> = id.into_iter().map(|id| (id, Declared)).collect();
            assert_eq!(consumers(&all), expected, "{text}");
        }
    }
}
