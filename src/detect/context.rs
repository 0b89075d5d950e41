//! What stands around a value: the name it is given, and the words that vouch for it.

use std::ops::Range;

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
    if words.lower.iter().any(holds) {
        return Some(Vouched::InName);
    }
    rule.names.iter().any(holds).then_some(Vouched::Near)
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
];

/// The name that the value at `start` is given: the left side of its assignment, its key, its option, its function.
/// Empty where there is none.
pub(super) fn name(bytes: &[u8], start: usize) -> Range<usize> {
    let floor = start.saturating_sub(GAP);
    let mut at = start;
    for _ in 0..3 {
        let found = one_name(bytes, floor, at);
        if found.is_empty() {
            return found;
        }
        let lower = bytes[found.clone()].to_ascii_lowercase();
        // The name proper is the last word: `x.value`, `&'static str`.
        let scheme = matches!(lower.as_slice(), b"bearer" | b"basic" | b"token") && bytes.get(found.end) == Some(&b' ');
        let is_token = lower == b"token" && !scheme;
        if is_token || !FILLERS.contains(&lower.as_slice()) {
            return found;
        }
        at = found.start;
    }
    at..at
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
    use super::name;

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
            ("<key>XKey</key>\n\t<string>", "key"),
            ("<password>", "password"),
            ("--api-key ", "--api-key"),
            ("?token=", "token"),
            ("\\\"api_key\\\": \\\"", "api_key"),
            ("ENV X_KEY ", "X_KEY"),
            ("key := \"", "key"),
            ("", ""),
            ("\n\n\n", ""),
        ] {
            let text = format!("{before}value");
            let found = name(text.as_bytes(), before.len());
            assert_eq!(&text[found], expected, "{before:?}");
        }
    }
}
