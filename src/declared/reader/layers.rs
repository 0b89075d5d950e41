//! A table over another one: what it does not say is the other one's.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Table, Value};

impl<'t, 'a> Table<'t, 'a> {
    /// Lays this table over another one.
    pub(super) fn over(self, base: Option<Self>) -> Self {
        Self { base: base.map(Box::new), ..self }
    }

    /// The value under `key` in this table itself.
    pub fn own(&self, key: &str) -> Option<Value<'t, 'a>> {
        self.asked.borrow_mut().insert(key.to_owned());
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Some(Value { shared: Rc::clone(&self.shared), value, name })
    }

    /// The value under the one of `keys` that is there, with that key. Keys that exclude each other: any of them here
    /// hides all of them in the table under this one. Several at once come in order.
    pub fn rivals(&self, keys: &[&'static str]) -> Vec<(&'static str, Value<'t, 'a>)> {
        let own: Vec<_> = keys.iter().filter_map(|key| Some((*key, self.own(key)?))).collect();
        match &self.base {
            Some(base) if own.is_empty() => base.rivals(keys),
            _ => own,
        }
    }

    /// The list of tables of this table itself.
    pub fn own_tables(&self, key: &str) -> Vec<Self> {
        self.own(key).map(|value| value.items().iter().filter_map(Value::table).collect()).unwrap_or_default()
    }

    /// The lists of tables of the table under this one and of this one.
    pub fn joined_tables(&self, key: &str) -> Vec<Self> {
        let mut all = self.base.as_ref().map(|base| base.joined_tables(key)).unwrap_or_default();
        all.extend(self.own_tables(key));
        all
    }

    /// The same, but tables whose text under `name` is the same are laid over each other.
    pub fn layered_tables(&self, key: &str, name: &str) -> Vec<Self> {
        let called = |table: &Self| table.own(name).filter(Value::is_text).and_then(|value| value.text());
        let mut all = self.base.as_ref().map(|base| base.layered_tables(key, name)).unwrap_or_default();
        let inherited: Vec<Option<String>> = all.iter().map(called).collect();
        let mut taken = BTreeSet::new();
        for table in self.own_tables(key) {
            let own = called(&table);
            let under = inherited.iter().position(|other| other.is_some() && *other == own);
            match under.filter(|at| taken.insert(*at)) {
                Some(at) => {
                    let base = all.remove(at);
                    all.insert(at, table.over(Some(base)));
                }
                None => all.push(table),
            }
        }
        all
    }
}
