//! From the parser's events to nodes, and from its character counts to bytes.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, ScalarStyle, Span, Tag};
use zeroize::Zeroizing;

use super::{Content, Node};

/// Nodes kept of one file: about 50 bytes each and the text.
pub(super) const NODES: usize = 300_000;
pub(super) const TOO_MANY: &str = "more than 300000 values in one file";
/// Nesting beyond this is refused; pod templates need about twelve.
pub(super) const DEPTH: usize = 64;
pub(super) const TOO_DEEP: &str = "nested deeper than 64 levels";

/// Turns events into nodes.
pub(super) struct Builder<'t> {
    offsets: Offsets<'t>,
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
    /// Containers that are still open: node, anchor, and in a mapping the key that waits for its value.
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
}

struct Open {
    node: usize,
    anchor: usize,
    key: Option<usize>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(offsets: Offsets<'t>) -> Self {
        Self { offsets, nodes: Vec::new(), roots: Vec::new(), open: Vec::new(), anchors: HashMap::new() }
    }

    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = Zeroizing::new(text.into_owned());
                let id = self.add(Content::Scalar { text, plain: style == ScalarStyle::Plain }, span)?;
                self.nodes[id].tag = own(tag);
                self.finish(id, anchor);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.start(Content::Sequence(Vec::new()), anchor, span)?.tag = own(tag);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.start(Content::Mapping(Vec::new()), anchor, span)?.tag = own(tag);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let end = self.offsets.byte(span.start.index());
                    let node = &mut self.nodes[open.node];
                    node.bytes.end = end.max(node.bytes.start);
                    self.finish(open.node, open.anchor);
                }
            }
            Event::Alias(anchor) => {
                let id = match self.anchors.get(&anchor) {
                    Some(&id) => id,
                    // An alias to a node that is still open: a cycle. It stands for nothing.
                    None => self.add(Content::Scalar { text: Zeroizing::default(), plain: true }, span)?,
                };
                self.place(id);
            }
            Event::DocumentStart(..) => self.anchors.clear(),
            // Comments, anchors by name and aliases to nothing are not asked for.
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, content: Content, span: Span) -> Result<usize, &'static str> {
        if self.nodes.len() >= NODES {
            return Err(TOO_MANY);
        }
        let bytes = self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index());
        self.nodes.push(Node { content, bytes, line: span.start.line() as u64, tag: None });
        Ok(self.nodes.len() - 1)
    }

    fn start(&mut self, content: Content, anchor: usize, span: Span) -> Result<&mut Node, &'static str> {
        if self.open.len() >= DEPTH {
            return Err(TOO_DEEP);
        }
        let node = self.add(content, span)?;
        self.open.push(Open { node, anchor, key: None });
        Ok(&mut self.nodes[node])
    }

    /// A node is complete: it may be referred to, and takes its place.
    fn finish(&mut self, id: usize, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.place(id);
    }

    fn place(&mut self, id: usize) {
        let Some(open) = self.open.last_mut() else {
            self.roots.push(id);
            return;
        };
        match &mut self.nodes[open.node].content {
            Content::Sequence(items) => items.push(id),
            Content::Mapping(entries) => match open.key.take() {
                None => open.key = Some(id),
                Some(key) => entries.push((key, id)),
            },
            Content::Scalar { .. } => {}
        }
    }
}

/// A file's own tag; those of YAML's core schema are none.
fn own(tag: Option<Cow<'_, Tag>>) -> Option<Box<str>> {
    tag.filter(|tag| tag.handle() == "!").map(|tag| Box::from(tag.suffix()))
}

/// The parser counts characters; findings count bytes.
pub(super) struct Offsets<'t> {
    text: &'t str,
    /// Byte offset of every 64th character, for texts that are not plain ASCII.
    marks: Option<Vec<u64>>,
    base: u64,
}

impl<'t> Offsets<'t> {
    pub(super) fn new(text: &'t str, base: u64) -> Self {
        let marks = (!text.is_ascii())
            .then(|| text.char_indices().step_by(64).map(|(offset, _)| offset as u64).collect::<Vec<u64>>());
        Self { text, marks, base }
    }

    fn byte(&self, index: usize) -> u64 {
        let offset = match &self.marks {
            None => index.min(self.text.len()),
            Some(marks) => match marks.get(index / 64) {
                None => self.text.len(),
                Some(&mark) => {
                    let rest = self.text.get(mark as usize..).unwrap_or_default();
                    rest.char_indices().nth(index % 64).map_or(self.text.len(), |(offset, _)| mark as usize + offset)
                }
            },
        };
        self.base + offset as u64
    }
}
