//! What of a secret may be shown: its first and last few characters, as the detector allows.

/// How many characters at each end of a secret may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redaction {
    /// Characters at the start.
    pub head: usize,
    /// Characters at the end.
    pub tail: usize,
}

impl Redaction {
    /// Shows nothing but an ellipsis.
    pub const NOTHING: Self = Self { head: 0, tail: 0 };

    /// Redacts `bytes`. At least half of them, and at least eight, stay hidden whatever the detector allows; bytes that
    /// are not printable ASCII are never shown.
    pub fn apply(self, bytes: &[u8]) -> String {
        let hidden = (bytes.len() / 2).max(8);
        let room = bytes.len().saturating_sub(hidden);
        let tail = self.tail.min(room);
        let head = self.head.min(room - tail);
        let show = |part: &[u8]| -> String {
            part.iter().map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '?' }).collect()
        };
        format!("{}…{}", show(&bytes[..head]), show(&bytes[bytes.len() - tail..]))
    }
}

#[cfg(test)]
mod tests {
    use super::Redaction;

    #[test]
    fn shows_the_ends_and_hides_at_least_half() {
        let r = Redaction { head: 8, tail: 4 };
        assert_eq!(r.apply(b"sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaAb3X"), "sk-proj-…Ab3X");
        assert_eq!(r.apply(b"0123456789ab"), "…89ab");
        assert_eq!(r.apply(b"01234567"), "…");
        assert_eq!(r.apply(b""), "…");
        assert_eq!(r.apply(b"\x1b[31m567890123456789012345"), "?[31m567…2345");
    }
}
