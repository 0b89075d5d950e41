//! Each form is found, wherever it stands; nothing is found where nothing is.

use super::Canaries;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// Bytes that differ in the two base64 alphabets and that URLs encode.
const SECRET: &[u8] = b"not/a+real~secret??>>\"0123456789";

fn canaries() -> Canaries {
    Canaries::new(&[("it", SECRET), ("other", b"another one entirely")])
}

fn found(text: &[u8]) -> Vec<String> {
    canaries().in_bytes("here", text).into_iter().map(|hit| format!("{} {} {}", hit.canary, hit.form, hit.place)).collect()
}

fn amid(text: &str) -> Vec<u8> {
    [b"before ", text.as_bytes(), b" after"].concat()
}

#[test]
fn plain_hex_and_lists_of_bytes_are_found() {
    assert_eq!(found(&[b"x=", SECRET, b";"].concat()), ["it plain here"]);
    assert_eq!(found(&amid(&HEXLOWER.encode(SECRET))), ["it hex here"]);
    assert_eq!(found(&amid(&HEXUPPER.encode(SECRET))), ["it hex here"]);
    assert_eq!(found(format!("Leak({SECRET:?})").as_bytes()), ["it list of bytes here"]);
    assert_eq!(found(format!("Leak({:?})", str::from_utf8(SECRET).unwrap()).as_bytes()), ["it escaped here"]);
}

#[test]
fn base64_is_found_at_every_alignment_in_both_alphabets() {
    for ahead in 0..6 {
        for behind in 0..6 {
            let text = [&b"abcdef"[..ahead], SECRET, &b"ghijkl"[..behind]].concat();
            assert_eq!(found(&amid(&BASE64.encode(&text))), ["it base64 here"], "{ahead} {behind}");
            assert_eq!(found(&amid(&BASE64URL_NOPAD.encode(&text))), ["it base64 here"], "{ahead} {behind}");
        }
    }
}

#[test]
fn percent_encoding_is_found_whatever_is_encoded() {
    let all = SECRET.iter().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"));
    for text in [percent_encode(SECRET, NON_ALPHANUMERIC).to_string(), all] {
        assert_eq!(found(&amid(&text)), ["it percent-encoded here"]);
    }
    // Encoded base64: the padding is.
    assert_eq!(found(&amid(&percent_encode(BASE64.encode(SECRET).as_bytes(), NON_ALPHANUMERIC).to_string())).len(), 1);
}

#[test]
fn utf_16_is_found_in_both_orders() {
    let text = str::from_utf8(SECRET).unwrap();
    assert_eq!(found(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()), ["it utf-16 here"]);
    assert_eq!(found(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()), ["it utf-16 here"]);
}

#[test]
fn part_of_a_secret_is_not_the_secret() {
    assert_eq!(found(&SECRET[..SECRET.len() - 1]), [""; 0]);
    assert_eq!(found(&amid(&BASE64.encode(&SECRET[4..]))), [""; 0]);
    assert_eq!(found(b"100% of nothing"), [""; 0]);
}

#[test]
fn names_links_and_nested_files_are_searched() {
    let tree = tempfile::tempdir().unwrap();
    let deep = tree.path().join("a/.hidden");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), SECRET).unwrap();
    fs::write(deep.join("another one entirely"), "").unwrap();
    std::os::unix::fs::symlink("/nowhere/another one entirely/x", deep.join("link")).unwrap();
    std::os::unix::fs::symlink(tree.path(), deep.join("loop")).unwrap();
    let mut places: Vec<_> = canaries().in_tree(tree.path()).into_iter().map(|hit| (hit.canary, hit.place)).collect();
    places.sort();
    let place = |name: &str| deep.join(name).display().to_string();
    let expected = [("it", place("file")), ("other", place("another one entirely (name)")), ("other", place("link (link)"))];
    assert_eq!(places, expected.map(|(canary, place)| (canary.to_owned(), place)));
}

/// Rows in which the secret stands at every offset of a page: in some it is split between two pages, where a search of
/// the raw file cannot find it. All of it is still in the write-ahead log.
fn database_with_a_split_value(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database
        .execute_batch("PRAGMA page_size = 512; PRAGMA journal_mode = WAL; CREATE TABLE \"t \"\"1\" (x, y BLOB)")
        .unwrap();
    for ahead in 0..600 {
        let value = [vec![b'.'; ahead], SECRET.to_vec(), vec![b'.'; 600]].concat();
        database.execute("INSERT INTO \"t \"\"1\" VALUES (1, ?)", [value]).unwrap();
    }
    database
}

#[test]
fn values_of_databases_are_searched_and_those_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let _open = database_with_a_split_value(&path);
    let places: Vec<_> = canaries().in_tree(&path).into_iter().map(|hit| hit.place).collect();
    let in_table = places.iter().filter(|place| place.ends_with("(table t \"1)")).count();
    assert_eq!(in_table, 600, "every row, however it lies on the pages");
}
