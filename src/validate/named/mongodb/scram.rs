//! SCRAM with SHA-1 and SHA-256, the client's side (RFC 5802, 7677). `postgres-protocol` has the second alone, and without a
//! user's name. Without channel binding, which MongoDB does not have.

use std::num::NonZeroU32;

use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SecureRandom;
use ring::{hmac, pbkdf2};
use zeroize::Zeroizing;

/// Fewer rounds than this nobody has (RFC 5802), and more would only cost us time.
const ROUNDS: std::ops::RangeInclusive<u32> = 4096..=600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Sha1,
    Sha256,
}

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    fn hash(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = if self == Self::Sha1 { &SHA1_FOR_LEGACY_USE_ONLY } else { &SHA256 };
        Zeroizing::new(digest(algorithm, bytes).as_ref().to_vec())
    }

    fn sign(self, key: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = if self == Self::Sha1 { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY } else { hmac::HMAC_SHA256 };
        Zeroizing::new(hmac::sign(&hmac::Key::new(algorithm, key), bytes).as_ref().to_vec())
    }

    fn salted(self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Zeroizing<Vec<u8>> {
        let (algorithm, size) =
            if self == Self::Sha1 { (pbkdf2::PBKDF2_HMAC_SHA1, 20) } else { (pbkdf2::PBKDF2_HMAC_SHA256, 32) };
        let mut out = Zeroizing::new(vec![0; size]);
        pbkdf2::derive(algorithm, rounds, salt, password, &mut out);
        out
    }
}

/// One login.
pub(super) struct Scram {
    mechanism: Mechanism,
    password: Zeroizing<Vec<u8>>,
    nonce: String,
    /// Our first words, without their header.
    bare: String,
    /// What the server's last words must hold.
    signature: Option<Zeroizing<Vec<u8>>>,
}

impl Scram {
    /// None for a password that cannot be prepared, and without random numbers.
    pub(super) fn new(mechanism: Mechanism, user: &str, password: &[u8]) -> Option<Self> {
        let mut nonce = [0; 24];
        ring::rand::SystemRandom::new().fill(&mut nonce).ok()?;
        Self::with_nonce(mechanism, user, (password, BASE64.encode(&nonce)))
    }

    fn with_nonce(mechanism: Mechanism, user: &str, (password, nonce): (&[u8], String)) -> Option<Self> {
        let password = match mechanism {
            // MongoDB's own form, from before SCRAM.
            Mechanism::Sha1 => {
                let digest = Md5::new().chain_update(user).chain_update(":mongo:").chain_update(password).finalize();
                Zeroizing::new(HEXLOWER.encode(&digest).into_bytes())
            }
            Mechanism::Sha256 => {
                let text = std::str::from_utf8(password).ok()?;
                Zeroizing::new(stringprep::saslprep(text).ok()?.into_owned().into_bytes())
            }
        };
        let bare = format!("n={},r={nonce}", user.replace('=', "=3D").replace(',', "=2C"));
        Some(Self { mechanism, password, nonce, bare, signature: None })
    }

    /// What to begin with.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The proof of the password, for the server's challenge. None for a challenge that is none.
    pub(super) fn proof(&mut self, challenge: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let challenge = std::str::from_utf8(challenge).ok()?;
        let mut fields = challenge.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = BASE64.decode(fields.next()?.strip_prefix("s=")?.as_bytes()).ok()?;
        let rounds: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() || !ROUNDS.contains(&rounds) {
            return None;
        }
        let mechanism = self.mechanism;
        let salted = mechanism.salted(&self.password, &salt, NonZeroU32::new(rounds)?);
        let without = format!("c=biws,r={nonce}");
        let said = format!("{},{challenge},{without}", self.bare);
        let client = mechanism.sign(&salted, b"Client Key");
        let signature = mechanism.sign(&mechanism.hash(&client), said.as_bytes());
        let proof = Zeroizing::new(client.iter().zip(signature.iter()).map(|(a, b)| a ^ b).collect::<Vec<u8>>());
        self.signature = Some(mechanism.sign(&mechanism.sign(&salted, b"Server Key"), said.as_bytes()));
        Some(Zeroizing::new(format!("{without},p={}", BASE64.encode(&proof)).into_bytes()))
    }

    /// Whether the server's last words show that it knows the password.
    pub(super) fn is_server(&self, last: &[u8]) -> bool {
        let said = last.strip_prefix(b"v=").and_then(|text| BASE64.decode(text.split(|&b| b == b',').next()?).ok());
        said.is_some_and(|said| self.signature.as_ref().is_some_and(|wanted| **wanted == said))
    }
}

#[cfg(test)]
mod tests {
    use super::{Mechanism, Scram};

    /// The conversations in RFC 5802, 5 and RFC 7677, 3. The first is of a password that is not MongoDB's digest.
    #[test]
    fn it_says_what_the_standards_examples_say() {
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        let mut scram = Scram::with_nonce(Mechanism::Sha256, "user", (b"pencil", nonce)).expect("a password");
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = scram.proof(challenge).expect("a proof");
        let wanted = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                      p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(std::str::from_utf8(&proof), Ok(wanted));
        assert!(scram.is_server(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!scram.is_server(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=") && !scram.is_server(b"e=other-error"));
        let nonce = "fyko+d2lbbFgONRv9qkxdawL".to_owned();
        let mut scram = Scram::with_nonce(Mechanism::Sha1, "user", (b"", nonce)).expect("a password");
        scram.password = zeroize::Zeroizing::new(b"pencil".to_vec());
        let challenge = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let proof = scram.proof(challenge).expect("a proof");
        assert!(proof.ends_with(b",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
        assert!(scram.is_server(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
    }

    #[test]
    fn a_challenge_that_is_another_is_not_answered() {
        let mut scram = Scram::with_nonce(Mechanism::Sha256, "a=b,c", (b"x", "abc".to_owned())).expect("a password");
        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=abc");
        for wrong in [
            "r=abc,s=AAAA,i=4096",
            "r=xyz,s=AAAA,i=4096",
            "r=abcd,s=AAAA,i=1",
            "r=abcd,s=AAAA,i=999999999",
            "r=abcd,s=!,i=4096",
            "",
            "e=no",
        ] {
            assert!(scram.proof(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(!scram.is_server(b"v="), "before its time");
    }
}
