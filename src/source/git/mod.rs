//! A git repository's objects, read without running git: every pack, loose object and alternate, in the order in which they
//! lie, each decoded once. Nothing of the repository's configuration is believed but the object format.
//!
//! [`Store::open`] finds the folders, [`Store::units`] hands out work for any number of threads, [`Reader`] does one unit, and
//! [`History`] says afterwards which commits brought in what was found.

mod below;
mod bytes;
mod delta;
mod entries;
mod explain;
mod folders;
mod forest;
pub mod incoming;
mod index;
mod inflate;
mod listed;
mod loose;
mod made;
mod masks;
mod missing;
mod named;
mod open;
mod opening;
mod pack;
mod reader;
mod refs;
mod reftable;
mod settings;
mod sieve;
mod store;
mod trees;
mod unindexed;
mod walk;
mod written;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_unindexed;

pub use below::below;
pub use explain::{Brought, Folders, History, Names, WantedHistory};
pub use index::Tracked;
pub use listed::{Listed, is_list};
pub use open::{GitEnvironment, GitPlace};
pub use reader::{Reader, Sift};
pub use refs::tabled;
pub use sieve::Reach;
pub use store::{Store, Unit};
pub use trees::TreeReader;

/// Why a repository, or one of its files, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is none.
    #[error("{0} is not in a git repository")]
    NoRepository(String),
    /// There is no index without a working tree.
    #[error("{0} is a bare repository: nothing can be staged in it")]
    Bare(String),
    /// Its format is of a later day.
    #[error("the repository's format is not known: {0}")]
    Format(String),
    /// A file or folder of it.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// A file, or an object, that says something that it should not.
    #[error("{what}: {why}")]
    Read {
        /// Which.
        what: String,
        /// The system's or gix's word.
        why: String,
    },
    /// An object that something refers to.
    #[error("object {0} is missing")]
    Missing(String),
    /// A revision that was named.
    #[error("no such branch, tag or commit: {0}")]
    Revision(String),
    /// A pack, an index or an object is not what it should be.
    #[error("{0}")]
    Corrupt(&'static str),
}

impl GitError {
    fn read(what: impl std::fmt::Display, why: &dyn std::fmt::Display) -> Self {
        Self::Read { what: what.to_string(), why: why.to_string() }
    }
}

/// The largest object that is put together from a delta, or read into memory to be looked at. Larger files that are stored
/// whole are streamed. git itself makes no deltas of files above 512 MiB.
const LARGEST: u64 = 128 << 20;

/// What kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A file's content.
    Blob,
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
    /// A folder.
    Tree,
}

impl Kind {
    /// What it is called in an object's header.
    fn word(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Commit => "commit",
            Self::Tag => "tag",
            Self::Tree => "tree",
        }
    }

    /// By the name in a loose object's header.
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"blob" => Some(Self::Blob),
            b"commit" => Some(Self::Commit),
            b"tag" => Some(Self::Tag),
            b"tree" => Some(Self::Tree),
            _ => None,
        }
    }
}

/// An error with its causes.
fn causes(error: &gix::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
