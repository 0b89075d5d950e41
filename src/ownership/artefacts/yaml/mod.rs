//! YAML, and JSON and TOML with it, as a small tree in which every value knows its place in the file.
//!
//! Built from granit-parser's events, which never expand aliases: an alias is one more reference to the anchored node,
//! so a "billion laughs" file is as small here as on disk. An anchor counts from the end of its node on, so there are no
//! cycles. What is left to a hostile file is to make a reader walk one node again and again; [`Tree`] counts steps and
//! goes silent after a million of them.

mod build;
mod json;
mod toml;

use std::cell::Cell;
use std::ops::Range;

use granit_parser::{Event, Parser};
use zeroize::Zeroizing;

use build::{Builder, Offsets};

use crate::ownership::roll::clean;

/// Steps that all walks over one tree may take together.
const STEPS: u32 = 1_000_000;
/// Longest way to a scalar that is spelt out, in bytes.
const WAY: usize = 160;

/// Why a file, or the rest of one, was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ownership) struct Broken {
    /// Where reading stopped, from 1.
    pub(in crate::ownership) line: usize,
    /// In words. The parser's own say at most one character of the file.
    pub(super) why: String,
}

/// Every document of one file.
pub(in crate::ownership) struct Tree {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    steps: Cell<u32>,
}

struct Node {
    content: Content,
    bytes: Range<u64>,
    line: u64,
    /// A tag of the file's own (`!Ref`), without the `!`. YAML's own (`!!str`) say nothing new.
    tag: Option<Box<str>>,
}

enum Content {
    /// Wiped when dropped, as it may be a secret. The parser's own scratch copies of quoted and block scalars are not.
    Scalar {
        text: Zeroizing<String>,
        plain: bool,
    },
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

impl Tree {
    /// Reads as far as the text is valid. What came before a mistake is kept, whole documents only.
    pub(in crate::ownership) fn parse(text: &str) -> (Self, Option<Broken>) {
        // The parser counts characters and takes no byte order mark for one of them when it stands first.
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut builder = Builder::new(Offsets::new(body, (text.len() - body.len()) as u64));
        let mut parser = Parser::new_from_str(body);
        let broken = loop {
            match parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => break None,
                Some(Ok((event, span))) => {
                    if let Err(why) = builder.take(event, span) {
                        break Some(Broken { line: span.start.line(), why: why.to_owned() });
                    }
                }
                Some(Err(error)) => {
                    break Some(Broken { line: error.marker().line(), why: error.info() });
                }
            }
        };
        (Self { nodes: builder.nodes, roots: builder.roots, steps: Cell::new(STEPS) }, broken)
    }

    /// Reads JSON as editors and agents write it, with comments and trailing commas. All of it or nothing.
    pub(super) fn parse_json(text: &str) -> (Self, Option<Broken>) {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::parse_json_at(body, (text.len() - body.len()) as u64, 1)
    }

    /// The same for a piece of a file that begins at that byte and in that line.
    pub(super) fn parse_json_at(text: &str, byte: u64, line: u64) -> (Self, Option<Broken>) {
        let (nodes, roots, broken) = match json::read(text, byte, line) {
            Ok((nodes, root)) => (nodes, root.into_iter().collect(), None),
            Err(broken) => (Vec::new(), Vec::new(), Some(broken)),
        };
        (Self { nodes, roots, steps: Cell::new(STEPS) }, broken)
    }

    /// Reads TOML. All of it or nothing.
    pub(super) fn parse_toml(text: &str) -> (Self, Option<Broken>) {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (nodes, roots, broken) = match toml::read(body, (text.len() - body.len()) as u64) {
            Ok((nodes, root)) => (nodes, vec![root], None),
            Err(broken) => (Vec::new(), Vec::new(), Some(broken)),
        };
        (Self { nodes, roots, steps: Cell::new(STEPS) }, broken)
    }

    /// The documents in order.
    pub(in crate::ownership) fn roots(&self) -> impl Iterator<Item = View<'_>> {
        self.roots.iter().map(|&id| View { tree: self, id })
    }

    /// Whether the walks so far used up the steps, so that some of the file was not seen.
    pub(super) fn is_worn_out(&self) -> bool {
        self.steps.get() == 0
    }

    fn step(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }
}

/// One node of a [`Tree`].
#[derive(Clone, Copy)]
pub(in crate::ownership) struct View<'t> {
    tree: &'t Tree,
    id: usize,
}

impl<'t> View<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.id]
    }

    /// A scalar's value.
    pub(in crate::ownership) fn text(self) -> Option<&'t str> {
        match &self.node().content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it says that there is nothing: `null`, `~` or no value at all.
    pub(in crate::ownership) fn is_null(self) -> bool {
        matches!(&self.node().content, Content::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether it is a mapping.
    pub(in crate::ownership) fn is_mapping(self) -> bool {
        matches!(self.node().content, Content::Mapping(_))
    }

    /// Its tag without the `!`, where it has one of its own.
    pub(in crate::ownership) fn tag(self) -> Option<&'t str> {
        self.node().tag.as_deref()
    }

    /// Its first line, from 1.
    pub(in crate::ownership) fn line(self) -> u64 {
        self.node().line
    }

    /// Its bytes in the file, quotes included.
    pub(in crate::ownership) fn bytes(self) -> Range<u64> {
        self.node().bytes.clone()
    }

    /// The items of a sequence; nothing for anything else.
    pub(in crate::ownership) fn items(self) -> impl Iterator<Item = View<'t>> {
        let items: &[usize] = match &self.node().content {
            Content::Sequence(items) => items,
            _ => &[],
        };
        items.iter().map_while(move |&id| self.tree.step().then_some(View { tree: self.tree, id }))
    }

    /// The value of a key, `<<` merges included. The last one counts where a key is repeated.
    pub(in crate::ownership) fn get(self, key: &str) -> Option<View<'t>> {
        let mut found = None;
        self.visit(&mut |name, value| {
            let hit = name.text() == Some(key);
            if hit {
                found = Some(value);
            }
            !hit
        });
        found
    }

    /// The value at the end of a path of keys.
    pub(in crate::ownership) fn at(self, path: &[&str]) -> Option<View<'t>> {
        path.iter().try_fold(self, |view, key| view.get(key))
    }

    /// The text at the end of a path of keys; nothing when it is null or empty.
    pub(in crate::ownership) fn text_at(self, path: &[&str]) -> Option<&'t str> {
        self.at(path).filter(|view| !view.is_null()).and_then(View::text).filter(|text| !text.is_empty())
    }

    /// Keys and values of a mapping, `<<` merges included, each key once.
    pub(in crate::ownership) fn entries(self) -> Vec<(View<'t>, View<'t>)> {
        let mut seen = std::collections::HashSet::new();
        let mut entries = Vec::new();
        self.visit(&mut |key, value| {
            if key.text().is_none_or(|text| seen.insert(text)) {
                entries.push((key, value));
            }
            true
        });
        entries
    }

    /// Every scalar at or below this node with the way to it (`a.b[2]`), which is cut short where it is endless.
    pub(in crate::ownership) fn leaves(self, way: &str, each: &mut dyn FnMut(&str, View<'t>)) {
        self.leaves_below(way, build::DEPTH, each);
    }

    fn leaves_below(self, way: &str, depth: usize, each: &mut dyn FnMut(&str, View<'t>)) {
        if depth == 0 {
            // Deeper than any file nests: aliases in aliases.
            self.tree.steps.set(0);
            return;
        }
        let way = if way.len() > WAY { "…" } else { way };
        match &self.node().content {
            Content::Scalar { .. } => each(way, self),
            Content::Sequence(_) => {
                for (index, item) in self.items().enumerate() {
                    item.leaves_below(&format!("{way}[{index}]"), depth - 1, each);
                }
            }
            Content::Mapping(_) => {
                for (key, value) in self.entries() {
                    let key = clean(key.text().unwrap_or("?"));
                    let way = if way.is_empty() { key } else { format!("{way}.{key}") };
                    value.leaves_below(&way, depth - 1, each);
                }
            }
        }
    }

    /// Offers every entry, the ones that count most first, until told to stop.
    fn visit(self, each: &mut dyn FnMut(View<'t>, View<'t>) -> bool) {
        let (mut queue, mut seen) = (vec![self.id], std::collections::HashSet::new());
        while let Some(id) = queue.pop() {
            let Content::Mapping(entries) = &self.tree.nodes[id].content else { continue };
            if !seen.insert(id) {
                continue;
            }
            let mut merged = Vec::new();
            for &(key, value) in entries.iter().rev() {
                if !self.tree.step() {
                    return;
                }
                if self.tree.nodes[key].is_merge_key() {
                    merged.extend(self.tree.nodes[value].merge_sources(value));
                } else if !each(View { tree: self.tree, id: key }, View { tree: self.tree, id: value }) {
                    return;
                }
            }
            merged.reverse();
            queue.extend(merged);
        }
    }
}

impl Node {
    fn is_merge_key(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, plain: true } if text.as_str() == "<<")
    }

    /// The mappings that a `<<` names: this node itself, or each of its items.
    fn merge_sources(&self, own: usize) -> Vec<usize> {
        match &self.content {
            Content::Sequence(items) => items.clone(),
            _ => vec![own],
        }
    }
}

#[cfg(test)]
mod tests;
