//! YAML (and JSON, which is YAML) as a small tree with places. An alias shares its node, so no bomb grows; depth and the
//! number of nodes are bounded.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, Span};

const DEEPEST: usize = 64;
const MOST: usize = 300_000;
/// How many merged maps are looked into for one key.
const MERGES: usize = 64;

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Line of its first character, from 1.
    pub(super) line: usize,
    /// Where it stands, in bytes. Quotes are part of it.
    pub(super) span: Range<u64>,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar(String),
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>),
}

impl Node {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Rc<Node>] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The pairs of a map; none of anything else.
    pub(super) fn pairs(&self) -> &[(String, Rc<Node>)] {
        match &self.kind {
            Kind::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// The value under a key, merged maps included.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let mut budget = MERGES;
        self.find(key, &mut budget)
    }

    /// Merge keys that merge merge keys can name each other many times over; `budget` bounds the whole search.
    fn find(&self, key: &str, budget: &mut usize) -> Option<&Node> {
        let own = self.pairs().iter().find(|(name, _)| name == key).map(|(_, node)| &**node);
        if own.is_some() {
            return own;
        }
        for (_, merged) in self.pairs().iter().filter(|(name, _)| name == "<<") {
            let several = merged.items().iter().map(|node| &**node);
            for node in several.chain([&**merged]) {
                *budget = budget.checked_sub(1)?;
                if let Some(found) = node.find(key, budget) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// The value at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text at the end of a path of keys.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }
}

/// Character offsets → byte offsets.
struct Offsets(Option<Vec<u32>>);

impl Offsets {
    fn new(text: &str) -> Self {
        // The parser counts characters. In ASCII these are bytes.
        Self((!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at as u32).chain([text.len() as u32]).collect()))
    }

    fn bytes(&self, span: Span) -> Range<u64> {
        let at = |index: usize| match &self.0 {
            None => index as u64,
            Some(table) => table.get(index).or(table.last()).map_or(0, |&at| u64::from(at)),
        };
        at(span.start.index())..at(span.end.index())
    }
}

/// A list or map whose end has not come yet.
struct Open {
    map: bool,
    anchor: usize,
    /// A map's keys and values alternate.
    children: Vec<Rc<Node>>,
    start: u64,
    line: usize,
}

struct Builder {
    offsets: Offsets,
    anchors: HashMap<usize, Rc<Node>>,
    open: Vec<Open>,
    documents: Vec<Rc<Node>>,
    nodes: usize,
}

/// Reads every document of a text.
///
/// # Errors
/// In words for the coverage line: a template, or a text that is not YAML, or one too deep or large.
pub(super) fn read(text: &str) -> Result<Vec<Rc<Node>>, &'static str> {
    let mut builder =
        Builder { offsets: Offsets::new(text), anchors: HashMap::new(), open: Vec::new(), documents: Vec::new(), nodes: 0 };
    for event in Parser::new_from_str(text) {
        let wrong = if text.contains("{{") { "manifest that is a template" } else { "manifest that cannot be parsed" };
        let (event, span) = event.map_err(|_| wrong)?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        let (bytes, line) = (self.offsets.bytes(span), span.start.line());
        match event {
            Event::Scalar(text, _, anchor, _) => {
                self.done(Node { kind: Kind::Scalar(text.into_owned()), line, span: bytes }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(false, anchor, bytes.start, line),
            Event::MappingStart(anchor, _) => self.begin(true, anchor, bytes.start, line),
            Event::SequenceEnd | Event::MappingEnd => self.end(bytes.end),
            Event::Alias(anchor) => {
                // An alias inside its own anchor is not known yet, and stays empty.
                let empty = || Rc::new(Node { kind: Kind::Scalar(String::new()), line, span: bytes.clone() });
                let node = self.anchors.get(&anchor).cloned().unwrap_or_else(empty);
                self.put(node)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, map: bool, anchor: usize, start: u64, line: usize) -> Result<(), &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("manifest too deep to read");
        }
        self.open.push(Open { map, anchor, children: Vec::new(), start, line });
        Ok(())
    }

    fn end(&mut self, until: u64) -> Result<(), &'static str> {
        let Some(Open { map, anchor, children, start, line }) = self.open.pop() else { return Ok(()) };
        let kind = if map {
            let pairs =
                children.chunks_exact(2).map(|pair| (pair[0].text().unwrap_or_default().to_owned(), Rc::clone(&pair[1])));
            Kind::Map(pairs.collect())
        } else {
            Kind::List(children)
        };
        self.done(Node { kind, line, span: start..until.max(start) }, anchor)
    }

    fn done(&mut self, node: Node, anchor: usize) -> Result<(), &'static str> {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node)
    }

    fn put(&mut self, node: Rc<Node>) -> Result<(), &'static str> {
        self.nodes += 1;
        if self.nodes > MOST {
            return Err("manifest too large to read");
        }
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}
