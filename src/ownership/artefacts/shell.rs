//! Scripts as commands and words: POSIX shell (pubs.opengroup.org, "Shell Command Language", 2.2 Quoting, 2.3 Token Recognition),
//! batch files of Windows and PowerShell. Nothing is expanded or run. What is substituted (`$(…)`, backquotes) stays in the word
//! as it stands, and a here-document is passed over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::{Place, Sheet, ends_in};

/// Words of one file.
const WORDS: usize = 200_000;
/// Nested substitutions.
const DEPTH: usize = 50;

/// How a script is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Posix,
    Batch,
    PowerShell,
}

impl Dialect {
    /// By the file's name.
    pub(super) fn of(path: &str) -> Self {
        if ends_in(path, &["bat", "cmd"]) {
            Self::Batch
        } else if ends_in(path, &["ps1", "psm1"]) {
            Self::PowerShell
        } else {
            Self::Posix
        }
    }

    fn escape(self) -> u8 {
        match self {
            Self::Posix => b'\\',
            Self::Batch => b'^',
            Self::PowerShell => b'`',
        }
    }
}

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'t> {
    /// Without its quotes.
    pub(super) text: Cow<'t, str>,
    /// In the file, quotes at its ends included.
    pub(super) bytes: Range<usize>,
    /// From 1.
    pub(super) line: u64,
}

impl Word<'_> {
    /// Its place in the file.
    pub(super) fn place(&self, sheet: &Sheet<'_>) -> Place {
        Place {
            path: std::sync::Arc::clone(&sheet.path),
            line: self.line,
            bytes: self.bytes.start as u64..self.bytes.end as u64,
        }
    }
}

/// The words of one simple command.
pub(super) type Command<'t> = Vec<Word<'t>>;

/// The commands of a script, in order; those inside `if`, `for` and functions too.
pub(super) fn commands(text: &str, dialect: Dialect) -> Vec<Command<'_>> {
    let mut lexer =
        Lexer { text, bytes: text.as_bytes(), at: 0, line: 1, dialect, ends: Vec::new(), taken: 0, bodies: Vec::new() };
    let (mut all, mut command) = (Vec::new(), Vec::new());
    while let Some(token) = lexer.next() {
        match token {
            Token::Word(word) => command.push(word),
            Token::End if command.is_empty() => {}
            Token::End => all.push(std::mem::take(&mut command)),
        }
    }
    if !command.is_empty() {
        all.push(command);
    }
    all
}

/// The here-documents of a script alone, every byte in its place: all else is blank, and the word that ends a document is the mark
/// that ends one of YAML.
pub(super) fn documents(text: &str) -> String {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        dialect: Dialect::Posix,
        ends: Vec::new(),
        taken: 0,
        bodies: Vec::new(),
    };
    while lexer.next().is_some() {}
    let mut out: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
    for body in lexer.bodies {
        if let (Some(into), Some(from)) = (out.get_mut(body.clone()), text.as_bytes().get(body.clone())) {
            into.copy_from_slice(from);
        }
        if let Some(mark) = out.get_mut(body.end..body.end + 3).filter(|mark| !mark.contains(&b'\n')) {
            mark.copy_from_slice(b"---");
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// What simple assignments set variables to: `NAME=value` alone or after `export`, `$name = 'value'`, `set NAME=value`. Of two the
/// last counts.
pub(super) fn assigned<'c, 't>(commands: &'c [Command<'t>], dialect: Dialect) -> HashMap<String, &'c Word<'t>> {
    let mut all = HashMap::new();
    for command in commands {
        match dialect {
            Dialect::PowerShell => {
                if let [name, equals, value] = &command[..]
                    && equals.text == "="
                    && let Some(name) = name.text.strip_prefix('$')
                {
                    all.insert(name.to_ascii_lowercase(), value);
                }
            }
            Dialect::Batch => {
                if let [set, word, ..] = &command[..]
                    && set.text.eq_ignore_ascii_case("set")
                    && let Some((name, _)) = word.text.split_once('=')
                {
                    all.insert(name.to_ascii_lowercase(), word);
                }
            }
            Dialect::Posix => {
                let words =
                    command.iter().skip_while(|word| matches!(&*word.text, "export" | "readonly" | "local" | "declare"));
                for word in words {
                    let Some((name, _)) = word.text.split_once('=').filter(|(name, _)| is_variable(name)) else { break };
                    all.insert(name.to_owned(), word);
                }
            }
        }
    }
    all
}

/// The one variable that a word is from end to end: `$NAME`, `${NAME}`, `%NAME%`.
pub(super) fn variable(word: &str) -> Option<&str> {
    let rest = word.strip_prefix('$');
    let own = rest.map(|rest| rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(rest));
    let name = own.or_else(|| word.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')))?;
    is_variable(name).then_some(name)
}

/// Whether a variable may be called so.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

enum Token<'t> {
    Word(Word<'t>),
    End,
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: u64,
    dialect: Dialect,
    /// Words that end here-documents whose text begins after this line, and whether tabs may stand before them.
    ends: Vec<(String, bool)>,
    taken: usize,
    /// Where here-documents stand.
    bodies: Vec<Range<usize>>,
}

impl<'t> Lexer<'t> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Goes on by one byte.
    fn step(&mut self) {
        if self.peek(0) == Some(b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    /// Whether what stands here goes on in the next line, as far as it has been passed.
    fn continues(&mut self) -> bool {
        let skip = match (self.peek(0), self.peek(1), self.peek(2)) {
            (Some(escape), Some(b'\n'), _) if escape == self.dialect.escape() => 2,
            (Some(escape), Some(b'\r'), Some(b'\n')) if escape == self.dialect.escape() => 3,
            _ => return false,
        };
        for _ in 0..skip {
            self.step();
        }
        true
    }

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            let byte = self.peek(0)?;
            match byte {
                b' ' | b'\t' | b'\r' => self.step(),
                _ if self.continues() => {}
                b'#' if self.dialect != Dialect::Batch => self.pass_line(),
                b'\n' => {
                    self.step();
                    self.pass_documents();
                    return Some(Token::End);
                }
                b';' | b'|' | b'(' | b')' => {
                    self.step();
                    return Some(Token::End);
                }
                b'&' if self.dialect != Dialect::PowerShell || self.peek(1) == Some(b'&') => {
                    self.step();
                    return Some(Token::End);
                }
                b'<' | b'>' => self.redirection(),
                _ => {
                    self.taken += 1;
                    if self.taken > WORDS {
                        return None;
                    }
                    let word = self.word();
                    if self.dialect == Dialect::Batch && is_remark(&word.text) {
                        self.pass_line();
                        continue;
                    }
                    return Some(Token::Word(word));
                }
            }
        }
    }

    fn pass_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// `<`, `>>`, `2>&1`; what `<<` names ends a document.
    fn redirection(&mut self) {
        let open = self.at;
        while matches!(self.peek(0), Some(b'<' | b'>' | b'&' | b'|')) {
            self.step();
        }
        if self.dialect == Dialect::Posix && &self.bytes[open..self.at] == b"<<" {
            let tabs = self.peek(0) == Some(b'-');
            if tabs {
                self.step();
            }
            while matches!(self.peek(0), Some(b' ' | b'\t')) {
                self.step();
            }
            let end = self.word().text.into_owned();
            if !end.is_empty() && self.ends.len() < DEPTH {
                self.ends.push((end, tabs));
            }
        }
    }

    fn pass_documents(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.ends) {
            let body = self.at;
            while self.at < self.bytes.len() {
                let start = self.at;
                self.pass_line();
                let line = self.text.get(start..self.at).unwrap_or_default().trim_end_matches('\r');
                self.step();
                if line == end || tabs && line.trim_start_matches('\t') == end {
                    self.bodies.push(body.min(start)..start);
                    break;
                }
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    /// What stands up to the next space or mark that is not quoted.
    fn word(&mut self) -> Word<'t> {
        let (start, line) = (self.at, self.line);
        // The word as it stands for as long as nothing in it is quoted.
        let (mut made, mut from) = (None::<String>, self.at);
        while let Some(byte) = self.peek(0) {
            match byte {
                // A function's `()`, or an array: the words inside are words.
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'|' | b'<' | b'>' | b'(' | b')' | b'&' => break,
                b'\'' | b'"' if byte == b'"' || self.dialect != Dialect::Batch => {
                    made.get_or_insert_default().push_str(self.text.get(from..self.at).unwrap_or_default());
                    self.step();
                    self.quoted(byte, made.get_or_insert_default());
                    from = self.at;
                }
                b'$' if self.peek(1) == Some(b'(') => self.substitution(b'(', b')'),
                b'$' if self.peek(1) == Some(b'{') => self.substitution(b'{', b'}'),
                b'`' if self.dialect == Dialect::Posix => {
                    self.step();
                    while self.peek(0).is_some_and(|byte| byte != b'`') {
                        self.step();
                    }
                    self.step();
                }
                _ if self.continues_inside(&mut made, &mut from) => {}
                _ if byte == self.dialect.escape() && self.peek(1).is_some() => {
                    made.get_or_insert_default().push_str(self.text.get(from..self.at).unwrap_or_default());
                    self.step();
                    from = self.at;
                    self.step();
                }
                _ => self.step(),
            }
        }
        self.at = self.at.min(self.bytes.len());
        if self.at == start {
            // A mark that no word begins with.
            self.step();
            self.at = self.at.min(self.bytes.len());
        }
        let rest = self.text.get(from..self.at).unwrap_or_default();
        let text = match made {
            Some(mut made) => {
                made.push_str(rest);
                Cow::Owned(made)
            }
            None => Cow::Borrowed(rest),
        };
        Word { text, bytes: start..self.at, line }
    }

    /// A word that an escaped line's end breaks goes on.
    fn continues_inside(&mut self, made: &mut Option<String>, from: &mut usize) -> bool {
        let before = self.at;
        if !self.continues() {
            return false;
        }
        made.get_or_insert_default().push_str(self.text.get(*from..before).unwrap_or_default());
        *from = self.at;
        true
    }

    /// What stands up to the closing quote, which is passed.
    fn quoted(&mut self, quote: u8, into: &mut String) {
        let mut from = self.at;
        while let Some(byte) = self.peek(0) {
            if byte == quote {
                into.push_str(self.text.get(from..self.at).unwrap_or_default());
                return self.step();
            }
            let escapes = quote == b'"' && byte == self.dialect.escape() && self.dialect != Dialect::Batch;
            if escapes && matches!(self.peek(1), Some(b'"' | b'\\' | b'$' | b'`')) {
                into.push_str(self.text.get(from..self.at).unwrap_or_default());
                self.step();
                from = self.at;
            } else if escapes && self.peek(1) == Some(b'\n') {
                into.push_str(self.text.get(from..self.at).unwrap_or_default());
                self.step();
                self.step();
                from = self.at;
                continue;
            }
            self.step();
        }
        self.at = self.at.min(self.bytes.len());
        into.push_str(self.text.get(from..self.at).unwrap_or_default());
    }

    /// `$(…)` and `${…}`, passed as they stand.
    fn substitution(&mut self, open: u8, close: u8) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            self.step();
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            } else if depth > DEPTH {
                return;
            }
        }
    }
}

fn is_remark(word: &str) -> bool {
    word.eq_ignore_ascii_case("rem") || word.eq_ignore_ascii_case("@rem") || word.starts_with("::")
}

#[cfg(test)]
mod tests {
    use super::{Dialect, assigned, commands, documents, variable};

    fn said(text: &str, dialect: Dialect) -> Vec<Vec<String>> {
        let words = |command: &Vec<super::Word<'_>>| command.iter().map(|word| word.text.to_string()).collect();
        commands(text, dialect).iter().map(words).collect()
    }

    #[test]
    fn words_are_told_apart_as_a_shell_does() {
        for (text, expected) in [
            ("a b # c\nd", &["a b", "d"][..]),
            ("a \\\n  --x=1 \\\r\n  b", &["a --x=1 b"]),
            ("a 'b c' \"d \\\" e\" f\\ g", &["a b c d \" e f g"]),
            ("if x; then y && z || w; fi", &["if x", "then y", "z", "w", "fi"]),
            ("A=$(cat b) c", &["A=$(cat b) c"]),
            ("x=`a b` y", &["x=`a b` y"]),
            ("cat <<EOF > f\nsecret words\nEOF\nnext", &["cat f", "next"]),
            ("cat <<-'END'\n\tbody\n\tEND\nnext", &["cat", "next"]),
            ("f() { g; }", &["f", "{ g", "}"]),
            ("K=a\\\nb", &["K=ab"]),
            ("echo ${A:-b c} d", &["echo ${A:-b c} d"]),
            ("a 2>&1 b", &["a 2 1 b"]),
        ] {
            let found: Vec<String> = said(text, Dialect::Posix).iter().map(|words| words.join(" ")).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(
            said("REM a b\r\nnssm set X \"a b\" ^\r\n c\r\n:: d\r\n", Dialect::Batch),
            [["nssm", "set", "X", "a b", "c"]]
        );
        assert_eq!(
            said("$a = 'b c'\n# d\n& $x install `\n  Y\n", Dialect::PowerShell),
            [vec!["$a", "=", "b c"], vec!["&", "$x", "install", "Y"]]
        );
    }

    #[test]
    fn documents_stay_where_they_are() {
        let text = "é x <<EOF\na: b\nEOF\ny <<'END' | z\nc: d\nEND\nw";
        let found = documents(text);
        let blank = |count| " ".repeat(count);
        assert_eq!(found, format!("{}\na: b\n---\n{}\nc: d\n---\n ", blank(10), blank(13)));
        assert_eq!((found.len(), found.find("c: d")), (text.len(), text.find("c: d")));
    }

    #[test]
    fn a_word_s_place_is_where_it_stands() {
        let text = "a\nbé \"c d\"";
        let all = commands(text, Dialect::Posix);
        let word = &all[1][1];
        assert_eq!((&text[word.bytes.clone()], word.line), ("\"c d\"", 2));
    }

    #[test]
    fn variables_are_what_they_are_set_to_last() {
        let all = commands("A=1\nexport A=2 B=\"x y\"\nC=3 run\n", Dialect::Posix);
        let set = assigned(&all, Dialect::Posix);
        assert_eq!((&*set["A"].text, &*set["B"].text), ("A=2", "B=x y"));
        let batch = commands("set \"K=v w\"\n", Dialect::Batch);
        assert_eq!(assigned(&batch, Dialect::Batch)["k"].text, "K=v w");
        for (word, name) in [("$A", Some("A")), ("${A}", Some("A")), ("%A%", Some("A")), ("$1", None), ("a$A", None)] {
            assert_eq!(variable(word), name, "{word}");
        }
    }

    #[test]
    fn no_script_is_too_odd() {
        for text in ["'", "\"", "$(", "${", "`", "\\", "<<", "<<E", "((((", "&", ">", "a <<E\nb", "^", "é\\"] {
            for dialect in [Dialect::Posix, Dialect::Batch, Dialect::PowerShell] {
                commands(text, dialect);
                commands(&text.repeat(5_000), dialect);
            }
        }
    }
}
