//! Any bytes, under any kind of file name, whole and in windows: no panic, no place outside them, and nothing that a window
//! finds and the whole does not know of.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use staunch::detect::{DetectorSet, Found, Scanner};
use staunch::model::Blob;

/// One of each syntax and role.
const PATHS: &[&str] = &[
    ".env", "a.yaml", "a.json", "a.py", "src/a.js", "a.min.js", "tests/a.go", "README.md", "Dockerfile", ".bash_history",
    "a.sql", "package-lock.json", "a.tf", "a.xml", "a.ipynb", "x",
];

fuzz_target!(|bytes: &[u8]| {
    static SET: OnceLock<DetectorSet> = OnceLock::new();
    let set = SET.get_or_init(|| DetectorSet::builtin().expect("the built-in detectors"));
    let Some((&first, text)) = bytes.split_first() else { return };
    let path = PATHS[usize::from(first) % PATHS.len()];
    let mut scanner = Scanner::new(set);
    scanner.scan(&Blob::whole(path, text), &mut |found| within(&found, 0..text.len() as u64));
    // Two windows that share a margin, cut where the first byte says.
    let cut = text.len() * usize::from(first) / 256;
    for own in [0..cut, cut..text.len()] {
        let margin = own.start.saturating_sub(set.reach())..text.len().min(own.end + set.reach());
        let blob = Blob {
            bytes: &text[margin.clone()],
            own: own.start - margin.start..own.end - margin.start,
            offset: margin.start as u64,
            ..Blob::whole(path, text)
        };
        scanner.scan(&blob, &mut |found| within(&found, 0..text.len() as u64));
    }
});

/// Every place lies within the text.
fn within(found: &Found, text: std::ops::Range<u64>) {
    let check = |span: &std::ops::Range<u64>| assert!(span.start <= span.end && span.end <= text.end, "{span:?} of {text:?}");
    match found {
        Found::Credential(credential) => credential.parts.iter().for_each(|part| check(&part.span)),
        Found::Suppressed { span, .. } => check(span),
    }
}
