//! Private keys in PEM armour: what kind, encrypted or not, and one canonical form whatever the line ends, indentation or
//! escapes were, so that the same key has one fingerprint.

use data_encoding::{BASE64, BASE64_NOPAD};

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

/// Fewer base64 characters than this are a placeholder.
const LEAST: usize = 64;

pub(super) fn check(value: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(value);
    let Some((label, rest)) = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----")) else {
        return Verdict::Fails("not a PEM block");
    };
    let (inside, whole) = rest.split_once("-----END ").map_or((rest, false), |(inside, _)| (inside, true));
    if inside.lines().any(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\\') == "...") {
        return Verdict::Fails("placeholder: dots in the place of lines");
    }
    let (headers, body) = split_body(inside);
    if body.len() < LEAST {
        return Verdict::Fails("placeholder: no key between the PEM lines");
    }
    let mut facts = Facts::from([("kind".to_owned(), label.trim_end_matches(" PRIVATE KEY").to_owned())]);
    let bytes = BASE64_NOPAD.decode(&body.as_bytes()[..body.len() - body.len() % 4]).unwrap_or_default();
    let encrypted = headers.iter().any(|line| line.contains("ENCRYPTED"))
        || label.starts_with("ENCRYPTED")
        || openssh_cipher(&bytes).is_some_and(|cipher| cipher != b"none");
    facts.insert("encrypted".into(), if encrypted { "yes" } else { "no" }.into());
    // DER starts with a SEQUENCE, an OpenSSH key with its magic, an OpenPGP packet with the top bit set; ciphertext with anything.
    let plausible = bytes.first() == Some(&0x30)
        || bytes.starts_with(b"openssh-key-v1\0")
        || (label.starts_with("PGP") && bytes.first().is_some_and(|byte| byte & 0x80 != 0))
        || (encrypted && !bytes.is_empty());
    if !plausible {
        return Verdict::Doubtful(facts);
    }
    let canonical = whole.then(|| armour(label, &body));
    Verdict::Holds(facts, canonical)
}

/// The header lines (`Proc-Type: …`) and the base64 characters of the body without padding.
fn split_body(inside: &str) -> (Vec<String>, String) {
    let unescaped = inside.replace("\\r", "\n").replace("\\n", "\n").replace("\\\\", "").replace("\\/", "/");
    let (mut headers, mut body) = (Vec::new(), String::new());
    for line in unescaped.lines() {
        // String concatenation in code leaves quotes, commas, backslashes and a lone plus around each line.
        let line = line.trim_matches(|c: char| c.is_whitespace() || "\"'`,;\\".contains(c));
        let line = line.trim_end_matches(['"', '\'', ' ', '+']).trim_start_matches(['"', '\'', ' ']);
        if line.contains(": ") {
            headers.push(line.to_owned());
        } else if line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)) && !line.starts_with('=') {
            // A line that begins with = is OpenPGP's checksum; one with other characters is not part of a key.
            body.push_str(line.trim_end_matches('='));
        }
    }
    (headers, body)
}

/// The cipher name of an OpenSSH private key.
fn openssh_cipher(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (length, rest) = rest.split_at_checked(4)?;
    rest.get(..u32::from_be_bytes(length.try_into().ok()?) as usize)
}

fn armour(label: &str, body: &str) -> Vec<u8> {
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.extend(["-----END ", label, "-----\n"]);
    out.into_bytes()
}

/// An RSA-looking key: a DER SEQUENCE of random bytes.
pub(super) fn sample(rng: &mut Rng) -> Vec<u8> {
    let mut der = vec![0x30, 0x82, 0x04, 0xa2];
    der.extend((0..1186).map(|_| rng.byte()));
    armour("RSA PRIVATE KEY", &BASE64.encode(&der))
}

#[cfg(test)]
mod tests {
    use super::{Rng, Verdict, check, sample};

    #[test]
    fn spelling_does_not_change_the_key() {
        let key = String::from_utf8(sample(&mut Rng::new(3))).expect("text");
        let Verdict::Holds(facts, Some(canonical)) = check(key.as_bytes()) else { panic!("holds") };
        assert_eq!((facts["kind"].as_str(), facts["encrypted"].as_str()), ("RSA", "no"));
        for spelled in [key.replace('\n', "\\n"), key.replace('\n', "\r\n"), key.replace('\n', "\n    ")] {
            let Verdict::Holds(_, Some(again)) = check(spelled.trim_end().as_bytes()) else { panic!("holds: {spelled}") };
            assert!(again == canonical);
        }
    }

    #[test]
    fn placeholders_fail_and_encrypted_keys_say_so() {
        let head = "-----BEGIN RSA PRIVATE KEY-----\n";
        assert!(matches!(check(format!("{head}...\n-----END RSA PRIVATE KEY-----").as_bytes()), Verdict::Fails(_)));
        let body = "ab12".repeat(30);
        let dek = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
        let locked = format!("{head}{dek}{body}\n-----END RSA PRIVATE KEY-----");
        let Verdict::Holds(facts, _) = check(locked.as_bytes()) else { panic!("holds") };
        assert_eq!(facts["encrypted"], "yes");
        let odd = format!("{head}{body}\n-----END RSA PRIVATE KEY-----");
        assert!(matches!(check(odd.as_bytes()), Verdict::Doubtful(_)));
    }
}
