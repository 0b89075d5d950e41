//! Names as they are shown. Those of a file system, of git and of archives are bytes that need not be text; two that differ are
//! shown as two.

use std::borrow::Cow;
use std::fmt::Write;

/// A name's bytes as text: what is no UTF-8 as `\xff`.
pub(super) fn readable(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for chunk in name.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn names_that_differ_are_shown_as_two() {
        assert_eq!(readable("é.txt".as_bytes()), "é.txt");
        assert_eq!((readable(b"a\xff.txt"), readable(b"a\xfe.txt")), (r"a\xff.txt".into(), r"a\xfe.txt".into()));
        assert_eq!(readable(b"\xc3"), r"\xc3");
    }
}
