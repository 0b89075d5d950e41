//! Trees: their entries, and what one holds that others do not.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::objs::{Kind, TreeRefIter};

use super::GitError;
use super::objects::Handle;

/// Folders in folders. git itself gives up at 2048 (`core.maxTreeDepth`, 4096 at most).
const DEEPEST: usize = 4096;
/// Files and folders of one commit or index that are looked at; the largest repositories known have a tenth of it.
const MOST: usize = 20_000_000;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// A file, or a link: its text is kept like a file's.
    Blob,
    Tree,
    Submodule,
}

/// A name and whether it is a folder's: a file and a folder of one name have nothing in common.
pub(super) type Name = (Vec<u8>, bool);

/// One folder's entries.
pub(super) fn entries(objects: &Handle, id: &ObjectId) -> Result<HashMap<Name, (ObjectId, Mode)>, GitError> {
    let mut buffer = Vec::new();
    objects.get(id, Kind::Tree, &mut buffer)?;
    let mut all = HashMap::new();
    for entry in TreeRefIter::from_bytes(&buffer, objects.hash) {
        let entry = entry.map_err(|error| GitError::read(format!("tree {id}"), &error))?;
        let mode = if entry.mode.is_tree() {
            Mode::Tree
        } else if entry.mode.is_commit() {
            Mode::Submodule
        } else {
            Mode::Blob
        };
        all.insert((entry.filename.to_vec(), mode == Mode::Tree), (entry.oid.to_owned(), mode));
    }
    Ok(all)
}

/// A blob that none of the trees compared with holds at the same path.
pub(super) struct Fresh {
    pub(super) path: Vec<u8>,
    pub(super) id: ObjectId,
    /// What they hold there instead.
    pub(super) before: Vec<ObjectId>,
}

/// Trees that were compared, and with which: what one brings is known wherever else it stands. Without it, ten folders that hold
/// one folder ten times, ten levels deep, are ten thousand million.
#[derive(Default)]
pub(super) struct Walked(HashSet<(ObjectId, Vec<ObjectId>)>);

/// What to do with what is found.
pub(super) struct Finds<'f> {
    pub(super) walked: &'f mut Walked,
    pub(super) fresh: &'f mut dyn FnMut(Fresh),
    pub(super) submodule: &'f mut dyn FnMut(),
    /// Paths that could not be looked into, and why.
    pub(super) trouble: &'f mut dyn FnMut(Vec<u8>, GitError),
}

/// Everything in `tree`, which lies at `path`, that none of `others` has at the same place; what is in a folder that stands at
/// several places, at one of them.
pub(super) fn fresh(objects: &Handle, (path, tree): (Vec<u8>, ObjectId), others: Vec<ObjectId>, finds: &mut Finds<'_>) {
    let mut open = vec![(path, tree, others, 0_usize)];
    let mut seen = 0;
    while let Some((path, tree, others, depth)) = open.pop() {
        if !finds.walked.0.insert((tree, others.clone())) {
            continue;
        }
        let here = match entries(objects, &tree) {
            Ok(here) => here,
            Err(error) => {
                (finds.trouble)(path, error);
                continue;
            }
        };
        // A tree compared with that cannot be read hides nothing: more is looked at.
        let others: Vec<_> = others.iter().filter_map(|other| entries(objects, other).ok()).collect();
        // What each is compared with is read as well.
        seen += here.len() + others.iter().map(HashMap::len).sum::<usize>();
        if depth > DEEPEST || seen > MOST {
            (finds.trouble)(path, GitError::read(format!("tree {tree}"), &"folders without end"));
            return;
        }
        for (name, (id, mode)) in here {
            let beside: Vec<ObjectId> = others.iter().filter_map(|other| other.get(&name)).map(|found| found.0).collect();
            if beside.contains(&id) {
                continue;
            }
            let mut path = path.clone();
            path.extend_from_slice(&name.0);
            match mode {
                Mode::Submodule => (finds.submodule)(),
                Mode::Blob => (finds.fresh)(Fresh { path, id, before: beside }),
                Mode::Tree => {
                    path.push(b'/');
                    open.push((path, id, beside, depth + 1));
                }
            }
        }
    }
}

/// The blobs in trees, as far as they can be read: up to `most`.
pub(super) fn blobs(objects: &Handle, mut trees: Vec<ObjectId>, most: usize) -> HashSet<ObjectId> {
    let (mut found, mut seen) = (HashSet::new(), HashSet::new());
    while let Some(tree) = trees.pop() {
        if found.len() >= most || !seen.insert(tree) {
            continue;
        }
        for (id, mode) in entries(objects, &tree).unwrap_or_default().into_values() {
            match mode {
                Mode::Blob => drop(found.insert(id)),
                Mode::Tree => trees.push(id),
                Mode::Submodule => {}
            }
        }
    }
    found
}
