//! One file as a reader gets it, and the ways to open it.

use std::sync::Arc;

use super::yaml::{Broken, Tree, View};
use super::{Place, ends_in, templates};
use crate::model::Coverage;
use crate::ownership::roll::clean;
use crate::secret::FingerprintKey;

/// One file, as a reader gets it.
pub(in crate::ownership) struct Sheet<'a> {
    /// As it is shown.
    pub(in crate::ownership) path: Arc<str>,
    pub(in crate::ownership) bytes: &'a [u8],
    pub(in crate::ownership) key: &'a FingerprintKey,
    /// What stands before the repository's own paths in shown ones: empty, or ending in `/`.
    pub(in crate::ownership) root: &'a str,
}

impl Sheet<'_> {
    /// The file as text, or the reason why not.
    pub(in crate::ownership) fn text(&self) -> Result<&str, &'static str> {
        std::str::from_utf8(self.bytes).map_err(|_| "not UTF-8: save it as UTF-8 to have its references followed")
    }

    /// Whether the word stands anywhere in the file.
    pub(super) fn mentions(&self, word: &str) -> bool {
        memchr::memmem::find(self.bytes, word.as_bytes()).is_some()
    }

    /// Hands over every document of a YAML file, or the one of a TOML file or a JSON file with or without comments. What cannot be read
    /// becomes a trouble.
    pub(in crate::ownership) fn documents(&self, coverage: &mut Coverage, each: &mut dyn FnMut(View<'_>)) {
        let text = match self.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*self.path, why),
        };
        let ((tree, broken), language) = if ends_in(&self.path, &["json", "jsonc"]) {
            (Tree::parse_json(text), "JSON")
        } else if ends_in(&self.path, &["toml"]) {
            (Tree::parse_toml(text), "TOML")
        } else {
            (yaml(&self.path, text), "YAML")
        };
        for root in tree.roots() {
            each(root);
        }
        self.complain(&tree, broken, language, coverage);
    }

    /// Says what of the file was not read.
    pub(super) fn complain(&self, tree: &Tree, broken: Option<Broken>, language: &str, coverage: &mut Coverage) {
        if let Some(Broken { line, why }) = broken {
            coverage.trouble(&*self.path, format!("not valid {language} at line {line}: {}", clean(&why)));
        } else if tree.is_worn_out() {
            coverage.trouble(&*self.path, "its aliases repeat too much: not all of its references are followed");
        }
    }

    pub(in crate::ownership) fn place(&self, view: View<'_>) -> Place {
        Place { path: Arc::clone(&self.path), line: view.line(), bytes: view.bytes() }
    }
}

/// A text as YAML. One that is filled in first, by ERB or as its name says, and is none as it stands, is read without its actions.
fn yaml(path: &str, text: &str) -> (Tree, Option<Broken>) {
    let (tree, broken) = Tree::parse(text);
    if broken.is_none() || !text.contains("<%") && templates::becomes(path).is_none() {
        return (tree, broken);
    }
    match Tree::parse(&templates::with_marks(text)) {
        (filled, None) => (filled, None),
        _ => (tree, broken),
    }
}
