//! What no detector file can see by itself: ids that two of them claim.

use std::collections::BTreeMap;

use super::spec::{Checked, Source};
use crate::declared::Mistake;

/// Ids that are taken twice, and former ids that are somebody's, one of the `builtin` ones' too.
pub(super) fn clashes(sources: &[Source], all: &[Checked], builtin: &[(&str, String)]) -> Vec<Mistake> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut clashes = Vec::new();
    for source in sources {
        if let Some(first) = seen.insert(&source.id, &source.file) {
            let what = format!("the id {:?} is taken by {first}", source.id);
            clashes.push(Mistake { file: source.file.clone(), line: 1, what });
        }
    }
    for (id, file) in builtin {
        seen.entry(id).or_insert(file);
    }
    for checked in all {
        for old in &checked.detector.formerly {
            if let Some(other) = seen.insert(old, &checked.file) {
                let what =
                    format!("`formerly` lists {old:?}, which is the id of {other} or was; ids never change their meaning");
                clashes.push(Mistake { file: checked.file.clone(), line: line(sources, &checked.file), what });
            }
        }
    }
    clashes
}

/// The line of `formerly` in a file.
fn line(sources: &[Source], file: &str) -> usize {
    let text = sources.iter().find(|source| source.file == file).map_or("", |source| &source.text);
    text.lines().position(|line| line.trim_start().starts_with("formerly")).map_or(1, |n| n + 1)
}
