//! Whole texts through the whole pipeline.

use super::{DetectorSet, Found, Scanner};
use crate::model::{Blob, Credential, Encoding};

/// Compiled once: the automaton takes longer than most texts.
fn builtin() -> &'static DetectorSet {
    static SET: std::sync::OnceLock<DetectorSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| DetectorSet::builtin().expect("detectors"))
}

fn find(text: &str) -> Vec<Credential> {
    let mut all = Vec::new();
    Scanner::new(builtin()).scan(&Blob::whole("x", text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            all.push(credential);
        }
    });
    all.sort_by_key(|credential| credential.parts[0].span.start);
    all
}

const ID: &str = concat!("AKIA", "RZPUZDIKAB6VH3GC");
const SECRET: &str = concat!("YSf7T4epY8ReR/owIXHV", "XspkSH/B6EJKs8nmxW1E");

fn base64(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

fn stands(text: &str, credential: &Credential, part: &str) -> String {
    let span = &credential.part(part).expect("the part").span;
    text[span.start as usize..span.end as usize].to_owned()
}

#[test]
fn a_pair_in_a_kubernetes_secret_is_one_credential_in_the_original_file() {
    let (id, secret) = (base64(ID), base64(SECRET));
    let text = format!(
        "kind: Secret\nmetadata:\n  name: aws\ndata:\n  AWS_ACCESS_KEY_ID: {id}\n  AWS_SECRET_ACCESS_KEY: {secret}\n"
    );
    let all = find(&text);
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((&*one.detector, one.partial, one.encoding.as_slice()), ("aws-access-key", false, &[Encoding::Base64][..]));
    // 40 bytes end within a group; the last characters belong to them all the same.
    assert!(id.starts_with(&stands(&text, one, "key_id")[..26]));
    assert!(secret.starts_with(&stands(&text, one, "secret")[..53]));
}

#[test]
fn pairs_are_matched_by_name_and_nearness_and_rivals_are_kept() {
    let other = SECRET.chars().rev().collect::<String>();
    for text in [
        format!("{ID},{SECRET}"),
        format!("aws_access_key_id={ID}\nregion=eu\naws_secret_access_key={SECRET}\nother={other}\n"),
        format!("secretAccessKey: '{SECRET}'\naccessKeyId: '{ID}'\n"),
        format!("<key>id</key><string>{ID}</string>\n<key>secret</key>\n<string>{SECRET}</string>"),
        format!(r#"{{"id":"{ID}","secret":"{SECRET}"}}"#),
        format!("export AWS_ACCESS_KEY_ID={ID} AWS_SECRET_ACCESS_KEY={SECRET}"),
    ] {
        let all = find(&text);
        let [one] = all.as_slice() else { panic!("{text}: {all:?}") };
        assert_eq!(stands(&text, one, "secret"), SECRET, "{text}");
    }
    let rivals = find(&format!("{ID}\n{SECRET}\n{other}\n"));
    assert_eq!(rivals.len(), 2, "both may be it");
    let two = format!("{}\n{other}\n{ID}\n{SECRET}\n", ID.replace("3GC", "3GD"));
    let all = find(&two);
    assert_eq!(all.len(), 2);
    assert_eq!((stands(&two, &all[0], "secret"), stands(&two, &all[1], "secret")), (other, SECRET.to_owned()));
}

#[test]
fn an_id_alone_is_partial_and_digests_are_not_its_secret() {
    let digest = "d670460b4b4aece5915caf5c68d12f560a9fe3e4";
    let all = find(&format!("{ID}\ncommit {digest}\n"));
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert!(one.partial && one.part("secret").is_none());
}

#[test]
fn base64_is_seen_through_in_every_alignment_and_once_more_in_a_manifest() {
    for lead in ["", "x", "xy", "xyz "] {
        let all = find(&format!("blob: {}", base64(&format!("{lead} {ID} {SECRET} y"))));
        assert_eq!((all.len(), all[0].partial, all[0].encoding.len()), (1, false, 1), "{lead}");
    }
    let config = base64(&base64(&format!("id {ID} secret {SECRET}")));
    let all = find(&format!("kind: Secret\ndata:\n  config: {config}\n"));
    assert_eq!((all.len(), &*all[0].detector, all[0].encoding.len()), (1, "aws-access-key", 2));
}

#[test]
fn windows_of_a_blob_report_what_starts_in_them_and_nothing_else() {
    let text = format!("{} {ID} {SECRET} ", "a b c\n".repeat(50));
    let whole = find(&text);
    for cut in 0..text.len() {
        let mut all = Vec::new();
        for own in [0..cut, cut..text.len()] {
            let blob = Blob { own, ..Blob::whole("x", text.as_bytes()) };
            Scanner::new(builtin()).scan(&blob, &mut |found| {
                if let Found::Credential(credential) = found {
                    all.push(credential.parts[0].span.clone());
                }
            });
        }
        assert_eq!(all, [whole[0].parts[0].span.clone()], "cut at {cut}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    #[test]
    fn any_bytes_at_all(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600), at in 0usize..600, kind in 0usize..5) {
        let pieces = [ID, "-----BEGIN RSA PRIVATE KEY-----", "kind: Secret\ndata:\n  a: ", "QUtJQ", "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t"];
        let mut text = bytes;
        let at = at.min(text.len());
        text.splice(at..at, pieces[kind].bytes());
        Scanner::new(builtin()).scan(&Blob::whole("x", &text), &mut |found| {
            if let Found::Credential(credential) = found {
                for part in &credential.parts {
                    assert!(part.span.start <= part.span.end && part.span.end <= text.len() as u64);
                }
            }
        });
    }
}

#[test]
fn what_stands_in_two_bytes_a_character_in_a_program_is_found_at_its_place() {
    let wide: Vec<u8> = format!("id={ID};").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for before in [400, 401] {
        let head = [b"MZ\x90\0\x03".as_slice(), &vec![0; before], b"\xe8\x01"].concat();
        let program = [head.as_slice(), &wide, &[0xff; 100]].concat();
        let mut found = Vec::new();
        Scanner::new(builtin()).scan(&Blob::whole("a.exe", &program), &mut |one| found.push(one));
        let [Found::Credential(credential)] = found.as_slice() else { panic!("{found:?}") };
        let start = (head.len() + 2 * "id=".len()) as u64;
        assert_eq!(credential.parts[0].span, start..start + 2 * ID.len() as u64);
        assert_eq!(credential.encoding, [crate::model::Encoding::Utf16]);
    }
}

#[test]
fn a_literal_of_three_bytes_is_followed_by_what_keys_are_made_of() {
    // The prefilter counts on it for built-in detectors.
    let mut extractor = regex_syntax::hir::literal::Extractor::new();
    extractor.limit_class(256).limit_repeat(4).limit_literal_len(4).limit_total(1 << 20);
    for entry in &builtin().entries {
        let rule = entry.rule(0);
        let is_key = super::prefilter::is_key;
        let is_short = |literal: &&String| literal.len() == 3 && literal.bytes().all(is_key);
        let short: Vec<&String> = rule.literals().iter().filter(is_short).collect();
        if short.is_empty() || (0..=255).all(|byte| is_key(byte) || !rule.bytes.contains(byte)) {
            continue;
        }
        let hir = super::compiled::parse_hir(&rule.pattern).expect("a pattern");
        let prefixes = extractor.extract(&hir);
        let prefixes = prefixes.literals().unwrap_or_else(|| panic!("{}: too many prefixes to look at", entry.id));
        for prefix in prefixes.iter().map(regex_syntax::hir::literal::Literal::as_bytes) {
            let leads = short.iter().any(|literal| prefix.starts_with(literal.as_bytes()));
            // Where too much may follow to be listed, the examples must do.
            let fourth = prefix.get(3).is_none_or(|&byte| is_key(byte));
            assert!(!leads || fourth, "{}: {:?}", entry.id, String::from_utf8_lossy(prefix));
        }
    }
}
