//! Values that one file hands to the named parameters of another.

use std::collections::{HashMap, HashSet};

use super::super::slots::Slots;
use super::super::{Clues, Place};
use super::Link;
use crate::model::Tier;
use crate::ownership::roll::{Roll, evidence};

/// Everything that is handed from file to file.
#[derive(Default)]
pub(super) struct Handed {
    pub(super) given: Slots<Given>,
    /// Who takes a parameter, by its file and name.
    pub(super) takers: HashMap<(String, String), Vec<(Place, Link)>>,
    /// The files whose parameters are known.
    pub(super) files: HashSet<String>,
}

/// A value that is handed on.
pub(super) struct Given {
    /// The files that may be meant, the likeliest first.
    pub(super) files: Vec<String>,
    pub(super) parameter: String,
    /// Who hands it on, and stands for whoever takes it where no such file is in the tree.
    pub(super) link: Link,
}

impl Handed {
    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, given, join) in self.given.hits(clues) {
            let seen =
                evidence(given.link.technique, place.to_string(), format!("{} ({})", given.link.detail, join.words()));
            let Some(file) = given.files.iter().find(|file| self.files.contains(*file)) else {
                given.link.consumer.join(roll, given.link.tier, vec![seen]);
                continue;
            };
            let takers = self.takers.get(&(file.clone(), given.parameter.clone()));
            for (at, link) in takers.into_iter().flatten() {
                if !roll.look() {
                    return;
                }
                link.consumer.join(roll, link.tier.min(Tier::Inferred), vec![seen.clone(), link.evidence(at)]);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.given.merge(other.given);
        self.files.extend(other.files);
        for (parameter, takers) in other.takers {
            self.takers.entry(parameter).or_default().extend(takers);
        }
    }
}
