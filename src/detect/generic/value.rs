//! Where a value begins and ends, quoted or bare, once it is known where it stands.

use std::ops::Range;

use super::super::kind::{FileKind, Syntax};
use super::operator::Operator;
use super::{VALUE, default, in_braces, judge, skip};

/// The value at `at`, and whether it is quoted.
pub(super) fn value(
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
        start += 1;
        if matches!(bytes[start - 1], b'$' | b'f') && is_filled(&bytes[start..]) {
            return None;
        }
    }
    // `"""…"""`
    if let [first @ (b'"' | b'\''), second, third, ..] = bytes[start..]
        && first == second
        && first == third
    {
        start += 2;
    }
    let text = &bytes[start..bytes.len().min(start + VALUE)];
    // A list is looked at as one.
    if matches!(text, [b'[', b'"' | b'\'' | b' ' | b'\n' | b'\r', ..]) {
        return None;
    }
    if matches!(text.first(), Some(b'"' | b'\'' | b'`')) {
        return quoted(text, escaped).map(|inner| (start + inner.start..start + inner.end, true));
    }
    if let Some(inside) = text.strip_prefix(b"&quot;") {
        let first = start + b"&quot;".len();
        return Some((first..first + memchr::memmem::find(inside, b"&quot;")?, true));
    }
    if let Some(within) = nested(text) {
        return value(bytes, start + within, operator, (name, kind)).filter(|_| operator != Operator::Argument);
    }
    if let Some(text) = text.strip_prefix(b"<![CDATA[").filter(|_| operator == Operator::Tag) {
        let first = start + b"<![CDATA[".len();
        return Some((first..first + memchr::memmem::find(text, b"]]>")?, true));
    }
    if let Some(within) = wrapped(text) {
        return value(bytes, start + within, operator, (name, kind)).filter(|(_, quoted)| *quoted);
    }
    header(bytes, start, name, kind).or_else(|| bare(bytes, (at, start), operator, (name, kind)))
}

/// The text in the quotes that `text` begins with.
fn quoted(text: &[u8], escaped: bool) -> Option<Range<usize>> {
    let (quote, inside) = text.split_first()?;
    let close = inside
        .iter()
        .enumerate()
        .position(|(n, byte)| *byte == b'\n' || (byte == quote && (n == 0 || inside[n - 1] != b'\\' || escaped)))?;
    if inside[close] == b'\n' {
        return None;
    }
    let close = if escaped && close > 0 && inside[close - 1] == b'\\' { close - 1 } else { close };
    let mut inner = unquoted(&inside[..close]);
    // Spring Security's mark of a password that is not hashed.
    inner.start += if inside[inner.clone()].starts_with(b"{noop}") { b"{noop}".len() } else { 0 };
    Some(1 + inner.start..1 + inner.end)
}

/// The value without quotes that begins at `start`.
fn bare(
    bytes: &[u8],
    (at, start): (usize, usize),
    operator: Operator,
    (name, kind): (&Range<usize>, FileKind),
) -> Option<(Range<usize>, bool)> {
    let text = &bytes[start..bytes.len().min(start + VALUE)];
    let spring = in_braces(bytes, name);
    let exported = [b"%env ".as_slice(), b"%set_env ", b"export "].iter().any(|word| bytes[..name.start].ends_with(word));
    let inner = spring || name.start.checked_sub(1).is_some_and(|n| matches!(bytes[n], b';' | b'?' | b'&' | b'"' | b'\''));
    let allowed = match (operator, kind.syntax) {
        (Operator::Argument, _) => false,
        (Operator::Tag, _) | (_, Syntax::Settings | Syntax::Shell) | (Operator::Assign, Syntax::Text) => true,
        // Within a connection string or a query.
        (Operator::Assign, Syntax::Code) => spring || ((inner || exported) && bytes.get(at - 1) == Some(&b'=')),
        (Operator::Blank, _) => bytes[name.clone()].starts_with(b"--"),
    };
    let placeholder = text.first() == Some(&b'<') && operator != Operator::Tag;
    let end = if placeholder { text.iter().position(|&byte| byte == b'>').map(|at| at + 1) } else { None };
    let grouped = !inner && operator == Operator::Assign && judge::in_groups(text);
    let end = end.or_else(|| grouped.then_some(judge::GROUPS));
    let end = end.or_else(|| text.iter().position(|&byte| ends(byte, inner) || (spring && byte == b'}')));
    let end = end.or_else(|| (text.len() < VALUE).then_some(text.len()))?;
    let called = is_call(&text[..end], kind.syntax) || text.get(end) == Some(&b'(');
    // `<PASSWORD>@host` opens no element, and `Map<Password, Password> NAME` neither.
    let behind = text[end..].trim_ascii_start();
    if operator == Operator::Tag && !behind.is_empty() && !behind.starts_with(b"</") {
        return None;
    }
    // In a text, what follows the value on its line makes it one word of a sentence; not behind `x=`.
    let tail = &text[end..];
    let tail = tail[..memchr::memchr(b'\n', tail).unwrap_or(tail.len())].trim_ascii();
    let sentence = kind.syntax == Syntax::Text
        && operator == Operator::Assign
        && bytes.get(at - 1) != Some(&b'=')
        && tail.first().is_some_and(u8::is_ascii_alphanumeric);
    let end = if text[..end].ends_with(b"}") && !text[..end].contains(&b'{') { end - 1 } else { end };
    // In a comment may be several, each with its name.
    let next = tail.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let apart = tail.is_empty() || (next.len() > 1 && matches!(next.last(), Some(b':' | b'=')));
    let allowed = allowed || (apart && is_noted(bytes, name, &text[..end], kind));
    (allowed && end > 0 && !called && !sentence).then_some((start..start + end, false))
}

/// Whether a bare value calls something: `env(…)`, `os.environ.get(…)`. A setting that is none may hold a parenthesis.
fn is_call(value: &[u8], syntax: Syntax) -> bool {
    let Some(open) = memchr::memchr(b'(', value) else { return false };
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-' | b'?' | b'!');
    let setting = matches!(syntax, Syntax::Settings | Syntax::Shell);
    !setting || value[..open].iter().all(part) || matches!(value[open - 1], b'$' | b'{')
}

/// `{"value": "…"`, `<Value>…`: where a value begins that is called so within what its name is given (Langflow's exports, Windows'
/// answer files).
fn nested(text: &[u8]) -> Option<usize> {
    const SHORT: usize = 48;
    let head = &text[..text.len().min(SHORT)];
    let mut at = 1;
    match head.first()? {
        b'{' => {
            skip(head, &mut at, |byte| byte.is_ascii_whitespace(), 24);
            let name = [b"\"value\"".as_slice(), b"'value'"].into_iter().find(|name| head[at..].starts_with(name))?;
            at += name.len();
            skip(head, &mut at, |byte| byte == b' ', 4);
            (skip(head, &mut at, |byte| byte == b':', 1) == 1).then_some(())?;
            skip(head, &mut at, |byte| byte == b' ', 4);
            matches!(head.get(at), Some(b'"' | b'\'')).then_some(at)
        }
        b'<' => head.strip_prefix(b"<Value>").filter(|rest| rest.first() != Some(&b'<')).map(|rest| head.len() - rest.len()),
        _ => None,
    }
}

/// Whether something is filled in the quoted text that `text` begins with: `f"{x}"`.
fn is_filled(text: &[u8]) -> bool {
    let inside = &text[1..];
    memchr::memchr3(b'{', b'\n', text[0], inside).is_none_or(|at| inside[at] == b'{')
}

/// A header's line in a text or a string: `Authorization: Bearer …`, `'X-Api-Key: …'`. The scheme is in it.
fn header(bytes: &[u8], at: usize, name: &Range<usize>, kind: FileKind) -> Option<(Range<usize>, bool)> {
    let own = &bytes[name.clone()];
    let authorization = own.to_ascii_lowercase().ends_with(b"authorization");
    let quote = name.start.checked_sub(1).map(|at| bytes[at]).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let wanted = match kind.syntax {
        Syntax::Text => authorization,
        Syntax::Code => quote.is_some() && (authorization || own.contains(&b'-')),
        Syntax::Settings | Syntax::Shell => false,
    };
    if !wanted || bytes[name.end..at].trim_ascii() != b":" {
        return None;
    }
    let text = &bytes[at..bytes.len().min(at + VALUE)];
    let word =
        |from: usize| text[from..].iter().position(|&byte| ends(byte, false)).map_or(text.len(), |length| from + length);
    let mut end = word(0);
    if authorization && text.get(end) == Some(&b' ') {
        end = word(end + 1);
    }
    let closed = text.get(end).is_none_or(|&byte| quote.map_or(matches!(byte, b'\n' | b'\r'), |quote| byte == quote));
    (closed && end > 0).then_some((at..at + end, false))
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

/// `Buffer.from("…", "base64")`, `$(echo '…' | base64 -d)`, `[]byte("…")`, `new AuthenticationHeaderValue("Bearer", "…")`:
/// where the quoted text begins in a call that makes something of it.
fn wrapped(text: &[u8]) -> Option<usize> {
    const DECODERS: &[&[u8]] =
        &[b"base64", b"decode", b"atob", b"b64", b"buffer.from", b"hex", b"unhexlify", b"echo", b"[]byte"];
    // What makes a text of a text: Rust, Python, pydantic, Go's SDKs.
    const MAKERS: &[&[u8]] = &[
        b"string::from(",
        b"str(",
        b"field(",
        b"field(default=",
        b"secretstr(",
        b"field(default=secretstr(",
        b"new string(",
        b"aws.string(",
        b"some(",
    ];
    let head = &text[..text.len().min(100)];
    let open = head.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let call = head[..open].to_ascii_lowercase();
    let simple = call.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:()[]$&* ".contains(byte));
    if MAKERS.contains(&call.as_slice()) {
        return Some(open);
    }
    let decodes = DECODERS.iter().any(|word| memchr::memmem::find(&call, word).is_some());
    if memchr::memmem::find(&call, b"authenticationheadervalue").is_some() {
        let quote = head[open];
        let scheme = open + 1 + memchr::memchr(quote, &head[open + 1..])?;
        let next = scheme + 1 + memchr::memchr(quote, &head[scheme + 1..])?;
        return (head[scheme + 1..next].trim_ascii() == b",").then_some(next);
    }
    (open > 0 && simple && call.contains(&b'(') && decodes).then_some(open)
}

/// `# password: …`, `// pwd = …`, `run(); // key: …`: in a comment, and of more kinds of letters than a word.
fn is_noted(bytes: &[u8], name: &Range<usize>, value: &[u8], kind: FileKind) -> bool {
    const LINE: usize = 160;
    let head = &bytes[name.start.saturating_sub(LINE)..name.start];
    let line = head[memchr::memrchr(b'\n', head).map_or(0, |end| end + 1)..].trim_ascii();
    let comment = [b"#".as_slice(), b"//", b"--", b";", b"*"].iter().find_map(|mark| line.strip_prefix(*mark));
    let behind =
        || [b" //".as_slice(), b" #"].iter().find_map(|mark| Some(&line[memchr::memmem::rfind(line, mark)? + mark.len()..]));
    let comment = comment.or_else(behind);
    let part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(*byte, b' ' | b':' | b'/' | b'+' | b'=' | b'_' | b'-' | b',' | b'.')
    };
    let words = |text: &[u8]| text.iter().all(part);
    let has = |wanted: fn(&u8) -> bool| value.iter().any(wanted);
    kind.syntax == Syntax::Code
        && comment.is_some_and(words)
        && value.len() >= 8
        && value.iter().all(u8::is_ascii_graphic)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

pub(super) fn ends(byte: u8, inner: bool) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'\\' | b'\x1b')
        || (inner && matches!(byte, b'&' | b')'))
}
