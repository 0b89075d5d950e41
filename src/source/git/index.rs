//! The index: which files git tracks, whatever `.gitignore` says of them.

use std::path::Path;

use gix::bstr::BStr;
use gix::index::{File as Index, State, decode};

use super::{GitError, GitPlace, causes};

/// The largest index read into memory: 10 million files.
const LARGEST: usize = 2 << 30;

/// The index; none where none was made yet.
pub(super) fn read_index(place: &GitPlace) -> Result<Option<Index>, GitError> {
    let failed = |why: &dyn std::fmt::Display| GitError::read(place.index.display(), why);
    match place.index.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
        Ok(found) if !found.is_file() => return Err(failed(&"not a regular file")),
        Ok(found) if found.len() == 0 => return Err(failed(&"it is empty")),
        Ok(_) => {}
    }
    let options = decode::Options { alloc_limit_bytes: Some(LARGEST), ..decode::Options::default() };
    let index = Index::at(&place.index, place.kind(), false, options).map_err(|error| failed(&causes(&error)))?;
    let backing = index.path_backing();
    let sorted = index.entries().is_sorted_by(|a, b| {
        let order = a.path_in(backing).cmp(b.path_in(backing));
        order.then_with(|| a.stage_raw().cmp(&b.stage_raw())).is_lt()
    });
    if !sorted {
        return Err(failed(&"its entries are not in order"));
    }
    // A split index that names no entries of the shared one would seem to be empty.
    if index.entries().is_empty() && place.index.metadata().is_ok_and(|found| found.len() > 200) {
        return Err(failed(&"it lists nothing, and is too long for that"));
    }
    Ok(Some(index))
}

/// The files of a working tree that git tracks.
pub struct Tracked(Option<Index>);

impl Tracked {
    /// Of the working tree whose root is `root`: none where there is no repository, or nothing was ever added.
    ///
    /// # Errors
    /// When its index, or what leads there, cannot be read.
    pub fn of(root: &Path) -> Result<Self, GitError> {
        match GitPlace::whole(root) {
            Ok(place) if place.root.as_deref() == Some(root) => Ok(Self(read_index(&place)?)),
            // Without a git folder of its own that git would know, nothing is tracked.
            Ok(_) | Err(GitError::NoRepository(_)) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    /// Knows of none.
    pub fn none() -> Self {
        Self(None)
    }

    /// Whether a file is, by its path below the root.
    pub fn has_file(&self, path: &Path) -> bool {
        self.any(path, |index, path| index.entry_range(path).is_some())
    }

    /// Whether anything in a folder is.
    pub fn has_below(&self, folder: &Path) -> bool {
        self.any(folder, State::path_is_directory)
    }

    fn any(&self, path: &Path, is_there: fn(&State, &BStr) -> bool) -> bool {
        let Some(index) = &self.0 else { return false };
        let Ok(path) = gix::path::into_bstr(path) else { return false };
        is_there(index, gix::path::to_unix_separators_on_windows(path).as_ref())
    }
}
