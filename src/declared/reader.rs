//! A table that remembers which of its keys were asked for, so that the rest can be reported as unknown.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Something wrong in a declared file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// All that is wrong in one or several declared files.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, mistake) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { "\n" };
            write!(f, "{gap}{mistake}")?;
        }
        Ok(())
    }
}

struct Shared<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl Shared<'_> {
    fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        1 + memchr::memchr_iter(b'\n', before).count()
    }

    fn report(&self, at: usize, what: String) {
        self.mistakes.borrow_mut().push(Mistake { file: self.file.to_owned(), line: self.line(at), what });
    }
}

/// A declared file that parsed as TOML.
pub struct Document<'a> {
    shared: Rc<Shared<'a>>,
    root: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    /// Parses `text`. A file that is not TOML at all has one mistake.
    pub fn parse(file: &'a str, text: &'a str) -> Result<Self, Mistakes> {
        let shared = Rc::new(Shared { file, text, mistakes: RefCell::default() });
        match DeTable::parse(text) {
            Ok(root) => Ok(Self { shared, root }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                shared.report(at, error.message().to_owned());
                Err(Mistakes(shared.mistakes.take()))
            }
        }
    }

    /// Text under a key of the file itself, before anything is read: to know what it is to be read over.
    pub fn peek(&self, key: &str) -> Option<&str> {
        let (_, value) = self.root.get_ref().iter().find(|(name, _)| name.get_ref() == key)?;
        value.get_ref().as_str()
    }

    /// Reads the file with `read`, then reports every key that was never asked for together with what `read` reported.
    pub fn read<T>(self, read: impl FnOnce(&Table<'_, 'a>) -> Option<T>) -> Result<T, Mistakes> {
        self.read_over(None, read)
    }

    fn table(&self) -> Table<'_, 'a> {
        Table::new(&self.shared, self.root.get_ref(), 0, String::new())
    }

    /// The same, with another file under it: keys that this one does not have are that one's.
    pub fn read_over<T>(self, base: Option<&Self>, read: impl FnOnce(&Table<'_, 'a>) -> Option<T>) -> Result<T, Mistakes> {
        let under = base.map(Self::table);
        let table = self.table().over(under);
        let value = read(&table);
        table.finish();
        let mut mistakes = self.shared.mistakes.take();
        mistakes.extend(base.map(|base| base.shared.mistakes.take()).unwrap_or_default());
        mistakes.sort();
        mistakes.dedup();
        match value {
            Some(value) if mistakes.is_empty() => Ok(value),
            _ if !mistakes.is_empty() => Err(Mistakes(mistakes)),
            _ => Err(Mistakes(vec![Mistake {
                file: self.shared.file.to_owned(),
                line: 1,
                what: "the file cannot be read".to_owned(),
            }])),
        }
    }
}

/// A table of a declared file. Keys that are not asked for are mistakes.
pub struct Table<'t, 'a> {
    shared: Rc<Shared<'a>>,
    table: &'t DeTable<'a>,
    at: usize,
    name: String,
    asked: RefCell<BTreeSet<String>>,
    /// What it is laid over.
    base: Option<Box<Self>>,
}

/// A value with its place.
pub struct Value<'t, 'a> {
    shared: Rc<Shared<'a>>,
    value: &'t Spanned<DeValue<'a>>,
    name: String,
}

impl<'t, 'a> Table<'t, 'a> {
    fn new(shared: &Rc<Shared<'a>>, table: &'t DeTable<'a>, at: usize, name: String) -> Self {
        Self { shared: Rc::clone(shared), table, at, name, asked: RefCell::default(), base: None }
    }

    /// The table's name in the file, empty for the file itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reports a mistake at the start of this table.
    pub fn mistake(&self, what: impl Into<String>) {
        self.shared.report(self.at, what.into());
    }

    /// The keys in the table, asked for or not.
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// The file that this table is in.
    pub fn file(&self) -> &str {
        self.shared.file
    }

    /// The line that this table begins in.
    pub fn line(&self) -> usize {
        self.shared.line(self.at)
    }

    /// The value under `key`, when there is one, here or in the table under this one.
    pub fn get(&self, key: &str) -> Option<Value<'t, 'a>> {
        self.own(key).or_else(|| self.base.as_ref()?.get(key))
    }

    /// The value under `key`; its absence is a mistake.
    pub fn need(&self, key: &str) -> Option<Value<'t, 'a>> {
        let value = self.get(key);
        if value.is_none() {
            let place = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            self.mistake(format!("`{key}` is missing{place}"));
        }
        value
    }

    /// Text under `key`, when there is any.
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.text()
    }

    /// Text that must be there.
    pub fn need_text(&self, key: &str) -> Option<String> {
        self.need(key)?.text()
    }

    /// A list of texts; none when the key is absent.
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.get(key).map(|value| value.items().iter().filter_map(Value::text).collect()).unwrap_or_default()
    }

    /// A list of tables (`[[key]]`); none when the key is absent.
    pub fn tables(&self, key: &str) -> Vec<Table<'t, 'a>> {
        self.get(key).map(|value| value.items().iter().filter_map(Value::table).collect()).unwrap_or_default()
    }

    /// Lets the keys pass that nobody asked for: what they mean cannot be told.
    pub fn ignore_the_rest(&self) {
        self.asked.borrow_mut().extend(self.keys());
    }

    /// Reports the keys nobody asked for.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().filter(|key| !asked.contains(key.get_ref().as_ref())) {
            let place = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            let known: Vec<&str> = asked.iter().map(String::as_str).collect();
            let what = format!("unknown key `{}`{place}; known here: {}", key.get_ref(), known.join(", "));
            self.shared.report(key.span().start, what);
        }
    }
}

impl<'t, 'a> Value<'t, 'a> {
    /// Reports a mistake at this value.
    pub fn mistake(&self, what: impl Into<String>) {
        self.shared.report(self.span().start, what.into());
    }

    /// Where it stands, in bytes of the file.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    fn expected<T>(&self, wanted: &str) -> Option<T> {
        self.mistake(format!("`{}` must be {wanted}, not {}", self.name, self.value.get_ref().type_str()));
        None
    }

    /// Whether it is text at all.
    pub fn is_text(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    /// As text.
    pub fn text(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => self.expected("text"),
        }
    }

    /// As `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.expected("true or false"),
        }
    }

    /// As a whole number that is not negative.
    pub fn number(&self) -> Option<u64> {
        match self.value.get_ref() {
            DeValue::Integer(value) => match u64::from_str_radix(value.as_str(), value.radix()) {
                Ok(number) => Some(number),
                Err(_) => self.expected("a whole number from 0 up"),
            },
            _ => self.expected("a whole number"),
        }
    }

    /// As a number with or without a fraction.
    pub fn decimal(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Integer(value) => value.as_str().parse().ok(),
            DeValue::Float(value) => value.as_str().parse().ok(),
            _ => self.expected("a number"),
        }
    }

    /// As a day: `2027-01-31`, in quotes or not.
    pub fn date(&self) -> Option<jiff::civil::Date> {
        let text = match self.value.get_ref() {
            DeValue::Datetime(value) => value.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => return self.expected("a date like 2027-01-31"),
        };
        // jiff takes a date with a time too; which of its moments counts would be anyone's guess.
        let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
        if day.is_none() {
            self.mistake(format!("`{}` must be a date like 2027-01-31", self.name));
        }
        day
    }

    /// As a list; anything else is a mistake and an empty list.
    pub fn items(&self) -> Vec<Value<'t, 'a>> {
        let wrap = |list: &'t DeArray<'a>| {
            let item = |value| Value { shared: Rc::clone(&self.shared), value, name: self.name.clone() };
            list.iter().map(item).collect()
        };
        match self.value.get_ref() {
            DeValue::Array(list) => wrap(list),
            _ => self.expected("a list").unwrap_or_default(),
        }
    }

    /// As a table. Its unasked keys are reported when the caller calls [`Table::finish`].
    pub fn table(&self) -> Option<Table<'t, 'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Table::new(&self.shared, table, self.span().start, self.name.clone())),
            _ => self.expected("a table"),
        }
    }

    /// As one of a closed list of words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.mistake(format!("`{}` is {text:?}; it must be one of: {}", self.name, known.join(", ")));
        }
        found
    }
}

mod layers;
#[cfg(test)]
mod tests;
