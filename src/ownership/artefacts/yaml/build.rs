//! From the parser's events to nodes, and from its character counts to bytes.

use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle, Span};
use zeroize::Zeroizing;

use super::{Content, Node};

/// Nodes kept of one file: about 50 bytes each and the text.
const NODES: usize = 300_000;
/// Nesting beyond this is refused; pod templates need about twelve.
const DEPTH: usize = 64;

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
            Event::Scalar(text, style, anchor, _) => {
                let text = Zeroizing::new(text.into_owned());
                let id = self.add(Content::Scalar { text, plain: style == ScalarStyle::Plain }, span)?;
                self.finish(id, anchor);
            }
            Event::SequenceStart(anchor, _) => self.start(Content::Sequence(Vec::new()), anchor, span)?,
            Event::MappingStart(anchor, _) => self.start(Content::Mapping(Vec::new()), anchor, span)?,
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
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn add(&mut self, content: Content, span: Span) -> Result<usize, &'static str> {
        if self.nodes.len() >= NODES {
            return Err("more than 300000 values in one file");
        }
        let bytes = self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index());
        self.nodes.push(Node { content, bytes, line: span.start.line() as u64 });
        Ok(self.nodes.len() - 1)
    }

    fn start(&mut self, content: Content, anchor: usize, span: Span) -> Result<(), &'static str> {
        if self.open.len() >= DEPTH {
            return Err("nested deeper than 64 levels");
        }
        let node = self.add(content, span)?;
        self.open.push(Open { node, anchor, key: None });
        Ok(())
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
