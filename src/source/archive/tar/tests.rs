//! tars that are sound, that lie, and that are cut short.

use crate::source::archive::testing::{gzip, open, stream, tarred};

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (key, value) in records {
        let bare = key.len() + value.len() + 3;
        let length = bare + (bare + 2).to_string().len();
        text = format!("{text}{length} {key}={value}\n");
    }
    tarred(b"x", b'x', (text.as_bytes(), text.len() as u64))
}

fn file(name: &str, text: &str) -> Vec<u8> {
    tarred(name.as_bytes(), b'0', (text.as_bytes(), text.len() as u64))
}

fn sample() -> Vec<u8> {
    let long = "d/".repeat(70);
    [
        file("./a.txt", "first"),
        tarred(b"link", b'2', (b"", 0)),
        tarred(b"hard", b'1', (b"", 9999)),
        tarred(b"device", b'4', (b"", 0)),
        tarred(b"././@LongLink", b'L', (long.as_bytes(), long.len() as u64)),
        file("short", "by GNU"),
        pax(&[("path", "by/pax.txt"), ("size", "3")]),
        tarred(b"short", b'0', (b"pax", 99)),
        file("../../etc/passwd", "up"),
        file("../../etc/passwd", "twice"),
        vec![0; 1024],
        file("behind.txt", "the end"),
        vec![0; 1024],
    ]
    .concat()
}

#[test]
fn every_file_comes_out_under_its_name() {
    let long = format!("x.tar!{}", "d/".repeat(70));
    let names =
        ["x.tar!a.txt", &long, "x.tar!by/pax.txt", "x.tar!../../etc/passwd", "x.tar!../../etc/passwd", "x.tar!behind.txt"];
    let packed = gzip(&sample());
    for seen in [open("x.tar", &sample()), stream("x.tar", &sample()), open("x.tar", &packed), stream("x.tar", &packed)] {
        let seen = seen.expect("a tar");
        assert_eq!(seen.said(), "");
        assert_eq!(seen.names(), names);
        assert_eq!(seen.text("x.tar!by/pax.txt"), "pax");
        assert_eq!(seen.text(&long), "by GNU");
        assert_eq!(seen.skips, 3);
    }
}

#[test]
fn wherever_it_is_cut_within_a_member_it_says_so() {
    let whole = [file("a", &"x".repeat(600)), file("b", "yy")].concat();
    for length in 512..whole.len() {
        let seen = open("x.tar", &whole[..length]).expect("a tar");
        // Behind a whole member there may be an end; padding is nobody's.
        let is_whole = (1112..=1536).contains(&length) || length >= 2050;
        assert_eq!(seen.said().is_empty(), is_whole, "{length}: {}", seen.said());
    }
}

#[test]
fn lying_sizes_are_said_and_what_is_there_comes_out() {
    for said in [10, 1 << 20, 0o77_777_777_777] {
        let seen = open("x.tar", &tarred(b"a", b'0', (b"text", said))).expect("a tar");
        assert!(seen.text("x.tar!a").starts_with("text"));
        assert_eq!(seen.said().is_empty(), said <= 512, "{said}: {}", seen.said());
    }
    // A name that claims gigabytes is not taken into memory.
    let seen = open("x.tar", &tarred(b"n", b'L', (b"name", (1 << 33) - 1))).expect("a tar");
    assert!(seen.said().contains("bytes are missing"), "{}", seen.said());
}

#[test]
fn a_damaged_header_is_said_and_the_rest_is_read_as_it_stands() {
    let mut bytes = [file("a", "x"), file("b", "the password"), file("c", "z")].concat();
    bytes[1024 + 5] ^= 1;
    let seen = open("x.tar", &bytes).expect("a tar");
    assert!(seen.said().contains("damaged"));
    assert!(seen.text("x.tar!(rest)").contains("the password"));
}

#[test]
fn sparse_files_are_read_without_their_holes() {
    let mut header = tarred(b"sparse", b'S', (b"", 5));
    header[482] = 1;
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let bytes = [header, vec![0; 512], b"there".to_vec(), vec![0; 507], file("b", "next")].concat();
    let seen = open("x.tar", &bytes).expect("a tar");
    assert_eq!(
        (seen.text("x.tar!sparse"), seen.text("x.tar!b"), seen.said()),
        ("there".into(), "next".into(), String::new())
    );
}
