//! The list of a finding's owners while it is put together: one entry an owner, all its evidence, best proven first.

use std::collections::BTreeMap;

use super::combine::weigh;
use crate::model::{Edge, Evidence, Owner, Tier, Weight};

/// Owners kept for one finding. A key in more places than this is "everywhere"; the first by id are as good as any.
const OWNERS: usize = 1000;
/// Ways from one finding to its owners that are looked at, whether they lead anywhere or not.
const LOOKS: usize = 100_000;
/// Reasons kept for one owner.
const REASONS: usize = 32;
/// Longest name taken from scanned material, in characters: Kubernetes allows 253.
const NAME: usize = 253;

/// Owners by edge and id.
#[derive(Debug, Default)]
pub(super) struct Roll {
    owners: BTreeMap<(Edge, String), Owner>,
    looks: usize,
    cut: bool,
}

impl Roll {
    /// Begins with what is known already.
    pub(super) fn with(owners: Vec<Owner>) -> Self {
        let mut roll = Self::default();
        for owner in owners {
            roll.add(owner);
        }
        roll
    }

    /// Adds an owner, or its evidence to the same owner's.
    pub(super) fn add(&mut self, owner: Owner) {
        let key = (owner.edge, owner.id.clone());
        if !self.owners.contains_key(&key) && self.owners.len() >= OWNERS {
            self.cut = true;
            return;
        }
        let entry = self.owners.entry(key).or_insert_with(|| Owner { evidence: Vec::new(), ..owner.clone() });
        entry.tier = entry.tier.max(owner.tier);
        entry.spiffe_id = entry.spiffe_id.take().or(owner.spiffe_id);
        for mut reason in owner.evidence {
            reason.tier = reason.tier.or(Some(owner.tier));
            let same = |known: &&mut Evidence| {
                (&known.technique, &known.at, &known.value) == (&reason.technique, &reason.at, &reason.value)
            };
            if let Some(known) = entry.evidence.iter_mut().find(same) {
                known.tier = known.tier.max(reason.tier);
            } else if entry.evidence.len() < REASONS {
                entry.evidence.push(reason);
            }
        }
    }

    /// Whether any workload is known yet.
    pub(super) fn has_consumer(&self) -> bool {
        self.owners.keys().any(|(edge, _)| *edge == Edge::Consumer)
    }

    /// Whether any workload is known by something in that file.
    pub(super) fn has_consumer_by(&self, path: &str) -> bool {
        let there = |one: &Evidence| one.at.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        let consumers = self.owners.iter().filter(|((edge, _), _)| *edge == Edge::Consumer);
        consumers.into_iter().any(|(_, owner)| owner.evidence.iter().any(there))
    }

    /// The workloads that are known by now, by their ids.
    pub(super) fn consumers(&self) -> impl Iterator<Item = &str> {
        self.owners.keys().filter(|(edge, _)| *edge == Edge::Consumer).map(|(_, id)| id.as_str())
    }

    /// Whether one more way may be looked at. Where values stand in many places and each is referred to from many, the ways are the
    /// product of the two; that some were left out is told.
    pub(super) fn look(&mut self) -> bool {
        self.looks += 1;
        self.cut |= self.looks > LOOKS;
        self.looks <= LOOKS
    }

    /// Says that not everything was looked at.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether there were more owners than are kept, or than were looked for.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Best proven first, then the likeliest, then by edge and id.
    pub(super) fn finish(self) -> Vec<Owner> {
        let mut owners: Vec<Owner> = self.owners.into_values().collect();
        weigh(&mut owners);
        owners.sort_by(|a, b| {
            let best = (b.tier, b.confidence).cmp(&(a.tier, a.confidence));
            best.then_with(|| (a.edge, &a.id, &a.evidence).cmp(&(b.edge, &b.id, &b.evidence)))
        });
        owners
    }
}

/// One piece of evidence.
pub(super) fn evidence(technique: &str, at: impl Into<String>, value: impl Into<String>) -> Evidence {
    Evidence { technique: technique.to_owned(), at: at.into(), value: value.into(), tier: None, as_of: None }
}

/// An owner without evidence yet.
pub(super) fn owner(edge: Edge, id: impl Into<String>, name: impl Into<String>, tier: Tier) -> Owner {
    let (confidence, contested) = (Weight::default(), false);
    let (id, name) = (id.into(), name.into());
    Owner { edge, id, name, spiffe_id: None, tier, confidence, contested, evidence: Vec::new() }
}

/// A name from scanned material as it may be shown: no control characters, no endless ones.
pub(super) fn clean(name: &str) -> String {
    name.chars().take(NAME).map(|c| if c.is_control() || is_bidi(c) { '?' } else { c }).collect()
}

/// Characters that make a terminal show text in another order than it stands in.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::{Roll, clean, evidence, owner};
    use crate::model::{Edge, Tier};

    #[test]
    fn the_same_owner_is_listed_once_with_its_best_tier_and_all_reasons() {
        let mut roll = Roll::default();
        for (tier, at) in [(Tier::Inferred, "a:1"), (Tier::Bound, "b:2"), (Tier::Inferred, "a:1")] {
            let mut one = owner(Edge::Consumer, "x", "x", tier);
            one.evidence.push(evidence("t", at, "v"));
            roll.add(one);
        }
        roll.add(owner(Edge::Custodian, "team:@a/b", "@a/b", Tier::Circumstantial));
        roll.add(owner(Edge::Principal, "arn", "arn", Tier::Proven));
        let owners = Roll::with(roll.finish()).finish();
        assert_eq!(owners.iter().map(|owner| owner.id.as_str()).collect::<Vec<_>>(), ["arn", "x", "team:@a/b"]);
        assert_eq!((owners[1].tier, owners[1].evidence.len()), (Tier::Bound, 2));
    }

    #[test]
    fn there_is_an_end_to_it_and_it_is_told() {
        let mut roll = Roll::default();
        for n in 0..2000 {
            roll.add(owner(Edge::Consumer, format!("{n:04}"), "x", Tier::Bound));
        }
        assert!(roll.is_cut());
        assert_eq!(roll.finish().len(), 1000);
    }

    #[test]
    fn names_cannot_drive_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc\u{202e}d é"), "a?[31mb?c?d é");
        assert_eq!(clean(&"x".repeat(9999)).len(), 253);
    }
}
