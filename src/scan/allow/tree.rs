//! What the `.staunch.toml` of each target says of its files and findings, and which of its entries are of use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::Date;

use super::{AllowError, Judged};
use crate::config::{Allow, Because, TreeRules};
use crate::detect::DetectorSet;
use crate::secret::Fingerprint;
use crate::source::{TreeFile, TreeFileError, tree_of};

/// Entries that are said one by one; a longer list says how many more there are.
const SAID: usize = 20;

/// Where a target lies, and the rules there.
#[derive(Debug, Default)]
pub(in crate::scan) struct Tree {
    /// The target in full, where it is a file.
    only: Option<PathBuf>,
    pub(super) repository: Option<PathBuf>,
    /// The target's folder in full.
    folder: PathBuf,
    pub(super) rules: Option<Arc<Rules>>,
}

impl Tree {
    /// The full path of one of the target's files.
    pub(in crate::scan) fn full<'p>(&'p self, walked: &'p Path) -> &'p Path {
        self.only.as_deref().unwrap_or(walked)
    }

    /// A file's path from the root of its repository, or of the target where that is in none.
    pub(super) fn below<'p>(&self, full: &'p Path) -> Option<&'p Path> {
        full.strip_prefix(self.repository.as_deref().unwrap_or(&self.folder)).ok()
    }

    /// A target's, with nothing that is allowed.
    pub(super) fn bare(target: &Path) -> Self {
        let found = tree_of(target);
        Self { only: found.only, repository: found.repository, folder: found.folder, rules: None }
    }

    /// Whether a file is left out.
    pub(in crate::scan) fn leaves_out(&self, walked: &Path) -> Judged {
        self.rules.as_ref().map_or(Judged::Stays, |rules| rules.leaves_out(self.full(walked)))
    }
}

/// A `.staunch.toml` in force, or one that is only watched because its tree is not trusted.
#[derive(Debug)]
pub(super) struct Rules {
    shown: String,
    folder: PathBuf,
    trusted: bool,
    allow: Vec<Entry<Allow>>,
    skip: Vec<Entry<crate::config::Skip>>,
}

#[derive(Debug)]
struct Entry<T> {
    what: T,
    /// How the coverage names it.
    label: Arc<str>,
    expired: bool,
    used: AtomicBool,
}

impl<T> Entry<T> {
    fn new(what: T, because: &Because, (place, today): (&str, Date)) -> Self {
        let expired = because.expires.filter(|last| *last < today);
        let until = expired.map(|last| format!(" (expired {last})")).unwrap_or_default();
        let label = format!("{place}: {}{until}", because.reason).into();
        Self { what, label, expired: expired.is_some(), used: AtomicBool::new(false) }
    }

    /// It holds for something: what that means for it.
    fn judge(&self, trusted: bool) -> Judged {
        self.used.store(true, Ordering::Relaxed);
        let reason = Arc::clone(&self.label);
        if trusted && !self.expired { Judged::Allowed(reason) } else { Judged::Disregarded(reason) }
    }
}

/// Reads the files of all targets.
pub(super) struct Reader<'r> {
    pub(super) set: &'r DetectorSet,
    pub(super) trusted: bool,
    pub(super) today: Date,
    pub(super) remarks: Vec<String>,
    pub(super) mistakes: Vec<String>,
    /// One file may be that of many targets.
    read: BTreeMap<PathBuf, Option<Arc<Rules>>>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(set: &'r DetectorSet, trusted: bool, today: Date) -> Self {
        Self { set, trusted, today, remarks: Vec::new(), mistakes: Vec::new(), read: BTreeMap::new() }
    }

    pub(super) fn tree(&mut self, target: &Path) -> Tree {
        let found = tree_of(target);
        let rules = found.file.and_then(|file| {
            if let Some(rules) = self.read.get(&file.folder) {
                return rules.clone();
            }
            let folder = file.folder.clone();
            let rules = self.rules(file).map(Arc::new);
            self.read.insert(folder, rules.clone());
            rules
        });
        Tree { only: found.only, repository: found.repository, folder: found.folder, rules }
    }

    fn rules(&mut self, file: TreeFile) -> Option<Rules> {
        let TreeFile { folder, shown, text } = file;
        let text = match text {
            Ok(text) => text,
            // It may be no mistake of those who wrote the tree; and what it allows is what somebody else wants.
            Err(error @ (TreeFileError::Link | TreeFileError::Stranger)) => {
                self.remarks.push(format!("{shown}: {error}"));
                return None;
            }
            Err(error) => {
                self.wrong(&format!("{shown}: {error}"));
                return None;
            }
        };
        let known = |id: &str| self.set.get(id).is_some();
        match TreeRules::read(&shown, &text, &known) {
            Ok(rules) => Some(self.in_force(rules, shown, folder)),
            Err(mistakes) => {
                self.wrong(&mistakes.to_string());
                None
            }
        }
    }

    /// A file that cannot be used. Where the tree is not trusted, its mistakes are nobody's here.
    fn wrong(&mut self, what: &str) {
        let mut lines = what.lines().map(str::to_owned).collect();
        if self.trusted {
            self.mistakes.append(&mut lines);
        } else {
            self.remarks.extend(few(lines));
        }
    }

    fn in_force(&mut self, rules: TreeRules, shown: String, folder: PathBuf) -> Rules {
        let today = self.today;
        let set = self.set;
        let allow = rules.allow.into_iter().map(|mut allow| {
            for id in &mut allow.detectors {
                // A former id means the detector of today.
                *id = set.get(id).map_or_else(String::new, |detector| detector.id.to_string());
            }
            let because = allow.because.clone();
            Entry::new(allow, &because, (".staunch.toml", today))
        });
        let skip = rules.skip.into_iter().map(|skip| {
            let because = skip.because.clone();
            Entry::new(skip, &because, ("left out by .staunch.toml", today))
        });
        let rules = Rules { shown, folder, trusted: self.trusted, allow: allow.collect(), skip: skip.collect() };
        let expired = rules.entries().filter(|entry| entry.expired);
        let said = expired.map(|entry| format!("{}:{}: expired; it allows nothing any more", rules.shown, entry.line));
        self.remarks.extend(few(said.collect()));
        rules
    }

    /// What was read, and what there is to say of it.
    pub(super) fn done(self) -> Result<(Vec<Arc<Rules>>, Vec<String>), AllowError> {
        if self.mistakes.is_empty() {
            Ok((self.read.into_values().flatten().collect(), self.remarks))
        } else {
            Err(AllowError::Trees(self.mistakes.join("\n")))
        }
    }
}

/// What is the same of both kinds of entries.
struct Said {
    line: usize,
    expired: bool,
    used: bool,
}

/// The first of many remarks, and how many there are besides.
pub(super) fn few(mut all: Vec<String>) -> Vec<String> {
    if all.len() > SAID {
        let more = all.len() - SAID;
        all.truncate(SAID);
        all.push(format!("and {more} more"));
    }
    all
}

impl Rules {
    fn entries(&self) -> impl Iterator<Item = Said> {
        let used = |used: &AtomicBool| used.load(Ordering::Relaxed);
        let allow =
            self.allow.iter().map(move |e| Said { line: e.what.because.line, expired: e.expired, used: used(&e.used) });
        let skip =
            self.skip.iter().map(move |e| Said { line: e.what.because.line, expired: e.expired, used: used(&e.used) });
        allow.chain(skip)
    }

    /// Entries that nothing was found for, in words.
    pub(super) fn unused(&self) -> Vec<String> {
        let idle = self.entries().filter(|entry| !entry.used && !entry.expired);
        few(idle.map(|entry| format!("{}:{}: nothing was found that it allows", self.shown, entry.line)).collect())
    }

    /// A file's path in the rules' own terms. `None` for what does not lie below them.
    fn inside(&self, full: &Path) -> Option<PathBuf> {
        full.strip_prefix(&self.folder).ok().map(Path::to_owned)
    }

    /// Whether a file is left out.
    fn leaves_out(&self, full: &Path) -> Judged {
        if self.skip.is_empty() {
            return Judged::Stays;
        }
        let Some(path) = self.inside(full) else { return Judged::Stays };
        let held = self.skip.iter().filter(|entry| entry.what.paths.hold(&path));
        Judged::most(held.map(|entry| entry.judge(self.trusted)))
    }

    /// The entries that may hold in a file.
    pub(super) fn of_file(&self, full: &Path) -> Vec<usize> {
        let inside = self.inside(full);
        let holds = |entry: &Entry<Allow>| {
            entry.what.paths.as_ref().is_none_or(|globs| inside.as_deref().is_some_and(|path| globs.hold(path)))
        };
        self.allow.iter().enumerate().filter(|(_, entry)| holds(entry)).map(|(n, _)| n).collect()
    }

    /// Whether one of `entries` allows a finding, of which `print` knows the fingerprint.
    pub(super) fn allows(&self, entries: &[usize], detector: &str, print: &dyn Fn() -> Option<Fingerprint>) -> Judged {
        let mut made = None;
        let mut holds = |allow: &Allow| {
            if !allow.detectors.is_empty() && allow.detectors.iter().all(|id| id != detector) {
                return false;
            }
            let mut is_one_of = |known: &[String]| {
                let print = made.get_or_insert_with(|| print().map(|print| print.to_string()));
                print.as_ref().is_some_and(|print| known.iter().any(|known| print.starts_with(known)))
            };
            allow.fingerprints.is_empty() || is_one_of(&allow.fingerprints)
        };
        let held = entries.iter().map(|n| &self.allow[*n]).filter(|entry| holds(&entry.what));
        Judged::most(held.map(|entry| entry.judge(self.trusted)))
    }
}
