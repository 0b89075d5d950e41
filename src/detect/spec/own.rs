//! What an operator's file can say of a built-in detector: take its place, extend it, switch it off.

use super::{Checked, Source, checked};
use crate::declared::{Document, Mistakes, Table, Value, near};
use crate::detect::registry;

/// What a file says.
pub(in crate::detect) enum Read {
    /// A detector.
    Detector(Box<Checked>),
    /// That the built-in detector of its name is not to be used.
    Disabled(Disabled),
}

/// A built-in detector that was switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// Its id.
    pub id: String,
    /// Why.
    pub why: String,
    /// The file that says so.
    pub file: String,
}

/// What a file stands over.
pub(super) enum Over {
    /// Nothing.
    Nothing,
    /// The built-in of its own name, whose place it takes.
    Itself,
    /// A built-in, beside which it stands.
    Another,
}

impl Over {
    /// Former ids. They belong to one detector only.
    pub(super) fn formerly(&self, root: &Table<'_, '_>) -> Vec<String> {
        match self {
            Self::Nothing | Self::Itself => root.texts("formerly"),
            Self::Another => {
                let own = root.own("formerly").map(|value| value.items()).unwrap_or_default();
                own.iter().filter_map(Value::text).collect()
            }
        }
    }

    /// Examples. Those of a built-in that stays are the built-in's to find.
    pub(super) fn examples<'t, 'a>(&self, root: &Table<'t, 'a>, key: &str) -> Vec<Table<'t, 'a>> {
        match self {
            Self::Nothing | Self::Itself => root.joined_tables(key),
            Self::Another => root.own_tables(key),
        }
    }
}

/// Reads one detector file.
pub(in crate::detect) fn read(source: &Source) -> Result<Read, Mistakes> {
    let document = Document::parse(&source.file, &source.text)?;
    let base = document.peek("extends").and_then(registry::builtin_source);
    let under = base.as_ref().and_then(|base| Document::parse(&base.file, &base.text).ok());
    let over = match &base {
        None => Over::Nothing,
        Some(base) if base.id == source.id => Over::Itself,
        Some(_) => Over::Another,
    };
    document.read_over(under.as_ref(), |root| {
        if let Some(value) = root.own("disabled") {
            return disabled(&value, root, source).map(Read::Disabled);
        }
        let extends = root.own("extends");
        if let (Some(value), None) = (&extends, &base) {
            unknown(value, root);
            return None;
        }
        let mut checked = checked(root, source, &over)?;
        checked.extends = extends.and_then(|value| value.text());
        if let Some(base) = &base {
            checked.notes.extend(super::notes(&base.text));
        }
        Some(Read::Detector(Box::new(checked)))
    })
}

/// `disabled = true` and its `why`: nothing else is in such a file.
fn disabled(value: &Value<'_, '_>, root: &Table<'_, '_>, source: &Source) -> Option<Disabled> {
    let says = value.bool();
    if says == Some(false) {
        value.mistake("`disabled` can only be true; without the line the detector is used");
    }
    if registry::builtin_source(&source.id).is_none() {
        value.mistake(format!(
            "there is no built-in detector {:?} to switch off; the file's name must be its id{}",
            source.id,
            meant(&source.id)
        ));
    }
    let why = root.need_text("why");
    says.filter(|says| *says)?;
    Some(Disabled { id: source.id.clone(), why: why?, file: source.file.clone() })
}

/// `extends` names no built-in. What the rest of the file would mean over one cannot be told.
fn unknown(value: &Value<'_, '_>, root: &Table<'_, '_>) {
    if let Some(id) = value.text() {
        value.mistake(format!("`extends` names {id:?}, which is no built-in detector{}", meant(&id)));
    }
    root.ignore_the_rest();
}

fn meant(id: &str) -> String {
    match near(registry::builtin_ids(), id).as_slice() {
        [] => "; `staunch detectors list` names them".to_owned(),
        ids => format!("; did you mean {}?", ids.join(", ")),
    }
}

#[cfg(test)]
mod tests;
