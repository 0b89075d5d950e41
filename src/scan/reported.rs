//! Scans what another scanner's report shows, as if it had been found here.

use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::Path;

use super::allow::Place;
use super::collect::Gathered;
use super::walk::Request;
use super::worker::Worker;
use crate::model::Confidence;
use crate::source::Entry;
use crate::source::reported::{self, LARGEST, Reported, ReportedFile};

/// Reads the report at `path` and scans what it shows. What nothing here recognises is trouble: somebody must look at it.
pub(super) fn run(path: &Path, request: &Request<'_>) -> Gathered {
    let shown = path.to_string_lossy();
    let mut all = Gathered::default();
    let report = match open(path) {
        Ok(bytes) => reported::read(&bytes),
        Err(why) => {
            all.coverage.trouble(shown, why);
            return all;
        }
    };
    let Reported { files, troubles } = report;
    for (what, why) in troubles {
        all.coverage.trouble(format!("{shown}: {what}"), why);
    }
    // Somebody thought it worth a report, whatever its likelihood here.
    let request = Request { least: Confidence::Low, ..*request };
    let mut worker = Worker::new(&request);
    for file in &files {
        let entry = Entry { path: &file.path, provenance: &file.provenance };
        worker.read(&entry, &Place::nowhere(), &mut file.text.as_slice());
        let mut found = worker.harvest();
        for (rule, lines) in unknown(file, &found) {
            let why = format!("{rule:?} was found here by another scanner and is not recognised; look at it by hand");
            found.coverage.trouble(format!("{}:{}", file.path, lines.start()), why);
        }
        all.merge(found);
    }
    all
}

fn open(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("larger than {} MiB: split it", LARGEST >> 20));
    }
    Ok(bytes)
}

/// What stands in the report and was neither found nor put aside.
fn unknown<'f>(file: &'f ReportedFile, found: &Gathered) -> Vec<&'f (String, RangeInclusive<u64>)> {
    let sightings = found.sightings.iter().chain(&found.allowed);
    let mut lines: Vec<u64> = sightings
        .flat_map(|sighting| {
            let own = &sighting.occurrence;
            std::iter::once(own.location.line).chain(own.parts.iter().map(|part| part.location.line))
        })
        .collect();
    lines.extend(found.asides.iter().map(|aside| aside.line));
    file.found.iter().filter(|(_, place)| !lines.iter().any(|line| place.contains(line))).collect()
}
