//! Scans what another scanner's report shows, as if it had been found here.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::allow::Place;
use super::collect::Gathered;
use super::walk::Request;
use super::worker::Worker;
use crate::model::Confidence;
use crate::source::reported::{self, LARGEST, ReportedFile, ReportedFinding};
use crate::source::{Entry, Visit};

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
    for (what, why) in &report.troubles {
        all.coverage.trouble(format!("{shown}: {what}"), why.as_str());
    }
    // Somebody thought it worth a report, whatever its likelihood here.
    let request = Request { least: Confidence::Low, ..*request };
    let mut worker = Worker::new(&request);
    for file in report.files() {
        if worker.is_stopped() {
            break;
        }
        let entry = Entry { path: &file.path, provenance: &file.provenance };
        worker.read(&entry, &Place::nowhere(), &mut file.text.as_slice());
        let mut found = worker.harvest();
        for missed in missed(&file, &found) {
            let why =
                format!("{:?} was found here by another scanner and is not recognised; look at it by hand", missed.rule);
            found.coverage.trouble(format!("{}:{}", file.path, missed.lines.start()), why);
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
fn missed<'f>(file: &'f ReportedFile, found: &Gathered) -> Vec<&'f ReportedFinding> {
    let sightings = found.sightings.iter().chain(&found.allowed);
    let spans: Vec<Range<u64>> = sightings
        .flat_map(|sighting| {
            std::iter::once(&sighting.occurrence.location).chain(sighting.occurrence.parts.iter().map(|part| &part.location))
        })
        .map(|location| location.byte_start..location.byte_end)
        .collect();
    let meets = |one: &ReportedFinding| spans.iter().any(|span| span.start < one.span.end && one.span.start < span.end);
    // Of what was put aside only the line is kept.
    let aside = |one: &ReportedFinding| found.asides.iter().any(|aside| one.lines.contains(&aside.line));
    file.found.iter().filter(|one| !meets(one) && !aside(one)).collect()
}
