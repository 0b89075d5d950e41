//! Keys that a passphrase protects in ways of their own: the headers of old PEM files (RFC 1421 as OpenSSL writes it) and
//! the JSON of cosign.

use serde_json::Value;

use super::super::super::entropy::shannon;
use super::wire::is_name;
use super::{NO_KEY, Parsed, fact};

/// Ciphertext has nearly 8 bits a byte as far as there are enough; 48 random bytes have 5.5, words 4.
const LEAST_ENTROPY: f64 = 4.3;

/// `Proc-Type: 4,ENCRYPTED` and `DEK-Info: AES-128-CBC,…`.
pub(super) fn by_headers(label: &str, headers: &[String], bytes: &[u8]) -> Option<Parsed> {
    let value = |name: &str| headers.iter().find_map(|line| line.strip_prefix(name).map(str::trim));
    if !value("Proc-Type:").is_some_and(|kind| kind.ends_with("ENCRYPTED")) {
        return None;
    }
    let mut facts = fact("format", "PEM with headers");
    let kind = label.trim_end_matches("PRIVATE KEY").trim();
    facts.extend((!kind.is_empty()).then(|| ("kind".to_owned(), kind.to_owned())));
    let info = value("DEK-Info:").and_then(|info| info.split_once(',')).filter(|(cipher, _)| is_name(cipher));
    let Some((cipher, iv)) = info else {
        facts.insert("encrypted".into(), "yes, how is not said".into());
        return Some(Parsed::Unknown(facts));
    };
    let name = cipher.to_ascii_lowercase();
    let block = if name.starts_with("des") || name.starts_with("rc2") || name.starts_with("bf") { 8 } else { 16 };
    if !is_random(bytes) || iv.len() < block || !iv.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Parsed::Broken(NO_KEY));
    }
    // EVP_BytesToKey with MD5, once: what a passphrase costs to guess is next to nothing.
    facts.insert("encrypted".into(), format!("{name}, MD5 once"));
    let whole = bytes.len().is_multiple_of(block);
    Some(if whole { Parsed::Whole(facts) } else { Parsed::Cut(facts, None) })
}

/// `{"kdf":{"name":"scrypt",…},"cipher":{"name":"nacl/secretbox",…},"ciphertext":"…"}` (sigstore, `encrypted` of
/// theupdateframework/go-tuf).
pub(super) fn cosign(label: &str, bytes: &[u8]) -> Parsed {
    let mut facts = fact("format", label.trim_end_matches(" PRIVATE KEY"));
    let Ok(Value::Object(object)) = serde_json::from_slice(bytes) else { return Parsed::Unknown(facts) };
    let name = |key: &str| {
        let name = object.get(key)?.get("name")?.as_str()?;
        name.split('/').all(is_name).then_some(name)
    };
    let (Some(kdf), Some(cipher)) = (name("kdf"), name("cipher")) else { return Parsed::Unknown(facts) };
    facts.insert("encrypted".into(), format!("{cipher}, {kdf}"));
    Parsed::Whole(facts)
}

/// Whether bytes could be ciphertext.
pub(super) fn is_random(bytes: &[u8]) -> bool {
    bytes.len() >= 16 && shannon(bytes) >= LEAST_ENTROPY.min((bytes.len() as f64).log2() - 0.7)
}
