//! A worker meets an archive: what is in it comes back to the same worker, within the bounds of the outermost file.

use std::io::Read;
use std::sync::Arc;

use super::{Bytes, Worker};
use crate::scan::allow::Place;
use crate::source::archive::{self, Budget, FileFormat, Input, Limits};
use crate::source::{Entry, Visit};

/// In how many archives a file is, what may still come out of the outermost, and what was kept before it.
#[derive(Clone)]
pub(super) struct Depth {
    archives: usize,
    budget: Arc<Budget>,
    pub(super) kept: usize,
}

impl Worker<'_> {
    /// Reads an archive's members. False for one that is better read as it stands.
    pub(super) fn archive(
        &mut self,
        (entry, place): (&Entry<'_>, &Place<'_>),
        format: &FileFormat,
        input: &mut Input<'_>,
        depth: Option<Depth>,
    ) -> bool {
        let most = self.request.archive_depth;
        let depth = depth.unwrap_or_else(|| {
            let budget = Budget::new(Limits::default());
            // What more of it there is counts as it is read.
            budget
                .known(input.file.and_then(|file| file.metadata().ok()).map_or(input.head.len() as u64, |meta| meta.len()));
            Depth { archives: 0, budget: Arc::new(budget), kept: self.kept() }
        });
        if most == 0 {
            self.gathered.coverage.skip("archive, read as it stands (--archive-depth 0)");
            return false;
        }
        if depth.archives == most {
            let why = format!("{}: in {most} archives already; not opened (--archive-depth opens more)", format.name);
            self.gathered.coverage.trouble(entry.path, why);
            return false;
        }
        let budget = Arc::clone(&depth.budget);
        let input = Input {
            rest: &mut Outermost {
                rest: &mut *input.rest,
                budget: &budget,
                is_counted: depth.archives == 0 && input.file.is_none(),
            },
            ..*input
        };
        let depth = Depth { archives: depth.archives + 1, ..depth };
        archive::read(format, input, entry, &budget, &mut Inside { worker: self, place, depth })
    }
}

/// What is in an archive, on its way to the worker that reads the archive.
struct Inside<'i, 'r> {
    worker: &'i mut Worker<'r>,
    place: &'i Place<'i>,
    depth: Depth,
}

impl Visit for Inside<'_, '_> {
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
        self.worker.guarded(file, self.place, Bytes { reader, file: None }, Some(self.depth.clone()));
    }

    fn named(&mut self, entry: &Entry<'_>) {
        self.worker.names(entry.path, entry.provenance, self.place);
    }

    fn skip(&mut self, reason: &str) {
        self.worker.skip(reason);
    }

    fn trouble(&mut self, path: &str, why: &str) {
        self.worker.trouble(path, why);
    }

    fn is_stopped(&self) -> bool {
        self.worker.is_stopped()
    }
}

/// Tells the budget how much there is of an outermost archive that comes as a stream.
struct Outermost<'o> {
    rest: &'o mut dyn Read,
    budget: &'o Budget,
    is_counted: bool,
}

impl Read for Outermost<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let got = self.rest.read(into)?;
        if self.is_counted {
            self.budget.known(got as u64);
        }
        Ok(got)
    }
}
