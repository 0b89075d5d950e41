//! Inline markers: `staunch:allow` and what people already write for gitleaks, detect-secrets and trufflehog.
//!
//! Looked for in the bytes as they lie in the file, where a reviewer can see them, never in what was decoded from them. Only
//! within the reach of the finding, so that a window of a big file decides as the whole would; nothing is looked at until
//! something is found.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use crate::model::{Blob, Credential};

const MARKERS: &[&str] = &["staunch:allow", "gitleaks:allow", "trufflehog:ignore"];
/// detect-secrets takes a blank or none after `pragma:`, and a blank or a dash between the words.
const PRAGMA: &str = "pragma: allowlist secret";
const PRAGMA_NEXT: &str = "pragma: allowlist nextline secret";

/// The marker that allows a credential found in `blob`: on a line that the reported part spans, or on the line before it
/// where the marker says so. `reach` is how far the blob can be relied on around the credential's first part.
pub(super) fn marker(blob: &Blob<'_>, credential: &Credential, reach: usize) -> Option<&'static str> {
    let (anchor, reported) = (&credential.identifying()?.span, &credential.pointed_at()?.span);
    let bytes = blob.bytes;
    let at = |offset: u64| usize::try_from(offset.saturating_sub(blob.offset)).unwrap_or(usize::MAX).min(bytes.len());
    let floor = at(anchor.start).saturating_sub(reach);
    let ceiling = at(anchor.start).saturating_add(reach).min(bytes.len());
    let first = at(reported.start).clamp(floor, ceiling);
    let last = at(reported.end.saturating_sub(1)).clamp(first, ceiling);
    let start = memchr::memrchr(b'\n', &bytes[floor..first]).map_or(floor, |end| floor + end + 1);
    let end = memchr::memchr(b'\n', &bytes[last..ceiling]).map_or(ceiling, |end| last + end);
    if let Some(found) = on_line(&text(bytes, start..end)) {
        return Some(found);
    }
    let above_end = start.checked_sub(1).filter(|&end| end >= floor && bytes[end] == b'\n')?;
    let above = memchr::memrchr(b'\n', &bytes[floor..above_end]).map_or(floor, |end| floor + end + 1);
    pragma(&text(bytes, above..above_end), true).then_some(PRAGMA_NEXT)
}

/// A line as text of one byte a character: in UTF-16, every other byte of ASCII is zero.
fn text(bytes: &[u8], line: Range<usize>) -> Cow<'_, [u8]> {
    let line = &bytes[line];
    if memchr::memchr(0, line).is_none() {
        return Cow::Borrowed(line);
    }
    line.iter().copied().filter(|&byte| byte != 0).collect()
}

fn on_line(line: &[u8]) -> Option<&'static str> {
    let marker =
        MARKERS.iter().find(|marker| memmem::find_iter(line, marker).any(|at| is_word(line, at..at + marker.len())));
    marker.copied().or_else(|| pragma(line, false).then_some(PRAGMA))
}

/// `staunch:allowed` and `staunch:allow-all` are no markers, nor is `notstaunch:allow`; `<!--staunch:allow-->` is.
fn is_word(line: &[u8], span: Range<usize>) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let before = span.start.checked_sub(1).and_then(|before| line.get(before));
    let after = if line.get(span.end) == Some(&b'-') { span.end + 1 } else { span.end };
    !is_letter(before) && !is_letter(line.get(after))
}

fn pragma(line: &[u8], next: bool) -> bool {
    memmem::find_iter(line, b"pragma:").any(|at| {
        let rest = &line[at + b"pragma:".len()..];
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let words: &[&[u8]] = if next { &[b"allowlist", b"nextline", b"secret"] } else { &[b"allowlist", b"secret"] };
        let end = words.iter().enumerate().try_fold(rest, |rest, (n, word)| {
            let rest = if n == 0 { rest } else { rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"-"))? };
            rest.strip_prefix(*word)
        });
        end.is_some_and(|rest| is_word(line, at..line.len() - rest.len()))
    })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::marker;
    use crate::model::{Blob, Confidence, Credential, Facts, Part};
    use crate::secret::{Redaction, Secret};

    fn credential(parts: &[(bool, Range<u64>)]) -> Credential {
        let part = |(public, span): &(bool, Range<u64>)| Part {
            name: "key".into(),
            value: Secret::new(b""),
            public: *public,
            redaction: Redaction::NOTHING,
            span: span.clone(),
        };
        Credential {
            detector: "x".into(),
            parts: parts.iter().map(part).collect(),
            facts: Facts::new(),
            confidence: Confidence::High,
            partial: false,
            encoding: Vec::new(),
        }
    }

    /// What allows `KEY` in a text.
    fn allows(text: &str) -> Option<&'static str> {
        let at = text.find("KEY").expect("it holds one") as u64;
        marker(&Blob::whole("x", text.as_bytes()), &credential(&[(false, at..at + 3)]), 4096)
    }

    #[test]
    fn every_marker_counts_on_its_own_line_and_nowhere_else() {
        for name in ["staunch:allow", "gitleaks:allow", "trufflehog:ignore", "pragma: allowlist secret"] {
            assert_eq!(allows(&format!("a = KEY # {name}\n")), Some(name));
            assert_eq!(allows(&format!("<!--{name}--> KEY")), Some(name), "{name} before it");
            assert_eq!(allows(&format!("KEY // {name} it is a sample")), Some(name));
            assert_eq!(allows(&format!("// {name}\nKEY\n// {name}\n")), None, "{name} beside it");
            assert_eq!(allows(&format!("KEY {name}ed")), None, "{name}ed");
            assert_eq!(allows(&format!("KEY no{name}")), None, "no{name}");
        }
        for same in ["pragma:allowlist secret", "pragma: allowlist-secret", "pragma:allowlist-secret"] {
            assert_eq!(allows(&format!("KEY {same}")), Some("pragma: allowlist secret"), "{same}");
        }
        for other in
            ["nosec", "noqa", "pragma: whitelist secret", "betterleaks:allow", "staunch:allow-next-line", "STAUNCH:ALLOW"]
        {
            assert_eq!(allows(&format!("KEY # {other}")), None, "{other}");
        }
    }

    #[test]
    fn a_marker_for_the_next_line_counts_for_that_line_alone() {
        let next = Some("pragma: allowlist nextline secret");
        assert_eq!(allows("# pragma: allowlist nextline secret\nKEY\n"), next);
        assert_eq!(allows("x\r\n  // pragma:allowlist-nextline-secret\r\na: KEY"), next);
        assert_eq!(allows("KEY # pragma: allowlist nextline secret\n"), None);
        assert_eq!(allows("# pragma: allowlist nextline secret\n\nKEY\n"), None);
        assert_eq!(allows("KEY\n# pragma: allowlist nextline secret\n"), None);
    }

    #[test]
    fn any_line_that_the_secret_spans_counts() {
        let text = "before staunch:allow\nBEGIN\nmiddle\nEND\nafter staunch:allow\n";
        let span = text.find("BEGIN").expect("it") as u64..text.find("\nafter").expect("it") as u64;
        let found = |text: &str| marker(&Blob::whole("x", text.as_bytes()), &credential(&[(false, span.clone())]), 4096);
        assert_eq!(found(text), None);
        assert_eq!(found(&text.replace("END\n", "END # gitleaks:allow\n")), Some("gitleaks:allow"));
        assert_eq!(found(&text.replace("middle", "gitleaks:allow")), Some("gitleaks:allow"));
    }

    #[test]
    fn of_a_pair_the_secret_s_line_counts() {
        let pair = |text: &str| {
            let at = |what: &str| text.find(what).expect("it") as u64;
            let parts = [(true, at("ID")..at("ID") + 2), (false, at("KEY")..at("KEY") + 3)];
            marker(&Blob::whole("x", text.as_bytes()), &credential(&parts), 4096)
        };
        assert_eq!(pair("ID staunch:allow\nKEY\n"), None);
        assert_eq!(pair("ID\nKEY staunch:allow\n"), Some("staunch:allow"));
    }

    #[test]
    fn a_window_sees_what_the_whole_file_shows() {
        let text = format!(
            "{}\n# pragma: allowlist nextline secret\nKEY {} staunch:allow\n{}",
            "a".repeat(99),
            "b".repeat(60),
            "c".repeat(99)
        );
        let at = text.find("KEY").expect("it");
        let here = credential(&[(false, at as u64..at as u64 + 3)]);
        for reach in [10, 39, 40, 50, 70, 79, 80, 500] {
            let whole = marker(&Blob::whole("x", text.as_bytes()), &here, reach);
            let (from, to) = (at.saturating_sub(reach), (at + reach).min(text.len()));
            let blob = Blob { offset: from as u64, own: 0..1, ..Blob::whole("x", &text.as_bytes()[from..to]) };
            assert_eq!(marker(&blob, &here, reach), whole, "{reach}");
        }
        assert_eq!(marker(&Blob::whole("x", text.as_bytes()), &here, 30), None);
    }

    #[test]
    fn utf_16_of_either_kind_is_read() {
        let text = "a\nKEY # staunch:allow\n";
        for bytes in [
            text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ] {
            assert_eq!(marker(&Blob::whole("x", &bytes), &credential(&[(false, 4..10)]), 4096), Some("staunch:allow"));
        }
    }

    #[test]
    fn places_at_the_edges_and_beyond_do_no_harm() {
        for span in [0..0, 0..1, 5..5, 4..9, 900..901] {
            assert_eq!(marker(&Blob::whole("x", b"a\nb\n\n"), &credential(&[(false, span)]), 2), None);
        }
        assert_eq!(marker(&Blob::whole("x", b""), &credential(&[(false, 0..0)]), 2), None);
    }
}
