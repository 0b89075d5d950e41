//! A second look at the targets for what names workloads. Only made when something was found.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::model::Coverage;
use crate::ownership::artefacts::Artefacts;
use crate::source::{Item, Walk, WalkOptions};

/// More of a file than this is not handed over.
const LARGEST: u64 = (5 << 20) + 1;

/// Offers every file below `paths` to the artefact readers and hands over the bytes of those that they want. What cannot
/// be read was said by the scan already; what cannot be understood is counted as skipped.
pub fn offer(paths: &[PathBuf], options: WalkOptions, artefacts: &mut Artefacts<'_>, coverage: &mut Coverage) {
    let mut buffer = Vec::new();
    for item in paths.iter().flat_map(|path| Walk::new(path, options)) {
        let Item::File(file) = item else { continue };
        if !Artefacts::wants(&file.shown) {
            continue;
        }
        buffer.clear();
        let read = File::open(&file.path).and_then(|reader| reader.take(LARGEST).read_to_end(&mut buffer));
        if read.is_ok() {
            artefacts.read(&file.shown, &buffer);
        }
    }
    for (reason, count) in &artefacts.passed_over {
        *coverage.skipped.entry((*reason).to_owned()).or_default() += count;
    }
}
