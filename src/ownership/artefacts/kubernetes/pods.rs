//! Pod templates: which container refers to which key of which Secret or ConfigMap, and as whom the pod runs.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::image_refs::spelt_out;
use super::super::slots::{Slots, prints};
use super::super::yaml::View;
use super::super::{Place, Sheet};
use super::hubs::HubKind;
use super::{Scope, is_name, scope};
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{clean, evidence};

/// What following a volume's own credentials is called.
const VOLUME: &str = "k8s-volume-secret";
/// What following a name that a program is told is called.
const TOLD: &str = "k8s-told-name";
/// Where kinds of volumes name the Secret that they are attached with.
const VOLUMES: [&[&str]; 9] = [
    &["azureFile", "secretName"],
    &["iscsi", "secretRef", "name"],
    &["rbd", "secretRef", "name"],
    &["cephfs", "secretRef", "name"],
    &["flexVolume", "secretRef", "name"],
    &["scaleIO", "secretRef", "name"],
    &["storageos", "secretRef", "name"],
    &["csi", "nodePublishSecretRef", "name"],
    &["cinder", "secretRef", "name"],
];

/// Sources of one container's `envFrom` that are followed.
const SOURCES: usize = 100;

/// Whether an object of that kind and name, where the container lives, has a key.
pub(super) type Known<'k> = dyn Fn((HubKind, &Arc<str>, &str)) -> bool + 'k;

/// References by the object they name.
pub(super) type Uses = HashMap<(HubKind, Arc<str>), Vec<Use>>;

/// Containers by the image that they run.
pub(super) type Images = HashMap<String, Vec<(Place, Arc<Container>)>>;

/// The pod spec inside an object that has one.
pub(super) fn spec<'t>(kind: &str, object: View<'t>) -> Option<View<'t>> {
    let path: &[&str] = match kind {
        "Pod" => &["spec"],
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" | "Rollout" => {
            &["spec", "template", "spec"]
        }
        // A core Service has no template; Knative's has.
        "Service" if object.text_at(&["apiVersion"])?.starts_with("serving.knative.dev/") => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return None,
    };
    object.at(path).filter(|spec| spec.is_mapping())
}

/// A container, or the pod itself where the kubelet uses the value on its behalf.
pub(super) struct Container {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) scope: Scope,
    /// The ServiceAccount it runs as; empty where it is a release.
    pub(super) account: String,
    pub(super) account_at: Place,
}

/// A value that stands in the template itself.
pub(super) struct Literal {
    pub(super) container: Arc<Container>,
    pub(super) technique: &'static str,
    pub(super) detail: String,
    /// How sure it can be at most.
    pub(super) most: Tier,
}

/// One reference.
pub(super) struct Use {
    pub(super) container: Arc<Container>,
    /// The key, or `None` for all of them.
    key: Option<String>,
    /// Of all keys, what hides some.
    over: Arc<Over>,
    /// How sure it can be at most.
    pub(super) most: Tier,
    technique: &'static str,
    /// What the container sees; for all keys, what stands before the key's name.
    detail: String,
    at: Place,
}

impl Use {
    /// A reference to one key, or to all of them where it is none.
    pub(super) fn of(
        container: &Arc<Container>,
        (key, most): (Option<String>, Tier),
        (technique, detail): (&'static str, String),
        at: Place,
    ) -> Self {
        Self { container: Arc::clone(container), key, over: Arc::default(), most, technique, detail, at }
    }

    pub(super) fn wants(&self, key: &str) -> bool {
        self.key.as_deref().is_none_or(|own| own == key)
            && (self.key.is_some() || !self.over.names.contains(&format!("{}{key}", self.over.prefix)))
    }

    /// Whether it asks for that key by its name.
    pub(super) fn is_for(&self, key: &str) -> bool {
        self.key.as_deref() == Some(key)
    }

    /// Whether a later source of the same container's `envFrom` has the variable too: the last one counts.
    pub(super) fn is_hidden(&self, key: &str, known: &Known<'_>) -> bool {
        let variable = format!("{}{key}", self.over.prefix);
        let later = self.over.later.iter().filter(|_| self.key.is_none());
        later
            .into_iter()
            .any(|(kind, name, prefix)| variable.strip_prefix(prefix.as_str()).is_some_and(|key| known((*kind, name, key))))
    }

    pub(super) fn evidence(&self, key: &str) -> Evidence {
        let name = if self.key.is_none() { key } else { "" };
        evidence(self.technique, self.at.to_string(), format!("{}{name}", self.detail))
    }
}

/// What comes before a source of `envFrom`.
#[derive(Default)]
struct Over {
    /// What stands before the key in the variable's name.
    prefix: String,
    /// The container's own variables.
    names: Arc<BTreeSet<String>>,
    /// The sources listed after it, with their prefixes.
    later: Vec<(HubKind, Arc<str>, String)>,
}

/// An object with a pod spec.
pub(super) struct Template<'a> {
    pub(super) sheet: &'a Sheet<'a>,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) scope: &'a Scope,
    pub(super) pod: View<'a>,
    /// What may still be kept of the file.
    pub(super) allowance: &'a RefCell<Allowance>,
}

impl Template<'_> {
    pub(super) fn read(&self, uses: &mut Uses, literals: &mut Slots<Literal>, images: &mut Images) {
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in self.pod.get(list).into_iter().flat_map(View::items) {
                // Knative names the one container that has no name (knative.dev, "Container names").
                let knative = Some("user-container").filter(|_| self.kind == "Service");
                let Some(name) = container.text_at(&["name"]).or(knative).filter(|name| is_name(name)) else { continue };
                let who = Arc::new(self.container(Some(name)));
                if let Some((at, image)) = container.get("image").and_then(|at| Some((at, spelt_out(at.text()?)?)))
                    && self.allowance.borrow_mut().take(image.len())
                {
                    images.entry(image).or_default().push((self.sheet.place(at), Arc::clone(&who)));
                }
                self.env(container, &who, uses, literals);
                self.arguments(container, &who, literals);
                self.mounts(container, &who, uses);
            }
        }
        if let Some(pulls) = self.pod.get("imagePullSecrets") {
            let who = Arc::new(self.container(None));
            for pull in pulls.items() {
                let (kind, technique) = (HubKind::Secret, "k8s-image-pull-secret");
                self.put(uses, &who, &Found { name: pull.get("name"), kind, key: None, technique }, "to pull images: ");
            }
        }
    }

    fn container(&self, name: Option<&str>) -> Container {
        let field = ["serviceAccountName", "serviceAccount"].iter().find_map(|field| self.pod.get(field));
        let account = field.and_then(View::text).filter(|account| is_name(account));
        let (id, words) = match name {
            Some(name) => (format!("/{name}"), format!(", container {name}")),
            None => (String::new(), String::new()),
        };
        Container {
            id: format!("k8s:{}/{}/{}{id}", self.scope.id_part(), self.kind, self.name),
            name: format!("{} {}{words}", self.kind, self.name),
            scope: self.scope.clone(),
            account: account.unwrap_or("default").to_owned(),
            account_at: self.sheet.place(field.filter(|_| account.is_some()).unwrap_or(self.pod)),
        }
    }

    fn env(&self, container: View<'_>, who: &Arc<Container>, uses: &mut Uses, literals: &mut Slots<Literal>) {
        let variables: Vec<View<'_>> = container.get("env").into_iter().flat_map(View::items).collect();
        let named = variables.iter().enumerate().filter_map(|(at, own)| Some((own.text_at(&["name"])?, at)));
        // Of two entries of one name the last counts.
        let last: HashMap<&str, usize> = named.collect();
        for (at, variable) in variables.into_iter().enumerate() {
            let Some(name) = variable.text_at(&["name"]).filter(|name| last.get(name) == Some(&at)) else { continue };
            let detail = format!("env {}", clean(name));
            if let Some(value) = variable.get("value") {
                self.told(uses, who, name, value);
                self.literal(literals, who, value, ("k8s-env-literal", detail));
            } else if let Some(source) = variable.get("valueFrom") {
                for (field, kind, technique) in [
                    ("secretKeyRef", HubKind::Secret, "k8s-secret-key-ref"),
                    ("configMapKeyRef", HubKind::ConfigMap, "k8s-config-map-key-ref"),
                ] {
                    let Some(reference) = source.get(field) else { continue };
                    let Some(key) = reference.text_at(&["key"]) else { continue };
                    let found = Found { name: reference.get("name"), kind, key: Some(key), technique };
                    self.put(uses, who, &found, &detail);
                }
            }
        }
        self.env_from(container, who, uses, &Arc::new(last.into_keys().map(str::to_owned).collect()));
    }

    /// Sources of which every key is a variable. The container's own variables hide theirs, and later sources earlier ones'.
    fn env_from(&self, container: View<'_>, who: &Arc<Container>, uses: &mut Uses, names: &Arc<BTreeSet<String>>) {
        let mut later = Vec::new();
        let sources: Vec<View<'_>> = container.get("envFrom").into_iter().flat_map(View::items).take(SOURCES).collect();
        for source in sources.into_iter().rev() {
            let prefix = source.text_at(&["prefix"]).map(clean).unwrap_or_default();
            for (field, kind) in [("secretRef", HubKind::Secret), ("configMapRef", HubKind::ConfigMap)] {
                let name = source.at(&[field, "name"]);
                let Some(text) = name.and_then(View::text) else { continue };
                let found = Found { name, kind, key: None, technique: "k8s-env-from" };
                let over = Over { prefix: prefix.clone(), names: Arc::clone(names), later: later.clone() };
                self.put_but(uses, who, (&found, Arc::new(over)), &format!("env {prefix}"));
                later.push((kind, Arc::from(text), prefix.clone()));
            }
        }
    }

    /// A variable that tells an object's name, as operators are told which one to read (`CONFIG_MAP_NAME`, `AUTH_SECRET`).
    fn told(&self, uses: &mut Uses, who: &Arc<Container>, variable: &str, value: View<'_>) {
        let lower = variable.to_ascii_lowercase();
        for (word, kind) in [("secret", HubKind::Secret), ("config", HubKind::ConfigMap)] {
            if lower.contains(word) {
                let found = Found { name: Some(value), kind, key: None, technique: TOLD };
                self.put(uses, who, &found, &format!("is told its name by {}: ", clean(variable)));
            }
        }
    }

    fn arguments(&self, container: View<'_>, who: &Arc<Container>, literals: &mut Slots<Literal>) {
        for field in ["command", "args"] {
            for argument in container.get(field).into_iter().flat_map(View::items) {
                self.literal(literals, who, argument, ("k8s-argument-literal", field.to_owned()));
            }
        }
    }

    fn literal(
        &self,
        literals: &mut Slots<Literal>,
        who: &Arc<Container>,
        value: View<'_>,
        (technique, detail): (&'static str, String),
    ) {
        let Some(text) = value.text().filter(|text| !text.is_empty()) else { return };
        if !self.allowance.borrow_mut().take(text.len()) {
            return;
        }
        let prints = prints(self.sheet.key, text.as_bytes());
        let literal = Literal { container: Arc::clone(who), technique, detail, most: Tier::Bound };
        literals.put(self.sheet.place(value), &prints, literal);
    }

    /// A volume counts for the containers that mount it.
    fn mounts(&self, container: View<'_>, who: &Arc<Container>, uses: &mut Uses) {
        for mount in container.get("volumeMounts").into_iter().flat_map(View::items) {
            let Some(name) = mount.text_at(&["name"]) else { continue };
            let mut volumes = self.pod.get("volumes").into_iter().flat_map(View::items);
            let Some(volume) = volumes.find(|volume| volume.text_at(&["name"]) == Some(name)) else { continue };
            let mount = Mount {
                path: mount.text_at(&["mountPath"]).unwrap_or("?"),
                sub: mount.text_at(&["subPath"]).map(|sub| sub.trim_start_matches('/')),
            };
            for (source, field, name, kind) in
                [("secret", "items", "secretName", HubKind::Secret), ("configMap", "items", "name", HubKind::ConfigMap)]
            {
                if let Some(source) = volume.get(source) {
                    self.files(uses, who, (source.get(name), source.get(field), kind), &mount);
                }
            }
            for name in VOLUMES.iter().filter_map(|path| volume.at(path)) {
                let found = Found { name: Some(name), kind: HubKind::Secret, key: None, technique: VOLUME };
                self.put(uses, who, &found, &format!("to attach {}: ", clean(mount.path)));
            }
            for source in volume.at(&["projected", "sources"]).into_iter().flat_map(View::items) {
                for (field, kind) in [("secret", HubKind::Secret), ("configMap", HubKind::ConfigMap)] {
                    if let Some(source) = source.get(field) {
                        self.files(uses, who, (source.get("name"), source.get("items"), kind), &mount);
                    }
                }
            }
        }
    }

    /// The keys of one object that a mount shows as files: all, or those listed, or the one that `subPath` picks.
    fn files(
        &self,
        uses: &mut Uses,
        who: &Arc<Container>,
        (name, items, kind): (Option<View<'_>>, Option<View<'_>>, HubKind),
        mount: &Mount<'_>,
    ) {
        let technique = match kind {
            HubKind::Secret => "k8s-secret-volume",
            HubKind::ConfigMap => "k8s-config-map-volume",
        };
        let base = clean(mount.path.trim_end_matches('/'));
        match (items, mount.sub) {
            (None, None) => {
                self.put(uses, who, &Found { name, kind, key: None, technique }, &format!("file {base}/"));
            }
            (None, Some(sub)) => {
                self.put(uses, who, &Found { name, kind, key: Some(sub), technique }, &format!("file {base}"));
            }
            (Some(items), sub) => {
                for item in items.items() {
                    let (Some(key), Some(path)) = (item.text_at(&["key"]), item.text_at(&["path"])) else { continue };
                    if sub.is_none_or(|sub| is_under(path, sub)) {
                        let detail = format!("file {base}/{}", clean(path));
                        self.put(uses, who, &Found { name, kind, key: Some(key), technique }, &detail);
                    }
                }
            }
        }
    }

    fn put(&self, uses: &mut Uses, who: &Arc<Container>, found: &Found<'_>, detail: &str) {
        self.put_but(uses, who, (found, Arc::default()), detail);
    }

    fn put_but(&self, uses: &mut Uses, who: &Arc<Container>, (found, over): (&Found<'_>, Arc<Over>), detail: &str) {
        let Some((at, name)) = found.name.and_then(|view| Some((view, scope::referred(view.text()?)?))) else { return };
        let bytes =
            name.len() + detail.len() + over.later.iter().map(|(_, name, prefix)| name.len() + prefix.len()).sum::<usize>();
        if !self.allowance.borrow_mut().take(bytes) {
            return;
        }
        uses.entry((found.kind, Arc::from(&*name))).or_default().push(Use {
            container: Arc::clone(who),
            key: found.key.map(clean),
            over,
            // What the kubelet takes to attach a volume is not shown to the container.
            most: if [VOLUME, TOLD].contains(&found.technique) { Tier::Inferred } else { Tier::Bound },
            technique: found.technique,
            detail: detail.to_owned(),
            at: self.sheet.place(at),
        });
    }
}

/// What a reference refers to.
struct Found<'a> {
    /// The object's name.
    name: Option<View<'a>>,
    kind: HubKind,
    /// The key, or `None` for all of them.
    key: Option<&'a str>,
    technique: &'static str,
}

/// Where a volume is seen.
struct Mount<'a> {
    path: &'a str,
    sub: Option<&'a str>,
}

/// Whether `path` is `sub` or lies under it.
fn is_under(path: &str, sub: &str) -> bool {
    let sub = sub.trim_end_matches('/');
    path.strip_prefix(sub).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
