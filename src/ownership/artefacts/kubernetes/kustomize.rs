//! Kustomize's generators: value → `literals`, `envs` or `files` of a `secretGenerator` → the Secret of that name in the
//! manifests that the same kustomization lists.
//!
//! Generated names get a suffix, which kustomize puts into the references too, so both still agree by the name written.
//! Files that `resources` lists by their exact path are bound, those that a listed folder's own kustomization lists are
//! inferred; what an address brings is not followed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::super::allowance::Allowance;
use super::super::slots::{Join, Slots, prints_within};
use super::super::yaml::View;
use super::super::{Clues, Place, Sheet, file_name, folder, join};
use super::hubs::HubKind;
use super::is_name;
use super::overlays::Overlays;
use crate::model::Evidence;
use crate::ownership::roll::{clean, evidence};

/// Folders that one kustomization takes in.
const FOLDERS: usize = 50;
/// Entries of kustomizations that are followed to one another, all together.
const REACHED: usize = 300_000;

/// Every generator seen.
#[derive(Default)]
pub(super) struct Generators {
    literals: Slots<Key>,
    /// The variables of env files.
    variables: Slots<String>,
    envs: HashMap<String, Vec<Key>>,
    files: HashMap<String, Vec<Key>>,
    /// What each kustomization lists, by its folder.
    listed: HashMap<String, Arc<BTreeSet<String>>>,
    /// The other way round, worked out once all are read.
    reached: OnceLock<HashMap<String, BTreeSet<usize>>>,
    pub(super) overlays: Overlays,
}

/// One key of a generated object, or all keys that an env file brings.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) kind: HubKind,
    pub(super) name: Arc<str>,
    /// Empty for an env file, whose variables are the keys.
    key: String,
    at: Place,
    resources: Arc<BTreeSet<String>>,
}

/// A key that a finding meets, and why.
pub(super) struct Met<'k> {
    pub(super) key: &'k Key,
    pub(super) name: String,
    pub(super) why: Vec<Evidence>,
}

impl Key {
    /// Whether the kustomization takes in that manifest by name.
    pub(super) fn reaches(&self, manifest: &str) -> bool {
        self.resources.contains(manifest)
    }

    /// The kustomization.
    pub(super) fn path(&self) -> &str {
        &self.at.path
    }

    /// The kustomization's folder.
    pub(super) fn folder(&self) -> &str {
        folder(&self.at.path)
    }

    fn evidence(&self, key: &str, join: Join) -> Evidence {
        let value = format!("{} {} key {key} ({})", self.kind.word(), self.name, join.words());
        evidence("kustomize-generator", self.at.to_string(), value)
    }
}

/// Whether the file is a kustomization.
pub(super) fn is_one(path: &str) -> bool {
    matches!(file_name(path), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

impl Generators {
    /// The variables of every env file.
    pub(super) fn variables(&self) -> &Slots<String> {
        &self.variables
    }

    pub(super) fn read_env(&mut self, sheet: &Sheet<'_>) {
        // The compose reader takes in every `.env` and says what it cannot read.
        if let Ok(text) = sheet.text() {
            self.variables.put_env(sheet, text);
        }
    }

    /// Takes in one kustomization.
    pub(super) fn read(&mut self, sheet: &Sheet<'_>, root: View<'_>, allowance: &mut Allowance) {
        let own = folder(&sheet.path);
        let fields = ["resources", "bases", "components"].into_iter().filter_map(|field| root.get(field));
        let listed = fields.flat_map(View::items).filter_map(View::text);
        let resources: Arc<BTreeSet<String>> = Arc::new(listed.filter_map(|file| join(own, file)).collect());
        self.listed.insert(own.to_owned(), Arc::clone(&resources));
        self.overlays.read(sheet, root, &resources, allowance);
        for (field, kind) in [("secretGenerator", HubKind::Secret), ("configMapGenerator", HubKind::ConfigMap)] {
            for generator in root.get(field).into_iter().flat_map(View::items) {
                let Some(name) = generator.text_at(&["name"]).filter(|name| is_name(name)) else { continue };
                let key = |key: &str, at: View<'_>| Key {
                    kind,
                    name: Arc::from(name),
                    key: clean(key),
                    at: sheet.place(at),
                    resources: Arc::clone(&resources),
                };
                self.generator((sheet, generator), &key, allowance);
            }
        }
    }

    /// Takes in Flux's own object of that name: it stands for the folder that it applies, with the components that it adds to it
    /// (fluxcd.io, "Kustomization", "Components").
    pub(super) fn applies(&mut self, sheet: &Sheet<'_>, object: View<'_>, allowance: &mut Allowance) {
        let root = sheet.root.trim_end_matches('/');
        let Some(path) = object.text_at(&["spec", "path"]).and_then(|path| join(root, path.trim_start_matches('/'))) else {
            return;
        };
        let parts = object.at(&["spec", "components"]).into_iter().flat_map(View::items).filter_map(View::text);
        let parts: Vec<String> = parts.filter_map(|part| join(&path, part)).collect();
        let mut all: BTreeSet<String> =
            parts.into_iter().chain([path]).take_while(|path| allowance.take(path.len())).collect();
        // Several objects in one file.
        if let Some(before) = self.listed.get(&*sheet.path) {
            all.extend(before.iter().cloned());
        }
        self.listed.insert(sheet.path.to_string(), Arc::new(all));
    }

    /// Whether the kustomization of a folder takes in that manifest, itself or by a folder that it lists.
    pub(super) fn takes_in(&self, folder: &str, manifest: &str) -> bool {
        let (mut seen, mut queue) = (BTreeSet::new(), vec![folder]);
        while let Some(folder) = queue.pop().filter(|_| seen.len() < FOLDERS) {
            let Some(listed) = self.listed.get(folder).filter(|_| seen.insert(folder)) else { continue };
            if listed.contains(manifest) {
                return true;
            }
            queue.extend(listed.iter().map(String::as_str).filter(|path| self.listed.contains_key(*path)));
        }
        false
    }

    /// Whether some kustomization takes in both: manifests, or folders with what is made in them.
    pub(super) fn both(&self, one: &str, other: &str) -> bool {
        let reached = self.reached.get_or_init(|| self.reached());
        let (Some(one), Some(other)) = (reached.get(one), reached.get(other)) else { return false };
        one.intersection(other).next().is_some()
    }

    /// The kustomizations that take in each manifest and folder, by number.
    fn reached(&self) -> HashMap<String, BTreeSet<usize>> {
        let (mut reached, mut left) = (HashMap::<String, BTreeSet<usize>>::new(), REACHED);
        let mut own: Vec<&String> = self.listed.keys().collect();
        own.sort();
        for (number, top) in own.into_iter().enumerate() {
            let (mut seen, mut queue) = (BTreeSet::new(), vec![top.as_str()]);
            while let Some(folder) = queue.pop().filter(|_| seen.len() < FOLDERS) {
                let Some(listed) = self.listed.get(folder).filter(|_| seen.insert(folder)) else { continue };
                reached.entry(folder.to_owned()).or_default().insert(number);
                for path in listed.iter().take(left) {
                    reached.entry(path.clone()).or_default().insert(number);
                    queue.extend(self.listed.get_key_value(path).map(|(path, _)| path.as_str()));
                }
                left -= listed.len().min(left);
            }
        }
        reached
    }

    fn generator(
        &mut self,
        (sheet, generator): (&Sheet<'_>, View<'_>),
        key: &dyn Fn(&str, View<'_>) -> Key,
        allowance: &mut Allowance,
    ) {
        let own = folder(&sheet.path);
        let items = |field| generator.get(field).into_iter().flat_map(View::items);
        let mut may = |item: View<'_>| allowance.take(item.text().map_or(0, str::len));
        for item in items("literals").take_while(|item| may(*item)) {
            let Some((name, value)) = item.text().and_then(|text| text.split_once('=')) else { continue };
            self.literals.put(sheet.place(item), &prints_within(sheet.key, value), key(name, item));
        }
        for item in items("envs").chain(generator.get("env")).take_while(|item| may(*item)) {
            if let Some(file) = item.text().and_then(|file| join(own, file)) {
                self.envs.entry(file).or_default().push(key("", item));
            }
        }
        for item in items("files").take_while(|item| may(*item)) {
            let Some(text) = item.text() else { continue };
            let (name, file) = text.split_once('=').unwrap_or((file_name(text), text));
            if let Some(file) = join(own, file) {
                self.files.entry(file).or_default().push(key(name, item));
            }
        }
    }

    /// The keys that a finding meets.
    pub(super) fn met(&self, clues: &Clues<'_>) -> Vec<Met<'_>> {
        let mut met = Vec::new();
        for (_, key, join) in self.literals.hits(clues) {
            met.push(Met { key, name: key.key.clone(), why: vec![key.evidence(&key.key, join)] });
        }
        if !self.envs.is_empty() {
            for (place, variable, join) in self.variables.hits(clues) {
                for key in self.envs.get(&*place.path).into_iter().flatten() {
                    let seen = evidence("dotenv-variable", place.to_string(), format!("{variable} ({})", join.words()));
                    met.push(Met { key, name: variable.clone(), why: vec![seen, key.evidence(variable, join)] });
                }
            }
        }
        for path in clues.paths() {
            for key in self.files.get(path).into_iter().flatten() {
                met.push(Met { key, name: key.key.clone(), why: vec![key.evidence(&key.key, Join::Place)] });
            }
        }
        met
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.literals.merge(other.literals);
        self.listed.extend(other.listed);
        self.overlays.merge(other.overlays);
        self.variables.merge(other.variables);
        for (file, keys) in other.envs {
            self.envs.entry(file).or_default().extend(keys);
        }
        for (file, keys) in other.files {
            self.files.entry(file).or_default().extend(keys);
        }
    }
}
