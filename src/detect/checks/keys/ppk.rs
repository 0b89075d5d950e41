//! PuTTY's private keys, versions 2 and 3 (PuTTY manual, appendix C): type, protection, comment and public key stand in the
//! clear. An unencrypted one is checked by its own MAC, which needs no passphrase. It was confirmed on `keys/vagrant.ppk` of
//! hashicorp/vagrant and on nine keys of puttygen 0.78: one public sample, so one that does not hold lowers confidence.

use data_encoding::BASE64;
use ring::{digest, hmac};

use super::super::Verdict;
use super::openssh::shown;
use super::wire::{Wire, fingerprint, is_name, kind, pack};
use super::{NO_KEY, fact, published};

struct File<'t> {
    version: &'t str,
    algorithm: &'t str,
    encryption: &'t str,
    comment: &'t str,
    derivation: Option<&'t str>,
    public: Vec<u8>,
    /// `None` if fewer lines than announced are there.
    private: Option<Vec<u8>>,
    mac: Option<Vec<u8>>,
}

pub(in crate::detect::checks) fn check(value: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(value).replace('\r', "");
    let Some(file) = read(&text) else { return Verdict::Fails(NO_KEY) };
    let is_its_own = (Wire { rest: &file.public }).string() == Some(file.algorithm.as_bytes());
    let (Some(kind), true) = (kind(&file.public), is_its_own) else { return Verdict::Fails(NO_KEY) };
    let mut facts = fact("format", format!("PuTTY {}", file.version));
    facts.insert("kind".into(), kind);
    facts.insert("public_key".into(), fingerprint(&file.public));
    let comment = shown(file.comment.as_bytes());
    facts.extend((!comment.is_empty()).then(|| ("comment".to_owned(), comment)));
    let how = match (file.encryption, file.derivation) {
        ("none", _) => "no".to_owned(),
        (cipher, Some(derivation)) => format!("{cipher}, {derivation}"),
        (cipher, None) => format!("{cipher}, SHA-1 once"),
    };
    facts.insert("encrypted".into(), how);
    if let Some(why) = published(&facts) {
        return Verdict::Fails(why);
    }
    let Some(private) = &file.private else {
        facts.insert("cut_short".into(), "not all lines are there".into());
        return Verdict::Doubtful(facts);
    };
    match holds(&file, private) {
        Some(false) => Verdict::Doubtful(facts),
        _ => Verdict::Holds(facts, Some(text.into_bytes())),
    }
}

fn read(text: &str) -> Option<File<'_>> {
    let mut lines = text.lines();
    let (version, algorithm) = lines.next()?.strip_prefix("PuTTY-User-Key-File-")?.split_once(": ")?;
    let encryption = lines.next()?.strip_prefix("Encryption: ").filter(|name| is_name(name))?;
    let comment = lines.next()?.strip_prefix("Comment: ")?;
    let (public, _) = block(&mut lines, "Public-Lines: ").filter(|(_, whole)| *whole)?;
    let mut rest = lines.clone();
    let derivation = rest.find_map(|line| line.strip_prefix("Key-Derivation: ")).filter(|name| is_name(name));
    while lines.clone().next().is_some_and(|line| !line.starts_with("Private-Lines: ")) {
        lines.next();
    }
    let private = block(&mut lines, "Private-Lines: ").map(|(bytes, whole)| whole.then_some(bytes))?;
    let mac = lines.next().and_then(|line| line.strip_prefix("Private-MAC: "));
    let mac = mac.and_then(|mac| data_encoding::HEXLOWER.decode(mac.as_bytes()).ok());
    Some(File { version, algorithm, encryption, comment, derivation, public, private, mac })
}

/// The lines that a count announces, decoded, and whether all are there.
fn block(lines: &mut std::str::Lines<'_>, name: &str) -> Option<(Vec<u8>, bool)> {
    let count: usize = lines.next()?.strip_prefix(name)?.parse().ok()?;
    let text: Vec<&str> = lines.by_ref().take(count).collect();
    if text.len() < count || count == 0 {
        return Some((Vec::new(), false));
    }
    Some((BASE64.decode(text.concat().as_bytes()).ok()?, true))
}

/// Whether the MAC of an unencrypted key holds; `None` where that cannot be told.
fn holds(file: &File<'_>, private: &[u8]) -> Option<bool> {
    let mac = file.mac.as_ref().filter(|_| file.encryption == "none")?;
    Some(hmac::verify(&mac_key(file.version)?, &signed(file, private), mac).is_ok())
}

fn mac_key(version: &str) -> Option<hmac::Key> {
    let old = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, b"putty-private-key-file-mac-key");
    match version {
        "2" => Some(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, old.as_ref())),
        "3" => Some(hmac::Key::new(hmac::HMAC_SHA256, b"")),
        _ => None,
    }
}

fn signed(file: &File<'_>, private: &[u8]) -> Vec<u8> {
    let fields = [file.algorithm, file.encryption, file.comment].map(str::as_bytes);
    pack(&[fields[0], fields[1], fields[2], &file.public, private])
}

/// The MAC that an unencrypted key of version 3 has.
pub(super) fn mac(algorithm: &str, comment: &str, public: &[u8], private: &[u8]) -> String {
    let fields = pack(&[algorithm.as_bytes(), b"none", comment.as_bytes(), public, private]);
    data_encoding::HEXLOWER.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), &fields).as_ref())
}
