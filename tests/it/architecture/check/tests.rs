//! Planted breaches are found, at their line; what only looks like one is not.

/// The breaches in one file whose first line says what it is for; `source` begins at line 2.
fn breaches(path: &str, source: &str) -> Vec<String> {
    super::check(&[(path.to_owned(), format!("//! Doc.\n{source}"))])
}

fn assert_one(path: &str, source: &str, begin: &str) {
    let found = breaches(path, source);
    assert!(found.len() == 1 && found[0].starts_with(begin), "{path}: {source}\nexpected: {begin}\nfound: {found:#?}");
}

fn assert_none(path: &str, source: &str) {
    assert_eq!(breaches(path, source), [""; 0], "{path}: {source}");
}

#[test]
fn a_door_that_is_not_in_the_table_is_found_however_it_is_named() {
    let net = "src/detect/x.rs:2 names crate::net";
    for source in [
        "use crate::net;",
        "use crate::net::Client;",
        "use crate::{model::Blob, net::{Client, Rules}};",
        "use crate::{secret, declared, net};",
        "pub(crate) use crate::net as other;",
        "fn f(x: &crate::net::Client) {}",
        "fn f() { let x = format!(\"{}\", crate::net::NAME); }",
        "fn f(x: super::super::net::Client) {}",
        "macro_rules! m { () => { $crate::net::f() } }",
        "use super::super::net::Client;",
        "use super::super::{model::Blob, net};",
        "mod inner { use super::super::super::net; }",
        "#[cfg(any(test, windows))] use crate::net;",
        "#[cfg(not(test))] use crate::net;",
        "#[cfg(test)] mod tests {} use crate::net;",
    ] {
        assert_one("src/detect/x.rs", source, net);
    }
    assert_one("src/detect/mod.rs", "use super::net::Client;", "src/detect/mod.rs:2 names crate::net");
    assert_one("src/detect.rs", "\n\nuse super::net::Client;", "src/detect.rs:4 names crate::net");
    assert_one("src/report/a/b.rs", "use super::super::super::secret;", "src/report/a/b.rs:2 names crate::secret");
}

#[test]
fn what_is_in_the_table_is_allowed() {
    assert_none("src/detect/x.rs", "use crate::{model::{Blob, Match}, secret, declared::Table, detect::y};");
    assert_none("src/detect/x.rs", "use super::net::z; use super::super::model; mod net {} use self::net::w;");
    assert_none("src/cli/scan.rs", "use crate::{net, scan, report, respond};");
    assert_none("src/main.rs", "fn main() { staunch::cli::main(std::env::args_os()) }");
    assert_none("src/lib.rs", "pub mod detect;");
}

#[test]
fn comments_strings_and_tests_name_what_they_like() {
    assert_none(
        "src/detect/x.rs",
        "/// See [`crate::net`].\n// crate::net\nconst A: &str = \"crate::net println!() unsafe\";",
    );
    assert_none("src/detect/x.rs", "#[cfg(test)]\nmod tests { use crate::net; fn f() { println!(); } }");
    assert_none("src/detect/x.rs", "#[cfg(all(test, unix))]\n#[expect(dead_code)]\nfn f(a: [u8; 2]) { crate::net::f() }");
    assert_none("src/detect/x.rs", "#![cfg(test)]\nuse crate::net;");
}

#[test]
fn files_of_test_modules_are_tests() {
    let file = |path: &str, source: &str| (path.to_owned(), format!("//! Doc.\n{source}"));
    let declaring = file("src/detect/x.rs", "#[cfg(test)] mod tests;\nmod tests_of_nobody;");
    let tests = file("src/detect/x/tests.rs", "use crate::net;");
    let below = file("src/detect/x/tests/more.rs", "use crate::net;");
    let other = file("src/detect/x/tests_of_nobody.rs", "use crate::net;");
    let found = super::check(&[declaring, tests, below, other]);
    assert_eq!(found, ["src/detect/x/tests_of_nobody.rs:2 names crate::net"]);
}

#[test]
fn the_whole_crate_cannot_be_named() {
    let whole = "src/detect/x.rs:2 names the whole crate";
    for source in ["use crate::*;", "use crate as c;", "use crate::{self as c};", "use super::{super::net, y};"] {
        assert_one("src/detect/x.rs", source, whole);
    }
    assert_one("src/detect/x.rs", "use crate::oddity;", "src/detect/x.rs:2 names crate::oddity, which is no room");
    assert_one("src/attic/mod.rs", "", "src/attic/mod.rs:1 is in a room that the table does not hold: attic");
}

#[test]
fn only_cli_reads_and_writes_what_is_the_users() {
    for source in [
        "fn f() { println!(); }",
        "fn f() { std::eprint!(\"\"); }",
        "use std::env::var_os;",
        "fn f() { std::env::args(); }",
        "use std::{env::{self as e}};",
        "use std::env as e;",
        "use std::io::{Read, stdin};",
        "fn f() { io::stderr(); }",
    ] {
        assert_one("src/source/x.rs", source, "src/source/x.rs:2 ");
        assert_none("src/cli/x.rs", source);
    }
    assert_none("src/source/x.rs", "use std::{env, io}; fn f() { env!(\"A\"); env::consts::OS; c.stdin(io::empty()); }");
}

#[test]
fn only_scan_knows_threads_and_async() {
    let file = |path: &str, source: &str| (path.to_owned(), format!("//! Doc.\n{source}"));
    let in_room = |room: &str| {
        let threads = file(&format!("src/{room}/a.rs"), "use rayon::prelude::*;");
        super::check(&[threads, file(&format!("src/{room}/b.rs"), "\nfn f() { tokio::spawn(x); }")])
    };
    assert_eq!(in_room("scan"), [""; 0]);
    for runtime in ["struct S { t: tokio::Handle }", "use ::tokio;", "#[tokio::main] async fn f() {}"] {
        assert_one("src/net/x.rs", &format!("use rayon; {runtime}"), "src/net/x.rs:2 names tokio");
    }
    let found = in_room("sweep");
    assert!(found.len() == 1 && found[0].starts_with("src/sweep/b.rs:3 names tokio and src/sweep/a.rs:2 names rayon"));
    assert_none("src/net/a.rs", "use tokio::sync; use net::rayon; fn f(rayon: u8) { x::rayon::y }");
}

#[test]
fn unsafe_misplaced_and_unexplained_files_are_found() {
    assert_one("src/net/a.rs", "#[cfg(test)] mod t { fn f() { unsafe {} } }", "src/net/a.rs:2 is unsafe");
    assert_one("src/net/a.rs", "#[path = \"../x.rs\"] mod x;", "src/net/a.rs:2 puts a module in another place");
    let found = super::check(&[("src/net/a.rs".to_owned(), "// Doc.\n".to_owned())]);
    assert!(found.len() == 1 && found[0].starts_with("src/net/a.rs:1 does not begin with `//!`"), "{found:?}");
    assert_one("src/net/a.rs", "fn f( {", "src/net/a.rs cannot be read as Rust");
}
