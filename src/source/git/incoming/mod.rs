//! What is about to come into a repository: staged, pushed, received. Read without running git and with nothing of the repository's
//! own settings believed beyond what its format needs.

mod added;
mod changes;
mod commits;
mod objects;
mod place;
mod pushed;
mod refs;
mod staged;
mod tree;

pub use added::Added;
pub use changes::{Change, Changes, Content, Reader};
pub use objects::Objects;
pub use place::{GitEnvironment, GitPlace};
pub use pushed::{Update, pushed, received};
pub use staged::staged;

/// Why a repository could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// There is none.
    #[error("{0} is not in a git repository")]
    NoRepository(String),
    /// There is no index without a working tree.
    #[error("{0} is a bare repository: nothing can be staged in it")]
    Bare(String),
    /// A file of the repository's own.
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
    /// A name that is none.
    #[error("{0} is not an object id")]
    NoId(String),
}

impl GitError {
    fn read(what: impl std::fmt::Display, why: &dyn std::fmt::Display) -> Self {
        Self::Read { what: what.to_string(), why: why.to_string() }
    }
}
