//! What is about to come into a repository: staged, pushed, received. Read without running git and with nothing of the repository's
//! own settings believed beyond what its format needs.

mod added;
mod changes;
mod commits;
mod objects;
mod pushed;
mod refs;
mod staged;
mod tree;

pub use added::Added;
pub use changes::{Change, Changes, Content, Reader};
pub use objects::Objects;
pub use pushed::{Update, pushed, received};
pub use staged::staged;

use super::{GitError, GitPlace};
