//! Words and numbers for people.

use std::fmt::Write as _;

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

#[cfg(test)]
mod tests {
    use super::{bytes, clean, count, grouped, seconds};

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
