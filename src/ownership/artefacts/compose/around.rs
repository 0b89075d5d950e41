//! What lies around a compose file: the `.env` beside it, whose variables may be made of one another, and the files that it
//! includes (compose-spec, "Include" and "Interpolation").

use std::collections::BTreeSet;

use super::super::slots::prints;
use super::super::yaml::View;
use super::super::{Place, Sheet, copies, dotenv, file_name, folder, join};
use super::{Compose, Pull, variables};
use crate::model::{Evidence, Tier};
use crate::ownership::roll::Roll;

/// Folders that an env file may be named from.
const ABOVE: usize = 3;
/// Variables of an env file that are made of one other.
const TAKERS: usize = 100;

impl Compose {
    /// Which variables of an env file are made of which others.
    pub(super) fn take(&mut self, sheet: &Sheet<'_>, text: &str) {
        for variable in dotenv::variables(text) {
            let quote = variable.bytes.start.checked_sub(1).and_then(|at| text.as_bytes().get(at as usize));
            if quote == Some(&b'\'') {
                continue;
            }
            for name in variables::named(variable.value) {
                let of = (sheet.path.to_string(), name.to_owned());
                self.taken.entry(of).or_default().insert(variable.name.to_owned());
            }
        }
    }

    /// A variable of an env file and those of the same file that are made of it.
    pub(super) fn takers(&self, path: &str, name: &str, roll: &mut Roll) -> BTreeSet<String> {
        let (mut all, mut queue) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(name) = queue.pop() {
            if all.len() >= TAKERS {
                roll.cut();
                break;
            }
            if all.insert(name.clone()) {
                let takers = self.taken.get(&(path.to_owned(), name)).into_iter().flatten();
                queue.extend(takers.take(TAKERS).cloned());
            }
        }
        all
    }

    /// `include`: a path, or a mapping with `path`, which is one or several.
    pub(super) fn include(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let own = folder(&sheet.path);
        for entry in root.get("include").into_iter().flat_map(View::items) {
            let path = entry.get("path").unwrap_or(entry);
            for file in [path].into_iter().chain(path.items()).filter_map(View::text) {
                if let Some(file) = join(own, file) {
                    self.includes.entry(own.to_owned()).or_default().insert(file);
                }
            }
        }
    }

    /// doco-cd's variables, for the compose files at and below the folder that it works in, which is seen from the root.
    pub(super) fn deploys(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let there = root.text_at(&["working_dir"]).unwrap_or(".");
        let Some(there) = join(sheet.root.trim_end_matches('/'), there) else { return };
        self.deployed.entry(sheet.path.to_string()).or_default().insert(there);
        for (name, value) in
            ["external_secrets", "environment"].into_iter().filter_map(|field| root.get(field)).flat_map(View::entries)
        {
            let (Some(name), Some(text)) = (name.text(), value.text()) else { continue };
            if self.allowance.take(name.len() + text.len()) {
                self.env.put(sheet.place(value), &prints(sheet.key, text.as_bytes()), name.to_owned());
            }
        }
    }

    /// Who takes a variable that doco-cd sets. Inferred: which of the files it deploys is not said.
    fn deployed(&self, folders: &BTreeSet<String>, name: &str, seen: &Evidence, roll: &mut Roll) {
        let below = |own: &str, there: &str| {
            there.is_empty() || own.strip_prefix(there).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for own in self.wanted.get(name).into_iter().flatten().filter(|own| folders.iter().any(|there| below(own, there))) {
            for pull in self.variables.get(&(own.clone(), name.to_owned())).into_iter().flatten() {
                if !self.takes(pull, (name, Tier::Inferred), seen, roll) {
                    return;
                }
            }
        }
    }

    /// Who takes that variable of an env file.
    pub(super) fn variable(&self, place: &Place, name: &str, seen: &Evidence, roll: &mut Roll) {
        if let Some(folders) = self.deployed.get(&*place.path) {
            return self.deployed(folders, name, seen, roll);
        }
        let mut pulls = self.env_files.get(&*place.path).into_iter().flatten();
        if !pulls.all(|pull| self.takes(pull, (name, Tier::Bound), seen, roll)) {
            return;
        }
        let own = folder(&place.path);
        if file_name(&place.path) != ".env" {
            return self.by_hand(place, name, seen, roll);
        }
        self.entries_by_variable((own, name), seen, roll);
        let mut join = |pull: &Pull, tier: Tier| self.takes(pull, (name, tier), seen, roll);
        for pull in self.variables.get(&(own.to_owned(), name.to_owned())).into_iter().flatten() {
            // `docker stack deploy` reads no `.env`: somebody else must hand it over.
            let stack = file_name(&pull.at.path).contains("stack");
            if !join(pull, if stack { Tier::Inferred } else { Tier::Bound }) {
                return;
            }
        }
        if !self.combined(own, name, seen, roll) {
            return;
        }
        for file in self.includes.get(own).into_iter().flatten() {
            let there = self.variables.get(&(folder(file).to_owned(), name.to_owned()));
            for pull in there.into_iter().flatten().filter(|pull| *pull.at.path == **file) {
                if !self.takes(pull, (name, Tier::Inferred), seen, roll) {
                    return;
                }
            }
        }
    }

    /// Compose files in folders below, without a `.env` of their own or of a folder between: run from here, or combined with this
    /// folder's by `-f` or `COMPOSE_FILE`, they take this one (docs.docker.com, "Merge Compose files", "Interpolation"). Inferred: who
    /// runs them, and how, is not said. False where there is too much to look at.
    fn combined(&self, own: &str, name: &str, seen: &Evidence, roll: &mut Roll) -> bool {
        if !self.projects.contains(own) {
            return true;
        }
        for there in self.wanted.get(name).into_iter().flatten() {
            let Some(below) = there.strip_prefix(own).filter(|below| !below.is_empty()) else { continue };
            if !own.is_empty() && !below.starts_with('/') || copies::is_aside(below) {
                continue;
            }
            let mut between = there.as_str();
            while between.len() > own.len() && !self.names.contains_key(&format!("{between}/.env")) {
                between = folder(between);
            }
            if between.len() > own.len() {
                continue;
            }
            for pull in self.variables.get(&(there.clone(), name.to_owned())).into_iter().flatten() {
                if !self.takes(pull, (name, Tier::Inferred), seen, roll) {
                    return false;
                }
            }
        }
        true
    }

    /// An env file by another name, which no service lists, is handed to `docker compose --env-file` by whoever runs it.
    fn by_hand(&self, place: &Place, name: &str, seen: &Evidence, roll: &mut Roll) {
        let file = file_name(&place.path);
        let known = self.env_files.contains_key(&*place.path) || dotenv::is_sample(file) || copies::is_aside(&place.path);
        if known || !dotenv::is_named_so(file) {
            return;
        }
        // Most likely from its folder, or from one above it that env files are kept below: `--env-file config/prod.env`.
        let mut at = folder(&place.path);
        for _ in 0..ABOVE {
            let nearer = if at.is_empty() { ".env".to_owned() } else { format!("{at}/.env") };
            if nearer != *place.path && self.names.get(&nearer).is_some_and(|names| names.contains(name)) {
                return;
            }
            for pull in self.variables.get(&(at.to_owned(), name.to_owned())).into_iter().flatten() {
                if !self.takes(pull, (name, Tier::Inferred), seen, roll) {
                    return;
                }
            }
            if at.is_empty() || self.projects.contains(at) {
                return;
            }
            at = folder(at);
        }
    }

    /// Whether there may be more to look at, after the service of one reference was named.
    fn takes(&self, pull: &Pull, (name, tier): (&str, Tier), seen: &Evidence, roll: &mut Roll) -> bool {
        let looks = roll.look();
        if looks && !self.hides(&pull.over, name) {
            self.name(&pull.service, roll, tier.min(pull.most()), vec![seen.clone(), pull.evidence()]);
        }
        looks
    }
}
