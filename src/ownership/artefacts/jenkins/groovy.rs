//! As much of Groovy as a pipeline needs to be read: texts in quotes, the blocks that they stand in, and the statement before them.
//! Comments are passed over. What is computed is not followed.

use std::ops::Range;

/// Blocks in blocks; pipelines have ten at most.
const DEPTH: usize = 64;
/// Texts of one file, each of which remembers the blocks around it.
pub(super) const TEXTS: usize = 20_000;
/// Bytes of a statement before a text that are looked at.
const HEAD: usize = 400;

/// One text in quotes.
pub(super) struct Text<'t> {
    /// Without its quotes, as it stands.
    pub(super) bytes: Range<usize>,
    /// From 1.
    pub(super) line: u64,
    /// What the blocks around it begin with, outermost first: `stage('Build')`, `environment`.
    pub(super) within: Vec<&'t str>,
    /// What stands before it in its statement: `KEY =`, `sh`.
    pub(super) head: &'t str,
}

/// The texts of a file, in order: [`TEXTS`] of them at most.
pub(super) fn texts(source: &str) -> Vec<Text<'_>> {
    let mut reader = Reader { source, at: 0, statement: 0, line: 1, within: Vec::new(), found: Vec::new() };
    while reader.at < source.len() && reader.found.len() < TEXTS {
        reader.step();
    }
    reader.found
}

struct Reader<'t> {
    source: &'t str,
    at: usize,
    /// Where the statement begins.
    statement: usize,
    line: u64,
    within: Vec<&'t str>,
    found: Vec<Text<'t>>,
}

impl<'t> Reader<'t> {
    fn step(&mut self) {
        let rest = &self.source[self.at..];
        if rest.starts_with("//") {
            return self.skip(rest.find('\n').unwrap_or(rest.len()));
        }
        if let Some(inner) = rest.strip_prefix("/*") {
            return self.skip(inner.find("*/").map_or(rest.len(), |end| end + 4));
        }
        for quote in ["'''", "\"\"\"", "'", "\""] {
            if rest.starts_with(quote) {
                return self.text(quote);
            }
        }
        let first = rest.chars().next().map_or(1, char::len_utf8);
        match rest.as_bytes()[0] {
            b'{' => {
                if self.within.len() < DEPTH {
                    self.within.push(self.head());
                }
                self.statement = self.at + 1;
            }
            b'}' => {
                self.within.pop();
                self.statement = self.at + 1;
            }
            // A list or call may run over several lines: its statement is what it began with.
            b'\n' if !self.is_open() => self.statement = self.at + 1,
            b';' => self.statement = self.at + 1,
            _ => {}
        }
        self.skip(first);
    }

    fn head(&self) -> &'t str {
        let mut start = self.statement.max(self.at.saturating_sub(HEAD));
        while !self.source.is_char_boundary(start) {
            start += 1;
        }
        self.source[start..self.at].trim()
    }

    /// Whether the statement has a bracket that is not closed, or ends in what needs more.
    fn is_open(&self) -> bool {
        let head = self.head();
        let count = |all: [char; 2]| head.matches(all).count();
        count(['(', '[']) > count([')', ']']) || head.ends_with(['=', ',', '+', '\\'])
    }

    fn text(&mut self, quote: &str) {
        let start = self.at + quote.len();
        let end = closing(&self.source[start..], quote).map_or(self.source.len(), |end| start + end);
        let (head, within) = (self.head(), self.within.clone());
        self.found.push(Text { bytes: start..end, line: self.line, within, head });
        self.skip((end + quote.len()).min(self.source.len()) - self.at);
    }

    fn skip(&mut self, bytes: usize) {
        let passed = &self.source.as_bytes()[self.at..self.at + bytes];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at += bytes;
    }
}

/// Where the quotes close. A text in single quotes ends with its line at the latest, so that one apostrophe in a pattern does not turn
/// the rest of the file around.
fn closing(text: &str, quote: &str) -> Option<usize> {
    let (mut escaped, bytes) = (false, text.as_bytes());
    for (index, byte) in bytes.iter().enumerate() {
        if !escaped && bytes[index..].starts_with(quote.as_bytes()) {
            return Some(index);
        }
        if quote.len() == 1 && *byte == b'\n' {
            return Some(index);
        }
        escaped = *byte == b'\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{TEXTS, texts};

    #[test]
    fn texts_know_their_blocks_and_statements() {
        let source = "// 'a'\npipeline {\n  environment { K = 'v\\'w' }\n  /* \"b\" */\n  stages { stage('Build') { steps { sh '''x\ny''' ; withEnv([\n  \"A=b\"]) { echo 'it' } } } }\n}\ndef é = 'z'\n";
        let found: Vec<_> = texts(source)
            .iter()
            .map(|text| (source[text.bytes.clone()].to_owned(), text.line, text.within.join("/"), text.head.to_owned()))
            .collect();
        let expected = [
            ("v\\'w", 3, "pipeline/environment", "K ="),
            ("Build", 5, "pipeline/stages", "stage("),
            ("x\ny", 5, "pipeline/stages/stage('Build')/steps", "sh"),
            ("A=b", 7, "pipeline/stages/stage('Build')/steps", "withEnv(["),
            ("it", 7, "pipeline/stages/stage('Build')/steps/withEnv([\n  \"A=b\"])", "echo"),
            ("z", 9, "", "def é ="),
        ]
        .map(|(text, line, within, head)| (text.to_owned(), line, within.to_owned(), head.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn odd_sources_end() {
        for source in ["'", "\"\"\"", "/*", "}}}}", "\\", "'\\", "é'é", &"{".repeat(10_000), &"('".repeat(10_000)] {
            texts(source);
        }
        assert_eq!(texts(&format!("{}{}", "{".repeat(64), "'a' ".repeat(TEXTS + 1))).len(), TEXTS);
    }
}
