//! Docker compose: value → a service's `environment` or `command`, its `env_file`, `${VAR}` out of the `.env` beside the
//! file, or a top-level secret or config.
//!
//! Tiers, by the table in the facts: a value in the service itself is bound. So is one in a file that `env_file` or a
//! secret names by exact path, and one in `.env` that the service interpolates: the chain closes in the tree, though a
//! shell variable at `docker compose up` would win. A place in an `env_file` that is no variable's value (a comment, or a
//! file of a name that is not read) is inferred. `extends` is followed within the file. What an `include`
//! brings takes variables from the `.env` of who includes it, which is inferred: it may be run by itself. Files by other names
//! are known by what is in them. What `docker-compose.override.yml` sets as well is inferred in the base.

mod around;
mod merged;
mod mounts;
mod service;
mod variables;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::allowance::Allowance;
use super::image_refs::spelt_out;
use super::links::Consumer;
use super::slots::Slots;
use super::yaml::{Tree, View};
use super::{Clues, Place, Reader, Sheet, code, dotenv, ends_in, file_name, folder, templates};
use crate::model::{Coverage, Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};
use service::Desk;

/// What may stand at the top of a compose file (compose-spec, "Compose file").
const FIELDS: [&str; 9] = ["version", "name", "include", "services", "networks", "volumes", "configs", "secrets", "models"];

/// What a service may be given more of.
const MORE: [&str; 12] = [
    "environment",
    "env_file",
    "ports",
    "volumes",
    "command",
    "networks",
    "depends_on",
    "restart",
    "deploy",
    "labels",
    "secrets",
    "configs",
];

/// What compose files and `.env` files say.
#[derive(Default)]
pub(super) struct Compose {
    inline: Slots<Inline>,
    /// The variables of every `.env` file.
    env: Slots<String>,
    /// What override files set.
    overridden: HashSet<Set>,
    /// Their names, by the file's path.
    names: HashMap<String, BTreeSet<String>>,
    /// References to a whole file, by its path.
    env_files: HashMap<String, Vec<Pull>>,
    secret_files: HashMap<String, Vec<Pull>>,
    /// Services by the image that they run.
    images: HashMap<String, Vec<(Place, Arc<Consumer>)>>,
    /// Services by the Dockerfile that their image is built from.
    builds: HashMap<String, Vec<(Place, Arc<Consumer>)>>,
    /// References to a variable, by the folder of the compose file.
    variables: HashMap<(String, String), Vec<Pull>>,
    /// The folders of compose files that refer to a variable, by its name.
    wanted: HashMap<String, BTreeSet<String>>,
    /// Folders in which a compose file lies.
    projects: HashSet<String>,
    /// Compose files that those of a folder include.
    includes: HashMap<String, BTreeSet<String>>,
    /// Which variables of the same env file a variable is made of the other way round: file and variable, to the names of
    /// those that take it.
    taken: HashMap<(String, String), BTreeSet<String>>,
    mounts: mounts::Mounts,
    /// What code names, which a project that is mounted as a whole may read.
    code: code::Named,
    merged: merged::Merged,
    /// The folders whose compose files doco-cd deploys, by its file.
    deployed: HashMap<String, BTreeSet<String>>,
    allowance: Allowance,
}

/// A value that stands in the service itself.
struct Inline {
    service: Arc<Consumer>,
    technique: &'static str,
    detail: String,
    /// The variable whose default it is.
    default: Option<String>,
    /// The variable that it sets, where an override file may set it too.
    sets: Option<Set>,
}

/// Folder, service and variable.
type Set = (String, String, String);

/// A reference out of the service.
struct Pull {
    service: Arc<Consumer>,
    technique: &'static str,
    detail: String,
    at: Place,
    /// What comes before an env file's variables, if it is one.
    over: Arc<Over>,
}

/// What hides variables of an env file: `environment`, and the files that are listed after it.
#[derive(Default)]
struct Over {
    names: Arc<BTreeSet<String>>,
    /// The env files of one service in their order, and which of them it is.
    files: Arc<[String]>,
    own: usize,
    /// Whether the file's path is made of defaults, which a variable may replace.
    unsure: bool,
}

impl Reader for Compose {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let name = file_name(path);
        is_yaml(name) || dotenv::is_named_so(name) || code::is_one(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let name = file_name(&sheet.path);
        if code::is_one(&sheet.path) {
            return code::concerns(sheet);
        }
        is_compose(name)
            || is_doco(name)
            || !is_yaml(name)
            || sheet.mentions("services:") && ["image:", "build:", "extends:"].iter().any(|word| sheet.mentions(word))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        self.allowance.begin();
        let name = file_name(&sheet.path);
        if code::is_one(&sheet.path) {
            return self.code.read(sheet);
        }
        if !is_yaml(name) {
            self.take(sheet, text);
            let names = dotenv::variables(text).into_iter().map(|variable| variable.name.to_owned());
            self.names.insert(sheet.path.to_string(), names.collect());
            return self.env.put_env(sheet, text);
        }
        if is_doco(name) {
            sheet.documents(coverage, &mut |root| self.deploys(sheet, root));
            return self.allowance.complain(sheet, coverage);
        }
        let template = templates::becomes(name).is_some();
        let blank = if template { templates::without_actions(text) } else { String::new() };
        let (tree, broken) = Tree::parse(if template { &blank } else { text });
        if (!is_compose(name) || template) && (broken.is_some() || !tree.roots().all(is_composed)) {
            // Something else, or a template of one.
            return;
        }
        self.projects.insert(folder(&sheet.path).to_owned());
        for root in tree.roots() {
            self.include(sheet, root);
            self.entries(sheet, root);
            for (name, service) in root.get("services").map(View::entries).unwrap_or_default() {
                if let Some(name) = name.text().filter(|name| is_name(name)) {
                    self.service(sheet, root, name, service);
                }
            }
        }
        sheet.complain(&tree, broken, "YAML", coverage);
        self.allowance.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, inline, join) in self.inline.hits(clues) {
            let value = format!("{} ({})", inline.detail, join.words());
            let beside = self.names.get(&beside(&place.path));
            if inline.default.as_ref().is_some_and(|name| beside.is_some_and(|names| names.contains(name))) {
                // `.env` says otherwise. That is met by its own value.
                continue;
            }
            // Both files are read where nobody names any, and the base alone where somebody names it.
            let hidden = inline.sets.as_ref().is_some_and(|sets| self.overridden.contains(sets));
            let tier = if hidden { Tier::Inferred } else { most(&place.path) };
            self.name(&inline.service, roll, tier, vec![evidence(inline.technique, place.to_string(), value)]);
        }
        for image in &clues.images {
            for (place, service) in self.images.get(image).into_iter().flatten() {
                let value = format!("runs {image}, in which it is");
                self.name(service, roll, Tier::Inferred, vec![evidence("compose-image", place.to_string(), value)]);
            }
        }
        let set = self.env.hits(clues);
        for (place, name, join) in &set {
            if !roll.look() {
                return;
            }
            let seen = evidence("dotenv-variable", place.to_string(), format!("{name} ({})", join.words()));
            for name in self.takers(&place.path, name, roll) {
                self.variable(place, &name, &seen, roll);
            }
        }
        self.mounts.resolve(self, clues, roll);
        self.entries_by_file(clues, roll);
        let set: HashSet<&str> = set.iter().map(|(place, ..)| &*place.path).collect();
        for path in clues.paths() {
            for pull in self.secret_files.get(path).into_iter().flatten() {
                self.name(&pull.service, roll, pull.most(), vec![pull.evidence()]);
            }
            let Some(pulls) = self.env_files.get(path).filter(|_| !set.contains(path)) else { continue };
            for pull in pulls {
                if !roll.look() {
                    return;
                }
                self.name(&pull.service, roll, Tier::Inferred, vec![pull.evidence()]);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.inline.merge(other.inline);
        self.env.merge(other.env);
        self.names.extend(other.names);
        for (folder, files) in other.includes {
            self.includes.entry(folder).or_default().extend(files);
        }
        for (variable, takers) in other.taken {
            self.taken.entry(variable).or_default().extend(takers);
        }
        for (image, services) in other.images {
            self.images.entry(image).or_default().extend(services);
        }
        for (path, services) in other.builds {
            self.builds.entry(path).or_default().extend(services);
        }
        self.overridden.extend(other.overridden);
        self.projects.extend(other.projects);
        for (name, folders) in other.wanted {
            self.wanted.entry(name).or_default().extend(folders);
        }
        self.mounts.merge(other.mounts);
        self.code.merge(other.code);
        self.merged.merge(other.merged);
        for (file, folders) in other.deployed {
            self.deployed.entry(file).or_default().extend(folders);
        }
        for (path, pulls) in other.env_files {
            self.env_files.entry(path).or_default().extend(pulls);
        }
        for (path, pulls) in other.secret_files {
            self.secret_files.entry(path).or_default().extend(pulls);
        }
        for (variable, pulls) in other.variables {
            self.variables.entry(variable).or_default().extend(pulls);
        }
    }
}

impl Compose {
    fn hides(&self, over: &Over, name: &str) -> bool {
        let sets = |file: &String| self.names.get(file).is_some_and(|names| names.contains(name));
        let own = over.files.get(over.own);
        let later = over.files.iter().skip(over.own + 1).filter(|later| Some(*later) != own);
        over.names.contains(name) || later.into_iter().any(sets)
    }

    /// Names the services that run an image of the tree that has it: inferred, as what the image has is.
    pub(super) fn builders(&self, roll: &mut Roll) {
        let images: Vec<String> =
            roll.consumers().filter_map(|id| id.strip_prefix("dockerfile:")).map(str::to_owned).collect();
        for image in images {
            for (at, service) in self.builds.get(&image).into_iter().flatten() {
                let value = format!("is built from {image}, in which it is");
                self.name(service, roll, Tier::Inferred, vec![evidence("compose-build", at.to_string(), value)]);
            }
        }
    }

    fn service(&mut self, sheet: &Sheet<'_>, root: View<'_>, name: &str, view: View<'_>) {
        let service =
            Arc::new(Consumer::new(format!("compose:{}/{name}", sheet.path), format!("service {name} of {}", sheet.path)));
        if let Some((at, image)) = view.get("image").and_then(|at| Some((at, spelt_out(at.text()?)?))) {
            self.images.entry(image).or_default().push((sheet.place(at), Arc::clone(&service)));
        }
        let mut desk = Desk { compose: self, sheet, service: &service, name };
        let mut names = BTreeSet::new();
        // What it extends in this file is its own, unless it says otherwise itself; lists are joined, its own items last.
        let mut all = desk.extended(root, view);
        for view in &all {
            desk.environment(*view, &mut names);
        }
        all.reverse();
        desk.env_files(&all, &Arc::new(names));
        // Its own come last now; of what it runs only one counts.
        for way in [&["command"][..], &["entrypoint"], &["healthcheck", "test"]] {
            if let Some(command) = all.iter().rev().find_map(|view| view.at(way)) {
                for argument in command.text().map(|_| command).into_iter().chain(command.items()) {
                    desk.literal(argument, argument.text(), ("compose-command", way.join(".")), None);
                }
            }
        }
        for view in &all {
            desk.build(*view);
            desk.built_from(*view);
            desk.secrets(root, *view, "secrets");
            desk.secrets(root, *view, "configs");
        }
        let mut targets = BTreeSet::new();
        for view in all.iter().rev() {
            self.mounts(sheet, (&service, name), *view, &mut targets);
        }
        self.extends(sheet, &service, view);
    }
}

impl Pull {
    /// How sure it can be at most.
    fn most(&self) -> Tier {
        if self.over.unsure { Tier::Inferred } else { most(&self.at.path) }
    }

    fn evidence(&self) -> Evidence {
        evidence(self.technique, self.at.to_string(), self.detail.clone())
    }
}

/// The `.env` beside a compose file.
fn beside(path: &str) -> String {
    match folder(path) {
        "" => ".env".to_owned(),
        folder => format!("{folder}/.env"),
    }
}

/// `docker-compose.override.yml` and the like: read after the base where nobody names files.
fn is_override(name: &str) -> bool {
    name.contains(".override.")
}

/// What doco-cd deploys by (github.com/kimdre/doco-cd, "Deploy settings").
fn is_doco(name: &str) -> bool {
    name.starts_with(".doco-cd") && ends_in(name, &["yml", "yaml"])
}

/// `compose*.yaml`, `docker-compose*.yml` and the like.
fn is_compose(name: &str) -> bool {
    is_yaml(name) && (name.starts_with("compose") || name.starts_with("docker-compose"))
}

fn is_yaml(name: &str) -> bool {
    ends_in(templates::becomes(name).unwrap_or(name), &["yml", "yaml"])
}

/// How sure what stands in a file of that name can be: a form for people to fill in is run by nobody, and of a template nobody knows what
/// becomes of it.
fn most(path: &str) -> Tier {
    let name = file_name(path);
    if dotenv::is_form(name) || templates::becomes(name).is_some() { Tier::Inferred } else { Tier::Bound }
}

/// Whether a document by any name is a compose file: all of its services have an image, are built or extend others, and nothing in it
/// says that it is something else.
fn is_composed(root: View<'_>) -> bool {
    let services = root.get("services").map(View::entries).unwrap_or_default();
    let runs = |service: View<'_>| ["image", "build", "extends"].iter().any(|field| service.get(field).is_some());
    // What a file adds to a service of another one need not say again what that runs.
    let more = |service: View<'_>| MORE.iter().any(|field| service.get(field).is_some());
    let known = |key: View<'_>| key.text().is_some_and(|key| FIELDS.contains(&key) || key.starts_with("x-"));
    !services.is_empty()
        && services.iter().any(|(_, service)| runs(*service))
        && services.iter().all(|(name, service)| name.text().is_some_and(is_name) && (runs(*service) || more(*service)))
        && root.entries().iter().all(|(key, _)| known(*key))
}

/// Compose allows `[a-zA-Z0-9._-]+` for a service.
fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= 253 && name.bytes().all(fits)
}

#[cfg(test)]
mod tests;
