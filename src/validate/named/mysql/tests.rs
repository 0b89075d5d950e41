//! Every way a login may go, told by servers that follow the documented packets, and by some that do not.

use super::super::scripted::{Peer, Server, credential, net};
use super::{CACHING, NATIVE, check, framed, scramble};
use crate::model::{Credential, Liveness};

const SALT: &[u8; 20] = b"12345678abcdefghijkl";

fn url(tls: &str, port: u16) -> Credential {
    let port = port.to_string();
    credential(&[("password", "s3cret%2Fpw"), ("user", "shop"), ("host", "127.0.0.1"), ("port", &port), ("tls", tls)])
}

/// The server's first packet. It has TLS where `tls` says so.
fn hello(plugin: &[u8], tls: bool) -> Vec<u8> {
    // Without the first bit, as MariaDB says it.
    let low: u16 = if tls { 0x8a00 } else { 0x8200 };
    let body = [
        b"\x0a8.4.3\0\x07\0\0\0",
        &SALT[..8],
        b"\0",
        &low.to_le_bytes(),
        &[45, 2, 0, 0x08, 0, 21],
        &[0; 10],
        &SALT[8..],
        b"\0",
        plugin,
        b"\0",
    ];
    framed(0, &body.concat()).to_vec()
}

fn ok(number: u8) -> Vec<u8> {
    framed(number, &[0, 0, 0, 2, 0, 0, 0]).to_vec()
}

fn error(number: u8, code: u16) -> Vec<u8> {
    framed(number, &[&[0xff][..], &code.to_le_bytes(), b"#28000Access denied for 's3cret/pw'"].concat()).to_vec()
}

fn more(number: u8, what: u8) -> Vec<u8> {
    framed(number, &[1, what]).to_vec()
}

/// Greets at once, then answers the n-th thing it hears with the n-th of `answers`.
fn server(greeting: Vec<u8>, answers: Vec<Vec<u8>>) -> Server {
    Server::talking(move |peer| {
        peer.say(&greeting);
        for answer in &answers {
            if peer.hear().is_empty() {
                return;
            }
            peer.say(answer);
        }
    })
}

async fn told(plugin: &[u8], answers: Vec<Vec<u8>>) -> (Liveness, Server) {
    let server = server(hello(plugin, false), answers);
    let said = check(&net(), &url("", server.port)).await;
    assert!(!format!("{said:?}").contains("s3cret") && !server.has_heard("s3cret"), "{said:?}");
    (said, server)
}

#[tokio::test]
async fn a_password_that_is_taken_is_live_and_only_a_proof_of_it_is_said() {
    let (said, server) = told(NATIVE, vec![ok(2), vec![]]).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("shop")), "{said:?}");
    // COM_QUIT, and no other command; it may come a moment after the answer was taken.
    for _ in 0..400 {
        if server.heard().ends_with(&[1, 0, 0, 0, 1]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let heard = server.heard();
    let proof = scramble(NATIVE, b"s3cret/pw", SALT).expect("a proof");
    assert!(memchr::memmem::find(&heard, &[b"shop\0\x14", &proof[..], NATIVE, b"\0"].concat()).is_some());
    assert!(heard.ends_with(&[1, 0, 0, 0, 1]), "COM_QUIT, and no other command");
    // It remembers the password.
    let (said, _) = told(CACHING, vec![[more(2, 3), ok(3)].concat()]).await;
    assert!(matches!(said, Liveness::Live(_)), "{said:?}");
    // It greets with one mechanism and its user has another.
    for (first, second) in [(CACHING, NATIVE), (NATIVE, CACHING), (&b"client_ed25519"[..], NATIVE)] {
        let switch = framed(2, &[b"\xfe", second, b"\0", &SALT[..], b"\0"].concat()).to_vec();
        let (said, _) = told(first, vec![switch, ok(4)]).await;
        assert!(matches!(said, Liveness::Live(_)), "{said:?}");
    }
}

#[test]
fn proofs_are_as_documented() {
    // Of the native one: SHA1(password) XOR SHA1(salt SHA1(SHA1(password))); worked out with Python's hashlib.
    let hex = |plugin: &[u8]| data_encoding::HEXLOWER.encode(&scramble(plugin, b"s3cret/pw", SALT).expect("a proof"));
    assert_eq!(hex(NATIVE), "101a065766342a7e0f2c48f34115a171db5aca8d");
    assert_eq!(hex(CACHING), "9d2e54cc444437681b4104a16a2283d3bb65a129e637959de3a6da68ec48fdb1");
    assert!(scramble(NATIVE, b"x", b"short").is_none() && scramble(b"sha256_password", b"x", SALT).is_none());
}

#[tokio::test]
async fn an_error_after_the_password_says_that_it_was_right_and_a_refusal_settles_nothing() {
    for code in [1820, 1862, 1203, 1226, 4151] {
        let (said, _) = told(NATIVE, vec![error(2, code)]).await;
        assert!(matches!(&said, Liveness::Limited(_, why) if why.contains("password is right")), "{code}: {said:?}");
    }
    for code in [1045, 1698, 1040, 1049, 1129, 3118, 0] {
        let (said, _) = told(NATIVE, vec![error(2, code)]).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{code}: {said:?}");
    }
    for code in [1040, 1129, 1130, 1045] {
        let server = server(error(0, code), vec![]);
        let said = check(&net(), &url("", server.port)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{code}: {said:?}");
    }
}

#[tokio::test]
async fn the_password_itself_is_said_to_nobody_who_has_not_proven_who_it_is() {
    let (said, _) = told(CACHING, vec![more(2, 4), ok(4)]).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("not proven")), "{said:?}");
    let clear = framed(2, b"\xfemysql_clear_password\0").to_vec();
    let (said, _) = told(NATIVE, vec![clear, ok(4)]).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("another proof")), "{said:?}");
    // Where TLS is wanted, nothing but the wish for it is said without it.
    for (mode, tls) in [("REQUIRED", false), ("VERIFY_IDENTITY", false), ("true", false), ("verify_ca", true), ("", true)] {
        let server = server(hello(NATIVE, tls), vec![b"not TLS at all".to_vec(), ok(2)]);
        let said = check(&net(), &url(mode, server.port)).await;
        assert!(matches!(&said, Liveness::Unknown(why) if why.contains("TLS")), "{mode}: {said:?}");
        assert!(!server.has_heard("shop"), "{mode}");
    }
    let server = server(hello(NATIVE, true), vec![ok(2)]);
    assert!(matches!(check(&net(), &url("DISABLED", server.port)).await, Liveness::Live(_)), "its address says without");
}

#[tokio::test]
async fn who_stalls_floods_or_talks_nonsense_is_unknown() {
    let old = framed(2, &[0xfe]).to_vec();
    for answers in
        [vec![old], vec![vec![]], vec![framed(2, &[]).to_vec()], vec![more(2, 9)], vec![vec![0xff, 0xff, 0xff, 2]]]
    {
        let (said, _) = told(NATIVE, answers).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
    }
    let hello = hello(NATIVE, false);
    for greeting in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"".to_vec(),
        hello[..30].to_vec(),
        framed(0, b"\x09old\0").to_vec(),
        framed(0, &[10; 20]).to_vec(),
        framed(0, &hello[4..40]).to_vec(),
    ] {
        let server = server(greeting, vec![]);
        let said = check(&net(), &url("", server.port)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
    }
    let endless = Server::talking(|peer| peer.flood(&[1, 0, 0, 0, 1]));
    assert!(matches!(check(&net(), &url("", endless.port)).await, Liveness::Unknown(_)));
    let slow = Server::talking(Peer::stall);
    let said = check(&net(), &url("", slow.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
    let nobody = credential(&[("password", "pw"), ("host", "127.0.0.1")]);
    assert!(matches!(check(&net(), &nobody).await, Liveness::NotChecked(Some(_))));
}
