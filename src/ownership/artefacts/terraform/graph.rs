//! From texts through names to workloads.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::links::Link;
use super::super::slots::{Join, Slots};
use super::super::{Clues, Place, copies, folder};
use super::Uses;
use super::desk::ANY;
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};
use crate::secret::Fingerprint;

/// Names followed for one finding, all together.
const NAMES: usize = 10_000;
/// How far above a file of variables its module may lie.
const ABOVE: usize = 4;
/// Steps of the way to a name that are told. The workload at its end is told always.
const STEPS: usize = 31;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum NameKind {
    Variable,
    Local,
    /// What a module hands out, in the module's own folder.
    Output,
    /// The same as its caller sees it: `NAME.OUTPUT`.
    Call,
    /// A resource that holds a value: `TYPE.NAME`.
    Resource,
    /// What any other resource is given: `TYPE.NAME.ATTRIBUTE`.
    Attribute,
    /// A data source that does.
    Data,
    /// A name in a store outside Terraform, in no folder: `STORE:NAME`.
    Store,
}

impl NameKind {
    fn word(self) -> &'static str {
        match self {
            Self::Variable => "var",
            Self::Local => "local",
            Self::Output => "output",
            Self::Call => "module",
            Self::Resource | Self::Attribute => "resource",
            Self::Data => "data",
            Self::Store => "store",
        }
    }
}

/// A name in a module: the folder, and what it names.
pub(super) type Name = (Arc<str>, NameKind, Arc<str>);

/// Where a name gets its value from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) technique: &'static str,
    pub(super) tier: Tier,
}

impl Source {
    fn is_default(self) -> bool {
        self.technique == "terraform-variable-default"
    }
}

/// Who refers to a name.
pub(super) enum User {
    /// Another name, whose value it is part of.
    Name {
        name: Name,
        tier: Tier,
        way: String,
    },
    Workload {
        at: Place,
        link: Link,
    },
}

impl User {
    fn workload(&self) -> Option<(&Place, &Link)> {
        match self {
            Self::Workload { at, link } => Some((at, link)),
            Self::Name { .. } => None,
        }
    }

    fn name(&self) -> Option<(&Name, Tier, &str)> {
        match self {
            Self::Name { name, tier, way } => Some((name, *tier, way)),
            Self::Workload { .. } => None,
        }
    }
}

/// A module: its caller's folder and its name there.
type Caller = (Arc<str>, Arc<str>);

/// Everything that stands somewhere and everything that refers to something.
#[derive(Default)]
pub(super) struct Graph {
    literals: Slots<Link>,
    definitions: Slots<(Name, Source)>,
    uses: Uses,
    /// Variables that a file gives a value which Terraform loads by itself, and how many files do.
    given: HashMap<Name, usize>,
    /// Variables that a module block somewhere sets.
    set_by_caller: HashSet<Name>,
    /// Who calls the module in a folder.
    callers: HashMap<Arc<str>, Vec<Caller>>,
    /// How many versions of a secret the tree sets. Which is the current one is not known where there are several.
    versions: HashMap<Name, usize>,
    /// Who takes in a file or all that is in a folder, by its path.
    files: HashMap<String, Vec<(Place, User)>>,
    folders: HashMap<String, Vec<(Place, User)>>,
    /// The outputs that are asked for, by the module.
    outputs: HashMap<Caller, BTreeSet<Name>>,
    /// The folders that declare a variable, by its name.
    declared: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Calls of modules in folders of the tree, by the variables that they set.
    fetched: HashMap<Name, Vec<(Place, Link)>>,
    /// The folders that hold a module.
    modules: HashSet<Arc<str>>,
    pub(super) allowance: Allowance,
}

impl Graph {
    pub(super) fn literal(&mut self, place: Place, prints: &[Fingerprint], link: Link) {
        if self.allowance.take((place.bytes.end - place.bytes.start) as usize) {
            self.literals.put(place, prints, link);
        }
    }

    pub(super) fn define(&mut self, place: Place, prints: &[Fingerprint], what: (Name, Source)) {
        if self.allowance.take((place.bytes.end - place.bytes.start) as usize) {
            self.definitions.put(place, prints, what);
        }
    }

    pub(super) fn use_name(&mut self, name: Name, user: User) {
        if self.allowance.take(name.2.len()) {
            if let Some((module, _)) = name.2.split_once('.').filter(|_| name.1 == NameKind::Call) {
                let caller = (Arc::clone(&name.0), Arc::from(module));
                self.outputs.entry(caller).or_default().insert(name.clone());
            }
            self.uses.entry(name).or_default().push(user);
        }
    }

    /// A module says that it takes a variable.
    pub(super) fn declare(&mut self, name: &Name) {
        if self.allowance.take(name.2.len()) {
            self.declared.entry(Arc::clone(&name.2)).or_default().insert(Arc::clone(&name.0));
        }
    }

    pub(super) fn use_file(&mut self, path: String, at: Place, user: User) {
        if self.allowance.take(path.len()) {
            self.files.entry(path).or_default().push((at, user));
        }
    }

    pub(super) fn use_folder(&mut self, path: String, at: Place, user: User) {
        if !path.is_empty() && self.allowance.take(path.len()) {
            self.folders.entry(path).or_default().push((at, user));
        }
    }

    /// A module's folder.
    pub(super) fn is_there(&mut self, own: &str) {
        if !self.modules.contains(own) {
            self.modules.insert(Arc::from(own));
        }
    }

    /// A call that stands for the module which it calls, where that is not in the tree after all.
    pub(super) fn fetched(&mut self, variable: Name, at: Place, link: Link) {
        if self.allowance.take(variable.2.len()) {
            self.fetched.entry(variable).or_default().push((at, link));
        }
    }

    pub(super) fn called(&mut self, child: Arc<str>, caller: Caller) {
        self.callers.entry(child).or_default().push(caller);
    }

    pub(super) fn version(&mut self, secret: Name) {
        *self.versions.entry(secret).or_default() += 1;
    }

    pub(super) fn give(&mut self, name: &Name) {
        *self.given.entry(name.clone()).or_default() += 1;
    }

    pub(super) fn set_by_caller(&mut self, name: Name) {
        self.set_by_caller.insert(name);
    }

    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, link, join) in self.literals.hits(clues) {
            let value = format!("{} ({})", link.detail, join.words());
            link.consumer.join(roll, link.tier, vec![evidence(link.technique, place.to_string(), value)]);
        }
        for (place, (name, source), join) in self.definitions.hits(clues) {
            let Some(tier) = self.counts(name, *source) else { continue };
            let first = seen(place, name, *source, join);
            if self.is_elsewhere(name, *source) {
                for name in self.meant(name) {
                    self.follow(&name, tier.min(Tier::Inferred), &first, roll);
                }
            } else {
                self.follow(name, tier, &first, roll);
            }
        }
        for path in clues.paths() {
            for (at, user) in self.files.get(path).into_iter().flatten() {
                self.taken_in((at, user), roll);
            }
            // What is packed with its folder, save what is no program's.
            let mut above = folder(path);
            while !above.is_empty() {
                for (at, user) in self.folders.get(above).into_iter().flatten() {
                    if copies::is_used(&path[above.len() + 1..]) && roll.look() {
                        self.taken_in((at, user), roll);
                    }
                }
                above = folder(above);
            }
        }
    }

    /// That a file is taken in does not say that this part of it counts.
    fn taken_in(&self, (at, user): (&Place, &User), roll: &mut Roll) {
        match user {
            User::Workload { link, .. } => {
                let why = evidence("terraform-file", at.to_string(), format!("{} from that file", link.detail));
                link.consumer.join(roll, Tier::Inferred, vec![why]);
            }
            User::Name { name, .. } => {
                let value = format!("{}.{} from that file", name.1.word(), name.2);
                self.follow(name, Tier::Inferred, &evidence("terraform-file", at.to_string(), value), roll);
            }
        }
    }

    /// Whether the module in a folder takes such a variable.
    pub(super) fn declares(&self, own: &str, variable: &str) -> bool {
        self.declared.get(variable).is_some_and(|folders| folders.contains(own))
    }

    /// Whether a file of variables lies in a folder that has no such variable, as `environments/prod.tfvars` does.
    fn is_elsewhere(&self, name: &Name, source: Source) -> bool {
        let here = self.declared.get(&name.2).is_some_and(|folders| folders.contains(&name.0));
        source.technique == "terraform-tfvars" && !here && !self.uses.contains_key(name)
    }

    /// The variables that such a file may be meant for: of the nearest folder above it, or else of the folders that lie beside one above
    /// it. It is named by hand (`-var-file`).
    fn meant(&self, name: &Name) -> Vec<Name> {
        let Some(folders) = self.declared.get(&name.2) else { return Vec::new() };
        let mut above = &*name.0;
        for _ in 0..ABOVE {
            if above.is_empty() {
                break;
            }
            above = folder(above);
            let own = |known: &&Arc<str>| ***known == *above;
            let beside = |known: &&Arc<str>| folder(known) == above;
            let mut found: Vec<_> = folders.iter().filter(own).collect();
            if found.is_empty() {
                found = folders.iter().filter(beside).collect();
            }
            if !found.is_empty() {
                return found.into_iter().map(|own| (Arc::clone(own), NameKind::Variable, Arc::clone(&name.2))).collect();
            }
        }
        Vec::new()
    }

    /// How well that source gives the name its value, if it does.
    fn counts(&self, name: &Name, source: Source) -> Option<Tier> {
        let given = self.given.get(name).copied().unwrap_or_default();
        if source.is_default() && given > 0 {
            return None;
        }
        let contested = given > 1 || self.set_by_caller.contains(name);
        Some(if contested { source.tier.min(Tier::Inferred) } else { source.tier })
    }

    pub(super) fn follow(&self, name: &Name, tier: Tier, first: &Evidence, roll: &mut Roll) {
        let mut ways = Ways(vec![Step { what: first.clone(), before: None, number: 1 }]);
        let mut queue = VecDeque::from([(name.clone(), tier, 0)]);
        let mut met = HashSet::from([name.clone()]);
        while let Some((name, tier, way_here)) = queue.pop_front() {
            let tier =
                if self.versions.get(&name).is_some_and(|count| *count > 1) { tier.min(Tier::Inferred) } else { tier };
            let users = self.uses.get(&name).into_iter().flatten();
            for (at, link) in users.clone().filter_map(User::workload) {
                let mut why = ways.to(way_here);
                let value = format!("{} from {}.{}", link.detail, name.1.word(), name.2);
                why.push(evidence(link.technique, at.to_string(), value));
                link.consumer.join(roll, tier.min(link.tier), why);
            }
            for (at, link) in self.fetched.get(&name).into_iter().flatten().filter(|_| !self.modules.contains(&name.0)) {
                let mut why = ways.to(way_here);
                why.push(evidence(link.technique, at.to_string(), format!("argument {}", link.detail)));
                link.consumer.join(roll, tier.min(link.tier), why);
            }
            let named = users.filter_map(User::name).map(|(next, own, way)| (next.clone(), own, way.to_owned()));
            for (next, own, way) in named.chain(self.handed_out(&name)) {
                if met.contains(&next) {
                    continue;
                }
                if met.len() >= NAMES {
                    roll.cut();
                    continue;
                }
                met.insert(next.clone());
                let step = ways.step(way_here, || {
                    let value = format!("{}.{way} from {}.{}", next.1.word(), name.1.word(), name.2);
                    evidence("terraform-reference", next.0.to_string(), value)
                });
                queue.push_back((next, tier.min(own), step));
            }
        }
    }

    /// What an output is called where its module is called.
    fn handed_out(&self, name: &Name) -> Vec<(Name, Tier, String)> {
        if let Some(module) = name.2.strip_suffix(ANY).and_then(|own| own.strip_suffix('.'))
            && name.1 == NameKind::Call
        {
            let asked = self.outputs.get(&(Arc::clone(&name.0), Arc::from(module))).into_iter().flatten();
            return asked.map(|output| (output.clone(), Tier::Inferred, output.2.to_string())).collect();
        }
        let callers = self.callers.get(&name.0).into_iter().flatten().filter(|_| name.1 == NameKind::Output);
        let called = callers.take(NAMES).map(|(folder, module)| {
            let own = format!("{module}.{}", name.2);
            ((Arc::clone(folder), NameKind::Call, Arc::from(own.as_str())), Tier::Bound, own)
        });
        called.collect()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.literals.merge(other.literals);
        self.definitions.merge(other.definitions);
        for (name, users) in other.uses {
            self.uses.entry(name).or_default().extend(users);
        }
        for (name, count) in other.given {
            *self.given.entry(name).or_default() += count;
        }
        self.set_by_caller.extend(other.set_by_caller);
        for (child, callers) in other.callers {
            self.callers.entry(child).or_default().extend(callers);
        }
        for (secret, count) in other.versions {
            *self.versions.entry(secret).or_default() += count;
        }
        for (path, users) in other.files {
            self.files.entry(path).or_default().extend(users);
        }
        for (caller, names) in other.outputs {
            self.outputs.entry(caller).or_default().extend(names);
        }
        for (name, folders) in other.declared {
            self.declared.entry(name).or_default().extend(folders);
        }
        self.modules.extend(other.modules);
        for (name, calls) in other.fetched {
            self.fetched.entry(name).or_default().extend(calls);
        }
        for (path, users) in other.folders {
            self.folders.entry(path).or_default().extend(users);
        }
    }
}

/// Ways to names, which share what they have in common.
struct Ways(Vec<Step>);

struct Step {
    what: Evidence,
    /// The step before it, by index.
    before: Option<usize>,
    /// How many there are up to this one.
    number: usize,
}

impl Ways {
    /// One step further. A way that is long enough stays as it is.
    fn step(&mut self, before: usize, what: impl FnOnce() -> Evidence) -> usize {
        let number = self.0[before].number + 1;
        if number > STEPS {
            return before;
        }
        self.0.push(Step { what: what(), before: Some(before), number });
        self.0.len() - 1
    }

    /// All steps up to that one, first to last.
    fn to(&self, last: usize) -> Vec<Evidence> {
        let mut why = Vec::with_capacity(self.0[last].number + 1);
        let mut next = Some(last);
        while let Some(index) = next {
            why.push(self.0[index].what.clone());
            next = self.0[index].before;
        }
        why.reverse();
        why
    }
}

fn seen(place: &Place, name: &Name, source: Source, join: Join) -> Evidence {
    let value = format!("{}.{} ({})", name.1.word(), name.2, join.words());
    evidence(source.technique, place.to_string(), value)
}
