//! Service catalogues: who answers for what lies in a folder, as somebody wrote it down. The nearest catalogue file at or
//! above a finding's folder counts. Where it names several owners nobody knows which is meant: inferred.

mod formats;

use std::collections::HashMap;

use crate::model::{Coverage, Edge, Tier};
use crate::ownership::artefacts::{Clues, Reader, Sheet, file_name, folder};
use crate::ownership::roll::{Roll, clean, evidence, owner};
use formats::Answerable;

/// The catalogue files seen, by the folder that they speak for.
#[derive(Default)]
pub(in crate::ownership) struct Catalogues {
    entries: HashMap<String, Vec<Entry>>,
}

/// One owner by one file.
struct Entry {
    who: Answerable,
    technique: &'static str,
    at: String,
}

impl Reader for Catalogues {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        formats::of(path).is_some()
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let Some(format) = formats::of(&sheet.path) else { return };
        let mut found = Vec::new();
        sheet.documents(coverage, &mut |root| {
            for (who, view) in format.read(root) {
                let at = sheet.place(view).to_string();
                found.push(Entry { who, technique: format.technique(), at });
            }
        });
        if !found.is_empty() {
            self.entries.entry(spoken_for(&sheet.path).to_owned()).or_default().extend(found);
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for path in &clues.seen {
            let Some((nearest, entries)) = self.nearest(path) else { continue };
            let one = entries.iter().all(|entry| entry.who.id == entries[0].who.id);
            for entry in entries {
                let tier = if one { Tier::Declared } else { Tier::Inferred };
                let mut accountable = owner(Edge::Accountable, &entry.who.id, &entry.who.name, tier);
                let covers = if nearest.is_empty() { "everything" } else { nearest };
                let value = format!("{} for {}", entry.who.of, clean(covers));
                accountable.evidence.push(evidence(entry.technique, entry.at.clone(), value));
                roll.add(accountable);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (folder, entries) in other.entries {
            self.entries.entry(folder).or_default().extend(entries);
        }
    }
}

impl Catalogues {
    fn nearest<'p>(&self, path: &'p str) -> Option<(&'p str, &[Entry])> {
        let mut at = path;
        while !at.is_empty() {
            at = folder(at);
            if let Some(entries) = self.entries.get(at) {
                return Some((at, entries));
            }
        }
        None
    }
}

/// The folder that a catalogue file speaks for: its own, or the one that holds `.cortex`.
fn spoken_for(path: &str) -> &str {
    let own = folder(path);
    match own.strip_suffix(".cortex/catalog").or_else(|| own.strip_suffix(".cortex")) {
        Some(before) if before.is_empty() || before.ends_with('/') => before.trim_end_matches('/'),
        _ => own,
    }
}

/// Whether the file is one of those, by its name.
fn is_called(path: &str, names: &[&str]) -> bool {
    names.contains(&file_name(path))
}

#[cfg(test)]
mod tests;
