//! Why a value that has the right shape is put aside all the same. Each reason is counted in the coverage.

/// Words that nobody's random key holds and every template does.
const PLACEHOLDER_WORDS: &[&str] = &[
    "example",
    "placeholder",
    "your-",
    "your_",
    "yourkey",
    "xxxxxx",
    "changeme",
    "change-me",
    "redacted",
    "dummykey",
    "insert-",
    "replace-me",
    "replace_me",
    "replaceme",
    "notreal",
    "not-a-real",
    "fakekey",
    "fake-key",
    "samplekey",
    "......",
];

/// A run of one character or of neighbours in the alphabet (`abcdefgh`, `12345678`) this long is typed, not drawn.
/// Chance: a given 10-run appears in a 40-character base62 value about once in 10^16.
const RUN: usize = 10;

/// Why `value` is not worth a report, if so.
pub(super) fn reason(value: &[u8]) -> Option<&'static str> {
    if value.ends_with(b"EXAMPLE") || value.ends_with(b"EXAMPLEKEY") {
        return Some("documentation sample");
    }
    let lower = value.to_ascii_lowercase();
    let has = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    if PLACEHOLDER_WORDS.iter().any(|word| has(word)) {
        return Some("placeholder");
    }
    let step = |wanted: u8| {
        let mut run = 1;
        lower.windows(2).any(|pair| {
            run = if pair[1].wrapping_sub(pair[0]) == wanted { run + 1 } else { 1 };
            run >= RUN
        })
    };
    (step(0) || step(1)).then_some("placeholder")
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn samples_and_templates_are_named() {
        assert_eq!(reason(b"AKIAIOSFODNN7EXAMPLE"), Some("documentation sample"));
        for typed in [
            "sk-xxxxxxxxxxxxxxxxxxxx",
            concat!("hf", "_abcdefghijklmnopqrstuvwxyzabcdefgh"),
            "sk-ant-api03-your_key_here",
            "gsk_0123456789",
        ] {
            assert_eq!(reason(typed.as_bytes()), Some("placeholder"), "{typed}");
        }
        assert_eq!(reason(b"sk-9dK2mQ7xZr4LpV8nTb1s"), None);
        assert_eq!(reason(b""), None);
    }
}
