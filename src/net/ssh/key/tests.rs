//! Keys in every form that they are kept in, and what is no key.

use data_encoding::BASE64;
use proptest::prelude::{any, prop, prop_assert_eq, prop_assume, proptest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair, RsaPrivateKey};
use russh::keys::ssh_key::public::RsaPublicKey;
use russh::keys::ssh_key::{HashAlg, LineEnding, Mpint, PrivateKey};

use super::{SIZES, SshKey, UNREADABLE, rest};
use crate::net::testing::RSA;

fn pem(kind: &str, der: &[u8]) -> String {
    let (dashes, body) = ("-".repeat(5), BASE64.encode(der));
    format!("{dashes}BEGIN {kind}PRIVATE KEY{dashes}\n{body}\n{dashes}END {kind}PRIVATE KEY{dashes}\n")
}

fn rsa_pkcs8() -> Vec<u8> {
    BASE64.decode(RSA.concat().as_bytes()).expect("base64")
}

/// PKCS#1's numbers: n, e, d, p, q and three more.
fn numbers(pkcs1: &[u8]) -> Vec<Vec<u8>> {
    let length = |bytes: &[u8]| match bytes[1] {
        0x82 => (4, usize::from(bytes[2]) << 8 | usize::from(bytes[3])),
        0x81 => (3, usize::from(bytes[2])),
        short => (2, usize::from(short)),
    };
    let mut left = &pkcs1[length(pkcs1).0..];
    let mut all = Vec::new();
    while !left.is_empty() {
        let (head, count) = length(left);
        all.push(left[head..head + count].to_vec());
        left = &left[head + count..];
    }
    all.split_off(1)
}

/// What PKCS#8 puts before a PKCS#1 key of 2048 bits.
const HEAD: usize = 26;

#[test]
fn an_rsa_key_is_one_key_in_all_three_forms() {
    let pkcs8 = rsa_pkcs8();
    let numbers = numbers(&pkcs8[HEAD..]);
    let number = |at: usize| Mpint::from_positive_bytes(&numbers[at]);
    let public = RsaPublicKey::new(number(1), number(0)).expect("a public key");
    let private = RsaPrivateKey::new(number(2), number(7), number(3), number(4)).expect("a private key");
    let pair = KeypairData::Rsa(RsaKeypair::new(public, private).expect("a pair"));
    let openssh = PrivateKey::new(pair, "me").expect("a key").to_openssh(LineEnding::LF).expect("text");
    let forms = [pem("", &pkcs8), pem("RSA ", &pkcs8[HEAD..]), openssh.to_string()];
    let keys = forms.map(|text| SshKey::read(text.as_bytes()).expect("a key"));
    for hash in [HashAlg::Sha256, HashAlg::Sha512] {
        // These signatures have no chance in them.
        let all = keys.each_ref().map(|key| key.sign(b"message", Some(hash)).expect("a signature"));
        assert!(all[0] == all[1] && all[0] == all[2]);
        assert_eq!(all[0].len(), 4 + 12 + 4 + 256);
    }
    assert!(keys.iter().all(|key| key.is_rsa() && key.public().key_data() == keys[0].public().key_data()));
}

#[test]
fn ed25519_and_ecdsa_are_read_and_sign() {
    let random = SystemRandom::new();
    let curve = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
    let edwards = ring::signature::Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    let fresh = SshKey::random();
    let super::Secret::Other(own) = &fresh.secret else { panic!("Ed25519") };
    let openssh = own.to_openssh(LineEnding::CRLF).expect("text");
    let texts = [pem("", curve.as_ref()), pem("EC ", curve.as_ref()), pem("", edwards.as_ref()), openssh.to_string()];
    for (text, kind) in texts.iter().zip(["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-ed25519"]) {
        let key = SshKey::read(text.as_bytes()).unwrap_or_else(|why| panic!("{kind}: {why}"));
        assert_eq!(key.public().algorithm().as_str(), kind);
        // As a scan keeps it.
        assert!(SshKey::read(text.replace('=', "").as_bytes()).is_ok(), "{kind} without padding");
        let signature = key.sign(b"message", None).expect("a signature");
        assert!(signature[4..].starts_with(kind.as_bytes()));
        assert!(format!("{key:?}").len() < 60, "{key:?}");
    }
}

#[test]
fn what_is_no_key_says_why() {
    let refused = |text: &str| SshKey::read(text.as_bytes()).expect_err("no key");
    let broken = [pem("", b"openssh-key-v1\0"), pem("", &[0x30, 0]), pem("", b"")];
    for text in
        ["", "PuTTY-User-Key-File-3: ssh-ed25519\n", "-----BEGIN "].into_iter().chain(broken.iter().map(|text| &**text))
    {
        assert_eq!(refused(text), UNREADABLE, "{text:?}");
    }
    assert_eq!(SshKey::read(b"\xff").expect_err("no text"), UNREADABLE);
    // `n` with half its bytes is one of 1024 bits.
    let numbers = numbers(&rsa_pkcs8()[HEAD..]);
    let number = |at: usize| Mpint::from_positive_bytes(&numbers[at][..numbers[at].len() / 2]);
    let public = RsaPublicKey::new(Mpint::from_positive_bytes(&numbers[1]), number(0)).expect("a public key");
    let private = RsaPrivateKey::new(number(2), number(7), number(3), number(4)).expect("numbers");
    let pair = KeypairData::Rsa(RsaKeypair::new(public, private).expect("a pair"));
    let small = PrivateKey::new(pair, "").expect("a key").to_openssh(LineEnding::LF).expect("text");
    assert_eq!(refused(&small), SIZES);
}

proptest! {
    #[test]
    fn what_is_left_of_a_division_is_what_the_machine_says(number in any::<u128>(), by in any::<u64>(), zeros in 0..3_usize) {
        let by = by >> (by % 64);
        let divisor = [vec![0; zeros], by.to_be_bytes().to_vec()].concat();
        let left = rest(&number.to_be_bytes(), &divisor).iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        prop_assume!(by != 0);
        prop_assert_eq!(left, number % u128::from(by));
    }

    #[test]
    fn any_text_is_read_without_a_panic(label in "[A-Z ]{0,12}", bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = SshKey::read(&bytes);
        let _ = SshKey::read(pem(&label, &bytes).as_bytes());
        let _ = SshKey::read(pem("OPENSSH ", &[b"openssh-key-v1\0", &bytes[..]].concat()).as_bytes());
    }
}
