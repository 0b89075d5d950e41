//! Secrets that only their name gives away: `password = …`, `"client_secret": "…"`, `--token …`. The name says that a value
//! is meant to be secret; the value must look like one, and not like a name, a reference, a template or a word for people.

use std::ops::Range;

use super::context::squeezed;
use super::kind::{FileKind, Role, Syntax, is_said};
use super::names::{Meaning, meaning, meaning_of_one};
use crate::model::Confidence;

mod below;
mod default;
mod judge;
mod scope;
#[cfg(test)]
mod tests_of_notations;

pub(super) use judge::{is_reference, is_type, judge_single, judge_token};

/// A name is no longer than this, on either side of the word that was hit.
const NAME: usize = 48;
/// Nor is a value.
const VALUE: usize = 512;

/// A value that is assigned to a secret-like name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    /// How sure it is a secret, or why it is none.
    pub(super) verdict: Result<Confidence, &'static str>,
}

/// What is assigned to the name around `hit`: one value, or several in a list.
pub(super) fn assignments(bytes: &[u8], hit: &Range<usize>, kind: FileKind) -> impl Iterator<Item = Assignment> + use<> {
    let one = assignment(bytes, hit, kind);
    let several = if one.is_none() { listed(bytes, hit, kind) } else { Vec::new() };
    one.into_iter().chain(several)
}

/// The assignment to the name around `hit`, if there is one.
fn assignment(bytes: &[u8], hit: &Range<usize>, kind: FileKind) -> Option<Assignment> {
    let name = whole_name(bytes, hit);
    if !may_name(bytes, &name) {
        return None;
    }
    // What is asked of a name last: most of the words that are hit are assigned nothing.
    let (value, quoted) = value_of(bytes, &name, kind)?;
    let meaning = meaning(&bytes[name.clone()])?;
    let verdict = judge::judge(&bytes[value.clone()], meaning, quoted);
    let verdict = if is_own_name(&bytes[name.clone()], &bytes[value.clone()]) { Err("its own name") } else { verdict };
    let verdict = if is_searched_with(bytes, &value) { Err("a search key, which is public") } else { verdict };
    let verdict = verdict.map(|confidence| in_its_place(confidence, bytes, value.start, kind));
    Some(Assignment { name, value, verdict })
}

/// How sure something is that was found at `at`.
fn in_its_place(confidence: Confidence, bytes: &[u8], at: usize, kind: FileKind) -> Confidence {
    let role = if kind.role == Role::Plain && is_said(bytes, at, kind) { Role::Docs } else { kind.role };
    match role {
        Role::Plain => confidence,
        // Made up in all but a few cases, unless it could not have been typed.
        Role::Test | Role::Docs | Role::Generated if confidence < Confidence::High => Confidence::Low,
        Role::Test | Role::Docs | Role::Generated => Confidence::Medium,
    }
}

/// The secrets in the list that the name around `hit` is given: `"tokens": ["…", "…"]`. What is none is passed over.
fn listed(bytes: &[u8], hit: &Range<usize>, kind: FileKind) -> Vec<Assignment> {
    let name = whole_name(bytes, hit);
    let mut at = name.end;
    skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b']'), 3);
    skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 40);
    at += match &bytes[at..] {
        [b'=', b'=', ..] => return Vec::new(),
        [b'=', b'>', ..] | [b':', b'=', ..] => 2,
        [b'=', ..] => 1,
        [b':', rest @ ..] => 1 + type_annotation(rest),
        _ => return Vec::new(),
    };
    skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 60);
    if !matches!(bytes.get(at), Some(b'[' | b'\n' | b'\r')) || !may_name(bytes, &name) {
        return Vec::new();
    }
    let pieces = below::pieces(bytes, at, kind);
    let Some(meaning) = pieces.first().and_then(|_| meaning_of_one(&bytes[name.clone()])) else { return Vec::new() };
    let found = pieces.into_iter().filter_map(|value| {
        let text = &bytes[value.clone()];
        // Rules for passwords and lists of bad ones are lists too.
        let has = |wanted: fn(&u8) -> bool| text.iter().any(wanted);
        let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
        let sure = meaning == Meaning::Token || (text.len() >= 10 && mixed);
        let confidence = judge::judge(text, meaning, true).ok().filter(|_| sure)?;
        let verdict = Ok(in_its_place(confidence, bytes, value.start, kind));
        Some(Assignment { name: name.clone(), value, verdict })
    });
    found.collect()
}

/// Whether what stands before a name leaves it one: no `arn:aws:…:secret:name`, no `urn:x:token:y`, no `checksum/secret: …`.
fn may_name(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = &bytes[..name.start];
    !before.ends_with(b"checksum/") && (!before.ends_with(b":") || scope::is_scope(bytes, name.start - 1))
}

/// `apiKey: "x", indexName: "docs"`: Algolia's, which every page of a documentation gives away (docsearch.algolia.com/docs/api).
fn is_searched_with(bytes: &[u8], value: &Range<usize>) -> bool {
    const NEAR: usize = 80;
    let key = &bytes[value.clone()];
    key.len() == 32
        && key.iter().all(u8::is_ascii_hexdigit)
        && memchr::memmem::find(&bytes[value.end..bytes.len().min(value.end + NEAR)], b"indexName").is_some()
}

/// `MYSQL_PASSWORD = "MYSQL_PASSWORD"`, `("v3AuthPass", "v3AuthPass")`.
fn is_own_name(name: &[u8], value: &[u8]) -> bool {
    let name = squeezed(name);
    let value = squeezed(value);
    name == value || (value.len() >= 8 && name.ends_with(&value))
}

/// Any name around `hit` and the value it is given.
pub(super) fn written(bytes: &[u8], hit: usize, kind: FileKind) -> Option<(Range<usize>, Range<usize>)> {
    let name = whole_name(bytes, &(hit..hit));
    let (value, _) = value_of(bytes, &name, kind)?;
    Some((name, value))
}

fn value_of(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Option<(Range<usize>, bool)> {
    let (at, operator) = operator(bytes, name, kind)?;
    if let Some(block) = below::block(bytes, at, kind).filter(|_| operator == Operator::Assign) {
        return Some((block, false));
    }
    let (value, quoted) = value(bytes, at, operator, (name, kind))?;
    Some((behind_scheme(bytes, value, name), quoted))
}

/// `Authorization: Bearer x`: the scheme is no part of the value.
fn behind_scheme(bytes: &[u8], value: Range<usize>, name: &Range<usize>) -> Range<usize> {
    const SCHEMES: &[&[u8]] = &[b"bearer", b"token", b"apikey", b"api-key", b"key"];
    let own = bytes[name.clone()].to_ascii_lowercase();
    let word = bytes[value.start..].iter().take(8).take_while(|&&byte| byte.is_ascii_alphabetic() || byte == b'-').count();
    let scheme = bytes[value.start..value.start + word].to_ascii_lowercase();
    let at = value.start + word;
    if !own.ends_with(b"authorization") || bytes.get(at) != Some(&b' ') || !SCHEMES.contains(&scheme.as_slice()) {
        return value;
    }
    let start = at + 1;
    // A bare value ended at the blank behind the scheme.
    let bare = bytes[start..].iter().take(VALUE).position(|&byte| ends(byte, false));
    let end = if value.end > start { value.end } else { bare.map_or(start, |length| start + length) };
    start..end.max(start)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

fn whole_name(bytes: &[u8], hit: &Range<usize>) -> Range<usize> {
    let back = bytes[hit.start.saturating_sub(NAME)..hit.start].iter().rev().take_while(|&&byte| is_name(byte)).count();
    let on = bytes[hit.end..].iter().take(NAME).take_while(|&&byte| is_name(byte)).count();
    let name = hit.start - back..hit.end + on;
    // `${X-default}`: what a shell takes for a name ends sooner.
    let end = name.start + if in_braces(bytes, &name) { default::name_length(&bytes[name.clone()]) } else { name.len() };
    name.start..if end >= hit.end { end } else { name.end }
}

/// Whether a name is that of a reference: `${name…`.
fn in_braces(bytes: &[u8], name: &Range<usize>) -> bool {
    bytes[..name.start].ends_with(b"${")
}

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
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
fn operator(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Option<(usize, Operator)> {
    let mut at = name.end;
    if in_braces(bytes, name) && matches!(bytes.get(at), Some(b':' | b'-' | b'=')) {
        return Some((at + default::operator_length(&bytes[at..])?, Operator::Assign));
    }
    let quote = skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']' | b')'), 4);
    let blanks = skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 40);
    let rest = bytes.get(at..)?;
    let (length, operator) = match *rest {
        [b'=' | b'!', b'=', ..] | [b'=', b'~', ..] | [b':', b':', ..] => return None,
        [b'=', b'>', ..] | [b':' | b'?', b'=', ..] => (2, Operator::Assign),
        [b'|', b'|', b'=', ..] => (3, Operator::Assign),
        // What stands in for a variable that is not set.
        [b'|', b'|', ..] | [b'?', b'?' | b':', ..] => (2, Operator::Argument),
        // Python's `or`, Kotlin's `"name" to "value"`.
        [b'o', b'r', b' ', ..] if blanks > 0 => (2, Operator::Argument),
        [b't', b'o', b' ', b'"', ..] if blanks > 0 && quote > 0 => (2, Operator::Argument),
        [b'=', ..] => (1, Operator::Assign),
        [b':', ..] => (1 + type_annotation(&rest[1..]), Operator::Assign),
        [b'(', ..] if quote == 0 && blanks == 0 => (1, Operator::Argument),
        // The first two cells of a table's row.
        [b',', ..] if kind.syntax == Syntax::Settings && is_first_cell(bytes, name, quote) => (1, Operator::Assign),
        [b',', ..]
            if quote > 0
                && (is_first_argument(bytes, name) || kind.syntax == Syntax::Shell || is_build_field(bytes, name)) =>
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
    let colon = (rest[0] == b':' && length == 1).then_some(quote > 0);
    at += length;
    let margin = if operator == Operator::Argument { b"\n\r \t".as_slice() } else { b" \t" };
    skip(bytes, &mut at, |byte| margin.contains(&byte), 60);
    match operator {
        Operator::Argument => at = behind_label(bytes, at),
        Operator::Assign => {
            at = if colon.is_some() { below::behind_tag(bytes, at, kind) } else { at };
            at = below::quoted_below(bytes, at, colon, kind).unwrap_or(at);
        }
        Operator::Tag | Operator::Blank => {}
    }
    Some((at, operator))
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

fn skip(bytes: &[u8], at: &mut usize, wanted: impl Fn(u8) -> bool, most: usize) -> usize {
    let count = bytes[*at..].iter().take(most).take_while(|&&byte| wanted(byte)).count();
    *at += count;
    count
}

/// `: string = "…"`: how long the annotation and its equals sign are.
fn type_annotation(rest: &[u8]) -> usize {
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
    let keyword = matches!(before, b"ENV" | b"ARG" | b"setenv" | b"set -gx" | b"set -x" | b"setx" | b"setx /M" | b"setx /m");
    let settings = kind.syntax == Syntax::Settings
        && (before.is_empty() || before.starts_with(b"machine ") || before.starts_with(b"login "));
    keyword || settings
}

/// The value at `at`, and whether it is quoted.
fn value(
    bytes: &[u8],
    at: usize,
    operator: Operator,
    (name, kind): (&Range<usize>, FileKind),
) -> Option<(Range<usize>, bool)> {
    let mut start = at;
    if let Some(found) = stand_in(bytes, at).filter(|(_, quoted)| operator != Operator::Argument || *quoted) {
        return Some(found);
    }
    // `b"…"`, `r"…"`, `@"…"`, `\"…\"`.
    let escaped = bytes.get(start) == Some(&b'\\');
    let lead = bytes.get(start + 1).is_some_and(|byte| matches!(byte, b'"' | b'\''));
    if lead && bytes.get(start).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'\\' | b'@' | b'$')) {
        if bytes[start] == b'$' || bytes[start] == b'f' {
            return None;
        }
        start += 1;
    }
    let text = &bytes[start..bytes.len().min(start + VALUE)];
    // A list is looked at as one.
    if matches!(text, [b'[', b'"' | b'\'' | b' ' | b'\n' | b'\r', ..]) {
        return None;
    }
    if let Some(&quote @ (b'"' | b'\'' | b'`')) = text.first() {
        let inside = &text[1..];
        let close = inside
            .iter()
            .enumerate()
            .position(|(n, &byte)| byte == b'\n' || (byte == quote && (n == 0 || inside[n - 1] != b'\\' || escaped)))?;
        let close = if escaped && close > 0 && inside[close - 1] == b'\\' { close - 1 } else { close };
        let inner = unquoted(&inside[..close]);
        return (inside[close] != b'\n').then_some((start + 1 + inner.start..start + 1 + inner.end, true));
    }
    if let Some(text) = text.strip_prefix(b"<![CDATA[").filter(|_| operator == Operator::Tag) {
        let first = start + b"<![CDATA[".len();
        return Some((first..first + memchr::memmem::find(text, b"]]>")?, true));
    }
    if let Some(within) = wrapped(text) {
        return value(bytes, start + within, operator, (name, kind)).filter(|(_, quoted)| *quoted);
    }
    let spring = in_braces(bytes, name);
    let inner = spring || name.start.checked_sub(1).is_some_and(|n| matches!(bytes[n], b';' | b'?' | b'&' | b'"' | b'\''));
    let allowed = match (operator, kind.syntax) {
        (Operator::Argument, _) => false,
        (Operator::Tag, _) | (_, Syntax::Settings | Syntax::Shell) | (Operator::Assign, Syntax::Text) => true,
        // Within a connection string or a query.
        (Operator::Assign, Syntax::Code) => spring || (inner && bytes.get(at - 1) == Some(&b'=')),
        (Operator::Blank, _) => bytes[name.clone()].starts_with(b"--"),
    };
    let placeholder = text.first() == Some(&b'<') && operator != Operator::Tag;
    let end = if placeholder { text.iter().position(|&byte| byte == b'>').map(|at| at + 1) } else { None };
    let end = end.or_else(|| text.iter().position(|&byte| ends(byte, inner) || (spring && byte == b'}')));
    let end = end.or_else(|| (text.len() < VALUE).then_some(text.len()))?;
    let called = text.get(end) == Some(&b'(') || text[..end].contains(&b'(');
    // `<PASSWORD>@host` opens no element.
    if operator == Operator::Tag && text.get(end) == Some(&b'<') && text.get(end + 1) != Some(&b'/') {
        return None;
    }
    // In a text, what follows the value on its line makes it one word of a sentence.
    let tail = &text[end..];
    let tail = tail[..memchr::memchr(b'\n', tail).unwrap_or(tail.len())].trim_ascii();
    let sentence =
        kind.syntax == Syntax::Text && operator == Operator::Assign && tail.first().is_some_and(u8::is_ascii_alphanumeric);
    let end = if text[..end].ends_with(b"}") && !text[..end].contains(&b'{') { end - 1 } else { end };
    (allowed && end > 0 && !called && !sentence).then_some((start..start + end, false))
}

/// What the value at `at` stands for where a variable is not set.
fn stand_in(bytes: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    let text = &bytes[at..bytes.len().min(at + VALUE)];
    let quote = usize::from(matches!(text.first(), Some(b'"' | b'\'')));
    let (within, quoted) = default::default(&text[quote..])?;
    let first = at + quote;
    Some((first + within.start..first + within.end, quoted || quote > 0))
}

/// Where a text stands within the quotes that it has itself: `'"…"'`, `"\"…\""`; not between the pieces of a joined one.
fn unquoted(text: &[u8]) -> Range<usize> {
    let pairs: [&[u8]; 2] = [b"\\\"", b"\""];
    let own = pairs.iter().find(|quote| {
        let inside = text.strip_prefix(**quote).and_then(|rest| rest.strip_suffix(**quote));
        inside.and_then(<[u8]>::first).is_some_and(u8::is_ascii_alphanumeric)
    });
    let inset = own.map_or(0, |quote| quote.len());
    inset..text.len() - inset
}

/// `Buffer.from("…", "base64")`, `$(echo '…' | base64 -d)`: where the quoted text begins in a call that decodes it.
fn wrapped(text: &[u8]) -> Option<usize> {
    const DECODERS: &[&[u8]] = &[b"base64", b"decode", b"atob", b"b64", b"buffer.from", b"hex", b"unhexlify", b"echo"];
    let head = &text[..text.len().min(100)];
    let open = head.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let call = head[..open].to_ascii_lowercase();
    let simple = call.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:()[]$&* ".contains(byte));
    let decodes = DECODERS.iter().any(|word| memchr::memmem::find(&call, word).is_some());
    (open > 0 && simple && call.contains(&b'(') && decodes).then_some(open)
}

fn ends(byte: u8, inner: bool) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'\\')
        || (inner && matches!(byte, b'&' | b')'))
}

#[cfg(test)]
mod tests {
    use super::assignment;
    use crate::detect::kind::FileKind;
    use crate::model::Confidence;

    fn found(path: &str, text: &str, word: &str) -> Option<(String, Result<Confidence, &'static str>)> {
        let at = text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
        let found = assignment(text.as_bytes(), &(at..at + word.len()), FileKind::of(path))?;
        Some((text[found.value].to_owned(), found.verdict))
    }

    #[test]
    fn values_of_secret_names_are_found_in_every_notation() {
        let value = "vR7#kq2Lw9zT";
        for (path, before, after, word) in [
            (".env", "DB_PASSWORD=", "\n", "PASSWORD"),
            ("a.yml", "  password: ", "\n", "password"),
            ("a.yml", "  password: \"", "\"\n", "password"),
            ("a.json", "{\"dbPassword\": \"", "\"}", "Password"),
            ("a.py", "password = '", "'", "password"),
            ("a.py", "connect(user='x', password='", "')", "password"),
            ("a.py", "os.environ.get('DB_PASSWORD', '", "')", "PASSWORD"),
            ("a.ts", "const dbPassword: string = \"", "\";", "Password"),
            ("a.go", "password := \"", "\"", "password"),
            ("a.rs", "const PASSWORD: &str = \"", "\";", "PASSWORD"),
            ("a.java", "ds.setPassword(\"", "\");", "Password"),
            ("a.php", "'password' => '", "',", "password"),
            ("a.rb", "password: '", "'", "password"),
            ("a.cs", "Password = @\"", "\";", "Password"),
            ("a.xml", "<password>", "</password>", "password"),
            ("a.properties", "spring.datasource.password=", "\n", "password"),
            ("a.tf", "  master_password = \"", "\"", "password"),
            ("a.sh", "mysql --password=", " -u x", "password"),
            ("a.sh", "tool --password ", " x", "password"),
            ("Dockerfile", "ENV DB_PASSWORD ", "\n", "PASSWORD"),
            ("a.cs", "var c = \"Server=x;Password=", ";Database=y\"", "Password"),
            ("n.ipynb", "\"password = \\\"", "\\\"\\n\"", "password"),
            (".netrc", "machine h login u password ", "\n", "password"),
            ("a.yml", "- name: DB_PASSWORD\n  value: ", "\n", "PASSWORD"),
            ("a.json", "{\"name\": \"DB_PASSWORD\", \"value\": \"", "\"}", "PASSWORD"),
            ("a.config", "<add key=\"DbPassword\" value=\"", "\" />", "Password"),
            ("a.plist", "<key>password</key>\n\t<string>", "</string>", "password"),
            ("a.tf", "variable \"db_password\" {\n  default = \"", "\"\n}", "password"),
            ("a.js", "const p = process.env.DB_PASSWORD || \"", "\";", "PASSWORD"),
            ("a.kt", "val p = System.getenv(\"DB_PASSWORD\") ?: \"", "\"", "PASSWORD"),
            ("a.py", "P = os.getenv('DB_PASSWORD') or '", "'", "PASSWORD"),
            ("a.java", "@Value(\"${app.db-password:", "}\")", "password"),
            ("a.sh", ": ${DB_PASSWORD:-", "}\n", "PASSWORD"),
            ("a.sql", "CREATE ROLE x WITH LOGIN PASSWORD '", "';", "PASSWORD"),
            ("a.sql", "INSERT INTO s VALUES ('1', 'db_password', '", "');", "password"),
            ("a.gradle", "storePassword '", "'", "Password"),
            ("a.tf", "variable \"db_password\" {\n  type    = string\n  default = \"", "\"\n}", "password"),
        ] {
            let text = format!("{before}{value}{after}");
            assert_eq!(found(path, &text, word), Some((value.to_owned(), Ok(Confidence::Medium))), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_not_taken_for_one() {
        for (path, text, word) in [
            ("a.py", "password = get_password()", "password"),
            ("a.py", "if password == 'vR7#kq2Lw9zT':", "password"),
            ("a.py", "password = settings.PASSWORD", "password"),
            ("a.py", "compass = 'vR7#kq2Lw9zT'", "pass"),
            ("a.py", "password_field = 'vR7#kq2Lw9zT'", "password"),
            ("a.js", "function login(user, password) {", "password"),
            ("a.c", "if (user->password->iterations < 5000 || 3)", "password"),
            ("a.php", "[\"proxy_pass\", \"vR7#kq2Lw9zT\"]", "pass"),
            ("a.txt", "arn:aws:secretsmanager:eu-west-1:1:secret:Db1-d4e5f6", "secret"),
            ("a.md", "the password: vR7#kq2Lw9zT is what you type", "password"),
        ] {
            assert_eq!(found(path, text, word), None, "{text}");
        }
        for (path, text, word) in [
            (".env", "DB_PASSWORD=${DB_PASSWORD}", "PASSWORD"),
            (".env", "DB_PASSWORD=changeme", "PASSWORD"),
            ("a.yml", "password: {{ .Values.password }}", "password"),
            ("a.json", "{\"password\": \"Please enter your password\"}", "password"),
            ("a.json", "{\"password\": \"confirmPassword\"}", "password"),
            ("a.yml", "secret: my-app-secret-name", "secret"),
            ("a.yml", "token: <your-token>", "token"),
            ("a.c", "copy_to_passwd(\"INFO_25\", to);", "passwd"),
            ("a.idl", "const uint32 CHANGE_PASSWORD = 0x00000040,", "PASSWORD"),
            ("a.json", "{\"output_cost_token\": 1.1428571428571428e-06}", "token"),
            ("a.py", "password = 'anon@ftp.com'", "password"),
            ("a.pl", "$cmd .= \"PASSWD='$envvars->{PASSWD}' \"", "PASSWD"),
            ("a.yml", "password: '*EE0D72C1085C46C5278932678FBE2C6A782821B4'", "password"),
            ("a.php", "'password' => 'required|string|min:8'", "password"),
            ("a.php", "'password' => 'sometimes|required|alpha_dash|max:255'", "password"),
            ("a.js", "const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJhZG1pbiI6dHJ1ZX0.'", "token"),
            ("a.js", "const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJhZG1pbiI6dHJ1ZX0'", "token"),
            (
                "a.cs",
                "var token = \"2.Kq2Lw9zTvB4mxR7kq2Lw9w==|vB4mxR7kq2Lw9zTvB4mxR7kq2Lw9zTvB4m==|q2Lw9zTvB4mxR7kq2Lw9zTvB4m8=\"",
                "token",
            ),
            ("a.yml", "password: $2b$12$abcdefghijklmnopqrstuuO1q8C3Jx9Zk2m5bW7vYtRsEaHdGfLnM", "password"),
        ] {
            let verdict = found(path, text, word).map(|(_, verdict)| verdict);
            assert!(matches!(verdict, Some(Err(_))), "{text}: {verdict:?}");
        }
        // `|` in a password makes no rule of it.
        for value in ["vR7#k|q2Lw9zT", "required|vR7#k9zT"] {
            let verdict = found("a.php", &format!("'password' => '{value}'"), "password").map(|(_, verdict)| verdict);
            assert_eq!(verdict, Some(Ok(Confidence::Medium)), "{value}");
        }
        let test = found("tests/test_a.py", "password = 'vR7#kq2Lw9zT'", "password");
        assert_eq!(test.map(|(_, verdict)| verdict), Some(Ok(Confidence::Low)));
    }
}
