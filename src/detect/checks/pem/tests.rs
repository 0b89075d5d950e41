//! PEM blocks as they are written in code and text, placeholders, and keys that are cut short.

use std::time::Instant;

use proptest::prelude::{ProptestConfig, any, prop, proptest};

use super::{Rng, Verdict, armour, check, sample};

fn key() -> String {
    String::from_utf8(sample(&mut Rng::new(3))).expect("text")
}

#[test]
fn spelling_does_not_change_the_key() {
    for seed in 1..20 {
        let key = String::from_utf8(sample(&mut Rng::new(seed))).expect("text");
        let Verdict::Holds(facts, Some(canonical)) = check(key.as_bytes()) else { panic!("holds") };
        assert_eq!(facts["encrypted"], "no");
        let rows: Vec<&str> = key.trim_end().lines().collect();
        let each = |before: &str, after: &str, between: &str| {
            rows.iter().map(|row| format!("{before}{row}{after}")).collect::<Vec<_>>().join(between)
        };
        // As the scanner hands it over: from BEGIN to the dashes after END.
        let cut = |text: String| {
            let (from, to) = (text.find("-----BEGIN").expect("begin"), text.rfind("-----").expect("end") + 5);
            text[from..to].to_owned()
        };
        let spelled = [
            each("", "", "\\n"),
            each("", "", "\\\\n"),
            each("", "", "\r\n"),
            each("    ", "", "\n"),
            each("", "", " "),
            each("\"", "\\n\" +", "\n  "),
            each("'", "',", "\n"),
            each("// ", "", "\n"),
            each("# ", "", "\n"),
            each("+", "", "\n"),
            each("> ", "  ", "\n\n"),
            each("pem += \"", "\\n\";", "\n"),
            each("<p>", "</p>", "\n"),
        ];
        for spelled in spelled.map(cut) {
            let Verdict::Holds(_, Some(again)) = check(spelled.as_bytes()) else { panic!("holds: {spelled}") };
            assert!(again == canonical, "{spelled}");
        }
    }
}

#[test]
fn placeholders_fail_with_a_reason() {
    let head = "MIIEpAIBAAKCAQEA";
    let typed = "MC4CAQAwBQYDK2VwBCIEIXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";
    let bodies = [
        String::new(),
        "...".into(),
        "YOUR KEY HERE".into(),
        "<paste your key here>".into(),
        format!("{head}..."),
        format!("{head}3VtrexTiNbu\n...\n9dGVzdA=="),
        format!("{head}…\n"),
        "X".repeat(64),
        [&*"X".repeat(64); 20].join("\n"),
        [&*"abcd1234".repeat(8); 20].join("\n"),
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit\nsed do eiusmod tempor incididunt".into(),
        format!("{head}{}", "ab12".repeat(100)),
        typed.into(),
        data_encoding::BASE64.encode("this is only a text that somebody has put into base64 for fun".as_bytes()),
        "*".repeat(64),
    ];
    for body in bodies {
        for (kind, ended) in [("", true), ("RSA ", true), ("OPENSSH ", true), ("PGP ", true)] {
            let end = if ended { format!("\n-----END {kind}PRIVATE KEY-----") } else { String::new() };
            let block = format!("-----BEGIN {kind}PRIVATE KEY-----\n{body}{end}");
            assert!(matches!(check(block.as_bytes()), Verdict::Fails(_)), "{block}");
        }
    }
}

#[test]
fn a_key_without_its_end_is_one_that_is_cut_short() {
    let key = key();
    let (whole, _) = key.split_once("-----END").expect("end");
    let Verdict::Holds(_, Some(canonical)) = check(key.as_bytes()) else { panic!("holds") };
    // All of it is there, and only the last line is missing: it is the same key.
    let Verdict::Holds(facts, Some(again)) = check(format!("{whole}\nand then a text\n").as_bytes()) else {
        panic!("holds")
    };
    assert!(again == canonical && !facts.contains_key("cut_short"));
    let rng = &mut Rng::new(4);
    let der = super::keys::synthetic::rsa(rng, 2048);
    let long = String::from_utf8(armour("RSA PRIVATE KEY", &data_encoding::BASE64.encode(&der))).expect("text");
    let Verdict::Doubtful(facts) = check(&long.as_bytes()[..900]) else { panic!("doubtful") };
    assert_eq!(facts["kind"], "RSA 2048");
    assert!(facts["cut_short"].ends_with(&format!(" of {} bytes are here", der.len())), "{facts:?}");
    let ended = format!("{}\n-----END RSA PRIVATE KEY-----", &long[..900]);
    assert!(matches!(check(ended.as_bytes()), Verdict::Fails(_)), "it has its end and not its middle");
    let der = super::keys::synthetic::rsa(rng, 8192);
    let huge = String::from_utf8(armour("RSA PRIVATE KEY", &data_encoding::BASE64.encode(&der))).expect("text");
    let Verdict::Holds(facts, Some(one)) = check(&huge.as_bytes()[..3900]) else { panic!("holds") };
    assert!(facts.contains_key("cut_short"));
    let indented = huge.replace('\n', "\n      ");
    let Verdict::Holds(_, Some(other)) = check(&indented.as_bytes()[..3900]) else { panic!("holds") };
    assert!(one == other, "as much of it as is looked at in both");
}

#[test]
fn what_cannot_be_read_is_doubtful() {
    let key = key();
    let rows: Vec<&str> = key.lines().collect();
    let filled = format!("{}\n${{SECOND_LINE}} and the rest\n{}\n{}", rows[0], rows[2..4].join("\n"), rows[rows.len() - 1]);
    assert!(matches!(check(filled.as_bytes()), Verdict::Doubtful(_)), "{filled}");
    let nebula = format!(
        "-----BEGIN NEBULA X25519 PRIVATE KEY-----\n{}\n-----END NEBULA X25519 PRIVATE KEY-----",
        "0hV3Yx7QmP1kZt9bWc4nRf8sLd2gUa6jEo5iTq3vHyM="
    );
    let Verdict::Doubtful(facts) = check(nebula.as_bytes()) else { panic!("doubtful") };
    assert_eq!(facts["format"], "NEBULA X25519");
}

#[test]
fn a_wrong_checksum_is_no_pgp_key() {
    let bytes = super::keys::tests::pgp();
    let block = |sum: &str| {
        let body = data_encoding::BASE64.encode(&bytes);
        format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{body}\n={sum}\n-----END PGP PRIVATE KEY BLOCK-----")
    };
    // As GnuPG printed it.
    assert!(matches!(check(block("ppdW").as_bytes()), Verdict::Holds(..)));
    assert_eq!(check(block("ppdX").as_bytes()), Verdict::Fails("checksum does not hold"));
    let headers = block("ppdW").replace("BLOCK-----\n\n", "BLOCK-----\nVersion: GnuPG v2\nComment: example\n\n");
    assert!(matches!(check(headers.as_bytes()), Verdict::Holds(..)));
}

/// Eight times the length takes about eight times as long, not sixty-four. The scanner hands over 3900 bytes.
#[test]
fn the_time_is_in_proportion_to_the_length() {
    for row in ["MIIEpAIBAAKCAQEA\n", "\"AAAA\" +\n", "A A A A\n", "\\n", "=", "MIIE"] {
        let time = |count: usize| {
            let block = format!("-----BEGIN PRIVATE KEY-----\n{}", row.repeat(count / row.len()));
            let begun = Instant::now();
            check(block.as_bytes());
            begun.elapsed().as_secs_f64()
        };
        let best = |length: usize| (0..3).map(|_| time(length)).fold(f64::MAX, f64::min);
        let (short, long) = (best(1 << 15), best(1 << 18));
        assert!(long < 0.05 + short * 30.0, "{row:?}: {short} {long}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_without_a_panic(
        label in "(RSA |EC |OPENSSH |PGP |ENCRYPTED |XX )?PRIVATE KEY( BLOCK)?",
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        text in "[A-Za-z0-9+/=\\\\n\"' .:-]{0,400}",
    ) {
        for body in [bytes.as_slice(), text.as_bytes(), data_encoding::BASE64.encode(&bytes).as_bytes()] {
            check(&[format!("-----BEGIN {label}-----\n").as_bytes(), body].concat());
            check(&[format!("-----BEGIN {label}-----\n").as_bytes(), body, b"\n-----END "].concat());
        }
        check(&bytes);
    }
}
