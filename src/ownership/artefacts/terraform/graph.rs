//! From texts through names to workloads.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::super::links::Link;
use super::super::slots::{Join, Slots};
use super::super::{Clues, Place};
use super::Uses;
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};
use crate::secret::Fingerprint;

/// Names followed for one finding, all together.
const NAMES: usize = 10_000;
/// Steps of the way to a name that are told. The workload at its end is told always.
const STEPS: usize = 31;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NameKind {
    Variable,
    Local,
}

impl NameKind {
    fn word(self) -> &'static str {
        match self {
            Self::Variable => "var",
            Self::Local => "local",
        }
    }
}

/// A name in a module: the folder, and what it names.
pub(super) type Name = (Arc<str>, NameKind, Arc<str>);

/// Where a name gets its value from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) technique: &'static str,
    pub(super) tier: Tier,
}

impl Source {
    fn is_default(self) -> bool {
        self.technique == "terraform-variable-default"
    }
}

/// Who refers to a name.
pub(super) enum User {
    /// Another name, whose value it is part of.
    Name {
        name: Name,
        tier: Tier,
        way: String,
    },
    Workload {
        at: Place,
        link: Link,
    },
}

/// Everything that stands somewhere and everything that refers to something.
#[derive(Default)]
pub(super) struct Graph {
    literals: Slots<Link>,
    definitions: Slots<(Name, Source)>,
    uses: Uses,
    /// Variables that a file gives a value which Terraform loads by itself, and how many files do.
    given: std::collections::HashMap<Name, usize>,
    /// Variables that a module block somewhere sets.
    set_by_caller: HashSet<Name>,
}

impl Graph {
    pub(super) fn literal(&mut self, place: Place, prints: &[Fingerprint], link: Link) {
        self.literals.put(place, prints, link);
    }

    pub(super) fn define(&mut self, place: Place, prints: &[Fingerprint], what: (Name, Source)) {
        self.definitions.put(place, prints, what);
    }

    pub(super) fn use_name(&mut self, name: Name, user: User) {
        self.uses.entry(name).or_default().push(user);
    }

    pub(super) fn give(&mut self, name: &Name) {
        *self.given.entry(name.clone()).or_default() += 1;
    }

    pub(super) fn set_by_caller(&mut self, name: Name) {
        self.set_by_caller.insert(name);
    }

    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, link, join) in self.literals.hits(clues) {
            let value = format!("{} ({})", link.detail, join.words());
            link.consumer.join(roll, link.tier, vec![evidence(link.technique, place.to_string(), value)]);
        }
        for (place, (name, source), join) in self.definitions.hits(clues) {
            if let Some(tier) = self.counts(name, *source) {
                self.follow(name, tier, &seen(place, name, *source, join), roll);
            }
        }
    }

    /// How well that source gives the name its value, if it does.
    fn counts(&self, name: &Name, source: Source) -> Option<Tier> {
        let given = self.given.get(name).copied().unwrap_or_default();
        if source.is_default() && given > 0 {
            return None;
        }
        let contested = given > 1 || self.set_by_caller.contains(name);
        Some(if contested { source.tier.min(Tier::Inferred) } else { source.tier })
    }

    fn follow(&self, name: &Name, tier: Tier, first: &Evidence, roll: &mut Roll) {
        let mut ways = Ways(vec![Step { what: first.clone(), before: None, number: 1 }]);
        let mut queue = VecDeque::from([(name, tier, 0)]);
        let mut met = HashSet::from([name]);
        while let Some((name, tier, way_here)) = queue.pop_front() {
            for user in self.uses.get(name).into_iter().flatten() {
                match user {
                    User::Workload { at, link } => {
                        let mut why = ways.to(way_here);
                        let value = format!("{} from {}.{}", link.detail, name.1.word(), name.2);
                        why.push(evidence(link.technique, at.to_string(), value));
                        link.consumer.join(roll, tier.min(link.tier), why);
                    }
                    User::Name { name: next, tier: own, way } => {
                        if met.contains(next) {
                            continue;
                        }
                        if met.len() >= NAMES {
                            roll.cut();
                            continue;
                        }
                        met.insert(next);
                        let step = ways.step(way_here, || {
                            let value = format!("{}.{way} from {}.{}", next.1.word(), name.1.word(), name.2);
                            evidence("terraform-reference", next.0.to_string(), value)
                        });
                        queue.push_back((next, tier.min(*own), step));
                    }
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.literals.merge(other.literals);
        self.definitions.merge(other.definitions);
        for (name, users) in other.uses {
            self.uses.entry(name).or_default().extend(users);
        }
        for (name, count) in other.given {
            *self.given.entry(name).or_default() += count;
        }
        self.set_by_caller.extend(other.set_by_caller);
    }
}

/// Ways to names, which share what they have in common.
struct Ways(Vec<Step>);

struct Step {
    what: Evidence,
    /// The step before it, by index.
    before: Option<usize>,
    /// How many there are up to this one.
    number: usize,
}

impl Ways {
    /// One step further. A way that is long enough stays as it is.
    fn step(&mut self, before: usize, what: impl FnOnce() -> Evidence) -> usize {
        let number = self.0[before].number + 1;
        if number > STEPS {
            return before;
        }
        self.0.push(Step { what: what(), before: Some(before), number });
        self.0.len() - 1
    }

    /// All steps up to that one, first to last.
    fn to(&self, last: usize) -> Vec<Evidence> {
        let mut why = Vec::with_capacity(self.0[last].number + 1);
        let mut next = Some(last);
        while let Some(index) = next {
            why.push(self.0[index].what.clone());
            next = self.0[index].before;
        }
        why.reverse();
        why
    }
}

fn seen(place: &Place, name: &Name, source: Source, join: Join) -> Evidence {
    let value = format!("{}.{} ({})", name.1.word(), name.2, join.words());
    evidence(source.technique, place.to_string(), value)
}
