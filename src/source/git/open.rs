//! Where a repository's parts lie, found as git finds them: from what the caller's environment says, else upwards from a
//! folder. `.git` folders and files, worktrees, submodules, bare repositories. <https://git-scm.com/docs/gitrepository-layout>

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::GitError;
use super::folders;
use super::settings::Settings;

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
    /// The folder with `HEAD`: what is this working tree's own.
    pub git: PathBuf,
    /// The folder with `objects` and `refs`: what all working trees share.
    pub common: PathBuf,
    /// The working tree's root; none for a bare repository.
    pub root: Option<PathBuf>,
    /// The index.
    pub(super) index: PathBuf,
    /// Folders of objects, in the order in which they are asked.
    pub objects: Vec<PathBuf>,
    /// Bytes of an object's name: 20 for SHA-1, 32 for SHA-256.
    pub hash: usize,
    /// Its refs are kept as reftables.
    pub reftable: bool,
    /// Its history is cut off: commits have parents that are not there.
    pub shallow: bool,
    /// Objects are missing on purpose, to be fetched when needed.
    pub partial: bool,
    /// What was wrong on the way: what, why.
    pub troubles: Vec<(String, String)>,
}

/// A git folder and the folder in which it was found.
struct Found {
    git: PathBuf,
    root: Option<PathBuf>,
}

impl GitPlace {
    /// Finds the repository that `start` lies in, or the one that the environment names, just as git would.
    ///
    /// # Errors
    /// When there is none, or its settings cannot be read.
    pub fn find(start: &Path, environment: &GitEnvironment) -> Result<Self, GitError> {
        let base = base(start)?;
        let found = match &environment.dir {
            Some(dir) => Found { git: named(&base.join(dir))?, root: Some(base.clone()) },
            None => discover(&base, is_git)?.ok_or_else(|| GitError::NoRepository(start.display().to_string()))?,
        };
        let git = found.git;
        let common = match &environment.common_dir {
            Some(dir) => base.join(dir),
            None => common_dir(&git)?,
        };
        let settings = Settings::read(&common, &git)?;
        let own = settings.work_tree.as_ref().map(|path| git.join(path));
        let root = match (&environment.work_tree, own, settings.bare) {
            (Some(path), ..) => Some(base.join(path)),
            (None, Some(path), _) => Some(path),
            (None, None, Some(true)) => None,
            (None, None, _) => found.root,
        };
        // git goes to the working tree's root before it reads what is relative.
        let relative = root.as_deref().unwrap_or(&base).to_owned();
        let index = environment.index.as_ref().map_or_else(|| git.join("index"), |path| relative.join(path));
        let own = environment.objects.as_ref().map_or_else(|| common.join("objects"), |path| relative.join(path));
        let more = environment.alternates.as_ref().map(folders::listed).unwrap_or_default();
        let objects = std::iter::once(own).chain(more.into_iter().map(|path| relative.join(path))).collect();
        Self::of((git, common, root), (index, objects), &settings)
    }

    /// Finds the repository that `path` is or lies in, for reading all that is left of it: also where git itself would see none
    /// any more. Of its settings only the format is believed. Folders of objects are all that there are, alternates too.
    ///
    /// # Errors
    /// When there is none, or its format is not known.
    pub fn whole(path: &Path) -> Result<Self, GitError> {
        let nowhere = || GitError::NoRepository(path.display().to_string());
        let Found { git, root } =
            discover(&base(path)?, is_left)?.filter(|found| is_left(&found.git)).ok_or_else(nowhere)?;
        let common = common_dir(&git)?;
        let common = common.canonicalize().map_err(|error| GitError::read(common.display(), &error))?;
        let mut troubles = Vec::new();
        let mut settings = Settings::read(&common, &git).unwrap_or_else(|error| {
            troubles.push(("settings".to_owned(), error.to_string()));
            Settings::default()
        });
        if let Some(kind) = settings.references.take_if(|kind| !["files", "reftable"].contains(&kind.as_str())) {
            let why = format!("their format is not known ({kind}); who reaches a commit is not known");
            troubles.push(("refs".to_owned(), why));
        }
        let (index, objects) = (git.join("index"), vec![common.join("objects")]);
        let mut place = Self::of((git, common, root), (index, objects), &settings)?;
        place.troubles = troubles;
        folders::quarantines(&mut place);
        folders::alternates(&mut place);
        Ok(place)
    }

    fn of(
        (git, common, root): (PathBuf, PathBuf, Option<PathBuf>),
        (index, objects): (PathBuf, Vec<PathBuf>),
        settings: &Settings,
    ) -> Result<Self, GitError> {
        let format = |wanted: &Option<String>, known: [&str; 2]| match wanted.as_deref() {
            None => Ok(false),
            Some(format) if format == known[0] => Ok(false),
            Some(format) if format == known[1] => Ok(true),
            Some(format) => Err(GitError::Format(format.to_owned())),
        };
        let hash = if format(&settings.objects, ["sha1", "sha256"])? { 32 } else { 20 };
        let reftable = format(&settings.references, ["files", "reftable"])?;
        let (shallow, partial) = (common.join("shallow").exists(), settings.partial);
        Ok(Self { git, common, root, index, objects, hash, reftable, shallow, partial, troubles: Vec::new() })
    }

    /// How objects are named.
    pub(super) fn kind(&self) -> gix::hash::Kind {
        if self.hash == 32 { gix::hash::Kind::Sha256 } else { gix::hash::Kind::Sha1 }
    }

    /// The working tree's root.
    pub fn work_tree(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The folder that all working trees share.
    pub fn common_dir(&self) -> &Path {
        &self.common
    }

    /// The folder that stands for the repository where it has no working tree.
    pub fn root(&self) -> &Path {
        self.root.as_deref().unwrap_or(&self.git)
    }
}

/// The folder to begin at.
fn base(start: &Path) -> Result<PathBuf, GitError> {
    let full = start.canonicalize().map_err(|error| GitError::read(start.display(), &error))?;
    Ok(if full.is_dir() { full } else { full.parent().map(Path::to_owned).unwrap_or(full) })
}

/// Upwards from a folder, as git goes. None at the file system's root.
fn discover(from: &Path, is_git: fn(&Path) -> bool) -> Result<Option<Found>, GitError> {
    for folder in from.ancestors() {
        let dot = folder.join(".git");
        if is_git(&dot) {
            return Ok(Some(Found { git: dot, root: Some(folder.to_owned()) }));
        }
        if dot.is_file() {
            return Ok(Some(Found { git: named(&dot)?, root: Some(folder.to_owned()) }));
        }
        if is_git(folder) {
            let inside = folder.file_name().is_some_and(|name| name == ".git");
            let root = folder.parent().filter(|_| inside).map(Path::to_owned);
            return Ok(Some(Found { git: folder.to_owned(), root }));
        }
    }
    Ok(None)
}

/// git's own test: HEAD, and either what is shared elsewhere or objects and references here.
fn is_git(path: &Path) -> bool {
    is_left(path) && ["commondir", "refs"].iter().any(|name| path.join(name).symlink_metadata().is_ok())
}

/// What is left of a git folder: references or not.
fn is_left(path: &Path) -> bool {
    let has = |name: &str| path.join(name).symlink_metadata().is_ok();
    has("HEAD") && (has("commondir") || has("objects"))
}

/// A git folder, or the one that a `.git` file names.
fn named(path: &Path) -> Result<PathBuf, GitError> {
    if !path.is_file() {
        return if path.is_dir() { Ok(path.to_owned()) } else { Err(GitError::NoRepository(path.display().to_string())) };
    }
    let text = small(path)?;
    let target = text.trim_ascii_end().strip_prefix(b"gitdir: ").and_then(to_path);
    let target = target.ok_or_else(|| GitError::read(path.display(), &"it does not say where the git folder is"))?;
    let git = path.parent().unwrap_or(path).join(target);
    if git.is_dir() { Ok(git) } else { Err(GitError::NoRepository(git.display().to_string())) }
}

fn common_dir(git: &Path) -> Result<PathBuf, GitError> {
    let path = git.join("commondir");
    if path.symlink_metadata().is_err() {
        return Ok(git.to_owned());
    }
    let text = small(&path)?;
    let target = to_path(text.trim_ascii_end()).filter(|path| !path.as_os_str().is_empty());
    Ok(git.join(target.ok_or_else(|| GitError::read(path.display(), &"it names no folder"))?))
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

/// A small text file, where there is one.
pub(super) fn read(path: &Path) -> Option<String> {
    small(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::repository;
    use super::{GitEnvironment, GitError, GitPlace};

    #[test]
    fn what_git_takes_for_none_is_read_all_the_same() {
        let scratch = tempfile::tempdir().expect("scratch");
        let folder = scratch.path().canonicalize().expect("a folder");
        let find = || GitPlace::find(&folder, &GitEnvironment::default());
        repository(&folder.join(".git"));
        let (found, whole) = (find().expect("one"), GitPlace::whole(&folder).expect("one"));
        assert_eq!((&found.git, &found.root, &found.objects), (&whole.git, &whole.root, &whole.objects));
        fs::write(folder.join(".git/config"), "[extensions]\n\trefStorage = clay\n\tobjectFormat = sha256\n")
            .expect("settings");
        assert!(matches!(find(), Err(GitError::Format(kind)) if kind == "clay"));
        let whole = GitPlace::whole(&folder).expect("one");
        assert_eq!((whole.hash, whole.troubles.len()), (32, 1), "{:?}", whole.troubles);
        fs::write(folder.join(".git/config"), "[extensions").expect("settings");
        assert!(find().is_err());
        assert_eq!(GitPlace::whole(&folder).expect("one").troubles.len(), 1);
        fs::remove_file(folder.join(".git/config")).expect("settings");
        fs::remove_dir_all(folder.join(".git/refs")).expect("references");
        assert!(matches!(find(), Err(GitError::NoRepository(_))));
        assert_eq!(GitPlace::whole(&folder).expect("one").git, whole.git);
    }

    #[test]
    fn a_file_that_leads_nowhere_is_no_repository() {
        let scratch = tempfile::tempdir().expect("scratch");
        fs::create_dir(scratch.path().join("empty")).expect("a folder");
        for text in ["gitdir: nowhere\n", "gitdir: empty\n", "nonsense"] {
            fs::write(scratch.path().join(".git"), text).expect("a file");
            assert!(GitPlace::whole(scratch.path()).is_err(), "{text}");
        }
    }
}
