//! Keys that other programs made, keys with wrong numbers, and bytes that are none.

use proptest::prelude::{ProptestConfig, any, prop, proptest};

use super::der::{INTEGER, OCTETS, OID, SEQUENCE};
use super::synthetic::{ec, ed25519, rsa, rsa_numbers, tlv};
use super::{Parsed, parse, wire};
use crate::detect::sample::Rng;
use crate::model::Facts;

/// Keys that ssh-keygen 9.2, GnuPG 2.2 and openssl 3.0 made for this test and nobody kept, in pieces without armour. What
/// `ssh-keygen -l` and `gpg -K` said of them stands with them.
const OPENSSH: &[&str] = &[
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA",
    "MwAAAAtzc2gtZWQyNTUxOQAAACA5iva9d2uCYAG/+yjGiuNFYCPG3kny",
    "CHle6UWXgs5YDwAAAJBWaNYdVmjWHQAAAAtzc2gtZWQyNTUxOQAAACA5",
    "iva9d2uCYAG/+yjGiuNFYCPG3knyCHle6UWXgs5YDwAAAEA8iKrFyf5k",
    "97cWtX1zuoS2jza9+bqYkzTllOzuN8D11DmK9r13a4JgAb/7KMaK40Vg",
    "I8beSfIIeV7pRZeCzlgPAAAACWRlcGxveUBjaQECAwQ=",
];
const OPENSSH_LOCKED: &[&str] = &[
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAA",
    "GAAAABAZtwL1KaCwYp2hD7HQ7dRbAAAAEAAAAAEAAABoAAAAE2VjZHNh",
    "LXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBD3kssHyDGDzTfrK",
    "HYpb5EVDGnSWZ20UeEK7rDW596qbo6XTFgzwOQ/KJDFIcYnHU1AZUPau",
    "NyUP2m1kz9LJcv8AAACgjH11Q5smPmn2dOT9Hn3rNAwFBi+gYV+AR+PO",
    "yejS5hwwPhZ65Ih1NL3BTlDvJo/OYaHGVMo8XSBZLObEr8d7qfO3MNtg",
    "BYrfzeF0k5sD/cOjEivPr0ceqBzcDFiNYXCQ/KpAZV9d/X2JL6uzddx+",
    "Zzqae+bfhQsFY0axO/bf8v8FO0pgO9pkr2GmJF6stf5ncmg7RzoiPDYG",
    "bMT5vJz1gw==",
];
const PGP: &[&str] = &[
    "lFgEawgJ1RYJKwYBBAHaRw8BAQdARwwURhD9uU1bUp4D6GFW7SyCukUN",
    "K7lJojs5tq8d0iwAAP97AZcRubs3Jqx+swuy27wAVvOMeNs1iwswhjrH",
    "aGWTLw9etB5UZXN0IGVkMjU1MTkgPGVkMjU1MTlAYWNtZS5pbz6IkAQT",
    "FggAOBYhBPy+PEqaT1AcYxMD9wXWx3vCKLSbBQJrCAnVAhsDBQsJCAcC",
    "BhUKCQgLAgQWAgMBAh4BAheAAAoJEAXWx3vCKLSbCiEBAMAvJmOOAmb7",
    "Y/VAZfgPfhpuzhGm/GPB8SQoOusEZEiRAQDVoYv5VCFCHDBUc72hNFq9",
    "HRf1pFWWzqRY2kmR+CddDw==",
];
const SCRYPT: &[&str] = &[
    "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAj69icpnye7",
    "RgICQAACAQgCAQEwHQYJYIZIAWUDBAEqBBArYn1kmlWMMrhLatGFh5/m",
    "BIGQrDCe3u0VvIoqO2C6Zh5ps/BsgRAu+NBxt6HUf4TrLU8hR9ibBHw9",
    "ylNsEoKSnYFY4IiDBHwIdoQocNkAqr9jwMydfP+SA3d1W+icnFOfdPAQ",
    "4rCawPt9pmKwxuVX7DqNLvPgHBsnIvFDov9pXvWXtPRiBBW9rv5ZdyMX",
    "+Gw1tAFiCX6i5TdvvJ+kbZ+gDVW8",
];
/// The example of RFC 8410, section 10.3.
const RFC_8410: &[&str] = &["MC4CAQAwBQYDK2VwBCIEINTuctv5", "E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"];

fn decoded(pieces: &[&str]) -> Vec<u8> {
    data_encoding::BASE64.decode(pieces.concat().as_bytes()).expect("base64")
}

/// The bytes of a PGP key, of which GnuPG gave the checksum `ppdW`.
pub(in crate::detect::checks) fn pgp() -> Vec<u8> {
    decoded(PGP)
}

fn whole(label: &str, bytes: &[u8]) -> Facts {
    match parse(label, &[], bytes) {
        Parsed::Whole(facts) => facts,
        other => panic!("{label}: {other:?}"),
    }
}

fn says(facts: &Facts, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(facts.get(*name).map(String::as_str), Some(*value), "{name} of {facts:?}");
    }
}

#[test]
fn keys_of_other_programs_say_what_these_programs_say_of_them() {
    says(
        &whole("OPENSSH PRIVATE KEY", &decoded(OPENSSH)),
        &[
            ("kind", "Ed25519"),
            ("encrypted", "no"),
            ("comment", "deploy@ci"),
            ("public_key", "SHA256:cS9VL4QY0P2lIACyz31l6J3FTY4kVVa8k7lkLhPjQF8"),
        ],
    );
    says(
        &whole("OPENSSH PRIVATE KEY", &decoded(OPENSSH_LOCKED)),
        &[
            ("kind", "EC P-256"),
            ("encrypted", "aes256-ctr, bcrypt with 16 rounds"),
            ("public_key", "SHA256:nk9QoPk5F16rEIstJt1pDeeY0NdgjWHn8/3bZFWV7nA"),
        ],
    );
    says(
        &whole("PGP PRIVATE KEY BLOCK", &decoded(PGP)),
        &[
            ("kind", "Ed25519"),
            ("encrypted", "no"),
            ("user", "Test ed25519 <ed25519@acme.io>"),
            ("public_key", "FCBE3C4A9A4F501C631303F705D6C77BC228B49B"),
        ],
    );
    says(
        &whole("ENCRYPTED PRIVATE KEY", &decoded(SCRYPT)),
        &[("format", "PKCS#8"), ("encrypted", "aes256-cbc, scrypt with N 16384")],
    );
    // The public key is in the RFC too; its fingerprint was made of it with Python.
    says(
        &whole("PRIVATE KEY", &decoded(RFC_8410)),
        &[("kind", "Ed25519"), ("public_key", "SHA256:ebCT4wkJOqO5AIlHG03cHvn3Cr3ZZEEh8m81duHhR3Q")],
    );
}

fn pkcs8(oid: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = tlv(SEQUENCE, &[tlv(OID, oid), parameters.to_vec()].concat());
    tlv(SEQUENCE, &[tlv(INTEGER, &[0]), algorithm, tlv(OCTETS, key)].concat())
}

#[test]
fn the_structure_tells_the_format_whatever_the_label() {
    let rng = &mut Rng::new(7);
    let (plain, curve) = (rsa(rng, 2048), ec(rng));
    let in_pkcs8 = pkcs8(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", &[5, 0], &plain);
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        let one = whole(label, &plain);
        says(&one, &[("format", "PKCS#1"), ("kind", "RSA 2048")]);
        says(&whole(label, &curve), &[("format", "SEC1"), ("kind", "EC P-256")]);
        let other = whole(label, &in_pkcs8);
        says(&other, &[("format", "PKCS#8"), ("kind", "RSA 2048"), ("public_key", &one["public_key"])]);
    }
    let x25519 = pkcs8(b"\x2b\x65\x6e", &[], &tlv(OCTETS, &ed25519(rng).0));
    says(&whole("PRIVATE KEY", &x25519), &[("kind", "X25519")]);
    let unknown = pkcs8(b"\x2a\x85\x03\x07\x01\x01\x01\x01", &[], &ed25519(rng).0);
    says(&whole("PRIVATE KEY", &unknown), &[("kind", "1.2.643.7.1.1.1.1")]);
}

#[test]
fn numbers_that_do_not_belong_together_are_no_key() {
    let rng = &mut Rng::new(8);
    let build = |numbers: &[Vec<u8>]| {
        let all: Vec<u8> = numbers.iter().flat_map(|number| tlv(INTEGER, &wire::mpint(number))).collect();
        tlv(SEQUENCE, &[tlv(INTEGER, &[0]), all].concat())
    };
    let good = rsa_numbers(rng, 1024);
    assert!(matches!(parse("RSA PRIVATE KEY", &[], &build(&good)), Parsed::Whole(_)));
    let mut doctored = good.clone();
    doctored[0][127] ^= 2;
    assert_eq!(parse("RSA PRIVATE KEY", &[], &build(&doctored)), Parsed::Broken(super::DOCTORED));
    assert_eq!(parse("RSA PRIVATE KEY", &[], &build(&good[..4])), Parsed::Broken(super::NO_KEY));
    let mut openssh = decoded(OPENSSH);
    let last = openssh.len() - 40;
    openssh[last] ^= 1;
    assert_eq!(parse("OPENSSH PRIVATE KEY", &[], &openssh), Parsed::Broken(super::DOCTORED));
    let zeros = pkcs8(b"\x2b\x65\x70", &[], &tlv(OCTETS, &[0; 32]));
    assert_eq!(parse("PRIVATE KEY", &[], &zeros), Parsed::Broken(super::TYPED));
}

#[test]
fn of_a_key_that_is_cut_short_what_is_there_is_said() {
    let der = rsa(&mut Rng::new(9), 4096);
    let Parsed::Cut(facts, Some(length)) = parse("RSA PRIVATE KEY", &[], &der[..700]) else { panic!("cut") };
    assert_eq!(length, der.len());
    says(&facts, &[("kind", "RSA 4096"), ("public_key", &whole("RSA PRIVATE KEY", &der)["public_key"])]);
    for bytes in [decoded(OPENSSH), decoded(OPENSSH_LOCKED)] {
        let expected = whole("OPENSSH PRIVATE KEY", &bytes);
        let Parsed::Cut(facts, Some(length)) = parse("OPENSSH PRIVATE KEY", &[], &bytes[..200]) else { panic!("cut") };
        assert_eq!((length, &facts["public_key"]), (bytes.len(), &expected["public_key"]));
    }
    assert!(matches!(parse("PGP PRIVATE KEY BLOCK", &[], &decoded(PGP)[..100]), Parsed::Cut(..)));
}

#[test]
fn headers_and_json_say_how_a_key_is_sealed() {
    let rng = &mut Rng::new(10);
    let sealed: Vec<u8> = (0..1200).map(|_| rng.byte()).collect();
    let with = |info: &str| vec!["Proc-Type: 4,ENCRYPTED".to_owned(), format!("DEK-Info: {info}")];
    let iv = "0123456789ABCDEF0123456789ABCDEF";
    let Parsed::Whole(facts) = parse("RSA PRIVATE KEY", &with(&format!("AES-256-CBC,{iv}")), &sealed) else { panic!() };
    says(&facts, &[("encrypted", "aes-256-cbc, MD5 once"), ("kind", "RSA")]);
    for (info, bytes) in [("AES-256-CBC,00", sealed.as_slice()), (&format!("AES-256-CBC,{iv}"), &[7; 64])] {
        assert_eq!(parse("RSA PRIVATE KEY", &with(info), bytes), Parsed::Broken(super::NO_KEY), "{info}");
    }
    let cosign = br#"{"kdf":{"name":"scrypt","params":{"N":65536}},"cipher":{"name":"nacl/secretbox"},"ciphertext":"AAAA"}"#;
    says(&whole("ENCRYPTED COSIGN PRIVATE KEY", cosign), &[("encrypted", "nacl/secretbox, scrypt")]);
    assert!(matches!(parse("NEBULA X25519 PRIVATE KEY", &[], &sealed[..32]), Parsed::Unknown(_)));
}

#[test]
fn a_published_key_is_known_by_its_public_half() {
    let known = super::fact("public_key", "SHA256:WkvqjnyPAeC0cbPErYiGP9vqHdgL1MqqvPdIe3lvHgI");
    assert!(super::published(&known).is_some_and(|why| why.contains("Vagrant")));
    assert_eq!(super::published(&whole("OPENSSH PRIVATE KEY", &decoded(OPENSSH))), None);
}

#[test]
fn a_putty_key_holds_by_its_own_mac() {
    use super::super::Verdict;
    let key = String::from_utf8(super::synthetic::ppk(&mut Rng::new(11))).expect("text");
    let Verdict::Holds(facts, Some(canonical)) = super::ppk::check(key.as_bytes()) else { panic!("holds") };
    says(&facts, &[("format", "PuTTY 3"), ("kind", "Ed25519"), ("encrypted", "no")]);
    assert_eq!(super::ppk::check(key.replace('\n', "\r\n").as_bytes()), Verdict::Holds(facts, Some(canonical)));
    assert!(matches!(super::ppk::check(key.replace("@bastion", "@other").as_bytes()), Verdict::Doubtful(_)));
    // Version 2, by puttygen 0.78; its -l prints this fingerprint.
    let pieces = [
        "PuTTY-User-Key-File-2: ssh-ed25519\nEncryption: none\nComment: me@example.com\nPublic-Lines: 2\n",
        "AAAAC3NzaC1lZDI1NTE5AAAAIAl+PXHERkPhXiafXFPq2zhbmgVsbZ93S8k+HPbN\nGb5c\nPrivate-Lines: 1\n",
        "AAAAIDW02zCrIl19d4fl/INj",
        "MMH8KX1F/SxqJ7Z2tUjc2nMA\nPrivate-MAC: a19f1a84f67af2fbec42ee5fe0193e0f74179405",
    ];
    let Verdict::Holds(facts, _) = super::ppk::check(pieces.concat().as_bytes()) else { panic!("holds") };
    says(&facts, &[("public_key", "SHA256:VEg5mvjTw+gc1wzPwtM5W6sKwlDdhukQDgOF06W4HS8")]);
    let locked = key.replace("Encryption: none", "Encryption: aes256-cbc");
    let Verdict::Holds(facts, _) = super::ppk::check(locked.as_bytes()) else { panic!("holds") };
    assert!(facts["encrypted"].starts_with("aes256-cbc"));
    assert!(matches!(super::ppk::check(key.replace("AAAAC3Nza", "BBBBC3Nza").as_bytes()), Verdict::Fails(_)));
}

const LABELS: [&str; 6] = [
    "PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
    "DSA PRIVATE KEY",
    "COSIGN PRIVATE KEY",
    "X PRIVATE KEY",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_without_a_panic(label in 0..LABELS.len(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let magic: &[u8] = match label { 1 => b"openssh-key-v1\0", 2 => b"\x95\x01\xff\x04", 4 => b"{", _ => b"\x30\x82" };
        for headers in [&[][..], &["Proc-Type: 4,ENCRYPTED".to_owned(), "DEK-Info: DES-CBC,00".to_owned()]] {
            parse(LABELS[label], headers, &bytes);
            parse(LABELS[label], headers, &[magic, &bytes].concat());
        }
        super::ppk::check(&bytes);
    }

    /// One byte of a good key is another, or the key ends before its time: whatever comes of it, nothing breaks.
    #[test]
    fn damaged_keys_are_read_without_a_panic(which in 0..5_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), end in any::<prop::sample::Index>()) {
        let mut bytes = match which {
            0 => decoded(OPENSSH),
            1 => decoded(PGP),
            2 => decoded(SCRYPT),
            3 => ec(&mut Rng::new(1)),
            _ => rsa(&mut Rng::new(1), 1024),
        };
        let place = at.index(bytes.len());
        bytes[place] = byte;
        bytes.truncate(end.index(bytes.len() + 1));
        for label in LABELS {
            parse(label, &[], &bytes);
        }
    }
}
