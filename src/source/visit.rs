//! What readers push into.

use std::io::Read;

use crate::model::Provenance;

/// Bytes of the shortest name that is looked at for its own sake: no credential that is surely one is shorter.
pub const SHORTEST_NAME: usize = 16;

/// Takes what a reader finds. Each thread has its own.
pub trait Visit {
    /// One file's bytes, as a stream that is read at once and only as far as it is wanted.
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read);

    /// Something that has a name and nothing in it that is looked at: a folder, a link. What has a shorter name than
    /// [`SHORTEST_NAME`] need not be told. Who looks at no names passes it over.
    fn named(&mut self, _entry: &Entry<'_>) {}

    /// Something was passed over on purpose: the scan is complete all the same.
    fn skip(&mut self, reason: &str);

    /// Something that should have been read could not be, or only in part: the scan is incomplete. `why` says what to do
    /// where that is known.
    fn trouble(&mut self, path: &str, why: &str);

    /// The scan is to end: what is not read yet need not be.
    fn is_stopped(&self) -> bool;
}

/// A file on its way to be read.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'e> {
    /// The path as it is shown: lossy UTF-8, `/` between the parts. Inside an archive or image `a.zip!dir/b.txt`; what stands
    /// behind the last `!` tells the kind of file.
    pub path: &'e str,
    /// Where it comes from.
    pub provenance: &'e Provenance,
}
