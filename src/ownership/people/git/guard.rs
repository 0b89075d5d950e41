//! Opening a repository with nothing believed, and reading its objects within limits.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gix::objs::{Find, FindExt, FindHeader};
use gix::{ObjectId, Repository, diff, filter, hash, worktree};
use jiff::Timestamp;

use crate::model::Clock;

/// Largest tree or commit read: a folder of 100 000 files takes about 4 MB.
const LARGEST_OBJECT: u64 = 16 << 20;
/// Longest `.mailmap` or `.git-blame-ignore-revs` read.
const LARGEST_LIST: u64 = 1 << 20;

/// Objects, as long as there is time and they are of a reasonable size.
pub(super) struct Guard {
    objects: gix::OdbHandle,
    clock: Arc<dyn Clock>,
    deadline: Cell<Timestamp>,
    largest_blob: u64,
    /// Found to be small enough: finding the size again costs as much as reading the object.
    small: RefCell<HashSet<ObjectId>>,
}

impl Guard {
    pub(super) fn new(repo: &Repository, clock: Arc<dyn Clock>, largest_blob: u64) -> Self {
        let (deadline, small) = (Cell::new(Timestamp::MAX), RefCell::default());
        Self { objects: repo.objects.clone(), clock, deadline, largest_blob, small }
    }

    /// From now on, nothing is read after `time` has passed.
    pub(super) fn start(&self, time: Duration) {
        self.deadline.set(self.clock.now().checked_add(time).unwrap_or(Timestamp::MAX));
    }

    fn check(&self, id: &hash::oid) -> gix::Result<()> {
        let refuse = |why: &'static str| Err(gix::Error::from_error(std::io::Error::other(why)));
        if self.clock.now() >= self.deadline.get() {
            return refuse("out of time");
        }
        if self.small.borrow().contains(id) {
            return Ok(());
        }
        let largest = |kind: gix::objs::Kind| match kind {
            gix::objs::Kind::Blob => self.largest_blob,
            _ => LARGEST_OBJECT,
        };
        match self.objects.try_header(id)? {
            Some(header) if header.size > largest(header.kind) => refuse("object too large"),
            _ => {
                self.small.borrow_mut().insert(id.to_owned());
                Ok(())
            }
        }
    }

    /// A file in the top folder of a commit.
    pub(super) fn file_at_root(&self, commit: ObjectId, name: &str) -> Option<Vec<u8>> {
        let (mut buffer, mut file) = (Vec::new(), Vec::new());
        let tree = self.find_commit(&commit, &mut buffer).ok()?.tree();
        let entries = self.find_tree_iter(&tree, &mut buffer).ok()?;
        let entry = entries.filter_map(Result::ok).find(|entry| entry.filename == name && entry.mode.is_blob())?;
        let id = entry.oid.to_owned();
        (self.objects.try_header(&id).ok()??.size <= LARGEST_LIST).then_some(())?;
        Some(self.find_blob(&id, &mut file).ok()?.data.to_vec())
    }
}

impl Find for Guard {
    fn try_find<'a>(&self, id: &hash::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<gix::objs::Data<'a>>> {
        self.check(id)?;
        self.objects.try_find(id, buffer)
    }
}

impl FindHeader for Guard {
    fn try_header(&self, id: &hash::oid) -> gix::Result<Option<gix::objs::Header>> {
        self.check(id)?;
        self.objects.try_header(id)
    }
}

/// Opens with nothing believed.
pub(super) fn open(directory: &Path) -> Option<Repository> {
    use gix::discover::upwards::{Options, TrustPolicy};
    let isolated = || gix::open::Options::isolated().filter_config_section(|_| false);
    let trust = gix::sec::trust::Mapping { full: isolated(), reduced: isolated() };
    let options = Options { trust: TrustPolicy::Assume(gix::sec::Trust::Reduced), ..Options::default() };
    let mut repo = gix::ThreadSafeRepository::discover_opts(directory, options, trust).ok()?.to_thread_local();
    repo.object_cache_size_if_unset(4 << 20);
    Some(repo)
}

/// Compares blobs as they are stored: no filters, drivers, converters or attributes.
pub(super) fn differ(worktree: &Path, hash: hash::Kind) -> diff::blob::Platform {
    let filters = filter::plumbing::Pipeline::new(
        gix::command::Context::default(),
        hash,
        filter::plumbing::pipeline::Options::default(),
    );
    // No threshold here: what it makes "binary" would count as rewritten. The guard refuses such blobs instead.
    let options =
        diff::blob::pipeline::Options { large_file_threshold_bytes: 0, ..diff::blob::pipeline::Options::default() };
    let pipeline = diff::blob::Pipeline::new(diff::blob::pipeline::WorktreeRoots::default(), filters, Vec::new(), options);
    let attributes = worktree::stack::State::AttributesStack(worktree::stack::state::Attributes::default());
    let stack = worktree::Stack::new(worktree, attributes, gix::glob::pattern::Case::Sensitive, Vec::new(), Vec::new());
    diff::blob::Platform::new(diff::blob::platform::Options::default(), pipeline, diff::blob::pipeline::Mode::ToGit, stack)
}
