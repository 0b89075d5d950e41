//! What stands around a value: the name it is given, and the words that vouch for it.

use std::ops::Range;

use super::names;
use super::spec::{PartRule, Words};

/// How far before and after a vouching word its value may stand, in bytes, whatever the lines say.
const BEFORE: usize = 400;
const AFTER: usize = 700;
/// A name is no longer than this, and no farther from its value.
const NAME: usize = 80;
const GAP: usize = 160;

/// How a word vouches for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Vouched {
    /// It stands near, and the value is named like a secret.
    Near,
    /// It is part of the value's own name.
    InName,
}

/// Where a word at `at` may have its value: so many lines around.
pub(super) fn window(bytes: &[u8], at: usize, lines: usize) -> Range<usize> {
    let floor = at.saturating_sub(BEFORE);
    let ceiling = bytes.len().min(at + AFTER);
    let before = memchr::memrchr_iter(b'\n', &bytes[floor..at]).nth(lines);
    let after = memchr::memchr_iter(b'\n', &bytes[at..ceiling]).nth(lines);
    before.map_or(floor, |n| floor + n + 1)..after.map_or(ceiling, |n| at + n)
}

/// Whether a value that stands near one of `rule`'s words is vouched for, by its name.
pub(super) fn vouched(rule: &PartRule, words: &Words, name: &[u8]) -> Option<Vouched> {
    let plain = squeezed(name);
    let holds = |word: &String| memchr::memmem::find(&plain, &squeezed(word.as_bytes())).is_some();
    if is_identifier(rule, name) {
        return None;
    }
    if words.lower.iter().any(holds) {
        return Some(Vouched::InName);
    }
    rule.names.iter().any(holds).then_some(Vouched::Near)
}

/// What the last word of a name says that its value is, when that is no secret.
const IDENTIFIERS: &[&str] = &[
    "id",
    "ids",
    "uid",
    "uuid",
    "guid",
    "url",
    "uri",
    "host",
    "hostname",
    "endpoint",
    "name",
    "region",
    "zone",
    "version",
    "model",
    "project",
    "organization",
    "workspace",
    "email",
    "username",
    "index",
    "bucket",
    "namespace",
    "cluster",
    "path",
    "file",
    "hash",
    "sha",
    "sha1",
    "sha256",
    "md5",
    "digest",
    "checksum",
    "fingerprint",
    "etag",
    "revision",
    "commit",
    "build",
    "tag",
    "image",
    "trace",
    "span",
    "request",
    "tenant",
    "subscription",
    "publishable",
    "org",
    "env",
    "dataset",
];

/// Whether a name says by its last word that its value identifies something. A detector whose own `names` end so is asked.
fn is_identifier(rule: &PartRule, name: &[u8]) -> bool {
    let mut words = names::words(name);
    // `APP_ID_2`.
    words.retain(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(last) = words.last() else { return false };
    let public = words.ends_with(&["public".to_owned(), "key".to_owned()]);
    (public || IDENTIFIERS.contains(&last.as_str())) && !rule.names.iter().any(|own| own.ends_with(last.as_str()) && !public)
}

/// Letters and digits alone, in lower case: `API-Key` and `api_key` are one name.
pub(super) fn squeezed(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// Names that say only that a value follows; what it is stands before them.
const FILLERS: &[&[u8]] = &[
    b"value",
    b"val",
    b"default",
    b"data",
    b"content",
    b"string",
    b"str",
    b"text",
    b"any",
    b"bytes",
    b"static",
    b"char",
    b"bearer",
    b"basic",
    b"token",
    b"var",
    b"new",
    b"literal",
    b"defaultvalue",
    b"default_value",
    b"type",
    b"description",
    b"to",
    b"sensitive",
    b"nullable",
    b"true",
    b"false",
    b"is",
    b"as",
];
/// Fillers between a value and its name.
const FILLED: usize = 6;

/// The name that the value at `start` is given: the left side of its assignment, its key, its option, its function.
/// Empty where there is none.
pub(super) fn name(bytes: &[u8], start: usize) -> Range<usize> {
    let floor = start.saturating_sub(GAP);
    let mut at = start;
    if let Some(label) = tag_name(bytes, floor, start).or_else(|| label_behind(bytes, start)) {
        return label;
    }
    for _ in 0..FILLED {
        let found = one_name(bytes, floor, at);
        if found.is_empty() {
            return found;
        }
        let lower = bytes[found.clone()].to_ascii_lowercase();
        if lower == b"default"
            && let Some(variable) = terraform_variable(bytes, found.start)
        {
            return variable;
        }
        // "The key for staging is x": all of what stands before it.
        if matches!(lower.as_slice(), b"is" | b"are") {
            let line = memchr::memrchr(b'\n', &bytes[floor..found.start]).map_or(floor, |at| floor + at + 1);
            return line.max(found.start.saturating_sub(NAME))..found.start;
        }
        // `Authorization: Token x` has another name than `token = "x"`.
        let scheme = matches!(lower.as_slice(), b"bearer" | b"basic" | b"token");
        let is_scheme = scheme && at == start && bytes.get(found.end) == Some(&b' ') && found.end + 1 == at;
        let is_token = lower == b"token" && !is_scheme;
        // The name proper is the last word: `x.value`, `&'static str`.
        if is_token || !FILLERS.contains(&lower.as_slice()) {
            return found;
        }
        at = found.start;
    }
    at..at
}

/// The `name` or `key` of the element whose text begins at `start`: `<string name="X" translatable="false">`; what a property
/// list calls it: `<key>X</key> <string>`.
fn tag_name(bytes: &[u8], floor: usize, start: usize) -> Option<Range<usize>> {
    let end = start.checked_sub(1).filter(|&end| bytes[end] == b'>')?;
    let open = floor + memchr::memrchr2(b'<', b'>', &bytes[floor..end]).filter(|&at| bytes[floor + at] == b'<')?;
    let tag = &bytes[open..end];
    let before = bytes[floor..open].trim_ascii_end();
    if tag == b"<string" && before.ends_with(b"</key>") {
        let last = floor + before.len() - b"</key>".len();
        return memchr::memrchr(b'>', &bytes[floor..last]).map(|at| floor + at + 1..last);
    }
    [b" name=\"".as_slice(), b" key=\"", b" id=\""].iter().find_map(|attribute| {
        let first = open + memchr::memmem::find(tag, attribute)? + attribute.len();
        let length = memchr::memchr(b'"', &bytes[first..end])?;
        Some(first..first + length)
    })
}

/// What names a value behind it: `setValue("…", forHTTPHeaderField: "X-Api-Key")`, `SET value = '…' WHERE name = 'x'`.
fn label_behind(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    const LABELS: &[&[u8]] = &[b", forHTTPHeaderField: \"", b" WHERE name = '", b" WHERE key = '", b" where name = '"];
    let quote = start.checked_sub(1).map(|at| bytes[at]).filter(|quote| matches!(quote, b'"' | b'\''))?;
    let set = &bytes[start.saturating_sub(12)..start - 1];
    if ![b"alue(".as_slice(), b"alue = ", b"ALUE = "].iter().any(|end| set.ends_with(end)) {
        return None;
    }
    let text = &bytes[start..bytes.len().min(start + 512)];
    let behind = start + memchr::memchr(quote, text)? + 1;
    let label = LABELS.iter().find(|label| bytes[behind..].starts_with(label))?;
    let first = behind + label.len();
    let length = bytes[first..].iter().take(NAME).position(|byte| matches!(byte, b'"' | b'\''))?;
    Some(first..first + length)
}

/// The name of the Terraform variable whose `default` stands at `at`: `variable "X" { … default = …`.
fn terraform_variable(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    const HEAD: &[u8] = b"variable \"";
    let floor = at.saturating_sub(3 * GAP);
    let start = floor + memchr::memmem::rfind(&bytes[floor..at], HEAD)? + HEAD.len();
    let length = memchr::memchr(b'"', &bytes[start..at])?;
    let ended = memchr::memmem::find(&bytes[start + length..at], b"\n}").is_some();
    (!ended).then_some(start..start + length)
}

/// The function that the value at `start` is a further argument of: `Client` in `Client("id", "value")`. Empty where there
/// is none.
pub(super) fn callee(bytes: &[u8], start: usize) -> Range<usize> {
    let floor = start.saturating_sub(GAP);
    let blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`');
    let before = bytes[floor..start].iter().rposition(|byte| !blank(byte)).map(|at| floor + at);
    let Some(comma) = before.filter(|&at| bytes[at] == b',') else { return start..start };
    let mut depth = 0;
    for at in (floor..comma).rev() {
        match bytes[at] {
            b')' => depth += 1,
            b'(' if depth > 0 => depth -= 1,
            b'(' => return one_name(bytes, at.saturating_sub(NAME), at),
            b';' | b'{' | b'}' => break,
            _ => {}
        }
    }
    start..start
}

/// The next word before `at`, over quotes, operators and blanks.
fn one_name(bytes: &[u8], floor: usize, at: usize) -> Range<usize> {
    let mut end = at;
    let mut lines = 0;
    while end > floor {
        match bytes[end - 1] {
            b'\n' if lines < 2 => lines += 1,
            b'"' | b'\'' | b'`' | b'\\' | b' ' | b'\t' | b'\r' | b':' | b'=' | b'>' | b'<' | b'(' | b')' | b',' | b'['
            | b']' | b'{' | b'|' | b'?' | b'&' | b'*' | b'!' | b'/' => {}
            _ => break,
        }
        end -= 1;
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@');
    let start = (floor.max(end.saturating_sub(NAME))..end).rev().take_while(|&n| is_name(bytes[n])).last().unwrap_or(end);
    start..end
}

#[cfg(test)]
mod tests {
    use super::{callee, name};

    #[test]
    fn the_name_of_a_value_in_every_notation() {
        for (before, expected) in [
            ("MISTRAL_API_KEY=", "MISTRAL_API_KEY"),
            ("export A_KEY=\"", "A_KEY"),
            ("  \"mistralApiKey\": \"", "mistralApiKey"),
            ("const key: string = '", "key"),
            ("static KEY: &'static str = \"", "KEY"),
            ("client = cohere.Client(\"", "cohere.Client"),
            ("Mistral(api_key=\"", "api_key"),
            ("os.environ[\"X_KEY\"] = \"", "X_KEY"),
            ("os.getenv('X_KEY', '", "X_KEY"),
            ("process.env.X_KEY || \"", "process.env.X_KEY"),
            ("-H 'Authorization: Bearer ", "Authorization"),
            ("\"xi-api-key\": \"", "xi-api-key"),
            ("- name: X_KEY\n  value: \"", "X_KEY"),
            ("<add key=\"X_KEY\" value=\"", "X_KEY"),
            ("<key>XKey</key>\n\t<string>", "XKey"),
            ("<password>", "password"),
            ("<string name=\"x_key\" translatable=\"false\">", "x_key"),
            ("mapOf(\"x_key\" to \"", "x_key"),
            ("--api-key ", "--api-key"),
            ("?token=", "token"),
            ("\\\"api_key\\\": \\\"", "api_key"),
            ("ENV X_KEY ", "X_KEY"),
            ("key := \"", "key"),
            ("token = \"", "token"),
            ("variable \"x_key\" {\n  type        = string\n  description = \"the key of it\"\n  default     = \"", "x_key"),
            ("variable \"x_key\" {\n}\nlocals {\n  default = \"", "locals"),
            ("The vercel token is `", "The vercel token "),
            ("", ""),
            ("\n\n\n", ""),
        ] {
            let text = format!("{before}value");
            let found = name(text.as_bytes(), before.len());
            assert_eq!(&text[found], expected, "{before:?}");
        }
    }

    #[test]
    fn the_function_of_a_further_argument() {
        for (before, expected) in [
            ("acme.Client(\"id\", \"", "acme.Client"),
            ("new Acme(f(1), x,\n  '", "Acme"),
            ("Client(\"", ""),
            ("x = [1, \"", ""),
            ("f(); a, \"", ""),
        ] {
            let text = format!("{before}value");
            let found = callee(text.as_bytes(), before.len());
            assert_eq!(&text[found], expected, "{before:?}");
        }
    }
}
