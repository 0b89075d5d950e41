//! Nothing is lost where one window ends and the next begins.

use super::Worker;
use crate::detect::DetectorSet;
use crate::model::{Confidence, Provenance};
use crate::scan::allow::{Allowing, Place};
use crate::scan::{Counters, Request, WalkOptions};
use crate::source::{Entry, Windows};

/// A Hugging Face token, made up here.
fn token() -> String {
    format!("hf{}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtKN")
}

#[test]
fn a_secret_at_any_offset_around_a_boundary_is_found_once_at_its_place() {
    let set = DetectorSet::builtin().expect("detectors");
    let (allow, counters) = (Allowing::nothing(&[]), Counters::default());
    let walk = WalkOptions::default();
    let request = Request {
        set: &set,
        allow: &allow,
        walk,
        archive_depth: 3,
        jobs: 1,
        least: Confidence::Medium,
        counters: &counters,
    };
    let reach = set.reach();
    let mut worker = Worker::new(&request);
    // The first window's own part ends here, the second's a window farther.
    let (window, first) = (1000, 1000 + reach);
    let text = b"some words in a line\n".repeat(3 * first / 21);
    let entry = Entry { path: "notes", provenance: &Provenance::Worktree };
    for boundary in [first, first + window] {
        for at in boundary - 80..boundary + 80 {
            let planted = format!("\n{}\n", token());
            let mut text = text.clone();
            text[at - 1..at - 1 + planted.len()].copy_from_slice(planted.as_bytes());
            worker.windows = vec![Windows::sized(window, reach)];
            worker.read(&entry, &Place::nowhere(), &mut text.as_slice());
            let found = worker.harvest();
            let [sighting] = found.sightings.as_slice() else { panic!("{} at {at}", found.sightings.len()) };
            let location = sighting.occurrence.location;
            let line = memchr::memchr_iter(b'\n', &text[..at]).count() as u64 + 1;
            assert_eq!((location.byte_start, location.line, location.column), (at as u64, line, 1), "{boundary}");
        }
    }
}
