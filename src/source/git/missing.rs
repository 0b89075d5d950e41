//! What a repository should hold and does not: what its names, its commits and their folders lead to, and what is in none of
//! its packs and folders of objects. Without it nobody has looked at all of the history.
//!
//! What only forgotten commits lead to may be gone: git itself clears it away piece by piece.

use std::collections::{BTreeMap, HashSet};

use gix::hash::ObjectId;

use super::explain::History;
use super::forest::NONE;
use super::open::small;
use super::store::{Number, Store};

/// Missing objects that are named one by one.
const NAMED: usize = 32;

/// Says which names lead to nothing.
pub(super) fn of_refs(mut lost: Vec<(String, ObjectId)>, troubles: &mut Vec<(String, String)>) {
    let more = lost.len().saturating_sub(NAMED);
    lost.truncate(NAMED);
    let one = |(name, object)| (name, format!("object {object}, which it leads to, is missing"));
    troubles.extend(lost.into_iter().map(one));
    if more > 0 {
        troubles.push(("refs".to_owned(), format!("{more} more lead to objects that are missing")));
    }
}

/// The commits whose parents a shallow clone left out.
pub(super) fn cut(store: &Store) -> HashSet<Number> {
    // A list that cannot be read excuses nothing.
    let text = if store.place.shallow { small(&store.place.common.join("shallow")).unwrap_or_default() } else { Vec::new() };
    let names = text.split(|&byte| byte == b'\n').filter_map(|line| ObjectId::from_hex(line).ok());
    names.filter_map(|name| store.find(&name)).collect()
}

impl History {
    /// What is missing, and why it should be there. Wants [`History::know`] to have been told of all folders.
    pub fn missing(&self, store: &Store) -> Vec<(String, String)> {
        let mut troubles = Vec::new();
        if store.place.partial {
            return troubles;
        }
        // Object → a commit that leads to it.
        let mut all: BTreeMap<ObjectId, u32> = BTreeMap::new();
        let needed = || (0..self.rows.len() as u32).filter(|&commit| self.needed[commit as usize]);
        for commit in needed() {
            let row = &self.rows[commit as usize];
            if row.tree == NONE || !(row.has_parents || self.cut.contains(&row.commit)) {
                all.extend(self.lost(store, commit).into_iter().map(|name| (name, commit)));
            }
        }
        let mut more = all.len().saturating_sub(NAMED);
        if let Some(holders) = &self.holders {
            let holding = |which| {
                let marked = holders.above(store, which);
                let leads = |commit: &u32| marked.get(self.roots[*commit as usize] as usize) == Some(&true);
                needed().find(leads)
            };
            let first = holders.missing.len().min(NAMED);
            for at in 0..first {
                all.extend(holding(at..at + 1).map(|commit| (holders.missing[at], commit)));
            }
            if first < holders.missing.len() && holding(first..holders.missing.len()).is_some() {
                more += holders.missing.len() - first;
            }
            if holders.is_cut {
                troubles.push(("history".to_owned(), "folders name more missing objects than can be told".to_owned()));
            }
        }
        for (name, commit) in all.into_iter().take(NAMED) {
            let commit = store.name(self.rows[commit as usize].commit);
            troubles.push((format!("object {name}"), format!("it is missing, though commit {commit} leads to it")));
        }
        if more > 0 {
            troubles.push(("history".to_owned(), format!("up to {more} more objects are missing")));
        }
        troubles
    }

    /// What a commit's own text names and is nowhere.
    fn lost(&self, store: &Store, commit: u32) -> Vec<ObjectId> {
        let number = self.rows[commit as usize].commit;
        let bytes = store.read(&store.name(number)).map_or_else(|_| Vec::new(), |(_, bytes)| bytes);
        let head = bytes.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
        let is_cut = self.cut.contains(&number);
        let named = head
            .filter_map(|line| line.strip_prefix(b"tree ").or_else(|| line.strip_prefix(b"parent ").filter(|_| !is_cut)));
        let empty = ObjectId::empty_tree(store.place.kind());
        named
            .filter_map(|hex| ObjectId::from_hex(hex).ok())
            .filter(|name| *name != empty && store.find(name).is_none())
            .collect()
    }
}
