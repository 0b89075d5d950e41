//! `.staunch.toml`: found from a target upwards, read within bounds, never through a link that leads out of its tree.
//!
//! The first one found counts, up to the root of the repository. Outside a repository the way leads to the file system's root,
//! past folders that others may write to (`/tmp`): there a file above the target counts only if it belongs to whoever the
//! target belongs to.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What the file is called.
const NAME: &str = ".staunch.toml";
/// A list longer than this is not one that people wrote.
const LARGEST: u64 = 256 << 10;

/// Where a target lies.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The target in full, without links in its folder's path, where it is a file.
    pub only: Option<PathBuf>,
    /// The folder of the target in full and without links: itself, or where the file lies. Empty where there is none.
    pub folder: PathBuf,
    /// The repository that it is in: the nearest folder that holds a `.git`.
    pub repository: Option<PathBuf>,
    /// The tree's own settings.
    pub file: Option<TreeFile>,
}

/// A `.staunch.toml`.
#[derive(Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// The folder where it lies, in full and without links.
    pub folder: PathBuf,
    /// How it is shown.
    pub shown: String,
    /// What it says, or why that is not known.
    pub text: Result<String, TreeFileError>,
}

/// Why a `.staunch.toml` was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeFileError {
    /// It points elsewhere.
    #[error("a link that leads out of its tree, or nowhere; it is not followed")]
    Link,
    /// It is somebody else's.
    #[error(
        "it lies above the target, outside of any repository, and does not belong to the target's owner; it does not count"
    )]
    Stranger,
    /// A folder, a pipe, a device.
    #[error("not a regular file")]
    NotAFile,
    /// Too much.
    #[error("larger than {} KiB; a long list is a baseline's work (`--write-baseline`)", LARGEST >> 10)]
    Large,
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// The system's own word.
    #[error("it cannot be read: {0}")]
    Read(String),
}

/// Where `target` lies and what its tree says. A target that is not there has no tree; the scan says so.
pub fn tree_of(target: &Path) -> Tree {
    let folder = if target.is_dir() { target } else { target.parent().unwrap_or(target) };
    let named = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(full) = named.canonicalize() else { return Tree::default() };
    let only = target.file_name().filter(|_| folder != target).map(|name| full.join(name));
    let above: Vec<&Path> = full.ancestors().collect();
    let root = above.iter().position(|folder| folder.join(".git").symlink_metadata().is_ok());
    let repository = root.map(|root| above[root].to_owned());
    for (steps, folder) in above[..root.map_or(above.len(), |root| root + 1)].iter().enumerate() {
        let path = folder.join(NAME);
        // What cannot even be looked at is not there for us; of the target's own folder the scan says it.
        if path.symlink_metadata().is_err() {
            continue;
        }
        let shown = if steps == 0 { named.join(NAME) } else { path.clone() }.to_string_lossy().into_owned();
        let is_ours = repository.is_some() || steps == 0 || same_owner(&path, &full);
        let within = repository.as_deref().unwrap_or(folder);
        let text = if is_ours { read(&path, within) } else { Err(TreeFileError::Stranger) };
        let file = Some(TreeFile { folder: folder.to_path_buf(), shown, text });
        return Tree { only, repository, file, folder: full };
    }
    Tree { only, repository, file: None, folder: full }
}

fn read(path: &Path, within: &Path) -> Result<String, TreeFileError> {
    let failed = |error: std::io::Error| TreeFileError::Read(error.to_string());
    let mut path = path.to_owned();
    if fs::symlink_metadata(&path).map_err(failed)?.is_symlink() {
        path = path.canonicalize().ok().filter(|real| real.starts_with(within)).ok_or(TreeFileError::Link)?;
    }
    // Before it is opened: a pipe would wait for ever.
    if !fs::symlink_metadata(&path).map_err(failed)?.is_file() {
        return Err(TreeFileError::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(&path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(TreeFileError::Large);
    }
    String::from_utf8(bytes).map_err(|_| TreeFileError::NotText)
}

#[cfg(unix)]
fn same_owner(path: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| fs::symlink_metadata(path).map(|meta| meta.uid()).ok();
    owner(path).is_some() && owner(path) == owner(other)
}

#[cfg(not(unix))]
fn same_owner(_path: &Path, _other: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Tree, TreeFileError, tree_of};

    fn make(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("scratch");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("inside")).expect("folder");
            fs::write(path, text).expect("file");
        }
        dir
    }

    fn text(target: &Path) -> Option<String> {
        tree_of(target).file.map(|file| file.text.expect("read"))
    }

    #[test]
    fn the_nearest_file_up_to_the_repository_counts() {
        let dir = make(&[
            (".staunch.toml", "outside"),
            ("plain/x", ""),
            ("repo/.git/config", ""),
            ("repo/.staunch.toml", "repo"),
            ("repo/a/b/c.txt", ""),
            ("repo/part/.staunch.toml", "part"),
            ("bare/.git/config", ""),
            ("bare/a/x", ""),
        ]);
        let at = |path: &str| text(&dir.path().join(path));
        assert_eq!(at("repo"), Some("repo".into()));
        assert_eq!(at("repo/a/b"), Some("repo".into()));
        assert_eq!(at("repo/a/b/c.txt"), Some("repo".into()));
        assert_eq!(at("repo/part"), Some("part".into()));
        assert_eq!(at("bare/a"), None, "the search ends at the repository");
        assert_eq!(at("plain"), Some("outside".into()), "the owner is the same");
        assert_eq!(tree_of(&dir.path().join("nowhere/at/all")), Tree::default());
        let full = dir.path().canonicalize().expect("there");
        let tree = tree_of(&dir.path().join("repo/a"));
        assert_eq!(tree.repository, Some(full.join("repo")));
        assert_eq!((tree.file.expect("file").folder, tree.only), (full.join("repo"), None));
        assert_eq!(tree_of(&dir.path().join("repo/a/b/c.txt")).only, Some(full.join("repo/a/b/c.txt")));
    }

    #[cfg(unix)]
    #[test]
    fn somebody_elses_file_above_the_target_does_not_count() {
        // Only root may give a file away.
        if !rustix::process::getuid().is_root() {
            return;
        }
        let dir = make(&[(".staunch.toml", "theirs"), ("plain/x", ""), ("repo/.git/x", "")]);
        std::os::unix::fs::chown(dir.path().join(".staunch.toml"), Some(54321), None).expect("given away");
        let read = |target: &str| tree_of(&dir.path().join(target)).file.map(|file| file.text);
        assert_eq!(read("plain"), Some(Err(TreeFileError::Stranger)));
        assert_eq!(read(""), Some(Ok("theirs".into())), "who scans a folder has chosen it");
        assert_eq!(read("repo"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_tree_is_not_followed_and_one_within_is() {
        use std::os::unix::fs::symlink;
        let dir = make(&[("secret", "outside"), ("repo/.git/x", ""), ("repo/conf/s.toml", "inside"), ("repo/sub/x", "")]);
        let path = dir.path().join("repo/.staunch.toml");
        let error = |to: &Path| {
            let _absent = fs::remove_file(&path);
            symlink(to, &path).expect("link");
            tree_of(&dir.path().join("repo/sub")).file.expect("there").text.expect_err("a link")
        };
        assert_eq!(error(Path::new("../secret")), TreeFileError::Link);
        assert_eq!(error(&dir.path().join("secret")), TreeFileError::Link);
        assert_eq!(error(Path::new("nowhere")), TreeFileError::Link);
        assert_eq!(error(Path::new(".staunch.toml")), TreeFileError::Link);
        assert_eq!(error(Path::new("conf")), TreeFileError::NotAFile);
        fs::remove_file(&path).expect("link");
        symlink("conf/s.toml", &path).expect("link");
        assert_eq!(text(&dir.path().join("repo")), Some("inside".into()));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_of_a_sensible_size_is_said() {
        let dir = make(&[]);
        let path = dir.path().join(".staunch.toml");
        let error = || tree_of(dir.path()).file.expect("there").text.expect_err("unusable");
        fs::write(&path, vec![b'#'; (256 << 10) + 1]).expect("file");
        assert_eq!(error(), TreeFileError::Large);
        fs::write(&path, b"\xff\xfe").expect("file");
        assert_eq!(error(), TreeFileError::NotText);
        fs::remove_file(&path).expect("file");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_bits_truncate(0o600)).expect("pipe");
        assert_eq!(error(), TreeFileError::NotAFile);
    }
}
