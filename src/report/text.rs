//! Words and numbers for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::Report;

/// Text from the scanned material made safe for a terminal: control characters become visible escapes.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Bidirectional controls can make a path read as another.
        let hostile =
            c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if hostile {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A text in lines of at most so many characters, broken at spaces. What has none stays whole, as paths and ids must.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let long = word.chars().count();
        if used > 0 && used + 1 + long > width {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().unwrap_or_else(|| unreachable!("there is always one"));
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += long;
    }
    lines
}

/// `1 file`, `3 files`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `5,123`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `512 B`, `3.4 MB`: decimal units.
pub(super) fn bytes(number: u64) -> String {
    let mut value = number as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{number} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `0.42 s`, `3 min 5 s`.
pub(super) fn seconds(number: f64) -> String {
    let mut out = String::new();
    if number < 60.0 {
        let _ = write!(out, "{number:.2} s");
    } else {
        let whole = number as u64;
        let _ = write!(out, "{} min {} s", whole / 60, whole % 60);
    }
    out
}

/// Reasons in the line of coverage; JSON has them all.
const REASONS: usize = 8;

/// How far a scan looked, in a line.
pub(super) fn looked_at(report: &Report) -> String {
    let seen = &report.coverage;
    let mut text = count(seen.files, "file", "files");
    if seen.objects > 0 {
        let _ = write!(text, " and {}", count(seen.objects, "git object", "git objects"));
    }
    let _ = write!(text, ", {}, {}", bytes(seen.bytes), seconds(report.seconds));
    let lists = [
        ("skipped", &seen.skipped),
        ("put aside", &seen.suppressed),
        ("allowed", &seen.allowed),
        ("disregarded", &seen.disregarded),
    ];
    for (title, counts) in lists.into_iter().filter(|(_, counts)| !counts.is_empty()) {
        let _ = write!(text, "; {title}: {}", reasons(counts));
    }
    text.push_str(if seen.is_complete() { "; complete" } else { "; INCOMPLETE" });
    text
}

/// Counts by reason, the most first. A tree may give any number of reasons; a line holds few.
fn reasons(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
    let rest = counts.split_off(counts.len().min(REASONS));
    let mut each: Vec<String> = counts.iter().map(|(reason, number)| format!("{number} {reason}")).collect();
    if !rest.is_empty() {
        let number: u64 = rest.iter().map(|(_, number)| **number).sum();
        each.push(format!("{number} for {}", count(rest.len() as u64, "more reason", "more reasons")));
    }
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{bytes, clean, count, grouped, reasons, seconds, wrapped};

    #[test]
    fn many_reasons_become_few() {
        let counts: BTreeMap<String, u64> = (1..=10).map(|n| (format!("r{n}"), n)).collect();
        assert_eq!(reasons(&counts), "10 r10, 9 r9, 8 r8, 7 r7, 6 r6, 5 r5, 4 r4, 3 r3, 3 for 2 more reasons");
        assert_eq!(reasons(&BTreeMap::from([("r".to_owned(), 1)])), "1 r");
    }

    #[test]
    fn lines_end_at_spaces_and_words_stay_whole() {
        assert_eq!(wrapped("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrapped("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
        assert_eq!(wrapped("ää bb", 5), ["ää bb"]);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(150_200_000), "150.2 MB");
        assert_eq!(seconds(0.416), "0.42 s");
        assert_eq!(seconds(185.0), "3 min 5 s");
    }

    #[test]
    fn a_hostile_file_name_cannot_draw_on_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\nc\\u{202e}d");
        assert_eq!(clean("straße/日本"), "straße/日本");
    }
}
