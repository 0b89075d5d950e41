//! A folder's files as they lie on disk, with gitignore as ripgrep understands it, and two exceptions: files that git tracks all
//! the same (they are in every clone) and files that hold secrets by trade are read even where gitignore hides them.
//!
//! `ignore::WalkBuilder` drops ignored entries before anyone can ask for their names, so this is a walk of our own over
//! the same crate's matchers. It is an iterator; `scan` pulls it from several threads.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ignore::Match;
use ignore::gitignore::Gitignore;

use super::dangerous::{is_dangerous, is_heavy};
use super::git::Tracked;
use super::readable::readable;
use super::visit::SHORTEST_NAME;

/// How to walk.
#[derive(Debug, Clone, Copy, Default)]
pub struct WalkOptions {
    /// Read everything, whatever gitignore says.
    pub no_ignore: bool,
    /// Go into git folders: all that is in them is read but for the objects, which are read otherwise.
    pub git: bool,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is shown: lossy UTF-8, as the user wrote the target, `/` between the parts.
    pub shown: String,
    /// So many bytes of `shown` lead to the repository below the target that it lies in; 0 where it lies in none.
    pub above: usize,
    /// It is git's own, and lies in a git folder.
    pub is_git: bool,
}

/// What a walk yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A file to read.
    File(WorkFile),
    /// Something that has a name and is not read: the name may be one that matters.
    Named(String),
    /// Something passed over on purpose.
    Skipped(&'static str),
    /// Something that could not be read.
    Trouble {
        /// What.
        path: String,
        /// Why.
        why: String,
    },
}

/// Walks one target.
pub struct Walk {
    options: WalkOptions,
    stack: Vec<Folder>,
    ready: VecDeque<Item>,
}

struct Folder {
    path: PathBuf,
    shown: String,
    entries: std::vec::IntoIter<(OsString, FileType)>,
    rules: Option<Arc<Rules>>,
    /// The folder is ignored; only dangerous files are read.
    ignored: bool,
    /// It looks like a bare repository: what is in its objects is there for `--history`.
    bare: bool,
    /// As in its files.
    above: usize,
    is_git: bool,
}

/// Ignore files in force, nearest first.
struct Rules {
    matcher: Gitignore,
    outer: Option<Arc<Rules>>,
    repository: Arc<Repository>,
}

/// The repository whose rules they are.
struct Repository {
    root: PathBuf,
    /// Read when the first entry is ignored.
    tracked: OnceLock<Tracked>,
}

impl Walk {
    /// Walks `target`: a file, a link to one, or a folder. What does not exist is trouble, not an error.
    pub fn new(target: &Path, options: WalkOptions) -> Self {
        let mut walk = Self { options, stack: Vec::new(), ready: VecDeque::new() };
        let shown = show(target);
        match fs::metadata(target) {
            Err(error) => walk.trouble(shown, &error),
            Ok(meta) if meta.is_dir() => {
                // Rules are anchored at full paths. A working folder that was deleted has none, and seems to be empty.
                let full = match target.canonicalize() {
                    Ok(full) => full,
                    Err(error) => {
                        walk.trouble(shown, &error);
                        return walk;
                    }
                };
                let rules = if options.no_ignore { None } else { rules_above(&full) };
                let shown = if shown == "." { String::new() } else { shown };
                walk.enter(full, shown, rules, false);
            }
            Ok(meta) if meta.is_file() => {
                walk.ready.push_back(Item::File(WorkFile { path: target.to_owned(), shown, above: 0, is_git: false }));
            }
            Ok(_) => walk.ready.push_back(Item::Trouble { path: shown, why: "not a regular file or folder".to_owned() }),
        }
        walk
    }

    fn trouble(&mut self, path: String, error: &std::io::Error) {
        self.ready.push_back(Item::Trouble { path, why: error.to_string() });
    }

    fn enter(&mut self, path: PathBuf, shown: String, rules: Option<Arc<Rules>>, ignored: bool) {
        let listed = fs::read_dir(&path);
        let name_it = |shown: &str| if shown.is_empty() { ".".to_owned() } else { shown.to_owned() };
        let reader = match listed {
            Ok(reader) => reader,
            Err(error) => return self.trouble(name_it(&shown), &error),
        };
        let mut entries = Vec::new();
        for entry in reader {
            match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                Ok(entry) => entries.push(entry),
                Err(error) => self.trouble(name_it(&shown), &error),
            }
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let has = |name: &str| entries.binary_search_by(|(entry, _)| entry.as_os_str().cmp(name.as_ref())).is_ok();
        // What is left of a git folder is one to whoever reads its objects, as it is to whoever looks for them.
        let bare = has("HEAD") && has("objects") && (has("refs") || self.options.git);
        let is_git = bare || self.stack.last().is_some_and(|outer| outer.is_git);
        let rules = if self.options.no_ignore { None } else { rules_here(&path, &entries, rules) };
        let above = match self.stack.last() {
            Some(_) if has(".git") => shown.len() + 1,
            outer => outer.map_or(0, |outer| outer.above),
        };
        self.stack.push(Folder { path, shown, entries: entries.into_iter(), rules, ignored, bare, above, is_git });
    }

    /// Decides about one entry of the innermost folder.
    fn entry(&mut self, name: &OsString, kind: FileType) {
        let Some(folder) = self.stack.last() else { return };
        let (path, above, is_git) = (folder.path.join(name), folder.above, folder.is_git);
        let text = readable(name.as_encoded_bytes());
        let shown = if folder.shown.is_empty() {
            text.to_string()
        } else {
            format!("{}/{text}", folder.shown.trim_end_matches('/'))
        };
        let ignored = folder.ignored || ignores(folder.rules.as_deref(), &path, kind.is_dir());
        if !kind.is_file() && text.len() >= SHORTEST_NAME {
            self.ready.push_back(Item::Named(shown.clone()));
        }
        if kind.is_symlink() {
            self.ready.push_back(Item::Skipped("link"));
        } else if kind.is_dir() {
            if text == ".git" && self.options.git {
                self.enter(path, shown, None, false);
            } else if text == ".git" {
                self.ready.push_back(Item::Skipped("git folder (see --history)"));
                self.git_settings(&path, &shown, above);
            } else if folder.bare && text == "objects" && self.options.git {
                // Read as objects.
            } else if folder.bare && text == "objects" {
                self.ready.push_back(Item::Skipped("objects of a git repository (see --history)"));
            } else if ignored && is_heavy(&text) && !self.is_tracked(&path, Tracked::has_below) {
                self.ready.push_back(Item::Skipped("folder ignored by gitignore"));
            } else {
                let rules = self.stack.last().and_then(|folder| folder.rules.clone());
                self.enter(path, shown, rules, ignored);
            }
        } else if !kind.is_file() {
            self.ready.push_back(Item::Skipped("not a regular file"));
        } else if ignored && !is_dangerous(&text) && !self.is_tracked(&path, Tracked::has_file) {
            self.ready.push_back(Item::Skipped("file ignored by gitignore"));
        } else {
            self.ready.push_back(Item::File(WorkFile { path, shown, above, is_git }));
        }
    }
}

impl Walk {
    /// Asks the index of the innermost folder's repository about an entry of it.
    fn is_tracked(&mut self, path: &Path, ask: fn(&Tracked, &Path) -> bool) -> bool {
        let rules = self.stack.last().and_then(|folder| folder.rules.as_ref());
        let Some(repository) = rules.map(|rules| Arc::clone(&rules.repository)) else { return false };
        let tracked = repository.tracked.get_or_init(|| {
            Tracked::of(&repository.root).unwrap_or_else(|error| {
                let why = format!("which ignored files git tracks cannot be told ({error}); --no-ignore reads all");
                self.ready.push_back(Item::Trouble { path: show(&repository.root.join(".git")), why });
                Tracked::none()
            })
        });
        path.strip_prefix(&repository.root).is_ok_and(|path| ask(tracked, path))
    }

    /// The files of a git folder that hold the URLs of remotes, passwords in them included.
    fn git_settings(&mut self, folder: &Path, shown: &str, above: usize) {
        for name in ["config", "FETCH_HEAD", "credentials"] {
            let path = folder.join(name);
            if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
                let shown = format!("{shown}/{name}");
                self.ready.push_back(Item::File(WorkFile { path, shown, above, is_git: true }));
            }
        }
    }
}

impl Iterator for Walk {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            match self.stack.last_mut()?.entries.next() {
                Some((name, kind)) => self.entry(&name, kind),
                None => drop(self.stack.pop()),
            }
        }
    }
}

fn show(path: &Path) -> String {
    let text = readable(path.as_os_str().as_encoded_bytes());
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// Whether the nearest rule that has a word on `path` ignores it.
fn ignores(mut rules: Option<&Rules>, path: &Path, is_dir: bool) -> bool {
    while let Some(here) = rules {
        match here.matcher.matched(path, is_dir) {
            Match::Ignore(_) => return true,
            Match::Whitelist(_) => return false,
            Match::None => rules = here.outer.as_deref(),
        }
    }
    false
}

/// The rules of a folder's own `.gitignore` before those of the folders above. A repository starts afresh.
fn rules_here(path: &Path, entries: &[(OsString, FileType)], outer: Option<Arc<Rules>>) -> Option<Arc<Rules>> {
    let has = |name: &str| entries.binary_search_by(|(entry, _)| entry.as_os_str().cmp(name.as_ref())).is_ok();
    let is_repository = has(".git");
    let mut rules = if is_repository { Some(exclude_file(path)) } else { outer };
    // Outside a repository a `.gitignore` means nothing, as for git and ripgrep.
    let file = path.join(".gitignore");
    if has(".gitignore") && is_rules(&file) {
        rules = rules.map(|rules| inner(rules, file));
    }
    rules
}

/// A repository's own exclude file; its presence also marks that we are inside one.
fn exclude_file(root: &Path) -> Arc<Rules> {
    let mut builder = ignore::gitignore::GitignoreBuilder::new(root);
    let file = root.join(".git/info/exclude");
    if fs::metadata(&file).is_ok_and(|found| is_readable(&found)) {
        builder.add(file);
    }
    let matcher = builder.build().unwrap_or_else(|_| Gitignore::empty());
    let repository = Arc::new(Repository { root: root.to_owned(), tracked: OnceLock::new() });
    Arc::new(Rules { matcher, outer: None, repository })
}

/// A folder's `.gitignore` before the rules of those above.
fn inner(outer: Arc<Rules>, file: PathBuf) -> Arc<Rules> {
    let repository = Arc::clone(&outer.repository);
    Arc::new(Rules { matcher: Gitignore::new(file).0, outer: Some(outer), repository })
}

/// Rules that are longer are none: each takes memory, some kilobytes. What they would hide is read.
const LONGEST_RULES: u64 = 128 << 10;

/// Whether a `.gitignore` is read as one: no link (git follows none there either), no pipe or device, no bomb.
fn is_rules(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|found| is_readable(&found))
}

fn is_readable(found: &fs::Metadata) -> bool {
    found.is_file() && found.len() <= LONGEST_RULES
}

/// The rules of the folders above a target that lies inside a repository.
fn rules_above(full: &Path) -> Option<Arc<Rules>> {
    let above: Vec<&Path> = full.ancestors().skip(1).collect();
    let root = above.iter().position(|folder| folder.join(".git").exists())?;
    // The target itself may be a repository; then nothing above it counts, and `rules_here` sees to that.
    let files = above[..=root].iter().rev().map(|folder| folder.join(".gitignore")).filter(|file| is_rules(file));
    Some(files.fold(exclude_file(above[root]), inner))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Item, Walk, WalkOptions};

    fn make(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("scratch");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("inside")).expect("folder");
            fs::write(path, text).expect("file");
        }
        dir
    }

    fn files(target: &Path, options: WalkOptions) -> Vec<String> {
        let root = format!("{}/", target.display());
        let mut all: Vec<String> = Walk::new(target, options)
            .filter_map(|item| match item {
                Item::File(file) => Some(file.shown.trim_start_matches(&root).to_owned()),
                _ => None,
            })
            .collect();
        all.sort();
        all
    }

    #[cfg(unix)]
    #[test]
    fn rules_are_no_link_no_device_and_no_bomb() {
        let dir = make(&[
            (".git/x", ""),
            ("a/x.log", ""),
            ("b/x.log", ""),
            ("c/x.log", ""),
            ("c/.gitignore", "*.log\n"),
            ("rules", "*.log\n"),
        ]);
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, dir.path().join(to)).expect("link");
        link("/dev/zero", ".gitignore");
        link("../rules", "a/.gitignore");
        fs::write(dir.path().join("b/.gitignore"), "*.log\n".repeat(30_000)).expect("file");
        let found = files(dir.path(), WalkOptions::default());
        assert_eq!(found, ["a/x.log", "b/.gitignore", "b/x.log", "c/.gitignore", "rules"]);
        assert_eq!(files(&dir.path().join("a"), WalkOptions::default()), ["x.log"]);
    }

    #[test]
    fn gitignore_counts_but_not_for_dangerous_files() {
        let dir = make(&[
            (".git/info/exclude", "private.txt\n"),
            (".git/config", ""),
            (".gitignore", "*.log\n.env\nsecrets/\nnode_modules\n!keep.log\n"),
            ("a.txt", ""),
            ("b.log", ""),
            ("keep.log", ""),
            (".env", ""),
            ("private.txt", ""),
            ("secrets/prod.pem", ""),
            ("secrets/readme.md", ""),
            ("node_modules/x/.env", ""),
            ("sub/.gitignore", "!b.log\n"),
            ("sub/b.log", ""),
            (".hidden/x", ""),
        ]);
        let found = files(dir.path(), WalkOptions::default());
        assert_eq!(
            found,
            [
                ".env",
                ".git/config",
                ".gitignore",
                ".hidden/x",
                "a.txt",
                "keep.log",
                "secrets/prod.pem",
                "sub/.gitignore",
                "sub/b.log"
            ]
        );
        assert_eq!(files(dir.path(), WalkOptions { no_ignore: true, git: false }).len(), 13);
        // A folder inside the repository obeys the rules above it; one that the user names is entered all the same.
        assert_eq!(files(&dir.path().join("sub"), WalkOptions::default()), [".gitignore", "b.log"]);
        assert_eq!(files(&dir.path().join("secrets"), WalkOptions::default()), ["prod.pem", "readme.md"]);
    }

    #[test]
    fn a_bare_repository_is_read_but_for_its_objects() {
        let dir = make(&[("r.git/HEAD", ""), ("r.git/objects/pack/x.pack", ""), ("r.git/refs/x", ""), ("r.git/config", "")]);
        assert_eq!(files(dir.path(), WalkOptions::default()), ["r.git/HEAD", "r.git/config", "r.git/refs/x"]);
        // Without a HEAD it is a folder like any other.
        let dir = make(&[("x/objects/y", ""), ("x/refs/z", "")]);
        assert_eq!(files(dir.path(), WalkOptions::default()).len(), 2);
    }

    #[test]
    fn outside_a_repository_gitignore_means_nothing() {
        let dir = make(&[(".gitignore", "*"), ("a.txt", "")]);
        assert_eq!(files(dir.path(), WalkOptions::default()), [".gitignore", "a.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_loops_are_skipped_and_absence_is_trouble() {
        let dir = make(&[("a.txt", "")]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).expect("link");
        std::os::unix::fs::symlink("a.txt", dir.path().join("file")).expect("link");
        let items: Vec<Item> = Walk::new(dir.path(), WalkOptions::default()).collect();
        assert_eq!(items.iter().filter(|item| **item == Item::Skipped("link")).count(), 2);
        // A link that the user names is followed.
        assert_eq!(files(&dir.path().join("file"), WalkOptions::default()).len(), 1);
        let absent: Vec<Item> = Walk::new(&dir.path().join("nope"), WalkOptions::default()).collect();
        assert!(matches!(absent.as_slice(), [Item::Trouble { .. }]), "{absent:?}");
    }
}
