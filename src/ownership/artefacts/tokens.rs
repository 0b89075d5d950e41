//! Code of JavaScript, TypeScript and Python as tokens: texts, names and marks, with comments left out and brackets matched. No more of
//! the languages is known; what a call is given stands between its brackets in all of them.

use std::ops::Range;

/// Tokens of one file.
const MOST: usize = 400_000;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Script,
    Python,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A text, without its quotes.
    Text,
    Name,
    /// `(`, `[` or `{`, with the number of the token that closes it.
    Open(usize),
    /// The same, with the number of the one that opens it.
    Close(usize),
    Mark(u8),
    /// The end of a line, outside of brackets.
    End,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) sort: Sort,
    pub(super) text: &'t str,
    pub(super) bytes: Range<usize>,
    /// From 1.
    pub(super) line: u64,
}

impl Token<'_> {
    /// Whether it is that mark.
    pub(super) fn is(&self, mark: u8) -> bool {
        self.sort == Sort::Mark(mark)
    }

    /// Whether it is that bracket, opening.
    pub(super) fn opens(&self, bracket: &str) -> bool {
        matches!(self.sort, Sort::Open(_)) && self.text == bracket
    }
}

/// The tokens of a file. Brackets that match nothing are left out.
pub(super) fn tokens(text: &str, language: Language) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), language, all: Vec::new(), open: Vec::new(), at: 0, line: 1 };
    while lexer.at < lexer.bytes.len() && lexer.all.len() < MOST {
        lexer.step();
    }
    // What nothing closes ends with the file.
    let last = lexer.all.len();
    for from in lexer.open {
        lexer.all[from].sort = Sort::Open(last);
    }
    lexer.all
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    language: Language,
    all: Vec<Token<'t>>,
    /// Brackets that are not closed yet.
    open: Vec<usize>,
    at: usize,
    line: u64,
}

impl Lexer<'_> {
    fn put(&mut self, sort: Sort, bytes: Range<usize>) {
        let text = self.text.get(bytes.clone()).unwrap_or_default();
        self.all.push(Token { sort, text, bytes, line: self.line });
    }

    /// Passes what stands up to that byte.
    fn pass(&mut self, to: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.bytes[self.at..to]).count() as u64;
        self.at = to;
    }

    /// Takes in one token, or passes what is none.
    fn step(&mut self) {
        let (start, byte) = (self.at, self.bytes[self.at]);
        let next = start + 1;
        let after = self.bytes.get(next).copied();
        let script = self.language == Language::Script;
        match byte {
            b'\n' => {
                if self.open.is_empty() {
                    self.put(Sort::End, start..next);
                }
                self.pass(next);
            }
            b'#' if !script => self.at = line_end(self.bytes, start),
            b'/' if script && after == Some(b'/') => self.at = line_end(self.bytes, start),
            b'/' if script && after == Some(b'*') => {
                let end = memchr::memmem::find(&self.bytes[start + 2..], b"*/");
                self.pass(end.map_or(self.bytes.len(), |end| start + 2 + end + 2));
            }
            b'"' | b'\'' | b'`' if byte != b'`' || script => {
                let inside = quoted(self.bytes, start, self.language);
                self.put(Sort::Text, inside.start..inside.end);
                self.pass(inside.after);
            }
            b'(' | b'[' | b'{' | b')' | b']' | b'}' => self.bracket(byte),
            _ if is_of_a_name(byte) => self.name(),
            _ => {
                if !byte.is_ascii_whitespace() {
                    self.put(Sort::Mark(byte), start..next);
                }
                self.at += 1;
            }
        }
    }

    fn bracket(&mut self, byte: u8) {
        let next = self.at + 1;
        let own = self.at..next;
        let pair = match byte {
            b')' => "(",
            b']' => "[",
            b'}' => "{",
            _ => {
                self.open.push(self.all.len());
                self.put(Sort::Open(usize::MAX), own);
                self.at += 1;
                return;
            }
        };
        if self.open.last().is_some_and(|&from| self.all[from].text == pair)
            && let Some(from) = self.open.pop()
        {
            self.all[from].sort = Sort::Open(self.all.len());
            self.put(Sort::Close(from), own);
        }
        self.at += 1;
    }

    fn name(&mut self) {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| is_of_a_name(*byte)) {
            self.at += 1;
        }
        // `f"…"`, `rb'…'`: the letters belong to the text.
        let prefix = self.language == Language::Python
            && self.at - start <= 2
            && matches!(self.bytes.get(self.at), Some(b'"' | b'\''))
            && self.bytes[start..self.at].iter().all(|byte| b"fFrRbBuU".contains(byte));
        if !prefix {
            self.put(Sort::Name, start..self.at);
        }
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end)
}

struct Inside {
    start: usize,
    end: usize,
    after: usize,
}

/// The text that begins with the quote at that byte. One of a single line that nothing closes ends with the line.
fn quoted(bytes: &[u8], at: usize, language: Language) -> Inside {
    let quote = bytes[at];
    let triple = language == Language::Python && bytes[at..].starts_with(&[quote; 3]);
    let (start, wide) = if triple { (at + 3, true) } else { (at + 1, quote == b'`') };
    let mut end = start;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 1,
            b'\n' if !wide => return Inside { start, end, after: end },
            own if own == quote && (!triple || bytes[end..].starts_with(&[quote; 3])) => {
                return Inside { start, end, after: end + if triple { 3 } else { 1 } };
            }
            _ => {}
        }
        end += 1;
    }
    Inside { start: start.min(bytes.len()), end: bytes.len(), after: bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::{Language, Sort, tokens};

    #[test]
    fn texts_names_and_marks_are_told_apart() {
        let said = |text: &str, language| -> Vec<String> {
            tokens(text, language).iter().map(|token| token.text.to_owned()).collect()
        };
        assert_eq!(
            said("new a.B(this, 'x', { k: \"v\" }) // 'no'", Language::Script).join(" "),
            "new a . B ( this , x , { k : v } )"
        );
        assert_eq!(said("B(self, \"x\", k=f'v') # 'no'\n", Language::Python).join(" "), "B ( self , x , k = v ) \n");
        assert_eq!(said("`a ${b} 'c`, /* 'd' */ e", Language::Script), ["a ${b} 'c", ",", "e"]);
        assert_eq!(said("'''a\n'b''' c", Language::Python), ["a\n'b", "c"]);
        assert_eq!(said("'it\nnext", Language::Script), ["it", "\n", "next"]);
    }

    #[test]
    fn brackets_know_their_others_and_no_file_is_too_odd() {
        let all = tokens("a(b[c]) }", Language::Script);
        assert_eq!((all[1].sort, all[3].sort, all[6].sort), (Sort::Open(6), Sort::Open(5), Sort::Close(1)));
        for text in ["(", ")", "'", "\"\\", "`", "/*", "'''", "é", "\\", "(]", "f'"] {
            for language in [Language::Script, Language::Python] {
                tokens(text, language);
                tokens(&text.repeat(10_000), language);
            }
        }
    }
}
