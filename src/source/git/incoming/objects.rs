//! Objects by their ids, from several folders, each within a limit of size.

use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{Find, Kind};
use gix::odb::Store;
use gix::odb::store::init::Options;

use super::super::causes;
use super::{GitError, GitPlace};

/// Larger objects are not taken into memory: the scan says so.
const LARGEST: usize = 128 << 20;

/// The objects of a repository, for all threads.
pub struct Objects {
    stores: Vec<Arc<Store>>,
    hash: gix::hash::Kind,
}

/// One thread's way to them.
pub(super) struct Handle {
    stores: Vec<gix::odb::HandleArc>,
    pub(super) hash: gix::hash::Kind,
}

impl Objects {
    /// Opens the folders that hold objects. One that is not there holds none: the alternates may be those of another time.
    pub(super) fn open(place: &GitPlace) -> Result<Self, GitError> {
        let mut stores = Vec::new();
        for (n, folder) in place.objects.iter().enumerate() {
            if n > 0 && !folder.is_dir() {
                continue;
            }
            let options = Options { alloc_limit_bytes: Some(LARGEST), ..Options::default() };
            // No replacements: what is pushed and stored is what is looked at.
            let store = Store::at_opts(folder.clone(), place.kind(), &mut std::iter::empty(), options);
            stores.push(Arc::new(store.map_err(|error| GitError::read(folder.display(), &error))?));
        }
        Ok(Self { stores, hash: place.kind() })
    }

    pub(super) fn handle(&self) -> Handle {
        Handle { stores: self.stores.iter().map(Store::to_cache_arc).collect(), hash: self.hash }
    }
}

impl Handle {
    /// An object's kind; its bytes are in `buffer`. None when it is nowhere.
    pub(super) fn find(&self, id: &ObjectId, buffer: &mut Vec<u8>) -> Result<Option<Kind>, GitError> {
        let mut failed = None;
        for store in &self.stores {
            match store.try_find(id, buffer) {
                Ok(Some(data)) => {
                    let (kind, length) = (data.kind, data.data.len());
                    buffer.truncate(length);
                    return Ok(Some(kind));
                }
                Ok(None) => {}
                // Another folder may hold a copy in good order.
                Err(error) => failed = Some(GitError::read(format!("object {id}"), &causes(&error))),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// An object of a known kind.
    pub(super) fn get(&self, id: &ObjectId, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), GitError> {
        match self.find(id, buffer)? {
            Some(found) if found == kind => Ok(()),
            Some(found) => Err(GitError::read(format!("object {id}"), &format!("a {found}, where a {kind} should be"))),
            None => Err(GitError::Missing(id.to_string())),
        }
    }
}
