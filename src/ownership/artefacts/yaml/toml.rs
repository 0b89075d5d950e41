//! TOML into the same tree as YAML.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::build::{DEPTH, NODES, TOO_DEEP, TOO_MANY};
use super::{Broken, Content, Node};

/// The nodes of a text and its root, or what is wrong with it. It begins at that byte of its file.
pub(super) fn read(text: &str, base: u64) -> Result<(Vec<Node>, usize), Broken> {
    let newlines: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let mut copy = Copy { nodes: Vec::new(), newlines, base };
    let table = DeTable::parse(text).map_err(|error| {
        let line = copy.line(error.span().map_or(0, |span| span.start));
        // The parser's own words may hold the file's.
        Broken { line, why: "a mistake, or nested too deep".to_owned() }
    })?;
    let span = table.span();
    let root = copy.table(table.get_ref(), span, 0)?;
    Ok((copy.nodes, root))
}

struct Copy {
    nodes: Vec<Node>,
    newlines: Vec<usize>,
    base: u64,
}

type Span = std::ops::Range<usize>;

impl Copy {
    fn table(&mut self, table: &DeTable<'_>, span: Span, depth: usize) -> Result<usize, Broken> {
        let id = self.add(Content::Mapping(Vec::new()), span)?;
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let name = Content::Scalar { text: Zeroizing::new(key.get_ref().to_string()), plain: false };
            let key = self.add(name, key.span())?;
            entries.push((key, self.value(value, depth + 1)?));
        }
        self.nodes[id].content = Content::Mapping(entries);
        Ok(id)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<usize, Broken> {
        let span = value.span();
        if depth >= DEPTH {
            return Err(Broken { line: self.line(span.start), why: TOO_DEEP.to_owned() });
        }
        let scalar = |text: String, plain| Content::Scalar { text: Zeroizing::new(text), plain };
        match value.get_ref() {
            DeValue::String(text) => self.add(scalar(text.to_string(), false), span),
            DeValue::Integer(number) => self.add(scalar(number.as_str().to_owned(), true), span),
            DeValue::Float(number) => self.add(scalar(number.as_str().to_owned(), true), span),
            DeValue::Boolean(is) => self.add(scalar(is.to_string(), true), span),
            DeValue::Datetime(time) => self.add(scalar(time.to_string(), true), span),
            DeValue::Array(array) => {
                let id = self.add(Content::Sequence(Vec::new()), span)?;
                let items = array.iter().map(|item| self.value(item, depth + 1)).collect::<Result<_, _>>()?;
                self.nodes[id].content = Content::Sequence(items);
                Ok(id)
            }
            DeValue::Table(table) => self.table(table, span, depth),
        }
    }

    fn add(&mut self, content: Content, span: Span) -> Result<usize, Broken> {
        let line = self.line(span.start);
        if self.nodes.len() >= NODES {
            return Err(Broken { line, why: TOO_MANY.to_owned() });
        }
        let bytes = self.base + span.start as u64..self.base + span.end as u64;
        self.nodes.push(Node { content, bytes, line: line as u64, tag: None });
        Ok(self.nodes.len() - 1)
    }

    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        self.newlines.partition_point(|newline| *newline < byte) + 1
    }
}
