//! One pod: which of the values that were met it holds or takes from a Secret, by container.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::ask::{items, text};
use super::super::board::Number;
use super::super::tags::accountable;
use super::Keys;
use crate::model::Owner;
use crate::ownership::roll::clean;

/// One way in which a pod uses a finding's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) number: Number,
    /// None where it is the kubelet that uses it, to fetch the image.
    pub(super) container: Option<String>,
    pub(super) technique: &'static str,
    pub(super) said: String,
}

/// Where a value was met.
pub(super) type Meets<'a> = dyn Fn(&str) -> BTreeSet<Number> + 'a;
/// What was met in a Secret of the pod's namespace.
pub(super) type Secrets<'a> = dyn Fn(&str) -> Option<&'a Keys> + 'a;

/// Every use in a pod.
pub(super) fn uses(pod: &Value, meets: &Meets<'_>, secrets: &Secrets<'_>) -> BTreeSet<Use> {
    let mut found = BTreeSet::new();
    let volumes = volumes(pod);
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        for container in items(pod, &format!("/spec/{field}")) {
            let name = text(container, "/name").map(clean);
            let mut put = |number: Number, technique: &'static str, said: String| {
                found.insert(Use { number, container: name.clone(), technique, said });
            };
            variables(container, meets, secrets, &mut put);
            for mount in items(container, "/volumeMounts").iter().filter_map(|mount| text(mount, "/name")) {
                for (_, secret, key) in volumes.iter().filter(|(volume, ..)| *volume == mount) {
                    each(secrets(secret), *key, &mut |number, key| {
                        put(
                            number,
                            "k8s-live-volume",
                            format!("volume {}, Secret {} key {key}", clean(mount), clean(secret)),
                        );
                    });
                }
            }
            for argument in items(container, "/args").iter().chain(items(container, "/command")).filter_map(Value::as_str) {
                for number in meets(argument) {
                    put(number, "k8s-live-argument", "command".to_owned());
                }
            }
        }
    }
    for secret in items(pod, "/spec/imagePullSecrets").iter().filter_map(|one| text(one, "/name")) {
        each(secrets(secret), None, &mut |number, _| {
            let said = format!("fetches its images with Secret {}", clean(secret));
            found.insert(Use { number, container: None, technique: "k8s-live-image-pull", said });
        });
    }
    found
}

fn variables(
    container: &Value,
    meets: &Meets<'_>,
    secrets: &Secrets<'_>,
    put: &mut dyn FnMut(Number, &'static str, String),
) {
    for variable in items(container, "/env") {
        let name = clean(text(variable, "/name").unwrap_or("?"));
        for number in text(variable, "/value").map(meets).unwrap_or_default() {
            put(number, "k8s-live-env", format!("env {name} (same value)"));
        }
        if let Some(secret) = text(variable, "/valueFrom/secretKeyRef/name") {
            let key = text(variable, "/valueFrom/secretKeyRef/key");
            each(secrets(secret), Some(key.unwrap_or_default()), &mut |number, key| {
                put(number, "k8s-live-secret-key-ref", format!("env {name} from Secret {} key {key}", clean(secret)));
            });
        }
    }
    for secret in items(container, "/envFrom").iter().filter_map(|one| text(one, "/secretRef/name")) {
        each(secrets(secret), None, &mut |number, key| {
            put(number, "k8s-live-secret-ref", format!("every key of Secret {} as env, {key} among them", clean(secret)));
        });
    }
}

/// The findings in a Secret: of one key, or of all.
fn each(keys: Option<&Keys>, wanted: Option<&str>, put: &mut dyn FnMut(Number, String)) {
    for (key, numbers) in keys.into_iter().flatten().filter(|(key, _)| wanted.is_none_or(|wanted| wanted == key.as_str())) {
        for &number in numbers {
            put(number, clean(key));
        }
    }
}

/// Volumes made of Secrets: volume, Secret, and the key where only some are taken.
fn volumes(pod: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let mut all = Vec::new();
    for volume in items(pod, "/spec/volumes") {
        let Some(name) = text(volume, "/name") else { continue };
        for (source, field) in [(volume.get("secret"), "secretName")]
            .into_iter()
            .chain(items(volume, "/projected/sources").iter().map(|one| (one.get("secret"), "name")))
        {
            let Some(source) = source else { continue };
            let Some(secret) = source.get(field).and_then(Value::as_str) else { continue };
            match items(source, "/items") {
                [] => all.push((name, secret, None)),
                some => all.extend(some.iter().filter_map(|one| Some((name, secret, Some(text(one, "/key")?))))),
            }
        }
    }
    all
}

/// Whom a pod's labels and annotations declare.
pub(super) fn declared(pod: &Value, name: &str) -> Vec<Owner> {
    let fields = ["/metadata/labels", "/metadata/annotations"].into_iter().filter_map(|field| pod.pointer(field));
    let pairs = fields.filter_map(Value::as_object).flatten();
    let at = format!("Pod {name}");
    pairs
        .filter_map(|(key, value)| accountable((key.rsplit('/').next()?, value.as_str()?), ("k8s-live-label", &at)))
        .collect()
}
