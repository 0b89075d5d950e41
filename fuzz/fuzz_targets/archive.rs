//! Any bytes as an archive, whole and as a stream, and whatever is in it likewise: it ends, and nothing panics.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use staunch::model::Provenance;
use staunch::source::archive::{Budget, Head, Input, Limits, format_of, read};
use staunch::source::{Entry, Visit};

/// Opens what is in what, three deep.
struct Deeper<'b> {
    depth: usize,
    budget: &'b Budget,
}

impl Visit for Deeper<'_> {
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
        let mut bytes = Vec::new();
        let _cut = Read::take(reader, 1 << 20).read_to_end(&mut bytes);
        if self.depth < 3 {
            open(file, &bytes, true, &mut Deeper { depth: self.depth + 1, ..*self });
        }
    }

    fn skip(&mut self, _reason: &str) {}

    fn trouble(&mut self, _path: &str, _why: &str) {}

    fn is_stopped(&self) -> bool {
        false
    }
}

fn open(file: &Entry<'_>, bytes: &[u8], is_whole: bool, visit: &mut Deeper<'_>) {
    let (head, mut rest) = bytes.split_at(if is_whole { bytes.len() } else { bytes.len().min(600) });
    if let Some(format) = format_of(&Head { bytes: head, is_whole }) {
        let budget = visit.budget;
        read(format, Input { head, rest: &mut rest, is_whole, file: None }, file, budget, visit);
    }
}

fuzz_target!(|bytes: &[u8]| {
    for is_whole in [true, false] {
        let budget = Budget::new(Limits { free: 8 << 20, ..Limits::default() });
        budget.known(bytes.len() as u64);
        let file = Entry { path: "x", provenance: &Provenance::Worktree };
        open(&file, bytes, is_whole, &mut Deeper { depth: 0, budget: &budget });
    }
});
