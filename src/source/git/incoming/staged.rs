//! What is about to be committed: the index against HEAD, without running git.
//!
//! The index keeps the ids of whole folders as they were when a tree was last made of them (its TREE extension); git makes the
//! next commit out of the same ids. A folder that has HEAD's id is as it was in HEAD, and its files need not be looked at.
//!
//! Links are looked at (their text is committed), submodules are not. In a conflict, every side's version is.

use std::collections::HashMap;
use std::ops::Range;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::index::File as Index;
use gix::index::entry::{Flags, Mode as IndexMode};
use gix::index::extension::Tree;
use gix::objs::{CommitRefIter, Kind};

use super::super::index::read_index;
use super::changes::{Change, Changes};
use super::objects::{Handle, Objects};
use super::refs::Refs;
use super::tree::{Finds, Mode, Name, Walked, entries, fresh};
use super::{GitError, GitPlace};
use crate::model::Provenance;

/// Compares a repository's index with its HEAD.
///
/// # Errors
/// When there is no index to speak of: a bare repository, an index or HEAD that cannot be read.
pub fn staged(place: &GitPlace) -> Result<Changes, GitError> {
    if place.root.is_none() {
        return Err(GitError::Bare(place.git.display().to_string()));
    }
    let objects = Objects::open(place)?;
    let handle = objects.handle();
    let head = Refs::open(place)?.head(place)?.map(|commit| tree_of(&handle, &commit)).transpose()?;
    // Before the first `git add` there is no index, and nothing can be committed.
    let none = || Index::from_state(gix::index::State::new(place.kind()), &place.index);
    let index = read_index(place)?.unwrap_or_else(none);
    Ok(Comparison { handle, changes: Changes::new(objects) }.run(&index, head))
}

/// The tree of a commit.
pub(super) fn tree_of(objects: &Handle, commit: &ObjectId) -> Result<ObjectId, GitError> {
    let mut buffer = Vec::new();
    objects.get(commit, Kind::Commit, &mut buffer)?;
    let tree = CommitRefIter::from_bytes(&buffer, objects.hash).tree_id();
    tree.map_err(|error| GitError::read(format!("commit {commit}"), &error))
}

struct Comparison {
    handle: Handle,
    changes: Changes,
}

/// Entries of the index that lie in one folder, and what HEAD has there.
struct Folder<'i> {
    entries: Range<usize>,
    /// Bytes of their paths that are the folder's.
    prefix: usize,
    head: Option<ObjectId>,
    known: Option<&'i Tree>,
}

impl Comparison {
    fn run(mut self, index: &Index, head: Option<ObjectId>) -> Changes {
        let all = 0..index.entries().len();
        let mut open = vec![Folder { entries: all, prefix: 0, head, known: index.tree() }];
        while let Some(folder) = open.pop() {
            let at = index.entries().get(folder.entries.start).map(|entry| entry.path(index)[..folder.prefix].to_vec());
            if let Err(error) = self.folder(index, &folder, &mut open) {
                self.changes.trouble(&at.unwrap_or_default(), &error);
            }
        }
        self.changes.all.sort_by(|a, b| a.shown.cmp(&b.shown));
        self.changes.troubles.sort();
        self.changes
    }

    fn folder<'i>(&mut self, index: &'i Index, folder: &Folder<'i>, open: &mut Vec<Folder<'i>>) -> Result<(), GitError> {
        let is_known = |tree: &Tree| tree.num_entries.is_some_and(|n| n as usize == folder.entries.len());
        if folder.known.is_some_and(|tree| is_known(tree) && Some(tree.id) == folder.head) {
            return Ok(());
        }
        let mut head = match &folder.head {
            Some(head) => entries(&self.handle, head)?,
            None => HashMap::new(),
        };
        let mut at = folder.entries.start;
        while at < folder.entries.end {
            let rest = &index.entries()[at].path(index)[folder.prefix..];
            let slash = rest.find_byte(b'/');
            let end = match slash {
                Some(slash) => end_of(index, at..folder.entries.end, folder.prefix + slash + 1),
                None => end_of_file(index, at..folder.entries.end),
            };
            let name: Name = (rest[..slash.unwrap_or(rest.len())].to_vec(), slash.is_some());
            let there = head.remove(&name);
            match slash {
                Some(slash) if slash + 1 < rest.len() => {
                    let known = folder.known.and_then(|tree| tree.children.iter().find(|child| *child.name == *name.0));
                    let prefix = folder.prefix + slash + 1;
                    open.push(Folder { entries: at..end, prefix, head: there.map(|(id, _)| id), known });
                }
                Some(slash) => {
                    self.sparse(index, at, there.map(|(id, _)| id));
                    // git never lists files of such a folder beside it.
                    let (entries, prefix) = (at + 1..end, folder.prefix + slash + 1);
                    open.push(Folder { entries, prefix, head: None, known: None });
                }
                None => (at..end).for_each(|entry| self.file(index, entry, there)),
            }
            at = end;
        }
        for (id, mode) in head.into_values() {
            match mode {
                Mode::Blob => drop(self.changes.gone.blobs.insert(id)),
                Mode::Tree => self.changes.gone.trees.push(id),
                Mode::Submodule => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, index: &Index, at: usize, head: Option<(ObjectId, Mode)>) {
        let entry = &index.entries()[at];
        if head.is_some_and(|(id, _)| id == entry.id) {
            return;
        }
        let before = head.filter(|(_, mode)| *mode == Mode::Blob).map(|(id, _)| id);
        if entry.mode == IndexMode::COMMIT {
            self.changes.skipped.push("submodule");
        } else if entry.flags.contains(Flags::INTENT_TO_ADD) {
            self.changes.skipped.push("not staged (intent to add)");
        } else {
            self.changes.gone.blobs.extend(before);
            let before = before.into_iter().collect();
            self.changes.all.push(Change::file(entry.path(index), entry.id, before, Provenance::Staged));
        }
    }

    /// A whole folder that is one entry, outside of a sparse checkout.
    fn sparse(&mut self, index: &Index, at: usize, head: Option<ObjectId>) {
        let entry = &index.entries()[at];
        if head == Some(entry.id) {
            return;
        }
        let (changes, path) = (std::cell::RefCell::new(&mut self.changes), entry.path(index).to_vec());
        let mut finds = Finds {
            walked: &mut Walked::default(),
            fresh: &mut |found| {
                changes.borrow_mut().all.push(Change::file(&found.path, found.id, found.before, Provenance::Staged));
            },
            submodule: &mut || changes.borrow_mut().skipped.push("submodule"),
            trouble: &mut |path, error| changes.borrow_mut().trouble(&path, &error),
        };
        fresh(&self.handle, (path, entry.id), head.into_iter().collect(), &mut finds);
    }
}

/// Where the entries end that share the first `length` bytes of the first one's path. They stand together: paths are sorted.
fn end_of(index: &Index, range: Range<usize>, length: usize) -> usize {
    let entries = &index.entries()[range.clone()];
    let prefix = &entries[0].path(index)[..length];
    range.start + entries.partition_point(|entry| entry.path(index).starts_with(prefix))
}

/// Where the entries of one path end: several in a conflict.
fn end_of_file(index: &Index, range: Range<usize>) -> usize {
    let entries = &index.entries()[range.clone()];
    let path = entries[0].path(index);
    range.start + entries.iter().take_while(|entry| entry.path(index) == path).count()
}
