//! `.env` files: `NAME=value` lines, quoted or not, with the place of each value.

use std::ops::Range;

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable<'t> {
    pub(super) name: &'t str,
    /// What the program gets, save escapes in double quotes and interpolation, which are left as they stand.
    pub(super) value: &'t str,
    /// The value's bytes, quotes excluded.
    pub(super) bytes: Range<u64>,
    /// From 1.
    pub(super) line: u64,
}

/// Whether a file of that name holds variables: `.env`, `.env.local`, `prod.env`, `app.env.example`, Flask's `.flaskenv`.
pub(super) fn is_named_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(".env") || name == ".flaskenv" || name.split('.').skip(1).any(|part| part == "env")
}

/// Whether a file of that name is a sample for people, which no program reads.
pub(super) fn is_sample(name: &str) -> bool {
    let words = ["example", "sample", "template", "dist", "defaults"];
    name.split(['.', '-', '_']).any(|part| words.contains(&part))
}

/// Whether a manifest of that name is one for people to fill in: what is applied is made from it, if anything is.
pub(super) fn is_form(name: &str) -> bool {
    name.split(['.', '-', '_']).any(|part| ["example", "sample", "template"].contains(&part.to_ascii_lowercase().as_str()))
}

/// Every assignment in the file. Lines that are none are passed over.
pub(super) fn variables(text: &str) -> Vec<Variable<'_>> {
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let taken = match assignment(&rest[..end]) {
            Some((name, start)) => {
                let (value, taken) = value(rest, start, end);
                let bytes = (at + value.start) as u64..(at + value.end) as u64;
                found.push(Variable { name, value: &rest[value], bytes, line });
                taken
            }
            None => end,
        };
        line += memchr::memchr_iter(b'\n', &rest.as_bytes()[..taken]).count() as u64;
        at += taken;
    }
    found
}

/// The name in `NAME=…` or `export NAME=…`, and where the value begins, spaces passed over.
fn assignment(line: &str) -> Option<(&str, usize)> {
    let equals = line.find('=')?;
    let name = line[..equals].trim_start_matches('\u{feff}').trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if name.is_empty() || !name.bytes().all(fits) {
        return None;
    }
    let value = &line[equals + 1..];
    let spaces = value.len() - value.trim_start_matches([' ', '\t']).len();
    Some((name, equals + 1 + spaces))
}

/// The value's range in `rest` and how many bytes the assignment takes. `end` is after the first line.
fn value(rest: &str, start: usize, end: usize) -> (Range<usize>, usize) {
    let quote = rest[start..end].chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote
        && let Some(close) = closing(&rest[start + 1..], quote)
    {
        // Quoted values may run over several lines, as private keys do. A quote that never closes is looked for in the
        // whole rest of the file, but only the last one of its kind can be such.
        let close = start + 1 + close;
        let after = rest[close..].find('\n').map_or(rest.len(), |newline| close + newline + 1);
        return (start + 1..close, after);
    }
    let plain = &rest[start..end];
    let plain = plain.find(" #").map_or(plain, |comment| &plain[..comment]);
    (start..start + plain.trim_end().len(), end)
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(index, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped && quote == '"';
        closes.then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_named_so, variables};

    #[test]
    fn every_way_to_write_a_value() {
        let text = "\u{feff}# A=1\r\nA=one\r\nexport B = 'two # 2'\nC=three # c\nD=\"a\\\"b\nc\"\nE=\nnot a line\né=1\nF=x=y\nG='open\nH=last";
        let found: Vec<_> = variables(text).iter().map(|v| (v.name, v.value, v.line)).collect();
        let expected = [
            ("A", "one", 2),
            ("B", "two # 2", 3),
            ("C", "three", 4),
            ("D", "a\\\"b\nc", 5),
            ("E", "", 7),
            ("F", "x=y", 10),
            ("G", "'open", 11),
            ("H", "last", 12),
        ];
        assert_eq!(found, expected);
        for variable in variables(text) {
            assert_eq!(&text[variable.bytes.start as usize..variable.bytes.end as usize], variable.value);
        }
    }

    #[test]
    fn names() {
        assert!([".env", ".env.production", "api.env", "app.env.local"].iter().all(|name| is_named_so(name)));
        assert!(!["environment.rs", "env", "event.json"].iter().any(|name| is_named_so(name)));
    }
}
