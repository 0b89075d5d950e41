//! Values that one file hands to the named parameters of another.

use std::collections::{HashMap, HashSet};

use super::super::slots::{Slots, prints_within};
use super::super::yaml::View;
use super::super::{Clues, Place, Sheet, folder};
use super::{Link, Links};
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};

/// Everything that is handed from file to file.
#[derive(Default)]
pub(super) struct Handed {
    given: Slots<Given>,
    /// Who takes a parameter, by its file and name.
    takers: HashMap<(String, String), Vec<(Place, Link)>>,
    /// The files whose parameters are known.
    files: HashSet<String>,
}

/// A value that is handed on.
struct Given {
    /// The files that may be meant, the likeliest first.
    files: Vec<String>,
    parameter: String,
    /// Who hands it on, and stands for whoever takes it where no such file is in the tree.
    link: Link,
}

impl Links {
    /// A file of parameters was read: what is handed to it is known to be taken by nobody else.
    pub(in super::super) fn has_parameters(&mut self, sheet: &Sheet<'_>) {
        self.handed.files.insert(sheet.path.to_string());
    }

    /// A value that is handed to a parameter of one of those files.
    pub(in super::super) fn hand(
        &mut self,
        sheet: &Sheet<'_>,
        view: View<'_>,
        (files, parameter): (&[String], &str),
        link: Link,
    ) {
        let Some(text) = view.text().filter(|text| !text.is_empty()) else { return };
        if self.allowance.take(text.len() + files.iter().map(String::len).sum::<usize>()) {
            let given = Given { files: files.to_vec(), parameter: parameter.to_owned(), link };
            self.handed.given.put(sheet.place(view), &prints_within(sheet.key, text), given);
        }
    }

    /// A value for a parameter of that name of any file that lies near.
    pub(in super::super) fn hand_near(
        &mut self,
        sheet: &Sheet<'_>,
        (place, text): (Place, &str),
        parameter: &str,
        link: Link,
    ) {
        if !text.is_empty() && self.allowance.take(text.len()) {
            let given = Given { files: Vec::new(), parameter: parameter.to_owned(), link };
            self.handed.given.put(place, &prints_within(sheet.key, text), given);
        }
    }

    /// A reference to a parameter of the file itself.
    pub(in super::super) fn takes(&mut self, sheet: &Sheet<'_>, parameter: &str, at: Place, link: &Link) {
        if self.allowance.take(parameter.len()) {
            let own = (sheet.path.to_string(), parameter.to_owned());
            self.handed.takers.entry(own).or_default().push((at, link.clone()));
        }
    }
}

impl Handed {
    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, given, join) in self.given.hits(clues) {
            let seen =
                evidence(given.link.technique, place.to_string(), format!("{} ({})", given.link.detail, join.words()));
            if given.files.is_empty() {
                self.near((folder(&place.path), given), &seen, roll);
                continue;
            }
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

    /// Takers in the same folder, in one above it, or in one beside.
    fn near(&self, (own, given): (&str, &Given), seen: &Evidence, roll: &mut Roll) {
        let mut files: Vec<&String> = self.files.iter().collect();
        files.sort();
        for file in files {
            let there = folder(file);
            let above =
                there.is_empty() || own.strip_prefix(there).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            let beside = !folder(own).is_empty() && folder(there) == folder(own);
            let takers = self.takers.get(&(file.clone(), given.parameter.clone())).filter(|_| above || beside);
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
