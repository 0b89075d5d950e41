//! Where local bytes come from. Readers push borrowed blobs; nothing here knows what is looked for.

pub mod archive;
mod dangerous;
pub mod environment;
pub mod git;
mod home;
pub mod image;
mod readable;
pub mod reported;
mod tree_file;
mod visit;
mod window;
mod worktree;

pub use home::{kept_below, kept_list};
pub use tree_file::{Tree, TreeFile, TreeFileError, tree_of};
pub use visit::{Entry, SHORTEST_NAME, Visit};
pub use window::Windows;
pub use worktree::{Item, Walk, WalkOptions, WorkFile};
