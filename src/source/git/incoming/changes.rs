//! Contents that are about to become part of a repository, and what they take the place of.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use gix::ObjectId;
use gix::objs::Kind;

use super::super::open::to_path;
use super::added::Added;
use super::objects::{Handle, Objects};
use super::{GitError, tree};
use crate::model::Provenance;
use crate::source::readable::readable;

/// Blobs of folders that went away which are known again under another name.
const MOST_GONE: usize = 200_000;

/// A file, or a message, that is new or different.
#[derive(Debug)]
pub struct Change {
    /// The path from the repository's root, lossy UTF-8.
    pub shown: String,
    /// The same as the system has it; none for what is no file.
    pub inside: Option<PathBuf>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Its bytes.
    pub content: Content,
    /// The versions that it takes the place of.
    pub(super) before: Vec<ObjectId>,
}

/// Bytes, or where they are.
#[derive(Debug)]
pub enum Content {
    /// A blob.
    Blob(ObjectId),
    /// The bytes themselves: of a commit's or a tag's message.
    Text(Vec<u8>),
}

impl Change {
    pub(super) fn file(path: &[u8], id: ObjectId, before: Vec<ObjectId>, provenance: Provenance) -> Self {
        let shown = readable(path).into_owned();
        Self { shown, inside: to_path(path), provenance, content: Content::Blob(id), before }
    }

    /// Whether something was there before under the same name.
    pub fn is_known(&self) -> bool {
        !self.before.is_empty()
    }

    pub(super) fn message(shown: String, text: Vec<u8>, provenance: Provenance) -> Self {
        Self { shown, inside: None, provenance, content: Content::Text(text), before: Vec::new() }
    }
}

/// All changes, and how far they could be told.
pub struct Changes {
    /// The changes, by path.
    pub all: Vec<Change>,
    /// What was passed over on purpose.
    pub skipped: Vec<&'static str>,
    /// What could not be read: what, and why.
    pub troubles: Vec<(String, String)>,
    pub(super) objects: Objects,
    pub(super) gone: Gone,
}

/// Contents whose old place holds them no longer.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) blobs: HashSet<ObjectId>,
    pub(super) trees: Vec<ObjectId>,
    of_trees: OnceLock<HashSet<ObjectId>>,
}

impl Changes {
    pub(super) fn new(objects: Objects) -> Self {
        Self { all: Vec::new(), skipped: Vec::new(), troubles: Vec::new(), objects, gone: Gone::default() }
    }

    pub(super) fn trouble(&mut self, what: &[u8], why: &GitError) {
        let what = if what.is_empty() { "/".into() } else { readable(what) };
        self.troubles.push((what.into_owned(), why.to_string()));
    }

    /// For one thread: reads contents.
    pub fn reader(&self) -> Reader<'_> {
        Reader { changes: self, objects: self.objects.handle() }
    }
}

/// Reads the contents of changes.
pub struct Reader<'c> {
    changes: &'c Changes,
    objects: Handle,
}

impl Reader<'_> {
    /// A change's bytes, in `buffer`.
    ///
    /// # Errors
    /// When the object is missing, damaged or larger than 128 MiB.
    pub fn read(&self, change: &Change, buffer: &mut Vec<u8>) -> Result<(), GitError> {
        match &change.content {
            Content::Blob(id) => self.objects.get(id, Kind::Blob, buffer),
            Content::Text(text) => {
                buffer.clear();
                buffer.extend_from_slice(text);
                Ok(())
            }
        }
    }

    /// Which lines of a change are new; `bytes` is what was read. A file that only changed its name brings none.
    pub fn added(&self, change: &Change, bytes: &[u8]) -> Added {
        if matches!(change.content, Content::Blob(id) if self.was_elsewhere(&id)) {
            return Added::Nothing;
        }
        let mut old = Vec::new();
        let mut added = Added::All;
        for before in &change.before {
            // A version that cannot be read excuses nothing.
            if self.objects.get(before, Kind::Blob, &mut old).is_ok() {
                added = added.and(Added::between(&old, bytes));
            }
        }
        added
    }

    fn was_elsewhere(&self, id: &ObjectId) -> bool {
        let gone = &self.changes.gone;
        let of_trees = || gone.of_trees.get_or_init(|| tree::blobs(&self.objects, gone.trees.clone(), MOST_GONE));
        gone.blobs.contains(id) || (!gone.trees.is_empty() && of_trees().contains(id))
    }
}
