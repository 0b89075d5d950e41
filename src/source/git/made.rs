//! An index for a pack that has none, kept in memory: where entries begin and what they are called.

use gix::hash::{ObjectId, oid};

/// Offsets and names, by the place in the pack: 32 bytes an object and a few.
#[derive(Debug, Default)]
pub(super) struct Made {
    hash: usize,
    offsets: Vec<u64>,
    /// All names, one behind the other; zeros where one is not known.
    names: Vec<u8>,
    /// The entries that have a name, by name.
    order: Vec<u32>,
}

impl Made {
    /// Entries that begin there, without names.
    pub(super) fn new(offsets: Vec<u64>, hash: usize) -> Self {
        Self { hash, names: vec![0; offsets.len() * hash], offsets, order: Vec::new() }
    }

    pub(super) fn len(&self) -> u32 {
        self.offsets.len() as u32
    }

    pub(super) fn offset(&self, entry: u32) -> u64 {
        self.offsets[entry as usize]
    }

    fn bytes(&self, entry: u32) -> &[u8] {
        &self.names[entry as usize * self.hash..][..self.hash]
    }

    pub(super) fn name(&self, entry: u32) -> &oid {
        oid::from_bytes_unchecked(self.bytes(entry))
    }

    pub(super) fn find(&self, name: &oid) -> Option<u32> {
        let at = self.order.binary_search_by(|&entry| self.bytes(entry).cmp(name.as_bytes())).ok()?;
        Some(self.order[at])
    }

    /// Whether an entry has a name.
    pub(super) fn is_named(&self, entry: u32) -> bool {
        self.bytes(entry).iter().any(|&byte| byte != 0)
    }

    /// Gives entries their names; whether any is new.
    pub(super) fn give(&mut self, found: &[(u32, ObjectId)]) -> bool {
        for (entry, name) in found {
            self.names[*entry as usize * self.hash..][..self.hash].copy_from_slice(name.as_bytes());
        }
        self.sort();
        !found.is_empty()
    }

    fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.len()).filter(|&entry| self.is_named(entry)).collect();
        order.sort_unstable_by(|&a, &b| self.bytes(a).cmp(self.bytes(b)).then(a.cmp(&b)));
        // Of what is there twice, the first.
        order.dedup_by(|b, a| self.bytes(*a) == self.bytes(*b));
        self.order = order;
    }

    /// Without the entries that have no name.
    pub(super) fn named(mut self) -> Self {
        let named: Vec<u32> = (0..self.len()).filter(|&entry| self.is_named(entry)).collect();
        if named.len() < self.offsets.len() {
            self.names = named.iter().flat_map(|&entry| self.bytes(entry)).copied().collect();
            self.offsets = named.iter().map(|&entry| self.offset(entry)).collect();
            self.sort();
        }
        self
    }
}
