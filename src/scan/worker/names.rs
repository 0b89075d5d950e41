//! What files, folders and other things are called: a name may be a credential, and is in every listing.
//!
//! Only what is surely one counts in a name: words near it mean little there, and many names are made by programs.

use std::hash::{BuildHasher, RandomState};

use super::{Request, Worker};
use crate::detect::{DetectorSet, Found, Lines};
use crate::model::{Blob, Confidence, Credential, Provenance};
use crate::scan::allow::{Judged, Place};
use crate::scan::collect::{Note, Sighting};
use crate::source::SHORTEST_NAME;

/// Names that a thread looked at, by where they stand.
#[derive(Default)]
pub(super) struct Called {
    hasher: RandomState,
    seen: std::collections::HashSet<u64>,
}

/// Names remembered; beyond it some are looked at again, which costs time and nothing else.
const MOST: usize = 1 << 20;

impl Called {
    fn is_new(&mut self, path: &str, provenance: &Provenance) -> bool {
        let whose = match provenance {
            Provenance::Layer(place) => place.layer.as_str(),
            Provenance::Commit(place) => place.object.as_str(),
            _ => "",
        };
        if self.seen.len() >= MOST {
            self.seen.clear();
        }
        self.seen.insert(self.hasher.hash_one((path, whose)))
    }
}

/// How a name is pointed at.
pub(in crate::scan) const NAME: &str = " (name)";

impl Worker<'_> {
    /// Looks at every part of a path: at what the thing is called, and the folders around it.
    pub(in crate::scan) fn names(&mut self, path: &str, provenance: &Provenance, place: &Place<'_>) {
        let mut start = 0;
        while start < path.len() {
            let end = path[start..].find(['/', '!']).map_or(path.len(), |at| start + at);
            if end - start >= SHORTEST_NAME && self.called.is_new(&path[..end], provenance) {
                self.name((&path[start..end], &format!("{}{NAME}", &path[..end])), provenance, place);
            }
            start = end + 1;
        }
    }

    /// Looks at one name, which is shown as `shown`.
    fn name(&mut self, (name, shown): (&str, &str), provenance: &Provenance, place: &Place<'_>) {
        let (request, gathered) = (self.request, &mut self.gathered);
        let blob = Blob::whole(shown, name.as_bytes());
        let lines = Lines::of(&blob);
        self.scanner.scan(&blob, &mut |found| {
            let Found::Credential(credential) = found else { return };
            if !is_sure(&credential, request.set) {
                return;
            }
            let judged = request.allow.judge(&credential, (&blob, request.set.reach()), place);
            let sighting = Sighting { spot: place.spot(), ..Sighting::new(credential, shown, &lines, provenance) };
            match judged {
                Judged::Stays => gathered.sightings.push(sighting),
                Judged::Disregarded(reason) => {
                    gathered.notes.push(Note::new(&sighting, false, reason));
                    gathered.sightings.push(sighting);
                }
                Judged::Allowed(reason) => {
                    gathered.notes.push(Note::new(&sighting, true, reason));
                    gathered.allowed.push(sighting);
                }
            }
        });
    }
}

/// Whether it is one wherever it stands.
pub(in crate::scan) fn is_sure(credential: &Credential, set: &DetectorSet) -> bool {
    credential.confidence == Confidence::High
        && set.get(&credential.detector).is_some_and(|detector| &*detector.provider != "generic")
}

/// Looks at what could not be read: the lines that say so hold names as well.
pub(in crate::scan) fn of_troubles(all: &mut super::Gathered, request: &Request<'_>) {
    let mut worker = Worker::new(request);
    for trouble in &all.coverage.troubles {
        for text in [&trouble.path, &trouble.why] {
            worker.names(text, &Provenance::Worktree, &Place::nowhere());
        }
    }
    all.merge(worker.harvest());
}
