//! The repositories below a folder: clones, submodules with and without a working tree, bare ones.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// Folders at or below `path` that are a repository or have one, those with a working tree first. Links are not followed.
pub fn below(path: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = open.pop() {
        // What cannot be read is said where its files are looked at.
        let entries: Vec<DirEntry> = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok).collect();
        let has = |name: &str| entries.iter().any(|entry| entry.file_name() == name);
        let is_git = has("HEAD") && has("objects") && (has("refs") || has("commondir"));
        let inner = entries.iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        // Within a git folder only those of submodules.
        open.extend(inner.filter(|entry| !is_git || entry.file_name() == "modules").map(DirEntry::path));
        if is_git || has(".git") {
            found.push(folder);
        }
    }
    let is_inside = |path: &PathBuf| path.components().any(|part| part.as_os_str() == ".git");
    found.sort_by_cached_key(|path| (is_inside(path), path.clone()));
    found
}
