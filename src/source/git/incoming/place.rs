//! Where a repository's parts lie, found as git finds them: from what the caller's environment says, else upwards from a
//! folder. Of the repository's settings only the format's and the working tree's place are read, without includes.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::hash::Kind;

use super::GitError;

/// No file that names a place is longer.
const LARGEST: u64 = 1 << 20;

/// What git tells the programs that it runs, and users tell git: handed in, for only `cli` reads the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    /// `GIT_DIR`.
    pub dir: Option<PathBuf>,
    /// `GIT_COMMON_DIR`.
    pub common_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`.
    pub work_tree: Option<PathBuf>,
    /// `GIT_INDEX_FILE`: `commit -a`, `commit PATH` and `commit -p` use one of their own.
    pub index: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`: in a pre-receive hook, the quarantine.
    pub objects: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`: in a pre-receive hook, the repository's own objects.
    pub alternates: Option<OsString>,
}

/// Where the parts of a repository lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitPlace {
    /// What is this working tree's own: HEAD, the index.
    pub(super) git_dir: PathBuf,
    /// What all working trees share: objects, references, settings.
    pub(super) common_dir: PathBuf,
    /// The working tree's root; none for a bare repository.
    pub(super) work_tree: Option<PathBuf>,
    /// The index.
    pub(super) index: PathBuf,
    /// Folders of objects, in the order in which they are asked.
    pub(super) objects: Vec<PathBuf>,
    /// How objects are named.
    pub(super) hash: Kind,
    /// References are kept as reftables.
    pub(super) reftable: bool,
}

/// A git folder and the folder in which it was found.
struct Found {
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
}

#[derive(Default)]
struct Config {
    sha256: bool,
    bare: Option<bool>,
    work_tree: Option<PathBuf>,
    reftable: bool,
}

impl GitPlace {
    /// Finds the repository that `start` lies in, or the one that the environment names.
    ///
    /// # Errors
    /// When there is none, or its settings cannot be read.
    pub fn find(start: &Path, environment: &GitEnvironment) -> Result<Self, GitError> {
        let full = start.canonicalize().map_err(|error| GitError::read(start.display(), &error))?;
        let base = if full.is_dir() { full.as_path() } else { full.parent().unwrap_or(&full) };
        let found = match &environment.dir {
            Some(dir) => Found { git_dir: named(&base.join(dir))?, work_tree: Some(base.to_owned()) },
            None => discover(base).unwrap_or_else(|| Err(GitError::NoRepository(start.display().to_string())))?,
        };
        let git_dir = found.git_dir;
        let common_dir = match &environment.common_dir {
            Some(dir) => base.join(dir),
            None => common_dir(&git_dir)?,
        };
        let config = Config::read(&common_dir, &git_dir)?;
        let own = config.work_tree.map(|path| git_dir.join(path));
        let work_tree = match (&environment.work_tree, own, config.bare) {
            (Some(path), ..) => Some(base.join(path)),
            (None, Some(path), _) => Some(path),
            (None, None, Some(true)) => None,
            (None, None, _) => found.work_tree,
        };
        // git goes to the working tree's root before it reads what is relative.
        let root = work_tree.as_deref().unwrap_or(base).to_owned();
        let index = environment.index.as_ref().map_or_else(|| git_dir.join("index"), |path| root.join(path));
        let own = environment.objects.as_ref().map_or_else(|| common_dir.join("objects"), |path| root.join(path));
        let more = environment.alternates.as_ref().map(alternates).unwrap_or_default();
        let objects = std::iter::once(own).chain(more.into_iter().map(|path| root.join(path))).collect();
        let hash = if config.sha256 { Kind::Sha256 } else { Kind::Sha1 };
        Ok(Self { git_dir, common_dir, work_tree, index, objects, hash, reftable: config.reftable })
    }

    /// The working tree's root.
    pub fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// The folder that all working trees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The folder that stands for the repository where it has no working tree.
    pub fn root(&self) -> &Path {
        self.work_tree.as_deref().unwrap_or(&self.git_dir)
    }
}

/// Upwards from a folder, as git goes. None at the file system's root.
fn discover(from: &Path) -> Option<Result<Found, GitError>> {
    from.ancestors().find_map(|folder| {
        let dot = folder.join(".git");
        if is_git_dir(&dot) {
            return Some(Ok(Found { git_dir: dot, work_tree: Some(folder.to_owned()) }));
        }
        if dot.is_file() {
            return Some(named(&dot).map(|git_dir| Found { git_dir, work_tree: Some(folder.to_owned()) }));
        }
        is_git_dir(folder).then(|| {
            let inside = folder.file_name().is_some_and(|name| name == ".git");
            let work_tree = folder.parent().filter(|_| inside).map(Path::to_owned);
            Ok(Found { git_dir: folder.to_owned(), work_tree })
        })
    })
}

/// git's own test: HEAD, and either what is shared elsewhere or objects and references here.
fn is_git_dir(path: &Path) -> bool {
    let has = |name: &str| path.join(name).symlink_metadata().is_ok();
    has("HEAD") && (has("commondir") || (has("objects") && has("refs")))
}

/// A git folder, or the one that a `.git` file names.
fn named(path: &Path) -> Result<PathBuf, GitError> {
    if !path.is_file() {
        return if path.is_dir() { Ok(path.to_owned()) } else { Err(GitError::NoRepository(path.display().to_string())) };
    }
    let text = small(path)?;
    let target = text.trim_ascii_end().strip_prefix(b"gitdir: ").and_then(to_path);
    let target = target.ok_or_else(|| GitError::read(path.display(), &"it does not say where the git folder is"))?;
    let git_dir = path.parent().unwrap_or(path).join(target);
    if git_dir.is_dir() { Ok(git_dir) } else { Err(GitError::NoRepository(git_dir.display().to_string())) }
}

fn common_dir(git_dir: &Path) -> Result<PathBuf, GitError> {
    let path = git_dir.join("commondir");
    if path.symlink_metadata().is_err() {
        return Ok(git_dir.to_owned());
    }
    let text = small(&path)?;
    let target = to_path(text.trim_ascii_end()).filter(|path| !path.as_os_str().is_empty());
    Ok(git_dir.join(target.ok_or_else(|| GitError::read(path.display(), &"it names no folder"))?))
}

impl Config {
    fn read(common_dir: &Path, git_dir: &Path) -> Result<Self, GitError> {
        let mut config = Self::default();
        let more = config.take(&common_dir.join("config"))?;
        if more {
            config.take(&git_dir.join("config.worktree"))?;
        }
        Ok(config)
    }

    /// Takes what a file says; true when there is one for each working tree, too.
    fn take(&mut self, path: &Path) -> Result<bool, GitError> {
        if path.symlink_metadata().is_err() {
            return Ok(false);
        }
        let text = small(path)?;
        let meta = gix::config::file::Metadata::default();
        let file = gix::config::File::from_bytes_no_includes(&text, meta, gix::config::file::init::Options::default())
            .map_err(|error| GitError::read(path.display(), &error))?;
        let is =
            |key: &str, wanted: &str| file.string(key).is_some_and(|value| value.to_ascii_lowercase() == wanted.as_bytes());
        // `bare` alone, without a value, means true.
        let truth = |key: &str| match file.string_implicit(key) {
            None => None,
            Some(None) => Some(true),
            Some(Some(value)) => Some(matches!(&*value.to_ascii_lowercase(), b"true" | b"yes" | b"on" | b"1")),
        };
        self.sha256 |= is("extensions.objectFormat", "sha256");
        self.reftable |= is("extensions.refStorage", "reftable");
        self.bare = truth("core.bare").or(self.bare);
        if let Some(path) = file.string("core.worktree") {
            self.work_tree = to_path(&path);
        }
        Ok(truth("extensions.worktreeConfig") == Some(true))
    }
}

/// A list of folders with `:` between them (`;` on Windows), each perhaps in C's quotes.
fn alternates(text: &OsString) -> Vec<PathBuf> {
    let bytes = gix::path::os_str_into_bstr(text).map(|text| text.to_vec()).unwrap_or_default();
    let separator = if cfg!(windows) { b';' } else { b':' };
    let (mut rest, mut all) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let quoted = if rest[0] == b'"' { gix::quote::ansi_c::undo(rest.as_bstr()).ok() } else { None };
        let (name, length) = quoted.map_or_else(
            || {
                let length = rest.find_byte(separator).unwrap_or(rest.len());
                (rest[..length].to_vec(), length)
            },
            |(name, length)| (name.to_vec(), length),
        );
        all.extend(to_path(&name).filter(|path| !path.as_os_str().is_empty()));
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    all
}

pub(super) fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    gix::path::from_byte_slice(bytes).ok().map(Path::to_owned)
}

/// A small file's bytes.
pub(super) fn small(path: &Path) -> Result<Vec<u8>, GitError> {
    let failed = |error: &dyn std::fmt::Display| GitError::read(path.display(), error);
    // Before it is opened: a pipe would wait for ever.
    if !path.metadata().map_err(|error| failed(&error))?.is_file() {
        return Err(failed(&"not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LARGEST { Err(failed(&"larger than 1 MiB")) } else { Ok(bytes) }
}
