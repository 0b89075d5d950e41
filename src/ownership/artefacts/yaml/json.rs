//! JSON with comments and trailing commas, as editors and agents keep their settings, into the same tree as YAML.

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use zeroize::Zeroizing;

use super::build::{DEPTH, NODES, TOO_DEEP, TOO_MANY};
use super::{Broken, Content, Node};

/// What editors allow beyond JSON, and nothing else: JSON5 is another language.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The nodes of a text and its root, or what is wrong with it. It begins at that byte and in that line of its file.
pub(super) fn read(text: &str, base: u64, first: u64) -> Result<(Vec<Node>, Option<usize>), Broken> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS)
        .map_err(|error| Broken { line: error.line_display() + first as usize - 1, why: error.kind().to_string() })?;
    let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let mut copy = Copy { nodes: Vec::new(), newlines, base, first: first as usize };
    let root = parsed.value.map(|value| copy.value(&value, 0)).transpose()?;
    Ok((copy.nodes, root))
}

struct Copy {
    nodes: Vec<Node>,
    newlines: Vec<usize>,
    base: u64,
    first: usize,
}

impl Copy {
    fn value(&mut self, value: &Value<'_>, depth: usize) -> Result<usize, Broken> {
        if depth >= DEPTH {
            return Err(Broken { line: self.line(value.start()), why: TOO_DEEP.to_owned() });
        }
        match value {
            Value::StringLit(text) => self.scalar(&text.value, false, value),
            Value::NumberLit(number) => self.scalar(number.value, true, value),
            Value::BooleanLit(is) => self.scalar(if is.value { "true" } else { "false" }, true, value),
            Value::NullKeyword(_) => self.scalar("null", true, value),
            Value::Array(array) => {
                let id = self.add(Content::Sequence(Vec::new()), value)?;
                let items = array.elements.iter().map(|item| self.value(item, depth + 1)).collect::<Result<_, _>>()?;
                self.nodes[id].content = Content::Sequence(items);
                Ok(id)
            }
            Value::Object(object) => {
                let id = self.add(Content::Mapping(Vec::new()), value)?;
                let mut entries = Vec::with_capacity(object.properties.len());
                for property in &object.properties {
                    let key = self.key(&property.name)?;
                    entries.push((key, self.value(&property.value, depth + 1)?));
                }
                self.nodes[id].content = Content::Mapping(entries);
                Ok(id)
            }
        }
    }

    fn key(&mut self, name: &ObjectPropName<'_>) -> Result<usize, Broken> {
        self.scalar(name.as_str(), false, name)
    }

    fn scalar(&mut self, text: &str, plain: bool, at: &dyn Ranged) -> Result<usize, Broken> {
        self.add(Content::Scalar { text: Zeroizing::new(text.to_owned()), plain }, at)
    }

    fn add(&mut self, content: Content, at: &dyn Ranged) -> Result<usize, Broken> {
        let line = self.line(at.start());
        if self.nodes.len() >= NODES {
            return Err(Broken { line, why: TOO_MANY.to_owned() });
        }
        let bytes = self.base + at.start() as u64..self.base + at.end() as u64;
        self.nodes.push(Node { content, bytes, line: line as u64, tag: None });
        Ok(self.nodes.len() - 1)
    }

    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        self.newlines.partition_point(|newline| *newline < byte) + self.first
    }
}
