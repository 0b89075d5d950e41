//! What was typed by mistake: a credential where a name or a fingerprint belongs is not said again, and not kept.

use std::ops::Range;

use crate::detect::{DetectorSet, Found, Scanner};
use crate::model::Blob;

/// What stands for it.
const MARK: &str = "[secret]";
/// No credential is told from a word that is shorter.
const SHORTEST: usize = 16;

/// The text without the credentials in it, and without what stands before the host in addresses.
pub(super) fn masked(text: &str) -> String {
    let text = without_users(text);
    if text.split_whitespace().all(|word| word.len() < SHORTEST) {
        return text;
    }
    // Without detectors nothing can be looked for.
    let Ok(set) = DetectorSet::builtin() else { return text };
    let mut spans: Vec<Range<usize>> = Vec::new();
    Scanner::new(&set).scan(&Blob::whole("", text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            let parts = credential.parts.iter().filter(|part| !part.public);
            spans.extend(parts.map(|part| part.span.start as usize..part.span.end as usize));
        }
    });
    spans.sort_by_key(|span| span.start);
    let (mut out, mut at) = (String::new(), 0);
    for span in spans {
        let Some(before) = text.get(at..span.start) else { continue };
        out.push_str(before);
        out.push_str(MARK);
        at = span.end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Whether a name that is to be kept is a credential.
pub(super) fn is_credential(name: &str) -> bool {
    masked(name) != name
}

/// `https://user:password@host` as `https://[secret]@host`.
fn without_users(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str("://");
        let end =
            piece.find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '"' | '\'')).unwrap_or(piece.len());
        let user = piece[..end].rfind('@').unwrap_or(0);
        out.push_str(if user > 0 { MARK } else { "" });
        out.push_str(&piece[user..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{is_credential, masked};

    #[test]
    fn what_was_typed_by_mistake_is_not_said_again() {
        let noise = |seed: u64| {
            let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            let next = |at: &u64| Some(at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
            let all = std::iter::successors(Some(seed), next).skip(1).take(74);
            all.map(|at| char::from(letters[(at >> 33) as usize % letters.len()])).collect::<String>()
        };
        let key = ["sk-", "proj-", &noise(1), "T3Blbk", "FJ", &noise(2)].concat();
        let said = masked(&format!("no finding {key} in the store"));
        assert_eq!(said, "no finding [secret] in the store");
        assert!(is_credential(&key));
        assert_eq!(
            masked("--endpoint \"openai=https://kim:hunter2@gw.corp/v1\""),
            "--endpoint \"openai=https://[secret]@gw.corp/v1\""
        );
        for plain in ["no finding 5c5dd020-b4e23a96 in the store", "https://gw.corp/a@b", "kim@acme.test", "payments-team"] {
            assert_eq!(masked(plain), plain);
        }
    }
}
