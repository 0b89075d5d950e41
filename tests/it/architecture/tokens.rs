//! Rust source as a flat list of tokens with lines: comments are gone, strings hold no code, and code that only tests
//! see can be left out.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::str::FromStr;

pub(super) struct Token {
    /// An identifier, one punctuation character, a bracket, or nothing for a literal.
    pub(super) text: String,
    pub(super) line: usize,
    /// For an opening bracket, the index of its closing one.
    pub(super) close: Option<usize>,
}

pub(super) struct Tokens(Vec<Token>);

impl Tokens {
    pub(super) fn read(source: &str) -> Result<Self, String> {
        let stream = TokenStream::from_str(source).map_err(|error| error.to_string())?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        Ok(Self(tokens))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.0.iter().enumerate()
    }

    pub(super) fn text(&self, at: usize) -> &str {
        self.0.get(at).map_or("", |token| &token.text)
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.0.get(at).map_or(0, |token| token.line)
    }

    pub(super) fn close(&self, at: usize) -> Option<usize> {
        self.0.get(at).and_then(|token| token.close)
    }

    /// Whether these texts stand at `at`.
    pub(super) fn stands(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(offset, text)| self.text(at + offset) == *text)
    }

    /// Whether `::` stands before `at`.
    pub(super) fn follows_colons(&self, at: usize) -> bool {
        at >= 2 && self.stands(at - 2, &[":", ":"])
    }

    /// What is named directly behind the path that ends at `at`: `a` in `…::a::b`, both in `…::{a::b, c}`; `*` for
    /// all of it, by glob, `self` or `as`. Each with its line.
    pub(super) fn named_behind(&self, at: usize) -> Vec<(usize, String)> {
        if self.text(at + 1) == "as" {
            return vec![(self.line(at), "*".to_owned())];
        }
        if !self.stands(at + 1, &[":", ":"]) {
            return Vec::new();
        }
        let first = at + 3;
        let Some(end) = self.close(first) else { return vec![(self.line(first), whole(self.text(first)))] };
        let mut named = Vec::new();
        let mut entry = first + 1;
        while entry < end {
            named.push((self.line(entry), whole(self.text(entry))));
            while entry < end && self.text(entry) != "," {
                entry = self.close(entry).unwrap_or(entry) + 1;
            }
            entry += 1;
        }
        named
    }

    /// Without the items under `#[cfg(test)]`, and the names of the modules among them that are files of their own.
    /// A file under `#![cfg(test)]` is left empty.
    pub(super) fn without_tests(self) -> (Self, Vec<String>) {
        let mut keep = vec![true; self.0.len()];
        let mut test_modules = Vec::new();
        for at in 0..self.0.len() {
            if self.stands(at, &["#", "!"]) && self.is_cfg_test(at + 2) {
                return (Self(Vec::new()), Vec::new());
            }
            if !keep[at] || self.text(at) != "#" || !self.is_cfg_test(at + 1) {
                continue;
            }
            let end = self.item_end(at);
            keep[at..end].fill(false);
            if end >= 3 && self.text(end - 1) == ";" && self.text(end - 3) == "mod" {
                test_modules.push(self.text(end - 2).to_owned());
            }
        }
        (self.only(&keep), test_modules)
    }

    /// The tokens to keep, with the brackets' indices put right.
    fn only(self, keep: &[bool]) -> Self {
        let mut kept_before = 0;
        let mut moved = Vec::with_capacity(keep.len());
        for &keep in keep {
            moved.push(kept_before);
            kept_before += usize::from(keep);
        }
        let kept = self.0.into_iter().zip(keep).filter(|(_, keep)| **keep);
        Self(kept.map(|(token, _)| Token { close: token.close.map(|close| moved[close]), ..token }).collect())
    }

    /// Whether `[cfg(test)]` or `[cfg(all(test, …))]` stands at `at`; `any(test, …)` is not for tests alone.
    fn is_cfg_test(&self, at: usize) -> bool {
        self.stands(at, &["[", "cfg", "(", "test", ")", "]"]) || self.stands(at, &["[", "cfg", "(", "all", "(", "test", ","])
    }

    /// One past the end of the item that begins, with its attributes, at `at`: its `;`, or its first braces.
    fn item_end(&self, mut at: usize) -> usize {
        while at < self.0.len() {
            match (self.text(at), self.close(at)) {
                (";", _) => return at + 1,
                ("{", Some(close)) => return close + 1,
                (_, close) => at = close.unwrap_or(at) + 1,
            }
        }
        at
    }
}

fn whole(name: &str) -> String {
    if name == "self" { "*".to_owned() } else { name.to_owned() }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let text = match tree {
            TokenTree::Ident(ident) => ident.to_string().trim_start_matches("r#").to_owned(),
            TokenTree::Punct(punct) => punct.as_char().to_string(),
            TokenTree::Literal(_) => String::new(),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let at = tokens.len();
                tokens.push(Token { text: open.to_owned(), line, close: None });
                flatten(group.stream(), tokens);
                tokens[at].close = Some(tokens.len());
                tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line, close: None });
                continue;
            }
        };
        tokens.push(Token { text, line, close: None });
    }
}
