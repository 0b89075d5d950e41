//! The findings that values of running systems are compared with, and what those systems said of them. A value is held only while
//! its keyed fingerprint is made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Coverage, Credential, Finding, Owner};
use crate::ownership::artefacts::{Clues, prints, prints_within};
use crate::ownership::roll::Roll;
use crate::secret::{Fingerprint, FingerprintKey, Secret, Shape};

/// Levels of JSON in a value that are looked into.
const DEPTH: usize = 8;
/// Values of one text that holds JSON.
const LEAVES: usize = 1000;
/// Places of one value that are told.
const PLACES: usize = 10;
/// What could not be read is told so often for one system, and counted from then on.
const SAID: usize = 20;

/// A finding, by its place in the list that was handed in.
pub(super) type Number = usize;

/// What is compared, and what was found out.
pub struct Board<'f> {
    key: &'f FingerprintKey,
    prints: HashMap<Fingerprint, BTreeSet<Number>>,
    /// By finding: its provider, and the value that names it.
    values: Vec<(&'f str, Option<&'f Secret>)>,
    rolls: BTreeMap<Number, Roll>,
    facts: BTreeMap<Number, BTreeMap<&'static str, BTreeSet<String>>>,
    unknown: BTreeMap<&'static str, (Vec<String>, usize)>,
}

/// What was found out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By finding.
    pub owners: BTreeMap<Number, Vec<Owner>>,
    /// By finding: name and value.
    pub facts: BTreeMap<Number, BTreeMap<String, String>>,
    /// What could not be looked at and why, in words that say what to do.
    pub unknown: Vec<String>,
}

impl<'f> Board<'f> {
    /// Findings with the credentials that they were made of. `key` must be the one that their fingerprints are made with.
    pub fn new(key: &'f FingerprintKey, all: impl IntoIterator<Item = (&'f Finding, &'f [Credential])>) -> Self {
        let mut board = Self {
            key,
            prints: HashMap::new(),
            values: Vec::new(),
            rolls: BTreeMap::new(),
            facts: BTreeMap::new(),
            unknown: BTreeMap::new(),
        };
        for (number, (finding, credentials)) in all.into_iter().enumerate() {
            for print in Clues::of(finding).prints {
                board.prints.entry(print).or_default().insert(number);
            }
            let value = credentials.first().and_then(Credential::pointed_at).map(|part| &part.value);
            board.values.push((&finding.provider, value));
        }
        board
    }

    /// The findings whose value this is, or holds: as it stands, as a word of it, or as a value of the JSON that it is.
    pub(super) fn meets(&self, value: &str) -> BTreeSet<Number> {
        let mut met = BTreeSet::new();
        let mut look = |text: &str| {
            let prints = prints_within(self.key, text);
            met.extend(prints.iter().filter_map(|print| self.prints.get(print)).flatten().copied());
        };
        look(value);
        if value.trim_start().starts_with(['{', '[', '"'])
            && let Ok(mut json) = serde_json::from_str::<Value>(value)
        {
            leaves(&json, DEPTH, &mut { LEAVES }, &mut look);
            wipe(&mut json);
        }
        met
    }

    /// The same of bytes, which need be no text.
    pub(super) fn meets_bytes(&self, value: &[u8]) -> BTreeSet<Number> {
        match std::str::from_utf8(value) {
            Ok(text) => self.meets(text),
            Err(_) => prints(self.key, value).iter().filter_map(|print| self.prints.get(print)).flatten().copied().collect(),
        }
    }

    /// The findings of a provider whose value may be the one that a redacted form hides.
    pub(super) fn fitting(&self, provider: &str, shape: &Shape<'_>) -> Vec<Number> {
        let fits = |value: &&Secret| value.expose_str().is_some_and(|value| shape.fits(value));
        let all = self.values.iter().enumerate().filter(|(_, (own, _))| *own == provider);
        all.filter(|(_, (_, value))| value.as_ref().is_some_and(&fits)).map(|(number, _)| number).collect()
    }

    /// The findings of a provider, with their values where these are at hand.
    pub(super) fn of(&self, provider: &str) -> Vec<(Number, &'f Secret)> {
        let all = self.values.iter().enumerate().filter(|(_, (own, _))| *own == provider);
        all.filter_map(|(number, (_, value))| Some((number, (*value)?))).collect()
    }

    /// Names an owner of a finding.
    pub(super) fn name(&mut self, number: Number, owner: Owner) {
        self.rolls.entry(number).or_default().add(owner);
    }

    /// Something else that is known of a finding. Several values are told side by side.
    pub(super) fn fact(&mut self, number: Number, name: &'static str, value: String) {
        let all = self.facts.entry(number).or_default().entry(name).or_default();
        if all.len() < PLACES {
            all.insert(value);
        }
    }

    /// Says what could not be looked at.
    pub(super) fn miss(&mut self, system: &'static str, why: impl Into<String>) {
        let (said, more) = self.unknown.entry(system).or_default();
        let why = why.into();
        match said.len() {
            _ if said.contains(&why) => {}
            ..SAID => said.push(why),
            _ => *more += 1,
        }
    }

    /// What was found out.
    pub fn finish(self) -> Told {
        let mut unknown = Vec::new();
        for (system, (said, more)) in self.unknown {
            unknown.extend(said.into_iter().map(|why| format!("{system}: {why}")));
            unknown.extend((more > 0).then(|| format!("{system}: {more} more could not be read")));
        }
        let joined = |facts: BTreeMap<&'static str, BTreeSet<String>>| {
            let one = |(name, values): (&'static str, BTreeSet<String>)| {
                (name.to_owned(), values.into_iter().collect::<Vec<_>>().join(", "))
            };
            facts.into_iter().map(one).collect()
        };
        Told {
            owners: self.rolls.into_iter().map(|(number, roll)| (number, roll.finish())).collect(),
            facts: self.facts.into_iter().map(|(number, facts)| (number, joined(facts))).collect(),
            unknown,
        }
    }
}

impl Told {
    /// Says when it was told.
    pub fn date(&mut self, now: Timestamp) {
        for reason in self.owners.values_mut().flatten().flat_map(|owner| &mut owner.evidence) {
            reason.as_of.get_or_insert(now);
        }
    }

    /// Counts what could not be looked at, so that "nobody uses it" is not read out of silence.
    pub fn cover(&self, coverage: &mut Coverage) {
        const UNREAD: &str = "running system that could not be asked in full (owners may be missing)";
        if !self.unknown.is_empty() {
            *coverage.skipped.entry(UNREAD.to_owned()).or_default() += self.unknown.len() as u64;
        }
    }
}

/// Every text in JSON.
fn leaves(json: &Value, depth: usize, left: &mut usize, look: &mut dyn FnMut(&str)) {
    if depth == 0 || *left == 0 {
        return;
    }
    match json {
        Value::String(text) => {
            *left -= 1;
            look(text);
        }
        Value::Array(all) => all.iter().for_each(|one| leaves(one, depth - 1, left, look)),
        Value::Object(all) => all.values().for_each(|one| leaves(one, depth - 1, left, look)),
        _ => {}
    }
}

/// Overwrites every text in JSON.
pub(super) fn wipe(json: &mut Value) {
    use zeroize::Zeroize;
    match json {
        Value::String(text) => text.zeroize(),
        Value::Array(all) => all.iter_mut().for_each(wipe),
        Value::Object(all) => all.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, SAID};
    use crate::ownership::artefacts::testing::{VALUE, finding, shared_key};

    #[test]
    fn a_value_is_met_as_it_stands_as_a_word_and_in_json() {
        let (key, one) = (shared_key(), finding(VALUE));
        let board = Board::new(&key, [(&one, &[][..])]);
        for text in [
            VALUE.to_owned(),
            format!("{VALUE}\n"),
            format!("Bearer {VALUE}"),
            format!("{{\"a\": [{{\"b\": \"{VALUE}\"}}]}}"),
            format!("\"{VALUE}\""),
        ] {
            assert_eq!(board.meets(&text).len(), 1, "{text}");
        }
        for text in [String::new(), format!("{VALUE}x"), "{".to_owned(), format!("{{\"{VALUE}\": 1}}")] {
            assert!(board.meets(&text).is_empty(), "{text}");
        }
        assert!(board.meets_bytes(&[0xff; 40]).is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_told_once_and_counted_beyond_a_few() {
        let key = shared_key();
        let mut board = Board::new(&key, []);
        for n in 0..SAID + 5 {
            board.miss("Vault", format!("path {n} was refused"));
            board.miss("Vault", "path 0 was refused");
        }
        let told = board.finish();
        assert_eq!(told.unknown.len(), SAID + 1);
        assert_eq!(told.unknown[SAID], "Vault: 5 more could not be read");
        let mut coverage = crate::model::Coverage::default();
        told.cover(&mut coverage);
        assert_eq!(coverage.skipped.values().sum::<u64>(), SAID as u64 + 1);
    }
}
