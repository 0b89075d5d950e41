//! What stands between a name and its value: `=`, `:`, a bracket, a comma, a tag, a blank; and where the value begins.

use std::ops::Range;

use super::super::kind::{FileKind, Syntax};
use super::{VALUE, below, default, in_braces, skip};

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`, `:`, `=>`, `:=`.
    Assign,
    /// `(`, `,`, `||`: only a quoted text is meant.
    Argument,
    /// The end of a tag.
    Tag,
    /// A blank, after an option or a directive.
    Blank,
}

/// Where the value begins.
pub(super) fn operator(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Option<(usize, Operator)> {
    let mut at = name.end;
    if in_braces(bytes, name) && matches!(bytes.get(at), Some(b':' | b'-' | b'=')) {
        return Some((at + default::operator_length(&bytes[at..])?, Operator::Assign));
    }
    // `**Password**: x`, `**Password:** x`.
    let bold = kind.syntax == Syntax::Text && skip(bytes, &mut at, |byte| byte == b'*', 2) > 0;
    let quote = skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']' | b')'), 4);
    let closed = bytes[name.end..at].contains(&b')');
    let quote = quote + marks(bytes, &mut at);
    let blanks = skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 40);
    let rest = bytes.get(at..)?;
    let own = if quote == 0 { in_its_language(bytes, name, rest, blanks > 0) } else { None };
    let (length, operator) = match *rest {
        _ if own.is_some() => (own?, Operator::Argument),
        [b'=' | b'!', b'=', ..] | [b'=', b'~', ..] | [b':', b':', ..] => return None,
        [b'=', b'>', ..] | [b':' | b'?', b'=', ..] => (2, Operator::Assign),
        // The second is the colon of Chinese and Japanese texts, U+FF1A.
        [b'|', b'|', b'=', ..] | [0xef, 0xbc, 0x9a, ..] => (3, Operator::Assign),
        // What stands in for a variable that is not set.
        [b'|', b'|', ..] | [b'?', b'?' | b':', ..] => (2, Operator::Argument),
        // Python's `or`, Kotlin's `"name" to "value"`.
        [b'o', b'r', b' ', ..] if blanks > 0 => (2, Operator::Argument),
        [b't', b'o', b' ', b'"', ..] if blanks > 0 && quote > 0 => (2, Operator::Argument),
        [b'=', ..] => (1, Operator::Assign),
        [b':', b'*', b'*', b' ', ..] if !bold && kind.syntax == Syntax::Text => (3, Operator::Assign),
        [b':', ..] => (1 + type_annotation(&rest[1..]), Operator::Assign),
        [b'(', ..] if quote == 0 && blanks == 0 => (1, Operator::Argument),
        // The first two cells of a table's row.
        [b',', ..] if kind.syntax == Syntax::Settings && is_first_cell(bytes, name, quote) => (1, Operator::Assign),
        [b',', ..]
            if quote > 0
                && !closed
                && (is_first_argument(bytes, name)
                    || bytes[name.clone()].starts_with(b"--")
                    || kind.syntax == Syntax::Shell
                    || is_build_field(bytes, name)) =>
        {
            (1, Operator::Argument)
        }
        [b'"' | b'@', ..] if blanks > 0 && quote == 0 && is_defined(bytes, name) => (0, Operator::Argument),
        [b'>', ..] if is_tag(bytes, name) => (1, Operator::Tag),
        _ if blanks > 0 && quote == 0 && takes_blank(bytes, name, kind) => (0, Operator::Blank),
        _ => return indirect(bytes, name).or_else(|| tagged(bytes, name, at)),
    };
    // `"Password:", x)`: the text ends here.
    if quote == 0 && operator == Operator::Assign && is_closed(bytes, name, at + length) {
        return None;
    }
    let colon = (rest.first() == Some(&b':') && length == 1).then_some(quote > 0);
    at += length;
    let margin = if operator == Operator::Argument { b"\n\r \t".as_slice() } else { b" \t" };
    skip(bytes, &mut at, |byte| margin.contains(&byte), 60);
    marks(bytes, &mut at);
    match operator {
        Operator::Argument => at = behind_label(bytes, at),
        Operator::Assign => {
            at = if colon.is_some() { below::behind_tag(bytes, at, kind) } else { at };
            at = below::quoted_below(bytes, at, colon, kind).unwrap_or(at);
        }
        Operator::Tag => at = above_value(bytes, at),
        Operator::Blank => {}
    }
    Some((at, operator))
}

/// What stands between a name and the quoted text that a language of its own notation gives it: how long it is.
fn in_its_language(bytes: &[u8], name: &Range<usize>, rest: &[u8], blanks: bool) -> Option<usize> {
    match (rest, blanks) {
        // R's arrow.
        ([b'<', b'-', b' ', ..], true) => Some(2),
        // Erlang's `{password, "…"}`.
        ([b',', b' ', b'"', ..], false) => bytes[..name.start].ends_with(b"{").then_some(1),
        ([b'"', ..], true) => is_keyed(bytes, name).then_some(0),
        ([b'A' | b'a', b's' | b'S', b' ', ..], true) => declared(rest),
        _ => None,
    }
}

/// Skips what sets a colour in a log, `\x1b[31m` (ECMA-48, SGR), and the quote of markup behind a name. How many there were.
fn marks(bytes: &[u8], at: &mut usize) -> usize {
    let mut count = 0;
    if bytes[*at..].starts_with(b"&quot;:") {
        *at += b"&quot;".len();
        count += 1;
    }
    while bytes[*at..].starts_with(b"\x1b[") {
        let codes = bytes[*at + 2..].iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        if bytes.get(*at + 2 + codes) != Some(&b'm') {
            break;
        }
        *at += codes + 3;
        count += 1;
    }
    count
}

/// `As String = "…"`, Visual Basic's: how long it is up to the value.
fn declared(rest: &[u8]) -> Option<usize> {
    let kind = rest[3..].iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.').count();
    let assigned = kind > 0 && rest[3 + kind..].starts_with(b" = \"");
    assigned.then_some(3 + kind + 3)
}

/// Clojure's `:password "…"`, Tcl's `set password "…"`.
fn is_keyed(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = line_before(bytes, name);
    is_symbol(bytes, name.start) || before.trim_ascii() == b"set"
}

/// Whether a name is a symbol: a colon stands right before it, and nothing that it could belong to before that.
pub(super) fn is_symbol(bytes: &[u8], start: usize) -> bool {
    let Some(head) = bytes[..start].strip_suffix(b":") else { return false };
    head.last().is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'{' | b'(' | b'[' | b','))
}

/// `<Password>\n  <Value>…`: where the element begins that holds the value.
fn above_value(bytes: &[u8], at: usize) -> usize {
    let blanks = bytes[at..].iter().take(80).take_while(|byte| byte.is_ascii_whitespace()).count();
    if bytes[at + blanks..].starts_with(b"<Value>") { at + blanks } else { at }
}

/// `fromEnvironment("X", defaultValue: "…")`, `config("X", default="…")`: where the value of such an argument begins.
fn behind_label(bytes: &[u8], at: usize) -> usize {
    const LABELS: &[&[u8]] = &[b"default", b"defaultvalue", b"default_value", b"fallback"];
    let length = bytes[at..].iter().take(16).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
    let mut next = at + length;
    if length < 7 || !LABELS.contains(&bytes[at..next].to_ascii_lowercase().as_slice()) {
        return at;
    }
    skip(bytes, &mut next, |byte| byte == b' ', 4);
    if skip(bytes, &mut next, |byte| matches!(byte, b':' | b'='), 1) == 0 {
        return at;
    }
    skip(bytes, &mut next, |byte| byte == b' ', 4);
    next
}

/// What stands before a name on its line.
fn line_before<'a>(bytes: &'a [u8], name: &Range<usize>) -> &'a [u8] {
    let head = &bytes[name.start.saturating_sub(160)..name.start];
    &head[memchr::memrchr(b'\n', head).map_or(0, |end| end + 1)..]
}

/// `#define X "…"`, `%define X "…"`.
fn is_defined(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = line_before(bytes, name).trim_ascii();
    let directive = before.strip_prefix(b"#").or(before.strip_prefix(b"%")).map(<[u8]>::trim_ascii);
    matches!(directive, Some(b"define" | b"xdefine"))
}

/// Gradle's `buildConfigField 'String', 'X', '"…"'` and `resValue('string', 'x', '…')`.
fn is_build_field(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = line_before(bytes, name).trim_ascii_start();
    before.starts_with(b"buildConfigField") || before.starts_with(b"resValue")
}

/// Whether the quote that follows an assignment's operator at `at` ends the text that the name stands in.
fn is_closed(bytes: &[u8], name: &Range<usize>, at: usize) -> bool {
    const LINE: usize = 200;
    let blanks = bytes[at..].iter().take(4).take_while(|byte| **byte == b' ').count();
    let Some(&quote @ (b'"' | b'\'' | b'`')) = bytes.get(at + blanks) else { return false };
    let head = &bytes[name.start.saturating_sub(LINE)..name.start];
    let line = memchr::memrchr(b'\n', head).map(|end| &head[end + 1..]);
    let odd = |line: &[u8]| memchr::memchr_iter(quote, line).count() % 2 == 1;
    head.last() == Some(&quote) || line.is_some_and(odd)
}

/// `get("password", "…")`: an opening bracket and a quote stand before the name.
fn is_first_argument(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = bytes[name.start.saturating_sub(20)..name.start].iter().rev();
    before.skip_while(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\')).find(|byte| !byte.is_ascii_whitespace())
        == Some(&b'(')
}

/// Whether a name begins its line and stands alone up to the comma behind it.
fn is_first_cell(bytes: &[u8], name: &Range<usize>, quote: usize) -> bool {
    let start = name.start - usize::from(quote == 1 && name.start > 0);
    quote < 2 && start.checked_sub(1).is_none_or(|before| bytes[before] == b'\n')
}

/// `<password>`, `<property name="password">`: the name stands in a tag that is open.
fn is_tag(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = &bytes[name.start.saturating_sub(120)..name.start];
    let open = memchr::memrchr(b'<', before);
    open.is_some_and(|open| memchr::memchr(b'>', &before[open..]).is_none() && !bytes[name.clone()].ends_with(b"-"))
}

/// `<string name="password" translatable="false">…</string>`: the text of an element whose tag goes on behind the name.
fn tagged(bytes: &[u8], name: &Range<usize>, at: usize) -> Option<(usize, Operator)> {
    let rest = &bytes[at..bytes.len().min(at + 80)];
    let end = rest.iter().position(|&byte| matches!(byte, b'>' | b'<' | b'\n'))?;
    let text = &bytes[at + end + 1..bytes.len().min(at + end + VALUE)];
    let closed = memchr::memchr2(b'<', b'\n', text).is_some_and(|at| text[at..].starts_with(b"</"));
    let open = rest[end] == b'>' && end > 0 && rest[end - 1] != b'/' && closed;
    (open && is_tag(bytes, name)).then_some((at + end + 1, Operator::Tag))
}

/// Where the value of a name that is itself a value begins: `- name: X\n  value: …`, `<add key="X" value="…"`,
/// `<key>X</key>\n<string>…`, `variable "X" {\n  default = …`.
fn indirect(bytes: &[u8], name: &Range<usize>) -> Option<(usize, Operator)> {
    const WORDS: &[&[u8]] = &[b"value", b"default", b"string", b"content", b"val", b"secret", b"data", b"parametervalue"];
    let mut at = name.end;
    if bytes[..name.start].ends_with(b"variable \"") {
        let block = &bytes[at..bytes.len().min(at + 480)];
        let block = &block[..memchr::memmem::find(block, b"\n}").unwrap_or(block.len())];
        at += memchr::memmem::find(block, b" default").map_or(0, |default| default + 1);
    }
    let between = usize::from(at > name.end);
    skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b'`' | b')'), 3);
    if bytes[at..].starts_with(b"</") {
        at += bytes[at..].iter().take(40).position(|&byte| byte == b'>')? + 1;
    }
    let between =
        between + skip(bytes, &mut at, |byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b'{' | b'}' | b'<'), 60);
    skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\''), 1);
    at += if bytes[at..].starts_with(b"android:") { b"android:".len() } else { 0 };
    let length = bytes[at..].iter().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = bytes[at..at + length].to_ascii_lowercase();
    if between == 0 || !WORDS.contains(&word.as_slice()) {
        return None;
    }
    at += length;
    skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b' '), 4);
    let operator = match bytes.get(at)? {
        b':' | b'=' => Operator::Assign,
        b'>' => Operator::Tag,
        _ => return None,
    };
    at += 1;
    skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 60);
    Some((at, operator))
}

/// `: string = "…"`: how long the annotation and its equals sign are.
pub(super) fn type_annotation(rest: &[u8]) -> usize {
    let head = &rest[..rest.len().min(32)];
    let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b" &'<>[]._".contains(&byte);
    let end = head.iter().take_while(|&&byte| is_type(byte)).count();
    let annotated = end > 1 && head.get(end) == Some(&b'=') && head.get(end + 1) != Some(&b'=');
    if annotated { end + 1 } else { 0 }
}

/// `--password x`, `ENV PASSWORD x`, `requirepass x`, netrc's `password x`.
fn takes_blank(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> bool {
    if bytes[name.clone()].starts_with(b"--") {
        return true;
    }
    let line = memchr::memrchr(b'\n', &bytes[..name.start]).map_or(0, |at| at + 1);
    let before = bytes[line..name.start].trim_ascii();
    // SQL's `WITH LOGIN PASSWORD '…'`, Gradle's `storePassword '…'`; in code, SQL alone: "don't pass 'x' …".
    let sql = kind.syntax != Syntax::Code || bytes[name.clone()].eq_ignore_ascii_case(b"password");
    if bytes[name.end..].trim_ascii_start().first() == Some(&b'\'') && kind.syntax != Syntax::Text && sql {
        return true;
    }
    let keyword = matches!(
        before,
        b"ENV"
            | b"ARG"
            | b"setenv"
            | b"set -gx"
            | b"set -x"
            | b"setx"
            | b"setx /M"
            | b"setx /m"
            | b"SetEnv"
            | b"fastcgi_param"
    );
    let settings = kind.syntax == Syntax::Settings
        && (before.is_empty() || [b"machine ".as_slice(), b"login ", b"poll "].iter().any(|word| before.starts_with(word)));
    // `influx -username x -password y`.
    let dashed = kind.syntax == Syntax::Shell && bytes[name.clone()].starts_with(b"-") && !before.is_empty();
    keyword || settings || dashed
}
