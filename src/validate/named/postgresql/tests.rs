//! Every way a login may go, told by servers that follow the documented messages, and by some that do not.

use postgres_protocol::authentication::md5_hash;

use super::super::scripted::{Peer, Server, credential, net};
use super::{check, framed};
use crate::model::{Credential, Liveness};

const OK: &[u8] = &[0, 0, 0, 0];
const CLEAR: &[u8] = &[0, 0, 0, 3];
const MD5: &[u8] = &[0, 0, 0, 5, 1, 2, 3, 4];
const SALT: [u8; 4] = [1, 2, 3, 4];

fn url(sslmode: &str, port: u16) -> Credential {
    let port = port.to_string();
    credential(&[
        ("password", "s3cret%2Fpw"),
        ("user", "shop"),
        ("host", "127.0.0.1"),
        ("port", &port),
        ("database", "orders"),
        ("sslmode", sslmode),
    ])
}

fn error(code: &str) -> Vec<u8> {
    framed(b"E", format!("SFATAL\0VFATAL\0C{code}\0Mfor s3cret/pw\0\0").as_bytes()).to_vec()
}

/// AuthenticationOk, what a server tells of itself, ReadyForQuery.
fn welcome() -> Vec<u8> {
    let messages = [
        framed(b"R", OK),
        framed(b"S", b"is_superuser\0on\0"),
        framed(b"K", &[0; 8]),
        framed(b"N", b"SNOTICE\0\0"),
        framed(b"Z", b"I"),
    ];
    messages.iter().flat_map(|message| message.to_vec()).collect()
}

/// What is said of a server that asks for `request` and then says `after`, without TLS.
async fn told(request: &[u8], after: Vec<u8>) -> Liveness {
    let request = framed(b"R", request).to_vec();
    let server = Server::answering(&[&request, &after]);
    let said = check(&net(), &url("disable", server.port)).await;
    assert!(!format!("{said:?}").contains("s3cret"), "{said:?}");
    said
}

/// The same of one that says `first` and hangs up.
async fn first(first: Vec<u8>) -> Liveness {
    let server = Server::answering(&[&first]);
    check(&net(), &url("disable", server.port)).await
}

#[tokio::test]
async fn a_password_that_was_asked_for_and_taken_is_live() {
    let said = told(CLEAR, welcome()).await;
    let Liveness::Live(identity) = &said else { panic!("{said:?}") };
    assert_eq!((identity.get("user"), identity.get("database")), (Some("shop"), Some("orders")));
    assert_eq!(identity.get("superuser"), Some("true"));
    let request = framed(b"R", MD5).to_vec();
    let server = Server::answering(&[&request, &welcome()]);
    assert!(matches!(check(&net(), &url("disable", server.port)).await, Liveness::Live(_)));
    assert!(server.has_heard(&md5_hash(b"shop", b"s3cret/pw", SALT)) && !server.has_heard("s3cret"));
    assert!(server.has_heard("user\0shop\0database\0orders\0"));
}

#[tokio::test]
async fn after_the_password_an_error_says_that_it_was_right() {
    for (code, words) in [
        ("3D000", "no such database"),
        ("53300", "too many connections"),
        ("42501", "may not connect"),
        ("28000", "may not log in"),
        ("57P03", "57P03"),
        ("28P01", "28P01"),
    ] {
        let after = [framed(b"R", OK).to_vec(), error(code)].concat();
        let said = told(CLEAR, after).await;
        assert!(matches!(&said, Liveness::Limited(_, why) if why.contains(words)), "{code}: {said:?}");
    }
}

#[tokio::test]
async fn before_it_only_a_refusal_of_the_password_is_dead() {
    assert!(matches!(told(CLEAR, error("28P01")).await, Liveness::Dead(_)));
    assert!(matches!(told(MD5, error("28P01")).await, Liveness::Dead(_)));
    for code in ["28000", "53300", "3D000", "57P03", "XX000", "28P0", "28P01x", "<b>ab", ""] {
        let said = told(CLEAR, error(code)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{code}: {said:?}");
    }
    // pg_hba.conf turns us away, or a pooler knows no such tenant: nobody looked at the password.
    for code in ["28000", "28P01", "53300", "3D000", "57P03"] {
        let said = first(error(code)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{code}: {said:?}");
    }
}

#[tokio::test]
async fn a_server_that_asks_for_no_password_proves_nothing() {
    let said = first(welcome()).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("without a password")), "{said:?}");
    let said = first([framed(b"R", OK).to_vec(), error("3D000")].concat()).await;
    assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
    assert!(matches!(first(framed(b"Z", b"I").to_vec()).await, Liveness::Unknown(_)), "no AuthenticationOk at all");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_itself_cannot_say_that_it_is_right() {
    let sasl = [&[0, 0, 0, 10], &b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"[..]].concat();
    // It says OK at once; it says OK in the middle; its last word is made up.
    let middle = |peer: &mut Peer, last: &[u8]| {
        let heard = peer.hear();
        let at = memchr::memmem::find(&heard, b"r=").expect("a nonce");
        let nonce = String::from_utf8_lossy(&heard[at + 2..]).into_owned();
        let challenge = [&[0, 0, 0, 11], format!("r={nonce}xyz,s=AAAA,i=4096").as_bytes()].concat();
        peer.say(&framed(b"R", &challenge));
        peer.hear();
        peer.say(last);
    };
    assert!(matches!(told(&sasl, welcome()).await, Liveness::Unknown(_)));
    for last in [welcome(), framed(b"R", &[&[0, 0, 0, 12], &b"v=AAAA"[..]].concat()).to_vec(), error("28000")] {
        let (sasl, wanted) = (sasl.clone(), last.clone());
        let server = Server::talking(move |peer| {
            peer.hear();
            peer.say(&framed(b"R", &sasl));
            middle(peer, &wanted);
        });
        let said = check(&net(), &url("disable", server.port)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
        assert!(!server.has_heard("s3cret"), "only a proof of it");
    }
    let (sasl, dead) = (sasl.clone(), error("28P01"));
    let server = Server::talking(move |peer| {
        peer.hear();
        peer.say(&framed(b"R", &sasl));
        middle(peer, &dead);
    });
    assert!(matches!(check(&net(), &url("disable", server.port)).await, Liveness::Dead(_)));
}

#[tokio::test]
async fn the_password_itself_goes_only_where_its_address_means_it_to() {
    // No TLS there, and the address does not say that there need be none.
    for mode in ["prefer", "allow", "nonsense"] {
        let server = Server::answering(&[b"N", &framed(b"R", CLEAR), &welcome()]);
        let said = check(&net(), &url(mode, server.port)).await;
        assert!(matches!(&said, Liveness::Unknown(why) if why.contains("password itself")), "{said:?}");
        assert!(!server.has_heard("s3cret"));
        let server = Server::answering(&[b"N", &framed(b"R", MD5), &welcome()]);
        assert!(matches!(check(&net(), &url(mode, server.port)).await, Liveness::Live(_)), "a proof may");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let server = Server::answering(&[b"N", &framed(b"R", MD5), &welcome()]);
        let said = check(&net(), &url(mode, server.port)).await;
        assert!(matches!(&said, Liveness::Unknown(why) if why.contains("no TLS")), "{said:?}");
        // What was sent before TLS began is not taken for what comes inside it.
        let early = Server::answering(&[&[b"S", welcome().as_slice()].concat(), &welcome()]);
        assert!(matches!(check(&net(), &url(mode, early.port)).await, Liveness::Unknown(_)));
        assert!(!early.has_heard("shop"));
    }
}

#[tokio::test]
async fn who_stalls_floods_or_talks_nonsense_is_unknown() {
    let slow = Server::talking(|peer| {
        peer.hear();
        peer.say(&framed(b"R", CLEAR)[..7]);
        peer.stall();
    });
    let said = check(&net(), &url("disable", slow.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
    for flood in [framed(b"N", b"SNOTICE\0\0").to_vec(), b"x".to_vec(), framed(b"S", &[b'a'; 9000]).to_vec()] {
        let endless = Server::talking(move |peer| {
            peer.hear();
            peer.flood(&flood);
        });
        assert!(matches!(check(&net(), &url("disable", endless.port)).await, Liveness::Unknown(_)));
    }
    for nonsense in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"R\0\0\0\0".to_vec(),
        b"R\0\0\0\x04".to_vec(),
        b"R\x7f\xff\xff\xff".to_vec(),
        b"E\0\0\0\x05\0".to_vec(),
        framed(b"R", &[0, 0, 0, 5, 1]).to_vec(),
        framed(b"R", &[0, 0, 0, 11, b'r']).to_vec(),
        framed(b"R", &[0, 0, 0, 12, b'v']).to_vec(),
        framed(b"R", &[0, 0, 0, 7]).to_vec(),
        framed(b"R", &[0, 0, 0, 10, b'X', 0, 0]).to_vec(),
        framed(b"D", &[0, 0]).to_vec(),
    ] {
        let said = first(nonsense.clone()).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{nonsense:?}: {said:?}");
    }
    let nobody = credential(&[("password", "pw"), ("host", "127.0.0.1"), ("port", "1")]);
    assert!(matches!(check(&net(), &nobody).await, Liveness::NotChecked(Some(_))), "no user");
}

#[tokio::test]
async fn a_string_of_keywords_is_not_percent_encoded() {
    let request = framed(b"R", MD5).to_vec();
    let server = Server::answering(&[&request, &welcome()]);
    let mut dsn = url("disable", server.port);
    dsn.detector = "postgres-dsn".into();
    assert!(matches!(check(&net(), &dsn).await, Liveness::Live(_)));
    assert!(server.has_heard(&md5_hash(b"shop", b"s3cret%2Fpw", SALT)));
}
