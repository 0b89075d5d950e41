//! Property lists as Xcode writes its projects: `{ key = value; }`, `( a, b )`, texts with quotes or without, comments between
//! (developer.apple.com, "Old-Style ASCII Property Lists").

/// Nesting that is followed; a project has five levels.
const DEPTH: usize = 32;
/// Nodes of one file.
const MOST: usize = 1_000_000;

/// One node.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node<'t> {
    /// Its text without quotes, and where that begins.
    Text(&'t str, usize),
    Dict(Vec<(&'t str, Node<'t>)>),
    List(Vec<Node<'t>>),
}

impl<'t> Node<'t> {
    pub(super) fn text(&self) -> Option<&'t str> {
        match self {
            Self::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(own, _)| *own == key).map(|(_, node)| node)
    }

    pub(super) fn text_at(&self, key: &str) -> Option<&'t str> {
        self.get(key).and_then(Node::text)
    }

    pub(super) fn entries(&self) -> &[(&'t str, Self)] {
        match self {
            Self::Dict(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Every text at or below it.
    pub(super) fn texts(&self, each: &mut dyn FnMut(&'t str, usize)) {
        match self {
            Self::Text(text, at) => each(text, *at),
            Self::Dict(entries) => entries.iter().for_each(|(_, node)| node.texts(each)),
            Self::List(items) => items.iter().for_each(|node| node.texts(each)),
        }
    }
}

/// The one value of a file; nothing where it is none.
pub(super) fn parse(text: &str) -> Option<Node<'_>> {
    let mut parser = Parser { text, at: 0, left: MOST };
    parser.value(DEPTH)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    left: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes white space and comments.
    fn pass(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;
            let rest = self.rest();
            let end = if rest.starts_with("/*") {
                rest.find("*/").map(|end| end + 2)
            } else if rest.starts_with("//") {
                rest.find('\n')
            } else {
                return;
            };
            self.at += end.unwrap_or(rest.len());
        }
    }

    fn takes(&mut self, mark: char) -> bool {
        self.pass();
        let there = self.rest().starts_with(mark);
        self.at += if there { mark.len_utf8() } else { 0 };
        there
    }

    fn value(&mut self, depth: usize) -> Option<Node<'t>> {
        let depth = depth.checked_sub(1)?;
        self.left = self.left.checked_sub(1)?;
        if self.takes('{') {
            let mut entries = Vec::new();
            while !self.takes('}') {
                let (key, _) = self.scalar()?;
                if !self.takes('=') {
                    return None;
                }
                entries.push((key, self.value(depth)?));
                self.takes(';');
            }
            return Some(Node::Dict(entries));
        }
        if self.takes('(') {
            let mut items = Vec::new();
            while !self.takes(')') {
                items.push(self.value(depth)?);
                self.takes(',');
            }
            return Some(Node::List(items));
        }
        self.scalar().map(|(text, at)| Node::Text(text, at))
    }

    fn scalar(&mut self) -> Option<(&'t str, usize)> {
        self.pass();
        let rest = self.rest();
        let first = rest.chars().next()?;
        if first == '"' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find_map(|(at, c)| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes.then_some(at)
            })?;
            let start = self.at + 1;
            self.at += end + 1;
            return Some((&rest[1..end], start));
        }
        let end = rest.find(|c: char| c.is_whitespace() || "{}()=;,\"".contains(c)).unwrap_or(rest.len());
        let start = self.at;
        self.at += end;
        (end > 0).then(|| (&rest[..end], start))
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, parse};

    #[test]
    fn every_shape_is_read_and_nothing_else() {
        let text = "// !$*UTF8*$!\n{ a = b; /* x */ \"c d\" = ( e, \"f \\\" g\", ); h = { i = \"\"; }; }\n";
        let root = parse(text).expect("a list");
        assert_eq!(root.text_at("a"), Some("b"));
        let items: Vec<_> = root.get("c d").expect("a list").items().iter().filter_map(Node::text).collect();
        assert_eq!(items, ["e", "f \\\" g"]);
        assert_eq!(root.get("h").and_then(|node| node.text_at("i")), Some(""));
        for broken in ["", "{ a", "{ a = ", "( \"x", "{ = }", "}", &"(".repeat(10_000)] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}
