//! What is asked of a repository's own settings: its format, and where its working tree is. Read without includes.

use std::path::{Path, PathBuf};

use super::GitError;
use super::open::{small, to_path};

/// Settings.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// How objects are named, in lower case.
    pub(super) objects: Option<String>,
    /// How references are kept, in lower case.
    pub(super) references: Option<String>,
    /// It has no working tree.
    pub(super) bare: Option<bool>,
    /// Where that is; relative to the git folder.
    pub(super) work_tree: Option<PathBuf>,
    /// Objects are left out on purpose.
    pub(super) partial: bool,
}

impl Settings {
    /// Those of all working trees, and of this one.
    pub(super) fn read(common: &Path, git: &Path) -> Result<Self, GitError> {
        let mut settings = Self::default();
        let more = settings.take(&common.join("config"))?;
        if more {
            settings.take(&git.join("config.worktree"))?;
        }
        Ok(settings)
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
        let word = |key: &str| file.string(key).map(|value| String::from_utf8_lossy(&value).to_ascii_lowercase());
        // `bare` alone, without a value, means true.
        let truth = |key: &str| match file.string_implicit(key) {
            None => None,
            Some(None) => Some(true),
            Some(Some(value)) => Some(matches!(&*value.to_ascii_lowercase(), b"true" | b"yes" | b"on" | b"1")),
        };
        self.objects = word("extensions.objectFormat").or(self.objects.take());
        self.references = word("extensions.refStorage").or(self.references.take());
        self.bare = truth("core.bare").or(self.bare);
        self.partial |= word("extensions.partialClone").is_some() || memchr::memmem::find(&text, b"promisor").is_some();
        if let Some(path) = file.string("core.worktree") {
            self.work_tree = to_path(&path);
        }
        Ok(truth("extensions.worktreeConfig") == Some(true))
    }
}
