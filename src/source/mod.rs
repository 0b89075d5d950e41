//! Where local bytes come from. Readers push borrowed blobs; nothing here knows what is looked for.

mod dangerous;
mod window;
mod worktree;

pub use window::Windows;
pub use worktree::{Item, Walk, WalkOptions, WorkFile};
