//! The encoding of SSH (RFC 4251): strings with their lengths, the public key made of them, and its fingerprint as
//! `ssh-keygen -l` prints it, which GitHub and GitLab list for deploy keys.

use data_encoding::BASE64_NOPAD;

use super::der::{bare, bits};

/// Reads strings and numbers off the front of some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'b> {
    pub(super) rest: &'b [u8],
}

impl<'b> Wire<'b> {
    pub(super) fn word(&mut self) -> Option<usize> {
        let (word, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*word) as usize)
    }

    /// The next string. Nothing is read where it is not all there.
    pub(super) fn string(&mut self) -> Option<&'b [u8]> {
        let mut wire = *self;
        let length = wire.word()?;
        let (string, rest) = wire.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(string)
    }

    /// `count` strings.
    pub(super) fn strings<const N: usize>(&mut self) -> Option<[&'b [u8]; N]> {
        let mut all = [[].as_slice(); N];
        for one in &mut all {
            *one = self.string()?;
        }
        Some(all)
    }
}

/// Writes strings.
pub(super) fn pack(fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        out.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

/// A number as SSH writes it: positive, no more zeros before it than the sign needs.
pub(super) fn mpint(number: &[u8]) -> Vec<u8> {
    let bare = bare(number);
    let sign: &[u8] = if bare.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
    [sign, bare].concat()
}

/// `SHA256:…`
pub(super) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", BASE64_NOPAD.encode(ring::digest::digest(&ring::digest::SHA256, blob).as_ref()))
}

/// The public key of an RSA key.
pub(super) fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    pack(&[b"ssh-rsa", &mpint(e), &mpint(n)])
}

/// The public key of an elliptic curve's point that is written in full.
pub(super) fn ecdsa(curve: &str, point: &[u8]) -> Vec<u8> {
    pack(&[format!("ecdsa-sha2-{curve}").as_bytes(), curve.as_bytes(), point])
}

/// The public key of an Ed25519 key.
pub(super) fn ed25519(point: &[u8]) -> Vec<u8> {
    pack(&[b"ssh-ed25519", point])
}

/// What kind of key a public key says it is: `RSA 2048`, `EC P-256`. `None` for what is not one.
pub(super) fn kind(blob: &[u8]) -> Option<String> {
    let mut wire = Wire { rest: blob };
    let name = std::str::from_utf8(wire.string()?).ok()?;
    let kind = match name {
        "ssh-rsa" => {
            let [_, n] = wire.strings()?;
            format!("RSA {}", bits(n, 0))
        }
        "ssh-dss" => format!("DSA {}", bits(wire.string()?, 0)),
        "ssh-ed25519" => wire.string().filter(|point| point.len() == 32).map(|_| "Ed25519".to_owned())?,
        "ssh-ed448" => "Ed448".into(),
        "sk-ssh-ed25519@openssh.com" => "Ed25519, of no use without its hardware key".into(),
        "sk-ecdsa-sha2-nistp256@openssh.com" => "EC P-256, of no use without its hardware key".into(),
        _ => match name.strip_prefix("ecdsa-sha2-nistp") {
            Some(size) if matches!(size, "256" | "384" | "521") => format!("EC P-{size}"),
            _ => Some(name).filter(|name| is_name(name))?.to_owned(),
        },
    };
    Some(kind)
}

/// Whether a text is the name of an algorithm, so that it may be shown.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_@.,".contains(&byte))
}
