//! Takes found secrets out of texts that come from the scanned material: paths, author names, evidence, messages.

use aho_corasick::{AhoCorasick, MatchKind};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use super::Secret;

/// What stands in for a secret that was taken out.
const MARK: &str = "[secret]";
/// Shorter secrets are not looked for: they would tear holes in ordinary words.
const SHORTEST: usize = 8;
/// What is of letters alone and no longer is a word, such as the password `postgres`.
const WORD: usize = 16;

/// Replaces every known secret (plain, base64, hex, percent-encoded) in a text.
#[derive(Default)]
pub struct Scrubber {
    automaton: Option<AhoCorasick>,
    /// Which of what it looks for is a word.
    words: Vec<bool>,
}

fn is_word(needle: &[u8]) -> bool {
    needle.len() <= WORD && needle.iter().all(u8::is_ascii_alphabetic)
}

impl Scrubber {
    /// Learns the secrets to take out. Secrets under 8 bytes are passed over.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut needles: Vec<Vec<u8>> = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            let bytes = secret.expose();
            needles.push(bytes.to_vec());
            needles.push(HEXLOWER.encode(bytes).into_bytes());
            needles.push(HEXUPPER.encode(bytes).into_bytes());
            needles.push(percent_encode(bytes, NON_ALPHANUMERIC).to_string().into_bytes());
            for shift in 0..3 {
                needles.extend(base64_core(bytes, shift));
            }
        }
        needles.sort_unstable();
        needles.dedup();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&needles).ok();
        let words = needles.iter().map(|needle| is_word(needle)).collect();
        Self { automaton: automaton.filter(|_| !needles.is_empty()), words }
    }

    /// The text with every known secret replaced.
    pub fn scrub(&self, text: &str) -> String {
        self.replaced(text, |_| true)
    }

    /// A path or a name, whose words stay: one that is somebody's password as well tells nothing of it there, and without it nobody
    /// finds what is named.
    pub fn scrub_name(&self, name: &str) -> String {
        self.replaced(name, |pattern| !self.words.get(pattern).is_some_and(|word| *word))
    }

    fn replaced(&self, text: &str, goes: impl Fn(usize) -> bool) -> String {
        match &self.automaton {
            None => text.to_owned(),
            Some(automaton) => {
                let mut out = Vec::with_capacity(text.len());
                automaton.replace_all_with_bytes(text.as_bytes(), &mut out, |found, bytes, dst| {
                    dst.extend_from_slice(if goes(found.pattern().as_usize()) { MARK.as_bytes() } else { bytes });
                    true
                });
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }
}

/// The base64 characters that depend on `bytes` alone when they start `shift` bytes into a group of three.
fn base64_core(bytes: &[u8], shift: usize) -> [Vec<u8>; 2] {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    // Characters before `first` mix in the bytes before the secret; the last one may mix in what follows.
    let first = (shift * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    [BASE64_NOPAD.encode(&padded), BASE64URL_NOPAD.encode(&padded)].map(|text| text.as_bytes()[first..last].to_vec())
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::{Scrubber, Secret};

    #[test]
    fn takes_out_every_spelling() {
        let secret = Secret::new(b"s3cr3t/value+x");
        let scrubber = Scrubber::new([&secret]);
        for prefix in ["", "a", "ab", "abc"] {
            let text = format!("{prefix}s3cr3t/value+x tail");
            assert_eq!(scrubber.scrub(&text), format!("{prefix}[secret] tail"));
            let coded = BASE64.encode(text.as_bytes());
            assert!(scrubber.scrub(&coded).contains("[secret]"), "{coded}");
        }
        assert_eq!(scrubber.scrub(&HEXLOWER.encode(b"s3cr3t/value+x")), "[secret]");
        assert_eq!(scrubber.scrub("s3cr3t%2Fvalue%2Bx"), "[secret]");
        assert_eq!(scrubber.scrub("nothing here"), "nothing here");
    }

    #[test]
    fn short_secrets_do_not_tear_holes() {
        assert_eq!(Scrubber::new([&Secret::new(b"and")]).scrub("sand and band"), "sand and band");
        assert_eq!(Scrubber::default().scrub("text"), "text");
    }

    #[test]
    fn a_word_stays_in_a_name_and_in_nothing_else() {
        let scrubber = Scrubber::new([&Secret::new(b"postgres"), &Secret::new(b"s3cr3t-value")]);
        assert_eq!(scrubber.scrub_name("deploy/postgres/s3cr3t-value.yml"), "deploy/postgres/[secret].yml");
        assert_eq!(scrubber.scrub("password=postgres"), "password=[secret]");
    }
}
