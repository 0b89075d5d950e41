//! Files that a package installs beside a systemd unit: value → file in the tree → its place on the machine, by the package's own list
//! → unit that names that place, or whose program keeps its settings there by custom (`/etc/PROGRAM/…`).
//!
//! Lists are GoReleaser's and nfpm's `contents` (goreleaser.com, "nFPM"; nfpm.goreleaser.com, "Configuration"), `debian/*.install`
//! (dh_install(1)), and `install` and `cp` in spec files, `debian/rules`, a `PKGBUILD` and makefiles. All of it is inferred: the file
//! may be replaced on the machine, and most often is.

mod lists;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::links::Consumer;
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, folder, is_showable, systemd};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};
use lists::Line;

/// Files of one list that are followed.
const INSTALLS: usize = 5_000;
/// What files of settings end in.
const SETTINGS: &[&str] = &["yml", "yaml", "conf", "toml", "ini", "json", "env", "cfg", "properties"];

/// What packages install, and the units.
#[derive(Default)]
pub(super) struct Packages {
    /// By the path in the tree.
    paths: HashMap<String, Vec<Install>>,
    /// By the name alone, where the list is run in a folder that is not in the tree.
    names: HashMap<String, Vec<Install>>,
    /// The units that a list installs, by the list's path.
    shipped: HashMap<Arc<str>, BTreeSet<String>>,
    units: BTreeMap<String, Unit>,
}

/// One file of a list.
#[derive(Clone)]
struct Install {
    to: String,
    at: Place,
}

struct Unit {
    consumer: Consumer,
    at: Place,
    /// Absolute paths in its commands and environment files.
    paths: BTreeSet<String>,
    /// Whether it names a file of settings anywhere.
    settled: bool,
    programs: BTreeSet<String>,
}

impl Reader for Packages {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        path.ends_with(".service") || lists::is_one(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        if sheet.path.ends_with(".service") {
            return sheet.mentions("[Service]");
        }
        sheet.mentions("etc") || sheet.mentions("sysconfdir")
    }

    fn read(&mut self, sheet: &Sheet<'_>, _: &mut Coverage) {
        // What is no text, or not valid, is told by others or is no concern of anybody.
        let Ok(text) = sheet.text() else { return };
        if sheet.path.ends_with(".service") {
            return self.unit(sheet, text);
        }
        for line in lists::read(sheet, text).into_iter().take(INSTALLS) {
            self.install(sheet, line);
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for path in clues.paths() {
            let exact = self.paths.get(path).into_iter().flatten().map(|install| (install, true));
            let named = self.names.get(file_name(path)).into_iter().flatten().map(|install| (install, false));
            for (install, exact) in exact.chain(named) {
                self.users(path, (install, exact), roll);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (own, others) in [(&mut self.paths, other.paths), (&mut self.names, other.names)] {
            for (path, installs) in others {
                own.entry(path).or_default().extend(installs);
            }
        }
        for (list, units) in other.shipped {
            self.shipped.entry(list).or_default().extend(units);
        }
        self.units.extend(other.units);
    }
}

impl Packages {
    fn install(&mut self, sheet: &Sheet<'_>, Line { from, to, place }: Line) {
        let own = folder(&sheet.path);
        let install = Install { to, at: place };
        if !from.contains('/') && !lists::is_exact(&sheet.path) {
            self.names.entry(from).or_default().push(install);
            return;
        }
        // Paths are seen from the repository's root, or from where the list lies.
        let root = sheet.root.trim_end_matches('/');
        let paths: BTreeSet<String> = [root, own].iter().filter_map(|base| super::join(base, &from)).collect();
        for path in paths {
            if path.ends_with(".service") {
                self.shipped.entry(Arc::clone(&sheet.path)).or_default().insert(path.clone());
            }
            self.paths.entry(path).or_default().push(install.clone());
        }
    }

    fn unit(&mut self, sheet: &Sheet<'_>, text: &str) {
        let path = sheet.path.to_string();
        if !is_showable(&path) {
            return;
        }
        let consumer = Consumer::new(format!("systemd:{path}"), format!("unit {}", file_name(&path)));
        let at = Place { path: Arc::clone(&sheet.path), line: 1, bytes: 0..0 };
        let (paths, programs) = (BTreeSet::new(), BTreeSet::new());
        let mut unit = Unit { consumer, at, paths, settled: false, programs };
        for setting in systemd::settings(text) {
            if !setting.name.starts_with("Exec") && setting.name != "EnvironmentFile" {
                continue;
            }
            let words = systemd::words(setting.value);
            for word in &words {
                let value =
                    word.rsplit_once('=').map_or(*word, |(_, value)| value).trim_matches(['"', '\'', '-', '+', '!', '@']);
                unit.settled |= value.contains('/') && ends_in(value, SETTINGS);
                if value.starts_with('/') {
                    unit.at.line = setting.line;
                    unit.paths.insert(value.to_owned());
                }
            }
            if setting.name == "ExecStart"
                && let Some(program) = words.first()
            {
                unit.programs.insert(file_name(program.trim_start_matches(['-', '+', '!', '@', ':'])).to_owned());
            }
        }
        self.units.insert(path, unit);
    }

    /// Names the units that use an installed file: those that name it, else those whose program keeps it by custom.
    fn users(&self, path: &str, (install, exact): (&Install, bool), roll: &mut Roll) {
        let shipped = self.shipped.get(&install.at.path).filter(|_| exact);
        let along = |own: &String| shipped.is_none_or(|shipped| shipped.contains(own));
        let units: Vec<&Unit> = self.units.iter().filter(|(own, _)| along(own)).map(|(_, unit)| unit).collect();
        let mut users: Vec<&Unit> = units.iter().copied().filter(|unit| unit.paths.contains(&install.to)).collect();
        if users.is_empty() && exact {
            users = units.into_iter().filter(|unit| !unit.settled && unit.keeps(&install.to)).collect();
        }
        for unit in users {
            if !roll.look() {
                return;
            }
            let detail = format!("{} is installed as {}", clean(file_name(path)), clean(&install.to));
            let why = vec![
                evidence("package-contents", install.at.to_string(), detail),
                evidence("systemd-unit", unit.at.to_string(), "reads it, by its path or by custom".to_owned()),
            ];
            unit.consumer.join(roll, Tier::Inferred, why);
        }
    }
}

impl Unit {
    /// Whether a path is where its program keeps settings by custom: `/etc/PROGRAM/…`, `/etc/PROGRAM.conf`.
    fn keeps(&self, to: &str) -> bool {
        let inside = to.strip_prefix("/etc/").unwrap_or_default();
        ends_in(to, SETTINGS)
            && self.programs.iter().any(|program| {
                !program.is_empty() && inside.strip_prefix(program.as_str()).is_some_and(|rest| rest.starts_with(['/', '.']))
            })
    }
}

#[cfg(test)]
mod tests;
