//! What stands in for a variable that is not set: `${X:-default}`, `${x:default}`, `{{ x | default("…") }}`. Who writes a
//! secret there has written it down.

use std::ops::Range;

/// A reference within a reference within a reference.
const DEEPEST: usize = 3;
/// A template's gap is no longer.
const GAP: usize = 300;
/// The name of a variable is no longer.
const NAME: usize = 80;
/// What stands before a colon and says where a value is, not what its variable is called: `${env:X}`, `${ssm:/path}`.
const PLACES: &[&[u8]] = &[
    b"env",
    b"sys",
    b"file",
    b"ssm",
    b"self",
    b"opt",
    b"cf",
    b"s3",
    b"sm",
    b"aws",
    b"gcp",
    b"azure",
    b"kms",
    b"ref",
    b"var",
    b"local",
    b"param",
    b"params",
    b"custom",
    b"lookup",
    b"date",
    b"base64",
    b"k8s",
    b"vault",
    b"secret",
    b"secrets",
    b"secretsmanager",
    b"java",
    b"ctx",
    b"main",
    b"bundle",
    b"jndi",
    b"spring",
    b"global",
    b"script",
    b"using",
];

/// Where the default stands in the reference that `text` begins with, and whether it is quoted.
pub(super) fn default(text: &[u8]) -> Option<(Range<usize>, bool)> {
    match text {
        [b'$', b'{', ..] => braced(text),
        [b'{', b'{', ..] => templated(text),
        _ => None,
    }
}

/// How long the name of the variable is that `text` begins with, within `${…}`.
pub(super) fn name_length(text: &[u8]) -> usize {
    let count = |wanted: fn(&u8) -> bool| text.iter().take(NAME).take_while(|byte| wanted(byte)).count();
    let plain = count(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    // A shell's `${X-default}`; Spring's `${app.db-password:default}`.
    let shell = text[..plain].contains(&b'_') || !text[..plain].iter().any(u8::is_ascii_lowercase);
    if shell { plain } else { count(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')) }
}

/// How long what follows a variable's name is, before its default.
pub(super) fn operator_length(text: &[u8]) -> Option<usize> {
    match text {
        [b':', b'-' | b'=', ..] => Some(2),
        // What is said where a variable is missing, and what stands there where it is not.
        [b':', b'?' | b'+', ..] => None,
        [b':' | b'-' | b'=', ..] => Some(1),
        _ => None,
    }
}

fn braced(text: &[u8]) -> Option<(Range<usize>, bool)> {
    let mut start = 0;
    let mut depth = 0;
    while depth < DEEPEST && text[start..].starts_with(b"${") {
        let name = start + 2;
        let end = name + name_length(&text[name..]);
        start = end + operator_length(&text[end..])?;
        let place =
            start == end + 1 && text[end] == b':' && PLACES.iter().any(|place| text[name..end].eq_ignore_ascii_case(place));
        if end == name || place {
            return None;
        }
        depth += 1;
    }
    let quote = text.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    start += usize::from(quote.is_some());
    let wanted = |byte: &u8| *byte == quote.unwrap_or(b'}') || matches!(byte, b'\n' | b'\r');
    let end = start + text[start..].iter().position(wanted)?;
    let closed = end + usize::from(quote.is_some());
    let braces = text.get(closed..closed + depth)?.iter().all(|&byte| byte == b'}');
    let behind = text.get(closed + depth).copied();
    let ends = behind.is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`<,;)]}\\".contains(&byte));
    (braces && ends && end > start).then_some((start..end, quote.is_some()))
}

/// Jinja's `x | default('…')`, Go's `x | default "…"` and `default "…" x`.
fn templated(text: &[u8]) -> Option<(Range<usize>, bool)> {
    let text = &text[..text.len().min(GAP)];
    let text = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    let text = &text[..memchr::memmem::find(text, b"}}")?];
    memchr::memmem::find_iter(text, b"default").find_map(|at| {
        let before = text[at - 1];
        let mut start = at + b"default".len();
        let between = text[start..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'(' | b'\\')).count();
        start += between;
        let quote = *text.get(start).filter(|byte| matches!(byte, b'"' | b'\''))?;
        let length = memchr::memchr(quote, &text[start + 1..])?;
        let escaped = usize::from(length > 0 && text[start] == b'"' && text[start - 1] == b'\\');
        let word = matches!(before, b' ' | b'|' | b'{' | b'(' | b'-') && between > 0;
        (word && length > escaped).then(|| (start + 1..start + 1 + length - escaped, true))
    })
}

#[cfg(test)]
mod tests {
    use super::default;

    #[test]
    fn defaults_of_references_are_told_from_references() {
        for (text, expected) in [
            ("${DB_PASSWORD:abc}", "abc"),
            ("${db.pass-word:abc}", "abc"),
            ("${X:-abc}", "abc"),
            ("${X:=abc}\n", "abc"),
            ("${X-abc}", "abc"),
            ("${1:-abc}\"", "abc"),
            ("${A:-${B:-abc}}", "abc"),
            ("${A:-\"abc\"}", "abc"),
            ("{{ x | default('abc') }}", "abc"),
            ("{{ x | default(\"abc\", true) }}", "abc"),
            ("{{- .Values.x | default \"abc\" | quote }}", "abc"),
            ("{{ default \"abc\" .Values.x }}", "abc"),
            ("{{ a | default(b) | default('abc') }}", "abc"),
        ] {
            let found = default(text.as_bytes()).map(|(at, _)| &text[at]);
            assert_eq!(found, Some(expected), "{text}");
        }
        for text in [
            "${X}",
            "${X:-}",
            "${X:?abc}",
            "${X:+abc}",
            "${X:-abc}/d",
            "${X:-abc",
            "${env:ABC}",
            "${ssm:/a/b}",
            "${:-abc}",
            "{{ x }}",
            "{{ x | default(omit) }}",
            "{{ x | default(y) }}",
            "{{ x_default 'abc' }}",
            "{{ default \"abc\"\n}}",
            "$X",
            "",
            "${",
            "${${${${",
        ] {
            assert_eq!(default(text.as_bytes()), None, "{text}");
        }
    }
}
