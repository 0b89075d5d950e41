//! Where a repository's files are: `.git` folders and files, worktrees, submodules, bare repositories, alternates.
//! <https://git-scm.com/docs/gitrepository-layout>

use std::fs;
use std::path::{Path, PathBuf};

use super::GitError;

/// Alternates of alternates; git follows five.
const DEEPEST: usize = 5;
/// All of them together.
const MOST: usize = 64;
/// No file that is read here is longer, but for packed refs.
const LARGEST: u64 = 1 << 20;

/// Where a repository lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder with `HEAD`: of a linked worktree, its own.
    pub git: PathBuf,
    /// The folder with `objects` and `refs`.
    pub common: PathBuf,
    /// The folder of its files, where it has one.
    pub root: Option<PathBuf>,
    /// Folders of objects, its own first.
    pub objects: Vec<PathBuf>,
    /// Bytes of an object's name: 20 for SHA-1, 32 for SHA-256.
    pub hash: usize,
    /// Its history is cut off: commits have parents that are not there.
    pub shallow: bool,
    /// Objects are missing on purpose, to be fetched when needed.
    pub partial: bool,
    /// Its refs are kept as reftables.
    pub reftable: bool,
    /// What was wrong on the way: what, why.
    pub troubles: Vec<(String, String)>,
}

impl Place {
    /// The repository that `path` is, or lies in.
    ///
    /// # Errors
    /// When there is none, or its format is not known.
    pub fn find(path: &Path) -> Result<Self, GitError> {
        let full = path.canonicalize().map_err(|error| GitError::Io(path.display().to_string(), error))?;
        let found = full.ancestors().find_map(|folder| Some((git_folder(folder)?, folder)));
        let (git, folder) = found.ok_or(GitError::NotFound)?;
        let root = (git != folder).then(|| folder.to_owned());
        Self::at(git, root)
    }

    fn at(git: PathBuf, root: Option<PathBuf>) -> Result<Self, GitError> {
        let common = match read(&git.join("commondir")) {
            Some(text) => git.join(text.trim()).canonicalize().map_err(|e| GitError::Io("commondir".into(), e))?,
            None => git.clone(),
        };
        let config = read(&common.join("config")).unwrap_or_default();
        let format = setting(&config, "extensions", "objectformat").unwrap_or_else(|| "sha1".to_owned());
        let hash = match format.as_str() {
            "sha1" => 20,
            "sha256" => 32,
            _ => return Err(GitError::Format(format)),
        };
        let mut place = Self {
            objects: vec![common.join("objects")],
            shallow: common.join("shallow").exists(),
            partial: setting(&config, "extensions", "partialclone").is_some() || config.contains("promisor"),
            reftable: false,
            troubles: Vec::new(),
            git,
            root,
            common,
            hash,
        };
        match setting(&config, "extensions", "refstorage").as_deref() {
            None | Some("files") => {}
            Some("reftable") => place.reftable = true,
            Some(_) => {
                let why = "its refs are in a format that is not read yet; who reaches a commit is not known".to_owned();
                place.troubles.push(("refs".to_owned(), why));
            }
        }
        place.quarantines();
        place.alternates();
        Ok(place)
    }

    /// Finds what was received by pushes that were stopped half-way: git keeps it apart until they are accepted.
    fn quarantines(&mut self) {
        let own = self.objects[0].clone();
        let entries = fs::read_dir(&own).into_iter().flatten().filter_map(Result::ok);
        let is_one = |name: &str| name.starts_with("tmp_objdir-") || name.starts_with("incoming-");
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter(|entry| is_one(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        if found.len() >= MOST {
            let why = "too many pushes that were stopped half-way; not all of them were read".to_owned();
            self.troubles.push((own.display().to_string(), why));
            found.truncate(MOST - 1);
        }
        self.objects.extend(found);
    }

    /// Follows `objects/info/alternates`, each folder once.
    fn alternates(&mut self) {
        let mut at = 0;
        let mut depths = vec![0; self.objects.len()];
        while at < self.objects.len() {
            let folder = self.objects[at].clone();
            let text = read(&folder.join("info/alternates")).unwrap_or_default();
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let other = folder.join(line.trim_matches('"'));
                let trouble = |why: &str| (format!("alternate {}", other.display()), why.to_owned());
                match other.canonicalize() {
                    Err(error) => self.troubles.push(trouble(&error.to_string())),
                    Ok(full) if self.objects.iter().any(|known| known.canonicalize().is_ok_and(|known| known == full)) => {}
                    Ok(_) if depths[at] >= DEEPEST || self.objects.len() >= MOST => {
                        self.troubles.push(trouble("too many alternates; it was not read"));
                    }
                    Ok(full) => {
                        self.objects.push(full);
                        depths.push(depths[at] + 1);
                    }
                }
            }
            at += 1;
        }
    }
}

/// The git folder that `folder` is or holds.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let inner = folder.join(".git");
    let about = fs::metadata(&inner).ok();
    if about.as_ref().is_some_and(fs::Metadata::is_dir) && is_git(&inner) {
        return Some(inner);
    }
    if about.is_some_and(|about| about.is_file()) {
        let text = read(&inner)?;
        let target = folder.join(text.trim().strip_prefix("gitdir:")?.trim()).canonicalize().ok()?;
        return is_git(&target).then_some(target);
    }
    is_git(folder).then(|| folder.to_owned())
}

fn is_git(folder: &Path) -> bool {
    let common = folder.join("commondir").is_file();
    folder.join("HEAD").symlink_metadata().is_ok() && (common || folder.join("objects").is_dir())
}

/// A small text file.
pub(super) fn read(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    (about.is_file() && about.len() <= LARGEST).then_some(())?;
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

/// The last value of `section.key`, in lower case. Includes and subsections are none of our business.
fn setting(config: &str, section: &str, key: &str) -> Option<String> {
    let (mut inside, mut found) = (false, None);
    for line in config.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[') {
            inside = head.trim_end_matches(']').trim().eq_ignore_ascii_case(section);
        } else if inside && let Some((name, value)) = line.split_once('=') {
            let value = value.split(['#', ';']).next().unwrap_or_default().trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case(key) {
                found = Some(value.to_ascii_lowercase());
            }
        }
    }
    found
}
