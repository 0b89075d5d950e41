//! Ansible: value → variable of an inventory, a group, a host, a role or a play → `{{ NAME }}` in a role's templates and tasks →
//! the playbooks that list the role; and what stands in tasks themselves (docs.ansible.com, "Using variables").
//!
//! Variables meet by their names within one project; whether a play's hosts are in the group is not worked out, and nor is which of
//! several variables of one name counts: inferred. Files that plays, tasks and roles take in by name are followed (`taken`). A role that is not in the tree uses, by custom, variables that begin with its name.
//! A compose file with expressions in it is given its variables, too.
//! The owner is the playbook: the unit or container that it sets up is on the hosts, not in the tree.

mod places;
mod taken;
mod words;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::allowance::Allowance;
use super::links::Consumer;
use super::slots::{Slots, prints_within};
use super::yaml::View;
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, is_showable};
use crate::model::{Coverage, Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};
use places::{Part, related};
use words::{chains, covers, head, inventory};

/// Variables that are followed into other variables.
const STEPS: usize = 8;
/// Files and roles that take in one another.
const WITHIN: usize = 6;

/// A variable, or a part of one: where its project begins, and the way to the value in it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Variable {
    root: Arc<str>,
    way: String,
}

/// Who refers to a variable.
#[derive(Clone)]
enum User {
    Variable(String),
    Role(Arc<str>),
    Playbook(Arc<Consumer>),
    /// Whoever takes in that file, a list of tasks or a template.
    Part(Arc<str>),
}

struct Use {
    at: Place,
    root: Arc<str>,
    /// As far as it is spelt out.
    chain: String,
    user: User,
}

/// A playbook, a role or a list of tasks that takes in a role.
struct Listed {
    at: Place,
    root: Arc<str>,
    user: User,
}

/// By what every play logs in (docs.ansible.com, "Connecting to hosts: behavioral inventory parameters").
const CONNECTION: [&str; 8] = [
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_ssh_password",
    "ansible_become_password",
    "ansible_become_pass",
    "ansible_sudo_pass",
    "ansible_httpapi_pass",
    "ansible_private_key",
];

/// What projects say.
#[derive(Default)]
pub(super) struct Ansible {
    values: Slots<Variable>,
    /// Values in tasks.
    literals: Slots<(Arc<str>, User)>,
    uses: HashMap<String, Vec<Use>>,
    /// By the role's name.
    listed: HashMap<String, Vec<Listed>>,
    /// Roles that are in the tree.
    own: BTreeSet<String>,
    taken: taken::Taken,
    allowance: Allowance,
}

impl Reader for Ansible {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["yml", "yaml", "j2"]) || !matches!(places::of(path).1, Part::Other)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        // Large ones are hardly Ansible's, and nobody need hear of it.
        let small = sheet.bytes.len() <= Self::LIMIT;
        match places::of(&sheet.path).1 {
            // `templates` and `vars` are folders of many others; a file of theirs that fits no role is nobody's.
            Part::Other if ends_in(&sheet.path, &["j2"]) => small && sheet.mentions("{"),
            Part::Other => {
                let data = small && ends_in(&sheet.path, &["yml", "yaml"]);
                data && (sheet.mentions("hosts:") || is_list(sheet.bytes) || is_loose(sheet) || is_filled_compose(sheet))
            }
            Part::File(_) => false,
            _ => small,
        }
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.allowance.begin();
        let (root, part) = places::of(&sheet.path);
        let root: Arc<str> = Arc::from(root);
        let variables = matches!(part, Part::Vars | Part::Inventory);
        let data = ends_in(&sheet.path, &["yml", "yaml"]) || variables && is_mapping(sheet.bytes);
        match part {
            Part::Vars | Part::Inventory if data => {
                // Encrypted ones are no YAML, and neither is much else by such a name.
                sheet.documents(&mut Coverage::default(), &mut |doc| self.variables(sheet, doc, &root, &part));
            }
            Part::Vars | Part::Inventory => {
                if let Ok(text) = sheet.text() {
                    self.inventory(sheet, text, &root);
                }
            }
            Part::Role(role) => {
                self.own.insert(role.to_owned());
                let user = User::Role(Arc::from(role));
                if data {
                    sheet.documents(coverage, &mut |doc| self.tasks(sheet, (doc, ""), (&root, &user)));
                } else if let Ok(text) = sheet.text() {
                    let at = Place { path: Arc::clone(&sheet.path), line: 1, bytes: 0..0 };
                    self.mentions(text, &at, (&root, &user));
                }
            }
            Part::Other if !data => {
                if let Ok(text) = sheet.text() {
                    let at = Place { path: Arc::clone(&sheet.path), line: 1, bytes: 0..0 };
                    self.mentions(text, &at, (&root, &User::Part(Arc::clone(&sheet.path))));
                }
            }
            Part::Other if is_filled_compose(sheet) => {
                sheet.documents(&mut Coverage::default(), &mut |doc| self.services(sheet, doc, &root));
            }
            Part::Other if !is_list(sheet.bytes) && is_loose(sheet) => {
                sheet.documents(&mut Coverage::default(), &mut |doc| self.variables(sheet, doc, &root, &Part::Vars));
            }
            Part::Other | Part::File(_) => {
                sheet.documents(&mut Coverage::default(), &mut |doc| self.playbook(sheet, doc, &root));
            }
        }
        self.allowance.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, variable, join) in self.values.hits(clues) {
            let first =
                evidence("ansible-variable", place.to_string(), format!("{} ({})", clean(&variable.way), join.words()));
            self.follow(variable, first, roll);
        }
        for (place, (root, user), join) in self.literals.hits(clues) {
            let why = vec![evidence("ansible-task", place.to_string(), format!("value in a task ({})", join.words()))];
            self.join(user, root, (Tier::Declared, why), roll);
        }
        for path in clues.paths() {
            for (at, user) in self.taken.of(path) {
                let why = evidence("ansible-takes-in", at.to_string(), clean(file_name(path)));
                if let User::Variable(way) = user {
                    let root = Arc::from(places::of(&at.path).0);
                    self.follow(&Variable { root, way: way.clone() }, why, roll);
                } else {
                    self.join(user, &at.path, (Tier::Inferred, vec![why]), roll);
                }
            }
            let (root, part) = places::of(path);
            let copied = match part {
                Part::File(name) => Some(name),
                Part::Role(name) if path.contains("/templates/") => Some(name),
                _ => None,
            };
            if let Some(name) = copied {
                let why = vec![evidence("ansible-file", path, format!("copied by role {}", clean(name)))];
                self.join(&User::Role(Arc::from(name)), root, (Tier::Inferred, why), roll);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.literals.merge(other.literals);
        self.own.extend(other.own);
        self.taken.merge(other.taken);
        for (name, uses) in other.uses {
            self.uses.entry(name).or_default().extend(uses);
        }
        for (role, listed) in other.listed {
            self.listed.entry(role).or_default().extend(listed);
        }
    }
}

impl Ansible {
    /// Every leaf of a file of variables. In an inventory they stand below `vars` and the hosts.
    fn variables(&mut self, sheet: &Sheet<'_>, doc: View<'_>, root: &Arc<str>, part: &Part<'_>) {
        let nested = *part == Part::Inventory && doc.get("all").is_some();
        doc.leaves("", &mut |way, leaf| {
            let Some(text) = leaf.text().filter(|text| !text.is_empty()) else { return };
            let way = if nested { below_hosts(way) } else { Some(way) };
            if let Some(way) = way.filter(|_| self.allowance.take(text.len())) {
                self.variable(sheet, (sheet.place(leaf), text), way, root);
            }
        });
    }

    fn variable(&mut self, sheet: &Sheet<'_>, (place, text): (Place, &str), way: &str, root: &Arc<str>) {
        if ends_in(text, &["j2"]) && taken::is_item(text) && self.allowance.take(text.len()) {
            self.taken.put(text, &place, &User::Variable(way.to_owned()));
        }
        self.mentions(text, &place, (root, &User::Variable(way.to_owned())));
        let variable = Variable { root: Arc::clone(root), way: way.to_owned() };
        self.values.put(place, &prints_within(sheet.key, text), variable);
    }

    fn inventory(&mut self, sheet: &Sheet<'_>, text: &str, root: &Arc<str>) {
        for one in inventory(text) {
            let value = &text[one.bytes.clone()];
            if self.allowance.take(value.len()) {
                let bytes = one.bytes.start as u64..one.bytes.end as u64;
                let place = Place { path: Arc::clone(&sheet.path), line: one.line, bytes };
                self.variable(sheet, (place, value), one.name, root);
            }
        }
    }

    /// What a text's expressions name.
    fn mentions(&mut self, text: &str, at: &Place, (root, user): (&Arc<str>, &User)) {
        for chain in chains(text) {
            if self.allowance.take(chain.len()) {
                let one = Use { at: at.clone(), root: Arc::clone(root), chain: chain.to_owned(), user: user.clone() };
                self.uses.entry(head(chain).to_owned()).or_default().push(one);
            }
        }
    }

    /// Tasks: what they name, what stands in them, and the roles that they take in.
    fn tasks(&mut self, sheet: &Sheet<'_>, (doc, way): (View<'_>, &str), (root, user): (&Arc<str>, &User)) {
        doc.leaves(way, &mut |way, leaf| {
            let Some(text) = leaf.text().filter(|text| !text.is_empty() && self.allowance.take(text.len())) else { return };
            let place = sheet.place(leaf);
            if is_role(way) {
                let listed = Listed { at: place, root: Arc::clone(root), user: user.clone() };
                self.listed.entry(text.to_owned()).or_default().push(listed);
                return;
            }
            for name in taken::named(way, text).into_iter().chain(taken::looked_up(text)) {
                if self.allowance.take(name.len()) {
                    self.taken.put(name, &place, user);
                }
            }
            self.mentions(text, &place, (root, user));
            // The variables of a play are what its roles see.
            if let Some((_, way)) = way.split_once("].vars.").filter(|_| matches!(user, User::Playbook(_))) {
                self.mentions(text, &place, (root, &User::Variable(way.to_owned())));
            }
            self.literals.put(place, &prints_within(sheet.key, text), (Arc::clone(root), user.clone()));
        });
    }

    /// The services of a compose file that a play fills in: what they are given by a variable is theirs.
    fn services(&mut self, sheet: &Sheet<'_>, doc: View<'_>, root: &Arc<str>) {
        for (name, service) in doc.get("services").map(View::entries).unwrap_or_default() {
            let Some(name) = name.text().filter(|name| is_showable(name)) else { continue };
            let id = format!("compose:{}/{name}", sheet.path);
            let user = User::Playbook(Arc::new(Consumer::new(id, format!("service {name} of {}", sheet.path))));
            service.leaves("", &mut |_, leaf| {
                self.mentions(leaf.text().unwrap_or_default(), &sheet.place(leaf), (root, &user));
            });
        }
    }

    fn playbook(&mut self, sheet: &Sheet<'_>, doc: View<'_>, root: &Arc<str>) {
        let plays = doc.items().any(|play| play.get("hosts").is_some() || play.get("import_playbook").is_some());
        if plays && is_showable(&sheet.path) {
            let consumer = Consumer::new(format!("ansible:{}", sheet.path), format!("playbook {}", sheet.path));
            let user = User::Playbook(Arc::new(consumer));
            // What tries a role logs in to machines of its own.
            let tried = sheet.path.split('/').any(|part| matches!(part, "molecule" | "test" | "tests"));
            for name in CONNECTION.iter().filter(|name| !tried && self.allowance.take(name.len())) {
                let one =
                    Use { at: sheet.place(doc), root: Arc::clone(root), chain: (*name).to_owned(), user: user.clone() };
                self.uses.entry((*name).to_owned()).or_default().push(one);
            }
            self.tasks(sheet, (doc, ""), (root, &user));
        } else if doc.items().next().is_some_and(View::is_mapping) {
            // A list of tasks, if somebody takes it in as one.
            self.tasks(sheet, (doc, ""), (root, &User::Part(Arc::clone(&sheet.path))));
        }
    }

    fn follow(&self, first: &Variable, why: Evidence, roll: &mut Roll) {
        let (mut queue, mut met) = (vec![(first.clone(), vec![why])], HashSet::from([first.clone()]));
        while let Some((variable, why)) = queue.pop() {
            for one in self.uses.get(head(&variable.way)).into_iter().flatten() {
                if !roll.look() {
                    return;
                }
                if !related(&one.root, &variable.root) || !covers(&one.chain, &variable.way) {
                    continue;
                }
                let mut why = why.clone();
                why.push(evidence("ansible-reference", one.at.to_string(), format!("{{{{ {} }}}}", clean(&one.chain))));
                match &one.user {
                    User::Variable(way) => {
                        let next = Variable { root: Arc::clone(&one.root), way: way.clone() };
                        if why.len() <= STEPS && met.insert(next.clone()) {
                            queue.push((next, why));
                        }
                    }
                    user => self.join(user, &one.root, (Tier::Inferred, why), roll),
                }
            }
            self.elsewhere(&variable, &why, roll);
        }
    }

    /// Roles of others, which are not in the tree: their variables begin with their names.
    fn elsewhere(&self, variable: &Variable, why: &[Evidence], roll: &mut Roll) {
        let name = head(&variable.way);
        let own = |role: &String| self.own.iter().any(|own| own == role || file_name(own) == *role);
        for (role, listed) in self.listed.iter().filter(|(role, _)| !own(role)) {
            let short = role.rsplit(['.', '/']).next().unwrap_or(role).replace('-', "_");
            if !short.is_empty() && name.strip_prefix(&short).is_some_and(|rest| rest.starts_with('_')) {
                self.listing(listed, &variable.root, ((Tier::Inferred, why), WITHIN), roll);
            }
        }
    }

    fn join(&self, user: &User, root: &str, (tier, why): (Tier, Vec<Evidence>), roll: &mut Roll) {
        let named = self.users(user, root, ((tier, &why), WITHIN), roll);
        if let User::Role(role) = user
            && !named
            && is_showable(role)
        {
            // Whoever takes in a file is known by its own path.
            let root = if ends_in(root, &["yml", "yaml", "j2"]) { places::of(root).0 } else { root };
            let within = if root.is_empty() { format!("roles/{role}") } else { format!("{root}/roles/{role}") };
            let consumer = Consumer::new(format!("ansible:{within}"), format!("role {role}, any playbook"));
            consumer.join(roll, tier.min(Tier::Inferred), why);
        }
    }

    /// Whether there is any playbook at the end of it. `left` is how many may still take in one another.
    fn users(&self, user: &User, root: &str, ((tier, why), left): ((Tier, &[Evidence]), usize), roll: &mut Roll) -> bool {
        let Some(left) = left.checked_sub(1) else { return false };
        match user {
            User::Variable(_) => false,
            User::Playbook(playbook) => {
                playbook.join(roll, tier, why.to_vec());
                true
            }
            User::Role(named) => {
                // One in a folder of its own is listed by all of its way, or where `roles_path` leads, by its name.
                let ways = [&**named, file_name(named)];
                let ways = if ways[0] == ways[1] { &ways[..1] } else { &ways[..] };
                let mut any = false;
                for listed in ways.iter().filter_map(|way| self.listed.get(*way)) {
                    any |= self.listing(listed, root, ((tier, why), left), roll);
                }
                any
            }
            User::Part(path) => {
                let mut any = false;
                for (at, user) in self.taken.of(path).filter(|(at, _)| at.path != *path) {
                    if !roll.look() {
                        break;
                    }
                    let mut why = why.to_vec();
                    why.push(evidence("ansible-takes-in", at.to_string(), clean(file_name(path))));
                    any |= self.users(user, root, ((tier, &why), left), roll);
                }
                any
            }
        }
    }

    /// Whether there is any playbook of the same project.
    fn listing(
        &self,
        listed: &[Listed],
        root: &str,
        ((tier, why), left): ((Tier, &[Evidence]), usize),
        roll: &mut Roll,
    ) -> bool {
        let mut any = false;
        for one in listed.iter().filter(|one| related(&one.root, root)) {
            if !roll.look() {
                break;
            }
            let mut why = why.to_vec();
            why.push(evidence("ansible-role", one.at.to_string(), "lists the role"));
            any |= self.users(&one.user, root, ((tier, &why), left), roll);
        }
        any
    }
}

/// Whether a file's first line that says something begins a list.
fn is_list(bytes: &[u8]) -> bool {
    first(bytes).is_some_and(|line| line.starts_with(b"- ") || line.starts_with(b"["))
}

/// Whether it is a compose file in which expressions stand that a play fills in.
fn is_filled_compose(sheet: &Sheet<'_>) -> bool {
    ["services:", "image:", "{{ "].iter().all(|word| sheet.mentions(word)) && !sheet.mentions("hosts:")
}

/// Whether it is called as variables are that a play is given by hand (`-e @app-vars.yml`) or takes in from beside it.
fn is_loose(sheet: &Sheet<'_>) -> bool {
    let stem = file_name(&sheet.path).split('.').next().unwrap_or_default();
    let words = ["vars", "variables", "vault", "secrets", "secret"];
    stem.split(['-', '_']).any(|word| words.contains(&word)) && !(sheet.mentions("apiVersion:") && sheet.mentions("kind:"))
}

/// Whether it begins a mapping, as variables in a file without an ending do: those of INI have an equals sign.
fn is_mapping(bytes: &[u8]) -> bool {
    let line = first(bytes).unwrap_or_default();
    let colon = line.iter().position(|b| *b == b':');
    colon.is_some_and(|colon| {
        !line.starts_with(b"[") && line.iter().position(|b| *b == b'=').is_none_or(|equals| equals > colon)
    })
}

/// The first line that says something.
fn first(bytes: &[u8]) -> Option<&[u8]> {
    let mut lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"---"))
}

/// The way below the `vars` or the host that a variable of an inventory stands at: `all.children.web.vars.KEY`.
fn below_hosts(way: &str) -> Option<&str> {
    if let Some((_, rest)) = way.split_once(".vars.") {
        return Some(rest);
    }
    way.split_once(".hosts.").and_then(|(_, rest)| rest.split_once('.')).map(|(_, rest)| rest)
}

/// Whether a role's name stands there: `roles: [NAME]`, `roles: [{role: NAME}]`, `include_role: {name: NAME}`, a role's `dependencies`.
fn is_role(way: &str) -> bool {
    let last = way.rsplit('.').next().unwrap_or(way);
    let before = way[..way.len() - last.len()].trim_end_matches('.');
    let within = before.rsplit('.').next().unwrap_or(before);
    let lists = |word: &str| word.starts_with("roles[") || word.starts_with("dependencies[");
    lists(last)
        || lists(within) && matches!(last, "role" | "name")
        || last == "name" && matches!(within, "include_role" | "import_role")
}

#[cfg(test)]
mod tests;
